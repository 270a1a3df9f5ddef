"""To whom something is written, and as whom it is made for them: as of now, never as of the plan."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from syncd.domain.errors import UserError
from syncd.domain.party import name_key
from syncd.reports.permissions import ORGS, OWN, Reach, scope_of
from syncd.reports.scope import resolve_viewer, viewer_of
from syncd.settings.mailing import Recipients
from syncd.settings.values_finance import is_address
from syncd.store.models import Party, PartyGroup
from syncd.store.names import aliases


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody to write to, or why nothing is written."""

    key: str
    """``party:ID``, and the address behind it where that is not the party's own."""
    who: str
    """``SOURCE:USER``, or the name that nobody has."""
    address: str
    party: int = 0
    """As whom it is made; 0 where there is nobody."""
    refusal: str = ""
    """Why nothing is written to them."""
    rights: str = ""
    """What they may see, as a digest: another one is another permission."""


def addressees(
    items: Iterable[Recipients], owner: int, reader: str, default_basis: str
) -> list[Addressee]:
    """Return who is written to, each once, and those who are named and get nothing.

    ``owner`` is the id of the party that "me" is; ``reader`` is as whom plain addresses are served,
    empty for the owner.
    """
    found: dict[str, Addressee] = {}
    for item in items:
        for one in _of(item, owner, reader, default_basis):
            found.setdefault(one.key, one)
    return list(found.values())


def addressee_now(key: str, default_basis: str) -> Addressee:
    """Return what is true now of somebody to whom a message was written."""
    who, _, address = key.partition(" ")
    party = Party.get_or_none(Party.id == int(who.removeprefix("party:") or 0))
    if party is None:
        return Addressee(key, who, address, refusal="is not there")
    return _person(party, default_basis, address)


def _of(item: Recipients, owner: int, reader: str, default_basis: str) -> Iterator[Addressee]:
    if item.kind == "address":
        yield _address(item.name, owner, reader, default_basis)
    elif item.kind == "owner":
        party = Party.get_or_none(Party.id == owner)
        if party is None:
            yield Addressee("me", "me", "", refusal="is nobody: the local administrator")
        else:
            yield _person(party, default_basis)
    elif item.kind == "user":
        yield _user(item.name, default_basis)
    else:
        yield from _group(item, default_basis)


def _user(name: str, default_basis: str) -> Addressee:
    people = named(name)
    if len(people) == 1:
        return _person(people[0], default_basis)
    refusal = "several people have this name: write SOURCE:USER" if people else "is not there"
    return Addressee(f"user:{name_key(name)}", name, "", refusal=refusal)


def named(name: str) -> list[Any]:
    """Return the people with a username or ``SOURCE:USER``; those who left where nobody else has
    it."""
    rows = _with_username(name)
    if not rows and ":" in name:
        source, _, user = name.partition(":")
        rows = [row for row in _with_username(user) if row.source == source.strip()]
    return [row for row in rows if row.departed_at is None] or rows[-1:]


def _with_username(name: str) -> list[Any]:
    key = name_key(name)
    if not key:
        return []
    rows = Party.select().where(Party.username_key == key, Party.kind == "person")
    return list(rows.order_by(Party.id))


def _address(address: str, owner: int, reader: str, default_basis: str) -> Addressee:
    """Return a plain address, as the user who is named for it or who owns the schedule."""
    if reader:
        one = _user(reader, default_basis)
    else:
        party = Party.get_or_none(Party.id == owner)
        if party is None:
            return Addressee(address, address, address, refusal="nobody says what it may see")
        one = _person(party, default_basis)
    if one.refusal and one.refusal != NO_ADDRESS:
        return Addressee(
            f"address:{address}", address, address, refusal=f"{one.who}: {one.refusal}"
        )
    party = Party.get_by_id(one.party)
    return _person(party, default_basis, address)


NO_ADDRESS = "has no mail address"
NO_ACCESS = "has level 0"


def _person(party: Any, default_basis: str, address: str = "") -> Addressee:
    """Return a person; ``address`` where it is not their own."""
    viewer = viewer_of(party, default_basis)
    who = f"{party.source}:{party.username}"
    own = str(party.mail).strip()
    refusal = ""
    if party.departed_at is not None:
        refusal = "left"
    elif not party.enabled:
        refusal = "is disabled"
    elif scope_of(viewer).reach is Reach.NONE or viewer.level < OWN:
        refusal = NO_ACCESS
    elif not (address or is_address(own)):
        refusal = NO_ADDRESS
    key = f"party:{party.id} {address}".rstrip()
    scope = scope_of(viewer)
    seen = (viewer.level, scope.reach.value, scope.basis, sorted(scope.keys), scope.masked_digits)
    rights = hashlib.sha256(repr((seen, address or own)).encode()).hexdigest()[:16]
    return Addressee(key, who, address or own, party.id, refusal, rights)


def _group(item: Recipients, default_basis: str) -> Iterator[Addressee]:
    people = Party.select().where(Party.kind == "person", Party.departed_at.is_null())
    people = people.order_by(Party.id)
    if item.kind == "group":
        people = people.where(Party.id.in_(_members(item.name)))
    elif item.kind == "level":
        people = people.where(Party.permission_level >= item.level)
    elif item.kind == "managers":
        people = people.where(Party.permission_level == ORGS)
    merged = aliases()

    def key(name: str) -> str:
        plain = name_key(name)
        return merged.get(("department", plain), plain)

    wanted = key(item.name)
    for party in people.iterator():
        if item.kind == "department" and key(party.department) != wanted:
            continue
        if item.kind == "managers":
            scope = scope_of(viewer_of(party, default_basis))
            if scope.basis != "department" or wanted not in map(key, scope.keys):
                continue
        yield _person(party, default_basis)


def _members(name: str) -> Any:
    """Return the query of the ids of those in a group, ``NAME`` or ``SOURCE:NAME``."""
    source, colon, group = name.partition(":")
    there = (Party.source == PartyGroup.source) & (Party.external_id == PartyGroup.external_id)
    found = Party.select(Party.id).join(PartyGroup, on=there)
    if colon:
        return found.where(PartyGroup.source == source, PartyGroup.name == group)
    return found.where(PartyGroup.name == name)


def may_write_to_others(owner: int, default_basis: str) -> str:
    """Return why somebody may not have reports sent to others any more, empty when they may. 0 is
    the local administrator."""
    if owner == 0:
        return ""
    party = Party.get_or_none(Party.id == owner)
    if party is None or party.departed_at is not None:
        return "who made it left"
    try:
        viewer = resolve_viewer(f"{party.source}:{party.username}", default_basis)
    except UserError as error:
        return error.message
    if viewer.level < MANAGEMENT:
        return f"who made it has level {viewer.level}: others are for level {MANAGEMENT}"
    return ""


MANAGEMENT = 10
