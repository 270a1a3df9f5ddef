"""Which records are private, and whose call row tells whose call it was (docs/rules.md 7.7; pure)."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.calls.analysis import Analysis
from syncd.calls.charging import NOBODY
from syncd.calls.conversation import Rec

PrivateRow = tuple[int, int]
"""Record, call row of who made the private call (0: nobody who is billed)."""


def private_rows(records: Sequence[Rec], analysis: Analysis) -> list[PrivateRow]:
    """Return the private records of a conversation."""
    found = []
    for at, owner in analysis.private.items():
        row = 0
        if owner != NOBODY:
            draft = analysis.drafts[owner]
            row = records[draft.at].id * 8 + int(draft.side)
        found.append((records[at].id, row))
    return found


def private_row(record_id: int, side: int | None) -> list[PrivateRow]:
    """Return the same for a record that stands alone, given the side of who made the call: NOBODY,
    None for one that is not private."""
    if side is None:
        return []
    return [(record_id, 0 if side == NOBODY else record_id * 8 + side)]


def private_side(analysis: Analysis) -> int | None:
    """Return the side of who made the private call of a record that stands alone."""
    owner = analysis.private.get(0)
    return owner if owner is None or owner == NOBODY else int(analysis.drafts[owner].side)
