"""Explain a call: why this person, this licence, this number, this tariff, this price; or a record:
why it is not billed."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from syncd.cli.access import add_format, add_viewer, chosen_format, open_report_door
from syncd.cli.context import Context
from syncd.domain.errors import EXIT_OK, UserError

if TYPE_CHECKING:
    from syncd.reports.explain import ContextOf


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the id, the viewer and the format."""
    parser.add_argument(
        "id",
        metavar="ID",
        help="the id of a call, as syncd report calls shows it; for level 10 also that of a record"
        " or conversation, which is the same without the side",
    )
    add_viewer(parser)
    add_format(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the explanation."""
    door = open_report_door(arguments, context, "explain", arguments.id)

    from syncd.reports.explain import Request, explain_id

    settings = context.settings
    request = Request(door, _contexts(context), settings.timezone, settings.custom_fields)
    answer = explain_id(request, arguments.id)
    if chosen_format(arguments, context) == "json":
        from syncd.cli.output import print_json

        print_json(answer)
    elif "call" in answer:
        _print_call(answer, settings.currency, settings.custom_fields)
    else:
        _print_record(answer)
    return EXIT_OK


def _contexts(context: Context) -> ContextOf:
    """Return the function that gives the configuration of a source."""
    from syncd.application.contexts import intake_context
    from syncd.application.preparation import prepare
    from syncd.calls.context import IntakeContext

    settings = context.settings

    def context_of(source: str, pbx: str) -> IntakeContext:
        found = settings.cdr.get(source)
        if found is None:
            # Another folder of the same PBX reads its records alike.
            found = next((one for one in settings.cdr.values() if one.pbx == pbx), None)
        if found is None:
            raise UserError(
                f"the record came from [cdr:{source}], which is no longer configured",
                f"a [cdr:] section with pbx = {pbx} would do",
            )
        prepared = prepare(settings)
        prepared.check(settings)
        return intake_context(settings, prepared, found)

    return context_of


def _heading(text: str) -> None:
    sys.stdout.write(f"\n{text}\n")


def _lines(*pairs: tuple[str, Any]) -> None:
    """Print names and values, those without a value left out."""
    from syncd.reports.render.table import cell_text

    for name, value in pairs:
        if value not in (None, ""):
            sys.stdout.write(f"  {f'{name}:':<14} {cell_text(value)}\n")


def _amount(micros: int | None, currency: str) -> str:
    from syncd.domain.money import format_micros

    return "no price" if micros is None else f"{format_micros(micros)} {currency}"


def _print_call(answer: dict[str, Any], currency: str, custom_fields: dict[str, str]) -> None:
    from syncd.cli.output import print_table
    from syncd.domain.money import format_micros
    from syncd.reports.render.table import Column

    call, number, tariff = answer["call"], answer["number"], answer["tariff"]
    sys.stdout.write(
        f"{call['id']}: {call['direction']}, {call['side']} side, {call['disposition']},"
        f" {call['duration']} s, {call['started_at'][:19].replace('T', ' ')}\n"
    )
    _heading("Who")
    _lines(
        ("person", call["person"] or "nobody by name"),
        ("line", call["line_id"]),
        ("department", call["department"]),
        ("cost center", call["cost_center"]),
        ("office", call["office_location"]),
        *((label, call[name]) for name, label in custom_fields.items()),
        ("found by", answer["attribution"]["reason"]),
    )
    _print_candidates(answer["attribution"])
    _heading("Licence")
    _print_licence(answer["licence"])
    if answer["account"] is not None:
        account = answer["account"]
        _heading("Account codes")
        _lines(
            ("authorization", account["authorization_code"]),
            ("matter code", account["matter_code"]),
            ("name", account["name"]),
            ("cost center", account["cost_center"]),
            ("matter", account["matter"]),
            ("reason", account["reason"]),
        )
    _heading("Number")
    _lines(
        ("in the record", number["raw"] or "withheld by the caller"),
        ("E.164", number["e164"]),
        ("class", number["class"]),
        ("by the rule", number["rule"]),
        ("purpose", "private" if answer["purpose"] == "private" else None),
    )
    if tariff is not None:
        _heading("Tariff")
        _lines(
            ("carrier", tariff["carrier"]),
            ("version", f"{tariff['version']}, valid from {tariff['valid_from']}"),
            (
                "prefix",
                tariff["prefix"] + (f" ({tariff['destination']})" if tariff["destination"] else ""),
            ),
            ("time band", tariff["band"]),
        )
    _print_quality(answer["quality"])
    _heading("Price")
    foreign = tariff["currency"] if tariff is not None else None
    own = [Column(foreign, right=True)] if foreign else []

    def amounts(original: int | None, amount: str) -> list[str | None]:
        both = None if original is None else format_micros(original)
        return [both, amount] if foreign else [amount]

    print_table(
        [Column("Step"), Column("Seconds", right=True), *own, Column(currency, right=True)],
        [
            [
                step["what"],
                step["seconds"] or None,
                *amounts(step.get("original"), format_micros(step["micros"])),
            ]
            for step in answer["arithmetic"]
        ],
        [
            "Price of the whole leg",
            None,
            *amounts(
                tariff["original"] if tariff is not None else None,
                _amount(answer["price"], "").strip(),
            ),
        ],
    )
    if tariff is not None and tariff["with_vat"] is not None:
        whole = f"{format_micros(tariff['with_vat'])} {currency}"
        sys.stdout.write(f"With {tariff['vat']} VAT the leg is {whole}.\n")
    if answer["shares"]:
        _heading("Shares")
        _print_shares(answer["shares"], currency)
        for policy in dict.fromkeys(share["policy"] for share in answer["shares"]):
            if policy:
                sys.stdout.write(f"By the policy {policy}.\n")
    if answer["allowances"]:
        _heading("Allowances")
        _print_allowances(answer["allowances"], currency)
    sys.stdout.write(f"\nStored for this row: {_amount(answer['stored_price'], currency)}; ")
    sys.stdout.write(
        "computed again it is the same.\n"
        if answer["same"]
        else "it stands: numbers or names were taken out of its record.\n"
        if answer.get("frozen")
        else "computed again with the present tariff, rules and history it differs.\n"
    )
    _print_posting(answer["posting"], currency)


def _print_posting(posting: dict[str, Any], currency: str) -> None:
    """Print in which month the call is booked, where it is not only its own."""
    if not posting["adjustments"]:
        return
    _heading("Booked")
    _lines(
        ("came in", posting["period"]),
        *(
            (
                f"in {one['period']}",
                f"{_amount(one['micros'], currency)} {one['cause']}"
                + (f", run {one['run']}" if one["run"] else ""),
            )
            for one in posting["adjustments"]
        ),
    )


def _print_allowances(allowances: list[dict[str, Any]], currency: str) -> None:
    """Print what of the row is covered; the row itself keeps its price."""
    from syncd.domain.money import format_micros

    for one in allowances:
        unit = "" if one["unit"] == "minutes" else f" {currency}"
        used = "the call" if one["unit"] == "calls" else f"{one['used']}{unit}"
        words = f"{format_micros(one['micros'])} {currency}, booked in {one['month']}"
        sys.stdout.write(f"  {one['allowance']} covers {used}: -{words} ({one['state']}).\n")


def _print_quality(quality: list[dict[str, Any]]) -> None:
    """Print what was measured at either end, where anything was."""
    from syncd.cli.output import print_table
    from syncd.reports.render.table import Column

    if not quality:
        return
    _heading("Quality")
    columns = {
        "end": Column("End"),
        "device": Column("Device", absent="not shown"),
        "codec": Column("Codec"),
        "mos": Column("MOS", right=True),
        "loss_percent": Column("Lost %", right=True),
        "jitter_ms": Column("Jitter ms", right=True),
        "latency_ms": Column("Latency ms", right=True),
        "concealed_percent": Column("Concealed %", right=True),
        "packets_received": Column("Packets in", right=True),
        "packets_sent": Column("Packets out", right=True),
        "packets_lost": Column("Lost", right=True),
    }
    print_table(list(columns.values()), [[one[name] for name in columns] for one in quality])


def _print_shares(shares: list[dict[str, Any]], currency: str) -> None:
    from syncd.cli.output import print_table
    from syncd.domain.money import format_micros
    from syncd.reports.render.table import Column

    print_table(
        [
            Column("Record"),
            Column("Side", absent="nobody's"),
            Column("Line"),
            Column("Person"),
            Column("Seconds", right=True),
            Column(currency, right=True, absent="no price"),
            Column(""),
        ],
        [
            [
                share["record"],
                share["side"],
                share["line_id"],
                share["person"],
                share["seconds"],
                None if share["micros"] is None else format_micros(share["micros"]),
                "this row" if share["this"] else None,
            ]
            for share in shares
        ],
    )


def _print_candidates(attribution: dict[str, Any]) -> None:
    """Print who came into question, where there is a choice."""
    if len(attribution["candidates"]) > 1:
        for one in attribution["candidates"]:
            who = f"{one['person']}, {one['line_id']}" if one["person"] else "somebody else"
            _lines(("candidate", f"{who} ({one['role']})"))


def _print_licence(licence: dict[str, Any]) -> None:
    _lines(
        ("slot", licence["slot"]),
        ("since", licence["since"]),
        ("reason", licence["reason"]),
    )


def _print_record(answer: dict[str, Any]) -> None:
    record = answer["record"]
    sys.stdout.write(f"{record['id']}: record of {record['started_at'][:19].replace('T', ' ')}\n")
    _lines(
        ("outcome", record["outcome"]),
        ("reason", record["reason"]),
        ("to mend it", record["mend"]),
        ("file", f"{record['file']}, row {record['row']}, [cdr:{record['source']}]"),
        ("conversation", record["conversation"]),
    )
    for side in answer["sides"]:
        _heading(f"Side {side['side']}")
        _lines(
            ("number", side["number"]),
            ("line", side["line_id"]),
            ("person", side["person"]),
            ("outcome", side["outcome"]),
            ("reason", side["reason"]),
            ("to mend it", side["mend"]),
            ("call", side["call"]),
            ("found by", side["attribution"]["reason"]),
        )
        _print_candidates(side["attribution"])
        if side["licence"]["slot"] or side["outcome"] == "withheld":
            _lines(("licence", side["licence"]["reason"]))
    _print_quality(answer["quality"])
