"""List the drivers for call records, or try one on a file: how would its rows be understood?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from io import BufferedReader, RawIOBase
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from syncd.cli.context import Context
from syncd.domain.clock import iso
from syncd.domain.errors import EXIT_FAILED, EXIT_OK, ConfigurationError, UsageError, UserError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from syncd.domain.leg import CdrDriver, Exclusion, Leg, Reject
    from syncd.domain.quality import Quality, QualityReader

ROWS = 10
BEGINNING = 65_536
"""Bytes that tell what a file is."""
MOMENTS = ("started_at", "connected_at", "ended_at")
INTERNAL = ("content_hash", "tied")
"""Columns that say nothing to people."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two actions."""
    from syncd.cli.context import common_options

    common = common_options()
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="list the drivers", parents=[common])
    trial = actions.add_parser(
        "try", help="show how the first rows of a file would be understood", parents=[common]
    )
    trial.add_argument("file", metavar="FILE", type=Path, help="a file of call records")
    trial.add_argument("--driver", metavar="NAME", help="the driver (default: the source's)")
    trial.add_argument(
        "--source", metavar="NAME", help="the [cdr:NAME] whose options, trunks and site count"
    )
    trial.add_argument(
        "--rows", metavar="N", type=int, default=ROWS, help=f"how many rows (default: {ROWS})"
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the drivers, or the rows of a file."""
    as_json = bool(getattr(arguments, "json", False) or context.json)
    if arguments.action == "try":
        return _try(arguments, context, as_json)
    return _list(as_json)


def _list(as_json: bool) -> int:
    from syncd.application.plugins import DRIVERS, load_plugin, plugin_names
    from syncd.cli.output import print_list
    from syncd.reports.render.table import Column

    rows = []
    for name in plugin_names(DRIVERS):
        try:
            found = load_plugin(DRIVERS, name)
            summary = getattr(found, "summary", "")
            options = [option.written for option in getattr(found, "options", ())]
        except ConfigurationError as error:
            summary, options = str(error), []
        rows.append({"name": name, "summary": summary, "options": options})
    columns = {"name": Column("Driver"), "summary": Column("Reads")}
    print_list(rows, columns, as_json=as_json, empty="no driver is installed")
    return EXIT_OK


def _try(arguments: argparse.Namespace, context: Context, as_json: bool) -> int:
    from syncd.cdr.compressed import DamagedError, expanded, plain_name
    from syncd.cdr.driver_options import written_at
    from syncd.cli.output import print_json, say
    from syncd.domain.leg import Exclusion, NotCdrError, Reject
    from syncd.domain.quality import Quality

    if arguments.rows < 1:
        raise UsageError("--rows must be at least 1")
    driver, quality, zone, judge = _driver(arguments, context)
    name = plain_name(arguments.file.name)
    rows: list[dict[str, Any]] = []
    try:
        with arguments.file.open("rb") as raw:
            status = os.fstat(raw.fileno())
            stream = BufferedReader(
                cast(RawIOBase, expanded(raw, raw.peek(4)[:4], status.st_size)), BEGINNING
            )
            beginning = stream.peek(BEGINNING)
            found: Iterator[tuple[int, Leg | Exclusion | Quality | Reject]]
            if quality is not None and quality.fits(name, beginning):
                say("a file of call quality: its rows belong to the legs of calls")
                found = quality.rows(stream)
            else:
                reason = driver.wants(name)
                if reason:
                    say(f"intake would pass this file over: {reason}")
                found = written_at(driver, int(status.st_mtime)).rows(stream, name)
            for line, item in islice(found, arguments.rows):
                shown = _shown(line, item, zone)
                if judge is not None and not isinstance(item, Reject | Quality):
                    shown |= judge(item.leg if isinstance(item, Exclusion) else item)
                rows.append(shown)
    except (NotCdrError, DamagedError) as error:
        raise UserError(f"{arguments.file} would be set aside as a whole: {error}") from error
    except OSError as error:
        raise UserError(f"{arguments.file} cannot be read: {error.strerror or error}") from error
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            _print(row)
        if not rows:
            say("the file holds no rows")
    return EXIT_FAILED if any(row["outcome"] == "rejected" for row in rows) else EXIT_OK


def _driver(
    arguments: argparse.Namespace, context: Context
) -> tuple[CdrDriver, QualityReader | None, ZoneInfo, Any | None]:
    """Return the driver, what reads the call quality files beside its own, the zone in which times
    are shown, and what judges a leg's direction.

    Raises UserError when the driver or the source does not exist, or options are missing.
    """
    from zoneinfo import ZoneInfo

    from syncd.application.plugins import DRIVERS, load_plugin
    from syncd.cdr.driver_options import (
        DriverWithOptions,
        OptionProblem,
        OptionsError,
        default_values,
    )

    utc = ZoneInfo("UTC")
    if arguments.source is not None:
        return _of_source(arguments, context)
    if arguments.driver is None:
        raise UsageError("which driver?", "--driver NAME or --source NAME")
    found = load_plugin(DRIVERS, arguments.driver)
    if not isinstance(found, DriverWithOptions):
        return found, getattr(found, "quality", None), utc, None
    needed = [option.name for option in found.options if option.default is None and not option.key]
    try:
        if needed:
            raise OptionsError(OptionProblem(name, "is missing") for name in needed)
        return found.configure(default_values(found.options), utc), None, utc, None
    except OptionsError as error:
        hint = f"describe it in a [cdr:NAME] with driver = {found.name}, and use --source NAME"
        raise UsageError(f"the driver {found.name} needs options: {error}", hint) from error


def _of_source(
    arguments: argparse.Namespace, context: Context
) -> tuple[CdrDriver, QualityReader | None, ZoneInfo, Any | None]:
    from syncd.application.contexts import trunk_rule
    from syncd.application.plugins import load_settings
    from syncd.application.preparation import prepare
    from syncd.billing.numbering import Numbering
    from syncd.calls.conversation import Ends, Rec, carried, direction_of, outside_legs
    from syncd.calls.trunks import Endpoint, Endpoints
    from syncd.settings.values import nearest

    settings = load_settings(context.config_file)
    source = settings.cdr.get(arguments.source)
    if source is None:
        hint = nearest(arguments.source, list(settings.cdr)) or "there is none at all"
        raise UsageError(f"there is no [cdr:{arguments.source}]", hint)
    if arguments.driver not in (None, source.driver):
        raise UsageError(f"[cdr:{source.name}] has driver = {source.driver}", "leave --driver out")
    prepared = prepare(settings)
    prepared.check(settings)
    numbering = Numbering(prepared.plans[source.site])
    endpoints = Endpoints(
        [trunk_rule(trunk) for trunk in settings.trunks if trunk.site in ("", source.site)]
    )

    def words(end: Endpoint) -> str:
        kind = end.kind.name.lower()
        if not end.trunk:
            return kind
        return f"{kind}, trunk {end.trunk}" if end.known else f"{kind}, {end.trunk} is not listed"

    def judge(leg: Leg) -> dict[str, Any]:
        ends = Ends(
            endpoints.of(leg.orig_device, leg.incoming_protocol, leg.calling_number),
            endpoints.of(
                leg.dest_device,
                leg.outgoing_protocol,
                leg.final_number,
                leg.final_partition,
                leg.final_pattern,
            ),
        )
        legs = outside_legs([Rec(1, 0, 0, leg)], [ends], numbering.outgoing, numbering.incoming)
        direction = direction_of(leg, ends, *carried(leg, 1, legs))
        outside = {one.direction.word: one.number.e164 or one.raw for one in legs.values()}
        return {
            "judged": {
                "direction": direction.word,
                "from": words(ends.orig),
                "to": words(ends.dest),
                **{f"{way} number": number for way, number in outside.items()},
            }
        }

    driver = prepared.drivers[source.name]
    quality = getattr(driver, "quality", None) if source.quality else None
    return driver, quality, settings.sites[source.site].timezone, judge


def _shown(line: int, item: Leg | Exclusion | Quality | Reject, zone: ZoneInfo) -> dict[str, Any]:
    """Return a row as an object: what it says as far as that is not empty, in order."""
    from syncd.domain.leg import Exclusion, Reject
    from syncd.domain.quality import Quality

    if isinstance(item, Reject):
        return {"line": line, "outcome": "rejected", "reason": item.reason, "raw": item.raw}
    if isinstance(item, Quality):
        return {"line": line, "outcome": "taken", "quality": _measured(item, zone)}
    excluded = isinstance(item, Exclusion)
    leg = item.leg if isinstance(item, Exclusion) else item
    columns = {
        name: iso(value, zone) if name in MOMENTS else value
        for name, value in leg._asdict().items()
        if name not in INTERNAL and value not in ("", 0)
    }
    shown: dict[str, Any] = {"line": line, "outcome": "excluded" if excluded else "taken"}
    if isinstance(item, Exclusion):
        shown["reason"] = item.rule
    return shown | {"answered": bool(leg.connected_at), "leg": columns}


def _measured(item: Quality, zone: ZoneInfo) -> dict[str, Any]:
    """Return what a measurement says; scores and shares as text, they are no whole numbers."""
    from syncd.domain.quality import UNIT

    columns: dict[str, Any] = {}
    for name, value in item._asdict().items():
        if name in INTERNAL or value in ("", None):
            continue
        if name in MOMENTS:
            columns[name] = iso(value, zone)
        elif name.startswith("score") or name == "concealment":
            columns[name] = f"{value // UNIT}.{value % UNIT:04}".rstrip("0").rstrip(".")
        else:
            columns[name] = value
    return columns


def _print(row: dict[str, Any]) -> None:
    import sys

    reason = f": {row['reason']}" if "reason" in row else ""
    sys.stdout.write(f"line {row['line']}: {row['outcome']}{reason}\n")
    for name, value in _fields(row):
        sys.stdout.write(f"  {name.replace('_', ' '):<24} {value}\n")


def _fields(row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if "raw" in row:
        yield "raw", row["raw"]
        return
    if "quality" in row:
        yield from row["quality"].items()
        return
    yield "answered", "yes" if row["answered"] else "no"
    yield from row["leg"].items()
    yield from row.get("judged", {}).items()
