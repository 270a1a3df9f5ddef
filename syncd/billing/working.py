"""A price worked out step by step, for whatever a plain row does not say (docs/billing.md).

Amounts are fractions of micros, kept as a whole numerator and denominator, until they are rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from syncd.billing.exchange import exchanged, shown_rate
from syncd.domain.rate import (
    PLAIN_TERMS,
    ExchangeRate,
    Increment,
    Price,
    Rate,
    Rounding,
    Step,
)

QUANTA: tuple[int, ...] = tuple(10 ** (6 - decimals) for decimals in range(7))

HUNDRED_PERCENT = 10**8
"""In millionths of a percent."""

WHOLE_MICROS = Rounding("half-even", 6)


class Stretch(NamedTuple):
    """A row in force until so many seconds after a leg's beginning."""

    rate: Rate
    until: int


class Series(NamedTuple):
    """Equal steps charged one after the other: their price is ``numerator / denominator`` micros
    together."""

    rate: Rate
    initial: bool
    seconds: int
    """Of one step."""
    steps: int
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class Working:
    """How a price came about. Amounts in micros of the tariff's currency."""

    rate: Rate
    """The row in force at the beginning: its connection fee, limits and grace count."""
    series: tuple[Series, ...]
    limited: tuple[int, int]
    """The amount after minimum and maximum, numerator and denominator."""
    adjusted: tuple[int, int]
    """After surcharge and discount."""
    percent: int
    """Millionths of a percent that were added."""
    rounding: Rounding
    original: int
    """After rounding."""
    exchange: ExchangeRate | None
    price: Price
    grace: bool = False
    """The leg was too short to cost anything."""


def rounded(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Return an amount (numerator / denominator micros) in micros, rounded to the decimals."""
    quantum = QUANTA[rounding.decimals]
    divisor = denominator * quantum
    count, rest = divmod(numerator, divisor)
    if rest and rounds_up(rounding.mode, count, 2 * rest - divisor):
        count += 1
    return count * quantum


def rounds_up(mode: str, count: int, beyond_half: int) -> bool:
    """Return whether a count with a rest is raised by one; ``beyond_half`` is negative for a rest
    below the half and 0 for the half itself."""
    if mode == "half-up":
        return beyond_half >= 0
    if mode == "half-even":
        return beyond_half > 0 or (beyond_half == 0 and count % 2 == 1)
    if mode in ("up", "down"):
        return mode == "up"
    raise ValueError(f"{mode!r} is none of up, half-up, half-even, down")


def with_tax(micros: int, tax: int) -> int:
    """Return a price with a tax (millionths of a percent) in whole micros, which is only shown."""
    return rounded(micros * (HUNDRED_PERCENT + tax), HUNDRED_PERCENT, WHOLE_MICROS)


def increments_of(rate: Rate) -> tuple[Increment, ...]:
    """Return the series of a row; that of an old one is the initial interval and the increment."""
    if rate.terms is not None and rate.terms.increments:
        return rate.terms.increments
    price = 0 if rate.terms is not None and rate.terms.per_call else rate.price
    last = Increment(rate.increment_seconds, price, rate.unit_seconds, 0)
    if rate.initial_seconds:
        return (Increment(rate.initial_seconds, price, rate.unit_seconds), last)
    return (last,)


def charged_seconds(rate: Rate, seconds: int) -> int:
    """Return how many seconds of a leg are covered with steps."""
    least = rate.terms.minimum_seconds if rate.terms is not None else 0
    return max(seconds, least, 1)


def is_free(rate: Rate, seconds: int) -> bool:
    """Tell whether a leg is within the grace of its row."""
    return rate.terms is not None and 0 < rate.terms.grace_seconds >= max(seconds, 1)


def work_out(
    stretches: Sequence[Stretch],
    seconds: int,
    rounding: Rounding,
    percent: int = 0,
    exchange: ExchangeRate | None = None,
) -> Working:
    """Return the price of a leg of so many connected seconds, with its working.

    Given the rows in force one after the other (the last holds to the end), what is added in
    millionths of a percent, and the rate of exchange (None: the tariff is in the reporting
    currency).
    """
    rate = stretches[0].rate
    terms = rate.terms or PLAIN_TERMS
    if is_free(rate, seconds):
        nothing = (0, 1)
        free = Price(0, 0)
        return Working(rate, (), nothing, nothing, 0, rounding, 0, exchange, free, grace=True)
    each = rounding if rounding.per == "increment" else None
    whole = rate.connection_fee
    if terms.per_call:
        whole += rate.price if each is None else rounded(rate.price, 1, each)
    series = _series(stretches, charged_seconds(rate, seconds), each)
    amount = (whole, 1)
    for one in series:
        amount = _sum(amount, (one.numerator, one.denominator))
    limited = amount
    if amount[0] < rate.minimum_charge * amount[1]:
        limited = (rate.minimum_charge, 1)
    if terms.maximum_charge is not None and limited[0] > terms.maximum_charge * limited[1]:
        limited = (terms.maximum_charge, 1)
    adjusted = limited
    if percent:
        added = (limited[0] * max(percent, -HUNDRED_PERCENT), limited[1] * HUNDRED_PERCENT)
        if each is not None:
            added = (rounded(*added, each), 1)
        adjusted = _sum(limited, added)
    final = rounding if rounding.per == "leg" else WHOLE_MICROS
    original = rounded(*adjusted, final)
    micros = original if exchange is None else exchanged(original, exchange)
    billed = sum(one.seconds * one.steps for one in series)
    return Working(
        rate,
        series,
        limited,
        adjusted,
        percent,
        rounding,
        original,
        exchange,
        Price(micros, billed),
    )


def _sum(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    if one[1] == other[1]:
        return one[0] + other[0], one[1]
    return one[0] * other[1] + other[0] * one[1], one[1] * other[1]


def _series(stretches: Sequence[Stretch], total: int, each: Rounding | None) -> tuple[Series, ...]:
    """Cover a leg with steps. A step is charged whole, by the row in force when it begins, and by
    that row's series at the place that the leg has reached."""
    found: list[Series] = []
    at = 0
    for number, (rate, until) in enumerate(stretches, 1):
        end = total if number == len(stretches) else min(until, total)
        begin = 0
        for increment in increments_of(rate):
            stop = begin + increment.seconds * increment.steps if increment.steps else end
            reach = min(end, stop)
            if at < reach:
                steps = -(-(reach - at) // increment.seconds)
                cost = increment.price * increment.seconds
                if each is None:
                    amount = (cost * steps, increment.unit_seconds)
                else:
                    amount = (rounded(cost, increment.unit_seconds, each) * steps, 1)
                initial = begin == 0 and rate.initial_seconds > 0
                found.append(Series(rate, initial, increment.seconds, steps, *amount))
                at += steps * increment.seconds
            begin = stop
    return tuple(found)


def steps_of(working: Working) -> list[Step]:
    """Return the arithmetic of a price, whose micros add up to it.

    Amounts with a fraction of a micro are shown so that each sum so far is cut to whole micros; the
    last step, rounding, makes up for the rest. Where the tariff has another currency each step has
    both, and both add up.
    """
    if working.grace:
        grace = working.rate.terms.grace_seconds if working.rate.terms else 0
        return [Step(f"free: not longer than {grace} s", 0, 0, _original(working, 0))]
    writer = _Writer(working.exchange)
    rate, rounding = working.rate, working.rounding
    if rate.connection_fee:
        writer.add("connection fee", 0, (rate.connection_fee, 1))
    if rate.terms is not None and rate.terms.per_call:
        price = rate.price if rounding.per != "increment" else rounded(rate.price, 1, rounding)
        writer.add("price of the call", 0, (price, 1))
    for one in working.series:
        what = "initial interval"
        if not one.initial or one.steps > 1:
            what = f"{one.steps} increment{'s' if one.steps > 1 else ''} of {one.seconds} s"
        if one.rate.band:
            what += f", {one.rate.band}"
        writer.add(what, one.seconds * one.steps, (one.numerator, one.denominator))
    raised = working.limited[0] * writer.amount[1] - writer.amount[0] * working.limited[1]
    if raised:
        what = "raised to the minimum charge" if raised > 0 else "cut to the maximum charge"
        writer.reach(what, working.limited)
    if working.percent:
        kind = "surcharge" if working.percent > 0 else "discount"
        writer.reach(f"{kind} {percent_text(abs(working.percent))}", working.adjusted)
    if writer.written != working.original:
        what = f"rounding {rounding.mode} to {rounding.decimals} decimals"
        if rounding.per != "leg":
            what = "rounding to whole millionths"
        writer.reach(what, (working.original, 1))
    if working.exchange is not None and writer.made:
        worth = f"1 {working.exchange.currency} is {shown_rate(working.exchange)}"
        first = writer.made[0]
        writer.made[0] = first._replace(what=f"{first.what} ({worth})")
    return writer.made


def _original(working: Working, micros: int) -> int | None:
    return None if working.exchange is None else micros


def percent_text(millionths: int) -> str:
    """Return ``2.5 %``."""
    whole, rest = divmod(millionths, 10**6)
    number = f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
    return f"{number} %"


class _Writer:
    """Writes amounts down as steps that add up."""

    def __init__(self, exchange: ExchangeRate | None) -> None:
        self.made: list[Step] = []
        self.amount = (0, 1)
        """Exactly, so far."""
        self.written = 0
        """In whole micros, so far."""
        self._exchange = exchange

    def add(self, what: str, seconds: int, amount: tuple[int, int]) -> None:
        self.reach(what, _sum(self.amount, amount), seconds)

    def reach(self, what: str, amount: tuple[int, int], seconds: int = 0) -> None:
        """Write a step after which the amounts come to this one."""
        before, self.written = self.written, amount[0] // amount[1]
        self.amount = amount
        micros, original = self.written - before, None
        if self._exchange is not None:
            original = micros
            micros = exchanged(self.written, self._exchange) - exchanged(before, self._exchange)
        self.made.append(Step(what, seconds, micros, original))
