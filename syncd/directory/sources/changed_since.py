"""Changes by the time stamps of entries, for servers that know nothing better.

The clock is the server's own: it goes on from the latest time stamp that the server was seen to
give. Who left does not show; that is left to the next full reading.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

TIME_STAMPS = ("modifytimestamp", "createtimestamp")
_TIME = re.compile(rb"(\d{14})(?:[.,]\d+)?Z")
_COOKIE = re.compile(r"since (\d{14})(?: ([0-9a-f]{64}))?")


def latest(raw: Mapping[str, Sequence[bytes]], so_far: str) -> str:
    """Return the latest of the time stamps of an entry and of ``so_far`` (YYYYMMDDHHMMSS, UTC)."""
    for name in TIME_STAMPS:
        for value in raw.get(name, ()):
            match = _TIME.fullmatch(value)
            if match:
                so_far = max(so_far, match[1].decode())
    return so_far


def cookie_of(time_stamp: str, digest: str = "") -> str:
    """Return the cookie for a latest time stamp, with the digest of the entries that a search from
    it gave; empty without a time stamp."""
    return f"since {time_stamp} {digest}".rstrip() if time_stamp else ""


def taken_apart(cookie: str) -> tuple[str, str] | None:
    """Return time stamp and digest of a cookie, None when it is another's."""
    match = _COOKIE.fullmatch(cookie)
    return (match[1], match[2] or "") if match else None


def changed_filter(filter_text: str, time_stamp: str, overlap: int) -> str:
    """Return the filter of the entries that changed since ``overlap`` seconds before a time stamp.

    While a snapshot is read entries change that were read already, and replicas get changes late:
    the overlap covers both.
    """
    moment = datetime.strptime(time_stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    since = (moment - timedelta(seconds=overlap)).strftime("%Y%m%d%H%M%SZ")
    either = "".join(f"({name}>={since})" for name in ("modifyTimestamp", "createTimestamp"))
    return f"(&{filter_text}(|{either}))"


def digest_of(entries: Iterable[Mapping[str, Sequence[bytes]]]) -> str:
    """Return one text that stands for the raw values of entries, in whatever order they came.

    The overlap brings the same entries again and again; when they are just those of last time,
    nothing happened.
    """
    each = sorted(
        hashlib.sha256(
            repr([(name, sorted(raw[name])) for name in sorted(raw) if raw[name]]).encode()
        ).digest()
        for raw in entries
    )
    return hashlib.sha256(b"".join(each)).hexdigest()
