"""Why this person, why this price, why not billed: one call or record, as one viewer may see it.

The call and the names of those who share its price come from the call list, that is, through the
viewer's scope; what was computed again adds the reasons, masked like everything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from syncd.billing.working import percent_text, with_tax
from syncd.calls.analysis import INTERNAL_RULE, RECORDER_RULE
from syncd.calls.context import IntakeContext
from syncd.calls.explanation import (
    Candidate,
    Explanation,
    LegPrice,
    OtherNumber,
    SideExplained,
    Stored,
    explain,
    load_conversation,
    withheld_sides,
)
from syncd.calls.mending import mend
from syncd.domain.call_id import parse_call_id
from syncd.domain.clock import iso
from syncd.domain.codes import RecordOutcome, Side
from syncd.domain.money import parse_micros
from syncd.licensing.history import FULL, Standing
from syncd.reports.account import explain_account
from syncd.reports.conditions import records_of
from syncd.reports.conversation import RECORDS_LEVEL, ConversationRows, NoSuchCall
from syncd.reports.lookups import Lookups
from syncd.reports.masking import MASK, PRIVATE, WHOLLY, mask_number
from syncd.reports.months import allowances_of
from syncd.reports.permissions import Reach, Scope
from syncd.reports.posting import posting_of
from syncd.reports.quality import measurements
from syncd.reports.scope import Door
from syncd.store.database import read_transaction
from syncd.store.frozen import FROZEN
from syncd.store.models import File, Pbx, Record

NO_SIDE = "the present rules make no such side of the record"
OTHER_HOLDER = "the present rules give the call to somebody else"
NOT_BILLED_NOW = "not billed by the present rules"
BILLED_NOW = "billed by the present rules, not by those of the time when it was taken"
RECORD_AGAIN = "reprocessing its file decides it again"

ContextOf = Callable[[str, str], IntakeContext]
"""Given the name of a source and of its PBX, returns its configuration. Raises UserError."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, and what is needed to answer."""

    door: Door
    context_of: ContextOf
    zone: ZoneInfo
    custom_fields: Mapping[str, str]


def explain_id(request: Request, public_id: str) -> dict[str, Any]:
    """Return why a call is as it is, or, for the id of a record (the form without side), what became
    of the record; ready for JSON.

    Raises UsageError for what is no id, NoSuchCall, or UserError when its source is no longer
    configured.
    """
    public_id = public_id.strip().lower()
    side = parse_call_id(public_id).side
    # Nothing is written while the database stands still: whoever writes meanwhile would forbid it.
    with read_transaction():
        answer = _explained(request, public_id, side)
    if answer is None:
        # The same for every id without a side, so that it tells nothing of any.
        hint = f"a call is named with its side, {public_id}-calling" if side is None else ""
        raise NoSuchCall(public_id, request.door.viewer.name, hint)
    request.door.note_rows(1)
    return answer


def _explained(request: Request, public_id: str, side: Side | None) -> dict[str, Any] | None:
    """Return what an id stands for, explained; None when it is of nothing that the viewer sees."""
    manages = request.door.viewer.level >= RECORDS_LEVEL
    for record_id in sorted(records_of(public_id)) if side is not None or manages else ():
        stored = load_conversation(record_id)
        rows = ConversationRows(request.door, request.zone, request.custom_fields, stored)
        if side is None:
            return _explain_record(request, stored, record_id, rows)
        if public_id in rows.found:
            return _explain_call(request, stored, record_id, side, rows)
    return None


def _context(request: Request, record: Any) -> IntakeContext:
    return request.context_of(
        File.get_by_id(record.file_id).source, Pbx.get_by_id(record.pbx_id).name
    )


# --- a call ---------------------------------------------------------------------------------------


def _explain_call(
    request: Request, stored: Stored, record_id: int, side: Side, rows: ConversationRows
) -> dict[str, Any]:
    record = Record.get_by_id(record_id)
    context = _context(request, record)
    explained = explain(stored.records, context)
    call = rows.found[rows.call_id(record_id, side)]
    digits = rows.masked_digits(record_id)
    stored_price = None if call["cost"] is None else parse_micros(call["cost"])
    answer: dict[str, Any] = {
        "call": call,
        "purpose": rows.purpose(record_id),
        "posting": posting_of(request.door.scope, rows.lookups, record_id * 8 + side),
        "allowances": allowances_of(record_id, side),
        "attribution": _attribution(request, explained.side(record_id, side), call, rows),
        "licence": _licence(
            explained.standing(record_id, side, unlimited=context.slots is None), request.zone
        ),
        "account": explain_account(request.door.scope, explained, record_id, side, context),
        "quality": _quality(
            request, stored, record_id, rows, everything=request.door.scope.reach is Reach.ALL
        ),
    }
    if record.provisional == FROZEN:
        answer["frozen"] = True
    index = explained.draft(record_id, side)
    if index is None:
        # Nothing to compute: the row stands as it was stored, and the present rules make no such.
        number = call["other_number"]
        return answer | {
            "number": {
                "raw": number,
                "e164": number if number and number.startswith("+") else None,
                "class": call["class"],
                "rule": NOT_BILLED_NOW,
            },
            "tariff": None,
            "arithmetic": [],
            "shares": [],
            "price": None,
            "stored_price": stored_price,
            "same": False,
        }
    priced = explained.price(index)
    shares = []
    for leg in priced.legs:
        for share in leg.shares:
            payer = share.record if share.payer is None else share.payer
            row = None if share.side is None else rows.row(payer, share.side)
            shares.append(
                {
                    "record": rows.record_id(share.record),
                    "side": None if share.side is None else share.side.word,
                    "line_id": row["line_id"] if row else None,
                    "person": row["person"] if row else None,
                    "seconds": share.seconds,
                    "micros": share.micros,
                    "policy": share.policy or None,
                    "this": payer == record_id and share.side is side,
                }
            )
    amounts = [leg.micros for leg in priced.legs]
    return answer | {
        "number": _number(explained.other_number(explained.analysis.drafts[index]), digits),
        "tariff": _tariff(priced.legs[0], digits, request.zone) if priced.legs else None,
        "arithmetic": _arithmetic(priced.legs, priced.free, digits),
        "shares": shares,
        "price": None if None in amounts else sum(amount or 0 for amount in amounts),
        "stored_price": stored_price,
        "same": priced.cost == stored_price,
    }


def _quality(
    request: Request,
    stored: Stored,
    record_id: int,
    rows: ConversationRows,
    *,
    everything: bool,
) -> list[dict[str, Any]]:
    """Return what was measured at the ends of a record."""
    ids = [rec.id for rec in stored.records]
    return measurements(rows, ids, request.zone, everything=everything).get(record_id, [])


def _attribution(
    request: Request,
    side: SideExplained | None,
    call: Mapping[str, Any] | None,
    rows: ConversationRows,
) -> dict[str, Any]:
    """Return the reason and the candidates; of those beyond the viewer's scope only the role."""
    if side is None:
        return {"reason": NO_SIDE, "candidates": []}
    reason = side.reason
    if call is not None:
        if side.not_billed:
            reason = f"{reason}; {NOT_BILLED_NOW}: {side.not_billed}"
        elif (side.line_id, side.person or None) != (call["line_id"], call["person"]):
            reason = f"{reason}; {OTHER_HOLDER}"
    scope = request.door.scope
    return {
        "reason": reason,
        "candidates": [
            {
                "line_id": one.line_id if seen else None,
                "person": one.person if seen else None,
                "role": one.role.word,
            }
            for one in side.candidates
            for seen in [_sees(scope, one, rows.lookups)]
        ],
    }


def _sees(scope: Scope, candidate: Candidate, lookups: Lookups) -> bool:
    """Say whether a call of this candidate would be in a viewer's scope."""
    if scope.reach is Reach.ALL:
        return True
    if scope.reach is Reach.NONE:
        return False
    return candidate.party == scope.party_id or (
        scope.reach is Reach.ORGS and candidate.org in lookups.orgs_with(scope.basis, scope.keys)
    )


def _licence(standing: Standing | None, zone: ZoneInfo) -> dict[str, Any]:
    if standing is None:
        return {"slot": False, "since": None, "reason": NOT_BILLED_NOW}
    since = None if standing.since is None else iso(standing.since, zone)
    return {"slot": standing.slot, "since": since, "reason": standing.reason}


def _tariff(leg: LegPrice, digits: int, zone: ZoneInfo) -> dict[str, Any] | None:
    used = leg.tariff
    if used is None:
        return None
    normalised = leg.number.normalised
    whole = normalised.e164.removeprefix("+") or normalised.short_number
    return {
        "carrier": used.carrier,
        "version": used.version,
        "valid_from": datetime.fromtimestamp(used.valid_from, zone).date().isoformat(),
        # The prefix is what the number begins with, so it is masked where the number is.
        "prefix": mask_number(whole, digits)[: len(used.prefix)] if digits < WHOLLY else PRIVATE,
        "destination": used.destination if digits < WHOLLY else None,
        "band": used.band or None,
        "currency": used.currency or None,
        "original": used.original if used.currency and leg.micros is not None else None,
        "vat": percent_text(used.vat) if used.vat else None,
        "with_vat": with_tax(leg.micros, used.vat) if used.vat and leg.micros is not None else None,
    }


def _arithmetic(legs: tuple[LegPrice, ...], free: str, digits: int) -> list[dict[str, Any]]:
    """Return the steps of every leg, which add up to the price; of several each step names its
    leg."""
    if not legs:
        return [{"what": free, "seconds": 0, "micros": 0}]
    found: list[dict[str, Any]] = []
    for leg in legs:
        number = leg.number.normalised.e164 or leg.number.raw
        prefix = f"{mask_number(number, digits)}: " if len(legs) > 1 else ""
        for step in leg.steps:
            what = step.what
            if leg.reason:
                what = _masked_text(what, leg.number, digits)
            found.append({"what": prefix + what, "seconds": step.seconds, "micros": step.micros})
            if step.original is not None:
                found[-1]["original"] = step.original
    return found


def _number(number: OtherNumber, digits: int) -> dict[str, Any]:
    normalised = number.normalised
    hidden = digits if number.outside else 0
    return {
        "raw": mask_number(number.raw, hidden) or None,
        "e164": mask_number(normalised.e164, hidden) or None,
        "class": normalised.number_class.word,
        "rule": _masked_text(normalised.rule, number, hidden),
    }


def _masked_text(text: str, number: OtherNumber, digits: int) -> str:
    """Return a text about a number in which digits stay only where this viewer sees them in the
    number: a rule or a reason may name how the number begins, down to its last digit."""
    if digits <= 0:
        return text
    normalised = number.normalised
    if digits >= WHOLLY:
        return re.sub(r"[+\d]+", MASK, text)
    seen = [
        mask_number(one, digits)
        for one in (normalised.e164, number.raw, normalised.short_number)
        if one
    ]
    return re.sub(
        r"\d+",
        lambda run: run[0] if any(run[0] in one for one in seen) else "*" * len(run[0]),
        text,
    )


# --- a record -------------------------------------------------------------------------------------


def _explain_record(
    request: Request, stored: Stored, record_id: int, rows: ConversationRows
) -> dict[str, Any]:
    record = Record.get_by_id(record_id)
    file = File.get_by_id(record.file_id)
    context = _context(request, record)
    outcome = RecordOutcome(record.outcome)
    answer: dict[str, Any] = {
        "record": {
            "id": rows.record_id(record_id),
            "started_at": iso(record.started_at, request.zone),
            "conversation": rows.conversation,
            "source": file.source,
            "file": file.name,
            "row": record.row,
            "outcome": outcome.word,
            "reason": record.reason or None,
            "mend": mend(record.reason, context.source, context.site) or None,
        },
        "sides": [],
        "quality": _quality(request, stored, record_id, rows, everything=True),
    }
    if outcome is RecordOutcome.EXCLUDED and record.reason not in (INTERNAL_RULE, RECORDER_RULE):
        # Left out as it was read: it was never part of a conversation.
        return answer
    explained = explain(stored.records, context)
    withheld = withheld_sides(record_id)
    sides = set(explained.sides_of(record_id)) | withheld
    sides |= {side for side in Side if rows.row(record_id, side)}
    answer["sides"] = [
        _record_side(request, explained, record_id, side, rows, context, side in withheld)
        for side in sorted(sides)
    ]
    return answer


def _record_side(
    request: Request,
    explained: Explanation,
    record_id: int,
    side: Side,
    rows: ConversationRows,
    context: IntakeContext,
    withheld: bool,
) -> dict[str, Any]:
    """Return what became of one side of a record, why, and what would mend it."""
    found = explained.side(record_id, side)
    row = rows.row(record_id, side)
    standing = explained.standing(record_id, side, unlimited=context.slots is None)
    outcome, reason, mending = "not-billed", found.not_billed if found else NO_SIDE, ""
    if row is not None:
        outcome, reason = "call", ""
    elif withheld:
        outcome, reason = "withheld", FULL
    elif not reason:
        reason, mending = BILLED_NOW, RECORD_AGAIN
    if reason and not mending:
        mending = mend(reason, context.source, context.site)
    number = found.number if found else ""
    if found is not None and not found.inside:
        number = mask_number(number, rows.masked_digits(record_id))
    return {
        "side": side.word,
        "number": number or None,
        "line_id": row["line_id"] if row else (found.line_id or None) if found else None,
        "person": row["person"] if row else (found.person or None) if found else None,
        "outcome": outcome,
        "reason": reason or None,
        "mend": mending or None,
        "call": row["id"] if row else None,
        "attribution": _attribution(request, found, row, rows),
        "licence": _licence(standing, request.zone),
    }
