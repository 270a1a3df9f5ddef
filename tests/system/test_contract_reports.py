"""The command contract of reports: names, types and sums of every report, and what each level sees.

The calls of the company are few enough to know each viewer's rows by heart.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.contract import PEOPLE, Company, incoming, internal, outgoing, sums

MEASURES = ["calls", "answered", "missed", "unanswered", "duration", "cost"]


def at(minute: int) -> str:
    """Return a moment of 10 March 2026 in Rome."""
    return f"2026-03-10T10:{minute:02d}:00+01:00"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Ten calls of ten people. Tests only read."""
    made = Company(tmp_path_factory.mktemp("reports"))
    made.use_ldif(PEOPLE)
    made.set("licensing", automatic_acquisition="yes")
    made.ok("sync")
    made.take(
        outgoing("c1", at(1), "2001", "03331234567", talk=100),  # Anna, mobile: 0.525
        outgoing("c2", at(2), "2002", "00212345678", talk=61),  # Bruno, Milan: 0.0703
        outgoing("c3", at(3), "2003", "00049301234567", talk=200),  # Carla, Germany: 1.20
        outgoing("c4", at(4), "2004", "00012125550123", talk=10),  # Dario, America: unrated
        incoming("c5", at(5), "0212345678", "2005", talk=30),  # Elena
        outgoing("c6", at(6), "2010", "0800123456", talk=40),  # Karl, toll-free: 0
        outgoing("c7", at(7), "2007", "00612345678", talk=61),  # Gina, Rome: 0.02
        internal("c8", at(8), "2012", "2001", talk=9),  # Noemi to Anna
        incoming("c9", at(9), "0212345678", "2019", ring=0, destCause_value=17),  # Irene's alias
        outgoing("c10", at(10), "2055", "03331234567", talk=100),  # a number of nobody: 0.525
    )
    return made


EVERYTHING = [
    "2001",
    "2001",
    "2002",
    "2003",
    "2004",
    "2005",
    "2007",
    "2010",
    "2012",
    "2019",
    "2055",
]


def lines(company: Company, viewer: str, *words: str) -> list[str]:
    return sorted(row["line_id"] for row in company.rows(viewer, *words))


def test_the_frame_of_a_report(company: Company) -> None:
    report = company.report("calls", "bruno")
    assert report["report"] == "calls"
    assert report["viewer"] in ("bruno", "corp:bruno", "Bruno Neri")
    assert report["level"] == 6
    assert report["period"] == {"from": "2026-03-01", "to": "2026-04-01"}
    assert report["counts"] == "participations"
    assert set(report) >= {"rows", "totals"}
    assert company.report("calls")["level"] == 10


def test_the_end_of_a_period_is_exclusive(company: Company) -> None:
    assert lines(company, "") == EVERYTHING
    one_day = company.rows("", period=("2026-03-10", "2026-03-11"))
    assert len(one_day) == len(EVERYTHING)
    assert company.rows("", period=("2026-03-09", "2026-03-10")) == []
    assert company.rows("", period=("2026-03-11", "2026-03-12")) == []


def test_money_times_and_kinds_of_every_row(company: Company) -> None:
    for row in company.rows():
        assert row["cost"] is None or re.fullmatch(r"\d+\.\d{2,6}", row["cost"]), row
        assert (row["cost"] is None) == (row["state"] == "unrated")
        assert re.fullmatch(r"2026-03-10T10:\d\d:00\+01:00", row["started_at"])
        assert row["direction"] in ("outgoing", "incoming", "internal", "transit", "on-net")
        assert row["side"] in ("calling", "called", "first-redirecting", "redirecting", "pilot")
        assert row["counted"] in (0, 1)
        assert row["state"] in ("rated", "unrated", "free")
        assert isinstance(row["duration"], int)
        assert isinstance(row["ring_seconds"], int)
        assert "custom1" in row
        assert "custom2" not in row


def test_an_anonymous_line_has_no_person(company: Company) -> None:
    (row,) = company.rows("", "--filter", "line_id=2055")
    nobody = ("person", "username", "department", "cost_center", "office_location", "custom1")
    assert {row[name] for name in nobody} == {None}
    assert (row["cost"], row["line_id"]) == ("0.525", "2055")


@pytest.mark.parametrize(
    ("viewer", "level", "expected"),
    [
        ("anna", 2, ["2001", "2001"]),
        ("bruno", 6, ["2001", "2001", "2002", "2019"]),
        ("carla", 6, ["2003", "2004", "2005", "2010"]),
        ("elena", 8, EVERYTHING),
        ("fabio", 10, EVERYTHING),
        ("gina", 6, ["2007"]),
        ("hugo", 2, []),
        ("irene", 2, ["2019"]),
        ("karl", 2, ["2010"]),
        ("luca", 10, EVERYTHING),
        ("corp:bruno", 6, ["2001", "2001", "2002", "2019"]),
    ],
)
def test_each_viewer_sees_exactly_the_calls_of_the_level(
    company: Company, viewer: str, level: int, expected: list[str]
) -> None:
    report = company.report("calls", viewer)
    assert report["level"] == level
    assert sorted(row["line_id"] for row in report["rows"]) == expected
    assert report["totals"]["calls"] == len(expected)
    for name in ("by-person", "by-department", "by-destination", "by-line"):
        sum_report = company.report(name, viewer)
        assert sum_report["totals"]["calls"] == len(expected), name
        assert sum(row["calls"] for row in sum_report["rows"]) == len(expected), name


@pytest.mark.parametrize(
    "viewer", ["dario", "noemi", "nobody", "other:anna", "Anna Verdi", "ANNA;"]
)
def test_who_may_see_nothing_gets_one_sentence(company: Company, viewer: str) -> None:
    for words in (
        ["calls"],
        ["by-department"],
        ["no-such-report"],
        ["calls", "--filter", "colour=red"],
        [],
    ):
        answer = company.run("report", *words, "--as", viewer, "--format", "json")
        assert (answer.code, answer.out) == (1, ""), words
        assert len(answer.err.strip().splitlines()) == 1
        assert "Traceback" not in answer.err


def test_a_level_of_nothing_and_an_unknown_user_read_alike(company: Company) -> None:
    nothing, unknown = (
        company.run("report", "calls", "--as", name).err.replace(name, "X")
        for name in ("dario", "nobody")
    )
    assert nothing == unknown


@pytest.mark.parametrize(
    ("basis", "bruno", "carla"),
    [
        ("cost_center", ["2002", "2003", "2004"], ["2002", "2003", "2004"]),
        ("office_location", ["2001", "2001", "2002", "2004", "2019"], ["2003", "2005", "2010"]),
    ],
)
def test_the_basis_of_level_6(
    company: Company, basis: str, bruno: list[str], carla: list[str]
) -> None:
    before = company.ini.read_text()
    try:
        company.set("reports", level6_basis=basis)
        assert lines(company, "bruno") == bruno
        assert lines(company, "carla") == carla
    finally:
        company.ini.write_text(before)


def test_masked_digits_belong_to_the_reader(company: Company) -> None:
    def numbers(viewer: str, *words: str) -> dict[str, str]:
        rows = company.rows(viewer, *words)
        return {
            row["line_id"]: row["other_number"] for row in rows if row["direction"] != "internal"
        }

    assert numbers("bruno") == {
        "2001": "+393331234***",
        "2002": "+390212345***",
        "2019": "+390212345***",
    }
    assert numbers("elena")["2003"] == "+4930123****"
    assert numbers("fabio")["2003"] == "+49301234567"
    inside = [row for row in company.rows("elena") if row["direction"] == "internal"]
    assert sorted(row["other_number"] for row in inside) == ["2001", "2012"]
    assert numbers("bruno", "--filter", "other_number=+390212345678") == {}
    assert set(numbers("bruno", "--filter", "other_number=+390212345***")) == {"2002", "2019"}
    for form in ("table", "csv"):
        words = ["calls", "--as", "bruno", "--from", "2026-03-01", "--to", "2026-04-01"]
        assert "12345678" not in company.ok("report", *words, "--format", form).out


def test_by_person(company: Company) -> None:
    report = company.report("by-person")
    assert set(report["rows"][0]) >= {"person", "username", "party", *MEASURES}
    rows = sums(report["rows"], "person")
    assert {name: (row["calls"], row["cost"]) for name, row in rows.items()} == {
        "Anna Verdi": (2, "0.525"),
        "Bruno Neri": (1, "0.0703"),
        "Carla Blu": (1, "1.20"),
        "Dario Rosa": (1, "0.00"),
        "Elena Viola": (1, "0.00"),
        "Karl Argento": (1, "0.00"),
        "Gina Bianchi": (1, "0.02"),
        "Noemi Ambra": (1, "0.00"),
        "Irene Oro": (1, "0.00"),
        None: (1, "0.525"),
    }
    irene = rows["Irene Oro"]
    assert [irene[name] for name in MEASURES] == [1, 0, 1, 0, 0, "0.00"]
    anna = rows["Anna Verdi"]
    assert [anna[name] for name in MEASURES] == [2, 2, 0, 0, 109, "0.525"]
    assert rows[None]["username"] is None
    totals = report["totals"]
    # 100 + 61 + 200 + 10 + 30 + 40 + 61 + 9 + 9 + 100 s
    assert [totals[name] for name in MEASURES] == [11, 10, 1, 0, 620, "2.3403"]


def test_by_department_folds_spellings_and_shows_the_unassigned(company: Company) -> None:
    report = company.report("by-department")
    rows = {
        (row["department"] or "").casefold(): [row[name] for name in MEASURES]
        for row in report["rows"]
    }
    assert rows == {
        "sales": [4, 3, 1, 0, 170, "0.5953"],
        "support": [2, 2, 0, 0, 210, "1.20"],
        "engineering": [1, 1, 0, 0, 30, "0.00"],
        "legal": [1, 1, 0, 0, 40, "0.00"],
        "archive": [1, 1, 0, 0, 9, "0.00"],
        "": [2, 2, 0, 0, 161, "0.545"],
    }
    assert None in {row["department"] for row in report["rows"]}
    assert set(report["rows"][0]) == {"department", *MEASURES}
    words = ["by-department", "--from", "2026-03-01", "--to", "2026-04-01"]
    assert "unassigned" in company.ok("report", *words).out.casefold()


def test_by_destination(company: Company) -> None:
    rows = company.report("by-destination", "", "--filter", "direction=outgoing")["rows"]
    assert set(rows[0]) == {"destination", "class", *MEASURES}
    found = sums(rows, "destination", "class")
    assert {key: (row["calls"], row["cost"]) for key, row in found.items()} == {
        ("Italy mobile", "mobile"): (2, "1.05"),
        ("Italy", "national"): (1, "0.0703"),
        ("Germany", "international"): (1, "1.20"),
        (None, "international"): (1, "0.00"),
        ("Italy toll-free", "toll-free"): (1, "0.00"),
        ("Rome", "local"): (1, "0.02"),
    }  # fmt: skip


def test_by_line(company: Company) -> None:
    rows = company.report("by-line")["rows"]
    assert set(rows[0]) == {"line_id", "person", *MEASURES}
    by_line = sums(rows, "line_id")
    assert set(by_line) == set(EVERYTHING)
    assert (by_line["2019"]["person"], by_line["2055"]["person"]) == ("Irene Oro", None)


def test_custom_fields_are_grouped_and_filtered(company: Company) -> None:
    rows = company.report("by-line", "", "--group-by", "custom1")["rows"]
    assert {row["custom1"]: (row["calls"], row["cost"]) for row in rows} == {
        "Apollo": (3, "0.5953"),
        "Zeus": (2, "1.20"),
        None: (6, "0.545"),
    }
    assert lines(company, "", "--filter", "custom1=zeus") == ["2003", "2010"]
    both = company.report(
        "by-line", "", "--group-by", "custom1,department", "--filter", "custom1=Apollo"
    )
    (row,) = both["rows"]
    assert (row["custom1"], row["department"].casefold(), row["calls"]) == ("Apollo", "sales", 3)
    assert lines(company, "carla", "--filter", "custom1=Apollo") == []


def test_filters_narrow_and_never_widen(company: Company) -> None:
    assert lines(company, "", "--filter", "department=SALES") == ["2001", "2001", "2002", "2019"]
    assert lines(company, "", "--filter", "direction=outgoing", "--filter", "class=mobile") == [
        "2001",
        "2055",
    ]
    assert lines(company, "anna", "--filter", "department=Support") == []
    assert lines(company, "bruno", "--filter", "line_id=2003") == []
    assert lines(company, "", "--filter", "person=Carla Blu") == ["2003"]
    totals = company.report("calls", "", "--filter", "department=Support")["totals"]
    assert [totals[name] for name in MEASURES] == [2, 2, 0, 0, 210, "1.20"]


def test_totals_do_not_depend_on_the_limit(company: Company) -> None:
    for name in ("calls", "by-person", "by-department", "by-destination", "by-line"):
        whole, short = company.report(name), company.report(name, "", "--limit", "2")
        assert len(short["rows"]) == 2
        assert short["rows"] == whole["rows"][:2]
        assert short["totals"] == whole["totals"]


def test_conversations_are_counted_for_those_who_see_all(company: Company) -> None:
    report = company.report("by-destination", "elena", "--count", "conversations")
    assert (report["counts"], report["totals"]["calls"]) == ("conversations", 10)
    period = ["--from", "2026-03-01", "--to", "2026-04-01"]
    for viewer, name in (("bruno", "by-destination"), ("elena", "by-person")):
        answer = company.run("report", name, "--as", viewer, "--count", "conversations", *period)
        assert answer.code in (1, 2)
        assert answer.out == ""


def test_csv_holds_the_same_rows(company: Company) -> None:
    period = ["--from", "2026-03-01", "--to", "2026-04-01"]
    text = company.ok("report", "by-person", *period, "--format", "csv").out
    read = list(csv.DictReader(io.StringIO(text)))
    rows = company.report("by-person")["rows"]
    assert [row["person"] for row in read] == [row["person"] or "" for row in rows]
    assert [row["cost"] for row in read] == [row["cost"] for row in rows]


@pytest.mark.parametrize(
    ("words", "mentions"),
    [
        (["by-departement"], "by-department"),
        (["calls", "--filter", "departmnt=Sales"], "department"),
        (["by-line", "--group-by", "custom2"], "custom2"),
        (["by-line", "--group-by", "colour"], "colour"),
        (["calls", "--from", "2026-13-01"], "2026-13-01"),
        (["calls", "--from", "2026-04-01", "--to", "2026-03-01"], "2026-03-01"),
        (["calls", "--limit", "many"], "many"),
        (["calls", "--filter", "department"], "department"),
    ],
)
def test_a_wrong_question_is_answered_in_words(
    company: Company, words: list[str], mentions: str
) -> None:
    answer = company.run("report", *words)
    assert answer.code == 2, answer
    assert mentions in answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""


@pytest.fixture
def explained(company: Company) -> Callable[..., dict[str, Any]]:
    """Give a function that explains the one call that fits a filter."""

    def explain(*words: str, viewer: str = "") -> dict[str, Any]:
        (row,) = company.rows(viewer, *words)
        who = ["--as", viewer] if viewer else []
        return dict(company.ok("explain", row["id"], *who, "--json").json)

    return explain


def test_explain_recomputes_the_price(explained: Callable[..., dict[str, Any]]) -> None:
    told = explained("--filter", "line_id=2003")
    assert list(told) == [
        "call", "purpose", "posting", "allowances", "attribution", "licence", "account",
        "quality", "number", "tariff", "arithmetic", "shares", "price", "stored_price", "same",
    ]  # fmt: skip
    assert (told["call"]["line_id"], told["call"]["cost"]) == ("2003", "1.20")
    assert set(told["attribution"]) == {"reason", "candidates"}
    assert set(told["licence"]) == {"slot", "since", "reason"}
    number = told["number"]
    assert set(number) == {"raw", "e164", "class", "rule"}
    assert (number["e164"], number["class"]) == ("+49301234567", "international")
    assert "49301234567" in number["raw"]
    assert told["tariff"] == {
        "carrier": "telco",
        "version": "2026",
        "valid_from": "2026-01-01",
        "prefix": "49",
        "destination": "Germany",
        **dict.fromkeys(("band", "currency", "original", "vat", "with_vat")),
    }
    assert all(set(step) >= {"what", "seconds", "micros"} for step in told["arithmetic"])
    assert sum(step["micros"] for step in told["arithmetic"]) == 1_200_000
    assert sum(step["seconds"] for step in told["arithmetic"]) == 210
    assert told["same"] is True


def test_explain_shows_the_rounding(explained: Callable[..., dict[str, Any]]) -> None:
    told = explained("--filter", "line_id=2002")
    assert sum(step["micros"] for step in told["arithmetic"]) == 70_300
    assert told["same"] is True


def test_explain_keeps_to_the_scope_and_the_mask(
    company: Company, explained: Callable[..., dict[str, Any]]
) -> None:
    (foreign,) = company.rows("", "--filter", "line_id=2003")
    for viewer in ("anna", "bruno", "dario", "nobody"):
        answer = company.run("explain", foreign["id"], "--as", viewer, "--json")
        assert (answer.code, answer.out) == (1, "")
        assert len(answer.err.strip().splitlines()) == 1
    told = explained("--filter", "line_id=2002", viewer="bruno")
    assert "12345678" not in str(told)
    assert told["number"]["e164"] == "+390212345***"


@pytest.mark.parametrize("verb", ["files", "rejects", "unknown"])
def test_administration_is_for_level_10(company: Company, verb: str) -> None:
    assert company.ok(verb, "--as", "fabio", "--json").json is not None
    for viewer in ("elena", "bruno", "anna", "dario"):
        answer = company.run(verb, "--as", viewer, "--json")
        assert (answer.code, answer.out) == (1, ""), viewer
    assert company.ok("licence", "--as", "elena", "--json").json["used"] == 12
    assert company.run("licence", "--as", "bruno").code == 1


def test_the_database_is_what_it_must_be(company: Company, tmp_path: Path) -> None:
    before = company.report("by-person")
    company.ok("db", "verify")
    copy = tmp_path / "copy.db"
    company.ok("db", "backup", str(copy))
    assert copy.stat().st_size > 0
    assert company.report("by-person") == before
