"""Accounting rows of gateways: the carrier's leg is the call, the other one says it again."""

from __future__ import annotations

from datetime import datetime

import pytest

from syncd.domain.leg import Exclusion, Leg, NotCdrError
from tests.support.bed import ROME
from tests.support.drivers import driver, legs, read, reasons

CONFERENCE = "80CD1398 50739150 854F5801 AC117AEF"
START = int(datetime.fromisoformat("2026-05-28 22:26:40").replace(tzinfo=ROME).timestamp())
CUBE = driver("cube", trunks="ITSP* peer-200")


def row(width: int = 130, **changed: str) -> str:
    """Return a row: the leg that the gateway sent on to the carrier, answered after 5 s."""
    cells = [""] * 130
    named = {
        0: str(START + 65),
        1: "788957",
        2: "0",
        3: "2",
        4: f'"{CONFERENCE}"',
        7: '"22:26:40.112 CEST Thu May 28 2026"',
        8: '"22:26:42.000 CEST Thu May 28 2026"',
        9: '"22:26:45.212 CEST Thu May 28 2026"',
        10: '"22:27:45.002 CEST Thu May 28 2026"',
        11: '"10"',
        12: '"normal call clearing (16)"',
        13: '"originate"',
        20: '"2001"',
        21: '"2001"',
        22: '"0612345678"',
        26: '"200"',
        71: '"192.0.2.7"',
        93: '"ton:0,npi:0,#:90612345678"',
    } | {int(place.removeprefix("c")): text for place, text in changed.items()}
    for place, text in named.items():
        cells[place] = text
    return ",".join(cells[:width]) + "\n"


def only(text: str) -> Leg:
    (leg,) = legs(CUBE, text)
    return leg


@pytest.mark.parametrize("width", [128, 130])
def test_a_leg_to_the_carrier_is_an_outgoing_call(width: int) -> None:
    leg = only(row(width))
    assert (leg.started_at, leg.connected_at, leg.ended_at, leg.duration) == (
        START,
        START + 5,
        START + 65,
        60,
    )
    assert (leg.calling_number, leg.final_number) == ("2001", "0612345678")
    assert (leg.orig_device, leg.incoming_protocol) == ("2001", 0)
    assert (leg.dest_device, leg.outgoing_protocol, leg.pattern_usage) == ("peer-200", 1, 5)
    assert leg.key == f"{CONFERENCE}:788957"
    assert (leg.tied, leg.orig_leg) == (1, 0)


def test_a_leg_from_the_carrier_is_an_incoming_call() -> None:
    leg = only(row(c13='"answer"', c21='"0612345678"', c22='"2001"', c20='""'))
    assert (leg.orig_device, leg.incoming_protocol) == ("peer-200", 1)
    assert (leg.dest_device, leg.outgoing_protocol) == ("2001", 0)
    assert leg.dest_leg == 0 != leg.orig_leg


def test_the_leg_towards_the_house_says_the_same_call_again() -> None:
    found = read(CUBE, row() + row(c13='"answer"', c1="788956", c26='"100"'))
    leg, second = found[0][1], found[1][1]
    assert isinstance(leg, Leg)
    assert isinstance(second, Exclusion)
    assert (second.rule, second.leg.tied) == ("inside leg", 0)
    assert second.leg.call_ref == leg.call_ref != 0
    assert second.leg.key != leg.key


def test_a_transit_call_has_two_legs_of_one_call() -> None:
    first, second = legs(CUBE, row() + row(c13='"answer"', c1="788956"))
    assert first.call_ref == second.call_ref
    assert first.dest_leg != second.orig_leg


def test_a_trunk_is_listed_by_group_peer_address_or_kind() -> None:
    assert only(row(c81='"ITSP-1"')).dest_device == "ITSP-1"
    assert only(row(c13='"answer"', c84='"ITSP-1"')).orig_device == "ITSP-1"
    (leg,) = legs(driver("cube", trunks="192.0.2.*"), row())
    assert leg.dest_device == "192.0.2.7"
    (leg,) = legs(driver("cube", trunks="telephony"), row(c3="1"))
    assert leg.dest_device == "telephony"
    ((_, item),) = read(driver("cube", trunks="telephony"), row())
    assert isinstance(item, Exclusion)


def test_the_compact_template_names_no_peers() -> None:
    (leg,) = legs(driver("cube", trunks="voip"), row(23))
    assert (leg.dest_device, leg.duration) == ("voip", 60)


@pytest.mark.parametrize(
    ("code", "text", "cause"),
    [("11", "user busy (17)", 17), ("11", "", 17), ("13", "no answer", 19), ("", "", 0)],
)
def test_unanswered_legs(code: str, text: str, cause: int) -> None:
    leg = only(row(c9='""', c11=f'"{code}"', c12=f'"{text}"'))
    assert (leg.connected_at, leg.duration, leg.dest_cause) == (0, 0, cause)


def test_a_leg_that_failed_has_its_end_for_a_connect_time() -> None:
    end = '"22:27:45.002 CEST Thu May 28 2026"'
    assert only(row(c9=end, c11='"11"', c12='"user busy (17)"')).connected_at == 0
    assert only(row(c9=end)).connected_at == START + 65


@pytest.mark.parametrize("mark", ["*", "."])
def test_a_clock_that_is_not_in_step_is_taken_all_the_same(mark: str) -> None:
    assert only(row(c7=f'"{mark}22:26:40.112 KRSK Thu May 28 2026"')).started_at == START


def test_times_in_utc_say_so() -> None:
    leg = only(
        row(
            c7='"20:26:40.112 UTC Thu May 28 2026"',
            c9='"20:26:45.112 GMT Thu May 28 2026"',
        )
    )
    assert (leg.started_at, leg.connected_at) == (START, START + 5)


def test_the_epoch_time_tells_which_of_two_hours_is_meant() -> None:
    first = int(datetime.fromisoformat("2026-10-25 02:30:00").replace(tzinfo=ROME).timestamp())
    texts = {
        f"c{place}": f'"02:{minute}:00.000 X Sun Oct 25 2026"'
        for place, minute in ((7, "29"), (9, "30"), (10, "31"))
    }
    for written in (first + 60, first + 3660):
        leg = only(row(c0=str(written), **texts))
        assert (leg.ended_at, leg.duration) == (written, 60)


def test_numbers_behind_their_type() -> None:
    leg = only(row(c22='""', c21='""', c99='"ton:0,npi:0,#:2001"', c100='"ton:2,npi:1,#:2009"'))
    assert (leg.calling_number, leg.final_number) == ("2001", "90612345678")
    assert (leg.redirecting_number, leg.last_redirect_reason) == ("2009", 10)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (row(22), "22 columns, fewer than 23"),
        (row(c4='""'), "the record's key has an empty part"),
        (row(c13='"callback"'), "neither answer nor originate"),
        (row(c7='"22:26:40 CEST Thu 28.05.2026"'), "is not a time"),
        (row(c7='"22:26:40.1 CEST Thu Feb 31 2026"'), "is not a time"),
        (row(c0='"soon"'), "'soon' is not an epoch time"),
        (row(c7='"22:28:40.112 CEST Thu May 28 2026"'), "the call ends before it begins"),
    ],
)
def test_a_row_that_is_none_costs_no_other(text: str, reason: str) -> None:
    found = reasons(CUBE, row() + text + row(c1="5"))
    assert [line for line, _ in found] == [2]
    assert reason in found[0][1]


def test_an_empty_file_is_none() -> None:
    with pytest.raises(NotCdrError):
        read(CUBE, "")
