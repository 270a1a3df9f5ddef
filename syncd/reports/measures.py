"""What sums are shown as: measures, what is derived from them, and other periods beside (pure).

Everything is an exact number until it is shown; it is then rounded once, half a unit away from
zero. What is derived is never added up: a total has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from syncd.domain.money import format_micros
from syncd.reports.dimensions import DERIVED, MEASURES, SECONDS_MEASURES, WITH_VAT
from syncd.reports.named_periods import PREVIOUS, YEAR
from syncd.reports.result import Column, Kind

Named = Mapping[str, int]
"""Sums by measure: numbers, seconds, micros."""
Number = int | Fraction | None

VALUE, CHANGE, PERCENT = "", "change", "percent"
_HEADINGS = {PREVIOUS: "before", YEAR: "last year"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A numeric column of sums."""

    name: str
    heading: str
    kind: Kind
    measure: str
    period: int = 0
    """Which one: 0 is what was asked for, then those it is compared with."""
    aspect: str = VALUE
    """The value of that period, or how the asked one differs from it, or by how many percent."""

    @property
    def column(self) -> Column:
        return Column(self.name, self.heading, self.kind)


def figures(measures: Sequence[str], compare: Sequence[str] = ()) -> tuple[Figure, ...]:
    """Return the columns of some measures, and of what they are compared with."""
    found = []
    for name in measures:
        heading, kind = _heading(name), measure_kind(name)
        found.append(Figure(name, heading, kind, name))
        for place, word in enumerate(compare, 1):
            beside = f"{heading} {_HEADINGS[word]}"
            found.append(Figure(f"{name}_{word}", beside, kind, name, place))
            if name in MEASURES:
                change = f"{name}_{word}_{CHANGE}", f"{heading} +/- {_HEADINGS[word]}"
                found.append(Figure(*change, kind, name, place, CHANGE))
                percent = f"{name}_{word}_{PERCENT}", f"{heading} +/- % {_HEADINGS[word]}"
                found.append(Figure(*percent, Kind.NUMBER, name, place, PERCENT))
    return tuple(found)


def _heading(measure: str) -> str:
    return MEASURES.get(measure) or DERIVED[measure].heading


def measure_kind(name: str) -> Kind:
    """Return what the values of a measure are."""
    if name in DERIVED:
        derived = DERIVED[name]
        return Kind.NUMBER if derived.percent else measure_kind(derived.part)
    if name in ("cost", WITH_VAT):
        return Kind.MONEY
    return Kind.SECONDS if name in SECONDS_MEASURES else Kind.COUNT


def number(figure: Figure, sums: Sequence[Named], totals: Sequence[Named]) -> Number:
    """Return the exact value of a column, given the sums of a group and of all rows by period; None
    where there is nothing to divide by. Money is in micros."""
    if figure.aspect == VALUE:
        return _value(figure.measure, sums[figure.period], totals[figure.period])
    now, before = sums[0][figure.measure], sums[figure.period][figure.measure]
    if figure.aspect == CHANGE:
        return now - before
    return Fraction(100 * (now - before), abs(before)) if before else None


def _value(measure: str, sums: Named, totals: Named) -> Number:
    derived = DERIVED.get(measure)
    if derived is None:
        return sums[measure]
    whole = totals[derived.part] if derived.whole is None else sums[derived.whole]
    if not whole:
        return None
    return Fraction(sums[derived.part] * (100 if derived.percent else 1), whole)


def shown(figure: Figure, value: Number) -> Any:
    """Return a value as it stands in a row."""
    if value is None:
        return None
    if figure.kind is Kind.MONEY:
        return format_micros(rounded(value))
    if figure.kind is Kind.NUMBER:
        tenths = rounded(value * 10)
        sign = "-" if tenths < 0 else ""
        return f"{sign}{abs(tenths) // 10}.{abs(tenths) % 10}"
    return rounded(value)


def shown_by(figure: Figure) -> Callable[[Sequence[Named], Sequence[Named]], Any]:
    """Return the function from the sums of a group and of all rows by period to what stands in the
    group's row."""
    measure, period = figure.measure, figure.period
    if figure.aspect != VALUE or measure in DERIVED:
        return lambda sums, totals: shown(figure, number(figure, sums, totals))
    # A sum is a whole number, and most columns are sums.
    if figure.kind is Kind.MONEY:
        return lambda sums, _: format_micros(sums[period][measure])
    return lambda sums, _: sums[period][measure]


def sums_behind(measures: Iterable[str]) -> set[str]:
    """Return the sums that some measures are made of."""
    found = set()
    for name in measures:
        derived = DERIVED.get(name)
        found |= {name} if derived is None else {derived.part, derived.whole or derived.part}
    return found


def rounded(value: int | Fraction) -> int:
    """Return the nearest whole number, of two the one that is farther from zero."""
    if isinstance(value, int):
        return value
    size = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return -size if value < 0 else size
