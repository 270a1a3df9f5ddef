"""Backup and restore of a SQLite database: online, checked, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import peewee

from syncd.domain.errors import UserError
from syncd.store.database import HISTORY, MIGRATIONS
from syncd.store.maintenance import integrity_problems

PAGES = 4096
"""Pages copied in one step (16 MB): between steps writers go on."""


def back_up(database: peewee.SqliteDatabase, target: Path) -> int:
    """Copy an open database to a file while it is in use. Returns the size in bytes.

    The copy is checked before it gets its name, so that a file of that name is a good backup.
    Raises UserError when it cannot be written, exists already or does not pass the check.
    """
    if target.exists():
        raise UserError(f"{target} exists already", "choose another name, or remove it first")
    with _temporary(target) as path:
        _copy(database.connection(), path)
        _check(path)
        size = path.stat().st_size
        _put_in_place(path, target)
    return size


def restore(source: Path, target: Path, suffix: str) -> Path | None:
    """Put a backup in the place of the database file; nobody may have that open.

    The database that was there is kept beside it, under its name with ``suffix``, and a number
    where that is taken. Returns that path, None when there was none. Raises UserError when the
    backup is not a good one of syncd's.
    """
    check_backup(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _temporary(target) as path:
        with contextlib.closing(_open(source)) as connection:
            _copy(connection, path)
        _check(path)
        kept = _set_aside(target, suffix)
        _put_in_place(path, target)
    return kept


def check_backup(path: Path) -> None:
    """Raise UserError unless a file is a sound database of syncd's, of this version or older."""
    if not path.is_file():
        raise UserError(f"{path} is not a file")
    _check(path)
    with contextlib.closing(_open(path)) as connection:
        try:
            applied = {row[0] for row in connection.execute(f"SELECT name FROM {HISTORY}")}
        except sqlite3.Error:
            applied = set()
    if not applied:
        raise UserError(f"{path} is not a database of syncd")
    refuse_newer(path, applied)


def refuse_newer(path: Path, applied: set[str]) -> None:
    """Raise UserError where a backup had migrations that this program does not know."""
    newer = applied - {file.stem for file in MIGRATIONS.glob("[0-9]*.py")}
    if newer:
        raise UserError(
            f"{path} was written by a newer syncd: it has {', '.join(sorted(newer))}",
            "restore it with that version",
        )


def _open(path: Path) -> sqlite3.Connection:
    """Open a file for reading alone. Raises UserError."""
    try:
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise UserError(f"{path} cannot be opened: {error}") from error


def _copy(source: sqlite3.Connection, target: Path) -> None:
    try:
        with contextlib.closing(sqlite3.connect(target)) as copy:
            source.backup(copy, pages=PAGES)
            # A copy in WAL mode would need a second file beside it.
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise UserError(f"the database cannot be copied to {target.parent}: {error}") from error


def _check(path: Path) -> None:
    """Raise UserError unless SQLite finds nothing wrong with a file."""
    opened = peewee.SqliteDatabase(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        with contextlib.closing(opened):
            found = integrity_problems(opened)
    except peewee.DatabaseError as error:
        raise UserError(f"{path} is not a sound database: {error}") from error
    if found:
        raise UserError(f"{path} is damaged: {found[0]}")


@contextlib.contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """Give a free name beside the target, and leave nothing of it behind."""
    path = target.with_name(f".{target.name}.{os.getpid()}.partial")
    path.unlink(missing_ok=True)
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror}") from error
    try:
        yield path
    finally:
        for left in (path, *_companions(path)):
            left.unlink(missing_ok=True)


def _companions(path: Path) -> list[Path]:
    """Return the files that SQLite may keep beside a database."""
    return [path.with_name(path.name + ending) for ending in ("-wal", "-shm", "-journal")]


def _put_in_place(path: Path, target: Path) -> None:
    """Give a finished file its name, on the disk before anyone can see it."""
    _flush(path)
    path.rename(target)
    _flush(target.parent)


def _flush(place: Path) -> None:
    """Wait until a file, or a directory's names, are on the disk."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_path(path: Path, ending: str = "") -> Path:
    """Return a path with an ending, and a number before it where that is taken: two restores may
    fall into one second."""
    chosen, number = path.with_name(path.name + ending), 1
    while os.path.lexists(chosen):
        number += 1
        chosen = path.with_name(f"{path.name}-{number}{ending}")
    return chosen


def _set_aside(target: Path, suffix: str) -> Path | None:
    """Give a database a second name beside its own, so that there is one of its name at any moment.
    Returns the second name, None when there is no database."""
    if not target.exists():
        return None
    kept = free_path(target.with_name(target.name + suffix))
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(target)) as opened:
        # The last to close a database takes what its log holds into the file.
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    kept.hardlink_to(target)
    # Only a damaged database still has a log, which must not be taken for that of the next one.
    for path, name in zip(_companions(target), _companions(kept), strict=True):
        if path.exists():
            path.rename(name)
    return kept
