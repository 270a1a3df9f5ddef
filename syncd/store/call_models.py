"""The tables of calls and of their dimensions.

Imported by ``models``, where everybody finds them.
"""

from __future__ import annotations

from peewee import (
    BigIntegerField,
    IntegerField,
    SmallIntegerField,
    TextField,
)

from syncd.store.tables import Table


class Trunk(Table):
    """Id 0: none. ``name`` is the section's, or the device's where no section lists it."""

    name = TextField(unique=True)


class Carrier(Table):
    """Id 0: none."""

    name = TextField(unique=True)


class Destination(Table):
    """A destination's name as the rate deck has it. Id 0: none."""

    name = TextField(unique=True)


class RateUsed(Table):
    """Which rate priced a call. Id 0: none."""

    carrier = TextField()
    version = TextField()
    prefix = TextField()

    class Meta:
        indexes = ((("carrier", "version", "prefix"), True),)


class CallColumns(Table):
    """A call: one line's side of one record. ``id`` is record id * 8 + side."""

    id = BigIntegerField(primary_key=True)
    started_at = BigIntegerField()
    conversation = BigIntegerField()
    side = SmallIntegerField()
    line_id = IntegerField()
    """Row of ``line`` (the join to its line id)."""
    party_id = IntegerField()
    """0: anonymous."""
    profile_id = IntegerField()
    org_id = IntegerField()
    role = SmallIntegerField()
    counted = SmallIntegerField()
    outcome = SmallIntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")
    destination_id = IntegerField()
    trunk_id = IntegerField()
    carrier_id = IntegerField()
    rate_id = IntegerField()
    ring_seconds = IntegerField()
    duration = IntegerField()
    """Seconds that this line talked; 0 on redirecting and pilot sides."""
    billed_seconds = IntegerField()
    cost = BigIntegerField(null=True)
    """Micros; null when unrated."""
    state = SmallIntegerField()
    reason = TextField()
    """Why it is unrated."""
    disposition = SmallIntegerField()
    posting_period = IntegerField()
    """Year * 100 + month."""
    leg = BigIntegerField()
    """The outside leg that this row pays for or talks over; 0 when none."""
    other_number = TextField()
    other_outside = SmallIntegerField()
    """1 when the other party is outside the company: such numbers are masked."""
    hunt_pilot = TextField()

    class Meta:
        abstract = True


class Call(CallColumns):
    class Meta:
        indexes = ((("org_id", "started_at"), False), (("party_id", "started_at"), False))


class CallWithheld(CallColumns):
    """Calls of lines that held no slot; written and read by ``store/withheld.py`` alone."""

    class Meta:
        indexes = (
            (("line_id", "started_at"), False),
            (("party_id", "role", "line_id"), False),
        )
