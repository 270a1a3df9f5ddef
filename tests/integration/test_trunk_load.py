"""The counters of trunks: every record, billed or not, in any order, the same after a rebuild."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from syncd.calls.trunk_counting import count_trunks
from syncd.calls.trunks import Endpoints
from syncd.domain.errors import UserError
from syncd.reports.environment import Environment
from syncd.reports.makers.trunk_load import busy_hour, erlangs
from syncd.reports.makers.trunk_load import make as trunk_load
from syncd.reports.scope import Policy, open_door
from syncd.reports.specification import Specification
from syncd.store.models import DirtyQuarter, TrunkCounter
from syncd.store.trunk_counters import mark_quarters
from tests.support.bed import ROME, START, Bed, make_bed
from tests.support.phones import SPLIT, leg, transferred

CALLS = (
    leg(1, 1, 2, "2001", "0612345678", talk=1200),
    leg(2, 3, 4, "2001", "2002"),
    leg(3, 5, 6, "0612345678", "2999", talk=30, at=900),  # nobody's
    leg(4, 7, 8, "2001", "0612345678", talk=None, ring=3, destCause_value=34),
    leg(5, 9, 10, "2001", "0612345678", talk=60, at=60, **SPLIT),
    leg(6, 11, 12, "2001", "2002", talk=10, at=100, **SPLIT),
    leg(5, 10, 12, "0612345678", "2002", talk=240, at=120, ring=0,
        origDeviceName="S0/SU0/DS1-0@vg01.example.com", **transferred("2001")),
)  # fmt: skip


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    return make_bed(tmp_path)


def counted(bed: Bed) -> list[tuple[int, ...]]:
    while count_trunks(lambda source, pbx: Endpoints(bed.context.trunks)):
        pass
    assert not DirtyQuarter.select().exists()
    query = TrunkCounter.select().order_by(TrunkCounter.start_quarter, TrunkCounter.quarter)
    return [
        (row.start_quarter - START // 900, row.quarter - START // 900,
         row.seizures, row.failures, row.seconds)
        for row in query
    ]  # fmt: skip


def test_counts_every_record(bed: Bed) -> None:
    bed.person("anna", "2001")
    bed.ingest(*CALLS)
    rows = counted(bed)
    # 1205 s, 3 s that failed, 65 s and 240 s of one circuit; 35 s of a call that nobody has.
    assert sum(row[2] for row in rows) == 4
    assert sum(row[3] for row in rows) == 1
    assert sum(row[4] for row in rows) == 1205 + 3 + 65 + 240 + 35
    assert {row[0] for row in rows} == {0, 1}
    assert all(row[0] <= row[1] for row in rows)


def test_any_order_gives_the_same(tmp_path: Path) -> None:
    found = []
    for place, order in enumerate((CALLS, CALLS[::-1])):
        folder = tmp_path / str(place)
        folder.mkdir()
        bed = make_bed(folder)
        for columns in order:
            bed.ingest(columns)
            counted(bed)
        found.append(counted(bed))
    assert found[0] == found[1]


def test_counting_again_changes_nothing(bed: Bed) -> None:
    bed.ingest(*CALLS)
    before = counted(bed)
    mark_quarters({row[0] + START // 900 for row in before})
    assert counted(bed) == before


def test_the_busy_hour_begins_with_any_quarter() -> None:
    assert busy_hour({}) is None
    assert busy_hour({5: 0}) is None
    assert busy_hour({0: 100, 3: 900, 4: 900, 5: 900, 6: 800, 9: 900}) == 3
    assert [erlangs(seconds) for seconds in (0, 18, 3600, 5418)] == ["0.00", "0.01", "1.00", "1.51"]


def test_report_is_for_level_8(bed: Bed) -> None:
    bed.person("anna", "2001", level=6)
    bed.person("emil", "2002", level=8)
    bed.ingest(*CALLS)
    counted(bed)
    asked = Specification("trunk-load", date(2026, 5, 28), date(2026, 5, 30))
    with pytest.raises(UserError, match="not available to anna"):
        open_door("anna", "trunk-load", "", Policy(), bed.now)
    door = open_door("emil", "trunk-load", "", Policy(), bed.now)
    load = trunk_load(door, asked, Environment(ROME))
    (row,) = load.rows
    assert (row["trunk"], row["seizures"], row["failures"]) == ("pstn", 4, 1)
    assert row["occupied_seconds"] == load.totals["occupied_seconds"] == 1548
    assert row["busy_hour_erlangs"] == "0.43"
    assert row["busy_hour"] == "2026-05-28T22:15:00+02:00"
    assert load.facts == {"due_quarters": 0} and not load.notes
