"""How a carrier's rate deck becomes one of ours: which column is which, what goes without saying.

The file is taken wholly or not at all; everything that is wrong with it is said in one pass, in the
words of the carrier's own header.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from syncd.billing import deck_cells
from syncd.billing.deck_rows import COLUMNS, OPTIONAL_COLUMNS, RowReader
from syncd.billing.sheets import HEAD_ROWS, Form, Sheet, heading_key, read_sheets
from syncd.domain.errors import ConfigurationError, Problem
from syncd.domain.rate import Rate

COUNTRY, AREA, INTERVAL = "country_code", "area_code", "billing_interval"
OWN_COLUMNS = (*COLUMNS, *OPTIONAL_COLUMNS)
MAPPED = (*OWN_COLUMNS, COUNTRY, AREA, INTERVAL)
"""What ``column.NAME`` and ``value.NAME`` may name."""
AMOUNTS = ("connection_fee", "price", "minimum_charge", "maximum_charge")
SECONDS = ("initial_seconds", "increment_seconds", "minimum_seconds", "grace_seconds")
UNSAID = {
    "destination": "",
    "class": "",
    "connection_fee": "0",
    "unit_seconds": "60",
    "initial_seconds": "0",
    "minimum_charge": "0",
}
"""What a row says that says nothing of it. The increment is not among them: a deck that does not
say in what steps it is charged would be priced too low."""
JOINED = " + "
"""Between the headings of several columns whose texts become one."""


@dataclass(frozen=True, slots=True)
class DeckMap:
    """The layout of a carrier's decks. ``columns`` has our name and the headings that give it,
    ``values`` what is the same in all rows, written like a cell of the file."""

    name: str
    columns: Mapping[str, tuple[str, ...]]
    values: Mapping[str, str] = field(default_factory=dict)
    form: Form = field(default_factory=Form)
    decimal: str = deck_cells.POINT
    cents: bool = False
    ranges: bool = True
    currency: str = ""
    """What amounts must be in that name a currency; empty: whatever."""

    @property
    def headings(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for names in self.columns.values() for name in names))


class CarrierDeck(NamedTuple):
    """A deck as it was taken: rows by our columns, their rates, and what was passed over."""

    label: str
    rows: tuple[Mapping[str, str], ...]
    rates: tuple[Rate, ...]
    passed_over: int
    """Rows behind the header without price and without digits for a prefix: notes and headings."""
    repeated: int
    """Rows that say word for word what another one said."""


def headings_of(text: str) -> tuple[str, ...]:
    """Return the headings that ``column.NAME`` names."""
    return tuple(part.strip() for part in text.split(JOINED) if part.strip())


def map_problems(layout: DeckMap) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with a layout itself: option, what, hint."""
    said = {*layout.columns, *layout.values}
    for kind, names in (("column", layout.columns), ("value", layout.values)):
        for name in names:
            if name not in MAPPED:
                near = get_close_matches(name, MAPPED, 1)
                hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(MAPPED)}"
                yield f"{kind}.{name}", f"a rate deck has no column {name!r}", hint
    for name in sorted({*layout.columns} & {*layout.values}):
        yield f"value.{name}", f"column.{name} says it too", "leave one of them out"
    if {"prefix", COUNTRY} <= said:
        yield "column.country_code", "column.prefix says it too", "one of them"
    if AREA in said and COUNTRY not in said:
        yield "column.area_code", "there is no country code", "column.country_code = HEADING"
    needed: list[tuple[str, ...]] = [("prefix", COUNTRY)]
    if "increments" in said:
        for name in ("price", INTERVAL, "increment_seconds"):
            if name in said:
                yield "column.increments", f"{name} is said too", "leave one of them out"
    else:
        needed += [("price",), ("increment_seconds", INTERVAL)]
    if INTERVAL in said and said & {"initial_seconds", "increment_seconds"}:
        yield "column.billing_interval", "the seconds of the intervals are said too", "one of them"
    for names_of_one in needed:
        if not said & set(names_of_one):
            name = names_of_one[0]
            yield f"column.{name}", "is missing", f"column.{name} = HEADING, or value.{name} = …"


def read_carrier_deck(path: Path, layout: DeckMap) -> CarrierDeck:
    """Read a carrier's file.

    The table is the first whose header has all that is asked for. Raises ConfigurationError with
    every mistake: file and sheet, line, column.
    """
    sheets = read_sheets(path, layout.form, layout.headings)
    problems: list[Problem] = []
    found: CarrierDeck | None = None
    best: tuple[int, Sheet, int, dict[str, int], list[str]] | None = None
    for sheet in sheets:
        for place, row in enumerate(sheet.rows[:HEAD_ROWS]):
            columns, missing = _header(row.cells, layout)
            if best is None or len(columns) > best[0]:
                best = (len(columns), sheet, place, columns, missing)
    if best is None or not best[0]:
        wanted = ", ".join(layout.headings)
        problems.append(
            Problem(str(path), 0, "", f"no row of the first {HEAD_ROWS} is the header", wanted)
        )
    elif best[4]:
        _, sheet, place, columns, missing = best
        cells = [cell for cell in sheet.rows[place].cells if cell]
        for name in missing:
            near = get_close_matches(name, cells, 1)
            hint = f"did you mean {near[0]}?" if near else f"the header is {', '.join(cells)}"
            line = sheet.rows[place].line
            problems.append(Problem(sheet.label, line, name, "the column is missing", hint))
    else:
        _, sheet, place, columns, _ = best
        found = _Table(sheet, place, columns, layout, problems).read()
        if not found.rates and not problems:
            problems.append(Problem(sheet.label, 0, "", "no row behind the header has a price"))
    if problems or found is None:
        raise ConfigurationError(
            f"The rate deck {path.name} is wrong and was not used at all", problems=problems
        )
    return found


def _header(cells: tuple[str, ...], layout: DeckMap) -> tuple[dict[str, int], list[str]]:
    """Return the place of each heading in a row, and the headings that it has not."""
    keys = [heading_key(cell) for cell in cells]
    columns: dict[str, int] = {}
    missing = []
    for heading in layout.headings:
        fits = _fits(heading)
        at = next((place for place, key in enumerate(keys) if key and fits(key)), None)
        if at is None:
            missing.append(heading)
        else:
            columns[heading] = at
    return columns, missing


def _fits(heading: str) -> Callable[[str], object]:
    """Return what tells whether a cell is a heading, in which ``*`` stands for anything."""
    parts = (re.escape(part) for part in heading_key(heading).split("*"))
    return re.compile(".*".join(parts)).fullmatch


def _is_remark(texts: Mapping[str, str]) -> bool:
    """Return whether a row is a heading or a note: no price, and no digit where the prefix stands."""
    if texts.get("price") or texts.get("increments"):
        return False
    begins = texts.get("prefix", "") + texts.get(COUNTRY, "")
    return not any(character.isdigit() for character in begins)


class _Table:
    """Reads the rows behind a header."""

    def __init__(
        self,
        sheet: Sheet,
        header: int,
        places: Mapping[str, int],
        layout: DeckMap,
        problems: list[Problem],
    ) -> None:
        self.sheet = sheet
        self.header = sheet.rows[header].cells
        self.body = sheet.rows[header + 1 :]
        self.layout = layout
        self.problems = problems
        self.columns = {
            name: [places[heading] for heading in headings]
            for name, headings in layout.columns.items()
        }
        self.names = {name: JOINED.join(found) for name, found in layout.columns.items()}
        self.names |= {name: f"value.{name}" for name in layout.values}
        for virtual, real in ((COUNTRY, "prefix"), (INTERVAL, "increment_seconds")):
            if virtual in self.names:
                self.names.setdefault(real, self.names[virtual])
        self.reader = RowReader(sheet.label, problems, self.names)

    def problem(self, line: int, name: str, what: str, hint: str = "") -> None:
        option = self.names.get(name, name)
        self.problems.append(Problem(self.sheet.label, line, option, what, hint))

    def read(self) -> CarrierDeck:
        rows: list[Mapping[str, str]] = []
        rates: list[Rate] = []
        written: dict[tuple[str, str], Mapping[str, str]] = {}
        passed_over = repeated = 0
        header = [heading_key(cell) for cell in self.header]
        for line, cells in self.body:
            if not any(cells) or [heading_key(cell) for cell in cells] == header:
                continue
            texts = {name: self.cell(name, cells) for name in self.columns}
            if _is_remark(texts):
                passed_over += 1
                continue
            for row in self.ours(line, {**self.layout.values, **texts}):
                key = (row["prefix"], row.get("band", ""))
                if written.setdefault(key, row) == row and written[key] is not row:
                    repeated += 1
                    continue
                rate = self.reader.read(line, row)
                if rate is None:
                    # The rest of a row that stands for many prefixes would say the same again.
                    if self.problems[-1].option != self.names.get("prefix", "prefix"):
                        break
                    continue
                rows.append(row)
                rates.append(rate)
        return CarrierDeck(self.sheet.label, tuple(rows), tuple(rates), passed_over, repeated)

    def cell(self, name: str, cells: tuple[str, ...]) -> str:
        texts = [cells[place] for place in self.columns[name] if place < len(cells)]
        # One cell stays what it is: a number of a spreadsheet has a decimal point, always.
        return texts[0] if len(texts) == 1 else " ".join(filter(None, texts))

    def ours(self, line: int, texts: Mapping[str, str]) -> Iterator[dict[str, str]]:
        """Yield a row of ours for each prefix; nothing when a cell cannot be understood."""
        before = len(self.problems)
        layout = self.layout
        row = dict(UNSAID)
        if texts.get("increments"):
            row |= dict.fromkeys(("unit_seconds", "initial_seconds"), "")
        for name, cell in texts.items():
            try:
                if name == INTERVAL:
                    row["initial_seconds"], row["increment_seconds"] = deck_cells.interval(cell)
                elif name in AMOUNTS:
                    row[name] = self.amount(name, cell)
                elif name == "unit_seconds":
                    row[name] = deck_cells.unit(cell) if cell else row[name]
                elif name in SECONDS:
                    row[name] = deck_cells.seconds(cell) if cell else row.get(name, "")
                elif name not in ("prefix", COUNTRY, AREA):
                    row[name] = " ".join(cell.split())
            except ValueError as error:
                self.problem(line, name, str(error))
        found = self.prefixes(line, texts, layout.ranges)
        if len(self.problems) == before:
            for prefix in found:
                yield {**row, "prefix": prefix}

    def amount(self, name: str, cell: str) -> str:
        layout = self.layout
        text = deck_cells.amount(cell, layout.decimal, cents=layout.cents, currency=layout.currency)
        return text or UNSAID.get(name, "")

    def prefixes(self, line: int, texts: Mapping[str, str], ranges: bool) -> list[str]:
        name = "prefix" if "prefix" in texts else COUNTRY
        try:
            found = deck_cells.prefixes(texts[name], ranges=ranges)
        except ValueError as error:
            hint = "such as 3906, 39 06, 3906;3907 or 3906-3909"
            self.problem(line, name, str(error), hint)
            return []
        if not found:
            self.problem(line, name, "there is a price, but no prefix")
        if texts.get(AREA):
            try:
                areas = deck_cells.areas(texts[AREA], ranges=ranges)
            except ValueError as error:
                self.problem(line, AREA, str(error), "such as 6, 6;7 or 60-69")
                return []
            return [code + area for code in found for area in areas]
        return found
