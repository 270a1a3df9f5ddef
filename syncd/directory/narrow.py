"""From all that is stored and said to what there is something to decide about (pure).

Mostly nearly everybody is as they were, or is new and claims what nobody else has to do with.
Whoever is left out here does not change what is decided about the others: a test compares the two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from syncd.directory.claims import Keys, Owner, claims_of, idle_flags
from syncd.directory.packed import Chosen
from syncd.directory.plan import (
    Current,
    Holding,
    OtherParty,
    PartyRow,
    PastHolding,
    Rest,
    Terms,
    fields_of,
)
from syncd.domain.clock import BEGINNING
from syncd.domain.codes import Role
from syncd.domain.party import FieldValue, Line, PartyState

_PAST = 0
"""Stands for all who held something once."""


def _stranger(holding_id: int) -> int:
    """Return what stands for who holds something of another source, and back."""
    return -1 - holding_id


Person = tuple[PartyRow, list[Holding]]


class Stored(Protocol):
    """What is stored, one after the other."""

    def everybody(self) -> Iterator[tuple[PartyRow | None, list[Holding]]]:
        """Give each party of the source with what it holds, and what others hold with None."""
        ...

    def again(self, party_ids: Collection[int]) -> Iterable[Person]:
        """Return parties of the source once more."""
        ...

    def others(self, holding_ids: Collection[int]) -> tuple[dict[int, OtherParty], list[Holding]]:
        """Return these holdings of others, and whose they are by party id."""
        ...

    def past(self, after: int) -> list[PastHolding]:
        """Return what anybody held that ended later than ``after`` (epoch seconds)."""
        ...


class _Touched:
    """Who has to do with which line, user id or device, and those who share one.

    Things are known by their hash: two that have the same by accident are looked at in vain.
    """

    def __init__(self, terms: Terms) -> None:
        self._keys = Keys(terms.sites)
        self._first: dict[int, Owner] = {}
        self.sharing: set[Owner] = set()

    def by(self, owner: Owner, lines: Iterable[tuple[Role, Line]]) -> None:
        for role, line in lines:
            for key in self._keys.of(role, line):
                before = self._first.setdefault(hash(key), owner)
                if before != owner:
                    self.sharing.update((before, owner))

    def twice(self, lines: Collection[tuple[Role, Line]]) -> bool:
        """Whether two of somebody's own lines are one, by whatever spelling."""
        keys = [key for role, line in lines for key in self._keys.of(role, line)]
        return len(keys) > len(set(keys))


def narrow(
    stored: Stored,
    said: Mapping[str, PartyState],
    terms: Terms,
    locks: Mapping[str, Mapping[str, str]],
) -> tuple[Current, list[PartyState]]:
    """Return what is stored of those about whom there is something to decide, and what is said of
    them; of the others how many they are, and who is new.

    ``said`` is what the directory says, by external id; ``locks`` the fields that it must not
    change, by external id.
    """
    touched = _Touched(terms)
    rest = Rest()
    people: list[Person] = []
    known: set[str] = set()
    for row, holdings in stored.everybody():
        if row is None:
            for holding in holdings:
                touched.by(_stranger(holding.id), [(holding.role, holding.line)])
            continue
        known.add(row.external_id)
        state = said.get(row.external_id)
        if state is None and row.closed_at is not None and not holdings:
            continue  # who left long ago
        held = [(holding.role, holding.line) for holding in holdings]
        if row.external_id not in locks and _as_they_were(row, holdings, state, terms):
            rest.count(row, holdings)
        else:
            people.append((row, holdings))
            held += _claimed(fields_after(row, state, locks.get(row.external_id, {})), terms)
        touched.by(row.id, held)
    earliest = BEGINNING if terms.first else terms.now
    past = stored.past(earliest)
    touched.by(_PAST, ((ended.role, ended.line) for ended in past))
    new = [external_id for external_id in said if external_id not in known]
    busy = _arriving(new, said, terms, touched)
    chosen = {row.id for row, _ in people}
    again = {owner for owner in touched.sharing if isinstance(owner, int) and owner > _PAST}
    for row, holdings in stored.again(again - chosen):
        rest.count(row, holdings, -1)
        people.append((row, holdings))
    people.sort(key=lambda person: person[0].id)
    strangers = [
        _stranger(each) for each in touched.sharing if isinstance(each, int) and each < _PAST
    ]
    others, foreign = stored.others(sorted(strangers))
    concerned = busy | {row.external_id for row, _ in people}
    current = Current(
        [row for row, _ in people],
        others,
        [*foreign, *(holding for _, holdings in people for holding in holdings)],
        past,
        rest,
        Chosen(said, [each for each in new if each not in busy]),
    )
    return current, [said[each] for each in said if each in concerned]


def _as_they_were(
    row: PartyRow, holdings: Sequence[Holding], state: PartyState | None, terms: Terms
) -> bool:
    """Whether somebody stays as they are, holds exactly what they claim and shares nothing."""
    if state is None or row.departed_at is not None or row.profile is None:
        return False
    fields = row.fields
    if any(fields[name] != value for name, value in state.fields.items()):
        return False
    if any(holding.shared for holding in holdings):
        return False
    claims = claims_of(fields, terms.default_site)
    if len(claims) != len(holdings) or {*claims} != {holding.claim for holding in holdings}:
        return False
    return not idle_flags(fields)


def fields_after(
    row: PartyRow, state: PartyState | None, locked: Collection[str]
) -> Mapping[str, FieldValue]:
    """Return the fields of somebody who is stored, when they are what is said now, but for those
    that are locked."""
    if state is None:
        return row.fields
    return row.fields | {name: value for name, value in state.fields.items() if name not in locked}


def _claimed(fields: Mapping[str, FieldValue], terms: Terms) -> Iterator[tuple[Role, Line]]:
    return ((role, line) for role, line, _ in claims_of(fields, terms.default_site))


def _arriving(
    new: Iterable[str], said: Mapping[str, PartyState], terms: Terms, touched: _Touched
) -> set[str]:
    """Return those of the new people about whom there is something to decide."""
    busy: set[str] = set()
    for external_id in new:
        fields = fields_of(said[external_id])
        claimed = list(_claimed(fields, terms))
        touched.by(external_id, claimed)
        if idle_flags(fields) or touched.twice(claimed):
            busy.add(external_id)
    return busy | {owner for owner in touched.sharing if isinstance(owner, str)}
