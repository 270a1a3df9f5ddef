"""Locks that PostgreSQL keeps: for one transaction, or for as long as a connection lives.

On SQLite they do nothing: there the transaction itself is the lock, and units of work hold files
(``store.locks``).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from hashlib import blake2b

import peewee

from syncd.domain.errors import TryAgainError
from syncd.store.dialect import is_postgresql

WRITERS = "writers"
"""The lock of those who write, within a transaction."""

_POLL_SECONDS = 0.1


def lock_key(name: str) -> int:
    """Return the number by which PostgreSQL knows a lock, signed, of 64 bits."""
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, person=b"syncd")
    return int.from_bytes(digest.digest(), "big", signed=True)


def transaction_lock(database: peewee.Database, name: str, *, shared: bool = False) -> None:
    """Hold a lock until the transaction that is open ends, however long it takes to get it."""
    if is_postgresql(database):
        kind = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        database.execute_sql(f"SELECT {kind}(?)", (lock_key(name),))


@contextlib.contextmanager
def session_lock(database: peewee.Database, name: str) -> Iterator[None]:
    """Hold a lock while the block runs, however long it takes to get it."""
    if not is_postgresql(database):
        yield
        return
    database.execute_sql("SELECT pg_advisory_lock(?)", (lock_key(name),))
    try:
        yield
    finally:
        _give_back(database, name)


@contextlib.contextmanager
def hold_in_database(
    database: peewee.Database,
    name: str,
    command: str,
    *,
    wait: float,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Hold the lock ``name`` of a unit of work while the block runs, against every machine.

    It belongs to this thread's connection, which does the work as well: where that is lost, the
    work ends with it. Waits up to ``wait`` seconds, less when ``stopping`` says so. Raises
    TryAgainError naming the holder.
    """
    opened = database.connect(reuse_if_open=True)
    try:
        deadline = time.monotonic() + wait
        while not _taken(database, name):
            if stopping() or time.monotonic() >= deadline:
                raise TryAgainError(
                    f"{name} is held by {holder(database, name) or 'another process'}",
                    "wait until it has finished, then try again",
                )
            time.sleep(_POLL_SECONDS)
        _call_oneself(database, command)
        try:
            yield
        finally:
            _call_oneself(database, "")
            _give_back(database, name)
    finally:
        if opened:
            database.close()


def _taken(database: peewee.Database, name: str) -> bool:
    asked = database.execute_sql("SELECT pg_try_advisory_lock(?)", (lock_key(name),))
    return bool(asked.fetchone()[0])


def holder(database: peewee.Database, name: str) -> str:
    """Return who holds a lock, such as ``process 4711@host (syncd run)``, or an empty text."""
    found = database.execute_sql(
        "SELECT activity.application_name FROM pg_locks AS locks"
        " JOIN pg_stat_activity AS activity ON activity.pid = locks.pid"
        " WHERE locks.locktype = 'advisory' AND locks.granted AND locks.objsubid = 1"
        " AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND (CAST(locks.classid AS bigint) << 32) | CAST(locks.objid AS bigint) = ?",
        (lock_key(name),),
    ).fetchone()
    return "" if found is None else str(found[0]).replace("syncd ", "process ", 1)


def _call_oneself(database: peewee.Database, command: str) -> None:
    """Add what this process does to the name that others see of its connection."""
    with contextlib.suppress(peewee.DatabaseError, peewee.InterfaceError):
        shown = database.execute_sql("SHOW application_name").fetchone()[0].partition(" (")[0]
        name = f"{shown} ({command})" if command else shown
        database.execute_sql("SELECT set_config('application_name', ?, FALSE)", (name[:63],))


def _give_back(database: peewee.Database, name: str) -> None:
    """Unlock; a connection that broke has given its locks back by itself."""
    with contextlib.suppress(peewee.DatabaseError, peewee.InterfaceError):
        database.execute_sql("SELECT pg_advisory_unlock(?)", (lock_key(name),))
