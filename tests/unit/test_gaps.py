"""Gaps in the numbers of files: what is missing, what is late, and what is no gap."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.cdr.gaps import DAY, MINUTE, Arrival, Gap, Numbered, Survey, parse_name, survey

START = int(datetime(2026, 5, 28, 8, 0, tzinfo=UTC).timestamp())


def file(number: int, minute: int | None = None, *, tag: str = "cdr", node: str = "01") -> Numbered:
    """Return a file written so many minutes after START, as many as its number when not given."""
    at = number if minute is None else minute
    return Numbered("Main", node, tag, START + at * MINUTE, number)


def found(*files: Numbered) -> Survey:
    return survey(Arrival(one, 0) for one in files)


def missing(*files: Numbered) -> list[tuple[str, int, int]]:
    return [(gap.tag, gap.first, gap.last) for gap in found(*files).gaps]


def test_a_name() -> None:
    assert parse_name("cdr_Main_01_202605280803_3") == file(3)
    assert parse_name("cmr_My_odd-cluster_4_202601141231_120716.csv.gz") == Numbered(
        "My_odd-cluster",
        "4",
        "cmr",
        int(datetime(2026, 1, 14, 12, 31, tzinfo=UTC).timestamp()),
        120716,
    )


@pytest.mark.parametrize(
    "name",
    [
        "Master.csv",
        "_cdr_Main_01_202605280803_3",
        "cdr_Main_01_202605280803",
        "cdr_Main_01_202613280803_3",
        "cdr_Main_01_202605280803_3_again",
        "cdr_Main_01_000005280803_3",
        "xdr_Main_01_202605280803_3",
    ],
)
def test_a_name_without_a_number(name: str) -> None:
    assert parse_name(name) is None


def test_a_whole_series_has_no_gap() -> None:
    assert found(*(file(number) for number in range(5, 40))) == Survey((), ())
    assert found() == found(file(7)) == Survey((), ())


def test_what_is_missing_and_when_to_ask_for_it() -> None:
    (gap,) = found(file(1, 0), file(2, 3), file(6, 150)).gaps
    assert gap == Gap("Main", "01", "cdr", 3, 5, START + 180, START + 9000, 3)
    times = [(f"{start:%H:%M}", f"{end:%H:%M}") for start, end in gap.windows()]
    assert times == [("08:03", "09:03"), ("09:03", "10:03"), ("10:03", "10:30")]
    assert gap.text() == (
        "3 files are missing of node 01 of Main: cdr 3-5, written between 2026-05-28 08:03 and"
        " 2026-05-28 10:30 UTC"
    )


def test_a_window_is_never_empty() -> None:
    (gap,) = found(file(1, 0), file(3, 0)).gaps
    ((start, end),) = gap.windows()
    assert (end - start).total_seconds() == MINUTE
    assert "1 file is missing" in gap.text()


def test_nodes_and_clusters_count_for_themselves() -> None:
    other = Numbered("Lab", "01", "cdr", START, 9)
    assert missing(file(1), file(2, node="02"), file(3, node="03"), other) == []


def test_a_quiet_night_is_no_gap() -> None:
    assert missing(file(1, 0), file(2, 900)) == []


def test_an_outage_is_one() -> None:
    days = 3 * 24 * 60
    assert missing(file(1, 0), file(days, days)) == [("cdr", 2, days - 1)]


# --- a count that begins anew ---------------------------------------------------------------------


def test_a_restart_is_no_gap_of_a_million() -> None:
    before = [file(number, at) for at, number in enumerate(range(999_990, 1_000_000))]
    after = [file(number, 20 + number) for number in range(1, 10)]
    assert missing(*before, *after) == []
    assert missing(*after, *(one._replace(minute=one.minute + DAY) for one in before)) == []


def test_a_young_count_that_begins_anew() -> None:
    assert (
        missing(
            *(file(number) for number in range(1, 31)),
            *(file(number, 60 + number) for number in range(1, 20)),
        )
        == []
    )


def test_gaps_before_and_after_a_restart() -> None:
    before = [file(number) for number in range(500, 520) if number != 507]
    after = [file(number, 600 + number) for number in range(1, 20) if number not in (4, 5)]
    assert missing(*before, *after) == [("cdr", 507, 507), ("cdr", 4, 5)]


def test_a_clock_that_goes_back_is_no_restart() -> None:
    assert missing(file(10, 5), file(11, 4), file(12, 6)) == []
    assert missing(file(10, 5), file(12, 4), file(13, 6)) == [("cdr", 11, 11)]


# --- two kinds of files ---------------------------------------------------------------------------


def test_kinds_with_a_count_each() -> None:
    cdr = [file(number) for number in range(1, 20)]
    cmr = [file(number, tag="cmr") for number in range(1, 20) if number != 8]
    assert missing(*cdr, *cmr) == [("cmr", 8, 8)]
    assert missing(*cdr[3:], *cmr[:3], *cmr[-3:]) == [("cmr", 4, 16)]


def test_kinds_with_one_count() -> None:
    both = [file(number, tag="cmr" if number % 3 == 0 else "cdr") for number in range(1, 40)]
    assert missing(*both) == []
    assert missing(*both[:20], *both[22:]) == [("cdr cmr", 21, 22)]


def test_one_count_of_which_one_kind_never_comes() -> None:
    every_other = [file(number, number // 2) for number in range(1, 61, 2)]
    assert missing(*every_other) == []
    (gap,) = found(*every_other[:10], *every_other[13:]).gaps
    assert (gap.first, gap.last, gap.files) == (20, 26, 3)
    # Too few to learn it from: better a word too many.
    assert len(missing(*every_other[:5])) == 4


# --- late -----------------------------------------------------------------------------------------


def test_late_files_fill_their_gap() -> None:
    arrivals = [Arrival(file(number), number * 60) for number in (1, 2, 4, 5)]
    (gap,) = survey(arrivals).gaps
    assert (gap.first, gap.last) == (3, 3)
    whole = survey([*arrivals, Arrival(file(3), 900)])
    assert whole.gaps == ()
    ((late, taken_at, seconds),) = whole.late
    assert (late, taken_at, seconds) == (file(3), 900, 900 - 240)


def test_a_file_that_comes_again_came_when_it_came_first() -> None:
    arrivals = [Arrival(file(1), 60), Arrival(file(2), 120), Arrival(file(1), 900)]
    assert survey(arrivals).late == ()


@given(
    st.sets(st.integers(1, 60), min_size=2),
    st.integers(0, 10**9),
    st.randoms(use_true_random=False),
)
def test_gaps_are_what_is_not_there_whatever_the_order(
    numbers: set[int], base: int, random: Random
) -> None:
    files = [file(base + number, number) for number in sorted(numbers)]
    expected = [number for number in range(min(numbers), max(numbers)) if number not in numbers]
    random.shuffle(files)
    gaps = list(found(*files).gaps)
    if len(numbers) <= 10:
        told = [n - base for gap in gaps for n in range(gap.first, gap.last + 1)]
        assert told == expected
        assert sum(gap.files for gap in gaps) == len(expected)
    # What is there is never said to be missing, and no gap is said twice.
    places = [number for gap in gaps for number in range(gap.first, gap.last + 1)]
    assert len(places) == len(set(places))
    assert not {base + number for number in numbers} & set(places)
