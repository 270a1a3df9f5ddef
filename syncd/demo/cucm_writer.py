"""Writes the flat files of Cisco UCM 15: header, type line, one line a record.

Text is quoted, numbers are not, lines end with a line feed, the last one too. A file is written
under a name that begins with ``_`` and gets its own name when it is whole, as the node does it.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from uuid import UUID, uuid5

from syncd.demo.cmr_writer import HEADER as QUALITY_HEADER
from syncd.demo.cmr_writer import TYPES as QUALITY_TYPES
from syncd.demo.cmr_writer import format_quality_row, quality_rows
from syncd.demo.cucm_columns import COLUMNS, HEADER, INDEX, NAMES, TEXT, TYPES
from syncd.demo.cucm_row import CLUSTER, Row, Value
from syncd.demo.people import Company
from syncd.demo.simulator import simulate

ROWS_NAMESPACE = UUID("6f1c3c1e-92a4-4c3b-9a37-3d5e5b0b2a10")
"""Of the record keys that ``row`` makes up."""

NEUTRAL: dict[str, Value] = {name: "" if name in TEXT else 0 for name, _ in COLUMNS} | {
    "cdrRecordType": 1,
    "globalCallID_callManagerId": 1,
    "origNodeId": 1,
    "origPrecedenceLevel": 4,
    "destPrecedenceLevel": 4,
    "origRSVPAudioStat": "0",
    "origRSVPVideoStat": "0",
    "destRSVPAudioStat": "0",
    "destRSVPVideoStat": "0",
    "globalCallId_ClusterID": CLUSTER,
}
"""What a column holds when nothing happened in it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What ``write_files`` wrote; ``first`` and ``last`` are the ends of the first and the last
    record, epoch seconds UTC."""

    conversations: int
    records: int
    files: tuple[Path, ...]
    """Of call records."""
    first: int
    last: int
    measurements: int = 0
    quality_files: tuple[Path, ...] = ()
    """Of call quality."""


def row(**columns: Value) -> Row:
    """Return a whole row of 133 columns from the few that matter, the others neutral.

    Made up when not given: the final called number from the original one and the reverse, the last
    redirecting number (the original called one, with its partition), the duration, the node of a
    far end that was reached, the patterns, and a ``pkid`` that depends on the other columns alone.
    Raises KeyError for an unknown column, TypeError for text in a number's column or the reverse.
    """
    for name, value in columns.items():
        if name not in INDEX:
            raise KeyError(f"{name} is no column of a CDR")
        if isinstance(value, str) != (name in TEXT):
            raise TypeError(f"{name} = {value!r} has the wrong type")
    whole: Row = {**NEUTRAL, **columns}
    _follow(whole, columns, "originalCalledPartyNumber", "finalCalledPartyNumber")
    _follow(whole, columns, "finalCalledPartyNumber", "originalCalledPartyNumber")
    _follow(whole, columns, "originalCalledPartyNumberPartition", "finalCalledPartyNumberPartition")
    _follow(whole, columns, "finalCalledPartyNumberPartition", "originalCalledPartyNumberPartition")
    _follow(whole, columns, "lastRedirectDn", "originalCalledPartyNumber")
    if "lastRedirectDn" not in columns:
        _follow(whole, columns, "lastRedirectDnPartition", "originalCalledPartyNumberPartition")
    _follow(whole, columns, "finalCalledPartyPattern", "finalCalledPartyNumber")
    direct = whole["originalCalledPartyNumber"] == whole["finalCalledPartyNumber"]
    pattern = "finalCalledPartyPattern" if direct else "originalCalledPartyNumber"
    _follow(whole, columns, "originalCalledPartyPattern", pattern)
    _follow(whole, columns, "lastRedirectingPartyPattern", "lastRedirectDn")
    if whole["dateTimeConnect"] and "duration" not in columns:
        whole["duration"] = int(whole["dateTimeDisconnect"]) - int(whole["dateTimeConnect"])
    if whole["destLegIdentifier"] and "destNodeId" not in columns:
        whole["destNodeId"] = whole["origNodeId"]
    if not whole["pkid"]:
        whole["pkid"] = str(uuid5(ROWS_NAMESPACE, format_row(whole)))
    return {name: whole[name] for name in NAMES}


def _follow(whole: Row, given: Mapping[str, Value], name: str, other: str) -> None:
    """Let a column that was not given hold what the other one holds."""
    if name not in given:
        whole[name] = whole[other]


def _cell(value: Value) -> str:
    if isinstance(value, str):
        return f'"{value}"' if '"' not in value else '"' + value.replace('"', '""') + '"'
    return str(value)


_NEUTRAL_CELLS = [_cell(NEUTRAL[name]) for name in NAMES]


def format_row(columns: Mapping[str, Value]) -> str:
    """Return the line of a row, without line feed; columns that are not given are neutral."""
    cells = _NEUTRAL_CELLS.copy()
    index = INDEX
    for name, value in columns.items():
        if isinstance(value, str) and '"' not in value:
            cells[index[name]] = f'"{value}"'
        else:
            cells[index[name]] = _cell(value)
    return ",".join(cells)


def write_cucm_file(path: Path, rows: Iterable[Mapping[str, Value]]) -> Path:
    """Write one flat file of these rows, in their order, and return its path."""
    _write(path, [format_row(columns) for columns in rows])
    return path


def write_quality_file(path: Path, rows: Iterable[Mapping[str, Value]]) -> Path:
    """Write one file of call quality rows, in their order, and return its path."""
    _write(path, map(format_quality_row, rows), QUALITY_HEADER, QUALITY_TYPES)
    return path


def _write(path: Path, lines: Iterable[str], header: str = HEADER, types: str = TYPES) -> None:
    unfinished = path.with_name("_" + path.name)
    with unfinished.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join((header, types, *lines)))
        file.write("\n")
    unfinished.rename(path)


def file_name(epoch: int, sequence: int, node: int = 1, tag: str = "cdr") -> str:
    """Return the name of a file made at this second (UTC), the sequence-th of its node and tag."""
    made = datetime.fromtimestamp(epoch, UTC)
    return f"{tag}_{CLUSTER}_{node:02d}_{made:%Y%m%d%H%M}_{sequence}"


class _Folder:
    """Writes the files of one kind: rows come in any order, and leave by the end of the call."""

    def __init__(self, folder: Path, rows_per_file: int, quality: bool = False) -> None:
        self.folder = folder
        self.rows_per_file = rows_per_file
        self.quality = quality
        self.files: list[Path] = []
        self.records = 0
        self.first = 0
        self.last = 0
        self._running: list[tuple[int, int, str]] = []
        self._lines: list[str] = []

    def add(self, rows: Iterable[Row]) -> None:
        if self.quality:
            for columns in quality_rows(rows):
                self._add(int(columns["dateTimeStamp"]), format_quality_row(columns))
            return
        for columns in rows:
            self._add(int(columns["dateTimeDisconnect"]), format_row(columns))

    def _add(self, ended: int, line: str) -> None:
        self.records += 1
        heapq.heappush(self._running, (ended, self.records, line))

    def flush(self, until: int | None) -> None:
        """Write what ended at or before ``until``, everything when it is None."""
        running = self._running
        while running and (until is None or running[0][0] <= until):
            ended, _, line = heapq.heappop(running)
            self.first = self.first or ended
            self.last = ended
            self._lines.append(line)
            if len(self._lines) == self.rows_per_file:
                self._close()
        if until is None and self._lines:
            self._close()

    def _close(self) -> None:
        sequence = len(self.files) + 1
        if self.quality:
            path = self.folder / file_name(self.last, sequence, tag="cmr")
            _write(path, self._lines, QUALITY_HEADER, QUALITY_TYPES)
        else:
            path = self.folder / file_name(self.last, sequence)
            _write(path, self._lines)
        self.files.append(path)
        self._lines = []


class _TruthFile:
    """One JSON object a line, or nothing at all without a path."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("w", encoding="utf-8") if path else None
        self._encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def add(self, truth: Mapping[str, object]) -> None:
        if self._file:
            self._file.write(self._encode(truth) + "\n")

    def __enter__(self) -> _TruthFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()


def write_files(
    folder: Path,
    company: Company,
    *,
    seed: int,
    calls: int,
    start: date | int,
    days: int = 20,
    rows_per_file: int = 1000,
    truth: Path | None = None,
    mix: Mapping[str, float] | None = None,
    quality: bool = False,
) -> Summary:
    """Simulate ``calls`` conversations and write their files, and their truth and their call
    quality when asked to.

    The folder is made when it is missing. Memory stays flat: only calls that still run are held.
    ``start``, ``days`` and ``mix`` are those of ``simulate``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    writers = [_Folder(folder, rows_per_file)]
    if quality:
        writers.append(_Folder(folder, rows_per_file, quality=True))
    conversations = 0
    with _TruthFile(truth) as true:
        for rows, told in simulate(
            company, seed=seed, calls=calls, start=start, days=days, mix=mix
        ):
            conversations += 1
            for writer in writers:
                writer.flush(told["started_at"])
                writer.add(rows)
            true.add(told)
    for writer in writers:
        writer.flush(None)
    records, measured = writers[0], writers[-1]
    summary = Summary(
        conversations, records.records, tuple(records.files), records.first, records.last
    )
    if not quality:
        return summary
    return replace(summary, measurements=measured.records, quality_files=tuple(measured.files))
