"""What carriers write into the cells of a price list."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.billing.deck_cells import amount, areas, interval, prefixes, unit
from syncd.billing.sheets import NumberText


@pytest.mark.parametrize(
    ("cell", "options", "text"),
    [
        ("0.0123", {}, "0.0123"),
        ("  0.0100 ", {}, "0.01"),
        ("12", {}, "12"),
        ("€ 0.05", {}, "0.05"),
        ("0.05 EUR", {"currency": "EUR"}, "0.05"),
        ("EUR 0.05", {"currency": "EUR"}, "0.05"),
        ("$0.05", {"currency": "AUD"}, "0.05"),
        ("¥0.05", {"currency": "CNY"}, "0.05"),
        ("0,0123", {"decimal": "comma"}, "0.0123"),
        ("0,0123 €", {"decimal": "comma", "currency": "EUR"}, "0.0123"),
        ("1.234,56", {"decimal": "comma"}, "1234.56"),
        ("1\N{NO-BREAK SPACE}234,56", {"decimal": "comma"}, "1234.56"),
        ("1,234.56", {}, "1234.56"),
        ("1,9", {"decimal": "comma", "cents": True}, "0.019"),
        ("0.99 ct", {"cents": True}, "0.0099"),
        ("3¢", {"cents": True}, "0.03"),
        (NumberText("0.0123"), {"decimal": "comma"}, "0.0123"),
        (NumberText("1.9"), {"decimal": "comma", "cents": True}, "0.019"),
        ("", {}, ""),
    ],
)
def test_amounts(cell: str, options: dict[str, str | bool], text: str) -> None:
    assert amount(cell, **options) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cell", "options", "part"),
    [
        ("0,0123", {}, "not an amount with a decimal point"),
        # Without the other sign it cannot be told what stands between the thousands.
        ("1,234", {}, "not an amount with a decimal point"),
        ("1.234", {"decimal": "comma"}, "not an amount with a decimal comma"),
        ("0.05 USD", {"currency": "EUR"}, "is in USD, not in EUR"),
        ("$ 0.05", {"currency": "EUR"}, "is in USD, not in EUR"),
        ("£0.05", {"currency": "CNY"}, "is in GBP, not in CNY"),
        ("£0.05", {"currency": "EUR"}, "is in GBP, not in EUR"),
        ("0.0000001", {}, "more than 6 decimals"),
        ("0.00001", {"cents": True}, "more than 6 decimals"),
        ("free", {}, "not an amount"),
        ("1e-3", {}, "not an amount"),
        ("٣", {}, "not an amount"),
        ("1.2.3", {}, "not an amount"),
    ],
)
def test_amounts_that_are_none(cell: str, options: dict[str, str | bool], part: str) -> None:
    with pytest.raises(ValueError, match=part):
        amount(cell, **options)  # type: ignore[arg-type]


@given(st.integers(0, 10**12), st.sampled_from(["point", "comma"]), st.booleans())
def test_an_amount_that_is_written_down_is_read_again(
    micros: int, decimal: str, grouped: bool
) -> None:
    whole, rest = divmod(micros, 10**6)
    separator, sign = (",", ".") if decimal == "point" else (".", ",")
    text = f"{whole:,}".replace(",", separator if grouped else "") + f"{sign}{rest:06d}"
    assert Decimal(amount(text, decimal)) * 10**6 == micros
    assert Decimal(amount(text, decimal, cents=True) if not rest % 100 else "0") in (
        Decimal(0),
        Decimal(micros).scaleb(-8),
    )


@pytest.mark.parametrize(
    ("cell", "options", "found"),
    [
        ("3906", {}, ["3906"]),
        ("39 06", {}, ["3906"]),
        ("+39 06", {}, ["3906"]),
        ("003906", {}, ["3906"]),
        ("39 (06)", {}, ["3906"]),
        ("3906;3907", {}, ["3906", "3907"]),
        ("3906, 3907 / 3908|3909\n3910", {}, ["3906", "3907", "3908", "3909", "3910"]),
        ("3906-3909", {}, ["3906", "3907", "3908", "3909"]),
        ("3906 – 9", {}, ["3906", "3907", "3908", "3909"]),
        ("+39 320-+39 322;39333", {}, ["39320", "39321", "39322", "39333"]),
        ("39-06", {"ranges": False}, ["3906"]),
        (NumberText("3906"), {}, ["3906"]),
        ("", {}, []),
    ],
)
def test_prefixes(cell: str, options: dict[str, bool], found: list[str]) -> None:
    assert prefixes(cell, **options) == found


@pytest.mark.parametrize(
    ("cell", "part"),
    [
        ("Rome", "'Rome' is not digits"),
        ("3906-3902", "ends before it begins"),
        ("39-06", "ends before it begins"),
        ("1-2-3", "not a range"),
        ("390000-409999", "more than 10000"),
        ("39.06x", "not digits"),
    ],
)
def test_prefixes_that_are_none(cell: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        prefixes(cell)


def test_area_codes_keep_their_zero_and_may_be_missing() -> None:
    assert areas("06") == ["06"]
    assert areas("006") == ["006"]
    assert areas("02-04; 9") == ["02", "03", "04", "9"]
    assert areas("") == [""]


@given(st.integers(1, 10**8), st.integers(0, 300), st.booleans())
def test_a_range_is_all_between_its_ends(first: int, more: int, short: bool) -> None:
    last = first + more
    if len(str(first)) != len(str(last)):
        return
    same = len(str(first)) - len(str(last % 1000)) if short and last % 1000 else 0
    end = str(last)[same:]
    if short and str(first)[: len(str(first)) - len(end)] + end != str(last):
        return
    assert prefixes(f"{first}-{end}") == [str(one) for one in range(first, last + 1)]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("60/1", ("60", "1")),
        ("30 + 6", ("30", "6")),
        ("60", ("60", "60")),
        ("60s/1s", ("60", "1")),
        ("1:1", ("1", "1")),
    ],
)
def test_intervals(cell: str, found: tuple[str, str]) -> None:
    assert interval(cell) == found


def test_an_interval_that_is_none() -> None:
    with pytest.raises(ValueError, match="not a billing interval"):
        interval("per minute")


@pytest.mark.parametrize(
    ("cell", "found"),
    [("60", "60"), ("per minute", "60"), ("/min", "60"), ("Sec.", "1"), ("call", "call")],
)
def test_units(cell: str, found: str) -> None:
    assert unit(cell) == found
