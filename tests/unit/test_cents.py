"""Cents per line whose sum is that of the month."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.billing.cents import apportion, format_units, rounded, unit_of

MICROS = st.integers(-(10**9), 10**10)
AMOUNTS = st.lists(MICROS, max_size=30)
DECIMALS = st.integers(0, 6)


@given(AMOUNTS, DECIMALS)
def test_the_lines_add_up_and_none_moves_by_a_whole_unit(amounts: list[int], decimals: int) -> None:
    unit = unit_of(decimals)
    units = apportion(amounts, unit)
    exact = Decimal(sum(amounts)) / unit
    assert sum(units) == int(exact.to_integral_value(ROUND_HALF_UP))
    assert all(abs(one * unit - micros) < unit for one, micros in zip(units, amounts, strict=True))
    # What is whole already stays.
    assert all(
        one * unit == micros
        for one, micros in zip(units, amounts, strict=True)
        if micros % unit == 0
    )


@given(st.lists(AMOUNTS, max_size=8), DECIMALS)
def test_lines_add_up_to_their_cost_center_and_those_to_the_month(
    groups: list[list[int]], decimals: int
) -> None:
    unit = unit_of(decimals)
    shares = apportion([sum(group) for group in groups], unit)
    lines = [apportion(group, unit, share) for group, share in zip(groups, shares, strict=True)]
    assert [sum(line) for line in lines] == shares
    assert sum(shares) == rounded(sum(map(sum, groups)), unit)


def test_who_lost_most_gets_it() -> None:
    assert apportion([333_333, 333_333, 333_334], 10_000) == [33, 33, 34]
    assert apportion([5_000, 5_000], 10_000) == [1, 0]
    assert apportion([-5_000, -5_000], 10_000) == [0, -1]
    with pytest.raises(ValueError, match="not the rounded sum"):
        apportion([10_000], 10_000, 3)


@given(MICROS, DECIMALS)
def test_an_amount_is_written_as_it_is(units: int, decimals: int) -> None:
    text = format_units(units, decimals, ".")
    assert Decimal(text) * 10**decimals == units
    assert int(format_units(units, decimals, "")) == units
