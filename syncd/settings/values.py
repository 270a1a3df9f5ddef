"""The kinds of values that options take: how a text becomes a typed value, and how it is explained.

Every parser gets the text and the folder to which paths are relative, and raises BadValue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from syncd.domain.codes import NumberClass, TrunkRole, Word
from syncd.domain.party import clean_number
from syncd.settings.model import ROLES, SQLITE, Address, NumberRule, Percent
from syncd.settings.schedule import UNITS, parse_schedule

ROUNDING_MODES = ("half-up", "half-even", "up", "down")
LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")


class BadValue(ValueError):
    """A text that is not of its kind: what is wrong, and what would be right."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value. ``empty`` is what an option without a text has."""

    name: str
    parse: Callable[[str, Path], object]
    empty: object = None


def nearest(name: str, names: Sequence[str]) -> str:
    """Return the hint for a name that does not exist: the nearest one, else all of them."""
    from difflib import get_close_matches  # only mistakes need it

    close = get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"one of {', '.join(names)}" if names else ""


def one_line(text: str) -> str:
    return " ".join(text.split("\n"))


def whole_number(text: str, what: str, lowest: int = 0) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= lowest):
        raise BadValue(f"{text!r} is not {what}", f"a whole number from {lowest}")
    return int(text)


def _flag(text: str, base: Path) -> bool:
    if text.lower() not in ("yes", "no"):
        raise BadValue(f"{text!r} is neither yes nor no")
    return text.lower() == "yes"


def _percent(text: str, base: Path) -> Percent:
    number = text.removesuffix("%").strip()
    if not (number.isascii() and number.isdigit() and int(number) <= 100):
        raise BadValue(f"{text!r} is not a percentage", "a whole number from 0% to 100%")
    return Percent(number)


def _path(text: str, base: Path) -> Path:
    return base / Path(one_line(text)).expanduser()


def _paths(text: str, base: Path) -> tuple[Path, ...]:
    return tuple(_path(line.strip(), base) for line in text.splitlines() if line.strip())


def _duration(text: str, base: Path) -> int:
    match = re.fullmatch(r"([0-9]+)\s*([a-z]+?)s?", text.lower())
    if not match or match[2] not in UNITS:
        raise BadValue(f"{text!r} is not a time span", "such as 10 seconds, 24 hours, 7 days")
    return int(match[1]) * UNITS[match[2]]


def _schedule(text: str, base: Path) -> object:
    try:
        return parse_schedule(text)
    except ValueError as error:
        raise BadValue(str(error), "such as every 15 minutes, or 30 2 * * *") from None


def _timezone(text: str, base: Path) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        from zoneinfo import available_timezones

        near = nearest(text, sorted(available_timezones()))
        hint = near if near.startswith("did you mean") else "such as Europe/Rome"
        raise BadValue(f"{text!r} is not a time zone", hint) from None


def _currency(text: str, base: Path) -> str:
    if not re.fullmatch(r"[A-Za-z]{3}", text):
        raise BadValue(f"{text!r} is not a currency", "three letters, such as EUR")
    return text.upper()


def _country(text: str, base: Path) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", text):
        raise BadValue(f"{text!r} is not a country", "two letters, such as IT")
    return text.upper()


def _digits(text: str, base: Path) -> str:
    if not re.fullmatch(r"[0-9*#]+", text):
        raise BadValue(f"{text!r} is not a code", "digits, * and #")
    return text


def _server(text: str) -> str:
    if re.fullmatch(r"ldapi://[^\s/?]+/?", text):
        return text.rstrip("/")
    match = re.fullmatch(r"ldaps?://(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+)(?::([0-9]{1,5}))?/?", text)
    if not match or not 0 < int(match[2] or 389) < 65536:
        raise BadValue(f"{text!r} is not a server", "such as ldaps://ldap.example.com")
    return text.rstrip("/")


def _pattern(text: str) -> str:
    if not re.fullmatch(r"\+?[0-9X*#]+", text):
        raise BadValue(
            f"{text!r} is not a pattern", "digits, X for any digit, *, # and a leading +"
        )
    return text


def _number(text: str) -> str:
    try:
        return clean_number(text)
    except ValueError as error:
        raise BadValue(str(error)) from None


def _attribution(text: str, base: Path) -> tuple[str, ...]:
    words = tuple(text.replace(",", " ").split())
    if not set(words) <= {"number", "user"} or len(set(words)) != len(words):
        raise BadValue(f"{text!r} is not an order of attribution", "number, user or user, number")
    return words


def _slots(text: str, base: Path) -> int | None:
    if text.lower() == "unlimited":
        return None
    return whole_number(text, "a number of slots, nor “unlimited”")


def _level(text: str, base: Path) -> int:
    if text not in ("2", "6", "8", "10"):
        raise BadValue(f"{text!r} is not a level that opens a report", "one of 2, 6, 8, 10")
    return int(text)


def _group_level(text: str, base: Path) -> int:
    if text not in ("0", "2", "6", "8", "10"):
        raise BadValue(f"{text!r} is not a permission level", "one of 0, 2, 6, 8, 10")
    return int(text)


def _departments(text: str, base: Path) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in one_line(text).split(";")) if name)


def _database(text: str, base: Path) -> str:
    if re.match(r"postgres(ql)?://", text):
        return _database_server(text)
    if not text.startswith(SQLITE) or len(text) == len(SQLITE):
        raise BadValue(
            f"{hidden_password(text)!r} is not a database",
            "sqlite:///syncd.db, or postgresql://USER@HOST/NAME",
        )
    return text


def _database_server(text: str) -> str:
    """Return the address of a database on a PostgreSQL. Raises BadValue."""
    shown = hidden_password(text)
    hint = "postgresql://USER@HOST:PORT/NAME, or postgresql://USER@/NAME?host=/run/postgresql"
    if shown != text:
        raise BadValue(f"{shown!r} has a password in it", "remove it: password_file = FILE")
    if not re.fullmatch(
        r"postgres(?:ql)?://(?:[^\s/@]*@)?(?:\[[0-9A-Fa-f:]+\]|[^\s/@:?#\[\]]*)(?::[0-9]{1,5})?"
        r"/[^\s/?#]+(?:\?[^\s#]*)?",
        text,
    ):
        raise BadValue(f"{shown!r} is not the address of a database", hint)
    return text


def hidden_password(url: str) -> str:
    """Return a URL with its password as ``***``."""
    url = re.sub(r"(://[^:/@\s]*):[^\s]*@", r"\1:***@", url)
    return re.sub(r"([?&]password=)[^&\s]*", r"\1***", url)


def _archive(text: str, base: Path) -> bool | Path:
    return text.lower() == "yes" if text.lower() in ("yes", "no") else _path(text, base)


def _address(text: str, base: Path) -> Address | None:
    if text.lower() == "none":
        return None
    match = re.fullmatch(r"\[?([^\s\[\]]+?)\]?:([0-9]{1,5})", text)
    if not match or int(match[2]) > 65535:
        raise BadValue(f"{text!r} is not an address", "such as 127.0.0.1:9464, or none")
    if not LOOPBACK.fullmatch(match[1]):
        raise BadValue(f"{match[1]} is not an address of this machine alone", "127.0.0.1 or ::1")
    return Address(match[1], int(match[2]))


def day_of(text: str) -> date:
    """Return the day of a text such as 2026-01-01. Raises BadValue."""
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise BadValue(f"{text!r} is not a date", "such as 2026-01-01") from None


def _member(enumeration: type[Word], word: str, what: str) -> Word:
    try:
        return enumeration.of(word)
    except ValueError:
        hint = nearest(word, enumeration.words())
        raise BadValue(f"{word!r} is not {what}", hint) from None


def _role(text: str, base: Path) -> Word:
    return _member(TrunkRole, text, "a trunk role")


def roles_of(text: str, base: Path) -> tuple[str, ...]:
    """Return the roles of a daemon in their order. Raises BadValue."""
    words = text.replace(",", " ").split()
    for word in words:
        if word not in ROLES:
            raise BadValue(f"{word!r} is no role", nearest(word, ROLES))
    if not words:
        raise BadValue("a daemon without a role would do nothing", f"some of {', '.join(ROLES)}")
    return tuple(role for role in ROLES if role in words)


def _number_rule(text: str, base: Path) -> NumberRule:
    words = text.split()
    if len(words) != 2:
        raise BadValue(f"{text!r} is not a number rule", "PREFIX CLASS, such as +39892 premium")
    number_class = _member(NumberClass, words[1], "a class of numbers")
    return NumberRule("", _pattern(words[0]), NumberClass(number_class))


def choice(*words: str) -> Kind:
    """Return the kind of a text that is one of these words."""

    def parse(text: str, base: Path) -> str:
        if text not in words:
            raise BadValue(f"{text!r} is none of {', '.join(words)}", nearest(text, words))
        return text

    return Kind(" | ".join(words), parse, "")


def integer(lowest: int) -> Kind:
    return Kind("number", lambda text, base: whole_number(text, "a number", lowest))


def words_of(name: str, parse_word: Callable[[str], str] = str) -> Kind:
    """Return a kind of blank-separated words; what is wrong with any of them is said at once."""

    def parse(text: str, base: Path) -> tuple[str, ...]:
        found, wrong = [], []
        for word in text.split():
            try:
                found.append(parse_word(word))
            except BadValue as error:
                wrong.append(error)
        if wrong:
            raise BadValue("; ".join(error.what for error in wrong), wrong[0].hint)
        return tuple(found)

    return Kind(name, parse, ())


TEXT = Kind("text", lambda text, base: one_line(text), "")
FILTER = Kind("LDAP filter", lambda text, base: text.replace("\n", ""), "")
FLAG = Kind("yes | no", _flag)
PERCENT = Kind("percent", _percent)
PATH = Kind("path", _path)
PATHS = Kind("paths, one a line", _paths, ())
DURATION = Kind("time span", _duration)
SCHEDULE = Kind("schedule", _schedule)
TIMEZONE = Kind("time zone", _timezone)
CURRENCY = Kind("currency", _currency)
COUNTRY = Kind("country", _country)
DIGITS = Kind("digits", _digits, "")
SERVERS = words_of("LDAP URLs", _server)
WORDS = words_of("words")
PATTERNS = words_of("number patterns", _pattern)
NUMBERS = words_of("numbers", _number)
ATTRIBUTION = Kind("number, user", _attribution)
SLOTS = Kind("number | unlimited", _slots)
LEVEL = Kind("2 | 6 | 8 | 10", _level)
GROUP_LEVEL = Kind("0 | 2 | 6 | 8 | 10", _group_level)
DEPARTMENTS = Kind("names", _departments, ())
DATABASE = Kind("URL", _database)
ROLE = Kind(" | ".join(TrunkRole.words()), _role)
ROLES_OF_DAEMON = Kind("intake scheduler", roles_of)
ARCHIVE = Kind("yes | no | path", _archive)
ADDRESS = Kind("host:port | none", _address)
NUMBER_RULE = Kind("PREFIX CLASS", _number_rule)
MAPPING = Kind("mapping", lambda text, base: one_line(text), "")
