"""Cisco UCM's call management records (CMR): how good each end of each leg was.

Source of names and meanings: Cisco's Call Reporting and Billing Administration Guide, releases 10
to 15. Columns are found by name; a file without header has the columns of its width in the order in
which the releases added them. One row is the end of one stream at one device, so a phone that held
the call or was part of a transfer has several.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from hashlib import blake2b
from operator import itemgetter
from typing import BinaryIO, NamedTuple, cast

from syncd.cdr.lines import Line, Row, cells_of, read_lines, read_rows
from syncd.cdr.parts import rows_end
from syncd.cdr.quality_columns import BASE, COLUMNS
from syncd.domain.leg import NotCdrError, Reject
from syncd.domain.quality import UNIT, Quality

PREFIX = "cmr_"
_INTEGERS = (
    "cdrrecordtype",
    "globalcallid_callmanagerid",
    "globalcallid_callid",
    "callidentifier",
    "datetimestamp",
    "duration",
    "numberpacketssent",
    "numberoctetssent",
    "numberpacketsreceived",
    "numberoctetsreceived",
    "numberpacketslost",
    "jitter",
    "latency",
)
_COUNT = len(_INTEGERS)
_TEXTS = ("pkid", "directorynum", "devicename", "varvqmetrics")
_REQUIRED = ("cdrrecordtype", "callidentifier", "datetimestamp", "numberpacketsreceived")
_HEAD = 8_192
"""Bytes of a file in which its header ends."""
_TYPE = re.compile(r"INTEGER|VARCHAR\(\d+\)|UNIQUEIDENTIFIER|BIGINT|SMALLINT|CHAR\(\d+\)", re.I)
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_DECIMAL = re.compile(r"([0-9]{1,5})(?:\.([0-9]{1,18}))?")
_SECONDS = re.compile(r"[0-9]{1,9}")
_BLANKS = re.compile(r"\s*([=;])\s*")
_LARGEST = 2**32
_NOTHING = (None,) * 7


class CmrReader:
    """Reads CMR files as flat files and as exports."""

    def fits(self, name: str, data: bytes) -> bool:
        """Say whether a file is one of call quality: by its name, or by its header whatever it is
        called."""
        if name.startswith(PREFIX):
            return True
        head = data[:_HEAD].split(b"\n", 1)[0].lower()
        return b"callidentifier" in head and b"numberpacketsreceived" in head

    def head(self, beginning: bytes) -> int:
        """Return how many bytes at the beginning of a file explain its rows: header and type line."""
        end = rows_end(beginning, 1)
        if beginning[:end].lstrip(b'\xef\xbb\xbf" \t\r\n').startswith(b"2"):
            return 0
        after = rows_end(beginning, 2)
        types = b"INTEGER" in beginning[end:after].upper()
        return after if types else end

    def rows(self, stream: BinaryIO) -> Iterator[tuple[int, Quality | Reject]]:
        """Yield (line number, measurement or reject) of each row.

        Raises NotCdrError when the file is not one of call quality.
        """
        lines = read_lines(stream)
        first = next(lines, None)
        if first is None:
            raise NotCdrError("the file is empty")
        if first.trouble:
            raise NotCdrError(f"the first line is not a header: {first.trouble}")
        layout = _layout(first.text)
        if layout.headless:
            lines = _with(first, lines)
        width = layout.width
        types = not layout.headless
        # No cell of such a file has a reason to hold a line end: each line stands for itself.
        for row in read_rows(lines, fits=lambda cells: False):
            if types:
                types = False
                if len(row.cells) == width and all(map(_TYPE.fullmatch, row.cells)):
                    continue
            yield row.number, _quality(row, layout)


cmr = CmrReader()


class _Layout(NamedTuple):
    """Where the columns are; ``integers`` and ``texts`` are places, -1 for an absent column."""

    width: int
    integers: tuple[int, ...]
    texts: tuple[int, ...]
    whole: Callable[[list[str]], tuple[str, ...]] | None
    """Picks integers, then texts, where all of them are there."""
    headless: bool


@lru_cache(maxsize=8)
def _layout(line: str) -> _Layout:
    """Return where the columns are, given the first line of a file. Raises NotCdrError."""
    try:
        header = cells_of(line)
    except ValueError as error:
        raise NotCdrError("the first line is not readable as CSV") from error
    names = [cell.strip().lower() for cell in header]
    headless = names[0] == "2"
    if headless:
        if not BASE <= len(names) <= len(COLUMNS):
            raise NotCdrError(f"there is no header, and no release writes {len(names)} columns")
        names = [name.lower() for name, _ in COLUMNS[: len(names)]]
    if "cdrrecordtype" not in names:
        raise NotCdrError("the first line is not the header of a CMR file: no cdrRecordType")
    missing = [name for name in _REQUIRED if name not in names]
    if missing:
        raise NotCdrError(f"the header lacks {', '.join(missing)}")
    places = {name: place for place, name in enumerate(names)}
    integers = tuple(places.get(name, -1) for name in _INTEGERS)
    texts = tuple(places.get(name, -1) for name in _TEXTS)
    # All of them are there in every release's files, and picked at once.
    whole = None
    if -1 not in (*integers, *texts):
        whole = cast("Callable[[list[str]], tuple[str, ...]]", itemgetter(*integers, *texts))
    return _Layout(len(names), integers, texts, whole, headless)


def _with(first: Line, lines: Iterator[Line]) -> Iterator[Line]:
    yield first
    yield from lines


def _quality(row: Row, layout: _Layout) -> Quality | Reject:
    """Return the measurement or the reject that a row stands for."""
    line, cells, text, trouble = row
    if trouble:
        return Reject(line, trouble, text)
    if len(cells) != layout.width:
        return Reject(line, f"{len(cells)} columns where the header has {layout.width}", text)
    if layout.whole is not None:
        picked = layout.whole(cells)
    else:
        picked = tuple(
            cells[place] if place >= 0 else "" for place in (*layout.integers, *layout.texts)
        )
    digits = picked[:_COUNT]
    try:
        numbers = [int(cell) if cell else 0 for cell in digits]
    except ValueError:
        return Reject(line, _not_a_number(digits), text)
    content = "\x1f".join(picked)
    # Python reads 1_000 and digits of any script as numbers, the telephone system does not.
    joined = "".join(digits)
    if "_" in joined or not joined.isascii():
        return Reject(line, _not_a_number(digits), text)
    kind, node, call, leg, ended_at, *counts = numbers
    if kind != 2:
        return Reject(line, f"cdrRecordType is {kind}, not 2 (a call management record)", text)
    if ended_at <= 0:
        return Reject(line, "dateTimeStamp is not set", text)
    if min(numbers) < 0:
        name = _INTEGERS[numbers.index(min(numbers))]
        return Reject(line, f"{name} is below 0", text)
    # The node's is the upper half of a call's reference, which has a sign.
    if max(numbers) >= _LARGEST or node >= _LARGEST // 2:
        return Reject(line, "a number is beyond 32 bits", text)
    pkid, number, device, told = picked[_COUNT:]
    if "\\" in content:
        # Exports write a backslash for nothing.
        number, device, told = ("" if x.strip() == "\\" else x for x in (number, device, told))
    metrics, codec, scores = _metrics(told)
    digest = blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return Quality._make(
        (
            ended_at,
            pkid.strip() or digest.hex(),
            int.from_bytes(digest, "big", signed=True),
            (node << 32) | call if node or call else 0,
            leg,
            number.strip(),
            device.strip(),
            codec,
            *counts,
            *scores,
            metrics,
        )
    )


@lru_cache(maxsize=4096)
def _metrics(text: str) -> tuple[str, str, tuple[int | None, ...]]:
    """Return what ``varVQMetrics`` tells: its text without blanks around names and values, the codec,
    and the scores in the order of the columns. Of a name that comes twice the first value counts."""
    if not text:
        return "", "", _NOTHING
    if " =" in text or "= " in text or "; " in text or " ;" in text:
        text = _BLANKS.sub(r"\1", text)
    parts = [part for part in text.strip().split(";") if part and part != "="]
    values: dict[str, str] = {}
    for part in reversed(parts):
        name, _, value = part.partition("=")
        values[name] = value
    value_of = values.get
    return (
        ";".join(parts),
        value_of("VoRxCodec", ""),
        (
            _ten_thousandths(value_of("MLQK")),
            _ten_thousandths(value_of("MLQKav")),
            _ten_thousandths(value_of("MLQKmn")),
            _ten_thousandths(value_of("MLQKmx")),
            _ten_thousandths(value_of("CCR")),
            _seconds(value_of("CS")),
            _seconds(value_of("SCS")),
        ),
    )


def _ten_thousandths(text: str | None) -> int | None:
    """Return a decimal in ten-thousandths, further decimals cut off; None when it is none."""
    found = _DECIMAL.fullmatch(text) if text else None
    if found is None:
        return None
    whole, decimals = found[1], found[2] or ""
    return int(whole) * UNIT + int(decimals[:4].ljust(4, "0"))


def _seconds(text: str | None) -> int | None:
    return int(text) if text and _SECONDS.fullmatch(text) else None


def _not_a_number(cells: tuple[str, ...]) -> str:
    for name, cell in zip(_INTEGERS, cells, strict=True):
        if cell and not _WHOLE.fullmatch(cell.strip()):
            return f"{name} is {cell[:40]!r}, not a whole number"
    return "a number is not whole"
