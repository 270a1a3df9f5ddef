"""``syncd explain``: why this person, why this price, why not billed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from syncd.domain.codes import Role
from syncd.store.models import AccessLog, Assignment, Party, Record, database
from tests.support.bed import COLUMNS, DECK, ROME, START
from tests.support.phones import GATEWAY, SPLIT, leg, transferred
from tests.support.world import World, make_world

OUT = "00033123456789"
MOBILE = "03331234567"


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    yield make_world(tmp_path, lambda: tuple(capsys.readouterr()))
    database.close()


# --- calls ----------------------------------------------------------------------------------------


def test_internal_call(world: World) -> None:
    world.bed.ingest(leg(1, 101, 102, "2001", "2002"))
    row = world.row("called", "Bruno")
    answer = world.explain(row)
    assert answer["call"] == row
    assert answer["attribution"] == {
        "reason": "number",
        "candidates": [{"line_id": "2002", "person": "Bruno", "role": "first"}],
    }
    assert answer["licence"] == {
        "slot": True,
        "since": datetime.fromtimestamp(world.bed.now, ROME).isoformat(),
        "reason": "billed first number of a configured person; held now, not yet at the time of"
        " the call",
    }
    assert answer["number"] == {
        "raw": "2001",
        "e164": None,
        "class": "internal",
        "rule": "internal numbers of the site",
    }
    assert answer["tariff"] is None
    assert answer["arithmetic"] == [{"what": "free: an internal call", "seconds": 0, "micros": 0}]
    assert (answer["shares"], answer["price"], answer["same"]) == ([], 0, True)


def test_outgoing_call_with_its_arithmetic(world: World) -> None:
    world.bed.ingest(leg(1, 101, 102, "2001", MOBILE, talk=61))
    answer = world.explain(world.row("calling", "Anna"))
    assert answer["number"] == {
        "raw": MOBILE,
        "e164": "+393331234567",
        "class": "mobile",
        "rule": "country IT: mobile pattern",
    }
    assert answer["tariff"] == {
        "carrier": "telco",
        "version": "2026",
        "valid_from": "2026-01-01",
        "prefix": "393",
        "destination": "Italy mobile",
        "band": None,
        "currency": None,
        "original": None,
        "vat": None,
        "with_vat": None,
    }
    assert answer["arithmetic"] == [
        {"what": "connection fee", "seconds": 0, "micros": 150_000},
        {"what": "initial interval", "seconds": 1, "micros": 10_000},
        {"what": "60 increments of 1 s", "seconds": 60, "micros": 600_000},
    ]
    assert answer["shares"] == [
        {
            "record": world.record(1),
            "side": "calling",
            "line_id": "2001",
            "person": "Anna",
            "seconds": 61,
            "micros": 760_000,
            "policy": None,
            "this": True,
        }
    ]
    assert (answer["price"], answer["stored_price"], answer["same"]) == (760_000, 760_000, True)


TRANSFER = (
    leg(1, 101, 102, "2001", OUT, talk=120, **SPLIT),
    leg(2, 103, 104, "2001", "2002", at=120, talk=None, **SPLIT),
    leg(
        1,
        102,
        104,
        "+33123456789",
        "2002",
        at=125,
        ring=0,
        talk=360,
        pkid="00000001-0000-0000-0066-000000000068",
        **transferred("2001"),
    ),
)
"""120 s with the caller, 360 s after the transfer: the carrier charges 480 s once."""


def test_transferred_leg_is_priced_once_and_shared(world: World) -> None:
    world.bed.ingest(*TRANSFER)
    first, last = world.row("calling", "Anna"), world.row("redirecting", "Anna", at=125)
    for row, cost, place in ((first, 1_000_000, 0), (last, 3_000_000, 1)):
        answer = world.explain(row)
        assert (answer["price"], answer["stored_price"]) == (4_000_000, cost)
        assert answer["same"]
        assert [step["seconds"] for step in answer["arithmetic"]] == [60, 420]
        assert [(one["seconds"], one["micros"]) for one in answer["shares"]] == [
            (120, 1_000_000),
            (360, 3_000_000),
        ]
        assert [one["this"] for one in answer["shares"]] == [place == 0, place == 1]
        assert {f"{one['record']}-{one['side']}" for one in answer["shares"]} == {
            first["id"],
            last["id"],
        }
    assert {record.conversation for record in Record.select()} == {1}


def test_who_talks_on_but_does_not_pay_sees_the_others_without_names(world: World) -> None:
    world.bed.ingest(*TRANSFER)
    row = world.row("called", "Bruno", at=125)
    for viewer in ((), ("--as", "bruno")):
        answer = world.explain(row, *viewer)
        assert (answer["price"], answer["stored_price"], answer["same"]) == (4_000_000, 0, True)
        names = [(one["line_id"], one["person"], one["this"]) for one in answer["shares"]]
        assert names == [("2001", "Anna", False) if not viewer else (None, None, False)] * 2


def test_unanswered_and_incoming_calls_are_free(world: World) -> None:
    world.bed.ingest(
        leg(1, 101, 102, "2001", MOBILE, talk=None),
        leg(2, 103, 104, "+33123456789", "2001", at=10),
        leg(3, 105, 106, "2001", "47123", at=20, destDeviceName="SIP-TIE", OutgoingProtocolID=1),
    )
    answers = [world.explain(row) for row in world.rows()]
    assert [answer["arithmetic"][0]["what"] for answer in answers] == [
        "free: never connected",
        "free: an incoming leg",
        "free: over a tie line",
    ]
    for answer in answers:
        assert (answer["price"], answer["shares"], answer["same"]) == (0, [], True)
    # The destination of an unanswered call is the tariff's too.
    assert [answer["tariff"] and answer["tariff"]["prefix"] for answer in answers] == [
        "393",
        None,
        None,
    ]
    assert [answer["number"]["class"] for answer in answers] == [
        "mobile",
        "international",
        "on-net",
    ]


def test_unrated_call_says_why(world: World) -> None:
    world.bed.ingest(
        leg(1, 101, 102, "2001", "0004915112345678"),
        leg(2, 103, 104, "2001", MOBILE, at=10, destDeviceName="SIP-NEW", OutgoingProtocolID=1),
    )
    answers = [world.explain(row) for row in world.rows()]
    assert [answer["arithmetic"] for answer in answers] == [
        [{"what": "unrated: no rate for prefix +49151", "seconds": 60, "micros": 0}],
        [
            {
                "what": "unrated: no [trunk:] section lists the device SIP-NEW, prefix +39333",
                "seconds": 60,
                "micros": 0,
            }
        ],
    ]
    for answer in answers:
        assert (answer["tariff"], answer["price"], answer["same"]) == (None, None, True)
        assert [(one["micros"], one["this"]) for one in answer["shares"]] == [(None, True)]


def test_two_legs_of_one_row_are_both_explained(world: World) -> None:
    """An outside party transferred to another one: the transferor pays for both."""
    world.bed.ingest(
        leg(1, 101, 102, "2001", OUT, talk=60, **SPLIT),
        leg(2, 103, 104, "2001", MOBILE, at=60, talk=10, **SPLIT),
        leg(
            1,
            102,
            104,
            "+33123456789",
            MOBILE,
            at=75,
            ring=0,
            talk=60,
            pkid="00000001-0000-0000-0066-000000000068",
            **transferred("2001"),
        ),
    )
    answer = world.explain(world.row("redirecting", "Anna", at=75))
    whole = answer["price"]
    assert [step["what"].partition(": ")[0] for step in answer["arithmetic"]] == (
        ["+393331234567"] * 3 + ["+33123456789"] * 2
    )
    assert answer["same"]
    assert answer["stored_price"] == sum(one["micros"] for one in answer["shares"] if one["this"])
    assert whole > answer["stored_price"] > 0
    assert answer["number"]["e164"] == "+393331234567"


def test_changed_tariff_is_not_the_same(world: World, tmp_path: Path) -> None:
    world.bed.ingest(leg(1, 101, 102, "2001", MOBILE, talk=61))
    (row,) = world.rows()
    (tmp_path / "telco.csv").write_text(DECK.replace("0.15,0.60", "0.25,0.60"), encoding="utf-8")
    answer = world.explain(row)
    assert (answer["price"], answer["stored_price"], answer["same"]) == (860_000, 760_000, False)
    (tmp_path / "telco.csv").write_text(f"{COLUMNS}\n33,France,,0,1,60,1,1,0\n", encoding="utf-8")
    answer = world.explain(row)
    assert (answer["price"], answer["tariff"], answer["same"]) == (None, None, False)


def test_what_the_present_rules_no_longer_bill(world: World) -> None:
    world.bed.ingest(leg(1, 101, 102, "2001", MOBILE))
    (row,) = world.rows()
    Assignment.update(billed=False).where(Assignment.number == "2001").execute()
    answer = world.explain(row)
    assert answer["attribution"]["reason"] == (
        "number; not billed by the present rules: billing is off for the number"
    )
    assert answer["licence"]["slot"] is False
    assert (answer["price"], answer["stored_price"], answer["same"]) == (None, 750_000, False)
    assert world.run("explain", row["id"]).code == 0


def test_a_history_that_was_corrected_is_said(world: World) -> None:
    world.bed.ingest(leg(1, 101, 102, "2001", MOBILE))
    (row,) = world.rows()
    carla = Party.get(Party.username == "carla")
    Assignment.update(party=carla).where(Assignment.number == "2001").execute()
    answer = world.explain(row)
    assert answer["call"]["person"] == "Anna"
    assert answer["attribution"] == {
        "reason": "number; the present rules give the call to somebody else",
        "candidates": [{"line_id": "2001", "person": "Carla", "role": "first"}],
    }
    answer = world.explain(row, "--as", "anna")
    assert answer["attribution"]["candidates"] == [
        {"line_id": None, "person": None, "role": "first"}
    ]
    assert "Carla" not in json.dumps(answer)


def test_anonymous_line_and_hunt_line(world: World) -> None:
    world.option("automatic_acquisition = no", "automatic_acquisition = yes")
    world.bed.change(acquisition=True)
    hunted = {
        "originalCalledPartyNumber": "6100",
        "lastRedirectDn": "6100",
        "huntPilotDN": "6100",
        "calledPartyPatternUsage": 7,
    }
    world.bed.ingest(
        leg(1, 101, 102, "2050", MOBILE),
        leg(2, 103, 104, "2003", "2001", at=10, **hunted),
    )
    answer = world.explain(world.row("calling", None))
    assert answer["call"]["line_id"] == "2050"
    assert answer["attribution"] == {
        "reason": "nobody holds the number; documented anonymously by automatic acquisition",
        "candidates": [],
    }
    assert answer["licence"]["slot"]
    assert answer["licence"]["reason"].startswith("acquired automatically")
    assert answer["same"]
    pilot = world.explain(world.row("pilot", None, at=10))
    assert pilot["licence"] == {
        "slot": False,
        "since": None,
        "reason": "a hunt number is documented without a slot",
    }


def test_slot_of_the_time_and_of_now(world: World) -> None:
    world.bed.now = START - 100
    world.bed.ingest(leg(9, 901, 902, "2001", "2002", at=-200))
    world.bed.now = START + 1000
    world.bed.ingest(leg(1, 101, 102, "2001", MOBILE))
    answer = world.explain(world.row("calling", "Anna"))
    assert answer["licence"] == {
        "slot": True,
        "since": datetime.fromtimestamp(START - 100, ROME).isoformat(),
        "reason": "billed first number of a configured person",
    }
    Assignment.update(valid_to=START + 2000).where(Assignment.number == "2001").execute()
    world.bed.directory_changed()
    world.bed.now = START + 3000
    world.bed.ingest(leg(2, 201, 202, "2002", MOBILE, at=2500))
    answer = world.explain(world.row("calling", "Anna"))
    assert answer["licence"]["slot"]
    assert answer["licence"]["reason"].endswith("held at the time of the call, not any more")


# --- viewers --------------------------------------------------------------------------------------


def test_out_of_scope_and_unknown_are_one_sentence(world: World) -> None:
    world.bed.ingest(leg(1, 101, 102, "2001", MOBILE), leg(2, 103, 104, "2002", OUT, at=5))
    anna, bruno = world.row("calling", "Anna"), world.row("calling", "Bruno", at=5)
    missing = f"202605-{'0' * 12}-calling"
    for call in (bruno["id"], missing, anna["id"].replace("calling", "called")):
        ran = world.run("explain", call, "--as", "anna")
        assert ran == (1, "", f"syncd: No call {call} is available to anna.\n")
    assert world.run("explain", missing).code == 1
    # How a call is named is told, whether there is one or not.
    for call in (anna, bruno):
        without = call["id"].removesuffix("-calling")
        ran = world.run("explain", without, "--as", "anna")
        assert ran.code == 1 and f"named with its side, {without}-calling" in ran.err
    # Carla sees her department, and no more.
    assert world.explain(anna, "--as", "carla")["call"] == anna
    assert world.run("explain", bruno["id"], "--as", "carla").code == 1
    # Records are for level 10.
    assert world.run("explain", world.record(1), "--as", "anna").code == 1
    assert world.run("explain", world.record(1)).code == 0


def test_no_access_and_no_id(world: World) -> None:
    world.bed.person("nobody", "2060", level=0)
    ran = world.run("explain", "nonsense", "--as", "nobody")
    assert ran == (1, "", "syncd: No billing data is available to nobody.\n")
    ran = world.run("explain", "nonsense")
    assert (ran.code, ran.out) == (2, "")
    assert "202601-" in ran.err


def test_every_use_is_logged(world: World) -> None:
    world.bed.ingest(leg(1, 101, 102, "2001", MOBILE))
    (row,) = world.rows()
    world.explain(row, "--as", "anna")
    entry = AccessLog.select().order_by(AccessLog.id.desc()).get()
    assert (entry.viewer, entry.report, entry.specification, entry.rows) == (
        "anna",
        "explain",
        row["id"],
        1,
    )


DIALLED = (MOBILE, "03339876543", OUT, "0004915112345678", "0112", "01240", "00211123")


def test_masked_digits_are_nowhere(world: World, tmp_path: Path) -> None:
    """Whatever the deck and the rules say of a number, its last digits stay hidden."""
    rows = "393331234567,One number,,0,1,60,1,1,0\n33123456,A few,,0,1,60,1,1,0\n"
    (tmp_path / "telco.csv").write_text(f"{DECK}{rows}", encoding="utf-8")
    world.bed.ingest(
        *(
            leg(
                call,
                call * 10,
                call * 10 + 1,
                "2001",
                dialled,
                at=call,
                destDeviceName=GATEWAY,
                OutgoingProtocolID=4,
                finalCalledPartyPattern="0.!",
            )
            for call, dialled in enumerate(DIALLED, 1)
        )
    )
    clear = [world.explain(row) for row in world.rows()]
    assert {(answer["tariff"] or {}).get("prefix") for answer in clear} >= {"393331234567", None}
    assert any(answer["number"]["rule"] == "own rule +393339" for answer in clear)
    starred = 0
    for digits in (2, 8, 30):
        Party.update(masked_digits=digits).where(Party.username == "anna").execute()
        for plain, row in zip(clear, world.rows("--as", "anna"), strict=True):
            answer = world.explain(row, "--as", "anna")
            assert answer["call"] == row
            assert answer["price"] == plain["price"]
            visible = []
            for name in ("raw", "e164"):
                number, shown = plain["number"][name], answer["number"][name]
                if number is None:
                    assert shown is None
                    continue
                kept = number.lstrip("+")[:-digits]
                hidden = len(number.lstrip("+")) - len(kept)
                assert shown.lstrip("+") == kept + "*" * hidden
                visible.append(kept)
            said = [answer["number"]["rule"], (answer["tariff"] or {}).get("prefix", "")]
            said += [step["what"] for step in answer["arithmetic"] if "no rate" in step["what"]]
            for text in said:
                starred += "*" in text
                for run in re.findall(r"[0-9]+", text):
                    # A short number is written with the calling code before it.
                    assert any(run in f"39{kept[1:]}" or run in kept for kept in visible), text
    assert starred > 10


def test_masked_viewer_of_a_transfer(world: World) -> None:
    world.bed.ingest(*TRANSFER)
    Party.update(masked_digits=6).where(Party.username == "anna").execute()
    answer = world.explain(world.row("redirecting", "Anna", at=125), "--as", "anna")
    assert answer["number"]["e164"] == answer["call"]["other_number"] == "+33123******"
    text = world.run("explain", answer["call"]["id"], "--as", "anna").out
    assert "123456789" not in text
    assert "+33123******" in text


# --- records --------------------------------------------------------------------------------------


def sides(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {side["side"]: side for side in answer["sides"]}


def test_record_that_nobody_is_billed_for(world: World) -> None:
    world.bed.person("off", "2090", billed=False)
    world.bed.ingest(leg(1, 101, 102, "2090", "2099"))
    answer = world.json("explain", world.record(1))
    assert answer["record"]["outcome"] == "not-billed"
    assert answer["record"]["reason"] == "billing is off for the number"
    assert (answer["record"]["row"], answer["record"]["source"]) == (3, "hq")
    calling, called = sides(answer)["calling"], sides(answer)["called"]
    assert (calling["outcome"], calling["reason"]) == (
        "not-billed",
        "billing is off for the number",
    )
    assert calling["attribution"]["candidates"] == [
        {"line_id": "2090", "person": "Off", "role": "first"}
    ]
    assert "turn billing on" in calling["mend"]
    assert (called["number"], called["line_id"], called["call"]) == ("2099", None, None)
    assert called["reason"] == "nobody is configured for the number"
    assert "automatic_acquisition" in called["mend"]
    text = world.run("explain", world.record(1)).out
    assert "turn billing on" in text
    assert "nobody is configured for the number" in text


def test_record_with_reasons_of_many_kinds(world: World) -> None:
    world.bed.person(
        "vera",
        "2061",
        more=((Role.VOICEMAIL, "6001", True), (Role.OTHER, "2063", False)),
    )
    world.bed.ingest(
        leg(1, 101, 102, "7777", "2061", origDeviceName="SEP001122307777"),
        leg(2, 103, 104, "6001", MOBILE, at=5),
        leg(3, 105, 106, "2098", "2061", at=10, origDeviceName=""),
    )
    first = sides(world.json("explain", world.record(1)))
    assert first["calling"]["reason"] == "nobody holds the number and no internal pattern names it"
    assert "internal_numbers of [site:hq]" in first["calling"]["mend"]
    assert (first["called"]["outcome"], first["called"]["person"]) == ("call", "Vera")
    assert first["called"]["call"] == f"{world.record(1)}-called"
    assert first["called"]["reason"] is None
    Party.update(permission_level=10, masked_digits=3).where(Party.username == "anna").execute()
    masked = sides(world.json("explain", world.record(1), "--as", "anna"))
    assert (masked["calling"]["number"], masked["called"]["number"]) == ("7***", "2061")
    (second,) = world.json("explain", world.record(2))["sides"]
    assert second["reason"] == "a voicemail number is billed for calls to it only"
    third = sides(world.json("explain", world.record(3)))
    assert third["calling"]["reason"] == "nobody holds the number and no device was reached"


def test_record_of_an_ambiguous_number(world: World) -> None:
    world.bed.person("uno", "2070")
    world.bed.person("due", "2070")
    world.bed.ingest(leg(1, 101, 102, "2070", MOBILE))
    answer = world.json("explain", world.record(1))
    (side,) = answer["sides"]
    assert side["reason"] == "ambiguous: more than one party holds the number"
    assert sorted(one["person"] for one in side["attribution"]["candidates"]) == ["Due", "Uno"]
    assert "site or partition" in side["mend"]
    assert answer["record"]["mend"] == side["mend"]
    assert "candidate" in world.run("explain", world.record(1)).out


def test_record_whose_call_is_withheld(world: World) -> None:
    world.option("slots = unlimited", "slots = 1")
    world.bed.change(slots=1)
    world.bed.ingest(leg(1, 101, 102, "2002", MOBILE), leg(2, 103, 104, "2001", MOBILE, at=5))
    (row,) = world.rows()
    assert row["person"] == "Anna"
    (side,) = world.json("explain", world.record(1))["sides"]
    assert (side["outcome"], side["person"], side["call"]) == ("withheld", "Bruno", None)
    assert side["reason"] == "no slot at the time of the call, and none now"
    assert "more slots" in side["mend"]
    assert side["licence"] == {"slot": False, "since": None, "reason": side["reason"]}
    # As a call it is not there, for nobody.
    call = f"{world.record(1)}-calling"
    assert (
        world.run("explain", call).err == f"syncd: No call {call} is available to administrator.\n"
    )
    assert "withheld" in world.run("explain", world.record(1)).out


def test_records_that_were_left_out(world: World) -> None:
    world.bed.change(import_internal=False, excluded_numbers=frozenset({"2003"}))
    world.option("site = hq\n\n[licensing]", "site = hq\nimport_internal = no\n\n[licensing]")
    world.bed.ingest(leg(1, 101, 102, "2001", "2002"), leg(2, 103, 104, "2001", "2003", at=5))
    answer = world.json("explain", world.record(1))
    assert (answer["record"]["outcome"], answer["sides"]) == ("excluded", [])
    assert answer["record"]["reason"] == "internal calls are not imported"
    assert answer["record"]["mend"] == "import_internal = yes in [cdr:hq]"
    answer = world.json("explain", world.record(2))
    assert (answer["record"]["reason"], answer["sides"]) == ("excluded number", [])
    assert answer["record"]["mend"] == "take the number out of excluded_numbers of [cdr:hq]"
    # What is allowed since shows as what it would be.
    world.option("import_internal = no", "import_internal = yes")
    called = sides(world.json("explain", world.record(1)))["called"]
    assert (called["outcome"], called["person"]) == ("not-billed", "Bruno")
    assert called["reason"].startswith("billed by the present rules")


def test_source_that_is_no_longer_configured(world: World) -> None:
    world.bed.ingest(leg(1, 101, 102, "2001", MOBILE))
    (row,) = world.rows()
    world.option("[cdr:hq]", "[cdr:new]\npbx = hq")
    assert world.explain(row)["same"]
    world.option("pbx = hq", "pbx = other")
    ran = world.run("explain", row["id"])
    assert (ran.code, ran.out) == (1, "")
    assert "[cdr:hq], which is no longer configured" in ran.err


# --- for people -----------------------------------------------------------------------------------


def test_text_for_people(world: World) -> None:
    world.bed.ingest(*TRANSFER)
    row = world.row("calling", "Anna")
    ran = world.run("explain", row["id"])
    assert (ran.code, ran.err) == (0, "")
    for text in (
        f"{row['id']}: outgoing, calling side, answered, 120 s, 2026-05-28 22:26:40",
        "person:        Anna",
        "found by:      number",
        "E.164:         +33123456789",
        "version:       2026, valid from 2026-01-01",
        "prefix:        33 (France)",
        "7 increments of 60 s",
        "Price of the whole leg",
        "this row",
        "Stored for this row: 1.00 EUR; computed again it is the same.",
    ):
        assert text in ran.out
    assert not ran.out.lstrip().startswith("{")
