"""Filters beside ``key=value``: what is not, less, more, or begins with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from syncd.domain.errors import UsageError
from syncd.domain.money import parse_micros
from syncd.reports.dimensions import DIMENSIONS, ROW_FILTERS, key_of, known_dimensions
from syncd.reports.named_periods import is_period
from syncd.reports.specification import (
    Comparison,
    Filters,
    checked_value,
    nearest,
    split_values,
)

EQUAL, UNEQUAL, BEGINS = "=", "!=", "~"
ORDERED = ("<", "<=", ">", ">=")
OPERATORS = (EQUAL, UNEQUAL, *ORDERED, BEGINS)

AMOUNTS = ("duration", "ring_seconds", "billed_seconds", "cost")
"""Columns of a row with an amount: seconds, and for cost micros."""
TIME = "time"
"""The time of day, in seconds since midnight."""
NUMBERS = ("other_number", "hunt_pilot")

_FORM = re.compile(r"\s*([^=!<>~]+?)\s*(!=|<=|>=|=|<|>|~)(.*)", re.DOTALL)
_SECONDS = re.compile(r"(?:(?:(\d{1,6}):)?([0-5]?\d):([0-5]\d))|(\d{1,9})")
_TIME = re.compile(r"(?=24:00|[01]?\d:|2[0-3]:)(\d{1,2}):([0-5]\d)")
_BEGIN_WITHOUT_TEXT = "every value begins with nothing"


def known_keys(custom_fields: Mapping[str, str]) -> list[str]:
    """Return what rows can be filtered by."""
    return [*known_dimensions(dict(custom_fields)), *ROW_FILTERS, *AMOUNTS, TIME]


def parse_conditions(
    texts: Sequence[str], custom_fields: Mapping[str, str]
) -> tuple[Filters, tuple[Comparison, ...]]:
    """Return the filters of ``key=value`` texts, and the comparisons of ``key!=value``, ``key<value``,
    ``key~beginning`` and of all that is written of an amount or a time.

    A key that is given twice with ``=`` takes the values of both. Raises UsageError for an unknown
    key, and for a value that no such key has.
    """
    known = known_keys(custom_fields)
    found: dict[str, dict[str, None]] = {}
    comparisons: list[Comparison] = []
    for text in texts:
        match = _FORM.fullmatch(text)
        if match is None:
            days = is_period(text)
            hint = f"days are --period {text.strip()}" if days else "write --filter key=value"
            raise UsageError(f"the filter {text!r} has no value", hint)
        word, operator, value = match.groups()
        key = key_of(word, known, custom_fields)
        if key is None:
            raise UsageError(
                f"nothing can be filtered by {word.strip()!r}", nearest(word.strip(), known)
            )
        if operator == EQUAL and key not in AMOUNTS and key != TIME:
            for part in split_values(value):
                found.setdefault(key, {})[checked_value(key, part)] = None
        else:
            comparisons.append(_comparison(key, operator, value.strip(), text.strip()))
    filters = tuple((key, tuple(values)) for key, values in sorted(found.items()))
    return filters, tuple(dict.fromkeys(comparisons))


def _comparison(key: str, operator: str, value: str, text: str) -> Comparison:
    if operator == BEGINS:
        return Comparison(key, operator, _beginnings(key, value), text)
    if operator in ORDERED:
        return Comparison(key, operator, (_ordered(key, operator, value),), text)
    read = _READERS.get(key)
    parts = split_values(value)
    if key == TIME:
        return Comparison(key, operator, tuple(map(_span, parts)), text)
    if read is not None:
        return Comparison(key, operator, tuple(read(key, part) for part in parts), text)
    return Comparison(key, operator, tuple(checked_value(key, part) for part in parts), text)


def _beginnings(key: str, value: str) -> tuple[str, ...]:
    dimension = DIMENSIONS.get(key)
    named = dimension is not None and dimension.words is None and not dimension.temporal
    if key not in NUMBERS and (not named or key == "party"):
        raise UsageError(f"{key} begins with nothing", "~ is for numbers and names")
    parts = split_values(value)
    if not all(parts):
        raise UsageError(_BEGIN_WITHOUT_TEXT, f"write --filter '{key}~beginning'")
    return tuple(parts)


def _ordered(key: str, operator: str, value: str) -> str | int:
    read = _READERS.get(key)
    if read is not None:
        return read(key, value)
    dimension = DIMENSIONS.get(key)
    if dimension is None or not dimension.temporal:
        raise UsageError(
            f"{key} is neither more nor less than another",
            f"{operator} is for {', '.join((*AMOUNTS, TIME))}, hour, weekday, day and month",
        )
    return checked_value(key, value)


def _seconds(key: str, value: str) -> int:
    match = _SECONDS.fullmatch(value)
    if match is None:
        raise UsageError(f"{value!r} is no {key}", "whole seconds, or 1:30, or 1:30:00")
    hours, minutes, seconds, whole = match.groups()
    if whole is not None:
        return int(whole)
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)


def _micros(key: str, value: str) -> int:
    try:
        return parse_micros(value)
    except ValueError as error:
        raise UsageError(f"{key}: {error}") from None


def _time_of_day(key: str, value: str) -> int:
    match = _TIME.fullmatch(value)
    if match is None:
        raise UsageError(f"{value!r} is no time of day", "like 08:30")
    return int(match[1]) * 3600 + int(match[2]) * 60


def span_of_day(value: str) -> tuple[int, int]:
    """Return from when to before when (seconds since midnight) a span such as ``18:00-08:00`` is,
    which may pass midnight. Raises UsageError."""
    begin, dash, end = value.partition("-")
    if not dash:
        raise UsageError(f"{value!r} is no span of a day", "like 18:00-08:00, or time>=18:00")
    start, stop = _time_of_day(TIME, begin.strip()), _time_of_day(TIME, end.strip())
    if start == stop:
        raise UsageError(f"{value!r} holds no time", "like 18:00-08:00")
    return start, stop


def _span(value: str) -> str:
    span_of_day(value)
    return value


_READERS: dict[str, Callable[[str, str], int]] = {
    "duration": _seconds,
    "ring_seconds": _seconds,
    "billed_seconds": _seconds,
    "cost": _micros,
    TIME: _time_of_day,
}
