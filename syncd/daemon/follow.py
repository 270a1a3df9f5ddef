"""Synchronising as soon as a directory says that something changed: ``follow = yes``.

A thread for each such directory listens, and wakes the same unit of work that the schedule runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import structlog

from syncd.directory.sources import follow as source

if TYPE_CHECKING:
    from syncd.settings.model import DirectorySettings

FOLLOWED = "directory_followed"
NOT_FOLLOWED = "directory_not_followed"
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds before it is tried again: doubled each time, up to the longest."""
REST = 4
"""A run is not woken before this many times what the last one took: where everything is read each
time, a busy directory does not keep the daemon busy."""

log = structlog.get_logger()


class Follower:
    """Listens to one directory, in a thread of its own, until it is stopped."""

    def __init__(self, settings: DirectorySettings, wake: Callable[[], None]) -> None:
        """``wake`` synchronises, and returns when that is done."""
        self._settings = settings
        self._wake = wake
        self._stop = threading.Event()
        self._wait = FIRST_WAIT
        self._rested_at = 0.0
        # Nothing waits for it: a server that does not answer must not keep the daemon from ending.
        self._thread = threading.Thread(
            target=self._run, name=f"follow {settings.name}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end, without waiting."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Wait until it has ended, up to so many seconds."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            reason = ""
            try:
                source.follow(self._settings, self._stop, self._listening, self._changed)
            except source.FollowingEnded as ended:
                reason = str(ended)
            except Exception as error:
                log.error(NOT_FOLLOWED, source=self._settings.name, exc_info=error)
            if self._stop.is_set():
                return
            if reason:
                name, wait = self._settings.name, self._wait
                log.warning(NOT_FOLLOWED, source=name, reason=reason, again_in=wait)
            self._stop.wait(self._wait)
            self._wait = min(2 * self._wait, LONGEST_WAIT)

    def _listening(self, server: str) -> None:
        self._wait = FIRST_WAIT
        log.info(FOLLOWED, source=self._settings.name, server=server)

    def _changed(self) -> None:
        if self._stop.wait(max(0.0, self._rested_at - time.monotonic())):
            return
        began = time.monotonic()
        self._wake()
        ended = time.monotonic()
        self._rested_at = ended + REST * (ended - began)


def followers(
    directories: Iterable[DirectorySettings], wake: Callable[[str], None]
) -> list[Follower]:
    """Return one for each directory that is to be followed; ``wake`` is given its name."""

    def waking(name: str) -> Callable[[], None]:
        return lambda: wake(name)

    return [Follower(each, waking(each.name)) for each in directories if each.follow]
