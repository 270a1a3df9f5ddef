"""What the catalogue knows of a report: data alone, so that everybody may know it (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from syncd.reports.result import Chart
from syncd.reports.specification import BY_DATE, Filters

OWN = 2
"""The level that opens a report unless it says something else."""

OF_ENGINE = frozenset(
    ("group_by", "measures", "count", "by", "sort", "page", "top", "subtotals", "compare", "as_of")
)
"""What the engine does with sums and lists of call rows."""

OF_CALLS = OF_ENGINE | {"first", "end", "period", "filters", "columns", "limit"}
"""What can be asked of a report that chooses among call rows."""

OF_ROWS = (OF_CALLS - OF_ENGINE) | {"sort"}
"""What can be asked of a report that works its figures out of call rows."""

OF_GROUPS = OF_ROWS | {"group_by"}
"""The same where it has a row for each group of them."""

OF_PERIOD = frozenset(("first", "end", "period", "columns", "sort", "limit"))
"""What can be asked of a report about a period that is not made of call rows."""

OF_NOW = frozenset(("columns", "sort", "limit"))
"""What can be asked of a report about the present."""

PARTICIPATIONS_RULE = "a line's part in a conversation counts once, on its first row"
CONVERSATIONS_RULE = "a conversation counts once, however many lines took part"
POSTING_RULE = (
    "the cost of a month's calls as they are now, with the adjustments that are booked in it"
)
ROWS_RULE = "a row for each line that took part, each record apart"

THIS_MONTH = "this-month"
TODAY = "today"


class Group(Enum):
    """Under what a report stands in the list of them."""

    CALLS = "Calls"
    WHO = "Who"
    WHERE = "Where to"
    WHEN = "When"
    MISSED = "Missed and answered"
    QUEUES = "Queues"
    QUALITY = "Quality"
    MONEY = "Money"
    SETUP = "Lines and trunks"
    MANAGEMENT = "Management"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A report: its name, what it says and what it groups by; without dimensions it lists rows."""

    name: str
    summary: str
    dimensions: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    """What it sums unless something else is asked for, empty for the usual ones."""
    filters: Filters = ()
    """Which rows it is about, whatever else is asked for."""
    conditions: tuple[str, ...] = ()
    """More of that, as filters are written; ``{short_call}`` stands for that option of
    ``[reports]``."""
    by: str = BY_DATE
    """What it sums by unless something else is asked for: the date of the call, or the posting
    period."""
    make: str = ""
    """The module of ``reports/makers`` whose ``make`` makes it, where it is not made of sums over the
    call rows that a specification chooses, or a list of them."""
    takes: frozenset[str] = OF_CALLS
    """What can be asked of it (``request.Request``)."""
    title: str = ""
    """What stands above it; empty: the name in words."""
    group: Group = Group.CALLS
    level: int = OWN
    """From which it opens; ``[report:NAME] level`` changes that."""
    counting: str = PARTICIPATIONS_RULE
    """What it counts, a sentence."""
    period: str = THIS_MONTH
    """The period that it is about unless another is asked for, by name."""
    columns: tuple[str, ...] = ()
    """The fields that it shows where there is room for some; empty: all, or those of the call
    list."""
    sort: tuple[str, ...] = ()
    """Fields by which its rows are sorted, the last first with ``-``; empty: the order of its
    kind."""
    limit: int | None = None
    """How many rows it has unless another number is asked for."""
    chart: Chart | None = None
    """What a picture of it shows, where that is not said by its kind."""

    @property
    def heading(self) -> str:
        """What stands above it."""
        return self.title or self.name.replace("-", " ").capitalize()

    def within(self, filters: Filters) -> Filters:
        """Return what is asked for together with what the report is about, which cannot be changed."""
        return tuple(sorted((dict(filters) | dict(self.filters)).items()))
