"""How good a call was at either end, as far as a viewer may see the call."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from syncd.domain.clock import iso
from syncd.domain.codes import Side
from syncd.domain.quality import UNIT, loss
from syncd.reports.conversation import ConversationRows
from syncd.store.quality import Measured, quality_of

ENDS = (Side.CALLING, Side.CALLED)


def measurements(
    rows: ConversationRows, record_ids: Iterable[int], zone: ZoneInfo, *, everything: bool = False
) -> dict[int, list[dict[str, Any]]]:
    """Return by record what was measured at its ends, ready for JSON, given all records of the
    conversation.

    Who may see the calling or the called row of a record may know how good the talk was at both
    ends; the device at an end is named to those alone who may see that end's own row.
    ``everything`` is set for a viewer who may see all calls: trunks, too, are named.
    """
    found: dict[int, list[dict[str, Any]]] = {}
    for one in quality_of(record_ids):
        seen = {side for side in ENDS if everything or rows.row(one.record, side)}
        if seen:
            found.setdefault(one.record, []).append(_as_dict(one, zone, named=one.side in seen))
    return found


def _as_dict(measured: Measured, zone: ZoneInfo, *, named: bool) -> dict[str, Any]:
    quality = measured.quality
    return {
        "end": measured.side.word,
        "ended_at": iso(quality.ended_at, zone),
        "device": (quality.device or None) if named else None,
        "codec": quality.codec or None,
        "seconds": quality.duration,
        "mos": _decimal(quality.score),
        "mos_average": _decimal(quality.score_average),
        "mos_minimum": _decimal(quality.score_minimum),
        "mos_maximum": _decimal(quality.score_maximum),
        "jitter_ms": quality.jitter,
        "latency_ms": quality.latency,
        "packets_sent": quality.packets_sent,
        "packets_received": quality.packets_received,
        "packets_lost": quality.packets_lost,
        "octets_sent": quality.octets_sent,
        "octets_received": quality.octets_received,
        "loss_percent": _percent(loss(quality.packets_lost, quality.packets_received)),
        "concealed_percent": _percent(quality.concealment),
        "concealed_seconds": quality.concealed_seconds,
        "severely_concealed_seconds": quality.severely_concealed_seconds,
        "metrics": _metrics(quality.metrics),
    }


def _decimal(value: int | None) -> str | None:
    """Return ten-thousandths as a decimal number: 45000 is ``4.5``."""
    return None if value is None else _plain(Decimal(value) / UNIT)


def _percent(value: int | None) -> str | None:
    """Return ten-thousandths as percent: 11 is ``0.11``."""
    return None if value is None else _plain(Decimal(value) / (UNIT // 100))


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _metrics(text: str) -> dict[str, str]:
    """Return by name all that the device told."""
    return dict(part.partition("=")[::2] for part in text.split(";") if part)
