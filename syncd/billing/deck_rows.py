"""A row of a rate deck: its columns by name become a rate, or the list of what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import lru_cache

from syncd.domain.codes import NumberClass
from syncd.domain.errors import Problem
from syncd.domain.money import MICROS, parse_micros
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

MOST_MICROS = 10_000_000 * MICROS
"""A higher amount is a slip, and a day at such a price is all that the database can add up."""

LONGEST_DESTINATION = 255
"""Characters of a name that every database can index."""

MOST_SECONDS = 86_400
"""A unit or an interval longer than a day is a slip."""

INCREMENTS_HINT = "such as 60@0.10 6@0.012, or 1@0.02/60 for a price per 60 seconds"
_INCREMENT = re.compile(r"(?:(\d{1,5})x)?(\d{1,5})@(\d+(?:\.\d+)?)(?:/(\d{1,5}))?", re.ASCII)

_CLASSES = {number_class.word: number_class for number_class in NumberClass}
_CLASSES[""] = NumberClass.UNCLASSIFIED


class RowReader:
    """Makes rates of the rows of one deck and collects in ``problems`` what is wrong with them.

    ``names`` says what a column is called in the file, where that is something else.
    """

    def __init__(
        self, file: str, problems: list[Problem], names: Mapping[str, str] | None = None
    ) -> None:
        self.file = file
        self.problems = problems
        self.names = names or {}
        self.line = 0
        self.row: Mapping[str, str] = {}
        self.first_lines: dict[tuple[str, str], int] = {}

    def problem(self, option: str, what: str, hint: str = "") -> None:
        option = self.names.get(option, option)
        self.problems.append(Problem(self.file, self.line, option, what, hint))

    def read(self, line: int, row: Mapping[str, str]) -> Rate | None:
        """Return the rate of a row, given its texts by column; None when anything is wrong."""
        self.line, self.row = line, row
        before = len(self.problems)
        terms = self.terms()
        stepped = terms is not None and bool(terms.increments)
        rate = Rate(
            prefix=self.prefix(),
            destination=self.destination(),
            number_class=self.number_class(),
            connection_fee=self.amount("connection_fee"),
            price=0 if stepped else self.amount("price"),
            unit_seconds=1
            if stepped or (terms and terms.per_call)
            else self.seconds("unit_seconds", least=1),
            initial_seconds=0 if stepped else self.seconds("initial_seconds", least=0),
            increment_seconds=1 if stepped else self.seconds("increment_seconds", least=1),
            minimum_charge=self.amount("minimum_charge"),
            band=row.get("band", "").lower(),
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

    def destination(self) -> str:
        name = self.row.get("destination", "")
        if len(name) > LONGEST_DESTINATION:
            self.problem("destination", f"it has more than {LONGEST_DESTINATION} characters")
        return name

    def prefix(self) -> str:
        prefix = self.row.get("prefix", "")
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
        word = self.row.get("class", "").lower()
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
        found.append(Increment(seconds, _amount(match[3]), unit, count))
    return tuple(found)


# A deck has few different amounts and intervals: reading each once saves a quarter of the time.
@lru_cache(maxsize=4096)
def _amount(text: str) -> int:
    if not text:
        raise ValueError("the amount is missing")
    micros = parse_micros(text)
    if micros < 0:
        raise ValueError(f"{text!r} is negative")
    if micros > MOST_MICROS:
        raise ValueError(f"{text!r} is more than {MOST_MICROS // MICROS}")
    return micros


@lru_cache(maxsize=4096)
def _whole(text: str) -> int:
    if not text:
        raise ValueError("the number of seconds is missing")
    if not (text.isdigit() and text.isascii()):
        raise ValueError(f"{text!r} is not a whole number of seconds")
    return int(text)
