"""How far the files that grow have been read."""

# mypy: ignore-errors

from peewee import BigIntegerField, IntegerField, Model, TextField


def up(migrator, db):
    class GrowingFile(Model):
        source = TextField()
        device = BigIntegerField()
        inode = BigIntegerField()
        file_id = IntegerField()
        position = BigIntegerField()
        lines = BigIntegerField()
        head_size = IntegerField()
        head = TextField()
        last_size = IntegerField()
        last = TextField()
        size = BigIntegerField()
        modified = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            indexes = ((("source", "device", "inode"), True),)

    db.create_tables([GrowingFile])
