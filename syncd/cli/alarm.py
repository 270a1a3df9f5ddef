"""Show alarms and what they told whom, and try one: list, test, log."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncd.cli.access import add_viewer
from syncd.cli.administration import open_application
from syncd.cli.context import Context, common_options
from syncd.domain.errors import EXIT_OK, UserError

if TYPE_CHECKING:
    from syncd.application.composition import Application
    from syncd.reports.scope import Door

MOST = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    for name, what in (
        ("list", "list the alarms and when each told somebody last (the default)"),
        ("test", "say what an alarm would tell whom now; nothing is sent or remembered"),
        ("log", "list what was told to whom"),
    ):
        action = actions.add_parser(name, help=what, parents=[common_options()])
        if name != "list":
            number = "?" if name == "log" else None
            action.add_argument("name", nargs=number, metavar="NAME", help="the alarm")
        if name == "test":
            action.add_argument(
                "--dry-run",
                type=Path,
                metavar="FOLDER",
                help="write the messages as files into this folder",
            )
        add_viewer(action, again=True)
    add_viewer(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """List alarms, try one, or say what was told."""
    application, door = open_application(arguments, context, "alarm")
    if arguments.action == "test":
        return _test(arguments, context, application, door)
    if arguments.action == "log":
        return _log(arguments, context, application, door)
    return _list(context, door)


def _list(context: Context, door: Door) -> int:
    from syncd.cli.output import print_list
    from syncd.domain.clock import iso
    from syncd.reports.render.table import Column
    from syncd.store.alarms import last_told

    last, zone = last_told(), context.settings.timezone
    rows: list[dict[str, Any]] = [
        {
            "name": alarm.name,
            "on": alarm.on,
            "notify": "; ".join(map(str, alarm.notify)),
            "last_at": iso(last[alarm.name], zone) if alarm.name in last else None,
        }
        for alarm in context.settings.mailing.alarms.values()
    ]
    door.note_rows(len(rows))
    columns = {
        "name": Column("Alarm"),
        "on": Column("On"),
        "notify": Column("Told to"),
        "last_at": Column("Last"),
    }
    print_list(rows, columns, as_json=context.json, empty="no alarm is set")
    return EXIT_OK


def _test(
    arguments: argparse.Namespace, context: Context, application: Application, door: Door
) -> int:
    from syncd.application.alarms import alarm_named, try_alarm
    from syncd.cli.output import print_json, say

    # What others get may be more than this viewer sees: digits, private numbers.
    everything = door.viewer.party_id == 0
    if arguments.dry_run is not None and not everything:
        raise UserError("the messages of others are for the local administrator", "leave --as out")
    outcome = try_alarm(application, alarm_named(application, arguments.name))
    door.note_rows(outcome.messages)
    if context.json:
        print_json(
            [
                {
                    "recipient": one.recipient,
                    "count": len(one.told.events) if one.told else 0,
                    "events": [event.line for event in one.told.events]
                    if one.told and everything
                    else None,
                    "refusal": one.refusal or None,
                }
                for one in outcome.raised
            ]
        )
    for one in outcome.raised:
        where = ""
        if one.told is not None and arguments.dry_run is not None:
            where = f": {one.told.message.save(arguments.dry_run)}"
        if context.json:
            continue
        if one.refusal:
            say(f"{one.recipient}: nothing, {one.refusal}")
        elif one.told is None:
            say(f"{one.recipient}: nothing now")
        else:
            say(f"{one.recipient}: {one.told.message.subject}{where}")
            for event in one.told.events if everything else ():
                say(f"  {event.line}")
    if not context.json:
        count = outcome.messages
        what = "message" if count == 1 else "messages"
        say(f"{count} {what} would be written, nothing was told before")
    return EXIT_OK


def _log(
    arguments: argparse.Namespace, context: Context, application: Application, door: Door
) -> int:
    from syncd.application.alarms import alarm_named
    from syncd.cli.output import print_list
    from syncd.domain.clock import iso
    from syncd.reports.render.table import Column
    from syncd.store.alarms import messages

    if arguments.name is not None:
        alarm_named(application, arguments.name)
    rows = messages(arguments.name, MOST)
    door.note_rows(len(rows))
    for row in rows:
        row["at"] = iso(row["at"], context.settings.timezone)
    columns = {
        "at": Column("Written"),
        "alarm": Column("Alarm"),
        "recipient": Column("To"),
        "events": Column("Events", right=True),
        "state": Column("State"),
        "reason": Column("What the server said"),
    }
    print_list(rows, columns, as_json=context.json, empty="no alarm told anybody yet")
    return EXIT_OK
