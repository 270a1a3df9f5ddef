"""What an administrator sees of the licence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.licensing.settlement import ACQUIRED, NAMED, Terms, claims, hunt_lines
from syncd.licensing.slots import SlotKey, grant, slot_key
from syncd.store import withheld
from syncd.store.models import AcquiredLine, Line, Party, Slot
from syncd.store.withheld import Waiting


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
    """Who waits for a slot, in the order in which they are served, and what is withheld; then the
    lines that claim none any more (somebody left), whose calls are still withheld."""

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
    held_back: dict[SlotKey, list[Waiting]] = {}
    for row in withheld.overview():
        key = slot_key(row.party, Role(row.role), row.line)
        held_back.setdefault(key, []).append(row)
    holders = []
    for claim in granted:
        start, reason = since.get((claim.key.party, claim.key.role, claim.line), (now, ""))
        holders.append(
            SlotHolder(
                claim.line_id,
                _kind(claim.key),
                names.get(claim.key.party),
                claim.key.role.word,
                start,
                reason,
            )
        )
    lines = [
        _waiting(claim.key, claim.line_id, names, held_back.pop(claim.key, [])) for claim in wait
    ]
    for claim in granted:
        # Released at the next unit of work.
        held_back.pop(claim.key, None)
    if terms.slots is None:
        held_back.clear()
    hunts = (
        AcquiredLine.select(Line.line_id)
        .join(Line)
        .where(AcquiredLine.line << [*hunt_lines()])
        .order_by(Line.line_id)
        .tuples()
    )
    ids = dict(Line.select(Line.id, Line.line_id).where(Line.id << _lines(held_back)).tuples())
    lines += [_waiting(key, ids[rows[0].line], names, rows) for key, rows in held_back.items()]
    return LicenceView(
        terms.slots,
        len(granted),
        len(lines),
        tuple(holders),
        tuple(lines),
        tuple(row[0] for row in hunts),
    )


def _waiting(
    key: SlotKey, line_id: str, names: Mapping[int, str], rows: Sequence[Waiting]
) -> WaitingLine:
    return WaitingLine(
        line_id,
        _kind(key),
        names.get(key.party),
        key.role.word,
        sum(row.calls for row in rows),
        min((row.first for row in rows), default=None),
        max((row.last for row in rows), default=None),
    )


def _lines(rows: Mapping[SlotKey, Sequence[Waiting]]) -> list[int]:
    return [row.line for waiting in rows.values() for row in waiting]


def _kind(key: SlotKey) -> str:
    return ACQUIRED if key.role is Role.ACQUIRED else NAMED
