"""The driver that an INI describes: columns, times, directions, keys, and what it refuses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from syncd.cdr.driver_options import OptionsError
from syncd.domain.leg import Exclusion, Leg, NotCdrError, Reject
from tests.support.bed import ROME
from tests.support.drivers import driver, legs, read, reasons

PBX = {
    "delimiter": "semicolon",
    "date_format": "%d.%m.%Y %H:%M:%S",
    "duration_unit": "clock",
    "column__start": "Date + Time",
    "column__duration": "Talk",
    "column__ring": "Ring",
    "column__calling": "From",
    "column__called": "To",
    "column__trunk": "Line",
    "column__key": "Id",
    "value__outgoing": "Dir == O",
    "value__incoming": "Dir == I",
    "value__answered": "State == OK | TALK",
}
HEADER = "Id;Date;Time;Dir;From;To;Line;Ring;Talk;State\n"
OUT = "7;28.05.2026;22:26:40;O;2001;0612345678;ISDN1;0:05;0:01:00;OK\n"


def epoch(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ROME).timestamp())


def of(**changed: str) -> Any:
    return driver("delimited", **(PBX | changed))


def only(content: str, **changed: str) -> Leg:
    (leg,) = legs(of(**changed), content)
    return leg


def test_an_outgoing_call_ends_at_the_trunk() -> None:
    leg = only(HEADER + OUT)
    start = epoch("2026-05-28 22:26:40")
    assert (leg.started_at, leg.connected_at, leg.ended_at, leg.duration) == (
        start,
        start + 5,
        start + 65,
        60,
    )
    assert (leg.key, leg.calling_number, leg.final_number) == ("7", "2001", "0612345678")
    assert (leg.orig_device, leg.incoming_protocol) == ("2001", 0)
    assert (leg.dest_device, leg.outgoing_protocol, leg.pattern_usage) == ("ISDN1", 1, 5)


def test_an_incoming_call_begins_at_the_trunk_and_may_be_missed() -> None:
    row = OUT.replace(";O;2001;0612345678;", ";I;0612345678;2001;").replace("OK", "NOANS")
    leg = only(HEADER + row.replace("0:01:00", "0:00:00"))
    assert (leg.orig_device, leg.incoming_protocol) == ("ISDN1", 1)
    assert (leg.dest_device, leg.outgoing_protocol, leg.pattern_usage) == ("2001", 0, 0)
    assert (leg.connected_at, leg.duration, leg.ended_at - leg.started_at) == (0, 0, 5)
    assert leg.dest_cause == 19


def test_columns_may_stand_in_any_order_and_be_named_in_any_case() -> None:
    header = "extra;STATE; talk ;Ring;line;To;From;Dir;Time;Date;ID\n"
    row = "x;OK;0:01:00;0:05;ISDN1;0612345678;2001;O;22:26:40;28.05.2026;7\n"
    assert only(header + row)[:5] == only(HEADER + OUT)[:5]


def test_without_a_header_columns_go_by_position_or_by_given_names() -> None:
    positions = {"column__start": "#2 + #3", "column__duration": "#9", "column__ring": "#8"}
    positions |= {"column__calling": "#5", "column__called": "#6", "column__trunk": "#7"}
    positions |= {"column__key": "#1", "value__outgoing": "#4 == O", "value__incoming": "#4 == I"}
    positions |= {"value__answered": "#10 == OK"}
    assert only(OUT, header="no", **positions) == only(HEADER + OUT)
    named = HEADER.strip().replace(";", ", ")
    assert only(OUT, header="no", columns=named) == only(HEADER + OUT)
    assert reasons(of(header="no", **positions), "1;2\n") == [
        (1, "2 columns where 10 are expected")
    ]


def test_alternatives_regular_expressions_and_templates() -> None:
    leg = only(
        HEADER + OUT.replace("2001", "sip:2001@pbx").replace("ISDN1", "channel ISDN1 slot 3"),
        column__trunk=r"Line =~ channel (\S+)",
        column__calling="Missing + Id, From".replace("Missing + Id, ", ""),
        value__call_id="{Id}/{Line}",
        column__key="Id + Time",
    )
    assert (leg.calling_number, leg.dest_device) == ("2001", "ISDN1")
    assert (leg.key, leg.tied) == ("7 22:26:40", 1)
    assert leg.call_ref != 0


def test_the_first_alternative_that_is_not_empty_counts() -> None:
    one = {"column__called": "To, Id"}
    assert only(HEADER + OUT, **one).final_number == "0612345678"
    assert only(HEADER + OUT.replace("0612345678", ""), **one).final_number == "7"


@pytest.mark.parametrize(("column", "value"), [("Id", None), ("Id + Line", None), ("", "{Id}-x")])
def test_a_key_with_an_empty_part_is_refused(column: str, value: str | None) -> None:
    options = {name: text for name, text in PBX.items() if name != "column__key"}
    options |= {"column__key": column} if column else {"value__key": value or ""}
    assert reasons(driver("delimited", **options), HEADER + OUT.replace("7;", ";", 1)) == [
        (2, "the record's key has an empty part")
    ]


def test_without_a_key_the_row_itself_is_the_key() -> None:
    options = {name: text for name, text in PBX.items() if name != "column__key"}
    first, second, third = legs(
        driver("delimited", **options), HEADER + OUT + OUT.replace("ISDN1", "ISDN2") + OUT
    )
    assert first == third
    assert first.key != second.key


def test_devices_tell_the_direction_where_no_column_does() -> None:
    options = {
        name: text for name, text in PBX.items() if name not in ("value__outgoing", "column__trunk")
    }
    del options["value__incoming"]
    options |= {"column__calling_device": "Dir", "column__called_device": "Line"}
    (leg,) = legs(driver("delimited", trunks="ISDN* SIP-*", **options), HEADER + OUT)
    assert (leg.orig_device, leg.incoming_protocol) == ("O", 0)
    assert (leg.dest_device, leg.outgoing_protocol, leg.pattern_usage) == ("ISDN1", 1, 5)


def test_rows_that_the_section_excludes_are_kept_but_are_no_calls() -> None:
    found = read(of(value__skip="State == TEST"), HEADER + OUT.replace("OK", "TEST") + OUT)
    assert [type(item) for _, item in found] == [Exclusion, Leg]
    assert isinstance(found[0][1], Exclusion)
    assert found[0][1].rule == "value.skip"


@pytest.mark.parametrize(
    ("unit", "text", "seconds"),
    [
        ("seconds", "61", 61),
        ("seconds", "61.9", 61),
        ("milliseconds", "61999", 61),
        ("minutes", "1.5", 90),
        ("tenths", "11", 66),
        ("clock", "1:01", 61),
        ("clock", "61", 61),
        ("clock", "01:01:01", 3661),
    ],
)
def test_units_of_duration(unit: str, text: str, seconds: int) -> None:
    options = {"duration_unit": unit, "column__ring": "Talk"}
    assert only(HEADER + OUT.replace("0:01:00", text), **options).duration == seconds


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%d.%m.%Y %H:%M:%S", "28.05.2026 22:26:40"),
        ("%m/%d/%y %I:%M:%S %p", "05/28/26 10:26:40 PM"),
        ("epoch", "1780000000"),
        ("epoch_ms", "1780000000999"),
        ("iso", "2026-05-28T20:26:40Z"),
        ("iso", "2026-05-28T20:26:40.5+00:00"),
        ("%Y%m%d | iso", "2026-05-28T22:26:40+02:00"),
        ("%Y-%m-%d %H:%M:%S %z", "2026-05-28 15:26:40 -0500"),
    ],
)
def test_date_formats(form: str, text: str) -> None:
    row = OUT.replace("22:26:40", "").replace("28.05.2026", text)
    assert only(HEADER + row, date_format=form).started_at == 1_780_000_000


def test_the_zone_is_the_sites_unless_the_section_has_one() -> None:
    assert only(HEADER + OUT, timezone="UTC").started_at == epoch("2026-05-29 00:26:40")


# --- the hour that comes twice: on 25 October 2026 Rome puts its clocks back from 3:00 to 2:00 ------

FOLD = {
    name: text for name, text in PBX.items() if name not in ("column__ring", "value__answered")
} | {"column__start": "Start", "column__end": "End", "column__connect": "Connect"}
FOLD |= {"date_format": "%Y-%m-%d %H:%M:%S", "duration_unit": "seconds"}
FOLD_HEADER = "Id;Start;Connect;End;Dir;From;To;Line;Talk\n"


def fold(start: str, connect: str, end: str, talk: int, covers: str = "connect") -> Leg:
    day = "2026-10-25 "
    row = f"7;{day}{start};{day}{connect};{day}{end};O;2001;06123;ISDN1;{talk}\n"
    (leg,) = legs(driver("delimited", **FOLD, duration_from=covers), FOLD_HEADER + row)
    return leg


SECOND = epoch("2026-10-25 01:30:00") + 2 * 3600
"""2:30 in winter time."""


def test_a_call_within_the_hour_that_comes_twice_is_taken_for_the_first() -> None:
    leg = fold("02:30:00", "02:30:10", "02:31:10", 60)
    assert leg.started_at == SECOND - 3600
    assert (leg.connected_at, leg.ended_at) == (leg.started_at + 10, leg.started_at + 70)


def test_the_duration_tells_which_hour_a_call_began_in() -> None:
    assert fold("02:30:00", "02:30:00", "03:10:00", 2400).started_at == SECOND
    assert fold("02:30:00", "02:30:00", "03:10:00", 6000).started_at == SECOND - 3600


def test_a_call_across_the_change_does_not_end_before_it_begins() -> None:
    leg = fold("02:50:00", "02:50:00", "02:10:00", 1200)
    assert leg.ended_at - leg.started_at == 1200


def test_a_duration_from_the_start_holds_the_ringing_too() -> None:
    leg = fold("12:00:00", "12:00:10", "12:01:10", 70, "start")
    assert (leg.duration, leg.connected_at - leg.started_at) == (60, 10)


def test_an_empty_connect_time_is_no_connection() -> None:
    row = "7;2026-05-28 12:00:00;{};2026-05-28 12:00:20;O;2001;06123;ISDN1;0\n"
    for never in ("", "0000-00-00 00:00:00"):
        (leg,) = legs(driver("delimited", **FOLD), FOLD_HEADER + row.format(never))
        assert (leg.connected_at, leg.duration, leg.ended_at - leg.started_at) == (0, 0, 20)


# --- accidents --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (OUT.replace("28.05.2026", "31.02.2026"), "'31.02.2026 22:26:40' is not a time"),
        (OUT.replace("28.05.2026;22:26:40", ";"), "the row has no start"),
        (OUT.replace("0:01:00", "soon"), "'soon' is not h:m:s"),
        (OUT.replace("0612345678", "6,12346E+08"), "mangled by a spreadsheet"),
        (OUT.replace(";OK", ""), "9 columns where 10 are expected"),
        (OUT.replace(";OK", ";OK;more"), "11 columns where 10 are expected"),
        (OUT.replace("ISDN1", "IS\0DN1"), "NUL"),
        (OUT.replace("ISDN1", '"ISDN1'), "a quotation mark is not closed"),
        (OUT.replace("0:01:00", "999999:00:00"), "beyond 32 bits"),
    ],
)
def test_a_row_that_is_none_costs_no_other(row: str, reason: str) -> None:
    found = read(of(), HEADER + OUT + row + OUT)
    assert [line for line, _ in found] == [2, 3, 4]
    assert [type(item) for _, item in found] == [Leg, Reject, Leg]
    reject = found[1][1]
    assert isinstance(reject, Reject)
    assert reason in reject.reason
    assert reject.raw == row.rstrip("\n")


def test_quoted_cells_hold_delimiters_quotes_and_line_ends() -> None:
    row = OUT.replace("ISDN1", '"IS;DN ""1""\nand more"')
    found = read(of(), HEADER + row + OUT)
    assert [line for line, _ in found] == [2, 4]
    assert isinstance(found[0][1], Leg)
    assert found[0][1].dest_device == 'IS;DN "1"\nand more'


def test_without_quotes_a_quotation_mark_is_text() -> None:
    assert only(HEADER + OUT.replace("ISDN1", '"ISDN1'), quote="none").dest_device == '"ISDN1'


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_marks_and_blank_lines(end: str) -> None:
    text = "\ufeffA title" + end + HEADER + end + OUT + end + HEADER + OUT.rstrip()
    found = read(of(skip_lines="1"), text.replace("\n", end) if end == "\r\n" else text)
    assert [(line, type(item)) for line, item in found] == [(4, Leg), (7, Leg)]


def test_encodings() -> None:
    data = (HEADER + OUT.replace("ISDN1", "Büro")).encode("cp1252")
    (leg,) = legs(of(encoding="cp1252"), data)
    assert leg.dest_device == "Büro"
    (leg,) = legs(of(), data)
    assert leg.dest_device == "B\ufffdro"


def test_a_line_without_end_takes_no_memory_and_no_other_line() -> None:
    data = (HEADER + OUT).encode() + b"x" * 5_000_000 + b"\n" + OUT.encode()
    found = read(of(), data)
    assert [(line, type(item)) for line, item in found] == [(2, Leg), (3, Reject), (4, Leg)]
    reject = found[1][1]
    assert isinstance(reject, Reject)
    assert len(reject.raw) == 65_536


@pytest.mark.parametrize(
    ("content", "reason"),
    [("", "empty"), ("a;b;c\n", "lacks Date, Time, Talk"), ('"Id;Date\n', "not closed")],
)
def test_a_file_of_another_kind_is_none(content: str, reason: str) -> None:
    with pytest.raises(NotCdrError, match=reason):
        read(of(), content)


def test_a_header_alone_is_a_file_without_calls() -> None:
    assert read(of(), HEADER) == []


# --- the section ------------------------------------------------------------------------------------


def problems(**options: str) -> list[tuple[str, str]]:
    with pytest.raises(OptionsError) as caught:
        driver("delimited", **options)
    return [(one.option, one.what) for one in caught.value.problems]


def test_a_section_that_says_nothing_is_told_all_that_it_lacks() -> None:
    assert [option for option, _ in problems()] == [
        "column.start",
        "column.calling",
        "column.called",
        "column.duration",
        "value.answered",
        "value.outgoing",
    ]


def test_every_mistake_of_a_section_at_once() -> None:
    found = problems(
        **PBX,
        column__caled="To",
        value__calling="{From}",
        column__cause="Cause =~ (",
        value__call_id="{Id",
        value__skip="State =~ [",
    )
    assert found[:5] == [
        ("column.caled", "there is no such meaning"),
        ("column.cause", found[1][1]),
        ("value.calling", "column.calling is set too"),
        ("value.call_id", "'{Id' has a brace without its other half"),
        ("value.skip", found[4][1]),
    ]
    assert "'(' is not a regular expression" in found[1][1]
    assert "'[' is not a regular expression" in found[4][1]


def test_a_name_needs_a_header_or_names() -> None:
    assert ("column.key", "no header and no columns option tell where Id is") in problems(
        **PBX, header="no"
    )
