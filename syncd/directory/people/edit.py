"""Changing people by hand: the fields that no directory fills, locks, and people of no directory.

A change goes the way of a sync that says one thing of one person, so that numbers, profiles, slots
and history follow in the same manner. The caller holds the write transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from syncd.directory.apply import apply_plan
from syncd.directory.claims import SiteNumbers
from syncd.directory.field_values import SetAside, field_value
from syncd.directory.people.audit import begin_run, note
from syncd.directory.people.find import called, locks_of_party, mapped_fields, named
from syncd.directory.plan import LOCAL, Plan, Terms
from syncd.directory.reconcile import plan
from syncd.directory.stored import load_current
from syncd.domain.clock import FOREVER
from syncd.domain.errors import Problem, UsageError, UserError
from syncd.domain.party import CUSTOM_FIELDS, PARTY_FIELDS, FieldValue, PartyState, name_key
from syncd.settings.model import DirectorySettings
from syncd.store.models import Party, PartyLock, SourceCookie


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What of the settings matters to a change by hand."""

    directories: Mapping[str, DirectorySettings]
    sites: Collection[SiteNumbers]
    zone: ZoneInfo
    now: int
    """Epoch seconds."""
    command: str
    """As the history shows it."""
    labels: Mapping[str, str]
    """Of the custom fields: one without a label does not exist."""

    def site_of(self, source: str) -> str:
        """Return the site of a source's people who have none."""
        directory = self.directories.get(source)
        return directory.site if directory is not None else ""


def parse_field(field: str, text: str, around: Surroundings) -> FieldValue:
    """Return the value of a field. Raises UsageError for an unknown field or an unfit value."""
    if field not in PARTY_FIELDS:
        there = [
            name for name in PARTY_FIELDS if name not in CUSTOM_FIELDS or name in around.labels
        ]
        raise UsageError(f"there is no field {field}", f"the fields are {', '.join(there)}")
    if field in CUSTOM_FIELDS and field not in around.labels:
        raise UsageError(f"{field} has no label", f"[custom-fields] {field} = LABEL makes it one")
    try:
        value = field_value(field, [text])
    except SetAside as error:
        raise UsageError(f"{field}: {error}") from error
    if field == "site" and value and value not in {site.name for site in around.sites}:
        raise UsageError(f"there is no site {value}", "a [site:NAME] section makes one")
    return value


def set_field(party: Any, field: str, text: str, around: Surroundings) -> Plan:
    """Give a field of a person another value.

    Raises UserError when a directory fills the field, or somebody holds the number.
    """
    value = parse_field(field, text, around)
    must_be_there(party)
    who = called(party)
    locked = field in locks_of_party(party.id)
    if field in mapped_fields(party, around.directories) and not locked:
        raise UserError(
            f"{field} of {who} comes from the directory {party.source}",
            f"change it there, or: syncd person lock {named(party)} {field} VALUE --reason …",
        )
    return _change(party.source, PartyState(party.external_id, {field: value}, who), around)


def add_person(username: str, texts: Mapping[str, str], around: Surroundings) -> Plan:
    """Add a person of no directory. Raises UserError when somebody has the name or a number."""
    name = str(parse_field("username", username, around))
    key = name_key(name)
    if not key:
        raise UsageError("a person needs a username")
    taken = Party.get_or_none((Party.username_key == key) & Party.departed_at.is_null())
    if taken is not None:
        raise UserError(f"{name} is there already, from {taken.source}")
    fields = {field: parse_field(field, text, around) for field, text in texts.items()}
    fields["username"] = name
    fields.setdefault("display_name", name)
    return _change(LOCAL, PartyState(str(uuid4()), fields, name), around)


def lock_field(party: Any, field: str, text: str, reason: str, around: Surroundings) -> Plan:
    """Give a field a value that no sync touches. Raises UserError when none fills it anyway."""
    value = parse_field(field, text, around)
    must_be_there(party)
    who = called(party)
    if not reason.strip():
        raise UsageError("a lock needs a reason", "--reason says it to whoever wonders")
    if field not in mapped_fields(party, around.directories):
        raise UserError(
            f"no directory fills {field} of {who}, so nothing would touch it",
            f"syncd person set {named(party)} {field} VALUE",
        )
    PartyLock.insert(
        party=party.id, field=field, reason=" ".join(reason.split()), since=around.now
    ).on_conflict(
        conflict_target=[PartyLock.party, PartyLock.field],
        update={PartyLock.reason: " ".join(reason.split()), PartyLock.since: around.now},
    ).execute()
    state = PartyState(party.external_id, {field: value}, who)
    change = (party.id, "locked", field, "", " ".join(reason.split()))
    return _change(party.source, state, around, [change])


def unlock_field(party: Any, field: str, around: Surroundings) -> None:
    """Leave a field to the directory again. Raises UserError when it is not locked."""
    gone = (
        PartyLock.delete()
        .where((PartyLock.party == party.id) & (PartyLock.field == field))
        .execute()
    )
    if not gone:
        locked = ", ".join(locks_of_party(party.id)) or "nothing"
        raise UserError(f"{field} of {called(party)} is not locked", f"locked: {locked}")
    # What the directory says of the field was passed over: it must be read again.
    SourceCookie.delete().where(SourceCookie.source == party.source).execute()
    note(begin_run(around.command, around.now), [(party.id, "unlocked", field, "", "")])


def must_be_there(party: Any) -> None:
    """Raise UserError when a person has left."""
    if party.departed_at is not None:
        raise UserError(f"{called(party)} has left; what they were stays as it was")


def _change(
    source: str,
    state: PartyState,
    around: Surroundings,
    notes: Collection[tuple[int | None, str, str, str, str]] = (),
) -> Plan:
    """Apply what is said of one person of a source; everybody else stays as they are."""
    current = load_current(source)
    terms = Terms(
        now=around.now,
        grace=FOREVER,
        default_site=around.site_of(source),
        sites=tuple(around.sites),
        absent_departed=False,
    )
    decided = plan(current, [state], terms)
    known_ids = {row.external_id: row.id for row in current.parties}
    owner = known_ids.get(state.external_id, state.external_id)
    known = (
        plan(current, [replace(state, fields={})], terms).conflicts
        if isinstance(owner, int)
        else []
    )
    before = {conflict.line for conflict in known if conflict.owner == owner}
    against = [one for one in decided.conflicts if one.owner == owner and one.line not in before]
    if against:
        problems = [Problem("", 0, "", str(conflict)) for conflict in against]
        raise UserError("that would be held by two", "take it from the one first", problems)
    decided.conflicts.clear()
    decided.warnings = [one for one in decided.warnings if one.file == state.where]
    if decided.empty and not notes:
        return decided
    run_id = begin_run(around.command, around.now, len({d.owner for d in decided.differences}))
    if not decided.empty:
        apply_plan(decided, source, around.now, run_id)
    note(run_id, notes)
    return decided
