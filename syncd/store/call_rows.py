"""The hot path: records and call rows, written with one prepared statement each, or by COPY.

The SQL is taken from the models; rows are tuples in the order of the columns (``RECORD_COLUMNS``,
``CALL_COLUMNS``). Importing this module is reserved to the packages that make calls, so that rows
leave syncd through the reports' scope only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import peewee

from syncd.domain.leg import Leg
from syncd.store.dialect import by_ids, insert_many, is_postgresql
from syncd.store.frozen import NOT_FROZEN
from syncd.store.models import Call, Record
from syncd.store.models import database as proxy
from syncd.store.partitions import make_room

RECORD_COLUMNS = tuple(field.column_name for field in Record._meta.sorted_fields)
CALL_COLUMNS = tuple(field.column_name for field in Call._meta.sorted_fields)
_LEG_COLUMNS = ", ".join(f'"{name}"' for name in Leg._fields)

_KEY_COLUMNS = {
    "call": ("call_ref",),
    "leg": ("orig_leg", "dest_leg"),
    "conference": ("conference",),
}
"""In which columns a key of each kind stands."""

AT_ONCE = 400
"""Values of one query."""

RecordRow = tuple[Any, ...]
CallRow = Sequence[Any]


def insert_records(rows: Sequence[RecordRow]) -> None:
    """Insert record rows."""
    _insert("record", RECORD_COLUMNS, rows, RECORD_COLUMNS.index("started_at"))


def insert_calls(rows: Sequence[CallRow]) -> None:
    """Insert call rows."""
    _insert("call", CALL_COLUMNS, rows, CALL_COLUMNS.index("started_at"))


def insert_withheld(rows: Sequence[CallRow]) -> None:
    """Insert rows of calls whose line holds no slot."""
    _insert("call_withheld", CALL_COLUMNS, rows, CALL_COLUMNS.index("started_at"))


def _insert(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], start: int) -> None:
    if rows:
        make_room(table, (row[start] for row in rows))
        insert_many(table, columns, rows)


def last_start() -> int:
    """Return the latest start of any record, beyond which no key can be known."""
    return int(Record.select(peewee.fn.MAX(Record.started_at)).scalar() or 0)


def known_record(started_at: int, pbx_id: int, key_hash: int) -> tuple[int, int, int, int] | None:
    """Return (id, content hash, file id, row) of the record with this key, or None."""
    row = proxy.obj.execute_sql(
        "SELECT id, content_hash, file_id, row FROM record"
        f" WHERE started_at = {proxy.obj.param} AND pbx_id = {proxy.obj.param}"
        f" AND key_hash = {proxy.obj.param}",
        (started_at, pbx_id, key_hash),
    ).fetchone()
    return None if row is None else (row[0], row[1], row[2], row[3])


def relatives(
    pbx_id: int,
    keys: Iterable[tuple[str, int]],
    earliest: int,
    latest: int,
    *,
    frozen: bool = False,
) -> list[tuple[int, int, int, int, Leg]]:
    """Return stored tied records that carry one of these keys (see ``conversation.keys_of``) and
    start within the bounds: (id, file id, row, outcome, leg); frozen ones only where asked for."""
    wanted: dict[str, list[int]] = {}
    for kind, value in keys:
        wanted.setdefault(kind, []).append(value)
    found: dict[int, tuple[int, int, int, int, Leg]] = {}
    for kind, values in wanted.items():
        for column in _KEY_COLUMNS[kind]:
            for start in range(0, len(values), AT_ONCE):
                part = values[start : start + AT_ONCE]
                between = (earliest, latest) if is_postgresql() else ()
                cursor = proxy.obj.execute_sql(
                    _relatives_sql(column, len(part), frozen=frozen), (*part, pbx_id, *between)
                )
                for row in cursor.fetchall():
                    if earliest <= row[4] <= latest:
                        found[row[0]] = (row[0], row[1], row[2], row[3], Leg._make(row[4:]))
    return list(found.values())


def _relatives_sql(column: str, count: int, *, frozen: bool) -> str:
    mark = proxy.obj.param
    # There they leave out months; SQLite might take the index of the start instead.
    between = f" AND started_at BETWEEN {mark} AND {mark}" if is_postgresql() else ""
    chosen = "" if frozen else f" AND {NOT_FROZEN}"
    return (
        f"SELECT id, file_id, row, outcome, {_LEG_COLUMNS} FROM record"
        f" WHERE tied = 1 AND {column} <> 0 AND {column} IN ({', '.join([mark] * count)})"
        f" AND pbx_id = {mark}{between}{chosen}"
    )


def records(
    ids: Iterable[int], *, frozen: bool = False
) -> list[tuple[int, int, int, int, str, Leg]]:
    """Return stored records: (id, file id, row, outcome, reason, leg); frozen ones only where asked
    for."""
    columns = f"id, file_id, row, outcome, reason, {_LEG_COLUMNS}"
    chosen = "" if frozen else f" AND {NOT_FROZEN}"
    rows = by_ids(f"SELECT {columns} FROM record", ids, chosen)
    return [(row[0], row[1], row[2], row[3], row[4], Leg._make(row[5:])) for row in rows]


def members(ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return the telephone system and the conversation of records by id."""
    rows = by_ids("SELECT id, pbx_id, conversation FROM record", ids)
    return {row[0]: (row[1], row[2]) for row in rows}


def delete_calls(record_ids: Iterable[int]) -> list[tuple[Any, ...]]:
    """Delete the call rows of records, withheld ones too, by which account code they are charged
    and that they are private. Returns the rows that were shown, in the order of ``CALL_COLUMNS``."""
    gone: list[tuple[Any, ...]] = []
    database, mark = proxy.obj, proxy.obj.param
    columns = ", ".join(f'"{name}"' for name in CALL_COLUMNS)
    span = f"BETWEEN {mark} AND {mark}"
    for record_id in record_ids:
        sides = (record_id * 8, record_id * 8 + 7)
        cursor = database.execute_sql(
            f"DELETE FROM call WHERE id {span} RETURNING {columns}", sides
        )
        gone += cursor.fetchall()
        database.execute_sql(f"DELETE FROM call_withheld WHERE id {span}", sides)
        database.execute_sql(f"DELETE FROM account_charge WHERE call_id {span}", sides)
        database.execute_sql(f"DELETE FROM private_record WHERE record_id = {mark}", (record_id,))
    return gone


def update_verdict(
    record_id: int, outcome: int, reason: str, provisional: int, conversation: int
) -> None:
    """Write what a stored record became after its conversation was decided again."""
    mark = proxy.obj.param
    proxy.obj.execute_sql(
        f"UPDATE record SET outcome = {mark}, reason = {mark}, provisional = {mark},"
        f" conversation = {mark} WHERE id = {mark}",
        (outcome, reason, provisional, conversation, record_id),
    )
