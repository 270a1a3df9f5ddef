"""Keeps the slot history: who claims, who is granted, what is released (docs/rules.md 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.licensing.slots import CLAIMING, Claim, Licence, SlotKey, grant, slot_key
from syncd.store import withheld
from syncd.store.models import AcquiredLine, Assignment, HuntGroup, HuntMember, Line, Slot

NAMED, ACQUIRED = "named", "acquired"

AT_ONCE = 100
"""Rows of one statement."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The licence as configured. ``slots`` None: unlimited."""

    slots: int | None
    acquisition: bool


class _Holding(NamedTuple):
    """A number that a configured person has at this moment, and the slot that it needs."""

    site: str
    partition: str
    billed: bool
    slot: SlotKey


def claims(terms: Terms, now: int) -> list[Claim]:
    """Return every claim on a slot at this moment (epoch seconds)."""
    return _survey(terms, now)[0]


def _survey(terms: Terms, now: int) -> tuple[list[Claim], dict[int, SlotKey]]:
    """Return every claim on a slot, and the acquired lines (rows of ``line``) that have become a
    configured person's, with the slot that they need now."""
    found, held = _named(now)
    listed = listed_hunts()
    heirs: dict[int, SlotKey] = {}
    acquired = (
        AcquiredLine.select(
            AcquiredLine.line,
            Line.line_id,
            Line.site,
            Line.partition,
            Line.number,
            AcquiredLine.learned_at,
            AcquiredLine.hunt,
        )
        .join(Line)
        .tuples()
    )
    for line, line_id, site, partition, number, learned_at, hunt in acquired:
        holdings = [
            holding
            for holding in held.get(number, ())
            if same_line(site, partition, holding.site, holding.partition)
        ]
        if holdings:
            slots = {holding.slot for holding in holdings if holding.billed}
            if len({holding.slot.party for holding in holdings}) == 1 and slots:
                heirs[line] = min(slots)
        elif terms.acquisition and not hunt and not listed(site, partition, number):
            found.append(Claim(slot_key(0, Role.ACQUIRED, line), line, line_id, learned_at))
    return found, heirs


def same_line(site: str, partition: str, held_site: str, held_partition: str) -> bool:
    """Tell whether a configured number is an acquired line's. A person without a site belongs to
    every site; a line acquired where partitions do not matter has none."""
    return held_site in ("", site) and partition in ("", held_partition)


def _named(now: int) -> tuple[list[Claim], dict[str, list[_Holding]]]:
    """Return the claims of configured people, and their numbers, with where they hold them."""
    learned: dict[SlotKey, int] = {}
    wanted: dict[SlotKey, Claim] = {}
    held: dict[str, list[_Holding]] = {}
    rows = (
        Assignment.select(
            Assignment.party,
            Assignment.role,
            Assignment.line,
            Line.line_id,
            Assignment.site,
            Assignment.partition,
            Assignment.number,
            Assignment.billed,
            Assignment.learned_at,
            Assignment.valid_from,
            Assignment.valid_to,
            Assignment.shared,
        )
        .join(Line)
        .where(Assignment.role << [int(role) for role in (*CLAIMING, Role.ALIAS, Role.OFFNET_FAX)])
        .order_by(Assignment.id)
        .tuples()
    )
    for row in rows:
        party, role, line, line_id, site, partition, number, billed, *times, shared = row
        learned_at, since, until = times
        current = since <= now < until
        key = slot_key(party, Role(role), line)
        if current and not shared:
            held.setdefault(number, []).append(_Holding(site, partition, bool(billed), key))
        if role not in CLAIMING:
            continue
        learned[key] = min(learned_at, learned.get(key, learned_at))
        if current and billed:
            wanted[key] = Claim(key, line, line_id, learned_at)
    return [claim._replace(learned_at=learned[claim.key]) for claim in wanted.values()], held


def settle(terms: Terms, now: int) -> Licence:
    """Grant the slots as of now, write the history, and return who holds and who held them.

    Must run inside a write transaction.
    """
    found, heirs = _survey(terms, now)
    granted, _ = grant(found, terms.slots)
    wanted = {claim.key: claim for claim in granted}
    history: dict[SlotKey, list[tuple[int, int]]] = {}
    still: set[SlotKey] = set()
    for slot in Slot.select():
        key = SlotKey(slot.party_id or 0, Role(slot.role), 0)
        if key.role in (Role.OTHER, Role.ACQUIRED):
            key = key._replace(line=slot.line_id)
        until = slot.until
        if until == FOREVER:
            claim = wanted.get(key)
            if claim is None:
                until = slot.until = now
                slot.save()
            else:
                still.add(key)
                if slot.line_id != claim.line:
                    slot.line = claim.line
                    slot.save()
        history.setdefault(key, []).append((slot.since, until))
    opened = [
        {
            "kind": NAMED if key.party else ACQUIRED,
            "party": key.party or None,
            "role": int(key.role),
            "line": claim.line,
            "since": now,
            "until": FOREVER,
            "reason": _reason(claim),
        }
        for key, claim in wanted.items()
        if key not in still
    ]
    for start in range(0, len(opened), AT_ONCE):
        Slot.insert_many(opened[start : start + AT_ONCE]).execute()
    for key in wanted.keys() - still:
        history.setdefault(key, []).append((now, FOREVER))
    # A line that was acquired and is configured now holds the slot of its person: what was called
    # before stays anonymous, and is withheld no longer.
    passed = {slot_key(0, Role.ACQUIRED, line) for line, key in heirs.items() if key in wanted}
    return Licence(terms.slots is None, frozenset(wanted) | passed, history)


def _reason(claim: Claim) -> str:
    if claim.key.party:
        return f"billed {claim.key.role.word} number of a configured person"
    return "acquired automatically"


def document(lines: Mapping[int, bool], now: int) -> bool:
    """Document acquired lines (row of ``line`` → is it a hunt number?). Returns whether that could
    change who holds a slot. Must run inside a write transaction."""
    changed = False
    known = dict(
        AcquiredLine.select(AcquiredLine.line, AcquiredLine.hunt)
        .where(AcquiredLine.line << list(lines))
        .tuples()
    )
    for line, hunt in lines.items():
        if line not in known:
            AcquiredLine.insert(line=line, learned_at=now, hunt=hunt).execute()
            changed = True
        elif hunt and not known[line]:
            AcquiredLine.update(hunt=True).where(AcquiredLine.line == line).execute()
            changed = True
    return changed


def listed_hunts() -> Callable[[str, str, str], bool]:
    """Return whether lists of places name a line (site, partition, number) as a hunt pilot or a
    member of a hunt group."""
    listed: dict[str, list[tuple[str, str]]] = {}
    for table in (HuntGroup, HuntMember):
        rows = table.select(table.site, table.partition, table.number).where(table.number != "")
        for site, partition, number in rows.tuples():
            listed.setdefault(number, []).append((site, partition))

    def named(site: str, partition: str, number: str) -> bool:
        return any(same_line(site, partition, *place) for place in listed.get(number, ()))

    return named


def hunt_lines() -> frozenset[int]:
    """Return the acquired lines (rows of ``line``) that are hunt numbers, by a record or by a list:
    they need no slot."""
    listed = listed_hunts()
    rows = (
        AcquiredLine.select(
            AcquiredLine.line, AcquiredLine.hunt, Line.site, Line.partition, Line.number
        )
        .join(Line)
        .tuples()
    )
    return frozenset(row[0] for row in rows if row[1] or listed(*row[2:]))


def release(licence: Licence, hunts: Iterable[int], now: int) -> list[withheld.Released]:
    """Move the withheld calls of lines that hold a slot now (epoch seconds) to the calls. Returns
    what was moved.

    Must run inside a write transaction.
    """
    free = frozenset(hunts)
    released: list[withheld.Released] = []
    for party, role, line in withheld.waiting():
        key = slot_key(party, Role(role), line)
        if licence.unlimited or key in licence.granted or (not party and line in free):
            released += withheld.release(party, role, line, now)
    return released
