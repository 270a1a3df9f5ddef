"""Kamailio: a call's INVITE and BYE, wherever they stand."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from syncd.cdr.driver_options import OptionsError
from syncd.domain.leg import Exclusion, Leg, Reject
from tests.support.drivers import Item, driver, read, reasons

T = 1_780_000_000
Tags = tuple[str, str]


def row(
    method: str = "INVITE",
    at: int = T,
    code: str = "200",
    tags: tuple[str, str] = ("f", "t"),
    **more: Any,
) -> str:
    extra = {
        "callid": "call-1",
        "reason": "OK",
        "numbers": "2001|hq.example|198.51.100.7|90612345678|0612345678|sip.telco.example",
    } | more
    return (
        f"{method}|{tags[0]}|{tags[1]}|{extra['callid']}|{code}|{extra['reason']}|{at}"
        f"|{extra['numbers']}\n"
    )


def said(text: str, **options: str) -> list[Item]:
    return [item for _, item in read(driver("kamailio", **options), text)]


def kinds(text: str) -> list[str]:
    return [
        item.rule
        if isinstance(item, Exclusion)
        else item.reason
        if isinstance(item, Reject)
        else "leg"
        for item in said(text)
    ]


INVITE, BYE = row(), row("BYE", T + 60)
BACK = row("BYE", T + 60, tags=("t", "f"))


@pytest.mark.parametrize("bye", [BYE, BACK], ids=["of the caller", "of the called"])
@pytest.mark.parametrize("first", [True, False])
def test_two_rows_make_a_call(bye: str, first: bool) -> None:
    found = said(INVITE + bye if first else bye + INVITE, trunks="sip.telco.*")
    assert [type(item) for item in found] == ([Leg, Exclusion] if first else [Exclusion, Leg])
    (leg,) = (item for item in found if isinstance(item, Leg))
    assert (leg.started_at, leg.connected_at, leg.ended_at, leg.duration) == (T, T, T + 60, 60)
    assert (leg.calling_number, leg.final_number) == ("2001", "0612345678")
    assert (leg.original_number, leg.dest_device) == ("90612345678", "sip.telco.example")
    assert (leg.incoming_protocol, leg.outgoing_protocol) == (0, 1)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_further_requests_change_nothing_in_any_order(order: tuple[int, ...]) -> None:
    rows = [INVITE, row(at=T + 30), BYE, row("BYE", T + 61, code="481")]
    found = dict(zip(order, said("".join(rows[one] for one in order)), strict=True))
    leg = found[0]
    assert isinstance(leg, Leg)
    assert leg.duration == 60
    rules = [item.rule for one in (1, 2, 3) if isinstance(item := found[one], Exclusion)]
    assert rules == ["within a call", "other half", "within a call"]


def test_halves_wait() -> None:
    assert kinds(INVITE) == ["the call has no BYE yet"]
    assert kinds(BYE) == ["the INVITE of the call is not known"]
    (item,) = said(INVITE)
    assert isinstance(item, Reject)
    assert item.retryable


def test_calls_with_one_id_are_told_apart_by_their_tags() -> None:
    forked = row(tags=("f", "t2")) + row("BYE", T + 9, tags=("f", "t2"))
    found = [item for item in said(INVITE + forked + BYE) if isinstance(item, Leg)]
    assert [leg.duration for leg in found] == [60, 9]
    assert len({leg.key for leg in found}) == 2
    assert len({leg.call_ref for leg in found}) == 1


@pytest.mark.parametrize(
    ("code", "orig", "dest"),
    [("486", 0, 17), ("404", 0, 1), ("487", 16, 0), ("603", 0, 21), ("503", 0, 41), ("499", 0, 19)],
)
def test_a_call_that_failed_is_one_row(code: str, orig: int, dest: int) -> None:
    (leg,) = said(row(code=code, tags=("f", ""), reason='Busy "here"'))
    assert isinstance(leg, Leg)
    assert (leg.connected_at, leg.duration, leg.orig_cause, leg.dest_cause) == (0, 0, orig, dest)


def test_a_row_that_failed_may_be_short() -> None:
    (leg,) = said("INVITE|f||call-1|486|Busy|1780000000\n")
    assert isinstance(leg, Leg)
    assert (leg.calling_number, leg.final_number) == ("", "")


def test_requests_that_are_no_calls() -> None:
    assert kinds(row(code="407") + row("ACK") + row("MESSAGE") + row(code="183")) == [
        "challenge",
        "within a call",
        "within a call",
        "within a call",
    ]


def test_a_call_from_a_carrier() -> None:
    numbers = "+390687654321|sip.telco.example|192.0.2.9|2001|2001|hq.example"
    text = row(numbers=numbers) + row("BYE", T + 5)
    leg = said(text, trunks="192.0.2.*")[0]
    assert isinstance(leg, Leg)
    assert (leg.orig_device, leg.incoming_protocol, leg.outgoing_protocol) == ("192.0.2.9", 1, 0)


def test_columns_of_ones_own_and_times_as_text() -> None:
    text = "{}|f|t|c|200|OK|2026-05-28 22:2{}:40|rated|2001|0612345678\n"
    columns = "method, from_tag, to_tag, callid, sip_code, sip_reason, time, kind, caller, callee"
    found = said(
        text.format("INVITE", 6) + text.format("BYE", 7),
        columns=columns,
        calling="caller",
        called="callee",
    )
    leg = found[0]
    assert isinstance(leg, Leg)
    assert (leg.started_at, leg.duration, leg.final_number) == (T, 60, "0612345678")


def test_options_that_cannot_be() -> None:
    with pytest.raises(OptionsError, match="calling: there is no column nobody"):
        driver("kamailio", calling="nobody")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("INVITE|f|t|c|200|OK\n", "6 columns where 7 are expected"),
        ("INVITE|f|t|c|20|OK|1\n", "the SIP code is '20'"),
        ("INVITE|f|t||200|OK|1\n", "the record's key has an empty part"),
        ("INVITE|f|t|c|200|OK|soon\n", "'soon' is not a time"),
    ],
)
def test_a_row_that_is_none_costs_no_other(text: str, reason: str) -> None:
    assert reasons(driver("kamailio"), INVITE + text + BYE) == [(2, reason)]
