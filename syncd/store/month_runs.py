"""What a month run reads of stored rows, and what it writes (docs/rules.md 7.10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from syncd.domain.allowance import Held
from syncd.domain.days import month_days
from syncd.domain.money import format_micros
from syncd.domain.posting import MONTH_CAUSES, Cause, Posted
from syncd.store.adjustments import COLUMNS
from syncd.store.database import write_transaction
from syncd.store.maintenance_runs import DONE, RUNNING
from syncd.store.models import (
    Adjustment,
    AllowanceUse,
    Carrier,
    MaintenanceRun,
    MonthLine,
    MonthRun,
)
from syncd.store.models import database as proxy
from syncd.store.periods import shown_month
from syncd.store.sealed import seal

KIND = "month"
AT_ONCE = 20_000
"""Rows of one transaction."""
_CAUSES = ", ".join(str(int(cause)) for cause in MONTH_CAUSES)


class Paid(NamedTuple):
    """A call row with a price, by ids."""

    started_at: int
    key_hash: int
    side: int
    conversation: int
    leg: int
    rate: int
    seconds: int
    """Billed."""
    private: bool
    posted: Posted


class Line(NamedTuple):
    """See ``MonthLine``."""

    kind: str
    name: str
    whose: str
    unit: str
    given: int
    carried: int
    used: int
    cost: int


class Covered(NamedTuple):
    """See ``AllowanceUse``."""

    started_at: int
    key_hash: int
    side: int
    allowance: str
    pot: str
    used: int
    cost: int


Booked = Mapping[tuple[Cause, Posted], int]
"""Micros by what they are for and the keys by which they are booked (cost 0 in these)."""


def paid_rows(start: int, until: int) -> Iterator[Paid]:
    """Yield the call rows that begin since … until (epoch seconds, exclusive) and cost something, in
    the order of (start, key)."""
    mark = proxy.obj.param
    cursor = proxy.obj.execute_sql(
        "SELECT call.started_at, record.key_hash, side, call.conversation, leg, rate_id,"
        " billed_seconds,"
        " EXISTS (SELECT 1 FROM private_record WHERE record_id = record.id),"
        f" {', '.join(COLUMNS)} FROM call JOIN record ON record.id = call.id / 8"
        # The index begins with the org.
        " WHERE org_id IN (SELECT id FROM org)"
        f" AND call.started_at >= {mark} AND call.started_at < {mark} AND cost > 0"
        " ORDER BY call.started_at, record.key_hash, side",
        (start, until),
    )
    for row in cursor:
        yield Paid._make((*row[:7], bool(row[7]), Posted._make(row[8:])))


def held_lines(start: int, until: int) -> list[Held]:
    """Return the billed lines that were held at some time since … until (epoch seconds)."""
    mark = proxy.obj.param
    return [
        Held._make(row)
        for row in _sql(
            "SELECT line.id, line.site, party_id, role, valid_from, valid_to FROM assignment"
            " JOIN line ON line.id = assignment.line_id"
            f" WHERE billed AND NOT shared AND line.id <> 0 AND valid_from < {mark}"
            f" AND valid_to > {mark}",
            until,
            start,
        )
    ]


def profiles(start: int, until: int) -> list[tuple[int, int, int, int, int]]:
    """Return the profiles that held at some time since … until (epoch seconds): party, from, to, id,
    org."""
    mark = proxy.obj.param
    return [
        (row[0], row[1], row[2], row[3], row[4])
        for row in _sql(
            "SELECT party_id, valid_from, valid_to, id, org_id FROM profile WHERE id <> 0"
            f" AND valid_from < {mark} AND valid_to > {mark} ORDER BY valid_from",
            until,
            start,
        )
    ]


def know_carriers(names: Iterable[str]) -> None:
    """Give carriers a row each that have none yet."""
    with write_transaction():
        for name in names:
            Carrier.insert(name=name).on_conflict_ignore().execute()


def rates() -> dict[int, tuple[str, str]]:
    """Return (carrier, version) of each rate that was used."""
    return {row[0]: (row[1], row[2]) for row in _sql("SELECT id, carrier, version FROM rate_used")}


def lines_of(month: int) -> list[Line]:
    """Return what the run that counts for a month came to."""
    rows = MonthLine.select(*(getattr(MonthLine, name) for name in Line._fields)).where(
        MonthLine.month == month
    )
    order = rows.order_by(MonthLine.kind, MonthLine.name, MonthLine.whose)
    return [Line(*row) for row in order.tuples()]


def booked_in(month: int) -> dict[tuple[Cause, Posted], int]:
    """Return what month runs booked in a month."""
    return {
        (Cause(row[0]), Posted._make((*row[1:-1], 0))): row[-1]
        for row in _sql(
            f"SELECT cause, {', '.join(COLUMNS[:-1])}, SUM(cost) FROM adjustment"
            f" WHERE posting_period = {proxy.obj.param} AND month = 0 AND cause IN ({_CAUSES})"
            f" GROUP BY cause, {', '.join(COLUMNS[:-1])}",
            month,
        )
    }


def begin(month: int, now: int) -> int:
    """Enter a run, at a time (epoch seconds). Returns its id."""
    with write_transaction():
        run = MaintenanceRun.create(
            kind=KIND, started_at=now, state=RUNNING, arguments=shown_month(month)
        )
    return int(run.id)


def forget_interrupted() -> None:
    """Delete the runs that were interrupted: the next one does all of it."""
    with write_transaction():
        MaintenanceRun.delete().where(
            (MaintenanceRun.kind == KIND) & (MaintenanceRun.state == RUNNING)
        ).execute()


def stage(run: int, uses: Iterable[Covered]) -> None:
    """Store what allowances covered under a run that does not count yet."""
    rows = ((run, *use) for use in uses)
    while part := list(islice(rows, AT_ONCE)):
        with write_transaction():
            _insert(AllowanceUse, ("run_id", *Covered._fields), part)


def settle(
    month: int, run: int, lines: Sequence[Line], booked: Booked, *, at: int, who: str
) -> None:
    """Let a run count for a month, at a time (epoch seconds), instead of the one before it. Must run
    inside a write transaction, while the month is open."""
    Adjustment.delete().where(
        (Adjustment.posting_period == month)
        & (Adjustment.month == 0)
        & (Adjustment.cause << [int(cause) for cause in MONTH_CAUSES])
    ).execute()
    MonthLine.delete().where(MonthLine.month == month).execute()
    MonthRun.delete().where(MonthRun.month == month).execute()
    MonthRun.create(month=month, run_id=run, at=at, who=who)
    _insert(MonthLine, ("month", *Line._fields), [(month, *line) for line in lines])
    _insert(
        Adjustment,
        ("call_id", "month", "posting_period", *COLUMNS, "cause", "run_id", "at"),
        [
            (0, 0, month, *posted[:-1], cost, int(cause), run, at)
            for (cause, posted), cost in sorted(booked.items())
            if cost
        ],
    )
    MaintenanceRun.update(state=DONE, ended_at=at).where(MaintenanceRun.id == run).execute()


def forget_uses() -> None:
    """Delete what is left over of runs that do not count."""
    mark = proxy.obj.param
    kept = {row.run_id for row in MonthRun.select(MonthRun.run_id)}
    run = 0
    while True:
        # From run to run by the key: the uses of years are not looked at.
        found = _sql(f"SELECT MIN(run_id) FROM allowance_use WHERE run_id > {mark}", run)[0][0]
        if found is None:
            return
        run = found
        while run not in kept:
            with write_transaction():
                last = _sql(
                    f"SELECT started_at FROM allowance_use WHERE run_id = {mark}"
                    f" ORDER BY started_at LIMIT 1 OFFSET {AT_ONCE}",
                    run,
                )
                gone = AllowanceUse.delete().where(AllowanceUse.run_id == run)
                if last:
                    gone = gone.where(AllowanceUse.started_at <= last[0][0])
                gone.execute()
            if not last:
                break


def covered(record: int, side: int) -> list[tuple[int, str, Covered]]:
    """Return what allowances cover of a side of a record, with the month in which each is booked and
    the allowance's unit."""
    mark = proxy.obj.param
    found = []
    # From run to run by the key: there are as many as months.
    for run in MonthRun.select().order_by(MonthRun.month):
        for row in _sql(
            f"SELECT line.unit, {', '.join(f'one.{name}' for name in Covered._fields)}"
            " FROM record JOIN allowance_use AS one ON one.started_at = record.started_at"
            " AND one.key_hash = record.key_hash"
            " JOIN month_line AS line ON line.name = one.allowance AND line.whose = one.pot"
            f" WHERE record.id = {mark} AND one.side = {mark} AND one.run_id = {mark}"
            f" AND line.month = {mark} AND line.kind = 'allowance' ORDER BY one.allowance",
            record,
            side,
            run.run_id,
            run.month,
        ):
            found.append((run.month, row[0], Covered._make(row[1:])))
    return found


def month_run_differences(_: ZoneInfo) -> Iterator[str]:
    """Yield where the lines of a month, what is booked and what was covered do not add up. Of months
    with sealed days nothing says any more what was covered."""
    sealed = seal().day
    for run in MonthRun.select().order_by(MonthRun.month):
        lines = lines_of(run.month)
        found = (
            ("booked", sum(line.cost for line in lines), sum(booked_in(run.month).values())),
            (
                "covered",
                -sum(line.cost for line in lines if line.kind == "allowance"),
                _sql(
                    "SELECT COALESCE(SUM(cost), 0) FROM allowance_use"
                    f" WHERE run_id = {proxy.obj.param}",
                    run.run_id,
                )[0][0],
            ),
        )
        for what, said, comes_to in found:
            if what == "covered" and month_days(run.month)[0] < sealed:
                continue
            if said != comes_to:
                yield (
                    f"the run of {shown_month(run.month)} says {format_micros(said)} {what},"
                    f" the rows come to {format_micros(comes_to)}"
                )


def _insert(model: Any, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        marks = ", ".join([proxy.obj.param] * len(names))
        proxy.obj.cursor().executemany(
            f'INSERT INTO "{model._meta.table_name}" ({", ".join(names)}) VALUES ({marks})', rows
        )


def _sql(statement: str, *parameters: Any) -> Sequence[tuple[Any, ...]]:
    rows: Sequence[tuple[Any, ...]] = proxy.obj.execute_sql(statement, parameters).fetchall()
    return rows
