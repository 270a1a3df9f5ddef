"""The rows of a report of sums: their order, the others in one row, sub-totals (pure).

A group is its keys with its sums of each period that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import total_ordering
from typing import Any

from syncd.reports.dimensions import DIMENSIONS
from syncd.reports.measures import Figure, Named, number, shown_by
from syncd.reports.specification import Specification

Key = str | int | None
Keys = tuple[Key, ...]
Periods = tuple[Named, ...]

KIND = "row"
"""Beside the columns, what a row is where it is no group."""
OTHERS, SUBTOTAL = "others", "subtotal"


@dataclass(frozen=True, slots=True)
class Group:
    """A group. What is shown for its keys is looked up when it is shown, or when its place depends on
    it: of thousands of people a report may show twenty."""

    keys: Keys
    sums: Periods
    kind: str = ""
    labels: tuple[Any, ...] | None = None
    """What is shown in the place of keys, for a row that is no group."""


@total_ordering
class _ByKeys:
    """The place of a group by its keys, worked out when two groups are alike in all else."""

    __slots__ = ("_order", "_table", "group", "names")

    def __init__(self, table: Table, names: Sequence[str], group: Group) -> None:
        self._table, self.names, self.group = table, names, group
        self._order: list[tuple[bool, int, str, str]] | None = None

    @property
    def order(self) -> list[tuple[bool, int, str, str]]:
        if self._order is None:
            self._order = self._table.keys_order(self.names, self.group.keys)
        return self._order

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByKeys) and self.order == other.order

    def __lt__(self, other: _ByKeys) -> bool:
        return self.order < other.order

    __hash__ = None  # type: ignore[assignment]


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
        self._shown = {figure.name: shown_by(figure) for figure in figures}
        self._totals = totals
        self._look_up = label
        self._labels: dict[tuple[str, Key], Any] = {}
        self._orders: dict[tuple[str, Key], tuple[bool, int, str, str]] = {}

    def rows(self, sums: Mapping[Keys, Periods]) -> list[dict[str, Any]]:
        """Return the rows of groups by their keys."""
        specification = self._specification
        groups = [Group(keys, of_group) for keys, of_group in sums.items()]
        if specification.subtotals:
            ordered = self._with_subtotals(groups)
        else:
            ordered = self._ordered(groups, specification.dimensions)
            if specification.top is not None:
                ordered = self._with_others(ordered)
        return [self._row(group) for group in ordered[: specification.limit]]

    def figures(self, sums: Periods) -> dict[str, Any]:
        """Return the values of the numeric columns."""
        totals = self._totals
        return {name: show(sums, totals) for name, show in self._shown.items()}

    def _label(self, name: str, key: Key) -> Any:
        """Return what is shown for a key; it is looked up once."""
        of = (name, key)
        if of not in self._labels:
            self._labels[of] = self._look_up(name, key)
        return self._labels[of]

    def keys_order(self, names: Sequence[str], keys: Keys) -> list[tuple[bool, int, str, str]]:
        """Return what the keys of a group are sorted by."""
        found = []
        for of in zip(names, keys, strict=True):
            order = self._orders.get(of)
            if order is None:
                order = self._orders[of] = key_order(*of, self._label(*of))
            found.append(order)
        return found

    def _row(self, group: Group) -> dict[str, Any]:
        names = self._specification.dimensions
        row: dict[str, Any]
        if group.labels is None:
            row = {of[0]: self._label(*of) for of in zip(names, group.keys, strict=True)}
        else:
            row = dict(zip(names, group.labels, strict=True))
        row |= self.figures(group.sums)
        if group.kind:
            row[KIND] = group.kind
        return row

    def _ordered(self, groups: Iterable[Group], names: Sequence[str]) -> list[Group]:
        """Return groups in the order that is asked for; else the costliest first, then those with
        most rows that have no price, then by key; in the order of time where time is a
        dimension. What has no value comes last."""
        specification = self._specification
        if any(DIMENSIONS[name].temporal for name in names):
            ordered = sorted(groups, key=lambda group: self.keys_order(names, group.keys))
        else:

            def costliest(group: Group) -> tuple[int, int, _ByKeys]:
                now = group.sums[0]
                return -now["cost"], -now["unrated"], _ByKeys(self, names, group)

            ordered = sorted(groups, key=costliest)
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
                key=lambda group: self.keys_order((name,), (group.keys[place],)), reverse=falling
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
        return [*first, Group((), added(one.sums for one in rest), OTHERS, (names, *blanks))]

    def _with_subtotals(self, groups: list[Group]) -> list[Group]:
        """Return the groups of each value of the first dimension together, with their sum after
        them."""
        outer, inner = self._specification.dimensions
        parts: dict[Key, list[Group]] = {}
        for group in groups:
            parts.setdefault(group.keys[0], []).append(group)
        sums = [
            Group((key,), added(one.sums for one in part), SUBTOTAL) for key, part in parts.items()
        ]
        ordered: list[Group] = []
        for group in self._ordered(sums, (outer,)):
            ordered += self._ordered(parts[group.keys[0]], (outer, inner))
            label = self._label(outer, group.keys[0])
            ordered.append(Group(group.keys, group.sums, SUBTOTAL, (label, SUBTOTAL)))
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


def key_order(name: str, key: Key, label: Any) -> tuple[bool, int, str, str]:
    """Return what a key is sorted by: unassigned last, time and numbers by size, names by name."""
    if key is None:
        return (True, 0, "", "")
    if DIMENSIONS[name].temporal or name == "party":
        return (False, int(key), "", "")
    return (False, 0, str(label).casefold(), f"{label}\0{key}")
