"""Names of departments, cost centers and office locations that were made one."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.store.models import Name, NameAlias, Org

Aliases = Mapping[tuple[str, str], str]
"""Key by (field, key): whoever compares names compares what is found here."""


def aliases() -> dict[tuple[str, str], str]:
    """Return the names that stand for another."""
    rows = NameAlias.select(NameAlias.kind, NameAlias.key, NameAlias.merged_into).tuples()
    return {(kind, key): into for kind, key, into in rows}


def spelling(kind: str, key: str) -> str | None:
    """Return the latest spelling of a name, None when nobody ever had it."""
    row = Name.get_or_none((Name.kind == kind) & (Name.key == key))
    return None if row is None else str(row.text)


def spell(kind: str, key: str, text: str) -> None:
    """Remember the spelling of a name."""
    Name.insert(kind=kind, key=key, text=text).on_conflict(
        conflict_target=[Name.kind, Name.key], update={Name.text: text}
    ).execute()


def make_one(kind: str, old: str, new: str) -> None:
    """Let one key stand for another from now on; those that stood for it follow.

    ``new`` is what remains, also where it stood for ``old`` until now.
    """
    of_kind = NameAlias.kind == kind
    NameAlias.delete().where(of_kind & (NameAlias.key == new)).execute()
    NameAlias.update(merged_into=new).where(of_kind & (NameAlias.merged_into == old)).execute()
    NameAlias.insert(kind=kind, key=old, merged_into=new).on_conflict(
        conflict_target=[NameAlias.kind, NameAlias.key], update={NameAlias.merged_into: new}
    ).execute()


def departments() -> dict[int, str]:
    """Return the department of each org in its latest spelling, empty for none; of names that were
    made one, the one that remains."""
    one, texts = (
        aliases(),
        dict(Name.select(Name.key, Name.text).where(Name.kind == "department").tuples()),
    )
    found = {}
    for org, key in Org.select(Org.id, Org.department).tuples():
        key = one.get(("department", key), key)
        found[org] = texts.get(key, key) if key else ""
    return found
