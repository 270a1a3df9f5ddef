"""Prices against exact fractions."""

import random
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.billing.rating import (
    NO_CARRIER,
    NO_RATE,
    NO_SHORT_RATE,
    NO_TARIFF,
    NOT_NORMALISED,
    Rated,
    Unrated,
    price,
    rate_leg,
    share,
    steps,
)
from syncd.billing.tariff import Carrier, Deck, Tariff
from syncd.domain.clock import FOREVER
from syncd.domain.codes import NumberClass
from syncd.domain.rate import Price, Rate, Rounding, Step

MODES = ("up", "half-up", "half-even", "down")


def made(
    prefix: str = "39",
    *,
    fee: int = 0,
    per_unit: int = 0,
    unit: int = 60,
    initial: int = 0,
    increment: int = 1,
    minimum: int = 0,
) -> Rate:
    return Rate(
        prefix, "", NumberClass.UNCLASSIFIED, fee, per_unit, unit, initial, increment, minimum
    )


def oracle(rate: Rate, seconds: int, rounding: Rounding) -> tuple[Fraction, int]:
    """Return price in micros and billed seconds, by the definition and with exact fractions."""
    billed = rate.initial_seconds
    while billed < max(seconds, 1):
        billed += rate.increment_seconds
    amount = Fraction(rate.price, rate.unit_seconds) * billed + rate.connection_fee
    quantum = Fraction(10**6, 10**rounding.decimals)
    quotient = max(amount, Fraction(rate.minimum_charge)) / quantum
    whole = {
        "up": ceil(quotient),
        "down": floor(quotient),
        "half-up": floor(quotient + Fraction(1, 2)),
        "half-even": round(quotient),
    }[rounding.mode]
    return whole * quantum, billed


AMOUNTS = st.integers(0, 5_000_000)
RATES = st.builds(
    Rate,
    prefix=st.just("39"),
    destination=st.just(""),
    number_class=st.just(NumberClass.UNCLASSIFIED),
    connection_fee=AMOUNTS,
    price=AMOUNTS,
    unit_seconds=st.integers(1, 3_600),
    initial_seconds=st.integers(0, 120),
    increment_seconds=st.integers(1, 120),
    minimum_charge=AMOUNTS,
    band=st.just(""),
    terms=st.none(),
)
ROUNDINGS = st.builds(Rounding, st.sampled_from(MODES), st.integers(0, 6))


def check(rate: Rate, seconds: int, rounding: Rounding) -> None:
    micros, billed = oracle(rate, seconds, rounding)
    found = price(rate, seconds, rounding)
    assert type(found.micros) is int
    assert found == (micros, billed)
    arithmetic = steps(rate, seconds, rounding)
    assert sum(step.micros for step in arithmetic) == micros
    assert sum(step.seconds for step in arithmetic) == billed
    assert all(type(step.micros) is int for step in arithmetic)


@given(RATES, st.integers(0, 20_000), ROUNDINGS)
def test_prices_are_exact(rate: Rate, seconds: int, rounding: Rounding) -> None:
    check(rate, seconds, rounding)


def test_twenty_thousand_prices_are_exact() -> None:
    generator = random.Random(20_000)
    pick = generator.choice
    for _ in range(20_000):
        rate = made(
            fee=pick((0, 50_000, generator.randrange(10**6))),
            per_unit=pick((0, 300_000, generator.randrange(10**6))),
            unit=pick((1, 6, 7, 60)),
            initial=pick((0, 1, 30, 60)),
            increment=pick((1, 6, 30, 60)),
            minimum=pick((0, 100_000, generator.randrange(10**6))),
        )
        seconds = pick((0, 1, 29, 30, 31, 60, 61, generator.randrange(2_000)))
        check(rate, seconds, Rounding(pick(MODES), generator.randrange(7)))


@pytest.mark.parametrize(
    ("rate", "seconds", "billed", "micros"),
    [
        (made(per_unit=300_000), 61, 61, 305_000),
        (made(per_unit=300_000, increment=60), 61, 120, 600_000),
        (made(per_unit=300_000, initial=30, increment=6), 30, 30, 150_000),
        (made(per_unit=300_000, initial=30, increment=6), 31, 36, 180_000),
        (made(per_unit=300_000, initial=60), 0, 60, 300_000),
        (made(per_unit=300_000), 0, 1, 5_000),
        (made(per_unit=0, fee=50_000), 600, 600, 50_000),
        (made(per_unit=0), 600, 600, 0),
        # The minimum is of the whole price, connection fee included.
        (made(per_unit=60_000, fee=50_000, minimum=100_000), 10, 10, 100_000),
        (made(per_unit=60_000, fee=50_000, minimum=100_000), 60, 60, 110_000),
    ],
)
def test_worked_examples(rate: Rate, seconds: int, billed: int, micros: int) -> None:
    assert price(rate, seconds, Rounding("half-up", 4)) == Price(micros, billed)


@pytest.mark.parametrize(
    ("mode", "cents"),
    [
        ("up", [1, 2, 2, 2, 3]),
        ("half-up", [0, 2, 2, 2, 3]),
        ("half-even", [0, 2, 2, 2, 2]),
        ("down", [0, 1, 1, 2, 2]),
    ],
)
def test_rounding_modes(mode: str, cents: list[int]) -> None:
    amounts = [4_900, 15_000, 15_100, 20_000, 25_000]
    found = [price(made(fee=fee), 1, Rounding(mode, 2)).micros for fee in amounts]
    assert found == [cent * 10_000 for cent in cents]


def test_an_unknown_rounding_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="nearest"):
        price(made(fee=1), 1, Rounding("nearest", 2))


def test_the_arithmetic_in_steps() -> None:
    rate = made(fee=50_000, per_unit=100_000, initial=30, increment=6, minimum=200_000)
    assert steps(rate, 40, Rounding("half-up", 4)) == [
        Step("connection fee", 0, 50_000),
        Step("initial interval", 30, 50_000),
        Step("2 increments of 6 s", 12, 20_000),
        Step("raised to the minimum charge", 0, 80_000),
    ]
    assert steps(made(per_unit=100_000, unit=7), 1, Rounding("up", 2)) == [
        Step("1 increment of 1 s", 1, 14_285),
        Step("rounding up to 2 decimals", 0, 5_715),
    ]


def test_the_example_of_the_documentation() -> None:
    rate = made(fee=50_000, per_unit=120_000, initial=30, increment=6, minimum=100_000)
    rounding = Rounding("half-up", 2)
    assert steps(rate, 100, rounding) == [
        Step("connection fee", 0, 50_000),
        Step("initial interval", 30, 60_000),
        Step("12 increments of 6 s", 72, 144_000),
        Step("rounding half-up to 2 decimals", 0, -4_000),
    ]
    assert price(rate, 100, rounding) == Price(250_000, 102)
    assert share(250_000, [40, 60]) == [100_000, 150_000]


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10_000), min_size=1, max_size=8))
def test_shares_add_up(micros: int, seconds: list[int]) -> None:
    shares = share(micros, seconds)
    assert sum(shares) == micros
    assert len(shares) == len(seconds)
    assert all(part >= 0 for part in shares)
    whole = sum(seconds)
    for part, its_seconds in zip(shares[:-1], seconds[:-1], strict=True):
        assert part == (floor(Fraction(micros * its_seconds, whole)) if whole else 0)


def test_shares_by_seconds() -> None:
    assert share(480, [120, 360]) == [120, 360]
    assert share(100, [1, 1, 1]) == [33, 33, 34]
    assert share(100, [0, 0]) == [0, 100]
    assert share(100, [5, 0]) == [100, 0]
    assert share(100, []) == []


def carrier() -> Carrier:
    deck = Deck(
        [
            made("39", per_unit=60_000),
            made("3933", per_unit=120_000),
            made("39112", per_unit=0),
            made("39800", per_unit=0),
        ]
    )
    return Carrier("telco", [Tariff("telco", "2026", 1_000, FOREVER, deck, Rounding())])


def test_a_leg_is_rated_by_its_longest_prefix() -> None:
    rated = rate_leg(carrier(), "+393331234567", 1_000, 60)
    assert isinstance(rated, Rated)
    assert (rated.tariff.version, rated.rate.prefix) == ("2026", "3933")
    assert rated.price == Price(120_000, 60)


def test_a_free_number_is_rated_at_nothing() -> None:
    rated = rate_leg(carrier(), "+39800123456", 1_000, 60)
    assert isinstance(rated, Rated)
    assert rated.price.micros == 0


@pytest.mark.parametrize(
    ("e164", "at", "reason"),
    [
        ("+4930123456", 1_000, f"{NO_RATE} +49301"),
        ("+393331234567", 999, f"{NO_TARIFF} for prefix +39333"),
        ("", 1_000, NOT_NORMALISED),
    ],
)
def test_what_has_no_price_says_why(e164: str, at: int, reason: str) -> None:
    assert rate_leg(carrier(), e164, at, 60) == Unrated(reason)


def test_without_a_carrier_nobody_bills() -> None:
    assert rate_leg(None, "+393331234567", 1_000, 60) == Unrated(f"{NO_CARRIER} for prefix +39333")
    assert rate_leg(Carrier("new", []), "+3906", 1_000, 60) == Unrated(
        f"{NO_TARIFF} for prefix +3906"
    )


def test_a_short_number_needs_a_row_of_its_own() -> None:
    rated = rate_leg(carrier(), "", 1_000, 60, short_number="39112")
    assert isinstance(rated, Rated)
    assert rated.rate.prefix == "39112"
    unrated = rate_leg(carrier(), "", 1_000, 60, short_number="391240")
    assert unrated == Unrated(f"{NO_SHORT_RATE} 391240")
