"""Writing a plan to the database, with an audit row for each change.

The caller holds the write transaction: all of a plan is written, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from peewee import Model

from syncd.directory import hunt_groups
from syncd.directory.claims import Owner
from syncd.directory.plan import Arrival, Opening, Plan, ProfileOpening, shown
from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.domain.party import LIST_FIELDS, PARTY_FIELDS, PROFILE_FIELDS, FieldValue, name_key
from syncd.store.database import get_meta, set_meta
from syncd.store.models import Assignment, Line, Name, Org, Party, Profile, SyncChange
from syncd.store.models import database as proxy

VERSION = "directory_version"
"""Key under which the database counts the changes of the directory: who caches it looks here."""

ORG_FIELDS = ("department", "cost_center", "office_location")
_BATCH = 500
_WITHOUT_LINE = (Role.USER_ID, Role.DEVICE)


def directory_version() -> int:
    """Return how often the directory has changed."""
    return int(get_meta(VERSION, "0"))


def apply_plan(plan: Plan, source: str, now: int, run_id: int) -> None:
    """Write a plan of a source; ``now`` is the moment of the sync (epoch seconds), ``run_id`` the
    SyncRun to which the audit rows belong."""
    ids = _insert_parties(plan.arrivals, source, now)
    _update_parties(plan, now)
    for closing in plan.closings:
        _end(Assignment, closing.holding.id, closing.valid_to)
    for profile in plan.profile_closings:
        _end(Profile, profile.profile_id, profile.valid_to)
    _open_assignments(plan.openings, ids, now)
    _open_profiles(plan.profile_openings, ids)
    _audit(plan, ids, run_id)
    if plan.hunt:
        hunt_groups.write(source, plan.hunt)
    set_meta(VERSION, str(directory_version() + 1))


def _end(model: type[Model], row_id: int, valid_to: int) -> None:
    table: Any = model
    table.update(valid_to=valid_to).where(table.id == row_id).execute()


def insert(model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Insert rows with one prepared statement: five times faster than through the query builder."""
    database = proxy.obj
    meta: Any = model._meta
    names = ", ".join(f'"{meta.fields[column].column_name}"' for column in columns)
    marks = ", ".join([database.param] * len(columns))
    cursor = database.connection().cursor()
    cursor.executemany(f'INSERT INTO "{meta.table_name}" ({names}) VALUES ({marks})', rows)


def stored_value(name: str, value: FieldValue) -> object:
    """Return a field's value as its column holds it: lists are joined with ``;``."""
    if name in LIST_FIELDS:
        return shown(value)
    return value


def _insert_parties(arrivals: Sequence[Arrival], source: str, now: int) -> dict[Owner, int]:
    """Insert the arrivals. Returns their ids by external id."""
    columns = ("source", "external_id", "kind", "arrived_at", "username_key", *PARTY_FIELDS)
    insert(
        Party,
        columns,
        (
            (
                source,
                arrival.external_id,
                arrival.kind,
                now,
                name_key(str(arrival.fields["username"])),
                *(stored_value(name, arrival.fields[name]) for name in PARTY_FIELDS),
            )
            for arrival in arrivals
        ),
    )
    ids: dict[Owner, int] = {}
    for start in range(0, len(arrivals), _BATCH):
        names = [arrival.external_id for arrival in arrivals[start : start + _BATCH]]
        query = Party.select(Party.external_id, Party.id).where(
            (Party.source == source) & Party.external_id.in_(names)
        )
        ids.update(query.tuples())
    return ids


def _update_parties(plan: Plan, now: int) -> None:
    updates: dict[int, dict[str, object]] = {}
    for change in plan.changes:
        columns = updates.setdefault(change.party_id, {})
        columns[change.field] = stored_value(change.field, change.new)
        if change.field == "username":
            columns["username_key"] = name_key(str(change.new))
    for party_id in plan.returns:
        updates.setdefault(party_id, {}).update(departed_at=None, closed_at=None)
    for party_id in plan.departures:
        updates.setdefault(party_id, {}).update(departed_at=now)
    for party_id in plan.closed_parties:
        updates.setdefault(party_id, {}).update(closed_at=now)
    for party_id, columns in updates.items():
        Party.update(**columns).where(Party.id == party_id).execute()


def _open_assignments(openings: Sequence[Opening], ids: dict[Owner, int], now: int) -> None:
    if not openings:
        return
    lines = _line_ids(openings)
    columns = ("party", "role", "line", "site", "partition", "number", "billed", "shared")
    insert(
        Assignment,
        (*columns, "learned_at", "valid_from", "valid_to"),
        (
            (
                _party_id(opening.owner, ids),
                int(opening.claim.role),
                0 if opening.claim.role in _WITHOUT_LINE else lines[opening.claim.line],
                *opening.claim.line,
                opening.claim.billed,
                opening.shared,
                now,
                opening.valid_from,
                FOREVER,
            )
            for opening in openings
        ),
    )


def _party_id(owner: Owner, ids: dict[Owner, int]) -> int:
    return owner if isinstance(owner, int) else ids[owner]


def _line_ids(openings: Sequence[Opening]) -> dict[tuple[str, str, str], int]:
    """Return the ids of all lines, of those that the openings name and are new too."""
    query = Line.select(Line.site, Line.partition, Line.number, Line.id)

    def known() -> dict[tuple[str, str, str], int]:
        return {(row[0], row[1], row[2]): row[3] for row in query.tuples()}

    ids = known()
    new = {
        opening.claim.line: None
        for opening in openings
        if opening.claim.role not in _WITHOUT_LINE and opening.claim.line not in ids
    }
    if not new:
        return ids
    columns = ("site", "partition", "number", "line_id")
    insert(Line, columns, ((*line, line.line_id) for line in new))
    return known()


def _open_profiles(openings: Sequence[ProfileOpening], ids: dict[Owner, int]) -> None:
    if not openings:
        return
    orgs = _org_ids(openings)
    insert(
        Profile,
        ("party", "org", *PROFILE_FIELDS, "valid_from", "valid_to"),
        (
            (
                _party_id(opening.owner, ids),
                orgs[_org(opening)],
                *opening.values,
                opening.valid_from,
                FOREVER,
            )
            for opening in openings
        ),
    )


def _org(opening: ProfileOpening) -> tuple[str, ...]:
    values = dict(zip(PROFILE_FIELDS, opening.values, strict=True))
    return tuple(name_key(values[name]) for name in ORG_FIELDS)


def _org_ids(openings: Sequence[ProfileOpening]) -> dict[tuple[str, ...], int]:
    """Return the ids of all orgs, new ones too, and remember the latest spellings of names."""
    query = Org.select(*(getattr(Org, name) for name in ORG_FIELDS), Org.id)

    def known() -> dict[tuple[str, ...], int]:
        return {tuple(row[:-1]): row[-1] for row in query.tuples()}

    ids = known()
    new = {org: None for org in map(_org, openings) if org not in ids}
    if new:
        insert(Org, ORG_FIELDS, new)
    spelled = {(row.kind, row.key): row.text for row in Name.select()}
    latest: dict[tuple[str, str], str] = {}
    for opening in openings:
        values = dict(zip(PROFILE_FIELDS, opening.values, strict=True))
        for kind in ORG_FIELDS:
            if values[kind]:
                latest[kind, name_key(values[kind])] = values[kind]
    for (kind, key), text in latest.items():
        if (kind, key) not in spelled:
            Name.insert(kind=kind, key=key, text=text).execute()
        elif spelled[kind, key] != text:
            Name.update(text=text).where((Name.kind == kind) & (Name.key == key)).execute()
    return known() if new else ids


def _audit(plan: Plan, ids: dict[Owner, int], run_id: int) -> None:
    columns = ("run", "party", "what", "field", "old", "new")
    insert(
        SyncChange,
        columns,
        (
            (
                run_id,
                _party_id(difference.owner, ids) or None,
                difference.what,
                difference.field,
                difference.old,
                difference.new,
            )
            for difference in plan.differences
        ),
    )
    insert(
        SyncChange,
        columns,
        (
            (
                run_id,
                _party_id(conflict.owner, ids),
                "conflict",
                conflict.role.word,
                conflict.holder,
                conflict.line.line_id,
            )
            for conflict in plan.conflicts
        ),
    )
