"""Budgets, and mail that waits to be sent."""

# mypy: ignore-errors

from peewee import BigIntegerField, BlobField, CompositeKey, IntegerField, Model, TextField


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Outbox(Table):
        kind = TextField()
        reference = TextField()
        recipient = TextField()
        subject = TextField()
        message = BlobField()
        created_at = BigIntegerField()
        state = TextField()
        attempts = IntegerField(default=0)
        next_at = BigIntegerField()
        settled_at = BigIntegerField(null=True)
        reason = TextField(default="")

        class Meta:
            indexes = (
                (("kind", "reference", "recipient"), True),
                (("state", "next_at"), False),
            )

    class BudgetPeriod(Table):
        budget = TextField()
        pot = TextField()
        first_day = IntegerField()
        end_day = IntegerField()
        amount = BigIntegerField()
        carried = BigIntegerField()
        spent = BigIntegerField()
        unrated = IntegerField()
        checked_at = BigIntegerField()

        class Meta:
            primary_key = CompositeKey("budget", "pot", "first_day")
            indexes = ((("budget", "first_day"), False),)

    class BudgetAlert(Table):
        budget = TextField()
        pot = TextField()
        first_day = IntegerField()
        threshold = IntegerField()
        at = BigIntegerField()
        spent = BigIntegerField()

        class Meta:
            primary_key = CompositeKey("budget", "pot", "first_day", "threshold")

    db.create_tables([Outbox, BudgetPeriod, BudgetAlert])
