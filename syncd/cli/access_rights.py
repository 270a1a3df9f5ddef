"""Say who may see what and why, set it, and show who looked and who changed something."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from syncd.cli.access import add_format, add_viewer, chosen_format, policy
from syncd.cli.administration import open_application
from syncd.cli.admission import actor
from syncd.cli.context import Context, common_options
from syncd.domain.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncd.application.composition import Application
    from syncd.directory.people.edit import Surroundings
    from syncd.reports.scope import Door

ACTIONS = {
    "list": "list who has which level, and from where (the default)",
    "explain": "say what somebody sees and why, or why not",
    "set": "give somebody a level and what goes with it, and keep the directory from it",
    "log": "show who ran which report on what, and when",
    "audit": "show who changed levels, locks, names, months and the like",
}
LEVELS = (0, 2, 6, 8, 10)
BASES = {"department": "department", "cost-center": "cost_center", "office": "office_location"}
LIMIT = 200
"""Entries of a log that fill some screens."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    made: dict[str, argparse.ArgumentParser] = {}
    for name, what in ACTIONS.items():
        made[name] = actions.add_parser(
            name, help=what, parents=[common_options()], allow_abbrev=False
        )
        add_viewer(made[name], again=True)
        add_format(made[name], again=True)
    add_viewer(parser)
    add_format(parser)
    made["list"].add_argument("--all", action="store_true", help="also who sees nothing")
    made["list"].add_argument("--level", type=int, choices=LEVELS, help="only who has this level")
    explain = made["explain"]
    explain.add_argument("user", metavar="USER", help="username, SOURCE:USER or #id")
    explain.add_argument(
        "about",
        nargs="?",
        metavar="CALL|PERSON|REPORT",
        help="the id of a call or conversation, a person or a report; call:, person: or report:"
        " before it says which",
    )
    _add_set(made["set"])
    for name in ("log", "audit"):
        made[name].add_argument("--from", dest="first", metavar="DAY", help="first day")
        made[name].add_argument("--to", dest="end", metavar="DAY", help="the day after the last")
        made[name].add_argument(
            "--limit",
            type=int,
            default=LIMIT,
            metavar="N",
            help=f"the latest N (default {LIMIT}, 0 for all)",
        )
    made["log"].add_argument("--viewer", dest="whose", metavar="USER", help="of this viewer alone")
    made["log"].add_argument("--report", metavar="NAME", help="of this report or verb alone")
    made["audit"].add_argument("--person", metavar="USER", help="changes of this person alone")


def _add_set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("user", metavar="USER", help="username, SOURCE:USER or #id")
    parser.add_argument("--level", type=int, choices=LEVELS, help="the permission level")
    parser.add_argument(
        "--basis", choices=(*BASES, "default"), help="what level 6 goes by; default: the INI's"
    )
    parser.add_argument(
        "--additional", metavar="A;B", help="further departments with level 6; '' for none"
    )
    parser.add_argument(
        "--masked-digits", type=int, metavar="N", help="last digits of outside numbers to hide"
    )
    parser.add_argument("--reason", required=True, help="why, for whoever wonders")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Do it."""
    application, door = open_application(arguments, context, "access")
    action = arguments.action or "list"
    as_json = chosen_format(arguments, context) == "json"
    if action == "set":
        return _set(application, arguments, context)
    if action == "explain":
        return _explain(arguments, context, door, as_json=as_json)
    if action == "log":
        return _log(arguments, context, door, as_json=as_json)
    if action == "audit":
        return _audit(arguments, context, door, as_json=as_json)
    return _list(arguments, context, door, as_json=as_json)


def _list(arguments: argparse.Namespace, context: Context, door: Door, *, as_json: bool) -> int:
    from syncd.cli.output import print_list
    from syncd.reports.access import standings
    from syncd.reports.render.table import Column

    settings = context.settings
    rows = standings(
        settings.directories,
        settings.reports.level6_basis,
        level=getattr(arguments, "level", None),
        everybody=getattr(arguments, "all", False),
    )
    door.note_rows(len(rows))
    columns = {
        "username": Column("Username"),
        "person": Column("Person"),
        "level": Column("Level", right=True),
        "name": Column("Sees"),
        "basis": Column("By"),
        "additional_departments": Column("Additional departments"),
        "masked_digits": Column("Masked", right=True),
        "from": Column("From"),
        "state": Column(""),
    }
    if not as_json:
        for row in rows:
            row["additional_departments"] = "; ".join(row["additional_departments"]) or None
            row["masked_digits"] = row["masked_digits"] or None
            row["state"] = None if row["enabled"] else "disabled: sees nothing"
    print_list(rows, columns, as_json=as_json, empty="nobody has a level above 0")
    return EXIT_OK


def _explain(arguments: argparse.Namespace, context: Context, door: Door, *, as_json: bool) -> int:
    from syncd.application.reports import environment
    from syncd.cli.output import print_json
    from syncd.reports.access_explained import Asked, explain_access

    settings = context.settings
    asked = Asked(door, policy(context), environment(settings, context.now()), settings.directories)
    answer = explain_access(asked, arguments.user, arguments.about)
    door.note_rows(1)
    if as_json:
        print_json(answer)
    else:
        _print_explained(answer)
    return EXIT_OK


def _print_explained(answer: Mapping[str, Any]) -> None:
    from syncd.reports.render.table import cell_text

    viewer, about = answer["viewer"], answer["about"]
    lines = [
        f"{viewer['username'] or viewer['person']}: level {viewer['level']}, {viewer['name']}"
        f" ({viewer['from']})",
        *(f"  {sentence}" for sentence in answer["sees"]),
    ]
    if about is None:
        if viewer["opens"]:
            lines.append(f"  Reports that open: {', '.join(viewer['opens'])}.")
    elif "report" in about:
        lines.append(f"{about['report']} {_verdict(about['opens'], 'opens', 'does not open')}")
        lines.append(f"  {about['why']}")
    elif "times" in about:
        lines.append(f"Calls of {about['person']}:")
        for time in about["times"]:
            since = "from the beginning" if time["from"] is None else f"from {time['from'][:10]}"
            until = "" if time["to"] is None else f" to {time['to'][:10]}"
            lines.append(
                f"  {since}{until}: {_verdict(time['seen'], 'seen', 'not seen')}: {time['why']}"
            )
        if not about["times"]:
            lines.append("  there was never a line or a department of theirs")
    else:
        lines.append(f"Conversation {about['conversation']}:")
        for row in about["rows"]:
            who = f"{row['person'] or 'nobody by name'} ({row['line_id']})"
            when = row["started_at"][:19].replace("T", " ")
            lines.append(f"  {row['call']}, {when}, {row['side']} side of {who}")
            lines.append(f"    {_verdict(row['seen'], 'seen', 'not seen')}: {row['why']}")
        if not about["rows"]:
            lines.append("  no record of it became a call: that is for level 10 alone")
    sys.stdout.writelines(f"{cell_text(line)}\n" for line in lines)


def _verdict(good: bool, yes: str, no: str) -> str:
    return yes if good else no


def _set(application: Application, arguments: argparse.Namespace, context: Context) -> int:
    """Set what was given, each field locked where the directory fills it."""
    from syncd.application.people import change_person
    from syncd.cli.output import print_json, say
    from syncd.directory.people import edit
    from syncd.directory.people.find import called, find_person, mapped_fields
    from syncd.reports.access import FIELDS

    wanted = {
        "permission_level": None if arguments.level is None else str(arguments.level),
        "level6_basis": None if arguments.basis is None else BASES.get(arguments.basis, ""),
        "additional_departments": arguments.additional,
        "masked_digits": None if arguments.masked_digits is None else str(arguments.masked_digits),
    }
    given = {field: text for field, text in wanted.items() if text is not None}
    if not given:
        raise UsageError("nothing says what to set", "--level, --basis, --additional or …")
    reason = " ".join(arguments.reason.split())
    if not reason:
        raise UsageError("a change of what somebody may see needs a reason", "--reason")

    def work(around: Surroundings) -> dict[str, tuple[str, str]]:
        party = find_person(arguments.user)
        mapped = mapped_fields(party, around.directories)
        before = {field: str(getattr(party, field)) for field in FIELDS}
        for field, text in given.items():
            if field in mapped:
                edit.lock_field(party, field, text, reason, around)
            else:
                edit.set_field(party, field, text, around)
        party = find_person(arguments.user)
        return {
            field: (before[field], str(getattr(party, field)))
            for field in FIELDS
            if before[field] != str(getattr(party, field))
        } | {"": (called(party), "; ".join(sorted(set(given) & set(mapped))))}

    changed = change_person(
        application, actor(arguments, context), "access set", arguments.user, work, reason=reason
    )
    who, locked = changed.pop("")
    if chosen_format(arguments, context) == "json":
        print_json(
            [
                {"who": who, "field": field, "old": old, "new": new}
                for field, (old, new) in changed.items()
            ]
        )
    for field, (old, new) in changed.items():
        say(f"{who}: {field} {old or 'none'} → {new or 'none'}, from now on")
    if not changed:
        say("nothing changed")
    if locked:
        say(f"kept from the directory until syncd person unlock {who}: {locked}")
    return EXIT_OK


def _span(arguments: argparse.Namespace, context: Context, days: int) -> tuple[int, int]:
    """Return from when to when (epoch seconds); without a first day so many days back."""
    from datetime import datetime

    from syncd.domain.days import Days, day_number
    from syncd.reports.specification import parse_day

    zone = context.settings.timezone
    today = datetime.fromtimestamp(context.now(), zone).date()
    end = today + timedelta(days=1)
    if arguments.end is not None:
        end = parse_day(arguments.end, "--to")
    first = end - timedelta(days=days)
    if arguments.first is not None:
        first = parse_day(arguments.first, "--from")
    if first >= end:
        raise UsageError(f"from {first} to before {end} there is no day")
    if arguments.limit < 0:
        raise UsageError("--limit is less than nothing", "a number of entries, 0 for all")
    clock = Days(zone)
    return clock.start(day_number(first)), clock.start(day_number(end))


def _log(arguments: argparse.Namespace, context: Context, door: Door, *, as_json: bool) -> int:
    from syncd.cli.output import print_list
    from syncd.domain.clock import iso
    from syncd.reports.access_log import accesses
    from syncd.reports.render.table import Column

    start, stop = _span(arguments, context, 30)
    zone = context.settings.timezone
    rows = [
        {**one._asdict(), "at": iso(one.at, zone)}
        for one in accesses(
            start,
            stop,
            door,
            viewer=arguments.whose,
            report=arguments.report,
            limit=arguments.limit or None,
        )
    ]
    door.note_rows(len(rows))
    columns = {
        "at": Column("When"),
        "viewer": Column("Viewer"),
        "level": Column("Level", right=True),
        "report": Column("Report"),
        "specification": Column("What was asked"),
        "rows": Column("Rows", right=True),
    }
    print_list(rows, columns, as_json=as_json, empty="nobody looked at anything")
    return EXIT_OK


def _audit(arguments: argparse.Namespace, context: Context, door: Door, *, as_json: bool) -> int:
    from syncd.cli.output import print_list
    from syncd.directory.people.find import find_person
    from syncd.domain.clock import iso
    from syncd.reports.audit import audited
    from syncd.reports.render.table import Column

    start, stop = _span(arguments, context, 365)
    of = None if arguments.person is None else find_person(arguments.person).id
    zone = context.settings.timezone
    rows = [
        {**one._asdict(), "at": iso(one.at, zone)}
        for one in audited(start, stop, door, of=of, limit=arguments.limit or None)
    ]
    door.note_rows(len(rows))
    columns = {
        "at": Column("When"),
        "actor": Column("Who"),
        "account": Column("Account"),
        "action": Column("Did"),
        "subject": Column("Of"),
        "field": Column("Field"),
        "old": Column("Was"),
        "new": Column("Is"),
        "reason": Column("Why"),
    }
    print_list(rows, columns, as_json=as_json, empty="nothing was changed by hand")
    return EXIT_OK
