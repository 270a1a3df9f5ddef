"""The driver ``fixed-width``: tables whose columns stand at fixed positions of a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zoneinfo import ZoneInfo

from syncd.cdr.driver_options import DriverWithOptions, OptionProblem, OptionsError, Values
from syncd.cdr.drivers.delimited_row import RowReader
from syncd.cdr.drivers.table_options import MEANING, TEXT_ENCODING
from syncd.cdr.drivers.table_rules import rules_of
from syncd.cdr.expressions import normal
from syncd.cdr.lines import RAW, read_lines
from syncd.cdr.neutral import RowError
from syncd.domain.leg import Exclusion, Leg, NotCdrError, Reject
from syncd.settings import values
from syncd.settings.option import Option
from syncd.settings.values import BadValue, Kind

DATE_LINE = "date line"
"""Name of the column that holds the date which a line of its own gave to the rows after it."""

NEEDED = ("start", "end", "duration", "calling", "called")
"""A line that ends before the columns of these is cut."""


class Place(NamedTuple):
    """A column of a line: its name, and the index at which it begins and that after its end."""

    name: str
    start: int
    end: int


def _places(text: str, base: Path) -> tuple[Place, ...]:
    places: dict[str, Place] = {}
    for part in values.one_line(text).split(","):
        found = re.fullmatch(r"\s*([^:]*[^:\s])\s*:\s*(\d{1,5})\s*:\s*(\d{1,5})\s*", part, re.ASCII)
        if not found or not int(found[2]) or not int(found[3]):
            hint = "name:start:length, the first character is 1, such as dialled:21:15"
            raise BadValue(f"{part.strip()!r} is not a column", hint)
        name, start = normal(found[1]), int(found[2]) - 1
        if name in places or name == DATE_LINE:
            raise BadValue(f"the column {name} stands twice", "remove one")
        places[name] = Place(name, start, start + int(found[3]))
    return tuple(places.values())


def _date_line(text: str, base: Path) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise BadValue(f"{text!r} is not a regular expression: {error}") from None
    if not pattern.groups:
        raise BadValue(f"{text!r} has no group", r"such as ^(\d\d/\d\d)$")
    return pattern


COLUMNS = Option(
    "columns",
    Kind("name:start:length", _places, ()),
    None,
    "The columns, separated by commas: name, first character (from 1) and length.",
    "time:1:4, duration:6:4, dialled:21:15, extension:37:5",
)
DATE_LINES = Option(
    "date_line",
    Kind("regular expression", _date_line),
    "",
    "What a line looks like that holds nothing but the date of the rows after it. Its first group is"
    f" the column “{DATE_LINE}”.",
    r"^\s*(\d\d/?\d\d)\s*$",
)
LEAST_LENGTH = Option(
    "least_length",
    values.integer(0),
    "0",
    "A shorter line is rejected; 0: it must reach the end of the columns of times, duration and"
    " numbers.",
)
OPTIONS = (COLUMNS, DATE_LINES, LEAST_LENGTH, TEXT_ENCODING, *MEANING)


class FixedWidth:
    """A ``fixed-width`` source as its section describes it."""

    partitions = False
    row_quote = ""

    def __init__(
        self, options: Values, zone: ZoneInfo, *, name: str = "fixed-width", grows: bool = False
    ) -> None:
        """Raises OptionsError."""
        self.name, self.grows = name, grows
        self._columns: tuple[Place, ...] = options["columns"]
        self._date_line: re.Pattern[str] | None = options["date_line"]
        self._encoding = options["encoding"]
        self._rules = rules_of(options, zone)
        names = [column.name for column in self._columns]
        if self._date_line is not None:
            names.append(DATE_LINE)
        self._places = {name: index for index, name in enumerate(names)}
        missing = self._rules.missing(self._places)
        if missing:
            what = f"{', '.join(missing)} is used and not there"
            raise OptionsError([OptionProblem("columns", what, "such as time:1:4")])
        self._reader = RowReader(self._rules, self._places)
        self._dated = any(normal(name) == DATE_LINE for name in self._rules.names)
        self._least = options["least_length"] or self._needed()

    def _needed(self) -> int:
        """Return the length that a line must have to hold what a call is made of."""
        used = {
            normal(name)
            for field in NEEDED
            if field in self._rules.texts
            for name in self._rules.texts[field].names
        }
        return max((column.end for column in self._columns if column.name in used), default=1)

    def wants(self, name: str) -> str:
        """Return an empty text: the option ``files`` tells which files are taken."""
        return ""

    def written(self, moment: int) -> FixedWidth:
        """Return the driver for a file that was last written at a moment (epoch seconds), by which
        times without a year are read."""
        if not self._rules.lacks_year:
            return self
        driver = copy(self)
        driver._rules = self._rules.written(moment)
        driver._reader = RowReader(driver._rules, self._places)
        return driver

    def head(self, beginning: bytes) -> int:
        """Return 0: a date at the beginning need not be that of a row further on, and a row whose date
        is not known is better rejected than taken for one of another day."""
        return 0

    @property
    def carries(self) -> bool:
        """Whether a line with the date explains the rows after it."""
        return self._date_line is not None

    def carry(self, head: bytes, data: bytes) -> bytes:
        """Return the last line with a date of a stretch of a file, else what stood before it."""
        for line in reversed(data.splitlines(keepends=True)):
            text = line.strip(b"\0\r\n\xef\xbb\xbf").decode(self._encoding, "replace")
            if self._date_line is not None and self._date_line.search(text):
                return line if line.endswith(b"\n") else line + b"\n"
        return head

    def rows(self, stream: BinaryIO, name: str) -> Iterator[tuple[int, Leg | Exclusion | Reject]]:
        """Yield (line number, leg, exclusion or reject) for each line that is not a date's.

        Raises NotCdrError for an empty file.
        """
        date = ""
        empty = True
        for line in read_lines(stream, self._encoding, padding="\0"):
            empty = False
            trouble = line.trouble
            if not trouble:
                dated = self._date_line.search(line.text) if self._date_line else None
                if dated is not None:
                    date = dated.group(1) or ""
                    continue
                try:
                    yield line.number, self._leg(line.text, date)
                    continue
                except RowError as error:
                    trouble = str(error)
            yield line.number, Reject(line.number, trouble, line.text[:RAW])
        if empty:
            raise NotCdrError("the file is empty")

    def _leg(self, text: str, date: str) -> Leg | Exclusion:
        """Return what a line stands for. Raises RowError."""
        if len(text) < self._least:
            raise RowError(f"{len(text)} characters where {self._least} are expected")
        if self._dated and not date:
            raise RowError("no line with the date stands before the row")
        cells = [text[start:end] for _, start, end in self._columns]
        # The whole line goes into the key of a row that has none.
        return self._reader.leg([*cells, date, text.rstrip()])


fixed_width = DriverWithOptions(
    "fixed-width",
    "tables with columns at fixed positions, described in the INI",
    OPTIONS,
    FixedWidth,
)
