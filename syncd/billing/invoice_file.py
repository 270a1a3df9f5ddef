"""A carrier's itemised bill, CSV or XLSX, read by the columns that the settings name."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from syncd.billing.deck_cells import amount
from syncd.billing.invoice_match import Item
from syncd.billing.numbering import Numbering
from syncd.billing.sheets import (
    HEAD_ROWS,
    Form,
    NumberText,
    Row,
    Sheet,
    heading_key,
    read_sheets,
)
from syncd.domain.errors import ConfigurationError, Problem
from syncd.domain.money import parse_micros
from syncd.domain.party import clean_number
from syncd.settings.finance import InvoiceSettings

COLUMNS = ("number", "start", "date", "time", "duration", "price", "calling")
_HIDDEN = re.compile(r"[xX*.]{1,9}$")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):([0-5]?\d)", re.ASCII)
MOST_PROBLEMS = 100
Value = TypeVar("Value")


class BillItem(NamedTuple):
    """A row of the bill."""

    line: int
    number: str
    """As printed."""
    calling: str
    ours: bool
    """Whether it was made by one of our numbers or trunks."""
    price: int | None
    """Micros."""
    item: Item


@dataclass(frozen=True, slots=True)
class Reading:
    """What rows are read with."""

    layout: InvoiceSettings
    numbering: Numbering
    currency: str


def read_bill(path: Path, reading: Reading) -> list[BillItem]:
    """Return the items of a bill, in its order. Rows without a number are none, nor are those that
    have neither a time nor a duration: headings and sums.

    Raises ConfigurationError with every row that cannot be read.
    """
    layout = reading.layout
    headers = {name: getattr(layout, name) for name in COLUMNS if getattr(layout, name)}
    form = Form(layout.sheet, layout.delimiter, layout.encoding)
    sheets = read_sheets(path, form, tuple(headers.values()))
    found = [(sheet, head) for sheet in sheets if (head := _head(sheet, headers)) is not None]
    if not found:
        what = f"no row has all of the headers {', '.join(headers.values())}"
        problem = Problem(str(path), 0, "", what, f"[invoice:{layout.name}]")
        raise ConfigurationError(f"{path.name} cannot be read", problems=[problem])
    items: list[BillItem] = []
    problems: list[Problem] = []
    for sheet, (after, places) in found:
        for row in sheet.rows[after:]:
            cells = {
                name: row.cells[place] if place < len(row.cells) else ""
                for name, place in places.items()
            }
            if not cells["number"] or cells["number"] == headers["number"]:
                continue
            if not any(cells.get(name) for name in ("start", "date", "time", "duration")):
                continue
            items += _item(row, cells, reading, sheet.label, headers, problems)
    if problems:
        count = f"{len(problems)} row{'s' if len(problems) > 1 else ''}"
        raise ConfigurationError(
            f"{path.name}: {count} cannot be read", problems=problems[:MOST_PROBLEMS]
        )
    return items


def _head(sheet: Sheet, headers: Mapping[str, str]) -> tuple[int, dict[str, int]] | None:
    """Return how many rows there are up to the header, and the place of each column."""
    for index, row in enumerate(sheet.rows[:HEAD_ROWS]):
        keys = [heading_key(cell) for cell in row.cells]
        if all(heading_key(header) in keys for header in headers.values()):
            return index + 1, {
                name: keys.index(heading_key(header)) for name, header in headers.items()
            }
    return None


def _item(
    row: Row,
    cells: Mapping[str, str],
    reading: Reading,
    label: str,
    headers: Mapping[str, str],
    problems: list[Problem],
) -> list[BillItem]:
    """Return the item of a row; what is wrong with it goes to ``problems``."""
    layout = reading.layout
    before = len(problems)
    nowhen: tuple[int, ...] = ()

    def read(column: str, reader: Callable[[], Value], otherwise: Value) -> Value:
        try:
            return reader()
        except ValueError as error:
            problems.append(Problem(label, row.line, headers.get(column, ""), str(error)))
            return otherwise

    number, hidden = read(
        "number", lambda: plain_number(cells["number"], reading.numbering), ("", 0)
    )
    starts = read(
        "start" if layout.start else "date",
        lambda: starts_of(_written(cells, layout), layout),
        nowhen,
    )
    seconds = read("duration", lambda: seconds_of(cells["duration"], layout), 0)
    price = read("price", lambda: price_of(cells.get("price", ""), layout, reading.currency), None)
    if len(problems) > before:
        return []
    calling = cells.get("calling", "")
    item = Item(number, hidden, starts, seconds)
    ours = is_ours(calling, layout.own_numbers)
    return [BillItem(row.line, cells["number"], calling, ours, price, item)]


def plain_number(text: str, numbering: Numbering) -> tuple[str, int]:
    """Return a number of the bill in E.164, or a short number as it is, and how many digits at its
    end are hidden. Raises ValueError."""
    bare = re.sub(r"[\s()/-]", "", text)
    match = _HIDDEN.search(bare)
    hidden = len(match[0]) if match else 0
    digits = clean_number(bare[: len(bare) - hidden] + "0" * hidden)
    if not digits:
        raise ValueError(f"{text!r} is not a number")
    found = numbering.incoming(digits).e164 or digits
    return found[: len(found) - hidden] if hidden else found, hidden


def _written(cells: Mapping[str, str], layout: InvoiceSettings) -> tuple[str, str]:
    """Return the start as it is written, and its format."""
    if layout.start:
        return cells["start"], layout.start_format
    day, time = cells["date"], cells["time"]
    if re.fullmatch(r"\d{4}-\d\d-\d\d 00:00:00", day) and " " not in layout.date_format:
        # A workbook's own date; its time may be a date of its own, too.
        return f"{day[:10]} {time[-8:]}", "%Y-%m-%d %H:%M:%S"
    return f"{day} {time}", f"{layout.date_format} {layout.time_format}"


def starts_of(written: tuple[str, str], layout: InvoiceSettings) -> tuple[int, ...]:
    """Return the epoch seconds that a local time may be, two in the hour that the clock repeats.
    Raises ValueError."""
    text, form = written
    local = None
    # A workbook gives its own dates in the form of ISO 8601.
    for one in (form, "%Y-%m-%d %H:%M:%S"):
        try:
            local = datetime.strptime(text, one)  # noqa: DTZ007
            break
        except ValueError:
            continue
    if local is None:
        raise ValueError(f"{text!r} is not a time like {form}")
    zone: ZoneInfo = layout.timezone
    if local.tzinfo is not None:
        return (int(local.timestamp()),)
    moments = {
        int(local.replace(tzinfo=zone, fold=fold).astimezone(UTC).timestamp()) for fold in (0, 1)
    }
    return tuple(sorted(moments))


def seconds_of(text: str, layout: InvoiceSettings) -> int:
    """Return a duration in seconds. Raises ValueError."""
    form = layout.duration_format
    if form == "clock":
        match = _CLOCK.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a duration like 1:05 or 0:01:05")
        whole = timedelta(hours=int(match[1] or 0), minutes=int(match[2]), seconds=int(match[3]))
        return whole.days * 86_400 + whole.seconds
    number = text.replace(" ", "")
    if layout.decimal == "comma" and not isinstance(text, NumberText):
        number = number.replace(".", "").replace(",", ".")
    if not re.fullmatch(r"\d{1,9}(\.\d+)?", number, re.ASCII):
        raise ValueError(f"{text!r} is not a duration in {form}")
    seconds = Decimal(number) * (60 if form == "minutes" else 1)
    return int(seconds.to_integral_value(ROUND_HALF_UP))


def price_of(text: str, layout: InvoiceSettings, currency: str) -> int | None:
    """Return a price in micros, None where there is none. Raises ValueError."""
    plain = amount(text, layout.decimal, currency=currency)
    return parse_micros(plain) if plain else None


def is_ours(calling: str, own_numbers: tuple[str, ...]) -> bool:
    """Say whether a calling number or trunk is one of ours; without a list of them all are."""
    if not own_numbers:
        return True
    bare = re.sub(r"[\s()/-]", "", calling).casefold()
    return any(
        fnmatch.fnmatchcase(text, pattern.casefold())
        for text in (bare, calling.casefold())
        for pattern in own_numbers
    )
