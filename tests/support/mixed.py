"""A small company with a folder of every kind of file: what the sweeps of crashes and faults take.

The directory names three people; the licence has four slots and takes new numbers by itself, so
that calls are withheld. One file was taken before, the others wait.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from syncd.demo.cucm_writer import row, write_cucm_file
from tests.fixtures.worked_examples import EXAMPLES
from tests.support.bed import START
from tests.support.phones import SPLIT, leg, transferred
from tests.support.sweep import Worker

NOW = START + 200 * 86_400
"""The time of every run."""

INI = """\
[syncd]
state_directory = state
timezone = Europe/Rome
currency = EUR

[daemon]
metrics = none
lock_wait = 1 second

[directory:corp]
type = csv
file = people.csv
id = id
schedule = every 15 minutes

[map:corp]
username = id
display_name = name
first_extension = extension
department = department
bill_first_extension = yes

[site:hq]
country = IT
area_code = 06
access_code = 0
timezone = Europe/Rome
internal_numbers = 2XXX 3XXX 6XXX

[trunk:pstn]
site = hq
devices = S0/SU* SIP-PSTN* PJSIP/telco
role = pstn
carrier = telco

[trunk:voicemail]
site = hq
devices = SIP-VM
role = voicemail

[carrier:telco]
tariff.2026 = telco.csv from 2026-01-01
rounding = half-up 4

[cdr:hq]
driver = cucm
folder = drop/hq
site = hq

[cdr:branch]
driver = asterisk
folder = drop/branch
site = hq

[licensing]
slots = 4
automatic_acquisition = yes
"""
MONTH = "2026-06"
MONTHLY = """\

[allowance:minutes]
minutes = 2
per = person
carry_over = yes

[allowance:calls]
calls = 3
per = department

[flat-charge:extension]
amount = 7.50
carrier = telco

[charge-back:ledger]
by = department class
columns = cost_center, department, class, month, amount, currency
file = ledger-{month}.csv
"""
"""What a month has beside its calls."""
DECK = """\
prefix,destination,class,connection_fee,price,unit_seconds,initial_seconds,increment_seconds,minimum_charge
39,Italy,national,0.10,0.30,60,60,1,0.15
393,Italy mobile,mobile,0.15,0.60,60,1,1,0
"""
PEOPLE = """\
id,name,extension,department
anna,Anna Verdi,2001,Sales
bruno,Bruno Neri,2002,Sales
carla,Carla Rosa,2003,Support
"""
ASTERISK = (
    ("2003", "0333111222", "PJSIP/2003-01", "PJSIP/telco-02", "00", "ANSWERED", "17.1"),
    ("0333111222", "2004", "PJSIP/telco-03", "PJSIP/2004-04", "10", "NO ANSWER", "17.2"),
    ("2005", "2001", "PJSIP/2005-05", "PJSIP/2001-06", "20", "ANSWERED", "17.3"),
)
CMR = '"cdrRecordType","globalCallID_callManagerId","globalCallID_callId"\n"INTEGER"\n2,1,1\n'


def write_company(root: Path) -> Path:
    """Write configuration, directory and deck with empty folders; return the INI's path."""
    for folder in ("drop/hq", "drop/branch"):
        (root / folder).mkdir(parents=True)
    (root / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (root / "telco.csv").write_text(DECK, encoding="utf-8")
    ini = root / "syncd.ini"
    ini.write_text(INI, encoding="utf-8")
    return ini


def write_first_file(root: Path) -> None:
    """Write the file that is taken before: the first half of a transfer, and a call."""
    _write(root, "cdr_C_01_202606010000_1", _first_rows(), 1)


def write_files(root: Path) -> None:
    """Write the files that wait."""
    hq = root / "drop" / "hq"
    # Late: the second half of the transfer opens its conversation again.
    second = leg(
        10, 101, 103, "2001", "0333444555", at=100, talk=200, **transferred("2002"), **SPLIT
    )
    _write(root, "cdr_C_01_202606010001_2", [second], 2)
    _write(root, "cdr_C_01_202606010002_3", examples(0, 2), 3)
    _write(root, "cdr_C_01_202606010003_4", examples(1, 2), 4)
    path = _write(root, "cdr_C_02_202606010004_5", busy_rows(), 5)
    damaged = path.read_bytes().splitlines(keepends=True)
    damaged[3:3] = [b'1,2,"cut short\n', damaged[4].replace(b'"2002"', b'"\xff\x00"'), b"\n"]
    _put(hq / "cdr_C_02_202606010005_6", b"".join(damaged), 6)
    _put(hq / "cdr_C_02_copy_of_5", path.read_bytes(), 7)
    _write(root, "cdr_C_01_202606010000_1", _first_rows(), 8)  # sent again
    conflict = leg(200, 300, 301, "2001", "2002", talk=61)
    _write(root, "cdr_C_02_202606010006_7", [conflict], 9)
    _put(hq / "minutes-of-the-meeting", b"Apologies for absence: none.\n", 10)
    _put(hq / "cdr_C_01_empty", b"", 11)
    _put(hq / "cdr_C_01_202606010007_8.gz", gzip.compress(path.read_bytes(), mtime=0), 12)
    _put(hq / "cmr_C_01_202606010007_8", CMR.encode(), 13)
    branch = root / "drop" / "branch"
    first = asterisk_rows("2026-06-01 10")
    _put(branch / "Master.csv", first.encode(), 14)
    again = asterisk_rows("2026-05-31 11") + first
    _put(branch / "Master.csv.1", (again + '"","half a ro').encode(), 15)


def prepare(worker: Worker) -> None:
    """Give a worker the company with its directory read and the files that wait."""
    write_company(worker.company)
    for task, write in (("sync", write_first_file), ("ingest", write_files)):
        done = worker.do(task)
        assert done.code == 0, done
        write(worker.company)
    worker.keep()


def prepare_month(worker: Worker) -> None:
    """Give a worker the company with all files taken, and what a month is to have."""
    prepare(worker)
    worker.put_back()
    with (worker.company / "syncd.ini").open("a", encoding="utf-8") as ini:
        ini.write(MONTHLY)
    done = worker.do("ingest by daemon")
    assert done.code == 0, done
    worker.keep()


def busy_rows() -> list[dict[str, Any]]:
    """Return calls between people, by numbers that nobody has, without a rate, in the future."""
    return [
        *(leg(200 + n, 300 + 2 * n, 301 + 2 * n, "2001", "2002", at=n * 86_400) for n in range(4)),
        # Numbers that nobody has: withheld.
        *(
            leg(220 + n, 400 + 2 * n, 401 + 2 * n, f"21{n:02}", "0612345678", at=n * 3000)
            for n in range(6)
        ),
        # No rate, no such trunk, begins in the future.
        leg(230, 500, 501, "2002", "00442071234567", at=7000),
        leg(231, 502, 503, "2002", "0612345678", at=8000, destDeviceName="SIP-NEW"),
        leg(232, 504, 505, "2001", "2003", at=400 * 86_400),
    ]


def _first_rows() -> list[dict[str, Any]]:
    return [
        leg(10, 101, 102, "2001", "2002", talk=30, **SPLIT),
        leg(11, 110, 111, "2003", "0333999888", at=50),
        # Acquired, and the licence is full: whatever comes later waits, in whatever order it comes.
        leg(12, 112, 113, "2090", "0333999888", at=60),
    ]


def asterisk_rows(hour: str) -> str:
    """Return rows of an hour, written as ``2026-06-01 10``."""
    rows = []
    for source, called, channel, other, minute, disposition, key in ASTERISK:
        answer = f"{hour}:{minute}:05" if disposition == "ANSWERED" else ""
        texts = ("", source, called, "context", "", channel, other, "Dial", "")
        times = (f"{hour}:{minute}:00", answer, f"{hour}:{minute}:45")
        cells = ",".join(f'"{text}"' for text in (*texts, *times))
        seconds = 40 if answer else 0
        rows.append(f'{cells},45,{seconds},"{disposition}","DOCUMENTATION","{key}"\n')
    return "".join(rows)


def examples(part: int, parts: int) -> list[Mapping[str, Any]]:
    """Return some rows of each worked example, a day apart: all begin in one second."""
    found = []
    for day, rows in enumerate(list(EXAMPLES.values())[::3]):
        for columns in rows[part::parts]:
            moved = dict(columns)
            for name in ("dateTimeOrigination", "dateTimeConnect", "dateTimeDisconnect"):
                if moved[name]:
                    moved[name] -= (60 - day) * 86_400
            found.append(moved)
    return found


def _write(root: Path, name: str, rows: Iterable[Mapping[str, Any]], order: int) -> Path:
    path = root / "drop" / "hq" / name
    write_cucm_file(path, [row(**columns) for columns in rows])
    _date(path, order)
    return path


def _put(path: Path, content: bytes, order: int) -> None:
    path.write_bytes(content)
    _date(path, order)


def _date(path: Path, order: int) -> None:
    """Give a file its place: the oldest is taken first."""
    os.utime(path, (START + order, START + order))
