"""Each worked example of how Cisco UCM records calls, and the calls that it is.

A row is: conversation (from 1), seconds after the first record, line, side, outcome, direction,
disposition, seconds talked, other number, cost. A record that became no call says why, and one that
waits for what came before it is provisional.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.domain.codes import RecordOutcome, Role
from syncd.store.models import Record, database
from tests.fixtures.worked_examples import EXAMPLES, T
from tests.fixtures.worked_features import FEATURES
from tests.support.bed import START, Bed, make_bed

MOBILE = "+393331234567"
OUTSIDE = "+390648901234"
PROVISIONAL = ("stored", "provisional")

CALLS: dict[str, tuple[tuple[object, ...], ...]] = {
    "internal": (
        (1, 0, "2001", "calling", "answered", "internal", "answered", 60, "2309", "0.00"),
        (1, 0, "2309", "called", "answered", "internal", "answered", 60, "2001", "0.00"),
    ),
    "internal, called party hung up": (
        (1, 0, "2001", "calling", "answered", "internal", "answered", 60, "2309", "0.00"),
        (1, 0, "2309", "called", "answered", "internal", "answered", 60, "2001", "0.00"),
    ),
    "abandoned off-hook": (
        (1, 0, "2001", "calling", "unanswered", "internal", "cancelled", 0, "", "0.00"),
    ),
    "abandoned while ringing": (
        (1, 0, "2001", "calling", "unanswered", "internal", "cancelled", 0, "2309", "0.00"),
        (1, 0, "2309", "called", "missed", "internal", "cancelled", 0, "2001", "0.00"),
    ),
    "unanswered": (
        (1, 0, "2001", "calling", "unanswered", "internal", "no-answer", 0, "2309", "0.00"),
        (1, 0, "2309", "called", "missed", "internal", "no-answer", 0, "2001", "0.00"),
    ),
    "busy": (
        (1, 0, "2001", "calling", "unanswered", "internal", "busy", 0, "2309", "0.00"),
        (1, 0, "2309", "called", "missed", "internal", "busy", 0, "2001", "0.00"),
    ),
    "unknown number": (
        (1, 0, "2001", "calling", "unanswered", "internal", "failed", 0, "2999", "0.00"),
    ),
    "trunk down": (
        (1, 0, "2001", "calling", "unanswered", "outgoing", "failed", 0, MOBILE, "0.00"),
    ),
    "outbound": (
        (1, 0, "2001", "calling", "answered", "outgoing", "answered", 151, MOBILE, "1.66"),
    ),
    "inbound": ((1, 0, "2001", "called", "answered", "incoming", "answered", 80, OUTSIDE, "0.00"),),
    "inbound, number withheld": (
        (1, 0, "2001", "called", "answered", "incoming", "answered", 80, "", "0.00"),
    ),
    "blind transfer": (
        (1, 0, "2001", "calling", "answered", "outgoing", "answered", 120, MOBILE, "1.2375"),
        (1, 125, "2002", "called", "answered", "outgoing", "answered", 360, MOBILE, "0.00"),
        (1, 125, "2001", "redirecting", "none", "outgoing", "transferred", 0, MOBILE, "3.7125"),
        (1, 125, "2001", "calling", "none", "internal", "transferred", 0, "2002", "0.00"),
        (1, 125, "2002", "called", "none", "internal", "transferred", 0, "2001", "0.00"),
    ),
    "blind transfer by called party": (
        (1, 0, "2001", "calling", "answered", "internal", "answered", 60, "2002", "0.00"),
        (1, 0, "2002", "called", "answered", "internal", "answered", 60, "2001", "0.00"),
        (1, 65, "2001", "calling", "none", "internal", "answered", 100, "2003", "0.00"),
        (1, 65, "2003", "called", "answered", "internal", "answered", 100, "2001", "0.00"),
        (1, 65, "2002", "redirecting", "none", "internal", "transferred", 0, "2001", "0.00"),
        (1, 65, "2002", "calling", "none", "internal", "transferred", 0, "2003", "0.00"),
        (1, 65, "2003", "called", "none", "internal", "transferred", 0, "2002", "0.00"),
    ),
    "consultative transfer": (
        (1, 0, "2001", "calling", "answered", "outgoing", "answered", 135, MOBILE, "1.390909"),
        (1, 125, "2001", "calling", "none", "internal", "transferred", 10, "2002", "0.00"),
        (1, 125, "2002", "called", "answered", "internal", "transferred", 10, "2001", "0.00"),
        (1, 140, "2002", "called", "none", "outgoing", "answered", 360, MOBILE, "0.00"),
        (1, 140, "2001", "redirecting", "none", "outgoing", "transferred", 0, MOBILE, "3.709091"),
    ),
    "consultative transfer to outside": (
        (1, 0, "2001", "called", "answered", "incoming", "answered", 145, OUTSIDE, "0.00"),
        (1, 103, "2001", "calling", "none", "outgoing", "transferred", 41, MOBILE, "0.424009"),
        (1, 150, "2001", "redirecting", "none", "transit", "transferred", 0, MOBILE, "4.115991"),
    ),
    "conference": (
        (1, 0, "2001", "calling", "answered", "internal", "answered", 60, "2309", "0.00"),
        (1, 0, "2309", "called", "answered", "internal", "answered", 60, "2001", "0.00"),
        (1, 40, "2001", "calling", "none", "outgoing", "answered", 20, MOBILE, "0.207894"),
        (1, 65, "2309", "calling", "none", "internal", "answered", 360, "b0029901001", "0.00"),
        (1, 65, "2001", "redirecting", "none", "outgoing", "transferred", 0, MOBILE, "3.742106"),
        (1, 65, "2001", "calling", "none", "internal", "answered", 360, "b0029901001", "0.00"),
        (1, 425, "2001", "calling", "none", "internal", "answered", 55, "2309", "0.00"),
        (1, 425, "2309", "called", "none", "internal", "answered", 55, "2001", "0.00"),
    ),
    "forwarded to voicemail": (
        (1, 0, "2001", "calling", "answered", "internal", "answered", 30, "6000", "0.00"),
        (1, 0, "2309", "redirecting", "missed", "internal", "forwarded", 0, "2001", "0.00"),
    ),
    "forwarded twice": (
        (1, 0, "2001", "calling", "answered", "internal", "answered", 30, "6000", "0.00"),
        (1, 0, "2309", "first-redirecting", "missed", "internal", "forwarded", 0, "2001", "0.00"),
        (1, 0, "2002", "redirecting", "missed", "internal", "forwarded", 0, "2001", "0.00"),
    ),
    "forwarded to outside": (
        (1, 0, "2309", "redirecting", "missed", "transit", "forwarded", 0, MOBILE, "1.05"),
    ),
    "hunt group, member shown": (
        (1, 0, "2002", "called", "answered", "incoming", "answered", 60, OUTSIDE, "0.00"),
    ),
    "hunt group, member hidden": (("not-billed", "nobody is configured for the number"),),
    "hunt group, unanswered": (
        ("not-billed", "nobody holds the number and no device was reached"),
    ),
    "park and retrieve": (
        (1, 0, "2002", "called", "answered", "incoming", "answered", 30, OUTSIDE, "0.00"),
        (1, 50, "2003", "calling", "answered", "incoming", "answered", 60, OUTSIDE, "0.00"),
    ),
    "pickup": (
        (1, 0, "2003", "called", "answered", "incoming", "answered", 60, OUTSIDE, "0.00"),
        (1, 0, "2001", "redirecting", "missed", "incoming", "forwarded", 0, OUTSIDE, "0.00"),
    ),
    "recording": (("excluded", "recording"),),
    "message waiting": (("excluded", "message waiting"),),
    "mobility half-leg": (("excluded", "mobility attempt"),),
    "chain of five": (
        (1, 0, "2001", "calling", "answered", "internal", "answered", 30, "2002", "0.00"),
        (1, 0, "2002", "called", "answered", "internal", "answered", 30, "2001", "0.00"),
        (1, 20, "2002", "calling", "none", "internal", "transferred", 10, "2003", "0.00"),
        (1, 20, "2003", "called", "answered", "internal", "transferred", 10, "2002", "0.00"),
        (1, 35, "2001", "calling", "none", "internal", "answered", 60, "2003", "0.00"),
        (1, 35, "2003", "called", "none", "internal", "answered", 60, "2001", "0.00"),
        (1, 35, "2002", "redirecting", "none", "internal", "transferred", 0, "2001", "0.00"),
        (1, 80, "2003", "calling", "none", "internal", "transferred", 10, "2309", "0.00"),
        (1, 80, "2309", "called", "answered", "internal", "transferred", 10, "2003", "0.00"),
        (1, 95, "2001", "calling", "none", "internal", "answered", 120, "2309", "0.00"),
        (1, 95, "2309", "called", "none", "internal", "answered", 120, "2001", "0.00"),
        (1, 95, "2003", "redirecting", "none", "internal", "transferred", 0, "2001", "0.00"),
    ),
    "forwarded, busy": (
        (1, 0, "2002", "called", "answered", "incoming", "answered", 60, OUTSIDE, "0.00"),
        (1, 0, "2001", "redirecting", "missed", "incoming", "forwarded", 0, OUTSIDE, "0.00"),
    ),
    "park of a called party": (
        (1, 0, "2001", "calling", "answered", "outgoing", "answered", 30, MOBILE, "0.35"),
        (1, 50, "2002", "calling", "answered", "outgoing", "answered", 60, MOBILE, "0.70"),
    ),
    "directed park": (
        (1, 0, "2002", "called", "answered", "incoming", "answered", 30, OUTSIDE, "0.00"),
        (1, 50, "2003", "calling", "answered", "incoming", "answered", 60, OUTSIDE, "0.00"),
    ),
    "park reversion": (
        (1, 0, "2002", "called", "answered", "incoming", "answered", 30, OUTSIDE, "0.00"),
        (1, 95, "2002", "called", "none", "incoming", "answered", 30, OUTSIDE, "0.00"),
    ),
    "group pickup": (
        (1, 0, "2003", "called", "answered", "incoming", "answered", 60, OUTSIDE, "0.00"),
        (1, 0, "2001", "redirecting", "missed", "incoming", "forwarded", 0, OUTSIDE, "0.00"),
    ),
    "auto pickup": (
        (1, 0, "2001", "called", "missed", "incoming", "no-answer", 0, OUTSIDE, "0.00"),
        (1, 6, "2003", "called", "answered", "incoming", "answered", 60, OUTSIDE, "0.00"),
        (1, 6, "2001", "redirecting", "none", "incoming", "forwarded", 0, OUTSIDE, "0.00"),
    ),
    "immediate divert, ringing": (
        (1, 0, "2001", "redirecting", "missed", "incoming", "forwarded", 0, OUTSIDE, "0.00"),
    ),
    "immediate divert, answered": (
        (1, 0, "2001", "called", "answered", "incoming", "answered", 94, OUTSIDE, "0.00"),
        (1, 99, "2001", "redirecting", "none", "incoming", "forwarded", 0, OUTSIDE, "0.00"),
    ),
    "barge": (
        (1, 0, "2309", "called", "answered", "incoming", "answered", 120, OUTSIDE, "0.00"),
        (2, 60, "2309", "calling", "answered", "internal", "answered", 65, "b0029901001", "0.00"),
    ),
    "barge by conference": (
        (1, 0, "2309", "called", "answered", "incoming", "answered", 60, OUTSIDE, "0.00"),
        (1, 65, "2309", "calling", "none", "internal", "answered", 60, "b0029901001", "0.00"),
        (1, 65, "2309", "calling", "none", "internal", "answered", 60, "b0029901001", "0.00"),
        (1, 65, "2309", "redirecting", "none", "incoming", "transferred", 0, OUTSIDE, "0.00"),
    ),
    "call-back": (
        (1, 0, "2001", "calling", "unanswered", "internal", "cancelled", 0, "2002", "0.00"),
        (1, 0, "2002", "called", "missed", "internal", "cancelled", 0, "2001", "0.00"),
        (2, 600, "2001", "calling", "answered", "internal", "answered", 30, "2002", "0.00"),
        (2, 600, "2002", "called", "answered", "internal", "answered", 30, "2001", "0.00"),
    ),
    "single number reach": (
        (1, 0, "2001", "called", "answered", "transit", "answered", 60, OUTSIDE, "0.75"),
    ),
    "single number reach, taken at the desk": (
        (1, 0, "2001", "called", "answered", "incoming", "answered", 60, OUTSIDE, "0.00"),
    ),
    "mobility half-leg, answered": (
        (1, 0, "2001", "called", "answered", "transit", "answered", 60, OUTSIDE, "0.75"),
    ),
    "meet-me": (
        (1, 0, "2001", "calling", "answered", "internal", "answered", 299, "b0010000007", "0.00"),
        (1, 60, "2002", "calling", "answered", "internal", "answered", 179, "b0010000007", "0.00"),
        ("not-billed", "no line of ours takes part"),
    ),
    "meet-me, the same id again": (
        (1, 0, "2001", "calling", "answered", "internal", "answered", 299, "b0010000008", "0.00"),
        (2, 3600, "2001", "calling", "answered", "internal", "answered", 59, "b0010000008", "0.00"),
    ),
    "linked conferences": (
        (1, 0, "2001", "calling", "answered", "internal", "answered", 60, "2309", "0.00"),
        (1, 0, "2309", "called", "answered", "internal", "answered", 60, "2001", "0.00"),
        (1, 0, "2001", "calling", "none", "internal", "answered", 60, "2002", "0.00"),
        (1, 0, "2002", "called", "answered", "internal", "answered", 60, "2001", "0.00"),
        (1, 65, "2002", "calling", "none", "internal", "answered", 135, "b0029901002", "0.00"),
        (1, 65, "2001", "calling", "none", "internal", "answered", 35, "b0029901001", "0.00"),
        (1, 65, "2001", "calling", "none", "internal", "answered", 35, "b0029901002", "0.00"),
        (1, 65, "2309", "calling", "none", "internal", "answered", 135, "b0029901001", "0.00"),
        ("not-billed", "no line of ours takes part"),
    ),
    "hunt group, out of the queue": (
        (1, 0, "2002", "called", "answered", "incoming", "answered", 60, OUTSIDE, "0.00"),
    ),
    "hunt group, the wait apart": (
        (1, 40, "2002", "called", "answered", "incoming", "answered", 60, OUTSIDE, "0.00"),
        ("not-billed", "nobody is configured for the number"),
    ),
    "hunt group, given up in the queue": (("not-billed", "nobody is configured for the number"),),
    "hunt group, the queue's second destination": (
        (1, 0, "2003", "called", "answered", "incoming", "answered", 60, OUTSIDE, "0.00"),
    ),
    "extension mobility": (
        (1, 0, "2001", "calling", "answered", "outgoing", "answered", 60, MOBILE, "0.75"),
    ),
    "extension mobility, a phone of nobody's": (
        (1, 0, "2999", "calling", "answered", "outgoing", "answered", 60, MOBILE, "0.75"),
    ),
    "transfer by refer": (
        (1, 0, "2001", "called", "answered", "incoming", "answered", 60, OUTSIDE, "0.00"),
        (1, 65, "2002", "called", "answered", "incoming", "answered", 60, OUTSIDE, "0.00"),
        (1, 65, "2001", "redirecting", "none", "incoming", "transferred", 0, OUTSIDE, "0.00"),
    ),
    "transfer whose beginning is missing": (
        (1, 65, "2002", "called", "answered", "incoming", "answered", 60, MOBILE, "0.00"),
        (1, 65, "2001", "redirecting", "missed", "incoming", "transferred", 0, MOBILE, "0.00"),
        PROVISIONAL,
    ),
    "silent monitoring": (("excluded", "monitoring"),),
}


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    bed = make_bed(tmp_path)
    bed.now = T + 86_400
    for user, number in (
        ("first", "2001"),
        ("second", "2002"),
        ("third", "2003"),
        ("fourth", "2309"),
    ):
        mobile = ((Role.MOBILE, MOBILE, False),) if user == "first" else ()
        bed.person(user, number, more=((Role.USER_ID, user, False), *mobile))
    yield bed
    database.close()


def test_every_example_is_told() -> None:
    assert set(CALLS) == set(EXAMPLES) | set(FEATURES)


@pytest.mark.parametrize("name", CALLS)
def test_the_calls_of_an_example(bed: Bed, name: str) -> None:
    bed.ingest(*{**EXAMPLES, **FEATURES}[name])
    records = list(Record.select().order_by(Record.started_at, Record.key))
    conversations = list(dict.fromkeys(record.conversation for record in records))
    found: list[tuple[object, ...]] = [
        (
            conversations.index(call["conversation"]) + 1,
            call["start"] + START - T,
            *(
                call[column]
                for column in (
                    "line",
                    "side",
                    "outcome",
                    "direction",
                    "disposition",
                    "duration",
                    "other",
                    "cost",
                )
            ),
        )
        for call in bed.calls()
    ]
    for record in records:
        if record.outcome != RecordOutcome.STORED:
            found.append((RecordOutcome(record.outcome).word, record.reason))
        elif record.provisional:
            found.append(PROVISIONAL)
    assert tuple(found) == CALLS[name]


def test_a_person_logged_in_on_a_phone_of_nobodys_pays(bed: Bed) -> None:
    bed.ingest(*FEATURES["extension mobility, a phone of nobody's"])
    assert bed.rows("line", "person", "cost") == [("2999", "third", "0.75")]
