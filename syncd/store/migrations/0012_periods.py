"""Posting periods, adjustments, runs of re-rating."""

# mypy: ignore-errors

from peewee import (
    BigIntegerField,
    CompositeKey,
    IntegerField,
    Model,
    SmallIntegerField,
    TextField,
)


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Period(Table):
        month = IntegerField(primary_key=True)
        until = BigIntegerField()
        closed_at = BigIntegerField()
        closed_by = TextField()
        unrated = IntegerField()
        withheld = IntegerField()

    class ClosedSum(Table):
        month = IntegerField()
        org_id = IntegerField()
        carrier_id = IntegerField()
        class_ = SmallIntegerField(column_name="class")
        cost = BigIntegerField()

        class Meta:
            primary_key = CompositeKey("month", "org_id", "carrier_id", "class_")

    class Adjustment(Table):
        call_id = BigIntegerField(index=True)
        month = IntegerField()
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
        cause = SmallIntegerField()
        run_id = IntegerField()
        at = BigIntegerField()

        class Meta:
            indexes = ((("month",), False),)

    class RerateRun(Table):
        run_id = IntegerField(primary_key=True)
        who = TextField()
        rows = IntegerField(default=0)
        before = BigIntegerField(default=0)
        after = BigIntegerField(default=0)
        undoes = IntegerField(default=0)
        skipped = IntegerField(default=0)

    class RerateChange(Table):
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

    db.create_tables([Period, ClosedSum, Adjustment, RerateRun, RerateChange])
