"""The processes that work on one database."""

# mypy: ignore-errors

from peewee import BigIntegerField, IntegerField, Model, TextField


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Node(Table):
        name = TextField(primary_key=True)
        host = TextField()
        process = IntegerField()
        backend = IntegerField()
        roles = TextField()
        version = TextField()
        configuration = TextField()
        started_at = BigIntegerField()
        seen_at = BigIntegerField()
        sees = TextField()
        holds = TextField()
        leads = IntegerField()

    db.create_tables([Node])
