"""Cisco Unified CM flat files: quoted header, type line, then one record a row.

Source of names and codes: Cisco's Call Reporting and Billing Administration Guide, releases 10 to
15. Columns are found by name, whatever their number and order; numbers stay text. Exports of CDR
Analysis and Reporting (CAR) have no type line, a backslash and a blank where there is nothing, and
sometimes no header: then the width of the first row tells.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from hashlib import blake2b
from operator import itemgetter
from typing import BinaryIO, NamedTuple

from syncd.cdr.drivers.cucm_columns import names_of
from syncd.cdr.parts import rows_end
from syncd.cdr.quality import PREFIX, cmr
from syncd.domain.leg import (
    LONGEST_TEXT,
    MOBILITY_FOLLOW_ME,
    SPLIT,
    TOO_LONG,
    Exclusion,
    Leg,
    NotCdrError,
    Reject,
)

# In the order of the columns of a leg, so that whole stretches are taken over; the comment last.
_TEXTS = (
    "pkid",
    "callingpartynumber",
    "callingpartynumberpartition",
    "callingpartyunicodeloginuserid",
    "origdevicename",
    "originalcalledpartynumber",
    "originalcalledpartynumberpartition",
    "finalcalledpartynumber",
    "finalcalledpartynumberpartition",
    "finalcalledpartyunicodeloginuserid",
    "destdevicename",
    "lastredirectdn",
    "lastredirectdnpartition",
    "finalcalledpartypattern",
    "huntpilotdn",
    "huntpilotpartition",
    "authorizationcodevalue",
    "clientmattercode",
    "finalmobilecalledpartynumber",
    "comment",
)
_INTEGERS = (
    "cdrrecordtype",
    "globalcallid_callmanagerid",
    "globalcallid_callid",
    "datetimeorigination",
    "datetimeconnect",
    "datetimedisconnect",
    "duration",
    "origlegcallidentifier",
    "destlegidentifier",
    "origconversationid",
    "destconversationid",
    "origcause_value",
    "destcause_value",
    "origcallterminationonbehalfof",
    "destcallterminationonbehalfof",
    "origcalledpartyredirectonbehalfof",
    "origcalledpartyredirectreason",
    "lastredirectredirectonbehalfof",
    "lastredirectredirectreason",
    "joinonbehalfof",
    "incomingprotocolid",
    "outgoingprotocolid",
    "calledpartypatternusage",
)
_REQUIRED = (
    "cdrrecordtype",
    "datetimeorigination",
    "datetimedisconnect",
    "callingpartynumber",
    "finalcalledpartynumber",
)
_ALIASES = {
    "destlegcallidentifier": "destlegidentifier",
    "callingpartyloginuserid": "callingpartyunicodeloginuserid",
    "finalcalledpartyloginuserid": "finalcalledpartyunicodeloginuserid",
}
_TYPE = re.compile(r"INTEGER|VARCHAR\(\d+\)|UNIQUEIDENTIFIER|BIGINT|SMALLINT|CHAR\(\d+\)", re.I)
_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*")
_MANGLED = re.compile(r"\d(\.\d+)?E\+\d+", re.I)
_CONTROLLER = re.compile(r"ConfControll?erDn=([^;]+)")
_REQUESTOR = re.compile(r"(?<!Drop)ConfRequestorDn[=-]([^;]+)")
"""Who controls a conference, the last one where there are several; else who asked for it."""

_SINGLE = (0, 5)
"""Joined by nobody, or by a forward, which goes on in the same record."""

_ALONE = (0, 1, 2, 10, 15, 178)
"""Redirect reasons that make no further record: none, and the forwards."""

HUNT_PARTITION = _TEXTS.index("huntpilotpartition")
MOBILE = _TEXTS.index("finalmobilecalledpartynumber")
UUID_LENGTH = 36
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)

CLOCK_SLACK = 3600
"""Seconds by which a duration may exceed its call, where the node's clock was set meanwhile."""

RAW = 65_536
"""Characters of a row that are kept with its reject."""

Picker = Callable[[list[str]], tuple[str, ...]]

RECORDING, MONITORING, MESSAGE_WAITING, MOBILITY = 27, 28, 8, 24
_TRUNK_PROTOCOLS = (1, 2, 4)
"""SIP, H.323, Q.931."""
_PLAIN_ENDINGS = (0, 12, 13)
"""Ended by nobody in particular, the device, or call control: no feature took the leg over."""


class CucmDriver:
    """The driver ``cucm`` (numbers match whatever their partition) or ``cucm-partition``."""

    grows = False
    row_quote = '"'
    quality = cmr

    def __init__(self, name: str, partitions: bool) -> None:
        self.name = name
        self.partitions = partitions
        self.summary = "Cisco UCM's CDR files, and CAR exports; numbers match " + (
            "with their partition" if partitions else "whatever their partition"
        )

    def wants(self, name: str) -> str:
        """Return why a file of this name is not for this driver, or an empty text."""
        if name.startswith(PREFIX):
            return "call quality (CMR) files are kept but not read: quality = no"
        return ""

    def head(self, beginning: bytes) -> int:
        """Return the bytes of the header and the type line, 0 where there is no header.

        Raises NotCdrError.
        """
        end = rows_end(beginning, 1)
        if not end or _layout(_first_line(_Lines(io.BytesIO(beginning[:end])))).headless:
            return 0
        after = end + rows_end(beginning[end:], 1)
        types = _cells(beginning[end:after].decode("utf-8", "replace").strip())
        return after if types and all(_TYPE.fullmatch(cell) for cell in types) else end

    def rows(self, stream: BinaryIO, name: str) -> Iterator[tuple[int, Leg | Exclusion | Reject]]:
        """Yield (line number, leg, exclusion or reject) for each row. The legs' ``key_hash`` is 0.

        Raises NotCdrError when the file is not a CDR file at all.
        """
        del name
        lines = _Lines(stream)
        head = _first_line(lines)
        width, pick_texts, pick_integers, headless = _layout(head)
        if headless:
            lines.give_back(head)

        def leg(row: list[str], line: int, raw: Callable[[], str]) -> Leg | Exclusion | Reject:
            return _row(row, width, pick_texts, pick_integers, line, raw)

        first = not headless
        reader = csv.reader(lines)
        before = lines.count
        while True:
            start = before + reader.line_num + 1
            lines.taken.clear()
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                row = None
            if row is None or (len(row) != width and len(lines.taken) > 1):
                # A quote that was never closed must not swallow the rows after it.
                for offset, text in enumerate(tuple(lines.taken)):
                    cells = _cells(text)
                    if cells and text.strip():
                        yield start + offset, leg(cells, start + offset, text.rstrip)
                    elif cells is None:
                        reason = "a cell is longer than any line may be"
                        yield start + offset, Reject(start + offset, reason, text[:RAW])
                continue
            if not row or (len(row) == 1 and not lines.raw().strip()):
                continue
            if first:
                first = False
                if len(row) == width and all(_TYPE.fullmatch(cell) for cell in row):
                    continue
            yield start, leg(row, start, lines.raw)


def _cells(text: str) -> list[str] | None:
    """Return the cells of one line, None when csv gives up on it."""
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        return None


class _Lines:
    """Text lines of a binary stream, the ones of the present row kept for a reject."""

    def __init__(self, stream: BinaryIO) -> None:
        self._text = io.TextIOWrapper(stream, "utf-8-sig", errors="replace", newline="")
        self.taken: list[str] = []
        self.count = 0
        """Lines read by ``next_line``."""
        self._back = ""

    def next_line(self) -> str:
        """Return the next line, empty at the end."""
        self.count += 1
        return self._text.readline()

    def give_back(self, line: str) -> None:
        """Let a line that ``next_line`` returned be the first of the rows."""
        self.count -= 1
        self._back = line

    def __iter__(self) -> Iterator[str]:
        keep = self.taken.append
        if self._back:
            keep(self._back)
            yield self._back
        for line in self._text:
            keep(line)
            yield line
        self._text.detach()

    def raw(self) -> str:
        return "".join(self.taken).rstrip("\r\n")[:RAW]


class Layout(NamedTuple):
    """Where the columns of a file are."""

    width: int
    texts: Picker
    integers: Picker
    headless: bool
    """The first line is a row."""


def _first_line(lines: _Lines) -> str:
    """Return the first line that is not blank, empty when there is none."""
    line = lines.next_line()
    while line and not line.strip():
        line = lines.next_line()
    return line


@lru_cache(maxsize=8)
def _layout(line: str) -> Layout:
    """Return where the columns are, given the first line of a file. Raises NotCdrError.

    Files of one cluster have the same first line, and small ones little else.
    """
    if not line:
        raise NotCdrError("the file is empty")
    header = _cells(line)
    if header is None:
        raise NotCdrError("the first line is not readable as CSV")
    headless = header[0].strip() == "1"
    if headless:
        width = len(header)
        header = list(names_of(width))
        if not header:
            raise NotCdrError(f"there is no header, and no release writes {width} columns")
    names = [_ALIASES.get(cell.strip().lower(), cell.strip().lower()) for cell in header]
    if "cdrrecordtype" not in names:
        raise NotCdrError("the first line is not the header of a CUCM file: no cdrRecordType")
    missing = [name for name in _REQUIRED if name not in names]
    if missing:
        raise NotCdrError(f"the header lacks {', '.join(missing)}")
    return Layout(len(names), _picker(names, _TEXTS), _picker(names, _INTEGERS), headless)


def _picker(header: list[str], wanted: tuple[str, ...]) -> Picker:
    """Return a function that picks the wanted cells of a row; an absent column gives ''."""
    places = {name: place for place, name in enumerate(header)}
    if all(name in places for name in wanted):
        return itemgetter(*(places[name] for name in wanted))
    indexes = [places.get(name, -1) for name in wanted]
    return lambda row: tuple(row[index] if index >= 0 else "" for index in indexes)


def _row(
    row: list[str],
    width: int,
    pick_texts: Picker,
    pick_integers: Picker,
    line: int,
    raw: Callable[[], str],
) -> Leg | Exclusion | Reject:
    """Return the leg, exclusion or reject that a row stands for."""
    if len(row) != width:
        return _reject(line, f"{len(row)} columns where the header has {width}", raw)
    texts = pick_texts(row)
    cells = pick_integers(row)
    try:
        numbers = tuple(map(int, cells))
    except ValueError:
        try:
            numbers = tuple(int(cell) if cell else 0 for cell in cells)
        except ValueError:
            return _reject(line, _not_a_number(cells), raw)
    kind, node, call, origination, connect, disconnect, duration = numbers[:7]
    if kind != 1:
        return _reject(line, f"cdrRecordType is {kind}, not 1 (a call detail record)", raw)
    if origination <= 0:
        return _reject(line, "dateTimeOrigination is not set", raw)
    if duration < 0 or connect < 0 or disconnect < max(origination, connect):
        return _reject(line, "the call ends before it begins", raw)
    if duration > disconnect - origination + CLOCK_SLACK:
        return _reject(line, "the duration is longer than the call", raw)
    # The node's is the upper half of a call's reference, which has a sign.
    if not (min(numbers) >= -(2**32) and max(numbers) < 2**32 and -(2**31) <= node < 2**31):
        return _reject(line, "a number is beyond 32 bits", raw)
    digits = "\x1f".join(cells)
    if "_" in digits or not digits.isascii():
        return _reject(line, _not_a_number(cells), raw)
    content = "\x1f".join(texts) + digits
    if "\\" in content or len(texts[HUNT_PARTITION]) == UUID_LENGTH:
        texts = _without_car_marks(texts)
        content = "\x1f".join(texts) + digits
    if "\0" in content:
        # Not every database can hold one; it is as good as a byte that is no text.
        texts = tuple(text.replace("\0", "\ufffd") for text in texts)
        content = "\x1f".join(texts) + digits
    if "E+" in content and any(_MANGLED.fullmatch(text) for text in texts):
        return _reject(line, "a number was mangled by a spreadsheet (such as 9.12678E+11)", raw)
    if len(content) > LONGEST_TEXT and max(map(len, texts[:-1])) > LONGEST_TEXT:
        return _reject(line, TOO_LONG, raw)
    digest = blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    content_hash = int.from_bytes(digest, "big", signed=True)
    (
        orig_leg,
        dest_leg,
        orig_conference,
        dest_conference,
        orig_cause,
        dest_cause,
        orig_ended_by,
        dest_ended_by,
        _,
        first_reason,
        _,
        last_reason,
        joined_by,
    ) = numbers[7:20]
    tied = (
        joined_by not in _SINGLE
        or orig_cause == SPLIT
        or dest_cause == SPLIT
        or last_reason not in _ALONE
        or first_reason not in _ALONE
        or orig_conference
        or dest_conference
        or orig_ended_by not in _PLAIN_ENDINGS
        or dest_ended_by not in _PLAIN_ENDINGS
    )
    controller = ""
    if texts[-1]:
        named = _CONTROLLER.findall(texts[-1]) or _REQUESTOR.findall(texts[-1])
        controller = named[-1] if named else ""
    leg = Leg._make(
        (
            origination,
            connect,
            disconnect,
            duration,
            texts[0] or digest.hex(),
            content_hash,
            1 if tied else 0,
            (node << 32) | call if node or call else 0,
            orig_leg,
            dest_leg,
            dest_conference or orig_conference,
            *texts[1:13],
            orig_cause & 0xFFFFFFFF,
            dest_cause & 0xFFFFFFFF,
            *numbers[13:],
            *texts[13:16],
            controller,
            *texts[16:18],
        )
    )
    if texts[MOBILE] and connect:
        leg = _on_mobile(leg, texts[MOBILE])
    if tied or numbers[22] == 6 or not (node or call):
        rule = _excluded(leg, node, call)
        if rule:
            return Exclusion(leg._replace(tied=0), rule)
    return leg


def _on_mobile(leg: Leg, mobile: str) -> Leg:
    """Return the leg of a call that was taken on somebody's mobile phone (single number reach): what
    is called outside is the mobile number, and the line that was called redirected to it. A call
    that the desk phone took may name the mobile number too, and stays what it is."""
    if leg.outgoing_protocol not in _TRUNK_PROTOCOLS:
        return leg
    line, partition = leg.final_number, leg.final_partition
    if line == mobile:
        line, partition = leg.redirecting_number, leg.redirecting_partition
    return leg._replace(
        final_number=mobile,
        final_partition="",
        final_pattern="",
        redirecting_number=line,
        redirecting_partition=partition,
        last_redirect_by=MOBILITY,
        last_redirect_reason=MOBILITY_FOLLOW_ME,
    )


def _without_car_marks(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the texts of a row without what CAR writes for nothing, and without a hunt pilot's
    partition that is a database key instead of a name."""
    clean = ["" if text.rstrip() == "\\" else text for text in texts]
    if _UUID.fullmatch(clean[HUNT_PARTITION]):
        clean[HUNT_PARTITION] = ""
    return tuple(clean)


def _excluded(leg: Leg, node: int, call: int) -> str:
    """Return the rule by which a record is never a call, or an empty text."""
    features = (leg.joined_by, leg.last_redirect_by, leg.first_redirect_by)
    if RECORDING in features:
        return "recording"
    if MONITORING in features:
        return "monitoring"
    ended_by = (leg.orig_ended_by, leg.dest_ended_by)
    if leg.pattern_usage == 6 or MESSAGE_WAITING in (*features, *ended_by):
        return "message waiting"
    if not (node or call) and not leg.connected_at:
        return "mobility attempt"
    return ""


def _reject(line: int, reason: str, raw: Callable[[], str]) -> Reject:
    return Reject(line, reason, raw())


def _not_a_number(cells: tuple[str, ...]) -> str:
    for name, cell in zip(_INTEGERS, cells, strict=True):
        if cell and (len(cell) > 20 or not _WHOLE.fullmatch(cell)):
            return f"{name} is {cell[:40]!r}, not a whole number"
    return "a number is not whole"


cucm = CucmDriver("cucm", partitions=False)
cucm_partition = CucmDriver("cucm-partition", partitions=True)
