"""How busy the trunks are."""

# mypy: ignore-errors

from peewee import BigIntegerField, CompositeKey, IntegerField, Model


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class TrunkCounter(Table):
        start_quarter = IntegerField()
        trunk_id = IntegerField()
        quarter = IntegerField()
        seizures = IntegerField()
        failures = IntegerField()
        seconds = BigIntegerField()

        class Meta:
            primary_key = CompositeKey("start_quarter", "trunk_id", "quarter")
            indexes = ((("quarter",), False),)

    class DirtyQuarter(Table):
        quarter = IntegerField(primary_key=True)

    db.create_tables([TrunkCounter, DirtyQuarter])
    # What is stored already is counted too.
    db.execute_sql(
        "INSERT INTO dirty_quarter (quarter) SELECT DISTINCT started_at / 900 FROM record"
    )
