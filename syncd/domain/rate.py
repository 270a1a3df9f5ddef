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


class Rate(NamedTuple):
    """A row of a rate deck. Money in micros of the currency, times in seconds."""

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


@dataclass(frozen=True, slots=True)
class Rounding:
    """How a price is rounded, once, at the end: mode ``up|half-up|half-even|down``, decimals 0–6."""

    mode: str = "half-up"
    decimals: int = 4


class Step(NamedTuple):
    """One line of a price's arithmetic; the micros of all steps add up to the price."""

    what: str
    seconds: int
    micros: int


class Price(NamedTuple):
    """The price of an outside leg in micros, with the seconds that were billed."""

    micros: int
    billed_seconds: int
