"""Scheduled reports that a defect met are tried again."""

# mypy: ignore-errors

from peewee import BigIntegerField, CompositeKey, IntegerField, Model, TextField


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class ScheduleRetry(Table):
        schedule = TextField()
        planned_at = BigIntegerField()
        recipient_key = TextField()
        attempts = IntegerField()
        again_at = BigIntegerField()

        class Meta:
            primary_key = CompositeKey("schedule", "planned_at", "recipient_key")
            indexes = ((("again_at",), False),)

    db.create_tables([ScheduleRetry])
