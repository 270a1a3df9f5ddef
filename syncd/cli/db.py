"""Look after the database: status, verify, backup, restore, migrate."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from syncd.cli.context import Context, common_options
from syncd.domain.errors import EXIT_FAILED, EXIT_OK, ConfigurationError, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    common = common_options()
    actions.add_parser(
        "status", help="show what the database holds (the default)", parents=[common]
    )
    actions.add_parser("verify", help="check that it holds what it must", parents=[common])
    actions.add_parser("migrate", help="bring its tables up to date", parents=[common])
    backup = actions.add_parser("backup", help="copy it to a file, in use", parents=[common])
    backup.add_argument("file", metavar="FILE", type=Path, help="a file that does not exist yet")
    restore = actions.add_parser("restore", help="put a backup in its place", parents=[common])
    restore.add_argument("file", metavar="FILE", type=Path, help="a file that backup wrote")
    restore.add_argument("--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Do it."""
    if arguments.action == "verify":
        return _verify(context)
    if arguments.action == "migrate":
        return _migrate(context)
    if arguments.action == "backup":
        return _backup(arguments.file, context)
    if arguments.action == "restore":
        return _restore(arguments, context)
    return _status(context)


def _file(context: Context) -> Path:
    file = context.settings.database_file
    if file is None:
        raise ConfigurationError(
            f"{context.settings.database_url} is not a SQLite file",
            "use the tools of that database for backups",
        )
    return file


def _status(context: Context) -> int:
    from syncd.cli.output import print_json, print_table
    from syncd.domain.clock import iso
    from syncd.domain.days import day_date
    from syncd.reports.render.table import Column
    from syncd.store.figures import row_counts
    from syncd.store.models import DirtyDay
    from syncd.store.rollups import rows_extent

    context.database()
    settings = context.settings
    file = settings.database_file
    extent = rows_extent()
    status: dict[str, Any] = {
        "url": settings.database_url,
        "bytes": file.stat().st_size if file is not None and file.exists() else None,
        **row_counts(),
        "first_call": None if extent is None else iso(extent[0], settings.timezone),
        "last_call": None if extent is None else iso(extent[1], settings.timezone),
        "dirty_days": [
            day_date(row.day).isoformat() for row in DirtyDay.select().order_by(DirtyDay.day)
        ],
    }
    if context.json:
        print_json(status)
    else:
        status["dirty_days"] = len(status["dirty_days"])
        print_table(
            [Column("What"), Column("Value", right=True, absent="none")],
            [[name.replace("_", " "), value] for name, value in status.items()],
        )
    return EXIT_OK


def _verify(context: Context) -> int:
    from syncd.cli.output import print_json, say
    from syncd.store.maintenance import verify

    context.database()
    differences = verify(context.settings.timezone)
    if context.json:
        print_json(differences)
    else:
        sys.stdout.writelines(f"{difference}\n" for difference in differences)
    say(f"{len(differences)} differences" if differences else "the database holds what it must")
    return EXIT_FAILED if differences else EXIT_OK


def _migrate(context: Context) -> int:
    from syncd.cli.output import print_json, say

    before = _applied(context)
    context.database()
    applied = sorted(_applied(context) - before)
    if context.json:
        print_json(applied)
    else:
        sys.stdout.writelines(f"{name}\n" for name in applied)
    say(f"{len(applied)} applied" if applied else "the tables are up to date")
    return EXIT_OK


def _applied(context: Context) -> set[str]:
    """Return the migrations that the database has had."""
    import sqlite3

    from syncd.store.backup import HISTORY

    file = _file(context)
    if not file.exists():
        return set()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        try:
            return {row[0] for row in connection.execute(f"SELECT name FROM {HISTORY}")}
        except sqlite3.OperationalError:
            return set()


def _backup(target: Path, context: Context) -> int:
    import peewee

    from syncd.cli.output import say
    from syncd.store.backup import back_up

    _file(context)
    database = context.database()
    assert isinstance(database, peewee.SqliteDatabase)
    size = back_up(database, target)
    say(f"{target}: {size} bytes, checked")
    return EXIT_OK


def _restore(arguments: argparse.Namespace, context: Context) -> int:
    from syncd.cli.output import say
    from syncd.store.backup import check_backup, restore

    source: Path = arguments.file
    target = _file(context)
    check_backup(source)
    if not arguments.yes:
        _ask(f"Put {source} in the place of {target}? [y/N] ")
    with _everything_held(context):
        # In UTC: two restores around a change of the clock must not get one name.
        moment = datetime.fromtimestamp(context.now(), UTC).strftime("%Y%m%dT%H%M%SZ")
        kept = restore(source, target, f".before-{moment}")
    say(f"{target} is {source} now" + (f"; {kept} is what it was" if kept else ""))
    return EXIT_OK


@contextlib.contextmanager
def _everything_held(context: Context) -> Iterator[None]:
    """Hold the lock of the daemon and of every unit of work, so that nobody has the database open
    to write. Raises TryAgainError that names who does."""
    from urllib.parse import unquote

    from syncd.store.locks import hold

    directory = context.settings.state_directory
    names = {unquote(path.stem) for path in directory.glob("*.lock")}
    with contextlib.ExitStack() as held:
        for name in ("daemon", *sorted(names - {"daemon"})):
            held.enter_context(hold(directory, name, "syncd db restore", wait=0.0))
        yield


def _ask(question: str) -> None:
    """Ask on the terminal. Raises UsageError when there is none, or the answer is no."""
    if not sys.stdin.isatty():
        raise UsageError("a restore replaces the database", "say so with --yes")
    sys.stderr.write(question)
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was changed")
