"""What intake met and nobody has told it of: numbers of the line side, and trunks.

For who manages syncd: it is made of records, not of calls.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from syncd.domain.clock import iso
from syncd.domain.party import line_identifier
from syncd.reports.environment import Environment
from syncd.reports.reading import result_of
from syncd.reports.result import Column, Kind, Result
from syncd.reports.scope import Door
from syncd.reports.specification import Specification
from syncd.store.models import Pbx, UnknownNumber, UnknownTrunk

SEEN = (
    Column("first_seen", "First seen", Kind.MOMENT),
    Column("last_seen", "Last seen", Kind.MOMENT),
    Column("records", "Records", Kind.COUNT),
)
NUMBERS = (Column("line_id", "Line"), Column("site", "Site", absent="-"), *SEEN)
TRUNKS = (Column("device", "Device"), Column("pbx", "PBX", absent="-"), *SEEN)


def make(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return the unknown numbers, or trunks, as the report is named, the busiest first."""

    def seen(row: Any) -> dict[str, Any]:
        return {
            "first_seen": iso(row.first_seen, environment.zone),
            "last_seen": iso(row.last_seen, environment.zone),
            "records": row.records,
        }

    trunks = specification.report == "unknown-trunks"
    found = [{**name, **seen(row)} for row, name in (_trunks() if trunks else _numbers())]
    return result_of(
        door,
        specification,
        environment,
        TRUNKS if trunks else NUMBERS,
        found,
        {"rows": len(found), "records": sum(row["records"] for row in found)},
        empty="every trunk has a section" if trunks else "somebody holds every number",
    )


def _numbers() -> Iterable[tuple[Any, dict[str, Any]]]:
    for row in UnknownNumber.select().order_by(
        UnknownNumber.records.desc(),
        UnknownNumber.site,
        UnknownNumber.partition,
        UnknownNumber.number,
    ):
        yield (
            row,
            {"line_id": line_identifier(row.partition, row.number), "site": row.site or None},
        )


def _trunks() -> Iterable[tuple[Any, dict[str, Any]]]:
    names = dict(Pbx.select(Pbx.id, Pbx.name).tuples())
    for row in UnknownTrunk.select().order_by(
        UnknownTrunk.records.desc(), UnknownTrunk.pbx_id, UnknownTrunk.device
    ):
        yield row, {"device": row.device, "pbx": names.get(row.pbx_id)}
