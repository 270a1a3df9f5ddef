"""A damaged row is one reject, whatever the damage, and takes no other row with it."""

from __future__ import annotations

import io

import pytest

from syncd.cdr.drivers.cucm import cucm
from syncd.demo.cucm_columns import HEADER, TYPES
from syncd.demo.cucm_writer import format_row, row
from syncd.domain.leg import Leg, Reject

GOOD = format_row(
    row(
        globalCallID_callId=7,
        dateTimeOrigination=1_790_000_000,
        dateTimeDisconnect=1_790_000_009,
        origLegCallIdentifier=21,
        callingPartyNumber="2001",
        origDeviceName="SEP001122334455",
        originalCalledPartyNumber="2002",
    )
)


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (GOOD[: GOOD.index(",0,", 20)], "columns where the header has 133"),
        (GOOD + ",0", "134 columns where the header has 133"),
        (GOOD.replace(",7,", ",seven,", 1), "seven"),
        (GOOD[: GOOD.index('""') + 1], "columns where the header has 133"),
    ],
    ids=["cut short", "too long", "not a number", "cut within quotes"],
)
def test_one_damaged_row_is_one_reject(damaged: str, reason: str) -> None:
    text = "\n".join((HEADER, TYPES, GOOD, damaged, GOOD, ""))
    read = list(cucm.rows(io.BytesIO(text.encode()), "cdr_x_01_202601010000_1"))
    assert [line for line, _ in read] == [3, 4, 5]
    assert [type(item) for _, item in read] == [Leg, Reject, Leg]
    reject = read[1][1]
    assert isinstance(reject, Reject)
    assert reason in reject.reason
    assert reject.raw.strip() == damaged
