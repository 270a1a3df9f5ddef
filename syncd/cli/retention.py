"""Say what is older than the settings keep it, and remove it."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from syncd.cli.access import add_viewer
from syncd.cli.administration import open_application
from syncd.cli.confirmation import confirmed
from syncd.cli.context import Context, common_options
from syncd.domain.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from syncd.application.retention import Due


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    show = actions.add_parser(
        "show", help="say what would go now (the default)", parents=[common_options()]
    )
    run_now = actions.add_parser("run", help="remove it", parents=[common_options()])
    run_now.add_argument("--dry-run", action="store_true", help="say what would go, no more")
    run_now.add_argument("--yes", action="store_true", help="do not ask")
    for one in (show, run_now):
        add_viewer(one, again=True)
    add_viewer(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Do it."""
    application, door = open_application(arguments, context, "retention")
    from syncd.application import retention
    from syncd.cli.output import say

    found = retention.preview(application)
    only_said = arguments.action != "run" or arguments.dry_run
    if only_said or not (arguments.yes and context.json):
        _print(found, context, "Would go")
    if found and (doubt := retention.doubt(application)):
        say(f"the daemon leaves everything: {doubt}")
    if only_said:
        door.note_rows(len(found))
        return EXIT_OK
    if not any(due.rows for due in found) and not retention.unfinished():
        say("nothing is older than it is kept")
        return EXIT_OK
    if not arguments.yes and not confirmed("what goes cannot be brought back"):
        say("nothing was changed")
        return EXIT_FAILED
    gone = retention.carry_out(application, progress=_tell)
    _print(gone, context, "Gone")
    return EXIT_OK


def _tell(due: Due) -> None:
    """Show on a terminal how far it is."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{due.name}: {due.rows} rows \x1b[K")
        sys.stderr.flush()


def _print(found: list[Due], context: Context, heading: str) -> None:
    from syncd.cli.output import print_list
    from syncd.reports.render.table import Column

    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    rows: list[dict[str, Any]] = [
        {
            "data": due.name,
            "days": due.days,
            "before": None if due.before is None else due.before.isoformat(),
            "first": None if due.first is None else due.first.isoformat(),
            "rows": due.rows,
            "bytes": due.bytes or None,
            "details": due.details if context.json else _said(due),
        }
        | ({"note": due.note or None} if context.json else {})
        for due in found
    ]
    print_list(
        rows,
        {
            "data": Column("Data"),
            "days": Column("Kept days", right=True),
            "before": Column("Before", absent="-"),
            "first": Column("Oldest", absent="-"),
            "rows": Column(heading, right=True),
            "bytes": Column("About bytes", right=True, absent="-"),
            "details": Column("Of them"),
        },
        as_json=context.json,
        empty="everything is kept for ever: [retention] says how long else",
    )


def _said(due: Due) -> str:
    parts = [f"{count} {name.replace('_', ' ')}" for name, count in due.details.items() if count]
    return "; ".join([*parts, *([due.note] if due.note else [])])
