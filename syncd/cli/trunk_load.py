"""Print how busy the trunks were."""

from __future__ import annotations

import argparse
import csv
import sys
from typing import TYPE_CHECKING

from syncd.cli.access import chosen_format
from syncd.cli.context import Context
from syncd.domain.errors import UsageError

if TYPE_CHECKING:
    from syncd.reports.scope import Door
    from syncd.reports.specification import Specification

OF_CALLS = {
    "group_by": "--group-by",
    "filters": "--filter",
    "measures": "--measures",
    "columns": "--columns",
}
"""Options that choose among call rows."""


def show(
    arguments: argparse.Namespace, door: Door, specification: Specification, context: Context
) -> None:
    """Print the report for who opened the door. Raises UsageError for options of other reports."""
    from syncd.cli.output import print_json, print_table, say
    from syncd.reports.render.csv import safe_cell
    from syncd.reports.render.table import Column
    from syncd.reports.trunk_load import HEADINGS, trunk_load

    for name, option in OF_CALLS.items():
        if getattr(arguments, name):
            raise UsageError(
                f"{arguments.name} has no {option}", "it is made of trunks, not of calls"
            )
    if arguments.count != "participations":
        raise UsageError(f"{arguments.name} counts seizures", "leave --count out")
    load = trunk_load(door, specification, context.settings.timezone)
    form = chosen_format(arguments, context)
    if form == "json":
        print_json(
            {
                "report": specification.report,
                "viewer": door.viewer.name,
                "level": door.viewer.level,
                "period": {
                    "from": specification.first.isoformat(),
                    "to": specification.end.isoformat(),
                },
                "due_quarters": load.due,
                "rows": load.rows,
                "totals": load.totals,
            }
        )
        return
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(HEADINGS)
        writer.writerows([safe_cell(row[name]) for name in HEADINGS] for row in load.rows)
        return

    def cell(name: str, value: object) -> object:
        return str(value)[:16].replace("T", " ") if name == "busy_hour" and value else value

    print_table(
        [
            Column(heading, right=name not in ("trunk", "busy_hour"))
            for name, heading in HEADINGS.items()
        ],
        [[cell(name, row[name]) for name in HEADINGS] for row in load.rows],
        [cell(name, {"trunk": "Total", **load.totals}[name]) for name in HEADINGS],
    )
    if load.due:
        say(f"{load.due} quarters of an hour are not counted yet: the job of [daemon] rollups does")
