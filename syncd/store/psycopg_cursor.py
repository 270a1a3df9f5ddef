"""A cursor of psycopg's that takes the SQL of this program; needs psycopg."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

import peewee
import psycopg
from psycopg.adapt import Loader

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|[?%]""")


@lru_cache(maxsize=2048)
def translated(statement: str) -> bytes:
    """Return a statement with ``?`` placeholders as psycopg wants it; one without, such as
    peewee's own about the catalogue, as it is."""
    # Which is how SQLite is told to store a table by its key.
    statement = statement.removesuffix(" WITHOUT ROWID")
    if "?" not in statement:
        return statement.encode()
    return _TOKEN.sub(_token, statement).encode()


def _token(found: re.Match[str]) -> str:
    token = found[0]
    return "%s" if token == "?" else token.replace("%", "%%")


@contextlib.contextmanager
def peewee_errors() -> Iterator[None]:
    """Turn an error of psycopg's into the one of peewee's that stands for it."""
    try:
        yield
    except psycopg.Error as error:
        for known in type(error).__mro__:
            kind = getattr(peewee, known.__name__, None)
            if isinstance(kind, type) and issubclass(kind, peewee.PeeweeException):
                raise kind(*error.args) from error
        raise peewee.DatabaseError(*error.args) from error


class Cursor(psycopg.ClientCursor[tuple[Any, ...]]):
    """A cursor that takes the SQL of this program. Values are put into the text here and not by the
    server, so that they mean what they mean in SQLite: of whatever type the place needs."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        with peewee_errors():
            return super().execute(_ready(query), params or None, **options)

    def executemany(self, query: Any, params_seq: Iterable[Any], **options: Any) -> None:
        rows = list(params_seq)
        if rows:
            with peewee_errors():
                super().executemany(_ready(query), rows, **options)

    def fetchall(self) -> list[tuple[Any, ...]]:
        # Of a statement without rows SQLite has none.
        return [] if self.description is None else super().fetchall()

    def fetchone(self) -> tuple[Any, ...] | None:
        return None if self.description is None else super().fetchone()


def _ready(query: Any) -> Any:
    return translated(query) if isinstance(query, str) else query


class NumberLoader(Loader):
    """Sums of whole numbers are whole numbers: PostgreSQL makes ``numeric`` of them."""

    def load(self, data: Any) -> int | Decimal:
        text = bytes(data)
        try:
            return int(text)
        except ValueError:
            return Decimal(text.decode())


def copy_rows(
    database: peewee.Database, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows by COPY, within the transaction that is open."""
    names = ", ".join(f'"{name}"' for name in columns)
    statement = f'COPY "{table}" ({names}) FROM STDIN'
    with peewee_errors(), database.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for row in rows:
            copy.write_row(row)
