"""The licence, sentence by sentence: what is processed, who holds a slot, what is withheld."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.domain.codes import Role
from syncd.licensing.history import HUNT, PASSED, standing
from syncd.licensing.claims import Terms
from syncd.licensing.slots import slot_key
from syncd.licensing.view import LicenceView, view
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
    Slot,
    UnknownNumber,
    database,
)
from tests.fixtures.worked_examples import BRIDGE, EXAMPLES
from tests.support.bed import START, Bed, make_bed
from tests.support.phones import GATEWAY, leg

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


@sentence("only calls of configured, named people with a billed number are processed")
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


@sentence("unless automatic acquisition is on")
def _(bed: Bed) -> None:
    bed.change(acquisition=True)
    bed.ingest(out(1, "2003"))
    assert lines(bed) == [("2003", None)]


@sentence("each new internal number is documented anonymously and takes a slot")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=5)
    bed.ingest(leg(1, 2, 3, "2003", "2004"), out(2, "2003", at=9))
    assert lines(bed) == [("2003", None), ("2004", None), ("2003", None)]
    assert holders(bed) == [
        ("2003", "acquired", None, "acquired"),
        ("2004", "acquired", None, "acquired"),
    ]


@sentence("acquired is only the number of a line-side device: not of a trunk's calling number")
def _(bed: Bed) -> None:
    bed.change(acquisition=True)
    bed.ingest(
        out(1, "2003", origDeviceName="SIP-TIE", IncomingProtocolID=1),
        out(2, "2004", origDeviceName=GATEWAY, IncomingProtocolID=4),
        out(3, "2005", origDeviceName=""),
    )
    assert licence(bed).used == 0


@sentence("acquired is a called number only where a device was reached: no mis-dials")
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


@sentence("acquired is a number only if the site's internal patterns name it")
def _(bed: Bed) -> None:
    bed.change(acquisition=True)
    bed.ingest(into(1, "4001"), out(2, "5001"), into(3, "6801"))
    assert lines(bed) == [("6801", None)]
    assert [one.line_id for one in licence(bed).holders] == ["6801"]


@sentence("acquired are no ports, bridges, park slots, outside numbers")
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


@sentence("a number that a configured person has with billing off is never acquired")
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


@sentence("an acquired hunt pilot or member is documented anonymously and takes no slot")
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


@sentence("the called side is the member when known, else the pilot")
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


@sentence("a named person's enabled extension takes its slot even if it is a hunt member")
def _(bed: Bed) -> None:
    bed.person("anna", "2001")
    bed.change(acquisition=True, slots=0)
    bed.ingest(hunted(1, "2001"))
    assert (lines(bed), withheld(bed)) == ([("6100", None)], [("2001", "anna")])
    bed.change(slots=1)
    bed.take()
    assert holders(bed) == [("2001", "named", "Anna", "first")]
    assert len(lines(bed)) == 2


@sentence("when an acquired number is learned to be a hunt number its slot is freed")
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
    bed.ingest()
    assert licence(bed).hunt_lines == ("2003",)
    assert [one.line_id for one in licence(bed).holders] == ["2004"]
    assert withheld(bed) == [("2005", None)]
    HuntMember.update(site="").execute()
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


@sentence("first extension 1, each other extension 1, fax +1, voicemail +1")
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


@sentence("alias and off-net fax are free")
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


@sentence("alias and off-net fax follow their owner's first extension and fax")
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


@sentence("voicemail: incoming calls that hit the voicemail number, not calls from it")
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


@sentence("fax: both directions, fax or off-net fax number")
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


@sentence("a slot belongs to (person, role): renumbering keeps it")
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


@sentence("when an acquired number becomes a configured one the slot passes to the person")
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


@sentence("earlier calls of an acquired number stay anonymous when somebody is configured")
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


@sentence("order of claims: named before acquired")
def _(bed: Bed) -> None:
    bed.change(acquisition=True, slots=1)
    bed.person("anna", "2001", learned_at=bed.now + 5)
    bed.ingest(out(1, "2009"), out(2, "2001", at=1))
    assert (lines(bed), withheld(bed)) == ([("2001", "anna")], [("2009", None)])


@sentence("order of claims: first extensions before fax before voicemail")
def _(bed: Bed) -> None:
    more = ((Role.VOICEMAIL, "2031", True), (Role.FAX, "2021", True))
    bed.person("anna", "2001", more=more, learned_at=1)
    bed.person("bruno", "2002", learned_at=2)
    for slots, held in enumerate(("2001", "2002", "2021", "2031"), 1):
        bed.change(slots=slots)
        assert licence(bed).holders[-1].line_id == held


@sentence("order of claims: then the moment syncd learned it; then line id")
def _(bed: Bed) -> None:
    bed.person("anna", "2003", learned_at=7)
    bed.person("bruno", "2002", learned_at=7)
    bed.person("carla", "2001", learned_at=9)
    for slots, held in enumerate(("2002", "2003", "2001"), 1):
        bed.change(slots=slots)
        assert licence(bed).holders[-1].line_id == held


@sentence("a named claim displaces the last acquired holder from then on")
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


@sentence("when the licence is full, nothing fails and nothing is thrown away")
def _(bed: Bed) -> None:
    bed.change(slots=0)
    bed.person("anna", "2001")
    outcome = bed.ingest(out(1, "2001"))
    assert (outcome.failed, outcome.records, outcome.calls, outcome.withheld) == (False, 1, 0, 1)
    (file,) = bed.ledger()
    assert (file["stored"], file["calls"]) == (1, 0)
    (row,) = bed.calls(CallWithheld)
    assert (row["state"], row["cost"], row["counted"]) == ("rated", "0.75", 1)


@sentence("a call is withheld iff its line held no slot at the time of the call and holds none now")
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


@sentence("the licence view shows lines and counts")
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


@sentence("the licence view shows what is withheld of somebody who left, too")
def _(bed: Bed) -> None:
    bed.change(slots=0)
    anna = bed.person("anna", "2001")
    bed.ingest(out(1, "2001"), out(2, "2001", at=5))
    leave(bed, anna, bed.now)
    (line,) = licence(bed).waiting_lines
    assert (line.line_id, line.person, line.calls) == ("2001", "Anna", 2)
    bed.change(slots=None)
    assert licence(bed).waiting_lines == ()


@sentence("a bought slot releases withheld calls at the next unit of work, rated as of their time")
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


@sentence("a freed slot releases the calls of who waits")
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


@sentence("admins see who holds a slot since when and why, who waits")
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


@sentence("calls of a number that is not billed are not stored; unknown numbers are listed")
def _(bed: Bed) -> None:
    bed.ingest(out(1, "2003", at=5), into(2, "2003", at=9))
    assert bed.calls() == []
    (number,) = UnknownNumber.select()
    assert (number.number, number.first_seen, number.last_seen) == ("2003", START + 5, START + 9)


@pytest.mark.parametrize("rule", SENTENCES, ids=str)
def test_licence(bed: Bed, rule: str) -> None:
    SENTENCES[rule](bed)
