"""Who is in which of the configured groups of a directory."""

# mypy: ignore-errors

from peewee import CompositeKey, Model, TextField


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class PartyGroup(Table):
        source = TextField()
        name = TextField()
        external_id = TextField()

        class Meta:
            primary_key = CompositeKey("source", "name", "external_id")
            without_rowid = True

    db.create_tables([PartyGroup])
