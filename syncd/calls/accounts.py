"""Calls that an account code charges to a cost center or matter (docs/rules.md 7.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from syncd.billing.account_codes import AccountCodes, Charge
from syncd.calls.analysis import Analysis
from syncd.calls.conversation import OUTGOING, Rec
from syncd.calls.dimensions import Dimensions
from syncd.calls.rows import CallTuple
from syncd.domain.codes import Side
from syncd.domain.leg import Leg
from syncd.domain.party import name_key
from syncd.licensing.slots import SlotKey

ORG = 7
"""Place in a call row."""

Pending = tuple[SlotKey, bool, CallTuple]
ChargeRow = tuple[int, str, int]
"""Call row, key of the cost center (empty for none), row of ``matter`` (0 for none)."""


def coded_records(records: Sequence[Rec], analysis: Analysis) -> dict[int, Leg]:
    """Return for each record (by index) whose codes count, the leg that has them: its own, else that
    of the record in which the outgoing leg was set up that it carries on."""
    found = {
        at: rec.leg
        for at, rec in enumerate(records)
        if rec.leg.authorization_code or rec.leg.matter_code
    }
    if found:
        for outside in analysis.legs:
            if outside.direction is OUTGOING and outside.set_up_in in found:
                for at, _ in outside.segments:
                    found.setdefault(at, found[outside.set_up_in])
    return found


def charged_drafts(
    records: Sequence[Rec], analysis: Analysis, codes: AccountCodes
) -> dict[int, Charge]:
    """Return what codes charge, by the index of the draft: the side that pays for the record's
    outside leg, else the one that called."""
    found: dict[int, Charge] = {}
    for at, leg in coded_records(records, analysis).items():
        if at in analysis.private:
            continue  # charged to a person, whatever code was keyed in
        charge = codes.charge(leg.authorization_code, leg.matter_code, leg.started_at)
        if charge is None:
            continue
        index = analysis.payers.get(at)
        if index is None:
            index = next(
                (
                    place
                    for place, draft in enumerate(analysis.drafts)
                    if draft.at == at and draft.side is Side.CALLING
                ),
                None,
            )
        if index is not None:
            found[index] = charge
    return found


def charged_rows(
    rows: Iterable[Pending],
    charges: dict[int, Charge],
    dimensions: Dimensions,
    written: list[ChargeRow],
) -> Iterator[Pending]:
    """Yield call rows, those that a code charges with the org that has its cost center; what is to
    be remembered of these is appended to ``written``."""
    for index, (slot, hunt, row) in enumerate(rows):
        charge = charges.get(index)
        if charge is not None:
            matter = dimensions.matter(charge.matter) if charge.matter else 0
            written.append((row[0], name_key(charge.cost_center), matter))
            if charge.cost_center:
                org = dimensions.org(row[ORG], charge.cost_center)
                row = (*row[:ORG], org, *row[ORG + 1 :])
        yield slot, hunt, row
