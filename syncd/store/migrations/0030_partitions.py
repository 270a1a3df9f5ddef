"""On PostgreSQL records and calls are kept by month, and ids of records come from a sequence.

SQLite keeps them in one file whatever happens, and has one writer: nothing changes there. A database
on PostgreSQL holds no rows yet when this is applied.
"""

# mypy: ignore-errors

from peewee import PostgresqlDatabase

_RAW = (
    "orig_ended_by",
    "dest_ended_by",
    "first_redirect_by",
    "first_redirect_reason",
    "last_redirect_by",
    "last_redirect_reason",
    "joined_by",
    "incoming_protocol",
    "outgoing_protocol",
    "pattern_usage",
)
_SECONDS = ("ring_seconds", "duration", "billed_seconds")


def up(migrator, db):
    if not isinstance(db, PostgresqlDatabase):
        return
    db.execute_sql("CREATE SEQUENCE record_id")
    # What a damaged row says is stored as it is, however large.
    _widen(db, "record", (*_RAW, "duration"))
    for table in ("call", "call_withheld"):
        _widen(db, table, _SECONDS)
    for table in ("record", "call", "call_withheld"):
        _by_month(db, table)


def _widen(db, table, columns):
    changes = ", ".join(f'ALTER COLUMN "{column}" TYPE bigint' for column in columns)
    db.execute_sql(f'ALTER TABLE "{table}" {changes}')


def _by_month(db, table):
    """Replace an empty table by one that is partitioned by the start, with the same indexes."""
    found = db.execute_sql(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ?"
        " AND indexname <> ?",
        (table, f"{table}_pkey"),
    )
    indexes = [row[0] for row in found.fetchall()]
    db.execute_sql(f'ALTER TABLE "{table}" RENAME TO "{table}_whole"')
    db.execute_sql(
        f'CREATE TABLE "{table}" (LIKE "{table}_whole" INCLUDING DEFAULTS)'
        " PARTITION BY RANGE (started_at)"
    )
    db.execute_sql(f'DROP TABLE "{table}_whole"')
    # A unique key of a partitioned table has what it is partitioned by in it.
    db.execute_sql(f'ALTER TABLE "{table}" ADD PRIMARY KEY (id, started_at)')
    for index in indexes:
        db.execute_sql(index)
