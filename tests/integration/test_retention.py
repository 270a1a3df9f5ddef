"""What is older than it is kept goes, is said beforehand and leaves sums; somebody is made nobody."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from peewee import fn

from syncd.application import retention
from syncd.application.composition import Application
from syncd.application.plugins import load_settings, survey_settings
from syncd.calls import anonymising
from syncd.calls.rerating import Wanted
from syncd.domain.codes import Role
from syncd.domain.days import Days
from syncd.domain.errors import ConfigurationError
from syncd.domain.party import name_key
from syncd.settings.retention import RetentionSettings
from syncd.store.database import get_meta, write_transaction
from syncd.store.maintenance import verify
from syncd.store.models import (
    AccessLog,
    Adjustment,
    Assignment,
    Call,
    File,
    MaintenanceRun,
    Outbox,
    Party,
    Period,
    Record,
    Reject,
    SyncChange,
    SyncRun,
    TrunkCounter,
    UnknownNumber,
    database,
)
from syncd.store.rollups import ensure_zone, fields_are_summed, rebuild
from syncd.store.sealed import seal
from tests.integration.test_posting import change_price, close, rerate
from tests.support.bed import ROME, START, Bed, make_bed
from tests.support.phones import leg
from tests.support.world import INI, World

DAY = 86_400
WHOLE = ("--from", "2026-05-01", "--to", "2026-10-01")
OUTSIDE = "0612345678"


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> World:
    bed = make_bed(tmp_path)
    bed.now = START + 60 * DAY
    bed.person("anna", "2001", department="Sales", more=((Role.USER_ID, "anna", False),))
    bed.person("bruno", "2002", department="Support")
    ensure_zone(ROME)
    ini = tmp_path / "syncd.ini"
    ini.write_text(INI, encoding="utf-8")
    monkeypatch.setattr("syncd.cli.context.Context.now", lambda self: bed.now)
    monkeypatch.setattr("syncd.application.composition.time.time", lambda: bed.now)

    def read() -> tuple[str, str]:
        captured = capsys.readouterr()
        return captured.out, captured.err

    made = World(bed, ini, read)
    bed.ingest(
        leg(1, 1, 2, "2001", OUTSIDE, at=0, talk=60, callingPartyUnicodeLoginUserID="anna"),
        leg(2, 3, 4, "2002", "2001", at=DAY, talk=30, finalCalledPartyUnicodeLoginUserID="anna"),
        leg(3, 5, 6, "2002", OUTSIDE, at=50 * DAY, talk=60),
        leg(4, 7, 8, "2001", OUTSIDE, at=55 * DAY, talk=60, callingPartyUnicodeLoginUserID="anna"),
    )
    return made


@pytest.fixture
def kept(world: World) -> Callable[..., Application]:
    """What gives an application with spans of days."""
    settings = replace(load_settings(world.ini), state_directory=world.bed.context.state_directory)

    def made(**days: Any) -> Application:
        wanted = replace(settings, retention=RetentionSettings(**days))
        return Application(wanted, database.obj, command="test", clock=lambda: world.bed.now)

    return made


def gone(application: Application) -> dict[str, int]:
    return {due.name: due.rows for due in retention.carry_out(application)}


# --- the verbs ------------------------------------------------------------------------------------


def test_what_would_go_is_said_and_then_goes(world: World) -> None:
    with world.ini.open("a", encoding="utf-8") as file:
        file.write("\n[retention]\ncalls = 30\n")
    before = world.json("report", "by-department", *WHOLE)
    for words in (("retention",), ("retention", "run", "--dry-run")):
        (due,) = world.json(*words)
        assert (due["data"], due["days"], due["before"]) == ("calls", 30, "2026-06-27")
        assert (due["rows"], due["first"]) == (2, "2026-05-28")
        assert due["details"] == {"calls": 3, "withheld": 0}
    assert Record.select().count() == 4
    refused = world.run("retention", "run")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    ran = world.run("retention", "run", "--yes")
    assert ran.code == 0
    assert "calls" in ran.out
    assert Record.select().count() == 2
    after = world.json("report", "by-department", *WHOLE)
    assert (after["rows"], after["totals"]) == (before["rows"], before["totals"])
    assert (
        world.run("retention", "run", "--yes")
        .err.strip()
        .endswith("nothing is older than it is kept")
    )
    assert world.run("db", "verify").code == 0
    assert any(one["action"] == "retention run" for one in world.json("access", "audit"))


def test_reports_say_what_they_do_not_know(world: World, kept: Callable[..., Application]) -> None:
    assert gone(kept(calls=30)) == {"calls": 2}
    listed = world.run("report", "calls", *WHOLE)
    assert "of 2 days from 2026-05-28 to 2026-05-29 sums alone are kept" in listed.out + listed.err
    assert len(world.rows()) == 0
    people = world.json("report", "by-person", *WHOLE)
    assert [row["calls"] for row in people["rows"] if row["person"] is None] == [3]
    assert people["totals"]["calls"] == 5
    sides = world.json("report", "by-department", *WHOLE, "--group-by", "side")
    assert sides["totals"]["calls"] == 2
    assert sides["days_not_known"] == 2


def test_for_level_10_alone(world: World) -> None:
    assert world.run("retention", "--as", "anna").code != 0


# --- sealed days ----------------------------------------------------------------------------------


def test_a_late_file_of_a_sealed_day_is_excluded_and_counted(
    world: World, kept: Callable[..., Application]
) -> None:
    gone(kept(calls=30))
    rebuild(ROME, world.bed.now, 1000)
    world.bed.ingest(
        leg(9, 91, 92, "2001", OUTSIDE, at=10, talk=60),
        leg(10, 93, 94, "2001", OUTSIDE, at=51 * DAY, talk=60),
    )
    last = world.bed.ledger()[-1]
    assert (last["read"], last["stored"], last["excluded"]) == (2, 1, 1)
    rebuild(ROME, world.bed.now, 1000)
    assert verify(ROME) == []


def test_what_went_does_not_come_again_by_reprocessing(
    world: World, kept: Callable[..., Application]
) -> None:
    world.run("db", "status")
    gone(kept(calls=30))
    before = world.bed.ledger()
    assert world.run("reprocess", "--from", "2026-05-01", "--to", "2026-10-01", "--yes").code == 0
    assert Record.select().where(Record.started_at < seal().start).count() == 0
    assert world.bed.ledger() == before
    assert verify(ROME) == []


def test_a_closed_month_stays_what_it_came_to(
    world: World, kept: Callable[..., Application]
) -> None:
    close(world.bed, 202605)
    change_price(world.bed, "0.60")
    rerate(world.bed, Wanted(START - DAY))
    assert Adjustment.select().where(Adjustment.party_id != 0).exists()
    gone(kept(calls=30))
    assert verify(ROME) == []
    assert Period.select().count() == 1
    assert not Adjustment.select().where(Adjustment.party_id != 0).exists()
    assert Adjustment.select().count() > 0


def test_days_of_an_open_month_stay_where_something_is_booked_by_the_month(
    world: World, kept: Callable[..., Application]
) -> None:
    rebuild(ROME, world.bed.now, 1000)
    application = kept(calls=30)
    finance = load_settings_with(world, "[flat-charge:line]\namount = 5.00\n").finance
    application.settings = replace(application.settings, finance=finance)
    (due,) = retention.carry_out(application)
    assert (due.rows, "2026-05 is open" in due.note) == (0, True)
    close(world.bed, 202605)
    (due,) = retention.carry_out(application)
    assert (due.rows, due.note) == (
        2,
        "2026-06 is open, and what is booked by the month needs its calls: syncd period close",
    )


def load_settings_with(world: World, more: str) -> Any:
    other = world.ini.with_name("more.ini")
    other.write_text(f"{INI}\n{more}", encoding="utf-8")
    return load_settings(other)


def test_trunks_were_counted_and_stay_so(world: World, kept: Callable[..., Application]) -> None:
    gone(kept(calls=30))
    counted = list(TrunkCounter.select().order_by(TrunkCounter.quarter).tuples())
    assert any(row[3] or row[2] for row in counted)
    kept(calls=30).roll_up()
    assert list(TrunkCounter.select().order_by(TrunkCounter.quarter).tuples()) == counted


def test_the_zone_stays_once_days_are_sealed(
    world: World, kept: Callable[..., Application]
) -> None:
    gone(kept(calls=30))
    from zoneinfo import ZoneInfo

    with pytest.raises(ConfigurationError, match="sealed"):
        ensure_zone(ZoneInfo("Asia/Kolkata"))


# --- other data -----------------------------------------------------------------------------------


def test_the_other_classes_go_by_their_age(world: World, kept: Callable[..., Application]) -> None:
    bed = world.bed
    bed.drop(leg(20, 1, 2, "2001", OUTSIDE), name="cdr_StandAloneCluster_01_202605290000_9")
    path = bed.folder / "cdr_StandAloneCluster_01_202605290000_9"
    path.write_text(path.read_text(encoding="utf-8") + "1,2,3\n", encoding="utf-8")
    bed.ingest(leg(21, 3, 4, "2777", OUTSIDE, at=5))
    File.update(taken_at=START).execute()
    AccessLog.create(at=START, viewer="x", level=10, report="x", specification="", rows=0)
    old, new = (
        SyncRun.create(source="corp", started_at=at, ended_at=at, outcome="applied")
        for at in (START, bed.now)
    )
    SyncChange.create(run=old, what="changed", old="a", new="b")
    Outbox.create(
        kind="budget",
        reference="r",
        recipient="a@b",
        subject="s",
        message=b"m",
        created_at=START,
        state="sent",
        next_at=START,
    )
    assert (Reject.select().count(), UnknownNumber.select().count()) == (1, 1)
    archived = [Path(row.archive) for row in File.select() if row.archive]
    assert archived and all(one.exists() for one in archived)
    spans = dict.fromkeys(
        ("rejects", "archive", "access_log", "history", "mail", "unknown_numbers"), 30
    )
    said = {due.name: due.rows for due in retention.preview(kept(**spans))}
    assert (
        gone(kept(**spans))
        == said
        == {
            "rejects": 1,
            "archive": len(archived),
            "access_log": 1,
            "history": 2,
            "mail": 1,
            "unknown_numbers": 1,
        }
    )
    assert not any(one.exists() for one in archived)
    assert SyncRun.get().id == new.id
    assert not any(spans and due.rows for due in retention.preview(kept(**spans)))
    rebuild(ROME, bed.now, 1000)
    assert verify(ROME) == []


def test_outside_numbers_lose_their_end_and_records_are_frozen(
    world: World, kept: Callable[..., Application]
) -> None:
    before = list(Call.select(Call.id, Call.cost).order_by(Call.id).tuples())
    would = [
        {due.name: due.rows for due in retention.preview(kept(truncate_numbers=30, **calls))}
        for calls in ({}, {"calls": 30})
    ]
    assert would == [{"truncate_numbers": 2}, {"calls": 2, "truncate_numbers": 0}], (
        "goes as a whole"
    )
    gone(kept(truncate_numbers=30, keep_digits=4))
    numbers = {row.started_at: row.other_number for row in Call.select() if row.other_outside}
    assert numbers[START] == "+3961…"
    assert numbers[START + 50 * DAY] == "+39612345678"
    record = Record.get(Record.started_at == START)
    assert (record.calling_number, record.final_number) == ("2001", "0612…")
    change_price(world.bed, "0.60")
    rerate(world.bed, Wanted(START - DAY))
    after = {row.id: row.cost for row in Call.select()}
    changed = {key for key, cost in before if after[key] != cost}
    assert changed and all(Call.get_by_id(key).started_at > START + 30 * DAY for key in changed)
    row = world.row("calling", "Anna")
    said = world.json("explain", row["id"])
    assert (said["frozen"], said["number"]["raw"]) == (True, "0612…")
    assert "it stands: numbers or names were taken out" in world.run("explain", row["id"]).out
    # The same file once more under another name has nothing new, and the late one is cut, too.
    (archived,) = (Path(row.archive) for row in File.select())
    (world.bed.folder / "cdr_StandAloneCluster_01_202605282027_8").write_bytes(
        gzip.decompress(archived.read_bytes()) + b"\n"
    )
    world.bed.take()
    assert world.bed.ledger()[-1]["duplicate"] == 4
    world.bed.ingest(leg(30, 31, 32, "2001", OUTSIDE, at=2 * DAY, talk=60))
    gone(kept(truncate_numbers=30, keep_digits=4))
    late = Call.get(Call.started_at == START + 2 * DAY)
    assert late.other_number == "+3961…"
    rebuild(ROME, world.bed.now, 1000)
    assert verify(ROME) == []


# --- when -----------------------------------------------------------------------------------------


def test_the_schedule_says_when_and_nothing_goes_before_it_was_seen(
    world: World, kept: Callable[..., Application]
) -> None:
    application = kept(calls=30)
    assert not retention.due_now(application)
    assert not retention.due_now(application)
    world.bed.now += 2 * DAY
    assert retention.due_now(application)
    retention.carry_out(application)
    assert not retention.due_now(application)
    assert get_meta("retention_at") == str(world.bed.now)


def test_a_clock_far_ahead_of_the_last_call_is_doubted(
    world: World, kept: Callable[..., Application]
) -> None:
    """A machine that thinks it is ten years later would remove everything in its first minute."""
    application = kept(calls=30)
    last = Record.select(fn.MAX(Record.started_at)).scalar()
    world.bed.now = last + 14 * DAY
    assert retention.doubt(application) == ""
    world.bed.now = last + 3650 * DAY
    assert "3650 days ago by the clock" in retention.doubt(application)
    assert world.run("retention").err.splitlines() == [
        "everything is kept for ever: [retention] says how long else"
    ]
    world.ini.write_text(f"{INI}\n[retention]\ncalls = 30\n", encoding="utf-8")
    said = world.run("retention")
    assert "the daemon leaves everything: the last call is of 2026-07-" in said.err
    # What it remembers of then holds nothing up for ten years.
    assert not retention.due_now(application)
    world.bed.now = last + 2 * DAY
    assert not retention.due_now(application)
    world.bed.now += 2 * DAY
    assert retention.due_now(application)
    # Who is asked, and says so, removes it all the same; then there is nothing to compare with.
    world.bed.now = last + 3650 * DAY
    assert world.run("retention", "run", "--yes").code == 0
    assert Record.select().count() == 0
    assert retention.doubt(application) == ""


def test_what_was_interrupted_goes_on(
    world: World, kept: Callable[..., Application], monkeypatch: Any
) -> None:
    monkeypatch.setattr(retention.store, "AT_ONCE", 1)
    real, left = retention.store.remove_calls, [1]

    def once(*arguments: Any) -> Any:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return real(*arguments, limit=1)

    monkeypatch.setattr(retention.store, "remove_calls", once)
    with pytest.raises(KeyboardInterrupt):
        retention.carry_out(kept(calls=30))
    assert (Record.select().count(), retention.unfinished()) == (3, True)
    rebuild(ROME, world.bed.now, 1000)
    assert verify(ROME) == []
    monkeypatch.setattr(retention.store, "remove_calls", real)
    assert retention.due_now(kept(calls=30))
    assert gone(kept(calls=30)) == {"calls": 1}
    assert not retention.unfinished()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("calls = 3", "3 days are too few"),
        ("truncate_numbers = 6", "6 days are too few"),
        ("calls = ten", "'ten' is not a number of days"),
    ],
)
def test_spans_that_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    ini = tmp_path / "syncd.ini"
    ini.write_text(f"{INI}\n[retention]\n{text}\n", encoding="utf-8")
    _, problems = survey_settings(ini)
    assert any(said in str(problem) for problem in problems)


def test_spans_that_do_not_do_what_they_seem_to(world: World) -> None:
    with world.ini.open("a", encoding="utf-8") as file:
        file.write("\n[retention]\ncalls = 30\ntruncate_numbers = 60\n")
        file.write("\n[budget:all]\namount = 5.00\n")
    said = world.run("check-config").err + world.run("check-config").out
    for text in (
        "budgets of a month look at calls",
        "does nothing: after 30 days the calls are gone",
        "the archive keeps files with whole numbers for ever",
        "rejected rows keep their text",
        "calls cannot be rated again after 30 days",
    ):
        assert text in said


# --- somebody becomes nobody ----------------------------------------------------------------------


def everything() -> str:
    """Return all that is stored, as one text."""
    found = []
    for table in database.obj.get_tables():
        for row in database.obj.execute_sql(f'SELECT * FROM "{table}"').fetchall():
            found += [
                one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)
                for one in row
            ]
    return "\n".join(found).casefold()


def places(rows: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Return the keys of where each call of a list belongs."""
    names = ("department", "cost_center", "office_location")
    return {row["id"]: tuple(name_key(row[name] or "") for name in names) for row in rows}


def test_somebody_becomes_nobody(world: World) -> None:
    rebuild(ROME, world.bed.now, 1000)
    Reject.create(file=File.get().id, line=9, reason="?", raw=b'1,"anna",2', retryable=True)
    File.update(rejected=1, read=5).execute()
    before = world.json("report", "by-department", *WHOLE)
    calls = world.json("report", "calls", *WHOLE)["rows"]
    assert "anna" in everything()
    party = Party.get(Party.username == "anna")
    preview = world.json("person", "anonymise", "anna", "--dry-run")
    assert (preview["rows"], preview["assignments"]) == (3, 2)
    assert Party.get_by_id(party.id).username == "anna"
    assert fields_are_summed()
    ran = world.run("person", "anonymise", "anna", "--yes")
    assert (ran.code, "1 files of the archive" in ran.err) == (0, True)
    assert not fields_are_summed()
    after = world.json("report", "by-department", *WHOLE)
    assert (after["rows"], after["totals"]) == (before["rows"], before["totals"])
    # In a list as well the calls keep where they belong.
    listed = world.json("report", "calls", *WHOLE)["rows"]
    assert places(listed) == places(calls)
    assert sum(row["person"] is None for row in listed) == 3
    assert "anna" not in everything()
    said = Party.get_by_id(party.id)
    assert (said.source, said.external_id, said.enabled) == ("anonymised", str(party.id), False)
    assert not Assignment.select().where(Assignment.party == party).exists()
    rows = list(Call.select().where(Call.party_id == 0))
    assert [(row.line_id, row.profile_id) for row in rows] == [(0, 0)] * 3
    assert world.run("db", "verify").code == 0
    # Rating, reprocessing and the file once more leave them alone.
    assert world.run("reprocess", "--from", "2026-05-01", "--to", "2026-10-01", "--yes").code == 0
    change_price(world.bed, "0.60")
    rerate(world.bed, Wanted(START - DAY))
    assert Call.select().where(Call.party_id == 0).count() == 3
    assert "anna" not in everything()
    refused = world.run("person", "anonymise", f"#{party.id}", "--yes")
    assert (refused.code, "nobody already" in refused.err) == (1, True)


DIRECTORY = """
[directory:corp]
type = csv
file = people.csv
id = id
grace = 0 days

[map:corp]
username = user
display_name = name
first_extension = extension
bill_first_extension = "yes"
"""


def test_no_sync_knows_them_again(world: World) -> None:
    with world.ini.open("a", encoding="utf-8") as file:
        file.write(DIRECTORY)
    people = world.ini.with_name("people.csv")
    people.write_text("id,user,name,extension\n7,carla,Carla Rosa,2003\n", encoding="utf-8")
    assert world.run("sync").code == 0
    world.bed.ingest(leg(40, 41, 42, "2003", OUTSIDE, at=56 * DAY, talk=60))
    party = Party.get(Party.username == "carla")
    refused = world.run("person", "anonymise", "carla", "--yes")
    assert (refused.code, "still in the directory corp" in refused.err) == (1, True)
    assert world.run("person", "anonymise", "carla", "--yes", "--although-present").code == 0
    world.bed.now += DAY
    for _ in range(2):
        assert world.run("sync").code == 0
        again = Party.get(Party.username == "carla")
        assert (again.id != party.id, again.external_id) == (True, "7")
        assert Party.get_by_id(party.id).username == ""
        assert Call.get(Call.started_at == START + 56 * DAY).party_id == 0
    rebuild(ROME, world.bed.now, 1000)
    assert verify(ROME) == []


def test_a_month_that_is_open_and_over_needs_its_people(world: World) -> None:
    anonymise = ("person", "anonymise", "anna", "--yes")
    with world.ini.open("a", encoding="utf-8") as file:
        file.write("\n[flat-charge:line]\namount = 7.00\n")
        file.write("\n[allowance:cent]\namount = 0.01\nper = person\n")
    booked = (
        "report",
        "by-department",
        "--by",
        "posting",
        "--from",
        "2026-05-01",
        "--to",
        "2026-07-01",
    )
    refused = world.run(*anonymise)
    assert (refused.code, "2026-05, 2026-06: allowances" in refused.err) == (1, True)
    assert "syncd period close 2026-06" in refused.err
    assert Call.select().where(Call.party_id == Party.get(Party.username == "anna").id).exists()
    rebuild(ROME, world.bed.now, 1000)
    assert world.run("period", "close", "2026-06", "--yes").code == 0
    before = world.json(*booked)
    # Two months of two lines, and a call of May.
    assert float(before["totals"]["cost"]) > 28
    assert world.run(*anonymise).code == 0
    rebuild(ROME, world.bed.now, 1000)
    assert world.json(*booked) == before
    assert verify(ROME) == []
    allowance, _ = json.loads(world.run("period", "show", "2026-05", "--json").out)
    assert (allowance["whose"], allowance["cost"]) == ("#1", "-0.01")


def test_an_open_month_is_worked_out_without_who_is_nobody_when_that_is_said(world: World) -> None:
    with world.ini.open("a", encoding="utf-8") as file:
        file.write("\n[flat-charge:line]\namount = 7.00\n")
    assert world.json("person", "anonymise", "anna", "--dry-run", "--although-open")[
        "open_months"
    ] == ["2026-05", "2026-06"]
    assert world.run("person", "anonymise", "anna", "--yes", "--although-open").code == 0
    (flat,) = json.loads(world.run("period", "show", "2026-06", "--json").out)
    assert flat["cost"] == "7.00"


def test_an_interrupted_run_is_finished_by_the_next(world: World, monkeypatch: Any) -> None:
    def fails(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(anonymising.store, "scrub", fails)
    assert world.run("person", "anonymise", "anna", "--yes").code != 0
    monkeypatch.undo()
    assert MaintenanceRun.select().where(MaintenanceRun.state == "running").count() == 1
    settings = replace(load_settings(world.ini), state_directory=world.bed.context.state_directory)
    from syncd.application import anonymising as application

    assert application.resume(Application(settings, database.obj, command="test")) == 1
    assert "anna" not in everything()


def test_a_call_of_somebody_else_keeps_whom_it_called(world: World) -> None:
    world.run("person", "anonymise", "anna", "--yes")
    with write_transaction():
        row = Call.get((Call.party_id != 0) & (Call.started_at == START + DAY))
    assert row.other_number == "2001"
    assert json.loads(world.run("report", "calls", *WHOLE, "--json").out)["totals"]["rows"] == 5


def test_the_horizon_is_a_local_day(world: World, kept: Callable[..., Application]) -> None:
    gone(kept(calls=59))
    assert seal().start == Days(ROME).start(seal().day)
    assert seal().day == 20260529
    assert isinstance(world.bed, Bed)


def test_a_bill_of_days_that_are_gone_is_not_compared(
    world: World, kept: Callable[..., Application]
) -> None:
    with world.ini.open("a", encoding="utf-8") as file:
        file.write("\n[invoice:telco]\nsite = hq\nprice = price\nnumber = number\n")
        file.write("start = time\nduration = duration\n")
    bill = world.ini.with_name("bill.csv")
    bill.write_text(
        "number,time,duration,price\n+39612345678,2026-05-28 22:26:45,60,0.40\n", encoding="utf-8"
    )
    before = world.run("invoice", "check", str(bill), "--carrier", "telco")
    assert "gone" not in before.err
    gone(kept(truncate_numbers=30))
    after = world.run("invoice", "check", str(bill), "--carrier", "telco")
    assert "have no whole number any more" in after.err
    assert after.code == 1
