"""Budgets of today's periods as a report."""

from __future__ import annotations

from syncd.reports.budgets import budget_rows, company
from syncd.reports.environment import Environment
from syncd.reports.reading import result_of
from syncd.reports.result import Chart, Column, Kind, Result
from syncd.reports.scope import Door
from syncd.reports.specification import Specification

HIDDEN = "-"
COLUMNS = (
    Column("budget", "Budget"),
    Column("member", "Whose", absent=HIDDEN),
    Column("from", "From", Kind.DAY),
    Column("to", "To", Kind.DAY),
    Column("amount", "Amount", Kind.MONEY),
    Column("carried", "Carried", Kind.MONEY, HIDDEN),
    Column("spent", "Spent", Kind.MONEY, HIDDEN),
    Column("left", "Left", Kind.MONEY, HIDDEN),
    Column("percent", "%", Kind.COUNT, HIDDEN),
    Column("unrated", "Unrated", Kind.COUNT, HIDDEN),
)


def make(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return the state of every budget as who opened the door may see it."""
    there = company(environment.zone, environment.now)
    rows = budget_rows(door, environment.budgets.values(), there)
    return result_of(
        door,
        specification,
        environment,
        COLUMNS,
        rows,
        {},
        notes=remarks(rows),
        chart=Chart("member", "spent"),
        empty="there is no budget to see" if environment.budgets else "no budget is set",
    )


def remarks(rows: list[dict[str, object]]) -> list[str]:
    """Return what a reader of the state of budgets has to know beside it."""
    if any(row["spent"] is None for row in rows):
        return [f"{HIDDEN}: some of the calls are not yours to see, so their sum is not either"]
    return []
