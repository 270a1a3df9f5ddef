"""What an outside leg costs: pure arithmetic in whole micros, rounded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from syncd.billing.tariff import Carrier, Tariff, TariffTerms
from syncd.billing.unrated import REASON_DIGITS, for_number
from syncd.billing.working import (
    QUANTA,
    Stretch,
    Working,
    charged_seconds,
    is_free,
    rounds_up,
    steps_of,
    work_out,
)
from syncd.domain.clock import FOREVER
from syncd.domain.codes import NumberClass
from syncd.domain.rate import Price, Rate, Rounding, Step

NO_CARRIER = "no carrier"
NO_TARIFF = "no tariff at this time"
NO_RATE = "no rate for prefix"
NO_SHORT_RATE = "no rate for short number"
NO_BAND_RATE = "no rate at this time of day for prefix"
NO_EXCHANGE_RATE = "no exchange rate for"
NOT_NORMALISED = "number not normalised"


class Where(NamedTuple):
    """Where a leg goes out: the name of the site, and the zone by whose clocks it has time bands."""

    site: str = ""
    zone: ZoneInfo = ZoneInfo("UTC")


NOWHERE = Where()


class Rated(NamedTuple):
    """The price of a leg and what it was made of."""

    tariff: Tariff
    rate: Rate
    """The row in force at the beginning."""
    price: Price
    working: Working | None = None
    """None: one plain row, which ``steps`` can do again."""

    @property
    def original(self) -> int:
        """The price in micros of the tariff's own currency."""
        return self.price.micros if self.working is None else self.working.original


class Unrated(NamedTuple):
    """No price, which is not price 0, and why."""

    reason: str


def price(rate: Rate, seconds: int, rounding: Rounding) -> Price:
    """Return what a leg of so many connected seconds costs by a row.

    Connected seconds count as 1 at least. Billed are the initial interval, then whole increments.
    Price per unit times billed seconds, exactly; plus the connection fee; at least the minimum
    charge; rounded once to ``rounding.decimals``. A row with terms is worked out step by step.
    """
    if rate.terms is not None or rounding.per != "leg":
        return work_out((Stretch(rate, FOREVER),), seconds, rounding).price
    return _plain_price(rate, seconds, rounding)


def _plain_price(rate: Rate, seconds: int, rounding: Rounding) -> Price:
    """Return what a leg costs by a row without terms, of a tariff that rounds each leg."""
    # Taken apart at once and without calls: this runs for every leg of every file.
    fee, per_unit, unit, initial, increment, minimum = rate[3:9]
    billed = initial
    beyond = (seconds if seconds > 1 else 1) - initial
    if beyond > 0:
        billed += -(-beyond // increment) * increment
    # Amounts are multiplied by the unit, so that nothing is divided before the rounding.
    amount = per_unit * billed + fee * unit
    if amount < minimum * unit:
        amount = minimum * unit
    quantum = QUANTA[rounding.decimals]
    divisor = unit * quantum
    count, rest = divmod(amount, divisor)
    if rest and rounds_up(rounding.mode, count, 2 * rest - divisor):
        count += 1
    return Price(count * quantum, billed)


def steps(rate: Rate, seconds: int, rounding: Rounding) -> list[Step]:
    """Return the arithmetic of ``price``, whose micros add up to it."""
    return steps_of(work_out((Stretch(rate, FOREVER),), seconds, rounding))


def steps_of_leg(rated: Rated, seconds: int) -> list[Step]:
    """Return the arithmetic of a rated leg of so many connected seconds."""
    if rated.working is not None:
        return steps_of(rated.working)
    return steps(rated.rate, seconds, rated.tariff.rounding)


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
    carrier: Carrier | None,
    e164: str,
    connected_at: int,
    seconds: int,
    short_number: str = "",
    trunk: str = "",
    number_class: NumberClass | None = None,
    where: Where = NOWHERE,
) -> Rated | Unrated:
    """Rate an outside leg: the carrier's tariff at the connect time, its longest prefix, the price.

    Given the carrier behind the leg's trunk (None: nobody bills it), the number in E.164 with the
    +, the connect time (epoch seconds) and the leg's connected seconds in all; where it matters,
    the trunk, the number's class by the site's plan (None: that of the row) and the site. A number
    without E.164 may be given by its ``short_number`` (calling code and short number): only a row
    with exactly this prefix prices it, since a short number costs nothing like those that begin
    alike.
    """
    if carrier is None:
        return Unrated(for_number(NO_CARRIER, e164, short_number))
    if not e164 and not short_number:
        return Unrated(NOT_NORMALISED)
    tariff = carrier.latest
    # The latest of all, which most calls have, without a further call.
    if tariff is None or not tariff.valid_from <= connected_at < tariff.valid_to:
        tariff = carrier.at(connected_at, where.site, trunk)
        if tariff is None:
            return Unrated(for_number(NO_TARIFF, e164, short_number))
    if e164:
        rate = tariff.deck.find(e164[1:])
        if rate is None:
            return Unrated(f"{NO_RATE} {e164[: REASON_DIGITS + 1]}")
    else:
        rate = tariff.deck.exact(short_number)
        if rate is None:
            return Unrated(f"{NO_SHORT_RATE} {short_number}")
    if tariff.plain:
        return Rated(tariff, rate, _plain_price(rate, seconds, tariff.rounding))
    if tariff.terms is None:
        return Rated(tariff, rate, price(rate, seconds, tariff.rounding))
    return _by_terms(tariff, tariff.terms, rate, connected_at, seconds, number_class, where.zone)


def _by_terms(
    tariff: Tariff,
    terms: TariffTerms,
    rate: Rate,
    connected_at: int,
    seconds: int,
    number_class: NumberClass | None,
    zone: ZoneInfo,
) -> Rated | Unrated:
    """Rate a leg by a tariff with bands, surcharges or a currency of its own, given one of the rows
    of its prefix."""
    stretches: Sequence[Stretch] = ()
    if tariff.deck.bands and terms.bands is not None:
        rows = tariff.deck.rows(rate.prefix)
        default = rows.get("")
        times = terms.bands.times(zone)
        band, until = times.at(connected_at)
        first = rows.get(band, default)
        if first is None:
            return Unrated(f"{NO_BAND_RATE} +{rate.prefix[:REASON_DIGITS]}")
        rate = first
        total = charged_seconds(rate, seconds)
        alike = (default is not None and len(rows) == 1) or is_free(rate, seconds)
        if connected_at + total > until and not terms.by_start and not alike:
            found = []
            for stretch in times.stretches(connected_at, total):
                row = rows.get(stretch.band, default)
                if row is None:
                    return Unrated(f"{NO_BAND_RATE} +{rate.prefix[:REASON_DIGITS]}")
                found.append(Stretch(row, stretch.until))
            stretches = found
    exchange = None
    if terms.currency:
        exchange = terms.exchange.at(terms.currency, connected_at)
        if exchange is None:
            return Unrated(for_number(f"{NO_EXCHANGE_RATE} {terms.currency}", f"+{rate.prefix}"))
    percent = 0
    if terms.adjustments:
        percent = terms.percent(
            rate.number_class if number_class is None else number_class, rate.destination
        )
    if len(stretches) < 2 and not percent and exchange is None:
        return Rated(tariff, rate, price(rate, seconds, tariff.rounding))
    working = work_out(
        stretches or (Stretch(rate, FOREVER),), seconds, tariff.rounding, percent, exchange
    )
    return Rated(tariff, rate, working.price, working)
