"""Rating again and closing months, as an administrator does it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.contract import PEOPLE, TARIFF, Company, outgoing

PERIOD = ("--from", "2026-03-01", "--to", "2026-04-01")
AT = "2026-03-10T10:00:00+01:00"
BOTH = ("2026-03-01", "2026-05-01")


@pytest.fixture
def company(tmp_path: Path) -> Company:
    made = Company(tmp_path)
    made.use_ldif(PEOPLE)
    made.ok("sync")
    made.take(
        outgoing("a", AT, "2001", "03331234567", talk=60),
        outgoing("b", "2026-03-11T10:00:00+01:00", "2001", "00044207123456", talk=60),
    )
    return made


def with_england(company: Company, tariff: str = TARIFF) -> None:
    (deck,) = company.home.rglob("telco.csv")
    deck.write_text(tariff + "44,England,international,0,0.60,60,1,1,0\n", encoding="utf-8")


def test_a_rate_that_was_missing(company: Company) -> None:
    assert sorted(row["state"] for row in company.rows()) == ["rated", "unrated"]
    with_england(company)
    assert company.run("rerate", *PERIOD).code == 2  # nobody can answer here
    shown = company.ok("rerate", *PERIOD, "--dry-run", "--json").json
    (group,) = shown["groups"]
    assert (group["department"].casefold(), group["carrier"], group["class"]) == (
        "sales",
        "telco",
        "international",
    )
    assert (group["cost_before"], group["cost_after"], group["difference"]) == (
        "0.00",
        "0.60",
        "0.60",
    )
    assert (group["unrated_before"], group["unrated_after"], shown["run"]) == (1, 0, None)
    done = company.ok("rerate", *PERIOD, "--carrier", "telco", "--yes", "--json").json
    assert (done["groups"], done["done"]) == (shown["groups"], True)
    assert sorted(row["state"] for row in company.rows()) == ["rated", "rated"]
    assert company.ok("rerate", *PERIOD, "--yes", "--json").json["totals"]["rows"] == 0
    runs = company.listed("rerate")
    assert [run["rows"] for run in runs] == [0, 1]
    assert (runs[1]["who"], runs[1]["from"], runs[1]["to"], runs[1]["difference"]) == (
        "administrator",
        "2026-03-01",
        "2026-04-01",
        "0.60",
    )
    company.ok("rerate", "--undo", str(done["run"]), "--yes")
    assert sorted(row["state"] for row in company.rows()) == ["rated", "unrated"]
    answer = company.run("rerate", "--undo", str(done["run"]), "--dry-run")
    assert (answer.code, "was undone by run" in answer.err) == (1, True)
    assert "undone by" in company.ok("rerate").out
    company.ok("db", "verify")


def test_what_a_closed_month_came_to_never_changes(company: Company) -> None:
    before = company.report("charges", period=BOTH)
    assert (before["by"], company.report("by-department", period=BOTH)["by"]) == ("posting", "date")
    company.ok("period", "close", "2026-03", "--yes")
    with_england(company, TARIFF.replace("0.25", "0.50"))
    company.ok("rerate", *PERIOD, "--yes")
    booked = {row["month"]: row for row in company.listed("period")}
    assert (booked["2026-03"]["state"], booked["2026-04"]["state"]) == ("closed", "open")
    assert booked["2026-03"]["cost"] == before["totals"]["cost"]
    assert float(booked["2026-04"]["cost"]) > 0
    after = company.report("charges", period=BOTH)
    assert {row["month"]: row["cost"] for row in after["rows"]} == {
        month: booked[month]["cost"] for month in ("2026-03", "2026-04")
    }
    by_date = company.report("by-department", period=BOTH)["totals"]["cost"]
    assert after["totals"]["cost"] == by_date
    by_person = company.report("by-person", "anna", "--by", "posting", period=BOTH)
    assert by_person["totals"]["cost"] == by_date
    said = company.ok("report", "charges", "--from", BOTH[0], "--to", BOTH[1]).err
    assert "the cost of a month's calls as they are" in said
    assert "adjustments that are booked in it" in said
    company.ok("db", "verify")


def test_what_is_refused(company: Company) -> None:
    assert company.run("period", "close", "2026-03").code == 2  # nobody can answer here
    assert "2999-01 is not over" in company.run("period", "close", "2999-01", "--yes").err
    assert company.run("period", "close", "March", "--yes").code == 2
    company.ok("period", "close", "2026-03", "--yes")
    assert "2026-02 is closed" in company.run("period", "close", "2026-02", "--yes").err
    assert company.run("period", "reopen", "2026-03").code == 4
    company.set("syncd", timezone="Asia/Kolkata")
    for words in (("ingest",), ("report", "charges", *PERIOD)):
        answer = company.run(*words)
        assert (answer.code, "when posting periods were closed" in answer.err) == (78, True)
    company.set("syncd", timezone="Europe/Rome")
    for words in (
        ("rerate", "--from", "2026-03-02", "--to", "2026-03-02"),
        ("rerate", "--from", "2026-03-02"),
        ("rerate", "--undo", "1", "--from", "2026-03-02"),
        (
            "report",
            "by-department",
            "--from",
            "2026-03-02",
            "--to",
            "2026-04-01",
            "--by",
            "posting",
        ),
        ("report", "by-department", *PERIOD, "--by", "posting", "--measures", "calls"),
        ("report", "summary", *PERIOD, "--by", "posting", "--group-by", "hour"),
        ("report", "calls", *PERIOD, "--by", "posting"),
    ):
        assert company.run(*words).code == 2, words
    assert company.run("rerate", *PERIOD, "--carrier", "nobody", "--dry-run").code == 1
    for words in (("rerate", *PERIOD, "--dry-run"), ("period",)):
        answer = company.run(*words, "--as", "anna")
        assert (answer.code, "not available to anna" in answer.err) == (1, True)


def test_explain_says_where_a_call_is_booked(company: Company) -> None:
    (call,) = (row["id"] for row in company.rows() if row["state"] == "rated")
    told = company.ok("explain", call, "--json").json["posting"]
    assert told == {"period": "2026-03", "adjustments": []}
    company.ok("period", "close", "2026-03", "--yes")
    with_england(company, TARIFF.replace("0.25", "0.50"))
    run = company.ok("rerate", *PERIOD, "--yes", "--json").json["run"]
    for viewer in ((), ("--as", "anna")):
        told = company.ok("explain", call, *viewer, "--json").json["posting"]
        assert [
            (one["period"], one["of"], one["cause"], one["micros"] < 0, one["run"])
            for one in told["adjustments"]
        ] == [
            ("2026-04", "2026-03", "rerated", True, run),
            ("2026-04", "2026-03", "rerated", False, run),
        ]
    assert f"rerated, run {run}" in company.ok("explain", call).out
