"""Members of a conference find each other by its id."""

# mypy: ignore-errors


def up(migrator, db):
    db.execute_sql(
        'CREATE INDEX "record_conference" ON "record" ("conference", "pbx_id")'
        " WHERE tied = 1 AND conference <> 0"
    )
