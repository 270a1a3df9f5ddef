"""The driver ``kamailio``: accounting rows of Kamailio and OpenSIPS, as db_flatstore writes them.

A call that was answered has a row for its INVITE and one for its BYE, in any order; only the two
together say how long it was. A call that was not has a row for its INVITE alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from syncd.cdr.driver_options import DriverWithOptions, OptionProblem, OptionsError, Values
from syncd.cdr.drivers.line_driver import LineDriver
from syncd.cdr.drivers.table_options import DATE_FORMAT, ENCODING, TIMEZONE
from syncd.cdr.lines import RAW, Line, read_lines
from syncd.cdr.neutral import (
    BUSY,
    LINE_SIDE,
    NO_ANSWER,
    REJECTED,
    TEMPORARY_FAILURE,
    TRUNK_SIDE,
    End,
    RowError,
    Times,
    Trunks,
    call_leg,
    hashed,
    identity,
    neutral_leg,
    plain_number,
)
from syncd.cdr.times import Clock
from syncd.domain.leg import LONGEST_TEXT, TOO_LONG, Exclusion, Leg, NotCdrError, Reject
from syncd.settings import values
from syncd.settings.option import Option
from syncd.settings.values import BadValue, Kind

FIXED = ("method", "from_tag", "to_tag", "callid", "sip_code", "sip_reason", "time")
EXTRA = ("src_user", "src_domain", "src_ip", "dst_ouser", "dst_user", "dst_domain")

OTHER_HALF = "other half"
"""Rule of the rows that end a call whose INVITE tells of it."""
WITHIN_CALL = "within a call"
"""Rule of the rows of further requests within a call, such as a re-INVITE or a second BYE."""
CHALLENGE = "challenge"
"""Rule of the INVITEs that are sent again with credentials."""

WAITS_FOR_BYE = "the call has no BYE yet"
WAITS_FOR_INVITE = "the INVITE of the call is not known"

CHALLENGES = ("401", "407")
CAUSES = {
    **dict.fromkeys(("404", "410", "484", "604"), 1),
    **dict.fromkeys(("486", "600"), BUSY),
    **dict.fromkeys(("403", "603"), REJECTED),
    **dict.fromkeys(("500", "502", "503", "504"), TEMPORARY_FAILURE),
    "480": 18,
    "408": 18,
    "487": NO_ANSWER,
}
"""Q.850 by SIP code, as RFC 3398 has it; what is not listed is no answer."""
CANCELLED = "487"

_CODE = re.compile(r"[1-6]\d\d", re.ASCII)


def _columns(text: str, base: Path) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in values.one_line(text).split(","))
    if names[: len(FIXED)] != FIXED:
        raise BadValue("the first seven columns are always the same", ", ".join(FIXED))
    return names


OPTIONS = (
    Option(
        "columns",
        Kind("names", _columns, ()),
        ", ".join((*FIXED, *EXTRA)),
        "Names of the columns in order, separated by commas: the seven that are always there, then"
        " those of db_extra. A row of a call that failed may lack the latter.",
    ),
    Option(
        "calling",
        values.TEXT,
        "src_user",
        "Column of the calling number.",
    ),
    Option(
        "called",
        values.TEXT,
        "dst_user",
        "Column of the called number.",
    ),
    Option(
        "date_format",
        DATE_FORMAT.kind,
        "epoch | %Y-%m-%d %H:%M:%S",
        DATE_FORMAT.text,
    ),
    Option("encoding", ENCODING, "utf-8", "Encoding of the text."),
    TIMEZONE,
    Option(
        "trunks",
        values.WORDS,
        "",
        "Addresses and domains of carriers, * and ? as usual: a call whose src_ip or src_domain fits"
        " comes from outside, one whose dst_domain fits leaves the house. The word that fits is the"
        " trunk's device.",
        "192.0.2.* sip.telco.example",
    ),
)


@dataclass(slots=True)
class _Request:
    """A row that was understood, and what becomes of it."""

    line: Line
    row: Mapping[str, str]
    cells: list[str]
    at: int
    item: Leg | Exclusion | Reject | None = None

    @property
    def code(self) -> str:
        return self.row["sip_code"]


@dataclass(slots=True)
class _Dialog:
    """The rows of one call."""

    invites: list[_Request] = field(default_factory=list)
    byes: list[_Request] = field(default_factory=list)


class Kamailio(LineDriver):
    """A ``kamailio`` source."""

    name = "kamailio"
    waits = (WAITS_FOR_BYE, WAITS_FOR_INVITE)

    def __init__(self, options: Values, zone: ZoneInfo) -> None:
        """Raises OptionsError when a column is named that is not there."""
        self._columns: tuple[str, ...] = options["columns"]
        self._calling, self._called = options["calling"], options["called"]
        problems = [
            OptionProblem(
                option, f"there is no column {name}", f"one of {', '.join(self._columns)}"
            )
            for option, name in (("calling", self._calling), ("called", self._called))
            if name not in self._columns
        ]
        if len(set(self._columns)) < len(self._columns):
            problems.append(OptionProblem("columns", "a name stands twice", "remove one"))
        if problems:
            raise OptionsError(problems)
        self.encoding = options["encoding"]
        self._clock = Clock(options["timezone"] or zone, options["date_format"])
        self._trunks = Trunks(options["trunks"])

    def rows(self, stream: BinaryIO, name: str) -> Iterator[tuple[int, Leg | Exclusion | Reject]]:
        """Yield (line number, leg, exclusion or reject) for each row, once all are read: the halves
        of a call may lie far from each other. Half a call is a reject that can be retried.

        Raises NotCdrError for an empty file.
        """
        found: list[_Request | Reject] = []
        dialogs: dict[tuple[str, frozenset[str]], _Dialog] = {}
        for line in read_lines(stream, self.encoding):
            trouble = line.trouble
            if not trouble:
                try:
                    request = self._request(line)
                    self._sort(request, dialogs)
                    found.append(request)
                    continue
                except ValueError as error:
                    trouble = str(error)
            found.append(Reject(line.number, trouble, line.text[:RAW]))
        if not found:
            raise NotCdrError("the file is empty")
        for dialog in dialogs.values():
            self._settle(dialog)
        for one in found:
            if isinstance(one, Reject):
                yield one.line, one
            elif one.item is not None:
                yield one.line.number, one.item

    def _request(self, line: Line) -> _Request:
        """Return what a row says. Raises ValueError."""
        cells = line.text.split("|")
        if len(cells) < len(FIXED):
            raise RowError(f"{len(cells)} columns where {len(FIXED)} are expected")
        texts = [cell.strip() for cell in cells]
        missing = max(len(self._columns) - len(texts), 0)
        row = dict(zip(self._columns, texts + [""] * missing, strict=False))
        if not _CODE.fullmatch(row["sip_code"]):
            raise RowError(f"the SIP code is {row['sip_code'][:40]!r}")
        if not row["callid"]:
            raise RowError("the record's key has an empty part")
        if max(map(len, row.values())) > LONGEST_TEXT:
            raise RowError(TOO_LONG)
        plain_number(row[self._calling])
        plain_number(row[self._called])
        return _Request(line, row, cells, self._clock.at(row["time"]))

    def _sort(self, request: _Request, dialogs: dict[tuple[str, frozenset[str]], _Dialog]) -> None:
        """Decide on a row that stands for itself, and put the others to their call.

        Raises ValueError.
        """
        row, method = request.row, request.row["method"].upper()
        key = (row["callid"], frozenset((row["from_tag"], row["to_tag"])))
        if method == "INVITE" and request.code.startswith("2"):
            dialogs.setdefault(key, _Dialog()).invites.append(request)
        elif method == "BYE":
            dialogs.setdefault(key, _Dialog()).byes.append(request)
        elif method == "INVITE" and request.code in CHALLENGES:
            request.item = self._excluded(request, CHALLENGE)
        elif method == "INVITE" and not request.code.startswith("1"):
            request.item = self._leg(request, None)
        else:
            request.item = self._excluded(request, WITHIN_CALL)

    def _settle(self, dialog: _Dialog) -> None:
        """Decide on the rows of a call: the first INVITE and the first BYE are its begin and end."""
        for requests in (dialog.invites, dialog.byes):
            requests.sort(key=lambda request: (request.at, request.cells))
        invite = next(iter(dialog.invites), None)
        bye = next((one for one in dialog.byes if invite is None or one.at >= invite.at), None)
        for request in (*dialog.invites, *dialog.byes):
            again = (invite is not None and request.cells == invite.cells) or (
                bye is not None and request.cells == bye.cells
            )
            if invite is None or bye is None:
                waits = WAITS_FOR_INVITE if invite is None else WAITS_FOR_BYE
                text = request.line.text[:RAW]
                request.item = Reject(request.line.number, waits, text, retryable=True)
            elif not again:
                request.item = self._excluded(request, WITHIN_CALL)
            elif request.cells == invite.cells:
                request.item = self._leg(request, bye)
            else:
                request.item = self._excluded(request, OTHER_HALF)

    def _leg(self, invite: _Request, bye: _Request | None) -> Leg:
        """Return the call of an INVITE, which without a ``bye`` was not answered."""
        row = invite.row
        calling, called = plain_number(row[self._calling]), plain_number(row[self._called])
        source = self._trunk(row, "src_ip", "src_domain")
        target = self._trunk(row, "dst_domain")
        start, end = invite.at, invite.at if bye is None else bye.at
        return call_leg(
            invite.cells,
            Times(start, start if bye is not None else 0, end, end - start),
            End(
                source or calling,
                TRUNK_SIDE if source else LINE_SIDE,
                hashed(row["callid"], row["from_tag"]),
            ),
            End(
                target or called,
                TRUNK_SIDE if target else LINE_SIDE,
                hashed(row["callid"], row["to_tag"]) if bye is not None else 0,
            ),
            cause=CAUSES.get(invite.code, NO_ANSWER),
            given_up=invite.code == CANCELLED,
            key=_key(invite),
            tied=1,
            call_ref=hashed(row["callid"]),
            calling_number=calling,
            original_number=plain_number(row.get("dst_ouser", "")) or called,
            final_number=called,
        )

    def _excluded(self, request: _Request, rule: str) -> Exclusion:
        leg = neutral_leg(
            request.cells,
            started_at=request.at,
            ended_at=request.at,
            calling_number=plain_number(request.row[self._calling]),
            final_number=plain_number(request.row[self._called]),
        )
        return Exclusion(leg, rule)

    def _trunk(self, row: Mapping[str, str], *names: str) -> str:
        """Return the first address that is a carrier's, empty when none is."""
        for name in names:
            address = row.get(name, "")
            if address and self._trunks.side(address):
                return address
        return ""


def _key(invite: _Request) -> str:
    """Return the key of a call: its id and both tags, and how it ended where it was not answered."""
    row = invite.row
    ended = "" if invite.code.startswith("2") else f"-{invite.code}"
    return identity(row["callid"], f"{row['from_tag']}-{row['to_tag']}{ended}")


kamailio = DriverWithOptions(
    "kamailio", "accounting of Kamailio and OpenSIPS (db_flatstore)", OPTIONS, Kamailio
)
