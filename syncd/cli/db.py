"""Look after the database: status, verify, backup, restore, migrate."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from syncd.cli.context import Context, common_options
from syncd.cli.db_moving import copy, detach, list_partitions
from syncd.domain.errors import EXIT_FAILED, EXIT_OK, UsageError


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
    copying = actions.add_parser("copy", help="copy it to another database", parents=[common])
    copying.add_argument("source", metavar="FROM", help="such as sqlite:///syncd.db")
    copying.add_argument("target", metavar="TO", help="such as postgresql://syncd@db/syncd")
    copying.add_argument(
        "--password-file", metavar="FILE", type=Path, help="password of the PostgreSQL"
    )
    months = actions.add_parser(
        "partitions", help="months of records and calls on PostgreSQL", parents=[common]
    )
    months.add_argument("change", nargs="?", choices=("list", "detach"), default="list")
    months.add_argument("month", nargs="?", metavar="MONTH", help="such as 202401")


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
    if arguments.action == "copy":
        return copy(arguments.source, arguments.target, arguments.password_file, context)
    if arguments.action == "partitions":
        if arguments.change == "list":
            return list_partitions(context)
        if arguments.month is None:
            raise UsageError("no month is named", "syncd db partitions detach 202401")
        return detach(arguments.month, context)
    return _status(context)


def _status(context: Context) -> int:
    from syncd.cli.output import print_json, print_table
    from syncd.domain.clock import iso
    from syncd.domain.days import day_date
    from syncd.reports.render.table import Column
    from syncd.store.database import size_in_bytes
    from syncd.store.figures import row_counts
    from syncd.store.models import DirtyDay
    from syncd.store.rollups import rows_extent

    context.database()
    settings = context.settings
    file = settings.database_file
    extent = rows_extent()
    status: dict[str, Any] = {
        "url": settings.database_url,
        "bytes": size_in_bytes(file),
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
    from syncd.store.database import applied_migrations

    before = applied_migrations(context.settings)
    context.database()
    applied = sorted(applied_migrations(context.settings) - before)
    if context.json:
        print_json(applied)
    else:
        sys.stdout.writelines(f"{name}\n" for name in applied)
    say(f"{len(applied)} applied" if applied else "the tables are up to date")
    return EXIT_OK


def _backup(target: Path, context: Context) -> int:
    import peewee

    from syncd.cli.output import say
    from syncd.store.backup import back_up
    from syncd.store.dumps import dump

    settings = context.settings
    database = context.database()
    if isinstance(database, peewee.SqliteDatabase):
        size = back_up(database, target)
    else:
        secret = settings.database_password
        size = dump(settings.database_url, None if secret is None else secret.read, target)
    say(f"{target}: {size} bytes, checked")
    return EXIT_OK


def _restore(arguments: argparse.Namespace, context: Context) -> int:
    from syncd.cli.db_moving import everything_held
    from syncd.cli.output import say
    from syncd.store.backup import check_backup, restore
    from syncd.store.dumps import check_dump

    source: Path = arguments.file
    settings = context.settings
    target = settings.database_file
    if target is None:
        check_dump(source)
    else:
        check_backup(source)
    shown = settings.database_url if target is None else target
    if not arguments.yes:
        _ask(f"Put {source} in the place of {shown}? [y/N] ")
    # In UTC: two restores around a change of the clock must not get one name.
    moment = datetime.fromtimestamp(context.now(), UTC).strftime("%Y%m%dT%H%M%SZ")
    kept: Path | None
    with everything_held(context, "syncd db restore"):
        if target is None:
            kept = _restore_server(source, moment, context)
        else:
            kept = restore(source, target, f".before-{moment}")
    say(f"{shown} is {source} now" + (f"; {kept} is what it was" if kept else ""))
    return EXIT_OK


def _restore_server(source: Path, moment: str, context: Context) -> Path | None:
    """Restore a dump. Returns the dump of what was there, None when that was nothing."""
    from syncd.store.backup import free_path
    from syncd.store.database import applied_migrations
    from syncd.store.dumps import dump, restore_dump

    settings = context.settings
    secret = settings.database_password
    password = None if secret is None else secret.read
    kept = None
    if applied_migrations(settings):
        kept = free_path(settings.state_directory / f"before-{moment}", ".dump")
        dump(settings.database_url, password, kept)
    restore_dump(settings.database_url, password, source)
    return kept


def _ask(question: str) -> None:
    """Ask on the terminal. Raises UsageError when there is none, or the answer is no."""
    if not sys.stdin.isatty():
        raise UsageError("a restore replaces the database", "say so with --yes")
    sys.stderr.write(question)
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was changed")
