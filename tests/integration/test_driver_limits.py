"""Rows at the limits: quotes never closed, cells too long, numbers too large."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.cdr.drivers.cucm import cucm
from syncd.demo.cucm_columns import HEADER, TYPES
from syncd.demo.cucm_writer import format_row, row
from syncd.domain.leg import Leg, Reject
from syncd.store.models import database
from tests.support.bed import Bed, make_bed
from tests.support.phones import leg


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = make_bed(tmp_path)
    made.person("anna", "2001", department="Sales")
    made.person("bruno", "2002", department="Sales")
    made.person("carla", "2003", department="Support")
    yield made
    database.close()


def read(text: str) -> list[tuple[int, object]]:
    return list(cucm.rows(io.BytesIO(text.encode()), "cdr_x_01_202601010000_1"))


def test_driver_an_unclosed_quote_in_a_long_file_rejects_one_row_only() -> None:
    """csv gives up on a cell of 131,072 characters; the lines up to there become one reject."""
    rows = [format_row(row(**leg(n, n * 2, n * 2 + 1, "2001", "2002"))) for n in range(1, 400)]
    # No quote in the lines that follow: a driver of an older dialect, numbers only.
    plain = [one.replace('"', "") for one in rows]
    items = read("\n".join((HEADER, TYPES, '"' + plain[0], *plain[1:], "")))
    assert len(items) == len(rows)
    assert [type(item) for _, item in items[1:]] == [Leg] * (len(rows) - 1)


def test_driver_a_split_line_with_a_long_cell_is_a_reject_not_a_crash() -> None:
    items = read("\n".join((HEADER, TYPES, '"x', '",' + "1," * 70_000, "")))
    assert [type(item) for _, item in items] == [Reject, Reject]


def test_driver_a_quote_that_the_header_lacks_swallows_nothing() -> None:
    good = format_row(row(**leg(1, 101, 102, "2001", "2002")))
    items = read("\n".join((HEADER[:-1], TYPES, good, good, "")))
    assert [(line, type(item)) for line, item in items] == [(3, Leg), (4, Leg)]


@pytest.mark.parametrize(
    "columns",
    [
        {"globalCallID_callManagerId": 2**40},
        {"duration": 2**61},
        {"dateTimeDisconnect": 2**61},
        {"origCause_value": 2**61},
    ],
    ids=lambda columns: next(iter(columns)),
)
def test_driver_a_number_beyond_32_bits_is_rejected_and_blocks_nothing(
    bed: Bed, columns: dict[str, int]
) -> None:
    """One such row makes the batch fail, for ever, or overflows sums."""
    bed.ingest(leg(1, 101, 102, "2001", "03331234567", **columns), leg(2, 103, 104, "2001", "2002"))
    (file,) = bed.ledger()
    assert (file["rejected"], file["stored"]) == (1, 1)


def test_driver_underscores_are_no_digits() -> None:
    text = format_row(row(**leg(1, 101, 102, "2001", "2002"))).replace(",101,", ",1_0_1,", 1)
    ((_, item),) = read("\n".join((HEADER, TYPES, text, "")))
    assert isinstance(item, Reject)
