"""The driver ``webex``: the detailed call history of Webex Calling as CSV.

An internal call has two rows; the originating one is the call. What came from outside has a
terminating row alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import BinaryIO
from zoneinfo import ZoneInfo

from syncd.cdr.driver_options import DriverWithOptions, Values
from syncd.cdr.lines import RAW, read_lines, read_rows
from syncd.cdr.neutral import (
    BUSY,
    FORWARDED,
    LINE_SIDE,
    NO_ANSWER,
    TRUNK_SIDE,
    End,
    RowError,
    Times,
    call_leg,
    hashed,
    identity,
    plain_number,
)
from syncd.cdr.parts import rows_end
from syncd.cdr.times import ISO, PLAIN, Clock, seconds_of
from syncd.domain.leg import Exclusion, Leg, NotCdrError, Reject
from syncd.settings import values
from syncd.settings.option import Option

REQUIRED = ("Start time", "Duration", "Answered", "Direction", "Call type", "Report ID")

INSIDE_TYPES = frozenset({"", "SIP_ENTERPRISE", "SIP_MEETING", "UNKNOWN"})
INBOUND = "SIP_INBOUND"
PSTN = "webex-pstn"
"""Device of the trunk of a call that names none: the carrier that Webex itself brings."""

TERMINATING_ROW = "terminating row"
"""Rule of the rows that tell an internal call a second time."""

REASONS = {
    "userbusy": 1,
    "noanswer": 2,
    "unconditional": 15,
    "deflection": 18,
    "timeofday": 239,
    "donotdisturb": 242,
    "followme": 207,
    "unavailable": 178,
    "callqueue": 0,
    "huntgroup": 0,
}
"""Redirect reasons of Cisco UCM; queues and hunt groups are no parties that forward."""
TRANSFERRED = 4

OUTCOMES = {"busy": BUSY, "userbusy": BUSY, "noanswer": NO_ANSWER, "unallocatednumber": 1}

OPTIONS = (
    Option(
        "user_column",
        values.TEXT,
        "User",
        "Column whose text is the user id, such as User or User UUID.",
    ),
)


def squeezed(name: str) -> str:
    """Return a column's name or a word as it is compared: letters and digits alone."""
    return "".join(character for character in name.casefold() if character.isalnum())


class Row:
    """A row by the names of its columns; a column that is not there is empty, and so is NA."""

    __slots__ = ("_cells", "_places")

    def __init__(self, cells: list[str], places: Mapping[str, int]) -> None:
        self._cells = cells
        self._places = places

    def __call__(self, *names: str) -> str:
        """Return the first of the columns that is not empty."""
        for name in names:
            place = self._places.get(name)
            text = "" if place is None else self._cells[place].strip()
            if text and text.upper() != "NA":
                return text
        return ""


class Webex:
    """A ``webex`` source."""

    name = "webex"
    partitions = False
    grows = False
    row_quote = '"'

    def __init__(self, options: Values, zone: ZoneInfo) -> None:
        """``zone`` is of no use: all times are UTC."""
        self._user = squeezed(options["user_column"])
        self._clock = Clock(ZoneInfo("UTC"), (ISO, PLAIN))
        self._places = lru_cache(maxsize=8)(_places)

    def wants(self, name: str) -> str:
        """Return why a file of this name is not for this driver, or an empty text."""
        return ""

    def head(self, beginning: bytes) -> int:
        """Return the bytes of the header."""
        return rows_end(beginning, 1, self.row_quote)

    def rows(self, stream: BinaryIO, name: str) -> Iterator[tuple[int, Leg | Exclusion | Reject]]:
        """Yield (line number, leg, exclusion or reject) for each row.

        Raises NotCdrError when the first row does not name the columns of a call history.
        """
        lines = read_lines(stream)
        first = next(read_rows(lines), None)
        if first is None:
            raise NotCdrError("the file is empty")
        header, width = first.cells, len(first.cells)
        places = self._places(tuple(header))
        for row in read_rows(lines, fits=lambda cells: len(cells) == width):
            trouble = row.trouble
            if not trouble and row.cells == header:
                continue  # reports that were put one after the other
            if not trouble and len(row.cells) != width:
                trouble = f"{len(row.cells)} columns where the header has {width}"
            if not trouble:
                try:
                    yield row.number, self._leg(row.cells, places)
                    continue
                except ValueError as error:
                    trouble = str(error)
            yield row.number, Reject(row.number, trouble, row.text[:RAW])

    def _leg(self, cells: list[str], places: Mapping[str, int]) -> Leg | Exclusion:
        """Return what a row stands for. Raises ValueError."""
        row = Row(cells, places)
        direction, call_type = row("direction").upper(), row("calltype").upper()
        if direction not in ("ORIGINATING", "TERMINATING"):
            raise RowError(f"the direction is {row('direction')[:40]!r}")
        originating = direction == "ORIGINATING"
        calling = plain_number(row("callingnumber", "usernumber" if originating else ""))
        calling = calling or plain_number(row("callinglineid"))
        called = plain_number(row("callednumber", "dialeddigits", "calledlineid"))
        if not called and not originating:
            called = plain_number(row("usernumber"))
        user, device = row(self._user), row("devicemac", "usernumber", self._user)
        from_outside = call_type == INBOUND
        to_outside = originating and not from_outside and call_type not in INSIDE_TYPES
        trunk_in, trunk_out = row("inboundtrunk"), row("outboundtrunk")
        incoming = TRUNK_SIDE if from_outside or (trunk_in and not originating) else LINE_SIDE
        outgoing = TRUNK_SIDE if to_outside or (trunk_out and originating) else LINE_SIDE
        orig_device = (trunk_in or PSTN) if incoming else device if originating else calling
        dest_device = (trunk_out or PSTN) if outgoing else called if originating else device
        redirecting = plain_number(row("redirectingnumber"))
        call_id = row("correlationid")
        leg = call_leg(
            cells,
            self._times(row),
            End(orig_device, incoming),
            End(dest_device, outgoing),
            cause=_cause(row),
            key=identity(row("reportid")),
            tied=1 if call_id else 0,
            call_ref=hashed(call_id),
            calling_number=calling,
            calling_user=user if originating else "",
            original_number=plain_number(row("dialeddigits")) or called,
            final_number=called,
            final_user="" if originating else user,
            redirecting_number=redirecting,
            authorization_code=row("authorizationcode"),
            last_redirect_reason=_reason(row) if redirecting else 0,
        )
        if not originating and not incoming:
            return Exclusion(leg._replace(tied=0), TERMINATING_ROW)
        return leg

    def _times(self, row: Row) -> Times:
        """Raises ValueError."""
        start = self._clock.at(row("starttime"))
        ring = seconds_of(row("ringduration") or "0")
        duration = seconds_of(row("duration") or "0")
        answer, release = row("answertime"), row("releasetime")
        answered = row("answered").lower()
        if answered not in ("true", "false"):
            raise RowError(f"answered is {row('answered')[:40]!r}")
        if answered == "false":
            return Times(start, 0, self._clock.at(release) if release else start + ring, 0)
        connect = self._clock.at(answer) if answer else start + ring
        end = self._clock.at(release) if release else connect + duration
        return Times(start, connect, end, duration)


def _places(header: tuple[str, ...]) -> dict[str, int]:
    """Return where the columns are, by name. Raises NotCdrError."""
    places: dict[str, int] = {}
    for index, name in enumerate(header):
        places.setdefault(squeezed(name), index)
    missing = [name for name in REQUIRED if squeezed(name) not in places]
    if missing:
        raise NotCdrError(f"the header lacks {', '.join(missing)}")
    return places


def _reason(row: Row) -> int:
    if "transfer" in squeezed(row("relatedreason")):
        return TRANSFERRED
    return REASONS.get(squeezed(row("redirectreason", "originalreason")), FORWARDED)


def _cause(row: Row) -> int:
    """Return the cause of a call that was not answered."""
    return OUTCOMES.get(squeezed(row("calloutcomereason")), NO_ANSWER)


webex = DriverWithOptions("webex", "Webex Calling's detailed call history as CSV", OPTIONS, Webex)
