"""The neutral call leg that every driver makes of a row.

A named tuple, not a dataclass: intake makes tens of thousands of them a second, and a tuple goes to
the database as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, Protocol

SPLIT = 393216
"""Cause value "call split": a feature took the leg over, so the call goes on in another record."""


MOBILITY_FOLLOW_ME = 335
"""Redirect reason of a call to a line that was taken on its holder's mobile phone: the redirecting
number is the line, the final one the mobile number."""

LONGEST_TEXT = 500
"""Characters of a text of a leg. No telephone system writes so many, and what is indexed has to fit
into a page of the database."""

TOO_LONG = f"a text is longer than {LONGEST_TEXT} characters"
"""The reason for which a row with a longer one is rejected."""


class Leg(NamedTuple):
    """One CDR row. Times are epoch seconds UTC, numbers are text as in the row, empty when absent.

    Reasons, causes, features ("on behalf of") and pattern usage use the code tables of Cisco UCM,
    to which other drivers translate: causes are Q.850 in the low byte.
    """

    started_at: int
    """Origination; for a record that follows a transfer or conference, the moment of the join."""
    connected_at: int
    """0 when never connected."""
    ended_at: int
    duration: int
    """Connected seconds; 0 both for unanswered and for less than a second."""
    key: str
    """The record's own key, unique within the PBX."""
    content_hash: int
    """Signed 64-bit hash of the neutral columns: the same key with another content is a conflict."""
    tied: int
    """1 when the record bears any sign of belonging to a conversation of several records."""
    call_ref: int
    """The PBX's call id (for CUCM node << 32 | call id), 0 when it has none."""
    orig_leg: int
    dest_leg: int
    """0 when no far end was reached."""
    conference: int
    """Conference id, the same on all members' records; 0 otherwise."""
    calling_number: str
    calling_partition: str
    calling_user: str
    orig_device: str
    original_number: str
    original_partition: str
    final_number: str
    final_partition: str
    final_user: str
    dest_device: str
    redirecting_number: str
    redirecting_partition: str
    orig_cause: int
    dest_cause: int
    orig_ended_by: int
    dest_ended_by: int
    first_redirect_by: int
    first_redirect_reason: int
    last_redirect_by: int
    last_redirect_reason: int
    joined_by: int
    incoming_protocol: int
    outgoing_protocol: int
    pattern_usage: int
    final_pattern: str
    hunt_pilot: str
    hunt_partition: str
    controller: str
    """Number of the conference controller, from the comment."""
    authorization_code: str
    matter_code: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A row that is kept as a record but never becomes a call, with the rule that says so."""

    leg: Leg
    rule: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be read: its line number (from 1), the reason and the raw text."""

    line: int
    reason: str
    raw: str
    retryable: bool = False


class NotCdrError(Exception):
    """The file as a whole is not what the driver reads; the message says why."""


class CdrDriver(Protocol):
    """Reads one format. A driver is found by the entry point group ``syncd.cdr_drivers``."""

    name: str
    partitions: bool
    """True when numbers match with their partition, False when partitions are ignored."""
    grows: bool
    """True when the telephone system appends to its files for ever, False when each is written once.
    May be missing: then False."""
    row_quote: str
    """Quotation mark within which a row may hold line ends, empty when every line is a row. May be
    missing: then the double one."""

    def wants(self, name: str) -> str:
        """Return why a file of this name is not for this driver, or an empty text."""

    def head(self, beginning: bytes) -> int:
        """Return how many bytes at the beginning of a file explain its rows, such as a header; the
        driver reads later parts of the file behind them. 0 while it is not there whole. May be
        missing: then there are none. Raises NotCdrError."""

    def rows(self, stream: BinaryIO, name: str) -> Iterator[tuple[int, Leg | Exclusion | Reject]]:
        """Yield (line number, leg, exclusion or reject). Raises NotCdrError before the first."""


class YearlessDriver(CdrDriver, Protocol):
    """Reads times without a year, for which it must know how old a file is."""

    def written(self, moment: int) -> CdrDriver:
        """Return the driver for a file that was last written at a moment, in epoch seconds."""


class CarryingDriver(Protocol):
    """What a CdrDriver has beside when lines within a file may explain the rows after them, such as
    one with their date."""

    @property
    def carries(self) -> bool:
        """Whether there are such lines."""

    def carry(self, head: bytes, data: bytes) -> bytes:
        """Return the lines that explain the rows after a stretch of a file, given those that explain
        its own."""
