"""Can a number that begins with these digits match a pattern? (pure)

``re`` matches whole texts only. The patterns of numbering plans are simple: digits, sets of digits,
groups, alternatives and counts, and that is all that is understood here.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

DIGITS = frozenset("0123456789")
_TOKEN = re.compile(r"\\d|\[(?:[0-9]-[0-9]|[0-9])+\]|[0-9]|\(\?:|[()|]|[?*+]|\{\d+(?:,\d*)?\}")
_MANY = 32
"""Steps for ``*`` and ``+``: no number has so many digits."""


@dataclass(frozen=True, slots=True)
class _One:
    digits: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Sequence:
    parts: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    options: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Repeat:
    part: _Node
    least: int
    most: int


_Node = _One | _Sequence | _Choice | _Repeat


def may_begin(pattern: str, digits: str) -> bool:
    """Return whether any text that begins with the digits matches the whole pattern. Raises
    ValueError for a pattern of another kind."""
    if not digits:
        return True
    return _walk(parsed(pattern), digits, {0}) is None


def _walk(node: _Node, digits: str, starts: Collection[int]) -> set[int] | None:
    """Return the places at which the node can end, given those at which it can start; None as soon
    as all digits were used up: what comes behind them can be anything."""
    if isinstance(node, _One):
        ends = {place + 1 for place in starts if digits[place] in node.digits}
        return None if len(digits) in ends else ends
    if isinstance(node, _Sequence):
        places: Collection[int] = starts
        for part in node.parts:
            ends_of_part = _walk(part, digits, places)
            if ends_of_part is None:
                return None
            places = ends_of_part
            if not places:
                break
        return set(places)
    if isinstance(node, _Choice):
        found: set[int] = set()
        for option in node.options:
            ends_of_option = _walk(option, digits, starts)
            if ends_of_option is None:
                return None
            found |= ends_of_option
        return found
    reached = set(starts) if node.least == 0 else set()
    places = set(starts)
    for count in range(1, node.most + 1):
        after = _walk(node.part, digits, places)
        if after is None:
            return None
        places = after
        if count >= node.least:
            reached |= places
        if not places:
            break
    return reached


@lru_cache(maxsize=4096)
def parsed(pattern: str) -> _Node:
    """Return a pattern as a tree. Raises ValueError."""
    tokens: list[str] = []
    at = 0
    for match in _TOKEN.finditer(pattern):
        if match.start() != at:
            break
        tokens.append(match[0])
        at = match.end()
    if at != len(pattern):
        raise ValueError(f"{pattern!r} is more than a pattern of digits")
    node, rest = _choice(tokens, 0)
    if rest != len(tokens):
        raise ValueError(f"{pattern!r} has a bracket too many")
    return node


def _choice(tokens: list[str], at: int) -> tuple[_Node, int]:
    options: list[_Node] = []
    parts: list[_Node] = []
    while at < len(tokens) and tokens[at] != ")":
        if tokens[at] == "|":
            options.append(_Sequence(tuple(parts)))
            parts = []
            at += 1
            continue
        part, at = _counted(tokens, at)
        parts.append(part)
    options.append(_Sequence(tuple(parts)))
    return (options[0] if len(options) == 1 else _Choice(tuple(options))), at


def _counted(tokens: list[str], at: int) -> tuple[_Node, int]:
    token = tokens[at]
    node: _Node
    if token in ("(", "(?:"):
        node, at = _choice(tokens, at + 1)
        if at == len(tokens):
            raise ValueError("a bracket is open")
    elif token == "\\d":
        node = _One(DIGITS)
    elif token[0] == "[":
        node = _One(_set(token[1:-1]))
    elif token in DIGITS:
        node = _One(frozenset(token))
    else:
        raise ValueError(f"nothing to count before {token!r}")
    at += 1
    if at < len(tokens) and tokens[at][0] in "?*+{":
        least, most = _bounds(tokens[at])
        return _Repeat(node, least, most), at + 1
    return node, at


def _set(text: str) -> frozenset[str]:
    found: set[str] = set()
    for first, last in re.findall(r"(\d)(?:-(\d))?", text):
        found |= {str(digit) for digit in range(int(first), int(last or first) + 1)}
    return frozenset(found)


def _bounds(token: str) -> tuple[int, int]:
    if token in "?*+":
        return {"?": (0, 1), "*": (0, _MANY), "+": (1, _MANY)}[token]
    least, comma, most = token[1:-1].partition(",")
    if not comma:
        return int(least), int(least)
    return int(least), int(most) if most else _MANY
