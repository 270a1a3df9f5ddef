"""Columns of CDR rows that tests type in: devices, and the ends of a leg."""

from __future__ import annotations

from typing import Any

from tests.support.bed import START

GATEWAY = "S0/SU0/DS1-0@vg01.example.com"


def phone(number: str) -> str:
    """Return the device name of the phone of an extension."""
    return f"SEP0011223{int(number[-4:]):05X}"


def leg(
    call: int,
    orig: int,
    dest: int,
    calling: str,
    called: str,
    *,
    at: int = 0,
    ring: int = 5,
    talk: int | None = 60,
    **columns: Any,
) -> dict[str, Any]:
    """Return the columns of a record: call id, leg ids, numbers; it starts ``at`` seconds after
    START, rings, and talks (None: never connected). A number of four digits is a phone, a longer
    one comes and goes by the gateway."""
    start = START + at
    connect = start + ring if talk is not None else 0
    given: dict[str, Any] = {
        "cdrRecordType": 1,
        "globalCallID_callManagerId": 1,
        "globalCallID_callId": call,
        "origLegCallIdentifier": orig,
        "destLegIdentifier": dest,
        "dateTimeOrigination": start,
        "dateTimeConnect": connect,
        "dateTimeDisconnect": start + ring + (talk or 0),
        "duration": talk or 0,
        "callingPartyNumber": calling,
        "finalCalledPartyNumber": called,
        "originalCalledPartyNumber": called,
        "lastRedirectDn": called,
        "origDeviceName": phone(calling) if len(calling) == 4 else GATEWAY,
        "destDeviceName": phone(called) if len(called) == 4 else GATEWAY,
        "IncomingProtocolID": 0 if len(calling) == 4 else 4,
        "OutgoingProtocolID": 0 if len(called) == 4 else 4,
        "calledPartyPatternUsage": 2 if len(called) == 4 else 5,
        "origCause_value": 16,
        "destCause_value": 0,
        "origCallTerminationOnBehalfOf": 12,
        "pkid": f"{call:08x}-0000-0000-{orig:04x}-{dest:012x}",
        "globalCallId_ClusterID": "StandAloneCluster",
    }
    if len(called) > 4:
        given["finalCalledPartyPattern"] = "0.!"
    return {**given, **columns}


SPLIT: dict[str, Any] = {
    "origCause_value": 393216,
    "destCause_value": 393216,
    "origCallTerminationOnBehalfOf": 10,
    "destCallTerminationOnBehalfOf": 10,
}
"""Ended by a transfer: the legs go on in another record."""


def transferred(by: str) -> dict[str, Any]:
    """Return the columns of the record that follows a transfer."""
    return {
        "lastRedirectDn": by,
        "lastRedirectRedirectReason": 4,
        "lastRedirectRedirectOnBehalfOf": 10,
        "joinOnBehalfOf": 10,
    }
