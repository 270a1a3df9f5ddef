"""Local days, months and hours of epoch seconds in one time zone.

A day is the number yyyymmdd, a month yyyymm. A local day runs from midnight to midnight on the
wall clock, so with summer time it has 23, 24 or 25 hours. Every offset in use is a multiple of a
quarter of an hour, so a quarter of an hour never straddles two local hours or days.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

QUARTER = 900
"""Seconds."""


_FIRST_DAY = 10_000_000
"""Smaller numbers are months."""


class Moment(NamedTuple):
    """A quarter of an hour on the wall clock; weekday 1 is Monday, 7 Sunday."""

    day: int
    hour: int
    weekday: int


def day_number(day: date) -> int:
    """Return a date as yyyymmdd."""
    return day.year * 10_000 + day.month * 100 + day.day


def day_date(day: int) -> date:
    """Return yyyymmdd as a date."""
    return date(day // 10_000, day // 100 % 100, day % 100)


def month_of(day: int) -> int:
    """Return the month yyyymm of a day yyyymmdd."""
    return day // 100


def month_of_span(span: int) -> int:
    """Return the month yyyymm of a day yyyymmdd, or of a month."""
    return span if span < _FIRST_DAY else month_of(span)


def span_text(span: int) -> str:
    """Return a day yyyymmdd or month yyyymm as it is shown, such as 2026-03-01 or 2026-03."""
    text = str(span)
    return "-".join(filter(None, (text[:4], text[4:6], text[6:])))


def next_day(day: int) -> int:
    """Return the day after."""
    return day_number(day_date(day) + timedelta(days=1))


def days_between(first: int, end: int) -> Iterator[int]:
    """Yield the days from ``first`` to before ``end``."""
    current, last = day_date(first), day_date(end)
    while current < last:
        yield day_number(current)
        current += timedelta(days=1)


def month_days(month: int) -> tuple[int, int]:
    """Return the first day of a month and that of the next."""
    year, number = divmod(month, 100)
    following = (year + 1) * 100 + 1 if number == 12 else month + 1
    return month * 100 + 1, following * 100 + 1


class Days:
    """Days of epoch seconds in a zone; remembers each quarter of an hour that it was asked for."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._moments: dict[int, Moment] = {}

    def day(self, epoch: int) -> int:
        """Return the local day of epoch seconds (UTC)."""
        return self.moment(epoch // QUARTER).day

    def moment(self, quarter: int) -> Moment:
        """Return the local day, hour and weekday of a quarter of an hour (epoch // 900)."""
        found = self._moments.get(quarter)
        if found is None:
            local = datetime.fromtimestamp(quarter * QUARTER, self.zone)
            found = Moment(day_number(local.date()), local.hour, local.isoweekday())
            self._moments[quarter] = found
        return found

    def second(self, quarter: int) -> int:
        """Return the second of the day, by the clock, at which a quarter of an hour begins."""
        local = datetime.fromtimestamp(quarter * QUARTER, self.zone)
        return local.hour * 3600 + local.minute * 60

    def start(self, day: int) -> int:
        """Return the epoch second at which a local day begins."""
        wall = datetime.combine(day_date(day), datetime.min.time(), self.zone)
        return int(wall.timestamp())

    def bounds(self, day: int) -> tuple[int, int]:
        """Return the epoch seconds at which a local day begins and ends (exclusive)."""
        return self.start(day), self.start(next_day(day))

    def quarters(self, start: int, end: int) -> range:
        """Return the quarters of an hour that hold the epoch seconds from ``start`` to ``end``."""
        return range(start // QUARTER, -(-end // QUARTER))
