"""What a line costs a month, and who pays for which days."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from syncd.billing.flat_charges import FlatShare, Held, Payer, flat_shares
from syncd.domain.allowance import FlatCharge

DAY = 100
"""Seconds of a day here."""
ENDS = [DAY * day - 1 for day in range(1, 31)]
FOREVER = 10**9
BY_DAYS = FlatCharge("line", 7_000_001, frozenset({1, 2}))
WHOLE = FlatCharge("line", 7_000_001, frozenset({1, 2}), share="month")


def payer_at(party: int, at: int) -> Payer:
    """Everybody is in another org from the 11th day on."""
    return Payer(party, 1, 1 if at < 10 * DAY else 2)


def shares(charge: FlatCharge, *held: Held) -> list[FlatShare]:
    return list(flat_shares(charge, held, payer_at, ENDS))


def test_a_whole_month_is_the_whole_charge() -> None:
    found = shares(BY_DAYS, Held(1, "hq", 5, 1, 0, FOREVER))
    assert found == [
        FlatShare(1, Payer(5, 1, 1), 2_333_333),
        FlatShare(1, Payer(5, 1, 2), 4_666_668),
    ]
    assert shares(WHOLE, Held(1, "hq", 5, 1, 0, FOREVER)) == [
        FlatShare(1, Payer(5, 1, 2), 7_000_001)
    ]


def test_a_line_that_changes_hands_and_is_nobodys_for_a_while() -> None:
    held = Held(1, "hq", 5, 1, 0, 2 * DAY), Held(1, "hq", 6, 1, 27 * DAY, FOREVER)
    assert [(one.payer.party, one.cost) for one in shares(BY_DAYS, *held)] == [
        (5, 466_666),
        (6, 700_001),
    ]
    assert [(one.payer.party, one.cost) for one in shares(WHOLE, *held)] == [(6, 7_000_001)]
    assert [one.payer.party for one in shares(WHOLE, held[0])] == [5]


def test_only_the_lines_that_are_meant_and_each_once() -> None:
    held = (
        Held(1, "hq", 5, 2, 0, FOREVER),
        Held(1, "hq", 5, 1, 0, FOREVER),
        Held(2, "hq", 5, 3, 0, FOREVER),
        Held(3, "lab", 5, 1, 0, FOREVER),
        Held(4, "hq", 5, 1, 50, 60),
    )
    assert {one.line for one in shares(WHOLE, *held)} == {1, 3}
    assert len(shares(WHOLE, *held)) == 2
    only = FlatCharge("line", 10, frozenset({1}), sites=frozenset({"lab"}), share="month")
    assert [one.line for one in shares(only, *held)] == [3]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=5), st.integers(1, 10**7))
def test_the_days_add_up(cuts: list[int], amount: int) -> None:
    edges = [0, *sorted(cuts), 30]
    held = [
        Held(1, "hq", number, 1, since * DAY, until * DAY)
        for number, (since, until) in enumerate(pairwise(edges))
        if since < until
    ]
    charge = FlatCharge("line", amount, frozenset({1}))
    found = shares(charge, *held)
    assert sum(one.cost for one in found) == amount
    for one in held:
        days = (one.valid_to - one.valid_from) // DAY
        mine = sum(share.cost for share in found if share.payer.party == one.party)
        assert abs(mine * 30 - amount * days) < 30
