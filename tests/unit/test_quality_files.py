"""Call quality files (CMR): what is read of a row, and what is no row."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.cdr.quality import cmr
from syncd.cdr.quality_columns import COLUMNS
from syncd.demo.cmr_writer import HEADER, TYPES, format_quality_row
from syncd.domain.leg import NotCdrError, Reject
from syncd.domain.quality import Quality, loss

SAMPLE = (
    Path(__file__).parents[1] / "fixtures" / "cucm15" / "cmr_StandAloneCluster_01_202604021200_1"
)
ROW: dict[str, Any] = {
    "cdrRecordType": 2,
    "globalCallID_callManagerId": 1,
    "globalCallID_callId": 7,
    "nodeId": 1,
    "directoryNum": "2001",
    "callIdentifier": 15,
    "dateTimeStamp": 1_780_000_000,
    "numberPacketsSent": 100,
    "numberOctetsSent": 16_000,
    "numberPacketsReceived": 90,
    "numberOctetsReceived": 14_400,
    "numberPacketsLost": 10,
    "jitter": 12,
    "latency": 3,
    "pkid": "a-key",
    "deviceName": "SEP001122334455",
    "varVQMetrics": "MLQK=4.5;MLQKav=4.25;MLQKmn=3.9999;MLQKmx=4.50019;CCR=0.0123;CS=2;SCS=1",
    "duration": 2,
}


def read(text: str | bytes) -> list[tuple[int, Quality | Reject]]:
    data = text.encode() if isinstance(text, str) else text
    return list(cmr.rows(io.BytesIO(data)))


def file(*lines: str) -> str:
    return "\n".join((HEADER, TYPES, *lines, ""))


def line(**changes: Any) -> str:
    return format_quality_row({**ROW, **changes})


def one(**changes: Any) -> Quality:
    ((_, found),) = read(file(line(**changes)))
    assert isinstance(found, Quality), found
    return found


def rejected(text: str) -> str:
    ((_, found),) = read(file(text))
    assert isinstance(found, Reject), found
    return found.reason


def test_the_sample_of_a_real_cluster() -> None:
    (first_line, first), (second_line, second) = read(SAMPLE.read_bytes())
    assert isinstance(first, Quality)
    assert isinstance(second, Quality)
    assert (first_line, second_line) == (3, 4)
    assert (first.call_ref, first.leg, first.number) == (2 << 32 | 25447, 47874239, "5035550194")
    assert (first.ended_at, first.duration, first.latency) == (1744993941, 11, 1)
    assert (first.packets_sent, first.packets_received) == (559, 555)
    assert (first.device, first.codec) == ("SEPCC7F750586B7", "G.711 u-la")
    assert (first.score, first.concealment) == (None, 0)
    assert (second.leg, second.concealment, second.concealed_seconds) == (47874240, 11, 1)
    assert "maxJitter=8" in second.metrics


def test_columns_of_a_measurement() -> None:
    assert one()._replace(content_hash=0) == Quality(
        ended_at=1_780_000_000,
        key="a-key",
        content_hash=0,
        call_ref=1 << 32 | 7,
        leg=15,
        number="2001",
        device="SEP001122334455",
        codec="",
        duration=2,
        packets_sent=100,
        octets_sent=16_000,
        packets_received=90,
        octets_received=14_400,
        packets_lost=10,
        jitter=12,
        latency=3,
        score=45_000,
        score_average=42_500,
        score_minimum=39_999,
        score_maximum=45_001,
        concealment=123,
        concealed_seconds=2,
        severely_concealed_seconds=1,
        metrics="MLQK=4.5;MLQKav=4.25;MLQKmn=3.9999;MLQKmx=4.50019;CCR=0.0123;CS=2;SCS=1",
    )


def test_metrics_are_text_until_they_are_numbers() -> None:
    found = one(varVQMetrics=" MLQK = n/a ; CCR=;CS=1.5;SCS=-1;=5;Ver;VoRxCodec= G.722 ;MLQK=4 ")
    assert (found.score, found.concealment) == (None, None)
    assert (found.concealed_seconds, found.severely_concealed_seconds) == (None, None)
    assert found.codec == "G.722"
    assert found.metrics == "MLQK=n/a;CCR=;CS=1.5;SCS=-1;=5;Ver;VoRxCodec=G.722;MLQK=4"


@given(st.integers(0, 99_999), st.integers(0, 9_999))
def test_scores_are_whole_ten_thousandths(whole: int, part: int) -> None:
    assert one(varVQMetrics=f"MLQK={whole}.{part:04d}").score == whole * 10_000 + part


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_loss_is_of_what_should_have_come(lost: int, received: int) -> None:
    found = loss(lost, received)
    if found is None:
        assert lost == received == 0
    else:
        assert found * (lost + received) <= lost * 10_000 < (found + 1) * (lost + received)


def test_a_gateway_tells_little() -> None:
    found = one(varVQMetrics="", duration="", latency="", deviceName="S0/SU0/DS1-0@gw")
    assert (found.duration, found.latency, found.score, found.metrics) == (0, 0, None, "")


def test_the_content_is_what_was_read() -> None:
    assert one().content_hash == one().content_hash
    assert one().content_hash != one(jitter=13).content_hash
    assert one().content_hash == one(headsetSN="other").content_hash


def test_a_row_without_a_key_gets_one_of_its_content() -> None:
    assert one(pkid="").key == one(pkid="").key != one(pkid="", jitter=1).key


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cdrRecordType": 1}, "cdrRecordType is 1, not 2 (a call management record)"),
        ({"dateTimeStamp": 0}, "dateTimeStamp is not set"),
        ({"dateTimeStamp": ""}, "dateTimeStamp is not set"),
        ({"jitter": "x"}, "jitter is 'x', not a whole number"),
        ({"jitter": "1_0"}, "jitter is '1_0', not a whole number"),
        ({"jitter": "1.5E+3"}, "jitter is '1.5E+3', not a whole number"),
        ({"numberPacketsLost": -1}, "numberpacketslost is below 0"),
        ({"numberOctetsSent": 2**32}, "a number is beyond 32 bits"),
        ({"globalCallID_callManagerId": 2**31}, "a number is beyond 32 bits"),
    ],
)
def test_what_is_no_measurement(changes: dict[str, Any], reason: str) -> None:
    assert rejected(line(**changes)) == reason


def test_a_row_that_was_cut_costs_itself_alone() -> None:
    text = file(line(), line()[:200], line(pkid="b"))
    (_, first), (at, cut), (_, last) = read(text)
    assert (type(first), type(last)) == (Quality, Quality)
    assert isinstance(cut, Reject)
    assert (at, cut.line) == (4, 4)


def test_marks_line_ends_and_exports() -> None:
    plain = read(file(line()))
    text = file(line()).replace("\n", "\r\n").replace("varVQMetrics", "VARVQMETRICS")
    assert read(b"\xef\xbb\xbf" + text.encode()) == plain
    without_types = "\n".join((HEADER, line(directoryNum="\\ "), ""))
    ((at, found),) = read(without_types)
    assert isinstance(found, Quality)
    assert (at, found.number) == (2, "")


@pytest.mark.parametrize("width", [19, 20, 44, 48])
def test_a_file_without_header_has_the_columns_of_its_width(width: int) -> None:
    cells = line().split(",")[:width]
    ((at, found),) = read(",".join(cells) + "\n")
    assert isinstance(found, Quality)
    assert (at, found.device, found.duration) == (1, "SEP001122334455", 2 if width > 19 else 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is empty"),
        ("hello\n", "no cdrRecordType"),
        ("cdrRecordType,pkid\n", "the header lacks callidentifier"),
        ("2,3\n", "no release writes 2 columns"),
        ("2" + ",0" * len(COLUMNS), "no release writes 49 columns"),
        ("\0\n", "not a header: the line holds NUL bytes"),
    ],
)
def test_what_is_no_file_of_call_quality(text: str, reason: str) -> None:
    with pytest.raises(NotCdrError, match=reason):
        read(text)


def test_a_file_is_known_by_name_or_header() -> None:
    assert cmr.fits("cmr_x", b"")
    assert cmr.fits("renamed.csv", file(line()).encode())
    assert not cmr.fits("cdr_x", b'"cdrRecordType","globalCallID_callManagerId"\n')
    assert not cmr.fits("cdr_x", b"")


@given(st.binary(max_size=400), st.integers(0, 700))
def test_damage_is_never_an_exception(noise: bytes, at: int) -> None:
    data = file(line(), line(pkid="b")).encode()
    at += len(HEADER) + len(TYPES)
    try:
        found = read(data[:at] + noise + data[at:])
    except NotCdrError:
        return
    assert all(isinstance(item, (Quality, Reject)) for _, item in found)
