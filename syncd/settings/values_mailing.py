"""The kinds of values that options about scheduled reports and alarms take."""

from __future__ import annotations

import re
from pathlib import Path

from syncd.domain.bands import Span
from syncd.domain.codes import NumberClass
from syncd.settings.mailing import ALARMS, Recipients
from syncd.settings.timing import parse_timing
from syncd.settings.values import BadValue, Kind, choice, nearest, whole_number
from syncd.settings.values_finance import amount_of, is_address
from syncd.settings.values_tariffs import SPANS

LEVELS = (2, 6, 8, 10)
_LEVEL = re.compile(r"level\s*>=\s*(\d+)")
_SIZE = re.compile(r"(\d{1,6})\s*(KB|MB)", re.IGNORECASE | re.ASCII)
_HINT = "such as anna; managers of Sales; group sales; level>=6; boss@example.com"


def parse_recipients(text: str) -> tuple[Recipients, ...]:
    """Return what a list of recipients names. Raises BadValue."""
    parts = (" ".join(part.split()) for part in text.replace("\n", ";").split(";"))
    return tuple(dict.fromkeys(_recipients(part) for part in parts if part))


def _recipients(text: str) -> Recipients:
    word, _, name = text.partition(" ")
    if word == "me" and not name:
        return Recipients("owner")
    if word == "department" and name:
        return Recipients("department", name)
    if word == "group" and name:
        return Recipients("group", name)
    if text.startswith("managers of ") and len(text) > len("managers of "):
        return Recipients("managers", text.removeprefix("managers of "))
    if word == "user" and name:
        return Recipients("user", name)
    match = _LEVEL.fullmatch(text)
    if match is not None:
        level = int(match[1])
        if level not in LEVELS:
            raise BadValue(f"{text!r}: there is no such level", f"one of {LEVELS}")
        return Recipients("level", level=level)
    if "@" in text:
        if not is_address(text):
            raise BadValue(f"{text!r} is not a mail address", _HINT)
        return Recipients("address", text)
    if not text.isprintable() or text.startswith(("level", "managers")):
        raise BadValue(f"{text!r} names nobody", _HINT)
    return Recipients("user", text)


def _timing(text: str, base: Path) -> object:
    try:
        return parse_timing(text)
    except ValueError as error:
        hint = "such as monthly on 1 at 07:00, weekly on monday at 07:00, or a cron line"
        raise BadValue(str(error), hint) from None


def _size(text: str, base: Path) -> int:
    match = _SIZE.fullmatch(text.strip())
    if match is None or not int(match[1]):
        raise BadValue(f"{text!r} is not a size", "such as 10 MB")
    return int(match[1]) * (1000 if match[2].upper() == "KB" else 1_000_000)


def _classes(text: str, base: Path) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(text.replace(",", " ").split()))
    for word in words:
        if word not in NumberClass.words():
            hint = nearest(word, NumberClass.words())
            raise BadValue(f"{word!r} is not a class of numbers", hint)
    return words


def _hours(text: str, base: Path) -> tuple[Span, ...]:
    spans = SPANS.parse(text, base)
    assert isinstance(spans, tuple)
    return spans


def _percent(text: str, base: Path) -> int:
    percent = whole_number(text.removesuffix("%").strip(), "a percentage", 1)
    if percent > 100:
        raise BadValue(f"{text!r} is too much", "at most 100%")
    return percent


RECIPIENTS = Kind("recipients", lambda text, base: parse_recipients(text), ())
TIMING = Kind("time", _timing)
SIZE = Kind("KB or MB", _size)
CLASSES = Kind("classes", _classes, ())
AMOUNT = amount_of("20.00")
HOURS = Kind("days and hours", _hours, ())
PERCENT = Kind("percent", _percent)
ALARM = choice(*ALARMS)
