"""List the rows that could not be read, or whose key is already known with another content."""

from __future__ import annotations

import argparse

from syncd.cli.access import add_format, add_viewer, chosen_format, open_report_door
from syncd.cli.context import Context
from syncd.domain.errors import EXIT_OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the viewer and the format."""
    parser.add_argument("action", nargs="?", choices=["list"], default="list", help="list them")
    add_viewer(parser)
    add_format(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the rejected rows in the order of files and lines."""
    door = open_report_door(arguments, context, "rejects")

    from syncd.store.models import File, Reject

    rows = [
        {
            "id": row_id,
            "file": file,
            "line": line,
            "reason": reason,
            "raw": bytes(raw).decode("utf-8", "backslashreplace"),
            "retryable": bool(retryable),
        }
        for row_id, file, line, reason, raw, retryable in Reject.select(
            Reject.id, File.name, Reject.line, Reject.reason, Reject.raw, Reject.retryable
        )
        .join(File)
        .order_by(Reject.id)
        .tuples()
    ]
    door.note_rows(len(rows))

    from syncd.cli.output import print_list
    from syncd.reports.render.table import Column

    print_list(
        rows,
        {
            "id": Column("Id", right=True),
            "file": Column("File"),
            "line": Column("Line", right=True),
            "reason": Column("Reason"),
        },
        as_json=chosen_format(arguments, context) == "json",
        empty="no row was rejected",
    )
    return EXIT_OK
