"""Reports with a row for each call row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from syncd.reports.environment import Environment
from syncd.reports.list_order import check_order
from syncd.reports.listing import BRIEF, CODE_FIELDS, list_rows, row_columns
from syncd.reports.lookups import select
from syncd.reports.measures import figures, number, shown
from syncd.reports.posting import check_posting
from syncd.reports.query import SUM_NAMES, Query
from syncd.reports.remarks import rolled_notes, unpriced
from syncd.reports.result import Result
from syncd.reports.scope import Door, row_conditions
from syncd.reports.sealed import sealed_notes
from syncd.reports.specification import BY_POSTING, Specification
from syncd.reports.sums import query_of

SUMMED_FOR_PAGES = 8 * 86_400
"""Seconds of calls that are added up, one by one, for the totals of a page."""
FEW_ROWS = 20_000
"""Calls that are, however much time they are from."""


def list_report(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return the rows that a specification asks for. Who may not see authorization codes gets their
    names of the list. Raises UsageError for what is not sorted by, and a page that there is not."""
    if specification.by == BY_POSTING:
        check_posting(specification)
    query = query_of(door, specification, environment)
    fields = environment.custom_fields
    check_order(query, fields)
    codes = not CODE_FIELDS.keys().isdisjoint(specification.columns)
    facts: dict[str, Any] = {}
    # Who asks for a further page had the totals with the first.
    totals: dict[str, Any] = {}
    notes: list[str] = []
    if not specification.page:
        if _is_cheap(query):
            totals = _totals(query)
            notes = unpriced(totals["unrated"])
        else:
            notes.append("there is no total of so many calls for a page; without --limit there is")

    def looked(moment: int) -> None:
        day = datetime.fromtimestamp(moment, environment.zone).date()
        facts["searched_back_to"] = day.isoformat()
        environment.looked(day)

    def more(key: str) -> None:
        facts["next_page"] = key
        notes.append(f"there are more: --page {key}")

    result = Result(
        specification.report,
        door.viewer.name,
        door.viewer.level,
        specification,
        row_columns(fields, codes=codes),
        list_rows(query, fields, codes=codes, more=more, looked=looked),
        totals,
        environment.currency,
        brief=BRIEF,
        notes=notes,
        facts=facts,
    )
    if totals:
        rolled_notes(result, environment)
        sealed_notes(result, query.kept)
    return result


def _is_cheap(query: Query) -> bool:
    """Say whether the totals are there as soon as the page is for which somebody waits."""
    if query.specification.limit is None or not query.searches:
        return True
    return query.seconds_of_rows() <= SUMMED_FOR_PAGES or _has_few_rows(query)


def _has_few_rows(query: Query) -> bool:
    """Say whether there are so few rows to look at that it is soon done."""
    left = FEW_ROWS
    for part in row_conditions(query.scope, query.lookups):
        ((count,),) = select(
            "SELECT COUNT(*) FROM (SELECT 1 FROM call"
            f" WHERE started_at >= ? AND started_at < ? AND {part.sql} LIMIT ?) few",
            query.start,
            query.stop,
            *part.parameters,
            left + 1,
        )
        left -= count
        if left < 0:
            return False
    return True


def _totals(query: Query) -> dict[str, Any]:
    """Return the sums over all rows of a list."""
    groups = query.sums(())
    sums = dict(zip(SUM_NAMES, groups.get((), [0] * len(SUM_NAMES)), strict=True))
    columns = figures([*query.specification.measures, "unrated"])
    totals = {one.name: shown(one, number(one, [sums], [sums])) for one in columns}
    return totals | {"rows": sums["rows"]}
