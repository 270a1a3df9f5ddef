"""Records of private calls, whose outside numbers are for one person alone."""

# mypy: ignore-errors

from peewee import BigIntegerField, Model


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class PrivateRecord(Table):
        record_id = BigIntegerField(primary_key=True)
        owner = BigIntegerField()

    db.create_tables([PrivateRecord])
