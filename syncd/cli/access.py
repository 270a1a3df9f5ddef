"""What the verbs that read share: for whom, and in which form."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from syncd.cli.context import Context
from syncd.domain.errors import EXIT_OK, UserError

if TYPE_CHECKING:
    from syncd.reports.scope import Door, Policy
    from syncd.store.audit import Actor


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


def admit(arguments: argparse.Namespace, context: Context) -> None:
    """Turn away whom ``--as`` names from a verb that is not for them, before it says anything.

    Raises AccessDenied for who may see nothing at all, UserError for too low a level.
    """
    who = getattr(arguments, "viewer", None)
    if who is None:
        return
    from syncd.reports.classification import MANAGEMENT, Changes, Needs, verb_way
    from syncd.reports.permissions import may_open
    from syncd.reports.scope import resolve_viewer

    context.database()
    rules = policy(context)
    viewer = resolve_viewer(who, rules.level6_basis)
    way = verb_way(arguments.verb, getattr(arguments, "action", None))
    if way is None or isinstance(way.needs, Needs):
        return  # the report that is asked for has a level of its own
    if not may_open(viewer, way.needs, rules.levels):
        raise UserError(f"The report {way.needs} is not available to {viewer.name}.")
    if way.changes is not Changes.NOTHING and viewer.level < MANAGEMENT:
        raise UserError(f"The verb {arguments.verb} is not available to {viewer.name}.")


def actor(arguments: argparse.Namespace, context: Context) -> Actor:
    """Return who gives the command: whom ``--as`` names, from the account it is given from."""
    from syncd.domain.viewer import LOCAL_ADMINISTRATOR
    from syncd.reports.scope import resolve_viewer
    from syncd.store.audit import Actor

    who = getattr(arguments, "viewer", None)
    viewer = LOCAL_ADMINISTRATOR
    if who is not None:
        viewer = resolve_viewer(who, policy(context).level6_basis)
    return Actor(viewer.name, viewer.party_id, context.account)


def audit(arguments: argparse.Namespace, context: Context, code: int) -> None:
    """Enter what a command changed into the audit, where the verb's changes are entered so."""
    from syncd.reports.classification import Changes, verb_way

    action = getattr(arguments, "action", None)
    way = verb_way(arguments.verb, action)
    if way is None or way.changes is not Changes.COMMAND or not context.database_opened:
        return
    if getattr(arguments, "dry_run", None) not in (None, False):
        return
    from syncd.cli.administration import command_line
    from syncd.store.audit import Changed, enter
    from syncd.store.database import write_transaction

    arguments.action = action
    said = command_line(arguments, arguments.verb).removeprefix("syncd ")
    outcome = "done" if code == EXIT_OK else f"exit code {code}"
    with write_transaction():
        enter(
            actor(arguments, context),
            way.name,
            [Changed(0, "", "", outcome, subject=said)],
            context.now(),
        )


def open_report_door(
    arguments: argparse.Namespace, context: Context, report: str, specification: str = ""
) -> Door:
    """Open the database and a report for whom ``--as`` names, and log it.

    Raises AccessDenied or UserError when it is not for them.
    """
    from syncd.reports.scope import open_door

    context.database()
    return open_door(arguments.viewer, report, specification, policy(context), context.now())
