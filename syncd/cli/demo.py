"""Show syncd at work: a simulated company, the real daemon, and the reports that come out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from syncd.cli.context import Context
from syncd.domain.errors import EXIT_OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where to leave the company."""
    parser.add_argument(
        "--keep",
        metavar="DIR",
        type=Path,
        help="leave the company in this directory, new or empty, to play with",
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Play the demonstration. It has a configuration of its own: ``--config`` means nothing."""
    from syncd.demo.demonstration import demonstrate

    try:
        demonstrate(arguments.keep)
    except KeyboardInterrupt:
        sys.stderr.write("syncd: interrupted; the daemon is stopped\n")
        raise
    return EXIT_OK
