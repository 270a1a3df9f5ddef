"""Drivers that are nothing but a description: options of ``delimited`` and ``fixed-width``.

A description is an INI file of the package ``syncd.cdr``; a section of it is one layout. Where a
source sets an option itself its own word counts, and ``column.NAME = none`` or ``value.NAME = none``
takes one away.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from syncd.cdr.driver_options import DriverWithOptions, Values, default_values
from syncd.cdr.drivers import delimited, fixed_width
from syncd.cdr.drivers.table_options import COLUMN, VALUE
from syncd.domain.leg import CdrDriver
from syncd.settings import reader, values
from syncd.settings.option import Option

FAMILIES = {COLUMN.name: COLUMN, VALUE.name: VALUE}
NOTHING = "none"
OPEN = ("encoding", "timezone", "trunks", "column", "value")
"""Options that every source of a pack may set."""


def texts_of(name: str) -> dict[str, dict[str, str]]:
    """Return the options of each layout of a pack as they are written."""
    path = files("syncd.cdr").joinpath("packs", f"{name}.ini")
    sections, problems = reader.read(path.read_text("utf-8"), f"{name}.ini")
    assert not problems, problems
    return {
        header: {option.name: option.text for option in section.options.values()}
        for header, section in sections.items()
    }


def layouts(name: str, options: tuple[Option, ...]) -> dict[str, dict[str, Any]]:
    """Return the values of all options for each layout of a pack."""
    known = {option.name: option for option in options if not option.key}
    found = {}
    for layout, texts in texts_of(name).items():
        parsed = default_values(options)
        for written, text in texts.items():
            family, _, key = written.partition(".")
            if key:
                attribute = FAMILIES[family].attribute
                parsed[attribute] = (*parsed[attribute], (key, text))
            else:
                parsed[written] = known[written].kind.parse(text, Path())
        found[layout] = parsed
    return found


def merged(layout: Values, written: Values, names: tuple[str, ...]) -> dict[str, Any]:
    """Return a layout with what a source has written; of the same meaning the source's counts."""
    result = dict(layout)
    own: dict[str, str] = {}
    for option in FAMILIES.values():
        own |= dict.fromkeys((key for key, _ in written[option.attribute]), option.attribute)
    for option in FAMILIES.values():
        kept = (pair for pair in layout[option.attribute] if pair[0] not in own)
        mine = (pair for pair in written[option.attribute] if pair[1] != NOTHING)
        result[option.attribute] = (*kept, *mine)
    for name in names:
        if name not in FAMILIES and written[name]:
            result[name] = written[name]
    return result


def _open(options: tuple[Option, ...], names: tuple[str, ...]) -> tuple[Option, ...]:
    """Return options as a source of a pack may set them: those of a layout count where it does not."""
    by_name = {option.name: option for option in options}
    return tuple(
        by_name[name]
        if name in FAMILIES
        else replace(by_name[name], default="", kind=replace(by_name[name].kind, empty=None))
        for name in names
    )


def by_width(name: str, summary: str, *, grows: bool) -> DriverWithOptions:
    """Return a pack of ``delimited`` whose rows tell by their width which layout is theirs."""
    shown = _open(delimited.OPTIONS, OPEN)

    def configure(written: Values, zone: ZoneInfo) -> CdrDriver:
        first, *others = (
            merged(layout, written, OPEN) for layout in layouts(name, delimited.OPTIONS).values()
        )
        return delimited.Delimited(first, zone, name=name, grows=grows, others=others)

    return DriverWithOptions(name, summary, shown, configure)


def by_layout(name: str, summary: str, *, grows: bool) -> DriverWithOptions:
    """Return a pack of ``fixed-width`` whose option ``layout`` says which layout it is."""
    names = ("columns", "date_line", "date_format", "least_length", *OPEN)
    kinds = tuple(texts_of(name))
    layout = Option("layout", values.choice(*kinds), kinds[0], "How the columns stand.")

    def configure(written: Values, zone: ZoneInfo) -> CdrDriver:
        found = layouts(name, fixed_width.OPTIONS)[written["layout"]]
        options = merged(found, written, names)
        return fixed_width.FixedWidth(options, zone, name=name, grows=grows)

    return DriverWithOptions(name, summary, (layout, *_open(fixed_width.OPTIONS, names)), configure)


three_cx = by_width("3cx", "CDR files of 3CX, up to v18 and from v20 on", grows=False)
avaya_ipoffice = by_width("avaya-ipoffice", "SMDR of Avaya IP Office", grows=True)
avaya_cm = by_layout("avaya-cm", "CDR of Avaya Communication Manager", grows=False)
mitel = by_layout("mitel", "SMDR of Mitel MiVoice Business and 3300", grows=True)
