"""Features that hand a call over without a transfer: park, pick-up, divert, queue, mobile phone;
and those that listen to one: barge, silent monitoring."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from syncd.demo.cucm_row import SPLIT, Row
from syncd.demo.outside import GATEWAYS, any_number
from syncd.demo.people import PARK_CODES
from syncd.demo.scenarios_basic import RINGS, answered_call, failed_call, number_of
from syncd.demo.scenarios_redirect import (
    CALL_PARK,
    PARK_PICKUP_REASON,
    PARK_USAGE,
    PICKUP,
    PICKUP_REASON,
    anybody,
    forwarded_call,
    hunted,
    other_than,
)
from syncd.demo.script import HANGUP_CALLER, Party, Scenario, Script
from syncd.demo.stations import Desk, Station
from syncd.demo.truth import CALLED, CONFERENCE, PILOT, REDIRECTING

DIVERT, BARGE, REFER, CALL_BACK, DIRECTED_PARK, MONITORING, QUEUE = 14, 15, 17, 20, 26, 28, 34
"""On behalf of which feature."""
BUSY_REASON, REVERSION_REASON, DIVERT_REASON, BARGE_REASON = 1, 11, 50, 114
MONITORING_REASON = 370
QUEUED_REASON, DEQUEUED_REASON, TIMED_OUT_REASON = 786, 802, 850
PICKUP_USAGE = 4
MOBILE_CONNECT = 8


def redirected(number: str, partition: str, reason: int, feature: int) -> Row:
    """Return the columns of a record that a feature made out of a call to ``number``."""
    return {
        "lastRedirectDn": number,
        "lastRedirectDnPartition": partition,
        "lastRedirectingPartyPattern": number,
        "origCalledPartyRedirectReason": reason,
        "origCalledPartyRedirectOnBehalfOf": feature,
        "lastRedirectRedirectReason": reason,
        "lastRedirectRedirectOnBehalfOf": feature,
        "joinOnBehalfOf": feature,
    }


def first_called(station: Station) -> Row:
    return {
        "originalCalledPartyNumber": station.number,
        "originalCalledPartyNumberPartition": station.partition,
        "originalCalledPartyPattern": station.number,
    }


def split(feature: int) -> tuple[int, int, int, int]:
    """Return how a record ends that a feature continues in another one."""
    return (SPLIT, SPLIT, feature, feature)


def cfb_colleague(s: Script) -> None:
    """Busy, a colleague answers."""
    near = s.caller(number_of(s, "any"))
    desk = s.desk()
    forwarded_call(s, near, desk.phone, s.phone(s.desk(desk).phone), BUSY_REASON)


# --- park -----------------------------------------------------------------------------------------


def park(s: Script, *, kind: str) -> None:
    """Park a party and take it off the park number again.

    ``kind``: ``outgoing``: the caller parks whom they called outside; ``directed``: on a number of
    one's own choice; ``back``: nobody takes it, and it rings at who parked it.
    """
    feature = DIRECTED_PARK if kind == "directed" else CALL_PARK
    desk = s.desk()
    parker = s.phone(desk.phone)
    if kind == "outgoing":
        near, far = parker, s.dialled(number_of(s, "any"))
        held = far
    else:
        near, far = s.caller(number_of(s, "any")), parker
        held = near
    answered = s.at + s.ring()
    parked = answered + 1 + s.talk()
    call = s.call_id(near)
    first = s.record(call, near, far, s.at, answered, parked, split(feature))
    s.connected(first, near, far, s.at, answered, parked)
    code = PARK_CODES[s.below(len(PARK_CODES))]
    partition = s.plant.pilot.partition
    if kind == "back":
        again = s.phone(desk.phone)
        began = parked + 3 * RINGS
        taken = began + s.ring()
        shown = redirected(code, partition, REVERSION_REASON, feature)
        ended = taken + 1 + s.talk()
        second = s.record(call, held, again, began, taken, ended, HANGUP_CALLER, shown)
        s.connected(second, held, again, began, taken, ended)
        return
    retriever = s.phone(s.desk(desk).phone)
    taken = parked + s.ring()
    ended = taken + 1 + s.talk()
    shown = redirected(code, partition, PARK_PICKUP_REASON, feature)
    second = s.record(
        s.call_id(retriever),
        retriever,
        held,
        taken,
        taken,
        ended,
        HANGUP_CALLER,
        shown,
        {"calledPartyPatternUsage": PARK_USAGE},
    )
    s.connected(second, retriever, held, taken, taken, ended)


# --- pick-up and divert ---------------------------------------------------------------------------


def pickup_group(s: Script) -> None:
    """Somebody of another group takes the call that rings there."""
    near = anybody(s)
    rung = other_than(s, near)
    while True:
        picker = other_than(s, near)
        if picker is not rung:
            break
    shown = redirected(rung.number, rung.partition, PICKUP_REASON, PICKUP)
    answered_call(
        s,
        near,
        s.phone(picker),
        shown,
        first_called(rung),
        {"calledPartyPatternUsage": PICKUP_USAGE},
    )
    s.redirected(rung, s.at, REDIRECTING)


def pickup_auto(s: Script) -> None:
    """Taken at once: what rang is a record of its own, never connected."""
    near = anybody(s)
    rung = other_than(s, near)
    while True:
        picker = other_than(s, near)
        if picker is not rung:
            break
    far = s.phone(rung)
    call = s.call_id(near)
    taken = s.at + s.ring()
    s.record(call, near, far, s.at, 0, taken, split(PICKUP))
    s.rang(near, far, s.at)
    new = s.phone(picker)
    ended = taken + 1 + s.talk()
    shown = redirected(rung.number, rung.partition, PICKUP_REASON, PICKUP)
    second = s.record(
        call, near, new, taken, taken, ended, HANGUP_CALLER, shown, first_called(rung)
    )
    s.connected(second, near, new, taken, taken, ended)
    s.redirected(rung, taken, REDIRECTING)


def divert(s: Script, *, answered: bool) -> None:
    """Somebody sends a call to their voicemail: while it rings, or after having answered it. The
    voicemail system gives the caller back to the call manager at the end."""
    desk = s.some("own mailbox")
    near = s.caller(number_of(s, "any"))
    box = s.mailbox(desk)
    shown = redirected(desk.phone.number, desk.phone.partition, DIVERT_REASON, DIVERT)
    if not answered:
        answered_call(s, near, box, shown, first_called(desk.phone))
        s.redirected(desk.phone, s.at, REDIRECTING)
        return
    far = s.phone(desk.phone)
    call = s.call_id(near)
    taken = s.at + s.ring()
    sent = taken + 1 + s.talk()
    first = s.record(call, near, far, s.at, taken, sent, split(DIVERT))
    s.connected(first, near, far, s.at, taken, sent)
    ended = sent + 1 + s.below(60)
    second = s.record(
        call, near, box, sent, sent, ended, split(REFER), shown, first_called(desk.phone)
    )
    s.connected(second, near, box, sent, sent, ended)
    s.redirected(desk.phone, sent, REDIRECTING)


def call_back(s: Script) -> None:
    """Nobody answers, the caller asks to be called back, and is: two calls that nothing ties."""
    desk = s.desk()
    other = s.desk(desk)
    failed_call(s, s.phone(desk.phone), s.phone(other.phone), (16, 0, CALL_BACK, 0), RINGS)
    s.account.another()
    near, far = s.phone(desk.phone), s.phone(other.phone)
    began = s.at + 600
    taken = began + s.ring()
    ended = taken + 1 + s.talk()
    record = s.record(s.call_id(near), near, far, began, taken, ended)
    s.connected(record, near, far, began, taken, ended)


# --- who listens ----------------------------------------------------------------------------------


def barge(s: Script) -> None:
    """Somebody with the same line on another phone joins in: a call of its own to the bridge of the
    phone that talks, which names the leg that it joins."""
    desk = s.desk()
    target = s.phone(desk.phone)
    near = anybody(s)
    while near.station is desk.phone:
        near = anybody(s)
    record = answered_call(s, near, target)
    main = s.rows[-1]
    answered, ended = int(main["dateTimeConnect"]), int(main["dateTimeDisconnect"])
    assert record == main["pkid"]
    s.account.another()
    joined = answered + s.below(max(1, ended - answered))
    joining = shared_phone(s, desk)
    bridge = built_in_bridge(s, target)
    shown = redirected(str(bridge.dest["finalCalledPartyNumber"]), "", BARGE_REASON, BARGE)
    second = s.record(
        s.call_id(joining),
        joining,
        bridge,
        joined,
        joined,
        ended,
        HANGUP_CALLER,
        shown,
        {"destConversationId": target.leg},
    )
    s.connected(second, joining, bridge, joined, joined, ended)


def shared_phone(s: Script, desk: Desk) -> Party:
    """Return the line of a desk on a second phone."""
    other: Row = {"origDeviceName": str(desk.phone.orig["origDeviceName"])[:-1] + "F"}
    return s.phone(replace(desk.phone, orig={**desk.phone.orig, **other}))


def built_in_bridge(s: Script, party: Party) -> Party:
    """Return the bridge in a phone on which others hear what it hears."""
    s.world.bridges += 1
    number = f"b00{party.node}{s.world.bridges % 10**8:08d}"
    dest: Row = {
        "destNodeId": party.node,
        "originalCalledPartyNumber": number,
        "finalCalledPartyNumber": number,
        "destDeviceName": party.dest["destDeviceName"],
        "calledPartyPatternUsage": 1,
        "originalCalledPartyPattern": number,
        "finalCalledPartyPattern": number,
    }
    return Party(s.world.leg(party.node), {}, dest, party.node, CONFERENCE)


def monitored(s: Script) -> None:
    """A supervisor listens to a call unheard: no call."""
    desk = s.desk()
    agent = s.phone(desk.phone)
    answered_call(s, s.caller(number_of(s, "any")), agent)
    main = s.rows[-1]
    began, ended = int(main["dateTimeConnect"]), int(main["dateTimeDisconnect"])
    near = s.phone(s.desk(desk).phone)
    bridge = built_in_bridge(s, agent)
    shown = redirected("", "", MONITORING_REASON, MONITORING)
    s.record(
        s.call_id(near),
        near,
        bridge,
        began,
        began,
        ended,
        HANGUP_CALLER,
        shown,
        {"destConversationId": agent.leg},
        excluded=True,
    )


# --- queue and mobile phone -----------------------------------------------------------------------


def queued(s: Script, *, apart: bool) -> None:
    """A member of the hunt group answers after a wait, which some releases record ``apart``."""
    s.account.hunt = True
    pilot = s.plant.pilot
    near = s.caller(number_of(s, "any"))
    member = s.phone(s.some("hunt member").phone)
    wait = 5 + s.below(120)
    shown: Row = {
        **hunted(pilot),
        "lastRedirectRedirectReason": DEQUEUED_REASON,
        "lastRedirectRedirectOnBehalfOf": QUEUE,
        "wasCallQueued": 1,
        "totalWaitTimeInQueue": wait,
    }
    call = s.call_id(near)
    began = s.at
    if apart:
        music = Party(s.world.leg(1), {}, _music(pilot), 1, pilot.number)
        waiting: Row = {
            "lastRedirectRedirectReason": QUEUED_REASON,
            "lastRedirectRedirectOnBehalfOf": QUEUE,
            "wasCallQueued": 1,
            "totalWaitTimeInQueue": wait,
        }
        began = s.at + wait
        first = s.record(call, near, music, s.at, s.at, began, split(QUEUE), waiting)
        s.connected(first, near, music, s.at, s.at, began)
        s.redirected(pilot, s.at, PILOT)
        shown["joinOnBehalfOf"] = QUEUE
    answered = began + s.ring()
    ended = answered + 1 + s.talk()
    record = s.record(call, near, member, began, answered, ended, HANGUP_CALLER, shown)
    s.connected(record, near, member, began, answered, ended)
    s.redirected(pilot, began, PILOT)


def _music(pilot: Station) -> Row:
    """Return the columns of the music on hold that a queue plays."""
    return {
        "destNodeId": 1,
        "originalCalledPartyNumber": pilot.number,
        "finalCalledPartyNumber": pilot.number,
        "lastRedirectDn": pilot.number,
        "originalCalledPartyNumberPartition": pilot.partition,
        "finalCalledPartyNumberPartition": pilot.partition,
        "lastRedirectDnPartition": pilot.partition,
        "originalCalledPartyPattern": pilot.number,
        "finalCalledPartyPattern": pilot.number,
        "lastRedirectingPartyPattern": pilot.number,
        "destDeviceName": "MOH_2",
        "calledPartyPatternUsage": 7,
    }


def queue_given_up(s: Script) -> None:
    """The caller hangs up while music plays."""
    s.account.hunt = True
    pilot = s.plant.pilot
    near = s.caller(number_of(s, "any"))
    music = Party(s.world.leg(1), {}, _music(pilot), 1, pilot.number)
    waiting: Row = {
        "lastRedirectRedirectReason": QUEUED_REASON,
        "lastRedirectRedirectOnBehalfOf": QUEUE,
        "wasCallQueued": 1,
    }
    ended = s.at + 5 + s.below(60)
    record = s.record(s.call_id(near), near, music, s.at, s.at, ended, HANGUP_CALLER, waiting)
    s.connected(record, near, music, s.at, s.at, ended)
    s.redirected(pilot, s.at, PILOT)


def queue_left(s: Script) -> None:
    """Nobody of the hunt group came in time: the second destination answers."""
    pilot = s.plant.pilot
    near = s.caller(number_of(s, "any"))
    far = s.phone(s.desk().phone)
    shown = redirected(pilot.number, pilot.partition, TIMED_OUT_REASON, QUEUE)
    waited: Row = {"wasCallQueued": 1, "totalWaitTimeInQueue": 90}
    answered_call(s, near, far, shown, first_called(pilot), waited)


def single_number_reach(s: Script, *, outside: bool) -> None:
    """The call to a desk is taken on the mobile phone: the desk pays for the way there."""
    desk = s.desk()
    near = s.caller(number_of(s, "any")) if outside else s.phone(s.desk(desk).phone)
    mobile = any_number("mobile", s.random)
    far = s.dialled(mobile, GATEWAYS[s.below(len(GATEWAYS))])
    phone = desk.phone
    answered = s.at + s.ring()
    ended = answered + 1 + s.talk()
    shown: Row = {
        **{
            name: value
            for name, value in phone.dest.items()
            if name.endswith(("Number", "Partition", "Dn", "Pattern"))
        },
        "calledPartyPatternUsage": 2,
        "finalMobileCalledPartyNumber": mobile.dialled,
        "destMobileDeviceName": f"{mobile.dialled}:RDP-{phone.number}",
        "destMobileCallDuration": ended - answered,
        "mobileCallType": MOBILE_CONNECT,
    }
    record = s.record(s.call_id(near), near, far, s.at, answered, ended, HANGUP_CALLER, shown)
    s.connected(record, near, far, s.at, answered, ended, payer=phone)
    s.account.took_part(phone, s.at, CALLED, connected=True)
    s.account.talked(phone, near.number, answered, ended)


SCENARIOS = (
    Scenario("cfb-colleague", cfb_colleague, 0.5),
    Scenario("park-outgoing", partial(park, kind="outgoing"), 0.3),
    Scenario("park-directed", partial(park, kind="directed"), 0.3),
    Scenario("park-back", partial(park, kind="back"), 0.3),
    Scenario("pickup-group", pickup_group, 0.4),
    Scenario("pickup-auto", pickup_auto, 0.4),
    Scenario("divert-ringing", partial(divert, answered=False), 0.3, "own mailbox"),
    Scenario("divert-answered", partial(divert, answered=True), 0.3, "own mailbox"),
    Scenario("call-back", call_back, 0.3),
    Scenario("barge", barge, 0.3),
    Scenario("monitored", monitored, 0.3),
    Scenario("queue-answered", partial(queued, apart=False), 0.4, "hunt member"),
    Scenario("queue-wait-apart", partial(queued, apart=True), 0.3, "hunt member"),
    Scenario("queue-given-up", queue_given_up, 0.3),
    Scenario("queue-left", queue_left, 0.3),
    Scenario("mobile-incoming", partial(single_number_reach, outside=True), 0.4),
    Scenario("mobile-internal", partial(single_number_reach, outside=False), 0.3),
)
