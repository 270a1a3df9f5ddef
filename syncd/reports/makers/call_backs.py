"""Missed outside calls, and whether they were called back.

Both calls are rows in the reader's scope, and their numbers are compared as the reader gets them:
who does not see the last digits learns nothing of them here. A number of which too little is shown
is not compared at all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from syncd.domain.call_id import format_call_id
from syncd.domain.clock import iso
from syncd.domain.codes import Direction, Outcome, Side
from syncd.reports.environment import Environment
from syncd.reports.masking import PRIVATE, shown_number
from syncd.reports.query import Query
from syncd.reports.ratios import median, percent, quotient
from syncd.reports.reading import line_ids, org_labels, query_of, read, result_of
from syncd.reports.result import Column, Kind, Result
from syncd.reports.scope import Door, masked_digits, private_owner_of_many
from syncd.reports.specification import Specification
from syncd.store.truncation import CUT

CALLED_BACK, TRIED, CALLED_AGAIN, OPEN = "called back", "tried", "called again", "open"
STATES = (CALLED_BACK, TRIED, CALLED_AGAIN, OPEN)
COMPARED_DIGITS = 5
"""Numbers of which fewer digits are shown are not compared."""

COLUMNS = (
    Column("id", "Call"),
    Column("started_at", "Missed at", Kind.MOMENT),
    Column("line_id", "Line"),
    Column("person", "Person", absent="-"),
    Column("department", "Department", absent="-"),
    Column("other_number", "Other number", absent="-"),
    Column("ring_seconds", "Rang", Kind.SECONDS),
    Column("outcome", "What came of it", absent="not told"),
    Column("outcome_at", "When", Kind.MOMENT, "-"),
    Column("after_seconds", "After", Kind.SECONDS, "-"),
    Column("by_line_id", "On line", absent="-"),
    Column("by_person", "By", absent="-"),
)
BRIEF = tuple(column.name for column in COLUMNS[1:] if column.name != "department")


class Later(NamedTuple):
    """A call with an outside number after a missed one."""

    at: int
    """Epoch seconds."""
    id: int
    state: str
    line: int
    party: int


class Missed(NamedTuple):
    """A participation that nobody answered."""

    id: int
    started_at: int
    key_hash: int | None
    side: int
    line: int
    party: int
    org: int
    ring: int
    shown: str


def make(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return the missed outside calls of the period, the newest first, each with the first call
    after it that dealt with it."""
    window = environment.reports.call_back_within
    query = query_of(door, specification, environment)
    missed = sorted(_missed(query), key=lambda one: (-one.started_at, -one.id))
    later = _later(query, window, {one.shown for one in missed if compared(one.shown)})
    line, departments = line_ids(query), org_labels(query, "department")
    rows = []
    states: Counter[str] = Counter()
    waited: Counter[int] = Counter()
    for one in missed:
        found = _dealt_with(one, later, window) if compared(one.shown) else None
        state = found.state if found else OPEN if compared(one.shown) else ""
        states[state] += 1
        if found is not None and found.state == CALLED_BACK:
            waited[found.at - one.started_at] += 1
        rows.append(_row(one, found, state, query, line, departments))
    back, told = states[CALLED_BACK], len(missed) - states[""]
    totals = {
        "missed": len(missed),
        **{state.replace(" ", "_"): states[state] for state in STATES},
        "not_told": states[""],
        "called_back_percent": percent(back, told),
        "average_seconds": quotient(sum(at * calls for at, calls in waited.items()), back),
        "median_seconds": median(waited),
    }
    return result_of(
        door,
        specification,
        environment,
        COLUMNS,
        rows,
        totals,
        query=query,
        brief=BRIEF,
        notes=_notes(totals),
        facts={"call_back_within": window},
        empty="no outside call was missed in this period",
    )


def compared(shown: str) -> bool:
    """Say whether enough of a number is shown to find it again, and none of it was cut off: what is
    left of it is that of many."""
    if shown == PRIVATE or CUT in shown:
        return False
    return sum(map(str.isdigit, shown)) >= COMPARED_DIGITS


def _missed(query: Query) -> Iterator[Missed]:
    """Yield the missed participations of incoming outside calls, but those of conversations of which
    a row in scope was answered."""
    answered = {
        row[0]
        for row in read(
            query,
            "DISTINCT c.conversation",
            f"outcome = {int(Outcome.ANSWERED)} AND direction = {int(Direction.INCOMING)}",
            filtered=False,
            until=query.stop + 86_400,
        )
    }
    for *row, conversation, number, owner in read(
        query,
        "c.id, c.started_at, record.key_hash, c.side, c.line_id, c.party_id, c.org_id,"
        f" c.ring_seconds, c.conversation, c.other_number, {private_owner_of_many('c')}",
        f"outcome = {int(Outcome.MISSED)} AND direction = {int(Direction.INCOMING)}"
        " AND other_outside = 1",
        joined="LEFT JOIN record ON record.id = c.id / 8",
    ):
        if conversation not in answered:
            shown = shown_number(number, 1, masked_digits(query.scope, owner))
            yield Missed._make((*row, shown))


def _later(query: Query, window: int, wanted: Collection[str]) -> Mapping[str, list[Later]]:
    """Return by number as it is shown, of those that are wanted, what may deal with a missed call, in
    the order of time."""
    if not wanted:
        return {}
    calling, outgoing = int(Side.CALLING), int(Direction.OUTGOING)
    answered, incoming = int(Outcome.ANSWERED), int(Direction.INCOMING)
    found: dict[str, list[Later]] = {}
    for call, at, direction, duration, line, party, number, owner in read(
        query,
        "c.id, c.started_at, c.direction, c.duration, c.line_id, c.party_id, c.other_number,"
        f" {private_owner_of_many('c')}",
        f"other_outside = 1 AND ((direction = {outgoing} AND side = {calling})"
        f" OR (direction = {incoming} AND outcome = {answered}))",
        filtered=False,
        until=query.stop + window,
    ):
        shown = shown_number(number, 1, masked_digits(query.scope, owner))
        if shown in wanted:
            state = CALLED_AGAIN if direction == incoming else CALLED_BACK if duration else TRIED
            found.setdefault(shown, []).append(Later(at, call, state, line, party))
    for calls in found.values():
        calls.sort()
    return found


def _dealt_with(one: Missed, later: Mapping[str, list[Later]], window: int) -> Later | None:
    """Return the first call within the window that reached the caller, else the first that tried
    to."""
    calls = later.get(one.shown, [])
    tried = None
    for place in range(bisect_left(calls, (one.started_at + 1,)), len(calls)):
        found = calls[place]
        if found.at > one.started_at + window:
            break
        if found.state != TRIED:
            return found
        tried = tried or found
    return tried


def _row(
    one: Missed,
    found: Later | None,
    state: str,
    query: Query,
    line: Callable[[int], str | None],
    departments: Callable[[int], str | None],
) -> dict[str, Any]:
    label, zone = query.lookups.label, query.lookups.days.zone
    return {
        "id": None
        if one.key_hash is None
        else format_call_id(one.started_at, one.key_hash, Side(one.side)),
        "started_at": iso(one.started_at, zone),
        "line_id": line(one.line),
        "person": label("person", one.party or None),
        "department": departments(one.org),
        "other_number": one.shown or None,
        "ring_seconds": one.ring,
        "outcome": state or None,
        "outcome_at": None if found is None else iso(found.at, zone),
        "after_seconds": None if found is None else found.at - one.started_at,
        "by_line_id": None if found is None else line(found.line),
        "by_person": None if found is None else label("person", found.party or None),
    }


def _notes(totals: Mapping[str, Any]) -> list[str]:
    """Return the totals in words: none of them is the sum of a column."""
    if not totals["missed"]:
        return []
    found = [
        f"{totals['missed']} missed: "
        + ", ".join(f"{totals[state.replace(' ', '_')]} {state}" for state in STATES)
    ]
    if totals["called_back"]:
        found.append(
            f"called back: {totals['called_back_percent']} %, after {totals['average_seconds']} s on"
            f" average, the median is {totals['median_seconds']} s"
        )
    hidden = totals["not_told"]
    if hidden:
        calls = "call has" if hidden == 1 else "calls have"
        found.append(f"{hidden} {calls} no number, or one that is hidden from you: not looked for")
    return found
