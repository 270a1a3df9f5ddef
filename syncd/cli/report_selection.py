"""What may be asked of a report on the command line, and the request that it is."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from syncd.cli.access import add_format, add_viewer
from syncd.cli.report_output import FORMATS, add_output

if TYPE_CHECKING:
    from syncd.reports.request import Request


def add_selection(parser: argparse.ArgumentParser, *, again: bool = False) -> None:
    """Add the viewer, the period, what to group, filter and sort by, and the output; ``again`` for
    an action of a verb that has them too: what stands before the action must not be forgotten."""
    add_viewer(parser, again=again)
    _add_period(parser)
    parser.add_argument(
        "--filter",
        dest="filters",
        action="append",
        default=argparse.SUPPRESS if again else [],
        metavar="KEY=VALUE",
        help="only rows with this value, or one of A,B; KEY= finds the unassigned, KEY!=VALUE the"
        " others, KEY~TEXT what begins so; duration>60, cost>=1.50, time=18:00-08:00; repeatable",
    )
    _add_sums(parser)
    parser.add_argument(
        "--columns",
        metavar="A,B",
        help="which fields to print, in this order (default: a table those that fit, other formats"
        " all); also authorization_code, matter_code and matter",
    )
    parser.add_argument(
        "--sort",
        metavar="[-]A,B",
        help="sort by these fields, the highest first with a - (--sort=-cost)",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="print at most N rows")
    parser.add_argument(
        "--page", metavar="KEY", help="go on where a list stopped; the page before gives the key"
    )
    parser.add_argument(
        "--as-of",
        choices=("call", "today"),
        help="departments, cost centers, offices and custom fields of people as they were at the"
        " call, or as they are now (default: call); what is seen stays the same",
    )
    parser.add_argument(
        "--count",
        choices=("participations", "conversations"),
        default=argparse.SUPPRESS if again else None,
        help="what a call is: a line's part in a conversation, or the whole of it",
    )
    add_format(parser, *FORMATS)
    add_output(parser)


def _add_period(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--period",
        metavar="NAME",
        help="today, yesterday, this-week, last-week, … -month, -quarter, -year, last-7-days, or"
        " 2026, 2026-10, 2026-Q3, 2026-W47, 2026-10-05 (default: that of the report)",
    )
    parser.add_argument("--from", dest="first", metavar="DAY", help="first day")
    parser.add_argument("--to", dest="end", metavar="DAY", help="the day after the last")


def _add_sums(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--group-by", metavar="A,B", help="dimensions instead of the report's own, in their order"
    )
    parser.add_argument(
        "--measures",
        metavar="A,B",
        help="what to sum; also averages (average_duration, average_ring, average_cost), percents"
        " of the total (cost_share, calls_share, duration_share) and answer_rate",
    )
    parser.add_argument(
        "--top", type=int, metavar="N", help="the N highest groups, and the others as one row"
    )
    parser.add_argument(
        "--subtotals", action="store_true", help="a sum after each value of the first dimension"
    )
    parser.add_argument(
        "--compare",
        metavar="WITH",
        help="the figures of the period before beside (previous), of last year (year), or both"
        " (previous,year)",
    )


def request_of(arguments: argparse.Namespace, report: str, *conditions: str) -> Request:
    """Return what the command line asks of a report, which is a name or one line of text with all
    that is asked of it (``request_text``): options take the place of what stands there."""
    from syncd.reports.request import OPTIONS, Request

    parts: dict[str, Any] = {name: getattr(arguments, name, None) for name in OPTIONS}
    parts["subtotals"] = bool(parts["subtotals"])
    parts["filters"] = (*conditions, *(parts["filters"] or ()))
    asked = Request(report, **parts)
    # A filter or an option in it makes it the words of a command line, not a mistyped name.
    if not any(sign in report for sign in ("?", "=", " --")):
        return asked
    from syncd.reports.request_text import from_text, over

    return over(from_text(report), asked)
