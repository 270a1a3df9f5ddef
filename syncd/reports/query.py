"""Sums over the call rows that a viewer may see, from rollups where they equal the rows.

A query cannot be built without a scope. Clean months and days are answered by the rollups when
every dimension and filter can be derived from their columns, the rest by the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from syncd.domain.call_id import parse_call_id
from syncd.domain.codes import Outcome
from syncd.domain.days import QUARTER, day_number, days_between, month_days, month_of, next_day
from syncd.reports.dimensions import DIMENSIONS, ROW_FILTERS, Raw
from syncd.reports.lookups import Key, Lookups, select
from syncd.reports.masking import shown_number
from syncd.reports.permissions import Reach, Scope
from syncd.reports.scope import (
    Condition,
    id_list,
    in_list,
    masked_digits,
    private_owner,
    row_conditions,
    sums_condition,
)
from syncd.reports.specification import Specification
from syncd.store.models import database
from syncd.store.rollups import MEASURES, clean_days, clean_months, rows_extent, zone_is

Sums = list[int]
"""In the order of ``MEASURES`` of the store, rows last."""

SUM_NAMES = tuple(MEASURES)


@dataclass(frozen=True, slots=True)
class Source:
    """A table that sums can be read from, and what its raw columns are called."""

    table: str
    columns: dict[Raw, str]
    span: str = ""
    """The column with the day or month."""

    @property
    def measures(self) -> list[str]:
        """SQL of each measure."""
        if self.table == "call":
            return list(MEASURES.values())
        return [f"SUM({name})" for name in MEASURES]


def _of_record(column: str) -> str:
    """Return the SQL of what stands in a call's record alone."""
    return f"(SELECT {column} FROM record WHERE record.id = call.id / 8)"


CALL = Source(
    "call",
    {
        Raw.LINE: "line_id",
        Raw.PARTY: "party_id",
        Raw.PROFILE: "profile_id",
        Raw.ORG: "org_id",
        Raw.SIDE: "side",
        Raw.DIRECTION: "direction",
        Raw.CLASS: "class",
        Raw.DESTINATION: "destination_id",
        Raw.CARRIER: "carrier_id",
        Raw.TRUNK: "trunk_id",
        Raw.STATE: "state",
        Raw.DISPOSITION: "disposition",
        Raw.REASON: "reason",
        Raw.QUARTER: f"started_at / {QUARTER}",
        Raw.AUTHORIZATION: _of_record("authorization_code"),
        Raw.MATTER_CODE: _of_record("matter_code"),
        Raw.PURPOSE: "EXISTS (SELECT 1 FROM private_record WHERE record_id = call.id / 8)",
        Raw.MATTER: "COALESCE((SELECT matter_id FROM account_charge WHERE call_id = call.id), 0)",
    },
)
_TRAFFIC = {
    Raw.ORG: "org_id",
    Raw.DIRECTION: "direction",
    Raw.CLASS: "class",
    Raw.CARRIER: "carrier_id",
    Raw.TRUNK: "trunk_id",
}
BY_DAY = Source("rollup_day", {Raw.DAY: "day", **_TRAFFIC}, "day")
# The smallest first.
BY_MONTH = (
    Source("rollup_month", {Raw.MONTH: "month", **_TRAFFIC}, "month"),
    Source(
        "rollup_destination",
        {
            Raw.MONTH: "month",
            Raw.ORG: "org_id",
            Raw.DESTINATION: "destination_id",
            Raw.CLASS: "class",
        },
        "month",
    ),
    Source(
        "rollup_line",
        {
            Raw.MONTH: "month",
            Raw.LINE: "line_id",
            Raw.PARTY: "party_id",
            Raw.PROFILE: "profile_id",
            Raw.ORG: "org_id",
            Raw.DIRECTION: "direction",
            Raw.CLASS: "class",
        },
        "month",
    ),
)


@dataclass(frozen=True, slots=True)
class Cut:
    """A period cut into what each kind of table answers."""

    months: list[int]
    days: list[int]
    ranges: list[tuple[int, int]]
    """Epoch seconds from … to."""


class Query:
    """One question of one viewer about call rows."""

    def __init__(self, scope: Scope, specification: Specification, lookups: Lookups) -> None:
        self.scope = scope
        self.specification = specification
        self.lookups = lookups
        lookups.raw_codes = scope.reach is Reach.ALL
        lookups.masked_digits = scope.masked_digits
        self.start = lookups.days.start(day_number(specification.first))
        self.stop = lookups.days.start(day_number(specification.end))

    def derivable(self, dimension: str, source: Source) -> Raw | None:
        """Return the raw column of a source that a dimension can be derived from."""
        return next((raw for raw in DIMENSIONS[dimension].raw if raw in source.columns), None)

    def fits(self, source: Source, dimensions: tuple[str, ...]) -> bool:
        """Say whether a rollup knows all that is asked for."""
        keys = [key for key, _ in self.specification.filters]
        return not any(key in ROW_FILTERS for key in keys) and all(
            self.derivable(name, source) is not None for name in (*dimensions, *keys)
        )

    def filtered(self, source: Source) -> Condition:
        """Return the specification's filters as a condition on a source."""
        texts: list[str] = []
        parameters: list[Any] = []
        for key, values in self.specification.filters:
            if key in ROW_FILTERS:
                condition = self._row_filter(key, values)
                texts.append(condition.sql)
                parameters += condition.parameters
                continue
            raw = self.derivable(key, source)
            assert raw is not None  # ``fits`` was asked, and call rows have every column
            texts.append(in_list(source.columns[raw]))
            parameters.append(id_list(self.lookups.select(key, raw, values)))
        return Condition("".join(f" AND {text}" for text in texts), tuple(parameters))

    def _row_filter(self, key: str, values: tuple[str, ...]) -> Condition:
        """Return the condition of a filter that only rows have. Numbers are compared as this viewer
        gets them: a masked number never gives its digits away."""
        places = ", ".join("?" * len(values))
        if key == "other_number":
            database.connection().create_function("shown_number", 3, self._shown_number)
            shown = f"shown_number(other_number, other_outside, {private_owner('call')})"
            return Condition(f"{shown} IN ({places})", values)
        if key == "hunt_pilot":
            return Condition(f"hunt_pilot IN ({places})", values)
        ids = {record for value in values for record in records_of(value)}
        return Condition(in_list("conversation"), (id_list(ids),))

    def _shown_number(self, number: str, outside: int, owner: int) -> str:
        return shown_number(number, outside, masked_digits(self.scope, owner))

    def cut(self, months: bool, days: bool) -> Cut:
        """Cut the period into clean months, clean days and the rest."""
        lookups, zone = self.lookups, self.lookups.days
        extent = rows_extent()
        if extent is None or self.start >= self.stop:
            return Cut([], [], [])
        first = max(lookups.first, zone.day(extent[0]))
        end = min(lookups.end, next_day(zone.day(extent[1])))
        if first >= end:
            return Cut([], [], [])
        if not (months or days) or not zone_is(zone.zone):
            return Cut([], [], [(zone.start(first), zone.start(end))])
        rolled_months = clean_months() if months else set()
        rolled_days = clean_days() if days else set()
        cut = Cut([], [], [])
        for day in days_between(first, end):
            month = month_of(day)
            if month in rolled_months and self._whole(month):
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

    def _whole(self, month: int) -> bool:
        first, end = month_days(month)
        return self.lookups.first <= first and end <= self.lookups.end

    def sums(self, dimensions: tuple[str, ...]) -> dict[tuple[Key, ...], Sums]:
        """Return the sums of every group, by its keys in the order of the dimensions."""
        found: dict[tuple[Key, ...], Sums] = {}
        if self.scope.reach is Reach.NONE:
            return found
        by_month = next((source for source in BY_MONTH if self.fits(source, dimensions)), None)
        by_day = BY_DAY if self.fits(BY_DAY, dimensions) else None
        summed = sums_condition(self.scope, self.lookups)
        if summed is None:
            by_month = by_day = None
        cut = self.cut(by_month is not None, by_day is not None)
        parts = row_conditions(self.scope, self.lookups)
        for source, spans in ((by_month, cut.months), (by_day, cut.days)):
            if source is None or summed is None or not spans:
                continue
            when = Condition(f"{in_list(source.span)} AND ", (id_list(spans),))
            self._fold(found, source, dimensions, when, summed)
            for part in parts[1:]:
                for start, stop in self._ranges(source, spans):
                    self._fold(found, CALL, dimensions, _between(start, stop), part)
        for part in parts:
            for start, stop in cut.ranges:
                self._fold(found, CALL, dimensions, _between(start, stop), part)
        return found

    def _ranges(self, source: Source, spans: list[int]) -> Iterator[tuple[int, int]]:
        """Yield the epoch seconds that days or months cover, adjoining ones together."""
        zone = self.lookups.days
        current: tuple[int, int] | None = None
        for span in spans:
            days = month_days(span) if source.span == "month" else (span, next_day(span))
            start, stop = zone.start(days[0]), zone.start(days[1])
            if current is not None and current[1] == start:
                current = (current[0], stop)
                continue
            if current is not None:
                yield current
            current = (start, stop)
        if current is not None:
            yield current

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


def records_of(public_id: str) -> list[int]:
    """Return the ids of the records that a public id of a call or conversation may mean."""
    parts = parse_call_id(public_id)
    return [
        row[0]
        for row in select(
            "SELECT id FROM record WHERE started_at >= ? AND started_at < ?"
            " AND key_hash BETWEEN ? AND ?",
            *parts.started_between(),
            *parts.hash_between(),
        )
    ]
