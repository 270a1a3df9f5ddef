"""A conversation as a timeline of legs: who talked to whom, from when to when, by what feature, and
who is charged for which part and why; as far as one viewer may see it (pure).

Source: docs/rules.md 8.4. A leg is shown when the viewer has a row of it in scope, with what those
rows hold; consecutive other legs are one gap without numbers, names or times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from syncd.calls.conversation import CONFERENCE
from syncd.calls.disposition import TRANSFERRING
from syncd.domain.clock import iso
from syncd.domain.codes import Side
from syncd.domain.leg import MOBILITY_FOLLOW_ME, Leg
from syncd.reports.features import how, went_on
from syncd.reports.masking import mask_number

MADE = "made the call"
RETRIEVED = "retrieved the call from park"
REACHED = "was reached, and nobody of the company called"
TRANSFERRED = "transferred the call"
FORWARDED = "forwarded the call"
CONTROLS = "controls the conference"
TALKS_ON = "talks on after a transfer"
REACHED_MOBILE = "is reached on the mobile phone by a single number"

PARK_PICKUP = 8
"""Redirect reason of a call that was parked (Cisco's Call Park Pickup)."""
NEVER_CONNECTED = "free: never connected"
INTERNAL = "free: an internal call"
TIE_LINE = "free: over a tie line"
INCOMING = "free: an incoming leg"
OTHERS = "charged to somebody else, or to nobody's account"
NOBODYS = "on nobody's account"


class Part(NamedTuple):
    """One record of a conversation, as stored, with the rows of it that the viewer may see."""

    record: str
    """Public id."""
    leg: Leg
    rows: Mapping[Side, Mapping[str, Any]]
    """As the call list has them: masked."""
    reason: str = ""
    """Why no call was made of it; for viewers who may see records."""
    masked_digits: int = 0
    """Of the outside numbers in it, for this viewer."""
    purpose: str = "business"


class Sight(NamedTuple):
    """How far the viewer sees beyond the rows in scope."""

    all_calls: bool
    """Every row: then the times of a leg are known whoever's row it is."""
    records: bool
    """Records that became no call, too."""


def timeline(parts: Iterable[Part], sight: Sight, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Return the legs in order, ready for JSON; ``{"elsewhere": True}`` stands for any number of
    legs that the viewer may not see."""
    found: list[dict[str, Any]] = []
    for part in parts:
        if part.rows or sight.records:
            found.append(_leg(part, sight, zone))
        elif not found or not found[-1]["elsewhere"]:
            found.append({"elsewhere": True})
    return found


def _leg(part: Part, sight: Sight, zone: ZoneInfo) -> dict[str, Any]:
    leg, rows = part.leg, part.rows
    talks = next((rows[side] for side in (Side.CALLING, Side.CALLED) if side in rows), None)
    timed = talks is not None or sight.all_calls
    any_row = talks or next(iter(rows.values()), None)
    seconds = (leg.duration or 1) if leg.connected_at else 0
    return {
        "elsewhere": False,
        "record": part.record,
        "how": how(leg),
        "went_on": went_on(leg),
        "direction": any_row["direction"] if any_row else None,
        "hunt_pilot": any_row["hunt_pilot"] if any_row else None,
        "purpose": part.purpose,
        "started_at": iso(leg.started_at, zone),
        "answered_at": iso(leg.connected_at, zone) if timed and leg.connected_at else None,
        "ended_at": iso(leg.ended_at, zone) if timed else None,
        "duration": seconds if timed else None,
        "disposition": talks["disposition"] if talks else None,
        "from": _end(part, Side.CALLING, sight),
        "to": _end(part, Side.CALLED, sight),
        "others": [
            _party(rows[side], side)
            for side in (Side.FIRST_REDIRECTING, Side.REDIRECTING, Side.PILOT)
            if side in rows
        ],
        "charges": [
            {
                "call": row["id"],
                "line_id": row["line_id"],
                "person": row["person"],
                "seconds": seconds,
                "cost": row["cost"],
                "state": row["state"],
                "why": why_charged(side, leg),
            }
            for side, row in rows.items()
            if row["state"] != "free"
        ],
        "free": _free(part, sight),
        "reason": part.reason or None,
    }


def _party(row: Mapping[str, Any], side: Side, device: str = "") -> dict[str, Any]:
    return {
        "call": row["id"],
        "side": side.word,
        "line_id": row["line_id"],
        "person": row["person"],
        "number": None,
        "device": device or None,
        "about": row["other_number"] if side > Side.CALLED else None,
    }


def _end(part: Part, side: Side, sight: Sight) -> dict[str, Any] | None:
    """Return who was at one end: a line of a row in scope, else the number that the other end's row
    shows, else None."""
    leg, rows = part.leg, part.rows
    own = rows.get(side)
    if own is not None:
        device = leg.orig_device if side is Side.CALLING else leg.dest_device
        return _party(own, side, device)
    other = rows.get(Side.CALLED if side is Side.CALLING else Side.CALLING)
    if other is not None:
        number = other["other_number"]
    elif sight.records:
        raw = leg.calling_number if side is Side.CALLING else leg.final_number
        number = mask_number(raw, part.masked_digits)
    else:
        return None
    return {
        "call": None,
        "side": side.word,
        "line_id": None,
        "person": None,
        "number": number or None,
        "device": None,
        "about": None,
    }


def why_charged(side: Side, leg: Leg) -> str:
    """Return why a side pays for its part of an outgoing leg (docs/rules.md 7.4)."""
    if side <= Side.CALLED and leg.last_redirect_reason in TRANSFERRING:
        return TALKS_ON
    if side is Side.CALLING:
        return RETRIEVED if leg.last_redirect_reason == PARK_PICKUP else MADE
    if side is Side.CALLED:
        return REACHED_MOBILE if leg.last_redirect_reason == MOBILITY_FOLLOW_ME else REACHED
    if leg.joined_by == CONFERENCE:
        return CONTROLS
    return TRANSFERRED if leg.last_redirect_reason in TRANSFERRING else FORWARDED


def _free(part: Part, sight: Sight) -> str | None:
    """Return why none of the rows in scope pays; None when one does, or without any row."""
    rows = part.rows.values()
    if not rows or any(row["state"] != "free" for row in rows):
        return None
    directions = {row["direction"] for row in rows}
    if not part.leg.connected_at:
        return NEVER_CONNECTED
    if directions == {"internal"}:
        return INTERNAL
    if directions == {"on-net"}:
        return TIE_LINE
    if directions == {"incoming"}:
        return INCOMING
    return NOBODYS if sight.all_calls else OTHERS
