"""What an administrator sees of the licence."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.licensing.settlement import ACQUIRED, NAMED, Terms, claims
from syncd.licensing.slots import Claim, grant
from syncd.store import withheld
from syncd.store.models import AcquiredLine, Line, Party, Slot


@dataclass(frozen=True, slots=True)
class SlotHolder:
    """Who holds a slot. ``since`` is epoch seconds."""

    line_id: str
    kind: str
    person: str | None
    role: str
    since: int
    reason: str


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """Who waits for a slot, in the order in which they are served, and what is withheld."""

    line_id: str
    kind: str
    person: str | None
    role: str
    calls: int
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class LicenceView:
    """``slots`` None: unlimited. ``hunt_lines`` are documented and take no slot."""

    slots: int | None
    used: int
    waiting: int
    holders: tuple[SlotHolder, ...]
    waiting_lines: tuple[WaitingLine, ...]
    hunt_lines: tuple[str, ...]


def view(terms: Terms, now: int) -> LicenceView:
    """Return the state of the licence, given its terms and the time (epoch seconds)."""
    granted, wait = grant(claims(terms, now), terms.slots)
    since: dict[tuple[int, int, int], tuple[int, str]] = {}
    for slot in Slot.select().where(Slot.until == FOREVER):
        since[slot.party_id or 0, slot.role, slot.line_id] = (slot.since, slot.reason)
    names = dict(Party.select(Party.id, Party.display_name).tuples())
    held_back = {row.line: row for row in withheld.overview()}
    holders = []
    for claim in granted:
        start, reason = since.get((claim.key.party, claim.key.role, claim.line), (now, ""))
        holders.append(
            SlotHolder(
                claim.line_id,
                _kind(claim),
                names.get(claim.key.party),
                claim.key.role.word,
                start,
                reason,
            )
        )
    lines = []
    for claim in wait:
        row = held_back.get(claim.line)
        lines.append(
            WaitingLine(
                claim.line_id,
                _kind(claim),
                names.get(claim.key.party),
                claim.key.role.word,
                row.calls if row else 0,
                row.first if row else None,
                row.last if row else None,
            )
        )
    hunts = (
        AcquiredLine.select(Line.line_id)
        .join(Line)
        .where(AcquiredLine.hunt)
        .order_by(Line.line_id)
        .tuples()
    )
    return LicenceView(
        terms.slots,
        len(granted),
        len(wait),
        tuple(holders),
        tuple(lines),
        tuple(row[0] for row in hunts),
    )


def _kind(claim: Claim) -> str:
    return ACQUIRED if claim.key.role is Role.ACQUIRED else NAMED
