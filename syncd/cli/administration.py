"""What the verbs share that change people and names: they are for level 10 alone."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

from syncd.cli.access import open_report_door
from syncd.cli.context import Context
from syncd.domain.errors import UserError

if TYPE_CHECKING:
    from syncd.application.composition import Application
    from syncd.reports.scope import Door

REQUIRED = 10


def open_application(
    arguments: argparse.Namespace, context: Context, verb: str
) -> tuple[Application, Door]:
    """Open a verb for whom ``--as`` names, and what does its work.

    Raises AccessDenied or UserError for less than level 10, whatever the settings say of reports.
    """
    command = command_line(arguments, verb)
    door = open_report_door(arguments, context, verb, command)
    if door.viewer.level < REQUIRED:
        raise UserError(f"The verb {verb} is not available to {door.viewer.name}.")
    from syncd.application.composition import Application

    return Application(context.settings, context.database(), command=command), door


def command_line(arguments: argparse.Namespace, verb: str) -> str:
    """Return in one line what was asked, for the history and the access log."""
    options = {
        name: value
        for name, value in sorted(vars(arguments).items())
        if value not in (None, False, [])
        and name not in ("verb", "verb_module", "config", "json", "format", "action")
    }
    said = " ".join(f"{name}={shlex.quote(str(value))}" for name, value in options.items())
    return f"syncd {verb} {arguments.action or 'list'} {said}".strip()
