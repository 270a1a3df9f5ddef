"""List the rows that could not be read, or whose key is already known with another content; show
one, try them again, or drop them."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from syncd.cli.access import add_format, add_viewer, chosen_format
from syncd.cli.administration import open_application
from syncd.cli.context import Context
from syncd.domain.errors import EXIT_FAILED, EXIT_OK, UsageError, UserError

if TYPE_CHECKING:
    from syncd.application.composition import Application
    from syncd.reports.scope import Door
    from syncd.store.rejects import Chosen, RejectedRow

SHOWN = 100
"""Characters of a header that a table shows; JSON has all of it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the action, which rejects, the viewer and the format."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=["list", "show", "retry", "drop"],
        default="list",
        help="list them (the default); show one; read them again as the source is configured now; "
        "or list them no more, for a reason",
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="of the rejects, as the list has it")
    parser.add_argument("--file", metavar="NAME", help="those of a file")
    parser.add_argument("--source", metavar="NAME", help="those of a [cdr:NAME]")
    parser.add_argument(
        "--reason",
        metavar="TEXT",
        help="those with this in their reason; with drop, why they are dropped",
    )
    parser.add_argument("--all", action="store_true", help="with retry: all of them")
    parser.add_argument("--dropped", action="store_true", help="also those that were dropped")
    add_viewer(parser)
    add_format(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Do it."""
    application, door = open_application(arguments, context, "rejects")
    if arguments.action != "retry" and arguments.all:
        raise UsageError("--all goes with retry")
    if arguments.action == "retry":
        return _retry(arguments, context, application, door)
    if arguments.action == "drop":
        return _drop(arguments, context, door)
    found = _found(arguments, door)
    door.note_rows(len(found))
    if arguments.action == "show":
        return _show(found, arguments, context)
    return _list(found, arguments, context)


def _chosen(arguments: argparse.Namespace) -> Chosen:
    """Return which rejects are meant. Raises UsageError."""
    from syncd.store.rejects import Chosen

    ids = []
    for text in arguments.ids:
        if not (text.isascii() and text.isdigit()):
            raise UsageError(f"{text!r} is no reject", "the number that syncd rejects shows")
        ids.append(int(text))
    return Chosen(
        tuple(ids),
        arguments.file or "",
        arguments.source or "",
        (arguments.reason or "") if arguments.action != "drop" else "",
        arguments.dropped or (bool(ids) and arguments.action == "show"),
    )


def _found(arguments: argparse.Namespace, door: Door) -> list[RejectedRow]:
    """Return the rejects that are meant, as their reader gets them: for who does not see all digits
    a reason is looked for in what is shown. Raises UserError for an id that there is not."""
    from dataclasses import replace

    from syncd.reports.masking import mask_quoted, mask_raw
    from syncd.store.rejects import rejects

    chosen, digits = _chosen(arguments), door.scope.masked_digits
    found = rejects(replace(chosen, reason="") if digits else chosen)
    if digits:
        found = [
            row._replace(
                reason=mask_quoted(row.reason, digits),
                raw=mask_raw(row.raw.decode("latin-1"), digits).encode("latin-1"),
            )
            for row in found
        ]
        wanted = chosen.reason.casefold()
        found = [row for row in found if wanted in row.reason.casefold()]
    missing = set(chosen.ids) - {row.id for row in found}
    if missing:
        raise UserError(
            f"there is no reject {', '.join(map(str, sorted(missing)))}",
            "syncd rejects lists them, with --dropped also those that were dropped",
        )
    return found


def _row(row: RejectedRow, context: Context) -> dict[str, Any]:
    from syncd.domain.clock import iso

    zone = context.settings.timezone
    return {
        "id": row.id,
        "file": row.file,
        "source": row.source,
        "line": row.line,
        "reason": row.reason,
        "raw": row.raw.decode("utf-8", "backslashreplace"),
        "retryable": row.retryable,
        "dropped": None
        if row.dropped_at is None
        else {
            "at": iso(row.dropped_at, zone),
            "by": row.dropped_by,
            "reason": row.dropped_reason,
        },
    }


def _list(found: list[RejectedRow], arguments: argparse.Namespace, context: Context) -> int:
    from syncd.cli.output import print_list
    from syncd.reports.render.table import Column

    columns = {
        "id": Column("Id", right=True),
        "file": Column("File"),
        "line": Column("Line", right=True),
        "reason": Column("Reason"),
    }
    rows = [_row(row, context) for row in found]
    as_json = chosen_format(arguments, context) == "json"
    if arguments.dropped and not as_json:
        columns["dropped"] = Column("Dropped")
        for row in rows:
            dropped = row["dropped"]
            row["dropped"] = (
                dropped and f"{dropped['at'][:10]} {dropped['by']}: {dropped['reason']}"
            )
    chosen = any((arguments.ids, arguments.file, arguments.source, arguments.reason))
    empty = "no rejected row is like that" if chosen else "no row was rejected"
    print_list(rows, columns, as_json=as_json, empty=empty)
    return EXIT_OK


def _show(found: list[RejectedRow], arguments: argparse.Namespace, context: Context) -> int:
    """Print rejects with the text of the row."""
    from syncd.cli.output import print_json
    from syncd.reports.render.table import cell_text
    from syncd.store.rejects import headers_of

    if not arguments.ids:
        raise UsageError("show needs the number of a reject", "syncd rejects lists them")
    headers = headers_of({row.file_id for row in found})
    rows = [
        {
            **_row(row, context),
            "header": headers.get(row.file_id, b"").decode("utf-8", "backslashreplace") or None,
        }
        for row in found
    ]
    if chosen_format(arguments, context) == "json":
        print_json(rows)
        return EXIT_OK
    for row in rows:
        sys.stdout.write(f"reject {row['id']}: line {row['line']} of {row['file']}\n")
        for name in ("source", "reason", "dropped", "header", "raw"):
            value = row[name]
            if name == "dropped" and value:
                value = f"{value['at']} by {value['by']}: {value['reason']}"
            for line in str(value or "").splitlines()[: 1 if name == "header" else None]:
                text = cell_text(line)
                if name == "header" and len(text) > SHOWN:
                    text = f"{text[:SHOWN]} …"
                sys.stdout.write(f"  {f'{name}:':<9} {text}\n")
    return EXIT_OK


def _retry(
    arguments: argparse.Namespace, context: Context, application: Application, door: Door
) -> int:
    """Read rejects again. Exit code 1 when one is still bad."""
    from dataclasses import asdict

    from syncd.application.reprocessing import retry_rejects
    from syncd.cli.output import print_json, say

    given = [arguments.ids, arguments.file, arguments.source, arguments.reason]
    if not any(given) and not arguments.all:
        raise UsageError("retry needs to know which", "ids, --file, --source, --reason or --all")
    with application.connected():
        ids = [row.id for row in _found(arguments, door)]
    if not ids and any(given):
        raise UserError("no rejected row is like that", "syncd rejects lists them")
    done = retry_rejects(application, ids)
    door.note_rows(done.taken)
    if chosen_format(arguments, context) == "json":
        print_json(asdict(done))
    else:
        say(
            f"{done.taken} taken ({done.records} records, {done.calls} calls),"
            f" {done.still} still rejected"
        )
    return EXIT_FAILED if done.still else EXIT_OK


def _drop(arguments: argparse.Namespace, context: Context, door: Door) -> int:
    from syncd.cli.output import print_json, say
    from syncd.store.database import write_transaction
    from syncd.store.rejects import drop

    if not arguments.ids:
        raise UsageError("drop needs the numbers of rejects", "syncd rejects lists them")
    if not (arguments.reason or "").strip():
        raise UsageError("drop needs a reason", "--reason 'test calls of the installer'")
    with write_transaction():
        ids = [row.id for row in _found(arguments, door)]
        dropped = drop(ids, door.viewer.name, arguments.reason.strip(), context.now())
    door.note_rows(dropped)
    if chosen_format(arguments, context) == "json":
        print_json({"dropped": dropped})
    else:
        say(f"{dropped} dropped; they stay counted as rejected, and --dropped lists them")
    return EXIT_OK
