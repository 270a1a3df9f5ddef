"""Rows damaged at random: every driver accounts for each, raises nothing and forgets them again.

``make test`` takes 20,000 rows a driver, ``make fuzz`` a million. Another choice is made at each run;
``SYNCD_FUZZ_SEED`` repeats one.
"""

from __future__ import annotations

import gc
import io
import os
import random
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from syncd.cdr.quality import cmr
from syncd.domain.leg import NotCdrError, Reject
from tests.support.driver_samples import NAMES, Sample, check_leg, leg_of
from tests.support.drivers import Item

ROWS = int(os.environ.get("SYNCD_FUZZ_ROWS", "20000"))
FILE = 500
"""Rows of a file."""

BITS = (
    *(b'"', b"'", b",", b";", b"|", b"\n", b"\r", b"\r\n", b"\0", b"\\", b" ", b"", b'""', b'"\n"'),
    *(b"-1", b"0", b"1e5", b"nan", b"E+11", b"9.12678E+11", b"99999999999999999999", b"4294967296"),
    *(b"\xc3", b"\xff\xfe", b"\xd9\xa3", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"{}", b"\\ ", b"%s"),
    *(b"0000-00-00 00:00:00", b"2026-02-30 25:61:61", b"02/29", b"12/31", b"9999-12-31 23:59:59"),
    *(b"Local/", b"sip:", b"INVITE|", b"BYE|", b"99:99:99", b"x" * 300),
)
DATE = re.compile(rb"(0[1-9]|1[0-2])/?[0-3]\d")
"""A line of avaya-cm that is no row."""

QUALITY = (
    Path(__file__).parents[1] / "fixtures" / "cucm15" / "cmr_StandAloneCluster_01_202604021200_1"
)

KEPT = 150_000
"""Blocks of memory by which a driver may grow: what it remembers has a bound."""


def damaged(row: bytes, choose: random.Random) -> bytes:
    """Return a row with up to four changes, often none."""
    for _ in range(choose.choice((0, 0, 1, 1, 2, 4))):
        at = choose.randrange(len(row) + 1)
        kind = choose.randrange(7)
        if kind == 0:
            row = row[:at] + choose.choice(BITS) + row[at:]
        elif kind == 1:
            row = row[:at] + row[at + choose.randrange(1, 12) :]
        elif kind == 2:
            row = row[:at] + bytes((choose.randrange(256),)) + row[at + 1 :]
        elif kind == 3:
            bit = choose.choice(BITS)
            row = row[:at] + bit + row[at + len(bit) :]
        elif kind == 4:
            row = row[at:] + row[:at]
        elif kind == 5:
            row = row[:at]
        else:
            # A whole cell makes place for something else.
            cells = re.split(rb"([,;|\t])", row)
            cells[choose.randrange(len(cells))] = choose.choice(BITS)
            row = b"".join(cells)
    return row


def check_accounts(sample: Sample, data: bytes, found: list[tuple[int, Item]]) -> None:
    """Check that every line belongs to just one item: the one that begins with it, or, where a
    quoted cell holds line ends, the one before it."""
    # The csv module, unlike a terminal, ends a line at a carriage return too.
    ends = rb"\r\n|\r|\n" if sample.driver.name.startswith("cucm") else rb"\n"
    lines = re.split(ends, data)
    quote = getattr(sample.driver, "row_quote", '"').encode()
    numbers = [number for number, _ in found]
    assert all(first < second for first, second in pairwise(numbers)), "a line told of twice"
    assert not numbers or (sample.heads < numbers[0] and numbers[-1] <= len(lines))
    told = set(numbers)
    head = {line.strip() for line in sample.head}
    before = b""
    for number, line in enumerate(lines, start=1):
        text = line.strip(b"\0 \t\r\x0b\x0c\xef\xbb\xbf")
        if number in told:
            before = line
        elif sample.driver.name == "avaya-cm" and DATE.fullmatch(
            line.decode("utf-8", "replace").strip("\0 \r").strip().encode()
        ):
            continue
        elif number > sample.heads and text and text not in head and not is_blank(text):
            assert quote and before.count(quote), f"line {number} is not told of: {line!r}"
    for number, item in found:
        if isinstance(item, Reject):
            assert item.line == number
            assert item.reason
            assert len(item.raw) <= 65_536
        else:
            check_leg(leg_of(item))


def is_blank(text: bytes) -> bool:
    return not text.decode("utf-8", "replace").strip()


@pytest.mark.parametrize("name", NAMES)
def test_damaged_rows_are_accounted_for(name: str) -> None:
    seed = int(os.environ.get("SYNCD_FUZZ_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
    sys.stdout.write(f"SYNCD_FUZZ_SEED={seed}\n")
    choose = random.Random(f"{seed} {name}")
    sample = Sample(name)
    rows = taken = rejected = blocks = 0
    while rows < ROWS:
        damage = [damaged(choose.choice(sample.rows), choose) for _ in range(FILE)]
        data = b"".join((*sample.head, *damage))
        try:
            found = sample.of(data)
        except NotCdrError as error:
            pytest.fail(f"seed {seed}: {error}")
        except Exception as error:
            raise AssertionError(f"seed {seed}, after {rows} rows: {error!r}") from error
        try:
            check_accounts(sample, data, found)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, after {rows} rows: {error}") from error
        bad = sum(isinstance(item, Reject) for _, item in found)
        rejected += bad
        taken += len(found) - bad
        rows += FILE
        if not blocks and rows >= ROWS // 4:
            gc.collect()
            blocks = sys.getallocatedblocks()
    assert taken
    assert rejected
    del found, data, damage
    gc.collect()
    assert sys.getallocatedblocks() - blocks < KEPT, f"seed {seed}"


def test_damaged_rows_of_call_quality_are_accounted_for() -> None:
    seed = int(os.environ.get("SYNCD_FUZZ_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
    sys.stdout.write(f"SYNCD_FUZZ_SEED={seed}\n")
    choose = random.Random(f"{seed} cmr")
    header, types, *sample = QUALITY.read_bytes().split(b"\n")
    taken = rejected = 0
    for _ in range(ROWS // FILE):
        damage = [damaged(choose.choice(sample), choose) for _ in range(FILE)]
        lines = b"\n".join((header, types, *damage)).split(b"\n")
        told: set[int] = set()
        for number, item in cmr.rows(io.BytesIO(b"\n".join(lines))):
            assert number not in told, f"seed {seed}: line {number} is told of twice"
            told.add(number)
            if isinstance(item, Reject):
                assert item.line == number
                assert item.reason
                assert len(item.raw) <= 65_536
                rejected += 1
            else:
                assert item.ended_at > 0
                assert min(item[8:15]) >= 0
                assert max(item[8:15]) < 2**32
                taken += 1
        for number, line in enumerate(lines[2:], start=3):
            text = line.decode("utf-8", "replace").strip()
            assert number in told or not text, f"seed {seed}: line {number} is not told of"
    assert taken
    assert rejected
