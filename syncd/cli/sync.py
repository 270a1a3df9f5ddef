"""Bring people and lines up to date with a directory, and print what changed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from syncd.cli.context import Context
from syncd.domain.clock import iso
from syncd.domain.errors import EXIT_DIFFERENT, EXIT_OK, UsageError

if TYPE_CHECKING:
    from syncd.application.composition import Unit
    from syncd.directory.sync import SyncOutcome

HISTORY_LIMIT = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the source, what is only looked at, and what the guard may let through."""
    parser.add_argument("name", nargs="?", help="a [directory:NAME]; without it all of them")
    looking = parser.add_mutually_exclusive_group()
    looking.add_argument(
        "--dry-run", action="store_true", help="say what would change, and change nothing"
    )
    looking.add_argument(
        "--check", action="store_true", help="like --dry-run, and exit 3 when anything would change"
    )
    looking.add_argument("--history", action="store_true", help="list the last runs instead")
    looking.add_argument(
        "--run", type=_count, metavar="N", help="list what one run of the history changed instead"
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="read everything, even where the server can say what changed",
    )
    for name, what in (
        ("departures", "people who left"),
        ("changes", "numbers, flags, fields or levels that changed"),
    ):
        parser.add_argument(
            f"--accept-{name}",
            type=_count,
            metavar="N",
            default=0,
            help=f"let up to N {what} pass the guard, this once",
        )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Sync, print the differences, and return the gravest exit code of the sources."""
    from syncd.application.composition import Application, SyncWishes
    from syncd.application.exit_codes import gravest

    accepts = arguments.accept_departures or arguments.accept_changes
    if arguments.name is None and accepts and len(context.settings.directories) > 1:
        # A number that was read in the refusal of one source must not open another's guard.
        names = ", ".join(context.settings.directories)
        raise UsageError("--accept-… needs the NAME of a directory", f"one of {names}")
    application = Application.open(context.settings, command=_command(arguments))
    try:
        if arguments.history:
            return _print_history(arguments, context)
        if arguments.run is not None:
            return _print_run(arguments.run, context)
        wishes = SyncWishes(
            dry_run=arguments.dry_run or arguments.check,
            full=arguments.full,
            accept_departures=arguments.accept_departures,
            accept_changes=arguments.accept_changes,
        )
        units = list(application.sync(arguments.name, wishes))
    finally:
        application.close()
    _print(units, context)
    codes = [unit.exit_code for unit in units]
    if arguments.check and any(
        unit.outcome is not None and unit.outcome.outcome == "would-change" for unit in units
    ):
        codes.append(EXIT_DIFFERENT)
    return gravest(codes)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of people or changes")
    return int(text)


def _command(arguments: argparse.Namespace) -> str:
    return f"syncd sync {arguments.name}" if arguments.name else "syncd sync"


def _planned(unit: Unit[SyncOutcome]) -> SyncOutcome | None:
    """Return what a run did or, when the guard refused it, would have done."""
    return unit.outcome or getattr(unit.error, "outcome", None)


def _as_dict(unit: Unit[SyncOutcome]) -> dict[str, Any]:
    outcome = _planned(unit)
    row: dict[str, Any] = {"source": unit.name, "outcome": "failed"}
    if outcome is not None:
        row = outcome.as_dict()
    error = unit.error
    row["error"] = None
    if error is not None:
        row["error"] = {
            "message": error.message,
            "hint": error.hint,
            "problems": [str(problem) for problem in error.problems],
            "exit_code": error.exit_code,
        }
    return row


def _print(units: list[Unit[SyncOutcome]], context: Context) -> None:
    """Print the differences of all sources, and on stderr a line for each of them."""
    from syncd.cli.output import print_json, print_table, say
    from syncd.reports.render.table import Column

    if context.json:
        print_json([_as_dict(unit) for unit in units])
    else:
        names = ("Source", "Who", "What", "Field", "Old", "New")
        rows = [
            (unit.name, row.who, row.what, row.field, row.old, row.new)
            for unit in units
            if (outcome := _planned(unit)) is not None
            for row in outcome.differences
        ]
        if rows:
            print_table([Column(name) for name in names], rows)
    for unit in units:
        outcome = _planned(unit)
        if outcome is not None:
            for warning in outcome.warnings:
                say(f"{unit.name}: warning: {warning}")
            for conflict in outcome.conflicts:
                say(f"{unit.name}: conflict: {conflict}")
        if unit.error is not None:
            say(f"{unit.name}: {unit.error}")
        elif outcome is not None:
            say(_summary(outcome))


def _summary(outcome: SyncOutcome) -> str:
    counts = (
        ("arrived", outcome.arrived),
        ("departed", outcome.departed),
        ("returned", outcome.returned),
        ("changed", outcome.changed),
        ("closed", outcome.closed),
    )
    said = ", ".join(f"{count} {word}" for word, count in counts if count)
    return (
        f"{outcome.source}: {outcome.outcome.replace('-', ' ')};"
        f" {outcome.entries} {'changed ' if outcome.incremental else ''}entries"
        f"{', ' if said else ''}{said}"
        f"{f' (all were read: {outcome.why_full})' if outcome.why_full else ''}"
    )


def _print_history(arguments: argparse.Namespace, context: Context) -> int:
    """Print the last runs, the newest first."""
    from syncd.cli.output import is_narrow, print_list
    from syncd.reports.render.table import Column
    from syncd.store.models import SyncRun

    query = SyncRun.select().order_by(SyncRun.id.desc()).limit(HISTORY_LIMIT)
    if arguments.name is not None:
        query = query.where(SyncRun.source == arguments.name)
    zone = context.settings.timezone
    counters: tuple[str, ...]
    counters = ("entries", "arrived", "departed", "changed", "conflicts", "warnings")
    rows = [
        {
            "run": row.id,
            "source": row.source,
            "started_at": iso(row.started_at, zone),
            "seconds": row.ended_at - row.started_at,
            "outcome": row.outcome,
            "server": row.server,
            **{name: getattr(row, name) for name in counters},
            "message": row.message or None,
        }
        for row in query
    ]
    narrow = not context.json and is_narrow()
    if narrow:
        counters = ("arrived", "departed", "changed")
    columns = {
        "run": Column("Run", right=True),
        "source": Column("Source"),
        "started_at": Column("Started"),
        **({} if narrow else {"seconds": Column("Seconds", right=True)}),
        "outcome": Column("Outcome"),
        **{name: Column(name.capitalize(), right=True) for name in counters},
        "server": Column("Server"),
        "message": Column("Message"),
    }
    print_list(rows, columns, as_json=context.json, empty="no directory was synced yet")
    return EXIT_OK


def _print_run(number: int, context: Context) -> int:
    """Print what a run changed. Raises UsageError when there was no such run."""
    from syncd.cli.output import print_list
    from syncd.reports.render.table import Column
    from syncd.store.models import Party, SyncChange, SyncRun

    if SyncRun.get_or_none(SyncRun.id == number) is None:
        raise UsageError(f"there was no run {number}", "syncd sync --history lists them")
    people = {
        party.id: party.display_name or party.username
        for party in Party.select(Party.id, Party.display_name, Party.username)
    }
    query = SyncChange.select().where(SyncChange.run == number).order_by(SyncChange.id)
    rows = [
        {"who": people.get(row.party_id)}
        | {name: getattr(row, name) or None for name in ("what", "field", "old", "new")}
        for row in query
    ]
    columns = {name: Column(name.capitalize()) for name in ("who", "what", "field", "old", "new")}
    print_list(rows, columns, as_json=context.json, empty=f"run {number} changed nothing")
    return EXIT_OK
