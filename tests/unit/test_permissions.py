"""The levels and scopes of docs/rules.md 8.1, without a database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.domain.viewer import LOCAL_ADMINISTRATOR, Viewer
from syncd.reports.permissions import Reach, Scope, may_open, required_level, scope_of

EVA = Viewer(
    "eva",
    party_id=7,
    level=6,
    department="sales",
    cost_center="cc1",
    office_location="rome",
    additional_departments=("legal", ""),
    masked_digits=3,
)


@pytest.mark.parametrize(
    ("level", "reach"),
    [
        (0, Reach.NONE),
        (1, Reach.NONE),
        (2, Reach.OWN),
        (6, Reach.ORGS),
        (7, Reach.NONE),
        (8, Reach.ALL),
        (10, Reach.ALL),
        (11, Reach.NONE),
        (-2, Reach.NONE),
    ],
)
def test_each_level_has_its_reach_and_others_have_none(level: int, reach: Reach) -> None:
    assert scope_of(replace(EVA, level=level)).reach is reach


@pytest.mark.parametrize(
    ("basis", "keys"),
    [
        ("department", {"sales", "legal"}),
        ("cost_center", {"cc1"}),
        ("office_location", {"rome"}),
    ],
)
def test_level_six_sees_by_its_basis(basis: str, keys: set[str]) -> None:
    scope = scope_of(replace(EVA, level6_basis=basis))
    assert (scope.basis, scope.keys, scope.party_id) == (basis, keys, 7)


def test_an_empty_key_matches_nobody() -> None:
    assert scope_of(replace(EVA, department="")).keys == {"legal"}
    alone = scope_of(replace(EVA, department="", additional_departments=()))
    assert alone.reach is Reach.OWN
    with pytest.raises(ValueError, match="empty key"):
        Scope(Reach.ORGS, 7, "department", frozenset({""}))


def test_an_unknown_basis_shows_own_calls_alone() -> None:
    assert scope_of(replace(EVA, level6_basis="team")).reach is Reach.OWN


def test_nobody_without_a_party_has_own_calls() -> None:
    assert scope_of(replace(EVA, party_id=0, level=2)).reach is Reach.NONE
    assert scope_of(LOCAL_ADMINISTRATOR).reach is Reach.ALL
    with pytest.raises(ValueError, match="needs a party"):
        Scope(Reach.OWN, 0)


def test_masking_follows_the_viewer_at_every_level() -> None:
    for level in (2, 6, 8, 10):
        assert scope_of(replace(EVA, level=level)).masked_digits == 3
    assert scope_of(replace(EVA, masked_digits=-1)).masked_digits == 0


def test_reports_need_their_level_unless_the_settings_say_otherwise() -> None:
    needed = {"calls": 2, "by-person": 2, "licence": 8, "trunk-load": 8, "files": 10}
    for report, level in needed.items():
        assert required_level(report, {}) == level
    assert may_open(replace(EVA, level=8), "licence", {})
    assert not may_open(EVA, "licence", {})
    assert not may_open(replace(EVA, level=8), "files", {})
    assert may_open(EVA, "files", {"files": 6})
    assert not may_open(EVA, "calls", {"calls": 8})


@given(st.integers(-5, 12), st.dictionaries(st.just("calls"), st.integers(-5, 12)))
def test_levels_are_cumulative_and_nobody_below_two_opens_anything(
    level: int, levels: dict[str, int]
) -> None:
    viewer = replace(EVA, level=level)
    opened = may_open(viewer, "calls", levels)
    assert opened == (level in {2, 6, 8, 10} and level >= levels.get("calls", 2))
    if opened:
        assert may_open(replace(EVA, level=10), "calls", levels)
