"""Taken files are read and decided again: what was mended changes, and nothing else."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from syncd.billing.tariff import load_carrier
from syncd.calls import reprocessing
from syncd.calls.changes import Changes
from syncd.calls.reprocessing import Run, Wanted
from syncd.calls.trunk_counting import count_trunks
from syncd.calls.trunks import Endpoints
from syncd.cdr.drivers.cucm import cucm, cucm_partition
from syncd.demo.cmr_writer import quality_rows
from syncd.demo.cucm_writer import write_quality_file
from syncd.domain.codes import FileState
from syncd.domain.rate import Rounding
from syncd.settings.model import TariffFile
from syncd.store.database import write_transaction
from syncd.store.maintenance import verify
from syncd.store.models import (
    MODELS,
    AcquiredLine,
    Call,
    CallQuality,
    DirtyQuarter,
    File,
    MaintenanceRun,
    Record,
    Reject,
    UnknownNumber,
)
from syncd.store.reprocessing import last_file
from syncd.store.rollups import ensure_zone, rebuild
from tests.support.bed import COLUMNS, ROME, START, Bed, make_bed
from tests.support.drivers import driver
from tests.support.phones import SPLIT, leg, transferred

DAY = 86_400
ROWS = (
    leg(1, 1, 2, "2001", "0612345678", talk=120),
    leg(2, 3, 4, "2001", "2002", at=100),
    leg(3, 5, 6, "0698765432", "2003", at=200),
    leg(4, 7, 8, "2001", "00331234567", at=300, talk=120, **SPLIT),
    leg(5, 9, 10, "2001", "2002", at=350, talk=10, **SPLIT),
    leg(4, 8, 10, "00331234567", "2002", at=420, ring=0, talk=360, **transferred("2001")),
    leg(6, 11, 12, "2001", "2999", at=500, talk=None),
)


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    made = make_bed(tmp_path)
    made.person("anna", "2001", department="Sales")
    made.person("bruno", "2002", department="Support")
    ensure_zone(ROME)
    return made


@contextlib.contextmanager
def unlocked(pbx: str) -> Iterator[None]:
    yield


def reprocess(bed: Bed, *, dry_run: bool = False, stop_after: int = 0) -> Changes:
    """Reprocess all there is, or look what it would do, or stop after some steps."""
    wanted = Wanted(bed.context.source, START - DAY, START + DAY, last_file())
    run_id = None
    if not dry_run:
        with write_transaction():
            (run_id,) = reprocessing.unfinished() or reprocessing.start([wanted], bed.now)
    run = Run(wanted, bed.context, now=bed.now, lock=unlocked, run_id=run_id)
    steps = 0
    while not run.finished and not (stop_after and steps >= stop_after):
        run.step()
        steps += 1
    if not stop_after:
        assert verify(ROME) == []
    return run.done


def dump(*without: type[Any]) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables, apart from those that remember runs."""
    return {
        model._meta.table_name: sorted(model.select().tuples(), key=repr)
        for model in MODELS
        if model not in (MaintenanceRun, DirtyQuarter, *without)
    }


def settled(bed: Bed) -> dict[str, list[tuple[Any, ...]]]:
    rebuild(ROME, bed.now, 1000)
    while count_trunks(lambda source, pbx: Endpoints(bed.context.trunks)):
        pass
    return dump()


def departments(changes: Changes) -> dict[str, tuple[int, int, int, int]]:
    return {
        name: (one.calls_before, one.calls_after, one.cost_before, one.cost_after)
        for name, one in changes.departments.items()
    }


def test_nothing_changes_where_nothing_changed(bed: Bed) -> None:
    bed.drop(*ROWS[:3])
    bed.ingest(*ROWS[3:])
    bed.drop(*ROWS[:2], leg(9, 17, 18, "2002", "2001", at=900))
    last = bed.folder / f"cdr_StandAloneCluster_01_202605282027_{bed.files}"
    last.write_bytes(last.read_bytes() + b"not,a,row\n")
    bed.take()
    before = settled(bed)
    changes = reprocess(bed)
    assert (changes.files, changes.stored, changes.records, changes.rows) == (3, 0, 0, 0)
    assert changes.departments == {}
    assert dump() == before
    assert settled(bed) == before


def test_a_tariff_that_was_mended(bed: Bed, tmp_path: Path) -> None:
    bed.ingest(*ROWS)
    before = dump()
    cost = sum(call.cost or 0 for call in Call.select())
    deck = tmp_path / "dearer.csv"
    deck.write_text(
        f"{COLUMNS}\n39,Italy,national,1,0,60,60,60,0\n33,France,international,0,1,60,60,60,0\n"
    )
    telco = load_carrier(
        "telco", [TariffFile("2026", deck, date(2026, 1, 1), None)], Rounding("half-up", 4), ROME
    )
    bed.change(carriers={"telco": telco})
    seen = reprocess(bed, dry_run=True)
    assert dump() == before
    sales = departments(seen)["sales"]
    # Two calls of the whole country, now 1.00 each however long they are.
    assert sales[2:] == (cost, 2_000_000)
    assert sales[0] == sales[1]
    assert set(departments(seen)) == {"sales"}
    done = reprocess(bed)
    assert departments(done) == departments(seen)
    assert sum(call.cost or 0 for call in Call.select()) == 2_000_000
    assert reprocess(bed).rows == 0


def test_ids_survive_and_the_result_is_that_of_a_fresh_start(bed: Bed, tmp_path: Path) -> None:
    bed.ingest(*ROWS)
    ids = {call.id for call in Call.select()}
    bed.person("carla", "2003")
    bed.person("dora", "2999")
    assert UnknownNumber.select().exists()
    reprocess(bed)
    assert ids < {call.id for call in Call.select()}
    assert not UnknownNumber.select().exists()
    rows = bed.calls()
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    other = make_bed(fresh)
    for name, number in (("anna", "2001"), ("bruno", "2002"), ("carla", "2003"), ("dora", "2999")):
        other.person(name, number, department={"anna": "Sales", "bruno": "Support"}.get(name, ""))
    other.ingest(*ROWS)
    assert other.calls() == rows


def test_records_that_the_configuration_left_out(bed: Bed) -> None:
    bed.change(import_internal=False)
    bed.ingest(*ROWS)
    assert bed.ledger()[0]["excluded"] == 3
    calls = len(bed.calls())
    bed.change(import_internal=True)
    assert bed.context.archive is not None
    for path in bed.context.archive.rglob("*.gz"):
        path.unlink()
    changes = reprocess(bed)
    assert (changes.files, changes.stored) == (0, 1)
    assert bed.ledger()[0]["excluded"] == 0
    assert len(bed.calls()) > calls


def test_numbers_that_are_excluded_no_more_and_now(bed: Bed) -> None:
    bed.change(excluded_numbers=frozenset({"2002"}))
    bed.ingest(*ROWS)
    assert bed.ledger()[0]["excluded"] == 3
    assert Record.select().where(Record.final_number == "2002").count() == 0
    bed.change(excluded_numbers=frozenset())
    changes = reprocess(bed)
    assert changes.records >= 3
    assert bed.ledger()[0]["excluded"] == 0
    assert Record.select().where(Record.final_number == "2002").count() == 3
    bed.change(excluded_numbers=frozenset({"2002"}))
    reprocess(bed)
    assert bed.ledger()[0]["excluded"] == 3
    assert Record.select().where(Record.final_number == "2002").count() == 0


def test_measurements_follow_the_numbers_that_are_excluded(bed: Bed) -> None:
    call = ROWS[1]
    mine, theirs = quality_rows([call])
    bed.change(excluded_numbers=frozenset({"2002"}))
    bed.ingest(call)
    write_quality_file(bed.folder / "cmr_first", [mine])
    bed.take()
    bed.change(excluded_numbers=frozenset())
    reprocess(bed)
    write_quality_file(bed.folder / "cmr_second", [theirs])
    bed.take()
    # What was not kept cannot come back.
    assert [one.device for one in CallQuality.select()] == ["", call["destDeviceName"]]
    bed.change(excluded_numbers=frozenset({"2002"}))
    reprocess(bed)
    assert [one.device for one in CallQuality.select()] == ["", ""]
    assert [(file.stored, file.excluded) for file in File.select()] == [(0, 1)] * 3
    assert verify(ROME) == []


def test_another_driver_reads_the_rows_anew(bed: Bed) -> None:
    bed.ingest(
        *ROWS, leg(7, 13, 14, "2001", "2002", at=600, finalCalledPartyNumberPartition="PT-A")
    )
    bed.drop(leg(8, 15, 16, "2001", "2002", at=700), name="half")
    path = bed.folder / "half"
    path.write_bytes(path.read_bytes() + path.read_bytes().splitlines()[-1][:40] + b"\n")
    bed.take()
    assert Reject.select().count() == 1
    before = dump()
    bed.change(driver=_Later(cucm_partition, 3600))
    changes = reprocess(bed)
    assert changes.records == 2 * (len(ROWS) + 2)  # those that are gone, and the new ones
    assert min(record.started_at for record in Record.select()) == START + 3600
    assert Reject.select().count() == 1
    bed.change(driver=cucm)
    reprocess(bed)
    after = dump()
    for table in ("reject", "file"):
        assert after[table] == before[table]
    assert len(after["call"]) == len(before["call"])


class _Later:
    """A driver as if an option shifted the times."""

    def __init__(self, driver: Any, seconds: int) -> None:
        self._driver = driver
        self._seconds = seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def rows(self, stream: Any, name: str) -> Iterator[Any]:
        for line, item in self._driver.rows(stream, name):
            if hasattr(item, "started_at"):
                item = item._replace(
                    started_at=item.started_at + self._seconds,
                    ended_at=item.ended_at + self._seconds,
                )
            yield line, item


def test_acquisition_says_how_many_slots_it_would_take(bed: Bed) -> None:
    bed.ingest(*ROWS)
    bed.change(acquisition=True)
    before = dump()
    seen = reprocess(bed, dry_run=True)
    assert {number for _, _, number in seen.acquired} == {"2003", "2999"}
    assert dump() == before
    reprocess(bed)
    assert "2003" in {row["line"] for row in bed.calls()}


def test_an_interrupted_run_goes_on(bed: Bed) -> None:
    for row in ROWS:
        bed.ingest(row)
    bed.person("carla", "2003")
    bed.person("dora", "2999")
    reprocess(bed, stop_after=3)
    assert reprocessing.unfinished()
    done = reprocess(bed)
    assert done.files == File.select().count() - 3
    assert reprocessing.unfinished() == []
    assert reprocess(bed).rows == 0


def test_what_was_shown_stays_shown(bed: Bed) -> None:
    bed.change(acquisition=True)
    bed.ingest(*ROWS)
    shown = bed.calls()
    assert "2003" in {row["line"] for row in shown}
    bed.change(slots=2)
    bed.now += 60
    reprocess(bed)
    assert bed.calls() == shown


def test_a_trunk_that_was_forgotten(bed: Bed) -> None:
    rules = bed.context.trunks
    bed.change(trunks=tuple(rule for rule in rules if rule.name != "pstn"))
    bed.ingest(*ROWS)
    wrong = settled(bed)
    bed.change(trunks=rules)
    changes = reprocess(bed)
    assert departments(changes)["sales"][2:] == (0, 3_200_000)
    right = settled(bed)
    assert right["trunk_counter"] != wrong["trunk_counter"]
    assert right["unknown_trunk"] == []


def test_a_preview_counts_a_conversation_of_several_files_once(bed: Bed) -> None:
    rules = bed.context.trunks
    bed.change(trunks=tuple(rule for rule in rules if rule.name != "pstn"))
    for row in ROWS:
        bed.ingest(row)
    bed.change(trunks=rules)
    seen = reprocess(bed, dry_run=True)
    done = reprocess(bed)
    assert departments(seen) == departments(done)
    assert (seen.rows, seen.records) == (done.rows, done.records)


def test_files_that_grow_have_their_records_decided(bed: Bed) -> None:
    bed.ingest(*ROWS)
    File.update(state=int(FileState.GROWING), archive="").execute()
    bed.person("carla", "2003")
    changes = reprocess(bed)
    assert (changes.files, changes.stored) == (0, 1)
    assert "carla" in {row["person"] for row in bed.calls()}


@pytest.mark.parametrize("large", [False, True], ids=["in hand", "in pieces"])
def test_dates_without_a_year_stay_those_of_the_file(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, *, large: bool
) -> None:
    """It was delivered half a year before it is read, and read again as late as that."""
    if large:
        monkeypatch.setattr("syncd.cdr.spool.IN_HAND", 1)
    bed.change(driver=driver("mitel", trunks="T0*"))
    dialled = f"{'':6}{'0612345678':26}A T054{'':25}"
    path = bed.folder / "smdr.txt"
    path.write_text(f" 11/30 11:58p 00:04:00 2001 {dialled}\n")
    os.utime(path, (START - 150 * DAY, START - 150 * DAY))
    bed.take()
    before = bed.calls()
    assert [call["duration"] for call in before] == [240]
    wanted = Wanted(bed.context.source, START - 300 * DAY, START, last_file())
    with write_transaction():
        (run_id,) = reprocessing.start([wanted], bed.now)
    run = Run(wanted, bed.context, now=bed.now, lock=unlocked, run_id=run_id)
    while not run.finished:
        run.step()
    assert (run.done.files, run.done.records, run.done.rows) == (1, 0, 0)
    assert bed.calls() == before


def test_a_line_that_another_file_shows_to_be_a_hunt_number_takes_no_slot(bed: Bed) -> None:
    bed.ingest(leg(1, 1, 2, "0612345678", "2004"), leg(2, 3, 4, "0612345678", "2005", at=10))
    hunted = leg(
        3, 5, 6, "0612345678", "2005", at=20,
        lastRedirectDn="6100", originalCalledPartyNumber="6100",
        huntPilotDN="6100", calledPartyPatternUsage=7,
    )  # fmt: skip
    bed.ingest(hunted)
    bed.change(acquisition=True, slots=5)
    seen = reprocess(bed, dry_run=True)
    assert {number for _, _, number in seen.acquired} == {"2004"}
    reprocess(bed)
    assert {line.line.number for line in AcquiredLine.select() if not line.hunt} == {"2004"}
