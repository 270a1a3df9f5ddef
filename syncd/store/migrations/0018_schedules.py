"""Scheduled reports and alarms."""

# mypy: ignore-errors

from peewee import (
    BigIntegerField,
    BooleanField,
    CompositeKey,
    IntegerField,
    Model,
    TextField,
)


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class ReportSchedule(Table):
        owner = IntegerField()
        name = TextField()
        name_key = TextField()
        report = TextField()
        timing = TextField()
        form = TextField()
        recipients = TextField()
        reader = TextField()
        subject = TextField()
        empty = TextField()
        missed = TextField()
        paused = BooleanField(default=False)
        created_at = BigIntegerField()

        class Meta:
            indexes = ((("owner", "name_key"), True),)

    class ScheduleState(Table):
        schedule = TextField(primary_key=True)
        timing = TextField()
        due_at = BigIntegerField()

    class ScheduleRun(Table):
        schedule = TextField()
        name = TextField()
        planned_at = BigIntegerField()
        at = BigIntegerField()
        recipient_key = TextField()
        recipient = TextField()
        reader = TextField()
        report = TextField()
        period = TextField()
        form = TextField()
        state = TextField()
        rows = IntegerField()
        message = TextField()
        reference = TextField()
        rights = TextField()

        class Meta:
            indexes = (
                (("schedule", "planned_at", "recipient_key"), True),
                (("reference",), False),
                (("at",), False),
            )

    class AlarmState(Table):
        alarm = TextField(primary_key=True)
        digest = TextField()
        again_at = BigIntegerField(null=True)

    class AlarmTold(Table):
        alarm = TextField()
        event = TextField()
        recipient_key = TextField()
        recipient = TextField()
        at = BigIntegerField(index=True)
        reference = TextField()
        rights = TextField()

        class Meta:
            primary_key = CompositeKey("alarm", "event", "recipient_key")
            indexes = ((("reference",), False),)

    db.create_tables([ReportSchedule, ScheduleState, ScheduleRun, AlarmState, AlarmTold])
