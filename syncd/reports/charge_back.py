"""A month's cost by cost center as files for the ledger, in a layout of the settings."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from operator import add
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from syncd.billing.cents import apportion, format_units, unit_of
from syncd.billing.working import HUNDRED_PERCENT
from syncd.domain.days import Days, day_date, day_number, month_days
from syncd.domain.errors import UserError
from syncd.reports.lookups import Key, Lookups
from syncd.reports.posting import check_posting, with_adjustments
from syncd.reports.query import SUM_NAMES, Query
from syncd.reports.render.csv import safe_cell
from syncd.reports.render.table import UNASSIGNED, cell_text
from syncd.reports.scope import Door
from syncd.reports.specification import BY_POSTING, Specification
from syncd.settings.finance import ChargeBackSettings, LedgerColumn
from syncd.store.database import read_transaction

POINTS = {"point": ".", "comma": ",", "none": ""}
LINE_ENDS = {"unix": "\n", "windows": "\r\n"}
COST, CALLS, SECONDS, UNRATED = (
    SUM_NAMES.index(name) for name in ("cost", "calls", "billed_seconds", "unrated")
)
AMOUNTS = ("amount", "vat", "with_vat")
TOTALS = ("total", "total_vat", "total_with_vat")
NUMBERS = (*AMOUNTS, *TOTALS, "calls", "seconds", "line", "lines")
WHOLE = (*NUMBERS, "cost_center")
"""Fields that are never cut off."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ledger before it is laid out."""

    cost_center: str | None
    labels: Mapping[str, Any]
    """By dimension of ``by``."""
    cost: int
    """Micros."""
    vat: int
    """Of these, by the rate of each carrier: micros times 100 % in millionths of a percent, exact."""
    calls: int
    seconds: int


class Amount(NamedTuple):
    """What is booked, in whole units of the layout."""

    net: int
    vat: int

    @property
    def shown(self) -> tuple[int, int, int]:
        """Without the tax, the tax, and with it."""
        return self.net, self.vat, self.net + self.vat


@dataclass(frozen=True, slots=True)
class LedgerFile:
    """A file ready to be written."""

    name: str
    content: bytes
    cost_center: str | None
    lines: int
    calls: int
    total: str
    """As the layout writes it, with a point."""
    vat: str
    """Likewise."""


@dataclass(frozen=True, slots=True)
class ChargeBack:
    """The files of a month, and what they add up to."""

    files: list[LedgerFile]
    total: str
    vat: str
    unrated: int
    """Call rows of the month without a price, which are in no file."""


def charge_back(
    door: Door,
    layout: ChargeBackSettings,
    month: int,
    zone: ZoneInfo,
    currency: str,
    vat: Mapping[str, int],
) -> ChargeBack:
    """Return the files of a month (yyyymm), by posting period. ``vat`` is the tax of each carrier
    (millionths of a percent). Raises UserError for what does not fit into the layout."""
    days = [day_date(day) for day in month_days(month)]
    lines, unrated = _lines(door, layout, days[0], days[1], zone, vat)
    unit = unit_of(layout.decimals)
    centers = list(dict.fromkeys(line.cost_center for line in lines))
    grouped = [[line for line in lines if line.cost_center == center] for center in centers]
    costs = _rounded([[line.cost for line in group] for group in grouped], unit)
    taxes = _rounded([[line.vat for line in group] for group in grouped], unit * HUNDRED_PERCENT)
    units = [
        [Amount(*pair) for pair in zip(*both, strict=True)]
        for both in zip(costs, taxes, strict=True)
    ]
    writer = _Writer(layout, days[0], days[1], currency)
    if "{cost_center" in layout.file:
        files = [
            writer.file(center, group, amounts)
            for center, group, amounts in zip(centers, grouped, units, strict=True)
        ]
    else:
        files = [writer.file("", list(chain(*grouped)), list(chain(*units)))]
    door.note_rows(len(lines))
    net, tax = (
        format_units(sum(map(sum, groups)), layout.decimals, ".") for groups in (costs, taxes)
    )
    return ChargeBack(files, net, tax, unrated)


def _rounded(groups: Sequence[Sequence[int]], unit: int) -> list[list[int]]:
    """Return amounts in whole units: first the cost centers, so that all of them add up to the month;
    then the lines of each."""
    shares = apportion([sum(amounts) for amounts in groups], unit)
    return [apportion(amounts, unit, share) for amounts, share in zip(groups, shares, strict=True)]


def _lines(
    door: Door,
    layout: ChargeBackSettings,
    first: date,
    end: date,
    zone: ZoneInfo,
    vat: Mapping[str, int],
) -> tuple[list[Line], int]:
    """Return the lines with a cost, by cost center and what ``by`` says, and how many rows have no
    price."""
    dimensions = ("cost_center", *layout.by)
    asked = dimensions if "carrier" in dimensions else (*dimensions, "carrier")
    carrier = asked.index("carrier")
    specification = Specification(
        "charge-back", first, end, asked, measures=("cost",), by=BY_POSTING
    )
    check_posting(specification)
    lookups = Lookups(Days(zone), day_number(first), day_number(end))
    query = Query(door.scope, specification, lookups)
    with read_transaction():
        groups = with_adjustments(query, query.sums(asked), asked)
        together: dict[tuple[Key, ...], list[int]] = {}
        for keys, sums in groups.items():
            # A line may be of several carriers, and each has a rate of its own.
            line_sums = together.setdefault(keys[: len(dimensions)], [0, 0, 0, 0])
            rate = vat.get(str(lookups.label("carrier", keys[carrier])), 0)
            amounts = (sums[COST], sums[COST] * rate, sums[CALLS], sums[SECONDS])
            line_sums[:] = map(add, line_sums, amounts)
        found = []
        for keys, line_sums in together.items():
            labels = [lookups.label(name, key) for name, key in zip(dimensions, keys, strict=True)]
            if line_sums[0] or line_sums[1]:
                line = Line(labels[0], dict(zip(layout.by, labels[1:], strict=True)), *line_sums)
                order = [(label is None, str(label).casefold()) for label in labels]
                found.append((order, [str(key) for key in keys], line))
    found.sort(key=lambda item: item[:2])
    return [line for _, _, line in found], sum(sums[UNRATED] for sums in groups.values())


class _Writer:
    """Lays lines out as files."""

    def __init__(self, layout: ChargeBackSettings, first: date, end: date, currency: str) -> None:
        self.layout = layout
        self.fixed = layout.form == "fixed-width"
        last = end - timedelta(days=1)
        self.common = {
            "currency": currency,
            "month": first.strftime(layout.month_format),
            "first_day": first.strftime(layout.date_format),
            "last_day": last.strftime(layout.date_format),
        }
        self._names: set[str] = set()

    def amount(self, units: int) -> str:
        return format_units(units, self.layout.decimals, POINTS[self.layout.decimal])

    def file(
        self, center: str | None, lines: Sequence[Line], amounts: Sequence[Amount]
    ) -> LedgerFile:
        """Return a file of lines with their amounts."""
        total = Amount(sum(each.net for each in amounts), sum(each.vat for each in amounts))
        frame = {
            **self.common,
            "cost_center": center or "",
            "lines": str(len(lines)),
            "calls": str(sum(line.calls for line in lines)),
            "seconds": str(sum(line.seconds for line in lines)),
            **dict(zip(TOTALS, map(self.amount, total.shown), strict=True)),
        }
        texts = [self.framed(text, frame) for text in self.layout.header]
        for number, (line, amount) in enumerate(zip(lines, amounts, strict=True), 1):
            texts.append(self.line(number, line, amount))
        texts += [self.framed(text, frame) for text in self.layout.trailer]
        end = LINE_ENDS[self.layout.line_end]
        return LedgerFile(
            self.name({**frame, "cost_center": UNASSIGNED if center is None else center}),
            self.encoded("".join(text + end for text in texts)),
            center,
            len(lines),
            sum(line.calls for line in lines),
            format_units(total.net, self.layout.decimals, "."),
            format_units(total.vat, self.layout.decimals, "."),
        )

    def framed(self, text: str, frame: Mapping[str, str]) -> str:
        """Return a line of the header or trailer."""
        shown = {name: self.text(name, value) for name, value in frame.items()}
        return text.format_map(shown)

    def line(self, number: int, line: Line, amount: Amount) -> str:
        """Return a line of the file without its end."""
        values: dict[str, Any] = {
            **self.common,
            **line.labels,
            "cost_center": line.cost_center or "",
            **dict(zip(AMOUNTS, map(self.amount, amount.shown), strict=True)),
            "calls": str(line.calls),
            "seconds": str(line.seconds),
            "line": str(number),
        }
        cells = [
            column.text
            if column.constant
            else self.text(column.text, "" if values[column.text] is None else values[column.text])
            for column in self.layout.columns
        ]
        if self.fixed:
            return "".join(map(self.filled, self.layout.columns, cells))
        stream = io.StringIO()
        csv.writer(stream, delimiter=self.layout.delimiter, lineterminator="").writerow(cells)
        return stream.getvalue()

    def text(self, name: str, value: Any) -> str:
        """Return a value without control characters, and in a delimited file not as a formula."""
        text = cell_text(value)
        return text if self.fixed or name in NUMBERS else safe_cell(text)

    def filled(self, column: LedgerColumn, text: str) -> str:
        """Return a cell of a fixed width. Raises UserError for what must not be cut off."""
        if len(text) > column.width:
            if column.constant or column.text in WHOLE:
                raise UserError(
                    f"{column.text} {text!r} is wider than {column.width} characters",
                    f"[charge-back:{self.layout.name}] columns",
                )
            return text[: column.width]
        if column.align == "zero":
            return text.zfill(column.width)
        return text.rjust(column.width) if column.align == "right" else text.ljust(column.width)

    def name(self, frame: Mapping[str, str]) -> str:
        """Return a name that no other file of this run has, and that is a file's alone."""
        safe = {name: re.sub(r"[^\w.-]+", "-", value) for name, value in frame.items()}
        wanted = self.layout.file.format_map(safe).lstrip(".") or "charge-back"
        stem, dot, ending = wanted.rpartition(".")
        found, number = wanted, 1
        while found.casefold() in self._names:
            number += 1
            found = f"{stem}-{number}.{ending}" if dot else f"{wanted}-{number}"
        self._names.add(found.casefold())
        return found

    def encoded(self, text: str) -> bytes:
        """Return the text in the layout's encoding. Raises UserError for what it does not have."""
        try:
            return text.encode(self.layout.encoding)
        except UnicodeEncodeError as error:
            wrong = error.object[error.start : error.end]
            raise UserError(
                f"{wrong!r} cannot be written in {self.layout.encoding}",
                f"[charge-back:{self.layout.name}] encoding = utf-8",
            ) from None
