"""Who holds a slot: the order of claims, and what is withheld."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.licensing.slots import CLAIMING, Claim, Licence, SlotKey, grant, slot_key

ACQUIRED = Role.ACQUIRED


def claim(
    party: int, role: Role, line: int = 1, learned_at: int = 0, line_id: str = "2001"
) -> Claim:
    return Claim(slot_key(party, role, line), line, line_id, learned_at)


@pytest.mark.parametrize(
    ("role", "key"),
    [
        (Role.FIRST, SlotKey(7, Role.FIRST, 0)),
        (Role.ALIAS, SlotKey(7, Role.FIRST, 0)),
        (Role.OTHER, SlotKey(7, Role.OTHER, 9)),
        (Role.FAX, SlotKey(7, Role.FAX, 0)),
        (Role.OFFNET_FAX, SlotKey(7, Role.FAX, 0)),
        (Role.VOICEMAIL, SlotKey(7, Role.VOICEMAIL, 0)),
    ],
    ids=lambda value: getattr(value, "word", "key"),
)
def test_what_slot_a_role_needs(role: Role, key: SlotKey) -> None:
    assert slot_key(7, role, 9) == key
    assert slot_key(0, role, 9) == SlotKey(0, ACQUIRED, 9)


def test_a_slot_does_not_know_its_number() -> None:
    for role in (Role.FIRST, Role.FAX, Role.VOICEMAIL):
        assert slot_key(7, role, 1) == slot_key(7, role, 2)
    assert slot_key(7, Role.OTHER, 1) != slot_key(7, Role.OTHER, 2)


IN_ORDER = [
    claim(3, Role.FIRST, 1, 50, "2003"),
    claim(4, Role.OTHER, 2, 50, "2004"),
    claim(1, Role.FIRST, 3, 60, "2001"),
    claim(9, Role.FAX, 4, 10, "2090"),
    claim(1, Role.FAX, 5, 20, "2010"),
    claim(3, Role.VOICEMAIL, 6, 0, "6000"),
    claim(0, ACQUIRED, 7, 0, "2500"),
    claim(0, ACQUIRED, 8, 0, "2501"),
    claim(0, ACQUIRED, 9, 1, "2400"),
]


@pytest.mark.parametrize("slots", range(len(IN_ORDER) + 2))
def test_the_first_claims_hold_the_slots(slots: int) -> None:
    holders, waiting = grant(reversed(IN_ORDER), slots)
    assert holders == IN_ORDER[:slots]
    assert waiting == IN_ORDER[slots:]


def test_unlimited() -> None:
    assert grant(reversed(IN_ORDER), None) == (IN_ORDER, [])


def before(one: Claim, other: Claim) -> bool:
    """The rule, word by word: named before acquired; first extensions before fax before voicemail;
    then the moment that syncd learned it; then the line id."""
    if (one.key.party == 0) != (other.key.party == 0):
        return one.key.party != 0
    if one.key.party:
        kinds = [{Role.FIRST, Role.OTHER}, {Role.FAX}, {Role.VOICEMAIL}]
        first = next(at for at, kind in enumerate(kinds) if one.key.role in kind)
        second = next(at for at, kind in enumerate(kinds) if other.key.role in kind)
        if first != second:
            return first < second
    if one.learned_at != other.learned_at:
        return one.learned_at < other.learned_at
    if one.line_id != other.line_id:
        return one.line_id < other.line_id
    return one.key < other.key


@st.composite
def claim_sets(draw: st.DrawFn) -> list[Claim]:
    found: dict[SlotKey, Claim] = {}
    for _ in range(draw(st.integers(0, 12))):
        party = draw(st.integers(0, 4))
        role = draw(st.sampled_from(CLAIMING)) if party else ACQUIRED
        line = draw(st.integers(1, 6))
        made = claim(party, role, line, draw(st.integers(0, 3)), str(2000 + line))
        found[made.key] = made
    return draw(st.permutations(list(found.values())))


@given(claims=claim_sets(), slots=st.one_of(st.none(), st.integers(0, 13)))
def test_against_brute_force(claims: list[Claim], slots: int | None) -> None:
    holders, waiting = grant(claims, slots)
    assert sorted(holders + waiting) == sorted(claims)
    for one in claims:
        earlier = sum(before(other, one) for other in claims)
        assert (one in holders) == (slots is None or earlier < slots)


KEY = SlotKey(7, Role.FIRST, 0)
HELD = {KEY: [(100, 200), (300, 400)]}


@pytest.mark.parametrize(
    ("when", "withheld"),
    [(99, True), (100, False), (199, False), (200, True), (299, True), (300, False), (400, True)],
)
def test_withheld_is_what_had_no_slot_then_and_has_none_now(when: int, withheld: bool) -> None:
    assert Licence(False, frozenset(), HELD).withheld(KEY, when) is withheld
    assert not Licence(False, frozenset({KEY}), HELD).withheld(KEY, when)
    assert not Licence(True).withheld(KEY, when)
    assert Licence(False, frozenset({SlotKey(8, Role.FIRST, 0)}), {}).withheld(KEY, when)


def test_an_open_slot() -> None:
    licence = Licence(False, frozenset(), {KEY: [(100, FOREVER)]})
    assert [licence.withheld(KEY, when) for when in (99, 10**12)] == [True, False]
