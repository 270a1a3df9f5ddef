"""Call rows follow when it turns out later whose they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from syncd.domain.posting import Cause
from syncd.store.adjustments import booked
from syncd.store.charges import charged_cost_centers, org_with
from syncd.store.models import Call, CallColumns
from syncd.store.models import database as proxy


class Attribution(NamedTuple):
    """Whose a call row is: party, profile and org by id, and the role of the line."""

    party: int
    profile: int
    org: int
    role: int


class ProfileSpan(NamedTuple):
    """A profile's id and org, from … to (epoch seconds, exclusive)."""

    profile: int
    org: int
    valid_from: int
    valid_to: int


UNMADE = -1
"""Id of an org that is not there yet, in a dry run."""

Decide = Callable[[Attribution, int], Attribution]
"""Given what a row says now and its start (epoch seconds), what it shall say."""


class Position(NamedTuple):
    """After which row to go on: place among the parties, start and id of the row."""

    party: int = 0
    started_at: int = -1
    row: int = 0


START = Position()


@dataclass(frozen=True, slots=True)
class Concerned:
    """Which rows: those of these parties (0: anonymous) that begin since … until (exclusive), of
    one line (row of ``line``) or, with 0, of all."""

    parties: tuple[int, ...]
    line: int
    since: int
    until: int


@dataclass(slots=True)
class Reassigned:
    """What a pass did, or would do: never a row, only counts and money."""

    rows: int = 0
    calls: int = 0
    cost: int = 0
    """Micros."""
    before: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """(calls, micros) by the (party, org) that had them."""
    starts: set[int] = field(default_factory=set)
    """When the changed rows begin: their days are dirty."""
    position: Position | None = None
    """Where the next pass begins; None when all was seen."""


def reassign(
    concerned: Concerned,
    decide: Decide,
    *,
    after: Position = START,
    limit: int = 2000,
    dry_run: bool = False,
    table: type[CallColumns] = Call,
    at: int = 0,
    run: int = 0,
) -> Reassigned:
    """Give up to ``limit`` of the rows concerned to whom ``decide`` says, at a time (epoch seconds),
    as part of a run.

    Must run inside a write transaction, unless ``dry_run``. The caller marks the days of ``starts``.
    """
    done = Reassigned()
    left = limit
    changes: list[tuple[int, int, int, int, int]] = []
    changed: list[tuple[int, int]] = []
    for place in range(after.party, len(concerned.parties)):
        if place > after.party:
            after = Position(place)
        rows = _rows(table, concerned, after, left)
        charged = charged_cost_centers(row[0] for row in rows)
        for row_id, started_at, counted, cost, *attributed in rows:
            was = Attribution(*attributed)
            now = decide(was, started_at)
            if row_id in charged:
                # Whoever has the call, an account code charges it to this cost center.
                now = now._replace(org=_charged(now.org, charged[row_id], create=not dry_run))
            if now != was:
                changes.append((*now, row_id))
                changed.append((row_id, started_at))
                done.rows += 1
                done.calls += counted
                done.cost += cost
                calls, micros = done.before.get((was.party, was.org), (0, 0))
                done.before[was.party, was.org] = (calls + counted, micros + cost)
                done.starts.add(started_at)
        left -= len(rows)
        if left <= 0:
            last = rows[-1]
            done.position = Position(place, last[1], last[0])
            break
    if changes and not dry_run:
        mark = proxy.obj.param
        with booked(changed if table is Call else (), Cause.MOVED, at=at, run=run):
            proxy.obj.cursor().executemany(
                f'UPDATE "{table._meta.table_name}" SET party_id = {mark}, profile_id = {mark},'
                f" org_id = {mark}, role = {mark} WHERE id = {mark}",
                changes,
            )
    return done


def _charged(org: int, cost_center: str, *, create: bool) -> int:
    """Return the org with another cost center; one that is not there yet has no id."""
    found = org_with(org, cost_center, create=create) if org >= 0 else None
    return UNMADE if found is None else found


def _rows(
    table: type[CallColumns], concerned: Concerned, after: Position, limit: int
) -> list[tuple[int, ...]]:
    mark = proxy.obj.param
    of_line = f" AND line_id = {mark}" if concerned.line else ""
    cursor = proxy.obj.execute_sql(
        "SELECT id, started_at, counted, COALESCE(cost, 0), party_id, profile_id, org_id, role"
        f' FROM "{table._meta.table_name}" WHERE party_id = {mark}'
        f" AND started_at >= {mark} AND started_at < {mark}"
        f" AND (started_at, id) > ({mark}, {mark}){of_line}"
        f" ORDER BY started_at, id LIMIT {mark}",
        (
            concerned.parties[after.party],
            max(concerned.since, after.started_at),
            concerned.until,
            after.started_at,
            after.row,
            *((concerned.line,) if concerned.line else ()),
            limit,
        ),
    )
    return list(cursor.fetchall())


def as_profiles(spans: Iterable[ProfileSpan], party: int, role: int = 0) -> Decide:
    """Return the function that gives rows to a party, in a role (0: as it was), with the profile of
    the moment."""
    own = list(spans)

    def decide(was: Attribution, started_at: int) -> Attribution:
        for profile, org, since, until in own:
            if since <= started_at < until:
                return Attribution(party, profile, org, role or was.role)
        return Attribution(party, 0, 0, role or was.role)

    return decide
