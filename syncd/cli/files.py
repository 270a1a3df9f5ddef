"""List the CDR files and what became of their rows."""

from __future__ import annotations

import argparse
from typing import Any

from syncd.cli.access import add_format, add_viewer, chosen_format, open_report_door
from syncd.cli.context import Context
from syncd.domain.clock import iso
from syncd.domain.codes import FileState
from syncd.domain.errors import EXIT_DIFFERENT, EXIT_FAILED, EXIT_OK, UsageError

LIMIT = 200
"""A system that writes a file a minute fills a screen in an hour."""

COUNTERS = ("read", "stored", "duplicate", "excluded", "not_billed", "rejected", "calls")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the action, the names, the viewer, the state and the format."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=["list", "retry"],
        default="list",
        help="list them; or put files that were set aside back into their folder",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="of the files to retry")
    add_viewer(parser)
    parser.add_argument("--state", choices=FileState.words(), help="only files in this state")
    parser.add_argument("--source", metavar="NAME", help="only files of this [cdr:NAME]")
    parser.add_argument(
        "--limit",
        type=_limit,
        default=LIMIT,
        metavar="N",
        help=f"the newest N files of the ledger (default {LIMIT}, 0 for all)",
    )
    parser.add_argument(
        "--gaps",
        action="store_true",
        help="instead: the files that are missing, by the numbers in the names of those that came,"
        " those that came late, and the folders that have gone quiet",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="with --gaps: exit with 3 when a file is missing or a folder is quiet",
    )
    add_format(parser)


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of files")
    return int(text)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the ledger and the files that wait in the drop folders, the newest first."""
    if arguments.action == "list" and arguments.names:
        raise UsageError("a list takes no names", "syncd files retry NAME")
    if arguments.check and not arguments.gaps:
        raise UsageError("--check goes with --gaps", "syncd files --gaps --check")
    if arguments.gaps and (arguments.action != "list" or arguments.state is not None):
        raise UsageError("--gaps goes with no action and no state", "syncd files --gaps")
    if arguments.source is not None and arguments.source not in context.settings.cdr:
        known = ", ".join(context.settings.cdr) or "none"
        raise UsageError(f"there is no [cdr:{arguments.source}]", f"there are: {known}")
    about = "gaps" if arguments.gaps else arguments.state or ""
    door = open_report_door(arguments, context, "files", about)
    if arguments.gaps:
        from syncd.cli.files_gaps import show_gaps

        as_json = chosen_format(arguments, context) == "json"
        rows_shown, missing = show_gaps(context, as_json=as_json)
        door.note_rows(rows_shown)
        return EXIT_DIFFERENT if arguments.check and missing else EXIT_OK
    if arguments.action == "retry":
        return _retry(arguments.names, context)
    state = next((one for one in FileState if one.word == arguments.state), None)
    rows = _waiting(context, arguments.source) if state in (None, FileState.WAITING) else []
    taken, more = _ledger(context, arguments.source, state, arguments.limit)
    rows += taken
    door.note_rows(len(rows))

    from syncd.cli.output import is_narrow, print_list, say
    from syncd.reports.render.table import Column

    place = {"size": Column("Size", right=True), "position": Column("Read to", right=True)}
    growing = any(row["position"] is not None for row in rows)
    narrow = is_narrow()
    print_list(
        rows,
        {
            "name": Column("File"),
            **({} if narrow else {"source": Column("Source")}),
            "state": Column("State"),
            **({} if narrow else {"taken_at": Column("Taken")}),
            **(place if growing and not narrow else {}),
            **{name: Column(name.replace("_", " ").capitalize(), right=True) for name in COUNTERS},
            "reason": Column("Reason"),
        },
        as_json=chosen_format(arguments, context) == "json",
        empty="there are no files",
    )
    if more:
        say(f"{more} older files are not shown (--limit 0 shows all)")
    return EXIT_OK


def _retry(names: list[str], context: Context) -> int:
    """Put files that were set aside back into their drop folder, where the next poll takes them."""
    from pathlib import Path

    from syncd.cdr.spool import put_back
    from syncd.cli.output import say
    from syncd.store.models import File

    if not names:
        raise UsageError(
            "retry needs the name of a file", "syncd files --state set-aside lists them"
        )
    failed = False
    for name in names:
        files = list(File.select().where(File.name == name, File.state == int(FileState.SET_ASIDE)))
        if not files:
            say(f"{name}: no file of this name was set aside")
            failed = True
        for file in files:
            cdr = context.settings.cdr.get(file.source)
            if cdr is None:
                say(f"{name}: there is no [cdr:{file.source}] any more")
                failed = True
                continue
            try:
                put_back(Path(file.archive), cdr.folder, name)
            except OSError as error:
                say(f"{name}: cannot be put back: {error}")
                failed = True
                continue
            say(f"{name} is in {cdr.folder} again; the next poll (or syncd ingest) takes it")
    return EXIT_FAILED if failed else EXIT_OK


def _ledger(
    context: Context, source: str | None, state: FileState | None, limit: int
) -> tuple[list[dict[str, Any]], int]:
    """Return the newest files of the ledger, and how many more there are."""
    from syncd.cdr.tails import positions
    from syncd.store.models import File

    zone = context.settings.timezone
    places = positions()
    wanted = File.select()
    if source is not None:
        wanted = wanted.where(File.source == source)
    if state is not None:
        wanted = wanted.where(File.state == int(state))
    newest = wanted.order_by(File.taken_at.desc(), File.id.desc())
    rows = [
        {
            "name": file.name,
            "sha256": file.sha256,
            "state": FileState(file.state).word,
            **{name: getattr(file, name) for name in COUNTERS},
            "source": file.source,
            "reason": file.reason or None,
            "taken_at": iso(file.taken_at, zone),
            "size": file.size,
            "position": places.get(file.id),
        }
        for file in (newest.limit(limit) if limit else newest)
    ]
    return rows, wanted.count() - len(rows)


def _waiting(context: Context, source: str | None) -> list[dict[str, Any]]:
    """Return the files of the drop folders that the ledger does not have yet."""
    import hashlib

    from syncd.application.preparation import is_here
    from syncd.cdr.ledger import Names
    from syncd.cdr.spool import candidates
    from syncd.cdr.tails import Tails
    from syncd.cli.output import say

    rows = []
    for cdr in context.settings.cdr.values():
        if (source is not None and cdr.name != source) or not is_here(cdr):
            continue
        try:
            found = candidates(cdr.folder, cdr.files)
        except OSError as error:
            say(f"the folder of [cdr:{cdr.name}] cannot be read: {error}")
            continue
        ledger = Names(cdr.name, [candidate.name for candidate in found])
        tails = Tails(cdr.name)
        for candidate in found:
            if tails.at(candidate.device, candidate.inode) is not None:
                continue
            try:
                with candidate.path.open("rb") as stream:
                    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            except OSError:  # taken or withdrawn since
                continue
            if ledger.find(candidate.name, sha256) is None:
                rows.append(
                    {
                        "name": candidate.name,
                        "sha256": sha256,
                        "state": FileState.WAITING.word,
                        **dict.fromkeys(COUNTERS, 0),
                        "source": cdr.name,
                        "reason": None,
                        "taken_at": None,
                        "size": candidate.size,
                        "position": None,
                    }
                )
    return rows
