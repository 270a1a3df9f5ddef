"""List, check, load, compare and try the rate decks of carriers."""

from __future__ import annotations

import argparse
from pathlib import Path

from syncd.cli.access import add_format, add_viewer, chosen_format
from syncd.cli.context import Context
from syncd.domain.errors import EXIT_BAD_CONFIGURATION, EXIT_OK

TRAFFIC_DAYS = 90


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    from syncd.cli.context import common_options

    common = common_options()
    add_format(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listed = actions.add_parser("list", help="list the versions of all tariffs", parents=[common])
    check = actions.add_parser(
        "check",
        help="look for mistakes, prefixes that can never match, prices that jump and numbers that"
        " were called and have no rate",
        parents=[common],
    )
    check.add_argument(
        "files", nargs="*", metavar="FILE", type=Path, help="decks (default: those in the INI)"
    )
    check.add_argument("--carrier", metavar="NAME", help="whose decks they are")
    check.add_argument("--map", metavar="NAME", help="the [deck:NAME] that tells their layout")
    check.add_argument(
        "--traffic",
        metavar="DAYS",
        type=int,
        default=TRAFFIC_DAYS,
        help=f"compare with what was called in so many days; 0: not (default: {TRAFFIC_DAYS})",
    )
    add_viewer(check)
    load = actions.add_parser(
        "load", help="make a rate deck of a carrier's price list", parents=[common]
    )
    load.add_argument("file", metavar="FILE", type=Path, help="the price list, CSV or XLSX")
    load.add_argument("--carrier", metavar="NAME", required=True, help="whose it is")
    load.add_argument(
        "--from",
        dest="first",
        metavar="DATE",
        required=True,
        help="the first day on which it holds",
    )
    load.add_argument("--to", dest="end", metavar="DATE", help="the first on which it does no more")
    load.add_argument(
        "--map",
        metavar="NAME",
        help="the [deck:NAME] that tells its layout (default: the one with the carrier's name)",
    )
    load.add_argument("--site", metavar="NAME", help="it is for this site alone")
    load.add_argument("--trunk", metavar="NAME", help="it is for this trunk alone")
    load.add_argument(
        "--output", metavar="FILE", type=Path, help="(default: tariffs/CARRIER-DATE.csv)"
    )
    load.add_argument("--replace", action="store_true", help="overwrite a deck that is there")
    load.add_argument("--dry-run", action="store_true", help="write nothing")
    diff = actions.add_parser(
        "diff", help="show what changes from one deck to another", parents=[common]
    )
    for name in ("old", "new"):
        diff.add_argument(name, metavar=name.upper(), help="a file, or CARRIER:VERSION of the INI")
    diff.add_argument("--map", metavar="NAME", help="the [deck:NAME] that tells a file's layout")
    diff.add_argument(
        "--jump", metavar="PERCENT", type=int, help="only prices that differ by more than this"
    )
    diff.add_argument("--check", action="store_true", help="exit with 3 when anything differs")
    test = actions.add_parser("test", help="price a call that nobody made", parents=[common])
    test.add_argument("number", metavar="NUMBER", help="as it is dialled, or E.164 with +")
    test.add_argument("--at", metavar="TIME", help="such as 2026-03-01T10:00 (default: now)")
    test.add_argument(
        "--duration", metavar="SECONDS", type=int, default=60, help="connected (default: 60)"
    )
    test.add_argument("--site", metavar="NAME", help="from where (default: the only site)")
    way = test.add_mutually_exclusive_group()
    way.add_argument("--trunk", metavar="NAME", help="over which trunk, whose carrier bills it")
    way.add_argument("--carrier", metavar="NAME", help="who bills it (default: the only one)")
    for action in (listed, check, load, diff, test):
        add_format(action, again=True)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Do what the action says; without one list the tariffs."""
    as_json = chosen_format(arguments, context) == "json"
    if arguments.action == "check":
        from syncd.cli.tariff_load import check

        return check(arguments, context, as_json=as_json)
    if arguments.action == "load":
        from syncd.cli.tariff_load import load

        return load(arguments, context, as_json=as_json)
    if arguments.action == "diff":
        from syncd.cli.tariff_trial import diff

        return diff(arguments, context, as_json=as_json)
    if arguments.action == "test":
        from syncd.cli.tariff_trial import test

        return test(arguments, context, as_json=as_json)
    return _list(context, as_json=as_json)


def _list(context: Context, *, as_json: bool) -> int:
    from syncd.application.decks import state_of
    from syncd.billing.deck import load_deck
    from syncd.cli.output import print_list, say
    from syncd.domain.errors import ConfigurationError
    from syncd.reports.render.table import Column

    settings = context.plain_settings
    rows = []
    wrong = False
    for carrier in settings.carriers.values():
        for use, versions in (("outgoing", carrier.tariffs), ("incoming", carrier.incoming)):
            for one in versions:
                try:
                    count: int | None = len(load_deck(one.file))
                except ConfigurationError as error:
                    count, wrong = None, True
                    say(str(error))
                rows.append(
                    {
                        "carrier": carrier.name,
                        "version": one.version,
                        "direction": use,
                        "from": one.valid_from.isoformat(),
                        "to": one.valid_to.isoformat() if one.valid_to else None,
                        "site": one.site or None,
                        "trunk": one.trunk or None,
                        "state": state_of(settings, versions, one, context.now()),
                        "rows": count,
                        "currency": carrier.currency or settings.currency,
                        "file": str(one.file),
                    }
                )
    columns = {
        "carrier": Column("Carrier"),
        "version": Column("Version"),
        "direction": Column("For"),
        "from": Column("From"),
        "to": Column("To"),
        "site": Column("Site"),
        "trunk": Column("Trunk"),
        "state": Column("State"),
        "rows": Column("Rows", right=True, absent="wrong"),
        "file": Column("File"),
    }
    print_list(rows, columns, as_json=as_json, empty="no [carrier:NAME] has a tariff")
    return EXIT_BAD_CONFIGURATION if wrong else EXIT_OK
