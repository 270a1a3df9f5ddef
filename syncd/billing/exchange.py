"""What other currencies are worth in the reporting currency, day by day.

A list (CSV: ``date,currency,rate``) says what one unit of a currency is worth from that day on, until
the next day of the list. Rates are exact decimals, kept as whole ten-thousand-millionths.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from syncd.domain.errors import Problem
from syncd.domain.rate import EXCHANGE_SCALE, ExchangeRate

COLUMNS = ("date", "currency", "rate")
_RATE = re.compile(r"\d{1,9}(\.\d{1,10})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


class ExchangeRates:
    """The rates of all currencies of a list, of which each has one a day."""

    __slots__ = ("_rates", "_since")

    def __init__(self, rates: Iterable[ExchangeRate] = ()) -> None:
        self._rates: dict[str, list[ExchangeRate]] = {}
        for rate in sorted(rates):
            self._rates.setdefault(rate.currency, []).append(rate)
        self._since = {
            currency: [rate.since for rate in rates] for currency, rates in self._rates.items()
        }

    def at(self, currency: str, epoch: int) -> ExchangeRate | None:
        """Return the rate in force at a moment (epoch seconds); None before the first."""
        since = self._since.get(currency)
        place = bisect_right(since, epoch) if since else 0
        return self._rates[currency][place - 1] if place else None

    def __contains__(self, currency: object) -> bool:
        return currency in self._rates


def exchanged(micros: int, rate: ExchangeRate) -> int:
    """Return micros of a currency in whole micros of the reporting currency; a half goes to the even
    neighbour."""
    count, rest = divmod(micros * rate.value, EXCHANGE_SCALE)
    beyond_half = 2 * rest - EXCHANGE_SCALE
    if beyond_half > 0 or (beyond_half == 0 and count % 2):
        count += 1
    return count


def shown_rate(rate: ExchangeRate) -> str:
    """Return what a unit is worth as a decimal text."""
    whole, rest = divmod(rate.value, EXCHANGE_SCALE)
    return f"{whole}.{rest:010d}".rstrip("0").rstrip(".")


def load_exchange_rates(path: Path, zone: ZoneInfo) -> tuple[ExchangeRates, list[Problem]]:
    """Read a list, whose days begin in a zone. Returns it, empty when anything is wrong with it, and
    everything that is wrong."""
    file = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        return ExchangeRates(), [Problem(file, 0, "", what)]
    except UnicodeDecodeError as error:
        at = error.object[: error.start].count(b"\n") + 1
        return ExchangeRates(), [Problem(file, at, "", "is not UTF-8", "save it as UTF-8")]
    problems: list[Problem] = []
    found: list[ExchangeRate] = []
    lines: dict[tuple[str, int], int] = {}
    header: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], strict=True))]
        except csv.Error as error:
            problems.append(Problem(file, number, "", f"this is not CSV: {error}"))
            continue
        if not header:
            header = [cell.lower() for cell in cells]
            if sorted(header) != sorted(COLUMNS):
                hint = f"the header is {','.join(COLUMNS)}"
                problems.append(Problem(file, number, "", f"{line!r} is not the header", hint))
                break
            continue
        if len(cells) != len(header):
            what = f"the row has {len(cells)} cells where the header has {len(header)}"
            problems.append(Problem(file, number, "", what))
            continue
        rate, wrong = _rate(dict(zip(header, cells, strict=True)), zone)
        if rate is not None:
            at = lines.setdefault((rate.currency, rate.since), number)
            if at != number:
                wrong = [("date", f"{rate.currency} has a rate of this day on line {at} too", "")]
            found.append(rate)
        problems += [Problem(file, number, *one) for one in wrong]
    if not header:
        hint = f"the header is {','.join(COLUMNS)}"
        problems.append(Problem(file, 0, "", "the list has no header", hint))
    return ExchangeRates(() if problems else found), problems


def _rate(
    row: dict[str, str], zone: ZoneInfo
) -> tuple[ExchangeRate | None, list[tuple[str, str, str]]]:
    """Return the rate of a row, or its mistakes: column, what, how to mend it."""
    wrong: list[tuple[str, str, str]] = []
    since = value = 0
    try:
        day = date.fromisoformat(row["date"])
        since = int(datetime.combine(day, time(), zone).timestamp())
    except ValueError:
        wrong.append(("date", f"{row['date']!r} is no day", "such as 2026-03-01"))
    if not _CURRENCY.fullmatch(row["currency"]):
        wrong.append(("currency", f"{row['currency']!r} is no currency", "such as USD"))
    if _RATE.fullmatch(row["rate"]):
        value = int(Decimal(row["rate"]) * EXCHANGE_SCALE)
    if not value:
        hint = "what one unit is worth, more than 0, at most ten decimals, such as 0.9215"
        wrong.append(("rate", f"{row['rate']!r} is not a rate", hint))
    return (None, wrong) if wrong else (ExchangeRate(row["currency"], since, value), [])
