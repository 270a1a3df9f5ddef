"""What changes from one rate deck to another (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from syncd.billing.deck import Deck
from syncd.billing.rating import price
from syncd.domain.errors import Problem
from syncd.domain.money import format_micros
from syncd.domain.rate import Rate, Rounding

NEW, REMOVED, CHANGED = "new", "removed", "changed"
CALL_SECONDS = 180
"""Prices are compared by what a call of three minutes costs: fees, intervals and limits count."""
EXACT = Rounding("half-up", 6)
SHOWN = 5


class Change(NamedTuple):
    """A row that is in one deck only, or says something else in the other.

    ``before`` and ``after`` are the micros of a call of three minutes to a number that begins so: of
    a new row ``before`` is what the next shorter prefix charged. None: there was no rate.
    """

    kind: str
    prefix: str
    band: str
    destination: str
    before: int | None
    after: int | None
    columns: tuple[str, ...]
    """What says something else, of a row that is in both."""

    @property
    def permille(self) -> int | None:
        """How much dearer it became, in thousandths of the price before; None where that cannot be
        said."""
        if not self.before or self.after is None:
            return None
        return round_half_up((self.after - self.before) * 1000, self.before)


def round_half_up(numerator: int, denominator: int) -> int:
    """Return a whole number next to a fraction; halves go away from zero."""
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def percent_text(permille: int | None) -> str:
    """Return thousandths as a percentage with its sign, such as ``+12.5%``."""
    if permille is None:
        return ""
    whole, tenth = divmod(abs(permille), 10)
    return f"{'-' if permille < 0 else '+'}{whole}.{tenth}%"


def changes(old: Deck, new: Deck) -> list[Change]:
    """Return the changes in the order of their prefixes."""
    before = {(rate.prefix, rate.band): rate for rate in old.rates}
    after = {(rate.prefix, rate.band): rate for rate in new.rates}
    found = []
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        if was == now:
            continue
        one = now or was
        assert one is not None
        found.append(
            Change(
                CHANGED if was and now else NEW if now else REMOVED,
                *key,
                one.destination,
                _cost(was or _effective(old, *key)),
                _cost(now or _effective(new, *key)),
                tuple(_different(was, now)) if was and now else (),
            )
        )
    return found


def _effective(deck: Deck, prefix: str, band: str) -> Rate | None:
    """Return the row by which a number that begins so is priced."""
    rate = deck.find(prefix)
    if rate is None:
        return None
    if not deck.bands:
        return rate
    rows = deck.rows(rate.prefix)
    return rows.get(band) or rows.get("")


def _cost(rate: Rate | None) -> int | None:
    return None if rate is None else price(rate, CALL_SECONDS, EXACT).micros


def _different(was: Rate, now: Rate) -> Iterator[str]:
    for name, one, other in zip(Rate._fields, was, now, strict=True):
        if one != other:
            yield "class" if name == "number_class" else name


def jumps(found: list[Change], percent: int) -> list[Change]:
    """Return the changes by more than so many percent, the greatest first."""
    beyond = [one for one in found if abs(one.permille or 0) > percent * 10]
    return sorted(beyond, key=lambda one: (-abs(one.permille or 0), one.prefix, one.band))


def jump_warnings(file: str, found: list[Change], percent: int, than: str) -> list[Problem]:
    """Return warnings about the greatest jumps and the number of the others."""
    beyond = jumps(found, percent)
    warnings = [
        Problem(
            file,
            0,
            f"prefix {one.prefix}" + (f", band {one.band}" if one.band else ""),
            f"{percent_text(one.permille)} compared with {than}: three minutes cost"
            f" {format_micros(one.after or 0)} instead of {format_micros(one.before or 0)}",
            one.destination,
            warning=True,
        )
        for one in beyond[:SHOWN]
    ]
    more = len(beyond) - len(warnings)
    if more > 0:
        what = f"{more} more prefix{'es' if more > 1 else ''} differ by more than {int(percent)}%"
        warnings.append(Problem(file, 0, "", what, "syncd tariff diff lists them", warning=True))
    return warnings
