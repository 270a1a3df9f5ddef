"""A rate deck: read from CSV, wholly or not at all, and searched by longest prefix."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from syncd.billing.deck_rows import COLUMNS, INCREMENT_COLUMNS, OPTIONAL_COLUMNS, RowReader
from syncd.domain.errors import ConfigurationError, Problem
from syncd.domain.rate import Rate

REMEMBERED = 100_000
"""Numbers that a deck keeps its answer for; a full memory is emptied."""


Rows = Mapping[str, Rate]
"""The rows of one prefix by time band; the default's band is empty."""


class Deck:
    """Rates by longest prefix, then time band. Each prefix is there once for each band (``load_deck``
    sees to that)."""

    __slots__ = ("_by_band", "_by_prefix", "_known", "_lengths", "bands", "plain", "rates")

    def __init__(self, rates: Iterable[Rate]) -> None:
        self.rates = tuple(rates)
        self.bands = frozenset(rate.band for rate in self.rates if rate.band)
        """Names of the bands that rows name."""
        self.plain = not self.bands and all(rate.terms is None for rate in self.rates)
        self._by_prefix = {rate.prefix: rate for rate in self.rates}
        self._by_band: dict[str, dict[str, Rate]] = {}
        if self.bands:
            for rate in self.rates:
                self._by_band.setdefault(rate.prefix, {})[rate.band] = rate
        self._lengths = sorted({len(prefix) for prefix in self._by_prefix}, reverse=True)
        self._known: dict[str, Rate] = {}

    def find(self, digits: str) -> Rate | None:
        """Return the rate of the longest prefix of an E.164 number without ``+``, or None. Where the
        deck knows bands it is one of the prefix's rows: ``rows`` gives them."""
        known = self._known
        rate = known.get(digits)
        if rate is None:
            by_prefix = self._by_prefix
            for length in self._lengths:
                rate = by_prefix.get(digits[:length])
                if rate is not None:
                    if len(known) >= REMEMBERED:
                        known.clear()
                    known[digits] = rate
                    break
        return rate

    def exact(self, digits: str) -> Rate | None:
        """Return the rate whose prefix is exactly these digits, or None."""
        return self._by_prefix.get(digits)

    def rows(self, prefix: str) -> Rows:
        """Return the rows of a prefix that a rate of a deck with bands has."""
        return self._by_band[prefix]


def load_deck(path: Path) -> list[Rate]:
    """Read a rate deck: CSV in UTF-8 with a header naming ``COLUMNS``.

    Blank lines and lines that begin with # do not count. Prices are in the currency, with at most
    six decimals; ``class`` may be empty. Raises ConfigurationError with a problem for each mistake
    (file, line, column): a deck with one wrong row is not used at all.
    """
    file = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problem = Problem(file, 0, "", f"the rate deck cannot be read: {error.strerror}")
        raise ConfigurationError("A rate deck cannot be read", problems=[problem]) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        problem = Problem(
            file, line, "", "the text is not UTF-8", "save it as CSV with the encoding UTF-8"
        )
        raise ConfigurationError("A rate deck is wrong", problems=[problem]) from None
    problems: list[Problem] = []
    rates = list(_Reader(file, problems).rates(io.StringIO(text, newline=None)))
    if not rates and not problems:
        problems.append(Problem(file, 0, "", "the rate deck has no rows", "add a row per prefix"))
    if problems:
        raise ConfigurationError(
            f"The rate deck {path.name} is wrong and was not used at all", problems=problems
        )
    return rates


class _Reader:
    """Reads the lines of one deck and collects what is wrong with them."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems
        self.line = 0
        self.header: list[str] = []
        self.rows = RowReader(file, problems)

    def problem(self, option: str, what: str, hint: str = "") -> None:
        self.problems.append(Problem(self.file, self.line, option, what, hint))

    def rates(self, lines: Iterable[str]) -> Iterator[Rate]:
        for self.line, line in enumerate(lines, 1):
            if line.startswith("#") or not line.strip():
                continue
            if "\0" in line:  # not every database can hold one
                self.problem(
                    "", "the line holds NUL bytes", "save it as CSV with the encoding UTF-8"
                )
                continue
            try:
                # Line by line, so that an open quote spoils its own row only.
                cells = [cell.strip() for cell in next(csv.reader([line], strict=True))]
            except csv.Error as error:
                self.problem("", f"this is not CSV: {error}", "are all quotes closed on the line?")
                continue
            if not any(cells):
                continue
            if not self.header:
                if not self.read_header(cells):
                    return
                continue
            rate = self.read_row(cells)
            if rate is not None:
                yield rate

    def read_header(self, cells: list[str]) -> bool:
        """Take the first row as the names of the columns; return whether all is well with it."""
        self.header = [cell.lower() for cell in cells]
        before = len(self.problems)
        if len(cells) == 1 and any(separator in cells[0] for separator in ";\t|"):
            self.problem("", "there is only one column", "put commas between the columns")
            return False
        known = (*COLUMNS, *OPTIONAL_COLUMNS)
        if not set(known) & set(self.header):
            what = "this is not the header: it names no column"
            self.problem("", what, f"the header is {','.join(COLUMNS)}")
            return False
        for position, name in enumerate(self.header, 1):
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                self.problem(name or f"column {position}", "unknown column", hint)
            elif self.header.index(name) != position - 1:
                self.problem(name, "the column is there twice", "leave one of them out")
        for name in COLUMNS:
            spared = name in INCREMENT_COLUMNS and "increments" in self.header
            if name not in self.header and not spared:
                self.problem(name, "the column is missing", f"the header is {','.join(COLUMNS)}")
        return len(self.problems) == before

    def read_row(self, cells: list[str]) -> Rate | None:
        if len(cells) != len(self.header):
            more = "more" if len(cells) > len(self.header) else "fewer"
            self.problem(
                "",
                f"the row has {len(cells)} cells, {more} than the {len(self.header)} columns",
                "a comma within a cell needs quotes around the cell",
            )
            return None
        return self.rows.read(self.line, dict(zip(self.header, cells, strict=True)))
