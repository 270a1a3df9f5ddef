"""A name that was changed, or two that are one: scope, filter and grouping go by what remains.

Calls and profiles keep the text they were made with. The caller holds the write transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from syncd.directory.field_values import LONGEST_VALUE
from syncd.directory.people.audit import begin_run, note
from syncd.directory.people.proposals import NAMED
from syncd.domain.errors import UsageError, UserError
from syncd.domain.party import name_key
from syncd.store.models import Name, NameAlias, Org
from syncd.store.names import aliases, make_one, spell, spelling


@dataclass(frozen=True, slots=True)
class Known:
    """A name as reports show it, with the names that are one with it."""

    kind: str
    text: str
    also: tuple[str, ...]


def known_names(kind: str) -> list[Known]:
    """Return the names of a kind in order, each once."""
    texts = {row.key: row.text for row in Name.select().where(Name.kind == kind)}
    also: dict[str, list[str]] = {}
    for row in NameAlias.select().where(NameAlias.kind == kind).order_by(NameAlias.key):
        also.setdefault(row.merged_into, []).append(texts.pop(row.key, row.key))
    return [Known(kind, text, tuple(also.get(key, ()))) for key, text in sorted(texts.items())]


def rename(kind: str, old: str, new: str, command: str, now: int) -> None:
    """Let a name be shown as another from now on, which may be there already.

    Raises UserError when there is no such name.
    """
    text = _clean(new)
    before = _known_key(kind, old)
    after = name_key(text)
    if before == aliases().get((kind, after), after) and after != before:
        # It stood for the old name: now the old one stands for it.
        make_one(kind, before, after)
    elif after != before:
        after = aliases().get((kind, after), after)
        make_one(kind, before, after)
    if after == name_key(text):
        spell(kind, after, text)
    note(begin_run(command, now), [(None, "renamed", kind, _clean(old), text)])


def merge(kind: str, old: str, new: str, command: str, now: int) -> None:
    """Let two names be one, the second.

    Raises UserError when one of them is not there, UsageError when they are one already.
    """
    before, after = _known_key(kind, old), _known_key(kind, new)
    if before == after:
        raise UsageError(f"{old} and {new} are one already")
    make_one(kind, before, after)
    note(begin_run(command, now), [(None, "merged", kind, _clean(old), _clean(new))])


def _clean(text: str) -> str:
    cleaned = " ".join(text.split())
    if not cleaned:
        raise UsageError("a name cannot be empty")
    if len(cleaned) > LONGEST_VALUE:
        raise UsageError(f"a name has at most {LONGEST_VALUE} characters")
    return cleaned


def _known_key(kind: str, text: str) -> str:
    """Return the key that remains of a name. Raises UserError when nobody ever had it."""
    key = name_key(_clean(text))
    column: Any = getattr(Org, kind)
    if spelling(kind, key) is None and not Org.select().where(column == key).exists():
        known = ", ".join(one.text for one in known_names(kind)) or "none"
        raise UserError(f"there is no {NAMED[kind]} {_clean(text)}", f"known: {known}")
    return aliases().get((kind, key), key)
