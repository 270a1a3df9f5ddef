"""Who changed what by hand, and the access log by time."""

# mypy: ignore-errors

from peewee import BigIntegerField, ForeignKeyField, Model, TextField


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Party(Table):
        source = TextField()

    class AuditEntry(Table):
        at = BigIntegerField(index=True)
        actor = TextField()
        actor_party = ForeignKeyField(Party, null=True)
        account = TextField()
        action = TextField()
        party = ForeignKeyField(Party, null=True)
        subject = TextField()
        field = TextField()
        old = TextField()
        new = TextField()
        reason = TextField()

    db.create_tables([AuditEntry])
    db.execute_sql('CREATE INDEX "access_log_at" ON "access_log" ("at")')
