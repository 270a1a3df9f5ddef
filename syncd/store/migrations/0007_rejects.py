"""What it takes to try a rejected row again, and rows that were dropped."""

# mypy: ignore-errors

from peewee import BigIntegerField, BlobField, IntegerField, Model, TextField


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class FileHeader(Table):
        file_id = IntegerField(primary_key=True)
        header = BlobField()

    class RejectDrop(Table):
        reject_id = IntegerField(primary_key=True)
        at = BigIntegerField()
        viewer = TextField()
        reason = TextField()

    db.create_tables([FileHeader, RejectDrop])
