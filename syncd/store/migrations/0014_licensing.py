"""What automatic acquisition would take, what lists say of hunt numbers, and whose withheld calls."""

# mypy: ignore-errors

from peewee import BigIntegerField, BooleanField, CompositeKey, IntegerField, Model, TextField


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class AcquirableLine(Table):
        site = TextField()
        partition = TextField()
        number = TextField()
        hunt = BooleanField(default=False)

        class Meta:
            primary_key = CompositeKey("site", "partition", "number")

    class HuntListing(Table):
        line_id = IntegerField(primary_key=True)
        until = BigIntegerField()

    db.create_tables([AcquirableLine, HuntListing])
    db.execute_sql(
        'CREATE INDEX "call_withheld_party_id_role_line_id" ON "call_withheld"'
        ' ("party_id", "role", "line_id")'
    )
