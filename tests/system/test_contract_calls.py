"""The command contract on records typed by hand: who spoke with whom, on which line, who pays and
how much. Every expected value is computed from the rules, none was read off the program."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.support.contract import (
    GATEWAY,
    PEOPLE,
    TRUNK,
    Company,
    ids,
    incoming,
    internal,
    leg,
    outgoing,
    phone,
)

SPLIT = 393216
"""The cause of a leg that a feature took over."""
TRANSFERRED = {
    "origCause_value": SPLIT,
    "destCause_value": SPLIT,
    "origCallTerminationOnBehalfOf": 10,
    "destCallTerminationOnBehalfOf": 10,
}
JOINED = {
    "lastRedirectRedirectReason": 4,
    "lastRedirectRedirectOnBehalfOf": 10,
    "joinOnBehalfOf": 10,
    "origCallTerminationOnBehalfOf": 12,
    "origCause_value": 16,
}
FIELDS = [
    "id", "started_at", "line_id", "person", "username", "department", "cost_center",
    "office_location", "custom1", "direction", "side", "counted", "conversation", "other_number",
    "hunt_pilot", "class", "destination", "disposition", "ring_seconds", "duration", "cost",
    "state",
]  # fmt: skip


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """The company after its first sync, from an LDIF file."""
    made = Company(tmp_path)
    made.use_ldif(PEOPLE)
    made.ok("sync")
    return made


def at(minute: int, second: int = 0, hour: int = 10) -> str:
    """Return a moment of 10 March 2026 in Rome."""
    return f"2026-03-10T{hour:02d}:{minute:02d}:{second:02d}+01:00"


def short(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return the columns that tell a call."""
    return tuple(
        row[name]
        for name in (
            "line_id", "side", "direction", "other_number", "disposition", "duration", "cost",
            "state", "counted",
        )
    )  # fmt: skip


def told(company: Company) -> list[tuple[Any, ...]]:
    """Return the call list, sorted, as ``short`` tells it."""
    return sorted(short(row) for row in company.rows())


def test_every_field_of_an_internal_call(company: Company) -> None:
    company.take(internal("i", at(0), "2001", "2003", ring=7, talk=60))
    rows = {row["side"]: row for row in company.rows()}
    calling, called = rows["calling"], rows["called"]
    assert list(calling) == FIELDS
    assert calling["conversation"] == called["conversation"]
    assert calling["id"] != called["id"]
    for row in (calling, called):
        row.pop("id"), row.pop("conversation")
    same = {
        "started_at": "2026-03-10T10:00:00+01:00",
        "direction": "internal",
        "counted": 1,
        "hunt_pilot": None,
        "class": "internal",
        "destination": None,
        "disposition": "answered",
        "ring_seconds": 7,
        "duration": 60,
        "cost": "0.00",
        "state": "free",
    }
    anna = {
        "line_id": "2001",
        "person": "Anna Verdi",
        "username": "anna",
        "department": "Sales",
        "cost_center": "CC10",
        "office_location": "Rome",
        "custom1": "Apollo",
        "side": "calling",
        "other_number": "2003",
    }
    carla = {
        "line_id": "2003",
        "person": "Carla Blu",
        "username": "carla",
        "department": "Support",
        "cost_center": "CC20",
        "office_location": "Milan",
        "custom1": "Zeus",
        "side": "called",
        "other_number": "2001",
    }
    assert calling == same | anna
    assert called == same | carla


@pytest.mark.parametrize(
    ("dialled", "talk", "number", "kind", "destination", "cost"),
    [
        # 30 + 12 x 6 = 102 s; 102 x 0.25 / 60 = 0.425; + 0.10
        ("03331234567", 100, "+393331234567", "mobile", "Italy mobile", "0.525"),
        # 30 s cost 0.125 + 0.10 = 0.225, less than the minimum of the whole price
        ("03331234567", 4, "+393331234567", "mobile", "Italy mobile", "0.30"),
        # 61 x 0.02 / 60 = 0.020333...; + 0.05; rounded once
        ("00212345678", 61, "+390212345678", "national", "Italy", "0.0703"),
        # one whole minute more for one second more
        ("00612345678", 61, "+390612345678", "local", "Rome", "0.02"),
        # 60 + 5 x 30 = 210 s; 210 x 0.30 / 60 = 1.05; + 0.15
        ("00049301234567", 200, "+49301234567", "international", "Germany", "1.20"),
        # 0.00005 exactly: half goes up
        ("00033142685300", 1, "+33142685300", "international", "France", "0.0001"),
        # connected for 0 seconds counts as 1
        ("00033142685300", 0, "+33142685300", "international", "France", "0.0001"),
        ("0800123456", 100, "+39800123456", "toll-free", "Italy toll-free", "0.00"),
    ],
)
def test_outgoing_calls_are_rated(
    company: Company,
    dialled: str,
    talk: int,
    number: str,
    kind: str,
    destination: str,
    cost: str,
) -> None:
    company.take(outgoing("o", at(0), "2001", dialled, talk=talk))
    (row,) = company.rows()
    assert row["direction"] == "outgoing"
    assert (row["side"], row["line_id"], row["person"]) == ("calling", "2001", "Anna Verdi")
    assert (row["other_number"], row["class"], row["destination"]) == (number, kind, destination)
    assert (row["cost"], row["disposition"]) == (cost, "answered")
    assert row["state"] == "rated" or (row["state"] == "free" and cost == "0.00")
    assert row["duration"] == max(talk, 1)


def test_a_number_without_a_rate_is_unrated_and_counted(company: Company) -> None:
    company.take(
        outgoing("u", at(0), "2001", "00012125550123", talk=100),
        outgoing("o", at(1), "2001", "00049301234567", talk=60),
    )
    unrated, rated = company.rows("", "--filter", "state=unrated"), company.rows()
    assert [(row["cost"], row["state"], row["destination"]) for row in unrated] == [
        (None, "unrated", None)
    ]
    assert unrated[0]["other_number"] == "+12125550123"
    assert len(rated) == 2
    totals = company.report()["totals"]
    assert (totals["calls"], totals["answered"], totals["duration"]) == (2, 2, 160)
    assert totals["cost"] == "0.45"  # 60 s of Germany: 0.30 + 0.15


def test_nothing_is_rated_before_the_tariff_begins(company: Company) -> None:
    company.take(outgoing("o", "2025-12-31T23:59:00+01:00", "2001", "03331234567", talk=100))
    (row,) = company.rows(period=("2025-12-01", "2026-01-01"))
    assert (row["cost"], row["state"]) == (None, "unrated")


def test_the_tariff_is_that_of_the_connect_time(company: Company) -> None:
    start = "2025-12-31T23:59:50+01:00"
    company.take(outgoing("o", start, "2001", "03331234567", ring=15, talk=100))
    (row,) = company.rows(period=("2025-12-31", "2026-01-01"))
    assert (row["cost"], row["started_at"]) == ("0.525", start)


def test_incoming_calls_and_a_withheld_caller(company: Company) -> None:
    company.take(
        incoming("n", at(0), "0212345678", "2003", ring=4, talk=10),
        incoming("w", at(1), "", "2003", ring=4, talk=11),
        incoming("a", at(2), "+49301234567", "2003", ring=30, destCause_value=19),
    )
    rows = sorted(company.rows(), key=lambda row: row["started_at"])
    assert [row["other_number"] for row in rows] == ["+390212345678", None, "+49301234567"]
    assert {row["direction"] for row in rows} == {"incoming"}
    assert {row["side"] for row in rows} == {"called"}
    assert {(row["cost"], row["state"]) for row in rows} == {("0.00", "free")}
    assert [row["disposition"] for row in rows] == ["answered", "answered", "no-answer"]
    assert [row["ring_seconds"] for row in rows] == [4, 4, 30]


@pytest.mark.parametrize(
    ("causes", "disposition"),
    [
        ({"origCause_value": 0, "destCause_value": 17}, "busy"),
        ({"origCause_value": 0, "destCause_value": 19}, "no-answer"),
        ({"origCause_value": 0, "destCause_value": 18}, "no-answer"),
        ({"origCause_value": 16, "destCause_value": 0}, "cancelled"),
        ({"origCause_value": 0, "destCause_value": 38}, "failed"),
        # SIP peers: 486 and 503
        ({"origCause_value": 0, "destCause_value": 1174405137}, "busy"),
        ({"origCause_value": 0, "destCause_value": 1459617833}, "failed"),
    ],
)
def test_calls_that_nobody_answered(
    company: Company, causes: dict[str, int], disposition: str
) -> None:
    company.take(internal("i", at(0), "2001", "2002", ring=12, **causes))
    rows = company.rows()
    assert {row["disposition"] for row in rows} == {disposition}
    assert {row["side"] for row in rows} == {"calling", "called"}
    assert {row["duration"] for row in rows} == {0}
    people = {row["username"]: row for row in company.report("by-person")["rows"]}
    anna, bruno = people["anna"], people["bruno"]
    assert (anna["calls"], anna["answered"], anna["missed"], anna["unanswered"]) == (1, 0, 0, 1)
    assert (bruno["calls"], bruno["answered"], bruno["missed"], bruno["unanswered"]) == (1, 0, 1, 0)


def test_an_unanswered_outgoing_call_is_free(company: Company) -> None:
    company.take(outgoing("o", at(0), "2001", "03331234567", ring=30, destCause_value=17))
    (row,) = company.rows()
    assert (row["cost"], row["state"], row["ring_seconds"]) == ("0.00", "free", 30)
    assert company.report()["totals"]["unanswered"] == 1


def test_forwarded_to_voicemail_is_missed(company: Company) -> None:
    company.take(
        internal(
            "v", at(0), "2001", "6000", ring=20, talk=30,
            originalCalledPartyNumber="2002", lastRedirectDn="2002", destDeviceName="VM-PORT-1",
            origCalledPartyRedirectReason=2, lastRedirectRedirectReason=2,
            origCalledPartyRedirectOnBehalfOf=5, lastRedirectRedirectOnBehalfOf=5,
            joinOnBehalfOf=5,
        )
    )  # fmt: skip
    rows = {row["line_id"]: row for row in company.rows()}
    assert set(rows) == {"2001", "2002"}
    assert (rows["2001"]["side"], rows["2001"]["disposition"]) == ("calling", "answered")
    assert (rows["2002"]["side"], rows["2002"]["disposition"]) == ("redirecting", "forwarded")
    lines = {row["line_id"]: row for row in company.report("by-line")["rows"]}
    assert (lines["2001"]["answered"], lines["2001"]["missed"]) == (1, 0)
    assert (lines["2002"]["answered"], lines["2002"]["missed"]) == (0, 1)


FORWARD_OUT: dict[str, Any] = {
    "originalCalledPartyNumber": "2003",
    "lastRedirectDn": "2003",
    "origCalledPartyRedirectReason": 15,
    "lastRedirectRedirectReason": 15,
    "origCalledPartyRedirectOnBehalfOf": 5,
    "lastRedirectRedirectOnBehalfOf": 5,
    "joinOnBehalfOf": 5,
    "destDeviceName": GATEWAY,
    "OutgoingProtocolID": 4,
    "calledPartyPatternUsage": 5,
    "finalCalledPartyPattern": "0.!",
}


def test_forwarded_out_is_paid_by_who_forwards(company: Company) -> None:
    company.take(
        incoming("a", at(0), "0212345678", "03331234567", ring=8, talk=100, **FORWARD_OUT),
        internal("b", at(5), "2001", "03331234567", ring=8, talk=100, **FORWARD_OUT),
    )
    rows = {(row["started_at"], row["line_id"]): row for row in company.rows()}
    assert len(rows) == 3
    for minute in (0, 5):
        forwarder = rows[at(minute), "2003"]
        assert forwarder["side"] == "redirecting"
        assert (forwarder["disposition"], forwarder["cost"]) == ("forwarded", "0.525")
        assert forwarder["other_number"] == "+393331234567"
    caller = rows[at(5), "2001"]
    assert (caller["side"], caller["disposition"], caller["cost"]) == (
        "calling",
        "answered",
        "0.00",
    )
    assert company.report()["totals"]["cost"] == "1.05"


def blind_transfer() -> tuple[str, str, str]:
    """2001 calls a mobile (120 s), and transfers it to 2002 unasked (360 s)."""
    original = outgoing(
        "original", at(0), "2001", "03331234567", ring=10, talk=120, **TRANSFERRED,
        globalCallID_callId=501, origLegCallIdentifier=101, destLegIdentifier=102,
    )  # fmt: skip
    consult = internal(
        "consult", at(2, 5), "2001", "2002", ring=5, **TRANSFERRED,
        globalCallID_callId=502, origLegCallIdentifier=103, destLegIdentifier=104,
    )  # fmt: skip
    final = leg(
        "final", at(2, 10), ring=0, talk=360, **JOINED,
        **ids(globalCallID_callId=501, origLegCallIdentifier=102, destLegIdentifier=104),
        callingPartyNumber="03331234567", finalCalledPartyNumber="2002", lastRedirectDn="2001",
        origDeviceName=GATEWAY, destDeviceName=phone("2002"), calledPartyPatternUsage=2,
        IncomingProtocolID=4,
    )  # fmt: skip
    return original, consult, final


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_blind_transfer_in_three_files_in_any_order(
    company: Company, order: tuple[int, ...]
) -> None:
    rows = blind_transfer()
    for number in order:
        company.take(rows[number])
    mobile = "+393331234567"
    # 480 s are charged once: 30 + 75 x 6 = 480; 480 x 0.25 / 60 = 2.00; + 0.10. 120/480 of it first
    assert told(company) == sorted(
        [
            ("2001", "calling", "outgoing", mobile, "answered", 120, "0.525", "rated", 1),
            ("2001", "calling", "internal", "2002", "transferred", 0, "0.00", "free", 0),
            ("2002", "called", "internal", "2001", "transferred", 0, "0.00", "free", 1),
            ("2001", "redirecting", "outgoing", mobile, "transferred", 0, "1.575", "rated", 0),
            ("2002", "called", "outgoing", mobile, "answered", 360, "0.00", "free", 0),
        ]
    )
    assert len({row["conversation"] for row in company.rows()}) == 1
    totals = company.report()["totals"]
    assert (totals["calls"], totals["answered"], totals["duration"]) == (2, 2, 480)
    assert totals["cost"] == "2.10"
    answer = company.report("by-destination", "", "--count", "conversations")
    assert answer["counts"] == "conversations"
    assert answer["totals"]["calls"] == 1
    for file in company.listed("files"):
        assert (file["read"], file["stored"]) == (1, 1)
    company.ok("db", "verify")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_consultative_transfer_of_an_incoming_call(
    company: Company, order: tuple[int, ...]
) -> None:
    rows = (
        incoming(
            "original", at(0), "0212345678", "2002", ring=4, talk=60, **TRANSFERRED,
            globalCallID_callId=601, origLegCallIdentifier=200, destLegIdentifier=201,
        ),
        internal(
            "consult", at(0, 40), "2002", "2003", ring=5, talk=19, **TRANSFERRED,
            globalCallID_callId=602, origLegCallIdentifier=202, destLegIdentifier=203,
        ),
        leg(
            "final", at(1, 4), ring=0, talk=90, **JOINED,
            **ids(globalCallID_callId=601, origLegCallIdentifier=200, destLegIdentifier=203),
            callingPartyNumber="0212345678", finalCalledPartyNumber="2003", lastRedirectDn="2002",
            origDeviceName=TRUNK, destDeviceName=phone("2003"), calledPartyPatternUsage=2,
            IncomingProtocolID=1,
        ),
    )  # fmt: skip
    for number in order:
        company.take(rows[number])
    milan = "+390212345678"
    assert told(company) == sorted(
        [
            ("2002", "called", "incoming", milan, "answered", 60, "0.00", "free", 1),
            ("2002", "calling", "internal", "2003", "transferred", 19, "0.00", "free", 0),
            ("2003", "called", "internal", "2002", "transferred", 19, "0.00", "free", 1),
            ("2002", "redirecting", "incoming", milan, "transferred", 0, "0.00", "free", 0),
            ("2003", "called", "incoming", milan, "answered", 90, "0.00", "free", 0),
        ]
    )


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_transferred_out_after_asking(company: Company, order: tuple[int, ...]) -> None:
    """2002 calls 2001, who asks a mobile (29 s) and joins the two (91 s)."""
    rows = (
        internal(
            "original", at(0), "2002", "2001", ring=4, talk=60, **TRANSFERRED,
            globalCallID_callId=701, origLegCallIdentifier=300, destLegIdentifier=301,
        ),
        outgoing(
            "consult", at(0, 30), "2001", "03331234567", ring=5, talk=29, **TRANSFERRED,
            globalCallID_callId=702, origLegCallIdentifier=302, destLegIdentifier=303,
        ),
        leg(
            "final", at(1, 4), ring=0, talk=91, **JOINED,
            **ids(globalCallID_callId=701, origLegCallIdentifier=300, destLegIdentifier=303),
            callingPartyNumber="2002", finalCalledPartyNumber="03331234567",
            lastRedirectDn="2001", origDeviceName=phone("2002"), destDeviceName=GATEWAY,
            calledPartyPatternUsage=5, OutgoingProtocolID=4, finalCalledPartyPattern="0.!",
        ),
    )  # fmt: skip
    for number in order:
        company.take(rows[number])
    mobile = "+393331234567"
    # 120 s: 30 + 15 x 6 = 120; 0.50 + 0.10 = 0.60; 29/120 of it = 0.145
    assert told(company) == sorted(
        [
            ("2002", "calling", "internal", "2001", "answered", 60, "0.00", "free", 1),
            ("2001", "called", "internal", "2002", "answered", 60, "0.00", "free", 1),
            ("2001", "calling", "outgoing", mobile, "transferred", 29, "0.145", "rated", 0),
            ("2001", "redirecting", "outgoing", mobile, "transferred", 0, "0.455", "rated", 0),
            ("2002", "calling", "outgoing", mobile, "answered", 91, "0.00", "free", 0),
        ]
    )


def conference() -> list[str]:
    """2001 speaks with 2002, calls a mobile, and brings the three together; then the mobile goes."""
    ended = {"origCallTerminationOnBehalfOf": 4, "destCallTerminationOnBehalfOf": 4}
    bridge = "b0029901001"
    feature = {
        "origCalledPartyRedirectReason": 98,
        "lastRedirectRedirectReason": 98,
        "origCalledPartyRedirectOnBehalfOf": 4,
        "lastRedirectRedirectOnBehalfOf": 4,
        "joinOnBehalfOf": 4,
        "lastRedirectDn": bridge,
    }
    rows = [
        internal(
            "original", at(0), "2001", "2002", talk=60, **ended | TRANSFERRED | ended,
            globalCallID_callId=801, origLegCallIdentifier=401, destLegIdentifier=402,
        ),
        outgoing(
            "set-up", at(0, 30), "2001", "03331234567", talk=30, **ended,
            origCause_value=0, destCause_value=0,
            globalCallID_callId=802, origLegCallIdentifier=405, destLegIdentifier=406,
        ),
    ]  # fmt: skip
    for number, device, first, second in (
        ("2001", phone("2001"), 401, 415),
        ("2002", phone("2002"), 402, 416),
        ("03331234567", GATEWAY, 406, 417),
    ):
        rows.append(
            leg(
                f"bridge {number}", at(1, 5), ring=0, talk=360,
                **ids(globalCallID_callId=801, origLegCallIdentifier=first)
                | {"destLegIdentifier": second}
                | {"callingPartyNumber": number, "finalCalledPartyNumber": bridge}
                | feature,
                origDeviceName=device, destDeviceName="CFB_1", destConversationId=1,
                calledPartyPatternUsage=1, destCause_value=SPLIT,
                IncomingProtocolID=4 if device == GATEWAY else 0,
                comment=f"ConfControllerDn=2001;ConfControllerDeviceName={phone('2001')}",
            )
        )  # fmt: skip
    rows.append(
        leg(
            "final", at(7, 5), ring=0, talk=55,
            **ids(globalCallID_callId=801, origLegCallIdentifier=401, destLegIdentifier=402)
            | {"callingPartyNumber": "2001", "finalCalledPartyNumber": "2002"}
            | feature,
            origDeviceName=phone("2001"), destDeviceName=phone("2002"), origCause_value=16,
            calledPartyPatternUsage=2,
        )
    )  # fmt: skip
    return rows


@pytest.mark.parametrize("backwards", [False, True])
def test_a_conference_is_paid_once_by_its_controller(company: Company, backwards: bool) -> None:
    rows = conference()
    if backwards:
        for row in reversed(rows):
            company.take(row)
    else:
        company.take(*rows)
    # The mobile's leg ran 30 + 360 s: 30 + 60 x 6 = 390; 390 x 0.25 / 60 = 1.625; + 0.10
    listed = company.rows()
    assert len({row["conversation"] for row in listed}) == 1
    paid = sorted((row["line_id"], row["cost"]) for row in listed if row["cost"] != "0.00")
    assert paid == [("2001", "0.132692"), ("2001", "1.592308")]  # 1.725 x 30 / 390, and the rest
    people = {row["username"]: row for row in company.report("by-person")["rows"]}
    assert (people["anna"]["calls"], people["anna"]["cost"]) == (1, "1.725")
    assert (people["bruno"]["calls"], people["bruno"]["cost"]) == (1, "0.00")
    assert people["bruno"]["duration"] == 60 + 360 + 55
    company.ok("db", "verify")


def test_a_hunt_call_belongs_to_the_member_when_known(company: Company) -> None:
    pilot = {"huntPilotDN": "2000", "huntPilotPattern": "2000", "calledPartyPatternUsage": 7}
    company.take(
        incoming(
            "shown", at(0), "0612345678", "2008", talk=30,
            originalCalledPartyNumber="2000", lastRedirectDn="2000", **pilot,
        ),
        incoming(
            "hidden", at(1), "0612345678", "2000", talk=31,
            destDeviceName=phone("2008"), finalCalledPartyUnicodeLoginUserID="hugo", **pilot,
        ),
    )  # fmt: skip
    rows = sorted(company.rows(), key=lambda row: row["duration"])
    assert [(row["person"], row["side"], row["hunt_pilot"]) for row in rows] == [
        ("Hugo Marrone", "called", "2000")
    ] * 2


def test_a_call_on_an_alias_is_a_line_of_its_own(company: Company) -> None:
    company.take(
        incoming("a", at(0), "0612345678", "2019", talk=30),
        incoming("b", at(1), "0612345678", "2009", talk=31),
    )
    lines = {row["line_id"]: row for row in company.report("by-line")["rows"]}
    assert {line: row["person"] for line, row in lines.items()} == {
        "2009": "Irene Oro",
        "2019": "Irene Oro",
    }
    (person,) = company.report("by-person")["rows"]
    assert (person["person"], person["calls"]) == ("Irene Oro", 2)


def test_extension_mobility_tells_who_calls_from_a_number_that_nobody_holds(
    company: Company,
) -> None:
    company.take(
        outgoing(
            "e", at(0), "2777", "03331234567", talk=100, callingPartyUnicodeLoginUserID="elena"
        )
    )
    (row,) = company.rows()
    assert (row["person"], row["cost"]) == ("Elena Viola", "0.525")


@pytest.mark.parametrize(("order", "person"), [("number, user", "Anna"), ("user, number", "Elena")])
def test_who_comes_first_the_number_or_the_user(company: Company, order: str, person: str) -> None:
    company.set("cdr:hq", attribution=order)
    company.take(
        internal("a", at(0), "2001", "2002", talk=1, callingPartyUnicodeLoginUserID="elena")
    )
    calling = next(row for row in company.rows() if row["side"] == "calling")
    assert (calling["person"].split()[0], calling["line_id"]) == (person, "2001")


def test_midnight_and_summer_time_are_those_of_the_settings(company: Company) -> None:
    company.take(
        internal("a", "2026-03-31T21:59:00+00:00", "2001", "2002", talk=10),
        internal("b", "2026-03-31T22:30:00+00:00", "2001", "2002", talk=20),
        internal("c", "2026-03-29T00:30:00+00:00", "2001", "2002", talk=40),
    )
    march = company.rows("anna")
    assert sorted(row["started_at"] for row in march) == [
        "2026-03-29T01:30:00+01:00",
        "2026-03-31T23:59:00+02:00",
    ]
    (april,) = company.rows("anna", period=("2026-04-01", "2026-05-01"))
    assert april["started_at"] == "2026-04-01T00:30:00+02:00"
    days = company.report("by-line", "anna", "--group-by", "day")["rows"]
    assert sorted(str(row["day"]) for row in days) == ["2026-03-29", "2026-03-31"]


def test_billing_switched_off_and_numbers_of_nobody_are_no_calls(company: Company) -> None:
    (file,) = company.take(
        incoming("fax", at(0), "0612345678", "2090", talk=30),
        internal("nobody", at(1), "2071", "2072", talk=30),
        internal("one", at(2), "2001", "2072", talk=30),
    )
    assert company.lines() == [("2001", "calling")]
    assert (file["read"], file["stored"], file["not_billed"], file["calls"]) == (3, 1, 2, 1)
    numbers = {row["line_id"]: row["records"] for row in company.listed("unknown")}
    assert numbers == {"2071": 1, "2072": 2}


def test_an_unlisted_trunk_is_reported_and_its_calls_are_unrated(company: Company) -> None:
    company.take(
        outgoing("o", at(0), "2001", "03331234567", talk=100, destDeviceName="SIP-OTHER-1")
    )
    (row,) = company.rows()
    assert (row["cost"], row["state"]) == (None, "unrated")
    assert "SIP-OTHER-1" in company.ok("unknown", "--json").out


def test_a_tie_line_is_on_net(company: Company) -> None:
    company.set("trunk:pbx2", site="hq", devices="SIP-TIE*", role="tie")
    company.take(
        outgoing(
            "o", at(0), "2001", "4711", talk=100, destDeviceName="SIP-TIE-1",
            finalCalledPartyPattern="4XXX", originalCalledPartyPattern="4XXX",
            OutgoingProtocolID=1,
        )
    )  # fmt: skip
    (row,) = company.rows()
    assert (row["direction"], row["class"], row["other_number"]) == ("on-net", "on-net", "4711")


def partitions(company: Company, driver: str) -> None:
    """Two people who share extension 2001 in two partitions."""
    people = dict(PEOPLE)
    people["anna"] = PEOPLE["anna"] | {"l": "PT-Rome"}
    people["bruno"] = PEOPLE["bruno"] | {"l": "PT-Milan", "telephoneNumber": "2001"}
    company.set("cdr:hq", driver=driver)
    company.write_ldif(people)
    company.ok("sync")


def test_partitions_tell_two_people_of_one_extension_apart(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.use_ldif(PEOPLE)
    partitions(company, "cucm-partition")
    company.take(
        outgoing("a", at(0), "2001", "03331234567", talk=100, callingPartyNumberPartition="PT-Rome"),
        outgoing("b", at(1), "2001", "03331234567", talk=4, callingPartyNumberPartition="PT-Milan"),
        outgoing("c", at(2), "2001", "03331234567", talk=7, callingPartyNumberPartition=""),
        outgoing("d", at(3), "2003", "03331234567", talk=8, callingPartyNumberPartition="PT-Any"),
        internal(
            "e", at(4), "2003", "2001", talk=9,
            callingPartyNumberPartition="PT-Rome", finalCalledPartyNumberPartition="PT-Milan",
            originalCalledPartyNumberPartition="PT-Milan",
        ),
    )  # fmt: skip
    found = sorted((row["line_id"], row["person"], row["duration"]) for row in company.rows())
    assert found == [
        ("2003", "Carla Blu", 8),
        ("2003", "Carla Blu", 9),
        ("PT-Milan.2001", "Bruno Neri", 4),
        ("PT-Milan.2001", "Bruno Neri", 9),
        ("PT-Rome.2001", "Anna Verdi", 100),
    ]


def test_without_partitions_a_shared_extension_is_ambiguous_and_never_guessed(
    tmp_path: Path,
) -> None:
    company = Company(tmp_path)
    company.use_ldif(PEOPLE)
    partitions(company, "cucm")
    (file,) = company.take(
        outgoing("a", at(0), "2001", "03331234567", talk=100, callingPartyNumberPartition="PT-Rome")
    )
    assert company.rows() == []
    assert file["not_billed"] == 1


@pytest.mark.parametrize("driver", ["cucm", "cucm-partition"])
def test_the_line_id_has_the_partition_of_the_person(tmp_path: Path, driver: str) -> None:
    company = Company(tmp_path)
    company.use_ldif(PEOPLE | {"irene": PEOPLE["irene"] | {"l": "PT-Rome"}})
    company.set("cdr:hq", driver=driver)
    company.set("licensing", automatic_acquisition="yes")
    company.ok("sync")
    rome = {
        "finalCalledPartyNumberPartition": "PT-Rome",
        "originalCalledPartyNumberPartition": "PT-Rome",
    }
    company.take(
        incoming("own", at(0), "0612345678", "2009", talk=5, **rome),
        incoming("alias", at(1), "0612345678", "2019", talk=5, **rome),
        incoming("of nobody", at(2), "0612345678", "2055", talk=5, **rome),
        incoming("without", at(3), "0612345678", "2002", talk=5, **rome),
    )
    acquired = "2055" if driver == "cucm" else "PT-Rome.2055"
    assert {row["line_id"]: row["person"] for row in company.rows()} == {
        "PT-Rome.2009": "Irene Oro",
        "PT-Rome.2019": "Irene Oro",
        acquired: None,
        "2002": "Bruno Neri",
    }
    (row,) = company.rows("irene", "--filter", "line_id=PT-Rome.2019")
    assert row["person"] == "Irene Oro"


def test_an_extension_in_e164_is_found_in_every_spelling(tmp_path: Path) -> None:
    company = Company(tmp_path)
    number = "+390612342001"
    company.use_ldif(PEOPLE | {"anna": PEOPLE["anna"] | {"telephoneNumber": "+39 06 1234 2001"}})
    company.ok("sync")
    company.take(
        incoming("whole", at(0), "0212345678", number, talk=5),
        incoming("national", at(1), "0212345678", "0612342001", talk=5),
        outgoing("out", at(2), number, "03331234567", talk=100),
        internal("in", at(3), number, "2002", talk=5),
    )
    rows = [row for row in company.rows() if row["person"] == "Anna Verdi"]
    assert [row["line_id"] for row in rows] == [number] * 4
    assert company.report()["totals"]["cost"] == "0.525"
