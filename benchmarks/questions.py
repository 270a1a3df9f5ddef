"""The reports that are measured, with what DuckDB is asked beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.stored_calls import YEAR

SUMS_AIM, PAGE_AIM = 100, 20
"""Milliseconds."""
WHOLE_YEAR = {"first": f"{YEAR}-01-01", "end": f"{YEAR + 1}-01-01"}
THIS_MONTH = {"first": f"{YEAR}-12-01", "end": f"{YEAR + 1}-01-01"}


@dataclass(frozen=True, slots=True)
class Question:
    """A report, and the same for DuckDB where that can be asked."""

    name: str
    request: dict[str, Any]
    groups: str = ""
    """What DuckDB groups by; empty: it is not asked."""
    aim: int = SUMS_AIM


SUMS = (
    Question("by month, a year", {"group_by": "month", **WHOLE_YEAR}, "month"),
    Question(
        "department by month, a year",
        {"group_by": "department,month", **WHOLE_YEAR},
        "department, month",
    ),
    Question("class by month, a year", {"group_by": "class,month", **WHOLE_YEAR}, "class, month"),
    Question(
        "carrier by month, a year",
        {"group_by": "carrier,month", **WHOLE_YEAR},
        "carrier_id, month",
    ),
    Question(
        "top 20 countries, a year",
        {"group_by": "country", "top": 20, **WHOLE_YEAR},
        "country",
    ),
    Question(
        "destination by month, a year",
        {"group_by": "destination,month", **WHOLE_YEAR},
        "destination_id, month",
    ),
    Question("people, a year", {"group_by": "person", "limit": 20, **WHOLE_YEAR}, "party_id"),
    Question(
        "projects (a field of people) by month, a year",
        {"group_by": "custom1,month", **WHOLE_YEAR},
        "custom1, month",
    ),
    Question(
        "hour by weekday, a year", {"group_by": "hour,weekday", **WHOLE_YEAR}, "hour, weekday"
    ),
    Question("by day, a year", {"group_by": "day", **WHOLE_YEAR}, "day"),
    Question("departments, this month", {"group_by": "department", **THIS_MONTH}, "department"),
    Question("people, this month", {"group_by": "person", "limit": 20, **THIS_MONTH}, "party_id"),
    Question(
        "top 20 countries, this month",
        {"group_by": "country", "top": 20, **THIS_MONTH},
        "country",
    ),
    Question("hours, this month", {"group_by": "hour", **THIS_MONTH}, "hour"),
)
LISTS = (
    Question("calls", WHOLE_YEAR, aim=PAGE_AIM),
    Question("calls of a person", {"filters": ("person=Person 64",), **WHOLE_YEAR}, aim=PAGE_AIM),
    Question(
        "calls of a department",
        {"filters": ("department=Department 63",), **WHOLE_YEAR},
        aim=PAGE_AIM,
    ),
    Question("calls abroad", {"filters": ("class=international",), **WHOLE_YEAR}, aim=0),
    Question("longer than eleven minutes", {"filters": ("duration>660",), **WHOLE_YEAR}, aim=0),
)
