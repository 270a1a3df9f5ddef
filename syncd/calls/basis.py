"""What the batches of one CDR source share."""

from __future__ import annotations

from hashlib import blake2b

from syncd.calls.analysis import Rules
from syncd.calls.context import IntakeContext
from syncd.calls.dimensions import Dimensions
from syncd.calls.pricing import Pricer
from syncd.domain.days import QUARTER, Days, month_of
from syncd.licensing.claims import Terms
from syncd.licensing.slots import Licence


class Basis:
    """What the batches of one CDR source share. Must be made inside a write transaction, and made
    anew after one that failed: it remembers keys that were given out."""

    def __init__(self, context: IntakeContext, rules: Rules, pbx_id: int, now: int) -> None:
        self.context = context
        self.rules = rules
        self.pbx_id = pbx_id
        self.now = now
        self.terms = Terms(context.slots, context.acquisition)
        self.pricer = Pricer(context.carriers, rules)
        self.days = Days(context.zone)
        self.dimensions = Dimensions()
        self._periods: dict[int, int] = {}
        self.licence: Licence | None = None
        """As of the last settlement; None before the first."""
        self.run = 0
        """Row of ``maintenance_run`` that the batches belong to; 0: none."""
        self._identity = context.pbx.encode() + b"\0"

    def period(self, started_at: int) -> int:
        """Return the posting period (yyyymm) of a start."""
        period = self._periods.get(started_at // QUARTER)
        if period is None:
            period = self._periods[started_at // QUARTER] = month_of(self.days.day(started_at))
        return period

    def key_hash(self, key: str) -> int:
        """Return the signed 64-bit hash of (PBX identity, record key)."""
        digest = blake2b(self._identity + key.encode("utf-8", "surrogatepass"), digest_size=8)
        return int.from_bytes(digest.digest(), "big", signed=True)
