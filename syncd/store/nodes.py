"""Processes that share one PostgreSQL: who is there, who leads, and who takes which phone system.

What a process holds are advisory locks of a connection that it keeps for that alone: they end with
the process, or with the connection. The rows say who is there, so that all take a fair share; no
decision about calls ever needs them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, NamedTuple

from syncd.store.advisory import lock_key
from syncd.store.dialect import is_postgresql, rows_of
from syncd.store.models import Node

BEAT_SECONDS = 2
"""How often a process says that it is there."""
GONE_SECONDS = 5
"""Who was not seen for so long, though its connection stands, hangs."""
FORGOTTEN_SECONDS = 86_400
"""Rows of those who were not seen for so long are removed."""
LEADER = "leader"
"""The lock of the one that does what is done by one alone."""


class Present(NamedTuple):
    """A process that is there, or was. Times are epoch seconds of the database's clock."""

    name: str
    host: str
    process: int
    backend: int
    roles: tuple[str, ...]
    version: str
    configuration: str
    started_at: int
    seen_at: int
    sees: tuple[str, ...]
    holds: tuple[str, ...]
    leads: bool
    connected: bool
    """Whether the server still has its connection."""

    def hangs(self, now: int) -> bool:
        """Whether it is connected and does not say that it is there."""
        return self.connected and now - self.seen_at > GONE_SECONDS

    def works(self, now: int) -> bool:
        """Whether it is to be reckoned with."""
        return self.connected and now - self.seen_at <= GONE_SECONDS


@dataclass(slots=True)
class Member:
    """This process among the others. All methods are for one thread, whose connection it keeps."""

    roles: tuple[str, ...] = ()
    configuration: str = ""
    sees: frozenset[str] = frozenset()
    now: int = 0
    """The database's clock when it was asked last."""
    name: str = ""
    holds: set[str] = field(default_factory=set)
    leads: bool = False
    _backend: int = 0

    def join(self) -> None:
        """Begin anew on a connection that is new, on which nothing is held yet."""
        self.holds, self.leads = set(), False
        # A row of these is worth nothing to who comes after a crash of the server.
        rows_of("SELECT set_config('synchronous_commit', 'off', FALSE)")
        ((self._backend, self.now),) = rows_of(f"SELECT pg_backend_pid(), {_NOW}")
        self.name = self.name or f"{socket.gethostname()}:{os.getpid()}:{self.now}"

    def beat(self) -> None:
        """Say that this process is there, and what it holds."""
        ((self.now,),) = rows_of(f"SELECT {_NOW}")
        row = {
            Node.host: socket.gethostname(),
            Node.process: os.getpid(),
            Node.backend: self._backend,
            Node.roles: " ".join(self.roles),
            Node.version: version("syncd"),
            Node.configuration: self.configuration,
            Node.seen_at: self.now,
            Node.sees: "\n".join(sorted(self.sees)),
            Node.holds: "\n".join(sorted(self.holds)),
            Node.leads: int(self.leads),
        }
        Node.insert({Node.name: self.name, Node.started_at: self.now, **row}).on_conflict(
            conflict_target=[Node.name], update=row
        ).execute()

    def forget(self) -> None:
        """Remove the rows of who was not seen for long."""
        Node.delete().where(Node.seen_at < self.now - FORGOTTEN_SECONDS).execute()

    def lead(self) -> None:
        """Lead if nobody else does."""
        self.leads = self.leads or self._try(LEADER)

    def follow(self) -> None:
        """Let somebody else lead."""
        if self.leads:
            self._unlock(LEADER)
            self.leads = False

    def take(self, share: Collection[str]) -> None:
        """Hold of the phone systems that are this process's share what nobody else holds, and let go
        of the others."""
        for pbx in sorted(self.holds - set(share)):
            self._unlock(claim_lock(pbx))
            self.holds.discard(pbx)
        self.holds.update(
            pbx for pbx in sorted(set(share) - self.holds) if self._try(claim_lock(pbx))
        )

    def leave(self) -> None:
        """Say that this process is gone."""
        self.take(())
        self.follow()
        Node.delete().where(Node.name == self.name).execute()

    def _try(self, name: str) -> bool:
        return bool(rows_of("SELECT pg_try_advisory_lock(?)", lock_key(name))[0][0])

    def _unlock(self, name: str) -> None:
        rows_of("SELECT pg_advisory_unlock(?)", lock_key(name))


_NOW = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS bigint)"


def claim_lock(pbx: str) -> str:
    """Return the name of the lock of who takes the records of a phone system."""
    return f"claim-{pbx}"


def nodes() -> list[Present]:
    """Return all that were seen not long ago, by host and process; none on SQLite."""
    if not is_postgresql():
        return []
    rows = rows_of(
        "SELECT roles, sees, holds, leads, activity.pid IS NOT NULL, node.name, host, process,"
        " backend, version, configuration, started_at, seen_at FROM node"
        " LEFT JOIN pg_stat_activity AS activity ON activity.pid = backend"
        " AND activity.datname = current_database() AND activity.application_name LIKE 'syncd %'"
        " ORDER BY host, process, started_at"
    )
    return [_present(*row) for row in rows]


def _present(roles: str, sees: str, holds: str, leads: int, connected: bool, *rest: Any) -> Present:
    name, host, process, backend, version, configuration, started_at, seen_at = rest
    return Present(
        name,
        host,
        process,
        backend,
        tuple(roles.split()),
        version,
        configuration,
        started_at,
        seen_at,
        tuple(sees.splitlines()),
        tuple(holds.splitlines()),
        bool(leads),
        bool(connected),
    )


def database_time() -> int:
    """Return the time of PostgreSQL's clock, epoch seconds."""
    return int(rows_of(f"SELECT {_NOW}")[0][0])


def end_sessions(node: Present) -> int:
    """End every connection of a process that hangs, and with them what it holds and has not
    committed. Returns how many there were. Raises DatabaseError where that is not allowed."""
    ended = rows_of(
        "SELECT pg_terminate_backend(one.pid) FROM pg_stat_activity AS one"
        " JOIN pg_stat_activity AS its ON its.pid = ?"
        " AND one.client_addr IS NOT DISTINCT FROM its.client_addr"
        " WHERE one.datname = current_database() AND one.pid <> pg_backend_pid()"
        " AND split_part(one.application_name, ' (', 1) = split_part(its.application_name, ' (', 1)"
        " AND its.application_name LIKE 'syncd %'",
        node.backend,
    )
    return len(ended)


def shares(
    sees: Mapping[str, Collection[str]], holds: Mapping[str, Collection[str]]
) -> dict[str, set[str]]:
    """Return which phone systems each process is to take, given those that each sees and those that
    each holds: all that anybody sees, each by one who sees it, as evenly as that goes, with as few
    changes hands as that needs. Whoever is given the same works out the same."""
    seers: dict[str, list[str]] = {}
    for node in sorted(sees):
        for pbx in sees[node]:
            seers.setdefault(pbx, []).append(node)
    given: dict[str, set[str]] = {node: set() for node in sees}
    open_ones = []
    for pbx, able in sorted(seers.items(), key=lambda item: (len(item[1]), item[0])):
        holder = next((node for node in able if pbx in holds.get(node, ())), None)
        if holder is None:
            open_ones.append(pbx)
        else:
            given[holder].add(pbx)
    for pbx in open_ones:
        given[min(seers[pbx], key=lambda node: (len(given[node]), node))].add(pbx)
    while move := _best_move(given, seers):
        pbx, giver, taker = move
        given[giver].discard(pbx)
        given[taker].add(pbx)
    return given


def _best_move(
    given: Mapping[str, set[str]], seers: Mapping[str, Iterable[str]]
) -> tuple[str, str, str] | None:
    """Return which phone system to hand on, by whom and to whom, so that the two have more evenly
    many; None where none does."""
    moves = [
        (len(given[taker]) - len(given[giver]), pbx, giver, taker)
        for giver, held in given.items()
        for pbx in held
        for taker in seers[pbx]
    ]
    best = min(moves, default=None)
    return best[1:] if best is not None and best[0] <= -2 else None
