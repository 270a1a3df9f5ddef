"""Print a report as a viewer may see it."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from syncd.cli.access import check_viewer, list_format, open_report_door
from syncd.cli.context import Context
from syncd.cli.report_output import chosen_output, deliver
from syncd.cli.report_selection import add_selection, request_of
from syncd.domain.errors import EXIT_OK

if TYPE_CHECKING:
    from datetime import date

    from syncd.reports.request import Request

SAVED, RUN, DELETE = "saved", "run", "delete"
"""In the place of a report's name: what to do with saved ones."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the report, the viewer, the period and what to group and filter by."""
    parser.intermixed = True  # type: ignore[attr-defined]
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="the report; none lists them. Or saved: list the saved reports, run SAVED: print one,"
        " delete SAVED",
    )
    parser.add_argument(
        "conditions",
        nargs="*",
        metavar="KEY=VALUE",
        help="filters: department=Sales 'duration>60'",
    )
    add_selection(parser)
    parser.add_argument(
        "--by",
        choices=("date", "posting"),
        help="sum by the date of the call, or by posting period, as finance books it (whole months,"
        " cost alone; default: date, but for the report charges)",
    )
    parser.add_argument(
        "--describe",
        action="store_true",
        help="say what the report says, what it counts, which level it needs and what can be asked",
    )
    parser.add_argument(
        "--save-as",
        metavar="SAVED",
        help="save what is asked for under this name, and print nothing",
    )
    parser.add_argument(
        "--shared", action="store_true", help="others may run it, as far as they may see themselves"
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the report, or the list of them, or what saved reports are asked for."""
    check_viewer(arguments, context)
    if arguments.name is None or arguments.describe:
        from syncd.cli.report_list import describe_report, list_reports

        form = list_format(arguments, context)
        show = list_reports if arguments.name is None else describe_report
        return show(arguments, context, form)
    if arguments.name in (SAVED, DELETE) or arguments.save_as is not None:
        from syncd.cli import report_saved

        return report_saved.run(arguments, context)
    if arguments.name != RUN:
        return print_report(
            request_of(arguments, arguments.name, *arguments.conditions), arguments, context
        )

    from syncd.cli.report_saved import requested

    return print_report(requested(arguments, context), arguments, context)


def print_report(request: Request, arguments: argparse.Namespace, context: Context) -> int:
    """Print the report that a request asks for."""
    output = chosen_output(arguments, context)

    from dataclasses import replace

    from syncd.application.reports import environment
    from syncd.reports.request import specify
    from syncd.reports.run import open_report
    from syncd.store.database import read_once

    there = replace(environment(context.settings, context.now()), looked=_looked)
    specification = specify(request, there)
    door = open_report_door(arguments, context, request.report, specification.text())
    read_once()
    with open_report(door, specification, there) as result:
        deliver(result, output, arguments, context)
    return EXIT_OK


def _looked(day: date) -> None:
    """Tell who waits at a terminal how far back was searched; what is printed next takes the line."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[Ksearched back to {day}\r")
        sys.stderr.flush()
