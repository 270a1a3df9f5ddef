"""A rate deck: read from CSV, wholly or not at all, and searched by longest prefix."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from syncd.domain.codes import NumberClass
from syncd.domain.errors import ConfigurationError, Problem
from syncd.domain.money import parse_micros
from syncd.domain.rate import PLAIN_TERMS, Increment, Rate, Terms

COLUMNS = (
    "prefix",
    "destination",
    "class",
    "connection_fee",
    "price",
    "unit_seconds",
    "initial_seconds",
    "increment_seconds",
    "minimum_charge",
)
"""By name, in any order; all of them, but for ``INCREMENT_COLUMNS`` where ``increments`` is there."""

INCREMENT_COLUMNS = ("price", "unit_seconds", "initial_seconds", "increment_seconds")
"""What a row leaves empty that says ``increments``."""

OPTIONAL_COLUMNS = ("band", "increments", "minimum_seconds", "grace_seconds", "maximum_charge")
"""Each may be missing, and its cells may be empty."""

PER_CALL = "call"
"""As ``unit_seconds``: the price is for the whole call."""

LONGEST_PREFIX = 15
"""Digits of the longest E.164 number."""

MOST_SECONDS = 86_400
"""A unit or an interval longer than a day is a slip."""

REMEMBERED = 100_000
"""Numbers that a deck keeps its answer for; a full memory is emptied."""

INCREMENTS_HINT = "such as 60@0.10 6@0.012, or 1@0.02/60 for a price per 60 seconds"
_INCREMENT = re.compile(r"(?:(\d{1,5})x)?(\d{1,5})@(\d+(?:\.\d+)?)(?:/(\d{1,5}))?", re.ASCII)

_CLASSES = {number_class.word: number_class for number_class in NumberClass}
_CLASSES[""] = NumberClass.UNCLASSIFIED


class Deck:
    """Rates by longest prefix. Prefixes are distinct (``load_deck`` sees to that)."""

    __slots__ = ("_by_prefix", "_known", "_lengths", "rates")

    def __init__(self, rates: Iterable[Rate]) -> None:
        self.rates = tuple(rates)
        self._by_prefix = {rate.prefix: rate for rate in self.rates}
        self._lengths = sorted({len(prefix) for prefix in self._by_prefix}, reverse=True)
        self._known: dict[str, Rate] = {}

    def find(self, digits: str) -> Rate | None:
        """Return the rate of the longest prefix of an E.164 number without ``+``, or None."""
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
        self.row: dict[str, str] = {}
        self.first_lines: dict[tuple[str, str], int] = {}

    def problem(self, option: str, what: str, hint: str = "") -> None:
        self.problems.append(Problem(self.file, self.line, option, what, hint))

    def rates(self, lines: Iterable[str]) -> Iterator[Rate]:
        for self.line, line in enumerate(lines, 1):
            if line.startswith("#") or not line.strip():
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
        self.row = dict(zip(self.header, cells, strict=True))
        before = len(self.problems)
        terms = self.terms()
        stepped = terms is not None and bool(terms.increments)
        rate = Rate(
            prefix=self.prefix(),
            destination=self.row["destination"],
            number_class=self.number_class(),
            connection_fee=self.amount("connection_fee"),
            price=0 if stepped else self.amount("price"),
            unit_seconds=1
            if stepped or (terms and terms.per_call)
            else self.seconds("unit_seconds", least=1),
            initial_seconds=0 if stepped else self.seconds("initial_seconds", least=0),
            increment_seconds=1 if stepped else self.seconds("increment_seconds", least=1),
            minimum_charge=self.amount("minimum_charge"),
            band=self.row.get("band", "").lower(),
            terms=terms,
        )
        return rate if len(self.problems) == before else None

    def terms(self) -> Terms | None:
        """Return what the row says beyond the nine columns; None when it is plain."""
        row = self.row
        increments: tuple[Increment, ...] = ()
        if row.get("increments"):
            for name in INCREMENT_COLUMNS:
                if row.get(name):
                    self.problem(name, "increments says this already", "leave one of them empty")
            try:
                increments = parse_increments(row["increments"])
            except ValueError as error:
                self.problem("increments", str(error), INCREMENTS_HINT)
                # The rest of the row is looked at as if it had said them.
                increments = (Increment(1, 0, 1, 0),)
        terms = Terms(
            increments,
            not increments and row.get("unit_seconds", "").lower() == PER_CALL,
            self.seconds("minimum_seconds", least=0) if row.get("minimum_seconds") else 0,
            self.seconds("grace_seconds", least=0) if row.get("grace_seconds") else 0,
            self.amount("maximum_charge") if row.get("maximum_charge") else None,
        )
        if (
            terms.maximum_charge is not None
            and row.get("minimum_charge")
            and terms.maximum_charge < self.amount("minimum_charge")
        ):
            self.problem("maximum_charge", "it is less than minimum_charge")
        return None if terms == PLAIN_TERMS else terms

    def prefix(self) -> str:
        prefix = self.row["prefix"]
        hint = "E.164 without the +, such as 39 or 4420"
        if not (prefix.isdigit() and prefix.isascii()):
            self.problem("prefix", f"{prefix!r} is not digits", hint)
        elif prefix[0] == "0":
            self.problem("prefix", f"{prefix!r} begins with 0, which no calling code does", hint)
        elif len(prefix) > LONGEST_PREFIX:
            self.problem("prefix", f"{prefix!r} has more than {LONGEST_PREFIX} digits", hint)
        else:
            band = self.row.get("band", "").lower()
            first = self.first_lines.setdefault((prefix, band), self.line)
            if first != self.line:
                named = f"prefix {prefix}" + (f" in band {band}" if band else "")
                self.problem(
                    "prefix", f"{named} stands on line {first} too", "leave one of them out"
                )
        return prefix

    def number_class(self) -> NumberClass:
        word = self.row["class"].lower()
        number_class = _CLASSES.get(word)
        if number_class is None:
            near = get_close_matches(word, _CLASSES, 1)
            known = ", ".join(word for word in _CLASSES if word)
            hint = f"did you mean {near[0]}?" if near else f"known are {known}, or nothing"
            self.problem("class", f"{word!r} is not a class of numbers", hint)
            return NumberClass.UNCLASSIFIED
        return number_class

    def amount(self, column: str) -> int:
        return self.value(column, _amount, "a decimal number with a point, such as 0.0350", 0)

    def seconds(self, column: str, *, least: int) -> int:
        hint = f"whole seconds, {least} to {MOST_SECONDS}"
        seconds = self.value(column, _whole, hint, least)
        if not least <= seconds <= MOST_SECONDS:
            self.problem(column, f"{seconds} is out of range", hint)
        return seconds

    def value(self, column: str, read: Callable[[str], int], hint: str, instead: int) -> int:
        try:
            return read(self.row.get(column, ""))
        except ValueError as error:
            self.problem(column, str(error), hint)
            return instead


@lru_cache(maxsize=4096)
def parse_increments(text: str) -> tuple[Increment, ...]:
    """Return the series of ``60@0.10 6@0.012``: steps of so many seconds at so much each (``/60``: at
    so much for every 60 seconds), ``3x60@0.10`` three of them; the last goes on to the end.

    Raises ValueError with what is wrong.
    """
    found: list[Increment] = []
    words = text.split()
    for place, word in enumerate(words, 1):
        match = _INCREMENT.fullmatch(word)
        if match is None:
            raise ValueError(f"{word!r} is not SECONDS@PRICE")
        count, seconds = int(match[1] or 1), int(match[2])
        unit = int(match[4]) if match[4] else seconds
        if not all(1 <= number <= MOST_SECONDS for number in (count, seconds, unit)):
            raise ValueError(f"{word!r} is out of range: 1 to {MOST_SECONDS} seconds")
        if place == len(words):
            if match[1]:
                raise ValueError(f"{word!r} is the last: it goes on to the end, without a number")
            count = 0
        found.append(Increment(seconds, parse_micros(match[3]), unit, count))
    return tuple(found)


# A deck has few different amounts and intervals: reading each once saves a quarter of the time.
@lru_cache(maxsize=4096)
def _amount(text: str) -> int:
    if not text:
        raise ValueError("the amount is missing")
    micros = parse_micros(text)
    if micros < 0:
        raise ValueError(f"{text!r} is negative")
    return micros


@lru_cache(maxsize=4096)
def _whole(text: str) -> int:
    if not text:
        raise ValueError("the number of seconds is missing")
    if not (text.isdigit() and text.isascii()):
        raise ValueError(f"{text!r} is not a whole number of seconds")
    return int(text)
