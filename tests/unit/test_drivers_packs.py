"""3CX, Avaya and Mitel: descriptions of the package, which a source may change."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncd.cdr.driver_options import OptionsError, written_at
from syncd.cdr.drivers.packs import texts_of
from syncd.domain.leg import Exclusion, Leg
from tests.support.drivers import driver, legs, reasons

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cdr"
JULY = 1_783_000_000
NEW_YEAR = 1_798_761_900
"""2027-01-01 00:05 UTC."""
THREE_CX = (
    "Call 288831,00000179_9,00:01:00,2026/05/28 20:26:40,2026/05/28 20:26:45,2026/05/28 20:27:45,"
    "TerminatedBySrc,{from_},{to},{from_dn},{to_dn},{dial},{changed},{final},{final_dn},,,,{name},"
    "Chain: {from_};{to};"
)
CALL = {
    "from_": "Ext.301",
    "to": "0612345678",
    "from_dn": "301",
    "to_dn": "10000",
    "dial": "90612345678",
    "changed": "",
    "final": "0612345678",
    "final_dn": "10000",
    "name": "",
}


def three_cx(more: str = "", **changed: str) -> Leg:
    (leg,) = legs(driver("3cx"), THREE_CX.format(**(CALL | changed)) + more + "\n")
    return leg


def ip_office(**changed: str) -> str:
    row = {
        "start": "2026/05/28 22:26:40",
        "connected": "00:00:13",
        "ring": "7",
        "caller": "302",
        "direction": "O",
        "called": "0612345678",
        "dialled": "90612345678",
        "account": "4711",
        "internal": "0",
        "id": "1000014160",
        "more": "0",
        "device1": "E302",
        "name1": "John Smith",
        "device2": "T9002",
        "name2": "LINE 1.2",
        "hold": "0",
        "park": "0",
    }
    return ",".join((row | changed).values())


# --- 3CX ----------------------------------------------------------------------------------------


def test_3cx_an_outgoing_call_ends_at_its_line() -> None:
    leg = three_cx()
    assert (leg.started_at, leg.connected_at, leg.duration) == (1_780_000_000, 1_780_000_005, 60)
    assert (leg.calling_number, leg.orig_device, leg.incoming_protocol) == ("301", "301", 0)
    assert (leg.final_number, leg.dest_device, leg.outgoing_protocol) == ("0612345678", "10000", 1)
    assert (leg.original_number, leg.redirecting_number) == ("90612345678", "")


def test_3cx_v18_knows_extensions_by_their_prefix() -> None:
    leg = three_cx(from_="0687654321", from_dn="10000", to="Ext.302", final="Ext.302")
    assert (leg.incoming_protocol, leg.outgoing_protocol) == (1, 0)
    assert (leg.calling_number, leg.final_number) == ("0687654321", "302")
    leg = three_cx(to="Ext.302", final="", final_dn="", to_dn="302")
    assert (leg.incoming_protocol, leg.outgoing_protocol) == (0, 0)
    assert (leg.final_number, leg.dest_device) == ("302", "302")


def test_3cx_v20_goes_by_the_types_whatever_the_numbers_look_like() -> None:
    leg = three_cx(",Extension,Line,Line,,,,", from_dn="10016", final_dn="10020")
    assert (leg.incoming_protocol, leg.outgoing_protocol) == (0, 1)
    leg = three_cx(",Extension,Queue,Extension,,,,", to="800", final="Ext.302", final_dn="302")
    assert (leg.incoming_protocol, leg.outgoing_protocol) == (0, 0)
    assert (leg.final_number, leg.redirecting_number) == ("302", "800")


def test_3cx_a_call_that_is_forwarded_outside_is_the_forwarders() -> None:
    leg = three_cx(",Line,Extension,Line,,,,", from_="+39333", to="Ext.302", from_dn="10000")
    assert (leg.incoming_protocol, leg.outgoing_protocol) == (1, 1)
    assert (leg.redirecting_number, leg.last_redirect_reason) == ("302", 10)


def test_3cx_commas_in_names_move_nothing() -> None:
    plain = three_cx(",Extension,Line,Line,Anna,Bert,,")
    assert three_cx(",Extension,Line,Line,Rossi, Anna,Bianchi, Bert, jr,,") == plain
    assert three_cx(name="Italy, mobile").duration == 60
    assert three_cx(",Extension,Line,Line,Anna,,,", name="Italy, mobile") == plain


def test_3cx_a_row_of_another_order_is_no_row() -> None:
    row = THREE_CX.format(**CALL)
    assert reasons(driver("3cx"), row.replace("Chain: ", "") + "\n") == [
        (1, "value.valid does not hold")
    ]
    assert reasons(driver("3cx"), row.rsplit(",", 1)[0] + "\n") == [
        (1, "19 columns where 20 are expected")
    ]


def test_a_source_has_the_last_word() -> None:
    changed = driver(
        "3cx",
        value__outgoing=r"#14, #9 =~ ^\d{12,}",
        column__original="none",
        timezone="Asia/Tokyo",
    )
    (leg,) = legs(changed, THREE_CX.format(**CALL) + "\n")
    assert (leg.outgoing_protocol, leg.original_number) == (0, "0612345678")
    assert leg.started_at == 1_780_000_000 - 9 * 3600


def test_what_a_source_takes_away_and_is_needed_is_told() -> None:
    with pytest.raises(OptionsError, match=r"column\.calling: is missing"):
        driver("3cx", column__calling="none")


# --- Avaya IP Office ------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [17, 30, 35])
def test_ip_office_of_every_release(width: int) -> None:
    row = ip_office() + "," * (width - 17)
    (leg,) = legs(driver("avaya-ipoffice"), row + "\n")
    assert (leg.started_at, leg.connected_at, leg.duration) == (1_780_000_000, 1_780_000_007, 13)
    assert (leg.dest_device, leg.outgoing_protocol) == ("T9002", 1)
    assert (leg.original_number, leg.matter_code) == ("90612345678", "4711")


@pytest.mark.parametrize("width", [17, 30])
def test_ip_office_commas_in_names_move_nothing(width: int) -> None:
    row = ip_office(name1="Smith, John", device2="T9002") + "," * (width - 17)
    (leg,) = legs(driver("avaya-ipoffice"), row + "\n")
    assert leg.dest_device == "T9002"


def test_ip_office_a_cut_row_is_none() -> None:
    row = ip_office() + "," * 13
    assert reasons(driver("avaya-ipoffice"), row[:60] + "\n") == [
        (1, "8 columns where 17 are expected")
    ]


def test_ip_office_rows_of_one_call_share_their_reference() -> None:
    first, second = legs(
        driver("avaya-ipoffice"),
        ip_office(more="1") + "\n" + ip_office(caller="303", device1="E303") + "\n",
    )
    assert first.call_ref == second.call_ref
    assert first.key != second.key


# --- Avaya Communication Manager ------------------------------------------------------------------


def communication_manager(layout: str, **columns: str) -> str:
    texts = texts_of("avaya-cm")[layout]["columns"]
    line = [" "] * 120
    for part in texts.replace("\n", "").split(","):
        name, start, length = part.strip().split(":")
        text = columns.get(name.replace(" ", "_"), "")[: int(length)]
        line[int(start) - 1 : int(start) - 1 + len(text)] = text
    return "".join(line).rstrip() + " " * 5 + "\r\n\0\0\0"


ROW = {
    "time": "2227",
    "duration": "0103",
    "code": "7",
    "access": "9",
    "used": "101",
    "dialled": "0612345678",
    "calling": "30101",
    "auth": "1234567",
}


@pytest.mark.parametrize("layout", ["printer", "teleseer", "int-isdn"])
def test_communication_manager_in_every_layout(layout: str) -> None:
    file = "0528\r\n\0\0\0" + communication_manager(layout, **ROW) * 2
    found = legs(written_at(driver("avaya-cm", layout=layout), JULY), file)
    assert found[0] == found[1]
    leg = found[0]
    assert (leg.ended_at, leg.duration) == (1_780_000_020, 618)
    assert (leg.calling_number, leg.final_number) == ("30101", "0612345678")
    assert (leg.dest_device, leg.authorization_code) == ("101", "1234567")


@pytest.mark.parametrize(
    ("code", "answered", "incoming", "outgoing"),
    [
        ("0", True, 0, 0),
        ("1", True, 0, 0),
        ("7", True, 0, 1),
        ("8", True, 0, 1),
        ("A", True, 0, 1),
        ("B", True, 0, 1),
        ("E", False, 0, 1),
        ("F", False, 0, 1),
        ("H", False, 1, 0),
        ("I", False, 1, 0),
        ("4", True, 0, 1),
        ("9", True, 1, 1),
        ("C", True, 0, 1),
    ],
)
def test_condition_codes(code: str, answered: bool, incoming: int, outgoing: int) -> None:
    row = communication_manager("printer", **(ROW | {"code": code}))
    (leg,) = legs(written_at(driver("avaya-cm"), JULY), "05/28\n" + row)
    assert bool(leg.connected_at) is answered
    assert (leg.incoming_protocol, leg.outgoing_protocol) == (incoming, outgoing)


def test_an_incoming_call_has_no_access_code() -> None:
    columns = ROW | {"code": "9", "access": "", "used": "", "in_circuit": "004"}
    row = communication_manager("printer", **columns)
    (leg,) = legs(written_at(driver("avaya-cm"), JULY), "05/28\n" + row)
    assert (leg.incoming_protocol, leg.outgoing_protocol, leg.orig_device) == (1, 0, "004")


@pytest.mark.parametrize("code", ["6", "G"])
def test_condition_codes_that_tell_of_no_call(code: str) -> None:
    row = communication_manager("printer", **(ROW | {"code": code}))
    of = written_at(driver("avaya-cm"), JULY)
    ((_, item),) = of.rows(io.BytesIO(b"05/28\n" + row.encode()), "")
    assert isinstance(item, Exclusion)
    assert item.rule == "value.skip"


def test_a_date_counts_for_the_rows_after_it_over_new_year() -> None:
    row = communication_manager("printer", **ROW)
    early = communication_manager("printer", **(ROW | {"time": "0002", "duration": "0100"}))
    of = written_at(driver("avaya-cm", timezone="UTC"), NEW_YEAR)
    first, second = legs(of, "12/31\n" + row + "01/01\n" + early)
    assert first.ended_at == NEW_YEAR - 300 - 93 * 60
    assert (second.started_at, second.ended_at) == (NEW_YEAR - 780, NEW_YEAR - 180)


def test_a_row_that_no_date_precedes_is_a_reject() -> None:
    row = communication_manager("printer", **ROW)
    of = written_at(driver("avaya-cm"), JULY)
    assert reasons(of, row) == [(1, "no line with the date stands before the row")]


# --- Mitel ----------------------------------------------------------------------------------------


def mitel(date: str, time: str, **columns: str) -> str:
    line = [" "] * 90
    row = {"date": date, "time": time, "duration": "00:01:00", "calling": "301"} | columns
    row = {"dialled": "0612345678", "completion": "A", "called": "T054"} | row
    for part in texts_of("mitel")["12-hour"]["columns"].replace("\n", "").split(","):
        name, start, length = part.strip().split(":")
        text = row.get(name, "")[: int(length)]
        line[int(start) - 1 : int(start) - 1 + len(text)] = text
    return "".join(line) + "\n"


@pytest.mark.parametrize(
    ("time", "layout", "seconds"),
    [
        ("11:42p", "12-hour", 85_320),
        ("12:05", "12-hour", 300),
        ("12:05p", "12-hour", 43_500),
        ("08:30", "12-hour", 30_600),
        ("12:05", "24-hour", 43_500),
        ("23:42", "24-hour", 85_320),
    ],
)
def test_mitel_times_of_day(time: str, layout: str, seconds: int) -> None:
    of = written_at(driver("mitel", layout=layout, timezone="UTC"), JULY)
    (leg,) = legs(of, mitel("05/28", time))
    assert leg.started_at == 1_779_926_400 + seconds


@pytest.mark.parametrize(
    ("date", "written", "year"),
    [
        ("12/31", NEW_YEAR, 2026),
        ("01/01", NEW_YEAR, 2027),
        ("01/02", NEW_YEAR, 2027),  # another zone, or a clock that is ahead
        ("01/03", NEW_YEAR, 2026),
        ("02/29", NEW_YEAR, 2024),
        ("12/31", NEW_YEAR - 3 * 86_400, 2025),
    ],
)
def test_the_year_is_that_of_the_file(date: str, written: int, year: int) -> None:
    of = written_at(driver("mitel", timezone="UTC"), written)
    (leg,) = legs(of, mitel(date, "12:01"))
    moment = datetime.fromtimestamp(leg.started_at, UTC)
    assert f"{moment:%Y %m/%d %H:%M}" == f"{year} {date} 00:01"


def test_without_the_age_of_the_file_there_is_no_year() -> None:
    ((_, reason),) = reasons(driver("mitel"), mitel("05/28", "12:01"))
    assert "has no year" in reason


def test_mitel_directions() -> None:
    of = written_at(driver("mitel"), JULY)
    out, into, inside = legs(
        of,
        mitel("05/28", "08:30")
        + mitel("05/28", "08:31", calling="T055", answer="007", dialled="301", called="302")
        + mitel("05/28", "08:32", dialled="302", called="302", completion="B"),
    )
    assert (out.dest_device, out.outgoing_protocol, out.final_number) == ("T054", 1, "0612345678")
    assert (into.orig_device, into.incoming_protocol, into.calling_number) == ("T055", 1, "")
    assert (into.final_number, into.connected_at - into.started_at) == ("302", 7)
    assert (inside.outgoing_protocol, inside.connected_at) == (0, 0)


def test_a_cut_line_is_no_row() -> None:
    of = written_at(driver("mitel"), JULY)
    assert reasons(of, mitel("05/28", "08:30")[:45] + "\n") == [
        (1, "45 characters where 65 are expected")
    ]
