"""The catalogue as data, and reports over calls that intake made."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.demo.cmr_writer import quality_rows
from syncd.demo.cucm_writer import write_quality_file
from syncd.domain.codes import Role
from syncd.domain.errors import UserError
from syncd.reports.catalogue.entry import OF_CALLS, Group
from syncd.reports.catalogue.standard import ENTRIES, catalogue
from syncd.reports.dimensions import DIMENSIONS
from syncd.reports.environment import Environment
from syncd.reports.makers.call_backs import compared
from syncd.reports.named_periods import named_period
from syncd.reports.permissions import may_open, required_level
from syncd.reports.request import OPTIONS, Request, specify
from syncd.reports.run import open_report
from syncd.reports.scope import Policy, open_door
from syncd.store.models import DestinationPrefix, HuntGroup, SealedDay, database
from syncd.store.rollup_tables import MEASURES
from syncd.store.rollups import mark_dirty
from tests.support.bed import ROME, Bed, make_bed
from tests.support.phones import leg, transferred
from tests.unit.test_permissions import EVA

MAY = {"first": "2026-05-01", "end": "2026-07-01"}


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = make_bed(tmp_path)
    made.person("anna", "2001", department="Sales", level=2)
    made.person("bruno", "2002", department="Support", level=6)
    made.person("carla", "2003", department="Support", level=8)
    yield made
    database.close()


def ask(bed: Bed, report: str, who: str | None = None, **asked: Any) -> tuple[list[Any], Any]:
    """Return rows and totals."""
    environment = Environment(ROME, {}, bed.now)
    entry = catalogue({})[report]
    period = MAY if "first" in entry.takes else {}
    specification = specify(Request(report, **period, **asked), environment)
    door = open_door(who, report, specification.text(), Policy(), bed.now)
    with open_report(door, specification, environment) as result:
        return list(result.rows), result.totals


# --- the catalogue as data -------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_is_whole(entry: Any) -> None:
    assert entry.summary and entry.counting and entry.heading and entry.group in Group
    assert entry.level in (2, 6, 8, 10)
    assert set(entry.dimensions) <= DIMENSIONS.keys()
    assert entry.takes <= OPTIONS.keys()
    named_period(entry.period, Environment(ROME, {}, 1_780_000_000).day)
    if entry.make:
        assert callable(importlib.import_module(f"syncd.reports.makers.{entry.make}").make)
    else:
        assert entry.takes == OF_CALLS


def test_the_level_of_a_report_is_that_of_its_entry_unless_the_settings_say_otherwise() -> None:
    for entry in ENTRIES:
        assert required_level(entry.name, {}) == entry.level
        assert required_level(entry.name, {entry.name: 6}) == 6
        assert may_open(EVA, entry.name, {}) == (entry.level <= 6)
    assert {entry.name for entry in ENTRIES if entry.level > 2} == {
        "access-log",
        "internal-traffic",
        "licence-use",
        "trunk-load",
        "unknown-numbers",
        "unknown-trunks",
    }


@pytest.mark.parametrize("report", ["access-log", "unknown-numbers", "licence-use", "trunk-load"])
def test_a_report_of_a_higher_level_does_not_open(bed: Bed, report: str) -> None:
    with pytest.raises(UserError, match="is not available to bruno"):
        ask(bed, report, "bruno")


# --- over calls that intake made -------------------------------------------------------------------


def test_countries_come_from_the_prefixes_that_priced(bed: Bed) -> None:
    bed.ingest(
        leg(1, 1, 2, "2001", "00033112345678"),  # France
        leg(2, 3, 4, "2001", "03331234567"),  # an Italian mobile phone
        leg(3, 5, 6, "2001", "2002"),
        leg(4, 7, 8, "2002", "00049301234567"),  # no rate
        leg(5, 9, 10, "2002", "00033112345678"),
    )
    assert {prefix for (prefix,) in DestinationPrefix.select(DestinationPrefix.prefix).tuples()}
    rows, totals = ask(bed, "by-country")
    found = {row["country"]: row["calls"] for row in rows}
    assert found == {"Italy": 1, "France": 2, None: 3}
    assert totals["calls"] == sum(found.values())
    # Reading the same once more makes nothing new.
    before = DestinationPrefix.select().count()
    bed.ingest(leg(6, 11, 12, "2001", "00033112345679", at=50))
    assert DestinationPrefix.select().count() == before
    assert ask(bed, "calls", filters=("country=France",))[1]["rows"] == 3


QUEUE = {"calledPartyPatternUsage": 7, "huntPilotDN": "5000"}


def hunted(call: int, calling: str, final: str, **more: Any) -> dict[str, Any]:
    """A record of a call to the pilot 5000 that ended up at a number."""
    columns = leg(call, call * 10, call * 10 + 1, calling, final, **more)
    return {**columns, "originalCalledPartyNumber": "5000", "lastRedirectDn": "5000", **QUEUE}


def test_queues(bed: Bed) -> None:
    HuntGroup.create(source="places", name="Support line", name_key="support line", number="5000")
    bed.person("pilot", "5000", department="Support")
    bed.ingest(
        hunted(1, "03331234567", "2001", ring=10),
        hunted(2, "03331234567", "2002", ring=30, at=500),
        # Given up: the record names the pilot alone.
        hunted(3, "03331234567", "5000", ring=40, talk=None, at=900) | {"huntPilotDN": ""},
        hunted(4, "03331234567", "5000", ring=2, talk=None, at=1200) | {"huntPilotDN": ""},
        # Answered through the queue, then transferred: the pilot's number sticks.
        hunted(5, "03331234567", "2002", ring=20, at=1500)
        | {"origCause_value": 393216, "destCause_value": 393216},
        leg(5, 50, 71, "03331234567", "2003", at=1600, ring=0)
        | transferred("2002")
        | {"huntPilotDN": "5000"},
    )
    rows, totals = ask(bed, "queues")
    (row,) = rows
    assert (row["hunt_pilot"], row["name"]) == ("5000", "Support line")
    assert {name: totals[name] for name in ("offered", "answered", "abandoned")} == {
        "offered": 5,
        "answered": 3,
        "abandoned": 2,
    }
    assert (totals["abandoned_soon"], totals["within"]) == (1, 2)
    assert totals["service_level"] == "50.0"  # 2 of 3 answered and 1 given up
    assert (totals["average_seconds"], totals["median_seconds"]) == ("20.0", "20.0")
    members = {row["person"]: row for row in ask(bed, "queue-members")[0]}
    assert members.keys() == {"Anna", "Bruno"}
    assert (members["Bruno"]["given"], members["Bruno"]["average_seconds"]) == (2, "25.0")
    # Anna sees the call that she answered; that is a queue of one call to her.
    assert ask(bed, "queues", "anna")[1]["offered"] == 1
    assert [row["person"] for row in ask(bed, "queue-members", "anna")[0]] == ["Anna"]


def test_call_backs_do_not_tell_masked_digits(bed: Bed) -> None:
    bed.ingest(
        leg(1, 1, 2, "03331234567", "2001", talk=None, ring=20),
        leg(2, 3, 4, "2001", "03331234999", at=600),  # another number
    )
    (row,), totals = ask(bed, "call-backs", "anna")
    assert (row["outcome"], totals["open"]) == ("open", 1)
    # Who does not see the last three digits could otherwise find them by calling.
    database.execute_sql("UPDATE party SET masked_digits = 3 WHERE username = 'anna'")
    (row,), totals = ask(bed, "call-backs", "anna")
    assert row["other_number"] == "+393331234***"
    assert (row["outcome"], row["after_seconds"]) == ("called back", 600)
    database.execute_sql("UPDATE party SET masked_digits = 9 WHERE username = 'anna'")
    (row,), totals = ask(bed, "call-backs", "anna")
    assert (row["outcome"], totals["not_told"]) == (None, 1)


@pytest.mark.parametrize(
    ("shown", "fits"),
    [
        ("+393331234567", True),
        ("+393331***", True),
        ("+3933***", False),
        ("112", False),
        ("", False),
        ("private", False),
        ("+39333123…", False),
    ],
)
def test_what_is_hidden_or_cut_is_not_compared(shown: str, fits: bool) -> None:
    assert compared(shown) is fits


def test_quality_of_calls_with_relatives_is_that_of_call_show(bed: Bed) -> None:
    rows = [
        leg(1, 1, 2, "2001", "2002", talk=50),
        leg(2, 11, 12, "2001", "2003", at=100, talk=50)
        | {"origCause_value": 393216, "destCause_value": 393216},
        leg(3, 13, 14, "2003", "2002", at=120, talk=20)
        | {"origCause_value": 393216, "destCause_value": 393216},
        leg(2, 11, 14, "2001", "2002", at=150, ring=0, talk=70) | transferred("2003"),
    ]
    bed.drop(*rows)
    write_quality_file(bed.folder / "cmr_StandAloneCluster_01_202605282027_9", quality_rows(rows))
    bed.take()
    _, totals = ask(bed, "quality-by-device")
    assert totals["streams"] > 4
    devices = {row["device"]: row["streams"] for row in ask(bed, "quality-by-device")[0]}
    assert None not in devices
    # Anna is told how it sounded at both ends of her calls, but not on whose phone.
    hers = {row["device"]: row["streams"] for row in ask(bed, "quality-by-device", "anna")[0]}
    assert hers.keys() == {rows[0]["origDeviceName"], None}
    assert sum(hers.values()) < totals["streams"]


def test_unused_extensions(bed: Bed) -> None:
    bed.ingest(leg(1, 1, 2, "2001", "03331234567"))
    assert [row["line_id"] for row in ask(bed, "unused-extensions")[0]] == ["2002", "2003"]
    assert [row["line_id"] for row in ask(bed, "unused-extensions", "bruno")[0]] == ["2002", "2003"]
    rows, totals = ask(bed, "unused-extensions", "anna")
    assert (rows, totals) == ([], {"rows": 0, "lines": 1})


def test_another_number_of_a_line_is_a_use_of_it(bed: Bed) -> None:
    more = ((Role.ALIAS, "3001", True), (Role.FAX, "3002", True), (Role.OFFNET_FAX, "3003", True))
    bed.person("dora", "2004", department="Sales", more=more)
    bed.ingest(leg(1, 1, 2, "2001", "3001"))
    found = {row["line_id"]: row["role"] for row in ask(bed, "unused-extensions")[0]}
    assert found == {"2002": "first", "2003": "first", "3002": "fax"}
    bed.ingest(leg(2, 3, 4, "2001", "3003", at=60))
    assert "3002" not in {row["line_id"] for row in ask(bed, "unused-extensions")[0]}


def test_numbers_that_are_not_shown_are_told(bed: Bed) -> None:
    for number in range(3):
        bed.ingest(leg(2 * number, 1, 2, "2001", f"0044207946000{number}"))
    found = {}
    for limit in (2, 3):
        environment = Environment(ROME, {}, bed.now)
        specification = specify(Request("frequent-numbers", **MAY, limit=limit), environment)
        door = open_door(None, "frequent-numbers", "", Policy(), bed.now)
        with open_report(door, specification, environment) as result:
            assert len(list(result.rows)) == limit
            found[limit] = result.notes
    assert "2 of 3 numbers are shown: --limit says how many" in found[2]
    assert not any("numbers are shown" in note for note in found[3])


def test_the_access_log_has_who_looked(bed: Bed) -> None:
    ask(bed, "calls", "anna", filters=("person=Anna",))
    rows, _ = ask(bed, "access-log", sort="-viewer")
    assert [(row["viewer"], row["report"]) for row in rows] == [
        ("anna", "calls"),
        ("administrator", "access-log"),
    ]
    assert "filter=person=Anna" in rows[0]["specification"]


@pytest.mark.parametrize(
    "report", ["answer-times", "call-backs", "queues", "frequent-numbers", "quality-by-codec"]
)
def test_what_is_worked_out_of_rows_says_of_which_days_these_are_gone(
    bed: Bed, report: str
) -> None:
    sums = dict.fromkeys(MEASURES, 0)
    SealedDay.create(
        day=20260503, org_id=0, direction=0, class_=0, carrier_id=0, trunk_id=0, **sums
    )
    mark_dirty([20260503])
    environment = Environment(ROME, {}, bed.now)
    specification = specify(Request(report, **MAY), environment)
    door = open_door(None, report, "", Policy(), bed.now)
    with open_report(door, specification, environment) as result:
        assert any("2026-05-03" in note and "not known" in note for note in result.notes)
        assert result.facts["days_not_known"] == 1
