"""What every kind of directory gives: a snapshot, with the proof that it is whole, and where it can
the changes since one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from syncd.domain.errors import Problem
from syncd.domain.party import Line


class Entry(NamedTuple):
    """One entry of a directory."""

    where: str
    """Entry DN, or ``file:line``: for messages only."""
    external_id: str
    """By what the entry is known for ever; empty when it has nothing of the kind."""
    attributes: dict[str, list[str]]
    """Values by lower-cased attribute name, of the attributes that the mapping names. Bytes
    that are not UTF-8 stand as surrogates (``surrogateescape``); the mapping refuses them."""
    partial: bool = False
    """Of a change: only the attributes that changed are here, the others are as they were. Where
    the mapping names one of them everything is read, for what it makes of one attribute depends on
    others: a source that can read the whole entry spares that."""
    cleared: frozenset[str] = frozenset()
    """Of a partial change: the attributes, lower-cased, that have no value any more."""
    kind: str = "person"
    """``person | place | pilot``."""


NO_LINE = Line("", "", "")


class HuntGroup(NamedTuple):
    """A hunt group of a list: who is rung when its pilot is called."""

    key: str
    """Of the name, by which it is known."""
    name: str
    pilot: Line
    """NO_LINE where the list does not name it."""
    members: tuple[Line, ...]
    """Sorted."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a directory answered. Only a ``complete`` one may ever be compared with what is
    stored: anything less says nothing about who is missing."""

    entries: Sequence[Entry]
    complete: bool
    why_incomplete: str
    """A sentence, empty when complete."""
    server: str
    """URL or file that answered."""
    problems: tuple[Problem, ...] = ()
    """The single mistakes behind ``why_incomplete``, where there are such."""
    cookie: str = ""
    """From where ``changes`` goes on. It stands for a moment before the first entry was read, so
    that nothing falls in between; empty when the server has no such thing."""
    hunt_groups: tuple[HuntGroup, ...] = ()
    """All of them, where the source is a list of places."""


@dataclass(frozen=True, slots=True)
class Changes:
    """All that happened since a cookie was given out: applied to the entries of then, it gives
    those that a snapshot would have now."""

    upserts: tuple[Entry, ...]
    """Entries that are new or may have changed, each id once."""
    deletions: tuple[str, ...]
    """External ids of those that are gone, or are no longer under base and filter. Ids that nobody
    has are passed over."""
    cookie: str
    """From where to go on next time."""
    server: str
    """URL that answered. A cookie is good for the server that gave it: the answer of another is
    thrown away and everything is read."""
    present: frozenset[str] | None = None
    """Where the server told who is still there instead of who is gone: external ids, never none at
    all. Who is neither here nor among ``upserts`` is gone."""
    tells_departures: bool = True
    """False where the server cannot say who is gone: that shows in the next full reading."""


class FullReadNeeded(Exception):
    """The changes cannot be had, or not be trusted: everything must be read. ``reason`` is a
    clause that says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DirectorySource(Protocol):
    """A directory that can be read."""

    def snapshot(self) -> Snapshot:
        """Read everything.

        Raises ConfigurationError when the settings cannot work, TryAgainError when no server could
        be reached, secured and bound.
        """
        ...


@runtime_checkable
class IncrementalSource(DirectorySource, Protocol):
    """A directory that can also say what has changed."""

    def changes(self, cookie: str) -> Changes:
        """Read what changed since ``cookie``, which a snapshot or earlier changes gave.

        Raises FullReadNeeded whenever anything is doubtful: a cookie that the server does not
        know, an answer that is not whole, deletions that cannot be told. Else as ``snapshot``.
        """
        ...
