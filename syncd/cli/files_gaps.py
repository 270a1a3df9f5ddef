"""What ``syncd files --gaps`` prints: missing and late files, quiet folders."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from syncd.cli.context import Context
from syncd.domain.clock import iso

if TYPE_CHECKING:
    from syncd.cdr.gaps import Gap, Late

SHOWN_LATE_DAYS = 31
"""Late files of earlier days are history."""
DAY = 86_400


def show_gaps(context: Context, *, as_json: bool) -> tuple[int, bool]:
    """Print them as one JSON object, or as a table of each kind. Returns how many rows there are,
    and whether something is missing or quiet now."""
    from syncd.cdr.arrivals import last_arrival, names_in, survey_ledger
    from syncd.cli.output import print_json

    settings = context.settings
    now = context.now()
    found: dict[str, list[dict[str, Any]]] = {"gaps": [], "late": [], "quiet": []}
    for cdr in settings.cdr.values():
        survey = survey_ledger(cdr.name, names_in(cdr.folder), now)
        found["gaps"] += [{"source": cdr.name, **_gap(gap)} for gap in survey.gaps]
        found["late"] += [
            {"source": cdr.name, **_late(late, settings.timezone)}
            for late in survey.late
            if now - late.taken_at <= SHOWN_LATE_DAYS * DAY
        ]
        last = last_arrival(cdr.name)
        if last is not None and cdr.quiet_after and now - last > cdr.quiet_after:
            found["quiet"].append(
                {
                    "source": cdr.name,
                    "last_file_at": iso(last, settings.timezone),
                    "seconds": now - last,
                    "quiet_after": cdr.quiet_after,
                }
            )
    if as_json:
        print_json(found)
    else:
        _print(found)
    return sum(map(len, found.values())), bool(found["gaps"] or found["quiet"])


def _gap(gap: Gap) -> dict[str, Any]:
    """Return a gap; its times are UTC, as CDRonDemand wants them."""
    from syncd.cdr.gaps import ON_DEMAND_TIME

    windows = [
        {"from": f"{start:{ON_DEMAND_TIME}}", "to": f"{end:{ON_DEMAND_TIME}}"}
        for start, end in gap.windows()
    ]
    return {
        "cluster": gap.cluster,
        "node": gap.node,
        "tag": gap.tag,
        "first": gap.first,
        "last": gap.last,
        "files": gap.files,
        "from": windows[0]["from"],
        "to": windows[-1]["to"],
        "windows": windows,
    }


def _late(late: Late, zone: Any) -> dict[str, Any]:
    return {
        "name": late.file.name,
        "taken_at": iso(late.taken_at, zone),
        "seconds": late.seconds,
    }


def _print(found: dict[str, list[dict[str, Any]]]) -> None:
    from syncd.cli.output import print_table, say
    from syncd.reports.render.table import Column

    if not any(found.values()):
        say("no file is missing, and no folder is quiet")
        return
    gaps = [
        (
            gap["source"],
            gap["cluster"],
            gap["node"],
            gap["tag"],
            gap["first"],
            gap["last"],
            gap["files"],
            gap["from"],
            gap["to"],
            len(gap["windows"]),
        )
        for gap in found["gaps"]
    ]
    tables = {
        "Missing; the times are those to ask CDRonDemand for, UTC": (
            (
                *(Column(name) for name in ("Source", "Cluster", "Node", "Kind")),
                *(Column(name, right=True) for name in ("First", "Last", "Files")),
                Column("From"),
                Column("To"),
                Column("Windows", right=True),
            ),
            gaps,
        ),
        "Late": (
            (
                Column("Source"),
                Column("File"),
                Column("Taken"),
                Column("Seconds late", right=True),
            ),
            [tuple(late.values()) for late in found["late"]],
        ),
        "Quiet": (
            (
                Column("Source"),
                Column("Last file"),
                Column("Seconds", right=True),
                Column("Usual", right=True),
            ),
            [tuple(quiet.values()) for quiet in found["quiet"]],
        ),
    }
    parts = {title: table for title, table in tables.items() if table[1]}
    for at, (title, (columns, rows)) in enumerate(parts.items()):
        lead = "\n" if at else ""
        sys.stdout.write(f"{lead}{title}\n")
        print_table(columns, rows)
