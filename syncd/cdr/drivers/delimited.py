"""The driver ``delimited``: any table of calls as text, described wholly in the INI."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from syncd.cdr.driver_options import DriverWithOptions, OptionProblem, OptionsError, Values
from syncd.cdr.drivers.delimited_row import CONDITIONS, FIELDS, KEY, RowReader, Rules
from syncd.cdr.expressions import (
    Columns,
    Condition,
    ExpressionError,
    Template,
    places_of,
)
from syncd.cdr.lines import RAW, Line, Row, read_lines, read_rows
from syncd.cdr.neutral import RowError, Trunks
from syncd.cdr.parts import rows_end
from syncd.cdr.times import UNITS, Clock
from syncd.domain.leg import Exclusion, Leg, NotCdrError, Reject
from syncd.settings import values
from syncd.settings.option import Option
from syncd.settings.values import BadValue, Kind

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
QUOTES = {"double": '"', "single": "'", "none": ""}


def _delimiter(text: str, base: Path) -> str:
    found = DELIMITERS.get(text, text)
    if len(found) != 1 or found in "\"'\r\n\\" or found.isalnum():
        raise BadValue(f"{text!r} is not a delimiter", f"{', '.join(DELIMITERS)} or a character")
    return found


def _encoding(text: str, base: Path) -> str:
    try:
        name = codecs.lookup(text).name
        plain = "\n,".encode(name) == b"\n,"
    except (LookupError, UnicodeError):
        raise BadValue(f"{text!r} is not an encoding", "such as utf-8 or cp1252") from None
    if not plain:
        raise BadValue(f"{text} does not keep lines apart", "convert the file to utf-8 first")
    return name


def _date_formats(text: str, base: Path) -> tuple[str, ...]:
    formats = tuple(part.strip() for part in values.one_line(text).split("|"))
    for form in formats:
        if "%" not in form and form not in ("epoch", "epoch_ms", "iso"):
            raise BadValue(f"{form!r} is not a date format", "such as %d.%m.%Y %H:%M:%S or iso")
    return formats


def _names(text: str, base: Path) -> tuple[str, ...]:
    return tuple(name.strip() for name in values.one_line(text).split(","))


ENCODING = Kind("encoding", _encoding)
TIMEZONE = Option(
    "timezone",
    values.TIMEZONE,
    "",
    "Zone of the times that say none; without it that of the site.",
    "Europe/Rome",
)
TRUNKS = Option(
    "trunks",
    values.WORDS,
    "",
    "Devices that are trunks although no [trunk:NAME] lists them, * and ? as usual; they are"
    " reported as unknown.",
    "SIP/provider*",
)

OPTIONS = (
    Option(
        "delimiter",
        Kind("comma | semicolon | tab | pipe | space | character", _delimiter),
        "comma",
        "What stands between the columns.",
    ),
    Option(
        "quote",
        values.choice(*QUOTES),
        "double",
        "What may stand around a column; doubled within it means itself.",
    ),
    Option("encoding", ENCODING, "utf-8", "Encoding of the text."),
    Option("skip_lines", values.integer(0), "0", "Lines before the header or the first row."),
    Option("header", values.FLAG, "yes", "Whether a first row names the columns."),
    Option(
        "columns",
        Kind("names", _names, ()),
        "",
        "Names of the columns, separated by commas, where no header has them.",
        "date, time, extension, dialled, duration",
    ),
    Option(
        "date_format",
        Kind("formats", _date_formats, ()),
        "%Y-%m-%d %H:%M:%S",
        "How times are written, as for strptime, or epoch, epoch_ms, iso; several are separated"
        " by |, the first that fits counts.",
    ),
    TIMEZONE,
    Option(
        "duration_unit",
        values.choice(*UNITS),
        "seconds",
        "Unit of column.duration and column.ring; clock is h:m:s, m:s or seconds; tenths are"
        " those of a minute.",
    ),
    Option(
        "duration_from",
        values.choice("connect", "start"),
        "connect",
        "Whether column.duration counts from the answer or from the start of the call.",
    ),
    TRUNKS,
    Option(
        "column",
        values.TEXT,
        "",
        f"Which column says it. Known are {', '.join((*FIELDS, KEY))}.",
        "Date + Time",
        key="start",
        attribute="column_of",
    ),
    Option(
        "value",
        values.TEXT,
        "",
        f"A text with {{COLUMN}} in it for the same names, and conditions for"
        f" {', '.join(CONDITIONS)}.",
        "{id}-{leg}",
        key="key",
        attribute="value_of",
    ),
)


class Delimited:
    """A ``delimited`` source as its section describes it."""

    name = "delimited"
    partitions = False
    grows = False

    def __init__(self, options: Values, zone: ZoneInfo) -> None:
        """Raises OptionsError."""
        self._options = options
        self._quote = self.row_quote = QUOTES[options["quote"]]
        self._rules = _rules(options, zone)
        self._reader = lru_cache(maxsize=8)(self._bound)

    def wants(self, name: str) -> str:
        """Return an empty text: the option ``files`` tells which files are taken."""
        return ""

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
        reader = self._reader(tuple(header))
        width = len(header) if exact else max(len(header), self._rules.width)

        def fits(cells: list[str]) -> bool:
            return len(cells) == width if exact else len(cells) >= width

        rows = read_rows(lines, delimiter=options["delimiter"], quote=self._quote, fits=fits)
        for row in rows:
            trouble = row.trouble
            if not trouble and exact and row.cells == header:
                continue  # files that were put one after the other
            if not trouble and not fits(row.cells):
                trouble = f"{len(row.cells)} columns where {width} are expected"
            if not trouble:
                try:
                    yield row.number, reader.leg(row.cells)
                    continue
                except RowError as error:
                    trouble = str(error)
            yield row.number, Reject(row.number, trouble, row.text[:RAW])

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

    def _bound(self, header: tuple[str, ...]) -> RowReader:
        """Return the rules for files with this header. Raises NotCdrError."""
        if self._options["header"] and len(header) < self._rules.width:
            raise NotCdrError(f"the header has {len(header)} columns, not {self._rules.width}")
        missing = self._rules.missing(places_of(list(header)))
        if missing:
            raise NotCdrError(f"the header lacks {', '.join(missing)}")
        return RowReader(self._rules, places_of(list(header)))


def _rules(options: Values, zone: ZoneInfo) -> Rules:
    """Return what the families ``column`` and ``value`` say. Raises OptionsError."""
    problems: list[OptionProblem] = []
    texts: dict[str, Columns | Template] = {}
    conditions: dict[str, Condition] = {}
    for family, attribute in (("column", "column_of"), ("value", "value_of")):
        for key, text in options[attribute]:
            written = f"{family}.{key}"
            known = (*FIELDS, KEY) if family == "column" else (*FIELDS, KEY, *CONDITIONS)
            try:
                if key not in known:
                    hint = values.nearest(key, known)
                    problems.append(OptionProblem(written, "there is no such meaning", hint))
                elif key in CONDITIONS:
                    conditions[key] = Condition.parse(text)
                elif key in texts:
                    what = f"column.{key} is set too"
                    problems.append(OptionProblem(written, what, "remove one"))
                else:
                    texts[key] = (Columns if family == "column" else Template).parse(text)
            except ExpressionError as error:
                problems.append(OptionProblem(written, str(error)))
    problems += _missing(texts, conditions, options)
    if problems:
        raise OptionsError(problems)
    clock = Clock(options["timezone"] or zone, options["date_format"])
    return Rules(
        texts,
        conditions,
        clock,
        options["duration_unit"],
        options["duration_from"] == "start",
        Trunks(options["trunks"]),
    )


def _missing(
    texts: dict[str, Columns | Template], conditions: dict[str, Condition], options: Values
) -> Iterator[OptionProblem]:
    """Yield what a description lacks."""
    if "start" not in texts and not {"end", "duration"} <= texts.keys():
        hint = "column.start = NAME"
        yield OptionProblem("column.start", "is missing, and so are end and duration", hint)
    for field in ("calling", "called"):
        if field not in texts:
            yield OptionProblem(f"column.{field}", "is missing", f"column.{field} = NAME")
    if not texts.keys() & {"duration", "end"}:
        yield OptionProblem(
            "column.duration", "is missing", "column.duration = NAME, or column.end"
        )
    if not texts.keys() & {"connect", "ring", "duration"} and "answered" not in conditions:
        hint = "value.answered = NAME == TEXT"
        yield OptionProblem("value.answered", "nothing tells who was connected", hint)
    sides = {"calling_device", "called_device"}
    if not texts.keys() & sides and not conditions.keys() & {"outgoing", "incoming"}:
        hint = "value.outgoing = NAME == TEXT"
        yield OptionProblem("value.outgoing", "nothing tells what leaves the house", hint)
    if options["header"] or options["columns"]:
        return
    for family, key, expression in _written(texts, conditions, options):
        named = [name for name in expression.names if not name.startswith("#")]
        if named:
            what = f"no header and no columns option tell where {named[0]} is"
            yield OptionProblem(f"{family}.{key}", what, "write a position, such as #3")


def _written(
    texts: dict[str, Columns | Template], conditions: dict[str, Condition], options: Values
) -> Iterator[tuple[str, str, Any]]:
    for key, expression in texts.items():
        yield ("column" if isinstance(expression, Columns) else "value"), key, expression
    for key, condition in conditions.items():
        yield "value", key, condition


delimited = DriverWithOptions(
    "delimited", "any table of calls as text, described in the INI", OPTIONS, Delimited
)
