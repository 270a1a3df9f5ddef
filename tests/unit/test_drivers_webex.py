"""Webex Calling's call history: which rows are calls, columns by name, trunks, reasons."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from syncd.domain.leg import Exclusion, Leg, NotCdrError
from tests.support.drivers import driver, legs, read, reasons

T = 1_780_000_000
VALUES = {
    "Start time": "2026-05-28T20:26:40.123Z",
    "Answer time": "2026-05-28T20:26:45.000Z",
    "Duration": "60",
    "Answered": "true",
    "Direction": "ORIGINATING",
    "Called line ID": "Bert",
    "Calling line ID": "Anna",
    "Call type": "SIP_NATIONAL",
    "Correlation ID": "c-1",
    "Inbound trunk": "NA",
    "Outbound trunk": "telco-sbc",
    "Device MAC": "001122334455",
    "Report ID": "r-1",
    "Original reason": "",
    "Redirect reason": "",
    "Related reason": "",
    "User": "anna@example.com",
    "User UUID": "u-1",
    "User number": "2001",
    "Called number": "+390612345678",
    "Calling number": "2001",
    "Dialed digits": "00612345678",
    "Redirecting number": "",
    "Authorization code": "4711",
    "Ring duration": "5",
    "Release time": "2026-05-28T20:27:45.000Z",
    "Call outcome": "Success",
    "Call outcome reason": "Normal",
    "Something new": "kept out",
}
WEBEX = driver("webex")


def table(*rows: dict[str, str], names: Any = tuple(VALUES)) -> str:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([(VALUES | row)[name] for name in names] for row in rows)
    return text.getvalue()


def only(**changed: str) -> Leg:
    (leg,) = legs(WEBEX, table({name.replace("_", " "): text for name, text in changed.items()}))
    return leg


def test_an_outgoing_call() -> None:
    leg = only()
    assert (leg.started_at, leg.connected_at, leg.ended_at, leg.duration) == (T, T + 5, T + 65, 60)
    assert (leg.key, leg.tied, leg.authorization_code) == ("r-1", 1, "4711")
    assert (leg.calling_number, leg.original_number, leg.final_number) == (
        "2001",
        "00612345678",
        "+390612345678",
    )
    assert (leg.calling_user, leg.orig_device) == ("anna@example.com", "001122334455")
    assert (leg.incoming_protocol, leg.dest_device, leg.outgoing_protocol) == (0, "telco-sbc", 1)


def test_columns_go_by_name_whatever_their_order_and_spelling() -> None:
    names = tuple(reversed(VALUES))
    text = table({}, names=names)
    header, _, rest = text.partition("\n")
    (leg,) = legs(WEBEX, "\ufeff" + header.upper().replace(" ", "_") + "\n" + rest)
    assert leg == only()._replace(content_hash=leg.content_hash)
    assert leg.content_hash == only().content_hash


@pytest.mark.parametrize("call_type", ["SIP_MOBILE", "SIP_PREMIUM", "SIP_OF_THE_FUTURE"])
def test_every_outside_type_leaves_the_house(call_type: str) -> None:
    leg = only(Call_type=call_type, Outbound_trunk="NA")
    assert (leg.dest_device, leg.outgoing_protocol, leg.pattern_usage) == ("webex-pstn", 1, 5)


def test_of_an_internal_call_the_originating_row_is_the_call() -> None:
    inside = {"Call type": "SIP_ENTERPRISE", "Outbound trunk": "NA", "Called number": "2002"}
    found = read(WEBEX, table(inside, inside | {"Direction": "TERMINATING", "Report ID": "r-2"}))
    assert [type(item) for _, item in found] == [Leg, Exclusion]
    leg, second = found[0][1], found[1][1]
    assert isinstance(leg, Leg)
    assert isinstance(second, Exclusion)
    assert (leg.dest_device, leg.outgoing_protocol) == ("2002", 0)
    assert (second.rule, second.leg.tied) == ("terminating row", 0)


def test_a_call_from_outside_has_a_terminating_row_alone() -> None:
    leg = only(
        Direction="TERMINATING",
        Call_type="SIP_INBOUND",
        Inbound_trunk="NA",
        Calling_number="+390687654321",
        Called_number="2001",
    )
    assert (leg.orig_device, leg.incoming_protocol) == ("webex-pstn", 1)
    assert (leg.dest_device, leg.outgoing_protocol, leg.final_user) == (
        "001122334455",
        0,
        "anna@example.com",
    )
    assert leg.calling_user == ""


def test_a_trunk_to_another_house_is_named() -> None:
    leg = only(Call_type="SIP_ENTERPRISE", Outbound_trunk="old-pbx", Called_number="3001")
    assert (leg.dest_device, leg.outgoing_protocol) == ("old-pbx", 1)


@pytest.mark.parametrize(("outcome", "cause"), [("UserBusy", 17), ("NoAnswer", 19), ("Other", 19)])
def test_unanswered(outcome: str, cause: int) -> None:
    leg = only(Answered="false", Answer_time="NA", Duration="0", Call_outcome_reason=outcome)
    assert (leg.connected_at, leg.duration, leg.dest_cause) == (0, 0, cause)
    assert leg.ended_at == T + 65


@pytest.mark.parametrize(
    ("reason", "related", "code"),
    [
        ("NoAnswer", "", 2),
        ("UserBusy", "", 1),
        ("Unconditional", "", 15),
        ("Unrecognised", "", 10),
        ("HuntGroup", "", 0),
        ("", "ConsultativeTransfer", 4),
    ],
)
def test_redirect_reasons(reason: str, related: str, code: int) -> None:
    leg = only(Redirecting_number="2009", Redirect_reason=reason, Related_reason=related)
    assert (leg.redirecting_number, leg.last_redirect_reason) == ("2009", code)


def test_without_the_newer_columns_the_rest_is_reckoned() -> None:
    names = tuple(
        name for name in VALUES if name not in ("Release time", "Answer time", "User number")
    )
    (leg,) = legs(WEBEX, table({}, names=names))
    assert (leg.connected_at, leg.ended_at) == (T + 5, T + 65)


def test_the_user_id_may_stand_in_another_column() -> None:
    (leg,) = legs(driver("webex", user_column="User UUID"), table({}))
    assert leg.calling_user == "u-1"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"Report ID": "NA"}, "the record's key has an empty part"),
        ({"Direction": "SIDEWAYS"}, "the direction is 'SIDEWAYS'"),
        ({"Start time": "yesterday"}, "'yesterday' is not a time"),
        ({"Answered": "maybe"}, "answered is 'maybe'"),
        ({"Release time": "2026-05-28T20:00:00Z"}, "the call ends before it begins"),
    ],
)
def test_a_row_that_is_none_costs_no_other(changed: dict[str, str], reason: str) -> None:
    found = reasons(WEBEX, table({}, changed, {}))
    assert found == [(3, reason)]


def test_reports_that_were_put_one_after_the_other() -> None:
    found = read(WEBEX, table({}) + table({"Report ID": "r-2"}))
    assert [line for line, _ in found] == [2, 4]


def test_other_files_are_none() -> None:
    for text in ("", "a,b\n", table(names=tuple(VALUES)[3:])):
        with pytest.raises(NotCdrError):
            read(WEBEX, text)
