"""What SQLite and PostgreSQL say differently, in one place.

Everywhere else one SQL text serves both: placeholders are ``?``, ``%`` means itself
(``store.postgresql`` translates), and lists of ids go through ``id_list`` and ``in_list``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import peewee

from syncd.store.tables import database as proxy

_IDS_AT_ONCE = 200
"""Ids of records taken from the sequence in one question."""


def is_postgresql(database: peewee.Database | None = None) -> bool:
    """Say whether a database, or the one that is bound to the tables, is PostgreSQL."""
    chosen = proxy.obj if database is None else database
    return isinstance(chosen, peewee.PostgresqlDatabase)


def id_list(ids: Iterable[int]) -> str:
    """Return ids as the one parameter of ``in_list``, which has no limit as a list of placeholders
    has."""
    text = ",".join(map(str, sorted(ids)))
    return f"{{{text}}}" if is_postgresql() else f"[{text}]"


def in_list(column: str) -> str:
    """Return the condition that a column is one of the ids of an ``id_list``."""
    if is_postgresql():
        return f"{column} = ANY (CAST(? AS bigint[]))"
    return f"{column} IN (SELECT value FROM json_each(?))"


def last_characters(expression: str, count: int) -> str:
    """Return the expression of a text's last characters, of the whole text where it has no more."""
    if is_postgresql():
        return f"right({expression}, {count})"
    return f"substr({expression}, -{count})"


def blankless_key(expression: str) -> str:
    """Return the expression of the key by which a text is compared (``domain.party.name_key``),
    without blanks; NULL for a text that has other than printable characters of ASCII, of which a
    database cannot tell it."""
    if is_postgresql():
        usual, small = f"{expression} !~ '[^ -~]'", f'lower({expression} COLLATE "C")'
    else:
        usual, small = f"{expression} NOT GLOB '*[^ -~]*'", f"lower({expression})"
    return f"CASE WHEN {usual} THEN replace({small}, ' ', '') END"


def byte_length(expression: str) -> str:
    """Return the expression of how many bytes a text has in UTF-8."""
    if is_postgresql():
        return f"octet_length({expression})"
    return f"length(CAST({expression} AS BLOB))"


def rows_of(statement: str, *parameters: Any) -> Sequence[tuple[Any, ...]]:
    """Run a statement with ``?`` for its parameters. Returns its rows."""
    found: Sequence[tuple[Any, ...]] = proxy.obj.execute_sql(statement, parameters).fetchall()
    return found


def by_ids(select: str, ids: Iterable[int], more: str = "") -> Sequence[tuple[Any, ...]]:
    """Return the rows of a SELECT … FROM … whose ``id`` is one of these, and that fit what ``more``
    says."""
    return rows_of(f"{select} WHERE {in_list('id')}{more}", id_list(ids))


def insert_sql(table: str, columns: Sequence[str], end: str = "") -> str:
    """Return the statement that inserts one row."""
    names = ", ".join(f'"{name}"' for name in columns)
    return f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(columns))}){end}'


def insert_many(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows, none of which may be there: with one prepared statement on SQLite, by COPY on
    PostgreSQL, within the transaction that is open."""
    if is_postgresql():
        from syncd.store.psycopg_cursor import copy_rows

        copy_rows(proxy.obj, table, columns, rows)
    else:
        proxy.obj.cursor().executemany(insert_sql(table, columns), rows)


def get_or_add(table: str, keys: Mapping[str, str]) -> int:
    """Return the id of the row with these values in its unique columns, which is added where it is
    not there; also where another writer adds it at the same moment."""
    condition = " AND ".join(f'"{column}" = ?' for column in keys)
    chosen = f'SELECT id FROM "{table}" WHERE {condition}'
    added = insert_sql(table, tuple(keys), " ON CONFLICT DO NOTHING RETURNING id")
    for statement in (chosen, added, chosen):
        found = rows_of(statement, *keys.values())
        if found:
            return int(found[0][0])
    raise LookupError(f"{table} takes no row of {dict(keys)}")


def record_ids() -> Iterator[int]:
    """Yield ids for new records, within a write transaction.

    SQLite has one writer: the ids follow the last. PostgreSQL has several, each of which takes
    some from a sequence.
    """
    if is_postgresql():
        while True:
            for row in rows_of(
                f"SELECT nextval('record_id') FROM generate_series(1, {_IDS_AT_ONCE})"
            ):
                yield row[0]
    else:
        last = rows_of("SELECT COALESCE(MAX(id), 0) FROM record")[0][0]
        while True:
            last += 1
            yield last


def ids_were_given(table: str) -> None:
    """Let the database's own ids go on after the highest of a table into which rows were inserted
    with ids of their own."""
    if is_postgresql():
        highest = f'SELECT COALESCE(MAX(id), 0) + 1 FROM "{table}"'
        rows_of(f"SELECT setval(pg_get_serial_sequence(?, 'id'), ({highest}), FALSE)", table)
