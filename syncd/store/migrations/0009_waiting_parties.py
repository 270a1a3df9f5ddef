"""Who left and whose grace runs is found without looking at everybody."""

# mypy: ignore-errors


def up(migrator, db):
    db.execute_sql(
        'CREATE INDEX "party_waiting" ON "party" ("source", "departed_at")'
        " WHERE departed_at IS NOT NULL AND closed_at IS NULL"
    )
