"""Masked digits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.reports.masking import mask_number, mask_quoted, mask_raw, shown_number

NUMBERS = st.text("+0123456789*#", max_size=20)


@pytest.mark.parametrize(
    ("number", "digits", "shown"),
    [
        ("+39061234567", 3, "+39061234***"),
        ("+39061234567", 0, "+39061234567"),
        ("+39061234567", -1, "+39061234567"),
        ("112", 5, "***"),
        ("+1", 9, "+*"),
        ("", 3, ""),
        ("*21#", 1, "*2*#"),
        ("0612#34", 3, "061*#**"),
    ],
)
def test_the_last_digits_become_stars(number: str, digits: int, shown: str) -> None:
    assert mask_number(number, digits) == shown


def test_inside_numbers_are_not_masked() -> None:
    assert shown_number("2001", 0, 3) == "2001"
    assert shown_number("2001", 1, 3) == "2***"


@given(NUMBERS, st.integers(0, 25))
def test_what_is_hidden_is_gone_and_the_rest_stays(number: str, digits: int) -> None:
    shown = mask_number(number, digits)
    count = sum(character.isdigit() for character in number)
    assert len(shown) == len(number)
    assert sum(character.isdigit() for character in shown) == max(0, count - digits)
    kept = [(a, b) for a, b in zip(number, shown, strict=True) if a != b]
    assert all(a.isdigit() and b == "*" for a, b in kept)


@given(NUMBERS, st.integers(0, 25), st.data())
def test_numbers_that_differ_in_hidden_digits_alone_look_alike(
    number: str, digits: int, data: st.DataObject
) -> None:
    shown = mask_number(number, digits)
    other = "".join(
        data.draw(st.sampled_from("0123456789")) if a != b else a
        for a, b in zip(number, shown, strict=True)
    )
    assert mask_number(other, digits) == shown


SEPARATED = st.lists(st.text("0123456789", min_size=1, max_size=5), min_size=1, max_size=5)


@given(SEPARATED, st.sampled_from([" ", "-", "/", ". ", ")"]), st.integers(1, 12))
def test_nothing_between_the_digits_of_a_row_shows_what_a_mask_hides(
    parts: list[str], between: str, digits: int
) -> None:
    shown = mask_raw(between.join(parts), digits)
    masked = mask_number(between.join(parts), digits)
    assert len(shown) == len(masked)
    assert all(one == "*" for one, other in zip(shown, masked, strict=True) if other == "*")


def test_a_sentence_about_a_row_keeps_its_counts() -> None:
    reason = "57 columns: '0333 12345' is no moment, 1773133200 is none"
    assert mask_quoted(reason, 3) == "57 columns: '0*** 12***' is no moment, 1773133*** is none"
    assert mask_quoted(reason, 0) == reason
