"""The numbers and trunks of a batch that nobody knows, and the lines that acquisition would take."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from syncd.calls.analysis import Analysis, Unknown
from syncd.calls.conversation import Rec
from syncd.cdr import ledger
from syncd.licensing import forecast
from syncd.licensing.claims import Place


class UnknownOnes:
    """Collects them while a batch is decided. ``partitions``: lines have them."""

    def __init__(self, site: str, *, partitions: bool) -> None:
        self._site = site
        self._partitions = partitions
        self._numbers: dict[tuple[str, str], list[int]] = {}
        self._trunks: dict[str, list[int]] = {}
        self._acquirable: dict[Place, bool] = {}
        """Lines that automatic acquisition would document: is a record a hunt number's?"""

    def of(self, records: Sequence[Rec], analysis: Analysis, stored: Collection[int]) -> None:
        """Note those of a conversation; what a stored record (by id) names was counted before."""
        for one in analysis.unknown:
            rec = records[one.at]
            self.number(one, None if rec.id in stored else rec.leg.started_at)
        for at, trunk in analysis.unknown_trunks:
            if records[at].id not in stored:
                self.trunk(trunk, records[at].leg.started_at)

    def number(self, unknown: Unknown, started_at: int | None) -> None:
        """Note a number that nobody holds; ``started_at`` None: it was counted before."""
        if started_at is not None:
            seen = self._numbers.setdefault((unknown.partition, unknown.number), [])
            seen.append(started_at)
        if unknown.acquirable:
            partition = unknown.partition if self._partitions else ""
            place = (self._site, partition, unknown.number)
            self._acquirable[place] = self._acquirable.get(place, False) or unknown.hunt

    def trunk(self, device: str, started_at: int) -> None:
        """Note a trunk that no section lists."""
        self._trunks.setdefault(device, []).append(started_at)

    def write(self, pbx_id: int) -> None:
        """Store them. Must run inside a write transaction."""
        ledger.note_unknown(self._site, self._numbers)
        ledger.note_unknown_trunks(pbx_id, self._trunks)
        forecast.remember(self._acquirable)
