"""Calls whose rows come apart: in files of several processes, in any order, and as a file grows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from syncd.calls.trunks import TrunkRule
from syncd.domain.codes import TrunkRole
from syncd.store.models import Record, Reject, database
from tests.support.bed import START, Bed, make_bed
from tests.support.drivers import driver

OUT = "hq.example|198.51.100.7|0033142688001|033142688001|sip.telco.example"
INVITE = f"INVITE|f1|t1|call-1|200|OK|{START}|2001|{OUT}\n"
BYE = f"BYE|t1|f1|call-1|200|OK|{START + 61}|0142688001|sip.telco.example|192.0.2.9||2001|hq.example\n"
AGAIN = f"INVITE|f1|t1|call-1|200|OK|{START + 30}|2001|{OUT}\n"
OTHER = f"INVITE|f2|t2|call-2|200|OK|{START + 5}|2002|{OUT}\n"
CALL = [("2001", "outgoing", "answered", 61, "0033142688001")]


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    yield made(tmp_path)
    database.close()


def made(folder: Path) -> Bed:
    bed = make_bed(folder)
    bed.person("anna", "2001")
    bed.person("bruno", "2002")
    trunk = TrunkRule("telco", TrunkRole.PSTN, "telco", ("sip.telco.example",))
    bed.change(driver=driver("kamailio", trunks="sip.telco.*"), trunks=(trunk,), quality=None)
    return bed


def seen(bed: Bed) -> list[tuple[object, ...]]:
    return [
        (call["line"], call["direction"], call["outcome"], call["duration"], call["other"])
        for call in bed.calls()
    ]


def check_law(bed: Bed) -> None:
    for file in bed.ledger():
        parts = ("stored", "duplicate", "excluded", "not_billed", "rejected")
        assert file["read"] == sum(file[part] for part in parts), file
    assert sum(file["rejected"] for file in bed.ledger()) == Reject.select().count()


@pytest.mark.parametrize("order", range(6))
def test_halves_in_different_files_find_each_other(tmp_path: Path, order: int) -> None:
    rows = list(permutations((INVITE, BYE, OTHER)))[order]
    bed = made(tmp_path)
    try:
        for number, row in enumerate(rows):
            (bed.folder / f"acc_{number}.log").write_text(row)
            bed.take()
            check_law(bed)
        assert seen(bed) == [(*CALL[0][:4], bed.calls()[0]["other"])]
        assert [(reject.reason, reject.retryable) for reject in Reject.select()] == [
            ("the call has no BYE yet", True)
        ]
        assert [file["read"] for file in bed.ledger()] == [1, 1, 1]
    finally:
        database.close()


def test_halves_of_one_batch_find_each_other(bed: Bed) -> None:
    (bed.folder / "acc_1.log").write_text(INVITE)
    (bed.folder / "acc_2.log").write_text(BYE)
    outcome = bed.take()
    assert [(file.read, file.stored, file.excluded, file.rejected) for file in outcome.files] == [
        (1, 1, 0, 0),
        (1, 0, 1, 0),
    ]
    assert len(seen(bed)) == outcome.calls == 1
    check_law(bed)


def test_a_growing_file_brings_the_end_of_a_call_later(bed: Bed) -> None:
    bed.change(growing=True)
    path = bed.folder / "acc_1.log"
    path.write_text(INVITE + OTHER)
    bed.take()
    assert seen(bed) == []
    with path.open("a") as file:
        file.write(AGAIN + BYE)
    bed.take()
    assert len(seen(bed)) == 1
    assert seen(bed)[0][:4] == CALL[0][:4]
    check_law(bed)
    assert bed.ledger()[0]["read"] == 4


def test_rows_that_come_again_change_nothing(bed: Bed) -> None:
    (bed.folder / "acc_1.log").write_text(INVITE)
    bed.take()
    (bed.folder / "acc_2.log").write_text(BYE)
    bed.take()
    calls, records = bed.calls(), Record.select().count()
    (bed.folder / "acc_3.log").write_text(INVITE + BYE)
    bed.take()
    assert bed.calls() == calls
    assert Record.select().count() == records
    assert bed.ledger()[-1]["duplicate"] == 2
    check_law(bed)


def test_a_row_without_a_year_goes_by_the_age_of_its_file(bed: Bed) -> None:
    """At New Year too; the file may be read long after."""
    dialled = f"{'':6}{'033142688001':26}A T054{'':25}"
    row = f" 12/31 11:58p 00:04:00 2001 {dialled}\n"
    for growing, name in ((False, "smdr-1.txt"), (True, "smdr-2.txt")):
        bed.change(driver=driver("mitel", trunks="T0*"), growing=growing)
        path = bed.folder / name
        path.write_text(row.replace("2001", f"200{1 + growing}"))
        os.utime(path, (1_767_225_900, 1_767_225_900))  # 2026-01-01 00:05 UTC
        bed.take()
    found = {(call["line"], call["other"], call["day"]) for call in bed.calls()}
    assert found == {(line, "+3933142688001", 1_767_221_880) for line in ("2001", "2002")}
