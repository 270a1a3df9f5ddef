"""Shares, averages and medians: exact, rounded once, half up."""

from __future__ import annotations

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from statistics import median as plain_median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.reports.ratios import median, percent, quotient


@given(st.integers(0, 10**15), st.integers(1, 10**9), st.integers(0, 4))
def test_a_quotient_is_the_fraction_rounded_once(part: int, whole: int, decimals: int) -> None:
    unit = Decimal(1).scaleb(-decimals)
    scaled = Fraction(part, whole) * 10**decimals
    floor = scaled.numerator // scaled.denominator
    wanted = floor + (scaled - floor >= Fraction(1, 2))
    assert quotient(part, whole, decimals) == str((wanted * unit).quantize(unit))


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (1, 3, "33.3"),
        (2, 3, "66.7"),
        (1, 8, "12.5"),
        (1, 2000, "0.1"),
        (0, 5, "0.0"),
        (5, 5, "100.0"),
    ],
)
def test_percent(part: int, whole: int, text: str) -> None:
    assert percent(part, whole) == text


def test_nothing_has_no_share_and_no_middle() -> None:
    assert percent(0, 0) is None
    assert quotient(0, 0) is None
    assert median({}) is None
    assert median({4: 0}) is None


@given(st.lists(st.integers(0, 1000), min_size=1))
def test_the_median_is_that_of_the_values(values: list[int]) -> None:
    wanted = Decimal(str(plain_median([Decimal(value) for value in values])))
    assert median(Counter(values)) == str(wanted.quantize(Decimal("0.1"), ROUND_HALF_UP))
