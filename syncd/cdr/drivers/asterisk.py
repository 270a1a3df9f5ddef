"""The driver ``asterisk``: Master.csv of cdr_csv, in its four widths, or columns of your own.

The disposition alone tells whether a call was answered: a dial after an earlier answer leaves an
answer time and billed seconds on rows that nobody answered.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from syncd.cdr.driver_options import DriverWithOptions, OptionProblem, OptionsError, Values
from syncd.cdr.drivers.line_driver import LineDriver
from syncd.cdr.drivers.table_options import ENCODING, TIMEZONE, TRUNKS
from syncd.cdr.lines import cells_of
from syncd.cdr.neutral import (
    BUSY,
    CONGESTION,
    LINE_SIDE,
    NO_ANSWER,
    NORMAL,
    TEMPORARY_FAILURE,
    TRUNK_SIDE,
    End,
    RowError,
    Times,
    Trunks,
    call_leg,
    content_key,
    hashed,
    identity,
    plain_number,
)
from syncd.cdr.times import Clock, seconds_of
from syncd.domain.leg import Exclusion, Leg
from syncd.settings import values
from syncd.settings.option import Option
from syncd.settings.values import BadValue, Kind

BASIC = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp"),
    *("lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
)
UNIQUEID, USERFIELD = ("uniqueid",), ("userfield",)
LAYOUTS = {
    16: BASIC,
    17: BASIC + UNIQUEID,
    18: BASIC + UNIQUEID + USERFIELD,
    21: BASIC + UNIQUEID + USERFIELD + ("peeraccount", "linkedid", "sequence"),
}
NEEDED = ("src", "dst", "channel", "start", "end", "billsec", "disposition")

ANSWERED = "ANSWERED"
CAUSES = {
    ANSWERED: NORMAL,
    "NO ANSWER": NO_ANSWER,
    "BUSY": BUSY,
    "FAILED": TEMPORARY_FAILURE,
    "CONGESTION": CONGESTION,
}
TWIN = "local channel"
"""Rule of the rows of a Local/ channel's halves: what they connect has a row of its own."""

_ISDN = re.compile(r"(DAHDI/i\d+)/.*")
_INSTANCE = re.compile(r"-[0-9a-fA-F]{6,}(;[12])?$|-\d+$|;[12]$")


def _columns(text: str, base: Path) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in values.one_line(text).split(","))
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise BadValue(f"{', '.join(missing)} must be there", f"such as {', '.join(BASIC)}")
    return names


OPTIONS = (
    Option(
        "columns",
        Kind("names", _columns, ()),
        "",
        "Names of the columns in order, separated by commas, for cdr_custom; a name that the driver"
        " does not know is passed over. Without it the width of a row tells: 16, 17, 18 or 21.",
        "clid, src, dst, dcontext, channel, dstchannel, lastapp, lastdata, start, answer, end,"
        " duration, billsec, disposition, amaflags, accountcode, uniqueid, linkedid, sequence",
    ),
    Option("encoding", ENCODING, "utf-8", "Encoding of the text."),
    TIMEZONE,
    TRUNKS,
    Option(
        "incoming_contexts",
        values.WORDS,
        "from-trunk* from-pstn*",
        "Contexts in which calls from outside arrive: their channel is a trunk's.",
    ),
)


def device_of(channel: str) -> str:
    """Return the device of a channel: its name without what tells this call from others."""
    span = _ISDN.fullmatch(channel)
    return span.group(1) if span else _INSTANCE.sub("", channel)


class Asterisk(LineDriver):
    """An ``asterisk`` source."""

    name = "asterisk"

    def __init__(self, options: Values, zone: ZoneInfo) -> None:
        """Raises OptionsError when two columns have one name."""
        columns = options["columns"]
        if len(set(columns)) < len(columns):
            raise OptionsError([OptionProblem("columns", "a name stands twice", "remove one")])
        self._layouts = {len(columns): columns} if columns else LAYOUTS
        self.encoding = options["encoding"]
        self._clock = Clock(options["timezone"] or zone)
        self._trunks = Trunks(options["trunks"])
        self._incoming = Trunks(options["incoming_contexts"])
        self._device = lru_cache(maxsize=4096)(device_of)

    def leg(self, text: str) -> Leg | Exclusion:
        """Return what a line stands for. Raises ValueError."""
        cells = cells_of(text)
        layout = self._layouts.get(len(cells))
        if layout is None:
            widths = " or ".join(map(str, self._layouts))
            raise RowError(f"{len(cells)} columns, not {widths}")
        row = dict(zip(layout, cells, strict=True))
        disposition = row["disposition"].strip().upper()
        if disposition not in CAUSES:
            raise RowError(f"the disposition is {row['disposition'][:40]!r}")
        times = self._times(row, disposition == ANSWERED)
        unique, linked = row.get("uniqueid", ""), row.get("linkedid", "")
        sequence = row.get("sequence", "")
        if unique and sequence:
            key = identity(unique, sequence)
        else:
            # Several rows of a forked dial share a unique id: what they say tells them apart.
            key = identity(unique, content_key(cells)) if unique else content_key(cells)
        channel, other = row["channel"], row.get("dstchannel", "")
        calling, called = self._device(channel), self._device(other)
        incoming = self._trunks.side(calling)
        if self._incoming.side(row.get("dcontext", "")):
            incoming = TRUNK_SIDE
        call = linked or unique
        leg = call_leg(
            cells,
            times,
            End(calling, incoming, hashed(call, channel) if call and channel else 0),
            End(
                called,
                self._trunks.side(called) if called else LINE_SIDE,
                hashed(call, other) if call and other else 0,
            ),
            cause=CAUSES[disposition],
            key=key,
            tied=1 if call else 0,
            call_ref=hashed(call),
            calling_number=plain_number(row["src"]),
            final_number=plain_number(row["dst"]),
            authorization_code=row.get("accountcode", ""),
        )
        if channel.startswith("Local/"):
            return Exclusion(leg._replace(tied=0), TWIN)
        return leg

    def _times(self, row: dict[str, str], answered: bool) -> Times:
        """Raises ValueError."""
        whole = row.get("duration", "")
        start, end = self._clock.span(
            row["start"], row["end"], seconds_of(whole) if whole else None
        )
        if not answered:
            return Times(start, 0, end, 0)
        talk = seconds_of(row["billsec"])
        answer = row.get("answer", "")
        connect = self._clock.at(answer, start) if answer else max(start, end - talk)
        return Times(start, connect, end, talk)


asterisk = DriverWithOptions(
    "asterisk", "Asterisk's Master.csv (cdr_csv) and files of cdr_custom", OPTIONS, Asterisk
)
