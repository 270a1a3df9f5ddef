"""Rejected rows, tried again or dropped: the law of the ledger holds whatever becomes of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncd.calls.directory_view import rules_of
from syncd.calls.retrying import Retried, retry
from syncd.cdr.drivers.cucm import cucm
from syncd.domain.leg import Reject as RejectedRow
from syncd.store.database import write_transaction
from syncd.store.maintenance import verify
from syncd.store.models import FileHeader, Record, Reject, RejectDrop
from syncd.store.rejects import Chosen, drop, rejects
from syncd.store.rollups import ensure_zone
from tests.support.bed import ROME, START, Bed, make_bed
from tests.support.drivers import driver
from tests.support.phones import leg

DAY = 86_400
LATE = leg(2, 3, 4, "2001", "2002", at=40 * 86_400)
"""It begins in what is the future when it is taken."""


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    made = make_bed(tmp_path)
    made.person("anna", "2001")
    ensure_zone(ROME)
    return made


def again(bed: Bed) -> Retried:
    ids = [row.id for row in rejects(Chosen())]
    with write_transaction():
        done = retry(bed.context, rules_of(bed.context), ids, bed.now)
    assert verify(ROME) == []
    return done


def counters(bed: Bed) -> tuple[int, ...]:
    (file,) = bed.ledger()
    return tuple(file[name] for name in ("read", "stored", "duplicate", "not_billed", "rejected"))


def test_a_row_that_can_be_read_now_becomes_a_call(bed: Bed) -> None:
    bed.ingest(leg(1, 1, 2, "2001", "2002"), LATE)
    assert counters(bed) == (2, 1, 0, 0, 1)
    assert bytes(FileHeader.get().header).startswith(b'"cdrRecordType"')
    assert again(bed) == Retried(taken=0, still=1)
    assert counters(bed) == (2, 1, 0, 0, 1)
    bed.now = START + 41 * 86_400
    assert again(bed) == Retried(taken=1, still=0, records=1, calls=1)
    assert counters(bed) == (2, 2, 0, 0, 0)
    assert not Reject.select().exists()
    assert Record.get(Record.started_at == START + 40 * 86_400).row == 4
    assert len(bed.calls()) == 2


def test_a_row_that_came_otherwise_meanwhile_is_a_duplicate(bed: Bed) -> None:
    bed.ingest(LATE)
    bed.now = START + 41 * 86_400
    bed.drop(LATE, name="again")
    bed.take()
    assert again(bed) == Retried(taken=1, still=0)
    assert bed.ledger()[0] | {"name": ""} == {
        "name": "", "read": 1, "stored": 0, "duplicate": 1, "excluded": 0, "not_billed": 0,
        "rejected": 0, "calls": 0,
    }  # fmt: skip


def test_what_is_still_bad_stays_with_the_new_reason(bed: Bed) -> None:
    path = bed.drop(leg(1, 1, 2, "2001", "2002"))
    path.write_bytes(path.read_bytes() + b"1,2,3\n")
    bed.take()
    assert rejects(Chosen())[0].reason.startswith("3 columns")

    class Stricter:
        def __getattr__(self, name: str) -> object:
            return getattr(cucm, name)

        def rows(self, stream: object, name: str) -> object:
            yield 9, RejectedRow(9, "not today", "1,2,3")

    bed.change(driver=Stricter())
    assert again(bed) == Retried(taken=0, still=1)
    (row,) = rejects(Chosen())
    assert (row.reason, row.line, row.raw) == ("not today", 4, b"1,2,3")


def test_a_row_of_an_excluded_number_is_not_there_to_be_read(bed: Bed) -> None:
    bed.change(excluded_numbers=frozenset({"2002"}))
    bed.ingest(LATE)
    bed.now = START + 41 * 86_400
    assert again(bed).still == 1
    first = rejects(Chosen())[0].reason
    assert again(bed).still == 1
    assert rejects(Chosen())[0].reason == first


def test_a_dropped_row_is_listed_on_request_and_stays_counted(bed: Bed) -> None:
    bed.ingest(LATE)
    (row,) = rejects(Chosen())
    with write_transaction():
        assert drop([row.id], "emil", "a test call", bed.now) == 1
        assert drop([row.id], "emil", "again", bed.now) == 0
    assert rejects(Chosen()) == []
    (dropped,) = rejects(Chosen(dropped=True))
    assert (dropped.dropped_by, dropped.dropped_reason) == ("emil", "a test call")
    assert counters(bed)[-1] == 1
    assert verify(ROME) == []
    assert RejectDrop.select().count() == 1


def test_choosing(bed: Bed) -> None:
    bed.drop(LATE, name="one")
    bed.drop(leg(5, 6, 7, "2001", "2002", at=50 * 86_400), name="two")
    path = bed.drop(leg(1, 1, 2, "2001", "2002"), name="three")
    path.write_bytes(path.read_bytes() + b"1,2,3\n")
    bed.take()
    assert len(rejects(Chosen())) == 3
    assert [row.file for row in rejects(Chosen(file="two"))] == ["two"]
    assert [row.file for row in rejects(Chosen(reason="COLUMNS"))] == ["three"]
    assert len(rejects(Chosen(source="hq"))) == 3
    assert rejects(Chosen(source="branch")) == []


@pytest.mark.parametrize("growing", [False, True])
def test_a_row_without_a_year_is_retried_with_that_of_its_file(bed: Bed, *, growing: bool) -> None:
    bed.change(driver=driver("mitel", trunks="T0*", timezone="UTC"), growing=growing)
    dialled = f"{'':6}{'0612345678':26}A T054{'':25}"
    path = bed.folder / "smdr.txt"
    path.write_text(f" 06/27 11:58p 00:04:00 2001 {dialled}\n")
    os.utime(path, (bed.now, bed.now))
    bed.take()
    assert rejects(Chosen())[0].reason.startswith("the call begins in the future")
    bed.now += DAY
    assert again(bed).taken == 1
    assert Record.get().started_at == 1_782_604_680  # 2026-06-27 23:58 UTC
