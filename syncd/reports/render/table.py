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
    """Print rows on the terminal; colours obey NO_COLOR.

    Where they are wider than the terminal, columns in which nothing stands are left out, numbers
    stay whole, and long texts go on in the next line.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    texts = [[cell_text(v, c.absent) for c, v in zip(columns, row, strict=True)] for row in rows]
    footers = [""] * len(columns) if total is None else [cell_text(value) for value in total]
    cells = list(zip(*texts, footers, strict=True)) or [()] * len(columns)
    widths = [max(map(width, column), default=0) for column in cells]
    whole = [max(width(c.heading), size) for c, size in zip(columns, widths, strict=True)]
    wide = sum(whole) + 2 * len(whole) > console.width
    kept = [index for index, size in enumerate(widths) if size or not wide]
    words = [max(map(len, column.heading.split()), default=0) for column in columns]
    least = [
        max(word, size) if column.right else min(word, size)
        for column, word, size in zip(columns, words, widths, strict=True)
    ]
    if sum(least[index] + 2 for index in kept) > console.width:
        least = [1] * len(columns)  # else the last ones would not be seen at all
    table = Table(box=box.SIMPLE_HEAD, show_footer=total is not None, collapse_padding=wide)
    for index in kept:
        column = columns[index]
        table.add_column(
            Text(column.heading),
            Text(footers[index]),
            justify="right" if column.right else "left",
            overflow="fold",
            min_width=least[index],
        )
    for line in texts:
        table.add_row(*(Text(line[index]) for index in kept))
    console.print(table)
