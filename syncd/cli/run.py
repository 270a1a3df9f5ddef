"""Run the daemon until it is told to stop."""

from __future__ import annotations

import argparse

from syncd.cli.context import Context


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the daemon is configured by the INI alone."""


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Run it in the foreground, as a service manager wants. Returns 0 after SIGTERM or SIGINT."""
    import os

    from syncd.application.plugins import load_settings
    from syncd.daemon.notify import Notifier
    from syncd.daemon.service import serve

    # Absolute, so that a reload reads the same file wherever the process stands by then.
    file = context.config_file.absolute()
    return serve(lambda: load_settings(file), Notifier.from_environment(os.environ))
