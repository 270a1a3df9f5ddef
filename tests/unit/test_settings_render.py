from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from syncd.settings.load import load
from syncd.settings.render import documentation, manual_options, roff, sample_ini
from syncd.settings.schema import BY_KIND, SECTIONS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "drop/hq").mkdir(parents=True)
    (tmp_path / "tariffs").mkdir()
    (tmp_path / "tariffs/example.csv").touch()
    return tmp_path


def test_the_sample_loads_and_shows_the_defaults(folder: Path) -> None:
    path = folder / "syncd.ini"
    path.write_text(sample_ini(), encoding="utf-8")
    settings = load(path)
    assert settings.warnings == ()
    assert settings.directories["corp"].tls == "ldaps"
    # Every default that the sample shows is what holds without it.
    written = []
    section = SECTIONS[0]
    for line in sample_ini().splitlines():
        if line.startswith("["):
            section = BY_KIND[line.strip("[]").partition(":")[0]]
        option = section.option(line.removeprefix("; ").partition(" = ")[0])
        shows_default = line.startswith("; ") and option is not None and option.default
        written.append(line.removeprefix("; ") if shows_default else line)
    assert len([line for line in written if line not in sample_ini().splitlines()]) > 25
    path.write_text("\n".join(written), encoding="utf-8")
    assert dataclasses.replace(load(path), origins={}) == dataclasses.replace(settings, origins={})


def test_every_example_is_valid(folder: Path) -> None:
    text = "\n".join(line.removeprefix("; ") for line in sample_ini().splitlines())
    text = text.replace("bind_credential = ldap-password\n", "")
    text = text.replace("ca_file = /etc/ssl/certs/ca-certificates.crt\n", "ca_file = ca.crt\n")
    (folder / "ca.crt").touch()
    text = text.replace("sasl = external\n", "")
    text = text.replace("password_credential = mail-password\n", "")
    # SQLite, which the sample has, needs no password.
    text = text.replace("password_file = database.secret\n", "")
    text = text.replace("password_credential = database-password\n", "")
    for line in (
        "departments = Sales;Support",
        "cost_centers = CC-100;CC-200",
        "date = Date",
        "time = Time",
        "member.1 = 250.00 Sales",
        "amount = 50.00",
        "calls = 100",
        "members = Sales;Legal",
        "percent = 10%",
        "hours = Mon-Fri 08:00-18:00",
        "classes = premium",
        "destinations = Cuba*;Latvia",
    ):
        assert f"\n{line}\n" in text
        text = text.replace(f"\n{line}\n", "\n")
    (folder / "mail.secret").touch(mode=0o600)
    (folder / "syncd.pem").touch()
    (folder / "syncd.key").touch()
    (folder / "places.csv").touch()
    for name in ("tariffs/toll-free.csv", "holidays.csv", "exchange.csv"):
        (folder / name).touch()
    (folder / "bind.secret").touch(mode=0o600)
    path = folder / "syncd.ini"
    path.write_text(text, encoding="utf-8")
    settings = load(path)
    assert settings.warnings == ()
    assert settings.reports.levels == {"by-person": 8}
    assert len(settings.custom_fields) == 10


def test_every_option_is_everywhere() -> None:
    manual = manual_options()
    for section in SECTIONS:
        assert f"## [{section.title}]" in documentation()
        for option in section.options:
            assert f"| `{option.written}` |" in documentation()
            assert f"\\fB{roff(option.written)}\\fR" in manual
            assert option.text
            assert any(
                line.removeprefix("; ").startswith(f"{option.written} = ")
                for line in sample_ini().splitlines()
            )


def test_tables_have_the_same_number_of_cells() -> None:
    rows = [line for line in documentation().splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {3, 5}


def test_roff_escapes() -> None:
    assert roff(".a -b \\;") == "\\&.a \\-b \\e;"


def test_settings_import_the_standard_library_alone() -> None:
    # -S: without site-packages.
    program = "import syncd.settings.load, syncd.settings.shown, syncd.settings.render"
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-S", "-c", program], cwd=root, check=True)


def test_the_sample_gives_and_charges_nothing(folder: Path) -> None:
    path = folder / "syncd.ini"
    path.write_text(sample_ini(), encoding="utf-8")
    finance = load(path).finance
    assert (finance.allowances, finance.flat_charges) == ((), ())
