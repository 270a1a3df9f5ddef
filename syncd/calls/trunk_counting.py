"""Counts again how busy the trunks were, where records changed."""

from __future__ import annotations

from collections.abc import Callable

from syncd.calls.conversation import Rec
from syncd.calls.dimensions import Dimensions
from syncd.calls.trunk_occupancy import by_quarter, occupancies
from syncd.calls.trunks import Endpoints
from syncd.domain.days import QUARTER
from syncd.store.database import write_transaction
from syncd.store.models import File, Pbx
from syncd.store.sealed import seal
from syncd.store.trunk_counters import (
    Busy,
    Counted,
    dirty_quarters,
    leave_quarter,
    records_of,
    relatives_of,
    replace_quarter,
)

QUARTERS_AT_ONCE = 16
"""Quarters of an hour that one transaction counts."""

EndpointsOf = Callable[[str, str], Endpoints]
"""Given the name of a source and of its PBX, returns what tells its devices apart."""


def count_trunks(endpoints_of: EndpointsOf) -> int:
    """Count some of the quarters whose records changed, the newest first. Returns how many."""
    with write_transaction():
        due = dirty_quarters(QUARTERS_AT_ONCE)
        if not due:
            return 0
        counting = _Counting(endpoints_of)
        sealed = seal().start
        for quarter in due:
            if quarter * QUARTER < sealed:
                # Records of it are gone: its counters are what they were.
                leave_quarter(quarter)
                continue
            replace_quarter(quarter, counting.quarter(records_of(quarter)))
    return len(due)


class _Counting:
    """One transaction's counting."""

    def __init__(self, endpoints_of: EndpointsOf) -> None:
        self._endpoints_of = endpoints_of
        self._sources: dict[int, str] = {}
        self._pbxs = dict(Pbx.select(Pbx.id, Pbx.name).tuples())
        self._endpoints: dict[tuple[str, int], Endpoints] = {}
        self._dimensions = Dimensions()

    def quarter(self, records: list[Counted]) -> dict[tuple[int, int], Busy]:
        """Return what the records of a quarter did, by (row of ``trunk``, quarter)."""
        found: dict[tuple[int, int], Busy] = {}
        tied: dict[int, list[Counted]] = {}
        wanted = {record.id for record in records}
        for record in relatives_of(record for record in records if record.leg.tied):
            tied.setdefault(record.conversation, []).append(record)
        groups = [[record] for record in records if not record.leg.tied]
        reached = {record.id for group in tied.values() for record in group}
        # Tied without any leg id: nothing of it is carried on.
        groups += [[one] for one in records if one.leg.tied and one.id not in reached]
        groups += tied.values()
        for group in groups:
            recs = [Rec(one.id, one.file_id, one.row, one.leg) for one in group]
            for one in occupancies(recs, wanted, self._of(group[0]).of):
                trunk = self._dimensions.trunk(one.trunk)
                for place, (quarter, seconds) in enumerate(by_quarter(one)):
                    had = found.get((trunk, quarter), Busy(0, 0, 0))
                    first = place == 0
                    found[trunk, quarter] = Busy(
                        had.seizures + (first and one.seizure),
                        had.failures + (first and one.failed),
                        had.seconds + seconds,
                    )
        return found

    def _of(self, record: Counted) -> Endpoints:
        source = self._sources.get(record.file_id)
        if source is None:
            file = File.get_or_none(File.id == record.file_id)
            source = self._sources[record.file_id] = file.source if file is not None else ""
        key = (source, record.pbx_id)
        found = self._endpoints.get(key)
        if found is None:
            found = self._endpoints[key] = self._endpoints_of(
                source, self._pbxs.get(record.pbx_id, "")
            )
        return found
