"""List the CDR files and what became of their rows."""

from __future__ import annotations

import argparse
from typing import Any

from syncd.cli.access import add_format, add_viewer, chosen_format, open_report_door
from syncd.cli.context import Context
from syncd.domain.clock import iso
from syncd.domain.codes import FileState
from syncd.domain.errors import EXIT_OK

COUNTERS = ("read", "stored", "duplicate", "excluded", "not_billed", "rejected", "calls")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the viewer, the state and the format."""
    parser.add_argument("action", nargs="?", choices=["list"], default="list", help="list them")
    add_viewer(parser)
    parser.add_argument("--state", choices=FileState.words(), help="only files in this state")
    add_format(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the ledger and the files that wait in the drop folders, the newest first."""
    door = open_report_door(arguments, context, "files", arguments.state or "")
    rows = [*_waiting(context), *_ledger(context)]
    if arguments.state is not None:
        rows = [row for row in rows if row["state"] == arguments.state]
    door.note_rows(len(rows))

    from syncd.cli.output import print_list
    from syncd.reports.render.table import Column

    print_list(
        rows,
        {
            "name": Column("File"),
            "source": Column("Source"),
            "state": Column("State"),
            "taken_at": Column("Taken"),
            **{name: Column(name.replace("_", " ").capitalize(), right=True) for name in COUNTERS},
            "reason": Column("Reason"),
        },
        as_json=chosen_format(arguments, context) == "json",
        empty="there are no files",
    )
    return EXIT_OK


def _ledger(context: Context) -> list[dict[str, Any]]:
    from syncd.store.models import File

    zone = context.settings.timezone
    return [
        {
            "name": file.name,
            "sha256": file.sha256,
            "state": FileState(file.state).word,
            **{name: getattr(file, name) for name in COUNTERS},
            "source": file.source,
            "reason": file.reason or None,
            "taken_at": iso(file.taken_at, zone),
        }
        for file in File.select().order_by(File.taken_at.desc(), File.id.desc())
    ]


def _waiting(context: Context) -> list[dict[str, Any]]:
    """Return the files of the drop folders that the ledger does not have yet."""
    import hashlib

    from syncd.cdr.ledger import Names
    from syncd.cdr.spool import candidates
    from syncd.cli.output import say

    rows = []
    for cdr in context.settings.cdr.values():
        try:
            found = candidates(cdr.folder, cdr.files)
        except OSError as error:
            say(f"the folder of [cdr:{cdr.name}] cannot be read: {error}")
            continue
        ledger = Names(cdr.name, [candidate.path.name for candidate in found])
        for candidate in found:
            try:
                with candidate.path.open("rb") as stream:
                    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            except OSError:  # taken or withdrawn since
                continue
            if ledger.find(candidate.path.name, sha256) is None:
                rows.append(
                    {
                        "name": candidate.path.name,
                        "sha256": sha256,
                        "state": FileState.WAITING.word,
                        **dict.fromkeys(COUNTERS, 0),
                        "source": cdr.name,
                        "reason": None,
                        "taken_at": None,
                    }
                )
    return rows
