"""Show who holds the slots of the licence since when, and who waits."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from syncd.cli.access import add_format, add_viewer, chosen_format, open_report_door
from syncd.cli.context import Context
from syncd.domain.clock import BEGINNING, iso
from syncd.domain.errors import EXIT_OK

if TYPE_CHECKING:
    from syncd.licensing.view import LicenceView

LINE, PERSON = "line", "person"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the table is about, the viewer and the format."""
    parser.add_argument(
        "--by",
        choices=(LINE, PERSON),
        default=LINE,
        help="a row for each line that holds a slot or waits (the default), or for each person",
    )
    add_viewer(parser)
    add_format(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the licence."""
    door = open_report_door(arguments, context, "licence")

    from syncd.application.sites import names_of_sites
    from syncd.licensing.claims import Terms
    from syncd.licensing.view import view
    from syncd.reports.scope import MANAGEMENT

    settings = context.settings
    terms = Terms(settings.licensing.slots, settings.licensing.automatic_acquisition)
    seen = view(terms, context.now(), names_of_sites(settings))
    shown = _shown(seen, context, manages=door.viewer.level >= MANAGEMENT)
    door.note_rows(len(seen.holders) + len(seen.waiting_lines))

    from syncd.cli.output import print_json, say

    if chosen_format(arguments, context) == "json":
        print_json(shown)
        return EXIT_OK
    acquired = sum(one.person is None for one in seen.holders)
    slots = "unlimited" if seen.slots is None else seen.slots
    say(
        f"slots {slots}, used {seen.used} ({seen.used - acquired} by people, {acquired} acquired),"
        f" waiting {seen.waiting}"
    )
    if arguments.by == PERSON:
        _print_people(seen)
    else:
        _print_lines(shown)
    if seen.hunt_lines:
        say(f"hunt lines, 0 slots: {', '.join(seen.hunt_lines)}")
    _say_forecast(seen, acquisition=terms.acquisition)
    return EXIT_OK


def _shown(seen: LicenceView, context: Context, *, manages: bool) -> dict[str, Any]:
    """Return the licence as JSON has it. What is withheld of whom is for who manages syncd."""

    def when(epoch: int | None) -> str | None:
        if epoch is None:
            return None
        return "beginning" if epoch <= BEGINNING else iso(epoch, context.settings.timezone)

    return {
        "slots": seen.slots,
        "used": seen.used,
        "waiting": seen.waiting,
        "holders": [
            {
                "line_id": one.line_id,
                "kind": one.kind,
                "person": one.person or None,
                "role": one.role,
                "since": when(one.since),
                "reason": one.reason,
            }
            for one in seen.holders
        ],
        "waiting_lines": [
            {
                "line_id": one.line_id,
                "kind": one.kind,
                "person": one.person or None,
                "role": one.role,
                "withheld": one.calls if manages else None,
                "first": when(one.first) if manages else None,
                "last": when(one.last) if manages else None,
            }
            for one in seen.waiting_lines
        ],
        "people": [
            {
                "person": one.person,
                "slots": one.held,
                "waiting": one.waiting,
                "lines": [{"role": role, "line_id": line_id} for role, line_id in one.lines],
            }
            for one in seen.people
        ],
        "hunt_lines": list(seen.hunt_lines),
        "forecast": {
            "lines": list(seen.forecast.lines),
            "slots": len(seen.forecast.lines),
            "beyond": seen.forecast.beyond,
            "hunt_lines": seen.forecast.hunts,
        },
    }


def _print_lines(shown: dict[str, Any]) -> None:
    """Print who holds a slot and who waits, a row for each line."""
    from syncd.cli.output import print_table, say
    from syncd.reports.render.table import Column

    headings = ("Line", "Kind", "Person", "Role")
    print_table(
        [Column(name) for name in (*headings, "Since", "Reason")],
        [list(row.values()) for row in shown["holders"]],
    )
    if shown["waiting_lines"]:
        say("waiting, in the order in which they are served:")
        print_table(
            [
                *(Column(name) for name in headings),
                Column("Calls withheld", right=True, absent="-"),
                Column("First", absent="-"),
                Column("Last", absent="-"),
            ],
            [list(row.values()) for row in shown["waiting_lines"]],
        )


def _print_people(seen: LicenceView) -> None:
    """Print what each person takes."""
    from syncd.cli.output import print_table
    from syncd.reports.render.table import Column

    print_table(
        [
            Column("Person"),
            Column("Slots", right=True),
            Column("Waiting", right=True),
            Column("Lines"),
        ],
        [
            [
                one.person,
                one.held,
                one.waiting,
                ", ".join(f"{line_id} ({role})" for role, line_id in one.lines),
            ]
            for one in seen.people
        ],
    )


def _say_forecast(seen: LicenceView, *, acquisition: bool) -> None:
    """Say what acquisition would take, where that is anything."""
    from syncd.cli.output import say

    count = len(seen.forecast.lines)
    if acquisition and not count:
        return
    lines = f"{count} line" if count == 1 else f"{count} lines"
    if acquisition:
        said = f"reprocessing files that were taken without acquisition would add {lines}"
    else:
        said = f"automatic acquisition would add {lines}"
    if seen.forecast.beyond:
        said += f", {seen.forecast.beyond} more than you have"
    say(said)
