"""Who may see what: the rules, without a database (docs/rules.md 8.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from syncd.domain.codes import LEVELS
from syncd.domain.viewer import Viewer
from syncd.reports.catalogue.standard import own_level

OWN, ORGS, ALL = 2, 6, 8
"""The levels from which a viewer sees own calls, those of colleagues, and all."""

BASES = ("department", "cost_center", "office_location")

REQUIRED_LEVELS = {
    "licence": 8,
    "access": 10,
    "alarm": 10,
    "budget": 10,
    "charge-back": 10,
    "department": 10,
    "files": 10,
    "invoice": 10,
    "mail": 10,
    "period": 10,
    "person": 10,
    "rejects": 10,
    "reprocess": 10,
    "rerate": 10,
    "retention": 10,
    "tariff": 10,
    "unknown": 10,
}
"""Verbs that are not for everyone who has access; reports have their level in the catalogue."""


class Reach(Enum):
    """How far a viewer sees."""

    NONE = "none"
    OWN = "own"
    ORGS = "orgs"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a viewer may see: the condition on call rows, and the masking of outside numbers.

    Rows in scope are those of ``party_id`` and, with reach ORGS, those whose org has one of
    ``keys`` as its ``basis``. ``keys`` never holds the empty key: it would match all who have none.
    """

    reach: Reach
    party_id: int = 0
    basis: str = "department"
    keys: frozenset[str] = frozenset()
    masked_digits: int = 0
    private_numbers: bool = False
    """The numbers of everybody's private calls are shown, not only one's own."""

    def __post_init__(self) -> None:
        if self.reach in (Reach.OWN, Reach.ORGS) and self.party_id <= 0:
            raise ValueError("a scope of own calls needs a party")
        if self.basis not in BASES:
            raise ValueError(f"{self.basis!r} is none of {', '.join(BASES)}")
        if "" in self.keys:
            raise ValueError("an empty key would match everybody who has none")


NOTHING = Scope(Reach.NONE)


def scope_of(viewer: Viewer) -> Scope:
    """Return the scope of a viewer. Levels are cumulative; a level that does not exist is none."""
    masked = max(0, viewer.masked_digits)
    if viewer.level not in LEVELS or viewer.level < OWN:
        return NOTHING
    if viewer.level >= ALL:
        return Scope(Reach.ALL, viewer.party_id, masked_digits=masked)
    if viewer.party_id <= 0:
        return NOTHING
    keys = _keys(viewer) if viewer.level >= ORGS else frozenset()
    if not keys:
        return Scope(Reach.OWN, viewer.party_id, masked_digits=masked)
    return Scope(Reach.ORGS, viewer.party_id, viewer.level6_basis, keys, masked)


BUSINESS = -1
"""In the place of whose private call a row is part of: of none."""


def hides_number(scope: Scope, owner: int) -> bool:
    """Say whether the outside number of a call row is hidden, given whose private call it is part
    of (party, 0: nobody's who is known; BUSINESS)."""
    if owner == BUSINESS or scope.private_numbers:
        return False
    return owner == 0 or owner != scope.party_id


def _keys(viewer: Viewer) -> frozenset[str]:
    """Return the keys whose rows a viewer of level 6 sees, none for a basis that does not exist."""
    if viewer.level6_basis == "department":
        keys = {viewer.department, *viewer.additional_departments}
    elif viewer.level6_basis == "cost_center":
        keys = {viewer.cost_center}
    elif viewer.level6_basis == "office_location":
        keys = {viewer.office_location}
    else:
        keys = set()
    return frozenset(keys - {""})


def required_level(report: str, levels: Mapping[str, int]) -> int:
    """Return the level that opens a report or verb; ``levels`` holds what the settings changed."""
    return levels.get(report, REQUIRED_LEVELS.get(report, own_level(report)))


def may_open(viewer: Viewer, report: str, levels: Mapping[str, int]) -> bool:
    """Say whether a viewer may open a report; what rows it then shows is the scope's business.

    Nobody below level 2 opens anything, whatever the settings say.
    """
    return viewer.level in LEVELS and viewer.level >= max(OWN, required_level(report, levels))
