"""What a report can say of sealed days, of whose calls the sums alone are kept (docs/rules.md 10.2).

Sums by day, org, direction, class, carrier and trunk answer as ever. Destinations, weekdays and hours
are kept by the month, so they answer for the whole of its sealed days. There is nobody's line and no
person in them: what is asked by these is under none. All else is not known, and is said to be so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from syncd.domain.days import day_date, month_of
from syncd.reports.dimensions import DIMENSIONS, Raw
from syncd.reports.lookups import Lookups
from syncd.reports.result import Result
from syncd.reports.scope import Condition, Part, id_list, in_list
from syncd.reports.sources import Source
from syncd.reports.specification import CONVERSATIONS, Specification
from syncd.store.sealed import sealed_days

_NOBODY = "org_id * 0"
"""The SQL of the id 0, which is no constant, so that it can be grouped by."""
_FOLDED = {
    Raw.LINE: _NOBODY,
    Raw.PARTY: _NOBODY,
    Raw.PROFILE: _NOBODY,
    Raw.PROFILE_TODAY: _NOBODY,
    Raw.ORG_TODAY: "-org_id",
}
BY_DAY = Source(
    "sealed_day",
    {
        Raw.DAY: "day",
        Raw.ORG: "org_id",
        Raw.DIRECTION: "direction",
        Raw.CLASS: "class",
        Raw.CARRIER: "carrier_id",
        Raw.TRUNK: "trunk_id",
        **_FOLDED,
    },
    "day",
)
BY_MONTH = (
    Source(
        "sealed_destination",
        {
            Raw.MONTH: "month",
            Raw.ORG: "org_id",
            Raw.DESTINATION: "destination_id",
            Raw.CLASS: "class",
            **_FOLDED,
        },
        "month",
    ),
    Source(
        "sealed_hour",
        {
            Raw.MONTH: "month",
            Raw.ORG: "org_id",
            Raw.WEEKDAY: "weekday",
            Raw.HOUR: "hour",
            Raw.DIRECTION: "direction",
            **_FOLDED,
        },
        "month",
    ),
)


@dataclass(slots=True)
class Kept:
    """The sealed days of one query, and what came of them."""

    days: tuple[int, ...] = ()
    """Those of the period of which calls are gone."""
    unknown: set[int] = field(default_factory=set)
    """Those of which nothing can be said to what is asked."""
    folded: bool = False
    """Whether it is asked by what is kept of nobody in particular."""
    own: bool = False
    """Whether calls of the viewer alone would belong to it."""

    def notes(self) -> list[str]:
        """Return what the reader has to know of them, a sentence each."""
        found = []
        if self.unknown:
            found.append(f"{_said(self.unknown)}; what is asked is not known of them, and left out")
        rest = set(self.days) - self.unknown
        if rest and self.folded:
            found.append(f"{_said(rest)}, without persons and lines: they are under none")
        if rest and self.own:
            found.append(f"{_said(rest)}; calls of your own in other places are not in it")
        return found


class Question(Protocol):
    """What is to be known of a query."""

    specification: Specification
    lookups: Lookups

    @property
    def kept(self) -> Kept: ...

    @property
    def filter_keys(self) -> list[str]: ...

    def derivable(self, dimension: str, source: Source) -> Raw | None: ...

    def fits(self, source: Source, dimensions: tuple[str, ...]) -> bool: ...


def kept_of(query: Question) -> Kept:
    """Return the sealed days of a query's period."""
    return Kept(tuple(sealed_days(query.lookups.first, query.lookups.end)))


def add_kept(
    query: Question, part: Part, dimensions: tuple[str, ...], scanned: Iterable[tuple[int, int]]
) -> list[tuple[Source, Condition]]:
    """Return what of sealed days is to be added to the rows of some time (epoch seconds from … to),
    for a part of the scope. What cannot be is noted."""
    kept, zone = query.kept, query.lookups.days
    if not kept.days:
        return []
    if query.specification.lists_rows or query.specification.counts == CONVERSATIONS:
        kept.unknown.update(kept.days)
        if query.specification.lists_rows:
            return []
    kept.folded = kept.folded or any(
        query.derivable(name, source) in _FOLDED
        for name in (*dimensions, *query.filter_keys)
        if name in DIMENSIONS
        for source in (BY_DAY, *BY_MONTH)
    )
    if Raw.PARTY in part.needs:
        if Raw.ORG in part.needs:
            kept.own = True
        else:
            kept.unknown.update(kept.days)
        return []
    spans = list(scanned)
    starts = {day: zone.start(day) for day in kept.days}
    days = [day for day in kept.days if any(one <= starts[day] < stop for one, stop in spans)]
    source = next((one for one in (BY_DAY, *BY_MONTH) if query.fits(one, dimensions)), None)
    if source is None:
        kept.unknown.update(kept.days)
    elif source is BY_DAY:
        return [(source, _within(source, days))] if days else []
    else:
        # What is kept of a month is of all its sealed days.
        months = {month_of(day) for day in days}
        whole = {
            month
            for month in months
            if set(days).issuperset(sealed_days(month * 100 + 1, month * 100 + 32))
        }
        kept.unknown.update(day for day in days if month_of(day) not in whole)
        return [(source, _within(source, whole))] if whole else []
    return []


def _within(source: Source, spans: Iterable[int]) -> Condition:
    return Condition(f"{in_list(source.span)} AND ", (id_list(spans),))


def _said(days: Iterable[int]) -> str:
    chosen = sorted(days)
    last = day_date(chosen[-1])
    if len(chosen) == 1:
        return f"of {last} sums alone are kept"
    return f"of {len(chosen)} days from {day_date(chosen[0])} to {last} sums alone are kept"


def sealed_notes(result: Result, kept: Kept) -> None:
    """Say in a report what is not known of sealed days."""
    result.notes.extend(kept.notes())
    if kept.unknown:
        result.facts["days_not_known"] = len(kept.unknown)
