"""The source ``ldif``: a file with the entries of a directory, by the same rules as a server's."""

from __future__ import annotations

import os
from pathlib import Path

from syncd.directory.entry_dn import Area
from syncd.directory.filter import FilterError, compile_filter
from syncd.directory.groups import (
    MEMBER_ATTRIBUTES,
    EntryKey,
    join,
    key_of,
    unknown_groups,
)
from syncd.directory.identity import decoded, external_id
from syncd.directory.mapping import mapping_of
from syncd.directory.packed import Noted, PackedEntries
from syncd.directory.protocol import DirectorySource, Entry, Snapshot
from syncd.directory.sources.ldif_reader import Mistake, Record, read_records
from syncd.domain.errors import ConfigurationError, Problem
from syncd.settings.model import DirectorySettings


def open_source(settings: DirectorySettings) -> DirectorySource:
    """Return the source of a section of type ``ldif``. Raises ConfigurationError."""
    return LdifSource(settings)


class LdifSource:
    """Reads an LDIF file; base, scope and filter choose its entries."""

    def __init__(self, settings: DirectorySettings) -> None:
        if settings.file is None:
            raise _wrong(settings, "file", "there is no file", "file = people.ldif")
        self.settings = settings
        self.file: Path = settings.file
        self._area = Area(settings.base, settings.scope) if settings.base else None
        self._wanted = frozenset(mapping_of(settings).attributes)
        self._group_keys = {key_of(group.entry_dn) for group in settings.groups}
        self._members: dict[EntryKey, list[str]] = {}
        self._entry_dns: list[str] = []
        try:
            self._fits = compile_filter(settings.filter or "(objectClass=*)")
        except FilterError as error:
            raise _wrong(settings, "filter", str(error), "as in RFC 4515") from error

    def snapshot(self) -> Snapshot:
        """See DirectorySource. A file that cannot be read is a ConfigurationError, one with a
        mistake in it is incomplete."""
        entries = PackedEntries()
        problems: list[Problem] = []
        self._members.clear()
        self._entry_dns.clear()
        try:
            with self.file.open("rb") as stream:
                before = os.fstat(stream.fileno())
                try:
                    for item in read_records(stream):
                        if isinstance(item, Mistake):
                            place = (str(self.file), item.line, "")
                            problems.append(Problem(*place, item.what, item.hint))
                        else:
                            self._take(item, entries)
                except OSError as error:
                    what = f"it cannot be read to its end: {error.strerror}"
                    problems.append(Problem(str(self.file), 0, "", what))
                after = os.fstat(stream.fileno())
        except OSError as error:
            what = f"{self.file} cannot be read: {error.strerror}"
            raise _wrong(self.settings, "file", what, "") from error
        why = ""
        if problems:
            why = (
                f"{self.file} has {len(problems)} mistakes"
                if len(problems) > 1
                else str(problems[0])
            )
        elif (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            why = f"{self.file} was written while it was read"
        if self.settings.groups and not why:
            people = Noted(entries, self._entry_dns)
            unknown = join(self.settings.groups, people, lambda dn: self._members.get(key_of(dn)))
            if unknown:
                why = unknown_groups(unknown)
        return Snapshot(entries, not why, why, str(self.file), tuple(problems))

    def _take(self, record: Record, entries: PackedEntries) -> None:
        if self.settings.groups:
            self._note_members(record)
        if self._area is not None and not self._area.contains(record.entry_dn):
            return
        raw = record.attributes
        texts = {name: decoded(values) for name, values in raw.items()}
        if not self._fits(texts):
            return
        wanted = self._wanted
        values = {name: held for name, held in texts.items() if name in wanted}
        identity = external_id(raw, self.settings.id.lower())
        entries.append(Entry(f"{self.file}:{record.line}", identity, values))
        self._entry_dns.append(record.entry_dn)

    def _note_members(self, record: Record) -> None:
        """Remember who is in a group, wherever in the file it stands."""
        values = [
            value
            for name in MEMBER_ATTRIBUTES
            for value in decoded(record.attributes.get(name.lower(), ()))
        ]
        named = key_of(record.entry_dn)
        if values or named in self._group_keys:
            self._members[named] = values


def _wrong(settings: DirectorySettings, option: str, what: str, hint: str) -> ConfigurationError:
    problem = Problem("", 0, f"[directory:{settings.name}] {option}", what, hint)
    return ConfigurationError(f"the directory {settings.name} cannot be read", problems=[problem])
