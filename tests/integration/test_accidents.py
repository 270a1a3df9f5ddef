"""Every accident of the table in docs/intake.md and what comes of it.

A test is named after its row. What other tests have shown already stands in ``ELSEWHERE``.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from syncd.cdr import compressed, spool
from syncd.demo.cucm_columns import HEADER, TYPES
from syncd.demo.cucm_writer import format_row
from syncd.demo.cucm_writer import row as cucm_row
from syncd.domain.codes import FileState
from syncd.store.models import File, Record, Reject, database
from tests.support.bed import Bed, make_bed
from tests.support.drivers import driver
from tests.support.phones import leg

ELSEWHERE = {
    "it_is_sent_again_under_its_name": (
        "integration/test_intake.py::test_the_same_file_again_is_not_even_read"
    ),
    "it_is_sent_again_under_another_name": (
        "integration/test_intake.py::test_a_file_under_another_name"
    ),
    "it_is_split_joined_or_reordered": "integration/test_intake.py::test_joined_and_split_files",
    "it_is_replaced_while_it_is_read": (
        "integration/test_intake.py::test_a_file_that_was_replaced_while_it_was_read_is_not_removed"
    ),
    "its_key_is_known_with_other_content": (
        "integration/test_intake.py::test_a_conflict_names_the_row_that_came_first"
    ),
    "it_is_a_link_a_pipe_or_a_folder": (
        "integration/test_intake.py::test_only_regular_files_are_taken"
    ),
    "it_becomes_something_else": (
        "integration/test_intake.py::test_a_file_that_became_something_else_is_not_read"
    ),
    "it_cannot_be_read": (
        "integration/test_intake.py::test_an_unreadable_file_fails_and_is_taken_when_it_can_be_read"
    ),
    "two_daemons_work_on_one_folder": (
        "system/test_two_daemons.py::test_two_daemons_on_one_folder_take_every_record_once"
    ),
    "a_growing_file_is_rotated_emptied_or_cut": (
        "integration/test_growing.py::test_after_a_rename_the_rest_of_the_old_file_is_read_first"
    ),
}

MOBILE = "03331234567"
SPARSE = int(os.environ.get("SYNCD_SPARSE_MB", "64")) * 1024 * 1024
BOUND = 200 * 1024
"""Kilobytes that intake may take, whatever lies in the folder."""


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = make_bed(tmp_path)
    made.person("anna", "2001", department="Sales")
    yield made
    database.close()


def one(call: int = 1, **columns: Any) -> dict[str, Any]:
    return leg(call, call * 2, call * 2 + 1, "2001", MOBILE, at=call, **columns)


def text_of(*rows: dict[str, Any]) -> str:
    return "\n".join((HEADER, TYPES, *(format_row(cucm_row(**columns)) for columns in rows), ""))


def deliver(bed: Bed, content: str | bytes, name: str = "cdr_1") -> list[dict[str, Any]]:
    """Deliver a file, take it, and return the ledger."""
    data = content.encode() if isinstance(content, str) else content
    (bed.folder / name).write_bytes(data)
    bed.take()
    return bed.ledger()


def counts(entry: dict[str, Any]) -> tuple[int, int, int]:
    return entry["read"], entry["stored"], entry["rejected"]


def states() -> dict[str, tuple[FileState, str]]:
    return {file.name: (FileState(file.state), file.reason) for file in File.select()}


def archived(bed: Bed) -> list[Path]:
    assert bed.context.archive is not None
    return sorted(path for path in bed.context.archive.rglob("*") if path.is_file())


# --- how much of it there is ---------------------------------------------------------------------


def test_it_is_half_written(bed: Bed) -> None:
    text = text_of(one(1), one(2))
    assert counts(deliver(bed, text[:-40])[0]) == (2, 1, 1)
    whole = deliver(bed, text)[1]
    assert (whole["read"], whole["stored"], whole["duplicate"], whole["rejected"]) == (2, 1, 1, 0)
    assert Record.select().count() == 2


def test_it_is_empty(bed: Bed) -> None:
    deliver(bed, b"")
    assert states() == {"cdr_1": (FileState.SET_ASIDE, "the file is empty")}
    assert list(bed.folder.iterdir()) == []


def test_it_has_a_byte_order_mark(bed: Bed) -> None:
    assert counts(deliver(bed, "\ufeff" + text_of(one()))[0]) == (1, 1, 0)


def test_it_has_windows_line_ends(bed: Bed) -> None:
    text = text_of(one(1), one(2))
    deliver(bed, text.replace("\n", "\r\n"))
    again = deliver(bed, text, "cdr_2")[1]
    assert (again["read"], again["duplicate"]) == (2, 2)


def test_it_has_blank_lines(bed: Bed) -> None:
    text = text_of(one(1), one(2)).replace("\n", "\n\n \n")
    assert counts(deliver(bed, text)[0])[1:] == (2, 0)


def test_its_last_line_has_no_line_feed(bed: Bed) -> None:
    assert counts(deliver(bed, text_of(one(1), one(2)).rstrip("\n"))[0]) == (2, 2, 0)


# --- what is in its cells ------------------------------------------------------------------------


def test_cells_hold_commas_quotes_and_line_ends(bed: Bed) -> None:
    odd = one(1, callingPartyUnicodeLoginUserID='Rossi, "Anna"\nsecond line')
    assert counts(deliver(bed, text_of(odd, one(2)))[0]) == (2, 2, 0)
    users = sorted(record.calling_user for record in Record.select())
    assert users[-1] == 'Rossi, "Anna"\nsecond line'


def test_a_quotation_mark_is_never_closed(bed: Bed) -> None:
    text = text_of(one(1), one(2), one(3))
    broken = text.replace('"2001"', '"2001', 1)
    assert counts(deliver(bed, broken)[0]) == (3, 2, 1)


def test_it_has_columns_that_nobody_knows(bed: Bed) -> None:
    head, types, row = text_of(one()).rstrip("\n").split("\n")
    text = f'{head},"brandNew"\n{types},VARCHAR(9)\n{row},"kept"\n'
    assert counts(deliver(bed, text)[0]) == (1, 1, 0)
    (kept,) = archived(bed)
    assert gzip.decompress(kept.read_bytes()).decode() == text
    again = deliver(bed, text_of(one()), "cdr_2")[1]
    assert again["duplicate"] == 1


def test_it_lacks_columns_of_later_releases(bed: Bed) -> None:
    lines = [line.split(",") for line in text_of(one()).rstrip("\n").split("\n")]
    width = next(
        place for place, name in enumerate(lines[0]) if name.strip('"') == "huntPilotPattern"
    )
    assert 100 < width < len(lines[0])
    text = "".join(",".join(line[:width]) + "\n" for line in lines)
    assert counts(deliver(bed, text)[0]) == (1, 1, 0)


def test_it_holds_nul_bytes(bed: Bed) -> None:
    bed.change(driver=driver("asterisk"))
    entry = deliver(bed, b"\0" * 5000 + b"\n" + asterisk(1) + asterisk(2))[0]
    assert counts(entry) == (3, 0, 1)
    assert Reject.get().reason == "the line holds NUL bytes"


def test_it_is_not_utf_8(bed: Bed) -> None:
    data = text_of(one(callingPartyUnicodeLoginUserID="citt#")).encode().replace(b"#", b"\xe0")
    assert counts(deliver(bed, data)[0]) == (1, 1, 0)
    assert Record.get().calling_user == "citt\ufffd"


def test_a_spreadsheet_has_mangled_it(bed: Bed) -> None:
    text = text_of(one(1), one(2)).replace(f'"{MOBILE}"', '"3.33123E+09"', 1)
    assert counts(deliver(bed, text)[0]) == (2, 1, 1)
    assert "mangled by a spreadsheet" in Reject.get().reason


# --- its times -----------------------------------------------------------------------------------


def test_its_clock_is_ahead(bed: Bed) -> None:
    bed.now = int(one(1)["dateTimeOrigination"]) - 3601
    assert counts(deliver(bed, text_of(one(1)))[0]) == (1, 0, 1)
    assert Reject.get().retryable


def asterisk(number: int, start: str = "2026-05-28 22:26:40", end: str = "") -> bytes:
    return (
        f'"","301","0612345678","from-internal","301","PJSIP/301-1","PJSIP/telco-2","Dial","",'
        f'"{start}","{start}","{end or start}",60,60,"ANSWERED","DOCUMENTATION",'
        f'"1780000000.{number}","","","1780000000.{number}",{number}\n'
    ).encode()


def test_clocks_are_put_back(bed: Bed) -> None:
    bed.change(driver=driver("asterisk"))
    bed.now = 1_793_000_000
    rows = (
        asterisk(1, "2026-10-25 01:59:00", "2026-10-25 02:00:00"),
        asterisk(2, "2026-10-25 02:30:00", "2026-10-25 02:31:00"),
        # The first time is an hour before the second one, which says the same clock.
        asterisk(3, "2026-10-25 02:59:30", "2026-10-25 02:00:30"),
    )
    assert counts(deliver(bed, b"".join(rows))[0])[::2] == (3, 0)
    found = {record.key: record.ended_at - record.started_at for record in Record.select()}
    assert list(found.values()) == [60, 60, 60]


def test_it_ends_before_it_begins(bed: Bed) -> None:
    text = text_of(one(1, duration=-5), one(2))
    assert counts(deliver(bed, text)[0]) == (2, 1, 1)
    assert Reject.get().reason == "the call ends before it begins"


# --- what kind of file it is ---------------------------------------------------------------------


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
@pytest.mark.parametrize("named", [True, False], ids=["with suffix", "without"])
def test_it_is_compressed(bed: Bed, pack: Callable[[bytes], bytes], named: bool) -> None:
    text = text_of(one(1), one(2))
    bed.change(files="cdr_*[0-9]")
    name = "cdr_1" + (".gz" if pack is gzip.compress else ".zst") * named
    assert counts(deliver(bed, pack(text.encode()), name)[0]) == (2, 2, 0)
    assert list(bed.folder.iterdir()) == []
    (kept,) = archived(bed)
    assert gzip.decompress(kept.read_bytes()).decode() == text
    assert kept.name.startswith("cdr_1.")
    assert kept.name.count(".") == 2
    again = deliver(bed, text, "cdr_1")[1]
    assert again["duplicate"] == 2


@pytest.mark.parametrize("large", [False, True])
def test_a_compressed_file_is_damaged(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    """Whole or not at all: nothing of what could be read is stored."""
    if large:
        monkeypatch.setattr(spool, "IN_HAND", 100)
    packed = gzip.compress(text_of(*(one(call) for call in range(1, 40))).encode())
    middle = len(packed) // 2
    flipped = packed[:middle] + bytes(255 - byte for byte in packed[middle : middle + 9])
    deliver(bed, packed[:-6], "cdr_cut.gz")
    deliver(bed, zstandard.compress(b"x" * 9000)[:-3], "cdr_cut.zst")
    deliver(bed, flipped + packed[middle + 9 :], "cdr_flipped.gz")
    found = states()
    assert found["cdr_cut.gz"] == (FileState.SET_ASIDE, "the compressed file is cut short")
    assert found["cdr_cut.zst"] == found["cdr_cut.gz"]
    assert found["cdr_flipped.gz"][0] is FileState.SET_ASIDE
    assert "the compressed file is damaged" in found["cdr_flipped.gz"][1]
    assert Record.select().count() == 0
    (aside,) = (bed.context.set_aside / "hq").glob("cdr_cut.gz*")
    assert gzip.decompress(aside.read_bytes()) == packed[:-6]
    # The same name, whole.
    assert deliver(bed, packed, "cdr_cut.gz")[-1]["stored"] == 39


def test_a_compressed_file_is_a_bomb(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed, "UNSUSPICIOUS", 100_000)
    for name, pack in (("cdr_1.gz", gzip.compress), ("cdr_1.zst", zstandard.compress)):
        deliver(bed, pack(text_of(one()).encode() + b"\n" * 9_000_000), name)
        state, reason = states()[name]
        assert state is FileState.SET_ASIDE
        assert reason == "the compressed file becomes more than 200 times as large"
    assert Record.select().count() == 0


def test_it_is_a_device() -> None:
    with pytest.raises(OSError, match="is not a regular file"):
        spool.Handle(Path("/dev/null"))
    assert spool.candidates(Path("/dev"), "null") == []


# --- its size ------------------------------------------------------------------------------------

CHILD = """
import sys
from pathlib import Path
from syncd.cli.main import main
code = main(sys.argv[1:])
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")), code)
"""
INI = """\
[syncd]
timezone = UTC
currency = EUR
[site:hq]
country = IT
timezone = UTC
internal_numbers = 2XXX
[cdr:hq]
driver = {driver}
folder = drop
site = hq
growing = {growing}
"""


def ingest(folder: Path, name: str, growing: str) -> int:
    """Take what is in the folder in a process of its own; returns its peak memory in kilobytes."""
    ini = folder / "syncd.ini"
    ini.write_text(INI.format(driver=name, growing=growing))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, "--config", str(ini), "ingest", "--no-settle"],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])


def sparse(path: Path, beginning: bytes = b"") -> None:
    with path.open("wb") as stream:
        stream.write(beginning)
        stream.truncate(SPARSE)


@pytest.mark.parametrize(
    ("name", "growing", "beginning"),
    [
        ("cucm", "no", b""),
        ("cucm", "no", text_of(one(1)).encode()),
        ("asterisk", "no", asterisk(1)),
        ("asterisk", "yes", asterisk(1)),
    ],
    ids=["no CDR file", "behind a row", "one reject", "growing"],
)
def test_it_is_huge(tmp_path: Path, name: str, growing: str, beginning: bytes) -> None:
    """A sparse file is one endless line of NUL bytes."""
    (tmp_path / "drop").mkdir()
    sparse(tmp_path / "drop" / "cdr_1", beginning)
    assert ingest(tmp_path, name, growing) < BOUND
    assert (growing == "yes") == (tmp_path / "drop" / "cdr_1").exists()


def test_a_row_has_a_million_columns(bed: Bed, tmp_path: Path) -> None:
    (tmp_path / "cdr" / "drop").mkdir(parents=True)
    endless = b",".join([b"1"] * 1_000_000)
    text = text_of(one(1)).encode() + endless + b"\n" + endless[:900_000] + b"\n"
    (tmp_path / "cdr" / "drop" / "cdr_1").write_bytes(text)
    assert ingest(tmp_path / "cdr", "cucm", "no") < BOUND
    assert counts(deliver(bed, text + text_of(one(2)).encode())[0])[::2] == (6, 4)
    assert Record.select().count() == 2


# --- where it goes -------------------------------------------------------------------------------


def test_its_name_is_not_utf_8(bed: Bed) -> None:
    """Neither for what is taken nor for what is set aside and retried."""
    Path(os.fsdecode(bytes(bed.folder) + b"/caf\xe9")).write_text(text_of(one()), "utf-8")
    Path(os.fsdecode(bytes(bed.folder) + b"/no\xff")).write_bytes(b"no CDR file")
    (bed.folder / "a\n\x1b[31mb\u202ec").write_bytes(b"no CDR file either")
    bed.take()
    assert {name: state for name, (state, _) in states().items()} == {
        "caf\\xe9": FileState.DONE,
        "no\\xff": FileState.SET_ASIDE,
        "a\\n\\x1b[31mb\\u202ec": FileState.SET_ASIDE,
    }
    assert [path.name[:8] for path in archived(bed)] == ["caf\\xe9."]
    assert list(bed.folder.iterdir()) == []
    file = File.get(File.name == "no\\xff")
    spool.put_back(Path(file.archive), bed.folder, file.name)
    assert (bed.folder / "no\\xff").read_bytes() == b"no CDR file"


@pytest.mark.parametrize("letter", ["n", "\u00e9"])
def test_its_name_is_as_long_as_a_name_can_be(bed: Bed, letter: str) -> None:
    name = "x" + letter * (254 // len(letter.encode()))
    deliver(bed, text_of(one()), name)
    assert states() == {name: (FileState.DONE, "")}
    deliver(bed, b"no CDR file", name)
    assert list(bed.folder.iterdir()) == []
    (file,) = File.select().where(File.state == int(FileState.SET_ASIDE))
    spool.put_back(Path(file.archive), bed.folder, file.name)
    assert (bed.folder / name).exists()


@pytest.mark.parametrize("archive", ["/proc/archive", "/sys/archive"])
def test_the_archive_cannot_be_written(bed: Bed, archive: str, tmp_path: Path) -> None:
    """What the kernel refuses even to root: it is stored once, and moved when that can be."""
    bed.change(archive=Path(archive))
    path = bed.drop(one())
    for _ in range(2):
        (file,) = bed.take().files
        assert file.state is FileState.DONE
        assert file.reason.startswith("stored, but not moved to the archive: ")
    assert path.exists()
    assert [entry["stored"] for entry in bed.ledger()] == [1]
    File.update(archive=str(tmp_path / "archive" / "cdr.gz")).execute()
    assert bed.take().files == []
    assert not path.exists()


def test_the_disk_of_the_archive_is_full(bed: Bed) -> None:
    path = bed.drop(one())
    content = spool.read(spool.candidates(bed.folder, "*")[0])
    assert bed.context.archive is not None
    target = bed.context.archive / spool.archive_name(content, "hq", bed.now)
    target.parent.mkdir(parents=True)
    (target.parent / f".{target.name}.part").symlink_to("/dev/full")
    (file,) = bed.take().files
    assert (file.state, file.reason) == (
        FileState.DONE,
        "stored, but not moved to the archive: No space left on device",
    )
    assert path.exists()
    assert archived(bed) == []
    assert bed.take().files == []
    assert (path.exists(), len(archived(bed))) == (False, 1)
    assert [entry["stored"] for entry in bed.ledger()] == [1]
