"""From what is stored and what a complete snapshot says to a plan (docs/rules.md 3.3; pure)."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.directory.assignments import assign
from syncd.directory.claims import idle_flags
from syncd.directory.differences import differences
from syncd.directory.plan import (
    Arrival,
    Current,
    FieldChange,
    PartyRow,
    People,
    Plan,
    ProfileClosing,
    ProfileOpening,
    Terms,
    fields_of,
    profile_values,
)
from syncd.domain.clock import BEGINNING
from syncd.domain.errors import Problem
from syncd.domain.party import PartyState


def plan(current: Current, wanted: Iterable[PartyState], terms: Terms) -> Plan:
    """Return what must change so that the store says what the snapshot says.

    Each of ``wanted`` has an external id that no other has, and only the fields that the mapping
    could fill: all others keep what is stored.
    """
    decided = Plan(
        newcomers=current.newcomers, newcomers_from=BEGINNING if terms.first else terms.now
    )
    people = _people(current, wanted, terms, decided)
    assign(current, people, terms, decided)
    for owner, fields in people.fields.items():
        for flag in idle_flags(fields):
            what = f"{flag} is on, but acts only beside a first extension that is set and billed"
            decided.warnings.append(Problem(people.where[owner], 0, "", what, warning=True))
    decided.differences = differences(current, people, decided)
    return decided


def _people(current: Current, wanted: Iterable[PartyState], terms: Terms, decided: Plan) -> People:
    """Decide who arrives, stays, returns and leaves, and what each is from now on."""
    people = People()
    for other in current.others.values():
        if other.departed_at is not None:
            people.gone[other.id] = other.departed_at
    known = {row.external_id: row for row in current.parties}
    present: set[str] = set()
    for state in wanted:
        present.add(state.external_id)
        row = known.get(state.external_id)
        if row is None:
            _arrive(state, terms, people, decided)
        else:
            _stay(row, state, terms, people, decided)
    for external_id, row in known.items():
        if external_id not in present:
            _absent(row, terms, people, decided)
    return people


def _arrive(state: PartyState, terms: Terms, people: People, decided: Plan) -> None:
    owner = state.external_id
    fields = fields_of(state)
    people.fields[owner] = fields
    people.where[owner] = state.where
    decided.arrivals.append(Arrival(owner, fields, state.where, state.kind))
    start = BEGINNING if terms.first else terms.now
    decided.profile_openings.append(ProfileOpening(owner, profile_values(fields), start))


def _stay(row: PartyRow, state: PartyState, terms: Terms, people: People, decided: Plan) -> None:
    stored = row.fields
    before = len(decided.changes)
    for name, value in state.fields.items():
        if stored[name] != value:
            decided.changes.append(FieldChange(row.id, name, stored[name], value))
    changed = len(decided.changes) > before
    fields = stored | state.fields if changed else stored
    people.fields[row.id] = fields
    people.where[row.id] = state.where
    if row.departed_at is None:
        decided.staying[row.id] = fields
    else:
        decided.returns.append(row.id)
    if changed or row.profile is None:
        _change_profile(row, profile_values(fields), terms, decided)


def _change_profile(row: PartyRow, values: tuple[str, ...], terms: Terms, decided: Plan) -> None:
    if row.profile is None:
        start = max(terms.now, row.profile_until)
    elif row.profile.values != values:
        start = max(terms.now, row.profile.valid_from + 1)
        decided.profile_closings.append(ProfileClosing(row.profile.id, start))
    else:
        return
    decided.profile_openings.append(ProfileOpening(row.id, values, start))


def _absent(row: PartyRow, terms: Terms, people: People, decided: Plan) -> None:
    """Handle who is not in the snapshot: leaves, has left, or may be one that nobody can tell."""
    if row.closed_at is not None:
        return
    departed_at = row.departed_at
    if departed_at is None:
        if not terms.absent_departed:
            people.fields[row.id] = row.fields
            people.where[row.id] = row.external_id
            return
        departed_at = terms.now
        decided.departures.append(row.id)
    people.gone[row.id] = departed_at
    if terms.now - departed_at < terms.grace:
        return
    people.ended.add(row.id)
    decided.closed_parties.append(row.id)
    if row.profile is not None:
        end = max(departed_at, row.profile.valid_from + 1)
        decided.profile_closings.append(ProfileClosing(row.profile.id, end))
