"""The calls that sounded worst."""

from __future__ import annotations

from typing import Any

from syncd.domain.call_id import format_call_id
from syncd.domain.clock import iso
from syncd.domain.codes import Side
from syncd.domain.quality import UNIT, loss
from syncd.reports.environment import Environment
from syncd.reports.makers.quality import POOR, score
from syncd.reports.measured import Stream, streams
from syncd.reports.ratios import quotient
from syncd.reports.reading import line_ids, query_of, result_of
from syncd.reports.result import Column, Kind, Result
from syncd.reports.scope import Door
from syncd.reports.specification import Specification

LOSSY = UNIT // 100
"""From a loss of 1 % on a stream is bad whatever its score."""

COLUMNS = (
    Column("id", "Call"),
    Column("started_at", "Started", Kind.MOMENT),
    Column("end", "End"),
    Column("line_id", "Line", absent="-"),
    Column("person", "Person", absent="-"),
    Column("device", "Device", absent="-"),
    Column("codec", "Codec", absent="-"),
    Column("seconds", "Seconds", Kind.SECONDS),
    Column("mos", "MOS", Kind.NUMBER, "-"),
    Column("mos_minimum", "Lowest", Kind.NUMBER, "-"),
    Column("loss_percent", "Loss %", Kind.NUMBER, "-"),
    Column("jitter_ms", "Jitter ms", Kind.COUNT),
    Column("latency_ms", "Latency ms", Kind.COUNT),
)
BRIEF = tuple(column.name for column in COLUMNS if column.name not in ("id", "device"))


def make(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return the streams with a poor score, or with a loss that is heard, the lowest score first,
    then the highest loss."""
    query = query_of(door, specification, environment)
    line, zone = line_ids(query), environment.zone
    found = [stream for stream in streams(query) if _is_bad(stream)]
    found.sort(key=_badness)

    def row(stream: Stream) -> dict[str, Any]:
        quality, seen, own = stream.measured.quality, stream.seen, stream.own
        lost, received = quality.packets_lost, quality.packets_received
        mean = score(quality)
        return {
            "id": format_call_id(seen.started_at, seen.key_hash, Side(seen.side)),
            "started_at": iso(seen.started_at, zone),
            "end": stream.measured.side.word,
            "line_id": None if own is None else line(own.line),
            "person": None if own is None else query.lookups.label("person", own.party or None),
            "device": stream.device or None,
            "codec": quality.codec or None,
            "seconds": quality.duration,
            "mos": None if mean is None else quotient(mean, UNIT, 2),
            "mos_minimum": None
            if quality.score_minimum is None
            else quotient(quality.score_minimum, UNIT, 2),
            "loss_percent": quotient(100 * lost, lost + received, 2),
            "jitter_ms": quality.jitter,
            "latency_ms": quality.latency,
        }

    return result_of(
        door,
        specification,
        environment,
        COLUMNS,
        map(row, found),
        {"rows": len(found)},
        query=query,
        brief=BRIEF,
        empty="nothing poor was measured of the calls of this period",
    )


def _is_bad(stream: Stream) -> bool:
    quality = stream.measured.quality
    mean, lost = score(quality), loss(quality.packets_lost, quality.packets_received)
    return (mean is not None and mean < POOR) or (lost is not None and lost >= LOSSY)


def _badness(stream: Stream) -> tuple[int, int, int, int]:
    quality = stream.measured.quality
    mean = score(quality)
    expected = quality.packets_lost + quality.packets_received
    lost = quality.packets_lost * 1_000_000 // expected if expected else 0
    return (5 * UNIT if mean is None else mean, -lost, -stream.seen.started_at, stream.seen.id)
