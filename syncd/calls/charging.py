"""Who pays for a record's part of an outside leg, and which records are private (pure).

Source: docs/rules.md 7.4 and 7.7. What a site does not say otherwise is charged to who forwarded or
transferred, to the controller of a conference, to the line that was taken on a mobile phone, else to
who called. A policy may name others, or several with their parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from syncd.calls.analysis import Analysis, Draft
from syncd.calls.conversation import OUTGOING, OutsideLeg, Rec
from syncd.domain.charging import (
    ACCOUNT_CODE,
    CALLED,
    CALLER,
    CALLING,
    FIRST,
    HOLDER,
    MEMBERS,
    Charging,
    Parts,
)
from syncd.domain.codes import Side

NOBODY = -1
"""In the place of a draft: there is such a party, but it has no row."""

TALKING = (Side.CALLING, Side.CALLED)


class Bill(NamedTuple):
    """A record that carries an outside leg, and who of it may pay: drafts by index, NOBODY, None
    where there is no such party."""

    at: int
    kind: str
    payer: int | None
    """Without a policy."""
    coded: bool
    """The caller keyed in an account code."""
    calling: int | None
    called: int | None
    first: int | None
    """The first of several forwarders."""


def settle(
    bills: Sequence[Bill], result: Analysis, records: Sequence[Rec], charging: Charging
) -> None:
    """Say in ``payers`` and ``splits`` who pays for each record, given the bills in order, and in
    ``private`` whose private call it is part of.

    For private calls no policy counts: they are charged to who made them.
    """
    carried = _carried(result, records, charging.private_codes)
    coded = {bill.at for bill in bills if bill.coded}
    for bill in bills:
        legs = carried.get(bill.at, ())
        private = next((leg for leg in legs if leg.private), None)
        kind, parts = bill.kind, charging.parts(bill.kind)
        if charging.account_code and (bill.coded or any(leg.set_up_in in coded for leg in legs)):
            kind, parts = ACCOUNT_CODE, charging.account_code
        if private is not None or bill.payer is None:
            parts = ()
        shares = _shares(bill, parts, legs, result, records)
        payer = max(shares, key=lambda share: share[1])[0] if shares else bill.payer
        if len(shares) > 1:
            result.splits[bill.at] = shares
        if payer is not None and payer >= 0:
            result.payers[bill.at] = payer
        if parts:
            result.policies[bill.at] = (kind, parts)
        if private is not None:
            result.private[bill.at] = result.payers.get(private.set_up_in, NOBODY)


def _carried(
    result: Analysis, records: Sequence[Rec], private_codes: tuple[str, ...]
) -> dict[int, list[OutsideLeg]]:
    """Return the outgoing legs of each record, connected or not; marks those that were set up with
    an authorization code for private calls."""
    by_id = {}
    for leg in result.legs:
        if leg.direction is OUTGOING:
            by_id[leg.leg_id] = leg
            if private_codes and records[leg.set_up_in].leg.authorization_code in private_codes:
                leg.private = True
    carried: dict[int, list[OutsideLeg]] = {}
    for leg in by_id.values():
        carried.setdefault(leg.set_up_in, []).append(leg)
    for at, rec in enumerate(records):
        for leg_id in (rec.leg.orig_leg, rec.leg.dest_leg):
            known = by_id.get(leg_id)
            if known is not None and known.set_up_in != at:
                carried.setdefault(at, []).append(known)
    return carried


def _shares(
    bill: Bill,
    parts: Parts,
    legs: Sequence[OutsideLeg],
    result: Analysis,
    records: Sequence[Rec],
) -> tuple[tuple[int, int], ...]:
    """Return (draft, weight) of each who pays by a policy; nothing where there is none."""
    members = _members(bill.at, result.drafts, records) if parts else []
    whole = sum(seconds for _, seconds in members) or 1
    found: dict[int, int] = {}
    for who, percent in parts:
        if who == MEMBERS and members:
            shares = [(draft, percent * seconds) for draft, seconds in members]
        else:
            shares = [(_draft_of(who, bill, legs, result), percent * whole)]
        for draft, weight in shares:
            found[draft] = found.get(draft, 0) + weight
    return tuple(found.items())


def _draft_of(who: str, bill: Bill, legs: Sequence[OutsideLeg], result: Analysis) -> int:
    """Return the draft of somebody whom a policy names; where there is no such party, of who pays
    without a policy."""
    assert bill.payer is not None
    found = None
    if who == CALLING:
        found = bill.calling
    elif who == CALLED:
        found = bill.called
    elif who == FIRST:
        found = bill.first
    elif who == HOLDER:
        found = bill.called if bill.calling is None else bill.calling
    elif who == CALLER:
        made = next((leg.set_up_in for leg in legs if leg.set_up_in != bill.at), None)
        found = None if made is None else result.payers.get(made, NOBODY)
    return bill.payer if found is None else found


def _members(at: int, drafts: Sequence[Draft], records: Sequence[Rec]) -> list[tuple[int, int]]:
    """Return (draft, seconds) of the lines that talked in the conference of a record."""
    conference = records[at].leg.conference
    if not conference:
        return []
    return [
        (index, draft.talk)
        for index, draft in enumerate(drafts)
        if records[draft.at].leg.conference == conference
        and draft.talk
        and draft.outside is None
        and draft.side in TALKING
    ]
