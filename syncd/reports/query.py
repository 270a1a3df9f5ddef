"""Sums over the call rows that a viewer may see, from rollups where they equal the rows.

A query cannot be built without a scope. Clean months and days are answered by the rollups when
every dimension and filter can be derived from their columns, the rest by the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from operator import add, itemgetter, sub
from typing import Any

from syncd.domain.codes import Outcome
from syncd.domain.days import day_number, month_days, month_of, next_day
from syncd.domain.party import name_key
from syncd.reports.conditions import Conditions
from syncd.reports.dimensions import Raw
from syncd.reports.lookups import Key, Lookups, select
from syncd.reports.permissions import Reach, Scope
from syncd.reports.scope import (
    EVERYTHING,
    Condition,
    Part,
    id_list,
    in_list,
    scope_parts,
)
from syncd.reports.sealed import Kept, add_kept, kept_of
from syncd.reports.sources import BY_DAY, BY_MONTH, CALL, Source
from syncd.reports.specification import Specification
from syncd.store.models import database
from syncd.store.rollup_tables import MEASURES
from syncd.store.rollups import (
    clean_days,
    clean_months,
    clean_open_days,
    clean_parts,
    fields_are_summed,
    rows_extent,
    zone_is,
)
from syncd.store.rows_between import ids_between

Sums = list[int]
"""In the order of ``MEASURES`` of the store, rows last."""

SUM_NAMES = tuple(MEASURES)

_OF_PROFILE = (Raw.PROFILE, Raw.FIELD)
"""The raw columns of which a profile says what they stand for."""

Fold = Callable[[int, int], int]


@dataclass(frozen=True, slots=True)
class Cut:
    """A period cut into what each kind of table answers."""

    months: list[int]
    """Those, and the days that stand beside them in the same tables."""
    days: list[int]
    ranges: list[tuple[int, int]]
    """Epoch seconds from … to."""


def text_key(text: Any) -> Key:
    """Return the key of a name, None of none."""
    return name_key(text or "") or None


class _Known(dict[Any, Key]):
    """The keys of values, each worked out once."""

    def __init__(self, function: Callable[[Any], Key]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, value: Any) -> Key:
        key = self[value] = self._function(value)
        return key


class Query(Conditions):
    """One question of one viewer about call rows."""

    def __init__(self, scope: Scope, specification: Specification, lookups: Lookups) -> None:
        super().__init__(scope, specification, lookups)
        lookups.raw_codes = scope.reach is Reach.ALL
        lookups.masked_digits = scope.masked_digits
        self.summed: Collection[str] = SUM_NAMES
        """The measures that are asked for; of the others the sums are 0. ``rows`` always is."""
        self.start = lookups.days.start(day_number(specification.first))
        self.stop = lookups.days.start(day_number(specification.end))

    @cached_property
    def rows_extent(self) -> tuple[int, int] | None:
        """When the first and the last of all rows began."""
        return rows_extent()

    @cached_property
    def _extent(self) -> tuple[int, int] | None:
        """When the first and the last call began; of those that are gone, the day."""
        extent, gone = self.rows_extent, self.kept.days
        if not gone:
            return extent
        first, last = self.lookups.days.start(gone[0]), self.lookups.days.start(gone[-1])
        return (first, last) if extent is None else (min(extent[0], first), max(extent[1], last))

    @cached_property
    def kept(self) -> Kept:
        """The sealed days of the period; what came of them is known once sums were asked for."""
        return kept_of(self)

    def fits(
        self, source: Source, dimensions: tuple[str, ...], needs: frozenset[Raw] = frozenset()
    ) -> bool:
        """Say whether a rollup knows all that is asked for, and these raw columns."""
        return (
            needs <= source.columns.keys()
            and self.filterable(source)
            and all(self.derivable(name, source) is not None for name in dimensions)
            and (not source.field or self._fields_are_summed)
        )

    @cached_property
    def _fields_are_summed(self) -> bool:
        return fields_are_summed()

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
        ends, beside = (self._month_ends(), clean_open_days()) if months else ({}, set())
        rolled_days = clean_days() if days else set()
        if self.specification.lists_rows:
            # What is listed is added up: of sealed days that are the rows that are left.
            rolled_days.difference_update(self.kept.days)
            for sealed in self.kept.days:
                ends.pop(month_of(sealed), None)
        cut = Cut([], [], [])
        day = first
        while day < end:
            month_end = ends.get(month_of(day), 0)
            if day < month_end:
                cut.months.append(month_of(day))
                day = month_end
                continue
            if day in beside:
                cut.months.append(day)
            elif day in rolled_days:
                cut.days.append(day)
            else:
                start, stop = zone.bounds(day)
                if cut.ranges and cut.ranges[-1][1] == start:
                    start = cut.ranges.pop()[0]
                cut.ranges.append((start, stop))
            day = next_day(day)
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
        parts = scope_parts(self.scope, self.lookups)
        for part, on_rows in zip(parts, self.row_parts(), strict=True):
            by_month = self._terms(BY_MONTH, dimensions, part)
            by_day = self._terms(BY_DAY, dimensions, part)
            cut = self.cut(bool(by_month), bool(by_day))
            for source, when in add_kept(self, part, dimensions, cut.ranges):
                self._fold(found, source, dimensions, when, part.sums)
            for terms, spans in ((by_month, cut.months), (by_day, cut.days)):
                for source, seen, fold in terms if spans else ():
                    for one, when in self._spanned(source, dimensions, spans):
                        self._fold(found, one, dimensions, when, seen, fold)
            for start, stop in self._alike(cut.ranges, dimensions):
                when, rows = _between(start, stop), self._scanned(part, on_rows, start, stop)
                self._fold(found, self._calls_between(start, stop), dimensions, when, rows)
        return {key: sums for key, sums in found.items() if sums[-1]}

    def _spanned(
        self, source: Source, dimensions: tuple[str, ...], spans: list[int]
    ) -> Iterator[tuple[Source, Condition]]:
        """Yield a source with the condition that chooses days or months of it: all of them at once,
        or one by one where rows are sorted by texts, of which each then has fewer to sort."""
        if Raw.MONTH in source.columns and not source.field and self._fields(source, dimensions):
            for span in spans:
                columns = {**source.columns, Raw.MONTH: str(span)}
                yield replace(source, columns=columns), Condition(f"{source.span} = {span} AND ")
        else:
            yield source, Condition(f"{in_list(source.span)} AND ", (id_list(spans),))

    def _alike(
        self, ranges: Iterable[tuple[int, int]], dimensions: tuple[str, ...]
    ) -> Iterator[tuple[int, int]]:
        """Yield ranges of time, cut where a month ends if rows are told apart by it."""
        zone = self.lookups.days
        for start, stop in ranges:
            if "month" in dimensions:
                while (end := zone.start(month_days(month_of(zone.day(start)))[1])) < stop:
                    yield start, end
                    start = end
            yield start, stop

    def _calls_between(self, start: int, stop: int) -> Source:
        """Return the call rows between two moments as a source that knows their day or month where
        all of them have the same: the rows need not be grouped by it then."""
        first, last = self.lookups.days.day(start), self.lookups.days.day(stop - 1)
        known = {}
        if month_of(first) == month_of(last):
            known[Raw.MONTH] = str(month_of(first))
        if first == last:
            known[Raw.DAY] = str(first)
        return replace(CALL, columns={**known, **CALL.columns})

    def is_of_most(self) -> bool:
        """Say whether most rows of a time are in scope, and no index answers a narrower filter."""
        parts = scope_parts(self.scope, self.lookups)
        return any(map(_has_most, parts, self.row_parts()))

    def scanned_parts(self, start: int, stop: int, *, filtered: bool) -> list[Condition]:
        """Return the conditions on call rows between two moments that the scope is, for who reads
        all of them, or with ``filtered`` those that fit the filters."""
        parts = scope_parts(self.scope, self.lookups)
        chosen = self.row_parts() if filtered else [part.rows for part in parts]
        return [
            self._scanned(part, on_rows, start, stop)
            for part, on_rows in zip(parts, chosen, strict=True)
        ]

    def _scanned(self, part: Part, on_rows: Condition, start: int, stop: int) -> Condition:
        """Return the condition on the rows of a part of the scope between two moments. Where most
        rows of that time are in scope and lie together, they are read in the order of their ids."""
        if part.checked is None or not _has_most(part, on_rows):
            return on_rows
        ids = ids_between(start, stop)
        if ids is None:
            return on_rows
        return Condition(
            f"id >= ? AND id <= ? AND {part.checked.sql}", (*ids, *part.checked.parameters)
        )

    def seconds_of_rows(self) -> int:
        """Return for how much time all rows of a scope of several people have to be looked at to
        add them up."""
        longest = 0
        for part in scope_parts(self.scope, self.lookups):
            if part.checked is None or self._narrower(part):
                continue
            cut = self.cut(*(bool(self._terms(one, (), part)) for one in (BY_MONTH, BY_DAY)))
            longest = max(longest, sum(stop - start for start, stop in cut.ranges))
        return longest

    def _terms(
        self, sources: tuple[Source, ...], dimensions: tuple[str, ...], part: Part
    ) -> list[tuple[Source, Condition, Fold]]:
        """Return what the sums of a part of the scope are made of: the smallest table that can
        answer, and which of its rows; or where most orgs are in scope, a smaller one that knows no
        orgs, less those that are not. Empty when no table can answer."""
        fine = next((one for one in sources if self.fits(one, dimensions, part.needs)), None)
        if fine is None:
            return []
        coarse = next(one for one in sources if self.fits(one, dimensions))
        if part.others is None or (coarse is fine and not part.nearly_all):
            return [(fine, part.sums, add)]
        return [(coarse, EVERYTHING, add), (fine, part.others, sub)]

    def grouping(
        self, source: Source, dimensions: tuple[str, ...], *, joined: bool = False
    ) -> tuple[list[str], list[tuple[int, Callable[[int], Key]]]]:
        """Return the columns to group by, and for each dimension the place of its column and the
        function from that column's value to the dimension's key. ``joined``: the fields of profiles
        that ``_fields`` names are joined to the source."""
        columns: list[str] = []
        keys = []
        for name in dimensions:
            raw = self.derivable(name, source)
            assert raw is not None
            column, key_of = source.columns[raw], self.lookups.key_of(name, raw)
            if raw in _OF_PROFILE:
                # There are many profiles, and few values of a field.
                looked_up = f"(SELECT {name} FROM profile WHERE id = {column})"
                column, key_of = name if joined else looked_up, text_key
            if column not in columns:
                columns.append(column)
            keys.append((columns.index(column), key_of))
        return columns, keys

    def _fold(
        self,
        found: dict[tuple[Key, ...], Sums],
        source: Source,
        dimensions: tuple[str, ...],
        when: Condition,
        seen: Condition,
        fold: Fold = add,
    ) -> None:
        """Add a source's sums over some time and rows to what was found, or take them away."""
        columns, keys = self.grouping(source, dimensions, joined=True)
        wanted = self.filtered(source)
        fields = self._fields(source, dimensions)
        # Numbers before texts: most rows are told apart without comparing these. What is the same
        # of all rows is a number here, which in GROUP BY would be the place of a column.
        ordered = sorted((one for one in columns if not one.isdigit()), key=fields.__contains__)
        grouped = f" GROUP BY {', '.join(ordered)}" if ordered else ""
        named = ", ".join(fields)
        joined = (
            f" LEFT JOIN (SELECT id AS of_profile, {named} FROM profile) AS said"
            f" ON of_profile = {source.columns[Raw.FIELD if source.field else Raw.PROFILE]}"
            if fields
            else ""
        )
        rows = select(
            f"SELECT {', '.join([*columns, *self._measures(source)])} FROM {source.table}{joined}"
            f" WHERE {when.sql}{source.chosen}{seen.sql}{wanted.sql}{grouped}",
            *when.parameters,
            *seen.parameters,
            *wanted.parameters,
        )
        size = len(columns)
        nothing = [0] * len(SUM_NAMES)
        known = [(place, _Known(function)) for place, function in keys]
        for row in rows:
            if row[-1]:
                key = tuple([of_value[row[place]] for place, of_value in known])
                had = found.get(key, nothing)
                if had is nothing and fold is add:
                    found[key] = list(row[size:])
                else:
                    found[key] = list(map(fold, had, row[size:]))

    def _fields(self, source: Source, dimensions: tuple[str, ...]) -> list[str]:
        """Return the dimensions that are fields of the profiles of a source's rows."""
        return [name for name in dimensions if self.derivable(name, source) in _OF_PROFILE]

    def _measures(self, source: Source) -> list[str]:
        """Return the SQL of each measure of a source."""
        return [
            sql if name in self.summed or name == "rows" else "0"
            for name, sql in zip(SUM_NAMES, source.measures, strict=True)
        ]

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
        (seen,) = self.row_parts()
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


def _has_most(part: Part, on_rows: Condition) -> bool:
    """Say whether a part of the scope has most rows, given the condition that finds them."""
    of_many = part.checked is not None and (part.orgs is None or part.others is not None)
    return of_many and on_rows == part.rows


def _between(start: int, stop: int) -> Condition:
    return Condition("started_at >= ? AND started_at < ? AND ", (start, stop))
