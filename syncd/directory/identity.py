"""By what an entry is known for ever: never its DN, its name or its mail address.

The server's own identifier counts first, for it survives every rename and move; else the attribute
that the settings name. Directories without either cannot tell a rename from a leaver and a joiner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

IDENTITY_ATTRIBUTES = ("entryUUID", "objectGUID", "nsUniqueId", "ipaUniqueID")
"""In the order in which they count: OpenLDAP and 389, Active Directory, 389 before 2.0, FreeIPA."""

LONGEST_ID = 255

_KEYS = tuple(name.lower() for name in IDENTITY_ATTRIBUTES)


def external_id(raw: Mapping[str, Sequence[bytes]], fallback: str) -> str:
    """Return the external id of an entry, empty when it has none.

    Given its raw values by lower-cased attribute name, and the lower-cased name of the attribute
    that counts when the server gave no identifier of its own (empty: none does). What is not UTF-8,
    holds a NUL or has more than ``LONGEST_ID`` characters is none.
    """
    try:
        for key in _KEYS:
            values = raw.get(key)
            if values and values[0]:
                return _fit(_identifier(key, values[0]))
        values = raw.get(fallback) if fallback else None
        return _fit(" ".join(values[0].decode("utf-8").split())) if values else ""
    except UnicodeDecodeError:
        # In another encoding it would be another id, and who had it before would have left.
        return ""


def _fit(text: str) -> str:
    """Return an id that every database can index, else none: cut off it would be another one."""
    return "" if "\0" in text or len(text) > LONGEST_ID else text


def _identifier(key: str, value: bytes) -> str:
    if key == "objectguid" and len(value) == 16:
        # Active Directory sends the 16 bytes with the first three groups little-endian.
        return str(UUID(bytes_le=value))
    return value.decode("utf-8").strip().strip("{}").lower()


def decoded(values: Sequence[bytes]) -> list[str]:
    """Return raw values as text; see ``Entry.attributes`` for bytes that are not UTF-8."""
    return [value.decode("utf-8", "surrogateescape") for value in values]
