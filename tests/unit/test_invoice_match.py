"""Matching a bill against an oracle that looks at every pair again and again."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.billing.invoice_match import Item, Leg, Tolerance, match

NUMBERS = ("+39061", "+39062", "112")
ITEMS = st.builds(
    lambda number, hidden, start, seconds, twice: Item(
        number[: len(number) - hidden],
        hidden,
        (start, start + 50) if twice else (start,),
        seconds,
    ),
    st.sampled_from(NUMBERS),
    st.sampled_from((0, 0, 1)),
    st.integers(0, 120),
    st.integers(0, 12),
    st.booleans(),
)
LEGS = st.builds(
    Leg,
    st.sampled_from((*NUMBERS, None)),
    st.integers(0, 120),
    st.integers(0, 12),
    st.integers(0, 12),
)


def oracle(items: list[Item], legs: list[Leg], tolerance: Tolerance) -> set[tuple[int, int]]:
    """Take the closest pair of all that are left, until none fits."""
    left_items, left_legs, taken = list(range(len(items))), list(range(len(legs))), set()
    while True:
        best = None
        for i in left_items:
            for j in left_legs:
                item, leg = items[i], legs[j]
                if leg.number is None:
                    same = True
                elif item.hidden:
                    same = leg.number[: -item.hidden] == item.number
                else:
                    same = leg.number == item.number
                apart = min(abs(leg.start - start) for start in item.starts)
                longer = min(abs(item.seconds - leg.seconds), abs(item.seconds - leg.billed))
                if same and apart <= tolerance.start and longer <= tolerance.duration:
                    unsure = leg.number is None or item.hidden > 0
                    rank = (apart + longer, unsure, apart, i, j)
                    best = rank if best is None or rank < best else best
        if best is None:
            return taken
        taken.add(best[3:])
        left_items.remove(best[3])
        left_legs.remove(best[4])


@settings(max_examples=300)
@given(
    st.lists(ITEMS, max_size=8),
    st.lists(LEGS, max_size=8),
    st.integers(0, 60),
    st.integers(0, 6),
)
def test_it_agrees_with_the_oracle(
    items: list[Item], legs: list[Leg], start: int, duration: int
) -> None:
    tolerance = Tolerance(start, duration)
    pairs = match(items, legs, tolerance)
    assert {(pair.item, pair.leg) for pair in pairs} == oracle(items, legs, tolerance)
    assert [pair.distance for pair in pairs] == sorted(pair.distance for pair in pairs)


def test_a_bill_of_the_very_calls_matches_wholly_whatever_the_order() -> None:
    chosen = random.Random(3)
    legs = [
        Leg(chosen.choice(NUMBERS), chosen.randrange(100_000), chosen.randrange(600), 0)
        for _ in range(2_000)
    ]
    items = [Item(str(leg.number), 0, (leg.start,), leg.seconds) for leg in legs]
    chosen.shuffle(items)
    pairs = match(items, legs, Tolerance(60, 5))
    assert len(pairs) == len(legs)
    assert {pair.distance for pair in pairs} == {0}


@pytest.mark.parametrize(
    ("item", "leg", "fits"),
    [
        (Item("+39061", 0, (100,), 60), Leg("+39061", 160, 65, 0), True),
        (Item("+39061", 0, (100,), 60), Leg("+39061", 161, 60, 0), False),
        (Item("+39061", 0, (100,), 60), Leg("+39061", 100, 66, 0), False),
        (Item("+39061", 0, (100,), 120), Leg("+39061", 100, 66, 120), True),  # as it is billed
        (Item("+39061", 0, (100,), 60), Leg("+39062", 100, 60, 0), False),
        (Item("+390", 2, (100,), 60), Leg("+39061", 100, 60, 0), True),
        (Item("+390", 1, (100,), 60), Leg("+39061", 100, 60, 0), False),
        (Item("+39061", 0, (100, 3700), 60), Leg("+39061", 3700, 60, 0), True),
        (Item("+39061", 0, (100,), 60), Leg(None, 100, 60, 0), True),
    ],
)
def test_what_fits(item: Item, leg: Leg, fits: bool) -> None:
    assert bool(match([item], [leg], Tolerance(60, 5))) is fits


def test_an_exact_pair_is_not_given_up_for_two_poor_ones() -> None:
    items = [Item("112", 0, (0,), 9), Item("112", 0, (60,), 9)]
    legs = [Leg("112", 60, 9, 9), Leg("112", 120, 9, 9)]
    assert [(pair.item, pair.leg) for pair in match(items, legs, Tolerance(60, 5))] == [(1, 0)]
