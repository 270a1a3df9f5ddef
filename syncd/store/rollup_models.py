"""The tables of sums over call rows, by local day and by month.

Imported by ``models``, where everybody finds them. Fine tables are summed from the rows, coarse ones
from those: what was asked for decides which is the smallest that can answer
(``store.rollup_tables``). Keys begin with the day or month, then the org, by which viewers are
told apart, but where it is said otherwise; rows lie in the order of their key, so that a span of it
is read in one go.

In the tables by month the column ``month`` holds a month (yyyymm), or a day (yyyymmdd) that is not
summed with its month yet: ``rolled_open`` says which.
"""

from __future__ import annotations

from typing import Any, TypeVar

from peewee import BigIntegerField, CompositeKey, IntegerField, SmallIntegerField

from syncd.store.tables import Table


class DirtyDay(Table):
    """A local day (yyyymmdd) whose rollups do not equal its rows."""

    day = IntegerField(primary_key=True)


class RolledDay(Table):
    """A local day whose rollups were built; a whole month stands in ``rolled_month``."""

    day = IntegerField(primary_key=True)


class RolledMonth(Table):
    month = IntegerField(primary_key=True)


class RolledPart(Table):
    """A month that is not over, summed up to before a day."""

    month = IntegerField(primary_key=True)
    end_day = IntegerField()


class RolledOpen(Table):
    """A day whose sums stand in the tables by month, beside those of its month."""

    day = IntegerField(primary_key=True)


Model = TypeVar("Model", bound=Any)

_MEASURES = {
    "calls": IntegerField,
    "answered": IntegerField,
    "missed": IntegerField,
    "unanswered": IntegerField,
    "ring_seconds": BigIntegerField,
    "duration": BigIntegerField,
    "billed_seconds": BigIntegerField,
    "cost": BigIntegerField,
    "unrated": IntegerField,
    "rows": IntegerField,
}


def measured(model: Model) -> Model:
    """Give a table of sums the columns of its sums, after those of its key: SQLite 3.40 believes
    that a table without rowids is damaged when columns of its key come later."""
    for name, field in _MEASURES.items():
        model._meta.add_field(name, field())
    return model


@measured
class RollupDay(Table):
    day = IntegerField()
    org_id = IntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")
    carrier_id = IntegerField()
    trunk_id = IntegerField()

    class Meta:
        primary_key = CompositeKey("day", "org_id", "direction", "class_", "carrier_id", "trunk_id")
        without_rowid = True


@measured
class RollupDayOrg(Table):
    day = IntegerField()
    org_id = IntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")

    class Meta:
        primary_key = CompositeKey("day", "org_id", "direction", "class_")
        without_rowid = True


@measured
class RollupDayTotal(Table):
    day = IntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")
    carrier_id = IntegerField()
    trunk_id = IntegerField()

    class Meta:
        primary_key = CompositeKey("day", "direction", "class_", "carrier_id", "trunk_id")
        without_rowid = True


@measured
class RollupMonth(Table):
    """The sums by day of a month added up."""

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
        without_rowid = True


@measured
class RollupMonthOrg(Table):
    """A year by department is a few thousand rows."""

    month = IntegerField()
    org_id = IntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")

    class Meta:
        primary_key = CompositeKey("month", "org_id", "direction", "class_")
        without_rowid = True


@measured
class RollupMonthTotal(Table):
    month = IntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")
    carrier_id = IntegerField()
    trunk_id = IntegerField()

    class Meta:
        primary_key = CompositeKey("month", "direction", "class_", "carrier_id", "trunk_id")
        without_rowid = True


@measured
class RollupDestination(Table):
    month = IntegerField()
    org_id = IntegerField()
    destination_id = IntegerField()
    class_ = SmallIntegerField(column_name="class")

    class Meta:
        primary_key = CompositeKey("month", "org_id", "destination_id", "class_")
        without_rowid = True


@measured
class RollupDestinationTotal(Table):
    month = IntegerField()
    destination_id = IntegerField()
    class_ = SmallIntegerField(column_name="class")

    class Meta:
        primary_key = CompositeKey("month", "destination_id", "class_")
        without_rowid = True


@measured
class RollupLine(Table):
    """Party and org stand beside the profile so that the sums equal the rows by construction."""

    month = IntegerField()
    org_id = IntegerField()
    party_id = IntegerField()
    line_id = IntegerField()
    profile_id = IntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")

    class Meta:
        primary_key = CompositeKey(
            "month", "org_id", "party_id", "line_id", "profile_id", "direction", "class_"
        )
        # Own calls, whatever the org was.
        indexes = ((("party_id", "month"), False),)
        without_rowid = True


@measured
class RollupParty(Table):
    month = IntegerField()
    org_id = IntegerField()
    party_id = IntegerField()
    line_id = IntegerField()
    profile_id = IntegerField()

    class Meta:
        primary_key = CompositeKey("month", "org_id", "party_id", "line_id", "profile_id")
        indexes = ((("party_id", "month"), False),)
        without_rowid = True


@measured
class RollupField(Table):
    """By what stands in a field of people, 1 to 10 for custom1 to custom10: under the first profile
    that says the same, so that a text is kept with its person alone."""

    month = IntegerField()
    field = SmallIntegerField()
    profile_id = IntegerField()

    class Meta:
        primary_key = CompositeKey("month", "field", "profile_id")
        without_rowid = True


@measured
class RollupPerson(Table):
    """By the person first: a year of everybody is then in the order that it is summed by."""

    party_id = IntegerField()
    month = IntegerField()

    class Meta:
        primary_key = CompositeKey("party_id", "month")
        without_rowid = True


@measured
class RollupHour(Table):
    """Hours of the local day, 0 to 23; weekday 1 is Monday, 7 Sunday."""

    month = IntegerField()
    org_id = IntegerField()
    weekday = SmallIntegerField()
    hour = SmallIntegerField()
    direction = SmallIntegerField()

    class Meta:
        primary_key = CompositeKey("month", "org_id", "weekday", "hour", "direction")
        without_rowid = True


@measured
class RollupHourOrg(Table):
    month = IntegerField()
    org_id = IntegerField()
    weekday = SmallIntegerField()
    hour = SmallIntegerField()

    class Meta:
        primary_key = CompositeKey("month", "org_id", "weekday", "hour")
        without_rowid = True


@measured
class RollupHourTotal(Table):
    month = IntegerField()
    weekday = SmallIntegerField()
    hour = SmallIntegerField()
    direction = SmallIntegerField()

    class Meta:
        primary_key = CompositeKey("month", "weekday", "hour", "direction")
        without_rowid = True
