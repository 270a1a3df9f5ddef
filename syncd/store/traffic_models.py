"""How busy the trunks are: no numbers, no people.

Imported by ``models``, where everybody finds them.
"""

from __future__ import annotations

from peewee import BigIntegerField, CompositeKey, IntegerField

from syncd.store.tables import Table


class TrunkCounter(Table):
    """What the records that begin in one quarter of an hour (epoch seconds // 900) did to a trunk in
    another, or the same: a call occupies its trunk in every quarter through which it lasts."""

    start_quarter = IntegerField()
    trunk_id = IntegerField()
    quarter = IntegerField()
    seizures = IntegerField()
    failures = IntegerField()
    """Seizures that no cause of the other party's explains: no route, no circuit, out of order."""
    seconds = BigIntegerField()
    """Occupied, from set-up to release."""

    class Meta:
        primary_key = CompositeKey("start_quarter", "trunk_id", "quarter")
        indexes = ((("quarter",), False),)


class DirtyQuarter(Table):
    """A quarter of an hour whose records changed since its counters were made."""

    quarter = IntegerField(primary_key=True)
