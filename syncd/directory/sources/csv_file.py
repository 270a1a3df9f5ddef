"""The source ``csv``: a table of people, one a line, whose header names the attributes.

It comes whole or not at all: a line that does not fit the header says that the file was cut off or
is not what it was, and then nothing of it may be compared with what is stored.
"""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path

from syncd.directory.filter import FilterError, compile_filter
from syncd.directory.identity import IDENTITY_ATTRIBUTES, external_id
from syncd.directory.mapping import mapping_of
from syncd.directory.packed import PackedEntries
from syncd.directory.protocol import DirectorySource, Entry, Snapshot
from syncd.domain.errors import ConfigurationError, Problem
from syncd.settings.model import DirectorySettings

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}
_IDENTITIES = tuple(name.lower() for name in IDENTITY_ATTRIBUTES)
_QUOTED = re.compile(r'"[^"]*"')
_FILTERED = re.compile(r"\(\s*([A-Za-z0-9.-]+)(?:;[A-Za-z0-9-]+)*\s*[<>~]?=")
_EXCEL = re.compile(r"sep=(.)", re.IGNORECASE)
_TOP = ["top"]


def open_source(settings: DirectorySettings) -> DirectorySource:
    """Return the source of a section of type ``csv``. Raises ConfigurationError."""
    return CsvSource(settings)


class CsvSource:
    """Reads a CSV file; the filter chooses its lines."""

    def __init__(self, settings: DirectorySettings) -> None:
        if settings.file is None:
            raise _wrong(settings, "file", "there is no file", "file = people.csv")
        self.settings = settings
        self.file: Path = settings.file
        self._mapping = mapping_of(settings)
        self._wanted = frozenset(self._mapping.attributes)
        self._filter = settings.filter or "(objectClass=*)"
        try:
            self._fits = compile_filter(self._filter)
        except FilterError as error:
            raise _wrong(settings, "filter", str(error), "as in RFC 4515") from error

    def snapshot(self) -> Snapshot:
        """See DirectorySource. A file that cannot be read is a ConfigurationError, one with a
        mistake in it is incomplete."""
        entries = PackedEntries()
        problems: list[Problem] = []
        try:
            with self.file.open("rb") as raw:
                before = os.fstat(raw.fileno())
                try:
                    self._read(raw, entries, problems)
                except OSError as error:
                    what = f"it cannot be read to its end: {error.strerror}"
                    problems.append(self._mistake(0, what, ""))
                after = os.fstat(raw.fileno())
        except OSError as error:
            what = f"{self.file} cannot be read: {error.strerror}"
            raise _wrong(self.settings, "file", what, "") from error
        why = ""
        if len(problems) > 1:
            why = f"{self.file} has {len(problems)} mistakes"
        elif problems:
            why = str(problems[0])
        elif (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            why = f"{self.file} was written while it was read"
        return Snapshot(entries, not why, why, str(self.file), tuple(problems))

    def _read(
        self, raw: io.BufferedReader, entries: PackedEntries, problems: list[Problem]
    ) -> None:
        if raw.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff"):
            hint = "save it as “CSV UTF-8”"
            problems.append(self._mistake(1, "the file is UTF-16, and must be UTF-8", hint))
            return
        text = io.TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="")
        try:
            self._read_rows(text, entries, problems)
        finally:
            text.detach()  # who opened the file closes it

    def _read_rows(
        self, text: io.TextIOWrapper, entries: PackedEntries, problems: list[Problem]
    ) -> None:
        first = text.readline()
        skipped = 0
        chosen = DELIMITERS.get(self.settings.delimiter, "")
        excel = _EXCEL.fullmatch(first.strip("\r\n"))
        if excel:  # a line by which Excel tells itself the delimiter
            chosen, first, skipped = chosen or excel[1], text.readline(), 1
        lines = itertools.chain([first] if first else [], text)
        reader = csv.reader(lines, delimiter=chosen or guessed(first), strict=True)
        header: list[str] | None = None
        rows = 0
        for line, cells in self._rows(reader, skipped, problems):
            if header is None:
                header = [cell.strip().lower() for cell in cells]
                wrong = self._wrong_header(header, line)
                if wrong:
                    problems.extend(wrong)
                    return
                continue
            rows += 1
            if len(cells) != len(header):
                what = f"there are {len(cells)} columns, and the header has {len(header)}"
                hint = "was the file cut off? A text with the delimiter in it needs quotes"
                problems.append(self._mistake(line, what, hint))
            else:
                self._take(line, header, cells, entries)
        if header is None:
            hint = "its first line names the columns"
            problems.append(self._mistake(1, "the file is empty", hint))
        elif not rows and not problems:
            hint = "was the file cut off?"
            problems.append(self._mistake(1, "there is nothing after the header", hint))

    def _rows(
        self,
        reader: Iterator[list[str]],
        skipped: int,
        problems: list[Problem],
    ) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of each row's first line and its cells; rows without any text are
        passed over."""
        while True:
            line = reader.line_num + skipped + 1  # type: ignore[attr-defined]
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                hint = "a text in quotes ends with one, and a quote in it is written twice"
                problems.append(self._mistake(line, f"this is not CSV: {error}", hint))
                continue
            if any("\0" in cell for cell in cells):
                hint = "was the file cut off, or damaged?"
                problems.append(self._mistake(line, "there are zero bytes in it", hint))
            elif any(cell and not cell.isspace() for cell in cells):
                yield line, cells

    def _wrong_header(self, header: list[str], line: int) -> list[Problem]:
        """Return what the header lacks of that which the settings name."""
        found: list[Problem] = []
        columns = frozenset(header)
        section = f"[directory:{self.settings.name}]"
        if self.settings.id and self.settings.id.lower() not in columns:
            what = f"there is no column {self.settings.id}, by which people are known"
            found.append(self._mistake(line, what, f"{section} id names it"))
        elif not self.settings.id and columns.isdisjoint(_IDENTITIES):
            what = "there is no column by which people are known for ever"
            found.append(self._mistake(line, what, f"{section} id names it, such as id = number"))
        for rule in self._mapping.rules:
            if rule.attributes and columns.isdisjoint(rule.attributes):
                what = f"there is no column {' or '.join(rule.attributes)}"
                hint = f"[map:{self._mapping.name}] {rule.field} names it"
                found.append(self._mistake(line, what, hint))
        for name in dict.fromkeys(name.lower() for name in _FILTERED.findall(self._filter)):
            if name not in columns and name != "objectclass":
                what = f"there is no column {name}"
                found.append(self._mistake(line, what, f"{section} filter names it"))
        return found

    def _take(self, line: int, header: list[str], cells: list[str], entries: PackedEntries) -> None:
        texts: dict[str, list[str]] = {}
        for name, cell in zip(header, cells, strict=True):
            if cell:
                texts.setdefault(name, []).append(cell)
        texts.setdefault("objectclass", _TOP)  # as every entry of a directory
        if not self._fits(texts):
            return
        wanted = self._wanted
        values = {name: held for name, held in texts.items() if name in wanted}
        entries.append(Entry(f"{self.file}:{line}", self._identity(texts), values))

    def _identity(self, texts: dict[str, list[str]]) -> str:
        own = self.settings.id.lower()
        names = (own,) if own else _IDENTITIES
        raw = {
            name: [text.encode("utf-8", "surrogateescape") for text in texts[name]]
            for name in names
            if name in texts
        }
        return external_id(raw, own)

    def _mistake(self, line: int, what: str, hint: str) -> Problem:
        return Problem(str(self.file), line, "", what, hint)


def guessed(header: str) -> str:
    """Return the delimiter of a header: comma, semicolon or tab, whichever it has most of outside
    quotes."""
    bare = _QUOTED.sub("", header)
    return max(DELIMITERS.values(), key=bare.count)


def _wrong(settings: DirectorySettings, option: str, what: str, hint: str) -> ConfigurationError:
    problem = Problem("", 0, f"[directory:{settings.name}] {option}", what, hint)
    return ConfigurationError(f"the directory {settings.name} cannot be read", problems=[problem])
