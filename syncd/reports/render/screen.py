"""A report as a table for people: on a terminal, or as a text."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TextIO

from syncd.reports.render.bars import LONGEST, bars, map_lines
from syncd.reports.render.options import OutputOptions, counting_rule, head_lines, title_of
from syncd.reports.render.picture import Collector, HeatMap
from syncd.reports.render.table import Column as TableColumn
from syncd.reports.render.table import plain_table, width
from syncd.reports.render.texts import clean, heading_of, shown
from syncd.reports.result import Column, Result

PADDING = 2
"""Characters beside a cell of a terminal's table."""
SHORT = 8
"""Characters that a bar needs to tell something."""
LEFT_OUT = frozenset(("person", "direction", "disposition"))
"""Columns that a terminal of 100 columns has no room for."""


@dataclass(frozen=True, slots=True)
class Table:
    """A report laid out: texts by row and column, the totals below, a map of it as lines."""

    columns: list[TableColumn]
    rows: list[list[str]]
    total: list[str] | None
    map: list[str]


def table_columns(result: Result, *, wide: bool = True) -> tuple[Column, ...]:
    """Return the columns that people are shown: those that are asked for, else those that there is
    room for."""
    if result.specification.columns or not result.brief:
        return result.columns
    names = [name for name in result.brief if wide or name not in LEFT_OUT]
    return tuple(result.column(name) for name in names)


def total_texts(
    result: Result, columns: tuple[Column, ...], options: OutputOptions
) -> list[str] | None:
    """Return the totals below these columns, None without any and where no column has one: what it
    comes to says a note then. The first says what they are, unless it is summed itself."""
    if not result.totals:
        return None
    texts = [
        ""
        if (value := result.totals.get(column.name)) is None
        else shown(column, value, options.style)
        for column in columns
    ]
    if not any(texts) and "rows" not in result.totals:
        return None
    if not texts[0]:
        texts[0] = f"Total of {result.totals['rows']}" if "rows" in result.totals else "Total"
    return texts


def laid_out(result: Result, options: OutputOptions) -> Table:
    """Read the rows and return them as a table; with ``chart`` bars beside the values that its
    picture shows, or the map of them."""
    columns = table_columns(result, wide=options.wide)
    collector = Collector(result, options.style) if options.chart else None
    value = result.chart.value if result.chart and options.chart and not result.chart.across else ""
    rows: list[list[str]] = []
    values: list[Decimal | None] = []
    for row in result.rows:
        rows.append([shown(column, row[column.name], options.style) for column in columns])
        if collector is not None:
            collector.add(row)
        if value:
            values.append(_amount(row.get(value)))
    total = total_texts(result, columns, options)
    table = [
        TableColumn(heading_of(column, result.currency), column.kind.numeric) for column in columns
    ]
    if any(values):
        kept, long = _room(columns, value, [[one.heading for one in table], *rows], options)
        table = [table[place] for place in kept] + [TableColumn("")]
        marks = bars(values, long=long, plain=options.plain)
        rows = [
            [*(texts[place] for place in kept), mark]
            for texts, mark in zip(rows, marks, strict=True)
        ]
        if total is not None:
            total = [*(total[place] for place in kept), ""]
    picture = None if collector is None else collector.picture()
    lines = map_lines(picture, plain=options.plain) if isinstance(picture, HeatMap) else []
    return Table(table, rows, total, lines)


def _room(
    columns: tuple[Column, ...], value: str, lines: list[list[str]], options: OutputOptions
) -> tuple[list[int], int]:
    """Return which columns stand beside bars, and how long these are: where there is no room for a
    short one, the figures give way that it does not show."""
    everything = list(range(len(columns)))
    if options.room is None:
        return everything, LONGEST
    widths = [max(map(width, cells)) + PADDING for cells in zip(*lines, strict=True)]
    left = options.room - sum(widths) - 2 * PADDING
    if left >= SHORT:
        return everything, min(LONGEST, left)
    kept = [
        place
        for place, column in enumerate(columns)
        if not column.kind.numeric or column.name == value
    ]
    left = options.room - sum(widths[place] for place in kept) - 2 * PADDING
    return kept, min(LONGEST, max(1, left))


def _amount(value: Any) -> Decimal | None:
    try:
        return None if value is None else Decimal(value)
    except (ArithmeticError, ValueError, TypeError):
        return None


def remarks(result: Result, *, empty: bool) -> list[str]:
    """Return what is said beside a table that has been read."""
    return [*([result.empty] if empty else []), *(clean(note) for note in result.notes)]


def summary(result: Result) -> str:
    """Return in one line whose report it is, of which days, and what was counted."""
    specification, rule = result.specification, counting_rule(result)
    return (
        f"{result.report} for {clean(result.viewer)} (level {result.level}), {specification.first}"
        f" to before {specification.end}; counted: {rule}"
    )


def write_text(result: Result, stream: TextIO, options: OutputOptions) -> None:
    """Write a report as a text that stands alone: what it is, its rows, its totals, its notes."""
    title = title_of(result, options)
    stream.write(f"{title}\n{'=' * len(title)}\n\n")
    head = head_lines(result, options)
    size = max(len(label) for label, _ in head) + 2
    stream.writelines(f"{label + ':':<{size}}{text}\n" for label, text in head)
    table = laid_out(result, options)
    if table.rows or table.total is not None:
        stream.write("\n" + plain_table(table.columns, table.rows, table.total))
    if table.map:
        stream.write("\n" + "".join(f"{line}\n" for line in table.map))
    notes = remarks(result, empty=not table.rows)
    if notes:
        stream.write("\n" + "".join(f"{note}\n" for note in notes))
