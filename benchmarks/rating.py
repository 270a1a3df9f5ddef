"""How fast calls are rated and numbers are read, beside simpler ways in the same run.

    python -m benchmarks.rating [--calls 200000] [--prefixes 50000]

Ratios carry over from one machine to another, figures a second do not. Each figure is the best of
three runs.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

from syncd.billing.bands import Bands
from syncd.billing.numbering import Numbering, NumberingPlan
from syncd.billing.rating import Rated, Where, rate_leg
from syncd.billing.tariff import Carrier, Deck, Tariff, TariffTerms
from syncd.domain.bands import parse_spans
from syncd.domain.clock import FOREVER
from syncd.domain.codes import NumberClass
from syncd.domain.rate import Rate, Rounding

ROUNDS = 3
Call = tuple[str, int]
"""A number in E.164 and its connected seconds."""


def made_deck(count: int, generator: random.Random) -> list[Rate]:
    """Return as many rates with random prefixes of one to nine digits."""
    prefixes = {str(digit) for digit in range(1, 10)}
    while len(prefixes) < count:
        length = generator.choice((2, 3, 4, 5, 6, 6, 7, 7, 7, 8, 8, 9))
        prefixes.add(str(generator.randrange(10 ** (length - 1), 10**length)))
    return [
        Rate(
            prefix,
            f"destination {prefix}",
            NumberClass.INTERNATIONAL,
            generator.choice((0, 50_000)),
            generator.randrange(500_000),
            60,
            generator.choice((0, 30, 60)),
            generator.choice((1, 6, 60)),
            generator.choice((0, 100_000)),
        )
        for prefix in sorted(prefixes)
    ]


def made_calls(
    rates: list[Rate], count: int, distinct: int, generator: random.Random
) -> list[Call]:
    """Return calls to so many distinct numbers, most of them below a prefix of the deck."""
    numbers = []
    for _ in range(distinct):
        prefix = generator.choice(rates).prefix
        rest = 12 - len(prefix)
        numbers.append(f"+{prefix}{generator.randrange(10**rest):0{rest}d}")
    return [(generator.choice(numbers), generator.randrange(1, 1_800)) for _ in range(count)]


def best(name: str, count: int, work: Callable[[], object], unit: str = "calls") -> float:
    """Time some work, print and return what it does in a second."""
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    speed = count / min(seconds)
    print(f"{name:<52} {speed:>12,.0f} {unit}/s")
    return speed


def made_numbers(beginnings: tuple[str, ...], count: int, generator: random.Random) -> list[str]:
    """Return nearly as many distinct dialled numbers, in no order."""
    numbers = {
        f"{generator.choice(beginnings)}{generator.randrange(10**7):07d}" for _ in range(count)
    }
    return generator.sample(sorted(numbers), len(numbers))


def made_carrier(rates: list[Rate]) -> Carrier:
    """Return a carrier whose deck remembers nothing yet."""
    return Carrier("telco", [Tariff("telco", "1", 0, FOREVER, Deck(rates), Rounding())])


def banded_carrier(rates: list[Rate]) -> Carrier:
    """Return a carrier whose deck has three rows for each prefix: peak, weekend and default."""
    spans = {"peak": "Mon-Fri 08:00-18:30", "weekend": "Sat Sun, holiday"}
    bands = Bands("week", {name: parse_spans(text) for name, text in spans.items()})
    rows = [rate._replace(band=band) for rate in rates for band in ("", *spans)]
    terms = TariffTerms(bands)
    return Carrier("telco", [Tariff("telco", "1", 0, FOREVER, Deck(rows), Rounding(), terms=terms)])


def rate_all_in_bands(carrier: Carrier, calls: list[Call], moments: list[int]) -> int:
    """Rate all calls, each at a moment of its own; return what they cost together."""
    where = Where("hq", ZoneInfo("Europe/Rome"))
    total = 0
    for (number, seconds), moment in zip(calls, moments, strict=True):
        rated = rate_leg(carrier, number, moment, seconds, "", "", None, where)
        if type(rated) is Rated:
            total += rated.price.micros
    return total


def rate_all(carrier: Carrier, calls: list[Call]) -> int:
    """Rate all calls; return what they cost together."""
    total = 0
    for number, seconds in calls:
        rated = rate_leg(carrier, number, 1, seconds)
        if type(rated) is Rated:
            total += rated.price.micros
    return total


def look_up_by_dictionary(by_prefix: dict[str, Rate], calls: list[Call]) -> int:
    """The least that a longest prefix takes: a dictionary, lengths from long to short, no price."""
    lengths = sorted({len(prefix) for prefix in by_prefix}, reverse=True)
    found = 0
    for number, _seconds in calls:
        digits = number[1:]
        for length in lengths:
            if digits[:length] in by_prefix:
                found += 1
                break
    return found


def look_up_by_sql(connection: sqlite3.Connection, calls: list[Call]) -> int:
    """A query for each call: the longest of the prefixes that the number may begin with."""
    places = ",".join("?" * 9)
    query = (
        "SELECT prefix, connection_fee, price, unit_seconds FROM rate"
        f" WHERE prefix IN ({places}) ORDER BY length(prefix) DESC LIMIT 1"
    )
    found = 0
    for number, _seconds in calls:
        prefixes = [number[1 : 1 + length] for length in range(1, 10)]
        found += connection.execute(query, prefixes).fetchone() is not None
    return found


def read_all(numbers: list[str]) -> None:
    numbering = Numbering(NumberingPlan("IT", "06", "0", internal_numbers=("2XXX", "3XXX")))
    for number in numbers:
        numbering.outgoing(number, "0.!")


def parse_all(numbers: list[str]) -> None:
    import phonenumbers

    for number in numbers:
        parsed = phonenumbers.parse(number[1:], "IT")
        phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        phonenumbers.number_type(parsed)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure rating and the reading of numbers.")
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--prefixes", type=int, default=50_000)
    arguments = parser.parse_args()
    generator = random.Random(2026)
    count = arguments.calls
    rates = made_deck(arguments.prefixes, generator)
    print(f"{count:,} calls, a deck of {len(rates):,} prefixes")

    few = made_calls(rates, count, max(count // 20, 1), generator)
    many = made_calls(rates, count, count * 10, generator)
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE TABLE rate (prefix TEXT PRIMARY KEY, connection_fee, price, unit_seconds)"
    )
    connection.executemany(
        "INSERT INTO rate VALUES (?, ?, ?, ?)",
        [(rate.prefix, rate.connection_fee, rate.price, rate.unit_seconds) for rate in rates],
    )
    known = made_carrier(rates)
    repeated = best("rated, each number about 20 times", count, lambda: rate_all(known, few))
    unknown = iter([made_carrier(rates) for _ in range(ROUNDS)])
    fresh = best("rated, numbers never seen before", count, lambda: rate_all(next(unknown), many))
    year = 1_767_225_600
    moments = [year + generator.randrange(365 * 86_400) for _ in range(count)]
    banded = banded_carrier(rates)
    in_bands = best(
        "rated by time band, split at its edges, a year of calls",
        count,
        lambda: rate_all_in_bands(banded, few, moments),
    )
    by_prefix = {rate.prefix: rate for rate in rates}
    dictionary = best(
        "longest prefix alone, plain dictionary",
        count,
        lambda: look_up_by_dictionary(by_prefix, many),
    )
    sql = best("SQL query per call, no price", count, lambda: look_up_by_sql(connection, many))
    print(
        f"ratio to the SQL query       {repeated / sql:6.1f}   new numbers {fresh / sql:6.1f}   "
        f"in bands {in_bands / sql:6.1f}"
    )
    print(
        f"ratio to the bare dictionary {repeated / dictionary:6.2f}   "
        f"new numbers {fresh / dictionary:6.2f}   in bands {in_bands / dictionary:6.2f}"
    )

    national = made_numbers(("006", "002", "0011", "0333", "0347"), count, generator)
    abroad = made_numbers(("00044207", "0004930", "000331", "0001212"), count, generator)
    few_parsed = national[: max(len(national) // 20, 1)]
    unit = "numbers"
    inside = best(
        "national numbers read, all distinct", len(national), lambda: read_all(national), unit
    )
    outside = best(
        "international numbers read, all distinct", len(abroad), lambda: read_all(abroad), unit
    )
    library = best(
        "national, phonenumbers alone", len(few_parsed), lambda: parse_all(few_parsed), unit
    )
    print(f"ratio to phonenumbers: national {inside / library:.1f}, abroad {outside / library:.1f}")


if __name__ == "__main__":
    main()
