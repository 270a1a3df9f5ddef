"""Files that grow: rows once, whole rows alone, and whatever rotation does with the file."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.calls import growing, pieces
from syncd.calls.intake import Intake
from syncd.cdr import parts as cdr_parts
from syncd.cdr.lines import LONGEST
from syncd.domain.codes import FileState
from syncd.store.models import File, GrowingFile, Record, Reject, database
from tests.support.bed import ROME, START, Bed, make_bed
from tests.support.drivers import driver

COUNTERS = ("stored", "duplicate", "excluded", "not_billed", "rejected")


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = make_bed(tmp_path)
    made.change(driver=driver("asterisk"), growing=True, files="Master.csv")
    made.person("anna", "301", department="Sales")
    yield made
    database.close()


def row(number: int) -> str:
    at = f"2026-05-28 22:{number // 60 % 60:02}:{number % 60:02}"
    return (
        f'"","301","06123{number:05}","from-internal","""Anna"" <301>","PJSIP/301-0000001a",'
        f'"PJSIP/telco-0000001b","Dial","","{at}","{at}","2026-05-28 23:30:00",65,60,"ANSWERED",'
        f'"DOCUMENTATION","1780000000.{number}","","","1780000000.{number}",{number}\n'
    )


def rows(first: int, last: int) -> str:
    return "".join(row(number) for number in range(first, last + 1))


def master(bed: Bed) -> Path:
    return bed.folder / "Master.csv"


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", newline="") as stream:
        stream.write(text)


def keys() -> list[int]:
    """Return the numbers of the rows that are stored."""
    return sorted(int(record.final_number[5:]) for record in Record.select())


def in_balance() -> None:
    for file in File.select():
        assert file.read == sum(getattr(file, name) for name in COUNTERS)
        by_outcome = [0, 0, 0]
        for record in Record.select().where(Record.file_id == file.id):
            by_outcome[record.outcome] += 1
        assert [file.stored, file.excluded, file.not_billed] == by_outcome
        assert file.rejected == Reject.select().where(Reject.file == file).count()


def sums() -> dict[str, int]:
    return {
        name: sum(getattr(file, name) for file in File.select()) for name in ("read", *COUNTERS)
    }


def test_what_is_new_is_read_and_the_file_stays(bed: Bed) -> None:
    append(master(bed), rows(1, 3))
    (first,) = bed.take().files
    assert (first.state, first.read, first.calls) == (FileState.GROWING, 3, 3)
    append(master(bed), rows(4, 5))
    (second,) = bed.take().files
    assert second.read == 2
    assert keys() == [1, 2, 3, 4, 5]
    (file,) = File.select()
    size = master(bed).stat().st_size
    assert (FileState(file.state), file.read, file.stored, file.size) == (
        FileState.GROWING,
        5,
        5,
        size,
    )
    (tail,) = GrowingFile.select()
    assert (tail.position, tail.lines, tail.size) == (size, 5, size)
    assert not (bed.context.archive or Path()).exists()


def test_an_unchanged_file_is_not_opened(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    append(master(bed), rows(1, 2))
    bed.take()
    monkeypatch.setattr(growing, "Handle", None)
    bed.intake = None
    assert bed.take().files == []


def test_a_line_without_its_line_feed_waits(bed: Bed) -> None:
    text = row(2)
    append(master(bed), row(1) + text[:40])
    bed.take()
    assert keys() == [1]
    assert bed.take().files == []
    append(master(bed), text[40:-1])
    assert bed.take().files == []
    append(master(bed), "\n" + row(3))
    assert bed.take().files[0].read == 2
    assert keys() == [1, 2, 3]
    assert sums()["rejected"] == 0


def test_a_file_without_a_whole_line_is_nothing_yet(bed: Bed) -> None:
    master(bed).touch()
    assert bed.take().files == []
    append(master(bed), row(1)[:30])
    assert bed.take().files == []
    assert bed.ledger() == []


def test_line_numbers_are_those_of_the_file(bed: Bed) -> None:
    append(master(bed), row(1) + "\n" + row(2))
    bed.take()
    append(master(bed), row(3) + "bad\n" + row(2).replace("ANSWERED", "BUSY"))
    bed.take()
    found = {reject.line: (reject.reason, bytes(reject.raw)) for reject in Reject.select()}
    assert sorted(found) == [5, 6]
    assert found[5][1] == b"bad"
    assert "conflict" in found[6][0]
    assert "row 3 of Master.csv" in found[6][0]
    assert found[6][1].decode() == row(2).replace("ANSWERED", "BUSY").rstrip("\n")
    in_balance()


def test_after_a_rename_the_rest_of_the_old_file_is_read_first(bed: Bed) -> None:
    append(master(bed), rows(1, 3))
    bed.take()
    append(master(bed), rows(4, 5))
    master(bed).rename(bed.folder / "Master.csv.1")
    append(master(bed), rows(6, 6))
    assert [(file.name, file.read) for file in bed.take().files] == [
        ("Master.csv.1", 2),
        ("Master.csv", 1),
    ]
    assert keys() == [1, 2, 3, 4, 5, 6]
    assert sums()["duplicate"] == 0
    append(bed.folder / "Master.csv.1", row(7))
    bed.take()
    assert keys() == list(range(1, 8))
    assert [file["read"] for file in bed.ledger()] == [6, 1]


def test_two_rotations_between_two_polls_lose_nothing(bed: Bed) -> None:
    append(master(bed), rows(1, 3))
    bed.take()
    append(master(bed), row(4))
    master(bed).rename(bed.folder / "Master.csv-20260527")
    append(master(bed), row(5))
    master(bed).rename(bed.folder / "Master.csv-20260528")
    append(master(bed), row(6))
    bed.take()
    assert keys() == [1, 2, 3, 4, 5, 6]
    assert sums()["duplicate"] == 0


@pytest.mark.parametrize("more", ["", rows(6, 6), rows(6, 60)], ids=["empty", "shorter", "longer"])
def test_copied_and_emptied(bed: Bed, more: str) -> None:
    append(master(bed), rows(1, 3))
    bed.take()
    append(master(bed), rows(4, 5))
    shutil.copyfile(master(bed), bed.folder / "Master.csv.1")
    with master(bed).open("r+b") as stream:
        stream.truncate(0)
    append(master(bed), more)
    bed.take()
    assert keys() == list(range(1, 6 + more.count("\n")))
    assert sums()["duplicate"] == 0
    in_balance()


def test_copied_and_not_emptied_yet(bed: Bed) -> None:
    """The copy is read first, and further than the file itself was."""
    append(master(bed), rows(1, 3))
    bed.take()
    append(master(bed), rows(4, 50))
    shutil.copyfile(master(bed), bed.folder / "Master.csv.1")
    append(master(bed), row(51))
    bed.take()
    assert keys() == list(range(1, 52))
    with master(bed).open("r+b") as stream:
        stream.truncate(0)
    append(master(bed), row(52))
    bed.take()
    assert keys() == list(range(1, 53))
    assert (sums()["read"], sums()["duplicate"]) == (52, 0)
    in_balance()


def test_machines_that_share_a_folder_go_on_where_the_other_was(bed: Bed, tmp_path: Path) -> None:
    """Each of them sees it under other numbers of device and inode."""
    here, there = bed.folder, tmp_path / "mounted elsewhere"
    last = 0
    for more in (30, 25, 1, 40, 3):
        append(master(bed), rows(last + 1, last + more))
        last += more
        # Another inode with the same content is what another machine sees of it.
        shutil.copytree(here, there, dirs_exist_ok=True)
        bed.change(folder=there if bed.context.folder == here else here)
        (told,) = bed.take().files
        assert told.read == more
    assert keys() == list(range(1, last + 1))
    assert (sums()["read"], sums()["duplicate"]) == (last, 0)
    assert File.select().count() == 1
    in_balance()


@pytest.mark.parametrize("known", [0, 20], ids=["first", "later"])
@pytest.mark.parametrize("again", [0, 5, 60], ids=["empty", "shorter", "longer"])
@pytest.mark.parametrize("moment", ["read", "taken for whole"])
def test_emptied_while_it_is_read(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, known: int, again: int, moment: str
) -> None:
    """Wherever that happens, the copy is not read twice and what follows is read."""
    append(master(bed), rows(1, known))
    bed.take()
    append(master(bed), rows(known + 1, 40))

    def rotate() -> None:
        if not (bed.folder / "Master.csv.1").exists():
            shutil.copyfile(master(bed), bed.folder / "Master.csv.1")
            with master(bed).open("r+b") as stream:
                stream.truncate(0)
            append(master(bed), rows(41, 40 + again))

    def cut(*arguments: Any, **options: Any) -> Any:
        for part in cdr_parts.parts(*arguments, **options):
            rotate()
            yield part

    real = growing.Handle.shorter_than

    def cut_later(handle: Any, size: int) -> bool:
        found = real(handle, size)
        rotate()
        return found

    with monkeypatch.context() as patch:
        if moment == "read":
            patch.setattr(growing, "parts", cut)
        else:
            patch.setattr(growing.Handle, "shorter_than", cut_later)
        bed.take()
    bed.take()
    append(master(bed), rows(41 + again, 45 + again))
    bed.take()
    assert keys() == list(range(1, 46 + again))
    assert (sums()["read"], sums()["duplicate"]) == (45 + again, 0)
    in_balance()


def test_cut_and_filled_again_is_read_from_its_beginning(bed: Bed) -> None:
    append(master(bed), rows(1, 3))
    bed.take()
    master(bed).write_text(rows(11, 30))
    bed.take()
    assert keys() == [1, 2, 3, *range(11, 31)]
    assert [file["read"] for file in bed.ledger()] == [3, 20]


def test_the_same_beginning_with_another_end_is_noticed(bed: Bed) -> None:
    append(master(bed), rows(1, 60))
    bed.take()
    assert GrowingFile.get().head_size == 4096 < GrowingFile.get().position
    master(bed).write_text(rows(1, 40) + rows(101, 160))
    bed.take()
    assert keys() == [*range(1, 61), *range(101, 161)]
    assert sums()["duplicate"] == 40
    in_balance()


def test_an_inode_that_is_used_again(bed: Bed) -> None:
    append(master(bed), rows(1, 3))
    bed.take()
    master(bed).unlink()
    append(master(bed), rows(4, 9))
    GrowingFile.update(inode=master(bed).stat().st_ino).execute()
    bed.take()
    assert keys() == list(range(1, 10))


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
@pytest.mark.parametrize("unread", [0, 2])
def test_a_rotated_file_that_was_compressed_is_not_read_twice(
    bed: Bed, pack: Any, unread: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(master(bed), rows(1, 40))
    bed.take()
    data = master(bed).read_bytes() + rows(41, 40 + unread).encode()
    master(bed).unlink()
    name = "Master.csv.1.gz" if pack is gzip.compress else "Master.csv.1.zst"
    (bed.folder / name).write_bytes(pack(data))
    append(master(bed), row(43))
    outcome = bed.take()
    assert [file.read for file in outcome.files] == [unread] * (unread > 0) + [1]
    assert keys() == [*range(1, 41 + unread), 43]
    assert sums()["duplicate"] == 0
    opened: list[str] = []
    real = growing.Handle
    monkeypatch.setattr(growing, "Handle", lambda path: opened.append(path.name) or real(path))
    assert bed.take().files == []
    assert opened == []


def test_a_file_that_is_rotated_between_listing_and_opening(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(master(bed), rows(1, 20))
    bed.take()
    append(master(bed), rows(21, 30))
    real = growing.Handle

    def rotating(path: Path) -> Any:
        if not (bed.folder / "Master.csv.1").exists():
            master(bed).rename(bed.folder / "Master.csv.1")
            append(master(bed), rows(31, 35))
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(growing, "Handle", rotating)
        bed.take()
    bed.take()
    assert keys() == list(range(1, 36))
    assert (sums()["read"], sums()["duplicate"]) == (35, 0)


def test_a_damaged_rotated_file_is_told_once_and_nothing_of_it_is_taken(bed: Bed) -> None:
    packed = gzip.compress(rows(1, 50).encode())
    path = bed.folder / "Master.csv.1.gz"
    path.write_bytes(packed[:-9])
    (file,) = bed.take().files
    assert (file.state, file.reason) == (
        FileState.FAILED,
        "cannot be read: the compressed file is cut short",
    )
    assert keys() == []
    assert bed.take().files == []
    path.write_bytes(packed)
    bed.take()
    assert len(keys()) == 50
    assert [FileState(file.state) for file in File.select()] == [FileState.GROWING]


def test_the_last_line_of_a_rotated_file_that_is_still(bed: Bed) -> None:
    old = bed.folder / "Master.csv.1"
    append(old, row(1) + row(2).rstrip("\n"))
    append(master(bed), row(3))
    os.utime(old, (START, START))
    bed.now = START + growing.STILL - 1
    bed.take()
    assert keys() == [1, 3]
    bed.now += 1
    bed.take()
    assert keys() == [1, 2, 3]
    assert bed.take().files == []
    in_balance()


def test_an_endless_line_is_one_reject_and_those_after_it_are_read(bed: Bed) -> None:
    append(master(bed), row(1) + "x" * (2 * LONGEST) + "\n" + row(2))
    bed.take()
    append(master(bed), row(3))
    bed.take()
    assert keys() == [1, 2, 3]
    (reject,) = Reject.select()
    assert (reject.line, reject.reason) == (2, "the line is too long")
    assert GrowingFile.get().lines == 4


def test_a_file_that_cannot_be_read_is_told_until_it_can(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(master(bed), row(1))

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(growing, "Handle", refuse)
        (file,) = bed.take().files
    assert (file.state, file.reason) == (FileState.FAILED, "cannot be read: Permission denied")
    bed.take()
    assert [FileState(file.state) for file in File.select()] == [FileState.GROWING]
    assert keys() == [1]


def test_each_part_is_a_transaction_with_its_place(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash between two parts neither loses nor doubles a row."""
    monkeypatch.setattr(growing, "parts", small_parts)
    append(master(bed), rows(1, 10))
    real, calls = growing.store_pieces, 0

    def dies(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(growing, "store_pieces", dies)
        with pytest.raises(KeyboardInterrupt):
            bed.take()
    read = len(keys())
    assert 0 < read < 10
    in_balance()
    bed.intake = None
    bed.take()
    assert keys() == list(range(1, 11))
    assert sums() == {**dict.fromkeys(COUNTERS, 0), "read": 10, "stored": 10}
    assert len(bed.ledger()) == 1


def small_parts(*arguments: Any, **options: Any) -> Any:
    return cdr_parts.parts(*arguments, **options, size=500)


def test_stopping_between_parts_leaves_the_rest(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "parts", small_parts)
    append(master(bed), rows(1, 10))
    bed.take()
    append(master(bed), rows(11, 20))
    asked = iter([False, True])
    assert bed.intake is not None
    bed.intake.take(now=lambda: bed.now, settle=False, stop=lambda: next(asked, True))
    assert 10 < len(keys()) < 20
    bed.take()
    assert keys() == list(range(1, 21))
    assert sums()["duplicate"] == 0


HEADER = "\ufeffstart;duration;from;to;note\r\n"


def noted(number: int, note: str = "plain") -> str:
    return f"2026-05-28 22:10:{number:02};60;301;06123{number:05};{note}\r\n"


@given(cuts=st.lists(st.integers(1, 600), max_size=12))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_however_it_grows_the_rows_are_those_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    """Header, byte order mark, quoted line ends and blank lines cut anywhere, even in a character."""
    bed = make_bed(tmp_path_factory.mktemp("bed"))
    try:
        delimited = driver(
            "delimited",
            delimiter="semicolon",
            column__start="start",
            column__duration="duration",
            column__calling="from",
            column__called="to",
            value__outgoing="to != x",
        )
        bed.change(driver=delimited, growing=True)
        bed.person("anna", "301")
        text = (
            HEADER
            + noted(1)
            + noted(2, '"two\r\nlines; città"')
            + "\r\n"
            + "damaged\r\n"
            + noted(3)
            + noted(4, '"and\r\nthree\r\nlines"')
            + noted(5, "è")
        ).encode()
        path = bed.folder / "calls.csv"
        written = 0
        for cut in [*sorted(cuts), len(text)]:
            with path.open("ab") as stream:
                stream.write(text[written : max(cut, written)])
            written = max(cut, written)
            bed.take()
        assert keys() == [1, 2, 3, 4, 5]
        (reject,) = Reject.select()
        assert (reject.line, bytes(reject.raw)) == (6, b"damaged")
        assert {record.row for record in Record.select()} == {2, 3, 7, 8, 11}
        (file,) = bed.ledger()
        assert (file["read"], file["duplicate"]) == (6, 0)
        assert GrowingFile.get().position == len(text)
        in_balance()
    finally:
        database.close()


def test_large_whole_files_are_stored_as_small_ones(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pieces of a file that is not in hand are one entry."""
    from syncd.cdr import spool

    bed.change(growing=False)
    monkeypatch.setattr(spool, "IN_HAND", 1000)
    monkeypatch.setattr(pieces, "parts", small_parts)
    text = rows(1, 20) + "bad\n" + rows(21, 30) + row(3).replace("ANSWERED", "BUSY")
    master(bed).write_text(text)
    (file,) = bed.take().files
    assert (file.state, file.read, file.stored, file.rejected) == (FileState.DONE, 32, 30, 2)
    found = {reject.line: bytes(reject.raw).decode() for reject in Reject.select()}
    assert found == {21: "bad", 32: row(3).replace("ANSWERED", "BUSY").rstrip("\n")}
    assert keys() == list(range(1, 31))
    (kept,) = [path for path in (bed.context.archive or Path()).rglob("*") if path.is_file()]
    assert gzip.decompress(kept.read_bytes()).decode() == text
    assert list(bed.folder.iterdir()) == []
    in_balance()


DATED = """\
12/30
2227 0010 7 9   101 0612345678#     30101                 1234567    0 0 002
12/31
2231 0002 9         30102           06876                            0 0 004
2245 0107 0         30103           30101                            0 0    
2358 0003 E 9   101 0612345679      30102                            0 0    
01/01
0010 0003 7 9   101 0612345670      30101                            0 0    
"""  # noqa: W291


@pytest.mark.parametrize("grows", [True, False], ids=["growing", "large"])
def test_a_date_that_stands_in_a_line_of_its_own_is_carried(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, grows: bool
) -> None:
    """Whatever part of the file a row is in, it has the date that stands before it."""
    from syncd.cdr import spool

    avaya = driver("avaya-cm")
    moment = 1_767_300_000  # 2026-01-01
    bed.now = moment + 86_400
    monkeypatch.setattr(spool, "IN_HAND", 10)
    monkeypatch.setattr(pieces, "parts", one_row_parts)
    bed.change(driver=avaya, growing=grows, files="calls")
    path = bed.folder / "calls"
    lines = DATED.splitlines(keepends=True)
    for end in range(1, len(lines) + 1) if grows else [len(lines)]:
        path.write_text("".join(lines[:end])) if not grows else append(path, lines[end - 1])
        os.utime(path, (moment + end, moment + end))
        bed.take()
    found = [
        datetime.fromtimestamp(record.started_at, ROME).strftime("%m-%d")
        for record in Record.select().order_by(Record.row)
    ]
    assert found == ["12-30", "12-31", "12-31", "12-31", "01-01"]
    assert [reject.reason for reject in Reject.select()] == []
    in_balance()


def one_row_parts(*arguments: Any, **options: Any) -> Any:
    return cdr_parts.parts(*arguments, **options, size=1)


# --- large whole files ---------------------------------------------------------------------------


LARGE = rows(1, 20) + "bad\n" + rows(21, 30) + row(3).replace("ANSWERED", "BUSY")


@pytest.fixture
def large(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> Bed:
    """A folder in which a file is too large to be in hand, and comes in some ten pieces."""
    from syncd.cdr import spool

    bed.change(growing=False)
    monkeypatch.setattr(spool, "IN_HAND", 1000)
    monkeypatch.setattr(pieces, "parts", small_parts)
    master(bed).write_text(LARGE)
    return bed


def all_is_stored(bed: Bed) -> None:
    (file,) = bed.ledger()
    counted = {name: file[name] for name in ("read", "stored", "duplicate", "rejected")}
    assert counted == {"read": 32, "stored": 30, "duplicate": 0, "rejected": 2}
    assert [FileState(file.state) for file in File.select()] == [FileState.DONE]
    assert keys() == list(range(1, 31))
    assert GrowingFile.select().count() == 0
    assert list(bed.folder.iterdir()) == []
    (kept,) = [path for path in (bed.context.archive or Path()).rglob("*") if path.is_file()]
    assert gzip.decompress(kept.read_bytes()).decode() == LARGE
    in_balance()


@pytest.mark.parametrize("step", ["store_pieces", "forget"])
def test_a_large_file_goes_on_where_a_crash_left_it(
    large: Bed, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from syncd.calls import in_pieces

    real, deaths = getattr(in_pieces, step), 0
    for nth in (1, 2, 2, 3):
        calls = 0

        def dies(*arguments: Any, nth: int = nth) -> Any:
            nonlocal calls
            calls += 1
            if calls == nth:
                raise KeyboardInterrupt
            return real(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(in_pieces, step, dies)
            try:
                large.take()
            except KeyboardInterrupt:
                deaths += 1
                in_balance()
                states = {FileState(file.state) for file in File.select()}
                assert states <= {FileState.PARTLY}
        large.intake = None
    assert deaths == (4 if step == "store_pieces" else 1)
    large.take()
    all_is_stored(large)


def test_between_the_pieces_of_a_large_file_others_write(large: Bed) -> None:
    reads: list[int] = []

    def others() -> bool:
        assert not database.in_transaction()
        reads.extend(file.read for file in File.select().where(File.state == FileState.PARTLY))
        return False

    large.intake = Intake(large.context)
    large.intake.take(now=lambda: large.now, settle=False, stop=others)
    assert len(reads) > 5
    assert reads == sorted(set(reads))
    assert reads[-1] == 32
    all_is_stored(large)


def test_stopping_between_pieces_leaves_the_file_and_the_place(large: Bed) -> None:
    asked = iter([False, False])
    large.intake = Intake(large.context)
    large.intake.take(now=lambda: large.now, settle=False, stop=lambda: next(asked, True))
    (file,) = File.select()
    assert (FileState(file.state), file.archive) == (FileState.PARTLY, "")
    assert 0 < len(keys()) < 30
    assert master(large).exists()
    (tail,) = GrowingFile.select()
    assert (tail.file_id, 0 < tail.position < len(LARGE)) == (file.id, True)
    large.take()
    all_is_stored(large)


def test_a_large_file_that_is_written_to_meanwhile_loses_nothing(
    large: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    from syncd.calls import in_pieces

    real, calls = in_pieces.store_pieces, 0

    def grows(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            append(master(large), rows(31, 31))
        return real(*arguments)

    monkeypatch.setattr(in_pieces, "store_pieces", grows)
    (file,) = large.take().files
    assert (file.state, "written to" in file.reason) == (FileState.FAILED, True)
    in_balance()
    large.take()
    assert keys() == list(range(1, 32))
    assert {(FileState(file.state), file.reason) for file in File.select()} == {
        (FileState.PARTLY, file.reason),
        (FileState.DONE, ""),
    }
    in_balance()
