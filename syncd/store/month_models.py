"""What the month run made of a month: allowances and what they covered.

Imported by ``models``, where everybody finds them.
"""

from __future__ import annotations

from peewee import BigIntegerField, CompositeKey, IntegerField, SmallIntegerField, TextField

from syncd.store.tables import Table


class MonthRun(Table):
    """The month run that counts for a month; another one replaces it until the month is closed."""

    month = IntegerField(primary_key=True)
    """Year * 100 + month."""
    run_id = IntegerField()
    """Row of ``maintenance_run``."""
    at = BigIntegerField()
    who = TextField()


class MonthLine(Table):
    """A line of what a month run came to: somebody's pot of an allowance, a flat charge, the
    rounding of a carrier's invoice."""

    month = IntegerField()
    kind = TextField()
    """``allowance``, ``flat``, ``rounding``."""
    name = TextField()
    whose = TextField()
    """Of an allowance: whose pot."""
    unit = TextField()
    """``minutes`` (in seconds), ``amount`` (in micros), ``calls``; else ``lines``."""
    given = BigIntegerField()
    carried = BigIntegerField()
    used = BigIntegerField()
    cost = BigIntegerField()
    """Micros that were booked."""

    class Meta:
        primary_key = CompositeKey("month", "kind", "name", "whose")


class AllowanceUse(Table):
    """What an allowance covered of a call row, by what the row is known by for ever: start and hash
    of its record, side. Of runs that do not count it is left over."""

    run_id = IntegerField()
    started_at = BigIntegerField()
    key_hash = BigIntegerField()
    side = SmallIntegerField()
    allowance = TextField()
    pot = TextField()
    used = BigIntegerField()
    """Seconds, micros or calls."""
    cost = BigIntegerField()
    """Micros that became free."""

    class Meta:
        primary_key = CompositeKey("run_id", "started_at", "key_hash", "side", "allowance")
        without_rowid = True
