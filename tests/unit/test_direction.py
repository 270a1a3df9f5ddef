"""Which way a call goes, of what class it is, who the other party is and who pays: a row for each
rule, decided from records to sides as intake does it.

A side reads ``SIDE LINE DIRECTION CLASS OTHER``, with ``pays`` when the outgoing leg is at its cost,
and ``LINE=OWN`` when a person with a line of their own was found by user id or device; a record of
which no side is ours reads as the reason.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest

from syncd.billing.numbering import Numbering, NumberingPlan
from syncd.calls.analysis import Rules
from syncd.calls.attribution import Holder, Holders
from syncd.calls.conversation import in_order
from syncd.calls.sides import analyse
from syncd.calls.trunks import Endpoints, TrunkRule
from syncd.cdr.drivers.cucm import cucm
from syncd.demo.cucm_columns import HEADER, TYPES
from syncd.demo.cucm_writer import format_row, row
from syncd.domain.charging import Charging
from syncd.domain.clock import FOREVER
from syncd.domain.codes import NumberClass, Role, TrunkRole
from syncd.domain.leg import MOBILITY_FOLLOW_ME, SPLIT, Exclusion
from syncd.licensing.slots import slot_key
from tests.support.drivers import read
from tests.support.legs import make_rec

GATEWAY = "S0/SU0/DS1-3@vg01.example.com"
PLAN = NumberingPlan(
    "IT",
    "06",
    "0",
    "",
    ("2XXX", "3XXX", "6XXX"),
    (("+39333999", NumberClass.PREMIUM), ("0118", NumberClass.SPECIAL)),
)
TRUNKS = (
    TrunkRule("old-pbx", TrunkRole.TIE, "", ("*",), patterns=("4[0-7]XXX",)),
    TrunkRule("redirect", TrunkRole.CONTACT_CENTRE, "", ("S0/SU*",), partitions=("PT-Agents",)),
    TrunkRule("lab", TrunkRole.TIE, "", ("S0/SU*",), numbers=(re.compile("88[0-9]{3}"),)),
    TrunkRule("second", TrunkRole.PSTN, "other", ("*",), patterns=("9.!",)),
    TrunkRule("pstn", TrunkRole.PSTN, "telco", ("S0/SU*", "SIP-PSTN*", "172.16.11.1")),
    TrunkRule("london", TrunkRole.TIE, "", ("ICT-LON",)),
    TrunkRule("vm", TrunkRole.VOICEMAIL, "", ("SIP-VM",)),
    TrunkRule("fax", TrunkRole.FAX, "", ("SIP-FAX",)),
    TrunkRule("agents", TrunkRole.CONTACT_CENTRE, "", ("UCCX*",)),
    TrunkRule("tape", TrunkRole.RECORDER, "", ("REC*",)),
    TrunkRule("analog-trunk", TrunkRole.PSTN, "telco", ("AALN/S1*",)),
)


def holder(party: int, number: str, role: Role = Role.FIRST) -> Holder:
    line = int(number[-4:]) if number[-4:].isdigit() else party
    slot = slot_key(party, role, line)
    return Holder(party, role, line, number, "", "", number, True, False, 0, FOREVER, slot)


PEOPLE = (
    holder(1, "2001"),
    holder(1, "anna", Role.USER_ID),
    holder(1, "SEP000000002001", Role.DEVICE),
    holder(1, "+393331234567", Role.MOBILE),
    holder(2, "2002"),
    holder(2, "bruno", Role.USER_ID),
    holder(3, "2003"),
)


def rules(order: tuple[str, ...], **policy: Charging) -> Rules:
    numbering = Numbering(PLAN)
    holders = Holders(
        PEOPLE, {}, site="hq", plan=numbering, partitions=False, only_site=True, order=order
    )
    return Rules(numbering, Endpoints(TRUNKS), holders, "hq", False, False, True, **policy)


def decided(
    *records: dict[str, Any], order: tuple[str, ...] = ("number", "user"), **policy: Charging
) -> list[str]:
    """Return what becomes of the sides of the last record."""
    recs = in_order(make_rec(at, **columns) for at, columns in enumerate(records, 1))
    result = analyse(recs, rules(order, **policy))
    last = len(recs) - 1
    found = []
    for index, draft in enumerate(result.drafts):
        if draft.at != last:
            continue
        paying = result.payers.get(last) == index and any(
            leg.direction.word == "outgoing" and any(at == last for at, _ in leg.segments)
            for leg in result.legs
        )
        line = "=".join(one.line_id for one in (draft.line, draft.holder) if one)
        words = [draft.side.word, line, draft.direction.word, draft.number_class.word, draft.other]
        found.append(" ".join(filter(None, [*words, "pays" if paying else ""])))
    return found or [result.verdicts[last].reason]


def phone(number: str) -> dict[str, Any]:
    return {"calling_number": number, "orig_device": f"SEP00000000{number}"}


def to_phone(number: str) -> dict[str, Any]:
    return {
        "original_number": number,
        "final_number": number,
        "redirecting_number": number,
        "dest_device": f"SEP00000000{number}",
        "pattern_usage": 2,
    }


def by(device: str, number: str, protocol: int = 4) -> dict[str, Any]:
    return {"calling_number": number, "orig_device": device, "incoming_protocol": protocol}


def to(device: str, number: str, pattern: str = "", protocol: int = 4) -> dict[str, Any]:
    return {
        "original_number": number,
        "final_number": number,
        "redirecting_number": number,
        "dest_device": device,
        "final_pattern": pattern,
        "outgoing_protocol": protocol,
        "pattern_usage": 5,
    }


def call(*parts: dict[str, Any], **columns: Any) -> dict[str, Any]:
    """Return the columns of a record: connected for 60 s from its 5th on, legs 101 and 102."""
    whole: dict[str, Any] = {
        "started_at": 1000,
        "connected_at": 1005,
        "ended_at": 1065,
        "duration": 60,
        "orig_leg": 101,
        "dest_leg": 102,
    }
    for part in (*parts, columns):
        whole.update(part)
    return whole


def never(*parts: dict[str, Any], **columns: Any) -> dict[str, Any]:
    return call(*parts, connected_at=0, duration=0, orig_cause=16, **columns)


ANNA = phone("2001")
MOBILE, E164 = "03331234567", "+393331234567"
OUT = to(GATEWAY, MOBILE, "0.!")
ROME = "+390648901234"
IN = by("SIP-PSTN-1", ROME, 1)
ANNA_OUT = [f"calling 2001 outgoing mobile {E164} pays"]
ANNA_IN = [f"called 2001 incoming local {ROME}"]


class Case(NamedTuple):
    """A rule, its records, and the sides of the last one."""

    rule: str
    records: tuple[dict[str, Any], ...]
    sides: list[str]
    order: tuple[str, ...] = ("number", "user")


def forwarded(number: str, reason: int, first: str = "", first_reason: int = 0) -> dict[str, Any]:
    return {
        "original_number": first or number,
        "redirecting_number": number,
        "first_redirect_reason": first_reason or reason,
        "last_redirect_reason": reason,
        "last_redirect_by": 5,
        "joined_by": 5,
    }


BOTH = ["calling 2001 internal internal 2002", "called 2002 internal internal 2001"]


def one(rule: str, record: dict[str, Any], *sides: str) -> Case:
    return Case(rule, (record,), list(sides))


DEVICES = [
    one("a SIP or SCCP phone", call(ANNA, to_phone("2002")), *BOTH),
    *(
        one(
            f"a soft or analog phone: {name}",
            call(ANNA, orig_device=name) | to_phone("2002"),
            *BOTH,
        )
        for name in ("CSFANNA", "TCTANNA", "BOTANNA", "TABANNA", "ATA001122334455", "VG0011223344")
    ),
    *(
        one(
            f"{name} speaks SIP and is a phone still",
            call(ANNA, to_phone("2002"), orig_device=name, incoming_protocol=1),
            *BOTH,
        )
        for name in ("CSFANNA", "SEP001122334455")
    ),
    one(
        "an analog port of a gateway is a phone",
        call(ANNA, to_phone("2002"), dest_device="AALN/S0/SU0/1@vg01", outgoing_protocol=4),
        *BOTH,
    ),
    one(
        "an analog port that the configuration calls a trunk is one",
        call(ANNA, to("AALN/S1/SU0/1@vg01", MOBILE, "0.!")),
        *ANNA_OUT,
    ),
    one("a T1 or E1 of a gateway", call(ANNA, OUT), *ANNA_OUT),
    one(
        "a BRI of a gateway",
        call(ANNA, to("BRI/S0/SU1/P0@vg02", MOBILE, "0.!")),
        *ANNA_OUT,
    ),
    one(
        "an H.323 gateway is named by its address",
        call(ANNA, to("172.16.11.1", MOBILE, "0.!", 2)),
        *ANNA_OUT,
    ),
    one(
        "an address is a gateway even without a protocol, and nobody lists it",
        call(ANNA, to("10.0.0.7", MOBILE, "0.!", 0)),
        *ANNA_OUT,
    ),
    one(
        "a SIP trunk has the role of its section",
        call(ANNA, to("ICT-LON", "7001", "7XXX", 1)),
        "calling 2001 on-net on-net 7001",
    ),
    one(
        "a CTI port shows protocol 3 and is no trunk",
        call(ANNA, to_phone("2002"), dest_device="CTI_RP_1", outgoing_protocol=3),
        *BOTH,
    ),
    one(
        "a mobility profile is on the line side",
        call(ANNA, to_phone("2002"), dest_device="RDP-bruno"),
        *BOTH,
    ),
    one(
        "who is not listed and speaks a trunk's protocol is a trunk",
        call(ANNA, to("SIP-NEW", MOBILE, "0.!", 1)),
        *ANNA_OUT,
    ),
    one(
        "who is not listed and speaks none is on the line side",
        call(ANNA, to_phone("2002"), dest_device="Reception"),
        *BOTH,
    ),
    one(
        "a trunk to the voicemail speaks SIP too: its section comes first",
        call(ANNA, to("SIP-VM", "6000", "6000", 1)),
        "calling 2001 internal internal 6000",
    ),
]

DIRECTIONS = [
    one("line to line", call(ANNA, to_phone("2002")), *BOTH),
    one("line to the public network", call(ANNA, OUT), *ANNA_OUT),
    one("the public network to a line", call(IN, to_phone("2001")), *ANNA_IN),
    one(
        "the public network to the voicemail is incoming",
        call(IN, to("SIP-VM", "6000", "6000", 1), forwarded("2001", 2)),
        f"redirecting 2001 incoming local {ROME}",
    ),
    one(
        "the public network to the fax server is incoming",
        call(IN, to("SIP-FAX", "2002", "2XXX", 1)),
        f"called 2002 incoming local {ROME}",
    ),
    one(
        "the public network to a contact centre is incoming",
        call(IN, to("UCCX_1", "2002", "2XXX", 1)),
        f"called 2002 incoming local {ROME}",
    ),
    one(
        "trunk to trunk is transit, and of nobody of the company without a forwarder",
        call(IN, OUT),
        "no line of ours takes part",
    ),
    *(
        Case(
            f"transit with redirect reason {reason} is the redirecting line's",
            (call(IN, OUT, forwarded("2002", reason)),),
            [f"redirecting 2002 transit mobile {E164} pays"],
        )
        for reason in (1, 2, 10, 15, 66, 82, 178, 4, 130, 162)
    ),
    one(
        "over a tie line, out",
        call(ANNA, to("ICT-LON", "7001", "7XXX", 1)),
        "calling 2001 on-net on-net 7001",
    ),
    one(
        "over a tie line, in",
        call(by("ICT-LON", "7001", 1), to_phone("2001")),
        "called 2001 on-net on-net 7001",
    ),
    one(
        "nothing reached, by a route pattern: an outgoing attempt",
        never(ANNA, to("", MOBILE, "0.!", 0), dest_leg=0),
        f"calling 2001 outgoing mobile {E164}",
    ),
    one(
        "nothing reached, else: an internal attempt",
        never(ANNA, {"final_number": "2999", "pattern_usage": 2}, dest_leg=0),
        "calling 2001 internal internal 2999",
    ),
    one(
        "nothing reached from outside: incoming",
        never(IN, {"final_number": "2001", "pattern_usage": 2}, dest_leg=0),
        *ANNA_IN,
    ),
    one(
        "nothing reached, by the pattern of a tie line: on-net",
        never(ANNA, to("", "41234", "4[0-7]XXX", 0), dest_leg=0),
        "calling 2001 on-net on-net 41234",
    ),
    one(
        "nothing reached, by a pattern that a trunk to the public network lists: outgoing",
        never(ANNA, to("", "03331234567", "9.!", 0), dest_leg=0, pattern_usage=3),
        f"calling 2001 outgoing mobile {E164}",
    ),
    one(
        "a pattern of an old PBX behind the gateway is no outgoing call",
        call(ANNA, to(GATEWAY, "41234", "4[0-7]XXX")),
        "calling 2001 on-net on-net 41234",
    ),
    one(
        "nor is a partition",
        call(ANNA, to(GATEWAY, "3999", "3XXX"), final_partition="PT-Agents"),
        "calling 2001 internal internal 3999",
    ),
    one(
        "nor is a number",
        call(ANNA, to(GATEWAY, "88123", "8!")),
        "calling 2001 on-net on-net 88123",
    ),
    one(
        "nor a caller's number that comes in by the gateway",
        call(by(GATEWAY, "88123"), to_phone("2001")),
        "called 2001 on-net on-net 88123",
    ),
    one("a recorder is no call", call(ANNA, to("REC1", "8999", "8999", 1)), "recorder trunk"),
    one(
        "a bridge is none of these, and what calls it is internal",
        call(ANNA, {"final_number": "b0029901001", "dest_device": "CFB_1"}),
        "calling 2001 internal internal b0029901001",
    ),
]

FINAL = {
    "started_at": 1065,
    "connected_at": 1065,
    "ended_at": 1125,
    "orig_leg": 102,
    "dest_leg": 104,
}
TRANSFERRED = {
    "redirecting_number": "2001",
    "last_redirect_reason": 4,
    "last_redirect_by": 10,
    "joined_by": 10,
}
HANDED_OVER = {"orig_cause": SPLIT, "dest_cause": SPLIT, "orig_ended_by": 10, "dest_ended_by": 10}

NUMBERS = [
    one(
        "the number is what was dialled at last, not what was dialled first",
        call(ANNA, OUT, original_number="2999"),
        *ANNA_OUT,
    ),
    one("a trailing # ends dialling", call(ANNA, to(GATEWAY, MOBILE + "#", "0.!")), *ANNA_OUT),
    one(
        "the digits before the dot come off a number that begins with them",
        call(ANNA, to(GATEWAY, "703331234567", "70.!")),
        "calling 2001 outgoing mobile +393331234567 pays",
    ),
    one(
        "patterns have syntax before the dot too",
        call(ANNA, to(GATEWAY, "73331234567", "[67].@")),
        *ANNA_OUT,
    ),
    one(
        "they stay on a number that does not begin with them",
        call(ANNA, to(GATEWAY, MOBILE, "71650.!")),
        *ANNA_OUT,
    ),
    one(
        "without a dot the site's access code comes off",
        call(ANNA, to(GATEWAY, MOBILE, "0!")),
        *ANNA_OUT,
    ),
    one(
        "own rules of the site decide the class first",
        call(ANNA, to(GATEWAY, "03339991234", "0.!")),
        "calling 2001 outgoing premium +393339991234 pays",
    ),
    one(
        "a caller's number that is withheld is none",
        call(by("SIP-PSTN-1", "anonymous", 1), to_phone("2001")),
        "called 2001 incoming unclassified",
    ),
    one(
        "a number of the plan behind a tie line is the tie line's",
        call(ANNA, to("ICT-LON", "2999", "2XXX", 1)),
        "calling 2001 on-net on-net 2999",
    ),
    Case(
        "a leg keeps the number, class and trunk of its set-up",
        (
            call(ANNA, OUT, HANDED_OVER),
            call(by(GATEWAY, "+39333999", 4), to_phone("2002"), FINAL, TRANSFERRED),
        ),
        [f"called 2002 outgoing mobile {E164}", f"redirecting 2001 outgoing mobile {E164} pays"],
    ),
    Case(
        "a tie leg behind the gateway stays one, though its later record names no pattern",
        (
            call(ANNA, to(GATEWAY, "41234", "4[0-7]XXX"), HANDED_OVER),
            call(by(GATEWAY, "41234", 4), to_phone("2002"), FINAL, TRANSFERRED),
        ),
        ["called 2002 on-net on-net 41234", "redirecting 2001 on-net on-net 41234"],
    ),
]

CHARGED = [
    one("outgoing: the line that called", call(ANNA, OUT), *ANNA_OUT),
    one(
        "outgoing from a phone of nobody's: who is logged in",
        call(phone("2999"), OUT, calling_user="bruno"),
        f"calling 2999=2002 outgoing mobile {E164} pays",
    ),
    one(
        "the line's holder comes before who is logged in",
        call(ANNA, OUT, calling_user="bruno"),
        *ANNA_OUT,
    ),
    Case(
        "who is logged in comes first where the source says so",
        (call(phone("2001"), OUT, calling_user="bruno"),),
        [f"calling 2001=2002 outgoing mobile {E164} pays"],
        ("user", "number"),
    ),
    one(
        "without a number: the device",
        call({"calling_number": "", "orig_device": "SEP000000002001"}, OUT),
        *ANNA_OUT,
    ),
    one(
        "without number and device: nobody",
        call({"calling_number": "", "orig_device": "SEP00000000FFFF"}, OUT),
        "nobody holds the number and no internal pattern names it",
    ),
    one(
        "forwarded out: who forwarded last",
        call(phone("2003"), OUT, forwarded("2002", 2, "2001", 15)),
        f"calling 2003 outgoing mobile {E164}",
        f"first-redirecting 2001 outgoing mobile {E164}",
        f"redirecting 2002 outgoing mobile {E164} pays",
    ),
    Case("transferred out: who called until then", (call(ANNA, OUT, HANDED_OVER),), ANNA_OUT),
    Case(
        "and who transferred from then on",
        (
            call(IN, to_phone("2001"), HANDED_OVER, dest_leg=103),
            call(IN, OUT, TRANSFERRED, started_at=1065, connected_at=1065, ended_at=1125),
        ),
        [f"redirecting 2001 transit mobile {E164} pays"],
    ),
    Case(
        "an outside member of a conference: its controller",
        (
            call(ANNA, OUT, orig_ended_by=4, dest_ended_by=4),
            call(
                by(GATEWAY, MOBILE),
                {"final_number": "b0029901001", "dest_device": "CFB_1"},
                started_at=1065,
                connected_at=1065,
                ended_at=1125,
                orig_leg=102,
                dest_leg=117,
                joined_by=4,
                last_redirect_reason=98,
                redirecting_number="b0029901001",
                controller="2001",
                conference=1,
            ),
        ),
        [f"redirecting 2001 outgoing mobile {E164} pays"],
    ),
    one(
        "single number reach: the line that was called",
        call(IN, OUT, redirecting_number="2001", last_redirect_reason=MOBILITY_FOLLOW_ME),
        f"called 2001 transit mobile {ROME} pays",
    ),
    one(
        "without the line: whose mobile phone it is",
        call(IN, OUT, last_redirect_reason=MOBILITY_FOLLOW_ME),
        f"called 2001 transit mobile {ROME} pays",
    ),
    one(
        "the caller of a single number is not told the mobile one",
        call(
            phone("2002"), OUT, redirecting_number="2001", last_redirect_reason=MOBILITY_FOLLOW_ME
        ),
        "calling 2002 outgoing internal 2001",
        "called 2001 outgoing mobile 2002 pays",
    ),
    one("incoming: nobody", call(IN, to_phone("2001")), *ANNA_IN),
    one(
        "a hunt group: its member",
        call(
            IN,
            to_phone("2002"),
            hunt_pilot="6100",
            pattern_usage=7,
            original_number="6100",
            redirecting_number="6100",
        ),
        f"called 2002 incoming local {ROME}",
    ),
]


@pytest.mark.parametrize(
    "case", [*DEVICES, *DIRECTIONS, *NUMBERS, *CHARGED], ids=lambda case: case.rule
)
def test_rule(case: Case) -> None:
    assert decided(*case.records, order=case.order) == case.sides


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"lastRedirectRedirectReason": 354, "lastRedirectRedirectOnBehalfOf": 27}, "recording"),
        ({"lastRedirectRedirectReason": 370, "joinOnBehalfOf": 28}, "monitoring"),
        ({"calledPartyPatternUsage": 6}, "message waiting"),
        ({"origCallTerminationOnBehalfOf": 8}, "message waiting"),
        ({"globalCallID_callManagerId": 0, "globalCallID_callId": 0}, "mobility attempt"),
    ],
)
def test_what_is_no_call(columns: dict[str, Any], rule: str) -> None:
    given = row(
        dateTimeOrigination=1_780_000_000,
        dateTimeDisconnect=1_780_000_009,
        callingPartyNumber="2001",
        finalCalledPartyNumber="2002",
        **{"globalCallID_callId": 5, **columns},
    )
    ((_, item),) = read(cucm, "\n".join((HEADER, TYPES, format_row(given), "")))
    assert isinstance(item, Exclusion)
    assert item.rule == rule


FIRST_PAYS = Charging(forwarded=(("first", 100),))
HOLDER_PAYS = Charging(transferred=(("holder", 100),))


def test_the_first_forwarder_pays_where_the_site_says_so() -> None:
    record = call(phone("2003"), OUT, forwarded("2002", 2, "2001", 15))
    paying = [side for side in decided(record, charging=FIRST_PAYS) if side.endswith("pays")]
    assert paying == [f"first-redirecting 2001 outgoing mobile {E164} pays"]
    only = call(phone("2003"), OUT, forwarded("2002", 15))
    assert decided(only, charging=FIRST_PAYS) == decided(only)


def test_who_talks_on_pays_where_the_site_says_so() -> None:
    before = call(ANNA, OUT, HANDED_OVER)
    final = call(by(GATEWAY, MOBILE), to_phone("2002"), FINAL, TRANSFERRED)
    assert decided(before, final, charging=HOLDER_PAYS) == [
        f"called 2002 outgoing mobile {E164} pays",
        f"redirecting 2001 outgoing mobile {E164}",
    ]
    # Nobody of the company talks on: who transferred pays all the same.
    out = call(IN, OUT, TRANSFERRED, started_at=1065, connected_at=1065, ended_at=1125)
    came = call(IN, to_phone("2001"), HANDED_OVER, dest_leg=103)
    assert decided(came, out, charging=HOLDER_PAYS) == [
        f"redirecting 2001 transit mobile {E164} pays"
    ]
    # A forward is no transfer.
    forward = call(phone("2003"), OUT, forwarded("2002", 15))
    assert decided(forward, charging=HOLDER_PAYS) == decided(forward)
