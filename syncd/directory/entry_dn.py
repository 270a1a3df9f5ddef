"""Entry DNs compared as a directory compares them (RFC 4514): no case, no optional blanks."""

from __future__ import annotations

import re

_COMMA = re.compile(r"((?:\\.|[^\\,])*)(?:,|$)", re.DOTALL)
_ESCAPE = re.compile(r"((?:\\[0-9a-fA-F]{2})+)|\\(.)", re.DOTALL)


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return bytes.fromhex(match[1].replace("\\", "")).decode("utf-8", "replace")
    return match[2]


def _normal_rdn(text: str) -> str:
    kind, _, value = text.partition("=")
    # A blank is U+0020 alone: servers tell tabs and other control characters apart.
    words = filter(None, _ESCAPE.sub(_unescaped, value).split(" "))
    return f"{kind.strip()}={' '.join(words)}".casefold()


def normal_parts(entry_dn: str) -> tuple[str, ...]:
    """Return the parts of an entry DN, from the entry up, in a form that can be compared."""
    if not entry_dn.strip():
        return ()
    parts: list[str] = []
    position = 0
    while position <= len(entry_dn):
        match = _COMMA.match(entry_dn, position)
        if match is None or (match.end() == position and position == len(entry_dn)):
            break
        parts.append(_normal_rdn(match[1]))
        position = match.end()
    return tuple(parts)


class Area:
    """The part of a directory that a base and a scope (``subtree | one | base``) name."""

    def __init__(self, base: str, scope: str = "subtree") -> None:
        self.scope = scope
        self._parts = normal_parts(base)
        self._ending = f",{base.casefold()}"

    def contains(self, entry_dn: str) -> bool:
        """Whether an entry is in it."""
        if self.scope == "subtree" and entry_dn.casefold().endswith(self._ending):
            return True  # the usual case, without taking the entry DN apart
        parts = normal_parts(entry_dn)
        above = len(parts) - len(self._parts)
        if above < 0 or parts[above:] != self._parts:
            return False
        return {"subtree": True, "one": above == 1, "base": above == 0}[self.scope]
