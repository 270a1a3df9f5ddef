"""The reports of call data, as data (pure)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from syncd.domain.errors import UsageError
from syncd.reports.catalogue.entry import OWN, CatalogueEntry
from syncd.reports.catalogue.lists import LISTS
from syncd.reports.catalogue.made import MADE
from syncd.reports.catalogue.sums import SUMS, by_custom_field

ENTRIES = (*LISTS, *SUMS, *MADE)
_BY_NAME = {entry.name: entry for entry in ENTRIES}


def catalogue(custom_fields: Mapping[str, str]) -> dict[str, CatalogueEntry]:
    """Return the reports by name; each labelled custom field has one of its own."""
    own = (by_custom_field(name, label) for name, label in custom_fields.items())
    return {**_BY_NAME, **{entry.name: entry for entry in own}}


def find_report(name: str, custom_fields: Mapping[str, str]) -> CatalogueEntry:
    """Return a report. Raises UsageError with the nearest name when there is none."""
    entries = catalogue(custom_fields)
    if name not in entries:
        close = difflib.get_close_matches(name, entries, 1)
        raise UsageError(
            f"there is no report {name!r}",
            f"did you mean {close[0]}?" if close else f"one of {', '.join(entries)}",
        )
    return entries[name]


def own_level(name: str) -> int:
    """Return the level that opens a report unless the settings say something else: that of sums
    by a custom field is that of all sums, and of what is no report as well."""
    entry = _BY_NAME.get(name)
    return OWN if entry is None else entry.level
