"""Many small values held as bytes: a directory of 50,000 people is millions of Python objects, and
as bytes it takes a fifth of the memory."""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

from syncd.directory.protocol import Entry
from syncd.domain.party import PartyState

_AT_ONCE = 1000

Row = tuple[object, ...]


class PackedEntries(Sequence[Entry]):
    """Entries of a directory, each unpacked when it is asked for."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._packed: list[bytes] = []
        for entry in entries:
            self.append(entry)

    def append(self, entry: Entry) -> None:
        self._packed.append(_pack(entry))

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> list[Entry]: ...
    def __getitem__(self, place: int | slice) -> Entry | list[Entry]:
        if isinstance(place, slice):
            return [_unpack(packed) for packed in self._packed[place]]
        return _unpack(self._packed[place])

    def __setitem__(self, place: int, entry: Entry) -> None:
        self._packed[place] = _pack(entry)

    def __iter__(self) -> Iterator[Entry]:
        return map(_unpack, self._packed)

    def drained(self) -> Iterator[Entry]:
        """Give the entries in their order, and let go of each: none is left."""
        self._packed.reverse()
        while self._packed:
            yield _unpack(self._packed.pop())


def _pack(entry: Entry) -> bytes:
    return marshal.dumps(tuple(entry))


def _unpack(packed: bytes) -> Entry:
    return Entry._make(marshal.loads(packed))


class Noted:
    """People as ``groups.join`` wants them: what it notes in their attributes is kept."""

    def __init__(self, entries: PackedEntries, entry_dns: Sequence[str] = ()) -> None:
        """``entry_dns``: those of the entries in their order, where ``where`` is something else."""
        self._entries = entries
        self._entry_dns = entry_dns

    def __iter__(self) -> Iterator[tuple[str, dict[str, list[str]]]]:
        for place, entry in enumerate(self._entries):
            yield self._entry_dns[place] if self._entry_dns else entry.where, entry.attributes
            self._entries[place] = entry


class PackedStates(Mapping[str, PartyState]):
    """What a directory says of everybody, by external id, in its order."""

    def __init__(self, states: Iterable[PartyState] = ()) -> None:
        self._packed: dict[str, bytes] = {}
        self._names: list[tuple[str, ...]] = []
        self._place: dict[tuple[str, ...], int] = {}
        for state in states:
            self.add(state)

    def add(self, state: PartyState) -> None:
        names = tuple(state.fields)
        place = self._place.get(names)
        if place is None:
            place = self._place[names] = len(self._names)
            self._names.append(names)
        values = (place, state.where, state.kind, *state.fields.values())
        self._packed[state.external_id] = marshal.dumps(values)

    def __getitem__(self, external_id: str) -> PartyState:
        place, where, kind, *values = marshal.loads(self._packed[external_id])
        names = self._names[place]
        return PartyState(external_id, dict(zip(names, values, strict=True)), where, kind)

    def __contains__(self, external_id: object) -> bool:
        return external_id in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


class Chosen(Sequence[PartyState]):
    """Some of what a directory says, read from there when it is asked for."""

    def __init__(self, said: Mapping[str, PartyState], external_ids: Sequence[str]) -> None:
        self._said = said
        self._ids = external_ids

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, place: int) -> PartyState: ...
    @overload
    def __getitem__(self, place: slice) -> Chosen: ...
    def __getitem__(self, place: int | slice) -> PartyState | Chosen:
        if isinstance(place, slice):
            return Chosen(self._said, self._ids[place])
        return self._said[self._ids[place]]


class PackedRows(Iterable[Row]):
    """Rows of a table, of texts, numbers and nulls; unpacked a thousand at a time."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._packed: list[bytes] = []
        self._last: list[Row] = []
        self.extend(rows)

    def extend(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._last.append(row)
            if len(self._last) == _AT_ONCE:
                self._packed.append(marshal.dumps(self._last))
                self._last = []

    def __iter__(self) -> Iterator[Row]:
        for packed in self._packed:
            rows: list[Any] = marshal.loads(packed)
            yield from rows
        yield from self._last
