"""The tables of scheduled reports and of alarms.

Imported by ``models``, where everybody finds them.
"""

from __future__ import annotations

from peewee import BigIntegerField, BooleanField, CompositeKey, IntegerField, TextField

from syncd.store.tables import Table


class ReportSchedule(Table):
    """A report that somebody has sent again and again; those of the settings have no row."""

    owner = IntegerField()
    """Id of the party, 0 for the local administrator."""
    name = TextField()
    name_key = TextField()
    report = TextField()
    """The report and what is asked of it, in the words of the command line."""
    timing = TextField()
    form = TextField()
    recipients = TextField()
    """Separated by semicolons."""
    reader = TextField()
    """As whom a report for a plain address is made, empty for the owner."""
    subject = TextField()
    empty = TextField()
    """``send`` or ``skip``."""
    missed = TextField()
    """``send`` or ``skip``."""
    paused = BooleanField(default=False)
    created_at = BigIntegerField()

    class Meta:
        indexes = ((("owner", "name_key"), True),)


class ScheduleState(Table):
    """When a schedule is due next."""

    schedule = TextField(primary_key=True)
    """``ini:NAME`` or ``user:ID``."""
    timing = TextField()
    """What ``due_at`` was computed of: another one plans anew."""
    due_at = BigIntegerField()


class ScheduleRun(Table):
    """What became of one run of a schedule for one recipient."""

    schedule = TextField()
    name = TextField()
    planned_at = BigIntegerField()
    at = BigIntegerField()
    recipient_key = TextField()
    """``party:ID`` or the address; empty: the run as a whole."""
    recipient = TextField()
    """The address, or who got nothing."""
    reader = TextField()
    """As whom the report was made."""
    report = TextField()
    period = TextField()
    form = TextField()
    state = TextField()
    """``written | empty | refused | failed | missed | withdrawn``."""
    rows = IntegerField()
    message = TextField()
    """Why nothing was written, or what is to be known of it."""
    reference = TextField()
    """Of the message in the outbox."""
    rights = TextField()
    """What the reader might see when it was written: a message that waits while that changes is
    withdrawn."""

    class Meta:
        indexes = (
            (("schedule", "planned_at", "recipient_key"), True),
            (("reference",), False),
            (("at",), False),
        )


class ScheduleRetry(Table):
    """A report that a defect met as it was made for a recipient: when it is tried again."""

    schedule = TextField()
    planned_at = BigIntegerField()
    recipient_key = TextField()
    attempts = IntegerField()
    """That were made."""
    again_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("schedule", "planned_at", "recipient_key")
        indexes = ((("again_at",), False),)


class AlarmState(Table):
    """What an alarm found when it was last looked at."""

    alarm = TextField(primary_key=True)
    digest = TextField()
    """Of all that was found: while it is the same there is nobody to tell anything new."""
    again_at = BigIntegerField(null=True)
    """When somebody may be told again who was told something else too recently."""


class AlarmTold(Table):
    """Of what a recipient of an alarm was told: never twice of the same."""

    alarm = TextField()
    event = TextField()
    """A call's id, or what else the event is known by."""
    recipient_key = TextField()
    """``party:ID`` or the address."""
    recipient = TextField()
    at = BigIntegerField(index=True)
    reference = TextField()
    """Of the message in the outbox."""
    rights = TextField()

    class Meta:
        primary_key = CompositeKey("alarm", "event", "recipient_key")
        indexes = ((("reference",), False),)
