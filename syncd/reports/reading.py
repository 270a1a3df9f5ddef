"""Call rows in a viewer's scope, read for reports that work their figures out of them.

The rows are those of the specification: its period, its filters. What is read goes through the
conditions of the scope, like everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from syncd.domain.days import Days, day_number
from syncd.domain.errors import UsageError
from syncd.reports.dimensions import DIMENSIONS, Raw, known_dimensions
from syncd.reports.environment import Environment
from syncd.reports.lookups import Key, Lookups, select
from syncd.reports.query import Query
from syncd.reports.result import Chart, Column, Kind, Result
from syncd.reports.scope import Door
from syncd.reports.sealed import sealed_notes
from syncd.reports.sources import CALL
from syncd.reports.specification import Specification, nearest

Keys = tuple[Key, ...]
Some = TypeVar("Some")


def query_of(door: Door, specification: Specification, environment: Environment) -> Query:
    """Return the query that a specification is, for who opened the door."""
    days = Days(environment.zone)
    first, end = day_number(specification.first), day_number(specification.end)
    lookups = Lookups(days, first, end, environment.account_codes)
    lookups.working_times = environment.working_times
    return Query(door.scope, specification, lookups)


def read(
    query: Query,
    columns: str,
    where: str = "1 = 1",
    *,
    joined: str = "",
    then: str = "",
    dimensions: tuple[str, ...] = (),
    filtered: bool = True,
    until: int | None = None,
) -> Iterator[tuple[Any, ...]]:
    """Yield columns of the rows in scope that begin in the period and fit a condition.

    Within ``columns``, ``joined`` (joins) and ``then`` (what follows WHERE) a row is called ``c``,
    and the column of a dimension ``g0``, ``g1`` …; ``where`` is about the bare table. ``until``
    (epoch seconds) extends the period, without ``filtered`` the filters do not count.
    """
    wanted = query.filtered(CALL) if filtered else None
    groups, _ = query.grouping(CALL, dimensions)
    named = "".join(f", {group} AS g{place}" for place, group in enumerate(groups))
    stop = query.stop if until is None else until
    for part in query.scanned_parts(query.start, stop, filtered=filtered):
        yield from select(
            f"SELECT {columns} FROM (SELECT call.*{named} FROM call"
            f" WHERE started_at >= ? AND started_at < ? AND {part.sql}"
            f"{wanted.sql if wanted else ''} AND {where}) c {joined} {then}",
            query.start,
            stop,
            *part.parameters,
            *(wanted.parameters if wanted else ()),
        )


def group_columns(query: Query, dimensions: tuple[str, ...]) -> tuple[str, int]:
    """Return the columns of ``read`` to group by, ``c.g0, c.g1``, and how many they are."""
    groups, _ = query.grouping(CALL, dimensions)
    return ", ".join(f"c.g{place}" for place in range(len(groups))), len(groups)


def keys_of(query: Query, dimensions: tuple[str, ...]) -> Callable[[Sequence[Any]], Keys]:
    """Return the function from a row of ``read`` that begins with the columns to group by to the
    keys of its group."""
    _, places = query.grouping(CALL, dimensions)
    return lambda row: tuple(function(row[place]) for place, function in places)


def line_ids(query: Query) -> Callable[[int], str | None]:
    """Return the function from a row of ``line`` to its line id."""
    key_of = query.lookups.key_of("line_id", Raw.LINE)
    return lambda line: None if (key := key_of(line)) is None else str(key)


def org_labels(query: Query, dimension: str) -> Callable[[int], str | None]:
    """Return the function from an org to its department, cost center or office location."""
    key_of = query.lookups.key_of(dimension, Raw.ORG)
    return lambda org: query.lookups.label(dimension, key_of(org))


def group_rows(
    query: Query,
    groups: Mapping[Keys, Some],
    figures: Callable[[Some], dict[str, Any]],
    weight: Callable[[Some], int],
) -> list[dict[str, Any]]:
    """Return a row for each group: the heaviest first, then by name, what has none last; in the
    order of time where time is a dimension."""
    names = query.specification.dimensions
    temporal = any(DIMENSIONS[name].temporal for name in names)
    found = []
    for keys, group in groups.items():
        labels = [query.lookups.label(name, key) for name, key in zip(names, keys, strict=True)]
        order = [
            (True, 0, "", "")
            if key is None
            else (False, key, "", "")
            if isinstance(key, int) and DIMENSIONS[name].temporal
            else (False, 0, str(label).casefold(), f"{label}\0{key}")
            for name, key, label in zip(names, keys, labels, strict=True)
        ]
        row = {**dict(zip(names, labels, strict=True)), **figures(group)}
        found.append((0 if temporal else -weight(group), order, row))
    found.sort(key=lambda one: one[:2])
    return [row for _, _, row in found]


def dimension_columns(specification: Specification, environment: Environment) -> tuple[Column, ...]:
    """Return the columns of what a report groups by."""
    known = known_dimensions(dict(environment.custom_fields))
    return tuple(Column(name, known[name], absent="-") for name in specification.dimensions)


def sorted_rows(
    rows: Iterable[dict[str, Any]], specification: Specification, columns: Sequence[Column]
) -> list[dict[str, Any]]:
    """Return the rows in the order and number that are asked for. Raises UsageError for a field that
    there is not."""
    ordered = list(rows)
    kinds = {column.name: column.kind for column in columns}
    for field in reversed(specification.sort):
        name = field.removeprefix("-")
        if name not in kinds:
            raise UsageError(
                f"{specification.report} is not sorted by {name!r}", nearest(name, kinds)
            )
        there = [row for row in ordered if row[name] is not None]
        there.sort(key=lambda row: _size(row[name], kinds[name]), reverse=field.startswith("-"))
        ordered = there + [row for row in ordered if row[name] is None]
    return ordered[: specification.limit]


def _size(value: Any, kind: Kind) -> Any:
    if kind in (Kind.NUMBER, Kind.MONEY):
        whole, _, decimals = str(value).partition(".")
        sign = -1 if whole.startswith("-") else 1
        return sign * int(f"{whole.lstrip('-')}{decimals:0<6.6}")
    return str(value).casefold() if kind is Kind.TEXT else value


def result_of(
    door: Door,
    specification: Specification,
    environment: Environment,
    columns: Sequence[Column],
    rows: Iterable[dict[str, Any]],
    totals: Mapping[str, Any],
    *,
    query: Query | None = None,
    brief: tuple[str, ...] = (),
    notes: Iterable[str] = (),
    facts: Mapping[str, Any] | None = None,
    chart: Chart | None = None,
    empty: str = "nothing in this period",
) -> Result:
    """Return a report that was made of rows, in the order and number that are asked for. Where it was
    worked out of the rows of a query, it says of which days these are gone."""
    result = Result(
        specification.report,
        door.viewer.name,
        door.viewer.level,
        specification,
        tuple(columns),
        sorted_rows(rows, specification, columns),
        dict(totals),
        environment.currency,
        brief=brief,
        notes=list(notes),
        facts=dict(facts or {}),
        chart=chart,
        empty=empty,
    )
    if query is not None:
        query.kept.unknown.update(query.kept.days)
        sealed_notes(result, query.kept)
    return result
