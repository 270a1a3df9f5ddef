"""The tables of what automatic acquisition knows beside the lines that it documented.

Imported by ``models``, where everybody finds them.
"""

from __future__ import annotations

from peewee import BigIntegerField, BooleanField, CompositeKey, IntegerField, TextField

from syncd.store.tables import Table


class AcquirableLine(Table):
    """A line that automatic acquisition would have documented, had it been on when its records were
    read."""

    site = TextField()
    partition = TextField()
    number = TextField()
    hunt = BooleanField(default=False)
    """A record showed it as a hunt pilot or member: it would take no slot."""

    class Meta:
        primary_key = CompositeKey("site", "partition", "number")


class HuntListing(Table):
    """An acquired line that a list of places names, or named, as a hunt pilot or member."""

    line_id = IntegerField(primary_key=True)
    until = BigIntegerField()
    """When syncd saw that the lists name it no longer; what records of calls before then showed is
    overruled."""
