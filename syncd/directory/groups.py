"""Groups of a directory: who is in them, groups in groups included, and what that grants (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from syncd.directory.entry_dn import normal_parts
from syncd.domain.party import FLAG_FIELDS, FieldValue, name_key

MEMBERSHIP = "syncd:groups"
"""Under this name an entry has the names of the configured groups it is in; no attribute can be
called so. An entry without it says nothing about groups: they are as they were."""

MEMBER_ATTRIBUTES = ("member", "uniqueMember")
MEMBER_OF = "memberof"
_UNIQUE_IDENTIFIER = re.compile(r"#'[01]*'B$")

EntryKey = tuple[str, ...]
"""An entry DN in a form that can be compared."""

LEVEL = "permission_level"
DEPARTMENTS = "additional_departments"
GRANTED_FLAGS = tuple(name for name in FLAG_FIELDS if name.startswith("bill_"))


class Group(Protocol):
    """A group of ``[groups:NAME]``."""

    @property
    def name(self) -> str: ...
    @property
    def entry_dn(self) -> str: ...
    @property
    def permission_level(self) -> int | None: ...
    @property
    def additional_departments(self) -> tuple[str, ...]: ...


def key_of(entry_dn: str) -> EntryKey:
    """Return an entry DN, or a uniqueMember, in a form that can be compared."""
    return normal_parts(_UNIQUE_IDENTIFIER.sub("", entry_dn))


@dataclass(slots=True)
class Membership:
    """Who is in each of the configured groups."""

    groups: Sequence[Group]
    within: dict[EntryKey, set[str]] = field(default_factory=dict)
    """Names of the configured groups by the entry DN of a group that is one of them or in it, and
    by that of each member."""

    def names(self, entry_dn: str, member_of: Iterable[str]) -> list[str]:
        """Return the configured groups that an entry is in, in their order: it is a member, or its
        memberOf names a group that is one of them or in one."""
        found: set[str] = set(self.within.get(key_of(entry_dn), ()))
        for group_dn in member_of:
            found |= self.within.get(key_of(group_dn), set())
        return [group.name for group in self.groups if group.name in found]


def resolve(
    groups: Sequence[Group],
    members: Callable[[str], Sequence[str] | None],
    people: Iterable[str] = (),
) -> tuple[Membership, list[Group]]:
    """Return who is in which group, and the groups whose entry could not be read.

    ``members`` gives the members of a group entry, None for an entry that cannot be read, and is
    asked once for each; ``people`` are entry DNs that are no groups and are not asked about.
    """
    membership = Membership(groups)
    known: dict[EntryKey, Sequence[str]] = dict.fromkeys(map(key_of, people), ())
    unread: list[Group] = []
    for group in groups:
        seen: set[EntryKey] = set()
        waiting = [group.entry_dn]
        while waiting:
            entry_dn = waiting.pop()
            key = key_of(entry_dn)
            if key in seen:
                continue  # groups may contain each other
            seen.add(key)
            if key not in known:
                found = members(entry_dn)
                if found is None and entry_dn is group.entry_dn:
                    unread.append(group)
                known[key] = found or ()
            waiting += known[key]
        for key in seen:
            membership.within.setdefault(key, set()).add(group.name)
    return membership, unread


def granted_fields(groups: Iterable[Group]) -> tuple[str, ...]:
    """Return the fields that at least one of the groups says something about."""
    groups = list(groups)
    found = [LEVEL] if any(group.permission_level is not None for group in groups) else []
    found += [name for name in GRANTED_FLAGS if any(getattr(group, name) for group in groups)]
    if any(group.additional_departments for group in groups):
        found.append(DEPARTMENTS)
    return tuple(found)


def grant(
    name: str, mapped: FieldValue, groups: Mapping[str, Group], member_of: Iterable[str]
) -> tuple[FieldValue, list[str]]:
    """Return a field's value with what groups add to the ``mapped`` one, and the names of those
    that did: the highest level, any flag, all departments."""
    givers: list[str] = []
    value = mapped
    for group_name in member_of:
        group = groups.get(group_name)
        if group is None:
            continue
        if name == LEVEL:
            level = group.permission_level
            if level is not None and isinstance(value, int) and level > value:
                value, givers = level, [group_name]
        elif name == DEPARTMENTS:
            held = value if isinstance(value, tuple) else ()
            keys = {name_key(text) for text in held}
            more = tuple(t for t in group.additional_departments if name_key(t) not in keys)
            if more:
                value = held + more
                givers.append(group_name)
        elif getattr(group, name) and value is not True:
            value = True
            givers.append(group_name)
    return value, givers


def join(
    groups: Sequence[Group],
    people: Iterable[tuple[str, dict[str, list[str]]]],
    members: Callable[[str], Sequence[str] | None],
) -> list[Group]:
    """Note in each of the people (entry DN, attributes) in which of the groups they are; they are
    gone through twice.

    Returns the groups of which nothing is known: their entry cannot be read, and nobody's memberOf
    names them. For ``members`` see ``resolve``.
    """
    membership, unread = resolve(groups, members, (entry_dn for entry_dn, _ in people))
    named: set[EntryKey] = set()
    for entry_dn, attributes in people:
        member_of = attributes.get(MEMBER_OF, ())
        attributes[MEMBERSHIP] = membership.names(entry_dn, member_of)
        if unread:
            named |= set(map(key_of, member_of))
    return [group for group in unread if key_of(group.entry_dn) not in named]


def unknown_groups(groups: Iterable[Group]) -> str:
    """Return the sentence that says which groups nothing is known of."""
    names = ", ".join(f"{group.name} ({group.entry_dn})" for group in groups)
    return f"nothing can be read of the groups {names}: neither their entries nor a memberOf"
