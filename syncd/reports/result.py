"""What every report gives and every output takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from syncd.reports.specification import Specification


class Kind(Enum):
    """What the values of a column are; null is an absent value of any."""

    TEXT = "text"
    COUNT = "count"
    """A whole number."""
    NUMBER = "number"
    """A decimal number as a text."""
    SECONDS = "seconds"
    """Whole seconds."""
    MONEY = "money"
    """A decimal number as a text, in the currency of the installation."""
    MOMENT = "moment"
    """A time with its offset, ISO 8601."""
    DAY = "day"
    """A day like 2026-01-31."""

    @property
    def numeric(self) -> bool:
        return self not in (Kind.TEXT, Kind.MOMENT, Kind.DAY)


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the rows."""

    name: str
    heading: str
    kind: Kind = Kind.TEXT
    absent: str = ""
    """What people read in the place of null."""


@dataclass(frozen=True, slots=True)
class Chart:
    """What a picture of the rows shows: one numeric column over the values of another."""

    label: str
    """Name of the column with the labels."""
    value: str
    """Name of the numeric column."""
    over_time: bool = False
    """The labels follow one another in time, so a line joins them."""
    across: str = ""
    """Name of a second column with labels: a map of the two, as of weekday and hour."""
    additive: bool = True
    """Values can be summed, so that small ones are shown together."""


@dataclass(frozen=True, slots=True)
class Result:
    """A report as one viewer gets it. ``rows`` can be read once, while the report is open."""

    report: str
    viewer: str
    level: int
    specification: Specification
    columns: tuple[Column, ...]
    rows: Iterable[dict[str, Any]]
    """By name of the column; values are those of JSON."""
    totals: dict[str, Any]
    """Over all rows, not those within the limit; also what is no column."""
    currency: str = ""
    brief: tuple[str, ...] = ()
    """The columns that are shown where there is room for some, empty: all."""
    notes: list[str] = field(default_factory=list)
    """What the reader has to know beside the figures, a sentence each; whole when the rows have
    been read."""
    facts: dict[str, Any] = field(default_factory=dict)
    """The same for programs, by name."""
    chart: Chart | None = None
    empty: str = "nothing in this period"
    """What is said when there is no row."""
    title: str = ""
    """What stands above it, for people; empty: the name of the report."""
    counting: str = ""
    """What it counts, for people; empty: what the specification says."""

    @property
    def lists_rows(self) -> bool:
        return self.specification.lists_rows

    @property
    def head(self) -> dict[str, Any]:
        """What comes before the rows."""
        return {
            "report": self.report,
            "viewer": self.viewer,
            "level": self.level,
            "period": {
                "from": self.specification.first.isoformat(),
                "to": self.specification.end.isoformat(),
            },
            "by": self.specification.by,
            "counts": self.specification.counts,
            **self.facts,
        }

    def column(self, name: str) -> Column:
        """Return a column by its name. Raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
