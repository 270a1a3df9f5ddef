"""Tariffs from the INI to the row and its explanation: bands, currency, tax, sites, incoming legs."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syncd.application.tariffs import load_tariffs, open_hours
from syncd.domain.errors import Problem
from syncd.settings.load import load
from syncd.store.models import database
from tests.support.bed import COLUMNS, START
from tests.support.phones import leg
from tests.support.world import World, make_world

PARIS = "00033123456789"
MOBILE = "03331234567"

DECK = f"""{COLUMNS},band,increments,maximum_charge,grace_seconds
33,France,international,0.10,,,,,0,,60@0.10 6@0.012,2.00,
33,France,international,0.10,,,,,0,late,60@0.05 6@0.006,2.00,
393,Italy mobile,mobile,0.15,0.60,60,1,1,0,,,,3
39800,Italy toll-free,toll-free,0,0.25,call,0,1,0,,,,
"""
"""2026-05-28 20:26:40 UTC, when tests begin, is 22:26:40 in Rome."""

BANDS = """
[bands:week]
band.late = 22:30-06:00
"""


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    made = make_world(tmp_path, lambda: tuple(capsys.readouterr()))
    (tmp_path / "own.csv").write_text(DECK, encoding="utf-8")
    made.option("telco.csv from", "own.csv from")
    made.option("[cdr:hq]", f"{BANDS}\n[cdr:hq]")
    yield made
    database.close()


def problem(section: str, option: str, what: str, hint: str) -> Problem:
    return Problem("syncd.ini", 0, f"[{section}] {option}", what, hint)


def use(world: World, *lines: str) -> None:
    """Add lines to the carrier's section, and give what they say to the bed."""
    world.option("rounding = half-up 4", "\n".join(["rounding = half-up 4", *lines]))
    settings = load(world.ini)
    found = load_tariffs(settings, problem)
    assert found.problems == []
    zone = settings.sites["hq"].timezone
    world.bed.context = replace(world.bed.context, carriers=found.carriers, site_zone=zone)


def test_a_leg_is_split_where_the_band_changes(world: World) -> None:
    use(world, "bands = week")
    # Connected 5 s after it began, 195 s before half past ten.
    world.bed.ingest(leg(1, 101, 102, "2001", PARIS, talk=250))
    answer = world.explain(world.row("calling", "Anna"))
    # 60 + 23 steps of 6 s begin before the edge, at 0 … 192 s; 9 more to reach 250 s.
    assert answer["arithmetic"] == [
        {"what": "connection fee", "seconds": 0, "micros": 100_000},
        {"what": "1 increment of 60 s", "seconds": 60, "micros": 100_000},
        {"what": "23 increments of 6 s", "seconds": 138, "micros": 276_000},
        {"what": "9 increments of 6 s, late", "seconds": 54, "micros": 54_000},
    ]
    assert (answer["price"], answer["same"]) == (530_000, True)


def test_by_start_the_first_band_counts_to_the_end(world: World) -> None:
    use(world, "bands = week", "band_change = start")
    world.bed.ingest(
        leg(1, 101, 102, "2001", PARIS, talk=250),
        leg(2, 103, 104, "2001", PARIS, at=600, talk=60),
    )
    assert world.row("calling", "Anna")["cost"] == "0.584"
    answer = world.explain(world.row("calling", "Anna", at=600))
    assert answer["tariff"]["band"] == "late"
    assert answer["price"] == 150_000


def test_bands_go_by_the_clock_of_the_site(world: World) -> None:
    world.option("area_code = 06", "area_code = 06\ntimezone = Europe/London")
    use(world, "bands = week")
    world.bed.ingest(leg(1, 101, 102, "2001", PARIS, talk=250))
    answer = world.explain(world.row("calling", "Anna"))
    assert answer["tariff"]["band"] is None
    assert answer["price"] == 584_000
    assert world.bed.context.site_zone == ZoneInfo("Europe/London")


def test_another_currency_a_discount_and_a_tax(world: World) -> None:
    (world.ini.parent / "exchange.csv").write_text(
        "date,currency,rate\n2026-01-01,USD,0.9\n2026-05-28,USD,0.92153\n", encoding="utf-8"
    )
    world.option("[cdr:hq]", "[exchange]\nfile = exchange.csv\n\n[cdr:hq]")
    use(
        world,
        "bands = week",
        "currency = USD",
        "discount.france = 10 % destination fran*",
        "surcharge.all = 2.5 %",
        "vat = 22 %",
    )
    world.bed.ingest(leg(1, 101, 102, "2001", PARIS, talk=30))
    row = world.row("calling", "Anna")
    answer = world.explain(row)
    steps = [(step["what"], step["original"]) for step in answer["arithmetic"]]
    assert steps == [
        ("connection fee (1 USD is 0.92153)", 100_000),
        ("1 increment of 60 s", 100_000),
        ("discount 7.5 %", -15_000),
    ]
    tariff = answer["tariff"]
    assert (tariff["currency"], tariff["original"]) == ("USD", 185_000)
    assert answer["price"] == 170_483  # 170,483.05
    assert row["cost"] == "0.170483"
    assert (tariff["vat"], tariff["with_vat"]) == ("22 %", 207_989)
    text = world.run("explain", row["id"]).out
    assert "With 22 % VAT the leg is 0.207989 EUR." in text
    assert "USD" in text
    period = ("--from", "2026-05-01", "--to", "2026-07-01")
    listed = world.run(
        "report", "calls", *period, "--columns", "cost,cost_with_vat", "--format", "csv"
    )
    assert listed.out.splitlines() == ["cost,cost_with_vat", "0.170483,0.207989"]
    fields = "carrier,trunk,billed_seconds"
    listed = world.run(
        "report", "calls", *period, "--columns", fields, "--sort=-billed_seconds", "--format", "csv"
    )
    assert listed.out.splitlines()[0] == fields
    assert listed.out.splitlines()[1].startswith("telco,pstn,")
    wrong = world.run("report", "calls", *period, "--columns", "carier")
    assert (wrong.code, "did you mean carrier?" in wrong.err) == (2, True)


def test_without_a_rate_of_exchange_a_leg_has_no_price(world: World) -> None:
    (world.ini.parent / "exchange.csv").write_text(
        "date,currency,rate\n2026-06-01,USD,0.9\n", encoding="utf-8"
    )
    world.option("[cdr:hq]", "[exchange]\nfile = exchange.csv\n\n[cdr:hq]")
    use(world, "bands = week", "currency = USD")
    world.bed.ingest(leg(1, 101, 102, "2001", PARIS, talk=30))
    row = world.row("calling", "Anna")
    assert (row["cost"], row["state"]) == (None, "unrated")
    assert "no exchange rate for USD" in world.run("explain", row["id"]).out


def test_an_incoming_toll_free_call_costs_its_set_up(world: World) -> None:
    use(world, "bands = week", "incoming.2026 = own.csv from 2026-01-01")
    world.bed.ingest(
        leg(1, 101, 102, MOBILE, "2001", talk=90, originalCalledPartyNumber="800123456"),
        leg(2, 103, 104, MOBILE, "2001", at=600, talk=90),
    )
    row = world.row("called", "Anna")
    assert (row["direction"], row["cost"], row["state"]) == ("incoming", "0.25", "rated")
    answer = world.explain(row)
    assert answer["arithmetic"][0] == {"what": "price of the call", "seconds": 0, "micros": 250_000}
    assert answer["tariff"]["prefix"] == "39800"
    assert answer["same"]
    free = world.row("called", "Anna", at=600)
    assert (free["cost"], free["state"]) == ("0.00", "free")


def test_a_short_call_is_within_the_grace(world: World) -> None:
    use(world, "bands = week")
    world.bed.ingest(
        leg(1, 101, 102, "2001", MOBILE, talk=3), leg(2, 103, 104, "2001", MOBILE, at=600, talk=4)
    )
    row = world.row("calling", "Anna")
    assert (row["cost"], row["state"]) == ("0.00", "rated")
    assert world.explain(row)["arithmetic"][0]["what"] == "free: not longer than 3 s"
    assert world.row("calling", "Anna", at=600)["cost"] == "0.19"


def test_the_most_specific_version_counts(world: World) -> None:
    for name, price in (("site", "0.01"), ("trunk", "0.02"), ("both", "0.03")):
        (world.ini.parent / f"{name}.csv").write_text(
            f"{COLUMNS}\n33,France,,0,{price},call,0,1,0\n", encoding="utf-8"
        )
    world.option(
        "own.csv from 2026-01-01",
        "own.csv from 2026-01-01\ntariff.s = site.csv from 2026-05-01 site hq",
    )
    use(
        world,
        "bands = week",
        "tariff.t = trunk.csv from 2026-05-02 to 2026-05-28 trunk pstn",
        "tariff.b = both.csv from 2026-05-29 site hq trunk pstn",
    )
    carrier = world.bed.context.carriers["telco"]

    def version(day: int, site: str, trunk: str) -> str:
        found = carrier.at(START + (day - 28) * 86_400, site, trunk)
        assert found is not None
        return found.version

    assert version(1, "hq", "pstn") == "s"
    assert version(3, "hq", "pstn") == "t"
    assert version(28, "hq", "pstn") == "s"
    assert version(30, "hq", "pstn") == "b"
    assert version(30, "hq", "other") == "s"
    assert version(3, "milan", "pstn") == "t"
    assert version(30, "milan", "pstn") == "2026"


def test_mistakes_are_told_together(world: World) -> None:
    world.option("bands:week", "bands:weak")
    world.option(
        "rounding = half-up 4",
        "\n".join(
            [
                "rounding = half-up 4 per call",
                "bands = week",
                "surcharge.x = 5 % class mobil",
                "discount.y = 101 %",
                "tariff.z = own.csv from 2026-02-01 site rome",
                "currency = USD",
            ]
        ),
    )
    world.option("band.late = 22:30-06:00", "band.late = 22:30-06:00\nband.x = Mo 8-9")
    ran = world.run("check-config")
    assert ran.code == 78
    for text in (
        "'per call' is not what is rounded",
        "'week' is not a [bands:NAME] (did you mean weak?)",
        "'mobil' is not a class of numbers",
        "101 % is too much",
        "'rome' is not a [site:NAME]",
        "nothing says what USD is worth",
        "'Mo' is neither a day",
    ):
        assert text in ran.out + ran.err, text


def test_open_hours_and_unknown_bands_are_told(world: World) -> None:
    world.option("rounding = half-up 4", "rounding = half-up 4\nbands = week")
    settings = load(world.ini)
    (warning,) = open_hours(settings, problem)
    assert warning.warning
    assert "Mon 06:00-22:30" in warning.what
    assert "holiday" not in warning.what
    world.option("band.late", "band.night")
    (found,) = load_tariffs(load(world.ini), problem).problems
    assert found.what == "[bands:week] has no time band 'late'"
