"""Moving what is stored: a copy into another database, and old months taken off."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from syncd.cli.context import Context
from syncd.domain.errors import EXIT_OK, UsageError, UserError

if TYPE_CHECKING:
    import peewee


def copy(source: str, target: str, password_file: Path | None, context: Context) -> int:
    """Copy everything from one address to the other."""
    from syncd.cli.output import print_json, print_table, say
    from syncd.domain.money import format_micros
    from syncd.reports.render.table import Column
    from syncd.settings.values import hidden_password
    from syncd.store.copying import copy_everything

    if source == target:
        raise UsageError("both addresses are the same", "the second one is of a new database")
    with everything_held(context, "syncd db copy"):
        opened = _open(source, password_file, context, existing=True)
        into = _open(target, password_file, context, existing=False)
        try:
            copied = copy_everything(opened, into, _progress)
        finally:
            _end_progress()
            opened.close()
            into.close()
    if context.json:
        print_json([{"table": one.table, "rows": one.rows, **one.sums} for one in copied])
    else:
        columns = [Column("Table"), Column("Rows", right=True), Column("Sums, the same in both")]
        print_table(
            columns,
            [
                [
                    one.table,
                    one.rows,
                    ", ".join(
                        f"{name} {format_micros(value) if 'cost' in name else value}"
                        for name, value in one.sums.items()
                    ),
                ]
                for one in copied
                if one.rows
            ],
        )
    say(
        f"{hidden_password(target)} holds what {hidden_password(source)} holds: every table was"
        " compared. To use it: [database] url"
    )
    return EXIT_OK


def _open(
    url: str, password_file: Path | None, context: Context, *, existing: bool
) -> peewee.Database:
    """Open one of the two, with its tables up to date. Raises UserError."""
    from syncd.settings.model import SQLITE
    from syncd.settings.secret import Secret
    from syncd.store.database import open_database, sqlite_path

    settings = context.settings
    if url.startswith(SQLITE):
        path = sqlite_path(url, settings.state_directory)
        if existing and not path.is_file():
            raise UserError(f"{path} is not a file")
    secret = settings.database_password
    if password_file is not None:
        complaint = "the database cannot be asked"
        secret = Secret(
            "database", password_file, "", "--password-file", "password_credential", complaint
        )
    return open_database(url, settings.state_directory, None if secret is None else secret.read)


def _progress(table: str, rows: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{table}: {rows} rows")
        sys.stderr.flush()


def _end_progress() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")


def list_partitions(context: Context) -> int:
    """Show the months of records and calls."""
    from syncd.cli.output import print_list
    from syncd.reports.render.table import Column
    from syncd.store.partitions import partitions

    _server(context)
    print_list(
        [{**one._asdict(), "rows": None if one.rows < 0 else one.rows} for one in partitions()],
        {
            "month": Column("Month"),
            "table": Column("Table"),
            "rows": Column("Rows, about", right=True),
            "bytes": Column("Bytes", right=True),
        },
        as_json=context.json,
        empty="no month has rows",
    )
    return EXIT_OK


def detach(month: str, context: Context) -> int:
    """Take a month off whose days are sealed."""
    from syncd.cli.output import print_json, say
    from syncd.store.advisory import hold_in_database
    from syncd.store.database import write_transaction
    from syncd.store.old_months import detach as detach_month
    from syncd.store.partitions import EARLY

    if month != EARLY and not (len(month) == 6 and month.isdigit() and 1 <= int(month[4:]) <= 12):
        raise UsageError(f"{month} is no month", "such as 202401, or early")
    database = _server(context)
    wait = context.settings.daemon.lock_wait
    with (
        hold_in_database(database, "maintenance", "syncd db partitions", wait=wait),
        write_transaction(),
    ):
        names = detach_month(month)
    if context.json:
        print_json(names)
    else:
        sys.stdout.writelines(f"{name}\n" for name in names)
    say("these tables are yours now: dump them, move them or drop them")
    return EXIT_OK


def _server(context: Context) -> peewee.Database:
    """Open the database. Raises UserError where that is no PostgreSQL."""
    from syncd.store.dialect import is_postgresql

    database = context.database()
    if not is_postgresql(database):
        raise UserError(
            "SQLite has no partitions: all months are in one file",
            "retention takes old calls out of it; syncd db copy moves to a PostgreSQL",
        )
    return database


@contextlib.contextmanager
def everything_held(context: Context, command: str) -> Iterator[None]:
    """Hold the lock of the daemon and of every unit of work, so that nobody has the database open
    to write. Raises TryAgainError that names who does."""
    from urllib.parse import unquote

    from syncd.store.locks import hold

    directory = context.settings.state_directory
    names = {unquote(path.stem) for path in directory.glob("*.lock")}
    with contextlib.ExitStack() as held:
        for name in ("daemon", *sorted(names - {"daemon"})):
            held.enter_context(hold(directory, name, command, wait=0))
        yield
