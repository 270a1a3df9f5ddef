"""The optional columns of a rate deck, and prices worked out by hand."""

from pathlib import Path

import pytest

from syncd.billing.deck import Deck, load_deck
from syncd.billing.rating import price, steps
from syncd.domain.codes import NumberClass
from syncd.domain.errors import ConfigurationError
from syncd.domain.rate import Increment, Price, Rate, Rounding, Step, Terms

OLD = (
    "prefix,destination,class,connection_fee,price,unit_seconds,"
    "initial_seconds,increment_seconds,minimum_charge"
)


def write(folder: Path, header: str, *rows: str) -> Path:
    file = folder / "deck.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return file


def wrong(file: Path) -> list[tuple[int, str, str]]:
    with pytest.raises(ConfigurationError) as caught:
        load_deck(file)
    return [(one.line, one.option, one.what) for one in caught.value.problems]


def test_an_old_deck_has_no_terms(tmp_path: Path) -> None:
    (rate,) = load_deck(write(tmp_path, OLD, "39,Italy,,0,0.02,60,0,1,0"))
    assert (rate.band, rate.terms) == ("", None)
    assert Deck([rate]).plain


def test_all_that_a_row_may_say(tmp_path: Path) -> None:
    header = f"{OLD},band,increments,minimum_seconds,grace_seconds,maximum_charge"
    rates = load_deck(
        write(
            tmp_path,
            header,
            "39,Italy,,0,0.02,60,0,1,0,,,,,",
            "39,Italy,,0,,,,,0,Night,60@0.10 2x30@0.04 6@0.12/60,20,3,1.50",
            "3989,Premium,premium,0,1.50,CALL,0,1,0,,,,,",
        )
    )
    assert rates[0] == Rate("39", "Italy", NumberClass.UNCLASSIFIED, 0, 20_000, 60, 0, 1, 0)
    assert rates[1].band == "night"
    assert rates[1].terms == Terms(
        (
            Increment(60, 100_000, 60, 1),
            Increment(30, 40_000, 30, 2),
            Increment(6, 120_000, 60, 0),
        ),
        minimum_seconds=20,
        grace_seconds=3,
        maximum_charge=1_500_000,
    )
    assert rates[2].terms == Terms(per_call=True)
    deck = Deck(rates)
    assert (deck.plain, deck.bands) == (False, {"night"})
    assert set(deck.rows("39")) == {"", "night"}


def test_increments_spare_their_columns(tmp_path: Path) -> None:
    header = "prefix,destination,class,connection_fee,increments,minimum_charge"
    (rate,) = load_deck(write(tmp_path, header, "39,Italy,,0,6@0.01,0"))
    assert price(rate, 13, Rounding()) == Price(30_000, 18)


@pytest.mark.parametrize(
    ("row", "option", "what"),
    [
        ("39,I,,0,0.1,60,0,1,0,,6@0.1,,", "price", "increments says this already"),
        ("39,I,,0,,,,,0,,6@x,,", "increments", "not SECONDS@PRICE"),
        ("39,I,,0,,,,,0,,0@1,,", "increments", "out of range"),
        ("39,I,,0,,,,,0,,6@1 2x6@1,,", "increments", "goes on to the end"),
        ("39,I,,0,,,,,0,,6@0.1234567,,", "increments", "six decimals"),
        ("39,I,,0,0.1,60,0,1,0,,,-1,", "minimum_seconds", "not a whole number"),
        ("39,I,,0,0.1,60,0,1,2,,,,1", "maximum_charge", "less than minimum_charge"),
        ("39,I,,0,0.1,never,0,1,2,,,,", "unit_seconds", "not a whole number"),
    ],
)
def test_what_is_wrong_with_a_row(tmp_path: Path, row: str, option: str, what: str) -> None:
    file = write(tmp_path, f"{OLD},band,increments,minimum_seconds,maximum_charge", row)
    assert any(found[:2] == (2, option) and what in found[2] for found in wrong(file)), wrong(file)


def test_a_prefix_is_there_once_for_each_band(tmp_path: Path) -> None:
    rows = ("39,I,,0,0.1,60,0,1,0,", "39,I,,0,0.1,60,0,1,0,late", "39,I,,0,0.1,60,0,1,0,Late")
    (found,) = wrong(write(tmp_path, f"{OLD},band", *rows))
    assert found == (4, "prefix", "prefix 39 in band late stands on line 3 too")


def rate(terms: Terms, *, fee: int = 0, per_unit: int = 0, minimum: int = 0) -> Rate:
    return Rate("39", "", NumberClass.UNCLASSIFIED, fee, per_unit, 60, 0, 1, minimum, "", terms)


TWO = (Increment(60, 100_000, 60, 1), Increment(6, 12_000, 6, 0))


@pytest.mark.parametrize(
    ("row", "seconds", "expected"),
    [
        (rate(Terms(TWO)), 1, Price(100_000, 60)),
        (rate(Terms(TWO)), 60, Price(100_000, 60)),
        (rate(Terms(TWO)), 61, Price(112_000, 66)),
        (rate(Terms(TWO), fee=50_000), 61, Price(162_000, 66)),
        (rate(Terms(TWO, maximum_charge=120_000)), 300, Price(120_000, 300)),
        (rate(Terms(TWO, minimum_seconds=70)), 5, Price(124_000, 72)),
        (rate(Terms(TWO, grace_seconds=5), fee=50_000, minimum=70_000), 5, Price(0, 0)),
        (rate(Terms(TWO, grace_seconds=5), fee=50_000), 6, Price(150_000, 60)),
        (rate(Terms(per_call=True), fee=10_000, per_unit=250_000), 600, Price(260_000, 600)),
        (rate(Terms(per_call=True), per_unit=1, minimum=5_000), 600, Price(5_000, 600)),
    ],
)
def test_worked_examples(row: Rate, seconds: int, expected: Price) -> None:
    assert price(row, seconds, Rounding()) == expected
    parts = steps(row, seconds, Rounding())
    assert sum(part.micros for part in parts) == expected.micros
    assert sum(part.seconds for part in parts) == expected.billed_seconds


def test_what_is_rounded() -> None:
    row = rate(Terms((Increment(7, 10_000, 3, 0),)))  # a step costs 23,333 and a third
    found = [price(row, 21, Rounding("half-up", 2, per)) for per in ("leg", "increment", "invoice")]
    assert [one.micros for one in found] == [70_000, 60_000, 70_000]
    odd = rate(Terms((Increment(1, 10, 4, 0),)))  # 2.5 micros a second
    assert price(odd, 1, Rounding("up", 2, "invoice")).micros == 2
    assert price(odd, 3, Rounding("up", 2, "invoice")).micros == 8
    assert steps(odd, 1, Rounding("up", 2)) == [
        Step("1 increment of 1 s", 1, 2),
        Step("rounding up to 2 decimals", 0, 9_998),
    ]
