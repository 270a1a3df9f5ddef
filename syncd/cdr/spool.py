"""A drop folder: which files are ready, reading them once, and moving them to the archive.

Polling is the truth. A file is taken when its name fits, it is a regular file, its name is not that
of an unfinished upload, and its size and modification time have been still for the settle time.

A file of up to a few megabytes is read once and kept in hand; a larger one is read as a stream, as
often as it is needed, through the descriptor that was opened first. What is compressed is expanded
on the way, and looked through to its end before anything is made of it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gzip
import hashlib
import io
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from syncd.cdr.compressed import DamagedError, expanded, is_compressed, plain_name
from syncd.store.locks import NO_LOCKS

UNFINISHED_PREFIXES = (".", "_")
UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".filepart", ".swp", "~")

IN_HAND = 4 * 1024 * 1024
"""Bytes up to which a file's content is kept in memory."""

LONGEST_NAME = 255 - len("..part")
"""Bytes of a file's name on the file systems of Linux, with what it has while it is written."""

_BLOCK = 256 * 1024
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_ROTATED = re.compile(r"(.+?)(?:[.-](?:\d[\dT:_.-]*|old))+", re.IGNORECASE)
"""A name with a number or a date behind it, such as logrotate's."""


def told_name(path: Path) -> str:
    """Return the name of a file as a text that can be stored and printed: what is not UTF-8 in it
    and control characters stand as ``\\xff``."""
    name = path.name
    if name.isascii() and name.isprintable():
        return name
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return _CONTROLS.sub(lambda control: ascii(control[0])[1:-1], text)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file of a drop folder as it was seen: size in bytes, modification time in nanoseconds."""

    path: Path
    size: int
    modified: int
    inode: int
    device: int = 0

    @property
    def name(self) -> str:
        return told_name(self.path)


@dataclass(slots=True)
class Content:
    """What is in a file, expanded where it is compressed."""

    candidate: Candidate
    data: bytes
    """All of it; empty where it is too large to be in hand."""
    sha256: str
    """Of the file as it was delivered."""
    size: int
    """Bytes of the content."""
    trouble: str = ""
    """Why a compressed file cannot be read; ``data`` is then the file as it was delivered."""
    _handle: Handle | None = None

    @property
    def name(self) -> str:
        """The file's name, without what says that it is compressed."""
        return plain_name(self.candidate.name)

    @property
    def in_hand(self) -> bool:
        return self._handle is None

    def stream(self, position: int = 0) -> BinaryIO:
        """Return the content from a position. Reading raises OSError."""
        if self._handle is None:
            return io.BytesIO(self.data[position:])
        return self._handle.raw(position) if self.trouble else self._handle.plain(position)

    def beginning(self, count: int) -> bytes:
        """Return the first bytes of the content. Raises OSError."""
        if self._handle is None:
            return self.data[:count]
        with self.stream() as stream:
            return stream.read(count)

    def check(self) -> None:
        """Raise OSError when a file that is not in hand was written to since it was opened."""
        if self._handle is not None and not self._handle.still():
            raise OSError("it was written to while it was read")

    def close(self) -> None:
        if self._handle is not None:
            self._handle.close()


class Handle:
    """An open file that can be read again and again, whatever becomes of its name."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, also when it is no regular file."""
        self._descriptor = -1
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        self.status = os.fstat(self._descriptor)
        if not stat.S_ISREG(self.status.st_mode):
            self.close()
            raise OSError(f"{path} is not a regular file")

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()

    def read(self, count: int, position: int = 0) -> bytes:
        """Return up to ``count`` bytes from a position."""
        return os.pread(self._descriptor, count, position)

    def raw(self, position: int = 0) -> BinaryIO:
        """Return a stream of the bytes from a position."""
        return io.BufferedReader(_Reading(self, position), _BLOCK)

    def plain(self, position: int = 0) -> BinaryIO:
        """Return a stream of the content from a position, expanded where it is compressed."""
        beginning = self.read(4)
        if not is_compressed(beginning):
            return self.raw(position)
        stream = expanded(self.raw(), beginning, self.status.st_size)
        while position and (skipped := stream.read(min(position, _BLOCK))):
            position -= len(skipped)
        return stream

    def shorter_than(self, size: int) -> bool:
        """Tell whether a file that is not compressed has been cut below a size."""
        return not is_compressed(self.read(4)) and os.fstat(self._descriptor).st_size < size

    def still(self) -> bool:
        """Tell whether nothing was written since it was opened."""
        now = os.fstat(self._descriptor)
        return (now.st_size, now.st_mtime_ns) == (self.status.st_size, self.status.st_mtime_ns)


class _Reading(io.RawIOBase):
    """A place in an open file."""

    def __init__(self, handle: Handle, position: int) -> None:
        self._handle = handle
        self._position = position

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._handle.read(len(buffer), self._position)
        self._position += len(data)
        buffer[: len(data)] = data
        return len(data)


def candidates(folder: Path, pattern: str, *, rotated: bool = False) -> list[Candidate]:
    """Return the files of a folder whose names fit, oldest first, ties by name; with ``rotated``
    also those with a number or a date behind their name.

    Raises OSError when the folder cannot be read.
    """
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if not _name_fits(name, pattern) and not (rotated and is_rotated(name, pattern)):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode):
                found.append(
                    Candidate(
                        Path(entry.path),
                        status.st_size,
                        status.st_mtime_ns,
                        status.st_ino,
                        status.st_dev,
                    )
                )
    return sorted(found, key=lambda candidate: (candidate.modified, candidate.name))


def _name_fits(name: str, pattern: str) -> bool:
    return (
        not name.startswith(UNFINISHED_PREFIXES)
        and not name.lower().endswith(UNFINISHED_SUFFIXES)
        and (fnmatchcase(name, pattern) or fnmatchcase(plain_name(name), pattern))
    )


def is_rotated(name: str, pattern: str) -> bool:
    """Tell whether a file was put aside by who writes it, under a name made of one that fits."""
    base = rotated_name(name)
    return bool(base) and _name_fits(base, pattern)


def rotated_name(name: str) -> str:
    """Return the name that a rotated file had, empty when it is none."""
    found = _ROTATED.fullmatch(plain_name(name))
    return found[1] if found else ""


class Settling:
    """Remembers between polls since when each file has been still."""

    def __init__(self) -> None:
        self._seen: dict[Path, tuple[Candidate, int]] = {}

    def ready(self, found: Iterable[Candidate], settle: int, now: int) -> list[Candidate]:
        """Return the files that have been still for ``settle`` seconds at ``now`` (epoch seconds):
        by their modification time, or, where that lies in the future, by what polls have seen."""
        ready = []
        seen: dict[Path, tuple[Candidate, int]] = {}
        for candidate in found:
            known = self._seen.get(candidate.path)
            since = known[1] if known is not None and known[0] == candidate else now
            seen[candidate.path] = (candidate, since)
            age = now - candidate.modified // 1_000_000_000
            if age >= settle or (known is not None and now - since >= settle):
                ready.append(candidate)
        self._seen = seen
        return ready


def read(candidate: Candidate) -> Content:
    """Read a file, whole where it is small. Raises OSError, also when it is no regular file any
    more. A content that is not in hand must be closed."""
    handle = Handle(candidate.path)
    try:
        data = handle.raw().read(IN_HAND + 1)
        if len(data) <= IN_HAND and not is_compressed(data[:4]):
            return Content(candidate, data, hashlib.sha256(data).hexdigest(), len(data))
        content = _looked_through(candidate, handle, data)
    except BaseException:
        handle.close()
        raise
    if content.in_hand:
        handle.close()
    return content


def _looked_through(candidate: Candidate, handle: Handle, beginning: bytes) -> Content:
    """Return a content that is large or compressed, read to its end once."""
    small = len(beginning) <= IN_HAND
    digest = hashlib.sha256()
    with handle.raw() as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    sha256 = digest.hexdigest()
    if not is_compressed(beginning[:4]):
        return Content(candidate, b"", sha256, handle.status.st_size, _handle=handle)
    kept: bytes = b""
    size = 0
    try:
        with handle.plain() as stream:
            while block := stream.read(_BLOCK):
                size += len(block)
                kept = kept + block if size <= IN_HAND else b""
    except DamagedError as error:
        length, raw = handle.status.st_size, beginning if small else b""
        return Content(candidate, raw, sha256, length, str(error), None if small else handle)
    return Content(candidate, kept, sha256, size, _handle=None if size <= IN_HAND else handle)


def unchanged(content: Content) -> bool:
    """Tell whether the file in the folder is still the one that was read."""
    try:
        status = content.candidate.path.lstat()
    except FileNotFoundError:
        return False
    seen = content.candidate
    return (status.st_size, status.st_mtime_ns, status.st_ino) == (
        seen.size,
        seen.modified,
        seen.inode,
    )


def archive_name(content: Content, source: str, now: int) -> Path:
    """Return where a file goes, relative to the archive: source, day of arrival (UTC), name, and as
    much of the content's hash as tells two files of one name apart."""
    day = datetime.fromtimestamp(now, UTC).strftime("%Y/%m/%d")
    return Path(source) / day / kept_name(content)


def kept_name(content: Content) -> str:
    """Return the name under which a file is kept."""
    name = content.candidate.name if content.trouble else content.name
    ending = f".{content.sha256[:8]}.gz"
    # Two files whose long names begin alike are told apart by their content.
    return _cut(name, LONGEST_NAME - len(ending)) + ending


def _cut(name: str, size: int) -> str:
    """Return a name of at most so many bytes."""
    return name.encode()[:size].decode("utf-8", "ignore")


def written_seconds(content: Content) -> int:
    """Return when a file was last written, in epoch seconds, as far as gzip can say it, else 0.
    Formats without a year need it when the archive is read again."""
    seconds = content.candidate.modified // 1_000_000_000
    return seconds if 0 < seconds < 2**32 else 0


def kept_since(path: Path) -> int:
    """Return when a kept file was last written before it was kept, in epoch seconds; 0 where it is
    not known or the file is not there."""
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except OSError:
        return 0
    return int.from_bytes(head[4:8], "little") if head[:2] == b"\x1f\x8b" else 0


def keep(content: Content, target: Path) -> None:
    """Write a file's content, compressed, as ``target``: whole or not at all; a compressed file that
    cannot be read as it is. Raises OSError, also where another process is writing it."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # Always the same name: what a killed process left of it is written over, not left for ever.
    temporary = target.with_name(f".{target.name}.part")
    with _alone(temporary) as raw:
        if target.exists():
            return
        try:
            if content.in_hand:
                written = written_seconds(content)
                raw.write(gzip.compress(content.data, compresslevel=1, mtime=written))
            else:
                _compress(content, raw)
            raw.flush()
            os.fsync(raw.fileno())
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def _alone(temporary: Path) -> Iterator[BinaryIO]:
    """Open a temporary file, emptied, that nobody else writes meanwhile: a process that was paused,
    on this machine or another, may wake up in the midst of what somebody has done in its place.

    Raises OSError where somebody has it. A file system without locks is let pass.
    """
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    with os.fdopen(descriptor, "wb") as raw:
        try:
            fcntl.flock(raw, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OSError(error.errno, "another process is writing it") from error
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        if not _is_at(raw, temporary):
            # Who had it has finished.
            raise OSError(errno.EAGAIN, "another process has just written it")
        if os.fstat(descriptor).st_size:
            raw.truncate(0)
        yield raw


def _is_at(raw: BinaryIO, path: Path) -> bool:
    """Tell whether an open file is still the one of a name."""
    try:
        return os.path.samestat(os.fstat(raw.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _compress(content: Content, raw: BinaryIO) -> None:
    """Write a large content compressed. Raises OSError when it has changed."""
    with (
        content.stream() as stream,
        gzip.GzipFile(
            "", "wb", compresslevel=1, fileobj=raw, mtime=written_seconds(content)
        ) as packed,
    ):
        while block := stream.read(_BLOCK):
            packed.write(block)
    content.check()


def put_back(archived: Path, folder: Path, name: str) -> None:
    """Put an archived file into a drop folder again, whole or not at all.

    Raises FileExistsError when a file of that name waits there, OSError for anything else.
    """
    target = folder / name
    if target.exists():
        raise FileExistsError(f"{target} is there already")
    temporary = folder / f".{_cut(name, LONGEST_NAME)}.part"
    try:
        with gzip.open(archived, "rb") as packed, temporary.open("wb") as raw:
            while block := packed.read(_BLOCK):
                raw.write(block)
        if written := kept_since(archived):
            os.utime(temporary, (written, written))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def remove(content: Content) -> None:
    """Remove a file from the drop folder, unless another has taken its place. Raises OSError."""
    if unchanged(content):
        content.candidate.path.unlink(missing_ok=True)
