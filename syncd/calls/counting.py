"""Participations: which rows count, and how each participation ended (pure; docs/rules.md 5.6)."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.calls.analysis import Analysis, Draft
from syncd.calls.conversation import Rec
from syncd.domain.codes import Outcome, Side
from syncd.domain.leg import Leg

# Members of an enumeration are slow to look up, and this is done for every record.
CALLING, CALLED = Side.CALLING, Side.CALLED
ANSWERED, MISSED, UNANSWERED = Outcome.ANSWERED, Outcome.MISSED, Outcome.UNANSWERED


def count(result: Analysis, records: Sequence[Rec]) -> None:
    """Set ``counted`` and ``outcome``: a line's sides in one conversation are one participation,
    which stands on its first row (start, key, side)."""
    drafts = result.drafts
    if len(drafts) == 1 or (len(drafts) == 2 and _line(drafts[0]) != _line(drafts[1])):
        for draft in drafts:
            result.counting.append((1, _outcome([draft], records)))
        return
    participations: dict[object, list[int]] = {}
    for position, draft in enumerate(drafts):
        participations.setdefault(_line(draft), []).append(position)
    counting = [(0, Outcome.NONE)] * len(drafts)
    for positions in participations.values():
        positions.sort(key=lambda position: _place(drafts[position], records))
        counting[positions[0]] = (1, _outcome([drafts[p] for p in positions], records))
    result.counting = counting


def _place(draft: Draft, records: Sequence[Rec]) -> tuple[int, str, int]:
    leg: Leg = records[draft.at].leg
    return leg.started_at, leg.key, draft.side


def _line(draft: Draft) -> object:
    return draft.line if draft.holder is None else draft.line or draft.holder.line


def _outcome(drafts: list[Draft], records: Sequence[Rec]) -> Outcome:
    """Return the outcome of a participation, given its rows in order."""
    for draft in drafts:
        if draft.side <= CALLED and records[draft.at].leg.connected_at:
            return ANSWERED
    return UNANSWERED if drafts[0].side is CALLING else MISSED
