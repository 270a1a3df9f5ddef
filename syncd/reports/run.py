"""Run a report for a viewer: one snapshot of the database for its rows and its totals."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from syncd.domain.days import Days, day_number
from syncd.domain.errors import UsageError, UserError
from syncd.domain.money import format_micros
from syncd.reports.catalogue.standard import find_report
from syncd.reports.dimensions import (
    DIMENSIONS,
    MEASURES,
    ROW_FILTERS,
    SECONDS_MEASURES,
    known_dimensions,
)
from syncd.reports.environment import Environment
from syncd.reports.listing import BRIEF, CODE_FIELDS, list_rows, row_columns
from syncd.reports.lookups import Key, Lookups
from syncd.reports.makers.made import maker_of
from syncd.reports.permissions import Reach
from syncd.reports.posting import check_posting, with_adjustments
from syncd.reports.query import SUM_NAMES, Query, Sums
from syncd.reports.render.table import UNASSIGNED
from syncd.reports.result import Chart, Column, Kind, Result
from syncd.reports.scope import Door
from syncd.reports.specification import BY_POSTING, CONVERSATIONS, Specification, nearest
from syncd.store.models import database


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

    make = maker_of(find_report(specification.report, environment.custom_fields)) or _of_calls
    with database.atomic("DEFERRED") if not database.in_transaction() else database.atomic():
        result = make(door, specification, environment)
        yield replace(
            result, rows=counted(result.rows), columns=_chosen(result.columns, specification)
        )
    door.note_rows(sent)


def _chosen(columns: tuple[Column, ...], specification: Specification) -> tuple[Column, ...]:
    """Return the columns that are asked for, in the order in which they are."""
    by_name = {column.name: column for column in columns}
    for name in specification.columns:
        if name not in by_name:
            raise UsageError(
                f"{specification.report} has no column {name!r}", nearest(name, by_name)
            )
    return tuple(by_name[name] for name in specification.columns) or columns


def _of_calls(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return the report that is made of the call rows that a specification chooses. Who may not see
    authorization codes gets their names of the list."""
    if specification.counts == CONVERSATIONS:
        _check_conversations(door, specification)
    if specification.by == BY_POSTING:
        check_posting(specification)
    first, end = day_number(specification.first), day_number(specification.end)
    lookups = Lookups(Days(environment.zone), first, end, environment.account_codes)
    lookups.vat = environment.vat
    query = Query(door.scope, specification, lookups)
    fields = environment.custom_fields
    rows: Iterable[dict[str, Any]]
    if specification.lists_rows:
        codes = not CODE_FIELDS.keys().isdisjoint(specification.columns)
        columns = row_columns(fields, codes=codes)
        groups = query.sums(())
        totals = _totals(query, groups)
        totals["rows"] = sum(sums[-1] for sums in groups.values())
        rows = list_rows(query, fields, codes=codes)
    else:
        columns = _group_columns(specification, fields)
        groups = query.sums(specification.dimensions)
        if specification.by == BY_POSTING:
            groups = with_adjustments(query, groups, specification.dimensions)
        totals = _totals(query, groups)
        rows = _grouped(query, groups)
    return Result(
        specification.report,
        door.viewer.name,
        door.viewer.level,
        specification,
        columns,
        rows,
        totals,
        environment.currency,
        brief=BRIEF if specification.lists_rows else (),
        notes=_unpriced(totals["unrated"]),
        chart=_chart(specification),
    )


def _group_columns(specification: Specification, fields: Mapping[str, str]) -> tuple[Column, ...]:
    known = known_dimensions(dict(fields))
    return (
        *(
            Column(name, known[name], Kind.DAY if name == "day" else Kind.TEXT, UNASSIGNED)
            for name in specification.dimensions
        ),
        *(Column(name, MEASURES[name], measure_kind(name)) for name in specification.measures),
    )


def measure_kind(name: str) -> Kind:
    """Return what the values of a measure are."""
    if name == "cost":
        return Kind.MONEY
    return Kind.SECONDS if name in SECONDS_MEASURES else Kind.COUNT


def _chart(specification: Specification) -> Chart | None:
    """Return what a picture of sums shows: the last measure by the first dimension."""
    if specification.lists_rows:
        return None
    label = specification.dimensions[0]
    value = "cost" if "cost" in specification.measures else specification.measures[0]
    return Chart(label, value, DIMENSIONS[label].temporal)


def _unpriced(unrated: int) -> list[str]:
    if not unrated:
        return []
    have = "row has" if unrated == 1 else "rows have"
    return [f"{unrated} {have} no price yet: they add nothing to the cost"]


def _check_conversations(door: Door, specification: Specification) -> None:
    """Raise when the number of conversations would depend on what the viewer sees of them."""
    if door.scope.reach is not Reach.ALL:
        raise UserError(
            "conversations are counted for levels 8 and 10", "count participations, the default"
        )
    names = [*specification.dimensions, *(key for key, _ in specification.filters)]
    for name in names:
        if name in ROW_FILTERS or DIMENSIONS[name].of_party:
            raise UsageError(
                f"conversations cannot be counted by {name}: a conversation has several",
                "count participations, the default",
            )


def _amounts(sums: Mapping[str, int], names: Iterable[str]) -> dict[str, Any]:
    return {name: format_micros(sums[name]) if name == "cost" else sums[name] for name in names}


def _named(sums: Sums, conversations: list[int] | None) -> dict[str, int]:
    """Return sums by name; with conversations, they are what calls were."""
    named = dict(zip(SUM_NAMES, sums, strict=True))
    if conversations is not None:
        named |= dict(
            zip(("calls", "answered", "missed", "unanswered"), conversations, strict=True)
        )
    return named


def _totals(query: Query, groups: Mapping[tuple[Key, ...], Sums]) -> dict[str, Any]:
    """Return the totals: the specification's measures and how many rows have no price."""
    total = [sum(column) for column in zip(*groups.values(), strict=True)] or [0] * len(SUM_NAMES)
    counts = None
    if query.specification.counts == CONVERSATIONS:
        counts = query.conversations(()).get((), [0, 0, 0, 0])
    names = dict.fromkeys([*query.specification.measures, "unrated"])
    return _amounts(_named(total, counts), names)


def _grouped(query: Query, groups: Mapping[tuple[Key, ...], Sums]) -> list[dict[str, Any]]:
    """Return the rows of a grouped report: the costliest first, then those with most rows that have
    no price, then by key; in the order of time where time is a dimension."""
    specification, lookups = query.specification, query.lookups
    names = specification.dimensions
    conversations = None
    if specification.counts == CONVERSATIONS:
        conversations = query.conversations(names)
    temporal = any(DIMENSIONS[name].temporal for name in names)
    cost, unrated = SUM_NAMES.index("cost"), SUM_NAMES.index("unrated")
    rows = []
    for keys, sums in groups.items():
        labels = [lookups.label(name, key) for name, key in zip(names, keys, strict=True)]
        order = [
            _order(name, key, label) for name, key, label in zip(names, keys, labels, strict=True)
        ]
        counts = None if conversations is None else conversations.get(keys, [0, 0, 0, 0])
        amounts = _amounts(_named(sums, counts), specification.measures)
        row = {**dict(zip(names, labels, strict=True)), **amounts}
        rows.append(((0, 0) if temporal else (-sums[cost], -sums[unrated]), order, row))
    rows.sort(key=lambda item: item[:2])
    return [row for _, _, row in rows[: specification.limit]]


def _order(name: str, key: Key, label: Any) -> tuple[bool, int, str, str]:
    """Return what a key is sorted by: unassigned last, time and numbers by size, names by name."""
    if key is None:
        return (True, 0, "", "")
    if DIMENSIONS[name].temporal or name == "party":
        return (False, int(key), "", "")
    return (False, 0, str(label).casefold(), f"{label}\0{key}")
