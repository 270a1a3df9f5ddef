"""Rate decks and the versions of a carrier's tariff."""

import random
from datetime import date
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.billing import deck as deck_module
from syncd.billing.numbering import Numbering, NumberingPlan
from syncd.billing.tariff import (
    Carrier,
    Deck,
    Tariff,
    class_differences,
    day_start,
    load_carrier,
    load_deck,
    open_ends,
)
from syncd.domain.clock import FOREVER
from syncd.domain.codes import NumberClass
from syncd.domain.errors import EXIT_BAD_CONFIGURATION, ConfigurationError, Problem
from syncd.domain.rate import Rate, Rounding

HEADER = (
    "prefix,destination,class,connection_fee,price,unit_seconds,"
    "initial_seconds,increment_seconds,minimum_charge"
)
ROME = ZoneInfo("Europe/Rome")


class Version(NamedTuple):
    version: str
    file: Path
    valid_from: date
    valid_to: date | None = None
    site: str = ""
    trunk: str = ""


def write(folder: Path, *rows: str, header: str = HEADER, name: str = "deck.csv") -> Path:
    file = folder / name
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return file


def problems_of(file: Path) -> list[Problem]:
    with pytest.raises(ConfigurationError) as caught:
        load_deck(file)
    assert caught.value.exit_code == EXIT_BAD_CONFIGURATION
    assert all(problem.file == str(file) for problem in caught.value.problems)
    return list(caught.value.problems)


def rate(prefix: str, number_class: NumberClass = NumberClass.UNCLASSIFIED) -> Rate:
    return Rate(prefix, prefix, number_class, 0, 100_000, 60, 0, 1, 0)


def tariff(version: str, start: int, end: int = FOREVER, *prefixes: str) -> Tariff:
    deck = Deck([rate(prefix) for prefix in prefixes])
    return Tariff("telco", version, start, end, deck, Rounding(), f"{version}.csv")


def test_a_row_becomes_a_rate(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "39,Italy,national,0.05,0.03,60,0,1,0",
        '3933,"Italy, mobile",,0,1,1,30,6,0.000001',
    )
    assert load_deck(file) == [
        Rate("39", "Italy", NumberClass.NATIONAL, 50_000, 30_000, 60, 0, 1, 0),
        Rate("3933", "Italy, mobile", NumberClass.UNCLASSIFIED, 0, 1_000_000, 1, 30, 6, 1),
    ]


def test_columns_are_found_by_name_and_comments_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "deck.csv"
    file.write_bytes(
        b"\xef\xbb\xbf# our deck of 2026\r\n\r\n"
        b"price, minimum_charge ,Prefix,destination,class,connection_fee,"
        b"unit_seconds,initial_seconds,increment_seconds\r\n"
        b"# Italy\r\n0.30,0.10, 39 ,Italia \xc3\xa8 qui,Mobile,0,60,30,6\r\n,,,,,,,,\r\n\r\n"
    )
    assert load_deck(file) == [
        Rate("39", "Italia è qui", NumberClass.MOBILE, 0, 300_000, 60, 30, 6, 100_000)
    ]


@pytest.mark.parametrize(
    ("row", "option", "part"),
    [
        ("+39,Italy,,0,1,60,0,1,0", "prefix", "'+39' is not digits"),
        (",Italy,,0,1,60,0,1,0", "prefix", "not digits"),
        ("٣٩,Italy,,0,1,60,0,1,0", "prefix", "not digits"),
        ("0039,Italy,,0,1,60,0,1,0", "prefix", "begins with 0"),
        ("3912345678901234,Italy,,0,1,60,0,1,0", "prefix", "more than 15"),
        ("39,Italy,mobil,0,1,60,0,1,0", "class", "'mobil'"),
        ("39,Italy,,-0.10,1,60,0,1,0", "connection_fee", "negative"),
        ("39,Italy,,0,-1,60,0,1,0", "price", "negative"),
        ("39,Italy,,0,0.1234567,60,0,1,0", "price", "six decimals"),
        ("39,Italy,,0,1e3,60,0,1,0", "price", "1e3"),
        ('39,Italy,,0,"0,30",60,0,1,0', "price", "0,30"),
        ("39,Italy,,0,,60,0,1,0", "price", "missing"),
        ("39,Italy,,0,nan,60,0,1,0", "price", "nan"),
        ("39,Italy,,0,1,0,0,1,0", "unit_seconds", "out of range"),
        ("39,Italy,,0,1,60,-1,1,0", "initial_seconds", "'-1'"),
        ("39,Italy,,0,1,60,0,0,0", "increment_seconds", "out of range"),
        ("39,Italy,,0,1,60,0,1.5,0", "increment_seconds", "'1.5'"),
        ("39,Italy,,0,1,60,86401,1,0", "initial_seconds", "out of range"),
        ("39,Italy,,0,1,60,,1,0", "initial_seconds", "missing"),
        ("39,Italy,,0,1,60,0,1,-0.01", "minimum_charge", "negative"),
        ("39,Italy,,0,1,60,0,1,0,0", "", "10 cells, more"),
        ("39,Italy,,0,1,60,0,1", "", "8 cells, fewer"),
        ('39,"Italy,,0,1,60,0,1,0', "", "not CSV"),
    ],
)
def test_a_wrong_row_is_named_with_line_and_column(
    tmp_path: Path, row: str, option: str, part: str
) -> None:
    file = write(tmp_path, "# a comment", "44,UK,,0,1,60,0,1,0", row, "49,Germany,,0,1,60,0,1,0")
    (problem,) = problems_of(file)
    assert (problem.line, problem.option) == (4, option)
    assert part in problem.what
    assert problem.hint


def test_every_mistake_is_named_in_one_pass(tmp_path: Path) -> None:
    file = write(tmp_path, "x,,wrong,-1,-1,0,a,0,-1", "44,UK,,0,1,60,0,1,0", "44,,,0,1,60,0,1,z")
    found = [(problem.line, problem.option) for problem in problems_of(file)]
    columns = HEADER.split(",")
    assert found == [(2, name) for name in columns if name != "destination"] + [
        (4, "prefix"),
        (4, "minimum_charge"),
    ]


def test_a_prefix_that_is_there_twice_names_both_lines(tmp_path: Path) -> None:
    file = write(tmp_path, "39,Italy,,0,1,60,0,1,0", "", "39,Italia,,0,1,60,0,1,0")
    (problem,) = problems_of(file)
    assert (problem.line, problem.option) == (4, "prefix")
    assert "line 2" in problem.what


def test_a_near_word_is_offered(tmp_path: Path) -> None:
    (problem,) = problems_of(write(tmp_path, "39,Italy,mobil,0,1,60,0,1,0"))
    assert "mobile" in problem.hint
    found = problems_of(write(tmp_path, header=HEADER.replace("price", "prise")))
    assert [(problem.option, problem.what) for problem in found] == [
        ("prise", "unknown column"),
        ("price", "the column is missing"),
    ]
    assert "price" in found[0].hint


def test_a_header_that_is_wrong_is_said_once(tmp_path: Path) -> None:
    (problem,) = problems_of(write(tmp_path, "39;Italy", header=HEADER.replace(",", ";")))
    assert "commas" in problem.hint
    (problem,) = problems_of(write(tmp_path, "x" * 10, header=HEADER + ",price"))
    assert (problem.line, problem.option) == (1, "price")
    assert "twice" in problem.what


@pytest.mark.parametrize("content", [b"", b"# nothing\n\n", HEADER.encode() + b"\n"])
def test_an_empty_deck_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "deck.csv"
    file.write_bytes(content)
    (problem,) = problems_of(file)
    assert "no rows" in problem.what


def test_what_cannot_be_read_is_a_users_mistake(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path / "missing.csv")
    assert "No such file" in problem.what
    (problem,) = problems_of(tmp_path)
    assert "directory" in problem.what
    file = tmp_path / "deck.csv"
    file.write_bytes(HEADER.encode() + b"\n39,Perch\xe9,,0,1,60,0,1,0\n")
    (problem,) = problems_of(file)
    assert (problem.line, problem.what) == (2, "the text is not UTF-8")
    file.write_bytes(HEADER.encode() + b"\n39,Per\0ch,,0,1,60,0,1,0\n44,UK,,0,1,60,0,1,0\n")
    (problem,) = problems_of(file)
    assert (problem.line, problem.what) == (2, "the line holds NUL bytes")
    file.write_text(f"{HEADER}\n39,{'x' * 256},,0,1,60,0,1,0\n", "utf-8")
    (problem,) = problems_of(file)
    assert (problem.line, problem.what) == (2, "it has more than 255 characters")
    file.write_text(f"{HEADER}\n39,x,,0,10000000.01,60,0,1,0\n40,x,,0,10000000,60,0,1,0\n", "utf-8")
    (problem,) = problems_of(file)
    assert (problem.line, problem.what) == (2, "'10000000.01' is more than 10000000")
    file.write_text("39,Italy,national,0,0.02,60,0,1,0\n", "utf-8")
    (problem,) = problems_of(file)
    assert (problem.line, problem.what) == (1, "this is not the header: it names no column")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_deck_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.mktemp("any") / "deck.csv"
    file.write_bytes(HEADER.encode() + b"\n" + content)
    try:
        assert load_deck(file)
    except ConfigurationError as error:
        assert error.problems


PREFIXES = st.text("123", min_size=1, max_size=6)


@given(st.sets(PREFIXES, max_size=40), st.lists(st.text("123", max_size=8), max_size=20))
def test_the_longest_prefix_is_that_of_brute_force(prefixes: set[str], numbers: list[str]) -> None:
    deck = Deck([rate(prefix) for prefix in prefixes])
    for number in [*numbers, *numbers]:
        fitting = [prefix for prefix in prefixes if number.startswith(prefix)]
        found = deck.find(number)
        assert (found.prefix if found else None) == max(fitting, key=len, default=None)


def test_a_deck_remembers_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deck_module, "REMEMBERED", 50)
    deck = Deck([rate("39"), rate("3933")])
    generator = random.Random(1)
    for _ in range(1_000):
        number = f"39{generator.randrange(10**6):06d}"
        found = deck.find(number)
        assert found is not None
        assert found.prefix == ("3933" if number.startswith("3933") else "39")
    assert len(deck._known) <= 50
    assert deck.find("44") is None
    assert deck.exact("39") == rate("39")
    assert deck.exact("393") is None


def test_a_day_begins_at_midnight_in_the_zone() -> None:
    assert day_start(date(2026, 1, 1), ROME) == 1_767_222_000
    assert day_start(date(2026, 7, 1), ROME) == 1_782_856_800
    assert day_start(date(2026, 1, 1), ZoneInfo("UTC")) == 1_767_225_600


def version_at(carrier: Carrier, epoch: int) -> str | None:
    found = carrier.at(epoch)
    return found.version if found else None


def test_a_later_version_closes_the_earlier_one() -> None:
    carrier = Carrier("telco", [tariff("b", 200), tariff("a", 100), tariff("c", 300, 400)])
    found = {moment: version_at(carrier, moment) for moment in (99, 100, 199, 200, 299, 300, 399)}
    assert found == {99: None, 100: "a", 199: "a", 200: "b", 299: "b", 300: "c", 399: "c"}
    # A version with an end of its own gives way to the one that had no end.
    assert version_at(carrier, 400) == "b"


def test_between_two_versions_there_may_be_none() -> None:
    carrier = Carrier("telco", [tariff("a", 100, 200), tariff("b", 300)])
    assert [version_at(carrier, moment) for moment in (199, 200, 299, 300)] == [
        "a",
        None,
        None,
        "b",
    ]
    assert Carrier("none", []).at(0) is None


def test_two_versions_of_one_day_are_refused_and_both_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Carrier("telco", [tariff("a", 100), tariff("b", 100), tariff("c", 50, 50)])
    text = str(caught.value)
    for part in ("tariff.a", "tariff.b", "b.csv", "a.csv", "tariff.c", "ends before it begins"):
        assert part in text
    assert caught.value.exit_code == EXIT_BAD_CONFIGURATION


def test_a_carrier_is_read_with_all_its_decks(tmp_path: Path) -> None:
    old = write(tmp_path, "39,Italy,,0,1,60,0,1,0", name="old.csv")
    new = write(tmp_path, "39,Italy,,0,2,60,0,1,0", name="new.csv")
    sources = [
        Version("2025", old, date(2025, 1, 1), date(2026, 1, 1)),
        Version("2026", new, date(2026, 1, 1)),
    ]
    carrier = load_carrier("telco", sources, Rounding("up", 2), ROME)
    start = day_start(date(2026, 1, 1), ROME)
    assert [version_at(carrier, moment) for moment in (start - 1, start)] == ["2025", "2026"]
    later = carrier.at(start)
    assert later is not None
    assert (later.carrier, later.valid_from, later.valid_to) == ("telco", start, FOREVER)
    assert (later.rounding, later.file) == (Rounding("up", 2), str(new))
    assert [found.price for found in later.rates] == [2_000_000]
    assert open_ends(carrier, ROME) == []


def test_the_mistakes_of_all_decks_come_together(tmp_path: Path) -> None:
    wrong = write(tmp_path, "x,Italy,,0,1,60,0,1,0", name="wrong.csv")
    good = write(tmp_path, "39,Italy,,0,1,60,0,1,0", name="good.csv")
    sources = [
        Version("a", wrong, date(2025, 1, 1)),
        Version("b", tmp_path / "missing.csv", date(2025, 6, 1)),
        Version("c", good, date(2026, 1, 1)),
        Version("d", good, date(2026, 1, 1)),
    ]
    with pytest.raises(ConfigurationError) as caught:
        load_carrier("telco", sources, Rounding(), ROME)
    assert len(caught.value.problems) == 3
    with pytest.raises(ConfigurationError) as caught:
        load_carrier("telco", sources[:1], Rounding(), ROME)
    assert len(caught.value.problems) == 1


def test_gaps_and_overlaps_are_warned_about() -> None:
    day = 86_400
    carrier = Carrier(
        "telco",
        [
            tariff("a", 0, 10 * day),
            tariff("b", 5 * day, 20 * day),
            tariff("c", 30 * day, 40 * day),
        ],
    )
    warnings = open_ends(carrier, ZoneInfo("UTC"))
    assert all(warning.warning for warning in warnings)
    assert [(warning.option.split(".")[1], warning.what) for warning in warnings] == [
        ("b", "it begins before tariff.a ends on 1970-01-11"),
        ("c", "none is valid from 1970-01-21 to 1970-01-31"),
        ("c", "none is valid from 1970-02-10 on"),
    ]
    assert open_ends(Carrier("telco", [tariff("a", 0), tariff("b", 5)]), ROME) == []
    assert open_ends(Carrier("telco", []), ROME) == []


def test_a_class_that_differs_from_the_plan_is_warned_about() -> None:
    numbering = Numbering(NumberingPlan("IT", area_code="06"))
    rates = [
        rate("3906", NumberClass.NATIONAL),
        rate("3902", NumberClass.LOCAL),
        rate("39333", NumberClass.MOBILE),
        rate("39347", NumberClass.PREMIUM),
        rate("39348", NumberClass.PREMIUM),
        rate("49", NumberClass.INTERNATIONAL),
        rate("44", NumberClass.UNCLASSIFIED),
        rate("3", NumberClass.PREMIUM),
        rate("33", NumberClass.NATIONAL),
    ]
    found = class_differences(numbering, Tariff("t", "v", 0, FOREVER, Deck(rates), Rounding(), "f"))
    assert all(warning.warning and warning.file == "f" for warning in found)
    assert [warning.what for warning in found] == [
        "2 row(s), the first with prefix 39347, say premium, the numbering plan of IT says mobile",
        "1 row(s), the first with prefix 33, say national, "
        "the numbering plan of IT says international",
    ]
