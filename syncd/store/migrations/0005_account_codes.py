"""Calls that an account code charges to a cost center or matter."""

# mypy: ignore-errors

from peewee import BigIntegerField, IntegerField, Model, TextField


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Matter(Table):
        name = TextField(unique=True)

    class AccountCharge(Table):
        call_id = BigIntegerField(primary_key=True)
        cost_center = TextField()
        matter_id = IntegerField()

    db.create_tables([Matter, AccountCharge])
