"""What the manual of drivers names is what the drivers have, and its examples work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from syncd.application.plugins import DRIVERS, load_plugin, load_settings, plugin_names
from syncd.application.preparation import prepare
from syncd.cdr.drivers import asterisk, cube, delimited_row, freeswitch, webex
from syncd.domain.leg import Leg
from tests.support.drivers import legs

MANUAL = (Path(__file__).parents[2] / "docs" / "drivers.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```ini\n(.*?)^```$", MANUAL, re.MULTILINE | re.DOTALL)
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
    told = dict(re.findall(r"^\| `([a-z_.A-Z]+)` \| ([^|]*) \|", text, re.MULTILINE))
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
    for rule in (asterisk.TWIN, cube.INSIDE_LEG, freeswitch.B_LEG, webex.TERMINATING_ROW):
        assert f"`{rule}`" in MANUAL


def example(tmp_path: Path, text: str, row: str) -> Leg:
    (tmp_path / "drop/hq").mkdir(parents=True)
    path = tmp_path / "syncd.ini"
    path.write_text(HEAD + text, encoding="utf-8")
    settings = load_settings(path)
    prepared = prepare(settings)
    prepared.check(settings)
    ((_, driver),) = prepared.drivers.items()
    (leg,) = legs(driver, row)
    return leg


def test_the_example_of_a_new_system(tmp_path: Path) -> None:
    header = "Call id;Date;Time;Direction;From;To;Line;Ring time;Talk time;State\n"
    row = "1;28.05.2026;22:26:40;O;2001;0612345678;ISDN1/4;0:05;0:01:00;talk\n"
    leg = example(tmp_path, EXAMPLES[0], header + row)
    assert (leg.started_at, leg.duration, leg.dest_device) == (1_780_000_000, 60, "ISDN1")


def test_the_example_of_an_ip_office(tmp_path: Path) -> None:
    row = (
        "2026/05/28 22:26:40,00:00:13,7,01707555200,I,2001,2001,,0,1000014160,1,"
        "E2001,John Smith,T9002,LINE 1.2,11,0,,,,,,,,,,,,,\n"
    )
    leg = example(tmp_path, EXAMPLES[1], row)
    assert (leg.started_at, leg.connected_at, leg.duration) == (1_780_000_000, 1_780_000_007, 13)
    assert (leg.calling_number, leg.final_number) == ("01707555200", "2001")
    assert (leg.orig_device, leg.incoming_protocol, leg.outgoing_protocol) == ("T9002", 1, 0)
    assert (leg.dest_device, leg.tied) == ("2001", 1)
