"""When something is done: ``every 15 minutes``, or a cron line with cron's own meaning.

Cron's meaning is that of crontab(5): weekday 0 and 7 are Sunday; when both day fields are
restricted (neither begins with ``*``) a day that fits either counts; a time that the clock skips
runs as much later as was skipped, a time that it repeats runs once, except that a line whose hour
begins with ``*`` goes on through both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
DAYS_AHEAD = 41 * 366
"""A 29 February that is also a given weekday may be forty years away, around 2100."""


@dataclass(frozen=True, slots=True)
class Every:
    """Again after so many seconds."""

    seconds: int

    def next_after(self, epoch: int, zone: ZoneInfo) -> int:
        """Return the next time (epoch seconds) after ``epoch``."""
        return epoch + self.seconds

    def __str__(self) -> str:
        unit = max(
            (name for name, size in UNITS.items() if self.seconds % size == 0 and name != "day"),
            key=UNITS.__getitem__,
        )
        count = self.seconds // UNITS[unit]
        return f"every {count} {unit}{'s' if count != 1 else ''}"


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line; the sets hold the numbers that fit, weekdays from Sunday = 0 to Saturday = 6."""

    text: str
    minute: frozenset[int]
    hour: frozenset[int]
    day: frozenset[int]
    month: frozenset[int]
    weekday: frozenset[int]
    either_day: bool
    """Both day fields are restricted: one that fits is enough."""
    every_hour: bool
    """The hour begins with ``*``: repeated hours count twice."""

    def fits_day(self, day: date) -> bool:
        if day.month not in self.month:
            return False
        by_day = day.day in self.day
        by_weekday = day.isoweekday() % 7 in self.weekday
        return by_day or by_weekday if self.either_day else by_day and by_weekday

    def next_after(self, epoch: int, zone: ZoneInfo) -> int:
        """Return the next time (epoch seconds) after ``epoch`` that the line names in ``zone``."""
        # A day earlier: what the clock skips at midnight runs on the day after.
        first = datetime.fromtimestamp(epoch, zone).date() - timedelta(days=1)
        for ahead in range(DAYS_AHEAD):
            day = first + timedelta(days=ahead)
            if self.fits_day(day):
                later = [moment for moment in self._moments(day, zone) if moment > epoch]
                if later:
                    return min(later)
        raise AssertionError("parse_schedule refuses days that never come")

    def _moments(self, day: date, zone: ZoneInfo) -> Iterator[int]:
        for hour in self.hour:
            for minute in self.minute:
                local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                yield int(local.timestamp())
                if self.every_hour:
                    again = local.replace(fold=1).astimezone(UTC)
                    if again.astimezone(zone).hour == hour:
                        yield int(again.timestamp())

    def __str__(self) -> str:
        return self.text


Schedule = Every | Cron


def parse_schedule(text: str) -> Schedule:
    """Return the schedule that a text names. Raises ValueError with a sentence."""
    words = text.split()
    if words and words[0].lower() == "every":
        return _parse_every(words)
    if len(words) == 5:
        return _parse_cron(words)
    raise ValueError(f"{text!r} is neither “every N seconds|minutes|hours” nor a cron line")


def _parse_every(words: list[str]) -> Every:
    if len(words) == 3 and words[1].isascii() and words[1].isdigit() and int(words[1]) > 0:
        unit = words[2].lower().removesuffix("s")
        if unit in UNITS and unit != "day":
            return Every(int(words[1]) * UNITS[unit])
    raise ValueError(f"{' '.join(words)!r} is not “every N seconds|minutes|hours”")


def _parse_cron(words: list[str]) -> Cron:
    minute, hour, day, month, weekday = words
    days = _numbers("day", day, 1, 31)
    months = _numbers("month", month, 1, 12, MONTHS)
    either = not day.startswith("*") and not weekday.startswith("*")
    cron = Cron(
        text=" ".join(words),
        minute=_numbers("minute", minute, 0, 59),
        hour=_numbers("hour", hour, 0, 23),
        day=days,
        month=months,
        weekday=frozenset(n % 7 for n in _numbers("weekday", weekday, 0, 7, WEEKDAYS)),
        either_day=either,
        every_hour=hour.startswith("*"),
    )
    if not either and not any(min(days) <= LONGEST_MONTH[number - 1] for number in months):
        raise ValueError(f"{cron.text!r} names days that never come")
    return cron


def _numbers(
    what: str, text: str, low: int, high: int, names: list[str] | None = None
) -> frozenset[int]:
    """Return the numbers of one cron field: ``*``, numbers, names, ranges, steps, lists."""

    def number(word: str) -> int:
        if names and word.lower() in names:
            return names.index(word.lower()) + (low if what == "month" else 0)
        if not (word.isascii() and word.isdigit() and low <= int(word) <= high):
            raise ValueError(f"{word!r} is not a {what} ({low}-{high})")
        return int(word)

    found: set[int] = set()
    for part in text.split(","):
        body, slash, step_text = part.partition("/")
        if slash and not (step_text.isascii() and step_text.isdigit() and int(step_text) > 0):
            raise ValueError(f"{part!r}: the step of a {what} is a number from 1")
        if body == "*":
            first, last = low, high
        elif "-" in body:
            first, last = (number(word) for word in body.split("-", 1))
            if first > last:
                raise ValueError(f"{part!r}: a {what} range goes upwards")
        else:
            first = last = number(body)
            if slash:
                raise ValueError(f"{part!r}: a step needs a range, as in {body}-{high}/{step_text}")
        found.update(range(first, last + 1, int(step_text) if slash else 1))
    return frozenset(found)
