"""What retention leaves of calls that are gone. Imported by ``models``, where everybody finds them."""

from __future__ import annotations

from peewee import BigIntegerField, CompositeKey, IntegerField, SmallIntegerField

from syncd.store.tables import Table


class KeptSums(Table):
    """Sums over call rows that are gone."""

    calls = IntegerField()
    answered = IntegerField()
    missed = IntegerField()
    unanswered = IntegerField()
    ring_seconds = BigIntegerField()
    duration = BigIntegerField()
    billed_seconds = BigIntegerField()
    cost = BigIntegerField()
    unrated = IntegerField()
    rows = IntegerField()

    class Meta:
        abstract = True


class SealedDay(KeptSums):
    """Sums of call rows that are gone, by the keys of ``rollup_day``. A day's sums are these and those
    of the rows that are still there."""

    day = IntegerField()
    org_id = IntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")
    carrier_id = IntegerField()
    trunk_id = IntegerField()

    class Meta:
        primary_key = CompositeKey("day", "org_id", "direction", "class_", "carrier_id", "trunk_id")


class SealedDestination(KeptSums):
    """The same by the keys of ``rollup_destination``, for the days of a month that are gone."""

    month = IntegerField()
    org_id = IntegerField()
    destination_id = IntegerField()
    class_ = SmallIntegerField(column_name="class")

    class Meta:
        primary_key = CompositeKey("month", "org_id", "destination_id", "class_")


class SealedHour(KeptSums):
    """The same by the keys of ``rollup_hour``."""

    month = IntegerField()
    org_id = IntegerField()
    weekday = SmallIntegerField()
    hour = SmallIntegerField()
    direction = SmallIntegerField()

    class Meta:
        primary_key = CompositeKey("month", "org_id", "weekday", "hour", "direction")


class FileRetained(Table):
    """How many rows of a file are stored no more, by what became of them: the ledger's counters stay."""

    file_id = IntegerField(primary_key=True)
    stored = IntegerField()
    excluded = IntegerField()
    not_billed = IntegerField()
    rejected = IntegerField()
    calls = IntegerField()
    late = IntegerField()
    """Of those that are excluded: they came when their day was sealed already."""
