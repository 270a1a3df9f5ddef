"""What a report can be grouped and filtered by.

A dimension is derived from one of several *raw* columns: call rows have all of them, a rollup has
some. ``department`` comes from the org, ``month`` from the month, the day or the quarter of an
hour, whichever a table has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from syncd.domain.codes import (
    Direction,
    Disposition,
    NumberClass,
    Outcome,
    Purpose,
    Side,
    State,
    Word,
)
from syncd.domain.party import CUSTOM_FIELDS, name_key


class Raw(Enum):
    """A column of small integers that call rows or rollups can be grouped by."""

    LINE = "line"
    PARTY = "party"
    PROFILE = "profile"
    FIELD = "field"
    """The first profile that says the same in the one field that a table is of."""
    ORG = "org"
    SIDE = "side"
    DIRECTION = "direction"
    CLASS = "class"
    DESTINATION = "destination"
    RATE = "rate"
    CARRIER = "carrier"
    TRUNK = "trunk"
    STATE = "state"
    DISPOSITION = "disposition"
    OUTCOME = "outcome"
    AUTHORIZATION = "authorization"
    """The authorization code of the record, a text."""
    MATTER_CODE = "matter_code"
    """The client matter code of the record, a text."""
    MATTER = "matter"
    PURPOSE = "purpose"
    REASON = "reason"
    """Why a row has no price, a text (``billing.unrated``)."""
    QUARTER = "quarter"
    """Epoch seconds // 900."""
    QUARTER_OF_LINE = "quarter_of_line"
    """The same times 2**32, and the line: where what it stands for is another at each site."""
    HOUR = "hour"
    """Of the local day."""
    WEEKDAY = "weekday"
    """1 is Monday, 7 Sunday."""
    DAY = "day"
    MONTH = "month"
    ORG_TODAY = "org_today"
    """The party, whose department is asked for as of now, or the org where there is none, negative."""
    PROFILE_TODAY = "profile_today"
    """The same with the profile."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """A dimension and the raw columns that it can be derived from, the cheapest first."""

    name: str
    heading: str
    raw: tuple[Raw, ...]
    of_party: bool = False
    """It tells the sides of a conversation apart, so conversations do not add up by it."""
    words: type[Word] | None = None
    """The closed list of its values."""
    temporal: bool = False


WITHIN, OUTSIDE = "within", "outside"
"""Whether a call began within working hours."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


DIMENSIONS = {
    dimension.name: dimension
    for dimension in (
        Dimension("line_id", "Line", (Raw.LINE,), of_party=True),
        Dimension("person", "Person", (Raw.PARTY,), of_party=True),
        Dimension("username", "Username", (Raw.PARTY,), of_party=True),
        Dimension("party", "Party", (Raw.PARTY,), of_party=True),
        Dimension("department", "Department", (Raw.ORG,), of_party=True),
        Dimension("cost_center", "Cost center", (Raw.ORG,), of_party=True),
        Dimension("office_location", "Office location", (Raw.ORG,), of_party=True),
        *(Dimension(name, name, (Raw.FIELD, Raw.PROFILE), of_party=True) for name in CUSTOM_FIELDS),
        Dimension("site", "Site", (Raw.LINE,), of_party=True),
        Dimension("partition", "Partition", (Raw.LINE,), of_party=True),
        Dimension("direction", "Direction", (Raw.DIRECTION,), words=Direction),
        Dimension("side", "Side", (Raw.SIDE,), of_party=True, words=Side),
        Dimension("class", "Class", (Raw.CLASS,), words=NumberClass),
        Dimension("destination", "Destination", (Raw.DESTINATION,)),
        Dimension("country", "Country", (Raw.DESTINATION,)),
        Dimension("rate_prefix", "Rate prefix", (Raw.RATE,)),
        Dimension("carrier", "Carrier", (Raw.CARRIER,)),
        Dimension("trunk", "Trunk", (Raw.TRUNK,)),
        Dimension("hour", "Hour", (Raw.HOUR, Raw.QUARTER), temporal=True),
        Dimension("weekday", "Weekday", (Raw.WEEKDAY, Raw.DAY, Raw.QUARTER), temporal=True),
        Dimension("day", "Day", (Raw.DAY, Raw.QUARTER), temporal=True),
        Dimension("month", "Month", (Raw.MONTH, Raw.DAY, Raw.QUARTER), temporal=True),
        Dimension("state", "State", (Raw.STATE,), words=State),
        Dimension("disposition", "Disposition", (Raw.DISPOSITION,), words=Disposition),
        Dimension("outcome", "Outcome", (Raw.OUTCOME,), of_party=True, words=Outcome),
        Dimension("working_time", "Working time", (Raw.QUARTER,)),
        Dimension("authorization_code", "Authorization", (Raw.AUTHORIZATION,), of_party=True),
        Dimension("matter_code", "Matter code", (Raw.MATTER_CODE,), of_party=True),
        Dimension("matter", "Matter", (Raw.MATTER,), of_party=True),
        Dimension("purpose", "Purpose", (Raw.PURPOSE,), of_party=True, words=Purpose),
        Dimension("reason", "Reason", (Raw.REASON,), of_party=True),
        Dimension("prefix", "Prefix", (Raw.REASON,), of_party=True),
    )
}

ALIASES = {
    "line": "line_id",
    "number": "other_number",
    "cost-center": "cost_center",
    "office-location": "office_location",
}

ROW_FILTERS = ("other_number", "hunt_pilot", "conversation")
"""What rows, but not sums, can be filtered by."""

MEASURES = {
    "calls": "Calls",
    "answered": "Answered",
    "missed": "Missed",
    "unanswered": "Unanswered",
    "ring_seconds": "Ring seconds",
    "duration": "Duration",
    "billed_seconds": "Billed seconds",
    "cost": "Cost",
    "cost_with_vat": "With VAT",
    "unrated": "Unrated",
}
"""Heading by measure; seconds are whole, costs are money."""

WITH_VAT = "cost_with_vat"
"""The measure that is not summed from the rows: each carrier has a tax of its own."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A measure that is the quotient of two sums."""

    heading: str
    part: str
    whole: str | None = None
    """None: the part of all rows of the report."""
    percent: bool = False


DERIVED = {
    "average_duration": Derived("Average duration", "duration", "answered"),
    "average_ring": Derived("Average ring", "ring_seconds", "calls"),
    "average_cost": Derived("Average cost", "cost", "calls"),
    "answer_rate": Derived("Answered %", "answered", "calls", percent=True),
    "calls_share": Derived("Calls %", "calls", percent=True),
    "duration_share": Derived("Duration %", "duration", percent=True),
    "cost_share": Derived("Cost %", "cost", percent=True),
}
"""By name of the measure."""

SECONDS_MEASURES = frozenset(("ring_seconds", "duration", "billed_seconds"))

DEFAULT_MEASURES = ("calls", "answered", "missed", "unanswered", "duration", "cost")


def known_dimensions(custom_fields: dict[str, str]) -> dict[str, str]:
    """Return the dimensions that exist for anyone, heading by name: custom fields only when they
    are labelled, under their label."""
    return {
        name: custom_fields.get(name, dimension.heading)
        for name, dimension in DIMENSIONS.items()
        if name not in CUSTOM_FIELDS or name in custom_fields
    }


def key_of(word: str, known: Iterable[str], custom_fields: Mapping[str, str]) -> str | None:
    """Return the key that a word stands for: a name, written with ``-`` or ``_``, another name of it,
    or the label of a custom field. None when there is none."""
    word = word.strip()
    for name in (word, ALIASES.get(word, word), word.lower().replace("-", "_")):
        if name in known:
            return name
    labels = {name_key(label): name for name, label in custom_fields.items()}
    return labels.get(name_key(word))
