"""What the comparison with the oracle is worth: each rule that is broken on purpose is found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from syncd.reports import masking, permissions
from syncd.reports import scope as door
from syncd.reports.scope import Condition
from syncd.store import names
from tests.security.conftest import Compared
from tests.security.test_viewers import Bench, everything, made

pytestmark = pytest.mark.timeout(900)

SCOPE_OF = permissions.scope_of


def as_if(**changed: Any) -> Any:
    """Return a ``scope_of`` that gives people other scopes."""

    def scope_of(viewer: Any) -> Any:
        scope = SCOPE_OF(viewer)
        return replace(scope, **changed) if viewer.party_id else scope

    return scope_of


def everybody_without_department(viewer: Any) -> Any:
    """The mistake of matching nothing with nothing."""
    scope = SCOPE_OF(viewer)
    if scope.reach is permissions.Reach.ALL:
        return scope
    broken = replace(scope)
    object.__setattr__(broken, "keys", broken.keys | {""})
    object.__setattr__(broken, "reach", permissions.Reach.ORGS)
    return broken


def all_rows(scope: Any, lookups: Any) -> Any:
    """The parts of a scope, of which each is everything."""
    whole = Condition("1 = 1")
    return tuple(replace(part, rows=whole, sums=whole) for part in PARTS(scope, lookups)[:1])


def first_part(scope: Any, lookups: Any) -> Any:
    return PARTS(scope, lookups)[:1]


PARTS = door.scope_parts
MUTANTS: dict[str, tuple[str, Any]] = {
    "everybody sees everything": ("scope_of", as_if(reach=permissions.Reach.ALL)),
    "conditions say nothing": ("scope_parts", all_rows),
    "own calls of former departments are forgotten": ("scope_parts", first_part),
    "somebody else's own calls": ("scope_of", as_if(party_id=1)),
    "own calls alone": ("scope_of", as_if(reach=permissions.Reach.OWN)),
    "nothing is masked": ("scope_of", as_if(masked_digits=0)),
    "a digit too few is masked": ("mask_number", lambda number, digits: MASK(number, digits - 1)),
    "private numbers are shown": ("scope_of", as_if(private_numbers=True)),
    "private numbers are hidden from who made the call": (
        "hides_number",
        lambda scope, owner: owner >= 0 and not scope.private_numbers,
    ),
    "the default basis is another": ("scope_of", as_if(basis="office_location")),
    "no department is a department": ("scope_of", everybody_without_department),
    "names that were made one are two": ("aliases", dict),
}
MASK = masking.mask_number


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Bench]]:
    yield from made(0, tmp_path_factory.mktemp("mutants"))


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_rule_is_found(
    name: str, small: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison fails with each rule broken on purpose: it is worth something."""
    attribute, broken = MUTANTS[name]
    genuine = next(
        getattr(module, attribute)
        for module in (door, permissions, masking, names)
        if hasattr(module, attribute)
    )
    holders = [
        module
        for path, module in sys.modules.items()
        if path.startswith("syncd.") and getattr(module, attribute, None) is genuine
    ]
    for module in holders:
        monkeypatch.setattr(module, attribute, broken)
    with pytest.raises(AssertionError):
        everything(small, Compared())
