"""FreeSWITCH's rows: templates, values that are not escaped, legs a and b, trunks."""

from __future__ import annotations

from datetime import datetime

import pytest

from syncd.cdr.driver_options import OptionsError
from syncd.cdr.drivers.freeswitch import TEMPLATES, trunk_of
from syncd.domain.leg import Exclusion, Leg, NotCdrError
from syncd.settings.values import BadValue
from tests.support.bed import ROME
from tests.support.drivers import driver, legs, read, reasons

A = "3d0c2b6a-0001-4b7e-9c7e-000000000001"
B = "9f1c2b6a-0002-4b7e-9c7e-000000000002"
START = int(datetime.fromisoformat("2026-05-28 22:26:40").replace(tzinfo=ROME).timestamp())
VALUES = {
    "caller_id_name": "Anna",
    "caller_id_number": "1000",
    "destination_number": "1001",
    "context": "default",
    "start_stamp": "2026-05-28 22:26:40",
    "answer_stamp": "2026-05-28 22:26:44",
    "end_stamp": "2026-05-28 22:27:31",
    "duration": "51",
    "billsec": "47",
    "hangup_cause": "NORMAL_CLEARING",
    "uuid": A,
    "bleg_uuid": B,
    "accountcode": "1000",
    "read_codec": "PCMU",
    "write_codec": "PCMU",
    "caller_id": '"Anna" <1000>',
    "channel_name": "sofia/internal/1000@10.0.0.5",
    "bridge_channel": "sofia/external/1001@sip.example.com",
    "last_app": "bridge",
    "last_arg": "sofia/gateway/telco/1001",
    "direction": "inbound",
}


def row(template: str = "example", **changed: str) -> str:
    cells = [(VALUES | changed).get(name, "") for name in TEMPLATES[template]]
    return ",".join(f'"{cell}"' for cell in cells) + "\n"


def only(text: str, **options: str) -> Leg:
    (leg,) = legs(driver("freeswitch", **options), text)
    return leg


@pytest.mark.parametrize("template", list(TEMPLATES))
def test_a_call_in_every_template(template: str) -> None:
    leg = only(row(template), template=template)
    assert (leg.started_at, leg.connected_at, leg.ended_at, leg.duration) == (
        START,
        START + 4,
        START + 51,
        47,
    )
    assert (leg.calling_number, leg.final_number, leg.key) == ("1000", "1001", A)
    assert leg.authorization_code == "1000"
    assert leg.tied == (template != "asterisk")


def test_without_channels_the_numbers_are_the_devices() -> None:
    leg = only(row())
    assert (leg.orig_device, leg.incoming_protocol) == ("1000", 0)
    assert (leg.dest_device, leg.outgoing_protocol) == ("1001", 0)


def test_a_context_and_a_pattern_tell_what_is_outside() -> None:
    incoming = only(row(context="public", caller_id_number="+390612345678"))
    assert (incoming.orig_device, incoming.incoming_protocol) == ("public", 1)
    outgoing = only(row(destination_number="0612345678"), outside_numbers=r"^0\d{5,}")
    assert (outgoing.dest_device, outgoing.outgoing_protocol) == ("outside", 1)
    assert outgoing.pattern_usage == 5
    assert only(row(), outside_numbers=r"^0\d{5,}").dest_device == "1001"


def test_channels_tell_phones_and_trunks() -> None:
    leg = only(row("asterisk"), template="asterisk")
    assert (leg.orig_device, leg.incoming_protocol) == ("sofia/internal/1000@10.0.0.5", 0)
    assert (leg.dest_device, leg.outgoing_protocol) == ("sofia/external/sip.example.com", 1)
    unreached = only(row("asterisk", bridge_channel="", answer_stamp=""), template="asterisk")
    assert (unreached.dest_device, unreached.connected_at) == ("", 0)


@pytest.mark.parametrize(
    ("channel", "device"),
    [
        ("sofia/external/0612345678@sip.example.com", "sofia/external/sip.example.com"),
        ("sofia/external/sip:0612@sip.example.com", "sofia/external/sip.example.com"),
        ("sofia/gateway/telco/0612345678", "sofia/gateway/telco"),
        ("sofia/external/0612345678", "sofia/external"),
    ],
)
def test_a_trunks_device_has_no_number(channel: str, device: str) -> None:
    assert trunk_of(channel) == device


@pytest.mark.parametrize(
    "name", ['An "the boss" na', 'Anna", "B', 'a","b","c', '"', '","', "Rossi, Anna", ""]
)
def test_quotes_in_a_name_break_nothing(name: str) -> None:
    assert only(row(caller_id_name=name))[:4] == only(row())[:4]
    caller = f'"{name}" <1000>'
    leg = only(row("asterisk", caller_id=caller), template="asterisk")
    assert leg[:4] == only(row())[:4]


def test_quotes_in_the_last_argument_break_nothing() -> None:
    leg = only(row("asterisk", last_arg='{x="1","2"}sofia/x'), template="asterisk")
    assert (leg.final_number, leg.duration) == ("1001", 47)


def test_a_blank_before_a_value() -> None:
    assert only(row().replace(',"1000","PCMU"', ', "1000","PCMU"')) == only(row())


@pytest.mark.parametrize(
    ("cause", "orig", "dest"),
    [
        ("USER_BUSY", 0, 17),
        ("NO_ANSWER", 0, 19),
        ("UNALLOCATED_NUMBER", 0, 1),
        ("ORIGINATOR_CANCEL", 16, 0),
        ("NORMAL_CLEARING", 16, 0),
        ("SOMETHING_NEW", 0, 31),
    ],
)
def test_how_an_unanswered_call_ended(cause: str, orig: int, dest: int) -> None:
    leg = only(row(answer_stamp="", billsec="0", hangup_cause=cause))
    assert (leg.connected_at, leg.duration) == (0, 0)
    assert (leg.orig_cause, leg.dest_cause) == (orig, dest)


def test_answered_is_what_has_an_answer_time_whatever_is_billed() -> None:
    assert only(row(answer_stamp="", billsec="47")).duration == 0
    assert only(row(billsec="0")).connected_at == START + 4


def both(text: str, **options: str) -> list[tuple[str, str]]:
    found = []
    for _, item in read(driver("freeswitch", legs="ab", **options), text):
        leg = item.leg if isinstance(item, Exclusion) else item
        assert isinstance(leg, Leg)
        found.append((leg.key[:4], item.rule if isinstance(item, Exclusion) else ""))
    return sorted(found)


def test_of_two_legs_that_name_each_other_one_is_the_call_in_any_order() -> None:
    first, second = row(), row(uuid=B, bleg_uuid=A)
    assert both(first + second) == both(second + first) == [("3d0c", ""), ("9f1c", "b leg")]


def test_the_direction_tells_the_b_leg() -> None:
    names = ", ".join((*TEMPLATES["example"], "direction"))

    def line(**changed: str) -> str:
        return row(**changed).strip() + f',"{changed.get("direction", "inbound")}"\n'

    text = line(uuid=B, bleg_uuid=A) + line(direction="outbound")
    assert both(text, columns=names) == [("3d0c", "b leg"), ("9f1c", "")]


def test_with_legs_a_every_row_is_a_call() -> None:
    found = legs(driver("freeswitch"), row() + row(uuid=B, bleg_uuid=A))
    assert len(found) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (row(uuid=""), "the record's key has an empty part"),
        (row(start_stamp=""), "'' is not a time"),
        (row(hangup_cause="normal clearing"), "the hangup cause is"),
        (row(billsec="many"), "'many' is not a number of seconds"),
        (row().strip() + ',"x","y"\n', "17 columns where 15 are expected"),
        (row()[:90] + "\n", "columns where 15 are expected"),
        ("INSERT INTO cdr VALUES (1);\n", "1 columns where 15 are expected"),
    ],
)
def test_a_row_that_is_none_costs_no_other(text: str, reason: str) -> None:
    found = reasons(driver("freeswitch"), row() + text + row(uuid=B))
    assert [line for line, _ in found] == [2]
    assert reason in found[0][1]


def test_options_that_cannot_be() -> None:
    with pytest.raises(BadValue, match="uuid must be there"):
        driver("freeswitch", columns=", ".join(name for name in VALUES if name != "uuid"))
    with pytest.raises(OptionsError, match="stands twice"):
        driver("freeswitch", columns=", ".join((*TEMPLATES["example"], "uuid")))
    with pytest.raises(BadValue, match="not a regular expression"):
        driver("freeswitch", outside_numbers="(")


def test_an_empty_file_is_none() -> None:
    with pytest.raises(NotCdrError):
        read(driver("freeswitch"), "")
