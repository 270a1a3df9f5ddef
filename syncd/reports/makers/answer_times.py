"""How soon those who were called answered.

Made of participations that begin with being called (docs/rules.md 9.6).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from syncd.domain.codes import Outcome, Side
from syncd.reports.environment import Environment
from syncd.reports.ratios import median, percent, quotient
from syncd.reports.reading import (
    Keys,
    dimension_columns,
    group_columns,
    group_rows,
    keys_of,
    query_of,
    read,
    result_of,
)
from syncd.reports.result import Chart, Column, Kind, Result
from syncd.reports.scope import Door
from syncd.reports.specification import Specification

ANSWERED, MISSED = int(Outcome.ANSWERED), int(Outcome.MISSED)


@dataclass(slots=True)
class Times:
    """Calls of one group."""

    missed: int = 0
    answered: Counter[int] = field(default_factory=Counter)
    """How many rang for so many seconds."""

    def add(self, outcome: int, ring: int, calls: int) -> None:
        if outcome == MISSED:
            self.missed += calls
        else:
            self.answered[ring] += calls


def make(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return answer times by what the report groups by."""
    within = environment.reports.answer_within
    query = query_of(door, specification, environment)
    names = specification.dimensions
    grouped, count = group_columns(query, names)
    keys = keys_of(query, names)
    groups: dict[Keys, Times] = {}
    everything = Times()
    for row in read(
        query,
        f"{grouped}, c.outcome, c.ring_seconds, COUNT(*)",
        f"counted = 1 AND side = {int(Side.CALLED)} AND outcome IN ({ANSWERED}, {MISSED})",
        then=f"GROUP BY {grouped}, c.outcome, c.ring_seconds",
        dimensions=names,
    ):
        for times in (groups.setdefault(keys(row), Times()), everything):
            times.add(*row[count:])

    def figures(times: Times) -> dict[str, Any]:
        return _figures(times, within)

    columns = (*dimension_columns(specification, environment), *_columns(within))
    return result_of(
        door,
        specification,
        environment,
        columns,
        group_rows(query, groups, figures, lambda times: times.answered.total() + times.missed),
        figures(everything),
        query=query,
        facts={"answer_within": within},
        chart=Chart(names[0], "average_seconds", additive=False),
    )


def _columns(within: int) -> tuple[Column, ...]:
    return (
        Column("called", "Called", Kind.COUNT),
        Column("answered", "Answered", Kind.COUNT),
        Column("missed", "Missed", Kind.COUNT),
        Column("answered_percent", "Answered %", Kind.NUMBER),
        Column("average_seconds", "Average s", Kind.NUMBER),
        Column("median_seconds", "Median s", Kind.NUMBER),
        Column("longest_seconds", "Longest", Kind.SECONDS),
        Column("within", f"Within {within} s", Kind.COUNT),
        Column("within_percent", f"Within {within} s %", Kind.NUMBER),
    )


def _figures(times: Times, within: int) -> dict[str, Any]:
    answered = times.answered.total()
    called = answered + times.missed
    soon = sum(calls for ring, calls in times.answered.items() if ring <= within)
    return {
        "called": called,
        "answered": answered,
        "missed": times.missed,
        "answered_percent": percent(answered, called),
        "average_seconds": quotient(
            sum(ring * calls for ring, calls in times.answered.items()), answered
        ),
        "median_seconds": median(times.answered),
        "longest_seconds": max(times.answered, default=None),
        "within": soon,
        "within_percent": percent(soon, answered),
    }
