"""LDAP filters (RFC 4515) for sources that have no server to evaluate them.

Values are compared without regard to case and to repeated blanks; ``>=`` and ``<=`` compare whole
numbers as numbers. Matching rules by name (``:=``) are a server's business and refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

Attributes = Mapping[str, Sequence[str]]
Test = Callable[[Attributes], bool]

_ATTRIBUTE = re.compile(r"([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)(?:;[A-Za-z0-9-]+)*")
_HEX = re.compile(r"\\([0-9a-fA-F]{2})")
_DEEPEST = 100


class FilterError(ValueError):
    """A filter that cannot be understood: the message says what and where."""


def compile_filter(text: str) -> Test:
    """Return the test that a filter makes of an entry's attributes (names in lower case).

    Raises FilterError.
    """
    text = text.strip()
    if not text.startswith("("):
        text = f"({text})"
    test, end = _parse(text, 0, 0)
    if text[end:].strip():
        raise FilterError(f"{text[end:]!r} stands after the end of the filter")
    return test


def _parse(text: str, start: int, depth: int) -> tuple[Test, int]:
    if depth > _DEEPEST:
        raise FilterError(f"the filter has more than {_DEEPEST} levels")
    if start >= len(text) or text[start] != "(":
        raise FilterError(f"a ( is missing at character {start + 1}")
    position = start + 1
    sign = text[position : position + 1]
    if sign and sign in "&|!":
        return _combined(text, position, sign, depth)
    end = text.find(")", position)
    if end < 0:
        raise FilterError(f"the ( at character {start + 1} is never closed")
    return _comparison(text[position:end]), end + 1


def _combined(text: str, position: int, sign: str, depth: int) -> tuple[Test, int]:
    opened = position
    position += 1
    tests: list[Test] = []
    while True:
        while text[position : position + 1].isspace():
            position += 1
        if text[position : position + 1] == ")":
            break
        if position >= len(text):
            raise FilterError(f"the ( at character {opened} is never closed")
        test, position = _parse(text, position, depth + 1)
        tests.append(test)
    if sign == "!":
        if len(tests) != 1:
            raise FilterError(f"the ! at character {opened + 1} needs one filter after it")
        only = tests[0]
        return (lambda entry: not only(entry)), position + 1
    if sign == "&":
        return (lambda entry: all(test(entry) for test in tests)), position + 1
    return (lambda entry: any(test(entry) for test in tests)), position + 1


def normal(value: str) -> str:
    """Return a value in the form in which values are compared."""
    return " ".join(value.casefold().split())


def _unescaped(text: str) -> str:
    if "(" in text or re.search(r"\\(?![0-9a-fA-F]{2})", text):
        raise FilterError(f"{text!r}: write ( ) * and \\ as \\28 \\29 \\2a and \\5c")
    raw = _HEX.sub(lambda match: chr(0xE000 + int(match[1], 16)), text)
    coded = b"".join(
        bytes([ord(character) - 0xE000])
        if 0xE000 <= ord(character) <= 0xE0FF
        else character.encode("utf-8", "surrogateescape")
        for character in raw
    )
    return coded.decode("utf-8", "surrogateescape")


def _comparison(text: str) -> Test:
    match = re.fullmatch(r"\s*([^=<>~:]+?)\s*(>=|<=|~=|:=|:[^=]*:=|=)(.*)", text, re.DOTALL)
    if not match:
        raise FilterError(f"{text!r} is no comparison, such as (objectClass=person)")
    name, sign, wanted = match.groups()
    if sign.startswith(":"):
        raise FilterError(f"{text!r}: matching rules (:=) need a server")
    if not _ATTRIBUTE.fullmatch(name):
        raise FilterError(f"{name!r} is not the name of an attribute")
    name = name.lower()
    if sign == "=" and wanted.strip() == "*":
        return lambda entry: bool(entry.get(name))
    if sign == "=" and "*" in wanted:
        return _substring(name, wanted)
    value = normal(_unescaped(wanted))
    if sign in ("=", "~="):
        return lambda entry: any(normal(held) == value for held in entry.get(name, ()))
    return _ordered(name, value, upwards=sign == ">=")


def _substring(name: str, wanted: str) -> Test:
    parts = [normal(_unescaped(part)) for part in wanted.split("*")]
    pattern = re.compile(".*".join(re.escape(part) for part in parts), re.DOTALL)
    return lambda entry: any(pattern.fullmatch(normal(held)) for held in entry.get(name, ()))


def _ordered(name: str, value: str, *, upwards: bool) -> Test:
    def fits(held: str) -> bool:
        low, high = (value, normal(held)) if upwards else (normal(held), value)
        if re.fullmatch(r"-?\d+", low) and re.fullmatch(r"-?\d+", high):
            return int(low) <= int(high)
        return low <= high

    return lambda entry: any(fits(held) for held in entry.get(name, ()))
