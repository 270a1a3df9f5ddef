"""What the month run needs to know of the settings: allowances and flat charges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

UNITS = ("minutes", "amount", "calls")
PER = ("person", "department", "cost_center", "site", "company")
ALWAYS = 999_912
"""The last month (yyyymm) of what has no end."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What of a month's calls is included in advance, for each person, department … on its own."""

    name: str
    unit: str
    """One of ``UNITS``."""
    given: int
    """Each month: seconds, micros or calls."""
    per: str
    """One of ``PER``: who has a pot of it."""
    members: frozenset[str] = frozenset()
    """Keys of usernames, departments, cost centers or sites that have one; empty: all."""
    departments: frozenset[str] = frozenset()
    """Keys of the departments whose calls it covers; empty: all."""
    carriers: frozenset[str] = frozenset()
    tariffs: frozenset[tuple[str, str]] = frozenset()
    """(carrier, version)."""
    classes: frozenset[int] = frozenset()
    destinations: tuple[str, ...] = ()
    """Patterns for names, case folded: ``*`` and ``?``."""
    carry_over: bool = False
    first: int = 0
    """The first month (yyyymm) in which it is given, and the last."""
    last: int = ALWAYS


@dataclass(frozen=True, slots=True)
class FlatCharge:
    """What each line costs a month, whether anybody calls or not."""

    name: str
    amount: int
    """Micros."""
    roles: frozenset[int]
    """Of the lines that cost it."""
    sites: frozenset[str] = frozenset()
    """Of the lines; empty: all."""
    carrier: str = ""
    """Under which it is booked; empty: none."""
    share: str = "days"
    """``days``: who holds the line pays by days; ``month``: who held it last pays all of it."""
    first: int = 0
    last: int = ALWAYS


class Held(NamedTuple):
    """A line that a party held in a role, from … to (epoch seconds, exclusive)."""

    line: int
    site: str
    party: int
    role: int
    valid_from: int
    valid_to: int
