"""The table of what people changed: who, when, what it was and what it is.

Imported by ``models``, where everybody finds it.
"""

from __future__ import annotations

from peewee import BigIntegerField, ForeignKeyField, TextField

from syncd.store.directory_models import Party
from syncd.store.tables import Table


class AuditEntry(Table):
    """One change by somebody's hand. People are named by their row, so that who is made nameless is
    nameless here, too."""

    at = BigIntegerField(index=True)
    actor = TextField()
    """The viewer as whom it was done, ``administrator`` for the local one."""
    actor_party = ForeignKeyField(Party, null=True, backref="audited")
    account = TextField()
    """The account of the operating system that ran the command, empty for the daemon."""
    action = TextField()
    """The verb and its action, such as ``access set``."""
    party = ForeignKeyField(Party, null=True, backref="audits")
    """Of whom, where it is somebody."""
    subject = TextField(default="")
    """Of what, where it is nobody: the month, the names, the file."""
    field = TextField(default="")
    old = TextField(default="")
    new = TextField(default="")
    reason = TextField(default="")
