from __future__ import annotations

import io
import json
import logging
import os
import pty
import re
from pathlib import Path

import pytest
import structlog

from syncd.observe.logs import configure, under_journal
from syncd.observe.metrics import Metrics


def test_json_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    configure("info", stream)
    structlog.get_logger().info("file_ingested", rows=3, name="città")
    structlog.get_logger().debug("file_seen")
    (line,) = stream.getvalue().splitlines()
    event = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", event.pop("timestamp"))
    assert event == {"event": "file_ingested", "rows": 3, "name": "città", "level": "info"}


def test_exceptions_stay_on_one_line() -> None:
    stream = io.StringIO()
    configure("info", stream)
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("sync_failed")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: broken" in json.loads(line)["exception"]


def test_journal_gets_priorities_and_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "journal").open("w+", encoding="utf-8") as stream:
        status = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        configure("debug", stream)
        log = structlog.get_logger()
        log.debug("a")
        log.info("b")
        log.warning("c")
        log.error("d")
        stream.flush()
        stream.seek(0)
        lines = stream.read().splitlines()
    assert [line[:3] for line in lines] == ["<7>", "<6>", "<4>", "<3>"]
    assert json.loads(lines[1][3:]) == {"event": "b", "level": "info"}


def test_another_stream_is_not_the_journal(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        status = os.fstat(stream.fileno())
        assert under_journal(stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        assert not under_journal(stream, {"JOURNAL_STREAM": f"{status.st_dev}:1"})
        assert not under_journal(stream, {})
    assert not under_journal(io.StringIO(), {"JOURNAL_STREAM": "1:2"})


@pytest.mark.parametrize("colours", [True, False])
def test_colours_on_a_terminal(monkeypatch: pytest.MonkeyPatch, colours: bool) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if not colours:
        monkeypatch.setenv("NO_COLOR", "1")
    master, slave = pty.openpty()
    try:
        with os.fdopen(slave, "w", encoding="utf-8") as stream:
            configure("info", stream)
            structlog.get_logger().info("file_ingested", rows=3)
            stream.flush()
            text = os.read(master, 4096).decode()
    finally:
        os.close(master)
    assert "file_ingested" in text
    assert ("\x1b[" in text) is colours


def test_a_traceback_on_a_terminal_shows_no_values() -> None:
    master, slave = pty.openpty()
    try:
        with os.fdopen(slave, "w", encoding="utf-8") as stream:
            configure("info", stream)
            password = "".join(("hunt", "er2"))
            try:
                raise ValueError(f"{len(password)} characters were refused")
            except ValueError:
                structlog.get_logger().exception("sync_failed")
            stream.flush()
            text = os.read(master, 65536).decode()
    finally:
        os.close(master)
    assert "7 characters were refused" in text
    assert "hunter2" not in text


def test_libraries_log_the_same_way_but_only_warnings() -> None:
    stream = io.StringIO()
    configure("info", stream)
    logging.getLogger("library").info("chatter")
    logging.getLogger("library").warning("trouble with %s", "it")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["event"] == "trouble with it"
    assert json.loads(line)["level"] == "warning"


def test_statements_with_the_names_of_people_are_no_events() -> None:
    stream = io.StringIO()
    configure("debug", stream)
    logging.getLogger("peewee").debug("INSERT INTO party VALUES ('anna')")
    assert stream.getvalue() == ""


def test_metrics() -> None:
    metrics = Metrics()
    metrics.add_records("hq", "stored", 3)
    metrics.add_records("hq", "stored", 4)
    metrics.add_files("hq", "done")
    metrics.add_calls(5)
    metrics.job_ended("sync-corp", 0.5, 1_700_000_000)
    metrics.job_ended("sync-corp", 2.0, None)
    metrics.job_failed("sync-corp")
    metrics.job_skipped("sync-corp")
    metrics.set_spool("hq", 2, 60)
    metrics.set_unrated(7)
    metrics.set_slots("used", 9)
    body, content_type = metrics.exposition()
    assert content_type.startswith("text/plain")
    lines = body.decode().splitlines()
    for line in (
        'syncd_records_total{outcome="stored",source="hq"} 7.0',
        'syncd_files_total{source="hq",state="done"} 1.0',
        "syncd_calls_total 5.0",
        'syncd_job_last_success_timestamp_seconds{job="sync-corp"} 1.7e+09',
        'syncd_job_seconds{job="sync-corp"} 2.0',
        'syncd_job_failures_total{job="sync-corp"} 1.0',
        'syncd_job_skips_total{job="sync-corp"} 1.0',
        'syncd_spool_files{source="hq"} 2.0',
        'syncd_spool_oldest_file_seconds{source="hq"} 60.0',
        "syncd_unrated_calls 7.0",
        'syncd_licence_slots{state="used"} 9.0',
    ):
        assert line in lines
    assert any(line.startswith("syncd_build_info{version=") for line in lines)


def test_two_registries_do_not_meet() -> None:
    first, second = Metrics(), Metrics()
    first.add_calls(1)
    assert "syncd_calls_total 0.0" in second.exposition()[0].decode()
