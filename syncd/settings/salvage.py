"""What is still sound of settings with mistakes, so that the rest can be checked in the same pass."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from syncd.domain.errors import Problem
from syncd.settings.build import build
from syncd.settings.model import Settings
from syncd.settings.parsed import Parsed, ParsedSection
from syncd.settings.values import BadValue

_PLACE = re.compile(r"\[([^]]*)\] ?(.*)")


def salvage(parsed: Parsed, problems: Iterable[Problem], file: Path) -> Settings:
    """Return settings in which every option that has a problem has its default or example instead.

    They are to look at, never to work with. ``file`` is the main INI file, absolute.
    """
    bad = {match.groups() for match in (_PLACE.match(p.option) for p in problems) if match}
    sections = {
        header: _sound(section, {option for place, option in bad if place == header}, file.parent)
        for header, section in parsed.sections.items()
    }
    maps = parsed.of("map")
    return build(
        Parsed(
            {
                header: section
                for header, section in sections.items()
                if section.section.kind != "directory" or section.name in maps
            }
        ),
        file,
        (),
    )


def _sound(section: ParsedSection, bad: set[str], base: Path) -> ParsedSection:
    """Return a section without its ``bad`` options and those that do not exist."""
    known = {
        name: raw
        for name, raw in section.raw.options.items()
        if name not in bad and section.section.option(name) is not None
    }
    values = dict(section.values)
    for option in section.section.options:
        if option.key:
            pairs = values[option.attribute]
            values[option.attribute] = tuple(
                pair for pair in pairs if option.spelled(pair[0]) not in bad
            )
        elif option.name in bad or option.name not in values:
            values[option.name] = option.kind.empty
            try:
                if text := option.default or option.example:
                    values[option.name] = option.kind.parse(text, base)
            except BadValue:
                continue
    return ParsedSection(section.section, section.name, replace(section.raw, options=known), values)
