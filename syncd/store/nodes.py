"""Processes that share one PostgreSQL: who is there, who leads, and who takes which phone system.

What a process holds are advisory locks of a connection that it keeps for that alone: they end with
the process, or with the connection. The rows say who is there, so that all take a fair share; no
decision about calls ever needs them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import NamedTuple

import peewee

from syncd.store.advisory import lock_key
from syncd.store.models import Node

LEADER = "leader"
"""The lock of the one that does what is done by one alone."""
GONE_SECONDS = 10
"""Who was not seen for so long counts no more."""
FORGOTTEN_SECONDS = 86_400
"""Rows of those who were not seen for so long are removed."""

_SESSION = {
    # A machine that vanished without a word lets go of what it held within this time.
    "tcp_keepalives_idle": "3",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "2",
    "tcp_user_timeout": "7000",
    "idle_session_timeout": "0",
}


class Present(NamedTuple):
    """A process that is there. Times are epoch seconds of the database's clock."""

    name: str
    host: str
    process: int
    roles: tuple[str, ...]
    version: str
    configuration: str
    started_at: int
    seen_at: int
    holds: tuple[str, ...]
    leads: bool


@dataclass(slots=True)
class Member:
    """This process among the others. All methods are for one thread, whose connection it keeps."""

    database: peewee.Database
    roles: tuple[str, ...]
    configuration: str
    now: int
    """The database's clock when it was asked last."""
    name: str = ""
    holds: set[str] = field(default_factory=set)
    leads: bool = False

    def __post_init__(self) -> None:
        self.name = self.name or f"{socket.gethostname()}:{os.getpid()}:{self.now}"

    def prepare(self) -> None:
        """Make a new connection one that the server gives up soon when this process is gone."""
        for name, value in _SESSION.items():
            self.database.execute_sql("SELECT set_config(?, ?, FALSE)", (name, value))
        self.holds, self.leads = set(), False

    def beat(self) -> None:
        """Say that this process is there, and what it holds."""
        self.now = database_time(self.database)
        row = {
            Node.host: socket.gethostname(),
            Node.process: os.getpid(),
            Node.roles: " ".join(self.roles),
            Node.version: version("syncd"),
            Node.configuration: self.configuration,
            Node.seen_at: self.now,
            Node.holds: "\n".join(sorted(self.holds)),
            Node.leads: int(self.leads),
        }
        Node.insert({Node.name: self.name, Node.started_at: self.now, **row}).on_conflict(
            conflict_target=[Node.name], update=row
        ).execute()
        Node.delete().where(Node.seen_at < self.now - FORGOTTEN_SECONDS).execute()

    def lead(self) -> bool:
        """Lead if nobody else does. Returns whether this process leads."""
        if not self.leads:
            self.leads = self._try(LEADER)
        return self.leads

    def take(self, wanted: Collection[str], share: int) -> None:
        """Hold of the wanted phone systems as many as are this process's share, and let go of what
        is more than that or not wanted any more."""
        for pbx in sorted(self.holds - set(wanted)):
            self._let_go(pbx)
        for pbx in sorted(self.holds)[share:]:
            self._let_go(pbx)
        for pbx in sorted(set(wanted) - self.holds):
            if len(self.holds) >= share:
                break
            if self._try(f"claim-{pbx}"):
                self.holds.add(pbx)

    def leave(self) -> None:
        """Say that this process is gone."""
        for pbx in sorted(self.holds):
            self._let_go(pbx)
        if self.leads:
            self._unlock(LEADER)
            self.leads = False
        Node.delete().where(Node.name == self.name).execute()

    def _try(self, name: str) -> bool:
        asked = self.database.execute_sql("SELECT pg_try_advisory_lock(?)", (lock_key(name),))
        return bool(asked.fetchone()[0])

    def _unlock(self, name: str) -> None:
        self.database.execute_sql("SELECT pg_advisory_unlock(?)", (lock_key(name),))

    def _let_go(self, pbx: str) -> None:
        self._unlock(f"claim-{pbx}")
        self.holds.discard(pbx)


def database_time(database: peewee.Database) -> int:
    """Return the time of PostgreSQL's clock, epoch seconds."""
    asked = database.execute_sql("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS bigint)")
    return int(asked.fetchone()[0])


def nodes() -> list[Present]:
    """Return all that were seen not long ago, by host and process."""
    rows = Node.select().order_by(Node.host, Node.process, Node.started_at)
    return [
        Present(
            row.name,
            row.host,
            row.process,
            tuple(row.roles.split()),
            row.version,
            row.configuration,
            row.started_at,
            row.seen_at,
            tuple(filter(None, row.holds.split("\n"))),
            bool(row.leads),
        )
        for row in rows
    ]


def share_of(systems: int, takers: int) -> int:
    """Return how many phone systems each of the processes that take records holds at most."""
    return -(-systems // max(1, takers))


def takers(present: Iterable[Present], role: str, now: int) -> int:
    """Return how many processes with a role are there at a time of the database's clock."""
    return sum(role in node.roles and now - node.seen_at <= GONE_SECONDS for node in present)
