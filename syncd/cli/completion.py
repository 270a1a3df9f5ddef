"""Print the script that completes syncd's verbs and options in a shell."""

from __future__ import annotations

import argparse
import sys

from syncd.cli.context import Context


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shell."""
    parser.add_argument("shell", choices=["bash", "zsh", "tcsh"])


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the script. Returns 0."""
    import shtab

    from syncd.cli.main import build_parser

    sys.stdout.write(shtab.complete(build_parser(complete=True), arguments.shell) + "\n")
    return 0
