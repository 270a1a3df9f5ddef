"""Who holds a slot (pure; docs/rules.md 6.3).

Order of claims: named before acquired; first extensions before fax before voicemail; then the
moment syncd learned it; then the line id. The first ``slots`` claims hold one, the others wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from syncd.domain.codes import Role


class SlotKey(NamedTuple):
    """What a slot belongs to: (party, role), with the line for each further extension; or, with
    party 0, an acquired line. So renumbering keeps it."""

    party: int
    role: Role
    line: int


class Claim(NamedTuple):
    """A wish for a slot. ``learned_at`` is epoch seconds."""

    key: SlotKey
    line: int
    line_id: str
    learned_at: int


_SLOT_ROLE = {
    Role.FIRST: Role.FIRST,
    Role.ALIAS: Role.FIRST,
    Role.OTHER: Role.OTHER,
    Role.FAX: Role.FAX,
    Role.OFFNET_FAX: Role.FAX,
    Role.VOICEMAIL: Role.VOICEMAIL,
}
"""Alias and off-net fax are free, and follow their owner's first extension and fax."""

_RANK = {Role.FIRST: 0, Role.OTHER: 0, Role.FAX: 1, Role.VOICEMAIL: 2, Role.ACQUIRED: 3}

CLAIMING = (Role.FIRST, Role.OTHER, Role.FAX, Role.VOICEMAIL)
"""The roles whose billed numbers take a slot each."""


def slot_key(party: int, role: Role, line: int) -> SlotKey:
    """Return what slot a call of a line in a role needs; ``party`` 0 is an anonymous line."""
    if not party:
        return SlotKey(0, Role.ACQUIRED, line)
    role = _SLOT_ROLE.get(role, Role.FIRST)
    return SlotKey(party, role, line if role is Role.OTHER else 0)


def in_order(claims: Iterable[Claim]) -> list[Claim]:
    """Return claims in the order in which they are served."""
    return sorted(
        claims,
        key=lambda claim: (_RANK[claim.key.role], claim.learned_at, claim.line_id, claim.key),
    )


def grant(claims: Iterable[Claim], slots: int | None) -> tuple[list[Claim], list[Claim]]:
    """Return (those who hold a slot, those who wait), given all claims and the number of slots
    (None: unlimited)."""
    ordered = in_order(claims)
    if slots is None:
        return ordered, []
    return ordered[:slots], ordered[slots:]


@dataclass(frozen=True, slots=True)
class Licence:
    """Who holds and who held slots, for deciding what is withheld."""

    unlimited: bool
    granted: frozenset[SlotKey] = frozenset()
    history: Mapping[SlotKey, Sequence[tuple[int, int]]] = field(default_factory=dict)
    """(since, until) of every slot ever held."""
    hunts: frozenset[int] = frozenset()
    """Anonymous lines that need no slot."""
    mark: str = ""
    """The same for two licences that withhold the calls of the same lines."""

    def holds(self, key: SlotKey) -> bool:
        """Tell whether a line's calls are shown whenever they were made: it holds a slot now, or
        needs none."""
        if self.unlimited or key in self.granted:
            return True
        return not key.party and key.line in self.hunts

    def withheld(self, key: SlotKey, when: int) -> bool:
        """A call is withheld if and only if its line held no slot at the time of the call and
        holds none now."""
        if self.holds(key):
            return False
        return not any(since <= when < until for since, until in self.history.get(key, ()))
