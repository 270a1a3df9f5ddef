"""Reports that are not sums over call rows: each has a module of its own in ``reports/makers``."""

from __future__ import annotations

from syncd.reports.catalogue.entry import OF_NOW, OF_PERIOD, TODAY, CatalogueEntry, Group

MADE = (
    CatalogueEntry(
        "budgets",
        "budgets of today's periods and what was spent of them",
        make="budgets",
        takes=OF_NOW,
        group=Group.MONEY,
        counting="the cost of the calls of a budget's period, as they are rated now",
        period=TODAY,
    ),
    CatalogueEntry(
        "trunk-load",
        "how busy the trunks were, billed calls or not",
        make="trunk_load",
        takes=OF_PERIOD,
        group=Group.SETUP,
        level=8,
        counting="an end of a record on a trunk is a seizure, unless an earlier record has its leg",
    ),
)
"""Reports with a maker."""
