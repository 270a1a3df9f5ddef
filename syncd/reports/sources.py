"""The tables that sums can be read from, and what each one knows."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.domain.days import QUARTER
from syncd.domain.party import CUSTOM_FIELDS
from syncd.reports.dimensions import Raw
from syncd.store.rollup_tables import KEYS, MEASURES

LINES = 2**32
"""More than there are ids of lines."""


@dataclass(frozen=True, slots=True)
class Source:
    """A table that sums can be read from, and what its raw columns are called."""

    table: str
    columns: dict[Raw, str]
    span: str = ""
    """The column with the day or month."""
    field: str = ""
    """The field of people that it is of, for ``Raw.FIELD``."""
    chosen: str = ""
    """SQL of the rows that it has, where it is a part of the table, with AND."""

    @property
    def measures(self) -> list[str]:
        """SQL of each measure."""
        if self.table == "call":
            return list(MEASURES.values())
        return [f"SUM({name})" for name in MEASURES]


def party_today(column: str) -> str:
    """Return the SQL of a party, or where there is none of another id, negative."""
    return f"CASE WHEN party_id = 0 THEN -{column} ELSE party_id END"


def _of_record(column: str) -> str:
    """Return the SQL of what stands in a call's record alone."""
    return f"(SELECT {column} FROM record WHERE record.id = call.id / 8)"


CALL = Source(
    "call",
    {
        Raw.LINE: "line_id",
        Raw.PARTY: "party_id",
        Raw.PROFILE: "profile_id",
        Raw.ORG: "org_id",
        Raw.ORG_TODAY: party_today("org_id"),
        Raw.PROFILE_TODAY: party_today("profile_id"),
        Raw.SIDE: "side",
        Raw.DIRECTION: "direction",
        Raw.CLASS: "class",
        Raw.DESTINATION: "destination_id",
        Raw.RATE: "rate_id",
        Raw.CARRIER: "carrier_id",
        Raw.TRUNK: "trunk_id",
        Raw.STATE: "state",
        Raw.DISPOSITION: "disposition",
        Raw.OUTCOME: "outcome",
        Raw.REASON: "reason",
        Raw.QUARTER: f"started_at / {QUARTER}",
        Raw.QUARTER_OF_LINE: f"(started_at / {QUARTER}) * {LINES} + line_id",
        Raw.AUTHORIZATION: _of_record("authorization_code"),
        Raw.MATTER_CODE: _of_record("matter_code"),
        Raw.PURPOSE: "CASE WHEN EXISTS (SELECT 1 FROM private_record WHERE record_id = call.id / 8)"
        " THEN 1 ELSE 0 END",
        Raw.MATTER: "COALESCE((SELECT matter_id FROM account_charge WHERE call_id = call.id), 0)",
    },
)

_RAW = {
    "line_id": Raw.LINE,
    "party_id": Raw.PARTY,
    "profile_id": Raw.PROFILE,
    "org_id": Raw.ORG,
    "direction": Raw.DIRECTION,
    "class": Raw.CLASS,
    "destination_id": Raw.DESTINATION,
    "carrier_id": Raw.CARRIER,
    "trunk_id": Raw.TRUNK,
    "weekday": Raw.WEEKDAY,
    "hour": Raw.HOUR,
}


def _rollup(table: str, span: Raw) -> Source:
    columns = {span: span.value, **{_RAW[key]: key for key in KEYS[table]}}
    for raw, today in ((Raw.ORG, Raw.ORG_TODAY), (Raw.PROFILE, Raw.PROFILE_TODAY)):
        if Raw.PARTY in columns and raw in columns:
            columns[today] = party_today(columns[raw])
    return Source(table, columns, span.value)


BY_DAY = tuple(
    _rollup(table, Raw.DAY) for table in ("rollup_day_total", "rollup_day_org", "rollup_day")
)
"""The smallest first."""
_OF_FIELD = {Raw.MONTH: "month", Raw.FIELD: "profile_id"}
BY_MONTH = (
    *(
        Source("rollup_field", _OF_FIELD, "month", name, f"field = {number} AND ")
        for number, name in enumerate(CUSTOM_FIELDS, 1)
    ),
    *(
        _rollup(table, Raw.MONTH)
        for table in (
            "rollup_month_total",
            "rollup_destination_total",
            "rollup_hour_total",
            "rollup_month_org",
            "rollup_person",
            "rollup_party",
            "rollup_hour_org",
            "rollup_month",
            "rollup_destination",
            "rollup_hour",
            "rollup_line",
        )
    ),
)
"""The smallest first."""
