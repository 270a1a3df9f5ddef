"""Price lists of carriers, CSV and XLSX, become decks of our own or nothing at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from syncd.billing.deck import load_deck
from syncd.billing.deck_file import deck_text, write_deck
from syncd.billing.deck_map import CarrierDeck, DeckMap, map_problems, read_carrier_deck
from syncd.billing.sheets import Form
from syncd.domain.errors import EXIT_BAD_CONFIGURATION, ConfigurationError, Problem, RefusedError
from syncd.domain.rate import Terms

PLAIN = DeckMap(
    "plain",
    {"prefix": ("Code",), "destination": ("Name",), "price": ("Rate",)},
    {"increment_seconds": "60"},
)


def sheet(path: Path, *sheets: tuple[str, list[list[Any]]]) -> Path:
    book = Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for title, rows in sheets:
        made = book.create_sheet(title)
        for row in rows:
            made.append(row)
    book.save(path)
    return path


def text(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


def brief(deck: CarrierDeck) -> dict[str, tuple[str, int]]:
    return {rate.prefix: (rate.destination, rate.price) for rate in deck.rates}


def problems_of(path: Path, layout: DeckMap) -> list[Problem]:
    with pytest.raises(ConfigurationError) as caught:
        read_carrier_deck(path, layout)
    assert caught.value.exit_code == EXIT_BAD_CONFIGURATION
    return list(caught.value.problems)


def test_the_header_stands_anywhere_and_notes_are_passed_over(tmp_path: Path) -> None:
    path = text(
        tmp_path / "list.csv",
        "ACME prices;;;\n\nvalid from;1.3.2026;;\nName;CODE ;x;Rate\n"
        "EUROPE;;;\nItaly;39;;0.02\nItaly mobile;39 320-39 321;;0.10\n"
        "Name;Code;x;Rate\nItaly;39;;0.02\nwithout VAT;;;\n",
    )
    deck = read_carrier_deck(path, PLAIN)
    assert brief(deck) == {
        "39": ("Italy", 20_000),
        "39320": ("Italy mobile", 100_000),
        "39321": ("Italy mobile", 100_000),
    }
    assert {rate.increment_seconds for rate in deck.rates} == {60}
    assert (deck.passed_over, deck.repeated) == (2, 1)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(tmp_path: Path, delimiter: str) -> None:
    rows = [["Title", "a,b;c|d", ""], ["Code", "Name", "Rate"], ["39", "Italy, all", "0,02"]]
    content = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    layout = replace(PLAIN, decimal="comma")
    assert brief(read_carrier_deck(text(tmp_path / "l.csv", content), layout)) == {
        "39": ("Italy, all", 20_000)
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_the_encoding_is_found_out(tmp_path: Path, encoding: str) -> None:
    path = text(tmp_path / "l.csv", "Code;Name;Rate\n43;Österreich;0.02\n", encoding)
    assert brief(read_carrier_deck(path, PLAIN)) == {"43": ("Österreich", 20_000)}


def test_a_workbook_with_a_cover_and_numbers(tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "l.xlsx",
        ("Cover", [["ACME"], ["Code", "of conduct"]]),
        (
            "Rates",
            [
                [],
                ["Country", "Area", "CC", "Areas", "Price per\nMinute (EUR) from 1.3.", "Billing"],
                ["Italy", "Rome", 39, "06", 0.0123, "60/1"],
                ["Italy", "Mobile", 39.0, "320-322;333", 0.1 + 0.2, "30/6"],
                ["Italy", None, 39, None, "0,02 €", 60],
            ],
        ),
    )
    layout = DeckMap(
        "acme",
        {
            "country_code": ("CC",),
            "area_code": ("Areas",),
            "destination": ("Country", "Area"),
            "price": ("price per minute*",),
            "billing_interval": ("Billing",),
        },
        decimal="comma",
        currency="EUR",
    )
    deck = read_carrier_deck(path, layout)
    assert deck.label == f"{path} [Rates]"
    assert brief(deck) == {
        "3906": ("Italy Rome", 12_300),
        **{f"39{area}": ("Italy Mobile", 300_000) for area in (320, 321, 322, 333)},
        "39": ("Italy", 20_000),
    }
    intervals = {rate.prefix: (rate.initial_seconds, rate.increment_seconds) for rate in deck.rates}
    assert (intervals["3906"], intervals["39320"], intervals["39"]) == ((60, 1), (30, 6), (60, 60))


def test_columns_of_the_rich_rows(tmp_path: Path) -> None:
    path = text(
        tmp_path / "l.csv",
        "Code,Time,Unit,Rate,Cap\n39,Day,per call,5 ct,\n39,,min,0.9 ct,20\n",
    )
    layout = DeckMap(
        "rich",
        {
            "prefix": ("Code",),
            "band": ("Time",),
            "unit_seconds": ("Unit",),
            "price": ("Rate",),
            "maximum_charge": ("Cap",),
        },
        {"increment_seconds": "1 s", "grace_seconds": "3 sec"},
        cents=True,
    )
    day, other = read_carrier_deck(path, layout).rates
    assert (day.band, day.price, day.terms) == (
        "day",
        50_000,
        Terms(per_call=True, grace_seconds=3),
    )
    assert other.terms == Terms(grace_seconds=3, maximum_charge=200_000)
    assert (other.band, other.price, other.unit_seconds) == ("", 9_000, 60)


def test_increments_instead_of_a_price(tmp_path: Path) -> None:
    path = text(tmp_path / "l.csv", "Code,Steps\n39,60@0.10 6@0.012\n")
    layout = DeckMap("steps", {"prefix": ("Code",), "increments": ("Steps",)})
    assert not list(map_problems(layout))
    (rate,) = read_carrier_deck(path, layout).rates
    assert rate.terms is not None
    assert [one.seconds for one in rate.terms.increments] == [60, 6]


def test_every_mistake_in_one_pass_in_the_words_of_the_file(tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "l.xlsx",
        (
            "R",
            [
                ["Code", "Name", "Rate"],
                ["39", "Italy", "0,02"],
                ["Rome", "Italy", 0.02],
                ["44", "UK", None],
                ["45", "DK", -1],
                ["039", "?", 1],
                ["46;46", "SE", 1],
                ["47", "NO", 1],
                ["47", "Norway", 1],
                [None, "nowhere", 1],
            ],
        ),
    )
    assert [(one.file, one.line, one.option, one.what) for one in problems_of(path, PLAIN)] == [
        (f"{path} [R]", line, option, what)
        for line, option, what in (
            (2, "Rate", "'0,02' is not an amount with a decimal point"),
            (3, "Code", "'Rome' is not digits"),
            (4, "Rate", "the amount is missing"),
            (5, "Rate", "'-1' is negative"),
            (6, "Code", "'039' begins with 0, which no calling code does"),
            (9, "Code", "prefix 47 stands on line 8 too"),
            (10, "Code", "there is a price, but no prefix"),
        )
    ]


def test_a_missing_column_is_named_with_its_nearest(tmp_path: Path) -> None:
    path = text(tmp_path / "l.csv", "Code,Name,Rates\n39,Italy,1\n")
    (problem,) = problems_of(path, PLAIN)
    assert (problem.line, problem.option, problem.hint) == (1, "Rate", "did you mean Rates?")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    nothing = tmp_path / "none.csv"
    broken = text(tmp_path / "broken.xlsx", "Code,Name,Rate\n")
    old = text(tmp_path / "old.xls", "")
    quoted = text(tmp_path / "quoted.csv", 'Code,Name,Rate\n39,"Italy,1\n')
    titles = text(tmp_path / "titles.csv", "nothing,here\n")
    empty = text(tmp_path / "empty.csv", "Code,Name,Rate\n")
    wrong = text(tmp_path / "wrong.csv", "Code,Name,Rate\n39,é,1\n", "iso-8859-1")
    utf8 = replace(PLAIN, form=Form(encoding="utf-8"))
    for path, layout, part in (
        (nothing, PLAIN, "cannot be read"),
        (broken, PLAIN, "is not a workbook"),
        (old, PLAIN, "of the old kind"),
        (quoted, PLAIN, "not CSV"),
        (titles, PLAIN, "is the header"),
        (empty, PLAIN, "no row behind the header"),
        (wrong, utf8, "is not utf-8"),
    ):
        (problem,) = problems_of(path, layout)
        assert part in problem.what


def test_a_sheet_that_is_named_and_is_not_there(tmp_path: Path) -> None:
    path = sheet(tmp_path / "l.xlsx", ("A", [["Code", "Name", "Rate"]]), ("B", [[1]]))
    (problem,) = problems_of(path, replace(PLAIN, form=Form(sheet="C")))
    assert (problem.what, problem.hint) == ("has no sheet 'C'", "it has A, B")


@pytest.mark.parametrize(
    ("columns", "values", "option"),
    [
        ({"price": "R"}, {"increment_seconds": "1"}, "column.prefix"),
        ({"prefix": "C", "price": "R"}, {}, "column.increment_seconds"),
        ({"prefix": "C", "price": "R", "prise": "x"}, {"increment_seconds": "1"}, "column.prise"),
        ({"prefix": "C", "price": "R"}, {"increment_seconds": "1", "price": "2"}, "value.price"),
        (
            {"prefix": "C", "country_code": "D", "price": "R"},
            {"increment_seconds": "1"},
            "column.country_code",
        ),
        (
            {"prefix": "C", "area_code": "D", "price": "R"},
            {"increment_seconds": "1"},
            "column.area_code",
        ),
        (
            {"prefix": "C", "price": "R", "billing_interval": "I"},
            {"increment_seconds": "1"},
            "column.billing_interval",
        ),
        ({"prefix": "C", "price": "R", "increments": "I"}, {}, "column.increments"),
    ],
)
def test_layouts_that_cannot_be_used(
    columns: dict[str, str], values: dict[str, str], option: str
) -> None:
    layout = DeckMap("x", {name: (heading,) for name, heading in columns.items()}, values)
    assert [found[0] for found in map_problems(layout)] == [option]


ROWS = st.dictionaries(
    st.tuples(st.from_regex(r"[1-9][0-9]{0,7}", fullmatch=True), st.sampled_from(["", "day"])),
    st.tuples(
        st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=8),
        st.integers(0, 10**9),
        st.integers(1, 120),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=50)
@given(ROWS)
def test_what_is_written_gives_the_same_rates_again(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[tuple[str, str], tuple[str, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("deck")
    path = sheet(
        folder / "l.xlsx",
        (
            "R",
            [
                ["Code", "Time", "Name", "Rate", "Step"],
                *(
                    [prefix, band, name, f"{micros // 10**6}.{micros % 10**6:06d}", step]
                    for (prefix, band), (name, micros, step) in rows.items()
                ),
            ],
        ),
    )
    layout = DeckMap(
        "x",
        {
            "prefix": ("Code",),
            "band": ("Time",),
            "destination": ("Name",),
            "price": ("Rate",),
            "increment_seconds": ("Step",),
        },
    )
    deck = read_carrier_deck(path, layout)
    target = folder / "tariffs" / "deck.csv"
    assert write_deck(target, deck_text(deck.rows, ["a remark\nin two lines"]), deck.rates)
    found = {(rate.prefix, rate.band): rate for rate in load_deck(target)}
    assert {key: (one.price, one.increment_seconds) for key, one in found.items()} == {
        key: (micros, step) for key, (_, micros, step) in rows.items()
    }
    assert set(found.values()) == set(deck.rates)


def test_another_deck_is_not_overwritten(tmp_path: Path) -> None:
    header = "Code,Name,Rate\n"
    first = read_carrier_deck(text(tmp_path / "a.csv", header + "39,Italy,1\n"), PLAIN)
    second = read_carrier_deck(text(tmp_path / "b.csv", header + "39,Italy,2\n"), PLAIN)
    target = tmp_path / "deck.csv"
    assert write_deck(target, deck_text(first.rows), first.rates)
    assert not write_deck(target, deck_text(first.rows), first.rates)
    with pytest.raises(RefusedError):
        write_deck(target, deck_text(second.rows), second.rates)
    assert load_deck(target) == list(first.rates)
    assert write_deck(target, deck_text(second.rows), second.rates, replace=True)
    assert load_deck(target) == list(second.rates)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "b.csv", "deck.csv"]


def test_what_would_not_say_the_same_is_not_written(tmp_path: Path) -> None:
    deck = read_carrier_deck(text(tmp_path / "a.csv", "Code,Name,Rate\n39,Italy,1\n"), PLAIN)
    with pytest.raises(ConfigurationError, match="would not say what was read"):
        write_deck(tmp_path / "deck.csv", deck_text(deck.rows), ())
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv"]
