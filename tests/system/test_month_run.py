"""Allowances, as an administrator runs and closes months."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from syncd.application import rerating
from syncd.application.months import Closing
from tests.support.contract import PEOPLE, TARIFF, Company, outgoing

MARCH = ("2026-03-01", "2026-04-01")
BOTH = ("2026-03-01", "2026-05-01")


@pytest.fixture
def company(tmp_path: Path) -> Company:
    made = Company(tmp_path)
    made.use_ldif(PEOPLE)
    made.ok("sync")
    return made


def booked(company: Company) -> dict[str, str]:
    rows = company.report("charges", "", "--group-by", "month", period=BOTH)["rows"]
    return {row["month"]: row["cost"] for row in rows}


def calls(company: Company) -> None:
    """Two calls to mobiles in March, one in April, of 0.10 + 0.25 × 1.5 = 0.475 each."""
    company.take(
        outgoing("a", "2026-03-10T10:00:00+01:00", "2001", "03331234567", talk=90),
        outgoing("b", "2026-03-11T10:00:00+01:00", "2001", "03331234567", talk=90),
        outgoing("c", "2026-04-11T10:00:00+02:00", "2001", "03331234567", talk=90),
    )


def test_free_minutes_are_estimated_booked_and_final(company: Company) -> None:
    calls(company)
    assert booked(company) == {"2026-03": "0.95", "2026-04": "0.475"}
    company.set("allowance:mobile", minutes="2", classes="mobile", per="person")
    (line,) = company.listed("period", "show", "2026-03")
    assert line == {
        "month": "2026-03",
        "state": "estimate",
        "kind": "allowance",
        "name": "mobile",
        "whose": line["whose"],
        "unit": "minutes",
        "given": "2:00",
        "carried": "0:00",
        "used": "2:00",
        "left": "0:00",
        "cost": "-0.633333",
    }
    assert "nothing is booked yet" in company.ok("period", "show", "2026-03").err
    assert company.listed("period", "run", "2026-03", "--dry-run") == [line]
    assert booked(company)["2026-03"] == "0.95"
    assert company.listed("period", "run", "2026-03") == [line]
    assert company.listed("period", "run", "2026-03") == [line]
    # 0.475 whole, and 30 s of 90: 0.158333.
    assert booked(company) == {"2026-03": "0.316667", "2026-04": "0.475"}
    assert "booked at" in company.ok("period", "show", "2026-03").err
    company.ok("db", "verify")
    by_date = company.report("by-department", period=BOTH)["totals"]["cost"]
    assert by_date == "1.425"

    told = [
        company.ok("explain", row["id"], "--json").json["allowances"]
        for row in sorted(company.rows(), key=lambda row: row["started_at"])
    ]
    assert [[(one["used"], one["micros"], one["state"]) for one in of] for of in told] == [
        [("1:30", 475_000, "estimate")],
        [("0:30", 158_333, "estimate")],
    ]
    first = min(company.rows(), key=lambda row: row["started_at"])["id"]
    shown = company.ok("explain", first).out
    assert "mobile covers 1:30: -0.475 EUR, booked in 2026-03 (estimate)." in shown

    (deck,) = company.home.rglob("telco.csv")
    deck.write_text(TARIFF.replace("0.25", "0.50"), encoding="utf-8")
    company.ok("rerate", "--from", MARCH[0], "--to", MARCH[1], "--yes")
    assert "calls changed since" in company.ok("period", "show", "2026-03").err
    (row,) = company.listed("period", "close", "2026-03", "--dry-run")
    assert row["cost"] == "0.566667"
    company.ok("period", "close", "2026-03", "--yes")
    # 0.10 + 0.50 × 1.5 = 0.85 each; free are 0.85 and a third of it.
    assert booked(company)["2026-03"] == "0.566667"
    (line,) = company.listed("period", "show", "2026-03")
    assert (line["state"], line["cost"]) == ("final", "-1.133333")
    assert company.ok("explain", first, "--json").json["allowances"][0]["state"] == "final"
    assert "2026-03 is closed" in company.run("period", "run", "2026-03").err
    company.ok("db", "verify")

    # What happens to a closed month later leaves what was covered as it is.
    deck.write_text(TARIFF, encoding="utf-8")
    company.ok("rerate", "--from", MARCH[0], "--to", MARCH[1], "--yes")
    assert booked(company) == {"2026-03": "0.566667", "2026-04": "-0.275"}
    company.set("allowance:mobile", minutes="9")
    assert company.listed("period", "show", "2026-03") == [line]
    company.ok("db", "verify")


def test_what_is_left_goes_from_closed_months_to_open_ones(company: Company) -> None:
    calls(company)
    company.set("allowance:mobile", minutes="4", carry_over="yes", **{"from": "2026-03"})
    (line,) = company.listed("period", "show", "2026-04")
    assert (line["carried"], line["used"], line["left"]) == ("1:00", "1:30", "3:30")
    company.ok("period", "close", "2026-03", "--yes")
    assert company.listed("period", "show", "2026-04") == [line]
    assert company.listed("period", "run", "2026-04") == [line]
    company.ok("period", "close", "2026-05", "--yes")
    (line,) = company.listed("period", "show", "2026-05")
    assert (line["carried"], line["left"]) == ("3:30", "7:30")
    company.ok("db", "verify")


def test_without_an_allowance_what_was_booked_is_taken_back(company: Company) -> None:
    calls(company)
    company.set("allowance:mobile", calls="1")
    company.ok("period", "run", "2026-03")
    assert booked(company)["2026-03"] == "0.475"
    ini = company.home / "syncd.ini"
    ini.write_text(ini.read_text().split("[allowance:mobile]")[0], encoding="utf-8")
    company.ok("period", "close", "2026-03", "--yes")
    assert booked(company)["2026-03"] == "0.95"
    company.ok("db", "verify")


def test_lines_cost_something_whoever_calls(company: Company) -> None:
    calls(company)
    company.set("flat-charge:extension", amount="3.10", carrier="telco")
    lines = len([one for one in PEOPLE.values() if one])
    (shown,) = company.listed("period", "show", "2026-03")
    count = int(shown["used"])
    assert 0 < count <= lines and shown["given"] is None
    assert (shown["kind"], shown["cost"]) == ("flat", format(3.10 * count, ".2f"))
    company.ok("period", "close", "2026-03", "--yes")
    total = Decimal("0.95") + Decimal("3.10") * count
    assert Decimal(booked(company)["2026-03"]) == total
    assert company.report("by-department", period=MARCH)["totals"]["cost"] == "0.95"
    by_line = company.report("charges", "", "--group-by", "line_id", period=MARCH)["rows"]
    assert {row["line_id"]: row["cost"] for row in by_line}["2001"] == "4.05"
    by_carrier = company.report("charges", "", "--group-by", "carrier", period=MARCH)["rows"]
    assert [(row["carrier"], Decimal(row["cost"])) for row in by_carrier] == [("telco", total)]
    departments = {
        row["department"]: Decimal(row["cost"])
        for row in company.report("charges", period=MARCH)["rows"]
    }
    assert sum(departments.values()) == total and len(departments) > 1
    company.ok("db", "verify")
    # There is one site, so lines without one are its lines.
    company.set("flat-charge:here", amount="1.00", lines="first", sites="hq", share="month")
    company.set("allowance:site", calls="1", per="site", members="hq")
    found = {row["name"]: row for row in company.listed("period", "show", "2026-04")}
    assert (found["site"]["whose"], found["site"]["used"]) == ("hq", "1")
    assert int(found["here"]["used"]) > 0
    company.set("flat-charge:bad", amount="1.00", lines="first phone", carrier="x", sites="y")
    answer = company.run("check-config")
    assert answer.code == 78
    assert "'phone' is not a kind of line" in answer.out + answer.err
    company.set("flat-charge:bad", lines="first", amount=None)
    answer = company.run("check-config")
    for words in ("'x' is not a [carrier:NAME]", "'y' is not a [site:NAME]", "amount: is missing"):
        assert words in answer.out + answer.err


def test_the_lines_of_an_invoice_are_rounded_after_what_is_free(company: Company) -> None:
    company.set("carrier:telco", rounding="up 2 per invoice")
    calls(company)
    company.take(
        outgoing("d", "2026-03-12T10:00:00+01:00", "2001", "00033142685300", talk=70),
        outgoing("e", "2026-03-12T11:00:00+01:00", "2001", "00033142685300", talk=70),
    )
    assert booked(company) == {"2026-03": "0.957", "2026-04": "0.475"}
    (line,) = company.listed("period", "show", "2026-03")
    # Italy mobile is 0.95; France 2 × 0.0035.
    assert (line["kind"], line["name"], line["used"], line["cost"]) == (
        "rounding",
        "telco",
        "2",
        "0.003",
    )
    company.set("allowance:mobile", minutes="1", classes="mobile")
    allowance, line = company.listed("period", "run", "2026-03")
    # 60 s of 90 of 0.475 are 0.316666; what is left of 0.95, 0.633334, becomes 0.64.
    assert (allowance["cost"], line["cost"]) == ("-0.316666", "0.009666")
    assert booked(company)["2026-03"] == "0.65"
    company.ok("period", "close", "2026-03", "--yes")
    assert booked(company) == {"2026-03": "0.65", "2026-04": "0.475"}
    destinations = company.report("charges", "", "--group-by", "destination", period=MARCH)["rows"]
    assert {row["destination"]: row["cost"] for row in destinations} == {
        "Italy mobile": "0.64",
        "France": "0.01",
    }
    company.ok("db", "verify")
    rates = company.home / "rates.csv"
    rates.write_text("date,currency,rate\n2026-01-01,USD,0.9\n", encoding="utf-8")
    company.set("exchange", file=str(rates))
    company.set("carrier:telco", currency="USD")
    assert {row["kind"] for row in company.listed("period", "show", "2026-04")} == {"allowance"}
    answer = company.run("check-config")
    assert "lines of an invoice in USD are not rounded" in answer.out + answer.err


def test_a_call_that_comes_while_its_month_is_closed_is_covered_too(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls(company)
    company.set("allowance:mobile", minutes="9", classes="mobile")
    late = [outgoing("x", "2026-03-20T10:00:00+01:00", "2001", "03331234567", talk=90)]

    class Interrupted(Closing):
        def __init__(self, *words: Any) -> None:
            super().__init__(*words)
            if late:
                company.deliver([late.pop()])
                words = ["--config", str(company.ini), "ingest", "--no-settle"]
                # Another process, as the daemon would be.
                subprocess.run([sys.executable, "-m", "syncd", *words], check=True)

    monkeypatch.setattr(rerating, "Closing", Interrupted)
    company.ok("period", "close", "2026-03", "--yes")
    (line,) = company.listed("period", "show", "2026-03")
    assert (line["used"], line["cost"], late) == ("4:30", "-1.425", [])
    assert booked(company)["2026-03"] == "0.00"
    company.ok("db", "verify")


def test_what_is_refused(company: Company) -> None:
    assert "has not begun" in company.run("period", "show", "2999-01").err
    assert company.run("period", "run", "March").code == 2
    answer = company.run("period", "run", "2026-03", "--as", "anna")
    assert (answer.code, "not available to anna" in answer.err) == (1, True)
    company.set("allowance:none", carriers="telko", members="Sales", tariffs="telco:2025 telco")
    company.set("allowance:two", minutes="0", calls="x", classes="mobil", to="2026-13")
    company.set(
        "allowance:three",
        minutes="1",
        amount="1.00",
        per="site",
        members="nowhere",
        to="2025-12",
        **{"from": "2026-01"},
    )
    answer = company.run("check-config")
    assert answer.code == 78
    for words in (
        "nothing is given",
        "'telko' is not a [carrier:NAME]",
        "is of no use with per = company",
        "'telco' is not a tariff version",
        "'mobil' is not a class of numbers",
        "'2026-13' is not a month",
        "minutes is set too",
        "'nowhere' is not a [site:NAME]",
        "it ends before it begins",
    ):
        assert words in answer.out + answer.err, words
    company.set("allowance:none", minutes="1", carriers=None, members=None, tariffs="telco:2025")
    answer = company.run("check-config")
    assert "[carrier:telco] has no version '2025'" in answer.out + answer.err
