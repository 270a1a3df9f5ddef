"""Periods by name, and the periods that one is compared with.

Weeks are those of ISO 8601: from Monday, the first of a year is the one with its first Thursday.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from datetime import date, timedelta

from syncd.domain.errors import UsageError

Period = tuple[date, date]
"""From … to before."""

FIRST_YEAR, LAST_YEAR = 1971, 2999
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_FORMS = "write it like last-month, 2026-10, 2026-Q3, 2026-W47, 2026 or last-7-days"
_LAST = re.compile(r"last-([1-9]\d{0,3})-(days|weeks|months)")
_WRITTEN = re.compile(r"(\d{4})(?:-(?:(Q)([1-4])|(W)(\d{2})|(\d{2})(?:-(\d{2}))?))?", re.IGNORECASE)


def month_later(day: date, months: int = 1) -> date:
    """Return the first day of the month that is so many months after (negative: before) a day's."""
    place = day.year * 12 + day.month - 1 + months
    return date(place // 12, place % 12 + 1, 1)


def _weeks(today: date, back: int, count: int = 1) -> Period:
    monday = today - timedelta(days=today.weekday()) - back * _WEEK
    return monday, monday + count * _WEEK


def _months(today: date, back: int, count: int = 1) -> Period:
    first = month_later(today, -back)
    return first, month_later(first, count)


def _quarters(today: date, back: int) -> Period:
    first = month_later(today, -((today.month - 1) % 3) - 3 * back)
    return first, month_later(first, 3)


def _year(year: int) -> Period:
    return date(year, 1, 1), date(year + 1, 1, 1)


NAMES: dict[str, Callable[[date], Period]] = {
    "today": lambda today: (today, today + _DAY),
    "yesterday": lambda today: (today - _DAY, today),
    "this-week": lambda today: _weeks(today, 0),
    "last-week": lambda today: _weeks(today, 1),
    "this-month": lambda today: _months(today, 0),
    "last-month": lambda today: _months(today, 1),
    "this-quarter": lambda today: _quarters(today, 0),
    "last-quarter": lambda today: _quarters(today, 1),
    "this-year": lambda today: _year(today.year),
    "last-year": lambda today: _year(today.year - 1),
}
"""Periods that lie as today does."""


def named_period(text: str, today: date) -> Period:
    """Return the days of a period by its name, or written like 2026, 2026-10, 2026-Q3, 2026-W47 or
    2026-10-05; ``last-7-days`` end with today, ``last-3-weeks`` and ``last-3-months`` are whole ones
    that are over. Raises UsageError."""
    word = text.strip().lower()
    if word in NAMES:
        return NAMES[word](today)
    match = _LAST.fullmatch(word)
    try:
        first, end = _lasting(match, today) if match else _written(word)
        if not FIRST_YEAR <= first.year <= end.year <= LAST_YEAR + 1:
            raise ValueError
    except (ValueError, OverflowError):
        close = difflib.get_close_matches(word, NAMES, 1)
        raise UsageError(
            f"{text.strip()!r} is no period", f"did you mean {close[0]}?" if close else _FORMS
        ) from None
    return first, end


def is_period(text: str) -> bool:
    """Say whether a text means days."""
    try:
        named_period(text, date(FIRST_YEAR + 9, 1, 1))
    except UsageError:
        return False
    return True


def _lasting(match: re.Match[str], today: date) -> Period:
    count, unit = int(match[1]), match[2]
    if unit == "days":
        return today + _DAY - count * _DAY, today + _DAY
    return _weeks(today, count, count) if unit == "weeks" else _months(today, count, count)


def _written(word: str) -> Period:
    match = _WRITTEN.fullmatch(word)
    if match is None:
        raise ValueError
    year = int(match[1])
    if match[2]:
        return _months(date(year, int(match[3]) * 3 - 2, 1), 0, 3)
    if match[4]:
        monday = date.fromisocalendar(year, int(match[5]), 1)
        return monday, monday + _WEEK
    if match[7]:
        day = date(year, int(match[6]), int(match[7]))
        return day, day + _DAY
    return _months(date(year, int(match[6]), 1), 0) if match[6] else _year(year)


# --- what a period is compared with ---------------------------------------------------------------

PREVIOUS, YEAR = "previous", "year"
COMPARED = {
    PREVIOUS: "the period of the same length before",
    YEAR: "the same period of the year before",
}


def compared(period: Period, with_what: str) -> Period:
    """Return the period that one is compared with: that of the same length before, whole months with
    as many whole months; or the same of the year before, whole weeks with weeks of the same
    number."""
    first, end = period
    months = whole_months(period)
    if with_what == PREVIOUS:
        return (month_later(first, -months), first) if months else (first - (end - first), first)
    if months:
        return month_later(first, -12), month_later(end, -12)
    if first.weekday() == 0 and end - first == _WEEK:
        year, week, _ = first.isocalendar()
        # The 53rd week of a year has none in the year before.
        monday = date.fromisocalendar(year - 1, min(week, 52), 1)
        return monday, monday + _WEEK
    return _year_before(first), _year_before(end - _DAY) + _DAY


def whole_months(period: Period) -> int:
    """Return how many whole months a period is, 0 when it is none."""
    first, end = period
    if first.day != 1 or end.day != 1:
        return 0
    return (end.year - first.year) * 12 + end.month - first.month


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year - 1, day=28)
