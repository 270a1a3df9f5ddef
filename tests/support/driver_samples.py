"""A sample of what each driver reads, and what must hold of whatever it makes of a file."""

from __future__ import annotations

import io
from itertools import accumulate, pairwise
from pathlib import Path
from typing import get_type_hints

from syncd.cdr.driver_options import written_at
from syncd.domain.leg import LONGEST_TEXT, CdrDriver, Exclusion, Leg, Reject
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
KINDS = tuple(get_type_hints(Leg).items())


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


def leg_of(item: Item) -> Leg:
    assert not isinstance(item, Reject), item
    return item.leg if isinstance(item, Exclusion) else item


def check_leg(leg: Leg) -> None:
    """Check what the store and the rules take for granted."""
    for (field, kind), value in zip(KINDS, leg, strict=True):
        assert type(value) is kind, field
        assert isinstance(value, str) or -BOUND <= value < BOUND, field
        assert not (isinstance(value, str) and "\0" in value), "PostgreSQL holds no NUL"
        assert not isinstance(value, str) or len(value) <= LONGEST_TEXT, field
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
