"""What the verbs that read share: for whom, and in which form."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from syncd.cli.context import Context
from syncd.domain.errors import UsageError

if TYPE_CHECKING:
    from syncd.reports.scope import Door, Policy


def add_viewer(parser: argparse.ArgumentParser, *, again: bool = False) -> None:
    """Add ``--as``; ``again`` for an action of a verb that has it too: whom it is for must not be
    forgotten when it stands before the action."""
    parser.add_argument(
        "--as",
        dest="viewer",
        default=argparse.SUPPRESS if again else None,
        metavar="USER",
        help="as this user may see it: a username, or SOURCE:USER where two sources share it "
        "(default: the local administrator)",
    )


def add_format(parser: argparse.ArgumentParser, *formats: str, again: bool = False) -> None:
    """Add ``--format``, a table unless something else is asked for; ``again`` for an action of a verb
    that has it too."""
    parser.add_argument(
        "--format",
        choices=("table", "json", *formats),
        default=argparse.SUPPRESS if again else None,
        help="how to print it (default: table)",
    )


def chosen_format(arguments: argparse.Namespace, context: Context) -> str:
    """Return the format; ``--format`` wins over ``--json``."""
    return str(arguments.format or ("json" if context.json else "table"))


def list_format(arguments: argparse.Namespace, context: Context) -> str:
    """Return the format of what is no report, where reports have more of them: table or json. Raises
    UsageError for another one."""
    form = chosen_format(arguments, context)
    if form not in ("table", "json"):
        raise UsageError(
            f"only a report itself can be {form}: what is listed here, table or json",
            f"syncd report NAME --format {form}",
        )
    if arguments.output is not None:
        raise UsageError(
            "--output is for a report itself, which is not named", "syncd report NAME --output FILE"
        )
    return form


def policy(context: Context) -> Policy:
    """Return what the settings say about who sees what."""
    from syncd.reports.scope import Policy

    reports = context.settings.reports
    return Policy(reports.level6_basis, reports.levels, reports.private_numbers == "management")


def check_viewer(arguments: argparse.Namespace, context: Context) -> None:
    """Turn away whom ``--as`` names before anything is said about what they ask for.

    Raises AccessDenied for who may see nothing at all: a list of reports or of what can be
    filtered by is something, too.
    """
    if arguments.viewer is not None:
        from syncd.reports.scope import resolve_viewer

        context.database()
        resolve_viewer(arguments.viewer, policy(context).level6_basis)


def open_report_door(
    arguments: argparse.Namespace, context: Context, report: str, specification: str = ""
) -> Door:
    """Open the database and a report for whom ``--as`` names, and log it.

    Raises AccessDenied or UserError when it is not for them.
    """
    from syncd.reports.scope import open_door

    context.database()
    return open_door(arguments.viewer, report, specification, policy(context), context.now())
