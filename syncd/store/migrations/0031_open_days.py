"""The days whose sums stand beside those of their month, which is not over."""

# mypy: ignore-errors

from peewee import IntegerField, Model


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class RolledOpen(Table):
        day = IntegerField(primary_key=True)

    db.create_tables([RolledOpen])
