"""What every driver promises: each row told of once, damage that stays where it is, stable keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import chain

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from syncd.application.plugins import DRIVERS, load_plugin, plugin_names
from syncd.domain.leg import Leg, NotCdrError, Reject
from tests.support.driver_samples import NAMES, Sample, check_items, leg_of


@pytest.fixture(params=NAMES)
def sample(request: pytest.FixtureRequest) -> Sample:
    return Sample(request.param)


def test_every_installed_driver_has_a_sample() -> None:
    assert plugin_names(DRIVERS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_driver_says_what_it_is(name: str) -> None:
    plugin = load_plugin(DRIVERS, name)
    assert plugin.name == Sample(name).driver.name == name
    assert plugin.summary


def test_every_row_is_told_of_once(sample: Sample) -> None:
    found = sample.of(sample.data)
    first = sample.heads + 1
    assert [number for number, _ in found] == list(range(first, first + sample.count))
    check_items(found, sample.heads + sample.count)
    keys = [leg_of(item).key for _, item in found]
    assert len(set(keys)) == len(keys)
    assert any(isinstance(item, Leg) and item.connected_at for _, item in found)


def test_a_row_says_the_same_alone_in_any_order_and_twice(sample: Sample) -> None:
    whole = [item for _, item in sample.read(*sample.rows)]
    each = [[item for _, item in sample.read(row)] for row in sample.rows]
    backwards = [item for _, item in sample.read(*reversed(sample.rows))]
    assert [*chain(*each)] == whole
    assert backwards == [*chain(*reversed(each))]
    assert [item for _, item in sample.read(*sample.rows, *sample.rows)] == whole * 2


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.rstrip(b"\r\n"),
        lambda data: data + b"\n\n",
    ],
    ids=["CRLF", "BOM", "no last line end", "blank lines"],
)
def test_what_changes_nothing(sample: Sample, change: Callable[[bytes], bytes]) -> None:
    assert sample.of(change(sample.data)) == sample.of(sample.data)


@pytest.mark.parametrize(
    "garbage", [b"garbage", b'"garbage', b'a,"b', b"\xff\xfe\0x", b"1,2,3", b'"'], ids=repr
)
def test_a_line_that_is_no_row_is_one_reject(sample: Sample, garbage: bytes) -> None:
    rows = sample.rows
    expected = [item for _, item in sample.read(*rows)]
    found = sample.read(rows[0], garbage + b"\n", *rows[1:])
    ((line, _),) = [one for one in found if isinstance(one[1], Reject)]
    assert line == sample.heads + rows[0].count(b"\n") + 1
    assert [item for _, item in found if not isinstance(item, Reject)] == expected


@pytest.mark.parametrize(
    "long", [b"7", b"x", "\u6f22".encode()], ids=["digits", "letters", "others"]
)
def test_a_text_that_no_database_can_index_rejects_its_row(sample: Sample, long: bytes) -> None:
    for row in sample.rows[:2]:
        for place in {match.end() for match in re.finditer(rb"\w+", row)}:
            longer = row[:place] + long * 20_000 + row[place:]
            check_items(sample.read(longer), sample.heads + longer.count(b"\n"))


@pytest.mark.parametrize("data", [b"", b"\n\n\r\n"], ids=["nothing", "blank"])
def test_an_empty_file_is_no_cdr_file(sample: Sample, data: bytes) -> None:
    with pytest.raises(NotCdrError):
        sample.of(data)


def mutations() -> st.SearchStrategy[list[tuple[str, float, bytes]]]:
    kinds = st.sampled_from(["cut", "insert", "replace", "swap", "end"])
    bits = st.one_of(
        st.binary(max_size=12),
        st.sampled_from(
            [
                b'"',
                b",",
                b";",
                b"\n",
                b"\r",
                b"\0",
                b"-1",
                b"E+11",
                b"99999999999999999999",
                b"\xc3",
            ]
            + [
                b"\xd9\xa3",
                b"0000-00-00 00:00:00",
                b"1e5",
                b"nan",
                b" ",
                b'""',
                b"{}",
                b"\xe2\x80\xa8",
            ]
        ),
    )
    return st.lists(
        st.tuples(kinds, st.floats(0, 1, exclude_max=True), bits), min_size=1, max_size=6
    )


def mutate(data: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    for kind, place, bit in changes:
        at = int(place * len(data))
        if kind == "insert":
            data = data[:at] + bit + data[at:]
        elif kind == "replace":
            data = data[:at] + bit + data[at + len(bit) :]
        elif kind == "cut":
            data = data[:at] + data[at + 1 + len(bit) * 3 :]
        elif kind == "swap":
            data = data[at:] + data[:at]
        else:
            data = data[: at + 1]
    return data


@pytest.mark.parametrize("name", NAMES)
def test_whatever_happened_to_a_file_its_rows_are_accounted_for(name: str) -> None:
    sample = Sample(name)

    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(mutations())
    @example([("insert", 0.5, b'"')])
    @example([("insert", 0.99, b"\0")])
    def mutated(changes: list[tuple[str, float, bytes]]) -> None:
        data = mutate(sample.data, changes)
        try:
            found = sample.of(data)
        except NotCdrError as error:
            assert str(error)
            return
        check_items(found, data.count(b"\n") + data.count(b"\r") + 1)

    mutated()
