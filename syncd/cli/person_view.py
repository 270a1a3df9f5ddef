"""What ``syncd person`` prints of people."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from syncd.cli.context import Context
from syncd.cli.output import print_json, print_list, say
from syncd.directory.people.find import (
    LOCKED,
    called,
    fields_of,
    find_person,
    locks_of_party,
    not_held,
    origins,
)
from syncd.directory.plan import shown
from syncd.domain.clock import BEGINNING, FOREVER, iso
from syncd.domain.codes import Role
from syncd.domain.errors import EXIT_OK
from syncd.domain.money import format_micros
from syncd.domain.party import line_identifier
from syncd.reports.render.table import Column
from syncd.store.models import Assignment, Org, Party, Profile, SyncChange, SyncRun
from syncd.store.names import spelling

if TYPE_CHECKING:
    from syncd.calls.reassignment import Followed
    from syncd.reports.scope import Door

HEADINGS = {
    "id": Column("Id", right=True),
    "username": Column("Username"),
    "display_name": Column("Name"),
    "source": Column("Source"),
    "kind": Column("Kind"),
    "first_extension": Column("Extension"),
    "department": Column("Department"),
    "permission_level": Column("Level", right=True),
    "state": Column("State"),
}


def show(action: str, arguments: argparse.Namespace, context: Context, door: Door) -> int:
    """Print the list, one person or a person's history."""
    if action == "list":
        rows = _list(everybody=getattr(arguments, "all", False))
        door.note_rows(len(rows))
        print_list(rows, HEADINGS, as_json=context.json, empty="nobody is known yet")
        return EXIT_OK
    party = find_person(arguments.name)
    door.note_rows(1)
    if action == "show":
        _show(party, context)
    else:
        _history(party, context)
    return EXIT_OK


def _list(*, everybody: bool) -> list[dict[str, Any]]:
    query = Party.select().order_by(Party.username_key, Party.id)
    if not everybody:
        query = query.where(Party.departed_at.is_null())
    return [
        {name: getattr(party, name) for name in HEADINGS if name != "state"}
        | {"state": _state(party)}
        for party in query
    ]


def _state(party: Any) -> str:
    if party.departed_at is not None:
        return "departed"
    return "present" if party.enabled or party.kind != "person" else "disabled"


def _show(party: Any, context: Context) -> None:
    fields = fields_of(party)
    origin = origins(party, context.settings.directories)
    reasons = not_held(party, fields) | locks_of_party(party.id)
    rows = [
        {
            "field": name,
            "value": list(value) if isinstance(value, tuple) else value,
            "origin": origin[name],
            "reason": reasons.get(name),
        }
        for name, value in fields.items()
    ]
    if context.json:
        head = {name: getattr(party, name) for name in ("id", "source", "external_id", "kind")}
        print_json({**head, "state": _state(party), "fields": rows})
        return
    say(f"{called(party)} (#{party.id}, {party.source}, {_state(party)})")
    filled = [
        row | {"value": shown(fields[str(row["field"])])}
        for row in rows
        if row["value"] not in ("", [], 0) or row["origin"] == LOCKED
    ]
    names = {"field": "Field", "value": "Value", "origin": "From", "reason": "Reason"}
    print_list(filled, {key: Column(text) for key, text in names.items()}, as_json=False)


def _history(party: Any, context: Context) -> None:
    parts = {
        "changes": _changes(party, context),
        "assignments": _assignments(party, context),
        "profiles": _profiles(party, context),
    }
    if context.json:
        print_json({"id": party.id, "username": party.username, **parts})
        return
    for name, rows in parts.items():
        say(f"{name}:")
        columns = {key: Column(key.replace("_", " ").capitalize()) for key in (rows or [{}])[0]}
        print_list(rows, columns, as_json=False, empty="none")


def _changes(party: Any, context: Context) -> list[dict[str, Any]]:
    query = (
        SyncChange.select(SyncChange, SyncRun)
        .join(SyncRun)
        .where(SyncChange.party == party.id)
        .order_by(SyncRun.started_at, SyncChange.id)
    )
    zone = context.settings.timezone
    return [
        {
            "at": iso(change.run.started_at, zone),
            "run": change.run.id,
            "source": change.run.source,
            "what": change.what,
            "field": change.field or None,
            "old": change.old or None,
            "new": change.new or None,
        }
        for change in query
    ]


def _span(row: Any, context: Context) -> dict[str, str | None]:
    """Return from when to when something held; null where it has no beginning or end."""
    zone = context.settings.timezone
    return {
        "since": None if row.valid_from == BEGINNING else iso(row.valid_from, zone),
        "until": None if row.valid_to == FOREVER else iso(row.valid_to, zone),
    }


def _assignments(party: Any, context: Context) -> list[dict[str, Any]]:
    query = Assignment.select().where(Assignment.party == party.id)
    return [
        {
            "role": Role(row.role).word,
            "line_id": line_identifier(row.partition, row.number),
            "site": row.site or None,
            "billed": bool(row.billed),
            "shared": bool(row.shared),
            **_span(row, context),
        }
        for row in query.order_by(Assignment.valid_from, Assignment.role, Assignment.id)
    ]


def _profiles(party: Any, context: Context) -> list[dict[str, Any]]:
    names = ("display_name", "department", "cost_center", "office_location")
    query = Profile.select().where(Profile.party == party.id).order_by(Profile.valid_from)
    return [
        {name: getattr(row, name) or None for name in names} | _span(row, context) for row in query
    ]


def print_moves(moves: Followed, context: Context) -> None:
    """Print how many calls would move, and from whom and where."""
    names = {party.id: called(party) for party in Party.select(Party.id, Party.username)}
    orgs = {row.id: row for row in Org.select()}

    def named(org: int, kind: str) -> str | None:
        key = getattr(orgs[org], kind)
        return (spelling(kind, key) or key) or None

    rows = [
        {
            "from": names.get(party),
            **{kind: named(org, kind) for kind in ("department", "cost_center", "office_location")},
            "calls": calls,
            "cost": format_micros(cost),
        }
        for (party, org), (calls, cost) in sorted(moves.before.items())
    ]
    if context.json:
        print_json({"moves": rows, "calls": moves.calls, "records": moves.records})
        return
    columns = {key: Column(key.replace("_", " ").capitalize()) for key in (rows or [{}])[0]}
    print_list(rows, columns, as_json=False, empty="no call of anybody would move")
    if moves.records:
        say(f"{moves.records} records without a call of anybody would be decided again")
