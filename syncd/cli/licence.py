"""Show who holds the slots of the licence since when, and who waits."""

from __future__ import annotations

import argparse

from syncd.cli.access import add_format, add_viewer, chosen_format, open_report_door
from syncd.cli.context import Context
from syncd.domain.clock import BEGINNING, iso
from syncd.domain.errors import EXIT_OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the viewer and the format."""
    add_viewer(parser)
    add_format(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the licence."""
    door = open_report_door(arguments, context, "licence")

    from syncd.licensing.claims import Terms
    from syncd.licensing.view import view

    settings = context.settings
    licensing = settings.licensing
    seen = view(Terms(licensing.slots, licensing.automatic_acquisition), context.now())

    def when(epoch: int | None) -> str | None:
        if epoch is None:
            return None
        return "beginning" if epoch <= BEGINNING else iso(epoch, settings.timezone)

    holders = [
        {
            "line_id": one.line_id,
            "kind": one.kind,
            "person": one.person or None,
            "role": one.role,
            "since": when(one.since),
            "reason": one.reason,
        }
        for one in seen.holders
    ]
    waiting = [
        {
            "line_id": one.line_id,
            "kind": one.kind,
            "person": one.person or None,
            "role": one.role,
            "withheld": one.calls,
            "first": when(one.first),
            "last": when(one.last),
        }
        for one in seen.waiting_lines
    ]
    door.note_rows(len(holders) + len(waiting))

    from syncd.cli.output import print_json, print_table, say
    from syncd.reports.render.table import Column

    if chosen_format(arguments, context) == "json":
        print_json(
            {
                "slots": seen.slots,
                "used": seen.used,
                "waiting": seen.waiting,
                "holders": holders,
                "waiting_lines": waiting,
                "hunt_lines": list(seen.hunt_lines),
            }
        )
        return EXIT_OK
    slots = "unlimited" if seen.slots is None else seen.slots
    say(f"slots {slots}, used {seen.used}, waiting {seen.waiting}")
    headings = ("Line", "Kind", "Person", "Role")
    print_table(
        [Column(name) for name in (*headings, "Since", "Reason")],
        [list(row.values()) for row in holders],
    )
    if waiting:
        say("waiting, in the order in which they are served:")
        print_table(
            [
                *(Column(name) for name in headings),
                Column("Calls withheld", right=True),
                Column("First"),
                Column("Last"),
            ],
            [list(row.values()) for row in waiting],
        )
    if seen.hunt_lines:
        say(f"hunt lines, without a slot: {', '.join(seen.hunt_lines)}")
    return EXIT_OK
