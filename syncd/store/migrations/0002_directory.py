"""Locks of fields, names that are one, maintenance that goes on after an interruption, how far the
changes of each directory are known, and hunt groups."""

# mypy: ignore-errors

from peewee import BigIntegerField, ForeignKeyField, IntegerField, Model, TextField


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Party(Table):
        pass

    class PartyLock(Table):
        party = ForeignKeyField(Party)
        field = TextField()
        reason = TextField()
        since = BigIntegerField()

        class Meta:
            indexes = ((("party", "field"), True),)

    class NameAlias(Table):
        kind = TextField()
        key = TextField()
        merged_into = TextField()

        class Meta:
            indexes = ((("kind", "key"), True),)

    class HuntGroup(Table):
        source = TextField()
        name = TextField()
        name_key = TextField()
        site = TextField(default="")
        partition = TextField(default="")
        number = TextField(default="")

        class Meta:
            indexes = ((("source", "name_key"), True),)

    class HuntMember(Table):
        group = ForeignKeyField(HuntGroup, on_delete="CASCADE")
        site = TextField(default="")
        partition = TextField(default="")
        number = TextField()

        class Meta:
            indexes = ((("group", "site", "partition", "number"), True),)

    class SourceDigest(Table):
        source = TextField(primary_key=True)
        directory_version = IntegerField()
        digest = TextField()

    class MaintenanceRun(Table):
        kind = TextField()
        started_at = BigIntegerField()
        ended_at = BigIntegerField(null=True)
        state = TextField(index=True)
        position = TextField(default="")
        arguments = TextField(default="")

    class SourceCookie(Table):
        source = TextField(primary_key=True)
        cookie = TextField()
        fingerprint = TextField()
        server = TextField()
        directory_version = IntegerField()

    db.create_tables(
        [SourceCookie, PartyLock, NameAlias, MaintenanceRun, HuntGroup, HuntMember, SourceDigest]
    )
