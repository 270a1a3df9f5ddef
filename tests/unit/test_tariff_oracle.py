"""A hundred thousand prices, against an oracle in fractions that was written from docs/billing.md."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from math import ceil, floor
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from syncd.billing.bands import Bands
from syncd.billing.exchange import ExchangeRates
from syncd.billing.rating import Rated, Unrated, Where, rate_leg, steps_of_leg
from syncd.billing.tariff import Carrier, Deck, Tariff, TariffTerms
from syncd.domain.bands import parse_spans
from syncd.domain.clock import FOREVER
from syncd.domain.codes import NumberClass
from syncd.domain.rate import (
    EXCHANGE_SCALE,
    Adjustment,
    ExchangeRate,
    Increment,
    Rate,
    Rounding,
    Terms,
)

CHUNKS = 20
PAIRS = 5_000
"""In each chunk."""

ZONES = ("Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
CHANGES = (
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
)
"""Moments near which clocks are changed somewhere."""
Week = tuple[tuple[str, str], ...]
WEEKS: tuple[dict[str, str], ...] = (
    {
        "peak": "Mon-Fri 08:00-18:30",
        "evening": "Mon-Fri 18:30-08:00",
        "weekend": "Sat Sun, holiday",
    },
    {"day": "daily 06:00-22:00", "night": "daily 22:00-06:00"},
    {"peak": "Mon-Fri 01:30-03:15", "party": "holiday 00:00-02:30, Sat Sun 02:00-03:00"},
)
HOLIDAYS = (date(2026, 10, 26), date(2026, 3, 30))
EDGES = ("00:00", "01:30", "02:00", "02:30", "03:00", "03:15", "06:00", "08:00", "18:30", "22:00")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


# --- the oracle -----------------------------------------------------------------------------------


def rounded(amount: Fraction, mode: str, decimals: int) -> Fraction:
    """An amount in micros, rounded to decimals of the currency."""
    quantum = Fraction(10**6, 10**decimals)
    quotient = amount / quantum
    whole = {
        "up": ceil(quotient),
        "down": floor(quotient),
        "half-up": floor(quotient + Fraction(1, 2)),
        "half-even": round(quotient),
    }[mode]
    return whole * quantum


def fits(text: str, moment: datetime) -> bool:
    """Say whether one part of a band, such as ``Mon-Fri 08:00-18:30``, has a moment of the clock."""

    def day_fits(day: datetime) -> bool:
        kind = "holiday" if day.date() in HOLIDAYS else DAYS[day.weekday()]
        for word in [word for word in text.lower().split() if ":" not in word]:
            first, _, last = word.partition("-")
            if word in ("daily", kind):
                return True
            if last and kind in DAYS and DAYS.index(first) <= DAYS.index(kind) <= DAYS.index(last):
                return True
        return False

    hours = next((word for word in text.split() if ":" in word), "00:00-24:00")
    start, end = hours.split("-")
    now = f"{moment:%H:%M}"
    if start < end:
        return day_fits(moment) and start <= now < end
    yesterday = moment - timedelta(days=1)
    return (day_fits(moment) and now >= start) or (day_fits(yesterday) and now < end)


@cache
def band_at(week: Week, minute: int, zone: str) -> str:
    """Say which band has a minute (since 1970); bands begin with a minute."""
    moment = datetime.fromtimestamp(minute * 60, ZoneInfo(zone)).replace(tzinfo=None)
    for name, text in week:
        if any(fits(part.strip(), moment) for part in text.split(",")):
            return name
    return ""


class Told(NamedTuple):
    price: Fraction
    original: Fraction
    seconds: int


def step_at(row: Rate, reached: int) -> tuple[int, int, int]:
    """Seconds and price (a numerator and a denominator) of the step at which a leg has arrived that
    has reached so many seconds."""
    terms = row.terms or Terms()
    if terms.increments:
        place = 0
        for one in terms.increments:
            place += one.seconds * one.steps
            if not one.steps or reached < place:
                return one.seconds, one.price * one.seconds, one.unit_seconds
    length = row.initial_seconds if reached < row.initial_seconds else row.increment_seconds
    price = 0 if terms.per_call else row.price
    return length, price * length, row.unit_seconds


def oracle(case: "Case") -> Told | None:
    """Return the price by the manual, None for a leg without one."""
    tariff = case.tariff
    rounding = tariff.rounding
    each = rounding.per == "increment"

    by_band = {rate.band: rate for rate in tariff.rates}

    def row_at(epoch: int) -> Rate | None:
        band = band_at(case.week, epoch // 60, case.zone) if case.week else ""
        return by_band.get(band) or by_band.get("")

    first = row_at(case.connected_at)
    if first is None:
        return None
    terms = first.terms or Terms()
    seconds = max(case.seconds, 1)
    if seconds <= terms.grace_seconds:
        return Told(Fraction(0), Fraction(0), 0)
    amount = Fraction(first.connection_fee)
    if terms.per_call:
        fixed = Fraction(first.price)
        amount += rounded(fixed, rounding.mode, rounding.decimals) if each else fixed
    reached, total = 0, max(seconds, terms.minimum_seconds)
    charged: Counter[tuple[int, int]] = Counter()
    split = case.week and not case.by_start
    if split and not all(
        row_at(epoch)
        for epoch in range(case.connected_at // 60 * 60, case.connected_at + total, 60)
    ):
        return None
    while reached < total:
        row = row_at(case.connected_at + reached) if split else first
        assert row is not None
        length, *price = step_at(row, reached)
        charged[price[0], price[1]] += 1
        reached += length
    for fraction, times in charged.items():
        step = Fraction(*fraction)
        amount += (rounded(step, rounding.mode, rounding.decimals) if each else step) * times
    amount = max(amount, Fraction(first.minimum_charge))
    if terms.maximum_charge is not None:
        amount = min(amount, Fraction(terms.maximum_charge))
    percent = sum(
        Fraction(one.millionths, 10**6)
        for one in case.adjustments
        if one.number_class in (None, case.number_class)
        and one.destination in ("", first.destination.casefold())
    )
    added = amount * max(percent, Fraction(-100)) / 100
    if each:
        added = rounded(added, rounding.mode, rounding.decimals)
    amount += added
    if rounding.per == "leg":
        amount = rounded(amount, rounding.mode, rounding.decimals)
    amount = rounded(amount, "half-even", 6)
    worth = Fraction(case.exchange.value, EXCHANGE_SCALE) if case.exchange else Fraction(1)
    return Told(rounded(amount * worth, "half-even", 6), amount, reached)


# --- the cases ------------------------------------------------------------------------------------


class Case(NamedTuple):
    tariff: Tariff
    week: Week
    by_start: bool
    adjustments: tuple[Adjustment, ...]
    exchange: ExchangeRate | None
    zone: str
    number_class: NumberClass
    connected_at: int
    seconds: int


def made_terms(pick: random.Random) -> Terms | None:
    if pick.random() < 0.4:
        return None
    increments: list[Increment] = []
    if pick.random() < 0.5:
        for _ in range(pick.randrange(3)):
            unit = pick.choice((1, 7, 60))
            price = pick.randrange(10**5)
            increments.append(
                Increment(pick.choice((1, 6, 30, 60)), price, unit, pick.randint(1, 4))
            )
        increments.append(Increment(pick.choice((1, 6, 60)), pick.randrange(10**5), 60, 0))
    return Terms(
        tuple(increments),
        not increments and pick.random() < 0.3,
        pick.choice((0, 0, 20, 90)),
        pick.choice((0, 0, 3, 10)),
        pick.choice((None, None, 400_000, 10**6)),
    )


def made_row(pick: random.Random, band: str) -> Rate:
    terms = made_terms(pick)
    stepped = terms is not None and bool(terms.increments or terms.per_call)
    return Rate(
        "39",
        pick.choice(("Italy", "Rome")),
        NumberClass.NATIONAL,
        pick.choice((0, 50_000, pick.randrange(10**6))),
        pick.choice((0, 300_000, pick.randrange(10**6))),
        1 if stepped else pick.choice((1, 6, 7, 60, 3_600)),
        pick.choice((0, 0, 1, 30, 60)),
        pick.choice((1, 6, 30, 60)),
        pick.choice((0, 0, 100_000, 300_000)),
        band,
        terms,
    )


def made_tariff(pick: random.Random) -> tuple[Carrier, Case]:
    week = pick.choice(({}, *WEEKS))
    bands = [band for band in week if pick.random() < 0.8]
    if not bands or pick.random() < 0.8:
        bands.append("")
    rows = [made_row(pick, band) for band in bands]
    adjustments = tuple(
        Adjustment(
            "x",
            pick.choice((-1, 1)) * pick.choice((5 * 10**6, 2_500_000, 33_333_333, 60 * 10**6)),
            pick.choice((None, NumberClass.NATIONAL, NumberClass.MOBILE)),
            pick.choice(("", "italy")),
        )
        for _ in range(pick.choice((0, 0, 1, 2)))
    )
    exchange = None
    if pick.random() < 0.3:
        exchange = ExchangeRate("USD", 0, pick.randrange(1, 3 * EXCHANGE_SCALE))
    by_start = pick.random() < 0.3
    spans = {name: parse_spans(text) for name, text in week.items()}
    terms = TariffTerms(
        Bands("week", spans, HOLIDAYS) if week else None,
        by_start,
        adjustments,
        "USD" if exchange else "",
        ExchangeRates([exchange] if exchange else ()),
    )
    mode = pick.choice(("up", "half-up", "half-even", "down"))
    rounding = Rounding(
        mode, pick.randrange(7), pick.choice(("leg", "leg", "increment", "invoice"))
    )
    used = None if terms.plain else terms
    tariff = Tariff("telco", "1", 0, FOREVER, Deck(rows), rounding, terms=used)
    case = Case(
        tariff,
        tuple(week.items()),
        by_start,
        adjustments,
        exchange,
        "UTC",
        NumberClass.NATIONAL,
        0,
        0,
    )
    return Carrier("telco", [tariff]), case


def moment(pick: random.Random, zone: str) -> int:
    """Return a moment on a day on which clocks may be changed, mostly soon before a band ends."""
    day = pick.choice(CHANGES) + timedelta(days=pick.randint(-1, 1))
    if pick.random() < 0.2:
        return int(day.timestamp()) + pick.randrange(-8_000, 8_000)
    hour, minute = map(int, pick.choice(EDGES).split(":"))
    edge = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone))
    return int(edge.timestamp()) - pick.choice((0, 1, pick.randrange(900)))


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_price_is_that_of_the_manual(chunk: int) -> None:
    pick = random.Random(chunk)
    kinds = {"rated": 0, "unrated": 0, "split": 0}
    for number in range(PAIRS):
        if number % 5 == 0:
            carrier, made = made_tariff(pick)
        zone = pick.choice(ZONES)
        near = moment(pick, zone)
        case = made._replace(
            zone=zone,
            number_class=pick.choice((NumberClass.NATIONAL, NumberClass.MOBILE)),
            connected_at=near,
            seconds=pick.choice((0, 1, 3, 9, 29, 30, 31, 60, 61, pick.randrange(900))),
        )
        where = Where("hq", ZoneInfo(case.zone))
        rated = rate_leg(carrier, "+3906", near, case.seconds, "", "", case.number_class, where)
        told = oracle(case)
        if told is None:
            assert isinstance(rated, Unrated), case
            kinds["unrated"] += 1
            continue
        assert isinstance(rated, Rated), case
        found = (rated.price.micros, rated.original, rated.price.billed_seconds)
        assert found == told, case
        assert all(type(amount) is int for amount in found)
        parts = steps_of_leg(rated, case.seconds)
        assert sum(part.micros for part in parts) == told.price, case
        assert sum(part.seconds for part in parts) == told.seconds, case
        if case.exchange:
            assert sum(part.original or 0 for part in parts) == told.original, case
        kinds["rated"] += 1
        bands = {one.rate.band for one in rated.working.series} if rated.working else set()
        kinds["split"] += len(bands) > 1
    assert min(kinds.values()) > PAIRS // 500, kinds
