"""Corners of intake: long chains, numbers written in two ways, tie lines, excluded numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.calls.trunks import TrunkRule
from syncd.cdr import spool
from syncd.domain.codes import FileState, Role, TrunkRole
from syncd.store.models import File, Record, Reject, database
from tests.support.bed import START, Bed, make_bed
from tests.support.phones import SPLIT, leg, transferred

OUT = "00033123456789"


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = make_bed(tmp_path)
    made.person("anna", "2001", department="Sales")
    made.person("bruno", "2002", department="Sales")
    made.person("carla", "2003", department="Support")
    yield made
    database.close()


@pytest.mark.parametrize("order", ["0123", "3210", "0231", "0 1 2 3", "3 2 1 0", "0 23 1"])
def test_pipeline_a_chain_longer_than_the_hold_is_one_conversation(bed: Bed, order: str) -> None:
    """Every link is within the hold (60 s), the ends are not: relatives of relatives are looked for
    in the window of the first records alone, since their keys have been asked once."""
    bed.change(hold=60)
    rows: list[dict[str, Any]] = [
        leg(1, 101, 102, "2001", OUT, talk=45, **SPLIT),
        leg(
            1, 102, 104, "+33123456789", "2002", at=50, ring=0, talk=50,
            **{**transferred("2001"), **SPLIT},
        ),
        leg(
            1, 102, 105, "+33123456789", "2003", at=100, ring=0, talk=50,
            **{**transferred("2002"), **SPLIT},
        ),
        leg(
            1, 102, 106, "+33123456789", "2001", at=150, ring=0, talk=50, **transferred("2003"),
        ),
    ]  # fmt: skip
    for part in order.split():
        bed.ingest(*(rows[int(at)] for at in part))
    assert len({record.conversation for record in Record.select()}) == 1
    assert {call["direction"] for call in bed.calls()} == {"outgoing"}
    assert sum(call["billed"] for call in bed.calls()) == 240


def test_attribution_a_number_that_was_held_in_another_form_before(bed: Bed) -> None:
    """The directory wrote 0612342004 and writes +390612342004 now: one form's past hides the other."""
    bed.person("dora", "2004", more=((Role.ALIAS, "0612342004", True),), until=START)
    emil = bed.person("emil", "2005")
    bed.assign(emil, Role.ALIAS, "+390612342004", since=START)
    bed.directory_changed()
    columns = {"destDeviceName": "SEP001122302004", "OutgoingProtocolID": 0}
    bed.ingest(leg(1, 101, 102, "+33123456789", "0612342004", at=5, **columns))
    assert bed.rows("line", "person") == [("+390612342004", "emil")]


def test_attribution_a_partition_that_somebody_left_hides_no_number(tmp_path: Path) -> None:
    bed = make_bed(tmp_path, partitions=True)
    bed.person("anna", "2001", partition="HQ", until=START)
    bed.person("bruno", "2001", since=START)
    bed.ingest(leg(1, 101, 102, "2001", "2002", at=5, callingPartyNumberPartition="HQ"))
    assert bed.rows("line", "person") == [("2001", "bruno")]
    database.close()


def test_conversation_a_tie_leg_behind_the_gateway_stays_one_after_a_transfer(bed: Bed) -> None:
    """Known by the route pattern at set-up; the final record comes "from" the gateway, with none."""
    old = TrunkRule("old", TrunkRole.TIE, "", ("S0/SU*",), patterns=("4[0-7]XXX",))
    bed.change(trunks=(old, *bed.context.trunks))
    tied = {"finalCalledPartyPattern": "4[0-7]XXX"}
    bed.ingest(
        leg(1, 101, 102, "2001", "41234", talk=30, **{**tied, **SPLIT}),
        leg(2, 103, 104, "2001", "2002", at=30, talk=None, **SPLIT),
        leg(1, 102, 104, "41234", "2002", at=35, ring=0, talk=60, **transferred("2001")),
    )
    assert {row["direction"] for row in bed.calls()} == {"on-net", "internal"}


@pytest.mark.parametrize("kind", ["future", "conflict"])
def test_pipeline_excluded_numbers_are_not_stored_as_rejects(bed: Bed, kind: str) -> None:
    bed.change(excluded_numbers=frozenset({"2002"}))
    bed.ingest(leg(1, 101, 102, "2001", "2002"))
    if kind == "future":
        bed.ingest(leg(2, 103, 104, "2001", "2002", at=90 * 86_400))
    else:
        bed.ingest(leg(1, 101, 102, "2001", "2002", destCause_value=31))
    (reject,) = Reject.select()
    assert b"2002" not in bytes(reject.raw)


def test_intake_a_failed_file_is_forgotten_when_it_turns_out_to_be_known(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stored, not moved, unreadable for a while, readable again: "failed" stays in the list."""
    with monkeypatch.context() as patch:
        patch.setattr(spool, "keep", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        bed.ingest(leg(1, 101, 102, "2001", "2002"))
    with monkeypatch.context() as patch:
        patch.setattr(spool, "read", lambda _: (_ for _ in ()).throw(PermissionError(13, "denied")))
        bed.take()
    bed.take()
    assert [FileState(file.state) for file in File.select()] == [FileState.DONE]


def test_intake_the_age_of_a_file_from_the_future_is_not_negative(bed: Bed) -> None:
    import os

    from syncd.calls.intake import Intake

    path = bed.drop(leg(1, 101, 102, "2001", "2002"))
    os.utime(path, (START + 3600, START + 3600))
    outcome = Intake(bed.context).take(now=lambda: START)
    assert outcome.oldest_waiting == 0
