"""Every option that is in force, with where it comes from, for people to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from syncd.settings.model import Settings
from syncd.settings.option import Option
from syncd.settings.schema import SECTIONS
from syncd.settings.values import TEXT, hidden_password, one_line

DEFAULT = "default"


class Shown(NamedTuple):
    """One option in force: section header, name, value as text (passwords hidden), and its origin,
    ``FILE:LINE`` or ``default``."""

    section: str
    option: str
    value: str
    origin: str


def shown(settings: Settings) -> Iterator[Shown]:
    """Yield every option of every section that exists, in the order of the schema; options that
    have no default and are not set are left out."""
    headers = dict.fromkeys(header for header, _ in settings.origins)
    for section in SECTIONS:
        if not section.example:
            names = [section.kind]
        else:
            names = [header for header in headers if header.partition(":")[0] == section.kind]
        for header in names:
            for option in section.options:
                yield from _shown(settings, header, option)
            # What a driver declares is not in the schema.
            for place, name in settings.origins:
                if place == header and section.option(name) is None:
                    yield from _shown(settings, header, Option(name, TEXT, "", ""))


def _shown(settings: Settings, header: str, option: Option) -> Iterator[Shown]:
    if option.key:
        written = [
            name
            for section, name in settings.origins
            if section == header and option.key_of(name) is not None
        ]
    else:
        written = [option.name] if (header, option.name) in settings.origins else []
    for name in written:
        origin = settings.origins[header, name]
        value = hidden_password(one_line(origin.text))
        yield Shown(header, name, value, f"{origin.file}:{origin.line}")
    if not written and option.default:
        yield Shown(header, option.name, option.default, DEFAULT)
