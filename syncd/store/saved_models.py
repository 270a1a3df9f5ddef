"""The table of saved reports.

Imported by ``models``, where everybody finds it.
"""

from __future__ import annotations

from peewee import BigIntegerField, BooleanField, ForeignKeyField, TextField

from syncd.store.directory_models import Party
from syncd.store.tables import Table


class SavedReport(Table):
    """A report under a name of its owner's."""

    owner = ForeignKeyField(Party, null=True, backref="saved_reports")
    """None: the local administrator."""
    name = TextField()
    name_key = TextField(index=True)
    request = TextField()
    """What is asked for, in one line."""
    shared = BooleanField()
    """Others may run it, too, each as far as they see themselves."""
    changed_at = BigIntegerField()
