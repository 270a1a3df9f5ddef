"""Sums by person alone, and by hour without direction: made of the finer ones that are there."""

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


def measured(model):
    for name, field in MEASURES.items():
        model._meta.add_field(name, field())
    return model


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    @measured
    class RollupPerson(Table):
        party_id = IntegerField()
        month = IntegerField()

        class Meta:
            primary_key = CompositeKey("party_id", "month")
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

    db.create_tables([RollupPerson, RollupHourOrg])
    # A new database gets the finer ones later.
    _fill(db, "rollup_person", "rollup_party", "month, party_id")
    _fill(db, "rollup_hour_org", "rollup_hour", "month, org_id, weekday, hour")


def _fill(db, table, base, keys):
    if db.table_exists(base):
        sums = ", ".join(f"SUM({name})" for name in MEASURES)
        db.execute_sql(
            f"INSERT INTO {table} ({keys}, {', '.join(MEASURES)})"
            f" SELECT {keys}, {sums} FROM {base} GROUP BY {keys}"
        )
