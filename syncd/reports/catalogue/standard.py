"""The reports of call data, as data."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from syncd.domain.errors import UsageError
from syncd.reports.catalogue.budgets import budgets
from syncd.reports.catalogue.entry import CatalogueEntry
from syncd.reports.catalogue.trunk_load import trunk_load
from syncd.reports.specification import BOOKED_MEASURES, BY_POSTING

ENTRIES = (
    CatalogueEntry("calls", "every call, newest first"),
    CatalogueEntry("by-person", "sums by person", ("person", "username", "party")),
    CatalogueEntry("by-department", "sums by department", ("department",)),
    CatalogueEntry("by-cost-center", "sums by cost center", ("cost_center",)),
    CatalogueEntry("by-office-location", "sums by office location", ("office_location",)),
    CatalogueEntry("by-destination", "sums by destination", ("destination", "class")),
    CatalogueEntry("by-line", "sums by line and person", ("line_id", "person")),
    CatalogueEntry(
        "by-account-code",
        "sums by the codes that callers keyed in",
        ("authorization_code", "matter_code", "matter"),
    ),
    CatalogueEntry("by-purpose", "sums of business and private calls", ("purpose",)),
    CatalogueEntry("summary", "sums by direction and class", ("direction", "class")),
    CatalogueEntry(
        "unrated",
        "calls without a price, by the reason and how the number begins",
        ("reason", "prefix", "carrier", "trunk"),
        ("unrated", "calls", "duration"),
        (("state", ("unrated",)),),
    ),
    CatalogueEntry(
        "charges",
        "what finance books, by posting period",
        ("month", "department"),
        BOOKED_MEASURES,
        by=BY_POSTING,
    ),
    CatalogueEntry(
        "budgets",
        "budgets of today's periods and what was spent of them",
        make=budgets,
        takes=frozenset(("limit",)),
    ),
    CatalogueEntry(
        "trunk-load",
        "how busy the trunks were, billed calls or not",
        make=trunk_load,
        takes=frozenset(("first", "end", "limit")),
    ),
)


def catalogue(custom_fields: Mapping[str, str]) -> dict[str, CatalogueEntry]:
    """Return the reports by name; each labelled custom field has one of its own."""
    entries = {entry.name: entry for entry in ENTRIES}
    for name, label in custom_fields.items():
        entries[f"by-{name}"] = CatalogueEntry(f"by-{name}", f"sums by {label}", (name,))
    return entries


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
