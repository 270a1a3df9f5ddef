"""Every report of the catalogue, in every format, as each level: it opens or refuses, and all formats
have the same rows."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest

from syncd.cli.main import main
from syncd.demo.cmr_writer import quality_rows
from syncd.demo.cucm_writer import write_quality_file
from syncd.reports.catalogue.standard import catalogue
from syncd.reports.render.outputs import OUTPUTS
from syncd.store.models import database
from tests.support.bed import START
from tests.support.phones import leg
from tests.support.world import World, make_world

PEOPLE = {"zoe": 0, "anna": 2, "carla": 6, "dario": 8, "emil": 10, "": 10}
"""Level by who asks; nobody: the local administrator."""
CUSTOM = {"custom1": "Project"}
REPORTS = catalogue(CUSTOM)


class Ran:
    """What a command gave."""

    def __init__(self, ini: Path, *words: str) -> None:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            self.code = main(["--config", str(ini), *words])
        self.out, self.err = map(_text, (out, err))


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    content = stream.buffer
    assert isinstance(content, io.BytesIO)
    return content.getvalue().decode("utf-8")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("every"), lambda: ("", ""))
    made.ini.write_text(
        made.ini.read_text(encoding="utf-8") + "\n[custom-fields]\ncustom1 = Project\n",
        encoding="utf-8",
    )
    bed = made.bed
    bed.person("dario", "2004", department="Board", level=8)
    bed.person("emil", "2005", department="IT", level=10)
    bed.person("zoe", "2006", department="Sales", level=0)
    queue = {"calledPartyPatternUsage": 7, "huntPilotDN": "5000"}
    calls = [
        leg(1, 1, 2, "2001", "03331234567"),
        leg(2, 3, 4, "2002", "00033112345678", at=60),
        leg(3, 5, 6, "2001", "2002", at=120, talk=2),
        leg(4, 7, 8, "03331234567", "2003", at=180, talk=None, ring=20),
        leg(5, 9, 10, "2003", "03331234567", at=900),
        leg(6, 11, 12, "0612345678", "2001", at=1000, ring=30) | queue,
        leg(7, 13, 14, "0612345678", "2999", at=1100),
        leg(8, 15, 16, "2002", "00012125550123", at=1200, destDeviceName="SIP-NEW"),
    ]
    bed.drop(*calls)
    write_quality_file(bed.folder / "cmr_StandAloneCluster_01_202605282027_9", quality_rows(calls))
    bed.take()
    yield made
    database.close()


def words(report: str, who: str, *more: str) -> list[str]:
    period = ["--period", "2026-05"] if "period" in REPORTS[report].takes else []
    viewer = ["--as", who] if who else []
    return ["report", report, *period, *viewer, *more]


def columns_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("report", REPORTS)
def test_every_report_in_every_format_as_each_level(report: str, world: World) -> None:
    place = list(REPORTS).index(report)
    opened = []
    for who, level in PEOPLE.items():
        ran = Ran(world.ini, *words(report, who, "--json"))
        assert "Traceback" not in ran.err
        if level < max(2, REPORTS[report].level):
            assert (ran.code, ran.out) == (1, "")
            assert ran.err == (
                f"syncd: The report {report} is not available to {who}.\n"
                if level
                else f"syncd: No billing data is available to {who}.\n"
            )
            continue
        assert (ran.code, ran.err) == (0, ""), report
        answer = json.loads(ran.out)
        assert (answer["report"], answer["level"]) == (report, level)
        opened.append((who, answer))
    assert opened
    for turn, output in enumerate(OUTPUTS):
        # Each format as another of those who may open it.
        who, answer = opened[(place + turn) % len(opened)]
        same_rows(report, output, who, answer, world)


def same_rows(report: str, output: str, who: str, answer: Any, world: World) -> None:
    """Compare the file of a format with what JSON has."""
    path = world.ini.parent / f"{report}{OUTPUTS[output].endings[0]}"
    ran = Ran(world.ini, *words(report, who, "--format", output, "--output", str(path)))
    assert ran.code == 0, ran.err
    content = path.read_bytes()
    rows = answer["rows"]
    if report == "access-log":
        return  # each run is one line more
    if output == "json":
        assert json.loads(content) == answer
    elif output == "csv":
        read = columns_of(content.decode("utf-8"))
        assert len(read) == len(rows)
        for cells, row in zip(read, rows, strict=True):
            assert cells.keys() <= row.keys()
            for name, cell in cells.items():
                assert cell.removeprefix("'") == ("" if row[name] is None else str(row[name]))
    elif output == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
        assert sum(sheet.max_row or 0 for sheet in book) > len(rows)
    elif output == "pdf":
        assert len(pypdf.PdfReader(io.BytesIO(content)).pages) > 0
    else:
        text = content.decode("utf-8")
        assert REPORTS[report].heading in text
        assert output == "table" or text.startswith("<!doctype html>".upper()) or "<html" in text


def test_the_list_has_what_the_viewer_may_open(world: World) -> None:
    for who, level in PEOPLE.items():
        ran = Ran(world.ini, "report", "--json", *(["--as", who] if who else []))
        if level < 2:
            assert (ran.code, ran.out) == (1, "")
            continue
        listed = {row["report"]: row for row in json.loads(ran.out)}
        assert listed.keys() == {name for name, entry in REPORTS.items() if entry.level <= level}
        for name, row in listed.items():
            assert (row["level"], row["period"]) == (REPORTS[name].level, REPORTS[name].period)
    shown = Ran(world.ini, "report", "--as", "anna").out
    assert "Missed and answered" in shown and "access-log" not in shown


def test_the_settings_change_who_opens_a_report(world: World) -> None:
    before = world.ini.read_text(encoding="utf-8")
    try:
        more = "\n[report:by-person]\nlevel = 8\n\n[report:trunk-load]\nlevel = 6\n"
        world.ini.write_text(before + more, encoding="utf-8")
        listed = json.loads(Ran(world.ini, "report", "--json", "--as", "carla").out)
        levels = {row["report"]: row["level"] for row in listed}
        assert "by-person" not in levels
        assert levels["trunk-load"] == 6
        assert Ran(world.ini, *words("by-person", "carla")).code == 1
        assert Ran(world.ini, *words("trunk-load", "carla")).code == 0
    finally:
        world.ini.write_text(before, encoding="utf-8")


@pytest.mark.parametrize("report", ["calls", "short-calls", "queues", "charges", "access-log"])
def test_a_report_says_what_it_is(report: str, world: World) -> None:
    described = json.loads(Ran(world.ini, "report", report, "--describe", "--json").out)
    assert described["report"] == report
    assert described["counts"] == REPORTS[report].counting
    assert all(option.startswith("--") for option in described["options"])
    said = Ran(world.ini, "report", report, "--describe")
    assert (said.code, said.err) == (0, "")
    assert REPORTS[report].summary in said.out
    if REPORTS[report].level > 2:
        refused = Ran(world.ini, "report", report, "--describe", "--as", "anna")
        assert (refused.code, refused.out) == (1, "")
        assert refused.err == f"syncd: The report {report} is not available to anna.\n"


def test_short_calls_and_their_option(world: World) -> None:
    def calls() -> int:
        ran = Ran(world.ini, *words("short-calls", "", "--json"))
        return len(json.loads(ran.out)["rows"])

    assert START > 0
    assert calls() == 2
    before = world.ini.read_text(encoding="utf-8")
    try:
        world.ini.write_text(before + "\n[reports]\nshort_call = 1 second\n", encoding="utf-8")
        assert calls() == 0
    finally:
        world.ini.write_text(before, encoding="utf-8")
