"""Rates, tariffs and prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from syncd.domain.codes import NumberClass


class NormalisedNumber(NamedTuple):
    """A number after a site's plan: E.164 with ``+`` (empty when it has none), class and the rule
    that decided it."""

    e164: str
    number_class: NumberClass
    rule: str
    short_number: str = ""
    """Calling code and short number (``39112``): what has no E.164 may be priced by a deck's row of
    exactly this prefix."""
    private: bool = False
    """It was dialled with the site's prefix for private calls."""


class Increment(NamedTuple):
    """A series of equal steps, each charged whole when it begins: ``price`` micros for every
    ``unit_seconds``, so that a step costs ``price * seconds / unit_seconds``."""

    seconds: int
    price: int
    unit_seconds: int
    steps: int = 1
    """How many such steps there are; 0, in the last series alone: as many as it takes."""


class Terms(NamedTuple):
    """What a row of a rate deck may say beyond its nine columns; times in seconds."""

    increments: tuple[Increment, ...] = ()
    """One series after the other, instead of price, initial interval and increment; empty: those
    count."""
    per_call: bool = False
    """``price`` is for the whole call, however long it lasts."""
    minimum_seconds: int = 0
    """A shorter leg is charged as if it had lasted so long."""
    grace_seconds: int = 0
    """A leg that is not longer than this is free; 0: none is."""
    maximum_charge: int | None = None
    """The most that the whole leg costs, connection fee included, micros; None: no limit."""


PLAIN_TERMS = Terms()


class Rate(NamedTuple):
    """A row of a rate deck. Money in micros of the tariff's currency, times in seconds."""

    prefix: str
    destination: str
    number_class: NumberClass
    connection_fee: int
    price: int
    """Per ``unit_seconds``."""
    unit_seconds: int
    initial_seconds: int
    increment_seconds: int
    minimum_charge: int
    """Of the whole price, connection fee included."""
    band: str = ""
    """Name of the time band in which the row holds; empty: when no other row of its prefix does."""
    terms: Terms | None = None
    """None: the row is plain."""


ROUNDED_PER = ("leg", "increment", "invoice")


@dataclass(frozen=True, slots=True)
class Rounding:
    """How a price is rounded, once: mode ``up|half-up|half-even|down``, decimals 0–6, and what: the
    price of the leg, each increment, or the month's line on the invoice (then a leg keeps whole
    micros)."""

    mode: str = "half-up"
    decimals: int = 4
    per: str = "leg"


class Adjustment(NamedTuple):
    """A surcharge or discount in millionths of a percent (negative: discount), on the legs that it
    names. It names all when both of the others are empty."""

    name: str
    millionths: int
    number_class: NumberClass | None = None
    destination: str = ""
    """Pattern for the destination's name, case folded: ``*`` and ``?``."""


class ExchangeRate(NamedTuple):
    """What a unit of a currency is worth in the reporting currency: ``value / EXCHANGE_SCALE``."""

    currency: str
    since: int
    """Epoch seconds at which its first day begins."""
    value: int


EXCHANGE_SCALE = 10**10


class Step(NamedTuple):
    """One line of a price's arithmetic; the micros of all steps add up to the price."""

    what: str
    seconds: int
    micros: int
    original: int | None = None
    """The same in micros of the tariff's currency, where that is not the reporting currency."""


class Price(NamedTuple):
    """The price of an outside leg in micros, with the seconds that were billed."""

    micros: int
    billed_seconds: int
