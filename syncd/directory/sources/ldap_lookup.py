"""One entry of a server, by its entry DN or by the value of a naming attribute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from syncd.directory.lookup import Found, same_entry_dn
from syncd.directory.protocol import Entry
from syncd.directory.sources.ldap_groups import enclosed, escaped

MOST = 20
"""Entries of one name that are shown."""

_NO_SUCH_ENTRY = frozenset((32, 34))
"""noSuchObject, invalidDNSyntax."""

Search = Callable[[str, str, str, Sequence[str]], list[dict[str, Any]] | None]
"""(base, filter, scope, attributes) to the entries, None where the base does not exist."""


def find_entries(
    search: Search,
    text: str,
    *,
    base: str,
    filter_text: str,
    naming: Sequence[str],
    requested: Sequence[str],
    entry_of: Callable[[dict[str, Any]], Entry],
    contains: Callable[[str], bool],
) -> list[Found]:
    """Return the entries that a text names, at most MOST; see ``Searchable.find``."""
    attributes = ["*", "+", *requested]
    found: dict[str, dict[str, Any]] = {}
    if "=" in text and text.isprintable():
        for response in search(text, "(objectClass=*)", "BASE", attributes) or ():
            if same_entry_dn(response["dn"], text):
                found[response["dn"]] = response
    if not found:
        wanted = text.encode("utf-8", "surrogateescape")
        value = escaped(text)
        alternatives = "".join(f"({name}={value})" for name in naming)
        for response in search(base, f"(|{alternatives})", "SUBTREE", attributes) or ():
            raw = response["raw_attributes"]
            if any(wanted in raw.get(name.lower(), ()) for name in naming):
                found[response["dn"]] = response
    result = []
    for response in list(found.values())[:MOST]:
        entry_dn = response["dn"]
        why_not = ""
        if not contains(entry_dn):
            why_not = f"it is not under {base}"
        elif not search(entry_dn, enclosed(filter_text), "BASE", ["1.1"]):
            why_not = f"it does not fit the filter {filter_text}"
        result.append(Found(entry_dn, response["raw_attributes"], entry_of(response), why_not))
    return result


def no_such_entry(result: dict[str, Any]) -> bool:
    """Whether an answer says that there is no entry of that name."""
    return result["result"] in _NO_SUCH_ENTRY
