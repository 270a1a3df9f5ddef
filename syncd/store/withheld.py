"""Calls whose line holds no slot: stored apart, in no report or total (docs/rules.md 6.4)."""

from __future__ import annotations

from typing import NamedTuple

from peewee import fn

from syncd.domain.posting import Cause
from syncd.store import reassignment
from syncd.store.adjustments import booked
from syncd.store.models import Call, CallWithheld
from syncd.store.reassignment import Concerned, Decide, Position, Reassigned


class Released(NamedTuple):
    """A call row that was moved: the record's id and the start (epoch seconds)."""

    record: int
    started_at: int


class Waiting(NamedTuple):
    """A line whose calls are withheld: who had it in which role, how many, and from when to when
    they started. ``party`` 0 is an anonymous line."""

    party: int
    role: int
    line: int
    calls: int
    first: int
    last: int


def waiting() -> list[tuple[int, int, int]]:
    """Return the (party, role, line) of withheld calls."""
    columns = (CallWithheld.party_id, CallWithheld.role, CallWithheld.line_id)
    query = CallWithheld.select(*columns).distinct().order_by(*columns).tuples()
    return [(row[0], row[1], row[2]) for row in query]


def release(party: int, role: int, line: int, now: int) -> list[Released]:
    """Move the withheld calls of a (party, role, line) to the calls, at a time (epoch seconds).
    Returns what was moved."""
    chosen = (
        (CallWithheld.party_id == party)
        & (CallWithheld.role == role)
        & (CallWithheld.line_id == line)
    )
    waiting_rows = list(
        CallWithheld.select(CallWithheld.id, CallWithheld.started_at).where(chosen).tuples()
    )
    fields = [field.name for field in Call._meta.sorted_fields]
    rows = CallWithheld.select(*(getattr(CallWithheld, name) for name in fields)).where(chosen)
    with booked(waiting_rows, Cause.RELEASED, at=now):
        Call.insert_from(rows, [getattr(Call, name) for name in fields]).execute()
        CallWithheld.delete().where(chosen).execute()
    return [Released(key >> 3, started_at) for key, started_at in waiting_rows]


def overview() -> list[Waiting]:
    """Return the lines with withheld calls: line, count and dates, nothing else (docs/rules.md
    6.4)."""
    columns = (CallWithheld.party_id, CallWithheld.role, CallWithheld.line_id)
    query = (
        CallWithheld.select(
            *columns,
            fn.SUM(CallWithheld.counted),
            fn.MIN(CallWithheld.started_at),
            fn.MAX(CallWithheld.started_at),
        )
        .group_by(*columns)
        .order_by(*columns)
        .tuples()
    )
    return [Waiting(*row) for row in query]


def sides_of(record: int) -> list[int]:
    """Return which sides of a record are withheld, nothing else of them."""
    span = CallWithheld.id.between(record * 8, record * 8 + 7)
    return [row[0] for row in CallWithheld.select(CallWithheld.side).where(span).tuples()]


def reassign(concerned: Concerned, decide: Decide, after: Position, limit: int) -> Reassigned:
    """Give withheld rows to whose they are, as ``store.reassignment`` does with calls."""
    return reassignment.reassign(concerned, decide, after=after, limit=limit, table=CallWithheld)
