"""Saved reports: a request under a name.

They belong to who saved them. Shared ones are open to everybody, and each sees by them what they
may see themselves: what is saved is what is asked, never an answer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from syncd.domain.errors import UsageError
from syncd.domain.party import name_key
from syncd.domain.viewer import LOCAL_ADMINISTRATOR, Viewer
from syncd.reports.catalogue.standard import catalogue
from syncd.reports.environment import Environment
from syncd.reports.request import Request, specify
from syncd.reports.request_text import from_text, to_text
from syncd.reports.specification import nearest
from syncd.settings.model import SavedReportSettings
from syncd.store.database import write_transaction
from syncd.store.models import Party, SavedReport

Configured = Mapping[str, SavedReportSettings]
"""Those of the settings by name."""
NOBODYS: Configured = {}
SETTINGS = "settings"
"""In the place of who saved a report of the settings."""
RESERVED = ("saved", "run", "delete")
_NAME = re.compile(r"[^\s/?&=<>~!,-][^/?&=<>~!,]{0,79}")


class Saved(NamedTuple):
    """A saved report as somebody sees it."""

    name: str
    owner: str
    """Username; empty for one's own."""
    shared: bool
    request: str
    changed_at: int | None
    """Epoch seconds UTC; None of one of the settings."""


def save(
    viewer: Viewer, name: str, request: Request, environment: Environment, *, shared: bool
) -> bool:
    """Save a request under a name; it takes the place of one's own of that name, of which this
    returns whether there was one. Raises UsageError for a name that cannot be one, and for a request
    that cannot be run."""
    name = " ".join(name.split())
    check(name, request, environment)
    values = {
        "name": name,
        "request": to_text(request),
        "shared": shared,
        "changed_at": environment.now,
    }
    with write_transaction():
        own = _own(viewer, name).first()
        if own is None:
            SavedReport.create(owner=_owner(viewer), name_key=name_key(name), **values)
        else:
            SavedReport.update(values).where(SavedReport.id == own.id).execute()
    return own is not None


def check(name: str, request: Request, environment: Environment) -> None:
    """Raise UsageError for a name that cannot be one, and for a request that cannot be run."""
    if not _NAME.fullmatch(name) or name_key(name) in RESERVED:
        raise UsageError(
            f"{name!r} cannot be the name of a saved report", "words, without / ? & = < > ~ ! ,"
        )
    if name_key(name) in catalogue(environment.custom_fields):
        raise UsageError(f"{name!r} is the name of a report already", "choose another")
    if request.page is not None:
        raise UsageError("--page is for once", "leave it out of what is saved")
    specify(request, environment)


def saved_reports(viewer: Viewer, configured: Configured = NOBODYS) -> list[Saved]:
    """Return one's own saved reports by name, then those that others share, and the settings."""
    rows = [_saved(viewer, row) for row in _visible(viewer)]
    rows += [
        Saved(one.name, SETTINGS, one.shared, one.report, None)
        for one in configured.values()
        if one.shared or viewer == LOCAL_ADMINISTRATOR
    ]
    return sorted(rows, key=lambda row: (row.owner != "", row.name.casefold(), row.owner))


def find_saved(viewer: Viewer, name: str, configured: Configured = NOBODYS) -> Request:
    """Return the request of a saved report: one's own, or one that somebody shares, as OWNER/NAME
    where several have the name. Raises UsageError."""
    return from_text(_found(viewer, name, configured).request)


def delete_saved(viewer: Viewer, name: str, configured: Configured = NOBODYS) -> None:
    """Delete one's own saved report. Raises UsageError when there is none."""
    with write_transaction():
        own = _own(viewer, name).first()
        if own is None:
            of_settings = {name_key(one): one for one in configured}.get(name_key(name))
            if of_settings is not None:
                hint = f"remove [saved-report:{of_settings}] from the INI"
                raise UsageError(f"{name!r} is a saved report of the settings", hint)
            names = [row.name for row in saved_reports(viewer) if not row.owner]
            raise UsageError(f"you have no saved report {name!r}", _hint(name, names))
        own.delete_instance()


def _found(viewer: Viewer, name: str, configured: Configured) -> Saved:
    owner, slash, bare = name.rpartition("/")
    key = name_key(bare)
    there = saved_reports(viewer, configured)
    found = [row for row in there if name_key(row.name) == key]
    if slash:
        mine = name_key(owner) == name_key(viewer.name)
        found = [row for row in found if name_key(row.owner) == ("" if mine else name_key(owner))]
    own = [row for row in found if not row.owner]
    if own:
        return own[0]
    if len(found) > 1:
        hint = " or ".join(f"{row.owner}/{row.name}" for row in found)
        raise UsageError(f"several people share a report {bare!r}", f"say which: {hint}")
    if not found:
        raise UsageError(
            f"there is no saved report {name!r}", _hint(bare, [row.name for row in there])
        )
    return found[0]


def _hint(name: str, names: Collection[str]) -> str:
    return nearest(name, names) if names else "syncd report NAME … --save-as SAVED saves one"


def _owner(viewer: Viewer) -> int | None:
    return None if viewer == LOCAL_ADMINISTRATOR else viewer.party_id


def _is_own(viewer: Viewer) -> Any:
    owner = _owner(viewer)
    return SavedReport.owner.is_null() if owner is None else SavedReport.owner == owner


def _own(viewer: Viewer, name: str) -> Any:
    return SavedReport.select().where(
        _is_own(viewer), SavedReport.name_key == name_key(name.removeprefix(f"{viewer.name}/"))
    )


def _visible(viewer: Viewer) -> Any:
    return (
        SavedReport.select(SavedReport, Party.id, Party.username)
        .left_outer_join(Party)
        .where(_is_own(viewer) | (SavedReport.shared == True))  # noqa: E712 (SQL)
    )


def _saved(viewer: Viewer, row: Any) -> Saved:
    own = row.owner_id == _owner(viewer)
    who = LOCAL_ADMINISTRATOR.name if row.owner_id is None else row.owner.username
    return Saved(row.name, "" if own else who, bool(row.shared), row.request, row.changed_at)
