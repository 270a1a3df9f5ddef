"""Let two spellings of a department, cost center or office be one: list, rename, merge."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from syncd.cli.access import add_viewer
from syncd.cli.administration import open_application
from syncd.cli.context import Context, common_options
from syncd.domain.errors import EXIT_OK

if TYPE_CHECKING:
    from syncd.directory.people.edit import Surroundings
    from syncd.reports.scope import Door

KINDS = {
    "department": "department",
    "cost-center": "cost_center",
    "office": "office_location",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    for name, what in (
        ("list", "list the names, with those that are one (the default)"),
        ("rename", "show a name as another from now on; its past stays with it"),
        ("merge", "let two names be one, the second"),
    ):
        action = actions.add_parser(name, help=what, parents=[common_options()])
        if name != "list":
            action.add_argument("old", metavar="OLD")
            action.add_argument("new", metavar="NEW")
        _add_options(action)
    _add_options(parser)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--kind",
        choices=list(KINDS),
        default="department",
        help="what the names are of (default: department)",
    )
    add_viewer(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """List the names, or make two of them one."""
    application, door = open_application(arguments, context, "department")
    kind = KINDS[arguments.kind]
    if arguments.action in (None, "list"):
        return _list(kind, context, door)

    from syncd.application.people import change
    from syncd.cli.output import say
    from syncd.directory.people import names

    work = names.rename if arguments.action == "rename" else names.merge

    def make_one(around: Surroundings) -> None:
        work(kind, arguments.old, arguments.new, around.command, around.now)

    change(application, make_one)
    say(f"{arguments.old} is {arguments.new} now in every report; calls keep the text they had")
    return EXIT_OK


def _list(kind: str, context: Context, door: Door) -> int:
    from syncd.cli.output import print_list
    from syncd.directory.people.names import known_names
    from syncd.reports.render.table import Column

    rows = [{"name": one.text, "also": "; ".join(one.also) or None} for one in known_names(kind)]
    door.note_rows(len(rows))
    columns = {"name": Column("Name"), "also": Column("One with it")}
    print_list(rows, columns, as_json=context.json, empty="no name is known yet")
    return EXIT_OK
