"""Which person is meant, and what is known of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from shlex import quote
from typing import Any

from syncd.directory.claims import claims_of
from syncd.directory.groups import granted_fields
from syncd.directory.mapping import ENABLED, WITHOUT_ACCOUNTS
from syncd.directory.plan import LOCAL
from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.domain.errors import UsageError, UserError
from syncd.domain.party import FLAG_FIELDS, LIST_FIELDS, PARTY_FIELDS, FieldValue, name_key
from syncd.settings.model import DirectorySettings
from syncd.store.models import Assignment, Party, PartyLock

DIRECTORY, LOCKED = "directory", "locked"

ROLE_FIELDS = {
    Role.FIRST: "first_extension",
    Role.OTHER: "other_extensions",
    Role.FAX: "fax_number",
    Role.VOICEMAIL: "voicemail_number",
    Role.ALIAS: "extension_alias",
    Role.OFFNET_FAX: "offnet_fax_number",
}
"""The roles of numbers, with the field that names them."""


def find_person(name: str) -> Any:
    """Return the row of ``party`` with a username, ``SOURCE:USER`` or ``#id``.

    Who is there comes before who left. Raises UserError when there is nobody, UsageError when
    several are meant.
    """
    shown = " ".join(name.split())
    if shown.startswith("#") and shown[1:].isascii() and shown[1:].isdigit():
        row = Party.get_or_none(Party.id == int(shown[1:]))
        found = [] if row is None else [row]
    else:
        found = _named(shown)
    if not found:
        raise UserError(f"there is no person called {shown}", "syncd person list names them all")
    present = [row for row in found if row.departed_at is None]
    found = present or found
    if len(found) > 1:
        ids = " or ".join(f"#{row.id} ({row.source})" for row in found)
        raise UsageError(f"several people are called {shown}", f"say which: {ids}")
    return found[0]


def _named(name: str) -> list[Any]:
    key = name_key(name)
    found = list(Party.select().where(Party.username_key == key)) if key else []
    if not found and ":" in name:
        source, _, user = name.partition(":")
        found = list(
            Party.select().where(
                (Party.source == source.strip()) & (Party.username_key == name_key(user))
            )
        )
    return found


def called(party: Any) -> str:
    """Return how people call a party."""
    return str(party.username or party.display_name or f"#{party.id}")


def named(party: Any) -> str:
    """Return a party as a command of the shell names it."""
    return quote(str(party.username or f"#{party.id}"))


def fields_of(party: Any) -> dict[str, FieldValue]:
    """Return the fields of a party as values."""
    found: dict[str, FieldValue] = {}
    for name in PARTY_FIELDS:
        value = getattr(party, name)
        if name in LIST_FIELDS:
            value = tuple(value.split(";")) if value else ()
        elif name in FLAG_FIELDS:
            value = bool(value)
        found[name] = value
    return found


def locks_of_party(party_id: int) -> dict[str, str]:
    """Return the reasons of a party's locks by field."""
    rows = PartyLock.select().where(PartyLock.party == party_id).order_by(PartyLock.id)
    return {row.field: row.reason for row in rows}


def not_held(party: Any, fields: Mapping[str, FieldValue]) -> dict[str, str]:
    """Return, by field, which numbers a party names without holding them, and who does."""
    if party.departed_at is not None:
        return {}
    held = {
        (row.role, row.number)
        for row in Assignment.select().where(
            (Assignment.party == party.id) & (Assignment.valid_to == FOREVER)
        )
    }
    missing: dict[str, list[str]] = {}
    for claim in claims_of(fields):
        field = ROLE_FIELDS.get(claim.role)
        if field is None or (int(claim.role), claim.line.number) in held:
            continue
        holder = (
            Party.select()
            .join(Assignment)
            .where((Assignment.number == claim.line.number) & (Assignment.valid_to == FOREVER))
            .first()
        )
        by = f"{called(holder)} holds it" if holder is not None else "not in force yet"
        missing.setdefault(field, []).append(f"{claim.line.number}: {by}")
    return {field: "; ".join(texts) for field, texts in missing.items()}


def mapped_fields(party: Any, directories: Mapping[str, DirectorySettings]) -> Collection[str]:
    """Return the fields that the party's directory fills, by its map, its groups or the status of
    the account; none for one made by hand."""
    directory = directories.get(party.source)
    if party.source == LOCAL or directory is None:
        return ()
    mapped = {name for name, text in directory.mapping.items() if text.strip()}
    mapped.update(granted_fields(directory.groups))
    if directory.account_status and directory.type not in WITHOUT_ACCOUNTS:
        mapped.add(ENABLED)
    return mapped


def origins(party: Any, directories: Mapping[str, DirectorySettings]) -> dict[str, str]:
    """Return where each field comes from: ``directory``, ``local`` or ``locked``."""
    mapped = mapped_fields(party, directories)
    locks = locks_of_party(party.id)
    return {
        name: LOCKED if name in locks else DIRECTORY if name in mapped else LOCAL
        for name in PARTY_FIELDS
    }
