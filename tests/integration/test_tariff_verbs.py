"""``syncd tariff``: from a carrier's price list to the line of the INI; and what has no price."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.cli.context import Context
from syncd.store.models import AccessLog, Call, Party, PrivateRecord, database
from tests.support.bed import COLUMNS, START
from tests.support.phones import leg
from tests.support.world import Ran, World, make_world

LAYOUTS = """
[deck:telco]
column.prefix = Vorwahl
column.destination = Ziel
column.price = Cent/Min
value.increment_seconds = 60
decimal = comma
amounts = cents
"""
PRICES = """Preisliste;;
Vorwahl;Ziel;Cent/Min
39;Italien;30
39333;Italien mobil;99
"""
PERIOD = ("--from", "2026-05-01", "--to", "2026-07-01")


@pytest.fixture
def world(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    made = make_world(tmp_path, lambda: tuple(capsys.readouterr()))
    made.ini.write_text(made.ini.read_text() + LAYOUTS, encoding="utf-8")
    monkeypatch.setattr(Context, "now", lambda self: START + 86_400)
    (tmp_path / "prices.csv").write_text(PRICES, encoding="utf-8")
    yield made
    database.close()


def answer(ran: Ran, code: int = 0) -> Any:
    assert ran.code == code, ran.err
    return json.loads(ran.out)


def prices(world: World) -> str:
    return str(world.ini.parent / "prices.csv")


LOAD = ("--carrier", "telco", "--from", "2026-07-01")


def test_a_group_verb_alone_lists(world: World) -> None:
    (row,) = answer(world.run("tariff", "--json"))
    assert (row["carrier"], row["version"], row["state"], row["rows"]) == (
        "telco",
        "2026",
        "in force",
        4,
    )
    assert "telco" in world.run("tariff", "list").out


def test_a_price_list_becomes_a_deck_and_holds_with_one_line(world: World) -> None:
    loaded = world.run("tariff", "load", prices(world), *LOAD, "--json")
    told = answer(loaded)
    target = world.ini.parent / "tariffs" / "telco-2026-07-01.csv"
    assert told["line"] == "tariff.2026-07-01 = tariffs/telco-2026-07-01.csv from 2026-07-01"
    assert (told["file"], told["written"], told["rows"], told["named"]) == (
        str(target),
        True,
        2,
        False,
    )
    assert any("prefix 39333" in one["option"] for one in told["warnings"])
    # The second time nothing changes.
    assert answer(world.run("tariff", "load", prices(world), *LOAD, "--json"))["written"] is False
    text = world.ini.read_text().replace("rounding =", f"{told['line']}\nrounding =")
    world.ini.write_text(text)
    versions = answer(world.run("tariff", "--json"))
    assert [(one["version"], one["state"]) for one in versions] == [
        ("2026", "in force"),
        ("2026-07-01", "later"),
    ]
    tried = world.run("tariff", "test", "03331234567", "--at", "2026-07-01T00:00", "--json")
    assert answer(tried)["tariff"]["version"] == "2026-07-01"
    assert answer(tried)["price"] == 990_000
    before = world.run("tariff", "test", "03331234567", "--at", "2026-06-30T23:59", "--json")
    assert answer(before)["tariff"]["version"] == "2026"
    assert world.run("check-config").code == 0
    named = answer(world.run("tariff", "load", prices(world), *LOAD, "--json"))
    assert named["named"] is True


def test_nothing_is_half_loaded(world: World) -> None:
    path = Path(prices(world))
    path.write_text(PRICES + "44;UK;viel\nLondon;UK;1\n", encoding="utf-8")
    ran = world.run("tariff", "load", str(path), *LOAD)
    assert ran.code == 78
    assert f"{path}:5: Cent/Min: 'viel' is not an amount" in ran.err
    assert f"{path}:6: Vorwahl: 'London' is not digits" in ran.err
    assert not (world.ini.parent / "tariffs").exists()


def test_another_deck_of_the_same_day_is_refused(world: World) -> None:
    assert world.run("tariff", "load", prices(world), *LOAD).code == 0
    Path(prices(world)).write_text(PRICES + "44;UK;1\n", encoding="utf-8")
    assert world.run("tariff", "load", prices(world), *LOAD).code == 4
    assert world.run("tariff", "load", prices(world), *LOAD, "--dry-run").code == 0
    assert world.run("tariff", "load", prices(world), *LOAD, "--replace").code == 0
    assert "44,UK" in (world.ini.parent / "tariffs" / "telco-2026-07-01.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--carrier", "telko", "--from", "2026-07-01"), "did you mean telco?"),
        (("--carrier", "telco", "--from", "1.7.2026"), "is no day"),
        ((*LOAD, "--to", "2026-07-01"), "is not after"),
        ((*LOAD, "--map", "telko"), "did you mean telco?"),
        ((*LOAD, "--site", "hg"), "one of hq"),
        ((*LOAD, "--trunk", "pst"), "did you mean pstn?"),
    ],
)
def test_slips_of_the_command_line(world: World, arguments: tuple[str, ...], part: str) -> None:
    ran = world.run("tariff", "load", prices(world), *arguments)
    assert ran.code == 2
    assert part in ran.err


def test_a_layout_with_a_slip_is_found_by_check_config(world: World) -> None:
    world.ini.write_text(world.ini.read_text().replace("column.price", "column.prise"))
    ran = world.run("check-config")
    assert ran.code == 78
    assert (
        "[deck:telco] column.prise: a rate deck has no column 'prise' (did you mean pr" in ran.err
    )
    assert "[deck:telco] column.price: is missing" in ran.err
    assert world.run("tariff", "load", prices(world), *LOAD).code == 78


def test_diff_of_versions_and_files(world: World) -> None:
    world.run("tariff", "load", prices(world), *LOAD)
    new = str(world.ini.parent / "tariffs" / "telco-2026-07-01.csv")
    rows = answer(world.run("tariff", "diff", "telco:2026", new, "--json"))
    assert [(row["change"], row["prefix"], row["percent"]) for row in rows] == [
        ("removed", "33", None),
        ("changed", "39", "-10.0%"),
        ("removed", "393", "-53.8%"),
        ("new", "39333", "+52.3%"),
        ("removed", "39800", None),
    ]
    same = answer(
        world.run("tariff", "diff", "telco:2026", prices(world), "--map", "telco", "--json")
    )
    assert same == rows
    assert world.run("tariff", "diff", "telco:2026", new, "--check").code == 3
    assert world.run("tariff", "diff", new, new, "--check").code == 0
    jump = answer(world.run("tariff", "diff", "telco:2026", new, "--jump", "53", "--json"))
    assert [row["prefix"] for row in jump] == ["393"]
    assert world.run("tariff", "diff", "telco:2027", new).code == 2


def test_a_call_that_nobody_made(world: World) -> None:
    at = ("--at", "2026-05-01T10:00", "--duration", "100")
    told = answer(world.run("tariff", "test", "00612345678", *at, "--json"))
    assert told["number"]["e164"] == "+390612345678"
    assert told["tariff"] | {"file": ""} == {
        "carrier": "telco",
        "version": "2026",
        "valid_from": "2026-01-01",
        "prefix": "39",
        "destination": "Italy",
        "band": None,
        "currency": None,
        "original": None,
        "vat": None,
        "with_vat": None,
        "file": "",
    }
    assert sum(step["micros"] for step in told["arithmetic"]) == told["price"] == 600_000
    table = world.run("tariff", "test", "00612345678", *at)
    assert "0.60" in table.out and table.code == 0
    assert world.run("tariff", "test", "00612345678", *at, "--trunk", "pstn").code == 0
    unrated = world.run("tariff", "test", "0004915112345678", *at, "--json")
    assert answer(unrated, 1)["reason"] == "no rate for prefix +49151"
    assert world.run("tariff", "test", "0612345678", "--at", "noon").code == 2
    assert world.run("tariff", "test", "0612345678", "--trunk", "old").code == 2
    assert world.run("tariff", "test", "0612345678", "--duration", "0").code == 2


def test_a_try_shows_the_tariffs_own_currency_and_the_tax(world: World) -> None:
    text = world.ini.read_text(encoding="utf-8")
    own = "[carrier:telco]\ncurrency = USD\nvat = 22 %\n"
    text = text.replace("[carrier:telco]\n", own) + "[exchange]\nfile = worth.csv\n"
    world.ini.write_text(text, encoding="utf-8")
    worth = "date,currency,rate\n2026-01-01,USD,0.5\n"
    (world.ini.parent / "worth.csv").write_text(worth, encoding="utf-8")
    tried = ("tariff", "test", "00612345678", "--at", "2026-05-01T10:00", "--duration", "100")
    told = answer(world.run(*tried, "--json"))
    assert told["price"] == sum(step["micros"] for step in told["arithmetic"]) == 300_000
    assert told["tariff"]["original"] == sum(step["original"] for step in told["arithmetic"])
    assert (told["tariff"]["currency"], told["tariff"]["original"]) == ("USD", 600_000)
    assert (told["tariff"]["vat"], told["tariff"]["with_vat"]) == ("22 %", 366_000)
    table = world.run(*tried).out
    assert "USD" in table and "0.60" in table
    assert "With 22 % VAT it is 0.366 EUR." in table


def test_check_finds_what_never_matches_and_what_was_called(world: World) -> None:
    deck = world.ini.parent / "telco.csv"
    deck.write_text(deck.read_text() + "44020,never,,0,1,60,0,1,0\n")
    world.bed.ingest(
        leg(1, 101, 102, "2001", "0004915112345678", talk=30),
        leg(2, 103, 104, "2001", "0004915187654321", talk=60, at=100),
        leg(3, 105, 106, "2001", "00447012345678", at=200),
        leg(4, 107, 108, "2001", "03331234567", at=300),
    )
    (found,) = answer(world.run("tariff", "check", "--json"))
    assert found["ok"] and found["rows"] == 5
    assert any("can never match: 44020" in one["what"] for one in found["problems"])
    assert found["gaps"][0] == {"prefix": "+49151", "calls": 2, "seconds": 90}
    # The new deck lacks what the old one had.
    (new,) = answer(world.run("tariff", "check", prices(world), "--carrier", "telco", "--json"))
    assert new["gaps"][0] == {"prefix": "+49151", "calls": 2, "seconds": 90}
    assert (AccessLog.select().where(AccessLog.report == "tariff").count()) == 2
    printed = world.run("tariff", "check")
    assert "+49151" in printed.out and "can never match" in printed.err
    assert answer(world.run("tariff", "check", "--traffic", "0", "--json"))[0]["gaps"] is None


def test_check_names_every_mistake(world: World) -> None:
    deck = world.ini.parent / "telco.csv"
    deck.write_text(deck.read_text() + "x,never,,0,1,60,0,1,0\n46,never,,0,one,60,0,1,0\n")
    ran = world.run("tariff", "check")
    assert ran.code == 78
    assert f"{deck}:6: prefix: 'x' is not digits" in ran.err
    assert f"{deck}:7: price: 'one'" in ran.err
    assert world.run("tariff", "list").code == 78


def test_what_was_called_is_for_level_10(world: World) -> None:
    world.bed.person("Viewer", "2999", level=8)
    assert world.run("tariff", "check", "--as", "Viewer").code == 1


# --- the report -----------------------------------------------------------------------------------


def test_the_report_of_what_has_no_price(world: World) -> None:
    world.bed.ingest(
        leg(1, 101, 102, "2001", "0004915112345678", talk=30),
        leg(2, 103, 104, "2001", "0004915187654321", talk=60, at=100),
        leg(3, 105, 106, "2001", "03331234567", at=200, destDeviceName="SIP-NEW"),
        leg(4, 107, 108, "2001", "03331234567", at=300),
    )
    told = answer(world.run("report", "unrated", *PERIOD, "--json"))
    assert told["rows"] == [
        {
            "reason": "no rate",
            "prefix": "+49151",
            "carrier": "telco",
            "trunk": "pstn",
            "unrated": 2,
            "calls": 2,
            "duration": 90,
        },
        {
            "reason": "no [trunk:] section lists the device SIP-NEW",
            "prefix": "+39333",
            "carrier": None,
            "trunk": "SIP-NEW",
            "unrated": 1,
            "calls": 1,
            "duration": 60,
        },
    ]
    assert told["totals"]["unrated"] == 3
    one = answer(world.run("report", "unrated", *PERIOD, "--filter", "prefix=+39333", "--json"))
    assert [row["unrated"] for row in one["rows"]] == [1]
    by_reason = answer(world.run("report", "unrated", *PERIOD, "--group-by", "reason", "--json"))
    assert [row["unrated"] for row in by_reason["rows"]] == [2, 1]
    # What the report is about cannot be filtered away.
    every = answer(world.run("report", "unrated", *PERIOD, "--filter", "state=rated", "--json"))
    assert every["rows"] == told["rows"]
    calls = answer(world.run("report", "calls", *PERIOD, "--filter", "reason=no rate", "--json"))
    assert len(calls["rows"]) == 2


def test_the_report_is_in_scope_and_masked(world: World) -> None:
    world.bed.ingest(leg(1, 101, 102, "2001", "0004915112345678"))
    viewer = world.bed.person("Viewer", "2999", level=8)
    viewer.masked_digits = 5
    viewer.save()
    (row,) = answer(world.run("report", "unrated", *PERIOD, "--as", "Viewer", "--json"))["rows"]
    assert row["prefix"] == "+49***"
    viewer.permission_level = 2
    viewer.save()
    assert answer(world.run("report", "unrated", *PERIOD, "--as", "Viewer", "--json"))["rows"] == []


def test_incoming_decks_are_checked_too(world: World) -> None:
    folder = world.ini.parent
    own = folder / "own.csv"
    own.write_text((folder / "telco.csv").read_text().splitlines()[0] + "\n999,x,,0,1,60,0,1,0\n")
    text = world.ini.read_text().replace(
        "rounding =", "incoming.own = own.csv from 2026-01-01\nrounding ="
    )
    world.ini.write_text(text)
    outgoing, incoming = answer(world.run("tariff", "check", "--traffic", "0", "--json"))
    assert (outgoing["direction"], incoming["direction"]) == ("outgoing", "incoming")
    assert [one["what"] for one in incoming["problems"]] == ["1 prefix can never match: 999"]
    assert [one["direction"] for one in answer(world.run("tariff", "--json"))] == [
        "outgoing",
        "incoming",
    ]


def test_a_workbook_with_the_same_prices_is_the_same_deck(world: World) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Vorwahl", "Ziel", "Cent/Min"], [39, "Italien", 30], [39333, "Italien mobil", 99]):
        sheet.append(row)
    path = world.ini.parent / "prices.xlsx"
    book.save(path)
    assert answer(world.run("tariff", "load", prices(world), *LOAD, "--json"))["written"] is True
    assert answer(world.run("tariff", "load", str(path), *LOAD, "--json"))["written"] is False


def test_what_stands_before_the_action_counts(world: World) -> None:
    assert answer(world.run("tariff", "--format", "json", "list"))[0]["carrier"] == "telco"
    assert answer(world.run("--json", "tariff", "check", "--traffic", "0"))[0]["ok"] is True


def test_a_workbook_needs_a_layout(world: World) -> None:
    ran = world.run("tariff", "check", str(world.ini.parent / "new.xlsx"))
    assert ran.code == 78
    assert "--map NAME" in ran.err


def test_private_calls_are_no_gap(world: World) -> None:
    world.bed.ingest(
        leg(1, 101, 102, "2001", "0004915112345678"),
        leg(2, 103, 104, "2001", "00043112345678", at=100),
    )
    austria = Call.get(Call.other_number.startswith("+43"))
    PrivateRecord.create(record_id=austria.id // 8, owner=austria.id)
    (found,) = answer(world.run("tariff", "check", "--json"))
    assert [gap["prefix"] for gap in found["gaps"]] == ["+49151"]


def test_short_numbers_without_a_rate_are_gaps(world: World) -> None:
    deck = world.ini.parent / "other.csv"
    deck.write_text(f"{COLUMNS}\n39,Italy,national,0,0.30,60,60,1,0\n", encoding="utf-8")
    world.bed.ingest(
        leg(1, 101, 102, "2001", "01240"),
        leg(2, 103, 104, "2001", "01240", at=100),
    )

    def gaps_of(*arguments: str) -> list[tuple[str, int]]:
        (found,) = answer(world.run("tariff", "check", *arguments, "--json"))
        return [(gap["prefix"], gap["calls"]) for gap in found["gaps"]]

    missing = [("391240", 2)]
    assert gaps_of() == gaps_of("--carrier", "telco", str(deck)) == missing
    with (world.ini.parent / "telco.csv").open("a", encoding="utf-8") as own:
        own.write("391240,Directory,special,0,0,60,1,1,0\n")
    assert gaps_of() == []
    world.bed.person("Admin", "2998", level=10)
    Party.update(masked_digits=3).where(Party.username == "Admin").execute()
    masked = gaps_of("--as", "Admin", "--carrier", "telco", str(deck))
    assert masked == [("391***", 2)]
    # A rate that it was priced by tells as well what the next deck lacks.
    assert world.run("rerate", "--from", "2026-05-01", "--to", "2026-07-01", "--yes").code == 0
    assert gaps_of("--carrier", "telco", str(deck)) == missing
