"""Gaps between files and quiet folders: told once, kept in the ledger, shown by the verb."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from syncd.application.composition import Application
from syncd.cdr.arrivals import Arrivals, Watched
from syncd.daemon.results import IngestReport
from syncd.observe.metrics import Metrics
from syncd.settings.load import load
from syncd.store.models import File, database
from tests.support.bed import START, Bed, make_bed
from tests.support.phones import leg
from tests.support.world import World, make_world

HOUR, DAY = 3600, 86_400


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = make_bed(tmp_path)
    made.now = START + HOUR
    yield made
    database.close()


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    yield make_world(tmp_path, lambda: tuple(capsys.readouterr()))
    database.close()


def name(number: int, tag: str = "cdr", node: str = "01", at: int | None = None) -> str:
    """Return the name of a file written so many minutes after START as its number says."""
    moment = datetime.fromtimestamp(START + (number if at is None else at) * 60, UTC)
    return f"{tag}_Main_{node}_{moment:%Y%m%d%H%M}_{number}"


def drop(bed: Bed, *numbers: int) -> None:
    for number in numbers:
        one = leg(number, number * 2, number * 2 + 1, "2001", "2002", at=number)
        bed.drop(one, name=name(number))


class Watch:
    """Polls a bed's folder and watches it, as the application does."""

    def __init__(self, bed: Bed, quiet_after: int = 0) -> None:
        self.bed = bed
        self.arrivals = Arrivals("hq", quiet_after)

    def poll(self, *waiting: str) -> Watched:
        self.arrivals.begin(self.bed.now)
        outcome = self.bed.take()
        return self.arrivals.look(waiting, self.bed.now, came=bool(outcome.files))


def numbers(gaps: Any) -> list[str]:
    return [gap.numbers for gap in gaps]


# --- gaps ----------------------------------------------------------------------------------------


def test_a_gap_is_found_once_and_filled_once(bed: Bed) -> None:
    watch = Watch(bed)
    drop(bed, 1, 2, 6)
    first = watch.poll()
    assert (numbers(first.found), first.missing) == (["3-5"], 3)
    again = watch.poll()
    assert (again.found, numbers(again.gaps)) == ((), ["3-5"])
    drop(bed, 4)
    part = watch.poll()
    assert (part.found, part.filled, numbers(part.gaps)) == ((), (), ["3", "5"])
    drop(bed, 3, 5)
    whole = watch.poll()
    assert (whole.gaps, numbers(whole.filled), whole.missing) == ((), ["3-5"], 0)
    assert watch.poll().filled == ()


def test_a_file_that_waits_in_the_folder_is_not_missing(bed: Bed) -> None:
    watch = Watch(bed)
    drop(bed, 1, 3)
    assert watch.poll(name(2)).gaps == ()
    # Withdrawn before it was taken.
    assert numbers(watch.poll().found) == ["2"]


def test_another_process_knows_what_was_found_before(bed: Bed) -> None:
    drop(bed, 1, 3)
    assert numbers(Watch(bed).poll().found) == ["2"]
    later = Watch(bed)
    known = later.poll()
    assert (known.found, numbers(known.gaps)) == ((), ["2"])
    drop(bed, 5)
    assert numbers(later.poll().found) == ["4"]
    drop(bed, 2)
    assert numbers(later.poll().filled) == ["2"]


def test_the_same_numbers_of_a_new_count_are_news(bed: Bed) -> None:
    watch = Watch(bed)
    drop(bed, *range(1, 5), *range(7, 30))
    assert numbers(watch.poll().found) == ["5-6"]
    for number in (*range(1, 5), *range(7, 9)):
        bed.drop(
            leg(100 + number, 1000 + number, 2000 + number, "2001", "2002"),
            name=name(number, at=50 + number),
        )
    bed.now += HOUR
    assert numbers(watch.poll().found) == ["5-6"]


def test_history_that_is_loaded_is_not_watched(bed: Bed) -> None:
    bed.now = START + 60 * DAY
    watch = Watch(bed)
    drop(bed, 1, 5)
    assert watch.poll() == Watched()


def test_the_file_before_a_long_outage_is_remembered(bed: Bed) -> None:
    watch = Watch(bed)
    drop(bed, 1)
    watch.poll()
    bed.now += 20 * DAY
    bed.drop(leg(9, 18, 19, "2001", "2002"), name=name(4, at=20 * 24 * 60))
    assert numbers(watch.poll().found) == ["2-3"]
    assert numbers(Watch(bed).poll().gaps) == ["2-3"]


# --- quiet folders -------------------------------------------------------------------------------


def test_a_file_that_stays_in_the_folder_for_ever_is_no_gap(bed: Bed) -> None:
    watch = Watch(bed)
    drop(bed, 1, 2, 3, 4)
    assert watch.poll(name(1)).gaps == ()
    bed.now += 30 * DAY
    assert watch.poll(name(1)).gaps == ()


def test_a_folder_falls_quiet_once(bed: Bed) -> None:
    watch = Watch(bed, quiet_after=2 * HOUR)
    assert watch.poll().quiet == 0
    drop(bed, 1)
    assert watch.poll().quiet == 0
    bed.now += 2 * HOUR
    assert watch.poll().quiet == 0
    bed.now += 1
    fell = watch.poll()
    assert (fell.quiet, fell.fell_quiet) == (2 * HOUR + 1, True)
    bed.now += HOUR
    still = watch.poll()
    assert (still.quiet, still.fell_quiet) == (3 * HOUR + 1, False)
    drop(bed, 2)
    assert watch.poll().quiet == 0


def test_a_folder_that_was_quiet_before_the_start_is_quiet(bed: Bed) -> None:
    drop(bed, 1)
    Watch(bed).poll()
    bed.now += 30 * DAY
    assert Watch(bed, quiet_after=DAY).poll().fell_quiet
    assert Watch(bed, quiet_after=0).poll().quiet == 0


# --- daemon --------------------------------------------------------------------------------------


class Log:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def __getattr__(self, level: str) -> Any:
        return lambda event, **fields: self.lines.append((level, event, fields))


def test_the_daemon_says_it_and_counts_it(world: World) -> None:
    world.option("[licensing]", "quiet_after = 1 hour\n\n[licensing]")
    database.close()
    application = Application.open(load(world.ini))
    now = START + HOUR
    application.clock = lambda: now
    metrics, log = Metrics(), Log()

    def poll() -> list[tuple[str, str]]:
        outcome = application.ingest_one("hq", settle=False)
        log.lines.clear()
        IngestReport("hq", outcome).tell(log, metrics, 0.1)
        return [(level, event) for level, event, _ in log.lines]

    def gauge(metric: str) -> float | None:
        return metrics.registry.get_sample_value(metric, {"source": "hq"})

    drop(world.bed, 1, 4)
    assert poll()[0] == ("warning", "files_missing")
    fields = log.lines[0][2]
    assert (fields["node"], fields["numbers"], fields["files"]) == ("01", "2-3", 2)
    assert fields["ask"].startswith("2 files are missing of node 01 of Main: cdr 2-3, written")
    assert gauge("syncd_missing_files") == 2
    assert poll() == [("debug", "ingest_finished")]
    drop(world.bed, 2, 3)
    assert poll()[0] == ("info", "missing_files_came")
    assert gauge("syncd_missing_files") == 0
    now += HOUR + 1
    assert poll()[0] == ("warning", "folder_quiet")
    assert gauge("syncd_folder_quiet_seconds") == HOUR + 1
    assert poll() == [("debug", "ingest_finished")]
    application.close()


# --- the verb ------------------------------------------------------------------------------------


def test_the_verb_shows_what_is_missing_late_and_quiet(world: World) -> None:
    bed = world.bed
    assert world.json("files", "--gaps") == {"gaps": [], "late": [], "quiet": []}
    assert world.run("files", "--gaps", "--check").code == 0
    drop(bed, 1, 2, 100)
    bed.take()
    bed.now += 600
    drop(bed, 50)
    bed.take()
    File.update(taken_at=File.taken_at - bed.now + 1_795_000_000).execute()
    found = world.json("files", "--gaps")
    first, second = found["gaps"]
    assert first == {
        "source": "hq",
        "cluster": "Main",
        "node": "01",
        "tag": "cdr",
        "first": 3,
        "last": 49,
        "files": 47,
        "from": "202605282028",
        "to": "202605282116",
        "windows": [{"from": "202605282028", "to": "202605282116"}],
    }
    assert (second["first"], second["last"]) == (51, 99)
    shutil.copy2(bed.folder.parent / "syncd.ini", bed.folder / name(51))
    assert world.json("files", "--gaps")["gaps"][1]["first"] == 52
    (bed.folder / name(51)).unlink()
    ran = world.run("files", "--gaps")
    assert ran.code == 0
    assert "Missing; the times are those to ask CDRonDemand for, UTC" in ran.out
    assert "202605282028" in ran.out
    assert world.run("files", "--gaps", "--check").code == 3


def test_late_files_and_quiet_folders(world: World) -> None:
    import time

    now = int(time.time())
    for number, age in ((1, 5 * DAY), (3, 5 * DAY), (2, 4 * DAY)):
        File.create(source="hq", name=name(number), sha256="x", state=1, taken_at=now - age)
    found = world.json("files", "--gaps")
    assert found["gaps"] == []
    (late,) = found["late"]
    assert (late["name"], late["seconds"]) == (name(2), DAY)
    (quiet,) = found["quiet"]
    assert (quiet["source"], quiet["quiet_after"]) == ("hq", 3 * DAY)
    assert 4 * DAY <= quiet["seconds"] < 4 * DAY + 600
    out = world.run("files", "--gaps").out
    assert "Late\n" in out
    assert "Quiet\n" in out
    world.option("[licensing]", "quiet_after = 0 seconds\n\n[licensing]")
    assert json.loads(world.run("files", "--gaps", "--json").out)["quiet"] == []


@pytest.mark.parametrize(
    "wrong", [("--check",), ("--gaps", "--state", "done"), ("retry", "x", "--gaps")]
)
def test_what_does_not_go_together(world: World, wrong: tuple[str, ...]) -> None:
    assert world.run("files", *wrong).code == 2


def test_gaps_are_for_level_10(world: World) -> None:
    assert world.run("files", "--gaps", "--as", "anna").code != 0


def test_ingest_names_a_gap(world: World) -> None:
    world.bed.drop(leg(1, 2, 3, "2001", "2002"), name=name(1))
    today = datetime.now(UTC)
    for number in (7, 9):
        world.bed.drop(
            leg(number, number * 10, number * 10 + 1, "2001", "2002"),
            name=f"cdr_Main_02_{today:%Y%m%d%H%M}_{number}",
        )
    ran = world.run("ingest", "--no-settle")
    assert "hq: 1 file is missing of node 02 of Main: cdr 8" in ran.err
    world.bed.drop(leg(3, 32, 33, "2001", "2002"), name=f"cdr_Main_02_{today:%Y%m%d%H%M}_10")
    ran = world.run("ingest", "--no-settle", "--json")
    assert ran.err == ""
    (unit,) = json.loads(ran.out)
    assert (unit["missing_files"], unit["quiet_seconds"]) == (1, 0)
