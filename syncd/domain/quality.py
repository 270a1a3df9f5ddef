"""How good one end of a call was, as the telephone system measured it, and what reads such files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, Protocol

from syncd.domain.leg import Reject

UNIT = 10_000
"""Scores and ratios are whole ten-thousandths: 4.5 is 45000."""


class Quality(NamedTuple):
    """One row of a call quality file: what the device at one end of a leg sent and received.

    Times are epoch seconds UTC. What the device did not tell is None; the scores are mean opinion
    scores (MOS, 1 to 5) of the sound that arrived, in ten-thousandths.
    """

    ended_at: int
    """When the stream ended."""
    key: str
    """The row's own key, unique within the PBX."""
    content_hash: int
    """Signed 64-bit hash of the columns read: the same key with another content is a conflict."""
    call_ref: int
    """The call's id, as in the leg's record."""
    leg: int
    """The leg's id, as origin or destination of its record."""
    number: str
    """The directory number on the device: only to leave excluded numbers out, it is not stored."""
    device: str
    codec: str
    duration: int
    """Seconds of the stream, 0 when not told."""
    packets_sent: int
    octets_sent: int
    packets_received: int
    octets_received: int
    packets_lost: int
    """Of those that should have arrived."""
    jitter: int
    """Milliseconds."""
    latency: int
    """Milliseconds."""
    score: int | None
    """Of the last eight seconds (MLQK)."""
    score_average: int | None
    score_minimum: int | None
    score_maximum: int | None
    concealment: int | None
    """Share of the sound that was made up for lost packets (CCR), in ten-thousandths."""
    concealed_seconds: int | None
    severely_concealed_seconds: int | None
    metrics: str
    """All that the device told, ``name=value`` joined with semicolons."""


class QualityReader(Protocol):
    """Reads the call quality files that lie beside the records of one format."""

    def fits(self, name: str, data: bytes) -> bool:
        """Say whether a file is one of call quality, given its name and its beginning."""

    def head(self, beginning: bytes) -> int:
        """Return how many bytes at the beginning of a file explain its rows."""

    def rows(self, stream: BinaryIO) -> Iterator[tuple[int, Quality | Reject]]:
        """Yield (line number, measurement or reject). Raises NotCdrError before the first."""


def loss(lost: int, received: int) -> int | None:
    """Return the share of packets that never came, in ten-thousandths rounded down; None when there
    were none at all."""
    return lost * UNIT // (lost + received) if lost + received else None
