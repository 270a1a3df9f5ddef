"""This process among those that share one PostgreSQL: a thread that says it is there, leads if
nobody else does, and claims its share of the phone systems.

What it holds says who does what, not whether it may be done: every unit of work holds a lock of its
own while it runs, on the connection that does the work, so that two who think they lead do nothing
twice, and who lost its connection has lost what it had not committed.
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

from syncd.application.sharing import directories_asked, fingerprint, systems, systems_here
from syncd.settings.model import INTAKE, SCHEDULER
from syncd.store.nodes import (
    BEAT_SECONDS,
    GONE_SECONDS,
    Member,
    Present,
    end_sessions,
    nodes,
    shares,
)

if TYPE_CHECKING:
    from syncd.application.composition import Application

FIRST_TURN_SECONDS = 3.0
"""What the daemon waits at its start to know what it does."""
PATIENCE_SECONDS = 60.0
"""How long intake waits, from the start, for somebody who asks the directories."""
SOON_SECONDS = 0.5
"""How soon somebody who hangs is looked at again, or what was theirs is taken."""
STUCK_SECONDS = 60.0
"""After this the service manager may start the daemon anew."""
SKEW_SECONDS = 30
"""How far the clocks of two machines may be apart before it is told."""

CHANGED = "membership_changed"
LOST = "membership_lost"
SKEWED = "clock_differs"
DIFFERENT = "configuration_differs"
VERSIONS = "versions_differ"
ENDED = "hanging_process_ended"
NOT_ENDED = "hanging_process_not_ended"

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
        self._turned = threading.Event()
        self._work = NOTHING
        self._asked = False
        self._began = time.monotonic()
        self._seen = 0.0
        self._turning = 0.0
        self._told: set[str] = set()
        self._hanging: frozenset[str] = frozenset()
        self._configuration = fingerprint(application.settings)
        # Nothing waits for it: a database that does not answer must not keep the daemon from ending.
        self._thread = threading.Thread(target=self._run, name="membership", daemon=True)

    def start(self) -> None:
        """Begin, and wait a little until it is known what this process does."""
        self._thread.start()
        self._turned.wait(FIRST_TURN_SECONDS)

    def stop(self, seconds: float) -> None:
        """Let go of everything, and wait for that up to so many seconds."""
        self._stop.set()
        self._thread.join(seconds)

    def replace(self, application: Application) -> None:
        """Go on with other settings."""
        self._configuration = fingerprint(application.settings)
        self._asked = False
        self._application = application

    @property
    def leads(self) -> bool:
        """Whether this process does what is done by one alone."""
        return self._work.leads and self._fresh()

    @property
    def holds(self) -> frozenset[str]:
        """The phone systems whose records this process takes."""
        return self._work.holds if self._fresh() else frozenset()

    @property
    def people_known(self) -> bool:
        """Whether records may be taken: every directory was asked by whoever leads, or nobody seems
        to."""
        return self._asked or time.monotonic() - self._began > PATIENCE_SECONDS

    def stuck(self) -> bool:
        """Whether the database has not answered for so long that it never will, on a connection that
        nobody has closed."""
        return bool(self._turning) and time.monotonic() - self._turning > STUCK_SECONDS

    def _fresh(self) -> bool:
        """Whether what it holds was still its own not long ago."""
        return time.monotonic() - self._seen < GONE_SECONDS

    # --- its thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        member = Member()
        while not self._stop.is_set():
            began = self._turning = time.monotonic()
            try:
                if self._application.database.connect(reuse_if_open=True):
                    member.join()
                self._turn(member, began)
                self._told.discard(LOST)
            except (peewee.PeeweeException, OSError) as error:
                self._lose(str(error))
            except Exception as error:
                log.error(LOST, reason=str(error), exc_info=error)
                self._lose(str(error))
            self._turning = 0.0
            self._turned.set()
            self._stop.wait(SOON_SECONDS if self._hanging else BEAT_SECONDS)
        with contextlib.suppress(peewee.PeeweeException, OSError):
            if not self._application.database.is_closed():
                member.leave()
            self._application.close()

    def _turn(self, member: Member, began: float) -> None:
        """Say that this process is there, and take what is its share now."""
        settings = self._application.settings
        member.roles, member.configuration = settings.daemon.roles, self._configuration
        takes = INTAKE in member.roles
        member.sees = systems_here(settings) if takes else frozenset()
        member.beat()
        present = nodes()
        self._end_who_hang(member, present)
        if SCHEDULER in member.roles:
            member.lead()
        else:
            member.follow()
        working = [node for node in present if node.works(member.now)]
        if takes:
            seen = {node.name: node.sees for node in working if INTAKE in node.roles}
            share = shares(seen, {node.name: node.holds for node in working})
            # What nobody sees somebody takes, to say so.
            orphans = systems(settings).difference(*seen.values())
            member.take(share.get(member.name, set()) | orphans)
        else:
            member.take(())
        asked, now = directories_asked(settings), _Work(member.leads, frozenset(member.holds))
        known, before = self._asked, self._work
        self._asked, self._work, self._seen = asked, now, began
        if now != before:
            member.beat()
            member.forget()
            log.info(CHANGED, leads=now.leads, holds=sorted(now.holds), node=member.name)
        if now != before or asked != known:
            self._changed()
        self._compare(member, working)

    def _end_who_hang(self, member: Member, present: list[Present]) -> None:
        """End the connections of processes that were found hanging twice: a paused one holds its
        locks for as long as its connection stands, and nobody else could do its work."""
        hanging = {node.name: node for node in present if node.hangs(member.now)}
        for name in self._hanging & hanging.keys():
            node = hanging[name]
            try:
                sessions = end_sessions(node)
            except peewee.DatabaseError as error:
                self._tell(NOT_ENDED, reason=str(error).strip(), node=name)
            else:
                log.warning(ENDED, node=name, silent=member.now - node.seen_at, sessions=sessions)
        self._hanging = frozenset(hanging)

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

    def _compare(self, member: Member, working: list[Present]) -> None:
        """Tell once of what should be the same on every machine."""
        off = int(self._application.clock()) - member.now
        self._tell(SKEWED, wrong=abs(off) > SKEW_SECONDS, seconds=off)
        others = {node.host for node in working if node.configuration != member.configuration}
        self._tell(DIFFERENT, wrong=bool(others), hosts=sorted(others))
        versions = {node.version for node in working}
        self._tell(VERSIONS, wrong=len(versions) > 1, versions=sorted(versions))

    def _tell(self, event: str, *, wrong: bool = True, **fields: object) -> None:
        if wrong and event not in self._told:
            log.warning(event, **fields)
        (self._told.add if wrong else self._told.discard)(event)
