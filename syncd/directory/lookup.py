"""One entry of a directory, as it is: to see what the mapping makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from syncd.directory.entry_dn import normal_parts
from syncd.directory.protocol import DirectorySource, Entry
from syncd.domain.errors import RefusedError

SECRETS = frozenset(
    ("userpassword", "unicodepwd", "sambantpassword", "sambalmpassword", "krbprincipalkey")
)
"""Attributes whose values are never shown."""


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that a text names."""

    entry_dn: str
    """Or ``file:line``."""
    raw: Mapping[str, Sequence[bytes]]
    """Values by attribute name; of a file only those that the mapping names."""
    entry: Entry
    """As the mapping sees it."""
    why_not: str = ""
    """Why a sync does not read it, empty when it does."""


@runtime_checkable
class Searchable(Protocol):
    """A directory that can be asked for one entry without reading all."""

    def find(self, text: str) -> list[Found]:
        """Return the entries whose entry DN, external id or naming attribute is this text.

        Values must be equal to the byte, entry DNs as a directory compares them. Raises as
        ``snapshot`` does, and RefusedError when the answer is not complete.
        """
        ...


def find(source: DirectorySource, text: str, naming: Sequence[str]) -> list[Found]:
    """Return the entries that a text names; ``naming`` are lower-cased attributes by whose values
    entries are called. Raises as ``Searchable.find`` does."""
    if isinstance(source, Searchable):
        return source.find(text)
    snapshot = source.snapshot()
    if not snapshot.complete:
        raise RefusedError(
            f"it could not be read completely: {snapshot.why_incomplete}",
            problems=snapshot.problems,
        )
    return [
        Found(entry.where, _raw(entry), entry)
        for entry in snapshot.entries
        if text in (entry.where, entry.external_id)
        or any(text in entry.attributes.get(name, ()) for name in naming)
    ]


def _raw(entry: Entry) -> dict[str, list[bytes]]:
    return {
        name: [text.encode("utf-8", "surrogateescape") for text in texts]
        for name, texts in entry.attributes.items()
        if ":" not in name
    }


def same_entry_dn(one: str, other: str) -> bool:
    """Whether two texts name one entry."""
    return normal_parts(one) == normal_parts(other)


def shown_value(name: str, value: bytes) -> str:
    """Return a raw value as people read it: text, else hexadecimal after ``0x``."""
    if name.lower().partition(";")[0] in SECRETS:
        return "(not shown)"
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return f"0x{value.hex()}"
    return text if text.isprintable() else f"0x{value.hex()}"
