"""Where tests store: in SQLite files, or with ``SYNCD_TEST_STORE=postgresql`` in a PostgreSQL.

Tests say ``sqlite:///NAME`` as an installation does that has just begun, in addresses and in INI
files. With PostgreSQL each of these files is a database of a server that the tests start for
themselves: ``redirect`` puts its address into the place of the file's, in this process and, by
``on_postgresql/sitecustomize.py``, in each that it starts. What is honestly of one of the two is
marked ``@pytest.mark.sqlite("why")`` or ``@pytest.mark.postgresql("why")``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from hashlib import sha1
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

SOCKET = "SYNCD_TEST_SOCKET"
"""The variable with the folder in which the server listens."""
TEMPLATE = "syncd_template"
SQLITE = "sqlite:///"

_FILES: dict[str, Path] = {}
"""Which file each database stands for, of those that this process has made."""


_FREE: list[str] = []
"""Databases that were emptied."""
_NUMBERS = count(1)
_EMPTY = """
DO $$
DECLARE one record;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR one IN
        SELECT oid::regclass AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind = 'r' AND (relispartition OR relname LIKE 'detached%')
    LOOP
        EXECUTE format('DROP TABLE %s', one.name);
    END LOOP;
    FOR one IN
        SELECT oid::regclass AS name, EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'id'
        ) AS numbered FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind = 'r' AND relname <> 'schema_migration'
    LOOP
        EXECUTE format('DELETE FROM %s', one.name)
            || CASE WHEN one.numbered THEN ' WHERE id <> 0' ELSE '' END;
    END LOOP;
    PERFORM setval(oid::regclass, 1, FALSE) FROM pg_class
        WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
        AND relname <> 'schema_migration_id_seq';
END $$
"""
"""Leaves of a database what migrations give: its tables, and the rows with id 0 that mean none."""


def on_postgresql() -> bool:
    """Say whether the tests store in PostgreSQL."""
    return os.environ.get("SYNCD_TEST_STORE") == "postgresql"


def server_address(name: str) -> str:
    """Return the address of a database of the tests' server."""
    return f"postgresql://syncd@/{name}?host={os.environ[SOCKET]}"


def address(path: Path) -> str:
    """Return the address of the database that stands for a file; it is there then, with the tables
    and nothing in them."""
    name = _name(path)
    if name not in _FILES:
        _drop_those_of_gone_folders()
        _take_one(name)
        _FILES[name] = Path(os.path.realpath(path))
    return server_address(name)


def _name(path: Path) -> str:
    return "t" + sha1(os.path.realpath(path).encode(), usedforsecurity=False).hexdigest()[:24]


@contextlib.contextmanager
def connect(path: Path) -> Iterator[Any]:
    """Give a ``plain`` connection. What was changed is committed."""
    with contextlib.closing(plain(path)) as opened:
        yield opened
        opened.commit()


def plain(path: Path) -> Any:
    """Return a connection to what a file holds, past everything of syncd's: ``execute`` takes ? for
    values."""
    if on_postgresql():
        import psycopg

        from syncd.store.psycopg_cursor import Cursor

        return psycopg.connect(address(path), cursor_factory=Cursor)
    return sqlite3.connect(path)


@contextlib.contextmanager
def held(path: Path, lock: str, command: str) -> Iterator[None]:
    """Hold the lock of a unit of work as another process does; ``path`` is the database's file."""
    if on_postgresql():
        from syncd.store.advisory import hold_in_database
        from syncd.store.postgresql import Database

        with hold_in_database(Database(address(path)), lock, command, wait=0.0):
            yield
    else:
        from syncd.store.locks import hold

        with hold(path.parent, lock, command, wait=0.0):
            yield


def columns(connection: Any) -> dict[str, list[str]]:
    """Return the columns of every table, by a plain connection."""
    if on_postgresql():
        question = (
            "SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition AND attnum > 0 AND NOT attisdropped ORDER BY relname, attnum"
        )
    else:
        question = (
            "SELECT s.name, c.name FROM sqlite_master AS s, pragma_table_info(s.name) AS c"
            " WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite_%' ORDER BY s.name, c.cid"
        )
    found: dict[str, list[str]] = {}
    for table, column in connection.execute(question):
        found.setdefault(table, []).append(column)
    return found


def lines(connection: Any) -> list[str]:
    """Return every row of every table as a line that begins with the table's name."""
    return [
        f'"{table}" {row}'
        for table in sorted(columns(connection))
        for row in sorted(map(repr, connection.execute(f'SELECT * FROM "{table}"')))
    ]


def be_quick(database: Any) -> None:
    """Let a database not wait for the disk: nobody pulls the plug of a test."""
    if not on_postgresql():
        database.execute_sql("PRAGMA synchronous = off")


def copy_file(source: Path, target: Path) -> None:
    """Copy what a file holds that nobody has open; the target is overwritten."""
    if not on_postgresql():
        shutil.copy(source, target)
        return
    taken, name = _name(source), _name(target)
    with maintenance() as run:
        run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{taken}'")
        run(f'CREATE DATABASE "{name}" TEMPLATE "{taken}"')
    _FILES[name] = Path(os.path.realpath(target))


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder with all that is below, databases that nobody has open too."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    if on_postgresql():
        source = source.resolve()
        for path in [path for path in _FILES.values() if path.is_relative_to(source)]:
            copy_file(path, target.resolve() / path.relative_to(source))


def _take_one(name: str) -> None:
    """Give an emptied database a name, or make one: that takes ten times as long."""
    import psycopg

    while _FREE:
        with contextlib.suppress(psycopg.errors.DuplicateDatabase), maintenance() as run:
            run(f'ALTER DATABASE "{_FREE[-1]}" RENAME TO "{name}"')
            _FREE.pop()
        return
    create(name, TEMPLATE)


def create(name: str, template: str) -> None:
    """Make a database, unless it is there."""
    import psycopg

    with contextlib.suppress(psycopg.errors.DuplicateDatabase), maintenance() as run:
        run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def close_those_in_use() -> None:
    """Close this thread's connection to the database that is bound to the models: one that is thrown
    away open complains of it when nobody listens any more."""
    from syncd.store.tables import database

    if database.obj is not None and not database.obj.in_transaction():
        database.obj.close()


def drop_below(folder: Path) -> None:
    """Drop the databases that this process has made for files in a folder or below."""
    folder = folder.resolve()
    _drop([name for name, file in _FILES.items() if file.is_relative_to(folder)])


def _drop_those_of_gone_folders() -> None:
    if len(_FILES) > 30:
        _drop([name for name, file in _FILES.items() if not file.parent.exists()])


def _drop(names: list[str]) -> None:
    import psycopg

    for name in names:
        free = f"free_{os.getpid()}_{next(_NUMBERS)}"
        with maintenance() as run:
            run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            run(f'ALTER DATABASE "{name}" RENAME TO "{free}"')
        with psycopg.connect(server_address(free), autocommit=True) as connection:
            connection.execute(_EMPTY.encode())
        del _FILES[name]
        _FREE.append(free)


@contextlib.contextmanager
def maintenance() -> Iterator[Callable[[str], Any]]:
    """Give what runs a statement in the server's own database."""
    import psycopg

    with psycopg.connect(server_address("postgres"), autocommit=True) as connection:
        yield lambda statement: connection.execute(statement.encode())


def redirect() -> None:
    """Let files be databases in this process, whatever is imported when."""
    for name in _CHANGES:
        if name in sys.modules:
            _CHANGES[name](sys.modules[name])
    sys.meta_path.insert(0, _Finder())


def _in_settings(module: ModuleType) -> None:
    plain = module._database_url

    def database_url(url: str, state: Path) -> str:
        built: str = plain(url, state)
        return address(Path(built.removeprefix(SQLITE))) if built.startswith(SQLITE) else built

    module._database_url = database_url  # type: ignore[attr-defined]


def _in_store(module: ModuleType) -> None:
    plain = module.open_database

    def open_database(url: str, state_directory: Path, *more: Any) -> Any:
        if url.startswith(SQLITE):
            url = address(module.sqlite_path(url, state_directory))
        return plain(url, state_directory, *more)

    module.open_database = open_database  # type: ignore[attr-defined]


_CHANGES = {"syncd.settings.build": _in_settings, "syncd.store.database": _in_store}


class _Finder(MetaPathFinder):
    """Changes the two modules where an address is read as they are imported."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name not in _CHANGES:
            return None
        spec = PathFinder.find_spec(name, path, target)
        assert spec is not None and spec.loader is not None
        spec.loader = _Changing(spec.loader, _CHANGES[name])
        return spec


class _Changing(Loader):
    def __init__(self, plain: Loader, change: Callable[[ModuleType], None]) -> None:
        self._plain = plain
        self._change = change

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._plain.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._plain.exec_module(module)
        self._change(module)
