"""Conferences: of three (original, set-up, three legs on the bridge, and what is left), meet-me, of a
barge, two that are linked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from syncd.demo.cucm_row import SPLIT, Row, address_integer
from syncd.demo.scenarios_basic import number_of
from syncd.demo.script import HANGUP_CALLER, CallId, Party, Scenario, Script
from syncd.demo.stations import Station
from syncd.demo.truth import CONFERENCE, REDIRECTING

FEATURE = 4
"""On behalf of the conference feature; its redirect reason is 98."""
JOINED = (SPLIT, SPLIT, FEATURE, FEATURE)
SET_UP = (0, 0, FEATURE, FEATURE)
BRIDGE_USAGE = 1
MEET_ME = 6
"""On behalf of the meet-me conference feature."""
MEETING = "5001"
"""The number that its members call."""


@dataclass(frozen=True, slots=True)
class Room:
    """A conference: its bridge number, its id, who controls it and the call it grew from."""

    number: str
    identifier: int
    controller: Station
    call: CallId

    def bridge(self, s: Script) -> Party:
        """Return one more port of the bridge."""
        dest: Row = {
            "destNodeId": 1,
            "originalCalledPartyNumber": self.number,
            "finalCalledPartyNumber": self.number,
            "destDeviceName": "CFB_1",
            "destConversationId": self.identifier,
            "calledPartyPatternUsage": BRIDGE_USAGE,
            "originalCalledPartyPattern": self.number,
            "finalCalledPartyPattern": self.number,
            **self.joined(),
        }
        return Party(s.world.leg(1), {}, dest, 1, CONFERENCE)

    def joined(self) -> Row:
        """Return the columns of every record that the conference made."""
        device = self.controller.orig["origDeviceName"]
        number = self.controller.number
        return {
            "lastRedirectDn": self.number,
            "lastRedirectDnPartition": "",
            "lastRedirectingPartyPattern": self.number,
            "origCalledPartyRedirectReason": 98,
            "lastRedirectRedirectReason": 98,
            "origCalledPartyRedirectOnBehalfOf": FEATURE,
            "lastRedirectRedirectOnBehalfOf": FEATURE,
            "joinOnBehalfOf": FEATURE,
            "comment": f"ConfControllerDn={number};ConfControllerDeviceName={device};"
            f"ConfRequestorDn={number};ConfRequestorDeviceName={device}",
        }


def open_room(s: Script, controller: Station, call: CallId) -> Room:
    """Return a conference with the next bridge number."""
    s.world.bridges += 1
    number = s.world.bridges
    return Room(f"b00{controller.node}{number % 10**8:08d}", number, controller, call)


def conference(s: Script, *, kind: str, falls_back: bool) -> None:
    """Play a conference with one outside member.

    ``kind``: ``added``: two colleagues talk, the controller calls somebody outside and joins them;
    ``outgoing``: the controller called outside first, and adds a colleague; ``incoming``: the
    controller was called from outside, and adds a colleague. With ``falls_back`` the added party
    leaves first and the other two go on.
    """
    desk = s.desk()
    colleague = s.phone(s.desk(desk).phone)
    controller = s.phone(desk.phone)
    if kind == "added":
        near, far, third = controller, colleague, s.dialled(number_of(s, "any"))
    elif kind == "outgoing":
        near, far, third = controller, s.dialled(number_of(s, "any")), colleague
    else:
        near, far, third = s.caller(number_of(s, "any")), controller, colleague
    room = open_room(s, desk.phone, s.call_id(near))
    answered = s.at + s.ring()
    asked = answered + 1 + s.talk()
    second = s.phone(desk.phone)
    found = asked + s.ring()
    joined = found + 1 + s.below(40)
    first = s.record(room.call, near, far, s.at, answered, joined, JOINED)
    s.connected(first, near, far, s.at, answered, joined)
    asking = s.record(s.call_id(second), second, third, asked, found, joined, SET_UP)
    s.connected(asking, second, third, asked, found, joined)
    left = joined + 1 + s.talk()
    for member in (near, far, third):
        goes_on = falls_back and member is not third
        on_bridge(s, room, member, joined, left, JOINED if goes_on else HANGUP_CALLER)
    if falls_back:
        ended = left + 1 + s.talk()
        last = s.record(room.call, near, far, left, left, ended, HANGUP_CALLER, room.joined())
        s.connected(last, near, far, left, left, ended, payer=desk.phone)


def on_bridge(
    s: Script, room: Room, member: Party, joined: int, left: int, end: tuple[int, int, int, int]
) -> None:
    """Write one member's record on the bridge; an outside member is at the controller's cost."""
    bridge = room.bridge(s)
    record = s.record(room.call, member, bridge, joined, joined, left, end)
    s.connected(record, member, bridge, joined, joined, left, payer=room.controller)
    if member.station is not room.controller:
        s.redirected(room.controller, joined, REDIRECTING)


def meet_me(s: Script) -> None:
    """Two colleagues and somebody outside call the conference number, one after another: calls of
    their own, which only the bridge ties."""
    s.world.bridges += 1
    identifier = s.world.bridges
    number = f"b001{identifier % 10**8:08d}"
    host = s.desk()
    members = (s.phone(host.phone), s.phone(s.desk(host).phone), s.caller(number_of(s, "any")))
    ended = s.at + 600 + s.talk()
    for place, member in enumerate(members):
        began = s.at + 60 * place
        answered = began + 1
        dest: Row = {
            "destNodeId": 1,
            "originalCalledPartyNumber": MEETING,
            "originalCalledPartyPattern": MEETING,
            "finalCalledPartyNumber": number,
            "finalCalledPartyPattern": number,
            "lastRedirectDn": MEETING,
            "lastRedirectingPartyPattern": MEETING,
            "destDeviceName": "CFB_1",
            "destConversationId": identifier,
            "calledPartyPatternUsage": BRIDGE_USAGE,
            "origCalledPartyRedirectReason": 98,
            "lastRedirectRedirectReason": 98,
            "origCalledPartyRedirectOnBehalfOf": MEET_ME,
            "lastRedirectRedirectOnBehalfOf": MEET_ME,
            "joinOnBehalfOf": MEET_ME,
        }
        port = Party(s.world.leg(1), {}, dest, 1, CONFERENCE)
        left = ended - s.below(60)
        record = s.record(s.call_id(member), member, port, began, answered, left)
        s.connected(record, member, port, began, answered, left)


def joined_by_barge(s: Script) -> None:
    """Somebody with the same line on another phone makes a conference of a call (cBarge): their
    record has a call id of its own."""
    desk = s.desk()
    target = s.phone(desk.phone)
    near = s.caller(number_of(s, "any"))
    room = open_room(s, desk.phone, s.call_id(near))
    answered = s.at + s.ring()
    joined = answered + 1 + s.talk()
    first = s.record(room.call, near, target, s.at, answered, joined, JOINED)
    s.connected(first, near, target, s.at, answered, joined)
    left = joined + 1 + s.talk()
    for member in (near, target):
        on_bridge(s, room, member, joined, left, HANGUP_CALLER)
    barging = s.phone(desk.phone)
    own = replace(room, call=s.call_id(barging))
    on_bridge(s, own, barging, joined, left, HANGUP_CALLER)


def linked(s: Script) -> None:
    """Who is in two conferences joins them: a record from bridge to bridge."""
    desk = s.desk()
    joiner = desk.phone
    rooms: list[Room] = []
    members: list[tuple[Room, Party, int]] = []
    taken = [desk]
    joined = s.at
    for number in range(2):
        other = s.desk(*taken)
        taken.append(other)
        near, far = s.phone(joiner), s.phone(other.phone)
        room = open_room(s, joiner, s.call_id(near))
        began = joined + number
        answered = began + s.ring()
        asked = answered + 1 + s.below(60)
        second, third = s.phone(joiner), s.dialled(number_of(s, "any"))
        found = asked + s.ring()
        joined = found + 1 + s.below(40)
        first = s.record(room.call, near, far, began, answered, joined, JOINED)
        s.connected(first, near, far, began, answered, joined)
        asking = s.record(s.call_id(second), second, third, asked, found, joined, SET_UP)
        s.connected(asking, second, third, asked, found, joined)
        members += [(room, one, joined) for one in (near, far, third)]
        rooms.append(room)
    link = joined + 30 + s.below(60)
    ended = link + 1 + s.talk()
    bridges: list[Party] = []
    for room, member, since in members:
        leaving = member.station is joiner
        bridge = room.bridge(s)
        left = link if leaving else ended
        end = JOINED if leaving else HANGUP_CALLER
        record = s.record(room.call, member, bridge, since, since, left, end)
        s.connected(record, member, bridge, since, since, left, payer=joiner)
        if leaving:
            bridges.append(bridge)
        else:
            s.redirected(joiner, since, REDIRECTING)
    first_room, second_room = rooms
    near, far = bridges
    columns: Row = {
        "origNodeId": 1,
        "callingPartyNumber": first_room.number,
        "origDeviceName": "CFB_1",
        "origIpAddr": address_integer("10.1.0.9"),
        "origConversationId": first_room.identifier,
    }
    start = Party(near.leg, columns, {}, 1, CONFERENCE)
    s.record(first_room.call, start, far, link, link, ended, HANGUP_CALLER, second_room.joined())


SCENARIOS = (
    Scenario("conference", partial(conference, kind="added", falls_back=True), 0.7),
    Scenario("conference-ends", partial(conference, kind="added", falls_back=False), 0.3),
    Scenario("conference-outgoing", partial(conference, kind="outgoing", falls_back=True), 0.4),
    Scenario("meet-me", meet_me, 0.3),
    Scenario("barge-conference", joined_by_barge, 0.3),
    Scenario("conference-linked", linked, 0.3),
    Scenario("conference-incoming", partial(conference, kind="incoming", falls_back=False), 0.5),
)
