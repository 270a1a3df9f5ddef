"""What a picture of a report shows, whatever draws it: at most twenty bars, a line over time, or a
map of two things that cross."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from syncd.reports.dimensions import WEEKDAYS
from syncd.reports.render.texts import ISO, OTHERS, Style, heading_of, number_text, shown
from syncd.reports.result import Column, Kind, Result

MOST_BARS = 20
"""Bars that the eye takes in; what is beyond is one bar together."""
MOST_POINTS = 1000
LONGEST_LABEL = 60
HOURS = tuple(map(str, range(24)))
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_OTHERS = re.compile(rf"\d+ {OTHERS}", re.ASCII)
"""What a report itself calls the rows beyond its highest: no bar among the others."""
MOST_CELLS = 62
"""Columns of a map, and rows."""


@dataclass(frozen=True, slots=True)
class Point:
    """A value and what it is of."""

    label: str
    value: Decimal
    text: str
    """The value as people read it."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Values beside one another, the largest first; ``over_time`` they follow one another instead
    and a line joins them."""

    heading: str
    points: tuple[Point, ...]
    over_time: bool = False
    seconds: bool = False
    """The values are durations."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Values of what crosses: a row for each label of the one, a column for each of the other."""

    heading: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Point | None, ...], ...]
    """By row, then column."""


Picture = Bars | HeatMap


class Collector:
    """Gathers a picture while the rows go by, so that they are read once."""

    def __init__(self, result: Result, style: Style = ISO) -> None:
        chart = result.chart
        by_name = {column.name: column for column in result.columns}
        self.heading = ""
        self._style = style
        self._values: dict[tuple[str, ...], Decimal] = {}
        self._labels: tuple[Column, ...] = ()
        self._value: Column | None = None
        self._over_time = False
        if chart is None or chart.label not in by_name or chart.value not in by_name:
            return
        self._value = by_name[chart.value]
        self._over_time = chart.over_time
        if chart.across in by_name:
            self._labels = (by_name[chart.label], by_name[chart.across])
        else:
            self._labels = (by_name[chart.label],)
        # Two rows of one label are two bars, told apart by what else stands in them; over time and
        # in a map they are one value.
        self._apart = (
            ()
            if chart.over_time or chart.across
            else tuple(
                column
                for column in result.columns
                if column.kind is Kind.TEXT and column.name != chart.label
            )
        )
        self._additive = self._value.kind is not Kind.NUMBER and chart.additive
        self.heading = (
            f"{heading_of(self._value, result.currency)} by {self._labels[0].heading.lower()}"
        )
        if chart.across:
            self.heading += f" and {self._labels[-1].heading.lower()}"

    def add(self, row: dict[str, Any]) -> None:
        """Take in a row."""
        if self._value is None:
            return
        value = row[self._value.name]
        if value is None or isinstance(value, bool):
            return
        try:
            amount = Decimal(value)
        except (ArithmeticError, ValueError, TypeError):
            return
        columns = (*self._labels, *self._apart)
        if self._over_time:
            key: tuple[str, ...] = (str(row[self._labels[0].name] or ""),)
        else:
            key = tuple(shown(column, row[column.name], self._style) for column in columns)
        if key in self._values and self._additive:
            amount += self._values[key]
        self._values[key] = amount

    def picture(self) -> Picture | None:
        """Return the picture of the rows so far, None when there is nothing to see."""
        if self._value is None or not any(self._values.values()):
            return None
        if len(self._labels) > 1:
            return self._map()
        return self._bars()

    def _point(self, label: str, amount: Decimal) -> Point:
        assert self._value is not None
        if len(label) > LONGEST_LABEL:
            label = label[: LONGEST_LABEL - 1] + "…"
        if self._value.kind is Kind.SECONDS:
            text = shown(self._value, int(amount), self._style)
        else:
            text = number_text(_decimal(amount, self._value.kind), self._style)
        return Point(label, amount, text)

    def _bars(self) -> Bars:
        items = list(self._values.items())
        seconds = self._value is not None and self._value.kind is Kind.SECONDS
        if self._over_time:
            times = {key[0]: amount for key, amount in items}
            if self._additive:
                times = without_gaps(times)
            points = tuple(
                self._point(shown(self._labels[0], label or None, self._style), amount)
                for label, amount in islice(times.items(), MOST_POINTS)
            )
            return Bars(self.heading, points, over_time=True, seconds=seconds)
        items.sort(key=lambda item: (_OTHERS.fullmatch(item[0][0]) is not None, -item[1]))
        kept, rest = items, items[:0]
        if len(items) > MOST_BARS:
            kept, rest = items[: MOST_BARS - 1], items[MOST_BARS - 1 :]
        labels = _told_apart([key for key, _ in kept])
        points = tuple(
            self._point(label, amount) for label, (_, amount) in zip(labels, kept, strict=True)
        )
        if rest and self._additive:
            together = sum((amount for _, amount in rest), Decimal(0))
            points = (*points, self._point(f"{len(rest)} {OTHERS}", together))
        elif rest:
            points = (*points, self._point(labels_of(rest[0][0]), rest[0][1]))
        return Bars(self.heading, points, seconds=seconds)

    def _map(self) -> HeatMap:
        rows = _in_order({key[0] for key in self._values}, [key[0] for key in self._values])
        columns = _in_order({key[1] for key in self._values}, [key[1] for key in self._values])
        cells = tuple(
            tuple(
                self._point(f"{row} {column}", self._values[row, column])
                if (row, column) in self._values
                else None
                for column in columns
            )
            for row in rows
        )
        return HeatMap(self.heading, tuple(rows), tuple(columns), cells)


def _in_order(labels: set[str], found: list[str]) -> list[str]:
    """Return labels in the order of hours or weekdays where they are such, else as they came."""
    if labels <= set(HOURS):
        return list(HOURS)
    if labels <= set(WEEKDAYS):
        return list(WEEKDAYS)
    return list(dict.fromkeys(found))[:MOST_CELLS]


def without_gaps(times: dict[str, Decimal]) -> dict[str, Decimal]:
    """Return values by day or by month in their order, nothing for those between that have none;
    values by anything else as they are."""
    words = sorted(times)
    for pattern, after in ((_DAY, _day_after), (_MONTH, _month_after)):
        if words and all(map(pattern.fullmatch, words)):
            filled: dict[str, Decimal] = {}
            word = words[0]
            while word <= words[-1] and len(filled) < MOST_POINTS:
                filled[word] = times.get(word, Decimal(0))
                word = after(word)
            return filled
    return times


def _day_after(word: str) -> str:
    return (date.fromisoformat(word) + timedelta(days=1)).isoformat()


def _month_after(word: str) -> str:
    year, month = map(int, word.split("-"))
    return f"{year + month // 12:04d}-{month % 12 + 1:02d}"


def _decimal(amount: Decimal, kind: Kind) -> str:
    """Return an amount without the zeros at its end, money with two decimals at least."""
    whole, _, rest = f"{amount:f}".partition(".")
    rest = rest.rstrip("0")
    if kind is Kind.MONEY:
        rest = rest.ljust(2, "0")
    return f"{whole}.{rest}" if rest else whole


def labels_of(key: tuple[str, ...]) -> str:
    """Return the whole label of a bar."""
    return ", ".join(filter(None, key))


def _told_apart(keys: list[tuple[str, ...]]) -> list[str]:
    """Return a label for each bar: the first part, and the others where two have the same."""
    first = [key[0] for key in keys]
    return [labels_of(key) if first.count(key[0]) > 1 else key[0] for key in keys]


def collected(result: Result, style: Style = ISO) -> tuple[Result, Callable[[], Picture | None]]:
    """Return the report whose rows are gathered on their way, and what gives the picture when they
    have been read."""
    collector = Collector(result, style)

    def rows() -> Any:
        for row in result.rows:
            collector.add(row)
            yield row

    return replace(result, rows=rows()), collector.picture
