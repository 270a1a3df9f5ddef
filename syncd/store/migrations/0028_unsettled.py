"""About whom a sync had something to decide: an incremental one need not look at everybody."""

# mypy: ignore-errors

from peewee import IntegerField, Model, TextField


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class SourceUnsettled(Table):
        source = TextField(primary_key=True)
        directory_version = IntegerField()
        parties = TextField()

    db.create_tables([SourceUnsettled])
