"""Writing a plan to the database, with an audit row for each change.

The caller holds the write transaction: all of a plan is written, or nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from peewee import Model, fn

from syncd.directory import hunt_groups
from syncd.directory.claims import Owner, claims_of
from syncd.directory.packed import PackedRows, Row
from syncd.directory.plan import (
    Arrival,
    Opening,
    Plan,
    ProfileOpening,
    fields_of,
    profile_values,
    shown,
)
from syncd.domain import party as domain
from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.domain.party import LIST_FIELDS, PARTY_FIELDS, PROFILE_FIELDS, FieldValue, name_key
from syncd.store.assignments import DIRECTORY_VERSION
from syncd.store.database import get_meta, set_meta, write_transaction
from syncd.store.dialect import ids_were_given
from syncd.store.models import Assignment, Line, Name, Org, Party, Profile, SyncChange
from syncd.store.models import database as proxy

VERSION = DIRECTORY_VERSION

ORG_FIELDS = ("department", "cost_center", "office_location")
_AT_ONCE = 5000
"""Rows of one transaction where they need not be written all or none."""
_ONE_QUERY = 500
_WITHOUT_LINE = (Role.USER_ID, Role.DEVICE)


_DIMENSIONS = (Line, Org)
_PARTY_COLUMNS = (
    "id",
    "source",
    "external_id",
    "kind",
    "arrived_at",
    "username_key",
    *PARTY_FIELDS,
)
_ASSIGNMENT_COLUMNS = (
    "party",
    "role",
    "line",
    "site",
    "partition",
    "number",
    "billed",
    "shared",
    "learned_at",
    "valid_from",
    "valid_to",
)
_PROFILE_COLUMNS = ("party", "org", *PROFILE_FIELDS, "valid_from", "valid_to")
_CHANGE_COLUMNS = ("run", "party", "what", "field", "old", "new")


def directory_version() -> int:
    """Return how often the directory has changed."""
    return int(get_meta(VERSION, "0"))


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that a plan inserts, made before the write lock is taken: others wait for it."""

    first_id: int
    """Of the first party that arrives; void when somebody else has taken it."""
    parties: PackedRows
    assignments: PackedRows
    profiles: PackedRows
    changes: PackedRows
    """Without the run."""
    spellings: dict[tuple[str, str], str]


def prepare(plan: Plan, source: str, now: int, default_site: str = "") -> Rows:
    """Return the rows that a plan inserts; ``now`` is the moment of the sync (epoch seconds),
    ``default_site`` the site of those who have none.

    Lines and orgs that it names are written at once, a few thousand at a time: they mean nothing
    by themselves, and stay when the plan is not applied.
    """
    first = _next_party_id()
    arriving = [arrival.external_id for arrival in plan.arrivals]
    arriving += [state.external_id for state in plan.newcomers]
    ids: dict[Owner, int] = {each: first + place for place, each in enumerate(arriving)}
    del arriving
    return Rows(
        first,
        PackedRows(_party_rows(_arrivals(plan), source, now, first)),
        PackedRows(_assignment_rows(_openings(plan, default_site), ids, now)),
        PackedRows(_profile_rows(plan, ids)),
        PackedRows(_change_rows(plan, ids)),
        _spellings(_profile_openings(plan)),
    )


def _arrivals(plan: Plan) -> Iterator[Arrival]:
    """Give everybody who arrives."""
    yield from plan.arrivals
    for state in plan.newcomers:
        yield Arrival(state.external_id, fields_of(state), state.where, state.kind)


def _openings(plan: Plan, default_site: str) -> Iterator[Opening]:
    """Give all assignments that begin."""
    yield from plan.openings
    for state in plan.newcomers:
        for claim in claims_of(state.fields, default_site):
            yield Opening(state.external_id, claim, shared=False, valid_from=plan.newcomers_from)


def _profile_openings(plan: Plan) -> Iterator[ProfileOpening]:
    """Give all profiles that begin."""
    yield from plan.profile_openings
    for state in plan.newcomers:
        values = profile_values(state.fields)
        yield ProfileOpening(state.external_id, values, plan.newcomers_from)


def apply_plan(
    plan: Plan,
    source: str,
    now: int,
    run_id: int,
    rows: Rows | None = None,
    default_site: str = "",
) -> None:
    """Write a plan of a source; ``now`` is the moment of the sync (epoch seconds), ``run_id`` the
    SyncRun to which the audit rows belong, ``rows`` what ``prepare`` made of the plan, if it did;
    for ``default_site`` see there."""
    if rows is None or rows.first_id != _next_party_id():
        rows = prepare(plan, source, now, default_site)
    insert(Party, _PARTY_COLUMNS, rows.parties)
    ids_were_given("party")
    _update_parties(plan, now)
    _update(Assignment, ("valid_to",), [(one.valid_to, one.holding.id) for one in plan.closings])
    ended = [(one.valid_to, one.profile_id) for one in plan.profile_closings]
    _update(Profile, ("valid_to",), ended)
    insert(Assignment, _ASSIGNMENT_COLUMNS, rows.assignments)
    insert(Profile, _PROFILE_COLUMNS, rows.profiles)
    _spell(rows.spellings)
    insert(SyncChange, _CHANGE_COLUMNS, ((run_id, *row) for row in rows.changes))
    if plan.hunt:
        hunt_groups.write(source, plan.hunt)
    set_meta(VERSION, str(directory_version() + 1))


def _next_party_id() -> int:
    return int(Party.select(fn.MAX(Party.id)).scalar() or 0) + 1


def _update(model: type[Model], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Give rows of a table values of these columns, each with its id behind them: with one prepared
    statement, for the write lock is held."""
    if rows:
        database = proxy.obj
        meta: Any = model._meta
        names = (meta.fields[column].column_name for column in columns)
        given = ", ".join(f'"{name}" = {database.param}' for name in names)
        statement = f'UPDATE "{meta.table_name}" SET {given} WHERE id = {database.param}'
        database.connection().cursor().executemany(statement, rows)


def insert(model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Insert rows with one prepared statement: five times faster than through the query builder."""
    database = proxy.obj
    meta: Any = model._meta
    names = ", ".join(f'"{meta.fields[column].column_name}"' for column in columns)
    marks = ", ".join([database.param] * len(columns))
    cursor = database.connection().cursor()
    end = " ON CONFLICT DO NOTHING" if model in _DIMENSIONS else ""
    cursor.executemany(f'INSERT INTO "{meta.table_name}" ({names}) VALUES ({marks}){end}', rows)


def _add(model: type[Model], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert rows of a dimension, those that somebody else added meanwhile left as they are."""
    for start in range(0, len(rows), _AT_ONCE):
        with write_transaction():
            insert(model, columns, rows[start : start + _AT_ONCE])


def stored_value(name: str, value: FieldValue) -> object:
    """Return a field's value as its column holds it: lists are joined with ``;``."""
    if name in LIST_FIELDS:
        return shown(value)
    return value


def _party_rows(arrivals: Iterable[Arrival], source: str, now: int, first: int) -> Iterator[Row]:
    for party_id, arrival in enumerate(arrivals, first):
        fields = arrival.fields
        yield (
            party_id,
            source,
            arrival.external_id,
            arrival.kind,
            now,
            name_key(str(fields["username"])),
            *(stored_value(name, fields[name]) for name in PARTY_FIELDS),
        )


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
    alike: dict[tuple[str, ...], list[Row]] = {}
    for party_id, columns in updates.items():
        alike.setdefault(tuple(columns), []).append((*columns.values(), party_id))
    for names, rows in alike.items():
        _update(Party, names, rows)


def _assignment_rows(
    openings: Iterator[Opening], ids: Mapping[Owner, int], now: int
) -> Iterator[Row]:
    while some := list(islice(openings, _AT_ONCE)):
        lines = _line_ids({o.claim.line: None for o in some if o.claim.role not in _WITHOUT_LINE})
        for opening in some:
            role, line, billed = opening.claim
            yield (
                _party_id(opening.owner, ids),
                int(role),
                0 if role in _WITHOUT_LINE else lines[line],
                *line,
                billed,
                opening.shared,
                now,
                opening.valid_from,
                FOREVER,
            )


def _party_id(owner: Owner, ids: Mapping[Owner, int]) -> int:
    return owner if isinstance(owner, int) else ids[owner]


def _line_ids(lines: Collection[domain.Line]) -> dict[domain.Line, int]:
    """Return the ids of lines; those that are new are added."""
    ids = _known_lines(lines)
    new = [line for line in lines if line not in ids]
    if new:
        columns = ("site", "partition", "number", "line_id")
        _add(Line, columns, [(*line, line.line_id) for line in new])
        ids |= _known_lines(new)
    return ids


def _known_lines(lines: Iterable[domain.Line]) -> dict[domain.Line, int]:
    line_ids = list(dict.fromkeys(line.line_id for line in lines))
    found: dict[domain.Line, int] = {}
    for start in range(0, len(line_ids), _ONE_QUERY):
        some = line_ids[start : start + _ONE_QUERY]
        query = Line.select(Line.site, Line.partition, Line.number, Line.id)
        for site, partition, number, row_id in query.where(Line.line_id.in_(some)).tuples():
            found[domain.Line(site, partition, number)] = row_id
    return found


def _profile_rows(plan: Plan, ids: Mapping[Owner, int]) -> Iterator[Row]:
    orgs = _org_ids(_profile_openings(plan))
    for opening in _profile_openings(plan):
        yield (
            _party_id(opening.owner, ids),
            orgs[_org(opening)],
            *opening.values,
            opening.valid_from,
            FOREVER,
        )


def _org(opening: ProfileOpening) -> tuple[str, ...]:
    values = dict(zip(PROFILE_FIELDS, opening.values, strict=True))
    return tuple(name_key(values[name]) for name in ORG_FIELDS)


def _org_ids(openings: Iterable[ProfileOpening]) -> dict[tuple[str, ...], int]:
    """Return the ids of all orgs, of those that the openings name and are new too."""
    query = Org.select(*(getattr(Org, name) for name in ORG_FIELDS), Org.id)

    def known() -> dict[tuple[str, ...], int]:
        return {tuple(row[:-1]): row[-1] for row in query.tuples()}

    wanted = dict.fromkeys(map(_org, openings))
    if not wanted:
        return {}
    ids = known()
    new = [org for org in wanted if org not in ids]
    if not new:
        return ids
    _add(Org, ORG_FIELDS, new)
    return known()


def _spellings(openings: Iterable[ProfileOpening]) -> dict[tuple[str, str], str]:
    """Return the latest spelling of each name, by kind and key."""
    latest: dict[tuple[str, str], str] = {}
    for opening in openings:
        values = dict(zip(PROFILE_FIELDS, opening.values, strict=True))
        for kind in ORG_FIELDS:
            if values[kind]:
                latest[kind, name_key(values[kind])] = values[kind]
    return latest


def _spell(latest: Mapping[tuple[str, str], str]) -> None:
    """Remember the latest spellings of names."""
    spelled = {(row.kind, row.key): row.text for row in Name.select()} if latest else {}
    for (kind, key), text in latest.items():
        if (kind, key) not in spelled:
            Name.insert(kind=kind, key=key, text=text).execute()
        elif spelled[kind, key] != text:
            Name.update(text=text).where((Name.kind == kind) & (Name.key == key)).execute()


def _change_rows(plan: Plan, ids: Mapping[Owner, int]) -> Iterator[Row]:
    for difference in plan.differences:
        yield (
            _party_id(difference.owner, ids) or None,
            difference.what,
            difference.field,
            difference.old,
            difference.new,
        )
    for conflict in plan.conflicts:
        yield (
            _party_id(conflict.owner, ids),
            "conflict",
            conflict.role.word,
            conflict.holder,
            conflict.line.line_id,
        )
