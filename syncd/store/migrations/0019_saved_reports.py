"""Saved reports."""

# mypy: ignore-errors

from peewee import BigIntegerField, BooleanField, ForeignKeyField, Model, TextField


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Party(Table):
        source = TextField()

    class SavedReport(Table):
        owner = ForeignKeyField(Party, null=True)
        name = TextField()
        name_key = TextField(index=True)
        request = TextField()
        shared = BooleanField()
        changed_at = BigIntegerField()

    db.create_tables([SavedReport])
