"""The processes that work on one database.

Imported by ``models``, where everybody finds them.
"""

from __future__ import annotations

from peewee import BigIntegerField, IntegerField, TextField

from syncd.store.tables import Table


class Node(Table):
    """A daemon: who it is, what it does, and when it was seen last (epoch seconds of the database's
    clock)."""

    name = TextField(primary_key=True)
    """Host, process and when it began, which no other has."""
    host = TextField()
    process = IntegerField()
    backend = IntegerField()
    """The server's process behind the connection by which it holds what it does."""
    roles = TextField()
    """Separated by blanks."""
    version = TextField()
    configuration = TextField()
    """Fingerprint of what must be the same on every machine."""
    started_at = BigIntegerField()
    seen_at = BigIntegerField()
    sees = TextField()
    """The phone systems whose drop folders it sees, one a line."""
    holds = TextField()
    """The phone systems that it takes records of, one a line."""
    leads = IntegerField()
    """1 for the one that does what is done by one alone."""
