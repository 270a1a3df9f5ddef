"""Records become calls: the worked examples, on the real driver, spool, pipeline and database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.domain.codes import Role
from syncd.store.models import database
from tests.support.bed import Bed, make_bed
from tests.support.phones import SPLIT, leg, transferred


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = make_bed(tmp_path)
    made.person("anna", "2001", department="Sales")
    made.person("bruno", "2002", department="Sales")
    made.person("carla", "2003", department="Support")
    yield made
    database.close()


OUT = "00033123456789"
MOBILE = "03331234567"


def test_internal_call_has_two_rows(bed: Bed) -> None:
    bed.ingest(leg(1, 101, 102, "2001", "2002"))
    assert bed.rows("person", "side", "direction", "counted", "outcome", "duration", "cost") == [
        ("anna", "calling", "internal", 1, "answered", 60, "0.00"),
        ("bruno", "called", "internal", 1, "answered", 60, "0.00"),
    ]


def test_outgoing_call_is_priced(bed: Bed) -> None:
    bed.ingest(leg(1, 101, 102, "2001", MOBILE, talk=61))
    (call,) = bed.calls()
    assert (call["direction"], call["other"], call["state"]) == (
        "outgoing",
        "+393331234567",
        "rated",
    )
    assert call["cost"] == "0.76"  # 0.15 + 61 s at 0.60 a minute


def test_blind_transfer_of_an_outgoing_call_is_charged_once(bed: Bed) -> None:
    """120 s with the caller, then 360 s after the transfer: the carrier charges 480 s once."""
    bed.ingest(
        leg(1, 101, 102, "2001", OUT, talk=120, **SPLIT),
        leg(2, 103, 104, "2001", "2002", at=120, talk=None, **SPLIT),
        leg(1, 102, 104, "+33123456789", "2002", at=125, ring=0, talk=360, **transferred("2001")),
    )
    assert bed.rows("person", "side", "direction", "disposition", "duration", "cost") == [
        ("anna", "calling", "outgoing", "answered", 120, "1.00"),
        ("anna", "calling", "internal", "transferred", 0, "0.00"),
        ("bruno", "called", "internal", "transferred", 0, "0.00"),
        ("bruno", "called", "outgoing", "answered", 360, "0.00"),
        ("anna", "redirecting", "outgoing", "transferred", 0, "3.00"),
    ]
    assert bed.rows("person", "counted", "outcome") == [
        ("anna", 1, "answered"),
        ("anna", 0, "none"),
        ("bruno", 1, "answered"),
        ("bruno", 0, "none"),
        ("anna", 0, "none"),
    ]
    assert len({call["conversation"] for call in bed.calls()}) == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_late_legs_reopen_the_conversation(bed: Bed, order: tuple[int, ...]) -> None:
    """Whatever the order of the files, the result is that of one file."""
    rows = [
        leg(1, 101, 102, "2001", OUT, talk=120, **SPLIT),
        leg(2, 103, 104, "2001", "2002", at=120, talk=None, **SPLIT),
        leg(1, 102, 104, "+33123456789", "2002", at=125, ring=0, talk=360, **transferred("2001")),
    ]
    for index in order:
        bed.ingest(rows[index])
    assert bed.rows("person", "side", "direction", "disposition", "cost", "counted") == [
        ("anna", "calling", "outgoing", "answered", "1.00", 1),
        ("anna", "calling", "internal", "transferred", "0.00", 0),
        ("bruno", "called", "internal", "transferred", "0.00", 1),
        ("bruno", "called", "outgoing", "answered", "0.00", 0),
        ("anna", "redirecting", "outgoing", "transferred", "3.00", 0),
    ]
    for file in bed.ledger():
        assert file["read"] == file["stored"] == 1
    assert sum(file["calls"] for file in bed.ledger()) == 5


def test_transfer_by_the_called_party(bed: Bed) -> None:
    bed.ingest(
        leg(1, 200, 201, "+33123456789", "2001", talk=30, **SPLIT),
        leg(2, 202, 203, "2001", "2002", at=20, talk=5, **SPLIT),
        leg(1, 200, 203, "+33123456789", "2002", at=40, ring=0, talk=90, **transferred("2001")),
    )
    assert bed.rows("person", "side", "direction", "disposition", "duration", "other") == [
        ("anna", "called", "incoming", "answered", 30, "+33123456789"),
        ("anna", "calling", "internal", "transferred", 5, "2002"),
        ("bruno", "called", "internal", "transferred", 5, "2001"),
        ("bruno", "called", "incoming", "answered", 90, "+33123456789"),
        ("anna", "redirecting", "incoming", "transferred", 0, "+33123456789"),
    ]


FORWARD: dict[str, Any] = {
    "lastRedirectRedirectOnBehalfOf": 5,
    "origCalledPartyRedirectOnBehalfOf": 5,
    "joinOnBehalfOf": 5,
}


def test_forwarded_out_is_transit_and_the_forwarder_pays(bed: Bed) -> None:
    bed.ingest(
        leg(
            1,
            300,
            301,
            "+33123456789",
            MOBILE,
            originalCalledPartyNumber="2001",
            lastRedirectDn="2001",
            lastRedirectRedirectReason=15,
            origCalledPartyRedirectReason=15,
            **FORWARD,
        )
    )
    assert bed.rows("person", "side", "direction", "disposition", "outcome", "cost", "other") == [
        ("anna", "redirecting", "transit", "forwarded", "missed", "0.75", "+393331234567"),
    ]


def test_forward_to_shared_voicemail_is_the_forwarders_voicemail_call(bed: Bed) -> None:
    dora = bed.person(
        "dora", "2004", more=((Role.VOICEMAIL, "6000", True),), shared=True, department="Sales"
    )
    bed.person("emil", "2005", more=((Role.VOICEMAIL, "6000", True),), shared=True)
    bed.ingest(
        leg(
            1,
            101,
            102,
            "2001",
            "6000",
            originalCalledPartyNumber="2004",
            lastRedirectDn="2004",
            lastRedirectRedirectReason=2,
            origCalledPartyRedirectReason=2,
            destDeviceName="SIP-VM",
            OutgoingProtocolID=1,
            **FORWARD,
        ),
        leg(2, 103, 104, "2005", "6000", destDeviceName="SIP-VM", OutgoingProtocolID=1),
    )
    assert dora.display_name == "Dora"
    assert bed.rows("person", "line", "side", "disposition", "outcome") == [
        ("anna", "2001", "calling", "answered", "answered"),
        ("dora", "6000", "called", "answered", "answered"),
        ("dora", "2004", "redirecting", "forwarded", "missed"),
        ("emil", "2005", "calling", "answered", "answered"),
    ]


def test_conference_with_an_outside_member(bed: Bed) -> None:
    """The controller pays the outside member's time: set-up 20 s and 360 s on the bridge."""
    joined: dict[str, Any] = {
        "origCalledPartyRedirectReason": 98,
        "lastRedirectRedirectReason": 98,
        "origCalledPartyRedirectOnBehalfOf": 4,
        "lastRedirectRedirectOnBehalfOf": 4,
        "joinOnBehalfOf": 4,
        "destConversationId": 1,
        "comment": "ConfControllerDn=2001;ConfControllerDeviceName=SEP001122302001;",
        "destDeviceName": "CFB_1",
        "finalCalledPartyNumber": "b0029901001",
        "lastRedirectDn": "b0029901001",
    }
    ended = {"origCallTerminationOnBehalfOf": 4, "destCallTerminationOnBehalfOf": 4}
    bed.ingest(
        leg(1, 101, 102, "2001", "2002", talk=60, **{**SPLIT, **ended}),
        leg(2, 105, 106, "2001", OUT, at=40, talk=20, **{**ended, "origCause_value": 0}),
        leg(1, 101, 115, "2001", "2002", at=65, ring=0, talk=360, **joined),
        leg(1, 102, 116, "2002", "2002", at=65, ring=0, talk=360, **joined),
        leg(1, 106, 117, OUT, "2002", at=65, ring=0, talk=360, **joined),
        leg(
            1,
            101,
            102,
            "2001",
            "2002",
            at=425,
            ring=0,
            talk=55,
            joinOnBehalfOf=4,
            lastRedirectDn="b0029901001",
            lastRedirectRedirectReason=98,
            lastRedirectRedirectOnBehalfOf=4,
        ),
    )
    costs = [call for call in bed.calls() if call["cost"] != "0.00"]
    assert [(call["person"], call["side"], call["billed"]) for call in costs] == [
        ("anna", "calling", 22),
        ("anna", "redirecting", 398),
    ]
    # 380 s in minutes of 60 s: 7 × 0.50 = 3.50.
    assert [call["cost"] for call in costs] == ["0.18421", "3.31579"]
    assert [(call["person"]) for call in bed.calls() if call["counted"]] == ["anna", "bruno"]


def test_hunt_group_member_known(bed: Bed) -> None:
    bed.change(acquisition=True)
    bed.ingest(
        leg(
            1,
            101,
            102,
            "2003",
            "2001",
            originalCalledPartyNumber="6100",
            lastRedirectDn="6100",
            huntPilotDN="6100",
            calledPartyPatternUsage=7,
        ),
    )
    assert bed.rows("line", "person", "side", "disposition", "outcome") == [
        ("2003", "carla", "calling", "answered", "answered"),
        ("2001", "anna", "called", "answered", "answered"),
        ("6100", None, "pilot", "forwarded", "missed"),
    ]


@pytest.mark.parametrize(
    ("columns", "disposition"),
    [
        ({"destCause_value": 17, "origCause_value": 0}, "busy"),
        ({"destCause_value": 19, "origCause_value": 0}, "no-answer"),
        ({"destCause_value": 0, "origCause_value": 16}, "cancelled"),
        ({"destCause_value": 38, "origCause_value": 0}, "failed"),
        ({"destCause_value": 1459617833, "origCause_value": 0}, "failed"),
        ({"destCause_value": 1174405137, "origCause_value": 0}, "busy"),
    ],
)
def test_unanswered_calls(bed: Bed, columns: dict[str, Any], disposition: str) -> None:
    bed.ingest(leg(1, 101, 102, "2001", "2002", talk=None, **columns))
    assert bed.rows("person", "disposition", "outcome", "duration", "cost") == [
        ("anna", disposition, "unanswered", 0, "0.00"),
        ("bruno", disposition, "missed", 0, "0.00"),
    ]


def test_connected_for_no_second_counts_as_one(bed: Bed) -> None:
    bed.ingest(leg(1, 101, 102, "2001", MOBILE, talk=0))
    assert bed.rows("duration", "cost") == [(1, "0.16")]


def test_no_rate_is_not_price_nothing(bed: Bed) -> None:
    bed.ingest(leg(1, 101, 102, "2001", "0004915112345678"))
    (call,) = bed.calls()
    assert (call["cost"], call["state"]) == (None, "unrated")
    assert "no rate" in call["reason"]


def test_unlisted_trunk_is_unrated(bed: Bed) -> None:
    bed.ingest(leg(1, 101, 102, "2001", MOBILE, destDeviceName="SIP-NEW", OutgoingProtocolID=1))
    (call,) = bed.calls()
    assert (call["direction"], call["state"]) == ("outgoing", "unrated")
    assert "SIP-NEW" in call["reason"]


def test_tie_line_is_on_net(bed: Bed) -> None:
    bed.ingest(leg(1, 101, 102, "2001", "47123", destDeviceName="SIP-TIE", OutgoingProtocolID=1))
    assert bed.rows("person", "direction", "cost") == [("anna", "on-net", "0.00")]


def test_billing_off_and_unknown_are_not_billed(bed: Bed) -> None:
    bed.person("off", "2090", billed=False)
    outcome = bed.ingest(leg(1, 101, 102, "2090", "2099"), leg(2, 103, 104, "2098", MOBILE))
    assert bed.calls() == []
    assert (outcome.files[0].not_billed, outcome.files[0].stored) == (2, 0)
    bed.change(acquisition=True)
    bed.ingest(leg(3, 105, 106, "2090", "2099"), leg(4, 107, 108, "2098", MOBILE))
    assert bed.rows("line", "person", "side", "cost") == [
        ("2099", None, "called", "0.00"),
        ("2098", None, "calling", "0.75"),
    ]


def test_alias_carries_its_own_line_id(bed: Bed) -> None:
    bed.person("dora", "2004", more=((Role.ALIAS, "+390612342004", True),))
    bed.ingest(
        leg(1, 101, 102, "+33123456789", "+390612342004", destDeviceName="SEP001122302004")
        | {"OutgoingProtocolID": 0, "calledPartyPatternUsage": 2}
    )
    assert bed.rows("line", "person", "side") == [("+390612342004", "dora", "called")]


def test_extension_mobility_finds_the_person_by_user_id(bed: Bed) -> None:
    party = bed.person("gina", "2007")
    bed.assign(party, Role.USER_ID, "gina7")
    bed.directory_changed()
    bed.ingest(leg(1, 101, 102, "2777", MOBILE, callingPartyUnicodeLoginUserID="Gina7"))
    assert bed.rows("line", "person") == [("2777", "gina")]


def test_partitions_tell_overlapping_extensions_apart(tmp_path: Path) -> None:
    bed = make_bed(tmp_path, partitions=True)
    bed.person("hq", "2001", partition="HQ")
    bed.person("uk", "2001", partition="UK")
    bed.ingest(
        leg(1, 101, 102, "2001", MOBILE, callingPartyNumberPartition="UK"),
        leg(2, 103, 104, "2001", MOBILE, callingPartyNumberPartition="HQ"),
        leg(3, 105, 106, "2001", MOBILE, callingPartyNumberPartition=""),
    )
    assert bed.rows("line", "person") == [("UK.2001", "uk"), ("HQ.2001", "hq")]
    bed.change(driver=__import__("syncd.cdr.drivers.cucm", fromlist=["cucm"]).cucm)
    outcome = bed.ingest(leg(4, 107, 108, "2001", MOBILE, callingPartyNumberPartition="UK"))
    assert outcome.files[0].not_billed == 1
    database.close()


def test_files_delivered_twice_change_nothing(bed: Bed) -> None:
    rows = [leg(1, 101, 102, "2001", "2002"), leg(2, 103, 104, "2001", MOBILE)]
    bed.ingest(*rows)
    before = bed.calls()
    bed.ingest(*rows)
    bed.ingest(rows[1])
    assert bed.calls() == before
    assert [
        (file["read"], file["stored"], file["duplicate"], file["calls"]) for file in bed.ledger()
    ] == [(2, 2, 0, 3), (2, 0, 2, 0), (1, 0, 1, 0)]


def test_same_key_with_another_content_is_a_conflict(bed: Bed) -> None:
    bed.ingest(leg(1, 101, 102, "2001", "2002"))
    before = bed.calls()
    outcome = bed.ingest(leg(1, 101, 102, "2001", "2002", destCause_value=31))
    assert outcome.files[0].rejected == 1
    assert bed.calls() == before


def test_excluded_numbers_are_never_stored(bed: Bed) -> None:
    bed.change(excluded_numbers=frozenset({"2002"}))
    outcome = bed.ingest(leg(1, 101, 102, "2001", "2002"))
    assert outcome.files[0].excluded == 1
    text = b"".join(path.read_bytes() for path in bed.context.state_directory.glob("test.db*"))
    assert bed.calls() == []
    assert phone_bytes() not in text


def phone_bytes() -> bytes:
    from tests.support.phones import phone

    return phone("2002").encode()


def test_internal_calls_can_be_left_out(bed: Bed) -> None:
    bed.change(import_internal=False)
    outcome = bed.ingest(leg(1, 101, 102, "2001", "2002"), leg(2, 103, 104, "2001", MOBILE))
    assert (outcome.files[0].excluded, outcome.files[0].stored) == (1, 1)
    assert bed.rows("direction") == [("outgoing",)]
