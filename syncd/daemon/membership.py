"""This process among those that share one PostgreSQL: a thread that says it is there, leads if
nobody else does, and claims its share of the phone systems.

What it holds says who does what, not whether it may be done: every unit of work holds a lock of its
own while it runs, so that two who think they lead do nothing twice.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import peewee
import structlog

from syncd.application.sharing import directories_asked, fingerprint, systems_here
from syncd.settings.model import INTAKE, SCHEDULER
from syncd.store.nodes import (
    GONE_SECONDS,
    Member,
    Present,
    database_time,
    nodes,
    share_of,
    takers,
)

if TYPE_CHECKING:
    from syncd.application.composition import Application

BEAT_SECONDS = 2.0
SKEW_SECONDS = 30
"""How far the clocks of two machines may be apart before it is told."""

CHANGED = "membership_changed"
LOST = "membership_lost"
SKEWED = "clock_differs"
DIFFERENT = "configuration_differs"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Work:
    """What one process does: whether it leads, and whose records it takes."""

    leads: bool = False
    holds: frozenset[str] = frozenset()


NOTHING = _Work()


class Membership:
    """What this process does of the work of all. Every method may be called from any thread."""

    def __init__(self, application: Application, changed: Callable[[], None]) -> None:
        """``changed`` is called, in its own thread, when this process has other work than before."""
        self._application = application
        self._changed = changed
        self._stop = threading.Event()
        self._work = NOTHING
        self._asked = False
        self._seen = 0.0
        self._told: set[str] = set()
        # Nothing waits for it: a database that does not answer must not keep the daemon from ending.
        self._thread = threading.Thread(target=self._run, name="membership", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Let go of everything, and wait for that up to so many seconds."""
        self._stop.set()
        self._thread.join(seconds)

    def replace(self, application: Application) -> None:
        """Go on with other settings."""
        self._application = application

    @property
    def leads(self) -> bool:
        """Whether this process does what is done by one alone."""
        return self._work.leads and self._fresh()

    def takes(self, pbx: str) -> bool:
        """Whether this process takes the records of a phone system. Nobody does before every
        directory was asked: people come first."""
        return pbx in self._work.holds and self._fresh()

    def _fresh(self) -> bool:
        """Whether what it holds was still its own not long ago."""
        return time.monotonic() - self._seen < GONE_SECONDS

    # --- its thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        member: Member | None = None
        while not self._stop.is_set():
            try:
                if self._application.database.connect(reuse_if_open=True) or member is None:
                    member = self._joined(member)
                self._turn(member)
                self._told.discard(LOST)
            except (peewee.PeeweeException, OSError) as error:
                self._lose(str(error))
            self._stop.wait(BEAT_SECONDS)
        with contextlib.suppress(peewee.PeeweeException, OSError):
            if member is not None and not self._application.database.is_closed():
                member.leave()
        self._application.close()

    def _joined(self, member: Member | None) -> Member:
        """Return this process as a member, on a connection that is new."""
        database = self._application.database
        if member is None:
            settings = self._application.settings
            member = Member(
                database,
                settings.daemon.roles,
                fingerprint(settings),
                database_time(database),
            )
        member.prepare()
        return member

    def _turn(self, member: Member) -> None:
        """Say that this process is there, and take what is its share now."""
        settings = self._application.settings
        member.roles, member.configuration = settings.daemon.roles, fingerprint(settings)
        member.beat()
        present = nodes()
        if SCHEDULER in member.roles:
            member.lead()
        if INTAKE in member.roles:
            wanted = systems_here(settings)
            member.take(wanted, share_of(len(wanted), takers(present, INTAKE, member.now)))
        asked = self._asked or directories_asked(settings)
        now = _Work(member.leads, frozenset(member.holds) if asked else frozenset())
        before, self._work = self._work, now
        self._asked, self._seen = asked, time.monotonic()
        if now != before:
            member.beat()
            log.info(CHANGED, leads=now.leads, holds=sorted(now.holds), node=member.name)
            self._changed()
        self._compare(member, present)

    def _lose(self, reason: str) -> None:
        """The connection is gone, and with it what this process held."""
        with contextlib.suppress(peewee.PeeweeException, OSError):
            self._application.database.close()
        if LOST not in self._told:
            self._told.add(LOST)
            log.error(LOST, reason=reason.strip())
        if self._work != NOTHING:
            self._work = NOTHING
            self._changed()

    def _compare(self, member: Member, present: list[Present]) -> None:
        """Tell once of what should be the same on every machine."""
        off = int(self._application.clock()) - member.now
        self._tell(abs(off) > SKEW_SECONDS, SKEWED, seconds=off)
        others = {
            node.host
            for node in present
            if node.configuration != member.configuration
            and member.now - node.seen_at <= GONE_SECONDS
        }
        self._tell(bool(others), DIFFERENT, hosts=sorted(others))

    def _tell(self, wrong: bool, event: str, **fields: object) -> None:
        if wrong and event not in self._told:
            log.warning(event, **fields)
        (self._told.add if wrong else self._told.discard)(event)
