"""Takes a month off the tables of records and calls on PostgreSQL, when retention is done with it."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

from syncd.domain.codes import RecordOutcome
from syncd.domain.errors import UserError
from syncd.store.dialect import rows_of
from syncd.store.partitions import TABLES, month_bounds, months_of
from syncd.store.sealed import note_gone, seal
from syncd.store.tables import database as proxy

_COUNTERS = {
    RecordOutcome.STORED: "stored",
    RecordOutcome.EXCLUDED: "excluded",
    RecordOutcome.NOT_BILLED: "not_billed",
}


def detach(month: str) -> list[str]:
    """Make tables of their own of a month's (``yyyymm``, or ``early``); the ledger counts its records
    as gone. Returns their names. Must run inside a write transaction.

    Raises UserError when there is no such month, or retention has not sealed its days and folded its
    calls into sums: figures would change.
    """
    tables = [table for table in TABLES if month in months_of(table)]
    if not tables:
        raise UserError(f"there is no month {month}", "syncd db partitions lists them")
    _refuse_unsealed(month, tables)
    if "record" in tables:
        _count_as_gone(f"record_{month}")
    detached = []
    for table in tables:
        name = f"detached_{table}_{month}"
        if rows_of("SELECT to_regclass(?)", f'"{name}"')[0][0] is not None:
            raise UserError(
                f"there is a table {name} already",
                "drop it, or rename it: syncd db restore leaves what begins with detached_",
            )
        proxy.obj.execute_sql(f'ALTER TABLE "{table}" DETACH PARTITION "{table}_{month}"')
        proxy.obj.execute_sql(f'ALTER TABLE "{table}_{month}" RENAME TO "{name}"')
        detached.append(name)
    return detached


def _refuse_unsealed(month: str, tables: list[str]) -> None:
    end = month_bounds(month)[1]
    if seal().start < end:
        last = datetime.fromtimestamp(end - 1, UTC).date()
        raise UserError(
            f"the days of {month} are not sealed up to {last}",
            "[retention] calls says after how many days that is; then syncd retention run",
        )
    for table in ("call", "call_withheld"):
        if table in tables and rows_of(f'SELECT 1 FROM "{table}_{month}" LIMIT 1'):
            raise UserError(
                f"calls of {month} are not folded into sums yet", "let retention finish first"
            )


def _count_as_gone(table: str) -> None:
    gone: dict[int, dict[str, int]] = defaultdict(dict)
    for file_id, outcome, rows in rows_of(
        f'SELECT file_id, outcome, COUNT(*) FROM "{table}" GROUP BY file_id, outcome'
    ):
        gone[file_id][_COUNTERS[RecordOutcome(outcome)]] = rows
    note_gone(gone)
