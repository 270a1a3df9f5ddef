"""A list of places: lobby phones, fax machines, hunt pilots, and who is a member of which group.

The list is a CSV file as a phone system exports it. Its places and pilots are parties that do not
log in, known by kind and line; its hunt groups stand beside them, so that the licence knows hunt
numbers that nobody has called through the pilot yet. A mistake anywhere makes the reading
incomplete, as half a list would look like places that are gone.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from syncd.directory.protocol import NO_LINE, DirectorySource, Entry, HuntGroup, Snapshot
from syncd.domain.errors import ConfigurationError, Problem
from syncd.domain.party import Line, clean_number, line_identifier, name_key
from syncd.settings.model import DirectorySettings
from syncd.settings.values import nearest

NEEDED = ("number", "kind")
COLUMNS = (
    *NEEDED,
    "partition",
    "name",
    "department",
    "cost_center",
    "office_location",
    "device",
    "hunt_group",
    "site",
    "billed",
)
PILOT, MEMBER, PLACE = "pilot", "member", "place"
PLACE_KINDS = ("phone", "fax", "room", "door", "lift", "alarm", "modem", "place", "other")
KINDS = (*PLACE_KINDS, PILOT, MEMBER)
_ALIASES = {"hunt pilot": PILOT, "hunt member": MEMBER, "lobby": "phone", "fax machine": "fax"}
_FLAGS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def open_source(settings: DirectorySettings) -> DirectorySource:
    """Return the source of a ``[places:NAME]``. Raises ConfigurationError."""
    return PlacesSource(settings)


class PlacesSource:
    """Reads the CSV file of a section."""

    def __init__(self, settings: DirectorySettings) -> None:
        if settings.file is None:
            raise _wrong(settings, "there is no file")
        self.settings = settings
        self.file = settings.file

    def snapshot(self) -> Snapshot:
        """See DirectorySource. A file that cannot be read is a ConfigurationError, one with a
        mistake in it is incomplete."""
        try:
            with self.file.open("rb") as stream:
                before = os.fstat(stream.fileno())
                data = stream.read()
                after = os.fstat(stream.fileno())
        except OSError as error:
            what = f"{self.file} cannot be read: {error.strerror}"
            raise _wrong(self.settings, what) from error
        reading = _Reading(str(self.file), self.settings)
        reading.take(data)
        problems = tuple(reading.problems)
        why = ""
        if problems:
            many = len(problems) > 1
            why = f"{self.file} has {len(problems)} mistakes" if many else str(problems[0])
        elif (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            why = f"{self.file} was written while it was read"
        groups = tuple(reading.hunt_groups())
        return Snapshot(reading.entries, not why, why, str(self.file), problems, hunt_groups=groups)


def _wrong(settings: DirectorySettings, what: str) -> ConfigurationError:
    problem = Problem("", 0, f"[{settings.section}] file", what)
    return ConfigurationError(f"the list {settings.name} cannot be read", problems=[problem])


@dataclass(slots=True)
class _Group:
    """A hunt group as far as the rows read so far tell of it."""

    name: str
    pilot: Line | None = None
    members: dict[Line, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Reading:
    """One pass over a list."""

    file: str
    settings: DirectorySettings
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _groups: dict[str, _Group] = field(default_factory=dict)
    """By the key of the name."""
    _lines: dict[str, int] = field(default_factory=dict)
    """The line of the file in which each place stands, by external id."""

    def take(self, data: bytes) -> None:
        """Read the whole file."""
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self._problem(line, "", "is not UTF-8 text", "save it as CSV with the encoding UTF-8")
            return
        try:
            self._rows(text)
        except csv.Error as error:
            self._problem(0, "", f"is not CSV: {error}", "was the file cut off?")

    def hunt_groups(self) -> Iterator[HuntGroup]:
        """Yield the groups that the rows name."""
        for key, group in self._groups.items():
            yield HuntGroup(key, group.name, group.pilot or NO_LINE, tuple(sorted(group.members)))

    def _rows(self, text: str) -> None:
        rows = _rows(text)
        number, header = next(rows, (1, []))
        names = [name_key(name).replace(" ", "_").replace("-", "_") for name in header]
        if not self._header_fits(number, names):
            return
        for number, cells in rows:
            if len(cells) != len(names):
                what = f"there are {len(cells)} columns, and the header has {len(names)}"
                hint = "was the file cut off? A text with the delimiter in it needs quotes"
                self._problem(number, "", what, hint)
                continue
            row = dict.fromkeys(COLUMNS, "") | dict(zip(names, cells, strict=True))
            self._row(number, row)

    def _problem(self, line: int, column: str, what: str, hint: str = "") -> None:
        self.problems.append(Problem(self.file, line, column, what, hint))

    def _header_fits(self, line: int, names: list[str]) -> bool:
        before = len(self.problems)
        for name in NEEDED:
            if name not in names:
                self._problem(line, name, "the header has no such column", ",".join(COLUMNS))
        for position, name in enumerate(names):
            if name and name not in COLUMNS:
                hint = nearest(name, COLUMNS)
                self._problem(line, name, "there is no such column", hint)
            elif name and name in names[:position]:
                self._problem(line, name, "the column is there twice")
        return len(self.problems) == before

    def _row(self, line: int, row: dict[str, str]) -> None:
        before = len(self.problems)
        kind = name_key(row["kind"]).replace("_", " ").replace("-", " ")
        kind = _ALIASES.get(kind, kind)
        if kind not in KINDS:
            what = f"{row['kind']!r} is no kind of place" if kind else "is missing"
            self._problem(line, "kind", what, nearest(kind, KINDS))
        number = self._number(line, row["number"])
        bill = _FLAGS.get(row["billed"].casefold()) if row["billed"] else self.settings.bill
        if bill is None:
            self._problem(line, "billed", f"{row['billed']!r} is neither yes nor no")
        if kind == MEMBER and not row["hunt_group"]:
            self._problem(line, "hunt_group", "is missing: of which group is it a member?")
        if len(self.problems) > before:
            return
        where = Line(row["site"] or self.settings.site, row["partition"], number)
        self._hunt(line, kind, where, row)
        # A pilot that is not billed stays a number of the phone system: were it somebody's with
        # billing off, automatic acquisition would have to pass its calls over.
        if kind == MEMBER or (kind == PILOT and not bill):
            return
        self._place(line, kind, where, row, "yes" if bill else "no")

    def _number(self, line: int, text: str) -> str:
        try:
            number = clean_number(text)
        except ValueError as error:
            self._problem(line, "number", str(error))
            return ""
        if not number:
            self._problem(line, "number", "is missing")
        return number

    def _hunt(self, line: int, kind: str, where: Line, row: dict[str, str]) -> None:
        """Note the groups that a row names: as their pilot, or as a member."""
        names = [name.strip() for name in row["hunt_group"].split(";") if name.strip()]
        if kind == PILOT and not names:
            names = [row["name"] or where.line_id]
        for name in names:
            group = self._groups.setdefault(name_key(name), _Group(name))
            if kind != PILOT:
                group.members[where] = None
            elif group.pilot is None:
                group.pilot = where
            elif group.pilot != where:
                what = f"{name!r} has the pilot {group.pilot.line_id} already"
                self._problem(line, "hunt_group", what, "give each group one pilot")

    def _place(self, line: int, kind: str, where: Line, row: dict[str, str], billed: str) -> None:
        party = PILOT if kind == PILOT else PLACE
        identity = f"{party}:{row['site']}:{line_identifier(row['partition'], where.number)}"
        if identity in self._lines:
            what = f"{where.line_id} is in line {self._lines[identity]} already"
            self._problem(line, "number", what, "leave one of them out")
            return
        self._lines[identity] = line
        values = {
            "number": where.number,
            "partition": row["partition"],
            "site": row["site"],
            "name": shown_name(kind, row["name"], where.line_id),
            "department": row["department"],
            "cost-center": row["cost_center"],
            "office-location": row["office_location"],
            "device": row["device"],
            "billed": billed,
        }
        attributes = {name: [value] for name, value in values.items() if value}
        self.entries.append(Entry(f"{self.file}:{line}", identity, attributes, kind=party))


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of each row that is not empty."""
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = 0
    for cells in reader:
        line, before = before + 1, reader.line_num
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield line, stripped


def shown_name(kind: str, name: str, line_id: str) -> str:
    """Return the name of a place in reports: a hunt pilot is told from people."""
    if kind == PILOT and not name_key(name).startswith(PILOT):
        return f"Pilot: {name or line_id}"
    return name or f"{kind.capitalize()} {line_id}"
