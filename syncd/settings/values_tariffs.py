"""The kinds of values that options about tariffs and time bands take."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from syncd.domain.bands import Span, parse_spans
from syncd.domain.codes import NumberClass
from syncd.domain.money import parse_micros
from syncd.domain.rate import ROUNDED_PER, Adjustment, Rounding
from syncd.settings.model import TariffFile
from syncd.settings.values import (
    ROUNDING_MODES,
    BadValue,
    Kind,
    day_of,
    nearest,
    one_line,
)

_TARIFF = re.compile(
    r"(?P<file>.+?)\s+from\s+(?P<first>\S+)(?:\s+to\s+(?P<last>\S+))?"
    r"(?:\s+site\s+(?P<site>\S+))?(?:\s+trunk\s+(?P<trunk>\S+))?"
)
_PERCENT = re.compile(r"(\d{1,4}(?:\.\d{1,6})?)\s*%?(?:\s+(class|destination)\s+(.+))?", re.ASCII)
MOST_SURCHARGE = 1_000
MOST_DISCOUNT = 100


def _tariff(text: str, base: Path) -> TariffFile:
    match = _TARIFF.fullmatch(one_line(text))
    if not match:
        hint = "FILE from 2026-01-01, with to DATE, site NAME and trunk NAME behind it, as needed"
        raise BadValue(f"{text!r} is not a tariff", hint)
    first, last = day_of(match["first"]), day_of(match["last"]) if match["last"] else None
    if last and last <= first:
        raise BadValue(f"it ends on {last}, before it begins on {first}", "the end is exclusive")
    site, trunk = match["site"] or "", match["trunk"] or ""
    return TariffFile("", base / match["file"], first, last, site, trunk)


def _rounding(text: str, base: Path) -> Rounding:
    words = text.split()
    mode, decimals, *rest = (*words, "") if len(words) == 1 else words or ("", "")
    if mode not in ROUNDING_MODES:
        raise BadValue(f"{mode!r} is not a way of rounding", nearest(mode, ROUNDING_MODES))
    if decimals not in [str(number) for number in range(7)]:
        raise BadValue(f"{decimals!r} is not a number of decimals", "0 to 6, as in half-up 4")
    if not rest:
        return Rounding(mode, int(decimals))
    if len(rest) != 2 or rest[0] != "per" or rest[1] not in ROUNDED_PER:
        known = ", ".join(f"per {one}" for one in ROUNDED_PER)
        raise BadValue(f"{' '.join(rest)!r} is not what is rounded", f"one of {known}")
    return Rounding(mode, int(decimals), rest[1])


def _adjustment(sign: int, most: int) -> Callable[[str, Path], Adjustment]:
    def parse(text: str, base: Path) -> Adjustment:
        match = _PERCENT.fullmatch(one_line(text))
        if not match:
            hint = "such as 2.5 %, 5 % class mobile, or 10 % destination Italy*"
            raise BadValue(f"{text!r} is not a percentage", hint)
        millionths = parse_micros(match[1])
        if millionths > most * 1_000_000:
            raise BadValue(f"{match[1]} % is too much", f"at most {most} %")
        number_class = None
        if match[2] == "class":
            try:
                number_class = NumberClass(NumberClass.of(match[3]))
            except ValueError:
                hint = nearest(match[3], NumberClass.words())
                raise BadValue(f"{match[3]!r} is not a class of numbers", hint) from None
        destination = match[3].casefold() if match[2] == "destination" else ""
        return Adjustment("", sign * millionths, number_class, destination)

    return parse


def _vat(text: str, base: Path) -> int:
    match = _PERCENT.fullmatch(text)
    if not match or match[2] or parse_micros(match[1]) > 100_000_000:
        raise BadValue(f"{text!r} is not a rate of tax", "0 % to 100 %, such as 22 %")
    return parse_micros(match[1])


def _spans(text: str, base: Path) -> tuple[Span, ...]:
    try:
        return parse_spans(one_line(text))
    except ValueError as error:
        raise BadValue(str(error), "such as Mon-Fri 08:00-18:30, Sat 08:00-13:00") from None


TARIFF = Kind("FILE from DATE [to DATE] [site NAME] [trunk NAME]", _tariff)
ROUNDING = Kind("mode decimals [per leg | increment | invoice]", _rounding)
SURCHARGE = Kind("percent [class CLASS | destination NAME]", _adjustment(1, MOST_SURCHARGE))
DISCOUNT = Kind("percent [class CLASS | destination NAME]", _adjustment(-1, MOST_DISCOUNT))
VAT = Kind("percent", _vat)
SPANS = Kind("days and hours", _spans)
