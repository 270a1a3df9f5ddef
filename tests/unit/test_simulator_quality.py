"""The simulator's call quality files are those of a cluster, and speak of its records."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from syncd.cdr.drivers.cucm import cucm
from syncd.cdr.gaps import Arrival, parse_name, survey
from syncd.cdr.quality import cmr
from syncd.demo.cmr_writer import format_quality_row
from syncd.demo.cucm_writer import Summary, write_files
from syncd.demo.people import build_company
from syncd.domain.leg import Exclusion, Reject
from syncd.domain.quality import Quality

SAMPLE = (
    Path(__file__).parents[1] / "fixtures" / "cucm15" / "cmr_StandAloneCluster_01_202604021200_1"
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return write_files(
        tmp_path_factory.mktemp("quality"),
        build_company(60, seed=3),
        seed=3,
        calls=300,
        start=date(2026, 3, 2),
        rows_per_file=100,
        quality=True,
    )


def measurements(written: Summary) -> list[Quality]:
    found = []
    for path in written.quality_files:
        for _, item in cmr.rows(io.BytesIO(path.read_bytes())):
            assert isinstance(item, Quality), item
            found.append(item)
    return found


def test_files_look_like_those_of_a_cluster(written: Summary) -> None:
    real = SAMPLE.read_text().splitlines()
    for path in written.quality_files:
        lines = path.read_text().splitlines()
        assert lines[:2] == real[:2]
        assert parse_name(path.name) is not None
        for line in lines[2:]:
            cells = next(csv.reader([line]))
            assert len(cells) == 48
    names = [parse_name(path.name) for path in (*written.quality_files, *written.files)]
    assert survey(Arrival(name, 0) for name in names if name).gaps == ()


def test_the_sample_is_written_back_as_it_was() -> None:
    header, types, *rows = SAMPLE.read_text().splitlines()
    names = next(csv.reader([header]))
    for line in rows:
        row = dict(zip(names, next(csv.reader([line])), strict=True))
        assert format_quality_row(row) == line
    assert types.count(",") == len(names) - 1


def test_every_connected_end_is_measured_once(written: Summary) -> None:
    ends: Counter[tuple[int, int, int]] = Counter()
    for path in written.files:
        for _, item in cucm.rows(io.BytesIO(path.read_bytes()), path.name):
            assert not isinstance(item, Reject)
            leg = item.leg if isinstance(item, Exclusion) else item
            if leg.connected_at:
                for end, device in (
                    (leg.orig_leg, leg.orig_device),
                    (leg.dest_leg, leg.dest_device),
                ):
                    if end and device:
                        ends[leg.call_ref, end, leg.ended_at] += 1
    found = measurements(written)
    assert Counter((one.call_ref, one.leg, one.ended_at) for one in found) == ends
    assert len(found) == written.measurements > 300
    assert len({one.key for one in found}) == len(found)


def test_what_is_measured_can_be(written: Summary) -> None:
    for one in measurements(written):
        assert one.packets_lost >= 0
        assert one.score is None or 10_000 <= one.score <= 45_000
        assert one.concealment is None or one.concealment <= 10_000
        assert (one.concealed_seconds or 0) <= one.duration
        assert bool(one.metrics) == bool(re.match("SEP|ATA", one.device))


def test_the_same_seed_gives_the_same_files(written: Summary, tmp_path: Path) -> None:
    again = write_files(
        tmp_path,
        build_company(60, seed=3),
        seed=3,
        calls=300,
        start=date(2026, 3, 2),
        rows_per_file=100,
    )
    assert again.quality_files == ()
    # Quality is made beside the calls and changes none of them.
    assert [path.read_bytes() for path in again.files] == [
        path.read_bytes() for path in written.files
    ]
    whole = write_files(
        tmp_path / "with",
        build_company(60, seed=3),
        seed=3,
        calls=300,
        start=date(2026, 3, 2),
        rows_per_file=100,
        quality=True,
    )
    assert [path.read_bytes() for path in whole.quality_files] == [
        path.read_bytes() for path in written.quality_files
    ]
