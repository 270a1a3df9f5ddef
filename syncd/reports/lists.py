"""Reports with a row for each call row."""

from __future__ import annotations

from typing import Any

from syncd.reports.environment import Environment
from syncd.reports.list_order import check_order
from syncd.reports.listing import BRIEF, CODE_FIELDS, list_rows, row_columns
from syncd.reports.measures import figures, number, shown
from syncd.reports.query import SUM_NAMES, Query
from syncd.reports.remarks import rolled_notes, unpriced
from syncd.reports.result import Result
from syncd.reports.scope import Door
from syncd.reports.sealed import sealed_notes
from syncd.reports.specification import Specification
from syncd.reports.sums import query_of


def list_report(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return the rows that a specification asks for. Who may not see authorization codes gets their
    names of the list. Raises UsageError for what is not sorted by, and a page that there is not."""
    query = query_of(door, specification, environment)
    fields = environment.custom_fields
    check_order(query, fields)
    codes = not CODE_FIELDS.keys().isdisjoint(specification.columns)
    # Who asks for a further page had the totals with the first.
    totals = {} if specification.page else _totals(query)
    facts: dict[str, Any] = {}
    notes = unpriced(totals.get("unrated", 0))

    def more(key: str) -> None:
        facts["next_page"] = key
        notes.append(f"there are more: --page {key}")

    result = Result(
        specification.report,
        door.viewer.name,
        door.viewer.level,
        specification,
        row_columns(fields, codes=codes),
        list_rows(query, fields, codes=codes, more=more),
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


def _totals(query: Query) -> dict[str, Any]:
    """Return the sums over all rows of a list."""
    groups = query.sums(())
    sums = dict(zip(SUM_NAMES, groups.get((), [0] * len(SUM_NAMES)), strict=True))
    columns = figures([*query.specification.measures, "unrated"])
    totals = {one.name: shown(one, number(one, [sums], [sums])) for one in columns}
    return totals | {"rows": sums["rows"]}
