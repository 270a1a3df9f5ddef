"""A carrier's bill beside the calls that are stored: what is missing on either side, priced
differently or not ours. For who manages syncd and sees every number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from syncd.billing.invoice_file import BillItem
from syncd.billing.invoice_match import Leg, Tolerance, match
from syncd.billing.numbering import Numbering
from syncd.domain.clock import iso
from syncd.domain.codes import Direction, State
from syncd.domain.days import Days, day_date, day_number, next_day
from syncd.domain.errors import UserError
from syncd.domain.money import format_micros
from syncd.reports.lookups import Lookups, select
from syncd.reports.masking import WHOLLY, shown_number
from syncd.reports.scope import Door, id_list, in_list, masked_digits, private_owner, row_conditions
from syncd.settings.finance import InvoiceSettings
from syncd.store.sealed import seal
from syncd.store.truncation import reached

REQUIRED = 10
EQUAL = "equal"
PRICE = "priced differently"
UNRATED = "no price here"
NOT_HERE = "missing here"
NOT_BILLED = "missing on the bill"
NOT_OURS = "not ours"
STATUSES = (EQUAL, PRICE, UNRATED, NOT_HERE, NOT_BILLED, NOT_OURS)
LONGEST_RING = 86_400
"""Seconds before a period at which a call that connects in it may have begun."""


class StoredLeg(NamedTuple):
    """An outside leg as its viewer gets it."""

    leg: Leg
    shown: str
    """The number as it was dialled, masked as the viewer's numbers are."""
    price: int | None
    """Micros, of all of its parts; None when one has no price."""


@dataclass(frozen=True, slots=True)
class Line:
    """An item, a leg, or both, and what is to be said of them."""

    status: str
    item: BillItem | None
    leg: StoredLeg | None

    @property
    def billed(self) -> int:
        """Micros on the bill."""
        return 0 if self.item is None else self.item.price or 0

    @property
    def stored(self) -> int:
        """Micros here."""
        return 0 if self.leg is None else self.leg.price or 0


@dataclass(frozen=True, slots=True)
class Check:
    """The comparison: every item and every leg of the period once."""

    first: date
    end: date
    """Exclusive."""
    lines: list[Line]
    outside: int
    """Items of the bill outside the period."""

    @property
    def differs(self) -> bool:
        return any(line.status != EQUAL for line in self.lines)


def check_bill(
    door: Door,
    items: Sequence[BillItem],
    layout: InvoiceSettings,
    carrier: str,
    trunks: Collection[str],
    numbering: Numbering,
    zone: ZoneInfo,
    period: tuple[date | None, date | None],
) -> Check:
    """Return how a bill and the stored legs of a carrier compare; ``trunks`` are the carrier's.

    Without a period it is that of the items. Raises UserError for who must not manage, or gets
    outside numbers masked: by a bill of their own they could find out what is behind the mask.
    """
    viewer = door.viewer
    if viewer.level < REQUIRED or viewer.masked_digits:
        raise UserError(f"The verb invoice is not available to {viewer.name}.")
    days = Days(zone)
    dated = [days.day(item.item.starts[0]) for item in items]
    if not dated and None in period:
        raise UserError("the bill has no item", "--from and --to say which days it is for")
    first = period[0] or day_date(min(dated))
    end = period[1] or day_date(next_day(max(dated)))
    start, stop = days.start(day_number(first)), days.start(day_number(end))
    chosen = [item for item in items if start <= item.item.starts[0] < stop]
    whole = max(seal().start, reached().until)
    if start < whole:
        raise UserError(
            f"calls before {day_date(days.day(whole))} are gone, or have no whole number any more",
            "--from that day; [retention] says how long they are kept",
        )
    margin = layout.time_tolerance
    lookups = Lookups(days, day_number(first), day_number(end))
    legs = _legs(door, lookups, carrier, trunks, numbering, start - margin, stop + margin)
    lines = _lines(chosen, legs, layout, (start, stop))
    door.note_rows(len(lines))
    return Check(first, end, lines, len(items) - len(chosen))


def _lines(
    items: Sequence[BillItem],
    legs: Sequence[StoredLeg],
    layout: InvoiceSettings,
    bounds: tuple[int, int],
) -> list[Line]:
    """Return a line for each item and each leg of the period, pairs in one; in the order of time."""
    ours = [item for item in items if item.ours]
    pairs = match(
        [item.item for item in ours],
        [one.leg for one in legs],
        Tolerance(layout.time_tolerance, layout.duration_tolerance),
    )
    lines = [
        Line(_compared(ours[pair.item], legs[pair.leg], layout), ours[pair.item], legs[pair.leg])
        for pair in pairs
    ]
    paired = {pair.item for pair in pairs}, {pair.leg for pair in pairs}
    lines += [Line(NOT_OURS, item, None) for item in items if not item.ours]
    lines += [Line(NOT_HERE, item, None) for at, item in enumerate(ours) if at not in paired[0]]
    lines += [
        Line(NOT_BILLED, None, one)
        for at, one in enumerate(legs)
        if at not in paired[1] and bounds[0] <= one.leg.start < bounds[1]
    ]
    return sorted(lines, key=_order)


def _order(line: Line) -> tuple[int, int]:
    if line.item is not None:
        return line.item.item.starts[0], line.item.line
    assert line.leg is not None
    return line.leg.leg.start, 0


def _compared(item: BillItem, one: StoredLeg, layout: InvoiceSettings) -> str:
    if item.price is None:
        return EQUAL  # the bill has no prices
    if one.price is None:
        return UNRATED
    return PRICE if abs(item.price - one.price) > layout.price_tolerance else EQUAL


def _legs(
    door: Door,
    lookups: Lookups,
    carrier: str,
    trunks: Collection[str],
    numbering: Numbering,
    start: int,
    stop: int,
) -> list[StoredLeg]:
    """Return the connected outside legs over a carrier that were connected in some time, put
    together from the rows that pay for their parts."""
    names = {
        row[0] for name in trunks for row in select("SELECT id FROM trunk WHERE name = ?", name)
    }
    carriers = {row[0] for row in select("SELECT id FROM carrier WHERE name = ?", carrier)}
    grouped: dict[tuple[int, int], list[tuple[Any, ...]]] = {}
    for part in row_conditions(door.scope, lookups):
        rows = select(
            "SELECT c.conversation, c.leg, record.connected_at, record.ended_at, c.other_number,"
            f" c.other_outside, {private_owner('c')}, c.cost, c.state, c.billed_seconds"
            " FROM (SELECT * FROM call WHERE started_at >= ? AND started_at < ? AND leg <> 0"
            f" AND direction IN (?, ?) AND ({in_list('carrier_id')} OR {in_list('trunk_id')})"
            f" AND {part.sql}) c JOIN record ON record.id = c.id / 8"
            " WHERE record.connected_at > 0 ORDER BY c.started_at, c.id",
            start - LONGEST_RING,
            stop,
            int(Direction.OUTGOING),
            int(Direction.TRANSIT),
            id_list(carriers),
            id_list(names),
            *part.parameters,
        )
        for row in rows:
            grouped.setdefault(row[:2], []).append(row[2:])
    found = []
    for parts in grouped.values():
        connected = min(part[0] for part in parts)
        if not start <= connected < stop:
            continue
        number, outside, owner = parts[0][2:5]
        digits = masked_digits(door.scope, owner)
        billed = sum(part[7] for part in parts)
        leg = Leg(
            None if digits >= WHOLLY else plain_outgoing(number, numbering),
            connected,
            max(part[1] for part in parts) - connected,
            billed,
        )
        unrated = any(part[6] == int(State.UNRATED) for part in parts)
        price = None if unrated else sum(part[5] or 0 for part in parts)
        found.append(StoredLeg(leg, shown_number(number, outside, digits), price))
    return found


def plain_outgoing(number: str, numbering: Numbering) -> str:
    """Return a dialled number in E.164, or a short one without the access code."""
    known = numbering.outgoing(number)
    if known.e164:
        return known.e164
    access_code = numbering.plan.access_code
    bare = number.rstrip("#")
    return bare.removeprefix(access_code) if known.short_number and access_code else bare


def shown_lines(check: Check, zone: ZoneInfo, *, equal: bool) -> list[dict[str, Any]]:
    """Return the lines as they are printed; those that are equal only where they are wanted."""
    return [_shown(line, zone) for line in check.lines if equal or line.status != EQUAL]


def _shown(line: Line, zone: ZoneInfo) -> dict[str, Any]:
    item, one = line.item, line.leg
    start = item.item.starts[0] if item is not None else one.leg.start if one is not None else 0
    return {
        "status": line.status,
        "line": None if item is None else item.line,
        "start": iso(start, zone),
        "number": item.number if item is not None else one.shown if one is not None else None,
        "calling": None if item is None else item.calling or None,
        "billed_seconds": None if item is None else item.item.seconds,
        "seconds": None if one is None else one.leg.seconds,
        "billed": None if item is None or item.price is None else format_micros(item.price),
        "stored": None if one is None or one.price is None else format_micros(one.price),
    }


def sums(check: Check) -> list[dict[str, Any]]:
    """Return number and amounts by what is said of lines, and of all together: they add up to the
    bill and to what is stored."""
    rows = []
    for status in (*STATUSES, None):
        lines = [line for line in check.lines if status is None or line.status == status]
        billed = sum(line.billed for line in lines)
        stored = sum(line.stored for line in lines)
        rows.append(
            {
                "status": status,
                "items": sum(line.item is not None for line in lines),
                "calls": sum(line.leg is not None for line in lines),
                "billed": format_micros(billed),
                "stored": format_micros(stored),
                "difference": format_micros(billed - stored),
            }
        )
    return rows
