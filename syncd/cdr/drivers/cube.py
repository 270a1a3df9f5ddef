"""The driver ``cube``: accounting files of Cisco gateways and CUBE (``gw-accounting file``).

A row is one leg of a call as the gateway sees it: what came in (``answer``) or what it sent on
(``originate``). The leg on a trunk to a carrier is what is billed; the leg towards the house says
the same call a second time. All legs of a call share a conference id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from syncd.cdr.driver_options import DriverWithOptions, Values
from syncd.cdr.drivers.line_driver import LineDriver
from syncd.cdr.drivers.table_options import TIMEZONE
from syncd.cdr.lines import cells_of
from syncd.cdr.neutral import (
    LINE_SIDE,
    NORMAL,
    TRUNK_SIDE,
    End,
    RowError,
    Times,
    call_leg,
    hashed,
    identity,
    plain_number,
)
from syncd.cdr.times import LATEST, Clock
from syncd.domain.leg import Exclusion, Leg
from syncd.settings import values
from syncd.settings.option import Option

COMPACT = 23
"""Columns of the compact template; the detailed one goes on from there."""

UNIX_TIME, CALL, LEG_TYPE, CONFERENCE = 0, 1, 3, 4
SETUP, CONNECT, DISCONNECT, CAUSE, CAUSE_TEXT, ORIGIN = 7, 9, 10, 11, 12, 13
USERNAME, CALLING, CALLED, PEER, ACCOUNT, MEDIA = 20, 21, 22, 26, 32, 71
OUT_GROUP, IN_GROUP, CODE = 81, 84, 128
CALLED_AFTER, CALLING_AFTER, REDIRECTING_AFTER = 98, 99, 100
CALLED_BEFORE, CALLING_BEFORE, REDIRECTING = 93, 94, 97

LEG_TYPES = {"1": "telephony", "2": "voip"}
INSIDE_LEG = "inside leg"
"""Rule of the rows of legs that are on no trunk to a carrier."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME = re.compile(
    r"[*.]?(\d\d:\d\d:\d\d)(?:\.\d+)?\s+(\S+)\s+[A-Z][a-z]{2}\s+([A-Z][a-z]{2})\s+(\d{1,2})\s+(\d{4})",
    re.ASCII,
)
_IN_BRACKETS = re.compile(r"\((\d{1,3})\)")

OPTIONS = (
    Option(
        "trunks",
        values.WORDS,
        None,
        "The legs that are on a trunk to a carrier, * and ? as usual: names of trunk groups,"
        " peer-N for dial peer N, addresses of the media's far end, or telephony for every leg that"
        " is not VoIP. The word that fits is the trunk's device.",
        "peer-200 ITSP*",
    ),
    TIMEZONE,
)


class Cube(LineDriver):
    """A ``cube`` source."""

    name = "cube"

    def __init__(self, options: Values, zone: ZoneInfo) -> None:
        self._trunks: tuple[str, ...] = options["trunks"]
        self._clock = Clock(options["timezone"] or zone)
        self._utc = Clock(ZoneInfo("UTC"))

    def leg(self, text: str) -> Leg | Exclusion:
        """Return what a line stands for. Raises ValueError."""
        cells = cells_of(text)
        if len(cells) < COMPACT:
            raise RowError(f"{len(cells)} columns, fewer than {COMPACT}")
        row = [cell.strip() for cell in cells] + [""] * (CODE + 1 - len(cells))
        if row[ORIGIN] not in ("answer", "originate"):
            raise RowError(f"the leg is {row[ORIGIN][:40]!r}, neither answer nor originate")
        incoming = row[ORIGIN] == "answer"
        cause = _cause(row[CAUSE], row[CAUSE_TEXT])
        calling = _number(row, CALLING, CALLING_AFTER, CALLING_BEFORE)
        called = _number(row, CALLED, CALLED_AFTER, CALLED_BEFORE)
        redirecting = _number(row, REDIRECTING_AFTER, REDIRECTING)
        names = _names_of(row, incoming)
        device = self._trunk(names)
        here = hashed(row[CONFERENCE], row[CALL])
        trunk = End(device or names[0], TRUNK_SIDE if device else LINE_SIDE, here)
        leg = call_leg(
            cells,
            self._times(row, cause),
            trunk if incoming else End(calling),
            End(called) if incoming else trunk,
            cause=cause,
            key=identity(row[CONFERENCE], row[CALL]),
            tied=1,
            call_ref=hashed(row[CONFERENCE]),
            calling_number=calling,
            calling_user=row[USERNAME] if row[USERNAME] != calling else "",
            final_number=called,
            redirecting_number=redirecting,
            authorization_code=row[CODE] or row[ACCOUNT],
        )
        return leg if device else Exclusion(leg._replace(tied=0), INSIDE_LEG)

    def _trunk(self, names: Sequence[str]) -> str:
        """Return the first name that is listed as a trunk, empty when none is."""
        for name in names:
            if any(fnmatchcase(name, pattern) for pattern in self._trunks):
                return name
        return ""

    def _times(self, row: list[str], cause: int) -> Times:
        """Return set-up, connect and disconnect. Raises ValueError.

        The row was written when the leg ended, at an epoch time that needs no zone: it tells which
        of the two hours is meant when clocks are put back.
        """
        written = row[UNIX_TIME]
        if not (written.isascii() and written.isdigit() and 0 < int(written) <= LATEST):
            raise RowError(f"{written[:40]!r} is not an epoch time")
        moment = int(written)
        end = min(self._moments(row[DISCONNECT]), key=lambda found: abs(found - moment))
        start = _last(self._moments(row[SETUP]), end)
        if not row[CONNECT]:
            return Times(start, 0, end, 0)
        connect = _last(self._moments(row[CONNECT]), end)
        # A leg that failed has its end for a connect time.
        if connect == end and cause not in (0, NORMAL):
            return Times(start, 0, end, 0)
        return Times(start, connect, end, end - connect)

    def _moments(self, text: str) -> tuple[int, ...]:
        found = _TIME.fullmatch(text)
        if not found or found[3] not in _MONTHS:
            raise RowError(f"{text[:40]!r} is not a time")
        clock, zone, month, day, year = found.groups()
        plain = f"{year}-{_MONTHS.index(month) + 1:02}-{int(day):02} {clock}"
        return (self._utc if zone in ("UTC", "GMT") else self._clock).moments(plain)


def _last(moments: Sequence[int], end: int) -> int:
    """Return the last moment that is not after the end, else the first."""
    return max((moment for moment in moments if moment <= end), default=moments[0])


def _number(row: list[str], *places: int) -> str:
    """Return the first number that is there, without the type of number before ``#:``."""
    for place in places:
        text = row[place].rpartition("#:")[2].strip()
        if text:
            return plain_number(text)
    return ""


def _names_of(row: list[str], incoming: bool) -> list[str]:
    """Return the names by which a leg's far end may be listed, at least one."""
    group = row[IN_GROUP if incoming else OUT_GROUP]
    kind = LEG_TYPES.get(row[LEG_TYPE], f"type-{row[LEG_TYPE]}")
    peer = f"peer-{row[PEER]}" if row[PEER] else ""
    return [name for name in (group, peer, row[MEDIA], kind) if name]


def _cause(code: str, text: str) -> int:
    """Return the Q.850 cause: the number in the text, which is decimal, else the hexadecimal one."""
    found = _IN_BRACKETS.search(text)
    if found:
        return int(found[1])
    try:
        return int(code, 16) & 0x7F
    except ValueError:
        return 0


cube = DriverWithOptions(
    "cube", "accounting files of Cisco gateways and CUBE (gw-accounting file)", OPTIONS, Cube
)
