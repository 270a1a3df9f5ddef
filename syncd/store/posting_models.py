"""Posting periods, what is booked in them beside their calls, and runs of re-rating.

Imported by ``models``, where everybody finds them.
"""

from __future__ import annotations

from peewee import (
    BigIntegerField,
    CompositeKey,
    IntegerField,
    SmallIntegerField,
    TextField,
)

from syncd.store.tables import Table


class Period(Table):
    """A month that is closed, and with it all before it. Open months have no row."""

    month = IntegerField(primary_key=True)
    """Year * 100 + month."""
    until = BigIntegerField()
    """When it ends."""
    closed_at = BigIntegerField()
    closed_by = TextField()
    """Who, and the command."""
    unrated = IntegerField()
    """Call rows that had no price when it was closed."""
    withheld = IntegerField()
    """Call rows that were withheld then."""


class ClosedSum(Table):
    """What a closed month came to, which nothing alters."""

    month = IntegerField()
    org_id = IntegerField()
    carrier_id = IntegerField()
    class_ = SmallIntegerField(column_name="class")
    cost = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("month", "org_id", "carrier_id", "class_")


class Adjustment(Table):
    """An amount for a call of a closed month, booked in the oldest one that was open, or what a month
    run books. Part of the cost by posting period, never of calls. It is never altered, but that a
    month run replaces its own in an open month."""

    call_id = BigIntegerField(index=True)
    """The call row, which may be gone; 0: it is for several, or for none."""
    month = IntegerField()
    """Of the call: closed when this was written. 0: this is for no call that is booked elsewhere."""
    posting_period = IntegerField(index=True)
    line_id = IntegerField()
    party_id = IntegerField()
    profile_id = IntegerField()
    org_id = IntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")
    destination_id = IntegerField()
    trunk_id = IntegerField()
    carrier_id = IntegerField()
    cost = BigIntegerField()
    """Micros: less than 0 takes back what was booked."""
    cause = SmallIntegerField()
    run_id = IntegerField()
    """Row of ``maintenance_run``; 0: none."""
    at = BigIntegerField()

    class Meta:
        indexes = ((("month",), False),)


class RerateRun(Table):
    """A run of re-rating: beside its ``maintenance_run``, who asked and what came of it."""

    run_id = IntegerField(primary_key=True)
    who = TextField()
    rows = IntegerField(default=0)
    """Call rows that it changed."""
    before = BigIntegerField(default=0)
    """What these cost before it, in micros."""
    after = BigIntegerField(default=0)
    undoes = IntegerField(default=0)
    """The run that this one undoes; 0: it rates."""
    skipped = IntegerField(default=0)
    """Rows that were not undone: they had changed again since."""


class RerateChange(Table):
    """What a run of re-rating made of a call row: the money of it before and after."""

    run_id = IntegerField()
    call_id = BigIntegerField()
    started_at = BigIntegerField()
    destination_before = IntegerField()
    destination_after = IntegerField()
    carrier_before = IntegerField()
    carrier_after = IntegerField()
    rate_before = IntegerField()
    rate_after = IntegerField()
    billed_before = IntegerField()
    billed_after = IntegerField()
    cost_before = BigIntegerField(null=True)
    cost_after = BigIntegerField(null=True)
    state_before = SmallIntegerField()
    state_after = SmallIntegerField()
    reason_before = TextField()
    reason_after = TextField()

    class Meta:
        primary_key = CompositeKey("run_id", "call_id")
        without_rowid = True
