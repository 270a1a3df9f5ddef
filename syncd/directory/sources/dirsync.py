"""What Active Directory needs to say what has changed: controls, positions and ranges of values.

There are two ways. DirSync (MS-ADTS 3.1.1.3.4.1.3) gives changes since a cookie. Where it is
refused, each entry's uSNChanged tells whether it changed since a number, on one domain controller.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from syncd.directory.protocol import FullReadNeeded
from syncd.directory.sources.syncrepl import element

DIRSYNC = "1.2.840.113556.1.4.841"
SHOW_DELETED = "1.2.840.113556.1.4.417"
OBJECT_SECURITY = 0x1
"""Only what the account may read: needs no right of its own, but shows no tombstones to those who
may not see them."""
ANCESTORS_FIRST = 0x800
INCREMENTAL_VALUES = 0x80000000
FLAGS = (ANCESTORS_FIRST, ANCESTORS_FIRST | OBJECT_SECURITY)
"""In the order in which they are tried: the first needs Replicating Directory Changes."""
NOTHING = "(!(objectClass=*))"
CONTAINERS = "(|(objectClass=organizationalUnit)(objectClass=container))"
USERS_AND_CONTAINERS = f"(|(objectClass=user){CONTAINERS})"
_POLICIES = "(!(objectClass=groupPolicyContainer))"
"""Containers that hold nobody, and change often."""
OWN_ATTRIBUTES = ("name", "parentGUID", "isDeleted", "whenCreated")
"""Without the first two a rename or a move is no change. The last tells a new entry from those."""
MOST_BYTES = 0x7FFFFFFF

_RANGE = re.compile(r"([^;]+(?:;(?!range=)[^;]+)*);range=(\d+)-(\d+|\*)", re.IGNORECASE)
_FILTERED = re.compile(r"\(\s*([A-Za-z][A-Za-z0-9-]*)")


# --- controls ------------------------------------------------------------------------------------


def integer(number: int) -> bytes:
    """Return a signed 32-bit INTEGER in BER, as short as it can be (X.690 8.3).

    Flags from 0x80000000 up are negative: domain controllers refuse them in five bytes.
    """
    signed = number - (1 << 32) if number >= 1 << 31 else number
    size = (signed + (signed < 0)).bit_length() // 8 + 1
    return element(0x02, signed.to_bytes(size, "big", signed=True))


def dirsync_control(flags: int, cookie: bytes) -> tuple[str, bool, bytes]:
    """Return the control that asks for what changed since a cookie, for all without one."""
    value = integer(flags) + integer(MOST_BYTES) + element(0x04, cookie)
    return DIRSYNC, True, element(0x30, value)


# --- positions -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where the changes of one domain controller are known."""

    dc: str
    """Its DNS name."""
    flags: int = 0
    cookie: str = ""
    """DirSync's, in base64; empty where numbers count."""
    invocation: str = ""
    """Of the domain controller's database: another one counts from elsewhere."""
    usn: int = 0

    @property
    def tells_departures(self) -> bool:
        """Whether the account is sure to see tombstones."""
        return bool(self.cookie) and not self.flags & OBJECT_SECURITY

    def text(self) -> str:
        """Return it as the protocol's cookie."""
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)

    @property
    def raw_cookie(self) -> bytes:
        return base64.b64decode(self.cookie)


def position_of(text: str) -> Position:
    """Return the position that a cookie of the protocol stands for. Raises FullReadNeeded."""
    try:
        values = json.loads(text)
        position = Position(
            str(values["dc"]),
            int(values["flags"]),
            str(values["cookie"]),
            str(values["invocation"]),
            int(values["usn"]),
        )
        base64.b64decode(position.cookie, validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise FullReadNeeded("the cookie is not one of Active Directory") from error
    if not position.cookie and not (position.invocation and position.usn):
        raise FullReadNeeded("the cookie is not one of Active Directory")
    return position


def dirsync_position(dc: str, flags: int, cookie: bytes) -> Position:
    """Return a position by DirSync."""
    return Position(dc, flags, base64.b64encode(cookie).decode("ascii"))


# --- rows ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Delta:
    """Which entries changed, by objectGUID as text; whether they are people is for a search to
    say."""

    changed: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    """Those of ``changed`` that may have another entry DN than before."""

    def take_dirsync(self, raw: Mapping[str, list[bytes]]) -> None:
        """Take a row of DirSync: an attribute is absent when it did not change, and empty when it
        was cleared."""
        guid = guid_of(raw)
        if _is_true(raw, "isdeleted"):
            self._remove(guid)
            return
        self.gone.discard(guid)  # it came back
        self.changed.add(guid)
        if ("name" in raw or "parentguid" in raw) and not raw.get("whencreated"):
            self.moved.add(guid)

    def take_numbered(self, raw: Mapping[str, list[bytes]], since: int) -> None:
        """Take an entry whose uSNChanged is above ``since``: what of it changed is not known."""
        guid = guid_of(raw)
        if _is_true(raw, "isdeleted"):
            self._remove(guid)
            return
        self.changed.add(guid)
        if int(raw.get("usncreated", [b"0"])[0]) <= since and not _is_user(raw):
            self.moved.add(guid)

    def _remove(self, guid: str) -> None:
        self.gone.add(guid)
        self.changed.discard(guid)
        self.moved.discard(guid)


def guid_of(raw: Mapping[str, list[bytes]]) -> str:
    """Return the objectGUID of an entry. Raises FullReadNeeded without one."""
    values = raw.get("objectguid") or [b""]
    if len(values[0]) != 16:
        raise FullReadNeeded("the server told of a change without the objectGUID")
    return str(UUID(bytes_le=values[0]))


def _is_true(raw: Mapping[str, list[bytes]], name: str) -> bool:
    return any(value.upper() == b"TRUE" for value in raw.get(name, ()))


def _is_user(raw: Mapping[str, list[bytes]]) -> bool:
    return any(value.lower() == b"user" for value in raw.get("objectclass", ()))


# --- filters -------------------------------------------------------------------------------------


def filtered_attributes(text: str) -> list[str]:
    """Return the lower-cased attributes that a filter names."""
    return list(dict.fromkeys(name.lower() for name in _FILTERED.findall(text)))


def either_of(guids: Iterable[str]) -> str:
    """Return the filter of the entries with one of these objectGUIDs."""
    parts = ("".join(f"\\{byte:02x}" for byte in UUID(guid).bytes_le) for guid in guids)
    return f"(|{''.join(f'(objectGUID={part})' for part in parts)})"


def both(text: str, other: str) -> str:
    """Return the filter of what fits two filters."""
    text = text.strip()
    return f"(&{text if text.startswith('(') else f'({text})'}{other})"


def numbered_since(usn: int) -> str:
    """Return the filter of users and containers that changed after a number."""
    return f"(&(uSNChanged>={usn + 1}){USERS_AND_CONTAINERS}{_POLICIES})"


# --- ranges of values ----------------------------------------------------------------------------


def join_ranges(raw: dict[str, Any]) -> dict[str, int]:
    """Put values that came as ``member;range=0-1499`` under the attribute's own name.

    Returns, for those that go on, from which value on they are still to be asked for.
    """
    unfinished: dict[str, int] = {}
    for key in [key for key in raw if ";range=" in key]:
        match = _RANGE.fullmatch(key)
        if match is None:
            continue
        name, _, last = match.groups()
        raw[name] = [*raw.get(name, ()), *raw.pop(key)]
        if last != "*":
            unfinished[name] = int(last) + 1
    return unfinished
