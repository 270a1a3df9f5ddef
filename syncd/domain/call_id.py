"""The public id of a call: ``<yyyymm>-<hash>-<side>``, of a conversation: the same without side.

It is derived from the record alone, never from row ids: the month of its start in UTC (a change of
the time zone of days leaves it as it is), the first twelve hexadecimal digits of the hash of (PBX,
record key), and the side. So it survives reprocessing and a move to another database. Twelve digits
(48 bits) leave about one chance in a hundred that among 2.5 million records of a month any two
share an id; a look-up returns all that fit.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from syncd.domain.codes import Side
from syncd.domain.errors import UsageError

_DIGITS = 12
_SHIFT = 64 - 4 * _DIGITS
_FORM = re.compile(rf"(\d{{4}}(?:0[1-9]|1[0-2]))-([0-9a-f]{{{_DIGITS}}})(?:-([a-z-]+))?")


class CallId(NamedTuple):
    """The parts of a public id. ``side`` is None in the id of a conversation."""

    month: int
    """yyyymm in UTC."""
    prefix: int
    """The leading 48 bits of the hash."""
    side: Side | None

    def started_between(self) -> tuple[int, int]:
        """Return the epoch seconds between which the record began (end exclusive)."""
        year, month = divmod(self.month, 100)
        following = (year + 1, 1) if month == 12 else (year, month + 1)
        return (
            int(datetime(year, month, 1, tzinfo=UTC).timestamp()),
            int(datetime(*following, 1, tzinfo=UTC).timestamp()),
        )

    def hash_between(self) -> tuple[int, int]:
        """Return the least and the greatest signed hash that begin with the prefix."""
        low = self.prefix << _SHIFT
        if low >= 2**63:
            low -= 2**64
        return low, low + 2**_SHIFT - 1


def format_conversation_id(started_at: int, key_hash: int) -> str:
    """Return the public id of a conversation, given its first record's start (epoch UTC) and signed
    64-bit hash."""
    moment = datetime.fromtimestamp(started_at, UTC)
    prefix = (key_hash & (2**64 - 1)) >> _SHIFT
    return f"{moment.year:04d}{moment.month:02d}-{prefix:0{_DIGITS}x}"


def format_call_id(started_at: int, key_hash: int, side: int) -> str:
    """Return the public id of a call, given its record's start and hash, and its side."""
    return f"{format_conversation_id(started_at, key_hash)}-{Side(side).word}"


def parse_call_id(text: str) -> CallId:
    """Return the parts of a public id. Raises UsageError when the text is not one."""
    match = _FORM.fullmatch(text.strip().lower())
    month, prefix, word = match.groups() if match else ("0", "", "")
    sides = {side.word: side for side in Side}
    if match is None or int(month) < 190001 or (word is not None and word not in sides):
        raise UsageError(
            f"{text!r} is not the id of a call",
            f"ids look like 202601-{'0' * _DIGITS}-calling; syncd report calls shows them",
        )
    return CallId(int(month), int(prefix, 16), sides[word] if word else None)
