"""The systemd units: understood by systemd, hardened, and every hardening line explained."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
PROGRAM = "/opt/syncd/bin/syncd"
Find = Callable[[str], str]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_all_units_are_here() -> None:
    assert SERVICES == ["syncd-backup.service", "syncd.service"]
    assert (UNITS / "syncd-backup.timer").exists()


@pytest.mark.parametrize("name", SERVICES)
def test_exposure_is_at_most_one_and_a_half(server: Find, name: str) -> None:
    done = run(
        server("systemd-analyze"),
        "security",
        "--offline=true",
        "--threshold=15",
        "--no-pager",
        str(UNITS / name),
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_the_gate_can_fail(server: Find, tmp_path: Path) -> None:
    unit = tmp_path / "bare.service"
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    analyze = server("systemd-analyze")
    assert run(analyze, "security", "--offline=true", "--threshold=15", str(unit)).returncode != 0


def test_systemd_understands_every_line(server: Find, tmp_path: Path) -> None:
    copies = []
    for unit in UNITS.glob("*.*"):
        if unit.suffix in (".service", ".timer"):
            copy = tmp_path / unit.name
            # The program need not be installed where the tests run.
            copy.write_text(unit.read_text().replace(PROGRAM, "/bin/true"))
            copies.append(str(copy))
    done = run(server("systemd-analyze"), "verify", "--man=no", *copies)
    assert done.returncode == 0
    assert done.stderr == ""


def test_the_drop_in_of_intake_changes_what_is_run(server: Find, tmp_path: Path) -> None:
    for name in ("syncd.service", "syncd.service.d/intake.conf"):
        copy = tmp_path / name
        copy.parent.mkdir(exist_ok=True)
        copy.write_text((UNITS / name).read_text().replace(PROGRAM, "/bin/true"))
    unit = str(tmp_path / "syncd.service")
    done = run(server("systemd-analyze"), "verify", "--man=no", unit)
    assert (done.returncode, done.stderr) == (0, "")
    lines = (tmp_path / "syncd.service.d" / "intake.conf").read_text().splitlines()
    starts = [line for line in lines if line.startswith("ExecStart=")]
    assert starts[0] == "ExecStart="
    assert starts[1].endswith(" run --roles intake")


def test_accounts_and_folders_are_understood(server: Find, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give folders to an account")
    server("systemd-analyze")  # of the same package as the two below
    (tmp_path / "etc").mkdir()
    for program, arguments, file in (
        ("systemd-sysusers", (), UNITS / "sysusers.d" / "syncd.conf"),
        ("systemd-tmpfiles", ("--create",), UNITS / "tmpfiles.d" / "syncd.conf"),
    ):
        done = run(program, f"--root={tmp_path}", *arguments, str(file))
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "etc/passwd").read_text().startswith("syncd:")
    assert re.search(r"^cdr-drop:x:\d+:syncd$", (tmp_path / "etc/group").read_text(), re.MULTILINE)
    assert (tmp_path / "var/lib/syncd/drop").stat().st_mode & 0o7777 == 0o2770
    assert (tmp_path / "var/backups/syncd").stat().st_mode & 0o7777 == 0o700


def test_a_wrong_configuration_is_not_tried_again() -> None:
    unit = (UNITS / "syncd.service").read_text()
    assert "\nRestartPreventExitStatus=78\n" in unit
    assert "\nType=notify\n" in unit
    assert "\nExecReload=/bin/kill -HUP $MAINPID\n" in unit
    assert re.search(r"^WatchdogSec=\d+$", unit, re.MULTILINE)


def test_hardening_lines_are_explained() -> None:
    """Lines stand in small groups of one meaning, each below a comment."""
    hardening = (UNITS / "syncd.service").read_text().split("# --- Hardening")[1]
    lines = [line for line in hardening.split("[Install]")[0].splitlines()[1:] if line]
    groups: list[int] = []
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("#"):
            continue
        if before.startswith("#"):
            groups.append(0)
        assert groups, f"{line} has no comment"
        groups[-1] += 1
    assert sum(groups) > 25
    assert max(groups) <= 6
