"""Drafts, counting and charges become call rows in the order of the call table's columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from syncd.calls.analysis import Analysis
from syncd.calls.attribution import Holders
from syncd.calls.conversation import Rec
from syncd.calls.dimensions import Dimensions
from syncd.calls.pricing import Charge
from syncd.domain.codes import Role
from syncd.licensing.slots import SlotKey, slot_key

CallTuple = tuple[Any, ...]
Pending = tuple[SlotKey, bool, CallTuple]
"""The slot that a row needs, whether it is a hunt number's, and the row."""

ID, STARTED_AT, CONVERSATION, SIDE, LINE = 0, 1, 2, 3, 4
DESTINATION, TRUNK, CARRIER, RATE = 13, 14, 15, 16
PERIOD, LEG = 24, 25
"""Places in a row."""

_PLAIN = range(32)
ACQUIRED = Role.ACQUIRED


def call_rows(
    records: list[Rec],
    analysis: Analysis,
    charges: list[Charge],
    holders: Holders,
    dimensions: Dimensions,
    conversation: int,
    period: Callable[[int], int],
) -> Iterable[tuple[SlotKey, bool, CallTuple]]:
    """Yield (slot that the row needs, is it a hunt number's, the row) for each draft.

    ``period`` gives the posting period (yyyymm) of a start.
    """
    # Indexing a range makes a plain integer of a member of an enumeration, which is what the database
    # driver takes without asking around.
    plain = _PLAIN
    for draft, (counted, outcome), charge in zip(
        analysis.drafts, analysis.counting, charges, strict=True
    ):
        rec = records[draft.at]
        started_at = rec.leg.started_at
        holder = draft.holder
        if holder is not None:
            party, line, role, slot = holder.party, holder.line, holder.role, holder.slot
            profile, org = holders.profile(party, started_at)
            if draft.line is not None:
                line = dimensions.line(draft.line)
        else:
            assert draft.line is not None
            party = profile = org = 0
            line, role = dimensions.line(draft.line), ACQUIRED
            slot = slot_key(party, role, line)
        outside = draft.outside
        side = plain[draft.side]
        yield (
            slot,
            draft.hunt,
            (
                rec.id * 8 + side,
                started_at,
                conversation,
                side,
                line,
                party,
                profile,
                org,
                plain[role],
                counted,
                plain[outcome],
                plain[draft.direction],
                plain[draft.number_class],
                dimensions.destination(charge.destination, charge.rate)
                if charge.destination
                else 0,
                dimensions.trunk(draft.trunk) if draft.trunk else 0,
                dimensions.carrier(charge.carrier) if charge.carrier else 0,
                dimensions.rate(charge.rate) if charge.rate else 0,
                draft.ring,
                draft.talk,
                charge.billed_seconds,
                charge.cost,
                plain[charge.state],
                charge.reason,
                plain[draft.disposition],
                period(started_at),
                outside.leg_id if outside is not None else 0,
                draft.other,
                draft.other_outside,
                draft.pilot,
            ),
        )


def was_shown(before: CallTuple | None, row: CallTuple) -> bool:
    """Tell whether a call row was shown before it was decided again, and is still the same party's
    in the same role on the same line: what was shown stays shown (docs/rules.md 6.4)."""
    return before is not None and (before[4:6], before[8]) == (row[4:6], row[8])
