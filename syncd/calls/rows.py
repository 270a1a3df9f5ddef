"""Drafts, counting and charges become call rows in the order of the call table's columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from syncd.calls.attribution import Holders
from syncd.calls.conversation import Rec
from syncd.calls.dimensions import Dimensions
from syncd.calls.pricing import Charge
from syncd.calls.sides import Analysis
from syncd.domain.codes import Role
from syncd.licensing.slots import SlotKey, slot_key

CallTuple = tuple[Any, ...]


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
    for draft, (counted, outcome), charge in zip(
        analysis.drafts, analysis.counting, charges, strict=True
    ):
        rec = records[draft.at]
        started_at = rec.leg.started_at
        holder = draft.holder
        if holder is not None:
            party, line, role = holder.party, holder.line, holder.role
            slot = slot_key(party, role, line)
            profile, org = holders.profile(party, started_at)
            if draft.line is not None:
                line = dimensions.line(draft.line)
        else:
            assert draft.line is not None
            party = profile = org = 0
            line, role = dimensions.line(draft.line), Role.ACQUIRED
            slot = slot_key(party, role, line)
        outside = draft.outside
        yield (
            slot,
            draft.hunt,
            (
                rec.id * 8 + draft.side,
                started_at,
                conversation,
                int(draft.side),
                line,
                party,
                profile,
                org,
                int(role),
                counted,
                int(outcome),
                int(draft.direction),
                int(draft.number_class),
                dimensions.destination(charge.destination),
                dimensions.trunk(draft.trunk),
                dimensions.carrier(charge.carrier),
                dimensions.rate(charge.rate),
                draft.ring,
                draft.talk,
                charge.billed_seconds,
                charge.cost,
                int(charge.state),
                charge.reason,
                int(draft.disposition),
                period(started_at),
                outside.leg_id if outside is not None else 0,
                draft.other,
                draft.other_outside,
                draft.pilot,
            ),
        )
