"""List line-side numbers that nobody holds, and trunk-side devices that no [trunk:] lists."""

from __future__ import annotations

import argparse
from typing import Any

from syncd.cli.access import add_format, add_viewer, chosen_format, open_report_door
from syncd.cli.context import Context
from syncd.domain.clock import iso
from syncd.domain.errors import EXIT_OK
from syncd.domain.party import line_identifier


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the viewer and the format."""
    parser.add_argument("action", nargs="?", choices=["list"], default="list", help="list them")
    add_viewer(parser)
    add_format(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print both kinds, each the busiest first."""
    door = open_report_door(arguments, context, "unknown")
    numbers, trunks = _numbers(context), _trunks(context)
    door.note_rows(len(numbers) + len(trunks))

    from syncd.cli.output import print_json, print_list, say
    from syncd.reports.render.table import Column

    if chosen_format(arguments, context) == "json":
        print_json([*numbers, *trunks])
        return EXIT_OK
    seen = {
        "first_seen": Column("First seen"),
        "last_seen": Column("Last seen"),
        "records": Column("Records", right=True),
    }
    say("numbers that nobody holds:")
    print_list(numbers, {"line_id": Column("Line"), "site": Column("Site"), **seen}, as_json=False)
    say("trunks that no section lists:")
    print_list(trunks, {"device": Column("Device"), "pbx": Column("PBX"), **seen}, as_json=False)
    return EXIT_OK


def _numbers(context: Context) -> list[dict[str, Any]]:
    from syncd.store.models import UnknownNumber

    zone = context.settings.timezone
    return [
        {
            "kind": "number",
            "line_id": line_identifier(row.partition, row.number),
            "site": row.site or None,
            "first_seen": iso(row.first_seen, zone),
            "last_seen": iso(row.last_seen, zone),
            "records": row.records,
        }
        for row in UnknownNumber.select().order_by(
            UnknownNumber.records.desc(),
            UnknownNumber.site,
            UnknownNumber.partition,
            UnknownNumber.number,
        )
    ]


def _trunks(context: Context) -> list[dict[str, Any]]:
    from syncd.store.models import Pbx, UnknownTrunk

    zone = context.settings.timezone
    names = {pbx.id: pbx.name for pbx in Pbx.select()}
    return [
        {
            "kind": "trunk",
            "device": row.device,
            "pbx": names.get(row.pbx_id),
            "first_seen": iso(row.first_seen, zone),
            "last_seen": iso(row.last_seen, zone),
            "records": row.records,
        }
        for row in UnknownTrunk.select().order_by(
            UnknownTrunk.records.desc(), UnknownTrunk.pbx_id, UnknownTrunk.device
        )
    ]
