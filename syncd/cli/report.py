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
from syncd.domain.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncd.reports.run import Result
    from syncd.reports.specification import Specification

TABLE_COLUMNS = (
    "started_at",
    "line_id",
    "person",
    "direction",
    "other_number",
    "destination",
    "disposition",
    "duration",
    "cost",
)
"""Of the fields of a call, those that a table shows unless ``--columns`` says something else: with
all of them it would be three screens wide."""
NARROW_COLUMNS = ("started_at", "line_id", "other_number", "destination", "duration", "cost")
"""Those that a terminal of 100 columns has room for."""
WIDE = 140
"""Columns of a terminal that has room for TABLE_COLUMNS."""


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
        help="which fields a list prints, as a table (default: those that fit) or CSV (all);"
        " also authorization_code, matter_code and matter",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="print at most N rows")
    parser.add_argument(
        "--count",
        choices=("participations", "conversations"),
        default=argparse.SUPPRESS if again else "participations",
        help="what a call is: a line's part in a conversation, or the whole of it",
    )
    add_format(parser, "csv")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the report, or the list of them."""
    form = chosen_format(arguments, context)
    check_viewer(arguments, context)
    if arguments.name is None:
        return _list_reports(context, form)
    specification = _specification(arguments, context)
    door = open_report_door(arguments, context, arguments.name, specification.text())

    from syncd.reports.catalogue.standard import BUDGETS, TRUNK_LOAD

    if arguments.name == TRUNK_LOAD:
        from syncd.cli import trunk_load

        trunk_load.show(arguments, door, specification, context)
        return EXIT_OK
    if arguments.name == BUDGETS:
        from syncd.cli import budget

        budget.show_report(arguments, door, context)
        return EXIT_OK

    from dataclasses import replace

    from syncd.application.preparation import known_codes
    from syncd.reports.listing import CODE_FIELDS
    from syncd.reports.run import open_report

    settings = context.settings
    with open_report(
        door,
        specification,
        settings.timezone,
        settings.custom_fields,
        known_codes(settings),
        vat={name: carrier.vat for name, carrier in settings.carriers.items()},
        codes=not CODE_FIELDS.keys().isdisjoint(_names(arguments.columns)),
    ) as result:
        headings = _chosen_columns(arguments.columns, form, result)
        _print(replace(result, headings=headings), form, settings.currency)
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


def _specification(arguments: argparse.Namespace, context: Context) -> Specification:
    """Return what the command line asks for. Raises UsageError."""
    from datetime import datetime

    from syncd.reports.catalogue.standard import find_report
    from syncd.reports.dimensions import DEFAULT_MEASURES
    from syncd.reports.specification import (
        BOOKED_MEASURES,
        BY_POSTING,
        Specification,
        parse_dimensions,
        parse_filters,
        parse_measures,
        period,
    )

    settings = context.settings
    fields = settings.custom_fields
    entry = find_report(arguments.name, fields)
    if arguments.limit is not None and arguments.limit < 0:
        raise UsageError("--limit is less than nothing", "a number of rows")
    today = datetime.fromtimestamp(context.now(), settings.timezone).date()
    first, end = period(arguments.first, arguments.end, today)
    dimensions = entry.dimensions
    if arguments.group_by is not None:
        dimensions = parse_dimensions(arguments.group_by, fields)
    by = getattr(arguments, "by", None) or entry.by
    measures = entry.measures or (BOOKED_MEASURES if by == BY_POSTING else DEFAULT_MEASURES)
    if arguments.measures is not None:
        measures = parse_measures(arguments.measures)
    return Specification(
        arguments.name,
        first,
        end,
        dimensions,
        measures,
        entry.within(parse_filters(arguments.filters, fields)),
        arguments.count,
        arguments.limit,
        by,
    )


def _chosen_columns(wanted: str | None, form: str, result: Result) -> Mapping[str, str]:
    """Return the headings of what is printed. Raises UsageError for an unknown field."""
    from syncd.reports.specification import nearest

    headings = result.headings
    if wanted is None:
        if form != "table" or not result.lists_rows:
            return headings
        narrow = sys.stdout.isatty() and shutil.get_terminal_size().columns < WIDE
        return {name: headings[name] for name in (NARROW_COLUMNS if narrow else TABLE_COLUMNS)}
    if not result.lists_rows or form == "json":
        raise UsageError(
            "--columns is for a list as a table or CSV",
            "sums have --group-by and --measures; JSON always has every field",
        )
    names = _names(wanted)
    for name in names:
        if name not in headings:
            raise UsageError(f"a call has no field {name!r}", nearest(name, headings))
    if not names:
        raise UsageError("--columns names none", f"some of {', '.join(headings)}")
    return {name: headings[name] for name in names}


def _names(wanted: str | None) -> list[str]:
    """Return the fields that ``--columns`` names."""
    return [part.strip() for part in (wanted or "").split(",") if part.strip()]


def _print(result: Result, form: str, currency: str) -> None:
    if form == "json":
        from syncd.reports.render.json import write_json

        write_json(result, sys.stdout)
    elif form == "csv":
        from syncd.reports.render.csv import write_csv

        write_csv(result, sys.stdout)
    else:
        _print_table(result, currency)


def _cell(name: str, value: Any) -> Any:
    """Return a value as a table shows it: the offset of a time stands only in JSON and CSV."""
    return value[:19].replace("T", " ") if name == "started_at" else value


def _print_table(result: Result, currency: str) -> None:
    """Print the rows as a table, and what is not data on stderr."""
    from syncd.cli.output import print_table, say
    from syncd.reports.dimensions import DIMENSIONS
    from syncd.reports.render.table import UNASSIGNED, Column

    columns = [
        Column(
            f"{heading} {currency}" if name == "cost" else heading,
            right=name in result.numeric,
            absent=UNASSIGNED if name in DIMENSIONS and not result.lists_rows else "",
        )
        for name, heading in result.headings.items()
    ]
    rows = [[_cell(name, row[name]) for name in result.headings] for row in result.rows]
    total: list[Any] = [result.totals.get(name) for name in result.headings]
    total[0] = f"Total of {result.totals['rows']}" if result.lists_rows else "Total"
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
    print_table(columns, rows, total)
    unrated = result.totals["unrated"]
    if unrated:
        have = "row has" if unrated == 1 else "rows have"
        say(f"{unrated} {have} no price yet: they add nothing to the cost")
