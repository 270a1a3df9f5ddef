"""How a driver declares options of its own, which then stand in its ``[cdr:NAME]`` section."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from syncd.domain.leg import CdrDriver
from syncd.settings.option import Option

Values = Mapping[str, Any]
"""Value by option name; of a family, pairs of (key, value) by its attribute."""


class OptionProblem(NamedTuple):
    """What is wrong with an option, in the words of the INI, and how to mend it."""

    option: str
    what: str
    hint: str = ""


class OptionsError(Exception):
    """The options of a driver do not go together; ``problems`` holds all of them."""

    def __init__(self, problems: Iterable[OptionProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{one.option}: {one.what}" for one in self.problems))


@dataclass(frozen=True, slots=True)
class DriverWithOptions:
    """What stands behind the entry point of a driver that has options.

    ``configure`` gets their values and the zone of the source's site, and returns the driver or
    raises OptionsError.
    """

    name: str
    summary: str
    options: tuple[Option, ...]
    configure: Callable[[Values, ZoneInfo], CdrDriver]


def default_values(options: Iterable[Option]) -> dict[str, Any]:
    """Return what options have that are not written anywhere; a needed one has its empty value."""
    values: dict[str, Any] = {}
    for option in options:
        if option.key:
            values[option.attribute] = ()
        elif option.default:
            values[option.name] = option.kind.parse(option.default, Path())
        else:
            values[option.name] = option.kind.empty
    return values


def written_at(driver: CdrDriver, moment: int) -> CdrDriver:
    """Return the driver for a file that was last written at a moment, in epoch seconds: to a
    YearlessDriver it tells the year."""
    dated = getattr(driver, "written", None)
    return driver if dated is None else cast(CdrDriver, dated(moment))
