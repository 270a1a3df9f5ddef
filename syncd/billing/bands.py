"""Time bands: which one is in force at a moment, and until when, by the clock of a zone.

Bands are told by the clock on the wall. On a day on which the clocks change an hour is missing or
there twice, and its band with it: the moment decides, never the length of the day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from syncd.domain.bands import DAY, HOLIDAY, KINDS_OF_DAY, WEEKDAYS, Span

_EPOCH_DAY = date(1970, 1, 1).toordinal()

REMEMBERED_DAYS = 4_000
"""Days that a zone's times are kept for; a full memory is emptied."""


class Stretch(NamedTuple):
    """A band, and the second after a leg's beginning at which the next one is in force."""

    band: str
    until: int


class Bands:
    """A set of time bands: of those that fit a moment the first counts, ``""`` where none does.

    ``holidays`` contains dates.
    """

    __slots__ = ("_days", "_holidays", "_times", "name", "spans")

    def __init__(
        self, name: str, spans: Mapping[str, Sequence[Span]], holidays: Container[date] = ()
    ) -> None:
        self.name = name
        self.spans = {band: tuple(its) for band, its in spans.items()}
        self._holidays = holidays
        self._days: dict[tuple[int, int], tuple[tuple[int, str], ...]] = {}
        self._times: dict[ZoneInfo, BandTimes] = {}

    def times(self, zone: ZoneInfo) -> BandTimes:
        """Return the bands as the clocks of a zone tell them."""
        found = self._times.get(zone)
        if found is None:
            found = self._times[zone] = BandTimes(self, zone)
        return found

    def of_day(self, day: date) -> tuple[tuple[int, str], ...]:
        """Return the bands of a day in order, each with the second by the clock at which it begins."""
        return self._of_kinds(self._kind(day), self._kind(date.fromordinal(day.toordinal() - 1)))

    def open_hours(self) -> list[str]:
        """Return the hours of the week, and of a holiday within it, that no band has, as texts."""
        found = []
        for kind in range(KINDS_OF_DAY):
            # A holiday may follow any day: what is open behind one of them is open.
            before = range(KINDS_OF_DAY) if kind == HOLIDAY else ((kind - 1) % 7,)
            name = "holiday" if kind == HOLIDAY else WEEKDAYS[kind].capitalize()
            texts = dict.fromkeys(one for other in before for one in self._open(kind, other))
            found += [name] if "" in texts else [f"{name}{text}" for text in texts]
        return found

    def _open(self, kind: int, before: int) -> list[str]:
        day = [*self._of_kinds(kind, before), (DAY, "")]
        return [
            "" if (start, end) == (0, DAY) else f" {_clock(start)}-{_clock(end)}"
            for (start, band), (end, _) in pairwise(day)
            if not band
        ]

    def _kind(self, day: date) -> int:
        return HOLIDAY if day in self._holidays else day.weekday()

    def _of_kinds(self, kind: int, before: int) -> tuple[tuple[int, str], ...]:
        found = self._days.get((kind, before))
        if found is None:
            cuts = {0}
            for spans in self.spans.values():
                for span in spans:
                    cuts |= {span.start, span.end % DAY}
            made: list[tuple[int, str]] = []
            for second in sorted(cuts):
                band = self._band(kind, before, second)
                if not made or made[-1][1] != band:
                    made.append((second, band))
            found = self._days[kind, before] = tuple(made)
        return found

    def _band(self, kind: int, before: int, second: int) -> str:
        for band, spans in self.spans.items():
            for days, start, end in spans:
                if start < end:
                    fits = kind in days and start <= second < end
                else:
                    fits = (kind in days and second >= start) or (before in days and second < end)
                if fits:
                    return band
        return ""


class BandTimes:
    """A set of bands by the clocks of one zone."""

    __slots__ = ("_bands", "_days", "_zone")

    def __init__(self, bands: Bands, zone: ZoneInfo) -> None:
        self._bands = bands
        self._zone = zone
        self._days: dict[int, tuple[list[int], list[str]]] = {}

    def at(self, epoch: int) -> tuple[str, int]:
        """Return the band at a moment (epoch seconds), and a moment until which it surely lasts."""
        day = self._days.get(epoch // DAY)
        if day is None:
            day = self._make(epoch // DAY)
        edges, names = day
        place = bisect_right(edges, epoch)
        return names[place - 1], edges[place]

    def stretches(self, epoch: int, seconds: int) -> list[Stretch]:
        """Return the bands that so many seconds from a moment on go through, in order."""
        found: list[Stretch] = []
        end, now = epoch + seconds, epoch
        while now < end:
            band, now = self.at(now)
            if found and found[-1].band == band:
                found.pop()
            found.append(Stretch(band, now - epoch))
        return found

    def _make(self, number: int) -> tuple[list[int], list[str]]:
        """Return the edges of a day of UTC, its two ends included, and the band after each."""
        start, end = number * DAY, (number + 1) * DAY
        edges: list[int] = []
        names: list[str] = []
        while start < end:
            offset, change = self._offset(start), end
            if self._offset(end - 1) != offset:
                # Not twice on one day do the clocks of a zone change.
                low, change = start, end - 1
                while change - low > 1:
                    middle = (low + change) // 2
                    if self._offset(middle) == offset:
                        low = middle
                    else:
                        change = middle
            now = start
            while now < change:
                local = (now + offset) // DAY
                midnight = local * DAY - offset
                day = self._bands.of_day(date.fromordinal(_EPOCH_DAY + local))
                ends = [*(second for second, _ in day[1:]), DAY]
                for (_, band), until in zip(day, ends, strict=True):
                    if now < midnight + until and now < change:
                        if not names or names[-1] != band:
                            edges.append(now)
                            names.append(band)
                        now = min(midnight + until, change)
            start = change
        edges.append(end)
        if len(self._days) >= REMEMBERED_DAYS:
            self._days.clear()
        self._days[number] = (edges, names)
        return edges, names

    def _offset(self, epoch: int) -> int:
        """Return how many seconds the zone's clocks are ahead of UTC."""
        offset = datetime.fromtimestamp(epoch, self._zone).utcoffset()
        assert offset is not None  # a zone's time always has one
        return offset.days * DAY + offset.seconds


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}"
