"""What is known of destinations. Imported by ``models``, where everybody finds it."""

from __future__ import annotations

from peewee import CompositeKey, IntegerField, TextField

from syncd.store.tables import Table


class DestinationPrefix(Table):
    """How the numbers of a destination begin that had a price (up to seven digits of E.164): in which
    country it is."""

    destination_id = IntegerField()
    prefix = TextField()

    class Meta:
        primary_key = CompositeKey("destination_id", "prefix")
