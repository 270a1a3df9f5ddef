"""A file in parts of whole rows, so that neither a growing nor a huge file is ever in memory whole.

A part ends where a row ends. What follows the last whole row waits for more, unless the file is
known to be complete. Every later part is read by the driver behind the file's head: the lines that
explain the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

from syncd.cdr.lines import LONGEST, SPAN
from syncd.domain.leg import CarryingDriver, CdrDriver

PART = 4 * 1024 * 1024
"""Bytes after which a part ends with the next row."""

BEGINNING = 256 * 1024
"""Bytes in which the head of a file must stand."""


class Part(NamedTuple):
    """Whole rows of a file. Of a line that is too long only the beginning is kept."""

    data: bytes
    end: int
    """Bytes from the beginning of the file up to which it was read."""
    lines: int
    """Lines that stood in it."""


class Traits(NamedTuple):
    """What a driver says of its files."""

    grows: bool
    quote: str


def traits(driver: CdrDriver) -> Traits:
    """Return what a driver declares; one that declares nothing reads whole files, in which quoted
    cells may hold line ends."""
    return Traits(
        bool(getattr(driver, "grows", False)),
        str(getattr(driver, "row_quote", '"')),
    )


def head_of(driver: CdrDriver, beginning: bytes) -> bytes:
    """Return the lines at the beginning of a file that explain its rows, such as a header.

    ``beginning`` may be cut anywhere after those lines. Raises NotCdrError.
    """
    measure = getattr(driver, "head", None)
    return beginning[: measure(beginning)] if measure is not None else b""


def carries(driver: CdrDriver) -> bool:
    """Tell whether lines within a file explain the rows after them, such as one with their date."""
    return bool(getattr(driver, "carries", False))


def carried(driver: CdrDriver, head: bytes, data: bytes) -> bytes:
    """Return the lines that explain the rows after a stretch of a file, given those that explain its
    rows."""
    return cast(CarryingDriver, driver).carry(head, data) if carries(driver) else head


def rows_end(data: bytes, count: int, quote: str = "") -> int:
    """Return how many bytes the first ``count`` rows take that are not blank, 0 when there are
    fewer."""
    end, open_quote = 0, False
    while count > 0:
        start, end = end, data.find(b"\n", end) + 1
        if not end:
            return 0
        line = data[start:end]
        if quote and line.count(quote.encode()) % 2:
            open_quote = not open_quote
        if not open_quote and line.strip(b"\xef\xbb\xbf \t\r\n"):
            count -= 1
    return end


def parts(
    stream: BinaryIO, position: int = 0, *, quote: str, final: bool, size: int = PART
) -> Iterator[Part]:
    """Yield the rows of a stream that stands at ``position`` (bytes from the beginning).

    ``quote`` is the quotation mark within which a row may hold line ends. With ``final`` the last
    line needs no line feed, without it an unfinished row is left for another time.
    """
    mark = quote.encode()
    rows: list[bytes] = []
    held, end, lines = 0, position, 0
    unclosed: list[tuple[bytes, int]] = []
    for line, length in _lines(stream, final):
        fresh = [(line, length)]
        while fresh:
            item = fresh.pop(0)
            odd = bool(mark) and item[0].count(mark) % 2 == 1
            if odd or unclosed:
                unclosed.append(item)
            if unclosed and len(unclosed) > 1 and odd:
                taken, unclosed = unclosed, []
            elif len(unclosed) > SPAN:
                # Never closed: the line stands for itself, and those after it are looked at again.
                taken, fresh, unclosed = unclosed[:1], unclosed[1:] + fresh, []
            elif unclosed:
                continue
            else:
                taken = [item]
            rows += [text for text, _ in taken]
            held += sum(len(text) for text, _ in taken)
            end += sum(length for _, length in taken)
            lines += len(taken)
        if held >= size:
            yield Part(b"".join(rows), end, lines)
            rows, held, lines = [], 0, 0
    if final and unclosed:
        rows += [text for text, _ in unclosed]
        end += sum(length for _, length in unclosed)
        lines += len(unclosed)
    if rows:
        yield Part(b"".join(rows), end, lines)


def _lines(stream: BinaryIO, final: bool) -> Iterator[tuple[bytes, int]]:
    """Yield each line, its beginning alone where it is too long, and how many bytes it takes."""
    while line := stream.readline(LONGEST + 1):
        length = len(line)
        if length > LONGEST and not line.endswith(b"\n"):
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = stream.readline(LONGEST)
                length += len(rest)
            if not rest and not final:
                return
            yield line + b"\n", length
            continue
        if not line.endswith(b"\n") and not final:
            return
        yield line, length
