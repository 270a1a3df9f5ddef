"""The rows of a report of sums: their order, the others in one row, sub-totals (pure).

A group is its keys with its sums of each period that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syncd.reports.dimensions import DIMENSIONS
from syncd.reports.measures import Figure, Named, number, shown
from syncd.reports.specification import Specification

Key = str | int | None
Keys = tuple[Key, ...]
Periods = tuple[Named, ...]

KIND = "row"
"""Beside the columns, what a row is where it is no group."""
OTHERS, SUBTOTAL = "others", "subtotal"


@dataclass(frozen=True, slots=True)
class Group:
    """A group, with what is shown for its keys."""

    keys: Keys
    labels: tuple[Any, ...]
    sums: Periods
    kind: str = ""


class Table:
    """The groups of a specification, and how they become rows."""

    def __init__(
        self,
        specification: Specification,
        figures: Sequence[Figure],
        totals: Periods,
        label: Callable[[str, Key], Any],
    ) -> None:
        self._specification = specification
        self._figures = {figure.name: figure for figure in figures}
        self._totals = totals
        self._label = label

    def rows(self, sums: Mapping[Keys, Periods]) -> list[dict[str, Any]]:
        """Return the rows of groups by their keys."""
        specification = self._specification
        groups = [
            Group(keys, self._labels(specification.dimensions, keys), of_group)
            for keys, of_group in sums.items()
        ]
        if specification.subtotals:
            ordered = self._with_subtotals(groups)
        else:
            ordered = self._ordered(groups, specification.dimensions)
            if specification.top is not None:
                ordered = self._with_others(ordered)
        return [self._row(group) for group in ordered[: specification.limit]]

    def figures(self, sums: Periods) -> dict[str, Any]:
        """Return the values of the numeric columns."""
        return {
            name: shown(figure, number(figure, sums, self._totals))
            for name, figure in self._figures.items()
        }

    def _labels(self, names: Sequence[str], keys: Keys) -> tuple[Any, ...]:
        return tuple(self._label(name, key) for name, key in zip(names, keys, strict=True))

    def _row(self, group: Group) -> dict[str, Any]:
        labels = dict(zip(self._specification.dimensions, group.labels, strict=True))
        row = {**labels, **self.figures(group.sums)}
        return {**row, KIND: group.kind} if group.kind else row

    def _ordered(self, groups: Iterable[Group], names: Sequence[str]) -> list[Group]:
        """Return groups in the order that is asked for; else the costliest first, then those with
        most rows that have no price, then by key; in the order of time where time is a
        dimension. What has no value comes last."""
        specification = self._specification
        ordered = sorted(groups, key=lambda group: _keys_order(names, group))
        if not any(DIMENSIONS[name].temporal for name in names):
            ordered.sort(key=lambda group: (-group.sums[0]["cost"], -group.sums[0]["unrated"]))
        sort = specification.sort
        if specification.top is not None and not sort:
            sort = (f"-{main_measure(specification.measures)}",)
        for field in reversed(sort):
            ordered = self._sorted(ordered, names, field)
        return ordered

    def _sorted(self, groups: list[Group], names: Sequence[str], field: str) -> list[Group]:
        name, falling = field.removeprefix("-"), field.startswith("-")
        figure = self._figures.get(name)
        if figure is None:
            if name not in names:
                return groups  # the second dimension says nothing about sub-totals
            place = names.index(name)
            there = [group for group in groups if group.keys[place] is not None]
            there.sort(
                key=lambda group: key_order(name, group.keys[place], group.labels[place]),
                reverse=falling,
            )
            return there + [group for group in groups if group.keys[place] is None]
        values = [(number(figure, group.sums, self._totals), group) for group in groups]
        some = [(value, group) for value, group in values if value is not None]
        some.sort(key=lambda one: one[0], reverse=falling)
        return [group for _, group in some] + [group for value, group in values if value is None]

    def _with_others(self, groups: list[Group]) -> list[Group]:
        """Return the first groups, and the others as one."""
        first, rest = groups[: self._specification.top], groups[self._specification.top :]
        if not rest:
            return first
        names = f"{len(rest)} {'other' if len(rest) == 1 else OTHERS}"
        blanks = ("",) * (len(self._specification.dimensions) - 1)
        return [*first, Group((), (names, *blanks), added(one.sums for one in rest), OTHERS)]

    def _with_subtotals(self, groups: list[Group]) -> list[Group]:
        """Return the groups of each value of the first dimension together, with their sum after
        them."""
        outer, inner = self._specification.dimensions
        parts: dict[Key, list[Group]] = {}
        for group in groups:
            parts.setdefault(group.keys[0], []).append(group)
        sums = [
            Group((key,), self._labels((outer,), (key,)), added(one.sums for one in part), SUBTOTAL)
            for key, part in parts.items()
        ]
        ordered: list[Group] = []
        for group in self._ordered(sums, (outer,)):
            ordered += self._ordered(parts[group.keys[0]], (outer, inner))
            label = group.labels[0]
            ordered.append(Group(group.keys, (label, SUBTOTAL), group.sums, SUBTOTAL))
        return ordered


def main_measure(measures: Sequence[str]) -> str:
    """Return the measure that stands for the others, in charts and for the highest groups."""
    return "cost" if "cost" in measures else measures[0]


def added(groups: Iterable[Periods]) -> Periods:
    """Return the sums of groups together."""
    return tuple(
        {name: sum(one[name] for one in of_period) for name in of_period[0]}
        for of_period in zip(*groups, strict=True)
    )


def _keys_order(names: Sequence[str], group: Group) -> list[tuple[bool, int, str, str]]:
    return [
        key_order(name, key, label)
        for name, key, label in zip(names, group.keys, group.labels, strict=True)
    ]


def key_order(name: str, key: Key, label: Any) -> tuple[bool, int, str, str]:
    """Return what a key is sorted by: unassigned last, time and numbers by size, names by name."""
    if key is None:
        return (True, 0, "", "")
    if DIMENSIONS[name].temporal or name == "party":
        return (False, int(key), "", "")
    return (False, 0, str(label).casefold(), f"{label}\0{key}")
