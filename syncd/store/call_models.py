"""The tables of calls, of their dimensions and of the rollups.

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


class DirtyDay(Table):
    """A local day (yyyymmdd) whose rollups do not equal its rows."""

    day = IntegerField(primary_key=True)


class RolledDay(Table):
    """A local day whose rollups were built; a whole month stands in ``rolled_month``."""

    day = IntegerField(primary_key=True)


class RolledMonth(Table):
    month = IntegerField(primary_key=True)


class Measures(Table):
    """Plain sums over call rows."""

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


class RollupDay(Measures):
    day = IntegerField()
    org_id = IntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")
    carrier_id = IntegerField()
    trunk_id = IntegerField()

    class Meta:
        primary_key = CompositeKey("day", "org_id", "direction", "class_", "carrier_id", "trunk_id")


class RollupMonth(Measures):
    """The sums by day of a month added up: a year by department is a few thousand rows."""

    month = IntegerField()
    org_id = IntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")
    carrier_id = IntegerField()
    trunk_id = IntegerField()

    class Meta:
        primary_key = CompositeKey(
            "month", "org_id", "direction", "class_", "carrier_id", "trunk_id"
        )


class RollupDestination(Measures):
    month = IntegerField()
    org_id = IntegerField()
    destination_id = IntegerField()
    class_ = SmallIntegerField(column_name="class")

    class Meta:
        primary_key = CompositeKey("month", "org_id", "destination_id", "class_")


class RollupLine(Measures):
    """Party and org stand beside the profile so that the sums equal the rows by construction."""

    month = IntegerField()
    line_id = IntegerField()
    party_id = IntegerField()
    profile_id = IntegerField()
    org_id = IntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")

    class Meta:
        primary_key = CompositeKey(
            "month", "line_id", "party_id", "profile_id", "org_id", "direction", "class_"
        )
