"""What every kind of directory gives: a snapshot, with the proof that it is whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from syncd.domain.errors import Problem


class Entry(NamedTuple):
    """One entry of a directory."""

    where: str
    """Entry DN, or ``file:line``: for messages only."""
    external_id: str
    """By what the entry is known for ever; empty when it has nothing of the kind."""
    attributes: dict[str, list[str]]
    """Values by lower-cased attribute name, of the attributes that the mapping names. Bytes
    that are not UTF-8 stand as surrogates (``surrogateescape``); the mapping refuses them."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a directory answered. Only a ``complete`` one may ever be compared with what is
    stored: anything less says nothing about who is missing."""

    entries: list[Entry]
    complete: bool
    why_incomplete: str
    """A sentence, empty when complete."""
    server: str
    """URL or file that answered."""
    problems: tuple[Problem, ...] = ()
    """The single mistakes behind ``why_incomplete``, where there are such."""


class DirectorySource(Protocol):
    """A directory that can be read."""

    def snapshot(self) -> Snapshot:
        """Read everything.

        Raises ConfigurationError when the settings cannot work, TryAgainError when no server could
        be reached, secured and bound.
        """
        ...
