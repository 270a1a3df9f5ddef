"""Run the daemon until it is told to stop."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from syncd.cli.context import Context
from syncd.domain.errors import UsageError

if TYPE_CHECKING:
    from syncd.settings.model import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the roles and the status; all else is configured by the INI alone."""
    parser.add_argument(
        "--roles",
        metavar="ROLES",
        help="what this process does beside others on one PostgreSQL: intake, scheduler or both"
        " (default: [daemon] roles)",
    )
    parser.add_argument(
        "--status",
        action="store_true",
        help="instead: show the daemons that work on this database, and what each of them does",
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Run it in the foreground, as a service manager wants. Returns 0 after SIGTERM or SIGINT."""
    import os

    if arguments.status:
        if arguments.roles is not None:
            raise UsageError("--status goes with nothing else", "syncd run --status")
        from syncd.cli.run_status import show_daemons

        return show_daemons(context)
    from syncd.application.plugins import load_settings
    from syncd.daemon.notify import Notifier
    from syncd.daemon.service import serve

    # Absolute, so that a reload reads the same file wherever the process stands by then.
    file = context.config_file.absolute()
    roles = _roles(arguments.roles)

    def load() -> Settings:
        settings = load_settings(file)
        if roles:
            settings = replace(settings, daemon=replace(settings.daemon, roles=roles))
        return settings

    return serve(load, Notifier.from_environment(os.environ))


def _roles(text: str | None) -> tuple[str, ...]:
    """Return what ``--roles`` says, nothing without it. Raises UsageError."""
    from pathlib import Path

    from syncd.settings.values import BadValue, roles_of

    if text is None:
        return ()
    try:
        return roles_of(text, Path())
    except BadValue as error:
        raise UsageError(f"--roles: {error.what}", error.hint) from None
