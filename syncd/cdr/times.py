"""Dates, times of day and lengths of time as call records have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH, EPOCH_MILLISECONDS, ISO = "epoch", "epoch_ms", "iso"
"""Names that stand for formats which strptime does not know."""

PLAIN = "%Y-%m-%d %H:%M:%S"
_PLAIN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_NUMBER = re.compile(r"\d{1,20}(\.\d{1,9})?", re.ASCII)
_CLOCK = re.compile(r"(?:(?:(\d{1,6}):)?(\d{1,6}):)?(\d{1,9})(?:\.\d{1,9})?", re.ASCII)

_LONGEST_HMMT = 6

LATEST = 2**32 - 1
"""Seconds since 1970; no call begins later."""

UNITS = ("seconds", "milliseconds", "minutes", "tenths", "clock", "hmmt")
_SECONDS = {
    "seconds": Decimal(1),
    "milliseconds": Decimal("0.001"),
    "minutes": Decimal(60),
    "tenths": Decimal(6),
}


_YEAR = re.compile(r"%[YyGcx]")
_YEARS_BACK = 9
"""Between two 29ths of February may lie eight years."""
_DAY = 86_400


def lacks_year(form: str) -> bool:
    """Tell whether times of this format leave out the year."""
    return form not in (EPOCH, EPOCH_MILLISECONDS, ISO) and not _YEAR.search(form)


class Clock:
    """Reads the times of one source.

    ``formats`` are strptime's, or ``epoch``, ``epoch_ms``, ``iso``; the first that fits counts. A
    text without an offset is a time of the ``zone``. Without a year it is the latest that is not
    after the day on which its file was ``written`` (epoch seconds, 0: not known) or the day after:
    clocks and zones differ, and a row of New Year's Eve stays in the old year.
    """

    def __init__(self, zone: ZoneInfo, formats: Sequence[str] = (PLAIN,), written: int = 0) -> None:
        self._zone = zone
        self._formats = tuple(formats)
        self._written = written
        self.moments = lru_cache(maxsize=4096)(self._moments)

    def _moments(self, text: str) -> tuple[int, ...]:
        """Return the moments (epoch seconds UTC, in order) that a text may mean: two where the
        clocks are put back. Raises ValueError when it is no time."""
        for form in self._formats:
            found = self._read(text, form)
            if found:
                if not all(0 < moment <= LATEST for moment in found):
                    break
                return found
        raise ValueError(f"{text[:40]!r} is not a time")

    def _read(self, text: str, form: str) -> tuple[int, ...]:
        if form in (EPOCH, EPOCH_MILLISECONDS):
            if not _NUMBER.fullmatch(text):
                return ()
            return (int(text.partition(".")[0]) // (1000 if form == EPOCH_MILLISECONDS else 1),)
        if lacks_year(form):
            return self._recent(text, form)
        return self._dated(text, form)

    def _recent(self, text: str, form: str) -> tuple[int, ...]:
        """Return what a time without a year means."""
        if not self._written:
            raise ValueError(
                f"{text[:40]!r} has no year, and when the file was written is not known"
            )
        latest = self._written + _DAY
        year = datetime.fromtimestamp(latest, self._zone).year
        for candidate in range(year, max(year - _YEARS_BACK, 1970), -1):
            moments = self._dated(f"{candidate} {text}", f"%Y {form}")
            if moments and moments[0] <= latest:
                return moments
        return ()

    def _dated(self, text: str, form: str) -> tuple[int, ...]:
        try:
            if form == ISO or (form == PLAIN and _PLAIN.fullmatch(text)):
                moment = datetime.fromisoformat(text)
            else:
                moment = datetime.strptime(text, form)  # noqa: DTZ007 (its zone follows)
            if moment.tzinfo is not None:
                return (int(moment.astimezone(UTC).timestamp()),)
            first = int(moment.replace(tzinfo=self._zone).timestamp())
            second = int(moment.replace(tzinfo=self._zone, fold=1).timestamp())
        except (ValueError, OverflowError):
            return ()
        return (first, second) if first < second else (first,)

    def at(self, text: str, not_before: int = 0) -> int:
        """Return the first moment that a text may mean and that is not before another one; where
        there is none, the last that it may mean. Raises ValueError."""
        moments = self.moments(text)
        return next((moment for moment in moments if moment >= not_before), moments[-1])

    def span(self, start: str, end: str, elapsed: int | None) -> tuple[int, int]:
        """Return (start, end), each text taken so that what lies between is nearest to ``elapsed``
        seconds; of equals, and without ``elapsed``, the earliest. Raises ValueError."""
        starts, ends = self.moments(start), self.moments(end)
        if len(starts) == len(ends) == 1:
            return starts[0], ends[0]
        pairs = [(first, last) for first in starts for last in ends if last >= first]
        if not pairs:
            return starts[0], ends[-1]
        if elapsed is None:
            return pairs[0]
        return min(pairs, key=lambda pair: (abs(pair[1] - pair[0] - elapsed), pair))


def seconds_of(text: str, unit: str = "seconds") -> int:
    """Return a length of time in whole seconds, given its unit (see ``UNITS``; ``clock`` is h:m:s,
    m:s or seconds; ``hmmt`` hours, two digits of minutes and one of tenths of a minute). What is
    begun is not counted. Raises ValueError."""
    if unit == "hmmt":
        if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_HMMT):
            raise ValueError(f"{text[:40]!r} is not hours, minutes and tenths")
        whole, tenths = divmod(int(text), 10)
        hours, minutes = divmod(whole, 100)
        return hours * 3600 + minutes * 60 + tenths * 6
    if unit == "clock":
        found = _CLOCK.fullmatch(text)
        if not found:
            raise ValueError(f"{text[:40]!r} is not h:m:s")
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return hours * 3600 + minutes * 60 + seconds
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a number of {unit}")
    return int(Decimal(text) * _SECONDS[unit])
