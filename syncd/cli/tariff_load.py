"""``syncd tariff check`` and ``load``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncd.cli.context import Context
from syncd.domain.errors import EXIT_BAD_CONFIGURATION, EXIT_OK, UsageError

if TYPE_CHECKING:
    from syncd.application.decks import Checked, ReadDeck
    from syncd.domain.errors import Problem
    from syncd.reports.tariff_gaps import Called, Gap
    from syncd.settings.model import CarrierSettings, Settings

DAY = 86_400


def check(arguments: argparse.Namespace, context: Context, *, as_json: bool) -> int:
    """Say what is wrong with decks and odd about them; 78 when anything is wrong."""
    from syncd.application.decks import check_file, check_version, chosen_layout, find_carrier
    from syncd.cli.output import print_json

    if arguments.traffic < 0:
        raise UsageError("--traffic is less than nothing", "a number of days, 0 for none")
    settings = context.plain_settings
    carrier = find_carrier(settings, arguments.carrier) if arguments.carrier else None
    checked: list[Checked] = []
    if arguments.files:
        mapped = chosen_layout(settings, arguments.map, carrier)
        checked += [check_file(settings, path, mapped, carrier) for path in arguments.files]
    else:
        if arguments.map:
            raise UsageError("--map goes with a file", "decks in the INI are of syncd's layout")
        checked += [
            check_version(settings, one, version, incoming=incoming)
            for one in settings.carriers.values()
            if carrier is None or one is carrier
            for incoming, versions in ((False, one.tariffs), (True, one.incoming))
            for version in versions
        ]
    called, masked = _called(arguments, context) if arguments.traffic else (None, 0)
    missing = [_gaps(one, called, masked, settings, context) for one in checked]
    if as_json:
        print_json(
            [
                {
                    **_head(one),
                    "problems": [asdict(problem) for problem in one.problems],
                    "gaps": None if gaps is None else [gap._asdict() for gap in gaps],
                }
                for one, gaps in zip(checked, missing, strict=True)
            ]
        )
    else:
        _print_checked(checked, missing, arguments.traffic)
    return EXIT_BAD_CONFIGURATION if any(one.wrong for one in checked) else EXIT_OK


def _head(one: Checked) -> dict[str, Any]:
    return {
        "carrier": one.carrier or None,
        "version": one.version or None,
        "direction": "incoming" if one.incoming else "outgoing",
        "file": str(one.file),
        "rows": None if one.read is None else len(one.read.deck.rates),
        "ok": not one.wrong,
    }


def _called(arguments: argparse.Namespace, context: Context) -> tuple[list[Called] | None, int]:
    """Return what was called in the last days, None where there are no calls yet, and how many
    digits of it the reader may not see."""
    from syncd.cli.access import open_report_door
    from syncd.domain.days import Days
    from syncd.reports.lookups import Lookups
    from syncd.reports.tariff_gaps import called_numbers

    file = context.settings.database_file
    if file is not None and not file.exists():
        return None, 0
    door = open_report_door(arguments, context, "tariff", f"check traffic={arguments.traffic}")
    now = context.now()
    days = Days(context.settings.timezone)
    lookups = Lookups(days, days.day(now - arguments.traffic * DAY), days.day(now))
    called = called_numbers(door, lookups, now - arguments.traffic * DAY, now)
    return called, door.scope.masked_digits


def _gaps(
    one: Checked,
    called: list[Called] | None,
    masked_digits: int,
    settings: Settings,
    context: Context,
) -> list[Gap] | None:
    """Return what was called over a deck's carrier and has no rate in it; None when that was not
    asked, or when the version no longer holds, holds only somewhere, or prices incoming legs."""
    from syncd.application.decks import state_of
    from syncd.reports.tariff_gaps import Prices, gaps

    if called is None or one.read is None or not one.carrier or one.incoming:
        return None
    carrier = settings.carriers[one.carrier]
    version = next((this for this in carrier.tariffs if this.version == one.version), None)
    if version is not None and (
        version.site
        or version.trunk
        or state_of(settings, carrier.tariffs, version, context.now()) == "past"
    ):
        return None
    deck = one.read.deck
    prices = Prices(
        lambda digits: deck.find(digits) is not None,
        lambda digits: deck.exact(digits) is not None,
    )
    return gaps(called, one.carrier, prices, masked_digits)


def _print_checked(
    checked: Sequence[Checked], missing: Sequence[list[Gap] | None], days: int
) -> None:
    from syncd.cli.output import print_table, say
    from syncd.reports.render.table import Column

    if not checked:
        say("no [carrier:NAME] has a tariff")
        return
    rows = []
    for one, gaps in zip(checked, missing, strict=True):
        wrong = sum(not problem.warning for problem in one.problems)
        head = _head(one)
        rows.append(
            (
                head["carrier"],
                head["version"],
                head["direction"],
                head["file"],
                head["rows"],
                wrong,
                len(one.problems) - wrong,
                None if gaps is None else sum(gap.calls for gap in gaps),
            )
        )
    columns = [Column(name) for name in ("Carrier", "Version", "For", "File")]
    columns += [Column(name, right=True) for name in ("Rows", "Mistakes", "Warnings")]
    print_table([*columns, Column("Calls without a rate", right=True, absent="-")], rows)
    for one in checked:
        say_problems(one.problems)
    for one, gaps in zip(checked, missing, strict=True):
        if gaps:
            name = f"tariff.{one.version}" if one.version else one.file.name
            say(f"{one.carrier}: called in the last {days} days and without a rate in {name}:")
            print_table(
                [Column("Prefix"), Column("Calls", right=True), Column("Seconds", right=True)],
                gaps,
            )


def say_problems(problems: Sequence[Problem]) -> None:
    from syncd.cli.output import say

    for problem in problems:
        say(f"warning: {problem}" if problem.warning else str(problem))


def load(arguments: argparse.Namespace, context: Context, *, as_json: bool) -> int:
    """Write a deck of ours and say which line of the INI names it."""
    from syncd.application.decks import (
        chosen_layout,
        compared,
        find_carrier,
        oddities,
        read_deck,
        version_before,
    )
    from syncd.billing.deck_file import deck_text, write_deck
    from syncd.cli.output import print_json, say
    from syncd.reports.specification import parse_day
    from syncd.settings.model import TariffFile

    settings = context.plain_settings
    carrier = find_carrier(settings, arguments.carrier)
    _check_place(arguments, settings)
    first = parse_day(arguments.first, "--from")
    end = parse_day(arguments.end, "--to") if arguments.end else None
    if end is not None and end <= first:
        raise UsageError(
            f"--to {end} is not after --from {first}", "it is the first day without it"
        )
    read = read_deck(arguments.file, chosen_layout(settings, arguments.map, carrier))
    target = _target(arguments, settings, carrier)
    version = TariffFile(
        first.isoformat(), target, first, end, arguments.site or "", arguments.trunk or ""
    )
    before = version_before(carrier.tariffs, version)
    warnings = [*oddities(settings, carrier, read.deck.rates, read.label)]
    warnings += compared(carrier, read, before)
    warnings += _same_day(carrier, version)
    if read.taken is None:
        text = arguments.file.read_bytes().decode("utf-8-sig")
    else:
        text = deck_text(read.taken.rows, [f"{carrier.name}, made of {arguments.file.name}"])
    written = False
    if not arguments.dry_run:
        written = write_deck(target, text, read.deck.rates, replace=arguments.replace)
    line = _line(settings, carrier, version)
    if as_json:
        print_json(
            {
                "file": str(target),
                "written": written,
                "rows": len(read.deck.rates),
                "passed_over": read.taken.passed_over if read.taken else 0,
                "repeated": read.taken.repeated if read.taken else 0,
                "section": f"carrier:{carrier.name}",
                "line": line,
                "named": _named(carrier, version),
                "warnings": [asdict(problem) for problem in warnings],
            }
        )
        return EXIT_OK
    say_problems(warnings)
    _say_taken(read)
    if arguments.dry_run:
        say(f"{target} would have {len(read.deck.rates)} rows; nothing was written")
    elif written:
        say(f"{target} was written, {len(read.deck.rates)} rows")
    else:
        say(f"{target} is there already, with the same rates")
    if _named(carrier, version):
        say("the configuration names it already")
    else:
        say(f"it holds once [carrier:{carrier.name}] has this line:")
        sys.stdout.write(f"{line}\n")
    return EXIT_OK


def _check_place(arguments: argparse.Namespace, settings: Settings) -> None:
    from syncd.settings.values import nearest

    trunks = sorted(trunk.name for trunk in settings.trunks)
    for option, wanted, known in (
        ("site", arguments.site, sorted(settings.sites)),
        ("trunk", arguments.trunk, trunks),
    ):
        if wanted is not None and wanted not in known:
            raise UsageError(f"there is no [{option}:{wanted}]", nearest(wanted, known))


def _target(arguments: argparse.Namespace, settings: Settings, carrier: CarrierSettings) -> Path:
    if arguments.output is not None:
        return Path(arguments.output).absolute()
    parts = [carrier.name, arguments.site, arguments.trunk, arguments.first]
    return settings.file.parent / "tariffs" / f"{'-'.join(filter(None, parts))}.csv"


def _line(settings: Settings, carrier: CarrierSettings, version: Any) -> str:
    """Return the line of the INI that names a version, under a name that is free."""
    base = settings.file.parent
    file = version.file
    shown = file.relative_to(base) if file.is_relative_to(base) else file
    taken = {one.version for one in (*carrier.tariffs, *carrier.incoming) if one.file != file}
    name = "-".join(filter(None, (version.version, version.site, version.trunk)))
    key, number = name, 1
    while key in taken:
        number += 1
        key = f"{name}.{number}"
    line = f"tariff.{key} = {shown} from {version.valid_from}"
    for word, value in (("to", version.valid_to), ("site", version.site), ("trunk", version.trunk)):
        line += f" {word} {value}" if value else ""
    return line


def _named(carrier: CarrierSettings, version: Any) -> bool:
    """Return whether the configuration has the file as it is to hold."""
    return any(one[1:] == version[1:] for one in carrier.tariffs)


def _same_day(carrier: CarrierSettings, version: Any) -> list[Problem]:
    """Return a warning when another version holds from the same day."""
    from syncd.domain.errors import Problem

    return [
        Problem(
            str(one.file),
            0,
            f"[carrier:{carrier.name}] tariff.{one.version}",
            f"it holds from {one.valid_from} too",
            "let one of them go when you add the other",
            warning=True,
        )
        for one in carrier.tariffs
        if one.valid_from == version.valid_from
        and (one.site, one.trunk) == (version.site, version.trunk)
        and one.file != version.file
    ]


def _say_taken(read: ReadDeck) -> None:
    """Say what of a price list did not become a row."""
    from syncd.cli.output import say

    if read.taken is None:
        return
    for count, what in (
        (read.taken.passed_over, "without a prefix and a price passed over"),
        (read.taken.repeated, "that say the same once more"),
    ):
        if count:
            say(f"{read.label}: {count} row{'s' if count > 1 else ''} {what}")
