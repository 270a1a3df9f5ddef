"""The members of group entries, read from a server: in steps where it gives them in ranges."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from syncd.directory.groups import MEMBER_ATTRIBUTES
from syncd.directory.identity import decoded

SUCCESS = 0
UNREADABLE = frozenset((32, 34, 50))
"""noSuchObject, invalidDNSyntax, insufficientAccessRights."""
MOST_RANGES = 100_000
IN_CHAIN = "1.2.840.113556.1.4.1941"
"""Active Directory's rule for groups in groups."""

_RANGE = re.compile(r"([^;]+);range=(\d+)-(\d+|\*)")


class GroupUnreadable(Exception):
    """A group could not be read whole: the message says why."""


def read_members(search: Callable[..., Any], entry_dn: str) -> list[str] | None:
    """Return the entry DNs of a group's members, none for an entry that is no group; None when it
    cannot be read.

    ``search(base, attributes)`` asks for one entry and gives the result and its raw attributes by
    lower-cased name, None where it came without an entry. Raises GroupUnreadable.
    """
    result, raw = search(entry_dn, MEMBER_ATTRIBUTES)
    if result["result"] in UNREADABLE or (result["result"] == SUCCESS and raw is None):
        return None
    found: list[str] = []
    for _ in range(MOST_RANGES):
        if result["result"] != SUCCESS:
            raise GroupUnreadable(f"{result['description']} ({result['result']}) for {entry_dn}")
        following = ""
        for name, values in (raw or {}).items():
            found += decoded(values)
            step = _RANGE.fullmatch(name)
            if step and step[3] != "*":
                start = int(step[3]) + 1
                if start <= int(step[2]) or not values:
                    raise GroupUnreadable(f"the server gives {name} of {entry_dn}, and no more")
                following = f"{step[1]};range={start}-*"
        if not following:
            return found
        result, raw = search(entry_dn, (following,))
        if not raw or not any(name.startswith(f"{following[:-1]}") for name in raw):
            raise GroupUnreadable(f"the server left out {following} of {entry_dn}")
    raise GroupUnreadable(f"the members of {entry_dn} never end")


def enclosed(filter_text: str) -> str:
    """Return a filter in its brackets, which a server does not need around the whole."""
    text = filter_text.strip()
    return text if text.startswith("(") else f"({text})"


def escaped(value: str) -> str:
    """Return a text as a value in a filter (RFC 4515): nothing in it means anything."""
    return "".join(
        chr(byte) if byte < 128 and chr(byte).isalnum() else f"\\{byte:02x}"
        for byte in value.encode("utf-8", "surrogateescape")
    )
