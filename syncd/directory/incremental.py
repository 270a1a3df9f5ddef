"""A sync from what changed, instead of from everything: only ever a shortcut.

What changed is laid over what is stored; the result is what a snapshot would have said, and goes
the same way of plan, guard and apply. Wherever that is doubtful FullReadNeeded says so, and the run
reads everything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from zoneinfo import ZoneInfo

from syncd.directory.claims import SiteNumbers
from syncd.directory.mapping import PartyMapping
from syncd.directory.protocol import Changes, DirectorySource, FullReadNeeded, IncrementalSource
from syncd.domain.errors import Problem
from syncd.domain.party import FieldValue, PartyState
from syncd.settings.model import DirectorySettings
from syncd.store.models import Party, SourceCookie, SourceState, SyncRun

_OF_NO_MATTER = frozenset(
    (
        "servers",  # the one that gave the cookie is remembered beside it
        "tls",
        "allow_plaintext_bind",
        "bind_password_file",
        "bind_credential",
        "ca_file",
        "client_certificate",
        "client_key",
        "page_size",
        "connect_timeout",
        "timeout",
        "schedule",
        "full_schedule",
        "follow",
        "max_departures",
        "max_changes",
        "grace",
        "mapping_lines",
        "mapping_files",
    )
)
"""Settings that change nothing about what a directory says of whom."""


class Shortcut(Enum):
    """Whether a run may read only what changed."""

    NEVER = "never"
    EXACT = "exact"
    """Where the source tells of everything that a full reading would show."""
    ALLOWED = "allowed"
    """Where it tells less, too: a full reading on a schedule of its own makes up for it."""


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed, mapped."""

    server: str
    cookie: str
    moved_on: bool
    """Whether the cookie is another than before."""
    entries: int
    """How many the directory sent."""
    states: tuple[PartyState, ...]
    warnings: list[Problem]
    gone: frozenset[str]
    """External ids."""
    present: frozenset[str] | None
    """External ids of who is still there though not among ``states``; None: all but those gone."""

    @property
    def empty(self) -> bool:
        """Whether nothing happened."""
        return not (self.states or self.gone) and self.present is None


def fingerprint(settings: DirectorySettings, sites: Sequence[SiteNumbers]) -> str:
    """Return a hash of everything that a cookie depends on, but the server: who asks, for what, and
    what is made of the answer. A server would take an old cookie for another question in silence.
    """
    asked = [
        (each.name, getattr(settings, each.name))
        for each in fields(settings)
        if each.name not in _OF_NO_MATTER
    ]
    plans = sorted(sites, key=lambda site: site.name)
    text = repr([*((name, _ordered(value)) for name, value in asked), plans])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _ordered(value: object) -> object:
    return sorted(value.items()) if isinstance(value, dict) else value


def read_delta(
    settings: DirectorySettings,
    source: DirectorySource,
    sites: Sequence[SiteNumbers],
    mapping: PartyMapping,
    *,
    thorough: bool,
) -> Delta:
    """Ask a source what changed since the last run.

    ``thorough``: only an answer counts that a full reading could not add to. Raises FullReadNeeded
    (without a reason where it is a matter of course), and what the source raises.
    """
    state = SourceCookie.get_or_none(SourceCookie.source == settings.name)
    if state is None or not isinstance(source, IncrementalSource):
        raise FullReadNeeded("")
    if state.fingerprint != fingerprint(settings, sites):
        raise FullReadNeeded("the settings of the directory have changed")
    changes = source.changes(state.cookie)
    if changes.server != state.server:
        raise FullReadNeeded(f"{changes.server} answered, {state.server} did so before")
    if thorough and not changes.tells_departures:
        raise FullReadNeeded("")
    if changes.present is not None and not changes.present:
        raise FullReadNeeded("the server told of nobody who is there")
    return _mapped(changes, mapping, moved_on=changes.cookie != state.cookie)


def _mapped(changes: Changes, mapping: PartyMapping, *, moved_on: bool) -> Delta:
    states: dict[str, PartyState] = {}
    warnings: list[Problem] = []
    for entry in changes.upserts:
        if not entry.external_id:
            raise FullReadNeeded(f"{entry.where} has nothing by which to know it again")
        if entry.external_id in states:
            raise FullReadNeeded(f"{entry.where} has the id of another entry")
        if entry.partial:
            if not entry.cleared.union(entry.attributes).isdisjoint(mapping.attributes):
                raise FullReadNeeded(f"of {entry.where} only a part is known")
            states[entry.external_id] = PartyState(entry.external_id, {}, entry.where)
            continue
        state, bad = mapping.apply(entry)
        states[entry.external_id] = state
        warnings += bad
    gone = frozenset(changes.deletions)
    if not gone.isdisjoint(states):
        raise FullReadNeeded("the server says of one entry that it is there and that it is gone")
    return Delta(
        changes.server,
        changes.cookie,
        moved_on,
        len(changes.upserts),
        tuple(states.values()),
        warnings,
        gone,
        changes.present,
    )


def laid_over(stored: Iterable[tuple[str, bool]], delta: Delta) -> dict[str, PartyState]:
    """Return what a snapshot would say now, by external id: of those who did not change, that they
    are there. ``stored`` are the external ids, each with whether it is there. Raises FullReadNeeded
    when the two do not fit together."""
    known = [external_id for external_id, is_here in stored if is_here]
    here = set(known)
    changed = {state.external_id: state for state in delta.states}
    for external_id, state in changed.items():
        if not state.fields and external_id not in here:
            raise FullReadNeeded(f"of {state.where} only a part is known")
    if delta.present is not None and not delta.present <= here | changed.keys():
        raise FullReadNeeded("the server names people of whom it told nothing before")
    states: dict[str, PartyState] = {}
    nothing: dict[str, FieldValue] = {}
    for external_id in known:
        if external_id in changed:
            states[external_id] = changed[external_id]
        elif external_id not in delta.gone and (
            delta.present is None or external_id in delta.present
        ):
            states[external_id] = PartyState(external_id, nothing, external_id)
    states |= changed
    if not states:
        raise FullReadNeeded("nobody would be left")
    return states


def full_reading_due(settings: DirectorySettings, now: int, zone: ZoneInfo) -> bool:
    """Whether a time of ``full_schedule`` has gone by, by ``now`` (epoch seconds) in ``zone``,
    since everything was read last; so it has where that is yet to come."""
    state = SourceState.get_or_none(SourceState.source == settings.name)
    if state is None or settings.full_schedule is None:
        return True
    last = state.last_complete_at
    return last > now or settings.full_schedule.next_after(last, zone) <= now


def nothing_pending(source: str, grace: int, now: int, directory_version: int) -> bool:
    """Whether a run without changes has nothing to do and nothing to say: nobody's grace (seconds)
    is over at ``now``, nobody else changed the directory, and the last run reported no conflict,
    for those are reported until they are mended."""
    state = SourceCookie.get_or_none(SourceCookie.source == source)
    if state is None or state.directory_version != directory_version:
        return False
    over = Party.select().where(
        (Party.source == source)
        & Party.departed_at.is_null(is_null=False)
        & Party.closed_at.is_null()
        & (Party.departed_at <= now - grace)
    )
    planned = (SyncRun.source == source) & SyncRun.outcome.in_(("applied", "unchanged"))
    last = SyncRun.select().where(planned).order_by(SyncRun.id.desc()).first()
    return last is not None and not last.conflicts and not over.exists()


def remember(
    settings: DirectorySettings,
    sites: Sequence[SiteNumbers],
    server: str,
    cookie: str,
    directory_version: int,
) -> None:
    """Remember from where to go on; nothing when the cookie is empty."""
    forget(settings.name)
    if cookie:
        SourceCookie.insert(
            source=settings.name,
            cookie=cookie,
            fingerprint=fingerprint(settings, sites),
            server=server,
            directory_version=directory_version,
        ).execute()


def forget(source: str) -> None:
    """Let the next run of a source read everything: what is stored is not what it said."""
    SourceCookie.delete().where(SourceCookie.source == source).execute()
