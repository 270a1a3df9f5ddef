"""How a record ended, from its causes (pure; causes are Q.850 in the low byte)."""

from __future__ import annotations

from syncd.domain.codes import Disposition
from syncd.domain.leg import SPLIT, Leg

TRANSFERRING = frozenset({4, 34, 130, 146})
"""Redirect reasons call transfer, blind transfer, refer, replaces."""
NOT_REDIRECTING = frozenset(
    {0, 7, 8, 11, 98, 114, 335, 354, 370, 434, 450, 786, 802, 818, 834, 850}
)
"""Reasons that name no forwarder or transferor: none, park, conference, barge, mobile phone (whose
line was called and answers), recording, queue."""

_BUSY = frozenset({17})
_NO_ANSWER = frozenset({18, 19, 20, 102})
_NORMAL = frozenset({0, 16, 26, 31})


def q850(cause: int) -> int:
    """Return the Q.850 cause of a cause value, which SIP peers send with an index above it."""
    cause &= 0xFFFFFFFF
    return cause if cause < 256 else cause & 0x7F


def disposition_of(leg: Leg) -> Disposition:
    """Return how a record ended for its calling and called side alike.

    Not connected: a caller who hung up cancelled it; busy and no answer by the cause of the called
    side; a number, a route or a resource that failed is ``failed``.
    """
    if leg.connected_at:
        return Disposition.ANSWERED
    for cause in (leg.dest_cause, leg.orig_cause):
        if cause == SPLIT:
            continue
        code = q850(cause)
        if code in _BUSY:
            return Disposition.BUSY
        if code in _NO_ANSWER:
            return Disposition.NO_ANSWER
        if code not in _NORMAL:
            return Disposition.FAILED
    if leg.orig_cause and leg.orig_cause != SPLIT and not leg.dest_cause:
        return Disposition.CANCELLED
    return Disposition.NO_ANSWER
