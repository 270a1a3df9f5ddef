"""CSV that every reader takes apart as it was put together."""

from __future__ import annotations

import csv
from typing import Any, TextIO


class _Lines:
    """Ends the lines of a writer as those of text: the writer puts in quotes only what holds a
    character of its own line end, and a carriage return alone ends a line for those who read."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> int:
        return self._stream.write(line.removesuffix("\r\n") + "\n")


def csv_writer(stream: TextIO, delimiter: str = ",") -> Any:
    r"""Return a ``csv.writer`` whose lines end with ``\n``, cells with any line end in quotes."""
    return csv.writer(_Lines(stream), delimiter=delimiter, lineterminator="\r\n")
