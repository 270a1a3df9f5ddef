"""To which cost center or matter the account codes of a call charge it, and why."""

from __future__ import annotations

from typing import Any

from syncd.billing.account_codes import CMC, FAC
from syncd.calls.accounts import charged_drafts, coded_records
from syncd.calls.context import IntakeContext
from syncd.calls.explanation import Explanation
from syncd.domain.codes import Side
from syncd.reports.permissions import Reach, Scope

NOT_LISTED = "no list of account codes names them at the time of the call"
OTHER_SIDE = "another side of the record is charged"
CARRIED_ON = "keyed in when the outside leg was set up"
KEYED_IN = "keyed in for this call"


def explain_account(
    scope: Scope, explained: Explanation, record_id: int, side: Side, context: IntakeContext
) -> dict[str, Any] | None:
    """Return the codes of a call as a viewer gets them, with what they charge to this side; None
    when there are none."""
    at = explained.place(record_id)
    leg = coded_records(explained.records, explained.analysis).get(at)
    if leg is None:
        return None
    codes = context.account_codes
    fac, cmc, when = leg.authorization_code, leg.matter_code, leg.started_at
    charge = codes.charge(fac, cmc, when)
    mine = charged_drafts(explained.records, explained.analysis, codes).get(
        -1 if (index := explained.draft(record_id, side)) is None else index
    )
    entries = [codes.find(kind, code, when) for kind, code in ((CMC, cmc), (FAC, fac)) if code]
    keyed = KEYED_IN if leg is explained.records[at].leg else CARRIED_ON
    reason = keyed
    if charge is None and not any(entries):
        reason = f"{keyed}; {NOT_LISTED}"
    elif charge is not None and mine is None:
        reason = f"{keyed}; {OTHER_SIDE}"
    return {
        "authorization_code": codes.shown(fac, raw=scope.reach is Reach.ALL) or None,
        "matter_code": cmc or None,
        "name": next((one.name for one in entries if one is not None and one.name), None),
        "cost_center": (mine.cost_center or None) if mine else None,
        "matter": (mine.matter or None) if mine else None,
        "reason": reason,
    }
