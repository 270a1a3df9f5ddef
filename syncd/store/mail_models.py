"""The tables of mail that waits to be sent, and of budgets.

Imported by ``models``, where everybody finds them.
"""

from __future__ import annotations

from peewee import (
    BigIntegerField,
    BlobField,
    CompositeKey,
    IntegerField,
    TextField,
)

from syncd.store.tables import Table


class Outbox(Table):
    """One message for one recipient. Once written it is sent, or fails with a reason."""

    kind = TextField()
    """What made it, such as ``budget``."""
    reference = TextField()
    """Of what it speaks: the same is never written twice to one recipient."""
    recipient = TextField()
    subject = TextField()
    message = BlobField()
    """The whole message (RFC 5322)."""
    created_at = BigIntegerField()
    state = TextField()
    """``waiting``, ``sent`` or ``failed``."""
    attempts = IntegerField(default=0)
    next_at = BigIntegerField()
    settled_at = BigIntegerField(null=True)
    """When it was sent or given up."""
    reason = TextField(default="")
    """What the server answered at the last attempt, where that failed."""

    class Meta:
        indexes = (
            (("kind", "reference", "recipient"), True),
            (("state", "next_at"), False),
        )


class BudgetPeriod(Table):
    """What a budget gave to one pot in one period, and what was spent of it when last looked."""

    budget = TextField()
    pot = TextField()
    """Id of a party or key of a name; empty for the one pot of a cumulative budget."""
    first_day = IntegerField()
    """yyyymmdd."""
    end_day = IntegerField()
    """Exclusive."""
    amount = BigIntegerField()
    """Micros, without what was carried over."""
    carried = BigIntegerField()
    spent = BigIntegerField()
    unrated = IntegerField()
    """Call rows without a price."""
    checked_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("budget", "pot", "first_day")
        indexes = ((("budget", "first_day"), False),)


class BudgetAlert(Table):
    """A threshold that was passed: it is told once in a period, whatever happens to prices."""

    budget = TextField()
    pot = TextField()
    first_day = IntegerField()
    threshold = IntegerField()
    """Percent."""
    at = BigIntegerField()
    spent = BigIntegerField()
    """Micros, at that moment."""

    class Meta:
        primary_key = CompositeKey("budget", "pot", "first_day", "threshold")
