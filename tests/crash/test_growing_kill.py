"""Kill −9 while a file grows and is rotated: every row is stored once."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

KILLS = 4
INI = """\
[syncd]
timezone = Europe/Rome
currency = EUR
[site:hq]
country = IT
timezone = Europe/Rome
internal_numbers = 3XX
[cdr:branch]
driver = asterisk
folder = drop
site = hq
files = Master.csv
schedule = every 1 second
[daemon]
metrics = none
"""


def row(number: int) -> str:
    at = f"2026-05-28 {number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}"
    return (
        f'"","301","06{number:08}","from-internal","301","PJSIP/301-1","PJSIP/telco-2","Dial","",'
        f'"{at}","{at}","2026-05-29 23:00:00",60,60,"ANSWERED","DOCUMENTATION","17.{number}","","",'
        f'"17.{number}",{number}\n'
    )


class Writer:
    """A telephone system that appends, and a logrotate that rotates in one of two ways."""

    def __init__(self, folder: Path, moments: random.Random, *, copying: bool) -> None:
        self.path = folder / "Master.csv"
        self.moments = moments
        self.copying = copying
        self.written = 0
        self.rotated = 0
        self._rest = ""

    def write(self, count: int) -> None:
        """Append rows; the last one may be cut, and goes on the next time."""
        text = self._rest + "".join(row(self.written + n) for n in range(1, count + 1))
        self.written += count
        cut = len(text) - self.moments.choice((0, 0, 1, 50))
        self._append(text[:cut])
        self._rest = text[cut:]

    def _append(self, text: str) -> None:
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(text)

    def rotate(self) -> None:
        """Rows are whole when the file is rotated, as they are where each is one write."""
        self._append(self._rest)
        self._rest = ""
        self.rotated += 1
        old = self.path.with_name(f"Master.csv.{self.rotated}")
        if self.copying:
            old.write_bytes(self.path.read_bytes())
            os.truncate(self.path, 0)
        else:
            self.path.rename(old)


@pytest.mark.parametrize("copying", [False, True], ids=["renamed", "copied"])
def test_killed_while_a_file_grows(tmp_path: Path, copying: bool) -> None:
    seed = int(os.environ.get("SYNCD_SEED", random.randrange(10**6)))
    print(f"SYNCD_SEED={seed}")  # noqa: T201 - shown when it fails, to do it again
    moments = random.Random(seed)
    (tmp_path / "drop").mkdir()
    ini = tmp_path / "syncd.ini"
    ini.write_text(INI)
    writer = Writer(tmp_path / "drop", moments, copying=copying)
    command = [sys.executable, "-m", "syncd", "--config", str(ini)]
    for _ in range(KILLS):
        daemon = subprocess.Popen(
            [*command, "run"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + moments.uniform(0.6, 1.6)
        while time.monotonic() < until:
            writer.write(moments.randrange(1, 40))
            if moments.random() < 0.1:
                writer.rotate()
            time.sleep(0.03)
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
    writer.rotate()
    assert (
        subprocess.run([*command, "ingest"], check=False, stdout=subprocess.DEVNULL).returncode == 0
    )
    database = sqlite3.connect(tmp_path / "state" / "syncd.db")
    keys = [key for (key,) in database.execute("SELECT key FROM record")]
    read, unlike = database.execute(
        "SELECT sum(read), sum(read != stored + duplicate + excluded + not_billed + rejected)"
        " FROM file"
    ).fetchone()
    rejects = database.execute("SELECT line, reason FROM reject").fetchall()
    database.close()
    assert sorted(keys) == sorted(f"17.{n}:{n}" for n in range(1, writer.written + 1))
    assert (read, unlike, rejects) == (writer.written, 0, [])
