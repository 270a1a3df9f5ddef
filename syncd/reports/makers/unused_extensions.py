"""Billed lines in a viewer's scope without a call there in a period.

Whose a line was, and of which department, is as at the end of the period. A line is in scope as a
call of it would be; calls that are not in scope are not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from syncd.domain.clock import BEGINNING, iso
from syncd.domain.codes import Role
from syncd.reports.environment import Environment
from syncd.reports.lookups import select
from syncd.reports.query import Query
from syncd.reports.reading import org_labels, query_of, read, result_of
from syncd.reports.result import Column, Kind, Result
from syncd.reports.scope import Door, row_conditions
from syncd.reports.specification import Specification

COLUMNS = (
    Column("line_id", "Line"),
    Column("site", "Site", absent="-"),
    Column("role", "Role"),
    Column("person", "Person", absent="-"),
    Column("username", "Username", absent="-"),
    Column("department", "Department", absent="-"),
    Column("since", "Held since", Kind.MOMENT, "beginning"),
)

ROLES: Mapping[int, Role | None] = {
    Role.FIRST: Role.ALIAS,
    Role.OTHER: None,
    Role.FAX: Role.OFFNET_FAX,
    Role.VOICEMAIL: None,
}
"""What takes a slot, and the role of other numbers of the same line."""

_HELD = """
SELECT line, line_id, site, role, party_id, org_id, since FROM (
 SELECT line.id AS line, line.line_id AS line_id, line.site AS site, assignment.role AS role,
  assignment.party_id AS party_id, COALESCE(profile.org_id, 0) AS org_id,
  assignment.valid_from AS since
 FROM assignment
 JOIN line ON line.id = assignment.line_id
 LEFT JOIN profile ON profile.party_id = assignment.party_id
  AND profile.valid_from <= ? AND profile.valid_to > ?
 WHERE assignment.line_id <> 0 AND assignment.billed = TRUE AND assignment.shared = FALSE
  AND assignment.valid_from <= ? AND assignment.valid_to > ?
) held
"""


class Held(NamedTuple):
    """A line and whose it is."""

    line: int
    line_id: str
    site: str
    role: int
    party: int
    org: int
    since: int


def make(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return the lines without a call, by department, person and line."""
    query = query_of(door, specification, environment)
    used = {row[0] for row in read(query, "DISTINCT c.line_id", filtered=False)}
    moment = min(query.stop, environment.now + 1) - 1
    held = list(_held(query, moment))
    lines: dict[tuple[int, int | None], set[int]] = {}
    for one in held:
        lines.setdefault((one.party, one.role), set()).add(one.line)
    label, department = query.lookups.label, org_labels(query, "department")
    rows = [
        {
            "line_id": one.line_id,
            "site": one.site or None,
            "role": Role(one.role).word,
            "person": label("person", one.party),
            "username": label("username", one.party),
            "department": department(one.org),
            "since": None if one.since <= BEGINNING else iso(one.since, environment.zone),
        }
        for one in held
        if one.role in ROLES and not {one.line, *lines.get((one.party, ROLES[one.role]), ())} & used
    ]
    rows.sort(
        key=lambda row: [
            (row[name] is None, str(row[name]).casefold())
            for name in ("department", "person", "line_id", "site", "role")
        ]
    )
    return result_of(
        door,
        specification,
        environment,
        COLUMNS,
        rows,
        {"rows": len(rows), "lines": sum(one.role in ROLES for one in held)},
        query=query,
        empty="every billed line was used in this period",
    )


def _held(query: Query, moment: int) -> Iterator[Held]:
    """Yield the billed lines that somebody in scope holds at a moment (epoch seconds)."""
    for part in row_conditions(query.scope, query.lookups):
        for row in select(f"{_HELD} WHERE {part.sql}", *[moment] * 4, *part.parameters):
            yield Held._make(row)
