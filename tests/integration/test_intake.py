"""Files of a drop folder: which are taken, what becomes of each, and what a crash leaves behind."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from syncd.calls import intake as unit
from syncd.calls.intake import Intake
from syncd.calls.pipeline import Pipeline
from syncd.cdr import spool
from syncd.cdr.drivers.cucm import cucm
from syncd.demo.cucm_writer import write_cucm_file
from syncd.domain.codes import FileState
from syncd.domain.leg import NotCdrError
from syncd.store import call_rows
from syncd.store.models import File, Record, Reject, UnknownNumber, UnknownTrunk, database
from tests.fixtures.worked_examples import EXAMPLES
from tests.support.bed import START, Bed, make_bed
from tests.support.phones import leg

MOBILE = "03331234567"
SAMPLES = Path(__file__).parents[1] / "fixtures" / "cucm15"
COUNTERS = ("stored", "duplicate", "excluded", "not_billed", "rejected")


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = make_bed(tmp_path)
    made.person("anna", "2001", department="Sales")
    made.person("bruno", "2002", department="Sales")
    yield made
    database.close()


def one(call: int = 1, **columns: Any) -> dict[str, Any]:
    return leg(call, call * 2, call * 2 + 1, "2001", MOBILE, at=call, **columns)


def settled(bed: Bed, now: int) -> list[str]:
    """Take what has been still at ``now``, and return the names of what was taken."""
    if bed.intake is None:
        bed.intake = Intake(bed.context)
    outcome = bed.intake.take(now=lambda: now)
    return [file.name for file in outcome.files]


def touched(path: Path, when: int) -> Path:
    os.utime(path, (when, when))
    return path


def in_folder(bed: Bed) -> list[str]:
    return sorted(path.name for path in bed.folder.iterdir())


def archived(bed: Bed) -> list[Path]:
    assert bed.context.archive is not None
    return sorted(path for path in bed.context.archive.rglob("*") if path.is_file())


def in_balance() -> None:
    """Every row of every file is one of five things, and the records and rejects say the same."""
    for file in File.select():
        assert file.read == sum(getattr(file, name) for name in COUNTERS)
        by_outcome = [0, 0, 0]
        for record in Record.select().where(Record.file_id == file.id):
            by_outcome[record.outcome] += 1
        assert [file.stored, file.excluded, file.not_billed] == by_outcome
        assert file.rejected == Reject.select().where(Reject.file == file).count()


# --- which files are taken -----------------------------------------------------------------------


def test_a_file_is_taken_when_it_has_been_still_for_the_settle_time(bed: Bed) -> None:
    name = touched(bed.drop(one()), START).name
    assert settled(bed, START + 9) == []
    assert settled(bed, START + 10) == [name]
    assert in_folder(bed) == []


def test_a_file_that_changes_waits_again(bed: Bed) -> None:
    path = touched(bed.drop(one()), START)
    assert settled(bed, START + 5) == []
    touched(path, START + 8)
    assert settled(bed, START + 12) == []
    assert settled(bed, START + 18) == [path.name]


def test_a_file_from_the_future_is_taken_when_polls_have_seen_it_still(bed: Bed) -> None:
    """The clock of who delivers is an hour fast."""
    path = touched(bed.drop(one()), START + 3600)
    assert settled(bed, START) == []
    assert settled(bed, START + 9) == []
    touched(path, START + 3601)
    assert settled(bed, START + 10) == []
    assert settled(bed, START + 20) == [path.name]


def test_waiting_files_are_counted_with_the_age_of_the_oldest(bed: Bed) -> None:
    touched(bed.drop(one(1)), START - 60)
    touched(bed.drop(one(2)), START - 7)
    touched(bed.drop(one(3)), START - 2)
    outcome = Intake(bed.context).take(now=lambda: START)
    assert (len(outcome.files), outcome.waiting, outcome.oldest_waiting) == (1, 2, 7)


def test_without_settling_everything_is_taken(bed: Bed) -> None:
    touched(bed.drop(one()), START + 3600)
    assert len(bed.take().files) == 1


@pytest.mark.parametrize(
    "name", ["_cdr_1", ".cdr_1", "cdr_1.tmp", "cdr_1.PART", "cdr_1.filepart", "cdr_1.swp", "cdr_1~"]
)
def test_unfinished_uploads_are_left_alone(bed: Bed, name: str) -> None:
    bed.drop(one(), name="whole")
    (bed.folder / "whole").rename(bed.folder / name)
    outcome = bed.take()
    assert (outcome.files, outcome.waiting) == ([], 0)
    assert in_folder(bed) == [name]


def test_only_files_whose_names_fit_are_taken(bed: Bed) -> None:
    bed.change(files="cdr_*")
    bed.drop(one(1), name="cdr_a")
    bed.drop(one(2), name="other")
    assert [file.name for file in bed.take().files] == ["cdr_a"]
    assert in_folder(bed) == ["other"]


def test_only_regular_files_are_taken(bed: Bed, tmp_path: Path) -> None:
    outside = write_cucm_file(tmp_path / "outside", [])
    (bed.folder / "cdr_link").symlink_to(outside)
    (bed.folder / "cdr_gone").symlink_to(tmp_path / "nowhere")
    (bed.folder / "cdr_folder").mkdir()
    os.mkfifo(bed.folder / "cdr_pipe")
    outcome = bed.take()
    assert (outcome.files, outcome.waiting) == ([], 0)
    assert in_folder(bed) == ["cdr_folder", "cdr_gone", "cdr_link", "cdr_pipe"]
    assert outside.exists()


@pytest.mark.parametrize("swap", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_file_that_became_something_else_is_not_read(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, swap: Callable[[Path], None]
) -> None:
    path = bed.drop(one())
    (candidate,) = spool.candidates(bed.folder, "*")
    path.unlink()
    swap(path)
    with pytest.raises(OSError):
        spool.read(candidate)
    monkeypatch.setattr(spool, "candidates", lambda *_, **__: [candidate])
    (file,) = bed.take().files
    assert (file.state, path.exists() or path.is_symlink()) == (FileState.FAILED, True)


def test_files_are_taken_oldest_first(bed: Bed) -> None:
    touched(bed.drop(one(1), name="b"), START)
    touched(bed.drop(one(2), name="c"), START - 5)
    touched(bed.drop(one(3), name="a"), START)
    assert [file.name for file in bed.take().files] == ["c", "a", "b"]


def test_a_file_that_vanishes_is_nothing(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bed.drop(one())
    found = spool.candidates(bed.folder, "*")
    path.unlink()
    monkeypatch.setattr(spool, "candidates", lambda *_, **__: found)
    assert bed.take().files == []
    assert bed.ledger() == []


# --- the archive ---------------------------------------------------------------------------------


def test_a_taken_file_is_archived_whole(bed: Bed) -> None:
    path = bed.drop(one())
    data = path.read_bytes()
    bed.take()
    (kept,) = archived(bed)
    assert gzip.decompress(kept.read_bytes()) == data
    digest = hashlib.sha256(data).hexdigest()
    assert kept.name == f"{path.name}.{digest[:8]}.gz"
    assert kept.parent.relative_to(bed.context.archive or "") == Path("hq/2026/06/27")
    (file,) = File.select()
    assert (file.archive, file.sha256, file.size) == (str(kept), digest, len(data))


def test_two_files_of_one_name_are_both_kept(bed: Bed) -> None:
    for call in (1, 2):
        bed.drop(one(call), name="cdr_same")
        bed.take()
    assert len(archived(bed)) == 2
    assert [file["stored"] for file in bed.ledger()] == [1, 1]


def test_without_an_archive_a_taken_file_is_deleted(bed: Bed, tmp_path: Path) -> None:
    bed.change(archive=None)
    bed.ingest(one())
    assert in_folder(bed) == []
    assert not (tmp_path / "archive").exists()
    assert [file["stored"] for file in bed.ledger()] == [1]


def test_a_file_that_was_replaced_while_it_was_read_is_not_removed(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bed.drop(one(1))
    true_read = spool.read

    def read_and_replace(candidate: spool.Candidate) -> spool.Content:
        content = true_read(candidate)
        new = bed.folder / "_new"
        write_cucm_file(bed.folder / "new", [])
        (bed.folder / "new").rename(new)
        new.rename(candidate.path)
        return content

    with monkeypatch.context() as patch:
        patch.setattr(spool, "read", read_and_replace)
        bed.take()
    assert in_folder(bed) == [path.name]
    assert [row["read"] for row in bed.ledger()] == [1]
    bed.take()
    assert in_folder(bed) == []
    assert [row["read"] for row in bed.ledger()] == [1, 0]


# --- crashes -------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


def killed(*_: object, **__: object) -> Any:
    raise Killed


def state_of(bed: Bed) -> tuple[Any, ...]:
    records = list(Record.select().order_by(Record.id).dicts())
    return bed.calls(), bed.ledger(), records, list(UnknownNumber.select().dicts())


@pytest.mark.parametrize("step", ["keep", "remove"])
def test_killed_between_commit_and_archive(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    bed.drop(one(1), leg(2, 21, 22, "2099", "2001"))
    bed.drop(one(3))
    with monkeypatch.context() as patch:
        patch.setattr(spool, step, killed)
        with pytest.raises(Killed):
            bed.take()
    before = state_of(bed)
    assert len(before[0]) == 3
    assert len(in_folder(bed)) == 2
    bed.intake = None
    outcome = bed.take()
    assert (outcome.files, outcome.records, outcome.calls) == ([], 0, 0)
    assert state_of(bed) == before
    assert (in_folder(bed), len(archived(bed))) == ([], 2)


@pytest.mark.parametrize("step", ["insert_records", "insert_calls"])
def test_killed_within_the_transaction(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    bed.drop(one(1), leg(2, 21, 22, "2099", "2001"))
    with monkeypatch.context() as patch:
        patch.setattr(call_rows, step, killed)
        with pytest.raises(Killed):
            bed.take()
    assert state_of(bed) == ([], [], [], [])
    assert len(in_folder(bed)) == 1
    bed.intake = None
    bed.take()
    assert len(bed.calls()) == 2
    in_balance()


def test_an_archive_that_cannot_be_written_keeps_the_file_and_says_so(
    bed: Bed, tmp_path: Path
) -> None:
    (tmp_path / "archive").write_text("not a folder")
    path = bed.drop(one())
    (file,) = bed.take().files
    assert file.state is FileState.DONE
    assert "not moved to the archive" in file.reason
    before = state_of(bed)
    outcome = bed.take()
    assert [(file.state, bool(file.reason)) for file in outcome.files] == [(FileState.DONE, True)]
    assert state_of(bed) == before
    assert path.exists()
    (tmp_path / "archive").unlink()
    assert bed.take().files == []
    assert state_of(bed) == before
    assert (in_folder(bed), len(archived(bed))) == ([], 1)


def test_an_unfinished_archive_file_is_not_taken_for_a_whole_one(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    bed.drop(one())
    with monkeypatch.context() as patch:
        patch.setattr(spool.os, "fsync", killed)
        with pytest.raises(Killed):
            bed.take()
    assert archived(bed) == []
    bed.take()
    (kept,) = archived(bed)
    assert gzip.decompress(kept.read_bytes())


# --- files that cannot be stored -----------------------------------------------------------------


def test_an_unreadable_file_fails_and_is_taken_when_it_can_be_read(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bed.drop(one(1))
    bed.drop(one(2))
    true_read = spool.read

    def refuse(candidate: spool.Candidate) -> spool.Content:
        if candidate.path == path:
            raise PermissionError(13, "Permission denied")
        return true_read(candidate)

    with monkeypatch.context() as patch:
        patch.setattr(spool, "read", refuse)
        for _ in range(2):
            outcome = bed.take()
            assert outcome.failed
    (known,) = File.select().where(File.state == FileState.FAILED)
    assert (known.name, known.reason) == (path.name, "cannot be read: Permission denied")
    outcome = bed.take()
    assert not outcome.failed
    assert [file.state for file in File.select()] == [FileState.DONE, FileState.DONE]
    assert len(bed.calls()) == 2


def test_a_file_that_is_no_cdr_file_is_set_aside(bed: Bed) -> None:
    path = bed.folder / "cdr_garbage"
    path.write_bytes(b"\0garbage\n")
    bed.drop(one())
    outcome = bed.take()
    assert outcome.failed
    assert {file.name: file.state for file in outcome.files}["cdr_garbage"] is FileState.SET_ASIDE
    (aside,) = (bed.context.set_aside / "hq").iterdir()
    assert gzip.decompress(aside.read_bytes()) == b"\0garbage\n"
    (known,) = File.select().where(File.state == FileState.SET_ASIDE)
    assert known.archive == str(aside)
    assert "no cdrRecordType" in known.reason
    assert (in_folder(bed), len(bed.calls())) == ([], 1)


def test_a_file_set_aside_can_be_tried_again(bed: Bed) -> None:
    """Another driver, or another version of it, may well read it."""

    class Strict:
        name, partitions = "strict", False
        wants = staticmethod(cucm.wants)

        def rows(self, stream: BinaryIO, name: str) -> Any:
            raise NotCdrError("I read nothing")

    path = bed.drop(one())
    data = path.read_bytes()
    bed.change(driver=Strict())
    for _ in range(2):
        path.write_bytes(data)
        assert bed.take().failed
    assert [file.state for file in File.select()] == [FileState.SET_ASIDE]
    bed.change(driver=cucm)
    path.write_bytes(data)
    assert not bed.take().failed
    (file,) = File.select()
    assert (file.state, file.reason, file.stored) == (FileState.DONE, "", 1)
    in_balance()


def test_call_quality_files_are_kept_and_not_read_where_they_are_not_wanted(bed: Bed) -> None:
    bed.change(quality=None)
    name = "cmr_StandAloneCluster_01_202604021200_1"
    (bed.folder / name).write_bytes((SAMPLES / name).read_bytes())
    outcome = bed.take()
    assert not outcome.failed
    (file,) = outcome.files
    assert (file.state, file.read) == (FileState.IGNORED, 0)
    (kept,) = archived(bed)
    assert gzip.decompress(kept.read_bytes()) == (SAMPLES / name).read_bytes()


def test_a_real_file(bed: Bed) -> None:
    name = "cdr_StandAloneCluster_01_202604021200_1"
    (bed.folder / name).write_bytes((SAMPLES / name).read_bytes())
    bed.person("robin", "5035550193")
    bed.take()
    (file,) = bed.ledger()
    assert (file["read"], file["excluded"], file["stored"]) == (3, 2, 1)
    assert bed.rows("person", "side", "direction", "duration") == [
        ("robin", "called", "internal", 11)
    ]
    in_balance()


def test_an_empty_folder_is_nothing(bed: Bed) -> None:
    outcome = bed.take()
    assert (outcome.files, outcome.waiting, outcome.oldest_waiting) == ([], 0, None)


# --- batches -------------------------------------------------------------------------------------


def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that fills with the number of files of each transaction."""
    taken: list[int] = []
    true_take = Pipeline.take

    def counted(self: Pipeline, files: Any) -> Any:
        files = list(files)
        taken.append(len(files))
        return true_take(self, files)

    monkeypatch.setattr(Pipeline, "take", counted)
    return taken


def test_many_small_files_are_one_transaction(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = batches(monkeypatch)
    for call in range(1, 31):
        bed.drop(one(call))
    assert len(bed.take().files) == 30
    assert taken == [30]


def test_a_transaction_holds_whole_files(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = batches(monkeypatch)
    monkeypatch.setattr(unit, "BATCH_ROWS", 5)
    for file in range(5):
        bed.drop(*(one(file * 3 + call) for call in range(1, 4)))
    bed.take()
    assert taken == [2, 2, 1]
    assert [row["stored"] for row in bed.ledger()] == [3] * 5


def test_stopping_between_transactions_leaves_the_rest_for_the_next_run(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit, "BATCH_ROWS", 1)
    for call in (1, 2, 3):
        bed.drop(one(call))
    told: list[str] = []
    outcome = Intake(bed.context).take(
        now=lambda: bed.now,
        settle=False,
        stop=lambda: True,
        progress=lambda file: told.append(file.name),
    )
    assert told == [file.name for file in outcome.files]
    assert (len(told), len(in_folder(bed)), len(bed.calls())) == (1, 2, 1)
    bed.take()
    assert (in_folder(bed), len(bed.calls())) == ([], 3)


# --- nothing lost, nothing twice -----------------------------------------------------------------


def test_a_mixed_folder_is_accounted_for(bed: Bed) -> None:
    everything = [columns for rows in EXAMPLES.values() for columns in rows]
    for start in range(0, len(everything), 7):
        bed.drop(*everything[start : start + 7])
    bed.drop(*everything[:9], name="again")
    broken = bed.drop(*everything[20:25], name="broken")
    broken.write_bytes(broken.read_bytes()[:-300] + b"\nnot,a,row\n")
    (bed.folder / "cdr_garbage").write_text("hello\n")
    (bed.folder / "cmr_1").write_text("hello\n")
    bed.now = 1_788_253_200 + 86_400
    outcome = bed.take()
    in_balance()
    totals = {name: sum(row[name] for row in bed.ledger()) for name in ("read", *COUNTERS, "calls")}
    assert totals["read"] == len(everything) + 9 + 6
    assert (totals["duplicate"], totals["rejected"]) == (9 + 4, 2)
    assert totals["excluded"] == 3
    assert totals["calls"] == len(bed.calls()) == outcome.calls
    assert outcome.records == Record.select().count() == len(everything)
    states = {row.name: FileState(row.state) for row in File.select()}
    assert {states["cdr_garbage"], states["cmr_1"]} == {FileState.SET_ASIDE}


def test_a_row_twice_in_one_file(bed: Bed) -> None:
    bed.ingest(one(1), one(1), one(2))
    (file,) = bed.ledger()
    assert (file["read"], file["stored"], file["duplicate"]) == (3, 2, 1)


def test_a_file_under_another_name(bed: Bed) -> None:
    bed.ingest(one(1), one(2))
    before = bed.calls()
    bed.ingest(one(1), one(2))
    assert bed.calls() == before
    assert [(row["stored"], row["duplicate"]) for row in bed.ledger()] == [(2, 0), (0, 2)]


def test_the_same_file_again_is_not_even_read(bed: Bed) -> None:
    bed.drop(one(1), name="cdr_same")
    bed.take()
    before = state_of(bed)
    bed.drop(one(1), name="cdr_same")
    assert bed.take().files == []
    assert state_of(bed) == before
    assert in_folder(bed) == []


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "one batch each"])
def test_joined_and_split_files(bed: Bed, together: bool) -> None:
    rows = [columns for example in EXAMPLES.values() for columns in example]
    bed.now = 1_788_253_200 + 86_400
    bed.ingest(*rows)
    before = bed.calls()
    counted = list(UnknownNumber.select().dicts()), list(UnknownTrunk.select().dicts())
    for start in range(0, len(rows), 5):
        bed.drop(*rows[start : start + 5])
        if not together:
            bed.take()
    bed.drop(*rows[::2], *rows[1::2])
    bed.take()
    assert bed.calls() == before
    assert (list(UnknownNumber.select().dicts()), list(UnknownTrunk.select().dicts())) == counted
    for row in bed.ledger()[1:]:
        assert row["read"] == row["duplicate"]


def test_folders_of_one_pbx_share_its_identity(bed: Bed) -> None:
    bed.ingest(one(1))
    bed.change(source="second")
    bed.ingest(one(1))
    bed.change(source="third", pbx="another")
    bed.ingest(one(1))
    assert [(row["stored"], row["duplicate"]) for row in bed.ledger()] == [(1, 0), (0, 1), (1, 0)]


def test_a_conflict_names_the_row_that_came_first(bed: Bed) -> None:
    bed.drop(one(1), one(2), name="first")
    bed.take()
    bed.ingest(one(2, destCause_value=31))
    (reject,) = Reject.select()
    assert "conflict" in reject.reason
    assert "row 4 of first" in reject.reason
    assert not reject.retryable
    in_balance()


def test_a_conflict_within_one_batch(bed: Bed) -> None:
    bed.drop(one(1), one(1, destCause_value=31))
    bed.take()
    (file,) = bed.ledger()
    assert (file["stored"], file["rejected"]) == (1, 1)
    in_balance()


@pytest.mark.parametrize(("ahead", "state"), [(3600, "stored"), (3601, "rejected")])
def test_records_from_the_future_can_be_retried(bed: Bed, ahead: int, state: str) -> None:
    bed.now = START
    bed.ingest(leg(1, 101, 102, "2001", MOBILE, at=ahead))
    (file,) = bed.ledger()
    assert file[state] == 1
    rejects = list(Reject.select())
    assert [reject.retryable for reject in rejects] == [True] * (state == "rejected")
    if rejects:
        bed.now = START + ahead
        bed.ingest(leg(1, 101, 102, "2001", MOBILE, at=ahead))
        assert bed.ledger()[1]["stored"] == 1
    in_balance()


def test_unknown_numbers_and_trunks_are_counted_once_a_record(bed: Bed) -> None:
    trunk = {"destDeviceName": "SIP-NEW", "OutgoingProtocolID": 1}
    rows = [
        leg(1, 101, 102, "2098", "2001", at=30),
        leg(2, 103, 104, "2098", MOBILE, at=10),
        leg(3, 105, 106, "2001", MOBILE, at=50, **trunk),
        leg(4, 107, 108, "2001", MOBILE, at=40, **trunk),
    ]
    bed.ingest(*rows[:2])
    bed.ingest(*rows)
    bed.ingest(*reversed(rows))
    (number,) = UnknownNumber.select().dicts()
    assert number == {
        "site": "hq",
        "partition": "",
        "number": "2098",
        "first_seen": START + 10,
        "last_seen": START + 30,
        "records": 2,
    }
    (found,) = UnknownTrunk.select().dicts()
    assert (found["device"], found["first_seen"], found["last_seen"], found["records"]) == (
        "SIP-NEW",
        START + 40,
        START + 50,
        2,
    )


def test_unknown_numbers_of_a_conversation_that_opens_again_are_counted_once(bed: Bed) -> None:
    rows = EXAMPLES["chain of five"]
    bed.now = 1_788_253_200 + 86_400
    bed.change(hold=86_400)
    for columns in reversed(rows):
        bed.ingest(columns)
    counted = {row.number: row.records for row in UnknownNumber.select()}
    assert counted == {"2003": 3, "2309": 2}
    in_balance()


def test_a_file_that_brings_a_defect_to_light_holds_up_no_other(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    from syncd.calls import batch

    real = batch.analyse

    def defect(records: Any, rules: Any) -> Any:
        if any(rec.leg.final_number == "2003" for rec in records):
            raise ZeroDivisionError("nobody thought of that")
        return real(records, rules)

    for number, called in enumerate(("2002", "2003", "2002"), start=1):
        bed.drop(leg(number, number * 2 + 99, number * 2 + 100, "2001", called))
    with monkeypatch.context() as patch:
        patch.setattr(batch, "analyse", defect)
        outcome = bed.take()
    assert [file.state for file in outcome.files].count(FileState.DONE) == 2
    [failed] = [file for file in outcome.files if file.state is FileState.FAILED]
    assert "nobody thought of that" in failed.reason
    assert outcome.failed
    assert len(bed.calls()) == 4
    assert len(list(bed.folder.iterdir())) == 1
    # Mended, it is taken, and nothing of the failure is left.
    bed.take()
    assert len(bed.calls()) == 5
    assert {FileState(file.state) for file in File.select()} == {FileState.DONE}
    assert list(bed.folder.iterdir()) == []
