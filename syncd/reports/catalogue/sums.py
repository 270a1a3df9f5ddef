"""Lists of call rows and sums over them: the engine makes these of what a specification chooses."""

from __future__ import annotations

from syncd.reports.catalogue.entry import POSTING_RULE, CatalogueEntry, Group
from syncd.reports.result import Chart
from syncd.reports.specification import BOOKED_MEASURES, BY_POSTING

SUMS = (
    CatalogueEntry("summary", "sums by direction and class", ("direction", "class")),
    CatalogueEntry("by-person", "sums by person", ("person", "username", "party"), group=Group.WHO),
    CatalogueEntry("by-department", "sums by department", ("department",), group=Group.WHO),
    CatalogueEntry("by-cost-center", "sums by cost center", ("cost_center",), group=Group.WHO),
    CatalogueEntry(
        "by-office-location", "sums by office location", ("office_location",), group=Group.WHO
    ),
    CatalogueEntry("by-site", "sums by site of the line", ("site",), group=Group.WHO),
    CatalogueEntry("by-line", "sums by line and person", ("line_id", "person"), group=Group.WHO),
    CatalogueEntry(
        "unassigned",
        "sums of lines without a person, by site and line",
        ("site", "line_id"),
        filters=(("party", ("",)),),
        group=Group.WHO,
    ),
    CatalogueEntry(
        "by-country", "sums by country of the destination", ("country",), group=Group.WHERE
    ),
    CatalogueEntry(
        "by-destination", "sums by destination", ("destination", "class"), group=Group.WHERE
    ),
    CatalogueEntry(
        "by-prefix",
        "sums by destination and the prefix of the rate",
        ("destination", "rate_prefix"),
        group=Group.WHERE,
    ),
    CatalogueEntry(
        "by-class", "sums by the class of the other number", ("class",), group=Group.WHERE
    ),
    CatalogueEntry("by-carrier", "sums by carrier", ("carrier",), group=Group.WHERE),
    CatalogueEntry("by-trunk", "sums by trunk", ("trunk",), group=Group.WHERE),
    CatalogueEntry("by-hour", "sums by hour of the day", ("hour",), group=Group.WHEN),
    CatalogueEntry("by-weekday", "sums by day of the week", ("weekday",), group=Group.WHEN),
    CatalogueEntry("by-day", "sums by day", ("day",), group=Group.WHEN),
    CatalogueEntry("by-month", "sums by month", ("month",), period="this-year", group=Group.WHEN),
    CatalogueEntry(
        "heat-map",
        "when calls are made: hour by weekday",
        ("hour", "weekday"),
        ("calls", "answered", "missed", "duration"),
        chart=Chart("weekday", "calls", across="hour"),
        group=Group.WHEN,
    ),
    CatalogueEntry(
        "by-account-code",
        "sums by the codes that callers keyed in",
        ("authorization_code", "matter_code", "matter"),
        group=Group.MONEY,
    ),
    CatalogueEntry(
        "by-purpose", "sums of business and private calls", ("purpose",), group=Group.MONEY
    ),
    CatalogueEntry(
        "unrated",
        "calls without a price, by the reason and how the number begins",
        ("reason", "prefix", "carrier", "trunk"),
        ("unrated", "calls", "duration"),
        (("state", ("unrated",)),),
        group=Group.MONEY,
    ),
    CatalogueEntry(
        "charges",
        "what finance books, by posting period",
        ("month", "department"),
        BOOKED_MEASURES,
        by=BY_POSTING,
        group=Group.MONEY,
        counting=POSTING_RULE,
    ),
    CatalogueEntry(
        "missed-by-person",
        "missed calls by person, beside those that were answered",
        ("person", "username", "party"),
        ("missed", "answered", "calls", "ring_seconds"),
        sort=("-missed",),
        group=Group.MISSED,
    ),
    CatalogueEntry(
        "missed-by-line",
        "missed calls by line, beside those that were answered",
        ("line_id", "person"),
        ("missed", "answered", "calls", "ring_seconds"),
        sort=("-missed",),
        group=Group.MISSED,
    ),
)
"""Reports with a row for each group of calls."""


def by_custom_field(name: str, label: str) -> CatalogueEntry:
    """Return the report of a custom field."""
    return CatalogueEntry(f"by-{name}", f"sums by {label}", (name,), title=label, group=Group.WHO)
