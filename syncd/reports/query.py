"""Sums over the call rows that a viewer may see, from rollups where they equal the rows.

A query cannot be built without a scope. Clean months and days are answered by the rollups when
every dimension and filter can be derived from their columns, the rest by the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import itemgetter

from syncd.domain.codes import Outcome
from syncd.domain.days import day_number, days_between, month_days, month_of, next_day
from syncd.reports.conditions import Conditions
from syncd.reports.dimensions import Raw
from syncd.reports.lookups import Key, Lookups, select
from syncd.reports.permissions import Reach, Scope
from syncd.reports.scope import (
    Condition,
    id_list,
    in_list,
    row_conditions,
    scope_parts,
)
from syncd.reports.sources import BY_DAY, BY_MONTH, CALL, Source
from syncd.reports.specification import Specification
from syncd.store.models import database
from syncd.store.rollup_tables import MEASURES
from syncd.store.rollups import clean_days, clean_months, clean_parts, rows_extent, zone_is

Sums = list[int]
"""In the order of ``MEASURES`` of the store, rows last."""

SUM_NAMES = tuple(MEASURES)


@dataclass(frozen=True, slots=True)
class Cut:
    """A period cut into what each kind of table answers."""

    months: list[int]
    days: list[int]
    ranges: list[tuple[int, int]]
    """Epoch seconds from … to."""


class Query(Conditions):
    """One question of one viewer about call rows."""

    def __init__(self, scope: Scope, specification: Specification, lookups: Lookups) -> None:
        super().__init__(scope, specification, lookups)
        lookups.raw_codes = scope.reach is Reach.ALL
        lookups.masked_digits = scope.masked_digits
        self.start = lookups.days.start(day_number(specification.first))
        self.stop = lookups.days.start(day_number(specification.end))

    @cached_property
    def _extent(self) -> tuple[int, int] | None:
        return rows_extent()

    def fits(
        self, source: Source, dimensions: tuple[str, ...], needs: frozenset[Raw] = frozenset()
    ) -> bool:
        """Say whether a rollup knows all that is asked for, and these raw columns."""
        return (
            needs <= source.columns.keys()
            and self.filterable(source)
            and all(self.derivable(name, source) is not None for name in dimensions)
        )

    def cut(self, months: bool, days: bool) -> Cut:
        """Cut the period into clean months, clean days and the rest."""
        lookups, zone = self.lookups, self.lookups.days
        extent = self._extent
        if extent is None or self.start >= self.stop:
            return Cut([], [], [])
        first = max(lookups.first, zone.day(extent[0]))
        end = min(lookups.end, next_day(zone.day(extent[1])))
        if first >= end:
            return Cut([], [], [])
        if not (months or days) or not zone_is(zone.zone):
            return Cut([], [], [(zone.start(first), zone.start(end))])
        ends = self._month_ends() if months else {}
        rolled_days = clean_days() if days else set()
        cut = Cut([], [], [])
        for day in days_between(first, end):
            month = month_of(day)
            if day < ends.get(month, 0):
                if not cut.months or cut.months[-1] != month:
                    cut.months.append(month)
            elif day in rolled_days:
                cut.days.append(day)
            else:
                start, stop = zone.bounds(day)
                if cut.ranges and cut.ranges[-1][1] == start:
                    start = cut.ranges.pop()[0]
                cut.ranges.append((start, stop))
        return cut

    def _month_ends(self) -> dict[int, int]:
        """Return the summed months of which no day is outside the period, and before which day
        their sums end."""
        ends = {month: month_days(month)[1] for month in clean_months()} | dict(clean_parts())
        return {
            month: end
            for month, end in ends.items()
            if self.lookups.first <= month_days(month)[0] and end <= self.lookups.end
        }

    def sums(self, dimensions: tuple[str, ...]) -> dict[tuple[Key, ...], Sums]:
        """Return the sums of every group, by its keys in the order of the dimensions."""
        found: dict[tuple[Key, ...], Sums] = {}
        for part in scope_parts(self.scope, self.lookups):
            by_month, by_day = (
                next((one for one in sources if self.fits(one, dimensions, part.needs)), None)
                for sources in (BY_MONTH, BY_DAY)
            )
            cut = self.cut(by_month is not None, by_day is not None)
            for source, spans in ((by_month, cut.months), (by_day, cut.days)):
                if source is not None and spans:
                    when = Condition(f"{in_list(source.span)} AND ", (id_list(spans),))
                    self._fold(found, source, dimensions, when, part.sums)
            for start, stop in cut.ranges:
                self._fold(found, CALL, dimensions, _between(start, stop), part.rows)
        return found

    def grouping(
        self, source: Source, dimensions: tuple[str, ...]
    ) -> tuple[list[str], list[tuple[int, Callable[[int], Key]]]]:
        """Return the columns to group by, and for each dimension the place of its column and the
        function from that column's value to the dimension's key."""
        raws: list[Raw] = []
        keys = []
        for name in dimensions:
            raw = self.derivable(name, source)
            assert raw is not None
            if raw not in raws:
                raws.append(raw)
            keys.append((raws.index(raw), self.lookups.key_of(name, raw)))
        return [source.columns[raw] for raw in raws], keys

    def _fold(
        self,
        found: dict[tuple[Key, ...], Sums],
        source: Source,
        dimensions: tuple[str, ...],
        when: Condition,
        seen: Condition,
    ) -> None:
        """Add a source's sums over some time and rows to what was found."""
        columns, keys = self.grouping(source, dimensions)
        wanted = self.filtered(source)
        grouped = f" GROUP BY {', '.join(columns)}" if columns else ""
        rows = select(
            f"SELECT {', '.join([*columns, *source.measures])} FROM {source.table}"
            f" WHERE {when.sql}{seen.sql}{wanted.sql}{grouped}",
            *when.parameters,
            *seen.parameters,
            *wanted.parameters,
        )
        size = len(columns)
        for row in rows:
            if row[-1]:
                key = tuple(function(row[place]) for place, function in keys)
                sums = found.get(key)
                if sums is None:
                    found[key] = list(row[size:])
                else:
                    for index, value in enumerate(row[size:]):
                        sums[index] += value

    def conversations(self, dimensions: tuple[str, ...]) -> dict[tuple[Key, ...], list[int]]:
        """Return for every group the number of distinct conversations, and how many of them were
        answered, missed and unanswered: a conversation is answered when any of its participations
        is, else missed when any is.

        Only for a scope of all rows: what a viewer sees of a conversation must not decide this.
        """
        if self.scope.reach is not Reach.ALL:
            raise ValueError("conversations are counted over all rows alone")
        columns, keys = self.grouping(CALL, dimensions)
        wanted = self.filtered(CALL)
        found: dict[tuple[Key, ...], list[int]] = {}
        (seen,) = row_conditions(self.scope, self.lookups)
        cursor = database.execute_sql(
            f"SELECT conversation, outcome, {', '.join([*columns, '1'])} FROM call"
            f" WHERE {_between(self.start, self.stop).sql}{seen.sql}{wanted.sql}"
            " AND counted = 1 ORDER BY conversation",
            (self.start, self.stop, *seen.parameters, *wanted.parameters),
        )
        for _, rows in groupby(cursor, itemgetter(0)):
            best: dict[tuple[Key, ...], int] = {}
            for row in rows:
                key = tuple(function(row[2 + place]) for place, function in keys)
                best[key] = min(best.get(key, int(Outcome.UNANSWERED)), row[1])
            for key, outcome in best.items():
                counts = found.setdefault(key, [0, 0, 0, 0])
                counts[0] += 1
                counts[outcome] += 1
        return found


def _between(start: int, stop: int) -> Condition:
    return Condition("started_at >= ? AND started_at < ? AND ", (start, stop))
