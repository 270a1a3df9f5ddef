"""What a specification's filters and comparisons are as conditions on a table.

Numbers are compared as their reader gets them: a masked number never gives its digits away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from syncd.domain.call_id import parse_call_id
from syncd.domain.party import CUSTOM_FIELDS, name_key
from syncd.reports.comparisons import (
    AMOUNTS,
    BEGINS,
    EQUAL,
    NUMBERS,
    ORDERED,
    TIME,
    UNEQUAL,
    span_of_day,
)
from syncd.reports.dimensions import DIMENSIONS, ROW_FILTERS, WEEKDAYS, Raw
from syncd.reports.lookups import ORG_FIELDS, Key, Lookups, select
from syncd.reports.masking import PRIVATE, mask_number
from syncd.reports.permissions import BUSINESS, Scope
from syncd.reports.scope import Condition, Part, id_list, in_list, private_owner, scope_parts
from syncd.reports.sources import CALL, Source
from syncd.reports.specification import AS_OF_TODAY, Comparison, Specification
from syncd.store.dialect import is_postgresql
from syncd.store.models import database
from syncd.store.rollup_tables import local_seconds

DAY = 86_400
"""Seconds."""

FEW_PEOPLE = 50
"""So many are found faster by themselves than by the orgs that are in scope."""

_TEXTS = (Raw.AUTHORIZATION, Raw.MATTER_CODE, Raw.REASON)
"""Raw columns of texts; the others hold whole numbers."""
_ALL_DIGITS = 40
"""No number has more digits."""
WORKING_TIME = "working_time"
_OF_ROWS = (*ROW_FILTERS, *AMOUNTS, TIME)
_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


class Conditions:
    """Of one question of one viewer."""

    def __init__(self, scope: Scope, specification: Specification, lookups: Lookups) -> None:
        self.scope = scope
        self.specification = specification
        self.lookups = lookups
        self._found: dict[tuple[Comparison, Raw], set[Any]] = {}

    def derivable(self, dimension: str, source: Source) -> Raw | None:
        """Return the raw column of a source that a dimension can be derived from."""
        raws = DIMENSIONS[dimension].raw
        if dimension == WORKING_TIME and self.lookups.working_times.sites:
            raws = (Raw.QUARTER_OF_LINE,)
        if self.specification.as_of == AS_OF_TODAY:
            if dimension in ORG_FIELDS:
                raws = (Raw.ORG_TODAY,)
            elif dimension in CUSTOM_FIELDS:
                raws = (Raw.PROFILE_TODAY,)
        return next(
            (
                raw
                for raw in raws
                if raw in source.columns and (raw is not Raw.FIELD or source.field == dimension)
            ),
            None,
        )

    @property
    def filter_keys(self) -> list[str]:
        """What is filtered by."""
        keys = [key for key, _ in self.specification.filters]
        return keys + [comparison.key for comparison in self.specification.comparisons]

    def filterable(self, source: Source) -> bool:
        """Say whether a table knows all that is filtered by."""
        keys = self.filter_keys
        return not any(key in _OF_ROWS for key in keys) and all(
            self.derivable(key, source) is not None for key in keys
        )

    def filtered(self, source: Source) -> Condition:
        """Return the specification's filters as a condition on a source."""
        found = [self._compared(one, source) for one in self._all()]
        return Condition(
            "".join(f" AND {condition.sql}" for condition in found),
            tuple(value for condition in found for value in condition.parameters),
        )

    def _all(self) -> list[Comparison]:
        """Return the filters and comparisons as what they have in common."""
        filters = self.specification.filters
        equal = [Comparison(key, EQUAL, values, "") for key, values in filters]
        return [*equal, *self.specification.comparisons]

    def row_parts(self, *, read: bool = False) -> tuple[Condition, ...]:
        """Return the conditions on call rows that the scope is: a row fits at most one of them, and
        each can be answered by an index, where no narrower filter is. ``read``: most rows are to be
        read, and no index helps with all of them."""
        parts = scope_parts(self.scope, self.lookups)
        return tuple(
            part.checked
            if part.checked is not None and ((read and part.orgs is None) or self._narrower(part))
            else part.rows
            for part in parts
        )

    def _narrower(self, part: Part) -> bool:
        """Say whether an index answers a filter with fewer rows than a part of the scope has."""
        for comparison in self._all():
            raw = self._indexed(comparison)
            if raw is Raw.PARTY and (
                part.orgs is None or len(self._values(comparison, raw)) <= FEW_PEOPLE
            ):
                return True
            if raw is Raw.ORG and (
                part.orgs is None or len(self._values(comparison, raw)) < part.orgs
            ):
                return True
        return False

    def _indexed(self, comparison: Comparison) -> Raw | None:
        """Return the raw column of a filter that begins an index on call rows."""
        if comparison.key not in DIMENSIONS or comparison.operator not in (EQUAL, BEGINS):
            return None
        raw = self.derivable(comparison.key, CALL)
        return raw if raw in (Raw.PARTY, Raw.ORG) else None

    @property
    def searches(self) -> bool:
        """Whether there is a filter that rows have to be looked at for, one by one."""
        return any(self._indexed(comparison) is None for comparison in self._all())

    def _compared(self, comparison: Comparison, source: Source) -> Condition:
        key = comparison.key
        if key in AMOUNTS:
            return _of_amount(comparison)
        if key == TIME:
            return self._of_time(comparison)
        if key in NUMBERS:
            shown = self.shown_number() if key == "other_number" else "hunt_pilot"
            return _of_text(shown, comparison)
        negated = "NOT " if comparison.operator == UNEQUAL else ""
        if key == "conversation":
            ids = {record for value in comparison.values for record in records_of(str(value))}
            return Condition(f"{negated}{in_list('conversation')}", (id_list(ids),))
        if key == WORKING_TIME and self.lookups.working_times.sites:
            return self._of_working_time(comparison, source)
        raw = self.derivable(key, source)
        assert raw is not None  # ``filterable`` was asked, and call rows have every column
        column, values = source.columns[raw], self._values(comparison, raw)
        if raw in _TEXTS:
            return Condition(f"{negated}{column} IN ({_places(values)})", tuple(values))
        return Condition(f"{negated}{in_list(column)}", (id_list(values),))

    def _values(self, comparison: Comparison, raw: Raw) -> set[Any]:
        """Return the values of a raw column for which a comparison of a dimension holds, for
        ``!=`` those for which it does not."""
        found = self._found.get((comparison, raw))
        if found is None:
            found = self._found[comparison, raw] = self._chosen(comparison, raw)
        return found

    def _chosen(self, comparison: Comparison, raw: Raw) -> set[Any]:
        key, operator = comparison.key, comparison.operator
        if operator in ORDERED:
            limit = _temporal_key(key, str(comparison.values[0]))
            holds = _HOLDS[operator]
            return self.lookups.where(key, raw, lambda one, _: holds(one, limit))
        values = [str(value) for value in comparison.values]
        if operator == BEGINS:
            beginnings = tuple(map(name_key, values))
            return self.lookups.where(key, raw, lambda _, label: label.startswith(beginnings))
        return self.lookups.select(key, raw, values)

    def _of_working_time(self, comparison: Comparison, source: Source) -> Condition:
        """Return the condition on working times where sites have their own: of the lines of each of
        them, and of all others."""
        quarter, line = source.columns[Raw.QUARTER], source.columns[Raw.LINE]
        days, negated = self.lookups.days, comparison.operator == UNEQUAL
        bounds = days.start(self.lookups.first), days.start(self.lookups.end)
        own = self.lookups.lines_of_sites()
        parts, values = [], []
        for site, lines in [("", set().union(*own.values())), *own.items()]:
            fits = {
                one
                for one in days.quarters(*bounds)
                if (self.lookups.working_time(site, one) in comparison.values) is not negated
            }
            chosen = in_list(line) if site else f"NOT {in_list(line)}"
            parts.append(f"({chosen} AND {in_list(quarter)})")
            values += [id_list(lines), id_list(fits)]
        return Condition(f"({' OR '.join(parts)})", tuple(values))

    def _of_time(self, comparison: Comparison) -> Condition:
        """Return the condition on the time of day at which a row began."""
        days = self.lookups.days
        wall = local_seconds(
            days.start(self.lookups.first), days.start(self.lookups.end), days.zone
        )
        seconds = f"({wall} % {DAY})"
        if comparison.operator in ORDERED:
            return Condition(f"{seconds} {comparison.operator} ?", comparison.values)
        parts = []
        limits: list[int] = []
        for start, stop in map(span_of_day, map(str, comparison.values)):
            within = "AND" if start < stop else "OR"  # over midnight
            parts.append(f"({seconds} >= ? {within} {seconds} < ?)")
            limits += [start, stop]
        negated = "NOT " if comparison.operator == UNEQUAL else ""
        return Condition(f"{negated}({' OR '.join(parts)})", tuple(limits))

    def shown_number(self, row: str = "call") -> str:
        """Return the SQL of a row's other number as this viewer gets it; ``row`` is the name of its
        table in the query."""
        number, owner = f"{row}.other_number", private_owner(row)
        hidden = "1 = 0"
        if not self.scope.private_numbers:
            hidden = f"{owner} NOT IN ({BUSINESS}, {max(0, self.scope.party_id)})"
            if self.scope.party_id <= 0:
                hidden = f"{owner} <> {BUSINESS}"
        return (
            f"CASE WHEN {row}.other_outside = 0 OR {number} = '' THEN {number}"
            f" WHEN {hidden} THEN '{PRIVATE}' ELSE {self._masked(number)} END"
        )

    def _masked(self, number: str) -> str:
        digits = self.scope.masked_digits
        if digits <= 0:
            return number
        if not is_postgresql():
            database.connection().create_function(
                "masked_number", 1, lambda text: mask_number(text, digits), deterministic=True
            )
            return f"masked_number({number})"
        masked = number
        for _ in range(min(digits, _ALL_DIGITS)):
            masked = f"regexp_replace({masked}, '[0-9]([^0-9]*)$', '*\\1')"
        return masked


def _of_amount(comparison: Comparison) -> Condition:
    """Return the condition on an amount of a row; a cost that there is not fits none."""
    if comparison.operator in ORDERED:
        return Condition(f"{comparison.key} {comparison.operator} ?", comparison.values)
    negated = "NOT " if comparison.operator == UNEQUAL else ""
    places = _places(comparison.values)
    return Condition(f"{comparison.key} {negated}IN ({places})", comparison.values)


def _of_text(column: str, comparison: Comparison) -> Condition:
    if comparison.operator == BEGINS:
        lengths = (f"SUBSTR({column}, 1, {len(str(value))}) = ?" for value in comparison.values)
        return Condition(f"({' OR '.join(lengths)})", comparison.values)
    negated = "NOT " if comparison.operator == UNEQUAL else ""
    return Condition(f"({column}) {negated}IN ({_places(comparison.values)})", comparison.values)


def _places(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values) or "NULL"


def _temporal_key(dimension: str, value: str) -> Key:
    """Return the key of a temporal dimension for a value as it is written."""
    if dimension == "weekday":
        return WEEKDAYS.index(value) + 1
    return int(value.replace("-", ""))


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
