"""What a row of a CDR is made of, and the small conversions of its columns."""

from __future__ import annotations

import struct
from functools import cache

CLUSTER = "StandAloneCluster"
"""The cluster's id; every cluster has this one until somebody changes it."""

SPLIT = 393216
"""Cause "call split": a feature took the leg over."""

Value = str | int
Row = dict[str, Value]


@cache
def address_integer(dotted: str) -> int:
    """Return an IPv4 address as the signed 32-bit little-endian integer that a CDR holds."""
    value: int = struct.unpack("<i", bytes(int(part) for part in dotted.split(".")))[0]
    return value


def leg_identifier(node: int, counter: int) -> int:
    """Return a leg id: the node in the top byte, the node's counter in the other three."""
    return node << 24 | counter & 0xFFFFFF
