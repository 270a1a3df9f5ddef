"""What month runs make of months: allowances and what they covered."""

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

    class MonthRun(Table):
        month = IntegerField(primary_key=True)
        run_id = IntegerField()
        at = BigIntegerField()
        who = TextField()

    class MonthLine(Table):
        month = IntegerField()
        kind = TextField()
        name = TextField()
        whose = TextField()
        unit = TextField()
        given = BigIntegerField()
        carried = BigIntegerField()
        used = BigIntegerField()
        cost = BigIntegerField()

        class Meta:
            primary_key = CompositeKey("month", "kind", "name", "whose")

    class AllowanceUse(Table):
        run_id = IntegerField()
        started_at = BigIntegerField()
        key_hash = BigIntegerField()
        side = SmallIntegerField()
        allowance = TextField()
        pot = TextField()
        used = BigIntegerField()
        cost = BigIntegerField()

        class Meta:
            primary_key = CompositeKey("run_id", "started_at", "key_hash", "side", "allowance")
            without_rowid = True

    db.create_tables([MonthRun, MonthLine, AllowanceUse])
