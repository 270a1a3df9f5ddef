"""Which calls of a month its allowances cover, in the order of (start, key) (pure; docs/rules.md 7.10).

A call row takes from the first allowance, in the order of the settings, that is for it and has
something left in the row's pot; what that leaves goes on to the next one. Intake knows nothing of
this, so the order in which files arrive decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from syncd.domain.allowance import Allowance
from syncd.domain.posting import Posted


class Place(NamedTuple):
    """Which call row, by what does not depend on when it arrived: start, hash of (telephone system,
    key) of its record, side."""

    started_at: int
    key_hash: int
    side: int


class Priced(NamedTuple):
    """A call row with a price; names as keys."""

    place: Place
    leg: tuple[int, int]
    """(conversation, outside leg): the rows that share the price of a leg have the same."""
    username: str
    department: str
    cost_center: str
    site: str
    carrier: str
    version: str
    destination: str
    seconds: int
    """Billed."""
    private: bool
    posted: Posted


class Use(NamedTuple):
    """What an allowance covers of a row: seconds, micros or calls of it, and the micros that this
    makes free."""

    row: Priced
    allowance: str
    pot: str
    used: int
    cost: int


class Pot(NamedTuple):
    """What somebody had of an allowance in a month, in its unit, and how many micros it covered."""

    unit: str
    given: int
    carried: int
    used: int = 0
    cost: int = 0

    @property
    def left(self) -> int:
        return self.given + self.carried - self.used


PotKey = tuple[str, str]
"""Name of the allowance, and whose pot."""
Pots = dict[PotKey, Pot]


def apply(
    allowances: Sequence[Allowance],
    month: int,
    rows: Iterable[Priced],
    before: Mapping[PotKey, Pot],
) -> tuple[list[Use], Pots]:
    """Return what is covered of a month's rows, which come in the order of their places, and the pots
    at its end; ``before`` as for ``Covering``."""
    covering = Covering(allowances, month, before)
    uses = [use for row in rows for use in covering.uses(row)]
    return uses, covering.pots


class Covering:
    """Covers the rows of a month, one after the other in the order of their places."""

    def __init__(
        self, allowances: Sequence[Allowance], month: int, before: Mapping[PotKey, Pot]
    ) -> None:
        """``before``: the pots at the end of the month before; what was left in them counts where an
        allowance carries over. A pot is opened by the first call that it covers."""
        self.pots: Pots = {}
        self._allowances = [one for one in allowances if one.first <= month <= one.last]
        self._legs: set[tuple[PotKey, tuple[int, int]]] = set()
        self._before = before
        self._fits: dict[tuple[str, str, str, str, int], list[Allowance]] = {}
        for one in self._allowances:
            if one.carry_over:
                for key in before:
                    if key[0] == one.name:
                        self.pots[key] = self._opened(one, key)

    def _opened(self, allowance: Allowance, key: PotKey) -> Pot:
        """Return a pot as it is at the beginning of the month."""
        carried = 0
        if allowance.carry_over:
            found = self._before.get(key)
            if found is not None and found.unit == allowance.unit:
                carried = found.left
        return Pot(allowance.unit, allowance.given, carried)

    def uses(self, row: Priced) -> Iterator[Use]:
        """Yield what covers a row; its pots have less then."""
        cost, seconds = row.posted.cost, row.seconds
        if row.private or cost <= 0:
            return
        for allowance in self._fitting(row):
            whose = pot_of(allowance, row)
            if whose is None:
                continue
            key = (allowance.name, whose)
            pot = self.pots.get(key) or self._opened(allowance, key)
            used, covered = _taken(allowance.unit, pot.left, cost, seconds)
            if allowance.unit == "calls" and row.leg[1]:
                leg = (key, row.leg)
                if leg in self._legs:
                    # Somebody else's part of a call that was counted.
                    used, covered = 0, cost
                elif used:
                    self._legs.add(leg)
            if not covered and not used:
                continue
            self.pots[key] = pot._replace(used=pot.used + used, cost=pot.cost + covered)
            yield Use(row, allowance.name, whose, used, covered)
            cost -= covered
            if allowance.unit == "minutes":
                seconds -= used
            if not cost:
                return

    def _fitting(self, row: Priced) -> list[Allowance]:
        """Return the allowances that are for a row, but for whose it is."""
        key = (row.carrier, row.version, row.department, row.destination, row.posted.number_class)
        found = self._fits.get(key)
        if found is None:
            found = self._fits[key] = [one for one in self._allowances if is_for(one, row)]
        return found


def is_for(allowance: Allowance, row: Priced) -> bool:
    """Say whether an allowance is for calls such as a row."""
    return (
        (not allowance.carriers or row.carrier in allowance.carriers)
        and (not allowance.tariffs or (row.carrier, row.version) in allowance.tariffs)
        and (not allowance.classes or row.posted.number_class in allowance.classes)
        and (not allowance.departments or row.department in allowance.departments)
        and (
            not allowance.destinations
            or any(
                fnmatchcase(row.destination.casefold(), pattern)
                for pattern in allowance.destinations
            )
        )
    )


_MEMBER: dict[str, Callable[[Priced], tuple[str, str]]] = {
    "person": lambda row: (str(row.posted.party) if row.posted.party else "", row.username),
    "department": lambda row: (row.department, row.department),
    "cost_center": lambda row: (row.cost_center, row.cost_center),
    "site": lambda row: (row.site, row.site),
}


def pot_of(allowance: Allowance, row: Priced) -> str | None:
    """Return whose pot a row takes from: ``person:`` and a party's id, ``department:`` or
    ``cost_center:`` and its key, ``site:`` and its name, nothing for the company's; None where it has
    none."""
    if allowance.per == "company":
        return ""
    pot, member = _MEMBER[allowance.per](row)
    if not pot or (allowance.members and member not in allowance.members):
        return None
    return f"{allowance.per}:{pot}"


def _taken(unit: str, left: int, cost: int, seconds: int) -> tuple[int, int]:
    """Return how much of what is left is used by a row that still costs so many micros for so many
    seconds, and the micros that this makes free. Part of the seconds is the same part of the price,
    cut to whole micros."""
    if left <= 0:
        return 0, 0
    if unit == "calls":
        return 1, cost
    if unit == "amount":
        return min(left, cost), min(left, cost)
    if seconds <= 0:
        return 0, 0
    used = min(left, seconds)
    return used, cost * used // seconds
