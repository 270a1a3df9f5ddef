"""Lists of call rows: all of them, or those of one kind."""

from __future__ import annotations

from syncd.reports.catalogue.entry import ROWS_RULE, CatalogueEntry

LISTS = (
    CatalogueEntry("calls", "every call, newest first", title="Call list", counting=ROWS_RULE),
)
"""Reports with a row for each call."""
