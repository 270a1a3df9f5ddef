"""Saved reports: whose they are, who may run them, and that everybody sees by them their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncd.application.schedule_checks import schedule_problems
from syncd.cli.main import main
from syncd.settings.load import load
from syncd.store.anonymisation import known_by, scrub
from syncd.store.database import open_database, write_transaction
from syncd.store.rollups import ensure_zone
from tests.generated_company import ROME, Company

Report = Callable[..., Any]
PERIOD = ("--from", "2026-01-01", "--to", "2026-05-01")


@pytest.fixture
def company(tmp_path: Path) -> Company:
    (tmp_path / "syncd.ini").write_text(
        "[syncd]\ntimezone = Europe/Rome\ncurrency = EUR\n[custom-fields]\ncustom1 = Cost unit\n",
        encoding="utf-8",
    )
    settings = load(tmp_path / "syncd.ini")
    database = open_database(settings.database_url, settings.state_directory)
    company = Company(seed=11, people=8, conversations=60)
    ensure_zone(ROME)
    database.close()
    return company


@pytest.fixture
def report(tmp_path: Path, company: Company, capsys: pytest.CaptureFixture[str]) -> Report:
    def run(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        got = main(["--config", str(tmp_path / "syncd.ini"), "report", *words])
        output = capsys.readouterr()
        assert got == code, output.err
        return json.loads(output.out) if "--json" in words and not code else output.err

    return run


def user(company: Company, level: int) -> str:
    found = next(p for p in company.people if p.fields["permission_level"] == level)
    return str(found.fields["username"])


def test_a_saved_report_is_what_was_asked(report: Report) -> None:
    asked = ("by-department", "duration>60", *PERIOD, "--measures", "calls,cost_share")
    assert "syncd report run 'Long calls'" in report(*asked, "--save-as", "Long calls")
    assert report("run", "long  CALLS", "--json") == report(*asked, "--json")
    fewer = report("run", "Long calls", "class=mobile", "--sort=calls", "--json")
    assert fewer == report(*asked, "class=mobile", "--sort=calls", "--json")
    (saved,) = report("saved", "--json")
    assert (
        saved.items()
        >= {
            "name": "Long calls",
            "owner": "administrator",
            "shared": False,
            "request": "by-department?from=2026-01-01&to=2026-05-01&filter=duration%3E60"
            "&measures=calls,cost_share",
        }.items()
    )


def test_a_report_is_named_in_one_line_with_all_that_is_asked(report: Report) -> None:
    words = ("by-department", "duration>60", *PERIOD, "--measures", "calls,cost_share")
    line = (
        "by-department?from=2026-01-01&to=2026-05-01&filter=duration%3E60&measures=calls,cost_share"
    )
    assert report(line, "--json") == report(*words, "--json")
    assert report(" ".join(words), "--json") == report(*words, "--json")
    assert "did you mean by-department?" in report("by department", code=2)
    more = ("class=mobile", "--measures", "cost", "--json")
    assert report(line, *more) == report(*words[:-2], *more)
    assert "syncd report run 'As a line'" in report(line, "--save-as", "As a line")
    assert report("run", "As a line", "--json") == report(*words, "--json")
    assert "did you mean period?" in report("by-department?perod=today", code=2)


def test_saving_again_takes_the_place_of_the_old_one(report: Report) -> None:
    report("calls", "--save-as", "mine", *PERIOD)
    assert "in place of the old one" in report("by-line", "--save-as", "Mine", *PERIOD, "--shared")
    (saved,) = report("saved", "--json")
    assert (saved["name"], saved["shared"]) == ("Mine", True)
    assert report("run", "mine", "--json")["report"] == "by-line"
    report("run", "mine", "--limit", "3", "--save-as", "short")
    assert (
        report("run", "short", "--json")["rows"]
        == report("by-line", *PERIOD, "--limit", "3", "--json")["rows"]
    )


def test_a_shared_report_is_run_in_the_scope_of_who_runs_it(
    report: Report, company: Company
) -> None:
    report("calls", *PERIOD, "--save-as", "all calls", "--shared")
    report("calls", *PERIOD, "--save-as", "private", "--limit", "1")
    for level in (2, 6, 8):
        who = ("--as", user(company, level))
        assert report("run", "all calls", *who, "--json") == report(
            "calls", *PERIOD, *who, "--json"
        )
        names = [(one["name"], one["owner"]) for one in report("saved", *who, "--json")]
        assert names == [("all calls", "administrator")]
        assert "there is no saved report 'private'" in report("run", "private", *who, code=2)
        assert "you have no saved report" in report("delete", "all calls", *who, code=2)


def test_ones_own_goes_before_others_of_the_name(report: Report, company: Company) -> None:
    clerk, boss, chief = user(company, 2), user(company, 8), user(company, 10)
    report("by-line", *PERIOD, "--save-as", "week", "--shared", "--as", boss)
    report("by-class", *PERIOD, "--save-as", "week", "--shared", "--as", chief)
    told = report("run", "week", "--as", clerk, code=2)
    assert f"{boss}/week" in told
    assert f"{chief}/week" in told
    assert report("run", f"{chief}/week", "--as", clerk, "--json")["report"] == "by-class"
    report("calls", *PERIOD, "--save-as", "week", "--as", clerk)
    assert report("run", "week", "--as", clerk, "--json")["report"] == "calls"
    assert report("run", f"{clerk}/week", "--as", clerk, "--json")["report"] == "calls"
    report("delete", "week", "--as", clerk)
    assert [one["owner"] for one in report("saved", "--as", clerk, "--json")] == sorted(
        [boss, chief]
    )


def test_nobody_saves_or_runs_a_report_that_is_not_for_them(
    report: Report, company: Company
) -> None:
    clerk = user(company, 2)
    told = report("trunk-load", "--save-as", "x", "--as", clerk, code=1)
    assert f"The report trunk-load is not available to {clerk}." in told
    report("trunk-load", "--save-as", "trunks", "--shared")
    told = report("run", "trunks", "--as", clerk, code=1)
    assert f"The report trunk-load is not available to {clerk}." in told
    nobody = user(company, 0)
    told = report("saved", "--as", nobody, code=1)
    assert told == f"syncd: No billing data is available to {nobody}.\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("calls", "--save-as", "saved"), "cannot be the name"),
        (("calls", "--save-as", "a/b"), "cannot be the name"),
        (("calls", "--save-as", "by-line"), "is the name of a report already"),
        (("calls", "durtion>5", "--save-as", "x"), "did you mean duration?"),
        (("calls", "--sort", "x", "--page", "k", "--save-as", "x"), "--page is for once"),
        (("run",), "run which saved report?"),
        (("delete",), "delete which saved report?"),
        (("delete", "a", "b"), "one saved report at a time"),
    ],
)
def test_mistakes_are_told(report: Report, words: tuple[str, ...], message: str) -> None:
    assert message in report(*words, code=2)


def test_the_next_page_is_in_the_json(report: Report) -> None:
    first = report("calls", *PERIOD, "--limit", "10", "--json")
    second = report("calls", *PERIOD, "--limit", "10", "--page", first["next_page"], "--json")
    both = report("calls", *PERIOD, "--limit", "20", "--json")
    assert first["rows"] + second["rows"] == both["rows"]
    assert first["totals"] == both["totals"]
    assert "next_page" not in report("calls", *PERIOD, "--json")


def test_who_becomes_nobody_leaves_no_saved_report(
    report: Report, company: Company, tmp_path: Path
) -> None:
    clerk = next(p for p in company.people if p.fields["permission_level"] == 2)
    name = clerk.fields["display_name"]
    report("calls", *PERIOD, "--save-as", "own", "--as", clerk.fields["username"], "--shared")
    report("calls", f"person={name}", *PERIOD, "--save-as", "of them", "--shared")
    report("calls", *PERIOD, "--save-as", "of all")
    settings = load(tmp_path / "syncd.ini")
    database = open_database(settings.database_url, settings.state_directory)
    with write_transaction():
        scrub(clerk.id, known_by(clerk.id))
    database.close()
    assert [one["name"] for one in report("saved", "--json")] == ["of all"]


SETTINGS = """
[saved-report:Long-calls]
report = by-department duration>60 --measures calls,cost_share --from 2026-01-01 --to 2026-05-01
[saved-report:ours]
report = calls?period=2026-03
shared = no
[schedule:x]
report = run long-calls --limit 3
when = daily at 07:00
recipients = level>=8
[mail]
server = mail.example.com
from = syncd@example.com
"""


@pytest.fixture
def configured(tmp_path: Path, company: Company) -> Path:
    """The settings with reports in them."""
    path = tmp_path / "syncd.ini"
    path.write_text(path.read_text() + SETTINGS)
    return path


def test_those_of_the_settings_are_for_everybody(
    report: Report, company: Company, configured: Path
) -> None:
    eight = user(company, 8)
    asked = ("by-department", "duration>60", *PERIOD, "--measures", "calls,cost_share", "--json")
    assert report("run", "long-CALLS", "--json") == report(*asked)
    fewer = report("run", "settings/Long-calls", "class=mobile", "--as", eight, "--json")
    assert fewer == report(*asked, "class=mobile", "--as", eight)
    listed = {one["name"]: one for one in report("saved", "--json")}
    assert {name: (one["owner"], one["shared"]) for name, one in listed.items()} == {
        "Long-calls": ("settings", True),
        "ours": ("settings", False),
    }
    assert [one["name"] for one in report("saved", "--as", eight, "--json")] == ["Long-calls"]
    assert "there is no saved report" in report("run", "ours", "--as", eight, code=2)
    error = report("delete", "LONG-calls", code=2)
    assert "of the settings" in error and "[saved-report:Long-calls]" in error


def test_one_s_own_goes_before_that_of_the_settings(
    report: Report, company: Company, configured: Path
) -> None:
    eight = user(company, 8)
    report("calls", *PERIOD, "--save-as", "long-calls", "--as", eight)
    own = report("run", "long-calls", "--as", eight, "--json")
    assert own["report"] == "calls"
    settings = report("run", "settings/long-calls", "--as", eight, "--json")
    assert settings["report"] == "by-department"
    report("delete", "long-calls", "--as", eight)
    assert report("run", "long-calls", "--as", eight, "--json") == settings


def test_mistakes_of_the_settings_are_all_found(configured: Path) -> None:
    text = configured.read_text()
    text = text.replace("--limit 3", "--limit x")
    text = text.replace("period=2026-03", "colour=red").replace(
        "[schedule:x]",
        """
[saved-report:calls]
report = by-person
[saved-report:saved]
report = by-person
[saved-report:page]
report = calls --page x
[schedule:x]""",
    )
    configured.write_text(text)
    found = list(schedule_problems(load(configured)))
    lines = text.splitlines()
    assert [(problem.option, lines[problem.line - 1].partition(" ")[0]) for problem in found] == [
        ("[saved-report:ours] report", "report"),
        ("[saved-report:calls] report", "report"),
        ("[saved-report:saved] report", "report"),
        ("[saved-report:page] report", "report"),
        ("[schedule:x] report", "report"),
    ]
    assert [problem.what.partition(" ")[0] for problem in found][1:3] == ["'calls'", "'saved'"]


def test_a_level_is_of_a_report_that_there_is(configured: Path) -> None:
    text = configured.read_text()
    names = ("by-persons", "by-custom2", "zzz", "by-custom1", "call", "explain", "rejects", "calls")
    configured.write_text(text + "".join(f"\n[report:{name}]\nlevel = 10\n" for name in names))
    found = list(schedule_problems(load(configured)))
    assert [(problem.option, problem.hint) for problem in found] == [
        ("[report:by-custom2]", "did you mean by-custom1?"),
        ("[report:by-persons]", "did you mean by-person?"),
        ("[report:zzz]", "syncd report lists them"),
    ]
    lines = configured.read_text().splitlines()
    assert all(lines[problem.line - 2] == problem.option for problem in found)


def test_a_mistake_that_a_schedule_runs_is_told_once(configured: Path) -> None:
    text = configured.read_text().replace("duration>60", "duration>sixty")
    configured.write_text(text)
    (problem,) = schedule_problems(load(configured))
    assert problem.option == "[saved-report:Long-calls] report"


@pytest.mark.parametrize("what", [(), ("saved",), ("calls", "--describe")])
def test_a_list_of_reports_is_a_table_or_json(
    report: Report, company: Company, what: tuple[str, ...]
) -> None:
    for more in ("--format", "pdf"), ("--format", "csv"), ("--output", "x.csv"):
        assert "syncd report NAME --" in report(*what, *more, code=2)
    assert isinstance(report(*what, "--json"), list | dict)
    report(*what, "--format", "table")
