"""Moves everything that is stored from one database to another, whole or not at all.

Both have the same tables when it begins. What is read is one snapshot, what is written one
transaction, and before that is committed every table is compared: its rows, and of each column a sum.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from syncd.domain.errors import UserError
from syncd.store.advisory import WRITERS, session_lock
from syncd.store.dialect import ids_were_given, insert_many, is_postgresql
from syncd.store.models import MODELS
from syncd.store.partitions import TABLES as BY_MONTH
from syncd.store.partitions import make_room
from syncd.store.tables import database as proxy

ROWS_AT_ONCE = 5000
_MODULUS = 1_000_003
"""Ids and hashes are summed by what is left of them: their sums have no end."""
_WHOLE = peewee.IntegerField | peewee.BigIntegerField | peewee.ForeignKeyField


@dataclass(frozen=True, slots=True)
class Copied:
    """A table that was copied, with the sums of its money and its seconds."""

    table: str
    rows: int
    sums: dict[str, int]


def copy_everything(
    source: peewee.Database,
    target: peewee.Database,
    progress: Callable[[str, int], None] = lambda table, rows: None,
) -> list[Copied]:
    """Copy all tables into a database that holds nothing; ``progress`` is told of a table and how
    many of its rows are there. The tables are bound to the target afterwards.

    Raises UserError when the target holds something, cannot hold what is copied, or differs in the
    end: then it is as empty as before.
    """
    proxy.initialize(target)
    models = peewee.sort_models(MODELS)
    with _unwritten(source), target.atomic("IMMEDIATE"):
        _refuse_what_is_there(target, models)
        copied = []
        for model in models:
            table = _name(model)
            try:
                _copy(source, target, model, progress)
            except (peewee.DataError, peewee.IntegrityError) as error:
                raise UserError(f"{table} cannot be copied: {str(error).strip()}") from error
            copied.append(_compared(source, target, model))
        if is_postgresql(target):
            _let_ids_go_on(models)
    return copied


@contextlib.contextmanager
def _unwritten(source: peewee.Database) -> Iterator[None]:
    """Read one snapshot of a database while nobody writes to it."""
    with session_lock(source, WRITERS), source.atomic("DEFERRED"):
        yield


def _name(model: type[peewee.Model]) -> str:
    return str(model._meta.table_name)


def _columns(model: type[peewee.Model]) -> list[str]:
    return [field.column_name for field in model._meta.sorted_fields]


def _refuse_what_is_there(target: peewee.Database, models: Sequence[type[peewee.Model]]) -> None:
    """Raise UserError when a database holds more than migrations put there; take that away."""
    for model in reversed(models):
        table = _name(model)
        numbered = "id" in _columns(model)
        target.execute_sql(
            f'DELETE FROM "{table}"' + (" WHERE id = 0" if numbered else " WHERE 1 = 0")
        )
        if table == "meta":
            continue
        if target.execute_sql(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone() is not None:
            raise UserError(
                f"the database to copy to holds something: {table} has rows",
                "it must be a new one",
            )
    target.execute_sql('DELETE FROM "meta"')


def _copy(
    source: peewee.Database,
    target: peewee.Database,
    model: type[peewee.Model],
    progress: Callable[[str, int], None],
) -> None:
    table, columns = _name(model), _columns(model)
    if table in BY_MONTH:
        make_room(table, [row[0] for row in _rows(source, _starts(table))])
    names = ", ".join(f'"{column}"' for column in columns)
    truths = [
        at
        for at, field in enumerate(model._meta.sorted_fields)
        if isinstance(field, peewee.BooleanField)
    ]

    def rows() -> Generator[Sequence[Any], None, None]:
        for number, row in enumerate(_rows(source, f'SELECT {names} FROM "{table}"'), 1):
            if truths:
                changed = list(row)
                for at in truths:
                    changed[at] = None if row[at] is None else bool(row[at])
                row = tuple(changed)
            yield row
            if number % ROWS_AT_ONCE == 0:
                progress(table, number)

    with contextlib.closing(rows()) as found:
        if is_postgresql(target):
            insert_many(table, columns, found)
        else:
            for some in _chunks(found):
                insert_many(table, columns, some)


def _starts(table: str) -> str:
    return f"SELECT DISTINCT started_at / 21600 * 21600 FROM {table}"


def _rows(source: peewee.Database, statement: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query, which a server sends some at a time."""
    if not is_postgresql(source):
        yield from source.execute_sql(statement)
        return
    source.execute_sql(f"DECLARE copied NO SCROLL CURSOR FOR {statement}")
    while some := source.execute_sql(f"FETCH {ROWS_AT_ONCE} FROM copied").fetchall():
        yield from some
    source.execute_sql("CLOSE copied")


def _chunks(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    some: list[Sequence[Any]] = []
    for row in rows:
        some.append(row)
        if len(some) == ROWS_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _compared(
    source: peewee.Database, target: peewee.Database, model: type[peewee.Model]
) -> Copied:
    """Return what was copied. Raises UserError when the two databases do not hold the same."""
    table = _name(model)
    sums = {"number of rows": "COUNT(*)"}
    shown = []
    for field in model._meta.sorted_fields:
        column = f'"{field.column_name}"'
        if isinstance(field, peewee.BooleanField):
            sums[f"{field.column_name} true"] = f"SUM(CASE WHEN {column} THEN 1 ELSE 0 END)"
        elif isinstance(field, _WHOLE):
            sums[field.column_name] = f"SUM({column} % {_MODULUS})"
            if _is_amount(field.column_name):
                shown.append(field.column_name)
                sums[f"{field.column_name} in all"] = f"SUM({column})"
        elif isinstance(field, peewee.TextField | peewee.BlobField):
            sums[f"length of {field.column_name}"] = f"SUM(LENGTH({column}))"
    statement = f'SELECT {", ".join(sums.values())} FROM "{table}"'
    before, after = (
        [int(value or 0) for value in database.execute_sql(statement).fetchone()]
        for database in (source, target)
    )
    for name, one, other in zip(sums, before, after, strict=True):
        if one != other:
            raise UserError(f"{table} differs after the copy: {name} {one}, then {other}")
    amounts = dict(zip(sums, after, strict=True))
    return Copied(table, after[0], {name: amounts[f"{name} in all"] for name in shown})


def _is_amount(column: str) -> bool:
    """Say whether a column holds money or seconds."""
    return column in ("cost", "duration", "amount") or column.endswith(("_seconds", "_cost"))


def _let_ids_go_on(models: Sequence[type[peewee.Model]]) -> None:
    for model in models:
        if isinstance(model._meta.primary_key, peewee.AutoField):
            ids_were_given(_name(model))
    proxy.obj.execute_sql(
        "SELECT setval('record_id', (SELECT COALESCE(MAX(id), 0) + 1 FROM record), FALSE)"
    )
