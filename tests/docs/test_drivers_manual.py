"""What the manual of drivers names is what the drivers have, and its examples work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from syncd.application.plugins import DRIVERS, load_plugin, load_settings, plugin_names
from syncd.application.preparation import prepare
from syncd.cdr.driver_options import written_at
from syncd.cdr.drivers import asterisk, cube, delimited_row, freeswitch, kamailio, webex
from syncd.cdr.drivers.packs import texts_of
from syncd.domain.leg import Leg
from tests.support.drivers import legs

MANUAL = (Path(__file__).parents[2] / "docs" / "drivers.md").read_text("utf-8")
HEAD = (
    "[syncd]\ntimezone = UTC\ncurrency = EUR\n"
    "[site:hq]\ncountry = IT\ntimezone = Europe/Rome\ninternal_numbers = 2XXX\n"
)


def chapter(name: str) -> str:
    found = re.search(rf"^## [^\n]*\b{name}\b[^\n]*\n(.*?)(?=^## |\Z)", MANUAL, re.M | re.S)
    assert found, name
    return found[1]


@pytest.mark.parametrize("name", plugin_names(DRIVERS))
def test_every_option_is_told_with_its_default(name: str) -> None:
    options = getattr(load_plugin(DRIVERS, name), "options", ())
    text = chapter(name)
    rows = re.findall(r"^\| `([a-z_.A-Z]+)` \| ((?:\\\||[^|])*) \|", text, re.MULTILINE)
    told = {name: default.replace("\\|", "|") for name, default in rows}
    for option in options:
        if option.key:
            assert f"{option.name}.NAME" in told
        elif option.default:
            assert told[option.name] == f"`{option.default}`"
        else:
            assert option.name in told


def test_every_name_and_rule_is_told() -> None:
    text = chapter("delimited")
    for name in (*delimited_row.FIELDS, delimited_row.KEY):
        assert f"`{name}`" in text
    for name in delimited_row.CONDITIONS:
        assert f"value.{name}" in text
    rules = (asterisk.TWIN, cube.INSIDE_LEG, freeswitch.B_LEG, webex.TERMINATING_ROW)
    for rule in (*rules, kamailio.OTHER_HALF, kamailio.WITHIN_CALL, kamailio.CHALLENGE):
        assert f"`{rule}`" in MANUAL


def fields_told(name: str) -> list[str]:
    """Return the names in the table of fields of a chapter."""
    found = re.search(r"^\| field \| .*\n\|[-|]+\n((?:\|.*\n)+)", chapter(name), re.MULTILINE)
    assert found, f"{name}: no fields"
    return [
        word for row in found[1].splitlines() for word in re.findall(r"`(\w+)`", row.split("|")[1])
    ]


@pytest.mark.parametrize("name", ["3cx", "avaya-cm", "avaya-ipoffice", "mitel"])
def test_every_field_of_a_pack_is_told(name: str) -> None:
    families = [one.split(".") for texts in texts_of(name).values() for one in texts if "." in one]
    assert sorted(fields_told(name)) == sorted({field for _, field in families})


@pytest.mark.parametrize("name", plugin_names(DRIVERS))
def test_every_driver_has_its_fields_told_in_the_words_of_the_others(name: str) -> None:
    if name in ("delimited", "fixed-width"):
        return  # the section tells them
    known = {*delimited_row.FIELDS, delimited_row.KEY, *delimited_row.CONDITIONS}
    told = fields_told(name)
    assert {"calling", "called"} <= set(told) <= known
    assert len(told) == len(set(told))


def example_of(name: str) -> str:
    found = re.search(r"^```ini\n(.*?)^```$", chapter(name), re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


def example(tmp_path: Path, text: str, row: str) -> Leg:
    (tmp_path / "drop/hq").mkdir(parents=True)
    path = tmp_path / "syncd.ini"
    path.write_text(HEAD + text, encoding="utf-8")
    settings = load_settings(path)
    prepared = prepare(settings)
    prepared.check(settings)
    ((_, driver),) = prepared.drivers.items()
    (leg,) = legs(written_at(driver, 1_780_000_000), row)
    return leg


def test_the_example_of_a_new_system(tmp_path: Path) -> None:
    header = "Call id;Date;Time;Direction;From;To;Line;Ring time;Talk time;State\n"
    row = "1;28.05.2026;22:26:40;O;2001;0612345678;ISDN1/4;0:05;0:01:00;talk\n"
    leg = example(tmp_path, example_of("delimited"), header + row)
    assert (leg.started_at, leg.duration, leg.dest_device) == (1_780_000_000, 60, "ISDN1")


def test_the_example_of_an_ip_office(tmp_path: Path) -> None:
    row = (
        "2026/05/28 22:26:40,00:00:13,7,01707555200,I,2001,2001,,0,1000014160,1,"
        "E2001,John Smith,T9002,LINE 1.2,11,0,,,,,,,,,,,,,\n"
    )
    leg = example(tmp_path, example_of("avaya-ipoffice"), row)
    assert (leg.started_at, leg.connected_at, leg.duration) == (1_780_000_000, 1_780_000_007, 13)
    assert (leg.calling_number, leg.final_number) == ("01707555200", "2001")
    assert (leg.orig_device, leg.incoming_protocol, leg.outgoing_protocol) == ("T9002", 1, 0)
    assert (leg.dest_device, leg.tied) == ("2001", 1)


def test_the_example_of_fixed_columns(tmp_path: Path) -> None:
    row = f"20260528222640    60 O {'2001':15} {'0612345678':15}\n"
    leg = example(tmp_path, example_of("fixed-width"), row)
    assert (leg.started_at, leg.duration, leg.outgoing_protocol) == (1_780_000_000, 60, 1)


@pytest.mark.parametrize("customized", [False, True])
def test_the_example_of_a_communication_manager(tmp_path: Path, customized: bool) -> None:
    text = example_of("avaya-cm")
    row = f"05/28\n2227 0010 7 9   101 {'0612345678#':15} 2001  {'':15} 1234567\n"
    if customized:
        text = re.sub(r"^; (?=column|value)", "", text, flags=re.MULTILINE)
        row = f"05/28\n2227 0010 7 101  {'0612345678':18} 2001    1234567\n"
    leg = example(tmp_path, text, row)
    assert (leg.started_at, leg.duration) == (1_779_999_960, 60)
    assert (leg.calling_number, leg.final_number, leg.dest_device) == ("2001", "0612345678", "101")
    assert leg.authorization_code == "1234567"
