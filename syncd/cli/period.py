"""Posting periods: list them, show and book what a month has beside its calls, close it.

What a closed month came to never changes: what happens to its calls afterwards is booked in the
oldest open one."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from syncd.cli.access import add_format, add_viewer, chosen_format
from syncd.cli.administration import open_application
from syncd.cli.confirmation import confirmed
from syncd.cli.context import Context, common_options
from syncd.domain.errors import EXIT_FAILED, EXIT_OK, RefusedError, UsageError

if TYPE_CHECKING:
    from syncd.application.composition import Application
    from syncd.reports.scope import Door

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    _add_options(
        actions.add_parser(
            "list", help="list the months, newest first (the default)", parents=[common_options()]
        ),
        again=True,
    )
    close = actions.add_parser(
        "close", help="close a month and the open ones before it", parents=[common_options()]
    )
    close.add_argument("month", metavar="YYYY-MM")
    close.add_argument("--dry-run", action="store_true", help="say what would be closed, no more")
    close.add_argument("--yes", action="store_true", help="do not ask, and do not say it first")
    _add_options(close, again=True)
    show = actions.add_parser(
        "show",
        help="show what a month has beside its calls, as an estimate while it is open",
        parents=[common_options()],
    )
    show.add_argument("month", metavar="YYYY-MM")
    _add_options(show, again=True)
    month_run = actions.add_parser(
        "run",
        help="book it, instead of what was booked before; closing a month does so too",
        parents=[common_options()],
    )
    month_run.add_argument("month", metavar="YYYY-MM")
    month_run.add_argument("--dry-run", action="store_true", help="show it, no more")
    _add_options(month_run, again=True)
    reopen = actions.add_parser(
        "reopen", help="say why a closed month stays closed", parents=[common_options()]
    )
    reopen.add_argument("month", metavar="YYYY-MM")
    _add_options(reopen, again=True)
    _add_options(parser)


def _add_options(parser: argparse.ArgumentParser, *, again: bool = False) -> None:
    add_viewer(parser, again=again)
    add_format(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """List the months, show, run or close one."""
    application, door = open_application(arguments, context, "period")
    as_json = chosen_format(arguments, context) == "json"
    if arguments.action == "close":
        return _close(arguments, context, application, door, as_json=as_json)
    if arguments.action in ("show", "run"):
        from syncd.cli.period_month import run_month, show_month

        month = _month(arguments.month)
        if arguments.action == "show":
            return show_month(context, application, door, month, as_json=as_json)
        return run_month(
            context, application, door, month, dry_run=arguments.dry_run, as_json=as_json
        )
    if arguments.action == "reopen":
        _month(arguments.month)
        raise RefusedError(
            f"{arguments.month} is not opened again: what was closed was reported and booked",
            "changes of its calls are booked in the oldest open month",
        )
    return _list(context, door, as_json=as_json)


def _month(text: str) -> int:
    """Return a month as yyyymm. Raises UsageError."""
    found = _MONTH.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no month", "write it like 2026-01")
    return int(found[1]) * 100 + int(found[2])


def _list(context: Context, door: Door, *, as_json: bool) -> int:
    from syncd.cli.output import print_list
    from syncd.reports.periods import periods
    from syncd.reports.render.table import Column

    currency = context.settings.currency
    rows = periods(door, context.settings.timezone, context.now())
    door.note_rows(len(rows))
    print_list(
        rows,
        {
            "month": Column("Month"),
            "state": Column("State"),
            "calls_cost": Column(f"{currency} of its calls", right=True),
            "adjustments": Column("Adjustments", right=True),
            "cost": Column(f"{currency} booked", right=True),
            "unrated": Column("Unrated", right=True),
            "closed_at": Column("Closed"),
            "closed_by": Column("By"),
        },
        as_json=as_json,
        empty="there are no calls yet",
    )
    return EXIT_OK


def _close(
    arguments: argparse.Namespace,
    context: Context,
    application: Application,
    door: Door,
    *,
    as_json: bool,
) -> int:
    from syncd.application.months import to_be_booked
    from syncd.application.rerating import close_months, months_to_close
    from syncd.cli.output import print_list, say
    from syncd.domain.money import format_micros, parse_micros
    from syncd.reports.periods import periods
    from syncd.reports.render.table import Column
    from syncd.store.periods import shown_month

    month = _month(arguments.month)
    chosen = {shown_month(one) for one in months_to_close(application, month)}
    currency = context.settings.currency
    columns = {
        "month": Column("Month"),
        "cost": Column(f"{currency} booked", right=True),
        "unrated": Column("Unrated", right=True),
    }
    if arguments.dry_run or not arguments.yes:
        more = to_be_booked(application, month)
        by_name = {shown_month(one): micros for one, micros in more.items()}
        rows = [
            {name: row[name] for name in columns}
            | {"cost": format_micros(parse_micros(row["cost"]) + by_name.get(row["month"], 0))}
            for row in periods(door, context.settings.timezone, context.now())
            if row["month"] in chosen
        ]
        print_list(rows, columns, as_json=as_json, empty="no call of these months")
        if arguments.dry_run:
            return EXIT_OK
        if not confirmed("a closed month is never opened again"):
            say("nothing was closed")
            return EXIT_FAILED
    closed = close_months(application, month, door.viewer.name)
    door.note_rows(len(closed))
    print_list(
        [
            {
                "month": shown_month(one.month),
                "cost": format_micros(one.cost),
                "unrated": one.unrated,
                "withheld": one.withheld,
            }
            for one in closed
        ],
        {**columns, "withheld": Column("Withheld", right=True)},
        as_json=as_json,
    )
    say(f"closed: all up to {shown_month(closed[-1].month)}")
    return EXIT_OK
