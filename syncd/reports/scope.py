"""The door to call rows: who is looking, whether they may, and what keeps the other rows out.

This is the one place that turns a viewer into a filter on call rows. Whatever reads them for
somebody takes a ``Door``, and a door is opened, and logged, here alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from syncd.domain.codes import LEVELS
from syncd.domain.errors import UsageError, UserError
from syncd.domain.party import name_key
from syncd.domain.viewer import LOCAL_ADMINISTRATOR, Viewer
from syncd.reports.dimensions import Raw
from syncd.reports.lookups import Lookups
from syncd.reports.masking import WHOLLY, mask_asked
from syncd.reports.permissions import (
    BASES,
    BUSINESS,
    OWN,
    Reach,
    Scope,
    hides_number,
    may_open,
    scope_of,
)
from syncd.store.dialect import id_list as id_list
from syncd.store.dialect import in_list as in_list
from syncd.store.models import AccessLog, Party, database

_NOBODY = -1
"""No party has this id."""
MANAGEMENT = 10
"""The level of complete management."""


class AccessDenied(UserError):
    """Level 0, disabled, departed or unknown: one sentence for all of them, which tells nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No billing data is available to {name}.")


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings say about who sees what."""

    level6_basis: str = "department"
    levels: Mapping[str, int] = field(default_factory=dict)
    """Required level by report, where it was changed."""
    private_numbers: bool = False
    """Level 10 is shown the numbers of private calls, too."""


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL over call rows with its bound parameters."""

    sql: str
    parameters: tuple[Any, ...] = ()


EVERYTHING = Condition("1 = 1")


NEARLY_ALL = 10
"""How many times as many orgs are in scope as are not, where it is of nearly all."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a scope."""

    rows: Condition
    """On call rows; an index answers it."""
    sums: Condition
    """On a table of sums: it stands for the same rows."""
    needs: frozenset[Raw] = frozenset()
    """What a table of sums must know for that."""
    checked: Condition | None = None
    """The condition on call rows in a form that no index answers: for who looks rows up by
    something narrower. None: there is nothing narrower."""
    orgs: int | None = None
    """How many orgs it has; None: all, or not by org."""
    others: Condition | None = None
    """On a table of sums, where most orgs are in scope: those that are not. The sums of all without
    these are the sums in scope."""
    nearly_all: bool = False
    """Whether so few orgs are not in scope that it takes less to sum them twice than to look up all
    others."""


@dataclass(frozen=True, slots=True)
class Door:
    """An opened report: for whom, how far they see, and the row of the access log."""

    viewer: Viewer
    scope: Scope
    access_id: int

    def note_rows(self, rows: int) -> None:
        """Remember in the access log how many rows went out."""
        AccessLog.update(rows=rows).where(AccessLog.id == self.access_id).execute()


def resolve_viewer(who: str, default_basis: str) -> Viewer:
    """Return the viewer with a username, or with ``SOURCE:USER``, as of now.

    Raises AccessDenied for somebody who is unknown, disabled, departed or of level 0; UsageError
    when several people have the name.
    """
    shown = " ".join(who.split())
    found = _people(who)
    if not found and ":" in who:
        source, _, user = who.partition(":")
        found = [party for party in _people(user) if party.source == source.strip()]
    if len(found) > 1:
        sources = sorted({party.source for party in found})
        hint = (
            "say which: " + " or ".join(f"{source}:{shown}" for source in sources)
            if len(sources) > 1
            else f"make the usernames of {sources[0]} differ"
        )
        raise UsageError(f"several people are called {shown}", hint)
    if not found or not found[0].enabled:
        raise AccessDenied(shown)
    viewer = viewer_of(found[0], default_basis)
    if viewer.level not in LEVELS or viewer.level < OWN:
        raise AccessDenied(shown)
    return viewer


def viewer_of(party: Any, default_basis: str) -> Viewer:
    """Return the viewer that a row of ``party`` is as of now, whatever its level."""
    return Viewer(
        name=party.username,
        party_id=party.id,
        level=int(party.permission_level),
        level6_basis=party.level6_basis if party.level6_basis in BASES else default_basis,
        department=name_key(party.department),
        cost_center=name_key(party.cost_center),
        office_location=name_key(party.office_location),
        additional_departments=tuple(
            key for key in map(name_key, party.additional_departments.split(";")) if key
        ),
        masked_digits=max(0, party.masked_digits),
    )


def _people(username: str) -> list[Any]:
    """Return the people with this username who are there. Those who departed do not stand in the
    way of who has the name now."""
    key = name_key(username)
    if not key:
        return []
    return list(
        Party.select().where(
            Party.username_key == key, Party.kind == "person", Party.departed_at.is_null()
        )
    )


def open_door(who: str | None, report: str, specification: str, policy: Policy, now: int) -> Door:
    """Open a report for somebody, None for the local administrator, and log it.

    ``specification`` says in one line what was asked; ``now`` is the time (epoch UTC).
    Raises AccessDenied or UserError when it is not for them.
    """
    viewer = LOCAL_ADMINISTRATOR if who is None else resolve_viewer(who, policy.level6_basis)
    if not may_open(viewer, report, policy.levels):
        raise UserError(f"The report {report} is not available to {viewer.name}.")
    door = door_for(viewer, report, specification, now)
    if policy.private_numbers and viewer.level >= MANAGEMENT:
        return replace(door, scope=replace(door.scope, private_numbers=True))
    return door


def door_for(viewer: Viewer, report: str, specification: str, now: int) -> Door:
    """Open a report for a viewer whom nobody has to let in: who is sent it because of what the
    settings say. Their scope holds as always, and it is logged."""
    row = AccessLog.create(
        at=now,
        viewer=viewer.name,
        level=viewer.level,
        report=report,
        specification=specification,
        rows=0,
    )
    return Door(viewer, scope_of(viewer), row.id)


def row_conditions(scope: Scope, lookups: Lookups) -> tuple[Condition, ...]:
    """Return the conditions on call rows that a scope is: a row fits at most one of them, and each
    can be answered by an index."""
    return tuple(part.rows for part in scope_parts(scope, lookups))


def scope_parts(scope: Scope, lookups: Lookups) -> tuple[Part, ...]:
    """Return the parts of a scope: a row fits at most one of them."""
    if scope.reach is Reach.ALL:
        # Naming every org changes nothing but that a range of time becomes a range of the index.
        every = Condition("org_id IN (SELECT id FROM org)")
        return (Part(every, EVERYTHING, checked=EVERYTHING),)
    if scope.reach is Reach.OWN:
        own = Condition("party_id = ?", (scope.party_id,))
        return (Part(own, own, frozenset((Raw.PARTY,))),)
    if scope.reach is Reach.ORGS:
        chosen = lookups.orgs_with(scope.basis, scope.keys)
        orgs = id_list(chosen)
        theirs = Condition(in_list("org_id"), (orgs,))
        own = Condition(f"party_id = ? AND NOT {in_list('org_id')}", (scope.party_id, orgs))
        others = lookups.all_orgs - chosen
        return (
            Part(
                theirs,
                theirs,
                frozenset((Raw.ORG,)),
                Condition(in_list("+org_id"), (orgs,)),
                len(chosen),
                Condition(in_list("org_id"), (id_list(others),))
                if len(others) < len(chosen)
                else None,
                len(others) * NEARLY_ALL < len(chosen),
            ),
            Part(own, own, frozenset((Raw.PARTY, Raw.ORG))),
        )
    return ()


def private_owner(call: str) -> str:
    """Return the SQL of whose private call a row is part of, for ``masked_digits``; ``call`` is the
    name of the row's table in the query."""
    return (
        "COALESCE((SELECT COALESCE(owner.party_id, 0) FROM private_record"
        " LEFT JOIN call owner ON owner.id = private_record.owner"
        f" WHERE private_record.record_id = {call}.id / 8), {BUSINESS})"
    )


def private_owner_of_many(call: str) -> str:
    """Return the same for a query over many rows: nothing is looked up for each of them where nobody
    has private calls."""
    any_private = database.execute_sql("SELECT 1 FROM private_record LIMIT 1").fetchone()
    return str(BUSINESS) if any_private is None else private_owner(call)


def asked_for(reader: Door) -> Callable[[str], str]:
    """Return the function from what somebody asked to how a reader gets it: numbers that are filtered
    by are masked as the reader's are. Where others have private calls whose numbers the reader does
    not see, all of them are hidden: to hide some would tell which."""
    digits = WHOLLY if _hides_private(reader.scope) else reader.scope.masked_digits
    return lambda text: mask_asked(text, digits)


def _hides_private(scope: Scope) -> bool:
    """Say whether there are private calls of others whose numbers a viewer does not see."""
    if scope.private_numbers:
        return False
    found = database.execute_sql(
        "SELECT 1 FROM private_record LEFT JOIN call owner ON owner.id = private_record.owner"
        " WHERE COALESCE(owner.party_id, 0) <> ? LIMIT 1",
        (max(0, scope.party_id) or _NOBODY,),
    )
    return found.fetchone() is not None


def masked_digits(scope: Scope, owner: int) -> int:
    """Return how many digits of a row's outside number are masked for a viewer."""
    return WHOLLY if hides_number(scope, owner) else scope.masked_digits


def private_records(scope: Scope, record_ids: Iterable[int]) -> dict[int, int]:
    """Return those of some records that are part of a private call, and how many digits of the
    outside numbers in them are masked."""
    rows = database.execute_sql(
        "SELECT private_record.record_id, COALESCE(owner.party_id, 0) FROM private_record"
        " LEFT JOIN call owner ON owner.id = private_record.owner"
        f" WHERE {in_list('private_record.record_id')}",
        (id_list(set(record_ids)),),
    )
    return {record: masked_digits(scope, owner) for record, owner in rows.fetchall()}
