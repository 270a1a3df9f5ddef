"""Does the database hold what it must hold? Each check returns differences as plain sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import peewee

from syncd.domain.codes import Outcome, RecordOutcome, Side, State
from syncd.domain.days import Days, day_date, month_days, next_day, span_text
from syncd.store.database import read_transaction
from syncd.store.models import database
from syncd.store.month_runs import month_run_differences
from syncd.store.periods import adjustment_differences, closed_differences, dangling_runs
from syncd.store.rollup_tables import BY_DAY, BY_MONTH, FIELDS, problems
from syncd.store.rollups import (
    clean_days,
    clean_months,
    clean_open_days,
    clean_parts,
    days_with_rows,
    fields_are_summed,
    zone_is,
)
from syncd.store.sealed import gone_by_file

SHOWN = 20
"""Differences of one kind that are shown one by one; the rest are counted."""


def verify(zone: ZoneInfo) -> list[str]:
    """Check everything in one snapshot. Returns the differences, none when all is well."""
    differences: list[str] = []
    with read_transaction():
        for check in CHECKS:
            found = list(check(zone))
            differences += found[:SHOWN]
            if len(found) > SHOWN:
                differences.append(f"… and {len(found) - SHOWN} more of this kind")
    return differences


def integrity_problems(opened: peewee.Database) -> list[str]:
    """Return what SQLite itself finds wrong with a database."""
    found = [str(row[0]) for row in opened.execute_sql("PRAGMA integrity_check")]
    return [] if found == ["ok"] else found


def _rows(statement: str, *parameters: Any) -> Iterator[tuple[Any, ...]]:
    yield from database.execute_sql(statement, parameters)


def _integrity(_: ZoneInfo) -> Iterator[str]:
    if isinstance(database.obj, peewee.SqliteDatabase):
        yield from (f"the file is damaged: {text}" for text in integrity_problems(database.obj))
        for table, row, parent, _ in _rows("PRAGMA foreign_key_check"):
            yield f"{table} row {row} names a {parent} that is not there"


def _rollup_days(zone: ZoneInfo) -> Iterator[str]:
    if not zone_is(zone):
        return
    days = Days(zone)
    rolled = clean_days()
    for day in sorted(rolled):
        span = (day, next_day(day))
        if any(problems(rollup, day, span, days.bounds(day), zone) for rollup in BY_DAY):
            yield f"the sums of {day_date(day)} are not those of its rows"
    dirty = {row[0] for row in _rows("SELECT day FROM dirty_day")}
    for day, count in sorted(days_with_rows(days).items()):
        if day not in rolled and day not in dirty:
            yield f"{day_date(day)} has {count} call rows, but no sums and no mark that they are due"


def _rollup_months(zone: ZoneInfo) -> Iterator[str]:
    if not zone_is(zone):
        return
    days = Days(zone)
    ends = {month: month_days(month)[1] for month in clean_months()} | dict(clean_parts())
    known = {month: (month_days(month)[0], end) for month, end in sorted(ends.items())}
    known |= {day: (day, next_day(day)) for day in sorted(clean_open_days())}
    for span, between in known.items():
        for rollup in BY_MONTH:
            if rollup is FIELDS and not fields_are_summed():
                continue
            if problems(
                rollup, span, between, (days.start(between[0]), days.start(between[1])), zone
            ):
                yield f"{rollup.table} of {span_text(span)} is not the sum of its rows"


def _ledger_law(_: ZoneInfo) -> Iterator[str]:
    """read = stored + duplicate + excluded + not billed + rejected."""
    for name, read, total in _rows(
        "SELECT name, read, stored + duplicate + excluded + not_billed + rejected FROM file"
        " WHERE read <> stored + duplicate + excluded + not_billed + rejected ORDER BY id"
    ):
        yield f"file {name}: {read} rows were read, but {total} ended somewhere"


def _ledger_counts(_: ZoneInfo) -> Iterator[str]:
    """The ledger's counters against records, rejects and call rows, and those that are gone."""
    counters = ("stored", "excluded", "not_billed", "calls")
    counted = {
        name: dict(
            _rows(
                "SELECT file_id, COUNT(*) FROM record WHERE outcome = ? GROUP BY file_id",
                int(outcome),
            )
        )
        for name, outcome in (
            ("stored", RecordOutcome.STORED),
            ("excluded", RecordOutcome.EXCLUDED),
            ("not_billed", RecordOutcome.NOT_BILLED),
        )
    }
    counted["calls"] = dict(
        _rows(
            "SELECT file_id, COUNT(*) FROM call JOIN record ON record.id = call.id / 8"
            " GROUP BY file_id"
        )
    )
    for name, excluded in (("stored", 0), ("excluded", 1)):
        counted[name] |= dict(
            _rows(
                "SELECT file_id, COUNT(*) FROM call_quality WHERE excluded = ? GROUP BY file_id",
                excluded,
            )
        )
    rejects = dict(_rows("SELECT file_id, COUNT(*) FROM reject GROUP BY file_id"))
    gone = gone_by_file()
    for file_id, name, rejected, *values in _rows(
        f"SELECT id, name, rejected, {', '.join(counters)} FROM file ORDER BY id"
    ):
        for counter, value in zip(counters, values, strict=True):
            there = counted[counter].get(file_id, 0) + gone.get(file_id, {}).get(counter, 0)
            if there != value:
                yield f"file {name}: the ledger says {counter} {value}, there are {there}"
        # What was dropped is kept and counted, what was taken on a second try is neither.
        kept = rejects.get(file_id, 0) + gone.get(file_id, {}).get("rejected", 0)
        if kept != rejected:
            yield f"file {name}: {kept} rejects are kept, the ledger has {rejected}"


def _counting(_: ZoneInfo) -> Iterator[str]:
    """One counted row for each line of a conversation, its first, and the outcome there alone. Rows
    that are nobody's any more have no line by which to tell."""
    for conversation, line, counted in _rows(
        "SELECT conversation, line_id, SUM(counted) FROM ("
        " SELECT call.conversation, line_id, counted, ROW_NUMBER() OVER ("
        "  PARTITION BY call.conversation, line_id"
        "  ORDER BY call.started_at, record.key, call.side) AS place"
        " FROM call LEFT JOIN record ON record.id = call.id / 8 WHERE line_id <> 0) AS part"
        " GROUP BY conversation, line_id HAVING SUM(counted) <> 1 OR SUM(CASE WHEN"
        " place = 1 THEN counted ELSE 0 END) <> 1"
    ):
        what = f"has {counted} counted rows" if counted != 1 else "does not count on its first row"
        yield f"line {line} in conversation {conversation} {what}"
    for row_id, counted, outcome in _rows(
        "SELECT id, counted, outcome FROM call WHERE (counted = 1) <> (outcome <> ?)",
        int(Outcome.NONE),
    ):
        yield f"call row {row_id} has outcome {outcome} and counts {counted}"


def _prices(_: ZoneInfo) -> Iterator[str]:
    """Free costs nothing, rated something known, unrated has no price and a reason."""
    for row_id, state, cost in _rows(
        "SELECT id, state, cost FROM call WHERE CASE state"
        " WHEN ? THEN cost IS NULL OR cost <> 0 WHEN ? THEN cost IS NULL"
        " WHEN ? THEN cost IS NOT NULL OR reason = '' ELSE TRUE END",
        int(State.FREE),
        int(State.RATED),
        int(State.UNRATED),
    ):
        yield f"call row {row_id} is in state {state} with cost {cost}"


def _shares(_: ZoneInfo) -> Iterator[str]:
    """An outside leg is priced once: its shares have one rate, and a record pays it once, unless
    who passed the call on shares it with others."""
    for conversation, leg, rates in _rows(
        "SELECT conversation, leg, COUNT(DISTINCT rate_id) FROM call"
        " WHERE leg <> 0 AND state = ? GROUP BY conversation, leg"
        " HAVING COUNT(DISTINCT rate_id) > 1",
        int(State.RATED),
    ):
        yield f"leg {leg} of conversation {conversation} is priced by {rates} rates"
    for record, leg, count in _rows(
        "SELECT id / 8, leg, COUNT(*) FROM call WHERE leg <> 0 AND state = ?"
        " GROUP BY id / 8, leg HAVING COUNT(*) > 1 AND SUM(CASE WHEN side IN (?, ?)"
        " THEN 1 ELSE 0 END) = 0",
        int(State.RATED),
        int(Side.FIRST_REDIRECTING),
        int(Side.REDIRECTING),
    ):
        yield f"record {record} pays leg {leg} {count} times"


_DANGLING = (
    ("call", "id / 8", "record"),
    ("call", "conversation", "record"),
    ("call", "line_id", "line"),
    ("call", "profile_id", "profile"),
    ("call", "org_id", "org"),
    ("call", "destination_id", "destination"),
    ("call", "trunk_id", "trunk"),
    ("call", "carrier_id", "carrier"),
    ("call", "rate_id", "rate_used"),
    ("account_charge", "matter_id", "matter"),
    ("private_record", "record_id", "record"),
    ("record", "conversation", "record"),
    ("record", "file_id", "file"),
    ("record", "pbx_id", "pbx"),
)


def _dangling(_: ZoneInfo) -> Iterator[str]:
    """The integers that stand for foreign keys."""
    for table, column, parent in _DANGLING:
        for value, count in _rows(
            f"SELECT {column}, COUNT(*) FROM {table}"
            f" WHERE {column} NOT IN (SELECT id FROM {parent}) GROUP BY 1"
        ):
            yield f"{count} {table} rows name {parent} {value}, which is not there"
    for call, cost_center in _rows(
        "SELECT call_id, cost_center FROM account_charge"
        " WHERE call_id NOT IN (SELECT id FROM call UNION ALL SELECT id FROM call_withheld)"
    ):
        yield f"an account code charges call row {call} to {cost_center!r}, which is not there"
    for party, count in _rows(
        "SELECT party_id, COUNT(*) FROM call"
        " WHERE party_id <> 0 AND party_id NOT IN (SELECT id FROM party) GROUP BY 1"
    ):
        yield f"{count} call rows name party {party}, which is not there"
    for row_id, record in _rows(
        "SELECT call.id, record.id FROM call JOIN record ON record.id = call.id / 8"
        " WHERE call.started_at <> record.started_at OR call.conversation <> record.conversation"
        " OR record.outcome <> ? OR call.side <> call.id % 8",
        int(RecordOutcome.STORED),
    ):
        yield f"call row {row_id} does not agree with record {record}"


CHECKS: tuple[Callable[[ZoneInfo], Iterator[str]], ...] = (
    _integrity,
    _dangling,
    _ledger_law,
    _ledger_counts,
    _counting,
    _prices,
    _shares,
    _rollup_days,
    _rollup_months,
    closed_differences,
    adjustment_differences,
    month_run_differences,
    dangling_runs,
)
