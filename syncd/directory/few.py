"""Planning on what changed without looking at everybody.

Where the last run of a source left nothing undecided about somebody, and nobody else has changed
the directory since, they hold exactly what they claim and share nothing of it. Then only those
matter of whom the directory tells something, those about whom there was something to decide in the
last run, and whoever holds what one of them holds or claims. The others are counted by the database.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from syncd.directory.claims import E164, NAMED_KINDS, ComparesNumbers, Keys, claims_of
from syncd.directory.incremental import Delta
from syncd.directory.narrow import Person, fields_after, narrow
from syncd.directory.people.locks import Locks
from syncd.directory.plan import Current, Holding, OtherParty, PartyRow, PastHolding, Terms
from syncd.directory.protocol import FullReadNeeded
from syncd.directory.stored import StoredParties
from syncd.directory.stored_counts import StoredCounts
from syncd.domain.codes import Role
from syncd.domain.party import Line, PartyState
from syncd.store.models import SourceUnsettled

FEW = 200
"""People: looking for who has to do with more is no faster than looking at everybody."""
MOST_ENDINGS = 30
"""Endings of numbers: each is that of a thousandth of all numbers."""
MOST_UNSETTLED = 2000
"""People who are remembered as unsettled; of more nothing is remembered."""
ENDING = 3
"""Characters of an ending: no number that has an E.164 number is shorter."""


def narrow_few(
    source: str, delta: Delta, terms: Terms, locks: Locks, version: int
) -> tuple[Current, list[PartyState]] | None:
    """Return what ``narrow`` would of everybody, given what changed since the last run.

    ``version`` is that of the directory. Returns None when everybody has to be looked at. Raises
    FullReadNeeded as ``incremental.laid_over`` does.
    """
    unsettled = SourceUnsettled.get_or_none(SourceUnsettled.source == source)
    if unsettled is None or unsettled.directory_version != version or delta.present is not None:
        return None
    said = {state.external_id: state for state in delta.states}
    restless: list[int] = json.loads(unsettled.parties)
    if len(said) + len(delta.gone) + len(locks) + len(restless) > FEW:
        return None
    stored = StoredParties(source)
    ids = stored.ids({*said, *delta.gone, *locks})
    people = {row.id: (row, held) for row, held in stored.again({*ids.values(), *restless})}
    here = {row.external_id for row, _ in people.values() if row.departed_at is None}
    for state in delta.states:
        if not state.fields and state.external_id not in here:
            raise FullReadNeeded(f"of {state.where} only a part is known")
    counts = StoredCounts(source)
    if delta.gone and counts.people - len(here & delta.gone) + len(said.keys() - here) <= 0:
        raise FullReadNeeded("nobody would be left")

    new = [state for state in delta.states if state.external_id not in ids]
    lines = [*_lines(people.values(), said, locks, terms)]
    for state in new:
        lines += [(role, line) for role, line, _ in claims_of(state.fields, terms.default_site)]
    lines += [(ended.role, ended.line) for ended in stored.past(terms.now)]
    marks = _marks(lines, terms)
    if len(marks.endings) > MOST_ENDINGS:
        return None
    holders = stored.holders(marks.numbers, marks.endings, marks.names, ENDING)
    others = holders - people.keys()
    people |= {row.id: (row, held) for row, held in stored.again(others)}
    strangers = stored.held_by(others - people.keys())

    unchanged = {
        row.external_id: PartyState(row.external_id, {}, row.external_id)
        for row, _ in people.values()
        if row.departed_at is None and row.external_id not in {*said, *delta.gone}
    }
    chosen = _Chosen(stored, people, strangers)
    current, states = narrow(chosen, unchanged | said, terms, locks)
    left_out = StoredCounts(source, [people[row.id] for row in current.parties])
    return replace(current, rest=left_out), states


def keep_unsettled(source: str, current: Current, arrived: Iterable[str], version: int) -> None:
    """Remember about whom there was something to decide, ``arrived`` of them by external id, and
    the version of the directory since when. The caller holds the write transaction."""
    SourceUnsettled.delete().where(SourceUnsettled.source == source).execute()
    new = [*islice(arrived, MOST_UNSETTLED + 1)]
    if len(new) > MOST_UNSETTLED:
        return
    found = StoredParties(source).ids(new).values()
    ids = sorted({*found, *(row.id for row in current.parties)})
    if len(ids) <= MOST_UNSETTLED:
        SourceUnsettled.insert(
            source=source, directory_version=version, parties=json.dumps(ids)
        ).execute()


class _Chosen:
    """Some of what is stored, as ``narrow`` reads it."""

    def __init__(
        self, stored: StoredParties, people: Mapping[int, Person], strangers: list[Holding]
    ) -> None:
        self._stored = stored
        self._people = people
        self._strangers = strangers

    def everybody(self) -> Iterator[tuple[PartyRow | None, list[Holding]]]:
        for party_id in sorted(self._people):
            yield self._people[party_id]
        yield None, self._strangers

    def again(self, party_ids: Collection[int]) -> list[Person]:
        return [self._people[party_id] for party_id in party_ids]

    def others(self, holding_ids: Collection[int]) -> tuple[dict[int, OtherParty], list[Holding]]:
        return self._stored.others(holding_ids)

    def past(self, after: int) -> list[PastHolding]:
        return self._stored.past(after)


def _lines(
    people: Iterable[Person], said: Mapping[str, PartyState], locks: Locks, terms: Terms
) -> Iterator[tuple[Role, Line]]:
    """Give what people hold, and what they claim from now on."""
    for row, holdings in people:
        for holding in holdings:
            yield holding.role, holding.line
        fields = fields_after(row, said.get(row.external_id), locks.get(row.external_id, {}))
        for claim in claims_of(fields, terms.default_site):
            yield claim.role, claim.line


@dataclass(frozen=True, slots=True)
class _Marks:
    """By what to look for who holds something of lines."""

    numbers: set[str]
    endings: set[str]
    """Of the E.164 numbers that they stand for."""
    names: set[str]
    """User ids and devices, case-folded."""


def _marks(lines: Iterable[tuple[Role, Line]], terms: Terms) -> _Marks:
    keys = Keys(terms.sites)
    found = _Marks(set(), set(), set())
    for role, line in lines:
        for kind, _, _, text in keys.of(role, line):
            if kind in NAMED_KINDS:
                found.names.add(text)
            elif kind == E164:
                found.endings.add(text[-ENDING:])
            else:
                found.numbers.add(text)
    if found.endings:
        for site in terms.sites:
            found.numbers.update(site.codes if isinstance(site, ComparesNumbers) else ())
    return found
