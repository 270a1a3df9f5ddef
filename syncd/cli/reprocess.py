"""Read taken files again from the archive and decide their calls again, as the configuration and the
directory are now: after a mend of either. Shows first what would change."""

from __future__ import annotations

import argparse
from datetime import date
from typing import TYPE_CHECKING, Any

from syncd.cli.access import add_format, add_viewer, chosen_format
from syncd.cli.administration import open_application
from syncd.cli.confirmation import confirmed
from syncd.cli.context import Context
from syncd.domain.errors import EXIT_FAILED, EXIT_OK, UsageError

if TYPE_CHECKING:
    from syncd.calls.changes import Changes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the period and the source."""
    parser.add_argument(
        "--from", dest="first", required=True, metavar="DAY", help="first day, as 2026-03-01"
    )
    parser.add_argument(
        "--to", dest="end", required=True, metavar="DAY", help="the day after the last"
    )
    parser.add_argument("--source", metavar="NAME", help="only the files of this [cdr:NAME]")
    parser.add_argument("--dry-run", action="store_true", help="say what would change, no more")
    parser.add_argument("--yes", action="store_true", help="do not ask, and do not say it first")
    add_viewer(parser)
    add_format(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Show what would change, ask, then do it."""
    arguments.action = "run"
    application, door = open_application(arguments, context, "reprocess")

    from syncd.application.reprocessing import carry_out, preview, wanted
    from syncd.cli.output import say

    since, until = span(arguments, context)
    chosen = wanted(application, arguments.source, since, until)
    as_json = chosen_format(arguments, context) == "json"
    if arguments.dry_run or not arguments.yes:
        changes = preview(application, chosen)
        _print(changes, context, as_json=as_json, done=False)
        if arguments.dry_run:
            door.note_rows(changes.rows)
            return EXIT_OK
        if not changes.records and not changes.rows:
            say("nothing would change")
        if not confirmed("this decides past calls again"):
            say("nothing was changed")
            return EXIT_FAILED
    changes = carry_out(application, chosen)
    door.note_rows(changes.rows)
    _print(changes, context, as_json=as_json, done=True)
    return EXIT_OK


def span(arguments: argparse.Namespace, context: Context) -> tuple[int, int]:
    """Return the epoch seconds of the period. Raises UsageError."""
    from syncd.domain.days import Days, day_number
    from syncd.reports.specification import parse_day

    days = Days(context.settings.timezone)
    first: date = parse_day(arguments.first, "--from")
    end: date = parse_day(arguments.end, "--to")
    if first >= end:
        raise UsageError(
            f"the period from {first} to {end} holds no day",
            "--to is exclusive: one day is --from 2026-01-31 --to 2026-02-01",
        )
    return days.start(day_number(first)), days.start(day_number(end))


def _departments(changes: Changes) -> list[dict[str, Any]]:
    from syncd.domain.money import format_micros

    return [
        {
            "department": name or None,
            "calls_before": amount.calls_before,
            "calls_after": amount.calls_after,
            "cost_before": format_micros(amount.cost_before),
            "cost_after": format_micros(amount.cost_after),
        }
        for name, amount in sorted(changes.departments.items())
    ]


def _print(changes: Changes, context: Context, *, as_json: bool, done: bool) -> None:
    from syncd.cli.output import print_json, print_table, say
    from syncd.licensing.claims import Terms
    from syncd.licensing.view import view
    from syncd.reports.render.table import Column

    licensing = context.settings.licensing
    used = view(Terms(licensing.slots, licensing.automatic_acquisition), context.now()).used
    taken = len(changes.acquired)
    beyond = 0
    if licensing.slots is not None and not done:
        beyond = max(taken - max(licensing.slots - used, 0), 0)
    if as_json:
        print_json(
            {
                "done": done,
                "files": changes.files,
                "from_records": changes.stored,
                "decided": changes.decided,
                "records": changes.records,
                "rows": changes.rows,
                "departments": _departments(changes),
                "slots": {
                    "acquired": taken,
                    "beyond": beyond,
                    "used": used,
                    "licensed": licensing.slots,
                },
            }
        )
        return
    say(
        f"{changes.files} files read again, {changes.stored} decided from their records;"
        f" {changes.decided} records decided, of which {changes.records}"
        f" {'changed' if done else 'would change'}, with {changes.rows} call rows"
    )
    if changes.departments:
        currency = context.settings.currency
        print_table(
            [
                Column("Department", absent="(none)"),
                Column("Calls before", right=True),
                Column("Calls after", right=True),
                Column(f"{currency} before", right=True),
                Column(f"{currency} after", right=True),
            ],
            [list(row.values()) for row in _departments(changes)],
        )
    if taken:
        slots = "unlimited" if licensing.slots is None else licensing.slots
        said = f", {beyond} more than you have" if beyond else ""
        say(
            f"automatic acquisition {'took' if done else 'would take'} {taken} more"
            f" {'line' if taken == 1 else 'lines'}, a slot each{said}"
            f" ({used} of {slots} slots are in use)"
        )
