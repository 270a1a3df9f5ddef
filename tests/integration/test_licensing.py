"""The licence, sentence by sentence: what is processed, who holds a slot, what is withheld."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.calls.directory_view import rules_of
from syncd.calls.pipeline import Pipeline
from syncd.cdr import ledger
from syncd.domain.codes import Role
from syncd.licensing.claims import Terms, document
from syncd.licensing.history import HUNT, PASSED, WAS_HUNT, standing
from syncd.licensing.settlement import settle
from syncd.licensing.slots import slot_key
from syncd.licensing.view import LicenceView, view
from syncd.store import withheld as withheld_calls
from syncd.store.database import write_transaction
from syncd.store.models import (
    AcquiredLine,
    Assignment,
    CallWithheld,
    DirtyDay,
    HuntGroup,
    HuntMember,
    Line,
    Party,
    Record,
    RollupDay,
    Slot,
    UnknownNumber,
    database,
)
from syncd.store.rollups import rebuild
from tests.fixtures.worked_examples import BRIDGE, EXAMPLES
from tests.support.bed import ROME, START, Bed, make_bed
from tests.support.phones import GATEWAY, leg
from tests.support.stores import on_postgresql

MOBILE = "03331234567"
OUTSIDE = "+33123456789"
DAY = 86_400
Scenario = Callable[[Bed], None]
SENTENCES: dict[str, Scenario] = {}


def sentence(text: str) -> Callable[[Scenario], Scenario]:
    """Name the rule that a scenario shows."""

    def keep(scenario: Scenario) -> Scenario:
        assert text not in SENTENCES
        SENTENCES[text] = scenario
        return scenario

    return keep


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = make_bed(tmp_path)
    yield made
    database.close()


def licence(bed: Bed) -> LicenceView:
    return view(Terms(bed.context.slots, bed.context.acquisition), bed.now)


def holders(bed: Bed) -> list[tuple[str, str, str | None, str]]:
    return [(one.line_id, one.kind, one.person, one.role) for one in licence(bed).holders]


def lines(bed: Bed) -> list[tuple[str, str | None]]:
    """Return (line id, person) of the call rows."""
    return bed.rows("line", "person")


def withheld(bed: Bed) -> list[tuple[str, str | None]]:
    return [(row["line"], row["person"]) for row in bed.calls(CallWithheld)]


def out(call: int, number: str, at: int = 0, **columns: Any) -> dict[str, Any]:
    """Return an outgoing call of an extension."""
    return leg(call, call * 2, call * 2 + 1, number, MOBILE, at=at, **columns)


def into(call: int, number: str, at: int = 0, **columns: Any) -> dict[str, Any]:
    """Return an incoming call to an extension."""
    return leg(call, call * 2, call * 2 + 1, OUTSIDE, number, at=at, **columns)


def move(bed: Bed, party: Party, role: Role, number: str, at: int) -> None:
    """Give a party another number in a role, as a sync at ``at`` does."""
    query = (Assignment.party == party) & (Assignment.role == int(role))
    (old,) = Assignment.select().where(query)
    old.valid_to = at
    old.save()
    bed.assign(party, role, number, old.billed, since=at, learned_at=at)
    bed.directory_changed()


def leave(bed: Bed, party: Party, at: int) -> None:
    Assignment.update(valid_to=at).where(Assignment.party == party).execute()
    bed.directory_changed()


# --- what is processed ---------------------------------------------------------------------------


@sentence("without acquisition there are calls of people with a billed number alone")
def _(bed: Bed) -> None:
    bed.person("anna", "2001")
    bed.person("off", "2002", billed=False)
    bed.ingest(out(1, "2001"), out(2, "2002"), out(3, "2003"))
    assert lines(bed) == [("2001", "anna")]
    assert [row["not_billed"] for row in bed.ledger()] == [2]
    reasons = {row.calling_number: row.reason for row in Record.select()}
    assert reasons == {
        "2001": "",
        "2002": "billing is off for the number",
        "2003": "nobody is configured for the number",
    }


@sentence("with acquisition a number without a person has calls, too")
def _(bed: Bed) -> None:
    bed.change(acquisition=True)
    bed.ingest(out(1, "2003"))
    assert lines(bed) == [("2003", None)]


@sentence("what is acquired has no name, and has a slot")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=5)
    bed.ingest(leg(1, 2, 3, "2003", "2004"), out(2, "2003", at=9))
    assert lines(bed) == [("2003", None), ("2004", None), ("2003", None)]
    assert holders(bed) == [
        ("2003", "acquired", None, "acquired"),
        ("2004", "acquired", None, "acquired"),
    ]


@sentence("who calls over a trunk or a gateway is not acquired")
def _(bed: Bed) -> None:
    bed.change(acquisition=True)
    bed.ingest(
        out(1, "2003", origDeviceName="SIP-TIE", IncomingProtocolID=1),
        out(2, "2004", origDeviceName=GATEWAY, IncomingProtocolID=4),
        out(3, "2005", origDeviceName=""),
    )
    assert licence(bed).used == 0


@sentence("a called number without a phone behind it is not acquired")
def _(bed: Bed) -> None:
    bed.change(acquisition=True)
    bed.ingest(
        into(1, "2003", destDeviceName="", calledPartyPatternUsage=2),
        into(2, "2004", destDeviceName="SIP-VM", OutgoingProtocolID=1),
    )
    assert (licence(bed).used, lines(bed)) == (0, [])
    assert {row.reason for row in Record.select()} == {
        "nobody holds the number and no device was reached"
    }


@sentence("a number beyond the site's patterns is not acquired")
def _(bed: Bed) -> None:
    bed.change(acquisition=True)
    bed.ingest(into(1, "4001"), out(2, "5001"), into(3, "6801"))
    assert lines(bed) == [("6801", None)]
    assert [one.line_id for one in licence(bed).holders] == ["6801"]


@sentence("conference bridges, voicemail ports and parked calls acquire nothing")
def _(bed: Bed) -> None:
    bed.change(acquisition=True)
    bed.now = START + 365 * DAY
    for name in ("conference", "park and retrieve", "forwarded to voicemail", "blind transfer"):
        bed.ingest(*EXAMPLES[name])
    assert sorted(one.line_id for one in licence(bed).holders) == ["2001", "2002", "2003", "2309"]
    assert BRIDGE not in {row.number for row in UnknownNumber.select()}


@sentence("a forwarder whose device was not reached is not acquired")
def _(bed: Bed) -> None:
    bed.change(acquisition=True)
    bed.ingest(
        into(
            1,
            "2004",
            originalCalledPartyNumber="2003",
            lastRedirectDn="2003",
            lastRedirectRedirectReason=15,
            lastRedirectRedirectOnBehalfOf=5,
        )
    )
    assert lines(bed) == [("2004", None)]


@sentence("who has billing off is not acquired in its stead")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=5)
    bed.person("off", "2002", billed=False, more=((Role.ALIAS, "2012", False),))
    bed.ingest(out(1, "2002"), into(2, "2002"), into(3, "2012"))
    assert (licence(bed).used, lines(bed)) == (0, [])


@sentence("a number whose billing is turned off later gives its acquired slot back")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=5)
    bed.ingest(out(1, "2002"))
    assert licence(bed).used == 1
    bed.person("off", "2002", billed=False, since=bed.now)
    assert licence(bed).used == 0


# --- hunt groups ---------------------------------------------------------------------------------


def hunted(call: int, member: str, at: int = 0, **columns: Any) -> dict[str, Any]:
    return into(
        call,
        member,
        at,
        originalCalledPartyNumber="6100",
        lastRedirectDn="6100",
        huntPilotDN="6100",
        calledPartyPatternUsage=7,
        **columns,
    )


@sentence("pilot and member of a hunt group need no slot")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=0)
    bed.ingest(hunted(1, "2003"))
    assert lines(bed) == [("2003", None), ("6100", None)]
    seen = licence(bed)
    assert (seen.used, seen.waiting, seen.hunt_lines) == (0, 0, ("2003", "6100"))


@sentence("a member is not learned from a record that was redirected after the pilot")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=5)
    bed.ingest(
        hunted(
            1,
            "2003",
            lastRedirectRedirectReason=2,
            lastRedirectRedirectOnBehalfOf=5,
            joinOnBehalfOf=5,
        )
    )
    assert "2003" not in licence(bed).hunt_lines


@sentence("a member is not learned from a later transfer, to which the pilot sticks")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=5)
    bed.ingest(
        into(
            1,
            "2004",
            huntPilotDN="6100",
            lastRedirectDn="2003",
            lastRedirectRedirectReason=4,
            lastRedirectRedirectOnBehalfOf=10,
            joinOnBehalfOf=10,
        )
    )
    assert licence(bed).hunt_lines == ()
    assert ("2004", "acquired", None, "acquired") in holders(bed)


@sentence("a hunted call is the member's where somebody knows who it was, else the pilot's")
def _(bed: Bed) -> None:
    anna = bed.person("anna", "2001")
    bed.assign(anna, Role.USER_ID, "anna1")
    bed.directory_changed()
    bed.change(acquisition=True)
    hidden = {"finalCalledPartyNumber": "6100"}
    bed.ingest(
        hunted(1, "2001"),
        hunted(2, "2001", at=1, finalCalledPartyUnicodeLoginUserID="anna1", **hidden),
        hunted(3, "2009", at=2, **hidden),
    )
    assert bed.rows("line", "person", "side") == [
        ("2001", "anna", "called"),
        ("6100", None, "pilot"),
        ("2001", "anna", "called"),
        ("6100", None, "pilot"),
        ("6100", None, "called"),
    ]


@sentence("somebody's own billed extension needs its slot in a hunt group, too")
def _(bed: Bed) -> None:
    bed.person("anna", "2001")
    bed.change(acquisition=True, slots=0)
    bed.ingest(hunted(1, "2001"))
    assert (lines(bed), withheld(bed)) == ([("6100", None)], [("2001", "anna")])
    bed.change(slots=1)
    bed.take()
    assert holders(bed) == [("2001", "named", "Anna", "first")]
    assert len(lines(bed)) == 2


@sentence("a number that turns out to hunt gives its slot to the next")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=1)
    bed.ingest(into(1, "2003"))
    bed.ingest(into(2, "2004"))
    assert ([one.line_id for one in licence(bed).holders], withheld(bed)) == (
        ["2003"],
        [("2004", None)],
    )
    bed.ingest(hunted(3, "2003"))
    assert [one.line_id for one in licence(bed).holders] == ["2004"]
    assert withheld(bed) == []


@sentence("withheld calls of a number that is learned to be a hunt number are released")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=0)
    bed.ingest(into(1, "2003"))
    assert withheld(bed) == [("2003", None)]
    bed.ingest(hunted(2, "2003", at=5))
    assert (withheld(bed), lines(bed)) == (
        [],
        [("2003", None), ("2003", None), ("6100", None)],
    )


@sentence("a number that a list names as hunt pilot or member takes no slot when it is acquired")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=1)
    bed.ingest(into(1, "2003"), into(2, "2004", at=1), into(3, "2005", at=2))
    assert [one.line_id for one in licence(bed).holders] == ["2003"]
    assert withheld(bed) == [("2004", None), ("2005", None)]
    group = HuntGroup.create(source="list", name="Support", name_key="support", number="2003")
    HuntMember.create(group=group, number="2004", site="elsewhere")
    bed.directory_changed()
    bed.ingest()
    assert licence(bed).hunt_lines == ("2003",)
    assert [one.line_id for one in licence(bed).holders] == ["2004"]
    assert withheld(bed) == [("2005", None)]
    HuntMember.update(site="").execute()
    bed.directory_changed()
    bed.ingest()
    assert licence(bed).hunt_lines == ("2003", "2004")
    assert [one.line_id for one in licence(bed).holders] == ["2005"]
    assert withheld(bed) == []
    key = slot_key(0, Role.ACQUIRED, Line.get(Line.number == "2003").id)
    assert standing(key, START, hunt=False, unlimited=False).reason == HUNT
    HuntMember.delete().execute()
    group.delete_instance()
    assert licence(bed).hunt_lines == ()


@sentence("a listed member that somebody has with billing on takes its slot all the same")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=1)
    bed.person("anna", "2001")
    group = HuntGroup.create(source="list", name="Support", name_key="support", number="6100")
    HuntMember.create(group=group, number="2001")
    bed.ingest(into(1, "2001"))
    assert [one.line_id for one in licence(bed).holders] == ["2001"]
    assert licence(bed).hunt_lines == ()


# --- what takes a slot ---------------------------------------------------------------------------


@sentence("one slot for each: first, further extensions, fax, voicemail")
def _(bed: Bed) -> None:
    bed.change(slots=9)
    bed.person(
        "anna",
        "2001",
        more=(
            (Role.OTHER, "2011", True),
            (Role.OTHER, "2012", True),
            (Role.FAX, "2021", True),
            (Role.VOICEMAIL, "2031", True),
        ),
    )
    bed.person("bruno", "2002", more=((Role.FAX, "2022", False),))
    assert holders(bed) == [
        ("2001", "named", "Anna", "first"),
        ("2002", "named", "Bruno", "first"),
        ("2011", "named", "Anna", "other"),
        ("2012", "named", "Anna", "other"),
        ("2021", "named", "Anna", "fax"),
        ("2031", "named", "Anna", "voicemail"),
    ]


@sentence("an alias and an off-net fax number take none")
def _(bed: Bed) -> None:
    bed.change(slots=2)
    bed.person(
        "anna",
        "2001",
        more=(
            (Role.ALIAS, "+390612342001", True),
            (Role.FAX, "2021", True),
            (Role.OFFNET_FAX, "+390612342021", True),
        ),
    )
    bed.ingest(
        *(
            into(call, number, destDeviceName="SEP001122302001", OutgoingProtocolID=0)
            for call, number in enumerate(("2001", "+390612342001", "2021", "+390612342021"), 1)
        )
    )
    assert [one.line_id for one in licence(bed).holders] == ["2001", "2021"]
    assert (len(lines(bed)), withheld(bed)) == (4, [])


@sentence("an alias is shown with the first extension, an off-net fax with the fax")
def _(bed: Bed) -> None:
    bed.change(slots=1)
    bed.person(
        "anna",
        "2001",
        more=(
            (Role.ALIAS, "2051", True),
            (Role.FAX, "2021", True),
            (Role.OFFNET_FAX, "2061", True),
        ),
    )
    bed.ingest(*(into(int(number), number) for number in ("2001", "2051", "2021", "2061")))
    assert sorted(lines(bed)) == [("2001", "anna"), ("2051", "anna")]
    assert sorted(withheld(bed)) == [("2021", "anna"), ("2061", "anna")]
    (waiting,) = licence(bed).waiting_lines
    assert (waiting.line_id, waiting.role, waiting.calls) == ("2021", "fax", 2)


@sentence("a voicemail number has the calls to it, and none from it")
def _(bed: Bed) -> None:
    bed.person("anna", "2001", more=((Role.VOICEMAIL, "2031", True),))
    bed.ingest(into(1, "2031"), out(2, "2031", at=5))
    assert bed.rows("line", "person", "side") == [("2031", "anna", "called")]


@sentence(
    "a call redirected to a shared pilot from a person's line is that person's voicemail call"
)
def _(bed: Bed) -> None:
    for name, number in (("anna", "2001"), ("bruno", "2002")):
        bed.person(name, number, more=((Role.VOICEMAIL, "6000", True),), shared=True)
    redirect = {
        "originalCalledPartyNumber": "2002",
        "lastRedirectDn": "2002",
        "lastRedirectRedirectReason": 2,
        "lastRedirectRedirectOnBehalfOf": 5,
    }
    bed.ingest(into(1, "6000", **redirect), into(2, "6000", at=5))
    assert bed.rows("line", "person", "side") == [
        ("6000", "bruno", "called"),
        ("2002", "bruno", "redirecting"),
    ]
    direct = Record.get(Record.call_ref == (1 << 32 | 2))
    assert direct.reason == "a shared voicemail pilot is held by nobody"


@sentence("a call redirected to a voicemail trunk is the voicemail call of who redirected it")
def _(bed: Bed) -> None:
    bed.person("anna", "2001", more=((Role.VOICEMAIL, "2031", True),))
    bed.ingest(
        into(
            1,
            "6999",
            destDeviceName="SIP-VM",
            OutgoingProtocolID=1,
            originalCalledPartyNumber="2001",
            lastRedirectDn="2001",
            lastRedirectRedirectReason=2,
            lastRedirectRedirectOnBehalfOf=5,
        )
    )
    assert bed.rows("line", "person", "side") == [
        ("2031", "anna", "called"),
        ("2001", "anna", "redirecting"),
    ]


@sentence("a fax has its calls in either direction, by either number")
def _(bed: Bed) -> None:
    bed.person("anna", "2001", more=((Role.FAX, "2021", True), (Role.OFFNET_FAX, "2061", True)))
    bed.ingest(out(1, "2021"), into(2, "2021", 1), out(3, "2061", 2), into(4, "2061", 3))
    assert bed.rows("line", "side") == [
        ("2021", "calling"),
        ("2021", "called"),
        ("2061", "calling"),
        ("2061", "called"),
    ]


# --- who holds a slot ----------------------------------------------------------------------------


@sentence("who gets another number keeps the slot, and its date")
def _(bed: Bed) -> None:
    anna = bed.person("anna", "2001", learned_at=1)
    bed.person("bruno", "2002", learned_at=2)
    bed.change(slots=1)
    bed.ingest(out(1, "2001"))
    since = licence(bed).holders[0].since
    bed.now += DAY
    move(bed, anna, Role.FIRST, "2009", bed.now)
    bed.ingest(out(2, "2009", at=31 * DAY))
    (holder,) = licence(bed).holders
    assert (holder.line_id, holder.person, holder.since) == ("2009", "Anna", since)
    assert (lines(bed), withheld(bed)) == ([("2001", "anna"), ("2009", "anna")], [])
    assert Slot.select().count() == 1


@sentence("an acquired number that somebody gets needs no second slot")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=1)
    bed.ingest(out(1, "2001"))
    assert holders(bed) == [("2001", "acquired", None, "acquired")]
    bed.now += DAY
    bed.person("anna", "2001", since=bed.now, learned_at=bed.now, partition="HQ")
    bed.ingest(out(2, "2001", at=31 * DAY))
    assert holders(bed) == [("HQ.2001", "named", "Anna", "first")]
    assert licence(bed).waiting == 0
    assert (lines(bed), withheld(bed)) == ([("2001", None), ("HQ.2001", "anna")], [])


@sentence("what was called before somebody had the number keeps no name")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=0)
    bed.ingest(out(1, "2001"))
    assert withheld(bed) == [("2001", None)]
    bed.now += DAY
    bed.person("anna", "2001", since=bed.now, learned_at=bed.now)
    bed.change(slots=1)
    bed.ingest(out(2, "2001", at=31 * DAY), out(3, "2001", at=5))
    assert (lines(bed), withheld(bed)) == (
        [("2001", None), ("2001", None), ("2001", "anna")],
        [],
    )
    (acquired,) = AcquiredLine.select()
    key = slot_key(0, Role.ACQUIRED, acquired.line_id)
    assert standing(key, START, hunt=False, unlimited=False).reason.endswith(PASSED)
    leave(bed, Party.get(Party.username == "anna"), bed.now)
    assert not standing(key, START, hunt=False, unlimited=False).slot


@sentence("people are served before numbers")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=1)
    bed.person("anna", "2001", learned_at=bed.now + 5)
    bed.ingest(out(1, "2009"), out(2, "2001", at=1))
    assert (lines(bed), withheld(bed)) == ([("2001", "anna")], [("2009", None)])


@sentence("extensions are served before faxes, faxes before voicemail")
def _(bed: Bed) -> None:
    more = ((Role.VOICEMAIL, "2031", True), (Role.FAX, "2021", True))
    bed.person("anna", "2001", more=more, learned_at=1)
    bed.person("bruno", "2002", learned_at=2)
    for slots, held in enumerate(("2001", "2002", "2021", "2031"), 1):
        bed.change(slots=slots)
        assert licence(bed).holders[-1].line_id == held


@sentence("who was known earlier is served earlier, at one moment by line id")
def _(bed: Bed) -> None:
    bed.person("anna", "2003", learned_at=7)
    bed.person("bruno", "2002", learned_at=7)
    bed.person("carla", "2001", learned_at=9)
    for slots, held in enumerate(("2002", "2003", "2001"), 1):
        bed.change(slots=slots)
        assert licence(bed).holders[-1].line_id == held


@sentence("a newcomer takes the slot of the number that was acquired last")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=2)
    bed.ingest(out(1, "2008"))
    bed.now += 60
    bed.ingest(out(2, "2009", at=60))
    bed.now += DAY
    bed.person("anna", "2001", since=bed.now, learned_at=bed.now)
    later = 31 * DAY + 60
    bed.ingest(*(out(n, number, at=later) for n, number in ((3, "2008"), (4, "2009"), (5, "2001"))))
    assert [one.line_id for one in licence(bed).holders] == ["2001", "2008"]
    assert lines(bed) == [("2008", None), ("2009", None), ("2008", None), ("2001", "anna")]
    assert withheld(bed) == [("2009", None)]


# --- when the licence is full --------------------------------------------------------------------


@sentence("a full licence fails nothing and loses nothing")
def _(bed: Bed) -> None:
    bed.change(slots=0)
    bed.person("anna", "2001")
    outcome = bed.ingest(out(1, "2001"))
    assert (outcome.failed, outcome.records, outcome.calls, outcome.withheld) == (False, 1, 0, 1)
    (file,) = bed.ledger()
    assert (file["stored"], file["calls"]) == (1, 0)
    (row,) = bed.calls(CallWithheld)
    assert (row["state"], row["cost"], row["counted"]) == ("rated", "0.75", 1)


@sentence("withheld is what had no slot then and has none now")
def _(bed: Bed) -> None:
    bed.change(slots=1)
    anna = bed.person("anna", "2001", learned_at=1)
    bed.person("bruno", "2002", learned_at=2)
    bed.now = START
    bed.take()
    leave(bed, anna, START + DAY)
    bed.now = START + DAY
    bed.take()
    # Anna held the slot on the first day; Bruno holds one now, for whatever day.
    bed.now = START + 2 * DAY
    bed.ingest(out(1, "2001", at=60), out(2, "2002", at=60), out(3, "2002", at=DAY + 60))
    assert (lines(bed), withheld(bed)) == (
        [("2001", "anna"), ("2002", "bruno"), ("2002", "bruno")],
        [],
    )
    bed.change(slots=0)
    bed.ingest(out(4, "2002", at=90), out(5, "2002", at=DAY + 90), out(6, "2001", at=90))
    assert withheld(bed) == [("2002", "bruno")]
    assert bed.calls(CallWithheld)[0]["start"] == 90


@sentence("the view counts what is withheld of each line")
def _(bed: Bed) -> None:
    bed.change(slots=1)
    bed.person("anna", "2001", learned_at=1)
    bed.person("bruno", "2002", learned_at=2)
    bed.ingest(leg(1, 2, 3, "2001", "2002", at=5), out(2, "2002", at=90))
    seen = licence(bed)
    assert (seen.slots, seen.used, seen.waiting) == (1, 1, 1)
    (line,) = seen.waiting_lines
    assert (line.line_id, line.kind, line.person, line.role) == ("2002", "named", "Bruno", "first")
    assert (line.calls, line.first, line.last) == (2, START + 5, START + 90)


@sentence("the view has those who left, as long as calls of theirs are withheld")
def _(bed: Bed) -> None:
    bed.change(slots=0)
    anna = bed.person("anna", "2001")
    bed.ingest(out(1, "2001"), out(2, "2001", at=5))
    leave(bed, anna, bed.now)
    (line,) = licence(bed).waiting_lines
    assert (line.line_id, line.person, line.calls) == ("2001", "Anna", 2)
    bed.change(slots=None)
    assert licence(bed).waiting_lines == ()


@sentence("the next poll after a purchase shows what was withheld, as it was")
def _(bed: Bed) -> None:
    bed.change(slots=0)
    bed.person("anna", "2001")
    bed.ingest(out(1, "2001"))
    (before,) = bed.calls(CallWithheld)
    DirtyDay.delete().execute()
    bed.change(slots=1)
    outcome = bed.take()
    assert (outcome.released, withheld(bed)) == (1, [])
    assert bed.calls() == [before]
    assert [file["calls"] for file in bed.ledger()] == [1]
    assert [day.day for day in DirtyDay.select()] == [20260528]


@sentence("an unlimited licence releases everything")
def _(bed: Bed) -> None:
    bed.change(slots=0)
    bed.person("anna", "2001", more=((Role.FAX, "2021", True),))
    anna = bed.person("gone", "2002")
    bed.ingest(out(1, "2001"), out(2, "2021"), out(3, "2002"))
    leave(bed, anna, bed.now)
    bed.change(slots=None)
    assert bed.take().released == 3
    assert withheld(bed) == []


@sentence("who waits gets the slot of who leaves, with all calls")
def _(bed: Bed) -> None:
    bed.change(slots=1)
    anna = bed.person("anna", "2001", learned_at=1)
    bed.person("bruno", "2002", learned_at=2)
    bed.ingest(out(1, "2001"), out(2, "2002"))
    assert withheld(bed) == [("2002", "bruno")]
    leave(bed, anna, bed.now + 10)
    bed.now += 10
    assert bed.take().released == 1
    assert lines(bed) == [("2001", "anna"), ("2002", "bruno")]


@sentence("the view says who holds a slot since when, why, and who waits")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=2)
    bed.person("anna", "2001", learned_at=1)
    bed.ingest(out(1, "2008"), out(2, "2009", at=1))
    seen = licence(bed)
    assert [(one.line_id, one.since, one.reason) for one in seen.holders] == [
        ("2001", bed.now, "billed first number of a configured person"),
        ("2008", bed.now, "acquired automatically"),
    ]
    assert [one.line_id for one in seen.waiting_lines] == ["2009"]
    held = Slot.select().where(Slot.since <= bed.now, Slot.until > bed.now)
    assert held.count() == 2


@sentence("withheld calls of a conversation that is decided again are not doubled")
def _(bed: Bed) -> None:
    rows = EXAMPLES["blind transfer"]
    bed.now = START + 365 * DAY
    bed.change(slots=1)
    bed.person("anna", "2001", learned_at=1)
    bed.person("bruno", "2002", learned_at=2)
    for columns in reversed(rows):
        bed.ingest(columns)
    assert withheld(bed) == [("2002", "bruno"), ("2002", "bruno")]
    assert len(lines(bed)) == 3
    bed.change(slots=2)
    bed.take()
    assert len(lines(bed)) == 5
    assert sum(file["calls"] for file in bed.ledger()) == 5


@sentence("a number that nobody holds has no calls, and is listed with its first and last")
def _(bed: Bed) -> None:
    bed.ingest(out(1, "2003", at=5), into(2, "2003", at=9))
    assert bed.calls() == []
    (number,) = UnknownNumber.select()
    assert (number.number, number.first_seen, number.last_seen) == ("2003", START + 5, START + 9)


@sentence("slots that are given back: the last of the queue wait from then on, their calls stay")
def _(bed: Bed) -> None:
    bed.change(slots=2)
    bed.person("anna", "2001", learned_at=1)
    bed.person("bruno", "2002", learned_at=2)
    bed.ingest(out(1, "2001"), out(2, "2002"))
    bed.change(slots=1)
    bed.now += DAY
    bed.ingest(out(3, "2001", at=31 * DAY), out(4, "2002", at=31 * DAY))
    assert [one.line_id for one in licence(bed).waiting_lines] == ["2002"]
    assert lines(bed) == [("2001", "anna"), ("2002", "bruno"), ("2001", "anna")]
    assert withheld(bed) == [("2002", "bruno")]


@sentence("a late record of who left and one of who lost the slot are judged by the same sentence")
def _(bed: Bed) -> None:
    bed.now = START
    bed.change(slots=2)
    anna = bed.person("anna", "2001", learned_at=1)
    bed.person("bruno", "2002", learned_at=2)
    bed.take()
    bed.now = START + DAY
    leave(bed, anna, bed.now)
    bed.change(slots=0)
    bed.take()
    bed.now = START + 5 * DAY
    bed.ingest(out(1, "2001", at=60), out(2, "2002", at=60), out(3, "2002", at=2 * DAY))
    assert lines(bed) == [("2001", "anna"), ("2002", "bruno")]
    assert withheld(bed) == [("2002", "bruno")]


@sentence("released calls keep the price of their own time, whatever the tariff is by then")
def _(bed: Bed) -> None:
    bed.change(slots=0)
    bed.person("anna", "2001")
    bed.ingest(out(1, "2001"))
    bed.change(slots=1, carriers={})
    assert bed.take().released == 1
    assert [row["cost"] for row in bed.calls()] == ["0.75"]


@sentence("withheld calls are in no sum")
def _(bed: Bed) -> None:
    bed.change(slots=0)
    bed.person("anna", "2001")
    bed.ingest(out(1, "2001"))
    rebuild(ROME, bed.now)
    assert not RollupDay.select().exists()
    bed.change(slots=1)
    bed.take()
    rebuild(ROME, bed.now)
    assert [(one.calls, one.cost) for one in RollupDay.select()] == [(1, 750_000)]


@sentence("a number that a list names no longer keeps its calls, and takes a slot from then on")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=1)
    group = HuntGroup.create(source="list", name="Support", name_key="support", number="6100")
    HuntMember.create(group=group, number="2003")
    bed.ingest(into(1, "2003"), hunted(2, "2003", at=5))
    assert licence(bed).used == 0
    HuntMember.delete().execute()
    bed.directory_changed()
    bed.now += DAY
    bed.take()
    assert [(one.line_id, one.since) for one in licence(bed).holders] == [("2003", bed.now)]
    assert licence(bed).hunt_lines == ("6100",)
    bed.change(slots=0)
    bed.now += DAY
    # A late record of before says nothing about today, a new one does.
    bed.ingest(hunted(3, "2003", at=9), into(4, "2003", at=31 * DAY + 20_000))
    assert licence(bed).hunt_lines == ("6100",)
    assert withheld(bed) == []
    bed.now += DAY
    bed.ingest(into(5, "2003", at=32 * DAY))
    assert withheld(bed) == [("2003", None)]
    key = slot_key(0, Role.ACQUIRED, Line.get(Line.number == "2003").id)
    assert standing(key, START, hunt=False, unlimited=False).reason.endswith(WAS_HUNT)
    bed.ingest(hunted(6, "2003", at=33 * DAY - 60))
    assert licence(bed).hunt_lines == ("2003", "6100")
    assert withheld(bed) == []


@sentence("before acquisition is turned on, the view says what it would take")
def _(bed: Bed) -> None:
    bed.change(slots=2)
    bed.person("anna", "2001")
    bed.person("off", "2002", billed=False)
    nowhere = {"destDeviceName": "", "calledPartyPatternUsage": 2}
    bed.ingest(
        out(1, "2001"),
        out(2, "2002", at=1),
        into(3, "2003", at=2),
        into(4, "2004", at=3),
        into(5, "2005", at=4),
        hunted(6, "2005", at=5),
        into(7, "2006", at=6, **nowhere),
        out(8, "5001", at=7),
    )
    told = licence(bed).forecast
    assert (told.lines, told.beyond, told.hunts) == (("2003", "2004"), 1, 2)
    bed.person("carla", "2003")
    assert licence(bed).forecast.lines == ("2004",)
    group = HuntGroup.create(source="list", name="Support", name_key="support", number="2004")
    assert (licence(bed).forecast.lines, licence(bed).forecast.hunts) == ((), 3)
    group.delete_instance()
    bed.change(acquisition=True, slots=None)
    assert licence(bed).forecast.lines == ("2004",)
    bed.ingest(into(9, "2004", at=99))
    assert licence(bed).forecast.lines == ()


@sentence(
    "acquisition that is turned on takes nothing for what was read before, until it is read again"
)
def _(bed: Bed) -> None:
    bed.ingest(into(1, "2003"), into(2, "2004", at=1))
    bed.change(acquisition=True, slots=5)
    bed.take()
    assert (licence(bed).used, lines(bed)) == (0, [])
    assert licence(bed).forecast.lines == ("2003", "2004")
    with write_transaction():
        pbx = ledger.pbx_id(bed.context.pbx)
        pipeline = Pipeline(bed.context, rules_of(bed.context), pbx, bed.now)
        pipeline.decide_again([record.id for record in Record.select()])
    assert (licence(bed).used, lines(bed)) == (2, [("2003", None), ("2004", None)])


@sentence(
    "records of a number that somebody gets for the past become calls when they are read again"
)
def _(bed: Bed) -> None:
    bed.ingest(out(1, "2003"))
    assert bed.calls() == []
    bed.person("anna", "2003")
    with write_transaction():
        pbx = ledger.pbx_id(bed.context.pbx)
        pipeline = Pipeline(bed.context, rules_of(bed.context), pbx, bed.now)
        pipeline.decide_again([record.id for record in Record.select()])
    assert lines(bed) == [("2003", "anna")]


@sentence("the view says what each person takes, two people of one name apart")
def _(bed: Bed) -> None:
    bed.change(slots=5)
    more = ((Role.FAX, "2021", True), (Role.VOICEMAIL, "2031", True), (Role.ALIAS, "2041", True))
    bed.person("anna", "2001", more=more, learned_at=1)
    bed.person("bruno", "2002", more=((Role.OTHER, "2012", True),), learned_at=2)
    twin = bed.person("anna2", "2003", learned_at=3)
    Party.update(display_name="Anna").where(Party.id == twin.id).execute()
    assert [(one.person, one.held, one.waiting, one.lines) for one in licence(bed).people] == [
        ("Anna", 2, 1, (("first", "2001"), ("fax", "2021"), ("voicemail", "2031"))),
        ("Anna", 1, 0, (("first", "2003"),)),
        ("Bruno", 2, 0, (("first", "2002"), ("other", "2012"))),
    ]


@pytest.mark.parametrize("rule", SENTENCES, ids=str)
def test_licence(bed: Bed, rule: str) -> None:
    SENTENCES[rule](bed)


def test_withheld_calls_are_looked_at_when_who_holds_a_slot_has_changed_and_not_else(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    real = withheld_calls.waiting
    monkeypatch.setattr(withheld_calls, "waiting", lambda: looked.append(bed.now) or real())
    bed.change(slots=1, acquisition=True)
    anna = bed.person("anna", "2001", learned_at=1)
    bed.person("bruno", "2002", learned_at=2)
    for call in range(1, 9):
        bed.now += 60
        bed.ingest(out(2 * call, "2002", at=call), out(2 * call + 1, f"200{call}", at=call))
    assert len(looked) == 1
    bed.now += 60
    leave(bed, anna, bed.now)
    assert bed.take().released == 9
    assert len(looked) == 2
    bed.take()
    assert len(looked) == 2


def test_a_licence_that_changed_elsewhere_is_settled_again_within_a_poll(bed: Bed) -> None:
    bed.change(slots=0)
    bed.person("anna", "2001")
    with write_transaction():
        pbx = ledger.pbx_id(bed.context.pbx)
        pipeline = Pipeline(bed.context, rules_of(bed.context), pbx, bed.now)
        pipeline.decide_again(())
        assert pipeline.licence is not None
        before = pipeline.licence
        # Another process has read other settings.
        settle(Terms(5, acquisition=False), bed.now)
        pipeline.decide_again(())
        assert pipeline.licence is not before


def test_more_lines_than_a_statement_has_variables(bed: Bed) -> None:
    """SQLite takes about 32,000; here it takes less."""
    count = 2000
    if not on_postgresql():
        database.obj.connection().setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 1700)
    with write_transaction():
        for start in range(0, count, 250):
            Line.insert_many(
                {"site": "hq", "partition": "", "number": f"n{at}", "line_id": f"n{at}"}
                for at in range(start, min(start + 250, count))
            ).execute()
        rows = [row[0] for row in Line.select(Line.id).where(Line.site == "hq").tuples()]
        assert document({line: line if line % 2 else None for line in rows}, bed.now)
        assert not document(dict.fromkeys(rows, None), bed.now)
        settle(Terms(None, acquisition=True), bed.now)
    bed.change(acquisition=True)
    seen = licence(bed)
    assert seen.used + len(seen.hunt_lines) == count
    with write_transaction():
        settle(Terms(0, acquisition=True), bed.now + 1)
    assert not Slot.select().where(Slot.until > bed.now + 1).exists()


def settlements(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the moments at which the licence is settled from now on."""
    from syncd.licensing import settlement

    moments: list[int] = []
    stock = settlement.survey

    def survey(terms: Terms, now: int) -> Any:
        moments.append(now)
        return stock(terms, now)

    monkeypatch.setattr(settlement, "survey", survey)
    return moments


@pytest.mark.parametrize("slots", [None, 5])
def test_the_licence_is_settled_when_something_has_changed(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, slots: int | None
) -> None:
    bed.change(slots=slots)
    bed.person("anna", "2001")
    bed.take()
    moments = settlements(monkeypatch)
    bed.take()
    assert moments == []
    bed.person("bert", "2002")
    bed.take()
    assert [one.line_id for one in licence(bed).holders] == ["2001", "2002"]
    bed.change(slots=1)
    bed.take()
    assert [one.line_id for one in licence(bed).holders] == ["2001"]
    bed.change(slots=1, acquisition=True)
    bed.take()
    assert len(moments) == 3
    bed.take()
    assert len(moments) == 3


def test_who_has_a_number_from_a_later_moment_on_gets_a_slot_then(bed: Bed) -> None:
    bed.change(slots=1)
    bed.person("anna", "2001", since=bed.now + 50)
    bed.take()
    assert licence(bed).used == 0
    bed.now += 60
    bed.take()
    assert [one.line_id for one in licence(bed).holders] == ["2001"]
