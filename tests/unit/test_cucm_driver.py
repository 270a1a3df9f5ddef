"""The driver of Cisco's flat files: what it takes, what it refuses, and that no line is lost."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.cdr.drivers.cucm import cucm, cucm_partition
from syncd.demo.cucm_columns import HEADER, NAMES, TYPES
from syncd.demo.cucm_writer import format_row, row
from syncd.domain.leg import Exclusion, Leg, NotCdrError, Reject
from tests.fixtures.worked_examples import EXAMPLES

SAMPLE = (
    Path(__file__).parents[1] / "fixtures" / "cucm15" / "cdr_StandAloneCluster_01_202604021200_1"
)
T = 1_780_000_000
PLAIN: dict[str, Any] = {
    "globalCallID_callId": 7,
    "origLegCallIdentifier": 21,
    "destLegIdentifier": 22,
    "dateTimeOrigination": T,
    "dateTimeConnect": T + 5,
    "dateTimeDisconnect": T + 65,
    "callingPartyNumber": "2001",
    "origDeviceName": "SEP001122334455",
    "originalCalledPartyNumber": "2002",
    "destDeviceName": "SEP001122334466",
    "origCause_value": 16,
    "origCallTerminationOnBehalfOf": 12,
}

Item = Leg | Exclusion | Reject


def read(content: str | bytes) -> list[tuple[int, Item]]:
    data = content.encode() if isinstance(content, str) else content
    return list(cucm.rows(io.BytesIO(data), "cdr_x_01_202601010000_1"))


def line(**columns: Any) -> str:
    return format_row(row(**{**PLAIN, **columns}))


def text(*lines: str, header: str = HEADER, types: str = TYPES) -> str:
    return "\n".join((header, types, *lines, ""))


def only(content: str | bytes) -> Item:
    ((_, item),) = read(content)
    return item


def leg_of(content: str | bytes) -> Leg:
    item = only(content)
    assert isinstance(item, Leg), item
    return item


def reason_of(content: str | bytes) -> str:
    item = only(content)
    assert isinstance(item, Reject), item
    return item.reason


def kinds(content: str | bytes) -> list[tuple[int, str]]:
    return [(number, type(item).__name__) for number, item in read(content)]


def columns_as(names: Iterable[str], cells: dict[str, str]) -> str:
    return ",".join(cells[name] for name in names)


CELLS = dict(zip(NAMES, next(csv.reader([line()])), strict=True))


# --- a file that the simulator did not write -----------------------------------------------------


def test_a_real_file_is_read_to_its_end_without_a_newline() -> None:
    data = SAMPLE.read_bytes()
    assert not data.endswith(b"\n")
    (one, first), (two, second), (three, third) = read(data)
    assert (one, two, three) == (3, 4, 5)
    assert isinstance(first, Exclusion) and first.rule == "recording"
    assert isinstance(second, Exclusion) and second.rule == "recording"
    assert isinstance(third, Leg)
    assert (third.key, third.call_ref) == (
        "ed56fecd-bd2d-48d4-ae03-7ee3766d6048",
        2 << 32 | 25447,
    )
    assert (third.calling_number, third.final_number) == ("5035550194", "5035550193")
    assert (third.calling_partition, third.calling_user) == ("OnNet", "rubbleb")
    assert (third.orig_device, third.dest_device) == ("SEPCC7F750586B7", "SEPCC8E7148AD29")
    assert (third.connected_at - third.started_at, third.duration) == (2, 11)
    assert (third.orig_leg, third.dest_leg, third.pattern_usage) == (47874239, 47874240, 2)


def test_both_drivers_read_alike_and_differ_in_partitions() -> None:
    data = SAMPLE.read_bytes()
    assert list(cucm_partition.rows(io.BytesIO(data), "x")) == read(data)
    assert (cucm.partitions, cucm_partition.partitions) == (False, True)


def test_call_quality_files_are_not_wanted() -> None:
    assert cucm.wants("cdr_StandAloneCluster_01_202604021200_1") == ""
    assert "CMR" in cucm.wants("cmr_StandAloneCluster_01_202604021200_1")


def test_a_call_quality_file_under_another_name_is_refused_row_by_row_or_whole() -> None:
    data = SAMPLE.with_name("cmr_StandAloneCluster_01_202604021200_1").read_bytes()
    with pytest.raises(NotCdrError, match="the header lacks datetimeorigination"):
        read(data)


# --- what every column becomes -------------------------------------------------------------------


def test_columns_of_a_leg() -> None:
    leg = leg_of(
        text(
            line(
                pkid="0a649c5c-7d37-4bb4-a50f-b8b87c109d0f",
                callingPartyNumberPartition="HQ",
                callingPartyUnicodeLoginUserID="bjørn",
                finalCalledPartyNumber="+39 06 1",
                finalCalledPartyNumberPartition="PT-External",
                finalCalledPartyUnicodeLoginUserID="zoë",
                finalCalledPartyPattern="0.!",
                lastRedirectDn="2003",
                lastRedirectDnPartition="UK",
                origCalledPartyRedirectReason=15,
                origCalledPartyRedirectOnBehalfOf=5,
                lastRedirectRedirectReason=4,
                lastRedirectRedirectOnBehalfOf=10,
                joinOnBehalfOf=10,
                destCause_value=393216,
                destCallTerminationOnBehalfOf=10,
                IncomingProtocolID=1,
                OutgoingProtocolID=4,
                calledPartyPatternUsage=5,
                huntPilotDN="6100",
                huntPilotPartition="HQ",
                comment="ConfControllerDn=2001;ConfControllerDeviceName=SEP1",
                authorizationCodeValue="4711",
                clientMatterCode="M-1",
                destConversationId=9,
            )
        )
    )
    assert leg[:5] == (T, T + 5, T + 65, 60, "0a649c5c-7d37-4bb4-a50f-b8b87c109d0f")
    assert leg[6:11] == (1, 1 << 32 | 7, 21, 22, 9)
    assert leg[11:] == (
        "2001",
        "HQ",
        "bjørn",
        "SEP001122334455",
        "2002",
        "PT-External",
        "+39 06 1",
        "PT-External",
        "zoë",
        "SEP001122334466",
        "2003",
        "UK",
        16,
        393216,
        12,
        10,
        5,
        15,
        10,
        4,
        10,
        1,
        4,
        5,
        "0.!",
        "6100",
        "HQ",
        "2001",
        "4711",
        "M-1",
    )


@pytest.mark.parametrize(
    "comment",
    [
        "ConfControllerDn=2001;x=y",
        "x=y;ConfControlerDn=2001",
        "ConfControllerDn=2001",
        "ConfRequestorDn=2002;ConfControllerDn=2001",
        "ConfControllerDn=2002;ConfControllerDn=2001",
        "ConfRequestorDn=2001;ConfRequestorDeviceName=SEP1",
        "ConfControllerDn=;ConfRequestorDn-2001",
        "DropConfRequestorDn=2002;ConfRequestorDn=2001",
    ],
)
def test_the_controller_of_a_conference_in_either_spelling(comment: str) -> None:
    assert leg_of(text(line(comment=comment))).controller == "2001"


@pytest.mark.parametrize(
    "comment",
    ["", "callFlag=MALICIOUS;", "ConfControllerDn", "DropConfRequestorDn=2001", "=;;=", "a;b"],
)
def test_other_comments_name_no_controller(comment: str) -> None:
    assert leg_of(text(line(comment=comment))).controller == ""


def test_numbers_stay_text() -> None:
    leg = leg_of(text(line(callingPartyNumber="007", originalCalledPartyNumber="*55#")))
    assert (leg.calling_number, leg.final_number) == ("007", "*55#")


def test_empty_numbers_are_nothing() -> None:
    cells = {
        **CELLS,
        "dateTimeConnect": "",
        "duration": "",
        "destCause_value": "",
        "joinOnBehalfOf": "",
    }
    leg = leg_of(text(columns_as(NAMES, cells)))
    assert (leg.connected_at, leg.duration, leg.dest_cause, leg.joined_by) == (0, 0, 0, 0)


def test_negative_causes_are_unsigned() -> None:
    assert leg_of(text(line(destCause_value=1459617833 - 2**32))).dest_cause == 1459617833
    assert leg_of(text(line(origCause_value=-1))).orig_cause == 0xFFFFFFFF


def test_a_call_without_id_has_none() -> None:
    leg = leg_of(text(line(globalCallID_callManagerId=0, globalCallID_callId=0)))
    assert leg.call_ref == 0


def test_a_row_without_key_gets_one_from_its_content() -> None:
    cells = {**CELLS, "pkid": ""}
    one = leg_of(text(columns_as(NAMES, cells)))
    same = leg_of(text(columns_as(NAMES, cells)))
    other = leg_of(text(columns_as(NAMES, {**cells, "callingPartyNumber": "2009"})))
    assert one.key and one.key == same.key != other.key


@pytest.mark.parametrize(
    ("columns", "tied"),
    [
        ({}, 0),
        ({"origCause_value": 393216}, 1),
        ({"destCause_value": 393216}, 1),
        ({"joinOnBehalfOf": 10}, 1),
        ({"lastRedirectRedirectReason": 4}, 1),
        ({"destConversationId": 3}, 1),
        ({"origConversationId": 3}, 1),
        ({"origCallTerminationOnBehalfOf": 10}, 1),
        ({"destCallTerminationOnBehalfOf": 3}, 1),
        ({"destCallTerminationOnBehalfOf": 13}, 0),
    ],
)
def test_signs_of_a_conversation_of_several_records(columns: dict[str, int], tied: int) -> None:
    assert leg_of(text(line(**columns))).tied == tied


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"joinOnBehalfOf": 27}, "recording"),
        ({"lastRedirectRedirectOnBehalfOf": 27, "lastRedirectRedirectReason": 354}, "recording"),
        ({"origCalledPartyRedirectOnBehalfOf": 28, "joinOnBehalfOf": 28}, "monitoring"),
        ({"calledPartyPatternUsage": 6}, "message waiting"),
        ({"joinOnBehalfOf": 8}, "message waiting"),
        (
            {
                "globalCallID_callManagerId": 0,
                "globalCallID_callId": 0,
                "dateTimeConnect": 0,
                "destCause_value": 19,
            },
            "mobility attempt",
        ),
    ],
)
def test_records_that_are_never_a_call(columns: dict[str, int], rule: str) -> None:
    item = only(text(line(**columns)))
    assert isinstance(item, Exclusion)
    assert item.rule == rule
    assert item.leg.tied == 0


def test_a_mobility_leg_that_was_answered_is_a_call() -> None:
    leg = leg_of(text(line(globalCallID_callManagerId=0, globalCallID_callId=0)))
    assert leg.connected_at


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_worked_examples_are_read_whole(name: str) -> None:
    rows = EXAMPLES[name]
    items = [item for _, item in read(text(*map(format_row, rows)))]
    assert [type(item) for item in items] == [
        Exclusion if name in ("recording", "message waiting", "mobility half-leg") else Leg
    ] * len(rows)


# --- headers -------------------------------------------------------------------------------------


def test_columns_are_found_by_name_in_any_order() -> None:
    names = sorted(NAMES, key=lambda name: name[::-1])
    cells = {name: f'"{cell}"' for name, cell in CELLS.items()}
    shuffled = "\n".join((",".join(names), columns_as(names, cells), ""))
    assert leg_of(shuffled) == leg_of(text(line()))


@pytest.mark.parametrize("change", [str.upper, str.lower, lambda name: f' "{name}"'.strip()])
def test_column_names_in_any_case(change: Any) -> None:
    header = ",".join(change(name) for name in NAMES)
    assert leg_of(text(line(), header=header)) == leg_of(text(line()))


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("destLegIdentifier", "destLegCallIdentifier"),
        ("callingPartyUnicodeLoginUserID", "callingPartyLoginUserID"),
        ("finalCalledPartyUnicodeLoginUserID", "finalCalledPartyLoginUserID"),
        ("globalCallId_ClusterID", "globalCallID_ClusterID"),
        ("destConversationId", "destConversationID"),
        ("comment", "Comment"),
    ],
)
def test_other_spellings_of_a_column(new: str, old: str) -> None:
    columns = {
        "callingPartyUnicodeLoginUserID": "anna",
        "finalCalledPartyUnicodeLoginUserID": "bruno",
        "destConversationId": 9,
        "comment": "ConfControllerDn=2001",
    }
    header = HEADER.replace(f'"{new}"', f'"{old}"')
    assert header != HEADER
    assert leg_of(text(line(**columns), header=header)) == leg_of(text(line(**columns)))


@pytest.mark.parametrize("count", [104, 118, 125, 129, 131])
def test_fewer_columns_of_an_older_release(count: int) -> None:
    names = NAMES[:count]
    content = "\n".join((",".join(names), ",".join(TYPES.split(",")[:count]), ""))
    leg = leg_of(content + columns_as(names, CELLS) + "\n")
    newer = leg_of(text(line()))
    assert leg._replace(content_hash=0, key="", final_pattern="") == newer._replace(
        content_hash=0, key="", final_pattern=""
    )


def test_more_columns_of_a_newer_release() -> None:
    names = ("somethingNew", *NAMES, "somethingElse")
    cells = {**CELLS, "somethingNew": "x", "somethingElse": "1"}
    content = "\n".join((",".join(names), columns_as(names, cells), ""))
    assert leg_of(content) == leg_of(text(line()))


@pytest.mark.parametrize(
    "types",
    [
        TYPES,
        TYPES.replace("VARCHAR(50)", "VARCHAR(128)"),
        TYPES.replace("INTEGER", "BIGINT"),
        TYPES.lower(),
        ",".join(f'"{kind}"' for kind in TYPES.split(",")),
    ],
)
def test_the_type_line_of_any_release_is_no_row(types: str) -> None:
    assert kinds(text(line(), types=types)) == [(3, "Leg")]


def test_a_file_without_type_line() -> None:
    assert kinds(f"{HEADER}\n{line()}\n") == [(2, "Leg")]


def test_a_second_type_line_is_rejected() -> None:
    assert kinds(text(line(), TYPES)) == [(3, "Leg"), (4, "Reject")]


def test_a_file_of_nothing_but_its_header() -> None:
    assert read(f"{HEADER}\n{TYPES}\n") == []
    assert read(HEADER) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n\n\r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\0" * 500, "no cdrRecordType"),
        (bytes(range(256)) * 20, "no cdrRecordType"),
        (b"\x1f\x8b\x08\x00garbage", "no cdrRecordType"),
        (b"%PDF-1.7\n1 0 obj\n", "no cdrRecordType"),
        (b'{"calls": []}', "no cdrRecordType"),
        (f"{TYPES}\n{line()}\n".encode(), "no cdrRecordType"),
        (f"{line()},0\n".encode(), "no release writes 134 columns"),
        (HEADER.encode("utf-16"), "no cdrRecordType"),
        (HEADER.replace(",", ";").encode(), "no cdrRecordType"),
        (b"cdrRecordType,pkid\n1,x\n", "lacks datetimeorigination, datetimedisconnect"),
        (b'"' + b"x" * 200_000, "not readable as CSV"),
    ],
    ids=[
        "empty",
        "blank lines",
        "byte order mark",
        "zeros",
        "binary",
        "gzip",
        "pdf",
        "json",
        "types without header",
        "too long a row without header",
        "utf-16",
        "semicolons",
        "too few columns",
        "endless cell",
    ],
)
def test_files_that_are_no_cdr_files(content: bytes, reason: str) -> None:
    with pytest.raises(NotCdrError, match=reason):
        read(content)


# --- the manners of files ------------------------------------------------------------------------

FIRST, SECOND = line(), line(globalCallID_callId=8, callingPartyNumber="2003")


def test_byte_order_mark() -> None:
    assert read(b"\xef\xbb\xbf" + text(FIRST).encode()) == read(text(FIRST))


def test_windows_line_ends() -> None:
    assert read(text(FIRST, SECOND).replace("\n", "\r\n")) == read(text(FIRST, SECOND))


def test_blank_lines_are_ignored_and_counted() -> None:
    content = "\n".join(("", HEADER, "", TYPES, FIRST, "", "", SECOND, "", ""))
    assert [number for number, _ in read(content)] == [5, 8]
    assert [item for _, item in read(content)] == [item for _, item in read(text(FIRST, SECOND))]


def test_quotes_with_commas_and_quotes_inside() -> None:
    leg = leg_of(text(line(callingPartyUnicodeLoginUserID='Rossi, "Anna"')))
    assert leg.calling_user == 'Rossi, "Anna"'


def test_a_quoted_line_feed_belongs_to_its_row() -> None:
    content = text(line(callingPartyUnicodeLoginUserID="two\nlines"), SECOND)
    assert kinds(content) == [(3, "Leg"), (5, "Leg")]


def test_an_unclosed_quote_does_not_swallow_later_rows() -> None:
    broken = FIRST.replace('"2001"', '"2001', 1)
    items = read(text(broken, SECOND, FIRST))
    assert [(number, type(item)) for number, item in items] == [(3, Reject), (4, Leg), (5, Leg)]


def test_two_unclosed_quotes_lose_no_row_between_them() -> None:
    broken = FIRST.replace('"2001"', '"2001', 1)
    content = text(broken, SECOND, broken, SECOND)
    assert [number for number, _ in read(content)] == [3, 4, 5, 6]
    assert [type(item) for _, item in read(content)] == [Reject, Leg, Reject, Leg]


def test_a_truncated_last_line_is_rejected_and_the_rest_stands() -> None:
    content = text(FIRST) + SECOND[:100]
    (_, whole), (number, cut) = read(content)
    assert isinstance(whole, Leg)
    assert (number, type(cut)) == (4, Reject)
    assert isinstance(cut, Reject) and cut.raw == SECOND[:100]


def test_zero_bytes_and_invalid_utf8_stand_as_they_can() -> None:
    data = text(line(callingPartyUnicodeLoginUserID="NAME"), SECOND).encode()
    (_, first), (_, second) = read(data.replace(b"NAME", b"a\0b\xff\xfec"))
    assert isinstance(first, Leg)
    assert first.calling_user == "a\ufffdb\ufffd\ufffdc", "PostgreSQL holds no NUL"
    assert isinstance(second, Leg)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"cdrRecordType": "2"}, "cdrRecordType is 2"),
        ({"cdrRecordType": "0"}, "cdrRecordType is 0"),
        ({"cdrRecordType": ""}, "cdrRecordType is 0"),
        ({"dateTimeOrigination": "0"}, "dateTimeOrigination is not set"),
        ({"dateTimeOrigination": ""}, "dateTimeOrigination is not set"),
        ({"dateTimeOrigination": "-5"}, "dateTimeOrigination is not set"),
        ({"duration": "-1"}, "ends before it begins"),
        ({"dateTimeDisconnect": str(T - 1)}, "ends before it begins"),
        ({"dateTimeDisconnect": "0"}, "ends before it begins"),
        ({"dateTimeConnect": str(T + 66)}, "ends before it begins"),
        ({"duration": str(65 + 3601)}, "the duration is longer than the call"),
        ({"duration": str(2**32 - 1)}, "the duration is longer than the call"),
        ({"duration": "1m"}, "duration is '1m', not a whole number"),
        ({"dateTimeConnect": "1.5"}, "datetimeconnect is '1.5', not a whole number"),
        ({"destLegIdentifier": "4.7E+7"}, "destlegidentifier is '4.7E+7', not a whole number"),
        ({"globalCallID_callId": "9" * 30}, "beyond 32 bits"),
        ({"globalCallID_callManagerId": str(2**31)}, "beyond 32 bits"),
        ({"globalCallID_callManagerId": str(-(2**31) - 1)}, "beyond 32 bits"),
        ({"globalCallID_callId": "9" * 5000}, "globalcallid_callid is '9999"),
        ({"callingPartyNumber": "9.12678E+11"}, "mangled by a spreadsheet"),
        ({"originalCalledPartyNumber": "3E+09"}, "mangled by a spreadsheet"),
        ({"finalCalledPartyNumber": "3.9066E+10"}, "mangled by a spreadsheet"),
    ],
)
def test_senseless_rows_are_rejected(columns: dict[str, str], reason: str) -> None:
    cells = {**CELLS, **columns}
    content = text(columns_as(NAMES, cells), SECOND)
    (_, item), (_, other) = read(content)
    assert isinstance(item, Reject)
    assert reason in item.reason
    assert item.raw == columns_as(NAMES, cells)
    assert not item.retryable
    assert isinstance(other, Leg)


def test_a_name_with_an_exponent_is_no_mangled_number() -> None:
    assert leg_of(text(line(callingPartyUnicodeLoginUserID="anna E+11"))).calling_user


# --- no line is lost -----------------------------------------------------------------------------

WHOLE = text(
    *(
        format_row(made)
        for name in ("blind transfer", "busy", "recording")
        for made in EXAMPLES[name]
    ),
    line(callingPartyUnicodeLoginUserID='Rossi, "Anna"'),
).encode()


def account(data: bytes) -> None:
    """Check that a file is refused whole, or that each of its lines is told of exactly once."""
    try:
        items = read(data)
    except NotCdrError:
        return
    stream = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", errors="replace", newline="")
    lines = list(stream)
    width = 0
    starts = [number for number, _ in items]
    assert starts == sorted(set(starts)), "every row once, in order"
    for start, end in pairwise([*starts, len(lines) + 1]):
        part = [each for each in lines[start - 1 : end - 1] if each.strip()]
        if len(part) > 1:
            # Several lines are one row only if they are one by the rules of CSV.
            rows = list(csv.reader(part))
            assert len(rows) == 1, f"lines {start} to {end - 1} became one row"
            width = width or len(rows[0])
            assert len(rows[0]) == width
    head = lines[: starts[0] - 1] if starts else lines
    before = [each for each in head if each.strip()]
    rows = list(csv.reader(before))
    assert len(rows) in (1, 2), "before the first row stand the header and the type line alone"


def test_accounting_of_the_whole_file() -> None:
    account(WHOLE)
    assert len(read(WHOLE)) == 6


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    data = bytearray(WHOLE)
    # Beyond the header: one that is damaged is mostly a file that is refused whole.
    after_header = len(HEADER) + 1
    for _ in range(draw(st.integers(1, 6))):
        low = draw(st.sampled_from((0, after_header, after_header, after_header + len(TYPES))))
        place = draw(st.integers(min(low, len(data)), len(data)))
        kind = draw(st.sampled_from(("insert", "delete", "replace", "cut", "repeat")))
        if kind == "insert":
            data[place:place] = draw(
                st.one_of(st.binary(min_size=1, max_size=4), st.sampled_from(MARKS))
            )
        elif kind == "delete":
            del data[place : place + draw(st.integers(1, 40))]
        elif kind == "replace":
            data[place : place + 1] = draw(st.sampled_from(MARKS))
        elif kind == "cut":
            del data[place:]
        else:
            data += data[place : place + draw(st.integers(1, 2000))]
    return bytes(data)


MARKS = [b'"', b",", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b'""', b'"\n', b"E+11", b"-", b"9" * 25]


@settings(max_examples=300)
@given(mutations())
def test_no_damage_raises_or_loses_a_line(data: bytes) -> None:
    account(data)


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_any_bytes_behind_the_header(data: bytes) -> None:
    account(f"{HEADER}\n".encode() + data)
