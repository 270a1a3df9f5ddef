"""Calls of one record: inside, out, in, over the tie line; answered and not."""

from __future__ import annotations

from collections.abc import Callable

from syncd.demo.cucm_row import Row
from syncd.demo.outside import (
    EMERGENCY,
    UNLISTED_TRUNK,
    WITHHELD,
    Outside,
    any_number,
)
from syncd.demo.people import UNKNOWN
from syncd.demo.script import (
    BUSY,
    HANGUP_CALLED,
    HANGUP_CALLER,
    NO_ANSWER,
    Party,
    Scenario,
    Script,
)

Play = Callable[[Script], None]
End = tuple[int, int, int, int]

RINGS = 20
"""Seconds after which nobody is expected to answer any more."""


def answered_call(s: Script, near: Party, far: Party, *changes: Row, talk: int = -1) -> str:
    """Play a call that is answered, talked and ended by either side; return the record's key."""
    answered = s.at + s.ring()
    ended = answered + (talk if talk >= 0 else s.talk())
    end = HANGUP_CALLER if s.random.random() < 0.5 else HANGUP_CALLED
    record = s.record(s.call_id(near), near, far, s.at, answered, ended, end, *changes)
    s.connected(record, near, far, s.at, answered, ended)
    return record


def failed_call(
    s: Script, near: Party, far: Party | None, end: End, seconds: int, *changes: Row
) -> None:
    """Play a call that nobody answers and that ends after this many seconds."""
    s.record(s.call_id(near), near, far, s.at, 0, s.at + seconds, end, *changes)
    s.rang(near, far, s.at)


def internal(end: End | None) -> Play:
    """Return the play of an internal call, answered when ``end`` is None."""

    def play(s: Script) -> None:
        caller = s.desk()
        near, far = s.phone(caller.phone), s.phone(s.desk(caller).phone)
        if end is None:
            answered_call(s, near, far)
        else:
            failed_call(s, near, far, end, 1 if end == BUSY else RINGS)

    return play


def number_of(s: Script, kind: str) -> Outside:
    """Return a number to call; of kind ``any`` it is mostly mobile, sometimes far away."""
    if kind == "emergency":
        return EMERGENCY
    if kind == "any":
        kind = ("mobile", "local", "national", "mobile", "international")[s.below(5)]
    return any_number(kind, s.random)


def outgoing(kind: str, end: End | None = None) -> Play:
    """Return the play of an outgoing call, answered when ``end`` is None."""

    def play(s: Script) -> None:
        near, far = s.phone(s.desk().phone), s.dialled(number_of(s, kind))
        if end is None:
            answered_call(s, near, far)
        else:
            failed_call(s, near, far, end, 2 + s.below(RINGS))

    return play


def outgoing_zero(s: Script) -> None:
    """Connected for less than a second: the carrier charges one."""
    answered_call(s, s.phone(s.desk().phone), s.dialled(number_of(s, "any")), talk=0)


def outgoing_unlisted(s: Script) -> None:
    """A trunk that the configuration does not name: nobody knows what the call costs."""
    far = s.dialled(number_of(s, "national"), UNLISTED_TRUNK)
    answered_call(s, s.phone(s.desk().phone), far)


def incoming(end: End | None = None) -> Play:
    """Return the play of an incoming call, answered when ``end`` is None."""

    def play(s: Script) -> None:
        near, far = s.caller(number_of(s, "any")), s.phone(s.desk().phone)
        if end is None:
            answered_call(s, near, far)
        else:
            failed_call(s, near, far, end, 1 if end == BUSY else RINGS)

    return play


def incoming_withheld(s: Script) -> None:
    """The caller's number is withheld."""
    answered_call(s, s.caller(WITHHELD), s.phone(s.desk().phone))


def unknown_extension(s: Script) -> None:
    """Somebody dials an extension that does not exist."""
    number = UNKNOWN[s.below(len(UNKNOWN))]
    nowhere: Row = {
        "originalCalledPartyNumber": number,
        "finalCalledPartyNumber": number,
        "lastRedirectDn": number,
    }
    failed_call(s, s.phone(s.desk().phone), None, (1, 0, 13, 0), 3, nowhere)


def tie_outgoing(s: Script) -> None:
    """To the other PBX."""
    answered_call(s, s.phone(s.desk().phone), s.tie(f"7{s.below(1000):03d}"))


def tie_incoming(s: Script) -> None:
    """From the other PBX."""
    answered_call(s, s.tie(f"7{s.below(1000):03d}"), s.phone(s.desk().phone))


SCENARIOS = (
    Scenario("internal-answered", internal(None), 22),
    Scenario("internal-unanswered", internal(NO_ANSWER), 3),
    Scenario("internal-busy", internal(BUSY), 2),
    Scenario("internal-cancelled", internal(HANGUP_CALLER), 2),
    Scenario("outgoing-local", outgoing("local"), 5),
    Scenario("outgoing-national", outgoing("national"), 6),
    Scenario("outgoing-mobile", outgoing("mobile"), 10),
    Scenario("outgoing-international", outgoing("international"), 4),
    Scenario("outgoing-toll-free", outgoing("toll-free"), 1),
    Scenario("outgoing-shared-cost", outgoing("shared-cost"), 0.3),
    Scenario("outgoing-premium", outgoing("premium"), 0.2),
    Scenario("outgoing-emergency", outgoing("emergency"), 0.1),
    Scenario("outgoing-no-rate", outgoing("no-rate"), 0.3),
    Scenario("outgoing-unanswered", outgoing("any", HANGUP_CALLER), 3),
    Scenario("outgoing-busy", outgoing("any", BUSY), 1),
    Scenario("outgoing-zero-seconds", outgoing_zero, 0.3),
    Scenario("outgoing-unlisted-trunk", outgoing_unlisted, 0.3),
    Scenario("incoming-answered", incoming(), 14),
    Scenario("incoming-unanswered", incoming(NO_ANSWER), 3),
    Scenario("incoming-busy", incoming(BUSY), 1),
    Scenario("incoming-withheld", incoming_withheld, 1),
    Scenario("unknown-extension", unknown_extension, 0.5),
    Scenario("tie-outgoing", tie_outgoing, 1),
    Scenario("tie-incoming", tie_incoming, 1),
)
