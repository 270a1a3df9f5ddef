"""Drivers as their entry points give them, with the options that an INI would set."""

from __future__ import annotations

import io
from typing import Any
from zoneinfo import ZoneInfo

from syncd.application.plugins import DRIVERS, load_plugin
from syncd.cdr.driver_options import DriverWithOptions, default_values
from syncd.domain.leg import CdrDriver, Exclusion, Leg, Reject
from tests.support.bed import ROME

Item = Leg | Exclusion | Reject


def options_of(family: DriverWithOptions, **written: str) -> dict[str, Any]:
    """Return the values of options, given as an INI has them; a family's member as ``column__x``."""
    from pathlib import Path

    values = default_values(family.options)
    for name, text in written.items():
        family_name, separator, key = name.partition("__")
        option = next(one for one in family.options if one.name == family_name)
        parsed = option.kind.parse(text, Path())
        if separator:
            values[option.attribute] = (*values[option.attribute], (key, parsed))
        else:
            values[option.name] = parsed
    return values


def driver(name: str, zone: ZoneInfo = ROME, **written: str) -> CdrDriver:
    """Return the driver of this name with options, as an INI would set them."""
    found = load_plugin(DRIVERS, name)
    if isinstance(found, DriverWithOptions):
        return found.configure(options_of(found, **written), zone)
    assert not written
    taken: CdrDriver = found
    return taken


def read(of: CdrDriver, content: str | bytes, name: str = "file.csv") -> list[tuple[int, Item]]:
    data = content.encode() if isinstance(content, str) else content
    return list(of.rows(io.BytesIO(data), name))


def legs(of: CdrDriver, content: str | bytes, name: str = "file.csv") -> list[Leg]:
    """Return the legs of a file in which every row is one."""
    found = [item for _, item in read(of, content, name)]
    assert all(isinstance(item, Leg) for item in found), found
    return [item for item in found if isinstance(item, Leg)]


def reasons(of: CdrDriver, content: str | bytes) -> list[tuple[int, str]]:
    """Return (line, reason) of the rejects of a file."""
    return [(line, item.reason) for line, item in read(of, content) if isinstance(item, Reject)]
