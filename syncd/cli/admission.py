"""Before and after every verb: whom it is for, and the entry of what it changed in the audit."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from syncd.cli.access import policy
from syncd.cli.administration import command_line
from syncd.cli.context import Context
from syncd.domain.errors import EXIT_OK, UserError

if TYPE_CHECKING:
    from syncd.store.audit import Actor


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
    if way is None:
        raise UserError(f"The verb {arguments.verb} is not available to {viewer.name}.")
    if isinstance(way.needs, Needs):
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
