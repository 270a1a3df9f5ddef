"""What carriers write into the cells of a rate deck, put into the words of ours (pure).

Every function returns a text as a deck of our own has it, and raises ValueError for what it cannot
be sure of.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from syncd.billing.deck_rows import PER_CALL
from syncd.billing.sheets import NumberText

POINT, COMMA = "point", "comma"
CENTS = Decimal("0.01")
MOST_DECIMALS = 6
MOST_OF_A_RANGE = 10_000
"""Prefixes that one range may stand for: more is a slip."""

_SIGNS = {
    "€": ("EUR",),
    "₹": ("INR",),
    "¥": ("JPY", "CNY"),
    "£": ("GBP", "EGP", "FKP", "GIP", "LBP", "SDG", "SHP", "SSP", "SYP"),
    "$": (
        *("USD", "AUD", "BBD", "BMD", "BND", "BSD", "BZD", "CAD", "FJD", "GYD", "HKD", "JMD"),
        *("KYD", "LRD", "NAD", "NZD", "SBD", "SGD", "SRD", "TTD", "TWD", "XCD", "ARS", "BRL"),
        *("CLP", "COP", "CUP", "CVE", "DOP", "MOP", "MXN", "NIO", "TOP", "UYU", "WST"),
    ),
}
"""The currencies (ISO 4217) that a sign may mean, the first one named in a message."""
_AMOUNTS = {
    POINT: re.compile(r"(-?)(\d+|\d{1,3}(?:[ ,'’]\d{3})+(?=\.))(?:\.(\d+))?", re.ASCII),
    COMMA: re.compile(r"(-?)(\d+|\d{1,3}(?:[ .'’]\d{3})+(?=,))(?:,(\d+))?", re.ASCII),
}
_CODE = re.compile(r"([A-Za-z]{3})?\s*(.*?)\s*([A-Za-z]{3})?")
_CENT_WORDS = re.compile(r"\s*(?:ct|c|cents?|p)\.?$", re.IGNORECASE)
_DASHES = str.maketrans("‐‑‒–—−", "------")
_PARTS = re.compile(r"[;,|/\n]")
_RANGE = re.compile(r"(\d+)-(\d+)", re.ASCII)
_INTERVAL = re.compile(r"(\d+)\s*s?\s*(?:[/+:-]\s*(\d+)\s*s?)?", re.ASCII | re.IGNORECASE)
_SECONDS = re.compile(r"(\d+)\s*(?:s|sec|secs|second|seconds)?", re.ASCII | re.IGNORECASE)
_UNITS = {
    "min": "60",
    "minute": "60",
    "minutes": "60",
    "s": "1",
    "sec": "1",
    "second": "1",
    "seconds": "1",
    PER_CALL: PER_CALL,
}


def amount(cell: str, decimal: str = POINT, *, cents: bool = False, currency: str = "") -> str:
    """Return an amount in units of the currency, given its decimal sign (``point | comma``), whether
    it is in hundredths, and the currency that it must be in where it names one."""
    if not cell:
        return ""
    if isinstance(cell, NumberText):
        decimal = POINT
    bare = _without_currency(cell, currency)
    if cents:
        bare = _CENT_WORDS.sub("", bare)
    match = _AMOUNTS[decimal].fullmatch(bare)
    if match is None:
        other = COMMA if decimal == POINT else POINT
        if _AMOUNTS[other].fullmatch(bare):
            raise ValueError(f"{cell!r} is not an amount with a decimal {decimal}")
        raise ValueError(f"{cell!r} is not an amount")
    whole = re.sub(r"\D", "", match[2])
    value = Decimal(f"{match[1]}{whole}.{match[3] or 0}")
    if cents:
        value *= CENTS
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    if len(text.partition(".")[2]) > MOST_DECIMALS:
        raise ValueError(f"{cell!r} has more than {MOST_DECIMALS} decimals of the currency")
    return text


def _without_currency(cell: str, currency: str) -> str:
    """Return an amount without the sign or the code of its currency, which must be the right one."""
    named: list[tuple[str, ...]] = []
    bare = ""
    for character in cell.replace("\N{NO-BREAK SPACE}", " ").replace(
        "\N{NARROW NO-BREAK SPACE}", " "
    ):
        if unicodedata.category(character) == "Sc":
            named += [_SIGNS[character]] if character in _SIGNS else []
        else:
            bare += character
    match = _CODE.fullmatch(bare.strip())
    if match is not None and any(map(str.isdigit, match[2])):
        named += [(code.upper(),) for code in (match[1], match[3]) if code]
        bare = match[2]
    for codes in named:
        if currency and currency not in codes:
            raise ValueError(f"{cell!r} is in {codes[0]}, not in {currency}")
    return bare.strip()


def prefixes(cell: str, *, ranges: bool = True) -> list[str]:
    """Return the prefixes that a cell stands for: ``39 06``, ``+3906``, ``003906``, several behind
    ``;``, ``,``, ``|`` or ``/``, and ranges such as ``3906-3909`` or ``3906-9``.

    Without ``ranges`` a hyphen means nothing, as in ``39-06``.
    """
    return [
        prefix
        for part in _PARTS.split(cell.translate(_DASHES))
        if part.strip()
        for prefix in _part(part, ranges=ranges, abroad=True)
    ]


def areas(cell: str, *, ranges: bool = True) -> list[str]:
    """Return the area codes that a cell stands for, one that is empty where there is none."""
    return [
        area
        for part in _PARTS.split(cell.translate(_DASHES))
        if part.strip()
        for area in _part(part, ranges=ranges, abroad=False)
    ] or [""]


def _part(part: str, *, ranges: bool, abroad: bool) -> list[str]:
    bare = re.sub(r"[\s.()]", "", part)
    if not ranges:
        bare = bare.replace("-", "")
    ends = [_digits(end, part, abroad=abroad) for end in bare.split("-")] if bare else [""]
    if len(ends) == 1:
        return ends
    match = _RANGE.fullmatch("-".join(ends))
    if match is None:
        raise ValueError(f"{part.strip()!r} is not a range of prefixes")
    first, last = match[1], match[2]
    if len(last) < len(first):
        last = first[: len(first) - len(last)] + last
    if len(first) != len(last) or first > last:
        raise ValueError(f"the range {part.strip()!r} ends before it begins")
    if int(last) - int(first) >= MOST_OF_A_RANGE:
        raise ValueError(f"the range {part.strip()!r} is more than {MOST_OF_A_RANGE} prefixes")
    return [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]


def _digits(text: str, shown: str, *, abroad: bool) -> str:
    bare = text.removeprefix("+")
    if abroad and bare == text:
        bare = text.removeprefix("00")
    if not (bare.isdigit() and bare.isascii()):
        raise ValueError(f"{shown.strip()!r} is not digits")
    return bare


def interval(cell: str) -> tuple[str, str]:
    """Return initial and further interval in seconds of ``60/1``, ``30+6`` or ``60``."""
    match = _INTERVAL.fullmatch(cell.strip())
    if match is None:
        raise ValueError(f"{cell!r} is not a billing interval")
    return match[1], match[2] or match[1]


def seconds(cell: str) -> str:
    """Return whole seconds; ``s`` or ``sec`` may stand behind them."""
    match = _SECONDS.fullmatch(cell.strip())
    return match[1] if match is not None else cell


def unit(cell: str) -> str:
    """Return the seconds of a unit, or ``call``; ``per minute`` is 60."""
    word = cell.casefold().removeprefix("per").strip(" ./")
    return _UNITS.get(word) or seconds(cell)
