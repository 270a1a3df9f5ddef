"""Reports as files: every format has the rows and totals that JSON has, and files appear whole."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from syncd.cli.main import main
from syncd.cli.report_output import new_file
from syncd.domain.errors import UserError
from syncd.reports.render import paper
from syncd.settings.load import load
from syncd.store.database import open_database
from syncd.store.rollups import ensure_zone
from tests.generated_company import ROME, Company
from tests.support.read_outputs import read_html, read_pdf, read_xlsx, squeezed

PERIOD = ("--from", "2000-01-01", "--to", "2100-01-01")


@pytest.fixture(scope="module")
def ini(tmp_path_factory: Any) -> Iterator[Path]:
    path: Path = tmp_path_factory.mktemp("files") / "syncd.ini"
    path.write_text("[syncd]\ntimezone = Europe/Rome\ncurrency = EUR\n", encoding="utf-8")
    settings = load(path)
    database = open_database(settings.database_url, settings.state_directory)
    Company(seed=12, people=10, conversations=60)
    ensure_zone(ROME)
    database.close()
    yield path


def asked(ini: Path, *arguments: str) -> int:
    return main(["--config", str(ini), "report", *arguments])


def as_json(ini: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert asked(ini, *arguments, *PERIOD, "--json") == 0
    return json.loads(capsys.readouterr().out)


def hms(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


@pytest.mark.parametrize("viewer", [(), ("--as", "User1")])
@pytest.mark.parametrize("report", ["by-department", "by-line", "calls", "by-day"])
def test_every_format_has_the_rows_and_totals_of_json(
    ini: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    report: str,
    viewer: tuple[str, ...],
) -> None:
    columns = (
        ("--columns", "started_at,line_id,other_number,duration,cost") if report == "calls" else ()
    )
    wanted = as_json(ini, capsys, report, *viewer, *columns)
    monkeypatch.setattr(paper, "SYSTEM_FONTS", ())
    for ending in ("csv", "xlsx", "html", "pdf"):
        file = tmp_path / f"x.{ending}"
        assert asked(ini, report, *viewer, *columns, *PERIOD, "--output", str(file)) == 0
    rows = [list(row.values()) for row in wanted["rows"]]
    names = list(wanted["rows"][0]) if rows else []
    csv_text = (tmp_path / "x.csv").read_text(encoding="utf-8")
    _, *lines = csv.reader(io.StringIO(csv_text))
    assert [[cell.removeprefix("'") for cell in line] for line in lines] == [
        ["" if value is None else str(value).removeprefix("'") for value in row] for row in rows
    ]
    absent = "" if report == "calls" else "unassigned"
    people = [
        [
            (absent if name not in ("cost", "duration") else "")
            if value is None
            else hms(value)
            if name == "duration"
            else value[:19].replace("T", " ")
            if name == "started_at"
            else str(value)
            for name, value in row.items()
        ]
        for row in wanted["rows"]
    ]
    page = read_html((tmp_path / "x.html").read_bytes())
    assert page.rows == people
    totals = {name: wanted["totals"][name] for name in names if name in wanted["totals"]}
    assert page.total[1:] == [
        "" if name not in totals else hms(totals[name]) if name == "duration" else str(totals[name])
        for name in names[1:]
    ]
    sheet = next(iter(read_xlsx((tmp_path / "x.xlsx").read_bytes()).values()))
    assert len(sheet) == len(rows) + 2
    for line, row in zip(sheet[1:-1], wanted["rows"], strict=True):
        for cell, (name, value) in zip(line, row.items(), strict=True):
            if name == "cost" and value is not None:
                assert cell == Decimal(value)
            elif name == "duration":
                assert cell == value
            elif name not in ("started_at", "day") and value is not None:
                assert str(cell) == str(value)
    assert sheet[-1][-1] == Decimal(wanted["totals"]["cost"])
    text = squeezed("".join(read_pdf((tmp_path / "x.pdf").read_bytes())))
    place = 0
    for line in people:
        # Wide letters are in none of the fonts that come along.
        wide = re.sub("[\u2e80-\uffff]", "\ufffd", squeezed("".join(line)))
        place = text.index(wide, place)


def test_standard_output_takes_bytes(ini: Path) -> None:
    command = [sys.executable, "-m", "syncd", "--config", str(ini), "report", "by-day"]
    for form, beginning in (("xlsx", b"PK"), ("pdf", b"%PDF"), ("html", b"<!DOCTYPE html>")):
        for output in ([], ["--output", "-"])[: 2 if form == "pdf" else 1]:
            done = subprocess.run([*command, "--format", form, *output], capture_output=True)
            assert done.returncode == 0, done.stderr
            assert done.stdout.startswith(beginning)


def test_who_stops_reading_gets_no_traceback(ini: Path) -> None:
    command = f"{sys.executable} -m syncd --config {ini} report by-line --format xlsx | head -c 2"
    done = subprocess.run(["sh", "-c", command], capture_output=True)
    assert (done.stdout, done.stderr) == (b"PK", b"")


def test_a_folder_gets_a_file_named_after_report_and_days(ini: Path, tmp_path: Path) -> None:
    arguments = ["calls", *PERIOD, "--filter", "other_number=+39061"]
    assert asked(ini, *arguments, "--format", "csv", "--output", str(tmp_path)) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["calls_2000-01-01_2100-01-01.csv"]


def test_a_file_has_the_mode_of_the_umask_and_no_rest_beside_it(ini: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.html"
    file.write_text("older")
    before = os.umask(0o027)
    try:
        assert asked(ini, "by-day", *PERIOD, "--output", str(file)) == 0
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert list(tmp_path.iterdir()) == [file]


def test_what_fails_on_the_way_leaves_the_older_file(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("older")
    with pytest.raises(ZeroDivisionError), new_file(file) as stream:
        stream.write(b"half")
        raise ZeroDivisionError
    with pytest.raises(UserError, match="No space left"), new_file(file) as stream:
        raise OSError(28, "No space left on device")
    assert file.read_text() == "older"
    assert list(tmp_path.iterdir()) == [file]


def test_a_pipe_is_written_to(ini: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "x.json"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        assert asked(ini, "by-day", *PERIOD, "--output", str(pipe)) == 0
        content, _ = reader.communicate()
    assert json.loads(content)["report"] == "by-day"
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--output", "x.doc"], 2, "the name does not say what the file is to be"),
        (["--output", "/nowhere/x.csv"], 1, "cannot be written: No such file"),
        (["--delimiter", "pipe"], 2, "invalid choice: 'pipe'"),
    ],
)
def test_mistakes_are_told(
    ini: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    try:
        found = asked(ini, "by-day", *arguments)
    except SystemExit as stopped:
        found = int(stopped.code or 0)
    assert (found, said in capsys.readouterr().err) == (code, True)


def test_a_terminal_gets_no_bytes(
    ini: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert asked(ini, "by-day", "--format", "xlsx") == 2
    output = capsys.readouterr()
    assert (output.out, "a terminal cannot show xlsx" in output.err) == ("", True)


def test_options_of_csv_title_and_chart(
    ini: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.csv"
    european = ("--bom", "--delimiter", "semicolon", "--decimal", "comma")
    assert asked(ini, "by-department", *PERIOD, *european, "--output", str(file)) == 0
    content = file.read_text(encoding="utf-8")
    assert content.startswith("\ufeffdepartment;calls;")
    assert "," in content.splitlines()[1] and "." not in content.splitlines()[1]
    page = tmp_path / "x.html"
    assert asked(ini, "by-day", *PERIOD, "--title", "Costs <of> days", "--output", str(page)) == 0
    assert "<title>Costs &lt;of&gt; days</title>" in page.read_text(encoding="utf-8")
    capsys.readouterr()
    assert asked(ini, "by-department", *PERIOD, "--chart") == 0
    assert "█" in capsys.readouterr().out


def test_styles_and_logo_of_the_settings(
    ini: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = ini.with_name("other.ini")
    options = "\n[reports]\nnumbers = 1.234,56\ndays = dd.mm.yyyy\nlogo = none.png\n"
    other.write_text(ini.read_text(encoding="utf-8") + options, encoding="utf-8")
    assert asked(other, "by-day", *PERIOD) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[2][2] == "." and table[2][5] == "."
    assert "," in table[2].split()[-1]
    assert asked(other, "by-day", *PERIOD, "--output", str(tmp_path / "x.pdf")) == 1
    assert "none.png: No such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
