"""The driver ``delimited``: any table of calls as text, described wholly in the INI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from functools import lru_cache
from typing import BinaryIO
from zoneinfo import ZoneInfo

from syncd.cdr.driver_options import DriverWithOptions, Values
from syncd.cdr.drivers.delimited_row import RowReader
from syncd.cdr.drivers.table_options import (
    DELIMITER,
    FREE_COLUMNS,
    LEAST_COLUMNS,
    MEANING,
    NAMES,
    QUOTE,
    QUOTES,
    TEXT_ENCODING,
)
from syncd.cdr.drivers.table_rules import rules_of
from syncd.cdr.expressions import places_of
from syncd.cdr.lines import RAW, Line, Row, read_lines, read_rows
from syncd.cdr.neutral import RowError
from syncd.cdr.parts import rows_end
from syncd.domain.leg import Exclusion, Leg, NotCdrError, Reject
from syncd.settings import values
from syncd.settings.option import Option

OPTIONS = (
    DELIMITER,
    QUOTE,
    TEXT_ENCODING,
    Option("skip_lines", values.integer(0), "0", "Lines before the header or the first row."),
    Option("header", values.FLAG, "yes", "Whether a first row names the columns."),
    Option(
        "columns",
        NAMES,
        "",
        "Names of the columns, separated by commas, where no header has them.",
        "date, time, extension, dialled, duration",
    ),
    LEAST_COLUMNS,
    FREE_COLUMNS,
    *MEANING,
)

MOST_JOINED = 8
"""Delimiters within free texts of one row that are put right."""


class Delimited:
    """A ``delimited`` source as its section describes it."""

    partitions = False

    def __init__(
        self,
        options: Values,
        zone: ZoneInfo,
        *,
        name: str = "delimited",
        grows: bool = False,
        others: Sequence[Values] = (),
    ) -> None:
        """``others``: options for rows of other widths where there is no header; a row goes by the
        widest description that it fills. Raises OptionsError."""
        self.name, self.grows = name, grows
        self._options = options
        self._quote = self.row_quote = QUOTES[options["quote"]]
        versions = [rules_of(one, zone) for one in (options, *others)]
        self._versions = sorted(versions, key=lambda rules: -rules.width)
        self._reader = lru_cache(maxsize=8)(self._bound)

    def wants(self, name: str) -> str:
        """Return an empty text: the option ``files`` tells which files are taken."""
        return ""

    def written(self, moment: int) -> Delimited:
        """Return the driver for a file that was last written at a moment (epoch seconds), by which
        times without a year are read."""
        if not any(rules.lacks_year for rules in self._versions):
            return self
        driver = copy(self)
        driver._versions = [rules.written(moment) for rules in self._versions]
        driver._reader = lru_cache(maxsize=8)(driver._bound)
        return driver

    def head(self, beginning: bytes) -> int:
        """Return the bytes of the lines that are skipped and of the header."""
        end = 0
        for _ in range(self._options["skip_lines"]):
            end = beginning.find(b"\n", end) + 1
            if not end:
                return 0
        if not self._options["header"]:
            return end
        header = rows_end(beginning[end:], 1, self.row_quote)
        return end + header if header else 0

    def rows(self, stream: BinaryIO, name: str) -> Iterator[tuple[int, Leg | Exclusion | Reject]]:
        """Yield (line number, leg, exclusion or reject) for each row.

        Raises NotCdrError when the header lacks columns, or when there is none.
        """
        options = self._options
        skipped = options["skip_lines"]
        lines = (one for one in read_lines(stream, options["encoding"]) if one.number > skipped)
        header: list[str] = list(options["columns"])
        exact = bool(options["header"])
        if exact:
            header = self._header(lines)
        readers = [self._reader(index, tuple(header)) for index in range(len(self._versions))]
        least = len(header) if exact else max(len(header), self._versions[-1].width)

        def fits(cells: list[str]) -> bool:
            return len(cells) == least if exact else len(cells) >= least

        empty = not exact
        rows = read_rows(lines, delimiter=options["delimiter"], quote=self._quote, fits=fits)
        for row in rows:
            empty = False
            trouble = row.trouble
            if not trouble and exact and row.cells == header:
                continue  # files that were put one after the other
            cells = row.cells
            reader = readers[-1]
            if not exact:
                reader = next((one for one in readers if one.width <= len(cells)), reader)
                cells = self._joined(cells, reader)
            if not trouble and not fits(cells):
                trouble = f"{len(cells)} columns where {least} are expected"
            if not trouble:
                try:
                    yield row.number, reader.leg(cells)
                    continue
                except RowError as error:
                    trouble = str(error)
            yield row.number, Reject(row.number, trouble, row.text[:RAW])
        if empty:
            raise NotCdrError("the file is empty")

    def _joined(self, cells: list[str], reader: RowReader) -> list[str]:
        """Return the cells with one free text put together again that held delimiters, where only
        that makes a row of them."""
        free = self._options["free_columns"]
        surplus = len(cells) - reader.width
        if not free or surplus < 1 or reader.valid(cells):
            return cells
        for count in range(1, min(surplus, MOST_JOINED) + 1):
            for place in free:
                text = self._options["delimiter"].join(cells[place - 1 : place + count])
                trial = [*cells[: place - 1], text, *cells[place + count :]]
                if reader.valid(trial):
                    return trial
        return cells

    def _header(self, lines: Iterator[Line]) -> list[str]:
        """Return the names in the first row. Raises NotCdrError."""
        first: Row | None = next(
            read_rows(lines, delimiter=self._options["delimiter"], quote=self._quote), None
        )
        if first is None:
            raise NotCdrError("the file is empty")
        if first.trouble:
            raise NotCdrError(f"the header cannot be read: {first.trouble}")
        return first.cells

    def _bound(self, version: int, header: tuple[str, ...]) -> RowReader:
        """Return the rules for files with this header. Raises NotCdrError."""
        rules = self._versions[version]
        if self._options["header"] and len(header) < rules.width:
            raise NotCdrError(f"the header has {len(header)} columns, not {rules.width}")
        places = places_of(list(header))
        missing = rules.missing(places)
        if missing:
            raise NotCdrError(f"the header lacks {', '.join(missing)}")
        return RowReader(rules, places)


delimited = DriverWithOptions(
    "delimited", "any table of calls as text, described in the INI", OPTIONS, Delimited
)
