"""The outside numbers that were talked with most, as the reader gets them.

Numbers are grouped by what is shown: two that differ in masked digits alone are one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

from syncd.domain.codes import Direction
from syncd.domain.money import format_micros
from syncd.reports.environment import Environment
from syncd.reports.masking import shown_number
from syncd.reports.reading import query_of, read, result_of
from syncd.reports.result import Chart, Column, Kind, Result
from syncd.reports.scope import Door, masked_digits, private_owner_of_many
from syncd.reports.specification import Specification

INCOMING, OUTGOING = int(Direction.INCOMING), int(Direction.OUTGOING)
COLUMNS = (
    Column("other_number", "Other number", absent="-"),
    Column("calls", "Calls", Kind.COUNT),
    Column("incoming", "Incoming", Kind.COUNT),
    Column("outgoing", "Outgoing", Kind.COUNT),
    Column("duration", "Duration", Kind.SECONDS),
    Column("cost", "Cost", Kind.MONEY),
    Column("unrated", "Unrated", Kind.COUNT),
)


Sums = tuple[int, ...]
"""Of one number: counted participations, those of incoming and outgoing rows, seconds, micros, rows
without a price."""


def _added(one: Iterable[int], other: Iterable[int]) -> Sums:
    return tuple(int(mine) + int(more) for mine, more in zip(one, other, strict=True))


def _figures(sums: Sums) -> dict[str, Any]:
    calls, incoming, outgoing, duration, cost, unrated = sums
    return {
        "calls": calls,
        "incoming": incoming,
        "outgoing": outgoing,
        "duration": duration,
        "cost": format_micros(cost),
        "unrated": unrated,
    }


def make(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return the outside numbers of the rows in scope, the most frequent first."""
    query = query_of(door, specification, environment)
    numbers: dict[str, Sums] = {}
    owner = private_owner_of_many("c")
    for number, private, *sums in read(
        query,
        f"c.other_number, {owner}, SUM(c.counted),"
        f" SUM(CASE WHEN c.direction = {INCOMING} THEN c.counted ELSE 0 END),"
        f" SUM(CASE WHEN c.direction = {OUTGOING} THEN c.counted ELSE 0 END),"
        " SUM(c.duration), SUM(COALESCE(c.cost, 0)),"
        " SUM(CASE WHEN c.cost IS NULL THEN 1 ELSE 0 END)",
        "other_outside = 1",
        then="GROUP BY 1, 2",
    ):
        shown = shown_number(number, 1, masked_digits(query.scope, private))
        had = numbers.get(shown)
        numbers[shown] = tuple(sums) if had is None else _added(had, sums)
    ordered = sorted(numbers.items(), key=lambda one: (-one[1][0], -one[1][3], one[0]))
    limit = specification.limit
    cut = limit is not None and limit < len(numbers)
    return result_of(
        door,
        specification,
        environment,
        COLUMNS,
        (
            {"other_number": number or None, **_figures(sums)}
            for number, sums in (ordered if specification.sort else ordered[: specification.limit])
        ),
        _figures(reduce(_added, numbers.values(), (0,) * 6)),
        query=query,
        notes=[f"{limit} of {len(numbers)} numbers are shown: --limit says how many"]
        if cut
        else (),
        facts={"numbers": len(numbers)},
        chart=Chart("other_number", "calls"),
    )
