"""Calls whose line holds no slot: stored apart, in no report or total (docs/rules.md 6.4)."""

from __future__ import annotations

from typing import NamedTuple

from peewee import fn

from syncd.domain.posting import Cause
from syncd.store import reassignment
from syncd.store.adjustments import booked
from syncd.store.models import Call, CallWithheld
from syncd.store.partitions import make_room
from syncd.store.reassignment import Concerned, Decide, Position, Reassigned

_AT_ONCE = 500
"""Rows of one statement."""


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


def last_record() -> int:
    """Return the greatest id of a record of which calls are withheld, 0 when there is none."""
    return int(CallWithheld.select(fn.MAX(CallWithheld.id)).scalar() or 0) >> 3


def release(
    party: int, role: int, line: int, last_record: int, limit: int, *, at: int, run: int
) -> list[Released]:
    """Move withheld calls of a (party, role, line) to the calls, at most ``limit`` of records up to
    the last one; ``at`` is the time (epoch seconds), ``run`` the row of ``maintenance_run``. Returns
    what was moved; less than ``limit``: there is no more."""
    chosen = (
        CallWithheld.select(CallWithheld.id, CallWithheld.started_at)
        .where(
            CallWithheld.party_id == party,
            CallWithheld.role == role,
            CallWithheld.line_id == line,
            CallWithheld.id < (last_record + 1) * 8,
        )
        .order_by(CallWithheld.id)
        .limit(limit)
    )
    fields = [field.name for field in Call._meta.sorted_fields]
    rows = CallWithheld.select(*(getattr(CallWithheld, name) for name in fields))
    moved = list(chosen.tuples())
    make_room("call", (started_at for _, started_at in moved))
    with booked(moved, Cause.RELEASED, at=at, run=run):
        for start in range(0, len(moved), _AT_ONCE):
            part = CallWithheld.id << [row[0] for row in moved[start : start + _AT_ONCE]]
            Call.insert_from(rows.where(part), [getattr(Call, name) for name in fields]).execute()
            CallWithheld.delete().where(part).execute()
    return [Released(key >> 3, started_at) for key, started_at in moved]


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
