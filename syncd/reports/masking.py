"""Masked digits: the last digits of outside numbers, hidden from one reader (docs/rules.md 8.2)."""

from __future__ import annotations

import re
from urllib.parse import unquote

MASK = "*"

ELSEWHERE = "…"
"""In the place of the key of a page, and of numbers that are hidden wholly."""

PRIVATE = "private"
"""What stands for the number of a private call."""

WHOLLY = 1 << 16
"""In the place of a count of masked digits: the number is that of somebody else's private call, and
not even its length is shown."""


def mask_number(number: str, digits: int) -> str:
    """Return a number whose last ``digits`` digits are ``*``; other characters stay.

    A number with no more digits than that is hidden wholly, its length is not.
    """
    if digits <= 0:
        return number
    if digits >= WHOLLY:
        return PRIVATE if number else ""
    left = digits
    characters = list(number)
    for index in range(len(characters) - 1, -1, -1):
        if left and characters[index].isdigit():
            characters[index] = MASK
            left -= 1
    return "".join(characters)


def mask_raw(text: str, digits: int) -> str:
    """Return the text of a row that nobody could read with the last ``digits`` digits of every
    number in it hidden, whatever stands between them: what an outside number is, is not known."""
    return re.sub("[0-9]+", lambda found: mask_number(found[0], digits), text)


def mask_quoted(text: str, digits: int) -> str:
    """Return a sentence about a row likewise: what it quotes, and numbers of six digits or more."""
    return re.sub("'[^']*'|[0-9]{6,}", lambda found: mask_raw(found[0], digits), text)


_ASKED = re.compile(
    r"((?:number|prefix)\s*(?:!=|[=~]|(?:%21)?%3D|%7E)\s*['\"]*)"
    r"(.+?)(?=['\"&]|\s--|\s[\w-]+\s*[=!<>~]|$)",
    re.IGNORECASE | re.DOTALL,
)
_PAGE = re.compile(r"(\bpage=|--page[ =])[^\s&'\"]+")


def mask_asked(text: str, digits: int) -> str:
    """Return what somebody else asked, in any of its forms, with the last ``digits`` digits of each
    number hidden that is filtered by, all of it with ``WHOLLY``. Keys of pages are left out: they
    hold what their reader was shown."""
    text = _PAGE.sub(rf"\1{ELSEWHERE}", text)
    if digits <= 0:
        return text

    def masked(found: re.Match[str]) -> str:
        if digits >= WHOLLY:
            return f"{found[1]}{ELSEWHERE}"
        return found[1] + ",".join(mask_number(one, digits) for one in unquote(found[2]).split(","))

    return _ASKED.sub(masked, text)


def shown_number(number: str, outside: int, digits: int) -> str:
    """Return the other party's number as a reader with ``digits`` masked digits gets it: outside
    numbers masked (``WHOLLY``: hidden), inside numbers as they are."""
    return mask_number(number, digits) if outside else number
