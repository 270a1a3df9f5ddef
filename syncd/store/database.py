"""Opening the database: SQLite by default, PostgreSQL by its address."""

from __future__ import annotations

import contextlib
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import peewee
from playhouse.migrations import Runner

from syncd.domain.errors import ConfigurationError, TryAgainError, UserError
from syncd.settings.model import Settings
from syncd.store.advisory import WRITERS, session_lock, transaction_lock
from syncd.store.dialect import is_postgresql
from syncd.store.models import (
    Carrier,
    Destination,
    Line,
    Matter,
    Meta,
    Org,
    Profile,
    RateUsed,
    Trunk,
)
from syncd.store.models import database as proxy

HISTORY = "schema_migration"
"""The table in which the migration runner remembers what was applied."""

SERVER = re.compile(r"postgres(ql)?://")
"""How the address of a PostgreSQL begins."""

MIGRATIONS = Path(__file__).with_name("migrations")
READ_ONCE_KILOBYTES = 8192
SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "busy_timeout": 10_000,
    "cache_size": -65_536,
    # Measured: larger checkpoints are worth a quarter of the insert speed.
    "wal_autocheckpoint": 20_000,
    "temp_store": "memory",
}


def sqlite_path(url: str, state_directory: Path) -> Path:
    """Return the file of a ``sqlite:///NAME`` address; a relative name is in the state directory."""
    return state_directory / url.removeprefix("sqlite:///")


def open_database(
    url: str, state_directory: Path, password: Callable[[], str] | None = None
) -> peewee.Database:
    """Open the database, bring its schema up to date and bind the models to it.

    ``password`` is asked for that of a server, at each connection. Raises ConfigurationError when
    the address cannot be understood or used, or the database is a newer syncd's, TryAgainError when
    it cannot be reached, UserError when its file is damaged.
    """
    if url.startswith("sqlite:///"):
        sqlite_path(url, state_directory).parent.mkdir(parents=True, exist_ok=True)
    database = _closed(url, state_directory, password)
    try:
        try:
            database.connect()
        except peewee.OperationalError as error:
            raise TryAgainError(f"the database {url} cannot be opened: {error}") from error
        except peewee.ProgrammingError as error:
            raise ConfigurationError(f"the database {url} cannot be opened: {error}") from error
        if is_postgresql(database):
            _check_server(url, database)
        proxy.initialize(database)
        migrate(database)
    except peewee.DatabaseError as error:
        if _is_damaged(error):
            raise UserError(
                f"the database {url} cannot be used: {error}",
                "syncd db restore BACKUP puts a backup in its place",
            ) from error
        raise
    return database


def _is_damaged(error: peewee.DatabaseError) -> bool:
    """Say whether a file is no SQLite database, or not whole: trying again would not help."""
    said = str(error)
    return "file is not a database" in said or "disk image is malformed" in said


def _closed(url: str, state_directory: Path, password: Callable[[], str] | None) -> peewee.Database:
    """Return the database of an address, not connected yet. Raises ConfigurationError."""
    if url.startswith("sqlite:///"):
        path = sqlite_path(url, state_directory)
        return peewee.SqliteDatabase(str(path), pragmas=SQLITE_PRAGMAS, autoconnect=False)
    if SERVER.match(url):
        return _server(url, password)
    raise ConfigurationError(
        f"the database address {url!r} is not understood",
        "use sqlite:///NAME.db, or postgresql://USER@HOST/NAME",
    )


def open_configured(settings: Settings) -> peewee.Database:
    """Open the database of the settings; see ``open_database``."""
    secret = settings.database_password
    return open_database(
        settings.database_url, settings.state_directory, None if secret is None else secret.read
    )


def applied_migrations(settings: Settings) -> set[str]:
    """Return the migrations that the database of the settings has had, which are left as they are.
    Raises ConfigurationError, TryAgainError."""
    secret = settings.database_password
    database = _closed(
        settings.database_url, settings.state_directory, None if secret is None else secret.read
    )
    file = settings.database_file
    if file is not None and not file.exists():
        return set()
    try:
        with database.connection_context():
            if not database.table_exists(HISTORY):
                return set()
            return {row[0] for row in database.execute_sql(f"SELECT name FROM {HISTORY}")}
    except peewee.OperationalError as error:
        raise TryAgainError(
            f"the database {settings.database_url} cannot be opened: {error}"
        ) from error


def _server(url: str, password: Callable[[], str] | None) -> peewee.Database:
    """Return a database on a server. Raises ConfigurationError where psycopg is not installed."""
    try:
        from syncd.store.postgresql import Database
    except ImportError as error:
        raise ConfigurationError(
            f"the database {url} needs the package psycopg: {error}",
            "pip install 'syncd[postgresql]'",
        ) from error
    return Database(url, password)


def _check_server(url: str, database: peewee.Database) -> None:
    """Raise ConfigurationError for a server, or a database of it, that cannot be used, TryAgainError
    for one that takes no writes: which of several does may change."""
    from syncd.store.postgresql import takes_no_writes, trouble_with

    if takes_no_writes(database):
        database.close()
        raise TryAgainError(
            f"the database {url} takes no writes: it is a standby, or read-only",
            "with several hosts in the address, ?target_session_attrs=read-write finds the one that"
            " does",
        )
    trouble = trouble_with(database)
    if trouble:
        database.close()
        raise ConfigurationError(f"the database {url} cannot be used: {trouble}")


def migrate(database: peewee.Database) -> list[str]:
    """Apply the migrations that the database has not had. Returns their names. Raises
    ConfigurationError for a database that had some that this program does not know."""
    logging.getLogger("peewee.migrations").setLevel(logging.WARNING)
    runner = Runner(database, str(MIGRATIONS))
    # Other machines may start at the same moment; on SQLite the callers hold a lock of files.
    with session_lock(database, "schema"):
        # Who knows less would leave sums as they were that its calls have changed.
        newer = sorted(each.name for each in runner.status() if each.path is None)
        if newer:
            raise ConfigurationError(
                f"the database belongs to a newer syncd: it has {', '.join(newer)}",
                "use that version, or syncd db restore a backup from before it",
            )
        applied = list(runner.up())
        if applied:
            with write_transaction():
                _insert_nothing_rows()
    return applied


def _insert_nothing_rows() -> None:
    """Insert the rows with id 0 that mean "none"."""
    blank = {"valid_from": 0, "valid_to": 0}
    Line.insert(id=0, site="", partition="", number="", line_id="").on_conflict_ignore().execute()
    Org.insert(
        id=0, department="", cost_center="", office_location=""
    ).on_conflict_ignore().execute()
    Profile.insert(id=0, org=0, party=None, **blank).on_conflict_ignore().execute()
    for dimension in (Trunk, Carrier, Destination, Matter):
        dimension.insert(id=0, name="").on_conflict_ignore().execute()
    RateUsed.insert(id=0, carrier="", version="", prefix="").on_conflict_ignore().execute()


@contextlib.contextmanager
def read_transaction() -> Iterator[None]:
    """A transaction in which the database stands still for who reads; within another one a part of
    that, so that it is as of the same moment. It takes no write lock."""
    database = proxy.obj
    with database.atomic() if database.in_transaction() else database.atomic("DEFERRED"):
        yield


@contextlib.contextmanager
def write_transaction(*, beside: bool = False) -> Iterator[None]:
    """A transaction that takes the write lock at once, so that it never fails half way for it and
    nothing that it reads changes before it writes.

    SQLite has one writer. On PostgreSQL intake of several phone systems may write ``beside``
    others of its kind; whatever else writes, waits for these and is alone.
    """
    database = proxy.obj
    try:
        if database.in_transaction():
            with database.atomic():
                yield
        elif beside and is_postgresql(database):
            with database.atomic():
                transaction_lock(database, WRITERS, shared=True)
                yield
        else:
            with database.atomic("IMMEDIATE"):
                yield
    except peewee.OperationalError as error:
        reason = _before_rollback(error)
        if reason is error:
            raise
        raise reason from None


def _before_rollback(error: BaseException) -> BaseException:
    """Return what really ended a transaction: SQLite rolls back by itself when the disk is full or
    fails, and peewee's own rollback then fails in its turn."""
    found: BaseException | None = error
    while found is not None and str(found).startswith("cannot rollback"):
        found = found.__context__
    return error if found is None else found


def is_database_trouble(error: BaseException) -> bool:
    """Say whether the database was busy, full, damaged or gone, which is no defect of syncd."""
    # What is executed past peewee raises SQLite's own errors.
    gone = peewee.OperationalError | peewee.InterfaceError | sqlite3.OperationalError
    busy = isinstance(error, gone)
    if isinstance(error, peewee.InternalError):
        # A server that has become a standby meanwhile (PostgreSQL, appendix A: 25006).
        came_of = error.__cause__ or error.__context__
        while came_of is not None and not hasattr(came_of, "sqlstate"):
            came_of = came_of.__cause__ or came_of.__context__
        return getattr(came_of, "sqlstate", "") == "25006"
    return busy or type(error) in (peewee.DatabaseError, sqlite3.DatabaseError)


def size_in_bytes(file: Path | None) -> int | None:
    """Return how large the database is: its file, or what a server says."""
    if file is not None:
        return file.stat().st_size if file.exists() else None
    if is_postgresql():
        found = proxy.obj.execute_sql("SELECT pg_database_size(current_database())").fetchone()
        return int(found[0])
    return None


def read_once() -> None:
    """Hold little of the database in memory from now on: who reads each row once gains nothing by
    more than the operating system holds anyway."""
    if isinstance(proxy.obj, peewee.SqliteDatabase):
        proxy.obj.pragma("cache_size", -READ_ONCE_KILOBYTES)


def get_meta(key: str, default: str = "") -> str:
    """Return the value that the database remembers under a key, or the default."""
    row = Meta.get_or_none(Meta.key == key)
    return default if row is None else str(row.value)


def set_meta(key: str, value: str) -> None:
    """Remember a value under a key."""
    Meta.insert(key=key, value=value).on_conflict(
        conflict_target=[Meta.key], update={Meta.value: value}
    ).execute()
