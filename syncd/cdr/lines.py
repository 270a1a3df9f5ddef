"""The lines of a file, one at a time and never more of one than a bound, whatever the file holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from csv import Error as CsvError
from csv import reader
from typing import BinaryIO, NamedTuple

LONGEST = 1_048_576
"""Bytes; no telephone system writes a row as long as this."""

RAW = 65_536
"""Characters of a row that are kept with its reject."""

SPAN = 20
"""Lines over which a quoted cell may reach."""


class Line(NamedTuple):
    """A line without its end; ``trouble`` says why it cannot be a row, else it is empty."""

    number: int
    text: str
    trouble: str = ""


class Row(NamedTuple):
    """The cells of a row, or why there are none; ``text`` is what stood in the file."""

    number: int
    cells: list[str]
    text: str
    trouble: str = ""


def read_lines(stream: BinaryIO, encoding: str = "utf-8", padding: str = "") -> Iterator[Line]:
    """Yield the lines that are not blank. What the encoding does not know becomes U+FFFD, line by
    line, so that one cut character costs no other. ``padding``: characters that mean nothing at both
    ends of a line."""
    number = 0
    while piece := stream.readline(LONGEST):
        number += 1
        if number == 1 and piece.startswith(b"\xef\xbb\xbf"):
            piece = piece[3:]
        if len(piece) == LONGEST and not piece.endswith(b"\n"):
            yield Line(number, piece[:RAW].decode(encoding, "replace"), "the line is too long")
            while piece and not piece.endswith(b"\n"):
                piece = stream.readline(LONGEST)
            continue
        text = piece.decode(encoding, "replace").rstrip("\r\n")
        if padding:
            text = text.strip(padding).rstrip("\r")
        if "\0" in text:
            yield Line(number, text[:RAW], "the line holds NUL bytes")
        elif text.strip():
            yield Line(number, text)


def cells_of(text: str, delimiter: str = ",", quote: str = '"') -> list[str]:
    """Return the cells of one row. Without a ``quote`` quotation marks are text like any other.

    Raises ValueError when the row is none.
    """
    if not quote:
        return text.split(delimiter)
    try:
        lines = text.splitlines(keepends=True) if "\n" in text else [text]
        return next(reader(lines, delimiter=delimiter, quotechar=quote), [])
    except CsvError as error:
        raise ValueError("a cell is longer than any line may be") from error


def read_rows(
    lines: Iterator[Line],
    *,
    delimiter: str = ",",
    quote: str = '"',
    fits: Callable[[list[str]], bool] = lambda cells: True,
) -> Iterator[Row]:
    """Yield rows of quoted cells, which may hold line ends.

    A quote that was never closed costs its own line and none of those that follow: what was joined
    must ``fit``, else every line stands for itself.
    """
    waiting: deque[Line] = deque()

    def following() -> Line | None:
        return waiting.popleft() if waiting else next(lines, None)

    while (line := following()) is not None:
        if line.trouble:
            yield Row(line.number, [], line.text, line.trouble)
            continue
        if not quote or line.text.count(quote) % 2 == 0:
            yield _row(line.number, line.text, delimiter, quote)
            continue
        taken: list[Line] = []
        text, size = line.text, len(line.text)
        while text.count(quote) % 2 and len(taken) < SPAN and size < RAW:
            more = following()
            if more is None:
                break
            taken.append(more)
            if more.trouble:
                break
            # Blank lines within a cell were dropped by the reader of lines.
            text = f"{text}\n{more.text}"
            size += len(more.text)
        joined = _row(line.number, text, delimiter, quote)
        if taken and text.count(quote) % 2 == 0 and not joined.trouble and fits(joined.cells):
            yield joined
            continue
        waiting.extendleft(reversed(taken))
        yield Row(line.number, [], line.text, "a quotation mark is not closed")


def _row(number: int, text: str, delimiter: str, quote: str) -> Row:
    try:
        return Row(number, cells_of(text, delimiter, quote), text)
    except ValueError as error:
        return Row(number, [], text, str(error))
