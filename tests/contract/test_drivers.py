"""What every driver promises: each row told of once, damage that stays where it is, stable keys."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from syncd.application.plugins import DRIVERS, load_plugin, plugin_names
from syncd.cdr.driver_options import written_at
from syncd.domain.leg import CdrDriver, Exclusion, Leg, NotCdrError, Reject
from tests.support.drivers import Item, driver

FIXTURES = Path(__file__).parents[1] / "fixtures"
CUCM = "cucm15/cdr_StandAloneCluster_01_202604021200_1"

NEW_YEAR = 1_798_761_900
"""Five past midnight UTC in 2027: when the files of formats without a year were written."""

SAMPLES: dict[str, tuple[str, int, dict[str, str]]] = {
    "3cx": ("cdr/3cx.csv", 0, {}),
    "avaya-cm": ("cdr/avaya-cm.txt", 1, {}),
    "avaya-ipoffice": ("cdr/avaya-ipoffice.csv", 0, {}),
    "fixed-width": (
        "cdr/fixed-width.txt",
        0,
        {
            "columns": "start:1:14, seconds:16:5, way:22:1, from:24:15, to:40:15",
            "date_format": "%Y%m%d%H%M%S",
            "column__start": "start",
            "column__duration": "seconds",
            "column__calling": "from",
            "column__called": "to",
            "value__outgoing": "way == O",
            "value__incoming": "way == I",
        },
    ),
    "kamailio": ("cdr/kamailio.log", 0, {}),
    "mitel": ("cdr/mitel.txt", 0, {}),
    "asterisk": ("cdr/asterisk.csv", 0, {}),
    "cube": ("cdr/cube.csv", 0, {"trunks": "peer-200"}),
    "cucm": (CUCM, 2, {}),
    "cucm-partition": (CUCM, 2, {}),
    "delimited": (
        "cdr/delimited.csv",
        1,
        {
            "delimiter": "semicolon",
            "date_format": "%d.%m.%Y %H:%M:%S",
            "duration_unit": "clock",
            "column__start": "Date + Time",
            "column__duration": "Talk",
            "column__ring": "Ring",
            "column__calling": "From",
            "column__called": "To",
            "column__trunk": "Line",
            "column__key": "Id",
            "value__outgoing": "Dir == O",
            "value__incoming": "Dir == I",
            "value__answered": "State == OK",
        },
    ),
    "freeswitch": ("cdr/freeswitch.csv", 0, {}),
    "webex": ("cdr/webex.csv", 1, {}),
}
"""By driver: a file, how many lines of it are no rows, and the options."""

HALVES = {"kamailio": (2, 2, 1, 1)}
"""Lines that belong together, of drivers that make one call of several."""

NAMES = sorted(SAMPLES)
BOUND = 2**63


class Sample:
    """A driver and a file that it reads."""

    def __init__(self, name: str) -> None:
        path, self.heads, options = SAMPLES[name]
        self.driver: CdrDriver = written_at(driver(name, **options), NEW_YEAR)
        self.name = Path(path).name
        self.data = (FIXTURES / path).read_bytes()
        lines = [line + b"\n" for line in self.data.splitlines()]
        self.head, rest = lines[: self.heads], lines[self.heads :]
        self.count = len(rest)
        ends = [*accumulate(HALVES.get(name, (1,) * len(rest)))]
        self.rows = [b"".join(rest[a:b]) for a, b in zip((0, *ends), ends, strict=False)]

    def read(self, *rows: bytes) -> list[tuple[int, Item]]:
        return self.of(b"".join((*self.head, *rows)))

    def of(self, data: bytes) -> list[tuple[int, Item]]:
        return list(self.driver.rows(io.BytesIO(data), self.name))


@pytest.fixture(params=NAMES)
def sample(request: pytest.FixtureRequest) -> Sample:
    return Sample(request.param)


def leg_of(item: Item) -> Leg:
    assert not isinstance(item, Reject), item
    return item.leg if isinstance(item, Exclusion) else item


def check_leg(leg: Leg) -> None:
    """Check what the store and the rules take for granted."""
    for field, kind in get_type_hints(Leg).items():
        value = getattr(leg, field)
        assert type(value) is kind, field
        assert isinstance(value, str) or -BOUND <= value < BOUND, field
    assert leg.key
    assert 0 < leg.started_at <= leg.ended_at < 2**32
    assert 0 <= leg.connected_at <= leg.ended_at
    assert 0 <= leg.duration < 2**32


def check_items(found: list[tuple[int, Item]], lines: int) -> None:
    numbers = [number for number, _ in found]
    assert all(1 <= number <= lines for number in numbers)
    assert all(first < second for first, second in pairwise(numbers)), "a line told of twice"
    for number, item in found:
        if isinstance(item, Reject):
            assert item.line == number
            assert item.reason
            assert len(item.raw) <= 65_536
        else:
            check_leg(leg_of(item))


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
