"""One holder at a time, across threads and processes, and a message that names the holder."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from syncd.application.exit_codes import gravest
from syncd.domain.errors import TryAgainError, UserError
from syncd.store import locks
from syncd.store.locks import hold, hold_folder, holder, lock_path

CHILD = """
import sys
from pathlib import Path
from syncd.store.locks import hold
with hold(Path(sys.argv[1]), "sync-corp", "syncd sync corp"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_second_holder_is_refused_with_the_first_ones_name(tmp_path: Path) -> None:
    with (
        hold(tmp_path, "sync-corp", "syncd run"),
        pytest.raises(TryAgainError) as caught,
        hold(tmp_path, "sync-corp", "syncd sync", wait=0),
    ):
        pass
    assert caught.value.exit_code == 75
    assert f"process {os.getpid()} (syncd run)" in str(caught.value)
    assert "sync-corp" in str(caught.value)


def test_released_lock_names_nobody_and_can_be_taken(tmp_path: Path) -> None:
    with hold(tmp_path, "maintenance", "first"):
        pass
    assert holder(lock_path(tmp_path, "maintenance")) == ""
    with hold(tmp_path, "maintenance", "second", wait=0):
        assert holder(lock_path(tmp_path, "maintenance")) == f"process {os.getpid()} (second)"


def test_released_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(tmp_path, "maintenance", "first"):
        raise ZeroDivisionError
    with hold(tmp_path, "maintenance", "second", wait=0):
        pass


def test_two_names_do_not_meet(tmp_path: Path) -> None:
    with (
        hold(tmp_path, "intake-a", "one"),
        hold(tmp_path, "intake-b", "two", wait=0),
    ):
        assert holder(lock_path(tmp_path, "intake-b")).endswith("(two)")


def test_waits_until_the_holder_lets_go(tmp_path: Path) -> None:
    taken = threading.Event()

    def take() -> None:
        with hold(tmp_path, "sync-corp", "second", wait=30):
            taken.set()

    waiter = threading.Thread(target=take)
    with hold(tmp_path, "sync-corp", "first"):
        waiter.start()
        assert not taken.wait(0.2)
    waiter.join(30)
    assert taken.is_set()


def test_stops_waiting_when_asked(tmp_path: Path) -> None:
    with (
        hold(tmp_path, "sync-corp", "first"),
        pytest.raises(TryAgainError),
        hold(tmp_path, "sync-corp", "second", wait=3600, stopping=lambda: True),
    ):
        pass


def test_other_process_holds_until_it_ends(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with (
            pytest.raises(TryAgainError, match=f"process {child.pid} .syncd sync corp."),
            hold(tmp_path, "sync-corp", "syncd run", wait=0),
        ):
            pass
    finally:
        child.kill()
        child.communicate()
    with hold(tmp_path, "sync-corp", "syncd run", wait=0):
        pass


def test_a_name_cannot_leave_the_state_directory(tmp_path: Path) -> None:
    assert lock_path(tmp_path, "sync-../../etc/x").parent == tmp_path


def test_unusable_state_directory_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="state directory"), hold(tmp_path / "file", "x", "y"):
        pass


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 3], 3),
        ([3, 1, 0], 1),
        ([1, 75, 3], 75),
        ([75, 4, 1], 4),
        ([4, 78, 75], 78),
        ([0, 42], 1),
    ],
)
def test_gravest(codes: list[int], expected: int) -> None:
    assert gravest(codes) == expected
    assert gravest(reversed(codes)) == expected


def test_a_folder_has_one_reader_and_nothing_is_written_into_it(tmp_path: Path) -> None:
    with (
        hold_folder(tmp_path),
        pytest.raises(TryAgainError, match=r"the folder .* is held by another process"),
        hold_folder(tmp_path, wait=0),
    ):
        pass
    with hold_folder(tmp_path, wait=0):
        assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks_is_let_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with hold_folder(tmp_path, wait=0):
        pass
