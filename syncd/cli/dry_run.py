"""Messages as files instead of mail, for the verbs that would send some."""

from __future__ import annotations

import argparse
from pathlib import Path

FOLDER = Path("dry-run-mail")
"""Where they are written unless something else is said, in the state directory."""


def add_dry_run(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--dry-run [FOLDER]``; ``what`` says what is not done."""
    parser.add_argument(
        "--dry-run",
        nargs="?",
        const=FOLDER,
        type=Path,
        metavar="FOLDER",
        help=f"{what}; messages are files in FOLDER (default: {FOLDER} in the state directory)",
    )


def chosen_folder(chosen: Path, state_directory: Path) -> Path:
    """Return the folder that ``--dry-run`` means."""
    return state_directory / FOLDER if chosen is FOLDER else chosen
