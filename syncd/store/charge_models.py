"""Calls that an account code charges to a cost center or matter, and private ones.

Imported by ``models``, where everybody finds them.
"""

from __future__ import annotations

from peewee import BigIntegerField, IntegerField, TextField

from syncd.store.tables import Table


class Matter(Table):
    """What a code stands for beside a cost center: a client's matter, a project. Id 0: none."""

    name = TextField(unique=True)


class AccountCharge(Table):
    """A call row that a code charges, withheld or not; ``call_id`` is the row's id."""

    call_id = BigIntegerField(primary_key=True)
    cost_center = TextField()
    """Key of the cost center, which is that of the row's org; empty where the code names none."""
    matter_id = IntegerField()


class PrivateRecord(Table):
    """A record of a private call: the outside numbers of its rows are for one person alone."""

    record_id = BigIntegerField(primary_key=True)
    owner = BigIntegerField()
    """The call row of who made the private call, which may be one of an earlier record; 0: nobody
    who is billed."""
