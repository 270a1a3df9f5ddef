"""Who has which permission level, and from where it comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from syncd.directory.people.find import mapped_fields
from syncd.domain.codes import LEVELS
from syncd.reports.permissions import BASES
from syncd.settings.model import DirectorySettings
from syncd.store.models import AuditEntry, Party, PartyLock

LEVEL = "permission_level"
FIELDS = (LEVEL, "level6_basis", "additional_departments", "masked_digits")
"""What of a person's fields says what they may see."""


class Origins:
    """Where the levels of people come from: read once for all of them."""

    def __init__(self, directories: Mapping[str, DirectorySettings]) -> None:
        self._directories = directories
        self._locks = {
            (party, field): reason
            for party, field, reason in PartyLock.select(
                PartyLock.party, PartyLock.field, PartyLock.reason
            ).tuples()
        }
        self._by_hand: dict[tuple[int, str], str] = {}
        entries = AuditEntry.select(AuditEntry.party, AuditEntry.field, AuditEntry.actor)
        for party, field, name in (
            entries.where(AuditEntry.field << list(FIELDS)).order_by(AuditEntry.id).tuples()
        ):
            self._by_hand[party, field] = name

    def of(self, party: Any, field: str = LEVEL) -> str:
        """Return in words where a permission field of a person comes from."""
        value = getattr(party, field)
        reason = self._locks.get((party.id, field))
        if reason is not None:
            return f"{self._hand(party.id, field)}, kept from the directory: {reason}"
        directory = self._directories.get(party.source)
        if field in mapped_fields(party, self._directories):
            assert directory is not None
            return self._of_directory(directory, field, value)
        if (party.id, field) in self._by_hand:
            return self._hand(party.id, field)
        if value in (0, ""):
            return "default"
        if directory is None and party.source != "local":
            return f"directory {party.source}, which is no longer configured"
        return "by hand"

    def _hand(self, party: int, field: str) -> str:
        name = self._by_hand.get((party, field))
        return "by hand" if name is None else f"by hand ({name})"

    @staticmethod
    def _of_directory(directory: DirectorySettings, field: str, value: Any) -> str:
        mapped = bool(directory.mapping.get(field, "").strip())
        groups = []
        if field == LEVEL and value:
            groups = [one.name for one in directory.groups if one.permission_level == value]
        elif field == "additional_departments" and value:
            groups = [one.name for one in directory.groups if one.additional_departments]
        of_groups = f"group {' or '.join(groups)}" if groups else ""
        if mapped and groups:
            return f"directory {directory.name}, or its {of_groups}"
        if groups:
            return f"{of_groups} of directory {directory.name}"
        return f"directory {directory.name}"


def standings(
    directories: Mapping[str, DirectorySettings],
    default_basis: str,
    *,
    level: int | None = None,
    everybody: bool = False,
) -> list[dict[str, Any]]:
    """Return who may see something and by what, the highest level first; ``everybody`` with those
    who see nothing, or only who has one ``level``."""
    origins = Origins(directories)
    query = Party.select().where(Party.departed_at.is_null(), Party.kind == "person")
    if level is not None:
        query = query.where(Party.permission_level == level)
    elif not everybody:
        query = query.where(Party.permission_level > 0)
    rows = query.order_by(Party.permission_level.desc(), Party.username_key, Party.id)
    return [
        {
            "username": party.username or None,
            "person": party.display_name or None,
            "source": party.source,
            "level": party.permission_level,
            "name": level_name(party.permission_level),
            "basis": (party.level6_basis if party.level6_basis in BASES else default_basis)
            if party.permission_level == 6
            else None,
            "additional_departments": split(party.additional_departments),
            "masked_digits": party.masked_digits,
            "from": origins.of(party),
            "enabled": bool(party.enabled),
        }
        for party in rows
    ]


def level_name(level: int) -> str:
    """Return what a level is called; a number that is none sees nothing."""
    return LEVELS.get(level, "no level: sees nothing")


def split(departments: str) -> list[str]:
    """Return the names in a list of departments."""
    return [" ".join(text.split()) for text in departments.split(";") if text.strip()]


def joined(words: Iterable[str], last: str = "or") -> str:
    """Return words as people enumerate them."""
    texts = list(words)
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} {last} {texts[-1]}"
