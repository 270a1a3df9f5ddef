"""What records do to trunks: a circuit is seized once and occupied through all its records."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syncd.calls.conversation import Rec
from syncd.calls.trunk_occupancy import LONGEST, Occupancy, by_quarter, occupancies
from syncd.calls.trunks import Endpoints, TrunkRule
from syncd.domain.codes import TrunkRole
from tests.support.legs import make_rec

RULES = Endpoints((TrunkRule("pstn", TrunkRole.PSTN, "telco", ("GW*",)),))


def seen(*recs: Rec, wanted: set[int] | None = None) -> list[tuple[str, bool, bool, int]]:
    chosen = wanted if wanted is not None else {rec.id for rec in recs}
    return [
        (one.trunk, one.seizure, one.failed, one.until - one.since)
        for one in occupancies(recs, chosen, RULES.of)
    ]


def test_a_call_over_a_trunk_seizes_one_circuit() -> None:
    call = make_rec(
        1, started_at=100, connected_at=110, ended_at=160, orig_device="SEP1", dest_device="GW1"
    )
    assert seen(call) == [("pstn", True, False, 60)]


def test_a_transit_call_seizes_two() -> None:
    call = make_rec(1, started_at=100, ended_at=160, orig_device="GW1", dest_device="GW2")
    assert seen(call) == [("pstn", True, False, 60)] * 2


def test_a_leg_that_goes_on_in_another_record_is_no_further_seizure() -> None:
    first = make_rec(
        1, started_at=100, connected_at=100, ended_at=160, tied=1,
        orig_leg=1, dest_leg=2, orig_device="SEP1", dest_device="GW1",
    )  # fmt: skip
    second = make_rec(
        2, started_at=160, connected_at=160, ended_at=200, tied=1, joined_by=10,
        orig_leg=2, dest_leg=3, orig_device="GW1", dest_device="SEP2",
    )  # fmt: skip
    assert seen(second, first) == [("pstn", True, False, 60), ("pstn", False, False, 40)]
    assert seen(first, second, wanted={2}) == [("pstn", False, False, 40)]


def test_no_circuit_is_a_failure_and_busy_is_none() -> None:
    for cause, failed in ((34, True), (17, False), (1, True), (19, False)):
        call = make_rec(1, started_at=5, ended_at=9, dest_device="GW1", dest_cause=cause)
        assert seen(call) == [("pstn", True, failed, 4)]


@given(since=st.integers(0, 10**6), seconds=st.integers(0, LONGEST))
def test_quarters_hold_all_seconds(since: int, seconds: int) -> None:
    parts = list(by_quarter(Occupancy("pstn", True, False, since, since + seconds)))
    assert sum(part for _, part in parts) == seconds
    assert parts[0][0] == since // 900
    assert all(0 <= part <= 900 for _, part in parts)
    assert len({quarter for quarter, _ in parts}) == len(parts)


def test_a_record_that_lasts_for_years_occupies_a_day() -> None:
    call = make_rec(1, started_at=0, ended_at=10**9, dest_device="GW1")
    assert seen(call) == [("pstn", True, False, LONGEST)]
