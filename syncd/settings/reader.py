"""Reads INI text with line numbers, finding every structural mistake in one pass.

The language is that of configparser without interpolation and without ``[DEFAULT]``: ``;`` or ``#``
begins a comment at the start of a line, ``;`` also after a blank; an indented line continues the
value above it. Only ``=`` parts name and value, and ``\\;`` in a value is a semicolon.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from syncd.domain.errors import Problem

COMMENT = re.compile(r"^\s*[;#].*|(?<=\s);.*")
HEADER = re.compile(r"\[([^\]]+)\]")


@dataclass(slots=True)
class RawOption:
    """A value as written, and where its first line stands."""

    name: str
    text: str
    file: str
    line: int


@dataclass(slots=True)
class RawSection:
    """A section as written; ``header`` is the text between the brackets."""

    header: str
    file: str
    line: int
    options: dict[str, RawOption] = field(default_factory=dict)


def read(text: str, file: str) -> tuple[dict[str, RawSection], list[Problem]]:
    """Return the sections of an INI text by header, in order, and what is wrong with its form."""
    sections: dict[str, RawSection] = {}
    problems: list[Problem] = []
    section: RawSection | None = None
    option: RawOption | None = None
    indent = 0

    def complain(line: int, where: str, what: str, hint: str = "") -> None:
        problems.append(Problem(file, line, where, what, hint))

    for number, line in enumerate(re.split(r"\r\n?|\n", text), start=1):
        bare = COMMENT.sub("", line)
        value = bare.strip()
        depth = len(bare) - len(bare.lstrip())
        if not value:
            if option and bare == line:
                option.text += "\n"
        elif option and depth > indent:
            option.text += "\n" + value
        elif match := HEADER.fullmatch(value):
            indent, option = depth, None
            section = RawSection(match[1].strip(), file, number)
            first = sections.setdefault(section.header, section)
            if first is not section:
                what = f"stands twice, in lines {first.line} and {number}"
                complain(number, f"[{section.header}]", what, "join the two")
        elif value.startswith("["):
            indent, option, section = depth, None, RawSection("", file, number)
            complain(number, "", f"{value!r} is not a section's header", "write [section]")
        elif section is None:
            complain(number, "", f"{value!r} stands before the first [section]")
        else:
            name, equals, rest = (part.strip() for part in value.partition("="))
            indent, option = depth, RawOption(name, rest, file, number)
            where = f"[{section.header}] {name}"
            if not equals or not name:
                complain(
                    number, f"[{section.header}]", f"{value!r} is not an option", "name = value"
                )
            elif name in section.options:
                what = f"stands twice, in lines {section.options[name].line} and {number}"
                complain(number, where, what, "remove one")
            else:
                section.options[name] = option
    for section in sections.values():
        for option in section.options.values():
            option.text = option.text.rstrip().replace("\\;", ";")
    return sections, problems
