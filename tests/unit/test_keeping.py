"""A file goes to the archive whole, also when another process was paused while it put it there."""

from __future__ import annotations

import errno
import fcntl
import gzip
from pathlib import Path

import pytest

from syncd.cdr import spool
from syncd.cdr.spool import Candidate, Content

DATA = b"one,two\n" * 1000


def content(folder: Path) -> Content:
    path = folder / "cdr_1"
    path.write_bytes(DATA)
    status = path.stat()
    return spool.read(
        Candidate(path, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)
    )


def test_nobody_writes_into_what_another_is_writing(tmp_path: Path) -> None:
    target = tmp_path / "archive" / "cdr_1.gz"
    target.parent.mkdir()
    temporary = target.with_name(f".{target.name}.part")
    with temporary.open("wb") as other:
        other.write(b"half of it")
        other.flush()
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="another process is writing it"):
            spool.keep(content(tmp_path), target)
        assert temporary.read_bytes() == b"half of it"
        assert not target.exists()
    # Killed: its lock is gone, and what it left is written over.
    spool.keep(content(tmp_path), target)
    assert gzip.decompress(target.read_bytes()) == DATA
    assert not temporary.exists()


def test_what_was_renamed_while_it_was_opened_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "archive" / "cdr_1.gz"
    target.parent.mkdir()
    temporary = target.with_name(f".{target.name}.part")
    plain = fcntl.flock

    def finish_first(descriptor: int, operation: int) -> None:
        temporary.write_bytes(b"whole")
        temporary.replace(target)
        plain(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", finish_first)
    with pytest.raises(OSError, match="another process has just written it"):
        spool.keep(content(tmp_path), target)
    assert target.read_bytes() == b"whole"
    monkeypatch.undo()
    spool.keep(content(tmp_path), target)
    assert target.read_bytes() == b"whole"


def test_a_file_system_without_locks_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    target = tmp_path / "archive" / "cdr_1.gz"
    spool.keep(content(tmp_path), target)
    assert gzip.decompress(target.read_bytes()) == DATA
