"""The tables of sums: by what each one sums, and what it is summed from.

Fine tables are summed from the call rows or, by month, from those by day; coarse ones from a finer
one of the same days, in the transaction that wrote that. So all of them say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from syncd.domain.codes import Outcome, State
from syncd.domain.days import QUARTER
from syncd.domain.party import CUSTOM_FIELDS
from syncd.store.models import database
from syncd.store.rows_between import rows_between
from syncd.store.sealed_bases import base_of


def _count(condition: str) -> str:
    return f"SUM(CASE WHEN {condition} THEN 1 ELSE 0 END)"


MEASURES = {
    "calls": "SUM(counted)",
    "answered": _count(f"outcome = {int(Outcome.ANSWERED)}"),
    "missed": _count(f"outcome = {int(Outcome.MISSED)}"),
    "unanswered": _count(f"outcome = {int(Outcome.UNANSWERED)}"),
    "ring_seconds": "SUM(ring_seconds)",
    "duration": "SUM(duration)",
    "billed_seconds": "SUM(billed_seconds)",
    "cost": "SUM(COALESCE(cost, 0))",
    "unrated": _count(f"state = {int(State.UNRATED)}"),
    "rows": "COUNT(*)",
}
"""Every measure as SQL over call rows; cost in micros, unrated rows add nothing to it."""

SUMS = ", ".join(f"SUM({name})" for name in MEASURES)
"""Every measure as SQL over a table of sums."""


@dataclass(frozen=True, slots=True)
class Rollup:
    """A table of sums."""

    table: str
    keys: tuple[str, ...]
    """What it sums by, beside the day or month."""
    base: str = ""
    """The finer table that it is summed from; empty: the call rows."""


FIELDS = Rollup("rollup_field", ("field", "profile_id"), "rollup_party")
"""Each field by the first profile that says the same in it."""

_TRAFFIC = ("org_id", "direction", "class", "carrier_id", "trunk_id")
_OF_ALL = _TRAFFIC[1:]

BY_DAY = (
    Rollup("rollup_day", _TRAFFIC),
    Rollup("rollup_day_org", ("org_id", "direction", "class"), "rollup_day"),
    Rollup("rollup_day_total", _OF_ALL, "rollup_day"),
)
BY_MONTH = (
    Rollup("rollup_month", _TRAFFIC, "rollup_day"),
    Rollup("rollup_month_org", ("org_id", "direction", "class"), "rollup_month"),
    Rollup("rollup_month_total", _OF_ALL, "rollup_month"),
    Rollup("rollup_destination", ("org_id", "destination_id", "class")),
    Rollup("rollup_destination_total", ("destination_id", "class"), "rollup_destination"),
    Rollup("rollup_line", ("org_id", "party_id", "line_id", "profile_id", "direction", "class")),
    Rollup("rollup_party", ("org_id", "party_id", "line_id", "profile_id"), "rollup_line"),
    Rollup("rollup_person", ("party_id",), "rollup_party"),
    FIELDS,
    Rollup("rollup_hour", ("org_id", "weekday", "hour", "direction")),
    Rollup("rollup_hour_org", ("org_id", "weekday", "hour"), "rollup_hour"),
    Rollup("rollup_hour_total", ("weekday", "hour", "direction"), "rollup_hour"),
)
"""In an order in which each base comes first."""

KEYS = {rollup.table: rollup.keys for rollup in (*BY_DAY, *BY_MONTH)}
"""What each table sums by, beside the day or month."""


def local_seconds(start: int, stop: int, zone: ZoneInfo) -> str:
    """Return the SQL of what a clock on the wall shows at ``started_at``, as if it were epoch
    seconds UTC, for rows that begin between two moments."""
    steps: list[tuple[int, int]] = []
    for moment in range(start // QUARTER * QUARTER, stop, QUARTER):
        offset = datetime.fromtimestamp(moment, zone).utcoffset()
        seconds = 0 if offset is None else int(offset.total_seconds())
        if not steps or steps[-1][1] != seconds:
            steps.append((moment, seconds))
    if not steps:
        return "started_at"
    *changes, last = reversed(steps)
    # The latest change first: the first that a row began after holds.
    cases = " ".join(f"WHEN started_at >= {moment} THEN {seconds}" for moment, seconds in changes)
    shift = f"CASE {cases} ELSE {last[1]} END" if cases else str(last[1])
    return f"(started_at + ({shift}))"


def row_columns(keys: Sequence[str], start: int, stop: int, zone: ZoneInfo) -> list[str]:
    """Return keys as SQL over call rows that begin between two moments."""
    if "hour" not in keys:
        return list(keys)
    wall = local_seconds(start, stop, zone)
    # The first of January 1970 was a Thursday.
    known = {"hour": f"{wall} / 3600 % 24", "weekday": f"({wall} / 86400 + 3) % 7 + 1"}
    return [known.get(key, key) for key in keys]


def from_rows(
    rollup: Rollup, span: int, start: int, stop: int, zone: ZoneInfo
) -> Sequence[tuple[Any, ...]]:
    """Return what a table should hold for a day or month, summed from the rows between two moments
    and from what is kept of calls that are gone, in the order of its key."""
    columns = row_columns(rollup.keys, start, stop, zone)
    places = ", ".join(str(place + 2) for place in range(len(columns)))
    gone = base_of(rollup.table, rollup.keys, span, MEASURES)
    between, bounds = rows_between(start, stop)
    if not gone:
        return _sql(
            f"SELECT {span}, {', '.join(columns)}, {', '.join(MEASURES.values())}"
            f" FROM call WHERE {between} GROUP BY {places} ORDER BY {places}",
            *bounds,
        )
    keys = ", ".join(rollup.keys)
    named = (f"{sql} AS {name}" for name, sql in zip(rollup.keys, columns, strict=True))
    measured = (f"{sql} AS {name}" for name, sql in MEASURES.items())
    return _sql(
        f"SELECT {span}, {keys}, {SUMS} FROM ("
        f"SELECT {', '.join(named)}, {', '.join(measured)}"
        f" FROM call WHERE {between} GROUP BY {', '.join(columns)}"
        f" UNION ALL {gone}) AS part GROUP BY {places} ORDER BY {places}",
        *bounds,
    )


def base_span(rollup: Rollup, span: int, first: int, end: int) -> tuple[str, tuple[int, ...]]:
    """Return the condition on a table's base for a day or month; days from ``first`` to before
    ``end`` where the base is by day and the table is not."""
    if rollup.base == "rollup_day" and rollup in BY_MONTH:
        return "day >= ? AND day < ?", (first, end)
    return f"{span_column(rollup)} = ?", (span,)


def span_column(rollup: Rollup) -> str:
    """Return the name of the column with the day or month."""
    return "day" if rollup in BY_DAY else "month"


def derive(rollup: Rollup, span: int, first: int, end: int) -> None:
    """Write a day or month of a coarse table from its base (days from ``first`` to before
    ``end``)."""
    column = span_column(rollup)
    statement, parameters = _from_base(rollup, span, first, end)
    _sql(f"DELETE FROM {rollup.table} WHERE {column} = ?", span)
    _sql(
        f"INSERT INTO {rollup.table} ({column}, {', '.join((*rollup.keys, *MEASURES))}) {statement}",
        *parameters,
    )


def _from_base(rollup: Rollup, span: int, first: int, end: int) -> tuple[str, tuple[int, ...]]:
    """Return the query for what a coarse table should hold for a day or month, with its
    parameters."""
    where, parameters = base_span(rollup, span, first, end)
    if rollup is not FIELDS:
        keys = ", ".join(rollup.keys)
        statement = (
            f"SELECT {span}, {keys}, {SUMS} FROM {rollup.base} WHERE {where} GROUP BY {keys}"
        )
        return statement, parameters
    ((*highest,),) = _sql(
        f"SELECT {', '.join(f'MAX({name})' for name in CUSTOM_FIELDS)} FROM profile"
    )
    parts = []
    for number, (name, text) in enumerate(zip(CUSTOM_FIELDS, highest, strict=True), 1):
        alike = f"SELECT id AS of_profile, MIN(id) OVER (PARTITION BY {name}) AS alike FROM profile"
        if not text:  # nobody has anything in it
            alike = "SELECT id AS of_profile, 0 AS alike FROM profile"
        parts.append(
            f"SELECT {span}, {number}, alike, {SUMS} FROM {rollup.base}"
            f" JOIN ({alike}) AS field ON of_profile = profile_id WHERE {where} GROUP BY alike"
        )
    return " UNION ALL ".join(parts), parameters * len(parts)


def write(rollup: Rollup, span: int, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write a day or month of a table, given its rows."""
    column = span_column(rollup)
    _sql(f"DELETE FROM {rollup.table} WHERE {column} = ?", span)
    if rows:
        names = ", ".join((column, *rollup.keys, *MEASURES))
        places = ", ".join("?" * len(rows[0]))
        database.cursor().executemany(
            f"INSERT INTO {rollup.table} ({names}) VALUES ({places})", rows
        )


def problems(
    rollup: Rollup, span: int, days: tuple[int, int], moments: tuple[int, int], zone: ZoneInfo
) -> bool:
    """Say whether a day or month of a table is not what it should hold: the sums of the rows between
    two moments, or of its base over some days."""
    keys = ", ".join(rollup.keys)
    column = span_column(rollup)
    kept = _sql(
        f"SELECT {column}, {keys}, {', '.join(MEASURES)} FROM {rollup.table}"
        f" WHERE {column} = ? ORDER BY {keys}",
        span,
    )
    if rollup.base:
        statement, parameters = _from_base(rollup, span, *days)
        places = ", ".join(str(place + 2) for place in range(len(rollup.keys)))
        wanted = _sql(f"{statement} ORDER BY {places}", *parameters)
    else:
        wanted = from_rows(rollup, span, *moments, zone)
    return list(kept) != list(wanted)


def _sql(statement: str, *parameters: Any) -> Sequence[tuple[Any, ...]]:
    """Run a statement with bound parameters. Returns its rows, none of one that has none."""
    rows: Sequence[tuple[Any, ...]] = database.execute_sql(statement, parameters).fetchall()
    return rows
