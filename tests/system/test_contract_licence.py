"""The command contract of the licence: who holds a slot, who waits, what is withheld and released,
and what automatic acquisition takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.contract import (
    PEOPLE,
    Company,
    incoming,
    internal,
    outgoing,
    person,
    phone,
)

HOLDER = {"line_id", "kind", "person", "role", "since"}
PILOT = {"huntPilotDN": "2000", "huntPilotPattern": "2000", "calledPartyPatternUsage": 7}


def at(minute: int) -> str:
    """Return a moment of 10 March 2026 in Rome."""
    return f"2026-03-10T10:{minute:02d}:00+01:00"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    made = Company(tmp_path)
    made.use_ldif(PEOPLE)
    return made


def licence(company: Company) -> dict[str, Any]:
    return dict(company.ok("licence", "--json").json)


def lines(company: Company, what: str = "holders") -> list[str]:
    """Return the line ids of a part of the licence."""
    return [
        entry if isinstance(entry, str) else entry["line_id"] for entry in licence(company)[what]
    ]


def one_call_each(company: Company, *numbers: str) -> None:
    company.take(
        *(
            outgoing(f"o{number}", at(minute), number, "03331234567", talk=100)
            for minute, number in enumerate(numbers)
        )
    )


def test_the_licence_names_its_holders(company: Company) -> None:
    company.set("map:corp", bill_fax="yes", bill_voicemail="yes")
    company.ok("sync")
    found = licence(company)
    assert (found["slots"], found["used"], found["waiting"]) == (250, 13, 0)
    assert (found["waiting_lines"], found["hunt_lines"]) == ([], [])
    assert all(set(holder) >= HOLDER for holder in found["holders"])
    karl = {
        (holder["line_id"], holder["kind"], holder["role"])
        for holder in found["holders"]
        if holder["person"] == "Karl Argento"
    }
    assert karl == {
        ("2010", "named", "first"),
        ("2090", "named", "fax"),
        ("2091", "named", "voicemail"),
    }
    # An alias is free.
    assert "2019" not in lines(company)


def test_flags_without_a_billed_first_extension_take_nothing(company: Company) -> None:
    company.set("map:corp", bill_first_extension="no", bill_fax="yes", bill_voicemail="yes")
    company.ok("sync")
    assert licence(company)["used"] == 0
    one_call_each(company, "2001", "2090")
    assert company.rows() == []


def test_beyond_the_slots_calls_are_withheld_and_released_when_bought(company: Company) -> None:
    company.set("licensing", slots="3")
    company.ok("sync")
    one_call_each(company, "2001", "2002", "2003", "2004", "2005")
    assert lines(company) == ["2001", "2002", "2003"]
    found = licence(company)
    assert (found["slots"], found["used"], found["waiting"]) == (3, 3, 8)
    assert lines(company, "waiting_lines")[:2] == ["2004", "2005"]
    # Withheld: in no list, no total, and of no viewer.
    assert company.lines() == [(number, "calling") for number in ("2001", "2002", "2003")]
    assert company.report()["totals"]["cost"] == "1.575"
    assert company.rows("", "--filter", "line_id=2004") == []
    (file,) = company.listed("files")
    assert (file["read"], file["stored"], file["not_billed"]) == (5, 5, 0)
    company.set("licensing", slots="4")
    company.ok("ingest")
    assert [line for line, _ in company.lines()] == ["2001", "2002", "2003", "2004"]
    company.set("licensing", slots="unlimited")
    company.ok("ingest")
    assert company.report()["totals"]["cost"] == "2.625"
    assert licence(company)["waiting"] == 0
    company.ok("db", "verify")


def test_a_leaver_frees_a_slot_for_who_waits(company: Company) -> None:
    company.set("licensing", slots="1")
    company.set("directory:corp", grace="0 days")
    company.ok("sync")
    one_call_each(company, "2001", "2002")
    assert company.lines() == [("2001", "calling")]
    company.write_ldif({uid: attributes for uid, attributes in PEOPLE.items() if uid != "anna"})
    company.ok("sync")
    company.ok("ingest")
    # Anna held hers when she called.
    assert company.lines() == [("2001", "calling"), ("2002", "calling")]
    assert lines(company) == ["2002"]


def test_named_comes_before_acquired(company: Company) -> None:
    company.set("licensing", slots="12", automatic_acquisition="yes")
    company.ok("sync")
    one_call_each(company, "2051", "2052")
    assert company.lines() == [("2051", "calling")]
    found = {holder["line_id"]: holder for holder in licence(company)["holders"]}
    assert (found["2051"]["kind"], found["2051"]["person"]) == ("acquired", None)
    company.write_ldif(PEOPLE | {"zoe": person(name="Zoe Zeta", extension="2099")})
    company.ok("sync")
    company.ok("ingest")
    assert "2051" not in lines(company)
    assert "2099" in lines(company)
    # It held a slot when it was called: that call stays.
    assert company.lines() == [("2051", "calling")]


def test_an_acquired_number_that_gets_an_owner(company: Company) -> None:
    company.set("licensing", automatic_acquisition="yes")
    company.ok("sync")
    one_call_each(company, "2051")
    company.write_ldif(PEOPLE | {"zoe": person(name="Zoe Zeta", extension="2051", level="2")})
    company.ok("sync")
    company.ok("ingest")
    holder = next(one for one in licence(company)["holders"] if one["line_id"] == "2051")
    assert (holder["kind"], holder["person"]) == ("named", "Zoe Zeta")
    assert licence(company)["used"] == 12
    (row,) = company.rows()
    assert row["person"] is None  # earlier calls stay anonymous
    assert company.rows("zoe") == []


def test_acquisition_off_takes_nothing(company: Company) -> None:
    company.ok("sync")
    one_call_each(company, "2051")
    assert company.rows() == []
    assert licence(company)["used"] == 11
    assert [entry["line_id"] for entry in company.listed("unknown")] == ["2051"]
    assert company.listed("files")[0]["not_billed"] == 1


def test_what_acquisition_takes_and_what_not(company: Company) -> None:
    company.set("licensing", automatic_acquisition="yes")
    company.ok("sync")
    nowhere = {"destDeviceName": "", "origCause_value": 1}
    company.take(
        internal("two", at(1), "2051", "3051", talk=9),
        internal("mis-dial", at(2), "2001", "2999", ring=0, **nowhere),
        internal("not of the site", at(3), "5051", "2001", talk=9),
        incoming("fax that is not billed", at(4), "0612345678", "2090", talk=9),
        incoming("from outside", at(5), "2066", "2001", talk=9),
        internal("no phone", at(6), "2001", "b0029901001", talk=9, destDeviceName="CFB_1"),
    )
    acquired = {
        holder["line_id"] for holder in licence(company)["holders"] if holder["kind"] == "acquired"
    }
    assert acquired == {"2051", "3051"}
    assert {row["person"] for row in company.rows("", "--filter", "line_id=2051,3051")} == {None}


def test_hunt_numbers_are_documented_without_a_slot(company: Company) -> None:
    company.set("licensing", automatic_acquisition="yes")
    company.ok("sync")
    company.take(
        incoming(
            "named member", at(0), "0612345678", "2008", talk=30,
            originalCalledPartyNumber="2000", lastRedirectDn="2000", **PILOT,
        ),
        incoming(
            "other member", at(1), "0612345678", "2077", talk=30,
            originalCalledPartyNumber="2000", lastRedirectDn="2000", **PILOT,
        ),
    )  # fmt: skip
    found = licence(company)
    assert found["used"] == 11
    assert {"2077"} <= set(lines(company, "hunt_lines")) <= {"2000", "2077"}
    assert "2008" in lines(company)
    called = {row["line_id"]: row for row in company.rows("", "--filter", "side=called")}
    assert called["2008"]["person"] == "Hugo Marrone"
    assert (called["2077"]["person"], called["2077"]["hunt_pilot"]) == (None, "2000")


def test_an_acquired_number_that_turns_out_to_hunt_frees_its_slot(company: Company) -> None:
    company.set("licensing", automatic_acquisition="yes")
    company.ok("sync")
    company.take(internal("plain", at(0), "2077", "2001", talk=9))
    assert licence(company)["used"] == 12
    company.take(
        incoming(
            "hunted", at(1), "0612345678", "2077", talk=30,
            originalCalledPartyNumber="2000", lastRedirectDn="2000", **PILOT,
        )
    )  # fmt: skip
    assert licence(company)["used"] == 11
    assert "2077" in lines(company, "hunt_lines")
    assert len(company.rows("", "--filter", "line_id=2077")) == 2


def test_a_pilot_that_sticks_to_a_transfer_makes_no_member(company: Company) -> None:
    """huntPilotDN stays on the record after a transfer; who it was transferred to is no member."""
    company.set("licensing", automatic_acquisition="yes")
    company.ok("sync")
    company.take(
        incoming(
            "sticky", at(0), "0612345678", "2077", talk=30, ring=0,
            lastRedirectDn="2008", lastRedirectRedirectReason=4,
            lastRedirectRedirectOnBehalfOf=10, joinOnBehalfOf=10,
            huntPilotDN="2000", huntPilotPattern="2000",
        )
    )  # fmt: skip
    assert "2077" not in lines(company, "hunt_lines")
    assert "2077" in lines(company)


VOICEMAIL: dict[str, Any] = {
    "lastRedirectDn": "2010",
    "originalCalledPartyNumber": "2010",
    "origCalledPartyRedirectReason": 2,
    "lastRedirectRedirectReason": 2,
    "origCalledPartyRedirectOnBehalfOf": 5,
    "lastRedirectRedirectOnBehalfOf": 5,
    "joinOnBehalfOf": 5,
}


@pytest.mark.parametrize(
    ("number", "device"),
    [("2091", phone("2091")), ("6000", "SIP-VM-1")],
    ids=["own number", "trunk of role voicemail"],
)
def test_voicemail_and_fax_when_they_are_billed(company: Company, number: str, device: str) -> None:
    company.set("map:corp", bill_fax="yes", bill_voicemail="yes")
    company.set("trunk:vm", site="hq", devices="SIP-VM*", role="voicemail")
    company.ok("sync")
    company.take(
        incoming(
            "v",
            at(0),
            "0612345678",
            number,
            ring=20,
            talk=30,
            **VOICEMAIL | {"destDeviceName": device},
        ),
        incoming("f", at(1), "0612345678", "2090", talk=31),
        outgoing("g", at(2), "2090", "03331234567", talk=100),
    )
    rows = {(row["line_id"], row["side"]): row for row in company.rows()}
    assert set(rows) == {
        ("2010", "redirecting"),
        ("2091", "called"),
        ("2090", "called"),
        ("2090", "calling"),
    }
    assert {row["person"] for row in rows.values()} == {"Karl Argento"}
    assert rows["2090", "calling"]["cost"] == "0.525"
    assert rows["2091", "called"]["duration"] == 30
    assert len(company.rows("karl")) == 4


def test_a_shared_voicemail_pilot_is_held_by_nobody(company: Company) -> None:
    company.set("map:corp", bill_voicemail="yes")
    people = {uid: attributes | {"pager": "6000"} for uid, attributes in PEOPLE.items()}
    company.write_ldif(people)
    company.ok("sync")
    company.take(
        incoming(
            "v", at(0), "0612345678", "6000", ring=20, talk=30,
            **VOICEMAIL | {"destDeviceName": "VM-PORT-1"},
        )
    )  # fmt: skip
    rows = {row["side"]: row for row in company.rows()}
    assert {side: row["person"] for side, row in rows.items()} == {
        "called": "Karl Argento",
        "redirecting": "Karl Argento",
    }
    assert company.rows("anna") == []


def test_the_licence_says_what_acquisition_would_take_and_reprocessing_takes_it(
    company: Company,
) -> None:
    company.set("licensing", slots="12")
    company.ok("sync")
    one_call_each(company, "2051", "2052", "2053")
    shown = company.ok("licence")
    assert "automatic acquisition would add 3 lines, 2 more than you have" in shown.err
    assert licence(company)["forecast"] == {
        "lines": ["2051", "2052", "2053"],
        "slots": 3,
        "beyond": 2,
        "hunt_lines": 0,
    }
    company.set("licensing", automatic_acquisition="yes")
    company.ok("ingest")
    assert licence(company)["used"] == 11
    span = ("reprocess", "--from", "2026-03-10", "--to", "2026-03-11")
    asked = company.ok(*span, "--dry-run").err
    assert "would take 3 more lines, a slot each, 2 more than you have" in asked
    assert licence(company)["used"] == 11
    company.ok(*span, "--yes")
    found = licence(company)
    assert (found["used"], lines(company, "waiting_lines")) == (12, ["2052", "2053"])
    assert (found["forecast"]["lines"], len(company.rows())) == ([], 1)


def test_the_licence_by_person(company: Company) -> None:
    company.set("map:corp", bill_fax="yes", bill_voicemail="yes")
    company.set("licensing", slots="12")
    company.ok("sync")
    (karl,) = [one for one in licence(company)["people"] if one["person"] == "Karl Argento"]
    assert karl == {
        "person": "Karl Argento",
        "slots": 2,
        "waiting": 1,
        "lines": [
            {"role": "first", "line_id": "2010"},
            {"role": "fax", "line_id": "2090"},
            {"role": "voicemail", "line_id": "2091"},
        ],
    }
    table = company.ok("licence", "--by", "person").out
    (row,) = [line for line in table.splitlines() if line.startswith("Karl Argento")]
    assert row.split() == [
        *("Karl", "Argento", "2", "1"),
        *("2010", "(first),", "2090", "(fax),", "2091", "(voicemail)"),
    ]
