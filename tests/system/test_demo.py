"""``syncd demo`` as a new user runs it, and what it leaves behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from syncd.cli.main import VERBS, available
from syncd.demo.company import build_company, write_company
from syncd.demo.daemon_process import DaemonProcess, DemonstrationFailed, Verbs
from syncd.demo.stage import Period, Stage, place
from syncd.domain.errors import UserError
from tests.system.daemon_process import LONG, syncd, syncd_json


def run_demo(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "syncd", "demo", *arguments],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
        **more,
    )


def shown_commands(output: str) -> list[str]:
    """Return the command lines that the demonstration printed."""
    return [
        line.removeprefix("  $ ").partition("  #")[0].strip()
        for line in output.splitlines()
        if line.startswith("  $ ")
    ]


def test_demo_keeps_a_company_that_is_right(tmp_path: Path) -> None:
    kept = tmp_path / "company"
    done = run_demo("--keep", str(kept))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    output = done.stdout
    assert "\x1b" not in output

    company = build_company(seed=1)
    people = f"{len(company.people)} people"
    for part in (
        f"read {people} from the directory",
        f"{company.leaver.display_name} left",
        f"{company.mover.display_name} moved from {company.mover.department}",
        "The licence",
        "hunt lines need no slot: HQ.3905, HQ.6100",
        "The files",
        "What to try next",
    ):
        assert part in output, output
    # Three viewers: masked digits, one department, all of them.
    employee, manager, admin = re.findall(r"^(.+), level (?:2|6|10), sees", output, re.MULTILINE)
    assert re.search(rf"^{employee}, level 2", output, re.MULTILINE)
    assert re.search(r"\+39\d+\*{3} ", output)
    assert re.search(r"^Support +\d+", output, re.MULTILINE)
    assert manager != admin

    # The figures that it printed are those of the company that it left.
    ini = kept / "syncd.ini"
    files = syncd_json(ini, "files")
    counters = ("stored", "duplicate", "excluded", "not_billed", "rejected")
    sums = {name: sum(file[name] for file in files) for name in (*counters, "read", "calls")}
    assert {file["state"] for file in files} == {"done"}
    assert sums["read"] == sum(sums[name] for name in counters)
    written = " + ".join(f"{sums[name]:,} {name.replace('_', ' ')}" for name in counters)
    assert f"{sums['read']:,} rows = {written}" in output
    assert sums["rejected"] == 1
    assert sums["duplicate"] > 0
    licence = syncd_json(ini, "licence")
    assert licence["used"] == licence["slots"] == company.slots_needed + 2
    assert licence["waiting"] == len(licence["waiting_lines"]) > 0

    verified = syncd(ini, "db", "verify")
    assert (verified.returncode, verified.stdout) == (0, "")
    assert syncd(ini, "sync", "--check").returncode == 0
    # Nothing of the demonstration's own pace is left.
    assert not (kept / "conf.d").exists()
    assert list((kept / "drop" / "hq").iterdir()) == []
    assert not (kept / "state" / "daemon.address").exists()

    _commands_work(output, ini, tmp_path)


def _commands_work(output: str, ini: Path, place: Path) -> None:
    """Run the command lines that were shown, as they were shown."""
    commands = [line for line in shown_commands(output) if line.startswith("syncd ")]
    reports = [line for line in commands if line.startswith("syncd report ")]
    assert len(reports) == 8
    assert f"export SYNCD_CONFIG={shlex.quote(str(ini))}" in shown_commands(output)
    environment = {**os.environ, "SYNCD_CONFIG": str(ini)}
    verbs = {verb.name for verb in VERBS if available(verb)}
    for line in commands:
        words = shlex.split(line.partition(">")[0])[1:]
        if words == ["run"] or words[0] not in verbs:
            continue
        done = subprocess.run(
            [sys.executable, "-m", "syncd", *words],
            env=environment,
            cwd=place,
            capture_output=True,
            text=True,
            timeout=LONG,
            check=False,
        )
        # The one that shows that level 0 sees nothing.
        refused = done.returncode == 1 and "No billing data" in done.stderr
        assert done.returncode == 0 or refused, f"{line}\n{done.stderr}"
        if line in reports[:4]:
            assert done.stdout in output


def on_terminal(columns: int, environment: dict[str, str]) -> tuple[int, str]:
    """Run the demonstration on a terminal. Returns the exit code and what the terminal got."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "syncd", "demo"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    received = b""
    # Reading from a terminal that everybody else has closed is an error on Linux.
    with contextlib.suppress(OSError):
        while data := os.read(ours, 65536):
            received += data
    os.close(ours)
    return process.wait(LONG), received.decode()


def test_demo_on_a_terminal_fits_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "TERM": "xterm"}
    for name in ("COLUMNS", "NO_COLOR"):
        environment.pop(name, None)
    code, received = on_terminal(100, environment)
    assert code == 0, received
    assert "\x1b[" in received
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", received)
    assert re.search(r"CDR files .*\b(\d+)/\1\b", text)
    assert "Nothing of this is left" in text
    # Remarks and command lines may be longer; tables and what is set in fit.
    lines = [line for line in re.split(r"[\r\n]+", text) if re.match(r"  ?[^ $]", line)]
    assert len(lines) > 40
    assert [line for line in lines if len(line) > 100] == []
    # Names are not broken over lines.
    assert "niccolo.colombo" in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_stops_the_daemon_and_tidies(
    number: signal.Signals, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "syncd", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert process.stdout is not None
    while "syncd run started" not in process.stdout.readline():
        assert process.poll() is None
    [directory] = tmp_path.iterdir()
    pid = int((directory / "state" / "daemon.lock").read_text().split()[0])
    os.kill(pid, 0)
    process.send_signal(number)
    _, errors = process.communicate(timeout=LONG)
    assert process.returncode == 128 + number
    assert "Traceback" not in errors
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    done = run_demo("--keep", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"syncd: {tmp_path} is not empty")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(UserError, match="mine is not a directory"), place(tmp_path / "mine"):
        pass


def test_a_daemon_that_dies_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    ini = tmp_path / "syncd.ini"
    ini.write_text("[syncd]\nstate_directory = state\nfoo = bar\n")
    with (
        DaemonProcess(ini, tmp_path / "log") as daemon,
        pytest.raises(DemonstrationFailed) as failed,
    ):
        daemon.wait("the daemon", daemon.ready)
    assert failed.value.exit_code == 1
    assert "ended by itself with exit code 78" in str(failed.value)
    assert "foo" in str(failed.value)


def test_a_daemon_that_stands_still_is_told_and_stopped(tmp_path: Path) -> None:
    files = write_company(tmp_path, build_company())
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "port.ini").write_text("[daemon]\nmetrics = 127.0.0.1:0\n")
    with DaemonProcess(files.ini, tmp_path / "log", stall_seconds=5.0) as daemon:
        daemon.wait("the daemon", daemon.ready)
        with pytest.raises(DemonstrationFailed, match="nothing moved for 5 s; waited for Godot"):
            daemon.wait("Godot", lambda: False)
        daemon.stop()
    assert daemon.events[-1]["event"] == "daemon_stopped"


def test_a_daemon_that_reports_an_error_is_not_waited_for(tmp_path: Path) -> None:
    files = write_company(tmp_path, build_company())
    files.ldif.unlink()
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "port.ini").write_text("[daemon]\nmetrics = 127.0.0.1:0\n")
    with (
        DaemonProcess(files.ini, tmp_path / "log") as daemon,
        pytest.raises(DemonstrationFailed, match=r"the daemon reports|ended by itself"),
    ):
        daemon.wait("the daemon", daemon.ready)


def test_a_verb_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(DemonstrationFailed, match="syncd files ended with exit code 78: "):
        Verbs(tmp_path / "missing.ini").json("files")


@pytest.mark.parametrize(
    ("today", "first", "days"),
    [("2026-03-01", "2026-02-01", 28), ("2026-01-31", "2025-12-01", 61)],
)
def test_the_calls_fill_the_last_month_and_this_one(
    today: str, first: str, days: int, tmp_path: Path
) -> None:
    period = Period.until(date.fromisoformat(today))
    assert (str(period.first), period.days) == (first, days)
    stage = Stage.build(tmp_path, date.fromisoformat(today))
    # Calls of last year need a tariff that is valid in last year.
    year = first[:4]
    assert f"tariff.{year} = tariffs/telco.csv from {year}-01-01" in stage.files.ini.read_text()


def test_temporary_place_is_private() -> None:
    with place(None) as directory:
        assert directory.parent == Path(tempfile.gettempdir())
        assert directory.stat().st_mode & 0o077 == 0
    assert not directory.exists()
