"""PostgreSQL through peewee: what makes it understand the SQL of this program.

Placeholders are ``?`` and ``%`` means itself, as in SQLite; whole numbers stay whole numbers when
they are summed; texts are compared by their bytes; a connection that broke is opened again when
the next unit of work begins. Only ``store.database`` imports this module, when the address is one
of PostgreSQL: it needs psycopg.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from typing import Any, ClassVar

import peewee
import psycopg
from psycopg import pq

from syncd.store.advisory import WRITERS, transaction_lock
from syncd.store.psycopg_cursor import Cursor, NumberLoader, peewee_errors

_OWN = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "standard_conforming_strings": "on",
    # The server lets go of what a machine held that vanished without a word: within 7 seconds.
    "tcp_keepalives_idle": "3",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "2",
    "tcp_user_timeout": "7000",
}
"""Settings of a session: the work decides how long it takes, not what somebody set for people."""

CONNECT_SECONDS = 10
"""What a server gets to answer at all, where its address says nothing of that."""

OLDEST = 15_00_00
"""The oldest server that is understood."""


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
        if "connect_timeout" not in self.database:
            more["connect_timeout"] = CONNECT_SECONDS
        name = f"syncd {os.getpid()}@{socket.gethostname()}"
        connection = psycopg.connect(
            self.database,
            autocommit=True,
            client_encoding="UTF8",
            application_name=name[:63],
            cursor_factory=Cursor,
            keepalives_idle=5,
            keepalives_interval=3,
            keepalives_count=3,
            tcp_user_timeout=14_000,
            **more,
        )
        connection.adapters.register_loader("numeric", NumberLoader)
        settings = ", ".join(
            f"set_config('{name}', '{value}', false)" for name, value in _OWN.items()
        )
        connection.execute(f"SELECT {settings}".encode())
        with contextlib.suppress(psycopg.Error):
            # Not every system of a server's can look for that while it works.
            connection.execute("SET client_connection_check_interval = 5000")
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


def takes_no_writes(database: Database) -> bool:
    """Say whether a server is a standby, or was told to let nobody write."""
    (read_only,) = database.execute_sql("SHOW transaction_read_only").fetchone()
    return bool(read_only == "on")


def trouble_with(database: Database) -> str:
    """Return why a server or its database cannot be used, an empty text when it can."""
    version = database.server_version
    if version < OLDEST:
        return f"PostgreSQL {version // 10_000} is too old: 15 or later is needed"
    (encoding,) = database.execute_sql("SHOW server_encoding").fetchone()
    if encoding != "UTF8":
        return f"its encoding is {encoding}: create it with ENCODING 'UTF8'"
    return ""
