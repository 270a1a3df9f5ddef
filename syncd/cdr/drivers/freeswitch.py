"""The driver ``freeswitch``: rows of mod_cdr_csv, whose values are quoted but never escaped."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

from syncd.cdr.driver_options import DriverWithOptions, OptionProblem, OptionsError, Values
from syncd.cdr.drivers.line_driver import LineDriver
from syncd.cdr.drivers.table_options import ENCODING, TIMEZONE
from syncd.cdr.lines import cells_of
from syncd.cdr.neutral import (
    LINE_SIDE,
    TRUNK_SIDE,
    End,
    RowError,
    Times,
    Trunks,
    call_leg,
    hashed,
    identity,
    plain_number,
)
from syncd.cdr.times import Clock, seconds_of
from syncd.domain.leg import Exclusion, Leg
from syncd.settings import values
from syncd.settings.option import Option
from syncd.settings.values import BadValue, Kind

EXAMPLE = (
    *("caller_id_name", "caller_id_number", "destination_number", "context", "start_stamp"),
    *("answer_stamp", "end_stamp", "duration", "billsec", "hangup_cause", "uuid", "bleg_uuid"),
    *("accountcode", "read_codec", "write_codec"),
)
TEMPLATES = {
    "example": EXAMPLE,
    "linksys": (*EXAMPLE, "sip_user_agent", "sip_p_rtp_stat"),
    "snom": (
        *(*EXAMPLE, "sip_user_agent", "call_clientcode", "sip_rtp_rxstat", "sip_rtp_txstat"),
        "sofia_record_file",
    ),
    "asterisk": (
        *("accountcode", "caller_id_number", "destination_number", "context", "caller_id"),
        *("channel_name", "bridge_channel", "last_app", "last_arg", "start_stamp"),
        *("answer_stamp", "end_stamp", "duration", "billsec", "hangup_cause", "amaflags", "uuid"),
        "userfield",
    ),
}
NEEDED = (
    *("caller_id_number", "destination_number", "start_stamp", "answer_stamp", "end_stamp"),
    *("billsec", "hangup_cause", "uuid"),
)
FREE = ("caller_id_name", "caller_id", "last_arg", "sip_user_agent", "userfield")
"""Columns whose text may hold what looks like the end of a value."""

CAUSES = {
    name: number
    for number, name in (
        (1, "UNALLOCATED_NUMBER"),
        (2, "NO_ROUTE_TRANSIT_NET"),
        (3, "NO_ROUTE_DESTINATION"),
        (6, "CHANNEL_UNACCEPTABLE"),
        (16, "NORMAL_CLEARING"),
        (17, "USER_BUSY"),
        (18, "NO_USER_RESPONSE"),
        (19, "NO_ANSWER"),
        (20, "SUBSCRIBER_ABSENT"),
        (21, "CALL_REJECTED"),
        (22, "NUMBER_CHANGED"),
        (25, "EXCHANGE_ROUTING_ERROR"),
        (26, "LOSE_RACE"),
        (27, "DESTINATION_OUT_OF_ORDER"),
        (28, "INVALID_NUMBER_FORMAT"),
        (29, "FACILITY_REJECTED"),
        (31, "NORMAL_UNSPECIFIED"),
        (34, "NORMAL_CIRCUIT_CONGESTION"),
        (38, "NETWORK_OUT_OF_ORDER"),
        (41, "NORMAL_TEMPORARY_FAILURE"),
        (42, "SWITCH_CONGESTION"),
        (44, "REQUESTED_CHAN_UNAVAIL"),
        (50, "FACILITY_NOT_SUBSCRIBED"),
        (52, "OUTGOING_CALL_BARRED"),
        (54, "INCOMING_CALL_BARRED"),
        (57, "BEARERCAPABILITY_NOTAUTH"),
        (58, "BEARERCAPABILITY_NOTAVAIL"),
        (63, "SERVICE_UNAVAILABLE"),
        (69, "FACILITY_NOT_IMPLEMENTED"),
        (79, "SERVICE_NOT_IMPLEMENTED"),
        (88, "INCOMPATIBLE_DESTINATION"),
        (102, "RECOVERY_ON_TIMER_EXPIRE"),
        (111, "PROTOCOL_ERROR"),
        (127, "INTERWORKING"),
        (18, "USER_NOT_REGISTERED"),
        (19, "ALLOTTED_TIMEOUT"),
        (19, "PROGRESS_TIMEOUT"),
    )
}
"""Q.850 by name; the last three are FreeSWITCH's own."""

GIVEN_UP = ("NORMAL_CLEARING", "ORIGINATOR_CANCEL", "PICKED_OFF")
"""What ends an unanswered call on the calling side."""

B_LEG = "b leg"
"""Rule of the rows that tell a bridged call a second time."""

OUTSIDE = "outside"
"""Device of the trunk of a call whose channels the template does not name."""

_BETWEEN = re.compile(r'"\s*,\s*"')
_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_CAUSE = re.compile(r"[A-Z0-9_]*", re.ASCII)


def _columns(text: str, base: Path) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in values.one_line(text).split(","))
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise BadValue(f"{', '.join(missing)} must be there", f"such as {', '.join(EXAMPLE)}")
    return names


def _regex(text: str, base: Path) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise BadValue(f"{text!r} is not a regular expression: {error}") from None


OPTIONS = (
    Option(
        "template",
        values.choice(*TEMPLATES),
        "example",
        "The template of cdr_csv.conf.xml by which rows are written.",
    ),
    Option(
        "columns",
        Kind("names", _columns, ()),
        "",
        "Names of the columns in order, separated by commas, of a template of your own.",
        ", ".join((*EXAMPLE, "direction")),
    ),
    Option(
        "legs",
        values.choice("a", "ab"),
        "a",
        "The legs that cdr_csv.conf.xml has written. With ab every bridged call has two rows: the"
        " b leg's is the one with outbound in a column direction, and where there is no such"
        " column, of two rows that name each other the one with the greater uuid.",
    ),
    Option("encoding", ENCODING, "utf-8", "Encoding of the text."),
    TIMEZONE,
    Option(
        "trunks",
        values.WORDS,
        "sofia/external/* sofia/gateway/*",
        "Channels that are trunks, * and ? as usual. The device of one is its profile and host,"
        " such as sofia/external/sip.example.com.",
    ),
    Option(
        "incoming_contexts",
        values.WORDS,
        "public",
        "Contexts in which calls from outside arrive. Where the template names no channels, the"
        " context is the trunk's device.",
    ),
    Option(
        "outside_numbers",
        Kind("regular expression", _regex, None),
        "",
        "Which called numbers leave the house, where the template names no channels; the trunk's"
        f" device is then {OUTSIDE}.",
        r"^(\+|0)\d{5,}",
    ),
)


class FreeSwitch(LineDriver):
    """A ``freeswitch`` source."""

    name = "freeswitch"

    def __init__(self, options: Values, zone: ZoneInfo) -> None:
        """Raises OptionsError when two columns have one name."""
        self._columns: tuple[str, ...] = options["columns"] or TEMPLATES[options["template"]]
        if len(set(self._columns)) < len(self._columns):
            raise OptionsError([OptionProblem("columns", "a name stands twice", "remove one")])
        self._both = options["legs"] == "ab"
        self.encoding = options["encoding"]
        self._clock = Clock(options["timezone"] or zone)
        self._trunks = Trunks(options["trunks"])
        self._contexts = Trunks(options["incoming_contexts"])
        self._outside: re.Pattern[str] | None = options["outside_numbers"]
        self._start = self._columns.index("start_stamp")
        self._cause = self._columns.index("hangup_cause")

    def _cells(self, text: str) -> list[str]:
        """Return the values of a row, although those in quotes are not escaped. Raises ValueError.

        What looks like the end of a value within a free text makes columns too many: they are
        joined where time and cause then stand in their places.
        """
        width = len(self._columns)
        if len(text) > 1 and text[0] == text[-1] == '"':
            cells = _BETWEEN.split(text[1:-1])
        else:
            cells = cells_of(text)
        surplus = len(cells) - width
        if 0 < surplus <= 8:
            for index in (self._columns.index(name) for name in FREE if name in self._columns):
                joined = '","'.join(cells[index : index + surplus + 1])
                trial = [*cells[:index], joined, *cells[index + surplus + 1 :]]
                if self._in_place(trial):
                    return trial
        if surplus:
            raise RowError(f"{len(cells)} columns where {width} are expected")
        return cells

    def _in_place(self, cells: list[str]) -> bool:
        return bool(_STAMP.fullmatch(cells[self._start]) and _CAUSE.fullmatch(cells[self._cause]))

    def leg(self, text: str) -> Leg | Exclusion:
        """Return what a line stands for. Raises ValueError."""
        cells = self._cells(text.strip())
        row = dict(zip(self._columns, (cell.strip() for cell in cells), strict=True))
        cause = row["hangup_cause"].upper()
        if not _CAUSE.fullmatch(cause):
            raise RowError(f"the hangup cause is {row['hangup_cause'][:40]!r}")
        whole, answer = row.get("duration", ""), row["answer_stamp"]
        start, end = self._clock.span(
            row["start_stamp"], row["end_stamp"], seconds_of(whole) if whole else None
        )
        connect = self._clock.at(answer, start) if answer else 0
        uuid, other = row["uuid"], row.get("bleg_uuid", "")
        leg = call_leg(
            cells,
            Times(start, connect, end, seconds_of(row["billsec"]) if connect else 0),
            End(*self._orig(row), hashed(uuid)),
            End(*self._dest(row), hashed(other)),
            cause=CAUSES.get(cause, 31),
            given_up=cause in GIVEN_UP,
            key=identity(uuid),
            tied=1 if other else 0,
            call_ref=hashed(uuid),
            calling_number=plain_number(row["caller_id_number"]),
            final_number=plain_number(row["destination_number"]),
            authorization_code=row.get("accountcode", ""),
        )
        if self._both and self._is_second(row.get("direction"), uuid, other):
            return Exclusion(leg._replace(tied=0), B_LEG)
        return leg

    @staticmethod
    def _is_second(direction: str | None, uuid: str, other: str) -> bool:
        if direction is not None:
            return direction.lower() == "outbound"
        return bool(other) and uuid > other

    def _orig(self, row: dict[str, str]) -> tuple[str, int]:
        """Return device and protocol of the calling side."""
        context = row.get("context", "")
        side = TRUNK_SIDE if self._contexts.side(context) else LINE_SIDE
        channel = row.get("channel_name", "")
        if not channel:
            return (context if side else row["caller_id_number"]), side
        if self._trunks.side(channel):
            side = TRUNK_SIDE
        return (trunk_of(channel) if side else channel), side

    def _dest(self, row: dict[str, str]) -> tuple[str, int]:
        """Return device and protocol of the called side; no device where none was reached."""
        number = row["destination_number"]
        if "bridge_channel" not in row:
            if self._outside is not None and self._outside.search(number):
                return OUTSIDE, TRUNK_SIDE
            return number, LINE_SIDE
        channel = row["bridge_channel"]
        if channel and self._trunks.side(channel):
            return trunk_of(channel), TRUNK_SIDE
        return channel, LINE_SIDE


def trunk_of(channel: str) -> str:
    """Return a trunk's device, given the channel of a call on it: without the number."""
    technology, _, rest = channel.partition("/")
    profile, _, peer = rest.partition("/")
    if profile == "gateway":
        return f"{technology}/gateway/{peer.partition('/')[0]}"
    host = peer.rpartition("@")[2] if "@" in peer else ""
    return "/".join(part for part in (technology, profile, host) if part)


freeswitch = DriverWithOptions(
    "freeswitch", "FreeSWITCH's Master.csv (mod_cdr_csv)", OPTIONS, FreeSwitch
)
