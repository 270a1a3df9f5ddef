"""Call quality as Cisco UCM 15 writes it: a CMR row for each end of each answered record.

A phone tells all its metrics, some older ones a score (MLQK); a trunk tells counts and nothing else.
What a row says follows from its record alone, so the same records have the same quality.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import NamedTuple
from uuid import UUID, uuid5

from syncd.cdr.quality_columns import COLUMNS
from syncd.demo.cucm_row import CLUSTER, Row, Value

NAMESPACE = UUID("0b9a6f0e-6f43-4f0b-9b4c-2f8f6c1d7a55")
"""Of the keys of the rows."""

NAMES: tuple[str, ...] = tuple(name for name, _ in COLUMNS)
TEXT = frozenset(name for name, kind in COLUMNS if kind != "INTEGER")
HEADER = ",".join(f'"{name}"' for name in NAMES)
TYPES = ",".join(kind for _, kind in COLUMNS)
PACKETS_PER_SECOND = 50
OCTETS = 160
"""Of sound in a packet of 20 ms, G.711."""
_POOR = 0.05
"""Part of the streams that lose packets worth mention."""


class _End(NamedTuple):
    """Which columns of a record speak of one end."""

    leg: str
    number: str
    partition: str
    device: str
    session: str
    other_session: str


_ENDS = (
    _End(
        "origLegCallIdentifier",
        "callingPartyNumber",
        "callingPartyNumberPartition",
        "origDeviceName",
        "origDeviceSessionID",
        "destDeviceSessionID",
    ),
    _End(
        "destLegIdentifier",
        "finalCalledPartyNumber",
        "finalCalledPartyNumberPartition",
        "destDeviceName",
        "destDeviceSessionID",
        "origDeviceSessionID",
    ),
)


def format_quality_row(columns: Mapping[str, Value]) -> str:
    """Return the line of a row, without line feed; a number that is not given is empty. Raises
    KeyError for an unknown column."""
    unknown = [name for name in columns if name not in NAMES]
    if unknown:
        raise KeyError(f"{unknown[0]} is no column of a CMR")
    cells = []
    for name in NAMES:
        value = columns.get(name, "")
        quoted = str(value).replace('"', '""')
        cells.append(f'"{quoted}"' if name in TEXT else str(value))
    return ",".join(cells)


def quality_rows(records: Iterable[Mapping[str, Value]]) -> Iterator[Row]:
    """Yield the CMR rows of CDR rows, two for each that was connected."""
    for record in records:
        if not record.get("dateTimeConnect"):
            continue
        for end in _ENDS:
            if record.get(end.leg) and record.get(end.device):
                yield _row(record, end)


def _row(record: Mapping[str, Value], end: _End) -> Row:
    key = str(uuid5(NAMESPACE, f"{record['pkid']} {record[end.leg]}"))
    random = Random(key)
    connected, ended = int(record["dateTimeConnect"]), int(record["dateTimeDisconnect"])
    seconds = ended - connected
    sent = seconds * PACKETS_PER_SECOND + random.randrange(10)
    expected = seconds * PACKETS_PER_SECOND + random.randrange(10)
    poor = random.random() < _POOR
    lost = int(expected * random.uniform(0.005, 0.08)) if poor else random.random() < 0.1
    device = str(record[end.device])
    phone = device[:3] in ("SEP", "ATA")
    row: Row = {
        "cdrRecordType": 2,
        "globalCallID_callManagerId": record["globalCallID_callManagerId"],
        "globalCallID_callId": record["globalCallID_callId"],
        "nodeId": record["globalCallID_callManagerId"],
        "directoryNum": record.get(end.number, ""),
        "callIdentifier": record[end.leg],
        "dateTimeStamp": ended,
        "numberPacketsSent": sent,
        "numberOctetsSent": sent * OCTETS,
        "numberPacketsReceived": max(expected - int(lost), 0),
        "numberOctetsReceived": max(expected - int(lost), 0) * OCTETS,
        "numberPacketsLost": int(lost),
        "jitter": random.randrange(30, 90) if poor else random.randrange(6),
        "latency": random.randrange(3) if phone else 0,
        "pkid": key,
        "directoryNumPartition": record.get(end.partition, ""),
        "globalCallId_ClusterID": CLUSTER,
        "deviceName": device,
    }
    if phone:
        row["duration"] = seconds
        row["varVQMetrics"] = _metrics(random, int(lost), max(expected, 1), seconds)
        row["localSessionID"] = record.get(end.session, "")
        row["remoteSessionID"] = record.get(end.other_session, "")
    return row


def _metrics(random: Random, lost: int, expected: int, seconds: int) -> str:
    """Return what a phone tells of the sound that arrived."""
    ratio = min(lost / expected, 1.0)
    concealed = min(int(ratio * seconds) + (lost > 0), seconds)
    severe = concealed // 3
    scored = ""
    if random.random() < 0.3:
        score = max(4.5 - 20 * ratio, 1.0)
        lowest = max(score - 0.4 * (lost > 0), 1.0)
        scored = (
            f"MLQK={score:.4f};MLQKav={score:.4f};MLQKmn={lowest:.4f};MLQKmx=4.5000;MLQKvr=0.95;"
        )
    return (
        f"{scored}CCR={ratio:.4f};ICR={ratio / 2:.4f};ICRmx={min(ratio * 2, 1.0):.4f};"
        f"CS={concealed};SCS={severe};Ver=0.90;VoRxCodec=G.711 u-la;CID=4;VoPktSizeMs=20;"
        f"VoPktLost={lost};VoPktDis={random.randrange(3)};VoOneWayDelayMs={random.randrange(3)};"
        f"maxJitter={random.randrange(12)}"
    )
