"""List calls, or show the whole conversation of one: who talked to whom from when to when, by what
feature, and who is charged for which part and why."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from syncd.cli import report
from syncd.cli.access import (
    add_format,
    add_viewer,
    check_viewer,
    chosen_format,
    open_report_door,
)
from syncd.cli.context import Context, common_options
from syncd.cli.report_selection import add_selection, request_of
from syncd.domain.errors import EXIT_OK

LIST, SHOW = "list", "show"
SIDE_WORDS = {
    "first-redirecting": "first by",
    "redirecting": "by",
    "pilot": "through",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions; without one it is the list."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    common = common_options()
    listing = actions.add_parser(
        LIST,
        help="list calls, as syncd report calls does (the default)",
        parents=[common],
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    add_selection(listing, again=True)
    show = actions.add_parser(
        SHOW,
        help="show the conversation of a call as a timeline of its legs",
        parents=[common],
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    show.add_argument(
        "id",
        metavar="ID",
        help="the id of a call, a record or a conversation, as syncd call list shows it",
    )
    add_viewer(show, again=True)
    add_format(show)
    add_selection(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the list, or the timeline."""
    if arguments.action != SHOW:
        check_viewer(arguments, context)
        return report.print_report(request_of(arguments, "calls"), arguments, context)
    door = open_report_door(arguments, context, "call", arguments.id)

    from syncd.reports.conversation import show

    settings = context.settings
    answer = show(door, settings.timezone, settings.custom_fields, arguments.id)
    if chosen_format(arguments, context) == "json":
        from syncd.cli.output import print_json

        print_json(answer)
    else:
        sys.stdout.writelines(f"{line}\n" for line in _text(answer, settings.currency))
    return EXIT_OK


def _text(answer: Mapping[str, Any], currency: str) -> Iterator[str]:
    """Yield the lines of a timeline."""
    legs = answer["legs"]
    seen = sum(not leg["elsewhere"] for leg in legs)
    yield f"Conversation {answer['conversation']}: {seen} {'leg' if seen == 1 else 'legs'}"
    for leg in legs:
        yield ""
        if leg["elsewhere"]:
            yield "  … continued elsewhere"
        else:
            yield from _leg(leg, currency)


def _leg(leg: Mapping[str, Any], currency: str) -> Iterator[str]:
    start = leg["started_at"]
    head = [f"{start[:10]} {_when(leg)}"]
    if leg["direction"]:
        head.append(leg["direction"])
    if leg["how"]:
        head.append(" + ".join(leg["how"]))
    if leg["purpose"] == "private":
        head.append("private")
    if leg["hunt_pilot"]:
        head.append(f"by {leg['hunt_pilot']}")
    yield f"{', '.join(head)}"
    if leg["from"] or leg["to"]:
        yield f"  {_who(leg['from'])} → {_who(leg['to'])}"
    for party in leg["others"]:
        about = f", about {party['about']}" if party["about"] else ""
        yield f"  {SIDE_WORDS[party['side']]} {_who(party)}{about}"
    if leg["went_on"]:
        yield f"  goes on: {leg['went_on']}"
    for charge in leg["charges"]:
        cost = "no price" if charge["cost"] is None else f"{charge['cost']} {currency}"
        yield (
            f"  charged to {charge['person'] or 'nobody by name'} ({charge['line_id']}):"
            f" {charge['seconds']} s, {cost}: {charge['why']}"
        )
    if leg["free"]:
        yield f"  {leg['free']}"
    if leg["reason"]:
        yield f"  no call: {leg['reason']} (syncd explain {leg['record']})"


def _when(leg: Mapping[str, Any]) -> str:
    """Return from when to when, as far as it is known, on the clock of the zone."""
    start, answered, ended = leg["started_at"], leg["answered_at"], leg["ended_at"]
    if ended is None:
        return f"{start[11:19]}"
    if answered is None:
        return f"{start[11:19]} to {ended[11:19]}, {leg['disposition'] or 'not connected'}"
    rang = "" if answered == start else f" rang, {answered[11:19]}"
    return f"{start[11:19]}{rang} to {ended[11:19]}, {leg['duration']} s"


def _who(party: Mapping[str, Any] | None) -> str:
    """Return a party as people read it: name and line, else the number."""
    from syncd.calls.trunks import is_bridge

    if party is None:
        return "somebody"
    if party["line_id"] is None:
        number = str(party["number"] or "unknown number")
        return f"conference {number}" if is_bridge(number) else number
    name = party["person"] or "nobody by name"
    device = f" on {party['device']}" if party["device"] else ""
    return f"{name} ({party['line_id']}{device})"
