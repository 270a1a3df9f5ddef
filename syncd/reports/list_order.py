"""In which order the rows of a list come, and how the database is asked for them.

The newest come first unless something else is asked for; rows of one value are in that order, too.
Fields are sorted as their reader gets them: a masked number by its masked text.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple

from syncd.domain.codes import Direction, Disposition, NumberClass, Side, State, Word
from syncd.domain.errors import UsageError
from syncd.reports.lookups import select
from syncd.reports.masking import shown_number
from syncd.reports.pages import Mark, read_page
from syncd.reports.query import Query
from syncd.reports.scope import (
    Condition,
    id_list,
    in_list,
    masked_digits,
    private_owner,
    row_conditions,
)
from syncd.reports.search_windows import DAY, Windows
from syncd.reports.sources import CALL
from syncd.reports.specification import AS_OF_TODAY, nearest

_SPAN = 32 * DAY
"""Of how much time keys are read at once."""
_AT_ONCE = 500
"""Rows that are read by their ids at once."""
_PART = 8
"""Rows that an index leads to are so many times as slow as rows in their order."""
_HELD = 2000
"""Rows of a list that are held at once."""
_GROWTH = 8
"""How many times as much time is looked at next where there are so few rows."""
MINUTE, HOUR = 60, 3600
_ALL = 2**62
"""In the place of a limit."""

_JOINED = """
FROM ({rows}) c
LEFT JOIN record ON record.id = c.id / 8
LEFT JOIN record first ON first.id = c.conversation
LEFT JOIN line ON line.id = c.line_id
LEFT JOIN profile ON profile.id = c.profile_id
LEFT JOIN party ON party.id = c.party_id
LEFT JOIN destination ON destination.id = c.destination_id
LEFT JOIN carrier ON carrier.id = c.carrier_id
LEFT JOIN trunk ON trunk.id = c.trunk_id
LEFT JOIN account_charge charge ON charge.call_id = c.id
LEFT JOIN matter ON matter.id = charge.matter_id
LEFT JOIN name cost_center ON cost_center.kind = 'cost_center'
 AND cost_center.key = charge.cost_center AND charge.cost_center <> ''
"""


def _as_of_call(field: str) -> str:
    """Return the SQL of a field of people as it was at the call: a call of somebody who became nobody
    has no profile any more, and keeps its org."""
    return (
        f"CASE WHEN c.profile_id = 0 THEN (SELECT COALESCE(name.text, org.{field}) FROM org"
        f" LEFT JOIN name ON name.kind = '{field}' AND name.key = org.{field}"
        f" WHERE org.id = c.org_id) ELSE profile.{field} END"
    )


_FIELDS = {
    "id": "c.id",
    "started_at": "c.started_at",
    "line_id": "line.line_id",
    "person": "profile.display_name",
    "username": "party.username",
    "department": _as_of_call("department"),
    "cost_center": "COALESCE(cost_center.text, NULLIF(charge.cost_center, ''),"
    f" {_as_of_call('cost_center')})",
    "office_location": _as_of_call("office_location"),
    "direction": "c.direction",
    "side": "c.side",
    "counted": "c.counted",
    "first_started_at": "first.started_at",
    "first_hash": "first.key_hash",
    "key_hash": "record.key_hash",
    "other_number": "c.other_number",
    "other_outside": "c.other_outside",
    "hunt_pilot": "c.hunt_pilot",
    "number_class": "c.class",
    "destination": "destination.name",
    "disposition": "c.disposition",
    "ring_seconds": "c.ring_seconds",
    "duration": "c.duration",
    "cost": "c.cost",
    "state": "c.state",
    "authorization_code": "record.authorization_code",
    "matter_code": "record.matter_code",
    "matter": "matter.name",
    "carrier": "carrier.name",
    "trunk": "trunk.name",
    "billed_seconds": "c.billed_seconds",
    "private_owner": private_owner("c"),
}
"""What each field of a row is in SQL."""

_AMOUNTS = ("started_at", "duration", "ring_seconds", "billed_seconds", "cost")
"""Whole numbers of the row itself, which the database can sort by."""
_WORDS: dict[str, type[Word]] = {
    "direction": Direction,
    "side": Side,
    "class": NumberClass,
    "disposition": Disposition,
    "state": State,
}
_TEXTS = (
    *("line_id", "username", "department", "cost_center", "office_location", "hunt_pilot"),
    *("destination", "carrier", "trunk", "matter", "matter_code"),
)
_NOT_SORTED_BY = ("id", "counted", "conversation", "purpose", "cost_with_vat")
"""Columns of a list by which it is not: what reads like one of them was not meant."""


class Found(NamedTuple):
    """A row that was asked for, its id and start first, and what it is sorted by before the time, as
    shown."""

    row: tuple[Any, ...]
    values: tuple[Any, ...] = ()


class _Falling:
    """A value that is sorted the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Falling) -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Falling) and bool(other.value == self.value)

    __hash__ = None  # type: ignore[assignment]


class _Sorted(NamedTuple):
    """A field to sort by: its SQL, what is shown for that, and the way."""

    columns: tuple[str, ...]
    shown: Callable[..., Any]
    falling: bool


def call_fields(query: Query, custom_fields: Mapping[str, str]) -> dict[str, str]:
    """Return what each field of a row is in SQL; people belong where the specification says, as of
    the call or of now."""
    fields = _FIELDS | {name: f"profile.{name}" for name in custom_fields}
    if query.specification.as_of == AS_OF_TODAY:
        for name in ("department", "cost_center", "office_location", *custom_fields):
            fields[name] = f"CASE WHEN c.party_id = 0 THEN {fields[name]} ELSE party.{name} END"
    return fields


def selection(columns: str) -> str:
    """Return the statement that selects columns of rows, which ``{rows}`` stands for."""
    return f"SELECT {columns} {_JOINED}"


def check_order(query: Query, custom_fields: Mapping[str, str]) -> None:
    """Raise UsageError for a field that a list is not sorted by, and a key that is of no page."""
    fields = call_fields(query, custom_fields)
    for field in query.specification.sort:
        _sorted_by(query, fields, field)
    read_page(query.specification)


def ordered_rows(
    query: Query,
    fields: Mapping[str, str],
    selected: str,
    looked: Callable[[int], None] | None = None,
) -> Iterator[Found]:
    """Yield rows in the order of the specification, from its page on: all, or one more than its
    limit. Raises UsageError as ``check_order`` does."""
    mark = read_page(query.specification)
    if query.specification.sort in ((), ("-started_at",)):
        yield from _newest_first(query, selected, mark, looked)
        return
    sorts = [_sorted_by(query, fields, field) for field in query.specification.sort]
    limit = query.specification.limit
    wanted = _ALL if limit is None else limit + 1
    by_database = len(sorts) == 1 and query.specification.sort[0].removeprefix("-") in _AMOUNTS
    marks = (_sorted_by_database if by_database else _sorted_here)(query, sorts, mark, wanted)
    for begin in range(0, len(marks), _AT_ONCE):
        yield from _rows_at(query, selected, marks[begin : begin + _AT_ONCE])


def _rows(
    query: Query,
    condition: str = "",
    *,
    read: bool = False,
    scanned: tuple[int, int] | None = None,
) -> tuple[str, list[Any]]:
    """Return the SQL of the rows of a query that fit a condition, too, and its parameters but those
    of time, which come first in each part, and of the condition, which come last. ``read``: most
    of the table is to be read; ``scanned``: all rows in scope between two moments are."""
    wanted = query.filtered(CALL)
    parts: Sequence[Condition] = (
        query.row_parts(read=read)
        if scanned is None
        else query.scanned_parts(*scanned, filtered=True)
    )
    text = " UNION ALL ".join(
        "SELECT * FROM call WHERE started_at >= ? AND started_at < ?"
        f" AND {part.sql}{wanted.sql}{condition}"
        for part in parts
    )
    return text, [(*part.parameters, *wanted.parameters) for part in parts]


def _bound(parts: Sequence[Any], start: int, stop: int, last: Sequence[Any] = ()) -> list[Any]:
    return [value for part in parts for value in (start, stop, *part, *last)]


def _span(query: Query) -> tuple[int, int]:
    """Return from when to before when there are rows of a query."""
    extent = query.rows_extent
    if extent is None or not row_conditions(query.scope, query.lookups):
        return 0, 0
    return max(query.start, extent[0]), min(query.stop, extent[1] + 1)


def _newest_first(
    query: Query, selected: str, mark: Mark | None, looked: Callable[[int], None] | None
) -> Iterator[Found]:
    """Yield rows, the newest first.

    Time is walked backwards in windows: a page touches little more than itself, whichever it is,
    and the rows of a long period are never held all at once. Where no index answers a filter the
    windows are so long that what is found is soon there.
    """
    begin, stop = _span(query)
    left = _ALL if query.specification.limit is None else query.specification.limit + 1
    after = (-1, 0)
    if mark is not None:
        stop = min(stop, mark.started_at + 1)
        after = (mark.started_at, mark.row)
    if stop <= begin:
        return
    windows = Windows() if query.searches else None
    # Nearly everybody has a page of calls in two hours of a day of thousands.
    size = 2 * HOUR if windows is None and query.is_of_most() else DAY
    while stop > begin and left:
        start = max(begin, stop - size)
        wanted = min(left, _HELD)
        began = perf_counter()
        rows, parts = _rows(
            query,
            " AND NOT (started_at = ? AND id >= ?)",
            scanned=None if windows is None else (start, stop),
        )
        statement = selected.format(rows=f"{rows} ORDER BY started_at DESC, id DESC LIMIT ?")
        statement += " ORDER BY c.started_at DESC, c.id DESC"
        found = select(statement, *_bound(parts, start, stop, after), wanted)
        took = perf_counter() - began
        for row in found:
            yield Found(row)
        left -= len(found)
        if len(found) == wanted:
            # There may be more in this window: go on after the last, with one that holds as many.
            after = (found[-1][1], found[-1][0])
            size, stop = max(MINUTE, stop - after[0]), after[0] + 1
            continue
        if windows is not None:
            if looked is not None:
                looked(start)
            size = windows.following(size, took)
        elif len(found) * _GROWTH < wanted:
            size *= _GROWTH
        elif len(found) * 2 < wanted:
            size *= 2
        stop = start


def _sorted_by(query: Query, fields: Mapping[str, str], field: str) -> _Sorted:
    name, falling = field.removeprefix("-"), field.startswith("-")
    column = fields.get({"class": "number_class"}.get(name, name), "")

    def plain(value: Any) -> Any:
        return value or None

    if name in _AMOUNTS:
        return _Sorted((column,), lambda value: value, falling)
    if name in _WORDS:
        words = _WORDS[name]
        return _Sorted((column,), lambda value: words(value).word, falling)
    if name == "person":
        named = f"COALESCE(NULLIF({column}, ''), {fields['username']})"
        return _Sorted((named,), plain, falling)
    if name == "other_number":
        columns = (column, fields["other_outside"], fields["private_owner"])
        return _Sorted(columns, lambda *values: _number(query, *values), falling)
    if name == "authorization_code":
        shown = query.lookups.shown_code
        return _Sorted((column,), lambda value: shown(value or "") or None, falling)
    known = [*_AMOUNTS, *_WORDS, *_TEXTS, "person", "other_number", "authorization_code"]
    known += [one for one in fields if one.startswith("custom")]
    if name not in known:
        hint = f"one of {', '.join(known)}" if name in _NOT_SORTED_BY else nearest(name, known)
        raise UsageError(f"a list is not sorted by {name!r}", hint)
    return _Sorted((column,), plain, falling)


def _number(query: Query, number: str, outside: int, owner: int) -> str | None:
    return shown_number(number, outside, masked_digits(query.scope, owner)) or None


def _sorted_by_database(
    query: Query, sorts: Sequence[_Sorted], mark: Mark | None, wanted: int
) -> list[Mark]:
    """Return the first rows in the order of one amount."""
    begin, stop = _span(query)
    if stop <= begin:
        return []
    (sort,) = sorts
    column = sort.columns[0].removeprefix("c.")
    after, values = _after(column, sort.falling, mark)
    most = _is_most(query, begin, stop)
    rows, parts = _rows(query, after, read=most, scanned=None if most else (begin, stop))
    found = select(
        f"SELECT c.{column}, c.started_at, c.id FROM ({rows}) c"
        f" ORDER BY c.{column} {'DESC' if sort.falling else 'ASC'} NULLS LAST,"
        " c.started_at DESC, c.id DESC LIMIT ?",
        *_bound(parts, begin, stop, values),
        wanted,
    )
    return [Mark((value,), started_at, row) for value, started_at, row in found]


def _is_most(query: Query, begin: int, stop: int) -> bool:
    """Say whether a time holds so many of the rows that reading all of them in their order is faster
    than looking these up."""
    extent = query.rows_extent
    return extent is not None and (stop - begin) * _PART > extent[1] - extent[0]


def _after(column: str, falling: bool, mark: Mark | None) -> tuple[str, tuple[Any, ...]]:
    """Return the condition on what comes after a mark."""
    if mark is None:
        return "", ()
    (value,) = mark.values
    tie = "(started_at < ? OR (started_at = ? AND id < ?))"
    place = (mark.started_at, mark.started_at, mark.row)
    if value is None:
        return f" AND {column} IS NULL AND {tie}", place
    if type(value) is not int:
        raise UsageError("--page: the key is of another list", "ask as for the page before")
    sign = "<" if falling else ">"
    return (
        f" AND ({column} {sign} ? OR {column} IS NULL OR ({column} = ? AND {tie}))",
        (value, value, *place),
    )


def _sorted_here(
    query: Query, sorts: Sequence[_Sorted], mark: Mark | None, wanted: int
) -> list[Mark]:
    """Return the first rows in the order of any fields, as they are shown."""
    begin, stop = _span(query)
    if stop <= begin:
        return []
    columns = [column for sort in sorts for column in sort.columns]
    statement = selection(f"c.started_at, c.id, {', '.join(columns)}")

    def marks() -> Iterator[Mark]:
        for start in range(begin, stop, _SPAN):
            until = min(stop, start + _SPAN)
            rows, parts = _rows(query, scanned=(start, until))
            asked = statement.format(rows=rows)
            for started_at, row, *values in select(asked, *_bound(parts, start, until)):
                shown = []
                for sort in sorts:
                    size = len(sort.columns)
                    shown.append(sort.shown(*values[:size]))
                    values = values[size:]
                yield Mark(tuple(shown), started_at, row)

    def order(mark: Mark) -> tuple[Any, ...]:
        keys = [_order(value, sort.falling) for value, sort in zip(mark.values, sorts, strict=True)]
        return (*keys, -mark.started_at, -mark.row)

    try:
        least = None if mark is None else order(mark)
        all_after = (one for one in marks() if least is None or order(one) > least)
        return (
            heapq.nsmallest(wanted, all_after, order)
            if wanted < _ALL
            else sorted(all_after, key=order)
        )
    except TypeError:
        if mark is None:
            raise
        # The key was made up: texts are not compared with numbers.
        raise UsageError(
            "--page: the key is of another list", "ask as for the page before"
        ) from None


def _order(value: Any, falling: bool) -> tuple[bool, Any]:
    """Return what a value is sorted by: what is absent last, names whatever their case."""
    if value is None:
        return (True, 0)
    key = (value.casefold(), value) if isinstance(value, str) else (value,)
    return (False, _Falling(key) if falling else key)


def _rows_at(query: Query, selected: str, marks: Sequence[Mark]) -> Iterator[Found]:
    """Yield the rows of some marks in their order."""
    starts = [mark.started_at for mark in marks]
    rows, parts = _rows(query, f" AND {in_list('id')}")
    ids = id_list([mark.row for mark in marks])
    found = select(selected.format(rows=rows), *_bound(parts, min(starts), max(starts) + 1, (ids,)))
    by_id = {row[0]: row for row in found}
    for mark in marks:
        if mark.row in by_id:
            yield Found(by_id[mark.row], mark.values)
