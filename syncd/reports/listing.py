"""The call list: rows in a viewer's scope, newest first, as that viewer gets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from syncd.billing.working import with_tax
from syncd.domain.call_id import format_call_id, format_conversation_id
from syncd.domain.codes import Direction, Disposition, NumberClass, Purpose, Side, State
from syncd.domain.money import format_micros
from syncd.reports.list_order import Found, call_fields, ordered_rows, selection
from syncd.reports.masking import shown_number
from syncd.reports.pages import page_key
from syncd.reports.permissions import BUSINESS
from syncd.reports.query import Query
from syncd.reports.result import Column, Kind
from syncd.reports.scope import masked_digits

_BEFORE_CUSTOM = {
    "id": "Call",
    "started_at": "Started",
    "line_id": "Line",
    "person": "Person",
    "username": "Username",
    "department": "Department",
    "cost_center": "Cost center",
    "office_location": "Office location",
}
_AFTER_CUSTOM = {
    "direction": "Direction",
    "side": "Side",
    "counted": "Counted",
    "conversation": "Conversation",
    "other_number": "Other number",
    "hunt_pilot": "Hunt pilot",
    "class": "Class",
    "destination": "Destination",
    "disposition": "Disposition",
    "ring_seconds": "Ring seconds",
    "duration": "Duration",
    "cost": "Cost",
    "state": "State",
}
CODE_FIELDS = {
    "authorization_code": "Authorization",
    "matter_code": "Matter code",
    "matter": "Matter",
    "purpose": "Purpose",
    "carrier": "Carrier",
    "trunk": "Trunk",
    "billed_seconds": "Billed seconds",
    "cost_with_vat": "With VAT",
}
"""Fields of a call that stand in a list only when they are asked for."""

_KINDS = {
    "started_at": Kind.MOMENT,
    "counted": Kind.COUNT,
    "ring_seconds": Kind.SECONDS,
    "duration": Kind.SECONDS,
    "billed_seconds": Kind.SECONDS,
    "cost": Kind.MONEY,
    "cost_with_vat": Kind.MONEY,
}
BRIEF = (
    "started_at",
    "line_id",
    "person",
    "direction",
    "other_number",
    "destination",
    "disposition",
    "duration",
    "cost",
)
"""Of the fields of a call, those that a table shows unless something else is asked for: with all of
them it would be three screens wide."""


class _Row(NamedTuple):
    """A row as the database has it; the custom fields follow it."""

    id: int
    started_at: int
    line_id: str | None
    person: str | None
    username: str | None
    department: str | None
    cost_center: str | None
    office_location: str | None
    direction: int
    side: int
    counted: int
    first_started_at: int | None
    first_hash: int | None
    key_hash: int | None
    other_number: str
    other_outside: int
    hunt_pilot: str
    number_class: int
    destination: str | None
    disposition: int
    ring_seconds: int
    duration: int
    cost: int | None
    state: int
    authorization_code: str | None
    matter_code: str | None
    matter: str | None
    carrier: str | None
    trunk: str | None
    billed_seconds: int
    private_owner: int


_WIDTH = len(_Row._fields)


def row_columns(custom_fields: Mapping[str, str], *, codes: bool = False) -> tuple[Column, ...]:
    """Return the fields of a row, in their order."""
    headings = {
        **_BEFORE_CUSTOM,
        **custom_fields,
        **_AFTER_CUSTOM,
        **(CODE_FIELDS if codes else {}),
    }
    return tuple(
        Column(name, heading, _KINDS.get(name, Kind.TEXT)) for name, heading in headings.items()
    )


def list_rows(
    query: Query,
    custom_fields: Mapping[str, str],
    *,
    codes: bool = False,
    more: Callable[[str], None] | None = None,
    looked: Callable[[int], None] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a query, in its order and from its page on, at most the specification's
    limit; with ``codes`` also the fields that stand in a list only when asked for, as the viewer
    gets them. ``more`` is told the key of the next page when there is one, ``looked``
    back to which moment (epoch seconds) rows were looked at for a filter that no index answers."""
    fields = call_fields(query, custom_fields)
    names = [*_Row._fields, *custom_fields]
    selected = selection(", ".join(fields[name] for name in names))
    left = query.specification.limit
    last: Found | None = None
    for found in ordered_rows(query, fields, selected, looked):
        if left == 0:
            if more is not None and last is not None:
                row = _Row._make(last.row[:_WIDTH])
                place = last.values, row.started_at, row.key_hash, row.side
                more(page_key(query.specification, *place))
            return
        last = found
        custom = dict(zip(custom_fields, found.row[_WIDTH:], strict=True))
        plain = _Row._make(found.row[:_WIDTH])
        shown = _shown(plain, custom, query)
        yield shown | _codes(plain, query) if codes else shown
        left = None if left is None else left - 1


def _shown(row: _Row, custom: Mapping[str, str | None], query: Query) -> dict[str, Any]:
    """Return a row as the contract has it: nulls for what is absent, words for codes, numbers
    masked."""
    digits = masked_digits(query.scope, row.private_owner)
    number = shown_number(row.other_number, row.other_outside, digits)
    return {
        "id": None
        if row.key_hash is None
        else format_call_id(row.started_at, row.key_hash, row.side),
        "started_at": datetime.fromtimestamp(row.started_at, query.lookups.days.zone).isoformat(),
        "line_id": row.line_id or None,
        "person": row.person or row.username or None,
        "username": row.username or None,
        "department": row.department or None,
        "cost_center": row.cost_center or None,
        "office_location": row.office_location or None,
        **{name: value or None for name, value in custom.items()},
        "direction": Direction(row.direction).word,
        "side": Side(row.side).word,
        "counted": row.counted,
        "conversation": None
        if row.first_started_at is None or row.first_hash is None
        else format_conversation_id(row.first_started_at, row.first_hash),
        "other_number": number or None,
        "hunt_pilot": row.hunt_pilot or None,
        "class": NumberClass(row.number_class).word,
        "destination": row.destination or None,
        "disposition": Disposition(row.disposition).word,
        "ring_seconds": row.ring_seconds,
        "duration": row.duration,
        "cost": None if row.cost is None else format_micros(row.cost),
        "state": State(row.state).word,
    }


def _codes(row: _Row, query: Query) -> dict[str, Any]:
    vat = query.lookups.vat.get(row.carrier or "", 0)
    return {
        "authorization_code": query.lookups.shown_code(row.authorization_code or "") or None,
        "matter_code": row.matter_code or None,
        "matter": row.matter or None,
        "purpose": (Purpose.BUSINESS if row.private_owner == BUSINESS else Purpose.PRIVATE).word,
        "carrier": row.carrier or None,
        "trunk": row.trunk or None,
        "billed_seconds": row.billed_seconds,
        "cost_with_vat": None if row.cost is None else format_micros(with_tax(row.cost, vat)),
    }
