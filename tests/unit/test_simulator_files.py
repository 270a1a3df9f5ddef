"""The simulator's files are in the dialect of the node, and the same again from the same seed."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from pathlib import Path

import pytest

from syncd.demo.company import build_company
from syncd.demo.cucm_columns import COLUMNS, HEADER, NAMES, TYPES
from syncd.demo.cucm_row import address_integer, leg_identifier
from syncd.demo.cucm_writer import format_row, row, write_cucm_file, write_files
from tests.fixtures.worked_examples import EXAMPLES

SAMPLE = Path(__file__).parents[1] / "fixtures/cucm15/cdr_StandAloneCluster_01_202604021200_1"
COMPANY = build_company(30)
START = date(2026, 9, 1)


def rows_of(path: Path) -> list[dict[str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(io.StringIO("\n".join([lines[0], *lines[2:]]))))


def test_header_and_types_are_those_of_a_real_file() -> None:
    header, types, *_ = SAMPLE.read_bytes().split(b"\n")
    assert HEADER.encode() == header
    assert TYPES.encode() == types
    assert len(COLUMNS) == 133


def test_the_sample_is_a_file_that_ends_without_a_newline() -> None:
    assert SAMPLE.read_bytes().endswith(b'"')


def test_a_real_row_is_written_again_byte_for_byte() -> None:
    lines = SAMPLE.read_text(encoding="utf-8").split("\n")
    for line in lines[2:]:
        cells = next(csv.reader([line]))
        columns = {
            name: int(cell) if kind == "INTEGER" else cell
            for (name, kind), cell in zip(COLUMNS, cells, strict=True)
        }
        assert format_row(columns) == line


def test_addresses_and_legs_look_like_the_real_ones() -> None:
    assert address_integer("10.248.64.14") == 239138826
    assert address_integer("192.168.18.188") == -1139627840
    assert leg_identifier(2, 0xDA80C6) == 47874246


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_files(
            tmp_path / name,
            COMPANY,
            seed=seed,
            calls=300,
            start=START,
            rows_per_file=100,
            truth=tmp_path / f"{name}.jsonl",
        )
        files = sorted((tmp_path / name).iterdir())
        truth = (tmp_path / f"{name}.jsonl").read_bytes()
        written.append(([(file.name, file.read_bytes()) for file in files], truth))
    assert written[0] == written[1]
    assert written[0][0] != written[2][0]
    assert written[0][1] != written[2][1]


def test_files_are_cut_named_and_ordered_as_a_node_does(tmp_path: Path) -> None:
    summary = write_files(tmp_path, COMPANY, seed=1, calls=500, start=START, rows_per_file=64)
    assert sorted(summary.files) == sorted(tmp_path.iterdir())
    counts = []
    ends = []
    for sequence, path in enumerate(summary.files, start=1):
        assert re.fullmatch(rf"cdr_StandAloneCluster_01_\d{{12}}_{sequence}", path.name)
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"{HEADER}\n{TYPES}\n")
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        rows = rows_of(path)
        counts.append(len(rows))
        ends += [int(found["dateTimeDisconnect"]) for found in rows]
    assert counts[:-1] == [64] * (len(counts) - 1)
    assert sum(counts) == summary.records > summary.conversations == 500
    assert ends == sorted(ends)
    assert (ends[0], ends[-1]) == (summary.first, summary.last)


def test_every_cell_has_its_column_s_form(tmp_path: Path) -> None:
    summary = write_files(tmp_path, COMPANY, seed=2, calls=400, start=START)
    text = re.compile(r'"(?:[^"]|"")*"')
    number = re.compile(r"-?\d+")
    shape = re.compile(
        ",".join((number if kind == "INTEGER" else text).pattern for _, kind in COLUMNS)
    )
    lengths = [int(kind[8:-1]) if kind.startswith("VARCHAR") else None for _, kind in COLUMNS]
    for path in summary.files:
        for line in path.read_text(encoding="utf-8").splitlines()[2:]:
            assert shape.fullmatch(line)
            for cell, length in zip(next(csv.reader([line])), lengths, strict=True):
                assert length is None or len(cell) <= length


def test_durations_and_keys(tmp_path: Path) -> None:
    summary = write_files(tmp_path, COMPANY, seed=3, calls=400, start=START)
    rows = [found for path in summary.files for found in rows_of(path)]
    assert len({found["pkid"] for found in rows}) == len(rows)
    for found in rows:
        began, connected, ended = (
            int(found[name])
            for name in ("dateTimeOrigination", "dateTimeConnect", "dateTimeDisconnect")
        )
        assert int(found["duration"]) == (ended - connected if connected else 0)
        assert began <= (connected or began) <= ended


def test_truth_is_one_object_a_conversation(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    summary = write_files(tmp_path / "drop", COMPANY, seed=4, calls=200, start=START, truth=truth)
    told = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    assert len(told) == 200
    named = [key for one in told for key in one["records"] + one["excluded_records"]]
    written = [found["pkid"] for path in summary.files for found in rows_of(path)]
    assert sorted(named) == sorted(written)


def test_row_fills_in_what_follows() -> None:
    made = row(
        callingPartyNumber="2001",
        finalCalledPartyNumber="2309",
        finalCalledPartyNumberPartition="HQ",
        destLegIdentifier=102,
        dateTimeConnect=100,
        dateTimeDisconnect=160,
    )
    assert tuple(made) == NAMES
    assert made["duration"] == 60
    assert made["originalCalledPartyNumber"] == made["lastRedirectDn"] == "2309"
    assert made["lastRedirectDnPartition"] == "HQ"
    assert made["destNodeId"] == 1
    assert made["origPrecedenceLevel"] == 4
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(made["pkid"]))


def test_row_refuses_what_is_no_cell() -> None:
    with pytest.raises(KeyError, match="noSuchColumn"):
        row(noSuchColumn=1)
    with pytest.raises(TypeError, match="duration"):
        row(duration="60")
    with pytest.raises(TypeError, match="callingPartyNumber"):
        row(callingPartyNumber=2001)


def test_quotes_in_text_are_doubled(tmp_path: Path) -> None:
    path = write_cucm_file(tmp_path / "cdr", [row(comment='a "b", c', callingPartyNumber="2001")])
    assert rows_of(path)[0]["comment"] == 'a "b", c'


def test_worked_examples_can_be_written(tmp_path: Path) -> None:
    rows = [found for rows in EXAMPLES.values() for found in rows]
    read = rows_of(write_cucm_file(tmp_path / "cdr_StandAloneCluster_01_202609010900_1", rows))
    assert [found["pkid"] for found in read] == [found["pkid"] for found in rows]
    assert len({found["pkid"] for found in read}) == len(rows)
    assert {len(rows) for rows in EXAMPLES.values()} == {1, 2, 3, 5, 6}


def test_the_transfer_example_charges_480_seconds() -> None:
    carried = [
        int(found["duration"])
        for found in EXAMPLES["blind transfer"]
        if 102 in (found["origLegCallIdentifier"], found["destLegIdentifier"])
    ]
    assert carried == [120, 360]
