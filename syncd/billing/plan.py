"""What a site says of its numbers, and the patterns that it says it in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from syncd.domain.codes import NumberClass
from syncd.domain.party import clean_number


@dataclass(frozen=True, slots=True)
class NumberingPlan:
    """What a site says of its numbers.

    ``country`` is the two-letter code. ``area_code`` is written as in E.164 or with the country's
    trunk prefix (``030`` and ``30`` are Berlin; Rome's ``06`` keeps its 0). ``access_code`` is what
    is dialled for an outside line, ``international_code`` replaces the country's own prefix for
    calls abroad. ``internal_numbers`` are patterns with X for a digit. ``rules`` are (prefix,
    class) in order, the first that fits decides: a prefix with ``+`` is one of E.164, any other is
    one of the number as dialled behind the access code; X is a digit.

    ``trunk_code`` replaces the country's own trunk prefix. ``private_prefix`` is dialled before the
    access code for a private call. ``short_codes`` are (code, number as with + or behind the access
    code). ``dids`` are (range in E.164 with X, extensions that it reaches or empty),
    ``company_dids`` the ranges of the other sites, ``networks`` (prefix, internal patterns) of each
    site that is reached over the private network.
    """

    country: str
    area_code: str = ""
    access_code: str = ""
    international_code: str = ""
    internal_numbers: tuple[str, ...] = ()
    rules: tuple[tuple[str, NumberClass], ...] = ()
    trunk_code: str = ""
    private_prefix: str = ""
    short_codes: tuple[tuple[str, str], ...] = ()
    dids: tuple[tuple[str, str], ...] = ()
    company_dids: tuple[str, ...] = ()
    networks: tuple[tuple[str, tuple[str, ...]], ...] = ()


def pattern_text(pattern: str) -> str:
    """Return the regular expression of a route pattern: X is a digit, brackets are a set."""
    return "".join(
        "[0-9]" if part == "X" else part if part[0] == "[" else re.escape(part)
        for part in re.findall(r"\[[0-9^-]+\]|.", pattern)
    )


def digit_patterns(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Compile patterns in which X is a digit and all else itself; none of them fits nothing."""
    if not patterns:
        return re.compile(r"(?!)")
    return re.compile("|".join(re.escape(text).replace("X", "[0-9]") for text in patterns))


def clean(number: str) -> str:
    """Return a number without blanks and punctuation, empty for what is none."""
    if number.isdigit() and number.isascii():
        return number
    try:
        return clean_number(number)
    except ValueError:
        return ""
