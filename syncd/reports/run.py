"""Run a report for a viewer: one snapshot of the database for its rows and its totals."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from syncd.domain.errors import UsageError
from syncd.domain.party import name_key
from syncd.reports.catalogue.entry import (
    CONVERSATIONS_RULE,
    PARTICIPATIONS_RULE,
    POSTING_RULE,
    CatalogueEntry,
)
from syncd.reports.catalogue.standard import find_report
from syncd.reports.comparisons import UNEQUAL
from syncd.reports.environment import Environment
from syncd.reports.listing import CODE_FIELDS
from syncd.reports.lists import list_report
from syncd.reports.makers.made import maker_of
from syncd.reports.misspelt import misspelt
from syncd.reports.render.table import UNASSIGNED
from syncd.reports.result import Column, Result
from syncd.reports.scope import Door
from syncd.reports.specification import BY_POSTING, CONVERSATIONS, Specification, nearest
from syncd.reports.sums import sums_report
from syncd.store.database import read_transaction


@contextlib.contextmanager
def open_report(
    door: Door, specification: Specification, environment: Environment
) -> Iterator[Result]:
    """Run a report; its rows can be read within the block, where the database stands still.

    Raises UsageError or UserError when conversations cannot be counted so, when what is asked is
    not booked by posting period, and for a column that there is not.
    """
    sent = 0

    def counted(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        nonlocal sent
        for row in rows:
            sent += 1
            yield row
        result.notes.extend(misspelt(door, specification, environment, rows=bool(sent)))

    entry = find_report(specification.report, environment.custom_fields)
    make = maker_of(entry) or _of_calls
    with read_transaction():
        result = make(door, specification, environment)
        result.notes.extend(_read_otherwise(specification))
        yield replace(
            result,
            rows=counted(result.rows),
            columns=_chosen(result.columns, specification),
            title=entry.heading,
            counting=_counting(entry, specification),
        )
    door.note_rows(sent)


def _read_otherwise(specification: Specification) -> list[str]:
    """Return notes on filters by the word that a table has in the place of what there is not."""
    notes = [
        f"{key}={UNASSIGNED} is a name; what has none is found by {key}= without a value"
        for key, values in specification.filters
        if UNASSIGNED in map(name_key, values)
    ]
    return notes + [
        f"{one.key}!={UNASSIGNED} is a name; what has one is found by {one.key}!= without a value"
        for one in specification.comparisons
        if one.operator == UNEQUAL and UNASSIGNED in map(name_key, map(str, one.values))
    ]


def _counting(entry: CatalogueEntry, specification: Specification) -> str:
    """Return what the figures of a report count: what the catalogue says of the report as it is."""
    if specification.counts == CONVERSATIONS:
        return CONVERSATIONS_RULE
    if specification.by != entry.by:
        return POSTING_RULE if specification.by == BY_POSTING else PARTICIPATIONS_RULE
    if not entry.dimensions and specification.dimensions:
        return PARTICIPATIONS_RULE
    return entry.counting


def _chosen(columns: tuple[Column, ...], specification: Specification) -> tuple[Column, ...]:
    """Return the columns that are asked for, in the order in which they are."""
    by_name = {column.name: column for column in columns}
    for name in specification.columns:
        if name not in by_name:
            # Some fields of a call are in its list only when they are asked for.
            known = [*by_name, *(CODE_FIELDS if "counted" in by_name else ())]
            raise UsageError(f"{specification.report} has no column {name!r}", nearest(name, known))
    return tuple(by_name[name] for name in specification.columns) or columns


def _of_calls(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return the report that is made of the call rows that a specification chooses."""
    entry = find_report(specification.report, environment.custom_fields)
    make = list_report if specification.lists_rows else sums_report
    result = make(door, specification, environment)
    # What the catalogue says of the columns holds for the report's own groups.
    if specification.dimensions != entry.dimensions:
        return result
    names = {column.name for column in result.columns}
    brief = tuple(name for name in entry.columns if name in names)
    chart = entry.chart
    if chart is not None and (chart.value not in names or specification.subtotals):
        chart = None
    return replace(
        result,
        brief=result.brief if specification.compare else brief or result.brief,
        chart=chart or result.chart,
    )
