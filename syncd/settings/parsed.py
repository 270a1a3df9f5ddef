"""Sections between reading and building: typed values that still know their lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from syncd.domain.errors import Problem
from syncd.settings.option import Option, Section
from syncd.settings.reader import RawOption, RawSection
from syncd.settings.schema import BY_KIND, SECTIONS
from syncd.settings.values import BadValue, nearest

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(slots=True)
class ParsedSection:
    """A section with its typed values by attribute; a value that was bad is not there."""

    section: Section
    name: str
    raw: RawSection
    values: dict[str, Any] = field(default_factory=dict)

    def get(self, attribute: str) -> Any:
        """Return a value, None when it was bad or is not set."""
        return self.values.get(attribute)

    def problem(self, option: str, what: str, hint: str = "", *, warning: bool = False) -> Problem:
        """Return a problem at the option's line, or at the section's where it is not written."""
        place: RawOption | RawSection = self.raw.options.get(option, self.raw)
        where = f"[{self.raw.header}] {option}".rstrip()
        return Problem(place.file, place.line, where, what, hint, warning)

    def parse(self, base: Path) -> list[Problem]:
        """Fill ``values`` from the raw section; return what is wrong."""
        problems: list[Problem] = []
        for option in self.section.options:
            if option.key:
                self.values[option.attribute] = ()
            elif option.name not in self.raw.options:
                if option.default is None:
                    hint = f"{option.name} = {option.example}"
                    problems.append(self.problem(option.name, "is missing", hint))
                else:
                    given = option.default
                    value = option.kind.parse(given, base) if given else option.kind.empty
                    self.values[option.name] = value
        for raw in self.raw.options.values():
            problems += self._parse_option(raw, base)
        return problems

    def _parse_option(self, raw: RawOption, base: Path) -> list[Problem]:
        option = self.section.option(raw.name)
        if option is None:
            names = [option.written for option in self.section.options]
            hint = nearest(raw.name, names)
            return [self.problem(raw.name, "there is no such option", hint)]
        try:
            if raw.text:
                value = option.kind.parse(raw.text, base)
            elif option.default == "" and not option.key:
                value = option.kind.empty
            else:
                right = option.example or option.default or ""
                raise BadValue("has no value", f"{option.written} = {right}".rstrip(" ="))
        except BadValue as error:
            return [self.problem(raw.name, error.what, error.hint)]
        if option.key:
            self.values[option.attribute] += ((option.key_of(raw.name), value),)
        else:
            self.values[option.name] = value
        return []


@dataclass(slots=True)
class Parsed:
    """All sections by header, in the order of the files."""

    sections: dict[str, ParsedSection] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, ParsedSection]:
        """Return the named sections of a kind by name."""
        return {s.name: s for s in self.sections.values() if s.section.kind == kind}

    def one(self, kind: str) -> ParsedSection:
        """Return the section of a kind that has no names."""
        return self.sections[kind]


DriverOptions = Callable[[str], Iterable[Option]]
"""Gives the options that a CDR driver, by its name, declares beside those of the schema."""


def parse(
    raw_sections: dict[str, RawSection],
    file: Path,
    driver_options: DriverOptions = lambda driver: (),
) -> tuple[Parsed, list[Problem]]:
    """Return the typed sections and every problem with sections, options and values.

    Unnamed sections that are not written are there too, with their defaults. ``file`` is the main
    INI file, absolute: paths are relative to its folder.
    """
    parsed, problems = Parsed(), []
    titles = [section.title for section in SECTIONS]
    for header, raw in raw_sections.items():
        kind, colon, name = header.partition(":")
        name = name.strip()
        section = BY_KIND.get(kind.strip())
        complaint = hint = ""
        if section is None:
            near = nearest(kind.strip(), list(BY_KIND)).removeprefix("did you mean ").rstrip("?")
            hint = f"did you mean [{BY_KIND[near].title}]?" if near in BY_KIND else ""
            hint = hint or f"one of {', '.join(f'[{title}]' for title in titles)}"
            complaint = "there is no such section"
        elif not section.example and colon:
            complaint, hint = "this section has no name", f"write [{section.kind}]"
        elif section.example and not name:
            complaint, hint = "needs a name", f"write [{section.kind}:{section.example}]"
        elif section.example and not NAME.fullmatch(name):
            complaint, hint = f"{name!r} is not a name", "letters, digits, dots, - and _"
        if section is None or complaint:
            problems.append(Problem(raw.file, raw.line, f"[{header}]", complaint, hint))
            continue
        if section.kind == "cdr" and "driver" in raw.options:
            own = tuple(driver_options(raw.options["driver"].text))
            section = replace(section, options=section.options + own)
        parsed.sections[header] = ParsedSection(section, name, raw)
    for section in SECTIONS:
        if not section.example and section.kind not in parsed.sections:
            missing = RawSection(section.kind, str(file), 0)
            parsed.sections[section.kind] = ParsedSection(section, "", missing)
    for parsed_section in parsed.sections.values():
        problems += parsed_section.parse(file.parent)
    return parsed, problems
