"""Results made by hand, for the tests of outputs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from syncd.reports.render.options import OutputOptions
from syncd.reports.result import Chart, Column, Kind, Result
from syncd.reports.specification import Specification

ROME = ZoneInfo("Europe/Rome")
OPTIONS = OutputOptions(ROME, 1_780_000_000)
COLUMNS = (
    Column("person", "Person", absent="unassigned"),
    Column("day", "Day", Kind.DAY),
    Column("started_at", "Started", Kind.MOMENT),
    Column("calls", "Calls", Kind.COUNT),
    Column("duration", "Duration", Kind.SECONDS),
    Column("cost", "Cost", Kind.MONEY),
    Column("erlangs", "Erlangs", Kind.NUMBER, "-"),
)


def row(person: str | None = "Anna", **more: Any) -> dict[str, Any]:
    """Return a row of all kinds."""
    return {
        "person": person,
        "day": "2026-01-31",
        "started_at": "2026-01-31T23:59:58+01:00",
        "calls": 3,
        "duration": 3723,
        "cost": "1.2345",
        "erlangs": "12.40",
        **more,
    }


def result_of(
    rows: Iterable[dict[str, Any]],
    columns: tuple[Column, ...] = COLUMNS,
    totals: dict[str, Any] | None = None,
    chart: Chart | None = None,
    **more: Any,
) -> Result:
    """Return a result of rows."""
    specification = Specification(
        "by-person", date(2026, 1, 1), date(2026, 2, 1), more.pop("dimensions", ("person",))
    )
    return Result(
        "by-person",
        "anna",
        6,
        specification,
        columns,
        iter(rows),
        {} if totals is None else totals,
        "EUR",
        chart=chart,
        **more,
    )
