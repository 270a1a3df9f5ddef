"""``syncd tariff test`` and ``diff``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncd.cli.context import Context
from syncd.domain.errors import EXIT_DIFFERENT, EXIT_FAILED, EXIT_OK, UsageError

if TYPE_CHECKING:
    from syncd.application.decks import ReadDeck
    from syncd.billing.rating import Rated, Unrated
    from syncd.domain.rate import NormalisedNumber
    from syncd.settings.model import Settings, SiteSettings


def diff(arguments: argparse.Namespace, context: Context, *, as_json: bool) -> int:
    """Print the rows that are new, removed or changed, with what calls then cost."""
    from syncd.billing.deck_changes import CALL_SECONDS, changes, jumps, percent_text
    from syncd.cli.output import print_json, print_table, say
    from syncd.domain.money import format_micros
    from syncd.reports.render.table import Column

    if arguments.jump is not None and arguments.jump < 0:
        raise UsageError("--jump is less than nothing", "a number of percent")
    settings = context.plain_settings
    old, new = (_deck(name, arguments.map, settings) for name in (arguments.old, arguments.new))
    found = changes(old.deck, new.deck)
    if arguments.jump is not None:
        found = jumps(found, arguments.jump)
    rows = [
        {
            "change": one.kind,
            "prefix": one.prefix,
            "band": one.band or None,
            "destination": one.destination or None,
            "before": None if one.before is None else format_micros(one.before),
            "after": None if one.after is None else format_micros(one.after),
            "percent": percent_text(one.permille) or None,
            "columns": list(one.columns),
        }
        for one in found
    ]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(
            [
                *(Column(name) for name in ("Change", "Prefix", "Band", "Destination")),
                *(Column(name, right=True) for name in ("Before", "After", "Difference")),
                Column("Columns"),
            ],
            [
                [*list(row.values())[:-1], ", ".join(one.columns)]
                for row, one in zip(rows, found, strict=True)
            ],
        )
        kinds = [one.kind for one in found]
        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
        say(f"{counts}; before and after: what {CALL_SECONDS} seconds to such a number cost")
    else:
        say("nothing differs")
    return EXIT_DIFFERENT if rows and arguments.check else EXIT_OK


def _deck(name: str, mapped: str | None, settings: Settings) -> ReadDeck:
    """Return a deck by its file or as CARRIER:VERSION. Raises UsageError, or ConfigurationError for
    its mistakes."""
    from syncd.application.decks import find_carrier, layout, read_deck
    from syncd.settings.values import nearest

    path = Path(name)
    carrier, colon, version = name.partition(":")
    if not path.exists() and colon and carrier in settings.carriers:
        known = find_carrier(settings, carrier)
        for one in (*known.tariffs, *known.incoming):
            if one.version == version:
                return read_deck(one.file, None)
        versions = [one.version for one in known.tariffs]
        raise UsageError(f"{carrier} has no version {version!r}", nearest(version, versions))
    if not path.exists():
        raise UsageError(f"{name} is neither a file nor CARRIER:VERSION", "syncd tariff list")
    return read_deck(path, None if mapped is None else layout(settings, mapped))


def test(arguments: argparse.Namespace, context: Context, *, as_json: bool) -> int:
    """Print how a number is read and what a call to it would cost; 1 when it has no price."""
    from datetime import datetime

    from syncd.application.preparation import prepare
    from syncd.billing.numbering import Numbering
    from syncd.billing.rating import Unrated, Where, rate_leg

    if arguments.duration < 1:
        raise UsageError("--duration must be at least 1", "seconds for which it is connected")
    settings = context.plain_settings
    site = _site(arguments, settings)
    trunk, carrier = _way(arguments, settings, site)
    at = context.now() if arguments.at is None else _moment(arguments.at, site)
    prepared = prepare(settings)
    prepared.check(settings)
    number = Numbering(prepared.plans[site.name]).outgoing(arguments.number)
    result = rate_leg(
        prepared.carriers.get(carrier),
        number.e164,
        at,
        arguments.duration,
        number.short_number,
        trunk,
        number.number_class,
        Where(site.name, site.timezone),
    )
    answer = _answer(arguments, number, result, settings)
    answer["call"] = {
        "at": datetime.fromtimestamp(at, site.timezone).isoformat(),
        "seconds": arguments.duration,
        "site": site.name,
        "trunk": trunk or None,
        "carrier": carrier or None,
    }
    if as_json:
        from syncd.cli.output import print_json

        print_json(answer)
    else:
        _print(answer, settings.currency)
    return EXIT_FAILED if isinstance(result, Unrated) else EXIT_OK


def _site(arguments: argparse.Namespace, settings: Settings) -> SiteSettings:
    from syncd.settings.values import nearest

    names = sorted(settings.sites)
    wanted = arguments.site
    if wanted is None and arguments.trunk is not None:
        wanted = next((one.site for one in settings.trunks if one.name == arguments.trunk), None)
    if wanted is None:
        if len(names) != 1:
            raise UsageError("from which site?", f"--site, one of {', '.join(names)}")
        return settings.sites[names[0]]
    if wanted not in settings.sites:
        raise UsageError(f"there is no [site:{wanted}]", nearest(wanted, names))
    return settings.sites[wanted]


def _way(arguments: argparse.Namespace, settings: Settings, site: SiteSettings) -> tuple[str, str]:
    """Return the trunk, empty for any, and the carrier. Raises UsageError."""
    from syncd.application.decks import find_carrier
    from syncd.settings.values import nearest

    if arguments.carrier is not None:
        return "", find_carrier(settings, arguments.carrier).name
    if arguments.trunk is not None:
        for trunk in settings.trunks:
            if trunk.name == arguments.trunk:
                return trunk.name, trunk.carrier
        names = [trunk.name for trunk in settings.trunks]
        raise UsageError(f"there is no [trunk:{arguments.trunk}]", nearest(arguments.trunk, names))
    found = {one.carrier for one in settings.trunks if one.site == site.name and one.carrier}
    found = found or set(settings.carriers)
    if len(found) != 1:
        known = ", ".join(sorted(found)) or "there is no [carrier:NAME] at all"
        raise UsageError("who bills it?", f"--trunk, or --carrier: {known}")
    return "", found.pop()


def _moment(text: str, site: SiteSettings) -> int:
    """Return the epoch seconds of a time in a site's zone. Raises UsageError."""
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        hint = "such as 2026-03-01T10:00, in the zone of the site"
        raise UsageError(f"--at: {text!r} is no time", hint) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=site.timezone)
    return int(moment.timestamp())


def _answer(
    arguments: argparse.Namespace,
    number: NormalisedNumber,
    result: Rated | Unrated,
    settings: Settings,
) -> dict[str, Any]:
    from datetime import datetime

    from syncd.billing.rating import Unrated, steps_of_leg
    from syncd.billing.working import percent_text, with_tax

    answer: dict[str, Any] = {
        "call": None,
        "number": {
            "raw": arguments.number,
            "e164": number.e164 or None,
            "class": number.number_class.word,
            "rule": number.rule,
        },
        "tariff": None,
        "arithmetic": [],
        "price": None,
        "currency": settings.currency,
        "reason": None,
        "mend": None,
    }
    if isinstance(result, Unrated):
        from syncd.calls.mending import mend

        site = _site(arguments, settings)
        return answer | {
            "reason": result.reason,
            "mend": mend(result.reason, "", site.name) or None,
        }
    tariff, rate = result.tariff, result.rate
    terms = tariff.terms
    foreign = terms.currency if terms is not None else ""
    vat = terms.vat if terms is not None else 0
    start = datetime.fromtimestamp(tariff.valid_from, settings.timezone)
    return answer | {
        "tariff": {
            "carrier": tariff.carrier,
            "version": tariff.version,
            "valid_from": start.date().isoformat(),
            "prefix": rate.prefix,
            "destination": rate.destination,
            "band": rate.band or None,
            "currency": foreign or None,
            "original": result.original if foreign else None,
            "vat": percent_text(vat) if vat else None,
            "with_vat": with_tax(result.price.micros, vat) if vat else None,
            "file": tariff.file,
        },
        "arithmetic": [step._asdict() for step in steps_of_leg(result, arguments.duration)],
        "billed_seconds": result.price.billed_seconds,
        "price": result.price.micros,
    }


def _print(answer: dict[str, Any], currency: str) -> None:
    from syncd.cli.output import print_table
    from syncd.domain.money import format_micros
    from syncd.reports.render.table import Column

    number, call, tariff = answer["number"], answer["call"], answer["tariff"]
    lines = [
        ("call", f"{call['at'][:19].replace('T', ' ')}, {call['seconds']} s, site {call['site']}"),
        ("trunk", call["trunk"]),
        ("number", number["raw"]),
        ("E.164", number["e164"]),
        ("class", number["class"]),
        ("by the rule", number["rule"]),
        ("carrier", call["carrier"]),
    ]
    if tariff is not None:
        lines += [
            ("version", f"{tariff['version']}, valid from {tariff['valid_from']}"),
            ("prefix", f"{tariff['prefix']} ({tariff['destination']})"),
            ("band", tariff["band"]),
        ]
    lines += [("no price", answer["reason"]), ("to mend it", answer["mend"])]
    for name, value in lines:
        if value:
            sys.stdout.write(f"{f'{name}:':<12} {value}\n")
    if tariff is None:
        return
    sys.stdout.write("\n")
    foreign = tariff["currency"]
    own = [Column(foreign, right=True)] if foreign else []

    def amounts(original: int | None, micros: int) -> list[str | None]:
        both = None if original is None else format_micros(original)
        return [both, format_micros(micros)] if foreign else [format_micros(micros)]

    print_table(
        [Column("Step"), Column("Seconds", right=True), *own, Column(currency, right=True)],
        [
            [step["what"], step["seconds"] or None, *amounts(step["original"], step["micros"])]
            for step in answer["arithmetic"]
        ],
        ["Price", answer["billed_seconds"], *amounts(tariff["original"], answer["price"])],
    )
    if tariff["with_vat"] is not None:
        whole = f"{format_micros(tariff['with_vat'])} {currency}"
        sys.stdout.write(f"With {tariff['vat']} VAT it is {whole}.\n")
