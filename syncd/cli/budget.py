"""Show budgets and what was spent of them, and look at them now: list, show, history, check."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from syncd.cli.access import add_viewer, check_viewer, open_report_door
from syncd.cli.context import Context, common_options
from syncd.cli.dry_run import add_dry_run, chosen_folder
from syncd.domain.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from syncd.reports.scope import Door

REPORT = "budgets"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    for name, what in (
        ("list", "list what was spent in the periods of today (the default)"),
        ("show", "show one budget: whose it is, who is told, what was spent"),
        ("history", "list the periods that are over, too"),
        ("check", "look at all budgets now and write to who is to know"),
    ):
        action = actions.add_parser(name, help=what, parents=[common_options()])
        if name in ("show", "history"):
            number = None if name == "show" else "?"
            action.add_argument("name", nargs=number, metavar="NAME", help="the budget")
        if name == "check":
            add_dry_run(action, "remember and send nothing")
        add_viewer(action, again=True)
    add_viewer(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the state of budgets, or look at them."""
    if arguments.action == "check":
        return _check(arguments, context)
    from syncd.application.budgets import chosen
    from syncd.application.composition import Application
    from syncd.reports.permissions import Reach

    check_viewer(arguments, context)
    name = getattr(arguments, "name", None)
    application = Application(context.settings, context.database(), command="syncd budget")
    action = arguments.action or "list"
    door = open_report_door(arguments, context, REPORT, f"{action} {name or ''}".strip())
    if door.scope.reach is Reach.ALL:
        chosen(application, name)
    known = name is None or name in context.settings.finance.budgets
    rows = rows_for(door, context, name, past=action == "history") if known else []
    if name is not None and not rows and door.scope.reach is not Reach.ALL:
        # One sentence for what there is not and for what is of others: it tells of neither.
        raise UsageError(
            f"no budget {name!r} is available to {door.viewer.name}", "syncd budget lists yours"
        )
    if action == "show" and not context.json:
        _describe(context, door, str(name))
    show(rows, context, "json" if context.json else "table")
    return EXIT_OK


def rows_for(
    door: Door, context: Context, name: str | None = None, *, past: bool = False
) -> list[dict[str, Any]]:
    """Return the state of a budget, or of all, as who opened the door may see it."""
    from syncd.reports.budgets import budget_rows, company
    from syncd.store.database import read_transaction

    budgets = context.settings.finance.budgets
    wanted = budgets.values() if name is None else [budgets[name]]
    # What a reader may see is compared with what there is: both as of one moment.
    with read_transaction():
        rows = budget_rows(
            door, wanted, company(context.settings.timezone, context.now()), past=past
        )
    door.note_rows(len(rows))
    return rows


def show(rows: list[dict[str, Any]], context: Context, form: str) -> None:
    """Print the state of budgets."""
    from syncd.cli.output import print_list, say
    from syncd.reports.makers.budgets import COLUMNS, remarks
    from syncd.reports.render.table import Column

    columns = {
        column.name: Column(column.heading, right=column.kind.numeric, absent=column.absent)
        for column in COLUMNS
    }
    empty = "there is no budget to see" if context.settings.finance.budgets else "no budget is set"
    print_list(rows, columns, as_json=form == "json", empty=empty)
    if form == "table":
        for remark in remarks(rows):
            say(remark)


def _describe(context: Context, door: Door, name: str) -> None:
    from syncd.cli.output import say
    from syncd.domain.money import format_micros
    from syncd.reports.permissions import Reach

    budget, currency = context.settings.finance.budgets[name], context.settings.currency
    amount = "" if budget.amount is None else f", {format_micros(budget.amount)} {currency}"
    mode = {
        "same": f"each {budget.of.replace('_', ' ')} has the same",
        "each": f"each {budget.of.replace('_', ' ')} has its own",
        "cumulative": "all together have one",
    }[budget.mode]
    say(f"{name}: {mode}{amount}, each {budget.period}")
    say("what is left is carried over" if budget.carry_over else "nothing is carried over")
    if door.scope.reach is Reach.ALL:
        at = ", ".join(f"{percent} %" for percent in budget.thresholds) or "no threshold"
        say(f"told at {at} to {', '.join(budget.notify) or 'nobody'}")


def _check(arguments: argparse.Namespace, context: Context) -> int:
    from syncd.application.budgets import check_budgets
    from syncd.cli.administration import open_application
    from syncd.cli.output import print_json, say

    application, door = open_application(arguments, context, "budget")
    settings = context.settings
    dry_run = arguments.dry_run is not None
    outcome = check_budgets(application, dry_run=dry_run)
    door.note_rows(len(outcome.states))
    for budget, member in outcome.missing:
        say(f"budget {budget}: there is no {settings.finance.budgets[budget].of} {member!r}")
    told = [
        {
            "budget": one.alert.state.budget.name,
            "member": one.alert.state.pot.label,
            "from": str(one.alert.state.account.span.first),
            "thresholds": list(one.alert.thresholds),
            "percent": one.alert.state.account.percent,
            "recipients": [message.recipient for message in one.messages],
        }
        for one in outcome.told
    ]
    if dry_run:
        folder = chosen_folder(arguments.dry_run, settings.state_directory)
        for each in outcome.told:
            for message in each.messages:
                say(f"{message.recipient}: {message.save(folder)}")
    if context.json:
        print_json(
            {"pots": len({(s.budget.name, s.pot.key) for s in outcome.states}), "told": told}
        )
        return EXIT_OK
    for each in outcome.told:
        state = each.alert.state
        reached = ", ".join(f"{percent} %" for percent in each.alert.thresholds)
        spent = state.account.percent
        say(f"{state.budget.name}: {state.pot.label} reached {reached}: {spent} % are spent")
    verb = "would be written" if dry_run else "written"
    say(f"{len(outcome.states)} states looked at, {outcome.messages} messages {verb}")
    if not settings.finance.mail.server:
        say("nobody is told: there is no [mail] server")
    return EXIT_OK
