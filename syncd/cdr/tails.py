"""How far each growing file of a folder was read, and whether a file is the one that was read.

A file is known by its device and inode. That it is still the same one, and what a copy or a
compressed one is a copy of, tell the bytes with which it begins and those before the place up to
which it was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

from peewee import fn

from syncd.store.growing_models import GrowingFile

COMPARED = 4096
"""Bytes at the beginning, and before the place, that are compared."""

Opener = Callable[[int], BinaryIO]
"""Given a position returns a stream of a file's content from there."""


@dataclass(frozen=True, slots=True)
class Tail:
    """A file, and what is stored of it."""

    device: int
    inode: int
    file_id: int = 0
    """Of the ledger; 0 when nothing is stored yet."""
    position: int = 0
    """Bytes from the beginning up to which its rows are stored."""
    lines: int = 0
    head_size: int = 0
    head: str = ""
    last_size: int = 0
    last: str = ""
    size: int = -1
    """Bytes, and the time of modification in nanoseconds, when all of it was read last; -1 while
    there is more to read."""
    modified: int = -1

    def begins(self, opened: Opener) -> bool:
        """Tell whether a content is what was read, at its beginning and before the place."""
        return (
            self.head == digest_at(opened, 0, self.head_size)
            and self.last == digest_at(opened, self.position - self.last_size, self.last_size)
        )  # fmt: skip

    def moved(self, opened: Opener, position: int, lines: int) -> Tail:
        """Return it with another place, to which a content was read."""
        head_size = last_size = min(position, COMPARED)
        return replace(
            self,
            position=position,
            lines=lines,
            head_size=head_size,
            head=digest_at(opened, 0, head_size),
            last_size=last_size,
            last=digest_at(opened, position - last_size, last_size),
            size=-1,
            modified=-1,
        )


def digest_at(opened: Opener, position: int, size: int) -> str:
    """Return the SHA-256 of bytes of a content, fewer where it ends before. Raises OSError."""
    if not size:
        return ""
    with opened(position) as stream:
        return hashlib.sha256(stream.read(size)).hexdigest()


def positions() -> dict[int, int]:
    """Return how many bytes of each growing file are stored, by its id in the ledger."""
    rows = GrowingFile.select(GrowingFile.file_id, fn.MAX(GrowingFile.position)).group_by(
        GrowingFile.file_id
    )
    return dict(rows.tuples())


def place_of(file_id: int) -> tuple[int, int]:
    """Return up to which byte a file of the ledger is stored, and how many lines that is; 0 where
    nothing is known."""
    found = GrowingFile.select(GrowingFile.position, GrowingFile.lines).where(
        GrowingFile.file_id == file_id
    )
    place = found.order_by(GrowingFile.position.desc()).tuples().first()
    return (0, 0) if place is None else (place[0], place[1])


def forget(file_id: int) -> None:
    """Forget how far a file is stored: all of it is."""
    GrowingFile.delete().where(GrowingFile.file_id == file_id).execute()


class Tails:
    """What the database has of one source."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._tails = {
            (tail.device, tail.inode): tail
            for row in GrowingFile.select(*_COLUMNS).where(GrowingFile.source == source).tuples()
            for tail in (Tail(*row),)
        }

    def at(self, device: int, inode: int) -> Tail | None:
        return self._tails.get((device, inode))

    def like(self, opened: Opener, stored: int) -> Tail | None:
        """Return the file that a content is a copy of, the one of which most is stored, and more
        than so many bytes."""
        for tail in sorted(self._tails.values(), key=lambda tail: -tail.position):
            if tail.position <= stored:
                break
            if tail.begins(opened):
                return tail
        return None

    def save(self, tail: Tail) -> None:
        """Remember how far a file is stored, within the transaction that stores it."""
        values = dict(
            zip(_COLUMNS, (getattr(tail, column.name) for column in _COLUMNS), strict=True)
        )
        GrowingFile.insert({GrowingFile.source: self.source, **values}).on_conflict(
            conflict_target=[GrowingFile.source, GrowingFile.device, GrowingFile.inode],
            preserve=list(_COLUMNS[2:]),
        ).execute()

    def saved(self, tail: Tail) -> None:
        """Take over what was committed."""
        self._tails[tail.device, tail.inode] = tail


_COLUMNS = (
    GrowingFile.device,
    GrowingFile.inode,
    GrowingFile.file_id,
    GrowingFile.position,
    GrowingFile.lines,
    GrowingFile.head_size,
    GrowingFile.head,
    GrowingFile.last_size,
    GrowingFile.last,
    GrowingFile.size,
    GrowingFile.modified,
)
