from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_rendered_files_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "tools/render.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_sample_names_files_that_exist() -> None:
    sample = (ROOT / "config/syncd.ini").read_text(encoding="utf-8")
    assert "tariffs/example.csv from" in sample
    assert (ROOT / "config/tariffs/example.csv").is_file()


def test_rates_of_the_example_are_rows_of_its_header() -> None:
    lines = (ROOT / "config/tariffs/example.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == (
        "prefix,destination,class,connection_fee,price,unit_seconds,initial_seconds,"
        "increment_seconds,minimum_charge"
    )
    assert {line.count(",") for line in lines} == {8}
