"""The outside numbers that were talked with most, as the reader gets them.

Numbers are grouped by what is shown: two that differ in masked digits alone are one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from syncd.domain.codes import Direction
from syncd.domain.money import format_micros
from syncd.reports.environment import Environment
from syncd.reports.masking import shown_number
from syncd.reports.reading import query_of, read, result_of
from syncd.reports.result import Chart, Column, Kind, Result
from syncd.reports.scope import Door, masked_digits, private_owner
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


@dataclass(slots=True)
class Talked:
    """Sums of one number: counted participations, those of incoming and outgoing rows, seconds,
    micros, rows without a price."""

    sums: list[int] = field(default_factory=lambda: [0] * 6)

    def figures(self) -> dict[str, Any]:
        calls, incoming, outgoing, duration, cost, unrated = self.sums
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
    numbers: dict[str, Talked] = {}
    everything = Talked()
    owner = private_owner("c")
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
        for talked in (numbers.setdefault(shown, Talked()), everything):
            talked.sums = [one + int(more) for one, more in zip(talked.sums, sums, strict=True)]
    ordered = sorted(numbers.items(), key=lambda one: (-one[1].sums[0], -one[1].sums[3], one[0]))
    return result_of(
        door,
        specification,
        environment,
        COLUMNS,
        ({"other_number": number or None, **talked.figures()} for number, talked in ordered),
        everything.figures(),
        query=query,
        facts={"numbers": len(numbers)},
        chart=Chart("other_number", "calls"),
    )
