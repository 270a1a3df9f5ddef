"""Take the CDR files that are ready in the drop folders, and print what became of them."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from syncd.cli.context import Context
from syncd.domain.errors import EXIT_FAILED

if TYPE_CHECKING:
    from syncd.application.composition import Unit
    from syncd.calls.intake import FileOutcome, IngestOutcome

COUNTERS = ("read", "stored", "duplicate", "excluded", "not_billed", "rejected", "calls")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the source and whether files must have been still."""
    parser.add_argument("name", nargs="?", help="a [cdr:NAME]; without it all of them")
    parser.add_argument(
        "--no-settle",
        action="store_true",
        help="take every file, also one that may still be written to",
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Take what is ready, print a line for each folder, and return the gravest exit code: 1 when a
    whole file could not be taken."""
    from syncd.application.composition import Application
    from syncd.application.exit_codes import gravest

    command = f"syncd ingest {arguments.name}" if arguments.name else "syncd ingest"
    application = Application.open(context.settings, command=command)
    counter = _Counter()
    try:
        units = list(
            application.ingest(
                arguments.name, settle=not arguments.no_settle, progress=counter.count
            )
        )
    finally:
        application.close()
        counter.clear()
    _print(units, context)
    codes = [unit.exit_code for unit in units]
    codes += [EXIT_FAILED for unit in units if unit.outcome is not None and unit.outcome.failed]
    return gravest(codes)


class _Counter:
    """Counts the files on a terminal's last line while the work goes on."""

    def __init__(self) -> None:
        self.files = 0
        self.shown = sys.stderr.isatty()

    def count(self, file: FileOutcome) -> None:
        self.files += 1
        if self.shown:
            sys.stderr.write(f"\r{self.files} files taken")
            sys.stderr.flush()

    def clear(self) -> None:
        if self.shown and self.files:
            sys.stderr.write("\r\x1b[K")


def _as_dict(unit: Unit[IngestOutcome]) -> dict[str, Any]:
    outcome = unit.outcome
    if outcome is None:
        return {"source": unit.name, "error": str(unit.error)}
    row = asdict(outcome)
    for file in row["files"]:
        file["state"] = file["state"].word
        file["reason"] = file["reason"] or None
    row["seconds"] = round(outcome.seconds, 3)
    del row["watched"]
    row["missing_files"] = outcome.watched.missing
    row["quiet_seconds"] = outcome.watched.quiet
    row["error"] = None
    return row


def _print(units: list[Unit[IngestOutcome]], context: Context) -> None:
    """Print a row for each folder, and on stderr the files that need somebody's attention."""
    from syncd.cli.output import print_json, print_table, say
    from syncd.domain.codes import FileState
    from syncd.reports.render.table import Column

    if context.json:
        print_json([_as_dict(unit) for unit in units])
    else:
        rows = []
        stored = (FileState.DONE, FileState.GROWING)
        for unit in units:
            if unit.outcome is not None:
                done = [file for file in unit.outcome.files if file.state in stored]
                counts = [sum(getattr(file, name) for file in done) for name in COUNTERS]
                rows.append((unit.name, len(done), *counts, unit.outcome.waiting))
        if rows:
            names = ("Files", *(name.replace("_", " ").capitalize() for name in COUNTERS))
            columns = [Column(name, right=True) for name in (*names, "Waiting")]
            print_table([Column("Source"), *columns], rows)
    for unit in units:
        if unit.error is not None:
            say(f"{unit.name}: {unit.error}")
        for file in unit.outcome.files if unit.outcome is not None else ():
            if file.reason:
                say(f"{unit.name}: {file.name}: {file.state.word}: {file.reason}")
        for gap in unit.outcome.watched.found if unit.outcome is not None else ():
            say(f"{unit.name}: {gap.text()}")
