"""A drop folder: which files are ready, reading them once, and moving them to the archive.

Polling is the truth. A file is taken when its name fits, it is a regular file, its name is not that
of an unfinished upload, and its size and modification time have been still for the settle time.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

UNFINISHED_PREFIXES = (".", "_")
UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".filepart", ".swp", "~")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file of a drop folder as it was seen: size in bytes, modification time in nanoseconds."""

    path: Path
    size: int
    modified: int
    inode: int

    @property
    def name(self) -> str:
        return self.path.name


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes, read once."""

    candidate: Candidate
    data: bytes
    sha256: str


def candidates(folder: Path, pattern: str) -> list[Candidate]:
    """Return the files of a folder whose names fit, oldest first, ties by name.

    Raises OSError when the folder cannot be read.
    """
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not _name_fits(entry.name, pattern):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode):
                found.append(
                    Candidate(Path(entry.path), status.st_size, status.st_mtime_ns, status.st_ino)
                )
    return sorted(found, key=lambda candidate: (candidate.modified, candidate.name))


def _name_fits(name: str, pattern: str) -> bool:
    return (
        not name.startswith(UNFINISHED_PREFIXES)
        and not name.lower().endswith(UNFINISHED_SUFFIXES)
        and fnmatchcase(name, pattern)
    )


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
    """Read a file whole. Raises OSError, also when it is no regular file any more."""
    descriptor = os.open(candidate.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(f"{candidate.path} is not a regular file")
        data = stream.read()
    return Content(candidate, data, hashlib.sha256(data).hexdigest())


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
    return Path(source) / day / f"{content.candidate.name}.{content.sha256[:8]}.gz"


def keep(content: Content, target: Path) -> None:
    """Write a file's bytes, compressed, as ``target``: whole or not at all. Raises OSError."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as raw:
            raw.write(gzip.compress(content.data, compresslevel=1, mtime=0))
            raw.flush()
            os.fsync(raw.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def put_back(archived: Path, folder: Path, name: str) -> None:
    """Put an archived file into a drop folder again, whole or not at all.

    Raises FileExistsError when a file of that name waits there, OSError for anything else.
    """
    target = folder / name
    if target.exists():
        raise FileExistsError(f"{target} is there already")
    temporary = folder / f".{name}.{os.getpid()}"
    try:
        temporary.write_bytes(gzip.decompress(archived.read_bytes()))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def remove(content: Content) -> None:
    """Remove a file from the drop folder, unless another has taken its place. Raises OSError."""
    if unchanged(content):
        content.candidate.path.unlink(missing_ok=True)
