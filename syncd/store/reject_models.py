"""What it takes to try a rejected row again, and the rows that nobody wants any more.

Imported by ``models``, where everybody finds them.
"""

from __future__ import annotations

from peewee import BigIntegerField, BlobField, IntegerField, TextField

from syncd.store.tables import Table


class FileHeader(Table):
    """What stands before the first row of a file that has rejects: the names of its columns."""

    file_id = IntegerField(primary_key=True)
    header = BlobField()


class RejectDrop(Table):
    """A reject that was dropped: it stays counted, and is listed only when it is asked for."""

    reject_id = IntegerField(primary_key=True)
    at = BigIntegerField()
    viewer = TextField()
    reason = TextField()
