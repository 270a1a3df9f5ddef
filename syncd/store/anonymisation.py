"""A person becomes nobody: their calls keep the org and lose person, profile and line; the records
lose what named them; what is told of the person elsewhere goes."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from syncd.domain.codes import Role, Side
from syncd.domain.party import FLAG_FIELDS, LIST_FIELDS, NUMBER_FIELDS, TEXT_FIELDS
from syncd.store.dialect import id_list, in_list, rows_of
from syncd.store.frozen import FROZEN
from syncd.store.models import (
    Assignment,
    Party,
    PartyGroup,
    PartyLock,
    Profile,
    ReportSchedule,
    Slot,
    SyncChange,
)
from syncd.store.models import database as proxy
from syncd.store.rollups import fields_changed
from syncd.store.schedules import remove as remove_schedule

ANONYMISED = "anonymised"
"""The source of people who were made nameless: no directory has it, so no sync knows them again."""

ENDS = {
    Side.CALLING: ("calling_number", "calling_partition", "calling_user", "orig_device"),
    Side.CALLED: ("final_number", "final_partition", "final_user", "dest_device"),
    Side.REDIRECTING: ("redirecting_number", "redirecting_partition"),
    Side.FIRST_REDIRECTING: ("original_number", "original_partition"),
}
"""Which columns of a record name a side."""

NAMING = (
    "calling_number",
    "calling_user",
    "orig_device",
    "original_number",
    "final_number",
    "final_user",
    "dest_device",
    "redirecting_number",
    "controller",
)
"""Columns that name somebody by a number, a user id or a device."""


_OWN = ("calling_user", "final_user", "orig_device", "dest_device")
"""Columns with user ids and devices."""
NOT_KEPT = b"(the row is not kept: it names somebody who is nobody now)"


class Known(NamedTuple):
    """By what a person is known: numbers, user ids and devices of records, and texts by which people
    call them."""

    marks: frozenset[str]
    names: tuple[str, ...]
    mail: str
    own: frozenset[str] = frozenset()
    """Those of the marks that are never somebody else's: user ids and devices."""


class Row(NamedTuple):
    """A call row of a person: its id, start (epoch seconds) and conversation."""

    id: int
    started_at: int
    conversation: int


def known_by(party_id: int) -> Known:
    """Return by what a person is known."""
    party = Party.get_by_id(party_id)
    held = set(
        Assignment.select(Assignment.role, Assignment.number)
        .where(Assignment.party == party_id)
        .tuples()
    )
    own = {number for role, number in held if role in (Role.USER_ID, Role.DEVICE)}
    names = {party.username, party.display_name, party.mail}
    names |= {
        row[0]
        for row in Profile.select(Profile.display_name).where(Profile.party == party_id).tuples()
    }
    if party.given_name and party.family_name:
        names |= {
            f"{party.given_name} {party.family_name}",
            f"{party.family_name}, {party.given_name}",
        }
    return Known(
        frozenset({number for _, number in held} - {""}),
        tuple(sorted(names - {""}, key=len, reverse=True)),
        party.mail,
        frozenset(own - {""}),
    )


class Concerned(NamedTuple):
    """What there is of a person: call rows (those counted as calls among them, micros), withheld
    rows, when the calls begin (epoch seconds), numbers and slots held, changes in the history."""

    rows: int
    calls: int
    cost: int
    withheld: int
    first: int | None
    last: int | None
    assignments: int
    slots: int
    changes: int


def concerned(party_id: int) -> Concerned:
    """Count what there is of a person; nothing is written."""
    rows, calls, cost, first, last = rows_of(
        "SELECT COUNT(*), COALESCE(SUM(counted), 0), COALESCE(SUM(cost), 0), MIN(started_at),"
        " MAX(started_at) FROM call WHERE party_id = ?",
        party_id,
    )[0]
    counted = [
        rows_of(f"SELECT COUNT(*) FROM {table} WHERE party_id = ?", party_id)[0][0]
        for table in ("call_withheld", "assignment", "slot", "sync_change")
    ]
    return Concerned(rows, int(calls), int(cost), counted[0], first, last, *counted[1:])


def has_part(party_id: int, start: int, until: int) -> bool:
    """Say whether some time (epoch seconds) has priced calls or billed lines of a person."""
    return bool(
        rows_of(
            "SELECT 1 FROM call WHERE party_id = ? AND started_at >= ? AND started_at < ?"
            " AND cost <> 0 LIMIT 1",
            party_id,
            start,
            until,
        )
        or Assignment.select()
        .where(
            Assignment.party == party_id,
            Assignment.billed,
            Assignment.valid_from < until,
            Assignment.valid_to > start,
        )
        .exists()
    )


# --- the calls ------------------------------------------------------------------------------------


def rows_of_person(party_id: int, limit: int) -> list[Row]:
    """Return up to ``limit`` call rows of a person that are still theirs, the oldest first."""
    return [
        Row(*row)
        for row in rows_of(
            "SELECT id, started_at, conversation FROM call WHERE party_id = ?"
            " ORDER BY started_at, id LIMIT ?",
            party_id,
            limit,
        )
    ]


def take_out(rows: Collection[Row], records: Iterable[int], marks: frozenset[str]) -> None:
    """Let call rows be nobody's, and take what names the person out of records, which are frozen.
    Must run inside a write transaction."""
    ids = id_list(row.id for row in rows)
    proxy.obj.execute_sql(
        f"UPDATE call SET party_id = 0, profile_id = 0, line_id = 0 WHERE {in_list('id')}", (ids,)
    )
    proxy.obj.execute_sql(
        "UPDATE adjustment SET party_id = 0, profile_id = 0, line_id = 0"
        f" WHERE {in_list('call_id')} AND party_id <> 0",
        (ids,),
    )
    for side, columns in ENDS.items():
        owned = [row.id >> 3 for row in rows if row.id & 7 == side]
        if owned:
            emptied = ", ".join(f"{name} = ''" for name in columns)
            proxy.obj.execute_sql(
                f"UPDATE record SET {emptied} WHERE {in_list('id')}", (id_list(owned),)
            )
    own = id_list({row.id >> 3 for row in rows})
    # What was keyed in says who did so.
    proxy.obj.execute_sql(
        f"UPDATE record SET authorization_code = '' WHERE {in_list('id')}", (own,)
    )
    blank(records, marks)


def _blank_marks(records: str, marks: frozenset[str]) -> None:
    """Take numbers, user ids and devices out of records (an id list), wherever they stand."""
    changed = []
    for row_id, *texts in rows_of(
        f"SELECT id, {', '.join(NAMING)} FROM record WHERE {in_list('id')}", records
    ):
        left = ["" if text in marks else text for text in texts]
        if left != texts:
            changed.append((*left, row_id))
    if changed:
        mark = proxy.obj.param
        columns = ", ".join(f"{name} = {mark}" for name in NAMING)
        proxy.obj.cursor().executemany(f"UPDATE record SET {columns} WHERE id = {mark}", changed)


def records_naming(own: frozenset[str], after: int, span: int) -> tuple[list[int], int | None]:
    """Return the records with ids above ``after``, up to ``span`` of them, that name a user id or a
    device of a person, whoever's the call is; and after which id to go on, None: that was the last."""
    last = rows_of("SELECT MAX(id) FROM record")[0][0]
    if last is None or after >= last or not own:
        return [], None
    places = ", ".join("?" * len(own))
    named = " OR ".join(f"{name} IN ({places})" for name in _OWN)
    ids = rows_of(
        f"SELECT id FROM record WHERE id > ? AND id <= ? AND ({named})",
        after,
        after + span,
        *[mark for _ in _OWN for mark in own],
    )
    return [row[0] for row in ids], after + span


def blank(records: Iterable[int], marks: frozenset[str]) -> None:
    """Take numbers, user ids and devices out of records, which are frozen. Must run inside a write
    transaction."""
    chosen = id_list(records)
    _blank_marks(chosen, marks)
    proxy.obj.execute_sql(
        f"UPDATE record SET provisional = ?, content_hash = 0 WHERE {in_list('id')}",
        (FROZEN, chosen),
    )


def forget_withheld(party_id: int, limit: int) -> int:
    """Delete up to ``limit`` withheld rows of a person, which nobody can release any more. Returns how
    many. Must run inside a write transaction."""
    ids = [
        row[0]
        for row in rows_of(
            "SELECT id FROM call_withheld WHERE party_id = ? ORDER BY id LIMIT ?", party_id, limit
        )
    ]
    if ids:
        proxy.obj.execute_sql(f"DELETE FROM call_withheld WHERE {in_list('id')}", (id_list(ids),))
        proxy.obj.execute_sql(
            f"DELETE FROM account_charge WHERE {in_list('call_id')}", (id_list(ids),)
        )
    return len(ids)


# --- the person -----------------------------------------------------------------------------------


def make_nameless(party_id: int, now: int) -> None:
    """Take everything from a party that says who it was, and what it held, at a time (epoch seconds).
    Must run inside a write transaction; the caller lets the directory have a new version."""
    blank: dict[str, Any] = dict.fromkeys((*TEXT_FIELDS, *LIST_FIELDS, "username_key"), "")
    blank |= dict.fromkeys(FLAG_FIELDS, False) | dict.fromkeys(NUMBER_FIELDS, 0)
    party = Party.get_by_id(party_id)
    PartyGroup.delete().where(
        PartyGroup.source == party.source, PartyGroup.external_id == party.external_id
    ).execute()
    Party.update(
        source=ANONYMISED,
        external_id=str(party_id),
        departed_at=party.departed_at or now,
        closed_at=party.closed_at or now,
        **blank,
    ).where(Party.id == party_id).execute()
    Assignment.delete().where(Assignment.party == party_id).execute()
    PartyLock.delete().where(PartyLock.party == party_id).execute()
    Profile.update(
        **dict.fromkeys(
            ("display_name", *(name for name in TEXT_FIELDS if name.startswith("custom"))), ""
        )
    ).where(Profile.party == party_id).execute()
    fields_changed()


def finish(party_id: int, now: int) -> None:
    """Delete what a party was kept for until its calls were nobody's. Must run inside a write
    transaction."""
    Profile.delete().where(Profile.party == party_id).execute()
    fields_changed()
    proxy.obj.execute_sql(
        "UPDATE adjustment SET party_id = 0, profile_id = 0, line_id = 0 WHERE party_id = ?",
        (party_id,),
    )
    Slot.update(party=None, line=0).where(Slot.party == party_id, Slot.until <= now).execute()


# --- what is told of them -------------------------------------------------------------------------

TEXTS: Mapping[str, tuple[str, ...]] = {
    "sync_change": ("old", "new"),
    "sync_run": ("message",),
    "audit_entry": ("actor", "subject", "old", "new"),
    "access_log": ("viewer", "specification"),
    "reject_drop": ("viewer", "reason"),
    "rerate_run": ("who",),
    "month_run": ("who",),
    "period": ("closed_by",),
    "month_line": ("whose",),
    "schedule_run": ("recipient", "reader", "report"),
    "alarm_told": ("recipient",),
}
"""Columns in which people are named as they are called."""
_KEYS = {
    "reject_drop": ("reject_id",),
    "rerate_run": ("run_id",),
    "month_run": ("month",),
    "period": ("month",),
    "month_line": ("month", "kind", "name", "whose"),
    "alarm_told": ("alarm", "event", "recipient_key"),
}


def scrub(party_id: int, known: Known) -> int:
    """Write ``#id`` for the names of a person wherever a text has them, and delete what the history
    says of their fields. Returns how many rows changed. Must run inside a write transaction."""
    SyncChange.update(old="", new="").where(SyncChange.party == party_id).execute()
    proxy.obj.execute_sql(
        "UPDATE audit_entry SET old = '', new = '', subject = '' WHERE party_id = ?", (party_id,)
    )
    instead = f"#{party_id}"
    changed = sum(_scrub(table, columns, known, instead) for table, columns in TEXTS.items())
    changed += _scrub_mail(known)
    changed += _scrub_rejects(known)
    changed += _scrub_saved(party_id, known)
    for run, arguments in rows_of(
        "SELECT id, arguments FROM maintenance_run WHERE kind = 'reassign' AND state = 'done'"
        " AND arguments LIKE ?",
        f'%"party": {party_id}%',
    ):
        if json.loads(arguments).get("party") == party_id:
            proxy.obj.execute_sql("UPDATE maintenance_run SET arguments = '' WHERE id = ?", (run,))
    return changed


def _scrub(table: str, columns: tuple[str, ...], known: Known, instead: str) -> int:
    keys = _KEYS.get(table, ("id",))
    changed = {}
    for name in known.names:
        likely = " OR ".join(f"LOWER({column}) LIKE ? ESCAPE '\\'" for column in columns)
        pattern = f"%{_escaped(name.lower())}%"
        for row in rows_of(
            f"SELECT {', '.join((*keys, *columns))} FROM {table} WHERE {likely}",
            *[pattern] * len(columns),
        ):
            key, texts = row[: len(keys)], row[len(keys) :]
            left = tuple(_without(str(text), known.names, instead) for text in texts)
            if left != texts:
                changed[key] = left
    mark = proxy.obj.param
    if changed:
        proxy.obj.cursor().executemany(
            f"UPDATE {table} SET {', '.join(f'{column} = {mark}' for column in columns)}"
            f" WHERE {' AND '.join(f'{key} = {mark}' for key in keys)}",
            [(*texts, *key) for key, texts in changed.items()],
        )
    return len(changed)


def _scrub_mail(known: Known) -> int:
    """Delete settled messages to the person, or that name them."""
    gone = []
    for row_id, recipient, subject, message in rows_of(
        "SELECT id, recipient, subject, message FROM outbox WHERE state <> 'waiting'"
    ):
        text = f"{subject}\n{bytes(message).decode('utf-8', 'replace')}"
        to_them = bool(known.mail) and known.mail.casefold() in recipient.casefold()
        if to_them or _without(text, known.names, "") != text:
            gone.append(row_id)
    if gone:
        proxy.obj.execute_sql(f"DELETE FROM outbox WHERE {in_list('id')}", (id_list(gone),))
    return len(gone)


def _scrub_saved(party_id: int, known: Known) -> int:
    """Delete the reports that a person saved or has sent to them, and saved ones that ask for them by
    name: they would find nobody."""
    for schedule in ReportSchedule.select().where(ReportSchedule.owner == party_id):
        remove_schedule(schedule.id)
    gone = [
        row_id
        for row_id, owner, name, request in rows_of(
            "SELECT id, owner_id, name, request FROM saved_report"
        )
        if owner == party_id
        or any(_without(text, known.names, "") != text for text in (name, unquote(request)))
    ]
    if gone:
        proxy.obj.execute_sql(f"DELETE FROM saved_report WHERE {in_list('id')}", (id_list(gone),))
    return len(gone)


def _scrub_rejects(known: Known) -> int:
    """Take the text from rejected rows that name the person."""
    names = {*known.names, *known.own}
    gone = [
        row_id
        for row_id, raw in rows_of("SELECT id, raw FROM reject")
        if (text := bytes(raw).decode("utf-8", "replace")) != _without(text, names, "")
    ]
    if gone:
        proxy.obj.execute_sql(
            f"UPDATE reject SET raw = ?, retryable = FALSE WHERE {in_list('id')}",
            (NOT_KEPT, id_list(gone)),
        )
    return len(gone)


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _without(text: str, names: Iterable[str], instead: str) -> str:
    """Return a text with something else in the place of names, where they stand as whole words."""
    for name in names:
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", instead, text, flags=re.IGNORECASE)
    return text
