"""Sums by what stands in a field of people."""

# mypy: ignore-errors

from peewee import BigIntegerField, CompositeKey, IntegerField, Model, SmallIntegerField

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


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class RollupField(Table):
        month = IntegerField()
        field = SmallIntegerField()
        profile_id = IntegerField()

        class Meta:
            primary_key = CompositeKey("month", "field", "profile_id")
            without_rowid = True

    for name, field in MEASURES.items():
        RollupField._meta.add_field(name, field())
    db.create_tables([RollupField])
