"""Counts over the people of a source, made by the database when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property

from syncd.directory.plan import BILLING_FLAGS, NOT_NUMBERS, Holding, PartyRow, Rest
from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.domain.party import FLAG_FIELDS, NUMBER_FIELDS
from syncd.store.dialect import rows_of

_PRESENT = "FROM party WHERE source = ? AND departed_at IS NULL"


class StoredCounts:
    """See ``plan.Counts``: over all who have not left, but for some."""

    def __init__(
        self, source: str, without: Iterable[tuple[PartyRow, Iterable[Holding]]] = ()
    ) -> None:
        self._source = source
        self._without = Rest()
        for row, holdings in without:
            if row.departed_at is None:
                self._without.count(row, holdings)

    @cached_property
    def people(self) -> int:
        return self._count(f"SELECT COUNT(*) {_PRESENT}") - self._without.people

    @cached_property
    def numbers(self) -> int:
        outside = (Role.ACQUIRED, *NOT_NUMBERS)
        roles = ", ".join(str(int(role)) for role in outside)
        held = self._count(
            "SELECT COUNT(*) FROM assignment a JOIN party p ON p.id = a.party_id WHERE p.source = ?"
            f" AND p.departed_at IS NULL AND a.valid_to = {FOREVER} AND a.role NOT IN ({roles})"
        )
        return held - self._without.numbers

    @cached_property
    def flags(self) -> int:
        on = " + ".join(f"CASE WHEN {name} THEN 1 ELSE 0 END" for name in BILLING_FLAGS)
        return self._count(f"SELECT COALESCE(SUM({on}), 0) {_PRESENT}") - self._without.flags

    def filled_in(self, name: str) -> int:
        filled = f'"{name}"' if name in FLAG_FIELDS else f"\"{name}\" <> ''"
        if name in NUMBER_FIELDS:
            filled = f'"{name}" <> 0'
        found = self._count(f"SELECT COUNT(*) {_PRESENT} AND {filled}")
        return found - self._without.filled_in(name)

    def named(self, field: str) -> Mapping[str, int]:
        found = rows_of(f'SELECT "{field}", COUNT(*) {_PRESENT} GROUP BY "{field}"', self._source)
        people = Counter({text: int(count) for text, count in found})
        people.subtract(self._without.named(field))
        return people

    def _count(self, statement: str) -> int:
        return int(rows_of(statement, self._source)[0][0])
