"""A list of places by the verbs: check-config, sync with its looking, and the daemon's units."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from syncd.cli.main import main
from syncd.daemon.jobs import units_of
from syncd.settings.load import load

INI = """[syncd]
timezone = Europe/Rome
currency = EUR
[site:hq]
country = IT
internal_numbers = 2XXX 5XXX
[places:phones]
file = places.csv
site = hq
"""
ROWS = "number,kind,name,hunt_group\n5000,pilot,Support,\n2900,phone,Lobby,Support\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "syncd.ini").write_text(INI)
    (tmp_path / "places.csv").write_text(ROWS)
    return tmp_path / "syncd.ini"


def test_a_list_is_synchronised_by_its_name(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--config", str(config)])
        return (code, *capsys.readouterr())

    assert run("check-config")[0] == 0
    code, shown, _ = run("sync", "phones", "--check", "--json")
    assert code == 3
    told = [(row["who"], row["what"], row["field"]) for row in json.loads(shown)[0]["differences"]]
    assert told == [
        ("Pilot: Support", "arrived", "lines"),
        ("Lobby", "arrived", "lines"),
        ("Support", "arrived", "hunt group"),
    ]
    assert run("sync", "phones")[0] == 0
    assert run("sync", "phones", "--check")[0] == 0
    config.with_name("places.csv").write_text(ROWS.replace("Lobby", "Foyer"))
    code, shown, _ = run("sync", "--dry-run")
    assert code == 0
    for word in ("Foyer", "changed", "display_name", "Lobby"):
        assert word in shown
    config.with_name("places.csv").write_text("number,kind\n2900,phone\n")
    code, shown, said = run("sync", "phones", "--json")
    assert code == 0, said
    config.with_name("places.csv").write_text("number,kind\n2901,phone\n")
    code, shown, said = run("sync", "phones", "--json")
    assert code == 4
    assert "1 of 1 people would leave" in said
    guard = json.loads(shown)[0]["guard"]
    assert (guard[0]["check"], guard[0]["count"], guard[0]["passes"]) == ("departures", 1, False)


def test_the_daemon_has_a_unit_for_each_list(config: Path) -> None:
    assert [unit.name for unit in units_of(load(config)) if unit.kind == "sync"] == ["phones"]


def test_a_list_and_a_directory_have_names_of_their_own(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(
        INI.replace("places:phones", "places:local").replace("= places.csv", "= no.csv")
    )
    assert main(["check-config", "--config", str(config)]) == 78
    said = "".join(capsys.readouterr())
    assert "'local' is the name of what is made by hand" in said
    assert "no.csv cannot be read" in said


def test_a_list_that_is_away_stops_its_sync_alone(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever exports it may remove it before it is written anew."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--config", str(config)])
        return (code, *capsys.readouterr())

    assert run("sync", "phones")[0] == 0
    config.with_name("places.csv").unlink()
    code, _, said = run("check-config")
    assert (code, said.count("places.csv cannot be read: No such file")) == (78, 1)
    assert "[places:phones] file" in said
    code, _, said = run("sync", "phones")
    assert (code, said.count("places.csv cannot be read: No such file")) == (78, 1)
    code, shown, _ = run("person", "list", "--json")
    assert code == 0
    assert {row["state"] for row in json.loads(shown)} == {"present"}
