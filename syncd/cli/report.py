"""Print a report as a viewer may see it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from syncd.cli.access import (
    add_format,
    add_viewer,
    check_viewer,
    chosen_format,
    open_report_door,
)
from syncd.cli.context import Context
from syncd.cli.report_output import FORMATS, add_output, chosen_output, deliver
from syncd.domain.errors import EXIT_OK

if TYPE_CHECKING:
    from syncd.reports.request import Request


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
    add_format(parser, *FORMATS)
    add_output(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the report, or the list of them."""
    check_viewer(arguments, context)
    if arguments.name is None:
        return _list_reports(context, chosen_format(arguments, context))
    output = chosen_output(arguments, context)

    from syncd.application.reports import environment
    from syncd.reports.request import specify
    from syncd.reports.run import open_report

    there = environment(context.settings, context.now())
    specification = specify(_request(arguments), there)
    door = open_report_door(arguments, context, arguments.name, specification.text())
    with open_report(door, specification, there) as result:
        deliver(result, output, arguments, context)
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
