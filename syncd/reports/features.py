"""How a record of a conversation came to be and how it went on, in words (pure).

The codes are those of the neutral leg: redirect reasons and features ("on behalf of") of Cisco UCM.
"""

from __future__ import annotations

from syncd.domain.leg import SPLIT, Leg

REASONS = {
    1: "forwarded: busy",
    2: "forwarded: no answer",
    4: "transfer",
    5: "pick-up",
    7: "park",
    8: "retrieved from park",
    9: "forwarded: out of order",
    10: "forwarded",
    11: "back from park",
    15: "forwarded: all calls",
    18: "deflected",
    34: "blind transfer",
    50: "immediate divert",
    66: "forwarded: alternate party",
    82: "forwarded: failure",
    98: "conference",
    114: "barge",
    129: "sent over the public network",
    130: "transfer (refer)",
    146: "transfer (replaces)",
    162: "redirected by the other side",
    178: "forwarded: not registered",
    303: "handed in from the mobile phone",
    319: "handed out to the mobile phone",
    335: "single number reach",
    354: "recording",
    370: "monitoring",
    415: "taken on the mobile phone",
    418: "conference",
    434: "back from park: nobody took it",
    450: "back from park: nobody took it",
    786: "queued",
    802: "out of the queue",
    818: "out of the queue: nobody is logged in",
    834: "out of the queue: it is full",
    850: "out of the queue: waited too long",
}
"""By redirect reason."""

FEATURES = {
    3: "park",
    4: "conference",
    6: "meet-me conference",
    7: "meet-me conference",
    10: "transfer",
    14: "immediate divert",
    15: "barge",
    16: "pick-up",
    17: "transfer (refer)",
    18: "transfer (replaces)",
    19: "redirected by the other side",
    20: "call-back",
    24: "mobility",
    26: "directed park",
    34: "queue",
}
"""By the feature on behalf of which a leg was joined or ended."""

HUNT = "hunt group"
_HUNT_USAGE = 7
_MEET_ME = (6, 7)


def how(leg: Leg) -> list[str]:
    """Return by which features a record came to be, in the order in which they happened; empty for
    a plain call."""
    found: list[str] = []
    if leg.pattern_usage == _HUNT_USAGE:
        found.append(HUNT)
    for reason, feature in (
        (leg.first_redirect_reason, leg.first_redirect_by),
        (leg.last_redirect_reason, leg.last_redirect_by),
    ):
        word = REASONS.get(reason, "") or FEATURES.get(feature, "")
        if feature in _MEET_ME:
            word = FEATURES[feature]
        if word and word not in found:
            found.append(word)
    if not leg.last_redirect_reason and leg.joined_by in FEATURES and not found:
        found.append(FEATURES[leg.joined_by])
    return found


def went_on(leg: Leg) -> str | None:
    """Return by which feature a record was ended whose call goes on in another; None when somebody
    hung up or nothing more is known."""
    split = SPLIT in (leg.orig_cause, leg.dest_cause)
    for feature in (leg.dest_ended_by, leg.orig_ended_by):
        if feature in FEATURES:
            return FEATURES[feature]
    return "continued" if split else None
