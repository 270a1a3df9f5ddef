"""Asterisk's rows: four widths, dispositions, forked dials, local channels, columns of one's own."""

from __future__ import annotations

from datetime import datetime

import pytest

from syncd.cdr.driver_options import OptionsError
from syncd.cdr.drivers.asterisk import device_of
from syncd.domain.leg import Exclusion, Leg, NotCdrError
from syncd.settings.values import BadValue
from tests.support.bed import ROME
from tests.support.drivers import driver, legs, read, reasons

TRUNKED = driver("asterisk", trunks="PJSIP/telco*")


def row(width: int = 21, **changed: str) -> str:
    """Return a row of Master.csv: 301 calls out through PJSIP/telco, answered after 5 s."""
    cells = {
        "accountcode": '""',
        "src": '"301"',
        "dst": '"0612345678"',
        "dcontext": '"from-internal"',
        "clid": '"""Anna, Å"" <301>"',
        "channel": '"PJSIP/301-0000001a"',
        "dstchannel": '"PJSIP/telco-0000001b"',
        "lastapp": '"Dial"',
        "lastdata": '"PJSIP/0612345678@telco,60,t"',
        "start": '"2026-05-28 22:26:40"',
        "answer": '"2026-05-28 22:26:45"',
        "end": '"2026-05-28 22:27:45"',
        "duration": "65",
        "billsec": "60",
        "disposition": '"ANSWERED"',
        "amaflags": '"DOCUMENTATION"',
        "uniqueid": '"1780000000.26"',
        "userfield": '""',
        "peeraccount": '""',
        "linkedid": '"1780000000.26"',
        "sequence": "31",
    } | changed
    return ",".join(list(cells.values())[:width]) + "\n"


START = int(datetime.fromisoformat("2026-05-28 22:26:40").replace(tzinfo=ROME).timestamp())


def only(text: str) -> Leg:
    (leg,) = legs(TRUNKED, text)
    return leg


@pytest.mark.parametrize("width", [16, 17, 18, 21])
def test_an_outgoing_call_in_every_width(width: int) -> None:
    leg = only(row(width))
    assert (leg.started_at, leg.connected_at, leg.ended_at, leg.duration) == (
        START,
        START + 5,
        START + 65,
        60,
    )
    assert (leg.calling_number, leg.original_number, leg.final_number) == (
        "301",
        "0612345678",
        "0612345678",
    )
    assert (leg.orig_device, leg.incoming_protocol) == ("PJSIP/301", 0)
    assert (leg.dest_device, leg.outgoing_protocol) == ("PJSIP/telco", 1)
    assert leg.tied == (width > 16)


@pytest.mark.parametrize("width", [15, 19, 20, 22])
def test_other_widths_are_no_rows(width: int) -> None:
    text = row(width) if width < 22 else row().strip() + ',"more"\n'
    assert reasons(TRUNKED, text) == [(1, f"{width} columns, not 16 or 17 or 18 or 21")]


def test_the_key_is_unique_id_and_sequence() -> None:
    assert only(row()).key == "1780000000.26:31"
    assert only(row(dstchannel='"PJSIP/x-1"')).key == "1780000000.26:31"


def test_without_a_sequence_rows_with_one_unique_id_are_told_apart_by_what_they_say() -> None:
    first, second, again = legs(TRUNKED, row(18) + row(18, dstchannel='"PJSIP/x-1"') + row(18))
    assert first.key != second.key
    assert first == again
    assert first.key.startswith("1780000000.26:")


def test_without_any_id_the_whole_row_is_the_key() -> None:
    first, second = legs(TRUNKED, row(16) + row(16, billsec="59"))
    assert first.key != second.key
    empty = only(row(uniqueid='""', linkedid='""'))
    assert (empty.tied, empty.call_ref, empty.orig_leg) == (0, 0, 0)
    assert len(empty.key) == 24


@pytest.mark.parametrize(
    ("disposition", "cause"),
    [("NO ANSWER", 19), ("BUSY", 17), ("FAILED", 41), ("CONGESTION", 42), ("no answer", 19)],
)
def test_the_disposition_decides_never_the_billed_seconds(disposition: str, cause: int) -> None:
    leg = only(row(disposition=f'"{disposition}"', answer='"2026-05-28 22:26:40"'))
    assert (leg.connected_at, leg.duration, leg.dest_cause) == (0, 0, cause)
    assert leg.ended_at == START + 65


@pytest.mark.parametrize("answer", ["", '""'])
def test_an_unanswered_row_has_no_answer_time(answer: str) -> None:
    leg = only(row(disposition='"NO ANSWER"', answer=answer, billsec="0", dstchannel='""'))
    assert (leg.connected_at, leg.dest_device, leg.dest_leg) == (0, "", 0)


def test_rows_of_one_call_share_its_reference_and_the_channel_that_goes_on() -> None:
    first, second = legs(
        TRUNKED,
        row(disposition='"NO ANSWER"', channel='"PJSIP/telco-01ab01ab"', sequence="32")
        + row(
            channel='"PJSIP/telco-01ab01ab"',
            dstchannel='"PJSIP/302-0000001c"',
            uniqueid='"1780000000.27"',
            sequence="33",
        ),
    )
    assert first.call_ref == second.call_ref != 0
    assert first.orig_leg == second.orig_leg != 0
    assert first.dest_leg != second.dest_leg
    assert (first.orig_device, first.incoming_protocol) == ("PJSIP/telco", 1)


def test_the_same_channel_name_in_another_call_is_another_leg() -> None:
    first, second = legs(TRUNKED, row() + row(linkedid='"1790000000.1"', sequence="99"))
    assert first.orig_leg != second.orig_leg


def test_a_context_tells_that_a_call_came_from_outside() -> None:
    leg = only(row(dcontext='"from-trunk-sip"', channel='"SIP/unlisted-0000001a"'))
    assert (leg.orig_device, leg.incoming_protocol) == ("SIP/unlisted", 1)


@pytest.mark.parametrize("half", [1, 2])
def test_the_halves_of_a_local_channel_are_no_calls(half: int) -> None:
    ((_, item),) = read(TRUNKED, row(channel=f'"Local/302@from-queue-0000000a;{half}"'))
    assert isinstance(item, Exclusion)
    assert (item.rule, item.leg.tied) == ("local channel", 0)


def test_a_call_into_a_local_channel_is_one() -> None:
    leg = only(row(dstchannel='"Local/302@from-queue-0000000a;1"'))
    assert (leg.dest_device, leg.outgoing_protocol) == ("Local/302@from-queue", 0)


@pytest.mark.parametrize(
    ("channel", "device"),
    [
        ("SIP/211553-00000003", "SIP/211553"),
        ("SIP/desk-1-00000003", "SIP/desk-1"),
        ("DAHDI/i1/0612345678-3a", "DAHDI/i1"),
        ("DAHDI/3-1", "DAHDI/3"),
        ("IAX2/telco-1234", "IAX2/telco"),
        ("Local/302@from-queue-0000000a;2", "Local/302@from-queue"),
        ("", ""),
    ],
)
def test_the_device_of_a_channel(channel: str, device: str) -> None:
    assert device_of(channel) == device


def test_columns_of_ones_own() -> None:
    names = "clid, src, dst, channel, dstchannel, start, end, billsec, disposition, own, uniqueid"
    custom = driver("asterisk", columns=names, timezone="UTC")
    text = (
        '""""" <client1>","301","302","PJSIP/301-1","PJSIP/302-2",'
        '"2026-05-28 20:26:40","2026-05-28 20:27:45","60","ANSWERED","x","1780000000.26"\n'
    )
    (leg,) = legs(custom, text)
    assert (leg.started_at, leg.connected_at - START, leg.duration) == (START, 5, 60)
    assert (leg.calling_number, leg.final_number) == ("301", "302")


def test_columns_must_name_what_a_call_is_made_of() -> None:
    with pytest.raises(BadValue, match="billsec, disposition must be there"):
        driver("asterisk", columns="src, dst, channel, start, end")
    with pytest.raises(OptionsError, match="stands twice"):
        driver("asterisk", columns="src, src, dst, channel, start, end, billsec, disposition")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (row(disposition='"PERHAPS"'), "the disposition is 'PERHAPS'"),
        (row(start='"28.05.2026"'), "'28.05.2026' is not a time"),
        (row(start='""'), "'' is not a time"),
        (row(billsec='"-3"'), "'-3' is not a number of seconds"),
        (row(end='"2026-05-28 22:20:00"'), "the call ends before it begins"),
        (row(dst='"9.12678E+11"'), "mangled by a spreadsheet"),
    ],
)
def test_a_row_that_is_none_costs_no_other(text: str, reason: str) -> None:
    found = reasons(TRUNKED, row() + text + row(sequence="32"))
    assert [line for line, _ in found] == [2]
    assert reason in found[0][1]


def test_a_cut_character_costs_nothing_else() -> None:
    data = row(clid='"X"').encode().replace(b'"X"', b'"Ann\xc3"') + row().encode()
    assert len(legs(TRUNKED, data)) == 2


def test_the_hour_that_comes_twice_goes_by_the_duration() -> None:
    leg = only(
        row(
            start='"2026-10-25 02:30:00"',
            answer='"2026-10-25 02:30:05"',
            end='"2026-10-25 03:10:00"',
            duration="2400",
            billsec="2395",
        )
    )
    assert leg.ended_at - leg.started_at == 2400
    assert leg.connected_at - leg.started_at == 5


def test_an_empty_file_is_none() -> None:
    with pytest.raises(NotCdrError):
        read(TRUNKED, "\n\n")
