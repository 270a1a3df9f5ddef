"""Locks of fields: what an administrator said of one person stays, whatever the directory says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from syncd.directory.plan import PartyRow, name_of, shown
from syncd.domain.errors import Problem
from syncd.domain.party import PartyState
from syncd.store.models import Party, PartyLock

Locks = Mapping[str, Mapping[str, str]]
"""Reason by field, by external id."""


def locks_of(source: str) -> Locks:
    """Return the locks on people of a source."""
    rows = (
        PartyLock.select(Party.external_id, PartyLock.field, PartyLock.reason)
        .join(Party)
        .where(Party.source == source)
        .order_by(PartyLock.id)
        .tuples()
    )
    found: dict[str, dict[str, str]] = {}
    for external_id, field, reason in rows:
        found.setdefault(external_id, {})[field] = reason
    return found


def without_locked(
    states: Iterable[PartyState], stored: Iterable[PartyRow], locks: Locks
) -> tuple[list[PartyState], list[Problem]]:
    """Return what a directory says, without the fields that are locked, and a warning for each of
    them where it says something else than is stored (pure).

    A lock of somebody who is not stored means nothing.
    """
    wanted = list(states)
    if not locks:
        return wanted, []
    rows = {row.external_id: row for row in stored if row.external_id in locks}
    warnings: list[Problem] = []
    for place, state in enumerate(wanted):
        row = rows.get(state.external_id)
        if row is None:
            continue
        reasons = locks[state.external_id]
        left = {name: value for name, value in state.fields.items() if name not in reasons}
        wanted[place] = replace(state, fields=left)
        for name, reason in reasons.items():
            if name in state.fields and state.fields[name] != row.fields[name]:
                what = (
                    f"{name} of {name_of(row.fields, state.external_id)} is locked ({reason}):"
                    f" {shown(row.fields[name])!r} stays, the directory says"
                    f" {shown(state.fields[name])!r}"
                )
                warnings.append(Problem(state.where, 0, "", what, warning=True))
    return wanted, warnings
