"""What an administrator sees of the licence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.licensing.claims import Terms, chunks, survey
from syncd.licensing.forecast import Forecast, Internal, forecast
from syncd.licensing.settlement import ACQUIRED, NAMED
from syncd.licensing.slots import Claim, SlotKey, grant, slot_key
from syncd.store import withheld
from syncd.store.models import Line, Party, Slot
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
class PersonUse:
    """What one person takes of the licence: slots held and waited for, and for which lines, in the
    order of claims (role, line id)."""

    person: str
    held: int
    waiting: int
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LicenceView:
    """``slots`` None: unlimited. ``hunt_lines`` are documented and take no slot."""

    slots: int | None
    used: int
    waiting: int
    holders: tuple[SlotHolder, ...]
    waiting_lines: tuple[WaitingLine, ...]
    people: tuple[PersonUse, ...]
    hunt_lines: tuple[str, ...]
    forecast: Forecast


def view(terms: Terms, now: int, internal: Internal = lambda site, number: True) -> LicenceView:
    """Return the state of the licence, given its terms, the time (epoch seconds) and which numbers
    the sites name."""
    found = survey(terms, now)
    granted, wait = grant(found.claims, terms.slots)
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
    ids = _line_ids(row.line for waiting in held_back.values() for row in waiting)
    lines += [_waiting(key, ids[rows[0].line], names, rows) for key, rows in held_back.items()]
    return LicenceView(
        terms.slots,
        len(granted),
        len(lines),
        tuple(holders),
        tuple(lines),
        _people(granted, wait, names),
        tuple(sorted(_line_ids(found.hunts).values())),
        forecast(terms, found, internal),
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


def _people(
    granted: Iterable[Claim], wait: Iterable[Claim], names: Mapping[int, str]
) -> tuple[PersonUse, ...]:
    """Return what each person takes, by name; two people of one name stay two."""
    held: dict[int, int] = {}
    lines: dict[int, list[tuple[Role, str]]] = {}
    for claims, counts in ((granted, 1), (wait, 0)):
        for claim in claims:
            party = claim.key.party
            if party:
                held[party] = held.get(party, 0) + counts
                lines.setdefault(party, []).append((claim.key.role, claim.line_id))
    return tuple(
        PersonUse(
            names[party],
            held[party],
            len(own) - held[party],
            tuple((role.word, line_id) for role, line_id in sorted(own)),
        )
        for party, own in sorted(lines.items(), key=lambda item: (names[item[0]], item[0]))
    )


def _line_ids(rows: Iterable[int]) -> dict[int, str]:
    """Return the line ids of rows of ``line``."""
    found: dict[int, str] = {}
    for part in chunks(rows):
        found.update(Line.select(Line.id, Line.line_id).where(Line.id << part).tuples())
    return found


def _kind(key: SlotKey) -> str:
    return ACQUIRED if key.role is Role.ACQUIRED else NAMED
