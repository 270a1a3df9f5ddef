"""How far the files that grow have been read.

Imported by ``models``, where everybody finds it.
"""

from __future__ import annotations

from peewee import BigIntegerField, IntegerField, TextField

from syncd.store.tables import Table


class GrowingFile(Table):
    """A file by its inode, and how far it is stored. What it began with and what stood before the
    position tell whether it is still the same one, and a copy or a compressed one from a new one."""

    source = TextField()
    device = BigIntegerField()
    inode = BigIntegerField()
    file_id = IntegerField()
    """Of the ledger."""
    position = BigIntegerField()
    """Bytes from the beginning up to which its rows are stored."""
    lines = BigIntegerField()
    """Lines up to there."""
    head_size = IntegerField()
    head = TextField()
    """SHA-256 of the first ``head_size`` bytes."""
    last_size = IntegerField()
    last = TextField()
    """SHA-256 of the ``last_size`` bytes before the position."""
    size = BigIntegerField()
    """Bytes, and the time of modification in nanoseconds, when it was looked at last."""
    modified = BigIntegerField()

    class Meta:
        indexes = ((("source", "device", "inode"), True),)
