"""Tables: aligned text, and the same with colours and borders for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

UNASSIGNED = "unassigned"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, whether it is set flush right, and what stands for an absent value."""

    heading: str
    right: bool = False
    absent: str = ""


def cell_text(value: Any, absent: str = "") -> str:
    """Return a value as one line of printable text.

    Control characters become spaces: names come from a directory and must not move the cursor.
    """
    if value is None:
        return absent
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if text.isprintable():
        return text
    return "".join(
        character if unicodedata.category(character)[0] != "C" else " " for character in text
    )


def width(text: str) -> int:
    """Return the columns that a text takes on a terminal: wide characters two, combining none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )


def plain_table(
    columns: Sequence[Column], rows: Iterable[Sequence[Any]], total: Sequence[Any] | None = None
) -> str:
    """Return rows as aligned text with a line of headings; ``total`` is set off below."""
    texts = [[cell_text(v, c.absent) for c, v in zip(columns, row, strict=True)] for row in rows]
    last = [] if total is None else [[cell_text(value) for value in total]]
    headings = [column.heading for column in columns]
    widths = [
        max(width(line[index]) for line in (headings, *texts, *last))
        for index in range(len(columns))
    ]
    rule = ["-" * size for size in widths]
    lines = [headings, rule, *texts]
    if last:
        lines += [rule, *last]
    return "".join(_aligned(columns, widths, line) + "\n" for line in lines)


def _aligned(columns: Sequence[Column], widths: Sequence[int], line: Sequence[str]) -> str:
    cells = []
    for column, size, text in zip(columns, widths, line, strict=True):
        gap = " " * (size - width(text))
        cells.append(gap + text if column.right else text + gap)
    return "  ".join(cells).rstrip()


def terminal_table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Any]],
    total: Sequence[Any] | None = None,
) -> None:
    """Print rows on the terminal; colours obey NO_COLOR."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_footer=total is not None)
    footers = [""] * len(columns) if total is None else [cell_text(value) for value in total]
    for column, footer in zip(columns, footers, strict=True):
        table.add_column(
            Text(column.heading),
            Text(footer),
            justify="right" if column.right else "left",
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(cell_text(v, c.absent)) for c, v in zip(columns, row, strict=True)))
    Console().print(table)
