"""Who claims a slot at a moment, and which acquired numbers need none (docs/rules.md 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.licensing.slots import CLAIMING, Claim, SlotKey, slot_key
from syncd.store.assignments import assignments
from syncd.store.models import AcquiredLine, HuntGroup, HuntListing, HuntMember, Line
from syncd.store.models import database as proxy

AT_ONCE = 500
"""Rows of one statement: a database takes a limited number of variables."""

Item = TypeVar("Item")
Place = tuple[str, str, str]
"""A line: (site, partition, number)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The licence as configured. ``slots`` None: unlimited."""

    slots: int | None
    acquisition: bool


class Holding(NamedTuple):
    """A number that a configured person has at this moment, and the slot that it needs."""

    site: str
    partition: str
    billed: bool
    slot: SlotKey


@dataclass(frozen=True, slots=True)
class Survey:
    """Who claims a slot at a moment."""

    claims: list[Claim]
    heirs: Mapping[int, SlotKey]
    """Acquired lines (rows of ``line``) that have become a configured person's, with the slot that
    they need now."""
    hunts: frozenset[int]
    """Acquired lines that are hunt numbers."""
    held: Mapping[str, list[Holding]]
    """By number, what configured people have."""

    def holdings(self, site: str, partition: str, number: str) -> list[Holding]:
        """Return who has a line's number configured."""
        return [
            holding
            for holding in self.held.get(number, ())
            if same_line(site, partition, holding.site, holding.partition)
        ]


def survey(terms: Terms, now: int) -> Survey:
    """Return who claims a slot at this moment (epoch seconds)."""
    claims, held = _named(now)
    hunts: set[int] = set()
    heirs: dict[int, SlotKey] = {}
    found = Survey(claims, heirs, frozenset(), held)
    for line, line_id, place, learned_at, hunt in acquired_lines():
        if hunt:
            hunts.add(line)
        holdings = found.holdings(*place)
        if holdings:
            slots = {holding.slot for holding in holdings if holding.billed}
            if len({holding.slot.party for holding in holdings}) == 1 and slots:
                heirs[line] = min(slots)
        elif terms.acquisition and not hunt:
            claims.append(Claim(slot_key(0, Role.ACQUIRED, line), line, line_id, learned_at))
    return Survey(claims, heirs, frozenset(hunts), held)


def same_line(site: str, partition: str, held_site: str, held_partition: str) -> bool:
    """Tell whether a configured number is an acquired line's. A person without a site belongs to
    every site; a line acquired where partitions do not matter has none."""
    return held_site in ("", site) and partition in ("", held_partition)


def _named(now: int) -> tuple[list[Claim], dict[str, list[Holding]]]:
    """Return the claims of configured people, and their numbers, with where they hold them."""
    learned: dict[SlotKey, int] = {}
    wanted: dict[SlotKey, Claim] = {}
    held: dict[str, list[Holding]] = {}
    for one in assignments((*CLAIMING, Role.ALIAS, Role.OFFNET_FAX)):
        key = slot_key(one.party, one.role, one.line)
        current = one.since <= now < one.until
        if current and not one.shared:
            held.setdefault(one.number, []).append(
                Holding(one.site, one.partition, one.billed, key)
            )
        if one.role not in CLAIMING:
            continue
        learned[key] = min(one.learned_at, learned.get(key, one.learned_at))
        if current and one.billed:
            wanted[key] = Claim(key, one.line, one.line_id, one.learned_at)
    return [claim._replace(learned_at=learned[claim.key]) for claim in wanted.values()], held


def acquired_lines() -> Iterator[tuple[int, str, Place, int, bool]]:
    """Yield the documented lines: row of ``line``, line id, the line, when syncd learned it (epoch
    seconds), and whether it is a hunt number, by a record or by a list."""
    listed = listed_hunts()
    rows = (
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
    for line, line_id, site, partition, number, learned_at, hunt in rows:
        place = (site, partition, number)
        yield line, line_id, place, learned_at, bool(hunt) or listed(*place)


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
    return frozenset(row[0] for row in acquired_lines() if row[4])


def follow_lists(now: int) -> None:
    """Remember which acquired lines the lists name as hunt numbers. A number that they name no
    longer has stopped being one at this moment (epoch seconds), also if records had shown it as one.

    Must run inside a write transaction.
    """
    listed = listed_hunts()
    until = dict(HuntListing.select(HuntListing.line_id, HuntListing.until).tuples())
    begun, over = [], []
    rows = AcquiredLine.select(AcquiredLine.line, Line.site, Line.partition, Line.number).join(Line)
    for line, *place in rows.tuples():
        if listed(*place):
            if until.get(line) != FOREVER:
                begun.append(line)
        elif until.get(line) == FOREVER:
            over.append(line)
    for named in chunks([{"line_id": line, "until": FOREVER} for line in begun]):
        HuntListing.insert_many(named).on_conflict(
            conflict_target=(HuntListing.line_id,), preserve=(HuntListing.until,)
        ).execute()
    for lines in chunks(over):
        HuntListing.update(until=now).where(HuntListing.line_id << lines).execute()
        AcquiredLine.update(hunt=False).where(AcquiredLine.line << lines).execute()


def document(lines: Mapping[int, int | None], now: int) -> bool:
    """Document acquired lines: row of ``line`` → when the latest call began whose record shows it as
    a hunt number (epoch seconds), None where none does. Returns whether that could change who holds
    a slot. Must run inside a write transaction."""
    known: dict[int, bool] = {}
    overruled: dict[int, int] = {}
    for part in chunks(lines):
        named = AcquiredLine.select(AcquiredLine.line, AcquiredLine.hunt)
        known.update(named.where(AcquiredLine.line << part).tuples())
        listing = HuntListing.select(HuntListing.line_id, HuntListing.until)
        overruled.update(listing.where(HuntListing.line_id << part).tuples())
    hunts = set()
    for line, shown in lines.items():
        until = overruled.get(line, FOREVER)
        if shown is not None and (until == FOREVER or shown >= until):
            hunts.add(line)
    new = [(line, now, line in hunts) for line in lines if line not in known]
    if new:
        # A file can bring thousands of numbers.
        proxy.obj.cursor().executemany(
            "INSERT INTO acquired_line (line_id, learned_at, hunt)"
            f" VALUES ({', '.join([proxy.obj.param] * 3)})",
            new,
        )
    learned = [line for line in hunts if line in known and not known[line]]
    for part in chunks(learned):
        AcquiredLine.update(hunt=True).where(AcquiredLine.line << part).execute()
    return bool(new or learned)


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield the items in lists that one statement can take."""
    found = list(items)
    for start in range(0, len(found), AT_ONCE):
        yield found[start : start + AT_ONCE]
