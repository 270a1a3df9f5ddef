"""Options of the drivers that read tables of text, and what a table may be made of."""

from __future__ import annotations

import codecs
from pathlib import Path

from syncd.cdr.drivers.delimited_row import CONDITIONS, FIELDS, KEY
from syncd.cdr.times import UNITS
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


def _positions(text: str, base: Path) -> tuple[int, ...]:
    words = text.replace(",", " ").split()
    for word in words:
        if not (word.isascii() and word.isdigit() and int(word)):
            raise BadValue(f"{word!r} is not the position of a column", "they count from 1")
    return tuple(map(int, words))


ENCODING = Kind("encoding", _encoding)
NAMES = Kind("names", _names, ())
DELIMITER = Option(
    "delimiter",
    Kind("comma | semicolon | tab | pipe | space | character", _delimiter),
    "comma",
    "What stands between the columns.",
)
QUOTE = Option(
    "quote",
    values.choice(*QUOTES),
    "double",
    "What may stand around a column; doubled within it means itself.",
)
LEAST_COLUMNS = Option(
    "least_columns",
    values.integer(0),
    "0",
    "A row with fewer columns is rejected; 0: as many as the positions that are used.",
)
FREE_COLUMNS = Option(
    "free_columns",
    Kind("positions", _positions, ()),
    "",
    "Positions of texts that may hold the delimiter although nothing stands around them. They are"
    " put together again where only then value.valid holds.",
    "13, 15",
)
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

TEXT_ENCODING = Option("encoding", ENCODING, "utf-8", "Encoding of the text.")
DATE_FORMAT = Option(
    "date_format",
    Kind("formats", _date_formats, ()),
    "%Y-%m-%d %H:%M:%S",
    "How times are written, as for strptime, or epoch, epoch_ms, iso; several are separated"
    " by |, the first that fits counts.",
)
DURATION_UNIT = Option(
    "duration_unit",
    values.choice(*UNITS),
    "seconds",
    "Unit of column.duration and column.ring; clock is h:m:s, m:s or seconds; tenths are"
    " those of a minute; hmmt is hours, two digits of minutes, one of tenths.",
)
DURATION_FROM = Option(
    "duration_from",
    values.choice("connect", "start"),
    "connect",
    "Whether column.duration counts from the answer or from the start of the call.",
)
COLUMN = Option(
    "column",
    values.TEXT,
    "",
    f"Which column says it. Known are {', '.join((*FIELDS, KEY))}.",
    "Date + Time",
    key="start",
    attribute="column_of",
)
VALUE = Option(
    "value",
    values.TEXT,
    "",
    f"A text with {{COLUMN}} in it for the same names, and conditions for {', '.join(CONDITIONS)}.",
    "{id}-{leg}",
    key="key",
    attribute="value_of",
)
MEANING = (DATE_FORMAT, TIMEZONE, DURATION_UNIT, DURATION_FROM, TRUNKS, COLUMN, VALUE)
"""Options that say what the columns of a table mean, whatever tells them apart."""
