"""Spans of the week, of which time bands are made, by the clock on the wall."""

from __future__ import annotations

import re
from typing import NamedTuple

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY = 7
"""A kind of day beside the weekdays 0 (Monday) to 6: on a holiday no weekday holds."""
KINDS_OF_DAY = 8
DAY = 86_400
EVERY_DAY = frozenset(range(KINDS_OF_DAY))
_HOURS = re.compile(r"(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)", re.ASCII)


class Span(NamedTuple):
    """Hours of some kinds of day, in seconds from 0:00 on the clock. One that ends at or before its
    start runs into the next day, and belongs to the day on which it began."""

    days: frozenset[int]
    start: int = 0
    end: int = DAY


def parse_spans(text: str) -> tuple[Span, ...]:
    """Return the spans of a text such as ``Mon-Fri 08:00-18:30, Sat 08:00-13:00, holiday``.

    Without a day it is every day (``daily``), without hours the whole day. Raises ValueError with
    what is wrong.
    """
    found = []
    for part in text.split(","):
        days: set[int] = set()
        hours: tuple[int, int] | None = None
        words = part.split()
        if not words:
            raise ValueError(f"nothing stands between two commas in {text!r}")
        for word in words:
            match = _HOURS.fullmatch(word)
            if match and hours is not None:
                raise ValueError(f"{word!r} is the second time of day: put a comma before it")
            if match:
                hours = _second(match[1], match[2], word), _second(match[3], match[4], word)
                if hours[0] == hours[1] or hours[0] == DAY:
                    raise ValueError(f"{word!r} has no beginning and end")
            elif hours is not None:
                raise ValueError(f"{word!r} stands behind the hours: put a comma before it")
            else:
                days |= _days(word)
        start, end = hours or (0, DAY)
        found.append(Span(frozenset(days) or EVERY_DAY, start, end))
    return tuple(found)


def _second(hour: str, minute: str, word: str) -> int:
    second = int(hour) * 3600 + int(minute) * 60
    if int(minute) > 59 or second > DAY:
        raise ValueError(f"{word!r} is no time of day: 00:00 to 24:00")
    return second


def _days(word: str) -> set[int]:
    lower = word.lower()
    if lower == "holiday":
        return {HOLIDAY}
    if lower == "daily":
        return set(EVERY_DAY)
    first, dash, last = lower.partition("-")
    ends = (first, last if dash else first)
    if any(day not in WEEKDAYS for day in ends):
        raise ValueError(f"{word!r} is neither a day (Mon … Sun, holiday, daily) nor hours")
    begin, end = map(WEEKDAYS.index, ends)
    return {(begin + count) % 7 for count in range((end - begin) % 7 + 1)}
