"""How the numbers of a destination begin: in which country it is."""

# mypy: ignore-errors

from peewee import CompositeKey, IntegerField, Model, TextField


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class DestinationPrefix(Table):
        destination_id = IntegerField()
        prefix = TextField()

        class Meta:
            primary_key = CompositeKey("destination_id", "prefix")

    db.create_tables([DestinationPrefix])
    for table in ("call", "call_withheld"):
        db.execute_sql(
            "INSERT INTO destination_prefix (destination_id, prefix)"
            " SELECT DISTINCT priced.destination_id, SUBSTR(rate_used.prefix, 1, 7)"
            f" FROM (SELECT DISTINCT destination_id, rate_id FROM {table}"
            " WHERE destination_id <> 0 AND rate_id <> 0) priced"
            " JOIN rate_used ON rate_used.id = priced.rate_id WHERE rate_used.prefix <> ''"
            " ON CONFLICT DO NOTHING"
        )
