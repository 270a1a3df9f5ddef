"""The daemon as a process: what it tells the service manager, and how it takes signals."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from syncd.demo.company import CompanyFiles
from syncd.demo.cucm_writer import Summary, write_files
from syncd.demo.people import Company
from tests.system.daemon_process import Daemon, syncd, syncd_json

Start = Callable[[Path], Daemon]


def drop(
    files: CompanyFiles, company: Company, seed: int, calls: int = 20, rows_per_file: int = 1000
) -> Summary:
    """Simulate calls and drop their files."""
    return write_files(
        files.drop,
        company,
        seed=seed,
        calls=calls,
        start=date(2026, 3, 2),
        days=5,
        rows_per_file=rows_per_file,
    )


def changed(files: CompanyFiles, old: str, new: str) -> None:
    text = files.ini.read_text()
    assert old in text
    files.ini.write_text(text.replace(old, new))


def test_from_start_to_stop(files: CompanyFiles, company: Company, start: Start) -> None:
    summary = drop(files, company, seed=1)
    daemon = start(files.ini)
    daemon.ready()
    assert daemon.messages[0].startswith("READY=1\nSTATUS=0/1 directories synced")
    done = daemon.event("file_ingested", file=summary.files[0].name)
    assert done["read"] == summary.records
    daemon.message(f"1/1 directories synced; 1/1 folders read; 1 files; {summary.records} records")
    daemon.message("WATCHDOG=1")
    # People come first: otherwise the first calls would find nobody.
    names = [event["event"] for event in daemon.events]
    assert names.index("sync_finished") < names.index("file_ingested")

    assert daemon.terminate() == 0
    assert daemon.messages[-1].startswith("STOPPING=1")
    assert daemon.events[-1]["event"] == "daemon_stopped"
    assert not (files.ini.parent / "state" / "daemon.address").exists()
    assert list(files.drop.iterdir()) == []
    [row] = syncd_json(files.ini, "files")
    assert (row["state"], row["read"]) == ("done", summary.records)


def test_pages(files: CompanyFiles, company: Company, start: Start) -> None:
    summary = drop(files, company, seed=1)
    daemon = start(files.ini)
    daemon.event("file_ingested")
    daemon.event("roll_up_finished")
    daemon.message("1/1 folders read")
    assert daemon.get("/healthz") == (200, "alive\n")
    status, text = daemon.get("/readyz")
    assert status == 200, text
    assert set(json.loads(text)["units"]) == {"sync corp", "ingest hq", "roll-up"}
    status, text = daemon.get("/metrics")
    assert status == 200
    assert 'syncd_files_total{source="hq",state="done"} 1.0' in text
    assert 'syncd_job_last_success_timestamp_seconds{job="sync corp"}' in text
    stored = [line for line in text.splitlines() if line.startswith("syncd_records_total{")]
    assert sum(float(line.split()[-1]) for line in stored) == summary.records
    assert daemon.get("/")[0] == 404


def test_second_instance_names_the_first(files: CompanyFiles, start: Start) -> None:
    daemon = start(files.ini)
    daemon.ready()
    second = syncd(files.ini, "run")
    assert second.returncode == 75
    assert f"process {daemon.process.pid} (syncd run)" in second.stderr


def test_verbs_work_beside_the_daemon(files: CompanyFiles, start: Start) -> None:
    daemon = start(files.ini)
    daemon.event("sync_finished")
    [run] = syncd_json(files.ini, "sync")
    assert run["outcome"] == "unchanged"
    [run] = syncd_json(files.ini, "ingest")
    assert run["error"] is None
    assert daemon.process.poll() is None


def test_the_zone_of_days_changes_while_no_daemon_works(files: CompanyFiles, start: Start) -> None:
    """Beside one whose days are others a verb would mark days that are none of its."""
    daemon = start(files.ini)
    daemon.event("sync_finished")
    changed(
        files,
        "[syncd]\nstate_directory = state\ntimezone = Europe/Rome",
        "[syncd]\nstate_directory = state\ntimezone = Asia/Kolkata",
    )
    refused = syncd(files.ini, "ingest")
    assert refused.returncode == 75
    assert f"process {daemon.process.pid}" in refused.stderr
    assert (
        "works in the time zone Europe/Rome, and [syncd] timezone is Asia/Kolkata" in refused.stderr
    )
    assert syncd(files.ini, "report", "by-month").returncode == 0
    daemon.process.kill()
    daemon.end()
    # What a killed one leaves, a file or a row, is no daemon.
    daemon.wait("it is known to be gone", lambda: syncd(files.ini, "ingest").returncode == 0)
    start(files.ini).event("sync_finished")


def test_reload_takes_everything(files: CompanyFiles, company: Company, start: Start) -> None:
    daemon = start(files.ini)
    daemon.event("sync_finished")
    branch = files.ini.parent / "drop" / "branch"
    branch.mkdir()
    text = files.ini.read_text()
    section = text[text.index("[cdr:hq]") : text.index("[licensing]")]
    files.ini.write_text(text + section.replace("hq]", "branch]").replace("drop/hq", "drop/branch"))
    seen = len(daemon.messages)
    assert daemon.reload() == "configuration_reloaded"
    assert daemon.message("RELOADING=1", seen).split("\n")[1].startswith("MONOTONIC_USEC=")
    write_files(branch, company, seed=2, calls=5, start=date(2026, 3, 2))
    daemon.event("file_ingested", source="branch")


def test_reload_keeps_the_old_when_the_new_is_wrong(
    files: CompanyFiles, company: Company, start: Start
) -> None:
    daemon = start(files.ini)
    daemon.event("sync_finished")
    changed(files, "timezone = Europe/Rome\ncurrency", "timezon = Europe/Rome\ncurrency")
    changed(files, "driver = cucm-partition", "driver = cukm")
    assert daemon.reload() == "configuration_refused"
    refused = daemon.event("configuration_refused")
    said = "\n".join(refused["problems"])
    assert "timezon" in said
    assert "cukm" in said
    drop(files, company, seed=3)
    daemon.event("file_ingested", source="hq")


def test_reload_refuses_a_wrong_rate_deck(files: CompanyFiles, start: Start) -> None:
    daemon = start(files.ini)
    daemon.ready()
    deck = files.tariff.read_text()
    files.tariff.write_text(deck + deck.splitlines()[1] + "\n")
    assert daemon.reload() == "configuration_refused"
    [problem] = daemon.event("configuration_refused")["problems"]
    assert "prefix" in problem


def test_reload_does_not_move_the_database(files: CompanyFiles, start: Start) -> None:
    daemon = start(files.ini)
    daemon.ready()
    changed(files, "state_directory = state", "state_directory = elsewhere")
    assert daemon.reload() == "configuration_refused"
    assert "state_directory" in daemon.event("configuration_refused")["reason"]
    assert not (files.ini.parent / "elsewhere").exists()


def test_reload_moves_the_pages(files: CompanyFiles, start: Start) -> None:
    daemon = start(files.ini)
    daemon.ready()
    (files.ini.parent / "conf.d" / "daemon.ini").write_text("[daemon]\nmetrics = none\n")
    assert daemon.reload() == "configuration_reloaded"
    assert not (files.ini.parent / "state" / "daemon.address").exists()
    (files.ini.parent / "conf.d" / "daemon.ini").write_text("[daemon]\nmetrics = 127.0.0.1:0\n")
    assert daemon.reload() == "configuration_reloaded"
    assert daemon.get("/healthz")[0] == 200


def test_a_failing_directory_ends_nothing(
    files: CompanyFiles, company: Company, start: Start
) -> None:
    syncd_json(files.ini, "sync")
    hidden = files.ldif.rename(files.ldif.with_suffix(".away"))
    files.ldif.write_text("")  # a directory that answers nothing
    drop(files, company, seed=4)
    daemon = start(files.ini)
    failed = daemon.event("sync_failed", source="corp")
    assert failed["exit_code"] == 4
    daemon.event("file_ingested", source="hq")
    daemon.message("failing: sync corp")
    assert daemon.get("/readyz")[0] == 503
    assert daemon.get("/healthz")[0] == 200
    assert 'syncd_job_failures_total{job="sync corp"} 1.0' in daemon.get("/metrics")[1]

    hidden.replace(files.ldif)
    assert daemon.reload() == "configuration_reloaded"
    daemon.event("sync_finished", source="corp")
    daemon.message("1/1 directories synced")
    assert daemon.get("/readyz")[0] == 200


def test_stop_in_the_middle_leaves_no_half_done_file(
    files: CompanyFiles, company: Company, start: Start
) -> None:
    summary = drop(files, company, seed=5, calls=40_000, rows_per_file=1500)
    daemon = start(files.ini)
    daemon.event("file_ingested")
    assert daemon.terminate() == 0
    rows = syncd_json(files.ini, "files")
    taken = [row for row in rows if row["state"] == "done"]
    assert taken
    for row in taken:
        assert row["read"] == row["stored"] + row["not_billed"] + row["excluded"], row
    waiting = {row["name"] for row in rows if row["state"] == "waiting"}
    assert waiting, "the daemon was faster than the signal"
    assert {path.name for path in files.drop.iterdir()} == waiting
    again = syncd(files.ini, "ingest", "--no-settle")
    assert again.returncode == 0, again.stderr
    rows = syncd_json(files.ini, "files")
    assert {row["state"] for row in rows} == {"done"}
    assert sum(row["read"] for row in rows) == summary.records
    assert sum(row["duplicate"] + row["rejected"] for row in rows) == 0


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("currency = EUR", "curency = EUR", 78, "curency"),
        ("first_extension = telephoneNumber", "first_extension = ==", 78, "first_extension"),
        ("tariffs/telco.csv", "tariffs/nothing.csv", 78, "nothing.csv"),
    ],
)
def test_does_not_start_with_a_wrong_configuration(
    files: CompanyFiles, old: str, new: str, code: int, said: str
) -> None:
    changed(files, old, new)
    done = syncd(files.ini, "run")
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_does_not_start_on_an_address_that_is_taken(files: CompanyFiles) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        more = files.ini.parent / "conf.d" / "daemon.ini"
        more.write_text(f"[daemon]\nmetrics = 127.0.0.1:{port}\n")
        done = syncd(files.ini, "run")
    assert done.returncode == 75
    assert "metrics" in done.stderr


def test_a_mount_that_is_late_stops_its_own_intake_only(
    files: CompanyFiles, company: Company, start: Start
) -> None:
    files.drop.rmdir()
    daemon = start(files.ini)
    daemon.ready()
    daemon.event("sync_finished")
    assert "is not a folder" in str(daemon.event("ingest_failed"))
    files.drop.mkdir()
    drop(files, company, seed=4)
    daemon.event("file_ingested", source="hq")
