"""Locks between processes: one holder for each unit of work, by ``flock`` in the state directory.

A lock dies with its process, so nothing is ever left locked. The file stays (removing it would let
two processes hold two different files of one name) and says who holds it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from syncd.domain.errors import TryAgainError, UserError

WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.05
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EBADF, errno.EINVAL, errno.ENOSYS)
"""How file systems, such as some of NFS, say that a folder cannot be locked."""


def lock_path(state_directory: Path, name: str) -> Path:
    """Return the file of a lock; characters that a file name cannot have are escaped."""
    return state_directory / f"{quote(name, safe=' @+=')}.lock"


def holder(path: Path) -> str:
    """Return who wrote a lock's file, such as ``process 4711 (syncd run)``, or an empty text."""
    try:
        process, _, command = path.read_text("utf-8", errors="replace").strip().partition(" ")
    except OSError:
        return ""
    if not process.isdigit():
        return ""
    return f"process {process} ({command})" if command else f"process {process}"


@contextlib.contextmanager
def hold(
    state_directory: Path,
    name: str,
    command: str,
    *,
    wait: float = WAIT_SECONDS,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Hold the lock ``name`` while the block runs.

    ``command`` is what the lock's file says of the holder beside the process id. Waits up to
    ``wait`` seconds, less when ``stopping`` says so.
    Raises TryAgainError naming the holder, UserError when the file cannot be written.
    """
    path = lock_path(state_directory, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise UserError(
            f"the lock {path} cannot be opened: {error.strerror}",
            "the state directory must belong to the account that runs syncd",
        ) from error
    try:
        _wait(descriptor, path, name, wait, stopping)
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {command}\n".encode(), 0)
        except OSError as error:
            raise UserError(f"the lock {path} cannot be written: {error.strerror}") from error
        try:
            yield
        finally:
            # An empty file says that nobody holds it, so a message never names a past holder. The
            # work is done: it does not fail for want of that.
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def hold_folder(
    folder: Path, *, wait: float = WAIT_SECONDS, stopping: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Hold a drop folder while the block runs, against whoever works with another state directory.

    Nothing is written into it. A file system that knows no locks is let pass: two installations
    must not read one folder there. Raises TryAgainError, UserError when it cannot be opened.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UserError(f"the folder {folder} cannot be opened: {error.strerror}") from error
    try:
        try:
            _wait(descriptor, folder, f"the folder {folder}", wait, stopping)
        except UserError as error:
            cause = error.__cause__
            if not isinstance(cause, OSError) or cause.errno not in NO_LOCKS:
                raise
        yield
    finally:
        os.close(descriptor)


def _wait(
    descriptor: int, path: Path, name: str, wait: float, stopping: Callable[[], bool]
) -> None:
    """Take the lock of an open file. Raises TryAgainError when it stays taken, UserError when it
    cannot be asked for."""
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if stopping() or time.monotonic() >= deadline:
                raise TryAgainError(
                    f"{name} is held by {holder(path) or 'another process'}",
                    "wait until it has finished, then try again",
                ) from None
        except OSError as error:
            raise UserError(f"the lock {path} cannot be taken: {error.strerror}") from error
        time.sleep(_POLL_SECONDS)
