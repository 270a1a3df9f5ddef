"""Compare a carrier's itemised bill with the calls that are stored."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from syncd.cli.access import add_format, add_viewer, chosen_format, open_report_door
from syncd.cli.charge_back import chosen_map
from syncd.cli.context import Context, common_options
from syncd.domain.csv_lines import csv_writer
from syncd.domain.errors import EXIT_DIFFERENT, EXIT_OK, UsageError

if TYPE_CHECKING:
    from syncd.reports.invoice import Check

HEADINGS = {
    "status": "What",
    "line": "Line",
    "start": "Start",
    "number": "Number",
    "calling": "Calling",
    "billed_seconds": "Seconds billed",
    "seconds": "here",
    "billed": "Price billed",
    "stored": "here",
}
SUMS = {
    "status": "What",
    "items": "On the bill",
    "calls": "Here",
    "billed": "Billed",
    "stored": "Here",
    "difference": "Difference",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the one action with its file, carrier, layout and period."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    check = actions.add_parser(
        "check",
        help="say what is missing, priced differently or not ours",
        parents=[common_options()],
    )
    check.add_argument("file", type=Path, metavar="FILE", help="the bill, CSV or XLSX")
    check.add_argument("--carrier", required=True, metavar="NAME", help="whose bill it is")
    check.add_argument(
        "--map",
        metavar="NAME",
        help="the [invoice:NAME]; else that of the carrier's name, or the only",
    )
    check.add_argument(
        "--from", dest="first", metavar="DAY", help="first day (default: that of the first item)"
    )
    check.add_argument(
        "--to", dest="end", metavar="DAY", help="the day after the last (default: by the last item)"
    )
    check.add_argument("--all", action="store_true", help="print what is equal, too")
    add_format(check, "csv")
    add_viewer(check)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the comparison. Returns 3 when there are differences."""
    from syncd.application.preparation import numbering_plan
    from syncd.billing.invoice_file import Reading, read_bill
    from syncd.billing.numbering import Numbering
    from syncd.reports.invoice import check_bill
    from syncd.reports.specification import nearest, parse_day

    settings = context.settings
    carrier = arguments.carrier
    if carrier not in settings.carriers:
        raise UsageError(f"there is no [carrier:{carrier}]", nearest(carrier, settings.carriers))
    maps = settings.finance.invoices
    wanted = arguments.map or (carrier if carrier in maps else None)
    layout = chosen_map(wanted, maps, "invoice")
    period = (
        None if arguments.first is None else parse_day(arguments.first, "--from"),
        None if arguments.end is None else parse_day(arguments.end, "--to"),
    )
    if period[0] and period[1] and period[0] >= period[1]:
        raise UsageError(f"the period from {period[0]} to {period[1]} holds no day")
    form = chosen_format(arguments, context)
    door = open_report_door(arguments, context, "invoice", f"check {arguments.file} {carrier}")
    site = settings.sites[layout.site]
    numbering = Numbering(numbering_plan(site, settings.sites.values()))
    items = read_bill(arguments.file, Reading(layout, numbering, settings.currency))
    trunks = [trunk.name for trunk in settings.trunks if trunk.carrier == carrier]
    check = check_bill(door, items, layout, carrier, trunks, numbering, settings.timezone, period)
    _print(check, form, context, equal=arguments.all)
    return EXIT_DIFFERENT if check.differs else EXIT_OK


def _print(check: Check, form: str, context: Context, *, equal: bool) -> None:
    from syncd.cli.output import print_json, print_table, say
    from syncd.reports.invoice import shown_lines, sums
    from syncd.reports.render.csv import safe_cell
    from syncd.reports.render.table import Column

    lines = shown_lines(check, context.settings.timezone, equal=equal)
    totals = sums(check)
    if form == "json":
        print_json(
            {
                "period": {"from": check.first.isoformat(), "to": check.end.isoformat()},
                "outside_period": check.outside,
                "rows": lines,
                "sums": totals[:-1],
                "total": {name: value for name, value in totals[-1].items() if name != "status"},
            }
        )
        return
    if form == "csv":
        writer = csv_writer(sys.stdout)
        writer.writerow(HEADINGS)
        writer.writerows([safe_cell(line[name]) for name in HEADINGS] for line in lines)
        return
    if lines:
        print_table(
            [
                Column(heading, right=name not in ("status", "start", "number", "calling"))
                for name, heading in HEADINGS.items()
            ],
            [
                [
                    line[name][:19].replace("T", " ") if name == "start" else line[name]
                    for name in HEADINGS
                ]
                for line in lines
            ],
        )
        sys.stdout.write("\n")
    print_table(
        [Column(heading, right=name != "status") for name, heading in SUMS.items()],
        [[row[name] for name in SUMS] for row in totals[:-1]],
        ["Total", *(totals[-1][name] for name in list(SUMS)[1:])],
    )
    say(f"{check.first} to before {check.end}, in {context.settings.currency}")
    if check.outside:
        say(f"{check.outside} items of the bill are outside this period")
