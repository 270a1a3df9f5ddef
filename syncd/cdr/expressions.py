"""The little language in which an INI says what the columns of a row mean.

A column is ``NAME``, as the header has it, or ``#N``, by position from 1. ``Date + Time`` joins two
with a blank, ``A, B =~ REGEX`` takes the first that is not empty, or the first group of the first that
fits the regular expression. A template is text with ``{NAME}``; a condition compares columns with
texts, ``and`` binds closer than ``or``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Getter = Callable[[list[str]], str]
Test = Callable[[list[str]], bool]
Places = Mapping[str, int]
"""Index of a column by its normalised name."""

_REFERENCE = re.compile(r"\{([^{}]+)\}")
_CONDITION = re.compile(r"(.+?)\s*(==|!=|=~)\s*(.*)")
_AND, _OR = re.compile(r"\s+and\s+"), re.compile(r"\s+or\s+")


class ExpressionError(ValueError):
    """An expression that cannot be understood; the message says why."""


class MissingColumnsError(ValueError):
    """Columns that an expression names and a file does not have."""


def normal(name: str) -> str:
    """Return a column's name as it is compared: without case, quotes and doubled blanks."""
    return " ".join(name.strip().strip('"').casefold().split())


def places_of(header: list[str]) -> dict[str, int]:
    """Return where the columns of a header are; of two with one name the first counts."""
    places: dict[str, int] = {}
    for index, name in enumerate(header):
        places.setdefault(normal(name), index)
    return places


def _column(name: str) -> str:
    name = name.strip()
    if not name:
        raise ExpressionError("a column has no name")
    if name.startswith("#") and (not name[1:].isdecimal() or int(name[1:]) < 1):
        raise ExpressionError(f"{name} is not a position: they count from #1")
    return name


def _index(name: str, places: Places) -> int:
    if name.startswith("#"):
        return int(name[1:]) - 1
    try:
        return places[normal(name)]
    except KeyError:
        raise MissingColumnsError(name) from None


def _regex(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ExpressionError(f"{text!r} is not a regular expression: {error}") from None


@dataclass(frozen=True, slots=True)
class Columns:
    """``A + B, C =~ REGEX``."""

    choices: tuple[tuple[str, ...], ...]
    regex: re.Pattern[str] | None = None

    @classmethod
    def parse(cls, text: str) -> Columns:
        """Raises ExpressionError."""
        names, found, pattern = text.partition("=~")
        choices = tuple(
            tuple(_column(name) for name in choice.split(" + ")) for choice in names.split(",")
        )
        return cls(choices, _regex(pattern.strip()) if found else None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for choice in self.choices for name in choice)

    def bind(self, places: Places, *, whole: bool = False) -> Getter:
        """Return what gets the text of a row. ``whole``: a joined text with an empty part is empty.

        Raises MissingColumnsError.
        """
        choices = [tuple(_index(name, places) for name in choice) for choice in self.choices]
        regex = self.regex

        def get(cells: list[str]) -> str:
            text = ""
            for choice in choices:
                parts = [cells[index].strip() for index in choice]
                if whole and not all(parts):
                    continue
                text = " ".join(part for part in parts if part)
                if text and regex is not None:
                    found = regex.search(text)
                    text = (found.group(1 if regex.groups else 0) or "") if found else ""
                if text:
                    break
            return text

        if len(choices) == len(choices[0]) == 1 and regex is None:
            (single,) = choices[0]
            return lambda cells: cells[single].strip()
        return get


@dataclass(frozen=True, slots=True)
class Template:
    """``text with {NAME}``."""

    pieces: tuple[str, ...]
    """Text and column in turn, beginning and ending with text."""

    @classmethod
    def parse(cls, text: str) -> Template:
        """Raises ExpressionError."""
        pieces = _REFERENCE.split(text)
        if any("{" in piece or "}" in piece for piece in pieces[::2]):
            raise ExpressionError(f"{text!r} has a brace without its other half")
        pieces[1::2] = [_column(name) for name in pieces[1::2]]
        return cls(tuple(pieces))

    @property
    def names(self) -> tuple[str, ...]:
        return self.pieces[1::2]

    def bind(self, places: Places, *, whole: bool = False) -> Getter:
        """Return what fills in a row. ``whole``: with an empty part the text is empty.

        Raises MissingColumnsError.
        """
        indexes = [_index(name, places) for name in self.names]
        texts = self.pieces[::2]

        def get(cells: list[str]) -> str:
            parts = [cells[index].strip() for index in indexes]
            if whole and not all(parts):
                return ""
            between = [part + text for part, text in zip(parts, texts[1:], strict=True)]
            return (texts[0] + "".join(between)).strip()

        return get


@dataclass(frozen=True, slots=True)
class Condition:
    """``A == x | y and B, C =~ REGEX or D``; columns alone mean that they are not empty."""

    ways: tuple[tuple[tuple[Columns, str, str], ...], ...]
    """Tests (columns, operator, text); all of one way must hold."""

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Raises ExpressionError."""
        ways = []
        for way in _OR.split(text.strip()):
            tests = []
            for part in _AND.split(way):
                found = _CONDITION.fullmatch(part)
                names, operator, value = found.groups() if found else (part, "!=", "")
                if operator == "=~":
                    _regex(value)
                tests.append((Columns.parse(names), operator, value))
            ways.append(tuple(tests))
        return cls(tuple(ways))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for way in self.ways for columns, _, _ in way for name in columns.names)

    def bind(self, places: Places) -> Test:
        """Return what tells of a row whether it holds. Raises MissingColumnsError."""
        ways = [
            [_test(columns.bind(places), operator, value) for columns, operator, value in way]
            for way in self.ways
        ]
        return lambda cells: any(all(test(cells) for test in way) for way in ways)


def _test(get: Getter, operator: str, value: str) -> Test:
    if operator == "=~":
        regex = re.compile(value)
        return lambda cells: regex.search(get(cells)) is not None
    wanted = frozenset(choice.strip().casefold() for choice in value.split("|"))
    equal = operator == "=="
    return lambda cells: (get(cells).casefold() in wanted) is equal
