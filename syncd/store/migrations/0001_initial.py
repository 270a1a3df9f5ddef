"""The first schema."""

from syncd.store.models import MODELS


def up(migrator, db):
    db.create_tables(MODELS)
