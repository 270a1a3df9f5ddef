"""Rewriting who held what and who was where, without overlap or gap (pure; docs/rules.md 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from syncd.directory.claims import Claim
from syncd.domain.party import PROFILE_FIELDS


class Version(NamedTuple):
    """A profile from … to (epoch seconds, to exclusive); ``values`` in the order of PROFILE_FIELDS.
    Without an id it is new."""

    id: int | None
    values: tuple[str, ...]
    valid_from: int
    valid_to: int


class Held(NamedTuple):
    """An assignment from … to. Without an id it is new."""

    id: int | None
    party: int
    claim: Claim
    shared: bool
    learned_at: int
    valid_from: int
    valid_to: int


def changed_since(
    versions: Iterable[Version], changes: Mapping[str, str], since: int
) -> list[Version]:
    """Return a party's profiles with other values of some fields since a moment.

    Who was not known yet at that moment has the first profile from then on. Times without any
    profile stay so.
    """
    places = {PROFILE_FIELDS.index(name): text for name, text in changes.items()}
    found: list[Version] = []
    for version in reaching_back(versions, since):
        values = tuple(places.get(at, value) for at, value in enumerate(version.values))
        if version.valid_to <= since or values == version.values:
            found.append(version)
        elif version.valid_from >= since:
            found.append(version._replace(values=values))
        else:
            found.append(version._replace(valid_to=since))
            found.append(Version(None, values, since, version.valid_to))
    return _joined(found)


def reaching_back(versions: Iterable[Version], since: int) -> list[Version]:
    """Return profiles in order of time, the first of them from ``since`` at the latest."""
    ordered = sorted(versions, key=lambda version: version.valid_from)
    if ordered and since < ordered[0].valid_from:
        ordered[0] = ordered[0]._replace(valid_from=since)
    return ordered


def _joined(versions: Sequence[Version]) -> list[Version]:
    """Let a new profile become part of the one that follows when they say the same."""
    found: list[Version] = []
    for version in versions:
        before = found[-1] if found else None
        if (
            before is not None
            and before.id is None
            and before.values == version.values
            and before.valid_to == version.valid_from
        ):
            found[-1] = version._replace(valid_from=before.valid_from)
        else:
            found.append(version)
    return found


def given(
    held: Iterable[Held], wanted: Held, clashes: Callable[[Claim], bool]
) -> tuple[list[Held], list[int]]:
    """Return (the assignments as they are afterwards, the ids of those of which nothing is left),
    when ``wanted`` is given to its party and taken from whoever held it in between.

    ``clashes`` says of a claim whether it is on the same line. What the party itself holds of it in
    the same way becomes one with it.
    """
    found: list[Held] = []
    gone: list[int] = []
    same: list[Held] = []
    for one in held:
        if not clashes(one.claim):
            found.append(one)
            continue
        if one.party == wanted.party and one.claim == wanted.claim:
            if one.valid_from <= wanted.valid_to and wanted.valid_from <= one.valid_to:
                same.append(one)
                wanted = wanted._replace(
                    valid_from=min(one.valid_from, wanted.valid_from),
                    valid_to=max(one.valid_to, wanted.valid_to),
                )
            else:
                found.append(one)
            continue
        found.append(one)
    kept = [each for one in found for each in _outside(one, wanted, clashes)]
    left = {one.id for one in kept}
    gone += [one.id for one in found if one.id is not None and one.id not in left]
    if same:
        first = min(same, key=lambda one: one.valid_from)
        wanted = wanted._replace(id=first.id, learned_at=first.learned_at)
        gone += [one.id for one in same if one.id is not None and one.id != first.id]
    return [*kept, wanted], gone


def _outside(one: Held, wanted: Held, clashes: Callable[[Claim], bool]) -> Iterable[Held]:
    """Yield what is left of an assignment before and after the one that takes its place."""
    apart = one.valid_to <= wanted.valid_from or wanted.valid_to <= one.valid_from
    if apart or not clashes(one.claim):
        yield one
        return
    kept: int | None = one.id
    if one.valid_from < wanted.valid_from:
        yield one._replace(valid_to=wanted.valid_from)
        kept = None
    if wanted.valid_to < one.valid_to:
        yield one._replace(id=kept, valid_from=wanted.valid_to)
