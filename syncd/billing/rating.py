"""What an outside leg costs: pure arithmetic in whole micros, rounded once, at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from syncd.billing.tariff import Carrier, Tariff
from syncd.domain.rate import Price, Rate, Rounding, Step

NO_CARRIER = "no carrier"
NO_TARIFF = "no tariff at this time"
NO_RATE = "no rate for prefix"
NO_SHORT_RATE = "no rate for short number"
NOT_NORMALISED = "number not normalised"

REASON_DIGITS = 5
"""Leading digits of a number that a reason shows: enough to find the missing row, while the last
digits, which some readers must not see, stay out."""

_QUANTA: tuple[int, ...] = tuple(10 ** (6 - decimals) for decimals in range(7))


class Rated(NamedTuple):
    """The price of a leg and what it was made of."""

    tariff: Tariff
    rate: Rate
    price: Price


class Unrated(NamedTuple):
    """No price, which is not price 0, and why."""

    reason: str


def price(rate: Rate, seconds: int, rounding: Rounding) -> Price:
    """Return what a leg of so many connected seconds costs.

    Connected seconds count as 1 at least. Billed are the initial interval, then whole increments.
    Price per unit times billed seconds, exactly; plus the connection fee; at least the minimum
    charge; rounded once to ``rounding.decimals``.
    """
    # Taken apart at once and without calls: this runs for every leg of every file.
    _, _, _, fee, per_unit, unit, initial, increment, minimum, _, _ = rate
    billed = initial
    beyond = (seconds if seconds > 1 else 1) - initial
    if beyond > 0:
        billed += -(-beyond // increment) * increment
    # Amounts are multiplied by the unit, so that nothing is divided before the rounding.
    amount = per_unit * billed + fee * unit
    if amount < minimum * unit:
        amount = minimum * unit
    divisor = unit * _QUANTA[rounding.decimals]
    count, rest = divmod(amount, divisor)
    if rest and _rounds_up(rounding.mode, count, 2 * rest - divisor):
        count += 1
    return Price(count * _QUANTA[rounding.decimals], billed)


def _rounds_up(mode: str, count: int, beyond_half: int) -> bool:
    """Return whether a count with a rest is raised by one; ``beyond_half`` is negative for a rest
    below the half and 0 for the half itself."""
    if mode == "half-up":
        return beyond_half >= 0
    if mode == "half-even":
        return beyond_half > 0 or (beyond_half == 0 and count % 2 == 1)
    if mode in ("up", "down"):
        return mode == "up"
    raise ValueError(f"{mode!r} is none of up, half-up, half-even, down")


def steps(rate: Rate, seconds: int, rounding: Rounding) -> list[Step]:
    """Return the arithmetic of ``price``, whose micros add up to it.

    An interval that costs a fraction of a micro is shown cut to the whole one; the last step,
    rounding, makes up for that too.
    """
    total, billed = price(rate, seconds, rounding)
    unit = rate.unit_seconds
    made: list[Step] = []
    if rate.connection_fee:
        made.append(Step("connection fee", 0, rate.connection_fee))
    initial = rate.initial_seconds
    initial_micros = rate.price * initial // unit
    if initial:
        made.append(Step("initial interval", initial, initial_micros))
    if billed > initial:
        count = (billed - initial) // rate.increment_seconds
        what = f"{count} increment{'s' if count > 1 else ''} of {rate.increment_seconds} s"
        micros = rate.price * billed // unit - initial_micros
        made.append(Step(what, billed - initial, micros))
    summed = sum(step.micros for step in made)
    if rate.minimum_charge * unit > rate.price * billed + rate.connection_fee * unit:
        made.append(Step("raised to the minimum charge", 0, rate.minimum_charge - summed))
        summed = rate.minimum_charge
    if total != summed:
        what = f"rounding {rounding.mode} to {rounding.decimals} decimals"
        made.append(Step(what, 0, total - summed))
    return made


def share(price_micros: int, seconds: Sequence[int]) -> list[int]:
    """Share a leg's price over its segments by their connected seconds.

    Each gets its part cut to whole micros, the last takes the remainder, and all of it when no
    segment has any seconds. Returns a share for each segment; they add up to the price.
    """
    if not seconds:
        return []
    whole = sum(seconds)
    shares = [price_micros * part // whole if whole else 0 for part in seconds[:-1]]
    shares.append(price_micros - sum(shares))
    return shares


def rate_leg(
    carrier: Carrier | None, e164: str, connected_at: int, seconds: int, short_number: str = ""
) -> Rated | Unrated:
    """Rate an outside leg: the carrier's tariff at the connect time, its longest prefix, the price.

    Given the carrier behind the leg's trunk (None: nobody bills it), the number in E.164 with the
    +, the connect time (epoch seconds) and the leg's connected seconds in all. A number without
    E.164 may be given by its ``short_number`` (calling code and short number): only a row with
    exactly this prefix prices it, since a short number costs nothing like those that begin alike.
    """
    if carrier is None:
        return Unrated(NO_CARRIER)
    if not e164 and not short_number:
        return Unrated(NOT_NORMALISED)
    tariff = carrier.at(connected_at)
    if tariff is None:
        return Unrated(NO_TARIFF)
    if e164:
        rate = tariff.deck.find(e164[1:])
        if rate is None:
            return Unrated(f"{NO_RATE} {e164[: REASON_DIGITS + 1]}")
    else:
        rate = tariff.deck.exact(short_number)
        if rate is None:
            return Unrated(f"{NO_SHORT_RATE} {short_number}")
    return Rated(tariff, rate, price(rate, seconds, tariff.rounding))
