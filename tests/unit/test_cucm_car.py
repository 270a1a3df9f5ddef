"""Exports of CDR Analysis and Reporting, and files of older releases: no types, maybe no header."""

from __future__ import annotations

import io
from typing import Any

import pytest

from syncd.cdr.drivers.cucm import cucm
from syncd.cdr.drivers.cucm_columns import COLUMNS, names_of
from syncd.demo.cucm_writer import format_row, row
from syncd.domain.leg import Leg, NotCdrError, Reject

T = 1_780_000_000
NAMES = [name for name, _ in COLUMNS]
CALL: dict[str, Any] = {
    "globalCallID_callId": 7,
    "origLegCallIdentifier": 21,
    "destLegIdentifier": 22,
    "dateTimeOrigination": T,
    "dateTimeConnect": T + 5,
    "dateTimeDisconnect": T + 65,
    "duration": 60,
    "callingPartyNumber": "2001",
    "origDeviceName": "SEP001122334455",
    "originalCalledPartyNumber": "2000",
    "finalCalledPartyNumber": "2002",
    "destDeviceName": "SEP001122334466",
    "huntPilotDN": "2000",
    "huntPilotPartition": "PT-HUNT",
    "calledPartyPatternUsage": 7,
    "pkid": "car-1",
    "IncomingICID": "never exported",
}


def cells(names: tuple[str, ...], **changed: Any) -> list[str]:
    values = dict(zip(NAMES, _split(format_row(row(**(CALL | changed)))), strict=True))
    return [values[name] for name in names]


def _split(text: str) -> list[str]:
    import csv

    return next(csv.reader([text]))


def car(**changed: Any) -> str:
    return ",".join(cells(names_of(123), **changed)) + "\n"


def read(text: str) -> list[tuple[int, Any]]:
    return list(cucm.rows(io.BytesIO(text.encode()), "CDR_export.txt"))


def header(names: tuple[str, ...]) -> str:
    return ",".join(names).replace("IncomingProtocolID", "incomingProtocolID") + "\n"


FLAT = ",".join(NAMES) + "\n" + ",".join(cells(tuple(NAMES))) + "\n"
((_, EXPECTED),) = read(FLAT)


def test_the_export_lacks_the_charging_ids_and_swaps_two_columns() -> None:
    names = names_of(123)
    assert len(names) == 123
    assert set(NAMES[:129]) - set(names) == set(NAMES[104:110])
    place = names.index("huntPilotDN")
    assert names[place + 1] == "huntPilotPartition"


def test_an_export_with_its_header_says_what_the_flat_file_says() -> None:
    assert read(header(names_of(123)) + car() + car(pkid="car-2"))[0] == (2, EXPECTED)


def test_an_export_without_a_header_goes_by_its_width() -> None:
    found = read(car() + car(pkid="car-2"))
    assert [line for line, _ in found] == [1, 2]
    assert found[0][1] == EXPECTED
    assert (found[0][1].hunt_pilot, found[0][1].hunt_partition) == ("2000", "PT-HUNT")


@pytest.mark.parametrize("width", [104, 118, 125, 129, 131, 133])
def test_a_flat_file_of_any_release_without_a_header(width: int) -> None:
    text = "\n" + ",".join(cells(names_of(width))) + "\n"
    ((line, leg),) = read(text)
    assert line == 2
    assert isinstance(leg, Leg)
    assert (leg.key, leg.duration, leg.hunt_pilot) == ("car-1", 60, "2000")


def test_what_is_not_there_is_a_backslash_and_a_blank() -> None:
    marked = car(callingPartyUnicodeLoginUserID="\\ ", finalCalledPartyUnicodeLoginUserID="\\ ")
    ((_, leg),) = read(marked)
    assert leg == EXPECTED


def test_a_backslash_within_a_text_stays() -> None:
    ((_, leg),) = read(car(callingPartyUnicodeLoginUserID="EXAMPLE\\anna"))
    assert leg.calling_user == "EXAMPLE\\anna"


def test_a_hunt_partition_that_is_a_database_key_is_no_name() -> None:
    key = "ed56fecd-bd2d-48d4-ae03-7ee3766d6048"
    ((_, leg),) = read(car(huntPilotPartition=key))
    assert leg.hunt_partition == ""


def test_without_a_header_a_short_row_is_a_reject_and_costs_no_other() -> None:
    found = read(car() + car()[:200] + "\n" + car(pkid="car-2"))
    assert [type(item) for _, item in found] == [Leg, Reject, Leg]
    assert found[1][0] == 2


@pytest.mark.parametrize("text", ["1,2,3\n", "2," + "0," * 46 + "0\n", "INTEGER,INTEGER\n", "1\n"])
def test_other_files_without_a_header_are_none(text: str) -> None:
    with pytest.raises(NotCdrError):
        read(text)
