"""Call quality: stored with the manners of call records, and found with the call, whichever came
first."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.calls.directory_view import rules_of
from syncd.calls.retrying import Retried, retry
from syncd.demo.cmr_writer import quality_rows
from syncd.demo.company import build_company
from syncd.demo.cucm_writer import write_files, write_quality_file
from syncd.domain.codes import FileState, Side
from syncd.store.database import open_database, write_transaction
from syncd.store.maintenance import verify
from syncd.store.models import CallQuality, File, Party, Record, Reject, database
from syncd.store.quality import quality_of
from syncd.store.rejects import Chosen, rejects
from syncd.store.rollups import ensure_zone
from tests.support.bed import ROME, Bed, make_bed
from tests.support.phones import SPLIT, leg, transferred
from tests.support.world import World, make_world

MOBILE = "03331234567"
COUNTERS = ("read", "stored", "duplicate", "excluded", "not_billed", "rejected")


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = make_bed(tmp_path)
    made.person("anna", "2001", department="Sales")
    made.person("bruno", "2002", department="Sales")
    ensure_zone(ROME)
    yield made
    database.close()


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    yield make_world(tmp_path, lambda: tuple(capsys.readouterr()))
    database.close()


def drop(bed: Bed, *rows: Mapping[str, Any], name: str = "") -> Path:
    """Drop a file of call quality rows."""
    bed.files += 1
    name = name or f"cmr_StandAloneCluster_01_202605282027_{bed.files}"
    return write_quality_file(bed.folder / name, rows)


def measured(*records: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    """Return the call quality rows of call records."""
    return [{**row, **changes} for row in quality_rows(records)]


def counted(bed: Bed) -> dict[str, list[int]]:
    return {row["name"]: [row[name] for name in COUNTERS] for row in bed.ledger()}


def found() -> list[tuple[str, str, str]]:
    """Return (record key, end, device) of all measurements that belong to a call."""
    keys = dict(Record.select(Record.id, Record.key).tuples())
    conversations: dict[int, list[int]] = {}
    for record in Record.select(Record.id, Record.conversation).tuples():
        conversations.setdefault(record[1], []).append(record[0])
    return sorted(
        (keys[one.record], one.side.word, one.quality.device)
        for ids in conversations.values()
        for one in quality_of(ids)
    )


CALL = leg(1, 101, 102, "2001", "2002")


def test_a_measurement_finds_its_call(bed: Bed) -> None:
    bed.drop(CALL)
    path = drop(bed, *measured(CALL))
    bed.take()
    (record,) = Record.select()
    calling, called = quality_of([record.id])
    assert (calling.side, called.side) == (Side.CALLING, Side.CALLED)
    assert calling.quality.device == CALL["origDeviceName"]
    assert called.quality.device == CALL["destDeviceName"]
    assert counted(bed)[path.name] == [2, 2, 0, 0, 0, 0]
    assert list(bed.folder.iterdir()) == []
    assert verify(ROME) == []
    # A kept pair of files, nothing of which became a call of its own.
    assert len(bed.calls()) == 2


def test_it_may_come_first(bed: Bed) -> None:
    drop(bed, *measured(CALL))
    bed.take()
    assert found() == []
    bed.ingest(CALL)
    assert len(found()) == 2


def test_the_same_file_again_and_the_same_rows_under_another_name(bed: Bed) -> None:
    rows = measured(CALL)
    first = drop(bed, *rows)
    bed.take()
    drop(bed, *rows, name=first.name)
    again = drop(bed, *rows, rows[0])
    bed.take()
    assert counted(bed) == {first.name: [2, 2, 0, 0, 0, 0], again.name: [3, 0, 3, 0, 0, 0]}
    assert CallQuality.select().count() == 2
    assert verify(ROME) == []


def test_a_file_of_call_quality_by_any_name(bed: Bed) -> None:
    path = drop(bed, *measured(CALL), name="quality.csv")
    bed.take()
    assert counted(bed)[path.name] == [2, 2, 0, 0, 0, 0]


def test_another_content_of_the_same_key_is_a_conflict(bed: Bed) -> None:
    (row, _) = measured(CALL)
    first = drop(bed, row)
    bed.take()
    second = drop(bed, {**row, "jitter": 999})
    bed.take()
    assert counted(bed)[second.name] == [1, 0, 0, 0, 0, 1]
    (reject,) = Reject.select()
    assert reject.reason == (
        f"conflict: another content than the record with the same key in row 3 of {first.name}"
    )
    assert b"999" in bytes(reject.raw)
    assert [one.jitter for one in CallQuality.select()] == [row["jitter"]]
    assert verify(ROME) == []


def test_damage_costs_its_row(bed: Bed) -> None:
    path = drop(bed, *measured(CALL))
    text = path.read_text()
    path.write_text(text[:-300] + "\n")
    late = drop(bed, *measured(CALL, dateTimeStamp=bed.now + 7200, pkid="late"))
    bed.take()
    assert counted(bed)[path.name] == [2, 1, 0, 0, 0, 1]
    assert counted(bed)[late.name] == [2, 0, 0, 0, 0, 2]
    reasons = {reject.reason: reject.retryable for reject in Reject.select()}
    assert reasons["the stream ends in the future: check the clocks"]
    assert verify(ROME) == []


def test_a_file_that_is_none_is_set_aside(bed: Bed) -> None:
    (bed.folder / "cmr_1").write_text("hello\n")
    bed.take()
    (file,) = File.select()
    assert (file.state, "no cdrRecordType" in file.reason) == (FileState.SET_ASIDE, True)


def test_a_reused_call_id_is_another_call(bed: Bed) -> None:
    later = {**CALL, "pkid": "later"}
    for name in ("dateTimeOrigination", "dateTimeConnect", "dateTimeDisconnect"):
        later[name] = CALL[name] + 10 * 86_400
    bed.drop(CALL, later)
    drop(bed, *measured(CALL), *measured(later))
    bed.take()
    assert [key for key, _, _ in found()] == [CALL["pkid"]] * 2 + ["later"] * 2


def test_a_transferred_leg_has_a_measurement_for_each_part(bed: Bed) -> None:
    first = leg(1, 101, 102, "2001", MOBILE, talk=30, **SPLIT)
    consult = leg(2, 103, 104, "2001", "2002", at=20, talk=15, **SPLIT)
    joined = leg(1, 102, 104, MOBILE, "2002", at=40, ring=0, talk=100, **transferred("2001"))
    bed.drop(first, consult, joined)
    drop(bed, *measured(first, consult, joined))
    bed.take()
    assert len(found()) == 6
    assert {key for key, _, _ in found()} == {first["pkid"], consult["pkid"], joined["pkid"]}
    for record in (first, joined):
        ends = {end: device for key, end, device in found() if key == record["pkid"]}
        assert ends == {"calling": record["origDeviceName"], "called": record["destDeviceName"]}


# --- excluded numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["record first", "measurement first", "together"])
def test_calls_of_excluded_numbers_are_measured_without_a_name(bed: Bed, order: str) -> None:
    bed.change(excluded_numbers=frozenset({"2002"}))
    rows = measured(CALL)
    if order == "record first":
        bed.ingest(CALL)
    path = drop(bed, *rows)
    if order == "together":
        bed.drop(CALL)
    bed.take()
    if order == "measurement first":
        bed.ingest(CALL)
    assert counted(bed)[path.name] == [2, 0, 0, 2, 0, 0]
    assert {(one.device, one.metrics) for one in CallQuality.select()} == {("", "")}
    assert found() == []
    assert verify(ROME) == []


def test_a_reject_does_not_keep_an_excluded_number(bed: Bed) -> None:
    bed.change(excluded_numbers=frozenset({"2002"}))
    drop(bed, *measured(CALL, jitter="x"))
    bed.take()
    texts = [bytes(reject.raw) for reject in Reject.select()]
    assert len(texts) == 2
    assert not any(b'"2002"' in text for text in texts)


# --- rejects -------------------------------------------------------------------------------------


def again(bed: Bed) -> Retried:
    ids = [row.id for row in rejects(Chosen())]
    with write_transaction():
        done = retry(bed.context, rules_of(bed.context), ids, bed.now)
    assert verify(ROME) == []
    return done


@pytest.mark.parametrize("name", ["cmr_Main_01_202605282027_1", "renamed"])
def test_a_row_of_the_future_is_taken_when_its_time_has_come(bed: Bed, name: str) -> None:
    (mine, theirs) = measured(CALL)
    drop(bed, mine, {**theirs, "dateTimeStamp": bed.now + 7200}, name=name)
    bed.take()
    assert counted(bed)[name] == [2, 1, 0, 0, 0, 1]
    assert again(bed) == Retried(taken=0, still=1)
    bed.now += 7200
    assert again(bed) == Retried(taken=1, still=0)
    assert counted(bed)[name] == [2, 2, 0, 0, 0, 0]
    assert sorted(one.row for one in CallQuality.select()) == [3, 4]
    assert not Reject.select().exists()
    assert again(bed) == Retried()


def test_rejects_that_came_otherwise_or_are_bad_for_ever(bed: Bed) -> None:
    (mine, theirs) = measured(CALL)
    late = {**theirs, "dateTimeStamp": bed.now + 7200}
    first = drop(bed, late, {**mine, "jitter": "x"})
    bed.take()
    bed.now += 7200
    drop(bed, late)
    bed.take()
    assert again(bed) == Retried(taken=1, still=1)
    assert counted(bed)[first.name] == [2, 0, 1, 0, 0, 1]
    (reject,) = Reject.select()
    assert reject.reason == "jitter is 'x', not a whole number"


# --- any order -----------------------------------------------------------------------------------

RECORDS = [
    leg(1, 101, 102, "2001", MOBILE, talk=30, **SPLIT),
    leg(2, 103, 104, "2001", "2002", at=20, talk=15, **SPLIT),
    leg(1, 102, 104, MOBILE, "2002", at=40, ring=0, talk=100, **transferred("2001")),
    leg(5, 111, 112, "2001", "2002", at=50),
    leg(6, 113, 114, "2001", "2900", at=60),
    leg(7, 115, 116, "2900", MOBILE, at=70),
]


def outcome(order: list[tuple[str, int]], batches: list[int]) -> tuple[Any, ...]:
    """Deliver one-row files in an order, some of them together, and return what is there then."""
    root = Path(tempfile.mkdtemp())
    try:
        bed = make_bed(root)
        bed.person("anna", "2001")
        bed.person("bruno", "2002")
        bed.context = replace(bed.context, excluded_numbers=frozenset({"2900"}))
        rows = measured(*RECORDS)
        for position, (kind, at) in enumerate(order):
            if kind == "cdr":
                bed.drop(RECORDS[at])
            else:
                drop(bed, rows[at])
            if position in batches:
                bed.take()
        bed.take()
        assert verify(ROME) == []
        stored = sorted(
            (one.key, one.excluded, one.device, one.metrics) for one in CallQuality.select()
        )
        totals = [sum(row[name] for row in bed.ledger()) for name in ("stored", "excluded")]
        return stored, totals, found()
    finally:
        database.close()
        shutil.rmtree(root)


EVERY = [("cdr", at) for at in range(len(RECORDS))] + [
    ("cmr", at) for at in range(len(measured(*RECORDS)))
]


@settings(max_examples=12, deadline=None)
@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 20), max_size=6))
def test_any_order_of_arrival_ends_alike(random: Random, batches: list[int]) -> None:
    order = EVERY + random.sample(EVERY, 4)
    random.shuffle(order)
    assert outcome(order, batches) == outcome(EVERY, [])


# --- what a viewer gets --------------------------------------------------------------------------


def test_quality_stands_in_the_explanation(world: World) -> None:
    world.bed.drop(CALL)
    rows = measured(CALL, varVQMetrics="MLQK=4.25;MLQKmn=3.5;CCR=0.0123;VoRxCodec=G.722;CS=3")
    rows[0] |= {"numberPacketsReceived": 990, "numberPacketsLost": 10, "jitter": 7, "latency": 2}
    drop(world.bed, *rows)
    world.bed.take()
    answer = world.explain(world.row("calling", "Anna"))
    calling, called = answer["quality"]
    assert (calling["end"], called["end"]) == ("calling", "called")
    assert (calling["mos"], calling["mos_minimum"], calling["mos_maximum"]) == ("4.25", "3.5", None)
    assert (calling["loss_percent"], calling["concealed_percent"]) == ("1", "1.23")
    assert (calling["jitter_ms"], calling["latency_ms"], calling["codec"]) == (7, 2, "G.722")
    assert calling["metrics"]["CS"] == "3"
    shown = world.run("explain", world.row("calling", "Anna")["id"])
    assert "Quality\n" in shown.out
    assert CALL["origDeviceName"] in shown.out
    assert world.json("explain", world.record(1))["quality"] == [calling, called]


def test_a_device_is_named_to_who_may_see_its_end(world: World) -> None:
    world.bed.drop(CALL)
    drop(world.bed, *measured(CALL))
    world.bed.take()
    row = world.row("calling", "Anna")
    mine, theirs = world.explain(row, "--as", "anna")["quality"]
    assert (mine["device"], theirs["device"]) == (CALL["origDeviceName"], None)
    shown = world.run("explain", row["id"], "--as", "anna")
    assert CALL["destDeviceName"] not in shown.out
    everything = world.explain(row)["quality"]
    assert [one["device"] for one in everything] == [
        CALL["origDeviceName"],
        CALL["destDeviceName"],
    ]


def test_what_was_measured_after_a_transfer_is_for_those_who_talked(world: World) -> None:
    first = leg(1, 101, 102, "2001", MOBILE, talk=30, **SPLIT)
    consult = leg(2, 103, 104, "2001", "2002", at=20, talk=15, **SPLIT)
    joined = leg(1, 102, 104, MOBILE, "2002", at=40, ring=0, talk=100, **transferred("2001"))
    world.bed.drop(first, consult, joined)
    drop(world.bed, *measured(first, consult, joined))
    world.bed.take()
    Party.update(permission_level=2).execute()
    redirecting = world.row("redirecting", "Anna", at=40)
    assert world.explain(redirecting, "--as", "anna")["quality"] == []
    assert len(world.explain(redirecting)["quality"]) == 2
    bruno = world.row("called", "Bruno", at=40)
    assert len(world.explain(bruno, "--as", "bruno")["quality"]) == 2


def test_no_measurement_is_no_quality(world: World) -> None:
    world.bed.ingest(CALL)
    row = world.row("calling", "Anna")
    assert world.explain(row)["quality"] == []
    assert "Quality" not in world.run("explain", row["id"]).out


def test_excluded_calls_of_an_older_database_are_known(tmp_path: Path) -> None:
    bed = make_bed(tmp_path, excluded_numbers=frozenset({"2002"}))
    bed.ingest(CALL)
    database.execute_sql("DROP TABLE call_quality")
    database.execute_sql("DROP TABLE quality_excluded")
    database.execute_sql("DELETE FROM schema_migration WHERE name LIKE '0004%'")
    database.close()
    open_database("sqlite:///test.db", bed.context.state_directory)
    path = drop(bed, *measured(CALL))
    bed.intake = None
    bed.take()
    assert counted(bed)[path.name] == [2, 0, 0, 2, 0, 0]
    database.close()


def test_every_measurement_of_a_simulated_company_finds_its_end(tmp_path: Path) -> None:
    bed = make_bed(tmp_path)
    company = build_company(60, seed=5)
    written = write_files(
        bed.folder,
        company,
        seed=5,
        calls=250,
        start=date(2026, 3, 2),
        rows_per_file=60,
        quality=True,
    )
    bed.take()
    totals = [sum(row[name] for row in bed.ledger()) for name in ("read", "rejected", "duplicate")]
    assert totals == [written.records + written.measurements, 0, 0]
    records = {record.id: record for record in Record.select()}
    by_conversation: dict[int, list[int]] = {}
    for record in records.values():
        by_conversation.setdefault(record.conversation, []).append(record.id)
    count = 0
    for ids in by_conversation.values():
        for one in quality_of(ids):
            count += 1
            record = records[one.record]
            calling = one.side is Side.CALLING
            assert one.quality.leg == (record.orig_leg if calling else record.dest_leg)
            assert one.quality.ended_at == record.ended_at
            assert one.quality.device == (record.orig_device if calling else record.dest_device)
    assert count == written.measurements
    assert verify(ROME) == []
    database.close()
