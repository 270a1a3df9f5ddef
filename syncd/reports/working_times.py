"""When people work: hours of the week, and holidays on which no weekday holds, for each site."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from zoneinfo import ZoneInfo

from syncd.billing.bands import Bands, BandTimes
from syncd.domain.bands import Span

WORK = "work"


@dataclass(frozen=True, slots=True)
class Place:
    """What one site, or the company, has."""

    hours: Sequence[Span]
    zone: ZoneInfo
    """By whose clock."""
    holidays: Container[date] = ()

    def times(self) -> BandTimes:
        return Bands(WORK, {WORK: self.hours}, self.holidays).times(self.zone)


@dataclass(frozen=True, slots=True)
class WorkingTimes:
    """Of the company, and of the sites that have something of their own."""

    everywhere: Place
    sites: Mapping[str, Place] = field(default_factory=dict)
    _times: dict[str | None, BandTimes] = field(default_factory=dict, repr=False, compare=False)

    def within(self, site: str, epoch: int) -> bool:
        """Say whether a moment (epoch seconds) is within the working hours of a site."""
        known = site if site in self.sites else None
        times = self._times.get(known)
        if times is None:
            place = self.everywhere if known is None else self.sites[known]
            times = self._times[known] = place.times()
        return times.at(epoch)[0] == WORK

    def with_hours(self, hours: Sequence[Span]) -> WorkingTimes:
        """Return the same with other hours, wherever; holidays and clocks stay those of the sites."""
        return WorkingTimes(
            replace(self.everywhere, hours=hours),
            {name: replace(place, hours=hours) for name, place in self.sites.items()},
        )
