"""Reports that are sent again and again: list, add, show, remove, pause, run, log."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from syncd.cli.access import add_viewer, open_report_door
from syncd.cli.administration import command_line
from syncd.cli.context import Context, common_options
from syncd.cli.dry_run import add_dry_run, chosen_folder
from syncd.domain.errors import EXIT_FAILED, EXIT_OK, UsageError, UserError
from syncd.settings.mailing import CHOICES, FORMS

if TYPE_CHECKING:
    from syncd.application.composition import Application
    from syncd.application.schedules import ScheduleOutcome
    from syncd.reports.scheduled import ScheduledReport
    from syncd.reports.scope import Door

REPORT = "schedule"
MANAGEMENT = 10
MOST = 100
ACTIONS = (
    ("list", "list the schedules and when each is due (the default)"),
    ("add", "have a report sent again and again"),
    ("show", "show one schedule and who gets it now"),
    ("remove", "remove a schedule"),
    ("pause", "send nothing until it is resumed"),
    ("resume", "send again"),
    ("run", "send a report now, whatever its time"),
    ("log", "list what was sent to whom, and what was not"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    for name, what in ACTIONS:
        action = actions.add_parser(name, help=what, parents=[common_options()])
        if name not in ("list",):
            optional = {"nargs": "?"} if name == "log" else {}
            action.add_argument(
                "name",
                metavar="NAME",
                help="the schedule; OWNER/NAME where several people have one of the name",
                **optional,  # type: ignore[arg-type]
            )
        if name == "add":
            _add_options(action)
        if name == "run":
            add_dry_run(action, "send nothing")
        add_viewer(action, again=True)
    add_viewer(parser)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "report",
        metavar="REPORT",
        help="the report and what is asked of it, as one word: 'by-person --period last-month'",
    )
    parser.add_argument(
        "--when",
        required=True,
        metavar="WHEN",
        help="such as 'daily at 07:00', 'weekly on monday at 07:00', 'monthly on 1 at 07:00', or a"
        " cron line",
    )
    parser.add_argument(
        "--send-as",
        dest="form",
        choices=FORMS,
        default="table",
        help="a table in the message, or what is attached to it (default: table)",
    )
    parser.add_argument(
        "--to",
        dest="recipients",
        default="me",
        metavar="WHO",
        help="who gets it, separated by semicolons, as in [schedule:NAME] recipients; others than"
        " yourself are for level 10 (default: me)",
    )
    parser.add_argument(
        "--addresses-as",
        dest="reader",
        default="",
        metavar="USER",
        help="what plain addresses get: what this user may see (default: what you may)",
    )
    parser.add_argument("--subject", default="", metavar="TEXT", help="of the message")
    parser.add_argument(
        "--empty", choices=CHOICES, default="send", help="what becomes of an empty report"
    )
    parser.add_argument(
        "--missed",
        choices=CHOICES,
        default="send",
        help="whether it is sent late when nothing ran at its time",
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """List, make, change, run schedules, or say what was sent."""
    from syncd.application.composition import Application

    arguments.action = arguments.action or "list"
    door = open_report_door(arguments, context, REPORT, command_line(arguments, "schedule"))
    application = Application(context.settings, context.database(), command="syncd schedule")
    if arguments.action == "add":
        return _add(arguments, context, door)
    if arguments.action == "list":
        return _list(context, door)
    if arguments.action == "log":
        return _log(arguments, context, door)
    chosen = _chosen(arguments.name, context, door)
    if arguments.action == "show":
        return _show(chosen, context, door)
    if arguments.action == "run":
        return _run(chosen, arguments, context, application, door)
    return _change(chosen, arguments.action)


def _visible(context: Context, door: Door) -> list[ScheduledReport]:
    """Return the schedules that are for who opened the door: their own, at level 10 all."""
    from syncd.application.schedules import scheduled_reports

    everything = scheduled_reports(context.settings)
    if door.viewer.level >= MANAGEMENT:
        return everything
    return [one for one in everything if not one.of_settings and one.owner == door.viewer.party_id]


def _chosen(name: str, context: Context, door: Door) -> ScheduledReport:
    """Return the schedule of a name. Raises UsageError."""
    from syncd.domain.party import name_key
    from syncd.store.schedules import owner_names

    visible = _visible(context, door)
    owners = owner_names(one.owner for one in visible)
    named = [one for one in visible if name_key(one.name) == name_key(name)]
    if "/" in name and not named:
        owner, _, own = name.partition("/")
        named = [
            one
            for one in visible
            if name_key(one.name) == name_key(own)
            and name_key(_owner(one, owners)) == name_key(owner)
        ]
    mine = [one for one in named if one.owner == door.viewer.party_id and not one.of_settings]
    if len(named) > 1 and len(mine) == 1:
        named = mine
    if not named:
        known = ", ".join(one.name for one in visible) or "there is none yet"
        raise UsageError(f"there is no schedule {name!r}", f"known: {known}")
    if len(named) > 1:
        hint = " or ".join(f"{_owner(one, owners)}/{one.name}" for one in named)
        raise UsageError(f"several schedules are called {name!r}", f"write {hint}")
    return named[0]


def _owner(one: ScheduledReport, owners: dict[int, str]) -> str:
    return "settings" if one.of_settings else owners.get(one.owner, "administrator")


def _report(one: ScheduledReport, door: Door) -> str:
    """Return what a schedule asks for, as a reader gets it: what others filter by is masked, for the
    log tells how many rows they were sent."""
    from syncd.reports.scope import asked_for

    own = one.owner == door.viewer.party_id and not one.of_settings
    return one.report if own else asked_for(door)(one.report)


def _list(context: Context, door: Door) -> int:
    from syncd.cli.output import print_list
    from syncd.domain.clock import iso
    from syncd.reports.render.table import Column
    from syncd.store.schedules import due_at, owner_names

    visible = _visible(context, door)
    owners = owner_names(one.owner for one in visible)
    rows: list[dict[str, Any]] = []
    zone, now = context.settings.timezone, context.now()
    for one in visible:
        due = due_at(one.key, str(one.when)) or one.when.next_after(now, zone)
        rows.append(
            {
                "name": one.name,
                "owner": _owner(one, owners),
                "report": _report(one, door),
                "when": str(one.when),
                "format": one.form,
                "recipients": [str(item) for item in one.recipients],
                "next_at": None if one.paused else iso(due, zone),
                "paused": one.paused,
            }
        )
    door.note_rows(len(rows))
    if context.json:
        from syncd.cli.output import print_json

        print_json(rows)
        return EXIT_OK
    for row in rows:
        row["recipients"] = "; ".join(row["recipients"])
    columns = {
        "name": Column("Schedule"),
        "owner": Column("Of"),
        "report": Column("Report"),
        "when": Column("When"),
        "format": Column("As"),
        "recipients": Column("To"),
        "next_at": Column("Next", absent="paused"),
    }
    print_list(rows, columns, as_json=False, empty="no report is sent by schedule")
    return EXIT_OK


def _add(arguments: argparse.Namespace, context: Context, door: Door) -> int:
    from syncd.application.reports import policy
    from syncd.application.schedule_making import add_schedule, wish
    from syncd.cli.output import print_json, say
    from syncd.domain.clock import iso

    wanted = wish(
        arguments.name,
        arguments.report,
        arguments.when,
        arguments.form,
        arguments.recipients,
        reader=arguments.reader,
        subject=arguments.subject,
        empty=arguments.empty,
        missed=arguments.missed,
        owner=door.viewer.party_id,
    )
    following = add_schedule(
        context.settings, wanted, door.viewer, policy(context.settings), context.now()
    )
    first = iso(following, context.settings.timezone)
    if context.json:
        print_json({"name": wanted.name, "next_at": first})
    else:
        say(f"{wanted.name} is sent first at {first}")
        for row in _recipients(wanted, context):
            if row["refusal"]:
                say(f"{row['recipient']} gets nothing as it is now: {row['refusal']}")
    if not context.settings.finance.mail.server:
        say("nothing is sent yet: there is no [mail] server")
    return EXIT_OK


def _recipients(one: ScheduledReport, context: Context) -> list[dict[str, str | None]]:
    """Return who would get a schedule now, and why somebody would not."""
    from syncd.reports.recipients import addressees

    basis = context.settings.reports.level6_basis
    return [
        {
            "recipient": found.address or found.who,
            "as": found.who,
            "refusal": found.refusal or None,
        }
        for found in addressees(one.recipients, one.owner, one.reader, basis)
    ]


def _show(one: ScheduledReport, context: Context, door: Door) -> int:
    from syncd.cli.output import print_json, print_list, say
    from syncd.reports.render.table import Column

    rows = _recipients(one, context)
    door.note_rows(len(rows))
    described = {
        "name": one.name,
        "report": _report(one, door),
        "when": str(one.when),
        "format": one.form,
        "recipients": [str(item) for item in one.recipients],
        "addresses_as": one.reader or None,
        "subject": one.subject or None,
        "empty": one.empty,
        "missed": one.missed,
        "paused": one.paused,
    }
    if context.json:
        print_json({**described, "now": rows})
        return EXIT_OK
    for label, value in described.items():
        if value is not None:
            text = "; ".join(value) if isinstance(value, list) else value
            say(f"{label.replace('_', ' '):13} {'yes' if text is True else text or 'no'}")
    columns = {
        "recipient": Column("Recipient"),
        "as": Column("As"),
        "refusal": Column("Gets nothing"),
    }
    print_list(rows, columns, as_json=False, empty="nobody gets it now")
    return EXIT_OK


def _change(one: ScheduledReport, action: str) -> int:
    from syncd.cli.output import say
    from syncd.store.schedules import pause, remove

    if one.of_settings:
        raise UserError(
            f"{one.name} is a schedule of the settings", f"change [schedule:{one.name}] in the INI"
        )
    number = int(one.key.partition(":")[2])
    if action == "remove":
        remove(number)
        say(f"{one.name} is removed")
    else:
        pause(number, paused=action == "pause")
        say(f"{one.name} is {'paused' if action == 'pause' else 'sent again'}")
    return EXIT_OK


def _run(
    one: ScheduledReport,
    arguments: argparse.Namespace,
    context: Context,
    application: Application,
    door: Door,
) -> int:
    from syncd.application.schedules import FAILED, WRITTEN, send_now
    from syncd.cli.output import print_json, say

    dry_run = arguments.dry_run is not None
    if dry_run and door.viewer.party_id:
        # What others get may be more than this viewer sees: digits, private numbers.
        raise UserError("a dry run is for the local administrator", "leave --as out")
    outcome = send_now(application, one, dry_run=dry_run)
    door.note_rows(outcome.count(WRITTEN))
    if dry_run:
        folder = chosen_folder(arguments.dry_run, context.settings.state_directory)
        for sent in outcome.sent:
            if sent.message is not None:
                say(f"{sent.recipient}: {sent.message.save(folder)}")
    if context.json:
        print_json(_outcome_rows(outcome))
    else:
        for sent in outcome.sent:
            if sent.state != WRITTEN or sent.reason:
                say(f"{sent.recipient}: {sent.state}, {sent.reason}".replace(": ,", ":"))
        verb = "would be written" if dry_run else "written"
        count = outcome.count(WRITTEN)
        say(f"{count} {'message' if count == 1 else 'messages'} {verb}")
    if not dry_run and not context.settings.finance.mail.server:
        say("nothing is sent yet: there is no [mail] server")
    return EXIT_FAILED if outcome.count(FAILED) else EXIT_OK


def _outcome_rows(outcome: ScheduleOutcome) -> list[dict[str, Any]]:
    return [
        {
            "recipient": sent.recipient,
            "state": sent.state,
            "rows": sent.rows,
            "message": sent.reason or None,
        }
        for sent in outcome.sent
    ]


def _log(arguments: argparse.Namespace, context: Context, door: Door) -> int:
    from syncd.cli.output import print_list
    from syncd.domain.clock import iso
    from syncd.reports.render.table import Column
    from syncd.store.schedules import runs

    keys: list[str] | None = None
    if arguments.name is not None:
        keys = [_chosen(arguments.name, context, door).key]
    elif door.viewer.level < MANAGEMENT:
        keys = [one.key for one in _visible(context, door)]
    rows = runs(keys, MOST)
    door.note_rows(len(rows))
    for row in rows:
        for name in ("at", "planned_at"):
            row[name] = iso(row[name], context.settings.timezone)
    columns = {
        "at": Column("Made"),
        "schedule": Column("Schedule"),
        "recipient": Column("To"),
        "period": Column("Period"),
        "state": Column("State"),
        "rows": Column("Rows", right=True),
        "message": Column("Remark"),
    }
    print_list(rows, columns, as_json=context.json, empty="nothing was sent yet")
    return EXIT_OK
