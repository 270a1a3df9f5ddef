"""Coarse sums beside the fine ones, and months that are not over.

The sums that were there are built again by the job that builds those of touched days.
"""

# mypy: ignore-errors

from peewee import BigIntegerField, CompositeKey, IntegerField, Model, SmallIntegerField

OLD = ("rollup_day", "rollup_month", "rollup_destination", "rollup_line")

MEASURES = {
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


def measured(model):
    for name, field in MEASURES.items():
        model._meta.add_field(name, field())
    return model


def up(migrator, db):
    db.execute_sql(
        "INSERT INTO dirty_day (day) SELECT day FROM rolled_day WHERE true ON CONFLICT DO NOTHING"
    )
    for table in ("rolled_day", "rolled_month"):
        db.execute_sql(f"DELETE FROM {table}")
    for table in OLD:
        db.execute_sql(f"DROP TABLE {table}")

    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class RolledPart(Table):
        month = IntegerField(primary_key=True)
        end_day = IntegerField()

    @measured
    class RollupDay(Table):
        day = IntegerField()
        org_id = IntegerField()
        direction = SmallIntegerField()
        class_ = SmallIntegerField(column_name="class")
        carrier_id = IntegerField()
        trunk_id = IntegerField()

        class Meta:
            primary_key = CompositeKey(
                "day", "org_id", "direction", "class_", "carrier_id", "trunk_id"
            )
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
    class RollupHour(Table):
        month = IntegerField()
        org_id = IntegerField()
        weekday = SmallIntegerField()
        hour = SmallIntegerField()
        direction = SmallIntegerField()

        class Meta:
            primary_key = CompositeKey("month", "org_id", "weekday", "hour", "direction")
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

    db.create_tables(
        [
            RolledPart,
            RollupDay,
            RollupDayOrg,
            RollupDayTotal,
            RollupMonth,
            RollupMonthOrg,
            RollupMonthTotal,
            RollupDestination,
            RollupDestinationTotal,
            RollupLine,
            RollupParty,
            RollupHour,
            RollupHourTotal,
        ]
    )
