"""PostgreSQL through peewee: what makes it understand the SQL of this program.

Placeholders are ``?`` and ``%`` means itself, as in SQLite; whole numbers stay whole numbers when
they are summed; texts are compared by their bytes; a connection that broke is opened again when
the next unit of work begins. Only ``store.database`` imports this module, when the address is one
of PostgreSQL: it needs psycopg.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar

import peewee
import psycopg
from psycopg import pq
from psycopg.adapt import Loader

from syncd.store.advisory import WRITERS, transaction_lock

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|[?%]""")
_OWN = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "standard_conforming_strings": "on",
}
"""Settings of a session: the work decides how long it takes, not what somebody set for people."""

OLDEST = 15_00_00
"""The oldest server that is understood."""


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


class _NumberLoader(Loader):
    """Sums of whole numbers are whole numbers: PostgreSQL makes ``numeric`` of them."""

    def load(self, data: Any) -> int | Decimal:
        text = bytes(data).decode()
        return int(text) if text.lstrip("-").isdigit() else Decimal(text)


class Database(peewee.PostgresqlDatabase):
    """See the module. ``password`` is asked at each new connection."""

    param = "?"
    field_types: ClassVar[dict[str, str]] = {
        **peewee.PostgresqlDatabase.field_types,
        "TEXT": 'TEXT COLLATE "C"',
    }

    def __init__(self, url: str, password: Callable[[], str] | None = None) -> None:
        super().__init__(url, autoconnect=False, prefer_psycopg3=True)
        self._password = password

    def _connect(self) -> psycopg.Connection[Any]:
        more: dict[str, Any] = {} if self._password is None else {"password": self._password()}
        name = f"syncd {os.getpid()}@{socket.gethostname()}"
        connection = psycopg.connect(
            self.database,
            autocommit=True,
            client_encoding="UTF8",
            application_name=name[:63],
            cursor_factory=Cursor,
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
            **more,
        )
        connection.adapters.register_loader("numeric", _NumberLoader)
        settings = ", ".join(
            f"set_config('{name}', '{value}', false)" for name, value in _OWN.items()
        )
        connection.execute(f"SELECT {settings}".encode())
        # An answer that the server may forget would leave a file in the archive and nowhere else.
        (safe,) = connection.execute("SHOW synchronous_commit").fetchone() or ("",)
        if safe in ("off", "local"):
            connection.execute("SET synchronous_commit = on")
        return connection

    def connect(self, reuse_if_open: bool = False) -> bool:
        if not self.is_closed() and self._broken():
            self.dispose()
        opened: bool = super().connect(reuse_if_open)
        return opened

    def begin(self, isolation_level: str | None = None) -> None:
        """Begin a transaction of one of SQLite's kinds: ``DEFERRED`` sees the same rows until it
        ends, ``IMMEDIATE`` is alone among those who write."""
        with peewee_errors():
            kind = " ISOLATION LEVEL REPEATABLE READ" if isolation_level == "DEFERRED" else ""
            self.cursor().execute(f"BEGIN{kind}")
            if isolation_level == "IMMEDIATE":
                transaction_lock(self, WRITERS)

    def _broken(self) -> bool:
        """Say whether this thread's connection is gone."""
        connection: psycopg.Connection[Any] = self._state.conn
        return connection.closed or connection.pgconn.status == pq.ConnStatus.BAD

    def close(self) -> bool:
        if not self.is_closed() and self._broken():
            # Nothing is left of a transaction either.
            self.dispose()
            return True
        closed: bool = super().close()
        return closed


def copy_rows(
    database: peewee.Database, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows by COPY, within the transaction that is open."""
    names = ", ".join(f'"{name}"' for name in columns)
    statement = f'COPY "{table}" ({names}) FROM STDIN'
    with peewee_errors(), database.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for row in rows:
            copy.write_row(row)


def trouble_with(database: Database) -> str:
    """Return why a server or its database cannot be used, an empty text when it can."""
    version = database.server_version
    if version < OLDEST:
        return f"PostgreSQL {version // 10_000} is too old: 15 or later is needed"
    (encoding,) = database.execute_sql("SHOW server_encoding").fetchone()
    if encoding != "UTF8":
        return f"its encoding is {encoding}: create it with ENCODING 'UTF8'"
    return ""
