"""Tables: aligned text, and the same with colours and borders for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

UNASSIGNED = "unassigned"
NOTHING = "-"
"""Stands in cells in which nothing does."""
WORD, DAY = 20, 10
"""Characters of words that are not cut where there is room, and of a day."""


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
    widths = [max((width(text) for text in one if text != NOTHING), default=0) for one in cells]
    whole = [max(width(c.heading), size) for c, size in zip(columns, widths, strict=True)]
    tight = sum(whole) + 3 * len(whole) + 1 > console.width
    wide = sum(whole) + 2 * len(whole) + 2 > console.width
    kept = [index for index, size in enumerate(widths) if size or not wide]
    chosen, padding = None, 1
    if tight:
        chosen, padding = _narrowed(columns, cells, widths, whole, kept, console.width)
    table = Table(
        box=box.SIMPLE_HEAD,
        show_footer=total is not None,
        collapse_padding=tight,
        padding=(0, padding),
        pad_edge=bool(padding),
    )
    for index in kept:
        column = columns[index]
        table.add_column(
            Text(column.heading),
            Text(footers[index]),
            justify="right" if column.right else "left",
            overflow="fold",
            min_width=1,
            width=None if chosen is None else chosen[index],
        )
    for line in texts:
        table.add_row(*(Text(line[index]) for index in kept))
    console.print(table)


def _narrowed(
    columns: Sequence[Column],
    cells: Sequence[Sequence[str]],
    widths: Sequence[int],
    whole: Sequence[int],
    kept: Sequence[int],
    room: int,
) -> tuple[list[int] | None, int]:
    """Return how wide each column is, so that the kept ones fit into the room, and the blanks beside
    a cell. Given up in this order: blanks, long words, shorter ones, headings. None, where that is not
    enough: all columns share the room, else the last ones would not be seen at all."""
    headings = [max(map(len, column.heading.split()), default=0) for column in columns]
    for longest, padding in ((WORD, 1), (WORD, 0), (DAY, 1), (DAY, 0), (0, 0)):
        found = []
        for column, one, heading, size in zip(columns, cells, headings, widths, strict=True):
            sizes = (width(word) for text in one for word in text.split())
            word = max((size for size in sizes if size <= longest), default=0)
            found.append(max(heading, size) if column.right else min(max(heading, word), size))
        left = room - (len(kept) + 1) * (1 + padding) - sum(found[index] for index in kept)
        if left >= 0:
            for index in sorted(kept, key=lambda one: whole[one] - found[one]):
                more = min(left, whole[index] - found[index])
                found[index] += more
                left -= more
            found[kept[0]] += padding  # rich forgets the blank before the first column
            return found, padding
    return None, 0
