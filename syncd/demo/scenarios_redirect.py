"""Calls of one record that end elsewhere than they began: forwards, pickup, hunt group; park."""

from __future__ import annotations

from dataclasses import replace

from syncd.demo.cucm_row import SPLIT, Row
from syncd.demo.people import PARK_CODES
from syncd.demo.scenarios_basic import RINGS, answered_call, failed_call, number_of
from syncd.demo.script import HANGUP_CALLER, NO_ANSWER, Party, Scenario, Script
from syncd.demo.stations import Station
from syncd.demo.truth import FIRST_REDIRECTING, PILOT, REDIRECTING

CALL_PARK, CALL_FORWARD, PICKUP = 3, 5, 16
"""On behalf of which feature."""
NO_ANSWER_REASON, PICKUP_REASON, PARK_PICKUP_REASON, ALL_REASON = 2, 5, 8, 15
HUNT_USAGE, PARK_USAGE = 7, 0


def forwarded(first: Station, last: Station, first_reason: int, last_reason: int) -> Row:
    """Return the columns of a call forwarded by ``first`` and at last by ``last``."""
    return {
        **_called(first),
        **_redirected(last),
        "origCalledPartyRedirectReason": first_reason,
        "origCalledPartyRedirectOnBehalfOf": CALL_FORWARD,
        "lastRedirectRedirectReason": last_reason,
        "lastRedirectRedirectOnBehalfOf": CALL_FORWARD,
        "joinOnBehalfOf": CALL_FORWARD,
    }


def _called(station: Station) -> Row:
    return {
        "originalCalledPartyNumber": station.number,
        "originalCalledPartyNumberPartition": station.partition,
        "originalCalledPartyPattern": station.number,
    }


def _redirected(station: Station) -> Row:
    return {
        "lastRedirectDn": station.number,
        "lastRedirectDnPartition": station.partition,
        "lastRedirectingPartyPattern": station.number,
    }


def forwarded_call(s: Script, near: Party, first: Station, far: Party, reason: int) -> None:
    """Play an answered call that one line forwarded; the forwarder pays for what goes out."""
    began = s.at
    answered = began + s.ring() + (RINGS if reason == NO_ANSWER_REASON else 0)
    ended = answered + s.talk()
    record = s.record(
        s.call_id(near),
        near,
        far,
        began,
        answered,
        ended,
        HANGUP_CALLER,
        forwarded(first, first, reason, reason),
    )
    s.connected(record, near, far, began, answered, ended, payer=first)
    s.redirected(first, began, REDIRECTING)


def anybody(s: Script, *, outside: float = 0.5) -> Party:
    """Return a caller, from outside in this part of the cases."""
    if s.random.random() < outside:
        return s.caller(number_of(s, "any"))
    return s.phone(s.desk().phone)


def other_than(s: Script, near: Party) -> Station:
    """Return a phone that is not the caller's."""
    while True:
        phone = s.desk().phone
        if phone is not near.station:
            return phone


def cfna_shared_voicemail(s: Script) -> None:
    """Nobody answers, the call goes to the voicemail pilot that all share."""
    near = anybody(s)
    while True:
        desk = s.desk()
        if not desk.own_mailbox and desk.phone is not near.station:
            break
    forwarded_call(s, near, desk.phone, s.mailbox(desk), NO_ANSWER_REASON)


def cfna_own_voicemail(s: Script) -> None:
    """Nobody answers, the call goes to the person's own voicemail number."""
    desk = s.some("own mailbox")
    near = s.caller(number_of(s, "any"))
    forwarded_call(s, near, desk.phone, s.mailbox(desk), NO_ANSWER_REASON)


def cfna_colleague(s: Script) -> None:
    """Nobody answers, a colleague does."""
    near = s.caller(number_of(s, "any"))
    desk = s.desk()
    forwarded_call(s, near, desk.phone, s.phone(s.desk(desk).phone), NO_ANSWER_REASON)


def cfa_outside(s: Script) -> None:
    """An outside call goes out again at once: the forwarder pays for the second leg."""
    near = s.caller(number_of(s, "any"))
    forwarded_call(s, near, s.desk().phone, s.dialled(number_of(s, "any")), ALL_REASON)


def cfa_outside_internal(s: Script) -> None:
    """A colleague's call goes out at once: the forwarder pays, not the caller."""
    desk = s.desk()
    near = s.phone(s.desk(desk).phone)
    forwarded_call(s, near, desk.phone, s.dialled(number_of(s, "any")), ALL_REASON)


def cfa_cfna(s: Script) -> None:
    """Forwarded by the first, not answered by the second: voicemail of the second."""
    near = s.caller(number_of(s, "any"))
    first = s.desk()
    while True:
        second = s.desk(first)
        if not second.own_mailbox:
            break
    far = s.mailbox(second)
    answered = s.at + RINGS
    ended = answered + s.talk()
    hops = forwarded(first.phone, second.phone, ALL_REASON, NO_ANSWER_REASON)
    record = s.record(s.call_id(near), near, far, s.at, answered, ended, HANGUP_CALLER, hops)
    s.connected(record, near, far, s.at, answered, ended)
    s.redirected(first.phone, s.at, FIRST_REDIRECTING)
    s.redirected(second.phone, s.at, REDIRECTING)


def pickup(s: Script) -> None:
    """A colleague takes the call that rings at another desk."""
    near = s.caller(number_of(s, "any"))
    rung = s.desk()
    far = s.phone(s.desk(rung).phone)
    taken: Row = {
        **_called(rung.phone),
        **_redirected(rung.phone),
        "origCalledPartyRedirectReason": PICKUP_REASON,
        "origCalledPartyRedirectOnBehalfOf": PICKUP,
        "lastRedirectRedirectReason": PICKUP_REASON,
        "lastRedirectRedirectOnBehalfOf": PICKUP,
        "joinOnBehalfOf": PICKUP,
    }
    answered_call(s, near, far, taken)
    s.redirected(rung.phone, s.at, REDIRECTING)


def hunted(pilot: Station) -> Row:
    """Return the columns of a call that a member of the hunt group answered."""
    return {
        **_called(pilot),
        **_redirected(pilot),
        "huntPilotDN": pilot.number,
        "huntPilotPartition": pilot.partition,
        "huntPilotPattern": pilot.number,
        "calledPartyPatternUsage": HUNT_USAGE,
    }


def hunt_shown(s: Script) -> None:
    """A named member answers, and the record says who."""
    _hunt_answered(s, s.some("hunt member").phone)


def hunt_unlisted_member(s: Script) -> None:
    """A member answers whom the directory does not know."""
    _hunt_answered(s, s.plant.unlisted[-1])


def _hunt_answered(s: Script, member: Station) -> None:
    s.account.hunt = True
    answered_call(s, anybody(s, outside=1), s.phone(member), hunted(s.plant.pilot))
    s.redirected(s.plant.pilot, s.at, PILOT)


def hunt_hidden(s: Script) -> None:
    """A member answers, the record shows the pilot; only the device tells whose phone it was."""
    s.account.hunt = True
    pilot = s.plant.pilot
    member = s.phone(s.some("hunt member").phone)
    far = replace(member, number=pilot.number, station=pilot)
    shown: Row = {
        **hunted(pilot),
        "finalCalledPartyNumber": pilot.number,
        "finalCalledPartyNumberPartition": pilot.partition,
        "finalCalledPartyPattern": pilot.number,
        "finalCalledPartyUnicodeLoginUserID": "",
    }
    answered_call(s, anybody(s, outside=1), far, shown)


def hunt_unanswered(s: Script) -> None:
    """No member answers."""
    s.account.hunt = True
    pilot = s.plant.pilot
    shown: Row = {
        **_called(pilot),
        **_redirected(pilot),
        "finalCalledPartyNumber": pilot.number,
        "finalCalledPartyNumberPartition": pilot.partition,
        "finalCalledPartyPattern": pilot.number,
        "calledPartyPatternUsage": HUNT_USAGE,
    }
    failed_call(s, anybody(s), None, NO_ANSWER, 2 * RINGS, shown)


def park_retrieve(s: Script) -> None:
    """The called party parks the caller, a colleague takes the call off the park number."""
    near = anybody(s)
    called = other_than(s, near)
    far = s.phone(called)
    answered = s.at + s.ring()
    parked = answered + 1 + s.talk()
    split = (SPLIT, SPLIT, CALL_PARK, CALL_PARK)
    first = s.record(s.call_id(near), near, far, s.at, answered, parked, split)
    s.connected(first, near, far, s.at, answered, parked)
    while True:
        station = other_than(s, near)
        if station is not called:
            break
    retriever = s.phone(station)
    taken = parked + s.ring()
    ended = taken + 1 + s.talk()
    code = PARK_CODES[s.below(len(PARK_CODES))]
    shown: Row = {
        "lastRedirectDn": code,
        "lastRedirectDnPartition": s.plant.pilot.partition,
        "lastRedirectingPartyPattern": code,
        "origCalledPartyRedirectReason": PARK_PICKUP_REASON,
        "origCalledPartyRedirectOnBehalfOf": CALL_PARK,
        "lastRedirectRedirectReason": PARK_PICKUP_REASON,
        "lastRedirectRedirectOnBehalfOf": CALL_PARK,
        "joinOnBehalfOf": CALL_PARK,
        "calledPartyPatternUsage": PARK_USAGE,
    }
    second = s.record(
        s.call_id(retriever), retriever, near, taken, taken, ended, HANGUP_CALLER, shown
    )
    s.connected(second, retriever, near, taken, taken, ended)


SCENARIOS = (
    Scenario("cfna-shared-voicemail", cfna_shared_voicemail, 4),
    Scenario("cfna-own-voicemail", cfna_own_voicemail, 0.5, "own mailbox"),
    Scenario("cfna-colleague", cfna_colleague, 1),
    Scenario("cfa-outside", cfa_outside, 1),
    Scenario("cfa-outside-internal", cfa_outside_internal, 0.5),
    Scenario("cfa-cfna", cfa_cfna, 0.5),
    Scenario("pickup", pickup, 1),
    Scenario("hunt-shown", hunt_shown, 2, "hunt member"),
    Scenario("hunt-unlisted-member", hunt_unlisted_member, 0.5),
    Scenario("hunt-hidden", hunt_hidden, 1, "hunt member"),
    Scenario("hunt-unanswered", hunt_unanswered, 1),
    Scenario("park-retrieve", park_retrieve, 0.5),
)
