"""Lists of call rows: all of them, or those of one kind."""

from __future__ import annotations

from syncd.reports.catalogue.entry import ROWS_RULE, CatalogueEntry, Group

ANSWERED = (("disposition", ("answered",)),)
_MISSED = (
    "started_at",
    "line_id",
    "person",
    "direction",
    "other_number",
    "hunt_pilot",
    "ring_seconds",
    "disposition",
)

LISTS = (
    CatalogueEntry("calls", "every call, newest first", title="Call list", counting=ROWS_RULE),
    CatalogueEntry(
        "most-expensive",
        "the calls that cost most",
        sort=("-cost",),
        limit=50,
        counting=ROWS_RULE,
    ),
    CatalogueEntry(
        "longest-calls",
        "the calls that lasted longest",
        sort=("-duration",),
        limit=50,
        counting=ROWS_RULE,
    ),
    CatalogueEntry(
        "short-calls",
        "calls that were connected for a few seconds or none",
        filters=ANSWERED,
        conditions=("duration<={short_call}",),
        counting="rows of connected calls; connected for 0 seconds is 1",
    ),
    CatalogueEntry(
        "outside-hours",
        "calls outside working hours",
        filters=(("working_time", ("outside",)),),
        counting=ROWS_RULE,
        group=Group.WHEN,
    ),
    CatalogueEntry(
        "missed-calls",
        "calls that were missed, newest first",
        filters=(("outcome", ("missed",)),),
        columns=_MISSED,
        counting="participations that were missed, each on its first row",
        group=Group.MISSED,
    ),
)
"""Reports with a row for each call."""
