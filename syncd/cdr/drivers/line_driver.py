"""What drivers share whose files have no header, and whose every line is a row by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from syncd.cdr.lines import RAW, read_lines
from syncd.domain.leg import Exclusion, Leg, NotCdrError, Reject


class LineDriver:
    """Reads lines; a format says what one stands for."""

    partitions = False
    grows = True
    row_quote = ""
    encoding = "utf-8"

    def wants(self, name: str) -> str:
        """Return an empty text: the option ``files`` tells which files are taken."""
        return ""

    def head(self, beginning: bytes) -> int:
        """Return 0: there is no header, every row speaks for itself."""
        return 0

    def rows(self, stream: BinaryIO, name: str) -> Iterator[tuple[int, Leg | Exclusion | Reject]]:
        """Yield (line number, leg, exclusion or reject) for each row.

        Raises NotCdrError for an empty file.
        """
        empty = True
        for line in read_lines(stream, self.encoding):
            empty = False
            trouble = line.trouble
            if not trouble:
                try:
                    yield line.number, self.leg(line.text)
                    continue
                except ValueError as error:
                    trouble = str(error)
            yield line.number, Reject(line.number, trouble, line.text[:RAW])
        if empty:
            raise NotCdrError("the file is empty")

    def leg(self, text: str) -> Leg | Exclusion:
        """Return what a line stands for. Raises ValueError."""
        raise NotImplementedError
