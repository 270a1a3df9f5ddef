"""Account codes: what callers key in so that a call is authorised, or charged to a matter.

A list (CSV) says what a code stands for: forced authorization codes (``fac``), which are secrets of
people, and client matter codes (``cmc``). docs/rules.md 7.6.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from syncd.domain.clock import BEGINNING, FOREVER
from syncd.domain.errors import Problem

FAC, CMC = "fac", "cmc"
KINDS = (FAC, CMC)
COLUMNS = ("code", "kind", "name", "cost_center", "matter", "valid_from", "valid_to")
"""By name, in any order; the first two are needed."""
NEEDED = COLUMNS[:2]
HIDDEN = "***"
"""Stands for a code that has no name, for who may not see it."""


class AccountCode(NamedTuple):
    """What a code stands for from … to (epoch seconds, exclusive)."""

    kind: str
    code: str
    name: str
    cost_center: str
    matter: str
    valid_from: int
    valid_to: int


class Charge(NamedTuple):
    """To what the codes of a call charge it; a text is empty where they say nothing."""

    cost_center: str
    matter: str


@dataclass(frozen=True, slots=True)
class AccountCodes:
    """The list. Of one kind and code no two entries hold at once."""

    _by_code: dict[tuple[str, str], tuple[AccountCode, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, codes: Iterable[AccountCode]) -> AccountCodes:
        found: dict[tuple[str, str], tuple[AccountCode, ...]] = {}
        for one in sorted(codes, key=lambda one: one.valid_from):
            key = (one.kind, one.code)
            found[key] = (*found.get(key, ()), one)
        return cls(found)

    def __bool__(self) -> bool:
        return bool(self._by_code)

    def find(self, kind: str, code: str, when: int) -> AccountCode | None:
        """Return what a code stood for at a moment (epoch seconds)."""
        for one in self._by_code.get((kind, code), ()):
            if one.valid_from <= when < one.valid_to:
                return one
        return None

    def name(self, kind: str, code: str) -> str:
        """Return the latest name of a code, empty when it has none."""
        return next((one.name for one in reversed(self._by_code.get((kind, code), ()))), "")

    def charge(self, fac: str, cmc: str, when: int) -> Charge | None:
        """Return to what the codes of a call charge it: the client matter code first, since it says
        for whom, then the authorization code, since it says by whom; None when neither does."""
        found = [
            one
            for kind, code in ((CMC, cmc), (FAC, fac))
            if code
            for one in [self.find(kind, code, when)]
            if one is not None
        ]
        cost_center = next((one.cost_center for one in found if one.cost_center), "")
        matter = next((one.matter for one in found if one.matter), "")
        return Charge(cost_center, matter) if cost_center or matter else None

    def shown(self, code: str, *, raw: bool) -> str:
        """Return an authorization code as a reader gets it: as it is, or its name, or hidden."""
        if raw or not code:
            return code
        return self.name(FAC, code) or HIDDEN


NO_CODES = AccountCodes()


def load_account_codes(path: Path, zone: ZoneInfo) -> tuple[AccountCodes, list[Problem]]:
    """Read a list, whose days begin in a zone. Returns it, empty when anything is wrong with it, and
    everything that is wrong."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return NO_CODES, [Problem(str(path), 0, "", f"cannot be read: {error.strerror or error}")]
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return NO_CODES, [Problem(str(path), line, "", "is not UTF-8", "save it as UTF-8")]
    reader = _Reader(str(path), zone)
    found = reader.read(text.splitlines())
    return (NO_CODES if reader.problems else AccountCodes.of(found)), reader.problems


class _Reader:
    """Reads a list, going on after a mistake."""

    def __init__(self, file: str, zone: ZoneInfo) -> None:
        self.file = file
        self.zone = zone
        self.line = 0
        self.problems: list[Problem] = []

    def problem(self, column: str, what: str, hint: str = "") -> None:
        self.problems.append(Problem(self.file, self.line, column, what, hint))

    def read(self, lines: Sequence[str]) -> list[AccountCode]:
        header: list[str] = []
        found: list[AccountCode] = []
        written: dict[tuple[str, str], list[tuple[int, AccountCode]]] = {}
        for self.line, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            if "\0" in line:  # not every database can hold one
                self.problem(
                    "", "the line holds NUL bytes", "save it as CSV with the encoding UTF-8"
                )
                continue
            try:
                cells = [cell.strip() for cell in next(csv.reader([line], strict=True))]
            except csv.Error as error:
                self.problem("", f"this is not CSV: {error}", "are all quotes closed on the line?")
                continue
            if not header:
                header = [cell.lower() for cell in cells]
                if not self._check_header(header):
                    return []
                continue
            if len(cells) != len(header):
                self.problem(
                    "",
                    f"the row has {len(cells)} cells where the header has {len(header)}",
                    "a comma within a cell needs quotes around the cell",
                )
                continue
            one = self._code(dict(zip(header, cells, strict=True)))
            if one is None:
                continue
            before = written.setdefault((one.kind, one.code), [])
            for at, other in before:
                if one.valid_from < other.valid_to and other.valid_from < one.valid_to:
                    self.problem(
                        "code",
                        f"the code stands on line {at} too, for some of the same days",
                        "end one with valid_to before the other begins",
                    )
            before.append((self.line, one))
            found.append(one)
        if not header:
            self.line = 0
            self.problem("", "the list has no header", f"the header is {','.join(COLUMNS)}")
        return found

    def _check_header(self, header: list[str]) -> bool:
        before = len(self.problems)
        for place, name in enumerate(header):
            if name not in COLUMNS:
                near = get_close_matches(name, COLUMNS, 1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(COLUMNS)}"
                self.problem(name or f"column {place + 1}", "unknown column", hint)
            elif header.index(name) != place:
                self.problem(name, "the column is there twice", "leave one of them out")
        for name in NEEDED:
            if name not in header:
                self.problem(name, "the column is missing", f"the header is {','.join(COLUMNS)}")
        return len(self.problems) == before

    def _code(self, row: dict[str, str]) -> AccountCode | None:
        before = len(self.problems)
        code, kind = row["code"], row["kind"].lower()
        if not code:
            self.problem("code", "is empty")
        if kind not in KINDS:
            self.problem("kind", f"{row['kind']!r} is no kind of code", "fac or cmc")
        since = self._day(row, "valid_from", BEGINNING)
        until = self._day(row, "valid_to", FOREVER)
        if since is not None and until is not None and since >= until:
            self.problem("valid_to", "is not after valid_from", "it is the first day no more valid")
        if len(self.problems) > before or since is None or until is None:
            return None
        name, cost_center, matter = (" ".join(row.get(one, "").split()) for one in COLUMNS[2:5])
        return AccountCode(kind, code, name, cost_center, matter, since, until)

    def _day(self, row: dict[str, str], column: str, absent: int) -> int | None:
        text = row.get(column, "")
        if not text:
            return absent
        try:
            day = date.fromisoformat(text)
        except ValueError:
            self.problem(column, f"{text!r} is no day", "such as 2026-03-01, or empty")
            return None
        return int(datetime.combine(day, time(), self.zone).timestamp())
