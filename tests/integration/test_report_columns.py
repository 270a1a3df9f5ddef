"""Which fields a call list prints: as JSON all, as a table those that fit, else those asked for."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from syncd.cli.main import main
from syncd.settings.load import load
from syncd.store.database import open_database
from syncd.store.rollups import ensure_zone
from tests.generated_company import ROME, Company

PERIOD = ("--from", "2000-01-01", "--to", "2100-01-01")


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    path = tmp_path / "syncd.ini"
    path.write_text("[syncd]\ntimezone = Europe/Rome\ncurrency = EUR\n", encoding="utf-8")
    settings = load(path)
    database = open_database(settings.database_url, settings.state_directory)
    Company(seed=11, people=8, conversations=30)
    ensure_zone(ROME)
    database.close()
    return path


def headings(table: str) -> list[str]:
    return [word for word in table.splitlines()[0].split("  ") if word]


def test_a_table_shows_the_telling_fields_and_json_all(
    ini: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = ["--config", str(ini), "report", "calls", *PERIOD]
    assert main(report) == 0
    table = capsys.readouterr().out
    assert [word.strip() for word in headings(table)] == [
        *("Started", "Line", "Person", "Direction", "Other number", "Destination"),
        *("Disposition", "Duration", "Cost EUR"),
    ]
    assert main([*report, "--json"]) == 0
    newest = json.loads(capsys.readouterr().out)["rows"][0]
    assert {"id", "conversation", "counted", "state"} <= set(newest)
    # A table leaves the offset out, for all its times are in one zone.
    assert newest["started_at"][:19].replace("T", " ") in table.splitlines()[2]


def test_a_narrow_terminal_gets_fewer(
    ini: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = ["--config", str(ini), "report", "calls", *PERIOD, "--limit", "1"]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for columns, shown in ((100, False), (180, True)):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert main(report) == 0
        assert ("Disposition" in capsys.readouterr().out) is shown


def test_columns_are_chosen(ini: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = ["--config", str(ini), "report", "calls", *PERIOD, "--columns", "cost, id"]
    assert main(report) == 0
    assert headings(capsys.readouterr().out)[0].strip() == "Cost EUR"
    assert main([*report, "--format", "csv"]) == 0
    rows = list(csv.reader(capsys.readouterr().out.splitlines()))
    assert rows[0] == ["cost", "id"]
    assert {len(row) for row in rows} == {2}
    assert main([*report, "--json"]) == 0
    assert {tuple(row) for row in json.loads(capsys.readouterr().out)["rows"]} == {("cost", "id")}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["calls", "--columns", "prise"], "calls has no column 'prise'"),
        (["calls", "--columns", "kost"], "did you mean cost?"),
        (["calls", "--columns", " , "], "--columns names none"),
        (["calls", "--columns", "prise", "--json"], "calls has no column 'prise'"),
        (["by-person", "--columns", "line_id"], "by-person has no column 'line_id'"),
        (["trunk-load", "--measures", "cost"], "trunk-load has no --measures"),
    ],
)
def test_mistakes_are_told(
    arguments: list[str], said: str, ini: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(ini), "report", *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert said in output.err
