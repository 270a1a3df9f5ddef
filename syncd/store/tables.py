"""What every table shares: the database that is bound when it is opened, and names in snake case."""

from __future__ import annotations

from peewee import DatabaseProxy, Model

database = DatabaseProxy()


class Table(Model):
    class Meta:
        database = database
        legacy_table_names = False
