"""Which records belong together, and the outside legs that run through them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.billing.numbering import Numbering, NumberingPlan
from syncd.calls.conversation import (
    Ends,
    OutsideLeg,
    Rec,
    Ties,
    carried,
    consult_records,
    direction_of,
    in_order,
    is_provisional,
    keys_of,
    outside_legs,
)
from syncd.calls.trunks import Endpoint, Kind
from syncd.domain.codes import Direction, TrunkRole
from syncd.domain.leg import SPLIT
from tests.support.legs import make_leg, make_rec

HOLD = 86_400
ROME = Numbering(NumberingPlan("IT", "06", "0", "", ("2XXX", "3XXX")))
PHONE = Endpoint(Kind.LINE)
NOTHING = Endpoint(Kind.NOTHING)
INSIDE = Endpoint(Kind.INSIDE, TrunkRole.VOICEMAIL, "vm")
TIE = Endpoint(Kind.TIE, TrunkRole.TIE, "london")
TRUNK = Endpoint(Kind.OUTSIDE, TrunkRole.PSTN, "pstn", "telco")
OTHER_TRUNK = Endpoint(Kind.OUTSIDE, TrunkRole.PSTN, "sip", "other")
BRIDGE = Endpoint(Kind.BRIDGE)


def groups(*records: Rec, hold: int = HOLD) -> set[frozenset[int]]:
    ties = Ties(hold)
    for rec in sorted(records, key=lambda rec: (rec.leg.started_at, rec.leg.key)):
        ties.add(rec)
    return {frozenset(ids) for ids in ties.groups().values()}


def sets(*ids: set[int]) -> set[frozenset[int]]:
    return {frozenset(group) for group in ids}


# --- what is tied --------------------------------------------------------------------------------


def test_what_ties_a_record() -> None:
    keys = keys_of(make_leg(call_ref=5, orig_leg=7, dest_leg=8))
    assert sorted(keys) == [("call", 5), ("leg", 7), ("leg", 8)]
    assert keys_of(make_leg(orig_leg=7)) == [("leg", 7)]
    assert keys_of(make_leg()) == []


def test_a_transfer_is_tied_by_call_id_and_leg() -> None:
    assert groups(
        make_rec(1, call_ref=1, orig_leg=101, dest_leg=102),
        make_rec(2, call_ref=2, orig_leg=103, dest_leg=104),
        make_rec(3, call_ref=1, orig_leg=102, dest_leg=104),
        make_rec(4, call_ref=3, orig_leg=105, dest_leg=106),
    ) == sets({1, 2, 3}, {4})


def test_a_call_id_is_no_leg_id() -> None:
    assert groups(make_rec(1, call_ref=101), make_rec(2, orig_leg=101)) == sets({1}, {2})


def test_records_without_ids_belong_to_nobody() -> None:
    """Never by call (0, 0): such half-legs belong to different calls."""
    assert groups(make_rec(1), make_rec(2)) == sets({1}, {2})
    assert groups(make_rec(1, dest_leg=0, orig_leg=5), make_rec(2, orig_leg=6)) == sets({1}, {2})


@pytest.mark.parametrize(("later", "together"), [(HOLD, True), (HOLD + 1, False)])
def test_a_call_id_that_is_used_again_later_is_another_conversation(
    later: int, together: bool
) -> None:
    found = groups(make_rec(1, call_ref=9), make_rec(2, call_ref=9, started_at=later))
    assert found == (sets({1, 2}) if together else sets({1}, {2}))


def test_a_long_conversation_is_followed_from_record_to_record() -> None:
    chain = [make_rec(n, call_ref=9, started_at=n * 20 * 3600) for n in range(5)]
    assert groups(*chain) == sets({0, 1, 2, 3, 4})


def test_the_hold_window_is_configured() -> None:
    pair = make_rec(1, orig_leg=9), make_rec(2, dest_leg=9, started_at=61)
    assert groups(*pair, hold=60) == sets({1}, {2})
    assert groups(*pair, hold=61) == sets({1, 2})


RECS = st.lists(
    st.builds(
        lambda call, orig, dest, at: {
            "call_ref": call,
            "orig_leg": orig,
            "dest_leg": dest,
            "started_at": at,
        },
        *(st.integers(0, 4) for _ in range(3)),
        st.integers(0, 30),
    ),
    max_size=9,
)


@given(RECS, st.integers(0, 12))
def test_tied_is_what_a_chain_of_shared_ids_joins(columns: list[dict[str, int]], hold: int) -> None:
    """Two records with one id are tied when no more than the hold lies between them and every
    other record with that id in between."""
    records = [make_rec(number, **each) for number, each in enumerate(columns)]
    near = {number: {number} for number in range(len(records))}
    for key in {key for rec in records for key in keys_of(rec.leg)}:
        having = sorted(
            (rec for rec in records if key in keys_of(rec.leg)),
            key=lambda rec: (rec.leg.started_at, rec.leg.key),
        )
        for one, other in pairwise(having):
            if other.leg.started_at - one.leg.started_at <= hold:
                near[one.id].add(other.id)
                near[other.id].add(one.id)
    expected = set()
    for number in near:
        reached, new = set(), {number}
        while new:
            reached |= new
            new = {far for each in new for far in near[each]} - reached
        expected.add(frozenset(reached))
    assert groups(*records, hold=hold) == expected


def test_order_of_a_conversation() -> None:
    final = make_rec(1, started_at=60, joined_by=10, key="a")
    consult = make_rec(2, started_at=60, key="b")
    original = make_rec(3, started_at=0, key="z")
    late = make_rec(4, started_at=61, key="a")
    assert in_order([late, final, consult, original]) == [original, consult, final, late]


# --- outside legs --------------------------------------------------------------------------------


def followed(records: Sequence[Rec], ends: Sequence[tuple[Endpoint, Endpoint]]) -> list[OutsideLeg]:
    pairs = [Ends(*pair) for pair in ends]
    return list(outside_legs(records, pairs, ROME.outgoing, ROME.incoming).values())


def talk(number: int, orig: int, dest: int, seconds: int | None = 60, **columns: Any) -> Rec:
    """Return a record of two legs that starts at its number and is connected for some seconds."""
    return make_rec(
        number,
        **{
            "started_at": number,
            "orig_leg": orig,
            "dest_leg": dest,
            "connected_at": 0 if seconds is None else number + 1,
            "duration": seconds or 0,
            "calling_number": "2001",
            "final_number": "03331234567",
            **columns,
        },
    )


def test_an_outside_leg_keeps_what_it_was_set_up_with() -> None:
    """120 s, and 360 s more after a transfer, in a record that comes "from" the gateway."""
    (leg,) = followed(
        [
            talk(1, 101, 102, 120, final_pattern="0.!"),
            talk(2, 103, 104, None, final_number="2002"),
            talk(3, 102, 104, 360, calling_number="+393331234567", final_number="2002"),
        ],
        [(PHONE, TRUNK), (PHONE, PHONE), (OTHER_TRUNK, PHONE)],
    )
    assert (leg.leg_id, leg.direction, leg.trunk) == (102, Direction.OUTGOING, TRUNK)
    assert (leg.number.e164, leg.raw) == ("+393331234567", "03331234567")
    assert (leg.set_up_in, leg.connected_at) == (0, 2)
    assert (leg.segments, leg.seconds) == ([(0, 120), (2, 360)], 480)


def test_an_incoming_leg_that_is_transferred_out_again() -> None:
    first, second = followed(
        [
            talk(1, 200, 201, 30, calling_number="+33123456789", final_number="2001"),
            talk(2, 202, 203, 41, final_pattern="0.!"),
            talk(3, 200, 203, 398, calling_number="+33123456789", final_pattern="0.!"),
        ],
        [(TRUNK, PHONE), (PHONE, TRUNK), (TRUNK, TRUNK)],
    )
    assert (first.direction, first.segments) == (Direction.INCOMING, [(0, 30), (2, 398)])
    assert (second.direction, second.segments) == (Direction.OUTGOING, [(1, 41), (2, 398)])


def test_a_leg_without_id_is_never_another_one() -> None:
    legs = followed([talk(1, 0, 0), talk(2, 0, 0)], [(TRUNK, TRUNK), (TRUNK, TRUNK)])
    assert len({leg.leg_id for leg in legs}) == 4
    assert all(leg.leg_id < 0 for leg in legs)
    by_id = {leg.leg_id: leg for leg in legs}
    orig, dest = carried(make_leg(), 2, by_id)
    assert (orig, dest) == (legs[2], legs[3])


def test_carried_are_the_legs_of_either_end() -> None:
    records = [talk(1, 101, 102)]
    (leg,) = followed(records, [(PHONE, TRUNK)])
    assert carried(records[0].leg, 1, {102: leg}) == (None, leg)
    assert carried(make_leg(orig_leg=102, dest_leg=7), 9, {102: leg}) == (leg, None)


def test_lines_ties_and_bridges_are_no_outside_legs() -> None:
    assert followed([talk(1, 101, 102), talk(2, 3, 4)], [(PHONE, TIE), (INSIDE, BRIDGE)]) == []


@pytest.mark.parametrize(
    ("parts", "seconds"), [([None], 0), ([0], 1), ([0, 0], 1), ([None, 5], 5), ([60, None, 1], 61)]
)
def test_seconds_of_a_leg(parts: list[int | None], seconds: int) -> None:
    records = [talk(number, 7, 100 + number, part) for number, part in enumerate(parts, 1)]
    (leg,) = followed(records, [(TRUNK, PHONE)] * len(parts))
    assert leg.seconds == seconds
    assert len(leg.segments) == sum(part is not None for part in parts)


# --- direction -----------------------------------------------------------------------------------

DIRECTIONS = [
    (PHONE, PHONE, 2, Direction.INTERNAL),
    (PHONE, INSIDE, 5, Direction.INTERNAL),
    (PHONE, NOTHING, 2, Direction.INTERNAL),
    (PHONE, NOTHING, 5, Direction.OUTGOING),
    (PHONE, TRUNK, 5, Direction.OUTGOING),
    (INSIDE, TRUNK, 5, Direction.OUTGOING),
    (TRUNK, PHONE, 2, Direction.INCOMING),
    (TRUNK, INSIDE, 5, Direction.INCOMING),
    (TRUNK, NOTHING, 2, Direction.INCOMING),
    (TRUNK, BRIDGE, 1, Direction.INCOMING),
    (TRUNK, TRUNK, 5, Direction.TRANSIT),
    (PHONE, TIE, 5, Direction.ON_NET),
    (TIE, PHONE, 2, Direction.ON_NET),
    (TIE, TIE, 5, Direction.ON_NET),
    (TIE, TRUNK, 5, Direction.OUTGOING),
    (TRUNK, TIE, 5, Direction.INCOMING),
    (PHONE, BRIDGE, 1, Direction.INTERNAL),
]


@pytest.mark.parametrize(("orig", "dest", "usage", "direction"), DIRECTIONS)
def test_direction(orig: Endpoint, dest: Endpoint, usage: int, direction: Direction) -> None:
    record = talk(1, 101, 102, pattern_usage=usage)
    ends = Ends(orig, dest)
    legs = outside_legs([record], [ends], ROME.outgoing, ROME.incoming)
    assert direction_of(record.leg, ends, *carried(record.leg, 1, legs)) is direction


def test_a_transferred_outgoing_call_stays_outgoing() -> None:
    records = [talk(1, 101, 102), talk(2, 102, 104, calling_number="+39333", joined_by=10)]
    ends = [Ends(PHONE, TRUNK), Ends(TRUNK, PHONE)]
    legs = outside_legs(records, ends, ROME.outgoing, ROME.incoming)
    at_orig, at_dest = carried(records[1].leg, 2, legs)
    assert direction_of(records[1].leg, ends[1], at_orig, at_dest) is Direction.OUTGOING
    assert not is_provisional(1, records[1].leg, at_orig)


def test_two_outgoing_legs_that_were_joined_are_no_transit() -> None:
    records = [talk(1, 101, 102), talk(2, 101, 103), talk(3, 102, 103, joined_by=10)]
    ends = [Ends(PHONE, TRUNK), Ends(PHONE, TRUNK), Ends(TRUNK, TRUNK)]
    legs = outside_legs(records, ends, ROME.outgoing, ROME.incoming)
    assert (
        direction_of(records[2].leg, ends[2], *carried(records[2].leg, 3, legs))
        is Direction.OUTGOING
    )


@pytest.mark.parametrize(
    ("joined_by", "orig", "provisional"),
    [
        (10, TRUNK, True),
        (4, TRUNK, True),
        (3, TRUNK, True),
        (5, TRUNK, False),
        (16, TRUNK, False),
        (0, TRUNK, False),
        (10, PHONE, False),
    ],
)
def test_provisional_until_the_set_up_is_seen(
    joined_by: int, orig: Endpoint, provisional: bool
) -> None:
    record = talk(1, 101, 102, joined_by=joined_by)
    legs = outside_legs([record], [Ends(orig, PHONE)], ROME.outgoing, ROME.incoming)
    assert is_provisional(0, record.leg, carried(record.leg, 1, legs)[0]) is provisional


# --- consult records -----------------------------------------------------------------------------

HANDED = {"orig_cause": SPLIT, "dest_cause": SPLIT, "orig_ended_by": 10, "dest_ended_by": 10}


def test_the_consult_record_of_a_transfer() -> None:
    records = [
        make_rec(1, call_ref=1, orig_leg=101, dest_leg=102, **HANDED),
        make_rec(2, call_ref=2, orig_leg=103, dest_leg=104, **HANDED),
        make_rec(3, call_ref=1, orig_leg=102, dest_leg=104, joined_by=10),
    ]
    assert consult_records(records) == {1}
    assert consult_records(list(reversed(records))) == {1}


def test_the_consult_records_of_a_chain() -> None:
    records = [
        make_rec(1, call_ref=1, orig_leg=11, dest_leg=12, **HANDED),
        make_rec(2, call_ref=2, orig_leg=13, dest_leg=14, **HANDED),
        make_rec(3, call_ref=1, orig_leg=11, dest_leg=14, joined_by=10, **HANDED),
        make_rec(4, call_ref=3, orig_leg=15, dest_leg=16, **HANDED),
        make_rec(5, call_ref=1, orig_leg=11, dest_leg=16, joined_by=10),
    ]
    assert consult_records(records) == {1, 3}


@pytest.mark.parametrize(
    ("consult", "final"),
    [
        ({"orig_ended_by": 12, "dest_ended_by": 0}, {}),
        ({"dest_leg": 0}, {}),
        ({"dest_leg": 105}, {}),
        ({}, {"joined_by": 4}),
        ({"call_ref": 1}, {}),
    ],
    ids=["ended otherwise", "no far end", "another leg", "no transfer", "the same call"],
)
def test_what_is_no_consult_record(consult: dict[str, int], final: dict[str, int]) -> None:
    columns: dict[str, Any] = {"call_ref": 2, "orig_leg": 103, "dest_leg": 104, **HANDED}
    last: dict[str, Any] = {"call_ref": 1, "orig_leg": 102, "dest_leg": 104, "joined_by": 10}
    records = [make_rec(1, **{**columns, **consult}), make_rec(2, **{**last, **final})]
    assert consult_records(records) == set()
