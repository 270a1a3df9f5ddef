"""From the cells of a row to the neutral leg: what all drivers but Cisco's own share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple, get_type_hints

from syncd.cdr.times import LATEST
from syncd.domain.leg import LONGEST_TEXT, TOO_LONG, Leg
from syncd.domain.party import clean_number

NORMAL, BUSY, NO_ANSWER, REJECTED, TEMPORARY_FAILURE, CONGESTION = 16, 17, 19, 21, 41, 42
"""Q.850 causes."""

LINE_SIDE, TRUNK_SIDE = 0, 1
"""Protocols that tell a phone from a trunk where no [trunk:NAME] lists the device."""

FORWARDED = 10
"""Redirect reason "call forward", where a format says no more."""

OUTSIDE_PATTERN = 5
"""Pattern usage of a call that was to leave the house."""

_MANGLED = re.compile(r"\d([.,]\d+)?E\+\d+", re.I)
_SCHEME = re.compile(r"(?:sips?|tel):", re.I)
_LONGEST_DURATION = 2**31 - 1
_LONGEST_KEY = 200
_EMPTY = {name: kind() for name, kind in get_type_hints(Leg).items()}


class RowError(ValueError):
    """A row that is not a call record; the message says why."""


def hashed(*parts: str) -> int:
    """Return a positive 62-bit number for an id that is a text, 0 for an empty one."""
    if not any(parts):
        return 0
    digest = blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 2) or 1


def identity(*parts: str) -> str:
    """Return the key of a record, given what makes it unique. Raises RowError for an empty part:
    rows that lack it would all be one."""
    if not all(parts):
        raise RowError("the record's key has an empty part")
    key = ":".join(part.replace("%", "%25").replace(":", "%3A") for part in parts)
    return key if len(key) <= _LONGEST_KEY else f"{key[:_LONGEST_KEY]}~{hashed(key):x}"


def content_key(cells: Sequence[str]) -> str:
    """Return a key for a row of a format that has none: what the row says."""
    return blake2b("\x1f".join(cells).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


@lru_cache(maxsize=4096)
def plain_number(text: str) -> str:
    """Return a number without what is no part of it: a URI's scheme, host and parameters, blanks
    and ``-./()``. What is no number stays as it is. Raises RowError for a mangled one."""
    text = text.strip()
    if _MANGLED.fullmatch(text):
        raise RowError("a number was mangled by a spreadsheet (such as 9.12678E+11)")
    if scheme := _SCHEME.match(text):
        text = re.split("[@;?]", text[scheme.end() :], maxsplit=1)[0]
    try:
        return clean_number(text)
    except ValueError:
        return text


class Trunks:
    """Tells trunks from phones by the name of a device, where the format does not say it."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """``patterns``: names of trunks, * and ? as usual."""
        self._patterns = tuple(patterns)
        self.side = lru_cache(maxsize=4096)(self._side)

    def _side(self, device: str) -> int:
        """Return the protocol by which the rules of trunks see the difference."""
        listed = any(fnmatchcase(device, pattern) for pattern in self._patterns)
        return TRUNK_SIDE if listed else LINE_SIDE


class Times(NamedTuple):
    """Of a call: epoch seconds UTC, ``connect`` 0 when it was not answered; ``talk`` in seconds."""

    start: int
    connect: int
    end: int
    talk: int


class End(NamedTuple):
    """An end of a call: its device, empty where none was reached; whether that is a trunk; the id of
    its leg, 0 where the format has none."""

    device: str
    side: int = LINE_SIDE
    leg: int = 0


def call_leg(
    cells: Sequence[str],
    times: Times,
    orig: End,
    dest: End,
    *,
    cause: int = NO_ANSWER,
    given_up: bool = False,
    **columns: Any,
) -> Leg:
    """Return the leg of a row that is a whole call.

    ``cause`` says why it was not answered, unless the caller had ``given_up``; ``columns`` are the
    others that the format has, and count before what is told here. Raises RowError.
    """
    called = columns.get("final_number", "")
    redirecting = columns.get("redirecting_number", "")
    by_caller = bool(times.connect) or given_up
    told = {
        "started_at": times.start,
        "connected_at": times.connect,
        "ended_at": times.end,
        "duration": times.talk if times.connect else 0,
        "orig_leg": orig.leg,
        "dest_leg": dest.leg,
        "orig_device": orig.device,
        "dest_device": dest.device,
        "incoming_protocol": orig.side,
        "outgoing_protocol": dest.side,
        "pattern_usage": OUTSIDE_PATTERN if dest.side == TRUNK_SIDE else 0,
        "original_number": called,
        "last_redirect_reason": FORWARDED if redirecting else 0,
        "orig_cause": NORMAL if by_caller else 0,
        "dest_cause": 0 if by_caller else cause,
    }
    return neutral_leg(cells, **(told | columns))


def neutral_leg(cells: Sequence[str], **columns: Any) -> Leg:
    """Return the leg of a row, given the columns that the format has; the others are empty.

    An empty ``key`` becomes the hash of all ``cells``. ``answered`` 0 takes away what a row says
    about a connection. Raises RowError when the columns contradict each other.
    """
    values = _EMPTY | columns
    if not values["key"]:
        values["key"] = content_key(cells)
    start, connect, end = values["started_at"], values["connected_at"], values["ended_at"]
    if not 0 < start <= LATEST:
        raise RowError("the call has no start")
    if end < start or (connect and not start <= connect <= end) or values["duration"] < 0:
        raise RowError("the call ends before it begins")
    if end > LATEST or values["duration"] > _LONGEST_DURATION:
        raise RowError("a number is beyond 32 bits")
    leg = Leg(**values)
    texts = list(map(str, leg))
    content = "\x1f".join(texts)
    if len(content) > LONGEST_TEXT and max(map(len, texts)) > LONGEST_TEXT:
        raise RowError(TOO_LONG)
    digest = blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return leg._replace(content_hash=int.from_bytes(digest, "big", signed=True))
