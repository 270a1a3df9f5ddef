"""Print a report as a viewer may see it."""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import TYPE_CHECKING, Any

from syncd.cli.access import (
    add_format,
    add_viewer,
    check_viewer,
    chosen_format,
    open_report_door,
)
from syncd.cli.context import Context
from syncd.domain.errors import EXIT_OK

if TYPE_CHECKING:
    from syncd.reports.request import Request
    from syncd.reports.result import Column, Result

LEFT_OUT = frozenset(("person", "direction", "disposition"))
"""Columns that a terminal of 100 columns has no room for."""
WIDE = 140
"""Columns of a terminal that has room for all that a table shows by itself."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the report, the viewer, the period and what to group and filter by."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="the report; none lists them")
    add_selection(parser)
    parser.add_argument(
        "--by",
        choices=("date", "posting"),
        help="sum by the date of the call, or by posting period, as finance books it (whole months,"
        " cost alone; default: date, but for the report charges)",
    )


def add_selection(parser: argparse.ArgumentParser, *, again: bool = False) -> None:
    """Add the viewer, the period, what to group and filter by, and the format; ``again`` for an
    action of a verb that has them too: what stands before the action must not be forgotten."""
    add_viewer(parser, again=again)
    parser.add_argument(
        "--from", dest="first", metavar="DAY", help="first day (default: that of this month)"
    )
    parser.add_argument("--to", dest="end", metavar="DAY", help="the day after the last")
    parser.add_argument(
        "--group-by", metavar="A,B", help="dimensions instead of the report's own, in their order"
    )
    parser.add_argument(
        "--filter",
        dest="filters",
        action="append",
        default=argparse.SUPPRESS if again else [],
        metavar="KEY=VALUE",
        help="only rows with this value, or one of A,B; KEY= finds the unassigned; repeatable",
    )
    parser.add_argument("--measures", metavar="A,B", help="what to sum")
    parser.add_argument(
        "--columns",
        metavar="A,B",
        help="which fields to print, in this order (default: a table those that fit, other formats"
        " all); also authorization_code, matter_code and matter",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="print at most N rows")
    parser.add_argument(
        "--count",
        choices=("participations", "conversations"),
        default=argparse.SUPPRESS if again else None,
        help="what a call is: a line's part in a conversation, or the whole of it",
    )
    add_format(parser, "csv")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the report, or the list of them."""
    form = chosen_format(arguments, context)
    check_viewer(arguments, context)
    if arguments.name is None:
        return _list_reports(context, form)

    from syncd.application.reports import environment
    from syncd.reports.request import specify
    from syncd.reports.run import open_report

    there = environment(context.settings, context.now())
    specification = specify(_request(arguments), there)
    door = open_report_door(arguments, context, arguments.name, specification.text())
    with open_report(door, specification, there) as result:
        _print(result, form)
    return EXIT_OK


def _list_reports(context: Context, form: str) -> int:
    from syncd.cli.output import print_list
    from syncd.reports.catalogue.standard import catalogue
    from syncd.reports.render.table import Column

    print_list(
        [
            {"report": entry.name, "summary": entry.summary, "dimensions": list(entry.dimensions)}
            for entry in catalogue(context.settings.custom_fields).values()
        ],
        {"report": Column("Report"), "summary": Column("What it says")},
        as_json=form != "table",
    )
    return EXIT_OK


def _request(arguments: argparse.Namespace) -> Request:
    """Return what the command line asks for."""
    from syncd.reports.request import Request

    return Request(
        arguments.name,
        arguments.first,
        arguments.end,
        arguments.group_by,
        tuple(arguments.filters),
        arguments.measures,
        arguments.columns,
        arguments.limit,
        arguments.count,
        getattr(arguments, "by", None),
    )


def _print(result: Result, form: str) -> None:
    if form == "json":
        from syncd.reports.render.json import write_json

        write_json(result, sys.stdout)
    elif form == "csv":
        from syncd.reports.render.csv import write_csv

        write_csv(result, sys.stdout)
    else:
        _print_table(result)


def _shown(result: Result) -> tuple[Column, ...]:
    """Return the columns of a table: those that are asked for, else those that there is room for."""
    if result.specification.columns or not result.brief:
        return result.columns
    narrow = sys.stdout.isatty() and shutil.get_terminal_size().columns < WIDE
    names = [name for name in result.brief if not narrow or name not in LEFT_OUT]
    return tuple(result.column(name) for name in names)


def _cell(column: Column, value: Any) -> Any:
    """Return a value as a table shows it: the offset of a time stands only in JSON and CSV."""
    from syncd.reports.result import Kind

    return value[:19].replace("T", " ") if column.kind is Kind.MOMENT and value else value


def _print_table(result: Result) -> None:
    """Print the rows as a table, and what is not data on stderr."""
    from syncd.cli.output import print_table, say
    from syncd.reports.render import table

    shown = _shown(result)
    money = f" {result.currency}" if result.currency else ""
    columns = [
        table.Column(
            column.heading + (money if column.name == "cost" else ""),
            column.kind.numeric,
            column.absent,
        )
        for column in shown
    ]
    rows = [[_cell(column, row[column.name]) for column in shown] for row in result.rows]
    specification = result.specification
    summed = (
        "by posting period"
        if specification.by == "posting"
        else f"by the date of the call, counting {specification.counts}"
    )
    say(
        f"{result.report} for {result.viewer} (level {result.level}), {specification.first} to"
        f" before {specification.end}, {summed}"
    )
    total = [_cell(column, result.totals.get(column.name)) for column in shown]
    if result.totals:
        total[0] = f"Total of {result.totals['rows']}" if "rows" in result.totals else "Total"
    if rows or result.totals:
        print_table(columns, rows, total if result.totals else None)
    if not rows:
        say(result.empty)
    for note in result.notes:
        say(note)
