"""List, show and change people: fields, locks, numbers and departments of an earlier time."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from syncd.cli.access import add_viewer
from syncd.cli.administration import open_application
from syncd.cli.admission import actor
from syncd.cli.confirmation import confirmed
from syncd.cli.context import Context, common_options
from syncd.domain.clock import BEGINNING, FOREVER
from syncd.domain.codes import Role
from syncd.domain.errors import EXIT_FAILED, EXIT_OK, UsageError

if TYPE_CHECKING:
    from syncd.application.composition import Application
    from syncd.directory.people.backdate import Rewrite
    from syncd.directory.people.edit import Surroundings

ACTIONS = {
    "list": "list the people (the default)",
    "show": "show the fields of a person and where each comes from",
    "history": "show every change of a person with its run, and who they were when",
    "add": "add a person that no directory knows",
    "set": "set a field that no directory fills",
    "lock": "set a field that the directory fills, and keep the sync from it",
    "unlock": "leave a field to the directory again",
    "assign": "give a number since an earlier time; the calls follow",
    "anonymise": "make somebody nobody: their calls stay with the department",
    "move": "give a department, cost center or office since an earlier time; the calls follow",
}
ROLE_WORDS = ("first", "other", "fax", "voicemail", "alias", "offnet-fax")
PLACES = {
    "department": "department",
    "cost-center": "cost_center",
    "office": "office_location",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    made: dict[str, argparse.ArgumentParser] = {}
    for name, what in ACTIONS.items():
        made[name] = actions.add_parser(
            name, help=what, parents=[common_options()], allow_abbrev=False
        )
        add_viewer(made[name], again=True)
        if name != "list":
            made[name].add_argument("name", metavar="NAME", help="username, SOURCE:USER or #id")
    add_viewer(parser)
    made["list"].add_argument("--all", action="store_true", help="those who left, too")
    made["add"].add_argument("fields", nargs="*", metavar="FIELD=VALUE")
    for name in ("set", "lock", "unlock"):
        made[name].add_argument("field", metavar="FIELD")
    for name in ("set", "lock"):
        made[name].add_argument("value", metavar="VALUE", help="several are separated by ;")
    made["lock"].add_argument("--reason", required=True, help="why, for whoever wonders")
    assign, move = made["assign"], made["move"]
    assign.add_argument("number", metavar="NUMBER")
    assign.add_argument("--role", choices=ROLE_WORDS, default="first", help="(default: first)")
    for name, field in PLACES.items():
        move.add_argument(f"--{name}", dest=field, metavar="NAME")
    for action in (assign, move):
        action.add_argument(
            "--since",
            required=True,
            metavar="DATE",
            help="the first day, as 2026-03-01, or beginning",
        )
        action.add_argument("--dry-run", action="store_true", help="say what would move, no more")
        action.add_argument("--yes", action="store_true", help="do not ask")
    nobody = made["anonymise"]
    nobody.add_argument("--dry-run", action="store_true", help="say what there is, no more")
    nobody.add_argument("--yes", action="store_true", help="do not ask")
    nobody.add_argument(
        "--although-present",
        action="store_true",
        help="also somebody whom a directory has still, and will bring as somebody new",
    )
    nobody.add_argument(
        "--although-open",
        action="store_true",
        help="also when a month that is over is open, and allowances or flat charges need them",
    )
    assign.add_argument(
        "--until", metavar="DATE", help="the first day on which it is theirs no more"
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Do it."""
    application, door = open_application(arguments, context, "person")
    action = arguments.action or "list"
    if action in ("list", "show", "history"):
        from syncd.cli import person_view

        return person_view.show(action, arguments, context, door)
    if action == "assign":
        return _back_date(application, arguments, context, _assignment(arguments, context))
    if action == "anonymise":
        from syncd.cli.person_anonymise import anonymise

        return anonymise(application, arguments, context)
    if action == "move":
        return _back_date(application, arguments, context, _move(arguments, context))
    return _change(action, application, arguments, context)


def _change(
    action: str, application: Application, arguments: argparse.Namespace, context: Context
) -> int:
    """Change fields of today, and say on stderr what else follows from it; with --json it is data."""
    from syncd.application.people import change_person
    from syncd.cli.output import print_json, say
    from syncd.directory.people import edit
    from syncd.directory.people.find import find_person

    def work(around: Surroundings) -> Any:
        if action == "add":
            return edit.add_person(arguments.name, _fields(arguments.fields), around)
        party = find_person(arguments.name)
        if action == "set":
            return edit.set_field(party, arguments.field, arguments.value, around)
        if action == "lock":
            return edit.lock_field(
                party, arguments.field, arguments.value, arguments.reason, around
            )
        return edit.unlock_field(party, arguments.field, around)

    decided = change_person(
        application,
        actor(arguments, context),
        f"person {action}",
        arguments.name,
        work,
        reason=getattr(arguments, "reason", ""),
        new=action == "add",
    )
    if context.json:
        made = () if decided is None else decided.differences
        names = ("who", "what", "field", "old", "new")
        print_json([{name: str(getattr(one, name)) for name in names} for one in made])
    if decided is None:
        say(f"{arguments.field} is the directory's again from the next sync on")
        return EXIT_OK
    for difference in decided.differences:
        text = f": {difference.field} {difference.old!r} → {difference.new!r}"
        say(f"{difference.who} {difference.what}{text if difference.field else ''}")
    for warning in decided.warnings:
        say(f"warning: {warning}")
    if not decided.differences:
        say("nothing else changed" if action == "lock" else "nothing changed")
    return EXIT_OK


def _fields(texts: list[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        field, separator, value = text.partition("=")
        if not separator:
            raise UsageError(f"{text!r} is not FIELD=VALUE")
        found[field.strip()] = value
    return found


def _assignment(
    arguments: argparse.Namespace, context: Context
) -> Callable[[Surroundings], Rewrite]:
    from syncd.directory.people.backdate import plan_assign
    from syncd.directory.people.find import find_person

    since = _moment(arguments.since, context)
    until = FOREVER if arguments.until is None else _moment(arguments.until, context)
    role = Role(Role.of(arguments.role))

    def plan(around: Surroundings) -> Rewrite:
        party = find_person(arguments.name)
        return plan_assign(party, arguments.number, role, since, until, around)

    return plan


def _move(arguments: argparse.Namespace, context: Context) -> Callable[[Surroundings], Rewrite]:
    from syncd.directory.people.backdate import plan_move
    from syncd.directory.people.find import find_person

    since = _moment(arguments.since, context)
    changes = {
        field: " ".join(text.split())
        for field in PLACES.values()
        if (text := getattr(arguments, field)) is not None
    }
    if not changes:
        options = " or ".join(f"--{name}" for name in PLACES)
        raise UsageError("nothing says where to", f"{options} does")

    def plan(around: Surroundings) -> Rewrite:
        return plan_move(find_person(arguments.name), changes, since, around)

    return plan


def _moment(text: str, context: Context) -> int:
    """Return the beginning of a day (epoch seconds). Raises UsageError when it is none."""
    from syncd.domain.days import Days, day_number

    if text.strip().casefold() == "beginning":
        return BEGINNING
    try:
        day = day_number(date.fromisoformat(text.strip()))
    except ValueError as error:
        raise UsageError(f"{text!r} is not a date", "such as 2026-03-01, or beginning") from error
    return Days(context.settings.timezone).start(day)


def _back_date(
    application: Application,
    arguments: argparse.Namespace,
    context: Context,
    plan: Callable[[Surroundings], Rewrite],
) -> int:
    """Show which calls would move and from whom, ask, then do it."""
    from syncd.application.people import carry_out, plan_rewrite, surroundings
    from syncd.cli import person_view
    from syncd.cli.output import say
    from syncd.store.audit import Changed, enter
    from syncd.store.database import write_transaction

    with application.connected():
        planned = plan_rewrite(application, plan(surroundings(application)))
    person_view.print_moves(planned.moves, context)
    if arguments.dry_run:
        return EXIT_OK
    if not arguments.yes and not confirmed("this changes whose past calls are"):
        say("nothing was changed")
        return EXIT_FAILED
    done = carry_out(application, plan)
    with application.connected(), write_transaction():
        changes = [
            Changed(party or 0, field, old, new)
            for party, _, field, old, new in planned.rewrite.notes
        ]
        enter(actor(arguments, context), f"person {arguments.action}", changes, application.clock())
    say(f"{done.calls} calls moved, {done.records} records were decided again")
    return EXIT_OK
