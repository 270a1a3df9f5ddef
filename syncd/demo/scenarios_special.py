"""Fax, voicemail, aliases, borrowed phones, numbers that are not billed, and what is no call."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from syncd.demo.cucm_row import Row
from syncd.demo.outside import GATEWAYS, VOICEMAIL, any_number
from syncd.demo.people import SHARED_VOICEMAIL
from syncd.demo.scenarios_basic import answered_call, number_of
from syncd.demo.script import CallId, Party, Scenario, Script
from syncd.demo.stations import Desk, Station

RECORDING, MESSAGE_WAITING = 27, 8
"""On behalf of which feature."""
SERVICE_UNAVAILABLE = 1459617833
"""What SIP 503 looks like as a cause."""


def out(s: Script, station: Station, kind: str = "any") -> None:
    """Play an answered outgoing call of this line."""
    answered_call(s, s.phone(station), s.dialled(number_of(s, kind)))


def into(s: Script, station: Station) -> None:
    """Play an answered incoming call to this line."""
    answered_call(s, s.caller(number_of(s, "any")), s.phone(station))


def fax_of(desk: Desk, *, offnet: bool = False) -> Station:
    """Return the fax line of a desk from a pool of desks that have one. Raises LookupError."""
    fax = desk.offnet_fax if offnet else desk.fax
    if fax is None:
        raise LookupError("no fax at this desk")
    return fax


def fax_out(s: Script) -> None:
    out(s, fax_of(s.some("fax")), "local")


def fax_in(s: Script) -> None:
    into(s, fax_of(s.some("fax")))


def fax_not_billed(s: Script) -> None:
    out(s, fax_of(s.some("fax not billed")), "local")


def offnet_fax_in(s: Script) -> None:
    """To the fax by its own outside number."""
    into(s, fax_of(s.some("off-net fax"), offnet=True))


def alias_out(s: Script) -> None:
    """On the second line of a phone: the line is the alias, the person its owner."""
    aliases = s.some("alias").aliases
    out(s, aliases[s.below(len(aliases))])


def alias_in(s: Script) -> None:
    aliases = s.some("alias").aliases
    into(s, aliases[s.below(len(aliases))])


def voicemail_direct(s: Script) -> None:
    """Somebody outside calls a personal voicemail number."""
    answered_call(s, s.caller(number_of(s, "any")), s.mailbox(s.some("own mailbox")))


def billing_off_out(s: Script) -> None:
    out(s, s.some("billing off").phone)


def billing_off_in(s: Script) -> None:
    into(s, s.some("billing off").phone)


def unlisted_out(s: Script) -> None:
    """A phone that the directory does not know."""
    out(s, s.plant.unlisted[s.below(len(s.plant.unlisted) - 1)])


def unlisted_in(s: Script) -> None:
    near = s.phone(s.desk().phone)
    answered_call(s, near, s.phone(s.plant.unlisted[s.below(len(s.plant.unlisted) - 1)]))


def extension_mobility(s: Script) -> None:
    """A colleague is logged in on somebody's line: the line's holder pays."""
    desk = s.desk()
    guest = s.desk(desk)
    near = s.phone(desk.phone)
    answered_call(s, near, s.dialled(number_of(s, "any")), _logged_in(guest))


def hot_desk(s: Script) -> None:
    """Somebody is logged in on a phone that nobody holds: the person who is logged in pays."""
    guest = s.some("billed")
    free = s.plant.hot_desks[s.below(len(s.plant.hot_desks))]
    person = guest.phone.username
    line = replace(free, username=person, billed=True, anonymous=False)
    answered_call(s, s.phone(line), s.dialled(number_of(s, "any")), _user(person))


def _logged_in(guest: Desk) -> Row:
    return _user(guest.phone.username or "guest")


def _user(name: str) -> Row:
    return {"callingPartyUnicodeLoginUserID": name}


def recorded(s: Script, *, outside: bool) -> None:
    """A recorded call: the recorder's two half-legs are no calls."""
    desk = s.desk()
    near = s.phone(desk.phone)
    far = s.dialled(number_of(s, "any")) if outside else s.phone(s.desk(desk).phone)
    answered_call(s, near, far)
    main = s.rows[-1]
    began = int(main["dateTimeConnect"])
    same = CallId(int(main["globalCallID_callManagerId"]), int(main["globalCallID_callId"]))
    for call, party in ((same, near), (s.call_id(near), far)):
        device = party.orig["origDeviceName"]
        _half_leg(s, call, party, began, str(device))


def _half_leg(s: Script, call: CallId, party: Party, began: int, device: str) -> None:
    """Write the record of the leg that carries one side's voice to the recorder."""
    s.world.bridges += 1
    columns: Row = {
        "origNodeId": party.node,
        "origIpAddr": party.orig["origIpAddr"],
        "origIpv4v6Addr": party.orig["origIpv4v6Addr"],
        "callingPartyNumber": f"b00{party.node}1791445{s.world.bridges % 10**5:05d}",
        "origDeviceName": device,
    }
    near = Party(s.world.leg(party.node), columns, {}, party.node, None)
    recorder: Row = {
        "destLegIdentifier": s.world.leg(party.node),
        "originalCalledPartyNumber": "8999",
        "finalCalledPartyNumber": "8999",
        "originalCalledPartyNumberPartition": "Recording",
        "finalCalledPartyNumberPartition": "Recording",
        "originalCalledPartyPattern": "8999",
        "finalCalledPartyPattern": "8999",
        "origCalledPartyRedirectOnBehalfOf": RECORDING,
        "lastRedirectRedirectOnBehalfOf": RECORDING,
        "destCallTerminationOnBehalfOf": 12,
        "origCalledPartyRedirectReason": 354,
        "lastRedirectRedirectReason": 354,
        "joinOnBehalfOf": RECORDING,
        "origConversationId": party.leg,
        "calledPartyPatternUsage": 5,
    }
    end = (0, SERVICE_UNAVAILABLE, 0, 12)
    s.record(call, near, None, began, 0, began, end, recorder, excluded=True)


def message_waiting(s: Script) -> None:
    """The voicemail system turns a lamp on: no call."""
    desk = s.desk()
    near = Party(s.world.leg(1), VOICEMAIL.orig(SHARED_VOICEMAIL), {}, 1, SHARED_VOICEMAIL)
    lamp: Row = {
        "originalCalledPartyNumber": desk.phone.number,
        "finalCalledPartyNumber": desk.phone.number,
        "lastRedirectDn": desk.phone.number,
        "finalCalledPartyNumberPartition": desk.phone.partition,
        "calledPartyPatternUsage": 6,
    }
    end = (16, 0, MESSAGE_WAITING, MESSAGE_WAITING)
    s.record(s.call_id(near), near, None, s.at, 0, s.at, end, lamp, excluded=True)


def mobile_attempt(s: Script) -> None:
    """The try to reach somebody's mobile beside the desk phone, without an id of its own."""
    caller = any_number("local", s.random)
    mobile = any_number("mobile", s.random)
    trunk = GATEWAYS[s.below(len(GATEWAYS))]
    near = Party(s.world.leg(1), trunk.orig(caller.dialled), {}, 1, None)
    far = Party(s.world.leg(1), {}, trunk.dest(mobile.dialled, "PT-External", "0.!"), 1, None)
    cause = (17, 19)[s.below(2)]
    reached: Row = {
        "finalMobileCalledPartyNumber": mobile.dialled,
        "destMobileDeviceName": f"{mobile.dialled}:RDP",
        "mobileCallType": 8,
        "origIpv4v6Addr": "",
    }
    end = (0, cause, 0, 12)
    ended = s.at + s.ring()
    s.record(CallId(0, 0), near, far, s.at, 0, ended, end, reached, excluded=True)


SCENARIOS = (
    Scenario("fax-out", fax_out, 0.7, "fax"),
    Scenario("fax-in", fax_in, 0.7, "fax"),
    Scenario("fax-not-billed", fax_not_billed, 0.2, "fax not billed"),
    Scenario("offnet-fax-in", offnet_fax_in, 0.3, "off-net fax"),
    Scenario("alias-out", alias_out, 0.7, "alias"),
    Scenario("alias-in", alias_in, 0.7, "alias"),
    Scenario("voicemail-direct", voicemail_direct, 0.5, "own mailbox"),
    Scenario("billing-off-out", billing_off_out, 0.4, "billing off"),
    Scenario("billing-off-in", billing_off_in, 0.4, "billing off"),
    Scenario("unlisted-out", unlisted_out, 0.4),
    Scenario("unlisted-in", unlisted_in, 0.4),
    Scenario("extension-mobility", extension_mobility, 0.7),
    Scenario("hot-desk", hot_desk, 0.3, "billed"),
    Scenario("recorded-internal", partial(recorded, outside=False), 0.3),
    Scenario("recorded-outgoing", partial(recorded, outside=True), 0.3),
    Scenario("message-waiting", message_waiting, 0.5),
    Scenario("mobile-attempt", mobile_attempt, 0.4),
)
