"""What changes between decks, what can never match, and the reasons of what has no price."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.billing.deck import Deck
from syncd.billing.deck_changes import (
    CHANGED,
    NEW,
    REMOVED,
    changes,
    jump_warnings,
    jumps,
    percent_text,
    round_half_up,
)
from syncd.billing.deck_reach import in_use, unreachable_warning
from syncd.billing.digit_patterns import may_begin, parsed
from syncd.billing.unrated import Missing, for_number, taken_apart
from syncd.domain.codes import NumberClass
from syncd.domain.rate import Rate


def rate(prefix: str, price: int, band: str = "", fee: int = 0) -> Rate:
    return Rate(prefix, f"to {prefix}", NumberClass.NATIONAL, fee, price, 60, 0, 1, 0, band)


# --- changes --------------------------------------------------------------------------------------


def test_changes_say_what_calls_cost_before_and_after() -> None:
    old = Deck([rate("39", 20_000), rate("3933", 100_000), rate("44", 10_000), rate("49", 1)])
    new = Deck([rate("39", 30_000), rate("39347", 90_000), rate("44", 10_000), rate("33", 5)])
    found = [
        (one.kind, one.prefix, one.before, one.after, one.permille) for one in changes(old, new)
    ]
    assert found == [
        (NEW, "33", None, 15, None),
        (CHANGED, "39", 60_000, 90_000, 500),
        # What has no row of its own is priced by a shorter prefix.
        (REMOVED, "3933", 300_000, 90_000, -700),
        (NEW, "39347", 60_000, 270_000, 3_500),
        (REMOVED, "49", 3, None, None),
    ]
    assert changes(old, old) == []


def test_changes_name_the_columns_and_compare_bands() -> None:
    old = Deck([rate("39", 20_000), rate("39", 10_000, "night")])
    new = Deck([rate("39", 20_000, fee=5), rate("39", 10_000, "night"), rate("393", 1, "night")])
    first, second = changes(old, new)
    assert (first.kind, first.columns, first.permille) == (CHANGED, ("connection_fee",), 0)
    assert (second.band, second.before, second.after) == ("night", 30_000, 3)


def test_jumps_are_the_greatest_first_and_counted() -> None:
    old = Deck([rate(f"39{digit}", 100) for digit in range(8)] + [rate("44", 100)])
    new = Deck([rate(f"39{digit}", 100 + 50 * digit) for digit in range(8)] + [rate("44", 125)])
    found = changes(old, new)
    assert [one.prefix for one in jumps(found, 25)] == [f"39{digit}" for digit in range(7, 0, -1)]
    assert "44" in [one.prefix for one in jumps(found, 24)]
    warnings = jump_warnings("new.csv", found, 25, "tariff.2025")
    assert len(warnings) == 6 and all(one.warning for one in warnings)
    assert "+350.0%" in warnings[0].what
    assert warnings[-1].what == "2 more prefixes differ by more than 25%"


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_rounding_goes_to_the_nearest(numerator: int, denominator: int) -> None:
    found = round_half_up(numerator, denominator)
    assert 2 * abs(found * denominator - numerator) <= denominator
    assert round_half_up(-numerator, denominator) == -found


def test_percentages() -> None:
    assert [percent_text(one) for one in (125, -1, 0, None)] == ["+12.5%", "-0.1%", "+0.0%", ""]


# --- prefixes that can never match ----------------------------------------------------------------

DIGIT = st.sampled_from([r"\d", "[2-4]", "[06-8]", "1", "9"])
COUNTED = st.builds(
    lambda one, count: one + count, DIGIT, st.sampled_from(["", "?", "{2}", "{1,3}"])
)
PATTERN = st.recursive(
    COUNTED,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.builds(
            lambda options, count: f"(?:{'|'.join(options)}){count}",
            st.lists(inner, min_size=1, max_size=3),
            st.sampled_from(["", "?", "{2}"]),
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=200)
@given(PATTERN, st.data())
def test_beginnings_of_what_matches_may_begin(pattern: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True))
    for end in range(len(text) + 1):
        assert may_begin(pattern, text[:end])


SHORT = st.lists(st.lists(DIGIT, min_size=1, max_size=3).map("".join), min_size=1, max_size=3).map(
    "|".join
)


@settings(max_examples=200)
@given(SHORT, st.from_regex(r"[0-9]{1,3}", fullmatch=True))
def test_what_may_begin_is_just_what_can_be_gone_on_with(pattern: str, digits: str) -> None:
    """Of short patterns every continuation can be tried."""
    matches = re.compile(pattern, re.ASCII).fullmatch
    more = [""] + [f"{end:0{length}}" for length in (1, 2) for end in range(10**length)]
    assert may_begin(pattern, digits) == any(matches(digits + end) for end in more)


@pytest.mark.parametrize("pattern", ["a", "[^1]", "(?=1)", "(1", "1)", "*1", r"\w"])
def test_patterns_of_another_kind_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError):
        parsed(pattern)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("39", True),
        ("3906", True),
        ("39333", True),
        ("39112", True),  # the short number 112
        ("39412", False),  # a fixed number has a 0 behind the calling code
        ("4420", True),
        ("44020", False),  # the trunk prefix is not dialled from abroad
        ("4930", True),
        ("49030", False),
        ("1212", True),
        ("999", False),  # no calling code
        ("88", True),  # several calling codes begin so
        ("80012", True),
    ],
)
def test_prefixes_of_numbers_in_use(prefix: str, expected: bool) -> None:
    assert in_use(prefix) is expected


def test_every_pattern_of_the_numbering_plans_is_understood() -> None:
    from syncd.billing.deck_reach import _codes, _patterns

    for code in _codes():
        for pattern in _patterns(code):
            parsed(pattern)


def test_one_warning_tells_all_that_can_never_match() -> None:
    rates = [rate(prefix, 1) for prefix in ("39", "44020", "999", "49030")]
    (warning,) = unreachable_warning("deck.csv", rates)
    assert warning.what == "3 prefixes can never match: 44020, 49030, 999"
    assert warning.warning
    assert unreachable_warning("deck.csv", rates[:1]) == []


# --- reasons --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "missing"),
    [
        ("no rate for prefix +49151", Missing("no rate", "+49151")),
        ("no carrier for prefix +3906", Missing("no carrier", "+3906")),
        ("no rate for short number 391240", Missing("no rate", "", "391240")),
        (
            "no [trunk:] section lists the device SIP-NEW, prefix +39333",
            Missing("no [trunk:] section lists the device SIP-NEW", "+39333"),
        ),
        (
            "no rate at this time of day for prefix +39",
            Missing("no rate at this time of day", "+39"),
        ),
        ("number not normalised", Missing("number not normalised")),
        ("no carrier", Missing("no carrier")),
        ("", Missing("")),
    ],
)
def test_reasons_are_taken_apart(reason: str, missing: Missing) -> None:
    assert taken_apart(reason) == missing


@given(st.from_regex(r"[a-z]{1,8}( [a-z]{1,8}){0,3}", fullmatch=True), st.integers(1, 10**14))
def test_what_is_put_together_is_taken_apart(cause: str, number: int) -> None:
    if " for prefix" in f" {cause} " or "prefix" in cause:
        return
    e164 = f"+{number}"
    assert taken_apart(for_number(cause, e164)) == Missing(cause, e164[:6])
    assert taken_apart(for_number(cause, e164, link=",")) == Missing(cause, e164[:6])


@pytest.mark.parametrize(
    ("digits", "prefix", "short"),
    [
        (0, "+39333", "39112"),
        (2, "+39333", "391**"),
        (4, "+393**", "3****"),
        (7, "+*****", "*****"),
        (20, "+*****", "*****"),
    ],
)
def test_a_prefix_shows_no_digit_that_a_number_may_hide(
    digits: int, prefix: str, short: str
) -> None:
    assert Missing("", "+39333").shown_prefix(digits) == prefix
    assert Missing("", "", "39112").shown_prefix(digits) == short
    assert Missing("").shown_prefix(digits) == ""
