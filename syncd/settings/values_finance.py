"""The kinds of values that options about money, mail and files of money take."""

from __future__ import annotations

import codecs
import re
from datetime import date
from email.utils import parseaddr
from pathlib import Path
from string import Formatter

from syncd.domain.codes import NumberClass, Role
from syncd.domain.money import parse_micros
from syncd.settings.finance import LedgerColumn, MemberAmount
from syncd.settings.values import BadValue, Kind, nearest, one_line, whole_number, words_of

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
ALIGNMENTS = ("left", "right", "zero")
MOST_PERCENT = 1000
LINES = tuple(
    role.word
    for role in (Role.FIRST, Role.OTHER, Role.FAX, Role.VOICEMAIL, Role.ALIAS, Role.OFFNET_FAX)
)
_ADDRESS = re.compile(r"[^\s@<>,;:\"\\()\[\]]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_FORMAT = re.compile(r"0?[<>]?[0-9]{0,3}")


def is_address(text: str) -> bool:
    """Say whether a text is one mail address, without a name."""
    return text.isascii() and _ADDRESS.fullmatch(text) is not None


def amount_of(example: str) -> Kind:
    """Return the kind of an amount of money that is more than nothing."""

    def parse(text: str, base: Path) -> int:
        try:
            micros = parse_micros(text)
        except ValueError as error:
            raise BadValue(str(error)) from None
        if micros <= 0:
            raise BadValue(f"{text!r} is not more than nothing", f"such as {example}")
        return micros

    return Kind("amount", parse)


AMOUNT = amount_of("250.00")


def _tolerance(text: str, base: Path) -> int:
    try:
        micros = parse_micros(text)
    except ValueError as error:
        raise BadValue(str(error)) from None
    if micros < 0:
        raise BadValue(f"{text!r} is less than nothing", "such as 0.01")
    return micros


def _member_amount(text: str, base: Path) -> MemberAmount:
    amount, _, member = one_line(text).strip().partition(" ")
    if not member.strip():
        raise BadValue(f"{text!r} is not an amount and a name", "AMOUNT NAME, such as 250.00 Sales")
    micros = AMOUNT.parse(amount, base)
    assert isinstance(micros, int)
    return MemberAmount(micros, member.strip())


def _thresholds(text: str, base: Path) -> tuple[int, ...]:
    found = set()
    for word in text.replace(",", " ").split():
        percent = whole_number(word.removesuffix("%"), "a percentage", 1)
        if percent > MOST_PERCENT:
            raise BadValue(f"{word!r} is too much", f"at most {MOST_PERCENT}%")
        found.add(percent)
    return tuple(sorted(found))


def _recipients(text: str, base: Path) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(text.replace(",", " ").replace(";", " ").split()))
    for word in words:
        if word not in ("person", "manager") and not is_address(word):
            raise BadValue(
                f"{word!r} is neither person nor manager nor a mail address",
                "such as manager finance@example.com",
            )
    return words


def _sender(text: str, base: Path) -> str:
    name, address = parseaddr(text)
    if not is_address(address) or not name.isprintable():
        raise BadValue(f"{text!r} is not a sender", "such as syncd <syncd@example.com>")
    return text


def _port(text: str, base: Path) -> int:
    port = whole_number(text, "a port", 1)
    if port > 65_535:
        raise BadValue(f"{text!r} is not a port", "1 to 65535")
    return port


def _names(text: str, base: Path) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in one_line(text).split(";")) if name)


def _positive(text: str, base: Path) -> int:
    return whole_number(text, "a number", 1)


def _month(text: str, base: Path) -> int:
    match = _MONTH.fullmatch(text.strip())
    if match is None:
        raise BadValue(f"{text!r} is not a month", "such as 2026-01")
    return int(match[1]) * 100 + int(match[2])


def _class(word: str) -> str:
    if word not in NumberClass.words():
        raise BadValue(f"{word!r} is not a class of numbers", nearest(word, NumberClass.words()))
    return word


def _line(word: str) -> str:
    if word not in LINES:
        raise BadValue(f"{word!r} is not a kind of line", nearest(word, LINES))
    return word


def _tariff(word: str) -> str:
    carrier, _, version = word.partition(":")
    if not carrier or not version:
        raise BadValue(f"{word!r} is not a tariff version", "CARRIER:VERSION, such as telco:2026")
    return word


def _delimiter(text: str, base: Path) -> str:
    found = DELIMITERS.get(text, text)
    if len(found) != 1 or found in "\"'\r\n\\" or found.isalnum():
        raise BadValue(f"{text!r} is not a delimiter", f"{', '.join(DELIMITERS)} or a character")
    return found


def _encoding(text: str, base: Path) -> str:
    try:
        return codecs.lookup(text).name
    except LookupError:
        raise BadValue(f"{text!r} is not an encoding", "such as utf-8 or cp1252") from None


def _date_format(text: str, base: Path) -> str:
    if "%" not in text:
        raise BadValue(f"{text!r} is not a date format", "such as %d.%m.%Y")
    try:
        date(2026, 1, 31).strftime(text)
    except ValueError:
        raise BadValue(f"{text!r} is not a date format", "such as %d.%m.%Y") from None
    return text


def _columns(text: str, base: Path) -> tuple[LedgerColumn, ...]:
    parts = re.findall(r'(?:"[^"]*"|[^,"])+', one_line(text))
    if '"' in re.sub(r'"[^"]*"', "", text):
        raise BadValue("a quote is not closed", 'such as "4711"')
    return tuple(_column(part) for part in parts)


def _column(text: str) -> LedgerColumn:
    match = re.fullmatch(r'(?:"([^"]*)"|([a-z0-9_]+))((?:\s+\S+)*)', text.strip())
    if match is None:
        raise BadValue(f"{text!r} is not a column", 'such as amount 12 zero, or "4711"')
    constant = match[1] is not None
    column = LedgerColumn(match[1] if constant else match[2], constant, 0, "left")
    for word in match[3].split():
        if word in ALIGNMENTS:
            column = column._replace(align=word)
        elif word.isascii() and word.isdigit() and 0 < int(word) <= 1000:
            column = column._replace(width=int(word))
        else:
            raise BadValue(
                f"{word!r} is neither a width nor a side", f"a number, {', '.join(ALIGNMENTS)}"
            )
    return column


def template_fields(text: str) -> list[str]:
    """Return the names that a template has in braces. Raises BadValue when it is none."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise BadValue(f"{text!r} is not a line with {{fields}}: {error}") from None
    names = []
    for _, name, specification, conversion in parts:
        if name is None:
            continue
        if conversion or not re.fullmatch(r"[a-z_]+", name):
            raise BadValue(f"{{{name}}} in {text!r} is not a field", "such as {total}")
        if not _FORMAT.fullmatch(specification or ""):
            raise BadValue(
                f"{{{name}:{specification}}} is not a way to fill a field", "such as {total:>12}"
            )
        names.append(name)
    return names


def _template(text: str, base: Path) -> tuple[str, ...]:
    lines = tuple(text.split("\n"))
    for line in lines:
        template_fields(line)
    return lines


def _file_name(text: str, base: Path) -> str:
    if "/" in text or "\\" in text:
        raise BadValue(f"{text!r} is not the name of a file", "without a folder")
    template_fields(text)
    return text


TOLERANCE = Kind("amount", _tolerance)
MEMBER_AMOUNT = Kind("AMOUNT NAME", _member_amount)
THRESHOLDS = Kind("percentages", _thresholds, ())
RECIPIENTS = Kind("person, manager, addresses", _recipients, ())
SENDER = Kind("mail address", _sender, "")
PORT = Kind("number", _port)
NAMES = Kind("names", _names, ())
DELIMITER = Kind("comma | semicolon | tab | pipe | character", _delimiter, "")
ENCODING = Kind("encoding", _encoding)
DATE_FORMAT = Kind("date format", _date_format, "")
COLUMNS = Kind("columns", _columns, ())
TEMPLATE = Kind("lines with {fields}", _template, ())
POSITIVE = Kind("number", _positive)
MONTH = Kind("YYYY-MM", _month)
CLASSES = words_of("classes", _class)
LINE_KINDS = words_of("kinds of lines", _line)
TARIFFS = words_of("CARRIER:VERSION", _tariff)
FILE_NAME = Kind("file name with {fields}", _file_name)
