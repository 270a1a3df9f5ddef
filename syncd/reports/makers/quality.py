"""Call quality by site, device or codec, as the telephone systems measured it at the ends of legs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from syncd.domain.quality import UNIT
from syncd.reports.dimensions import Raw
from syncd.reports.environment import Environment
from syncd.reports.measured import Stream, streams
from syncd.reports.query import Query
from syncd.reports.ratios import percent, quotient
from syncd.reports.reading import query_of, result_of
from syncd.reports.result import Chart, Column, Kind, Result
from syncd.reports.scope import Door
from syncd.reports.specification import Specification
from syncd.store.models import CallQuality, File

POOR = 35_000
"""A mean opinion score below 3.5 is a poor one."""

SITE, DEVICE, CODEC = "site", "device", "codec"
BY_REPORT = {"quality-by-site": SITE, "quality-by-device": DEVICE, "quality-by-codec": CODEC}
HEADINGS = {SITE: "Site", DEVICE: "Device", CODEC: "Codec"}
FIGURES = (
    Column("streams", "Streams", Kind.COUNT),
    Column("scored", "With MOS", Kind.COUNT),
    Column("mos", "MOS", Kind.NUMBER, "-"),
    Column("mos_lowest", "Lowest", Kind.NUMBER, "-"),
    Column("poor", "Poor", Kind.COUNT),
    Column("poor_percent", "Poor %", Kind.NUMBER, "-"),
    Column("loss_percent", "Loss %", Kind.NUMBER, "-"),
    Column("jitter_ms", "Jitter ms", Kind.NUMBER, "-"),
    Column("jitter_highest_ms", "Highest", Kind.COUNT, "-"),
    Column("latency_ms", "Latency ms", Kind.NUMBER, "-"),
)


def score(quality: CallQuality) -> int | None:
    """Return the mean opinion score of a stream, ten-thousandths: the average where it is told,
    else the last one; None without any."""
    average: int | None = quality.score_average
    last: int | None = quality.score
    return last if average is None else average


@dataclass(slots=True)
class Streams:
    """What was measured of several streams."""

    count: int = 0
    scores: list[int] = field(default_factory=list)
    lowest: int | None = None
    lost: int = 0
    expected: int = 0
    heard: int = 0
    """Streams of which packets came: they alone have jitter and latency."""
    jitter: int = 0
    jitter_highest: int = 0
    latency: int = 0

    def add(self, quality: CallQuality) -> None:
        self.count += 1
        mean = score(quality)
        if mean is not None:
            self.scores.append(mean)
        for value in (mean, quality.score_minimum):
            if value is not None and (self.lowest is None or value < self.lowest):
                self.lowest = value
        self.lost += quality.packets_lost
        self.expected += quality.packets_lost + quality.packets_received
        if quality.packets_received:
            self.heard += 1
            self.jitter += quality.jitter
            self.jitter_highest = max(self.jitter_highest, quality.jitter)
            self.latency += quality.latency

    def figures(self) -> dict[str, Any]:
        poor = sum(value < POOR for value in self.scores)
        return {
            "streams": self.count,
            "scored": len(self.scores),
            "mos": quotient(sum(self.scores), UNIT * len(self.scores), 2),
            "mos_lowest": None if self.lowest is None else quotient(self.lowest, UNIT, 2),
            "poor": poor,
            "poor_percent": percent(poor, len(self.scores)),
            "loss_percent": quotient(100 * self.lost, self.expected, 2),
            "jitter_ms": quotient(self.jitter, self.heard),
            "jitter_highest_ms": self.jitter_highest if self.heard else None,
            "latency_ms": quotient(self.latency, self.heard),
        }


def make(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return the quality by what the report is named after, the most streams first."""
    by = BY_REPORT[specification.report]
    query = query_of(door, specification, environment)
    key = _key(by, query, environment.source_sites)
    groups: dict[str, Streams] = {}
    everything = Streams()
    for stream in streams(query):
        for group in (groups.setdefault(key(stream), Streams()), everything):
            group.add(stream.measured.quality)
    return result_of(
        door,
        specification,
        environment,
        (Column(by, HEADINGS[by], absent="-"), *FIGURES),
        (
            {by: name or None, **group.figures()}
            for name, group in sorted(
                groups.items(), key=lambda one: (not one[0], -one[1].count, one[0])
            )
        ),
        everything.figures(),
        query=query,
        facts={"poor_below": quotient(POOR, UNIT, 2)},
        chart=Chart(by, "mos", additive=False),
        empty="nothing was measured of the calls of this period",
    )


def _key(by: str, query: Query, sites: Mapping[str, str]) -> Callable[[Stream], str]:
    if by == DEVICE:
        return lambda stream: stream.device
    if by == CODEC:
        return lambda stream: stream.measured.quality.codec
    of_line, of_file = query.lookups.key_of("site", Raw.LINE), _FileSites(sites)

    def site(stream: Stream) -> str:
        if stream.own is None:
            return ""
        return str(of_line(stream.own.line) or "") or of_file[stream.measured.quality.file_id]

    return site


class _FileSites(dict[int, str]):
    """The site of the drop folder from which a file came: of a line that is at no site alone."""

    def __init__(self, sites: Mapping[str, str]) -> None:
        super().__init__()
        self._sites = sites

    def __missing__(self, file: int) -> str:
        row = File.get_or_none(File.id == file)
        self[file] = found = "" if row is None else self._sites.get(row.source, "")
        return found
