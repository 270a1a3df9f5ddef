"""Changes of people by hand, with the locks that they need and the calls that follow them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncd.application import interrupted
from syncd.application.composition import MAINTENANCE, NEVER, Application, Stop
from syncd.application.contexts import intake_context
from syncd.application.sites import directory_sites
from syncd.calls.reassignment import (
    Followed,
    Following,
    Run,
    licensed,
    preview,
    start,
    unfinished,
)
from syncd.calls.release import release_calls
from syncd.directory.people.backdate import Rewrite, line_row, org_of, write
from syncd.directory.people.edit import Surroundings
from syncd.directory.people.find import fields_of, find_person, locks_of_party
from syncd.directory.plan import shown
from syncd.licensing.claims import Terms
from syncd.store.audit import Actor, Changed, enter
from syncd.store.database import write_transaction
from syncd.store.reassignment import ProfileSpan

if TYPE_CHECKING:
    from syncd.calls.context import IntakeContext

NOTHING = ("", "no", "0")
"""What a field of somebody new is that nobody said anything of."""

UNMADE = -1
"""Id of a profile or org that is not there yet."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A rewriting with the calls that it concerns."""

    rewrite: Rewrite
    following: Following
    moves: Followed


def surroundings(application: Application) -> Surroundings:
    """Return what of the settings matters to a change by hand."""
    settings = application.settings
    return Surroundings(
        directories=settings.directories,
        sites=directory_sites(settings),
        zone=settings.timezone,
        now=application.clock(),
        command=application.command,
        labels=settings.custom_fields,
    )


def change(application: Application, work: Callable[[Surroundings], Any]) -> Any:
    """Do a change by hand in one transaction. Returns what it returns; raises UserError."""
    with application.connected(), write_transaction():
        return work(surroundings(application))


def change_person(
    application: Application,
    actor: Actor,
    action: str,
    name: str,
    work: Callable[[Surroundings], Any],
    *,
    reason: str = "",
    new: bool = False,
) -> Any:
    """Do a change by hand of one person, ``new`` for one who is to be, and enter what became
    different into the audit, in one transaction. Returns what it returns; raises UserError."""
    with application.connected(), write_transaction():
        around = surroundings(application)
        before = {} if new else _as_it_stands(find_person(name))
        done = work(around)
        party = find_person(name)
        after = _as_it_stands(party)
        changes = [
            Changed(party.id, field, before.get(field, ""), after.get(field, ""))
            for field in {**after, **before}
            if before.get(field, "") != after.get(field, "")
            and not (new and after[field] in NOTHING)
        ]
        enter(actor, action, changes, around.now, reason)
    return done


def _as_it_stands(party: Any) -> dict[str, str]:
    """Return the fields of a person, and the reasons of their locks, as texts."""
    fields = {name: shown(value) for name, value in fields_of(party).items()}
    return fields | {f"lock of {name}": why for name, why in locks_of_party(party.id).items()}


def plan_rewrite(application: Application, rewrite: Rewrite) -> Planned:
    """Return a rewriting with what of the calls would move. Nothing is written."""
    following = _following(rewrite)
    spans = [
        ProfileSpan(
            UNMADE if version.id is None else version.id,
            UNMADE if (org := org_of(version.values)) is None else org,
            version.valid_from,
            version.valid_to,
        )
        for version in rewrite.versions
    ]
    return Planned(rewrite, following, preview(following, spans, _contexts(application, following)))


def carry_out(
    application: Application,
    plan: Callable[[Surroundings], Rewrite],
    progress: Callable[[Followed], None] = lambda done: None,
) -> Followed:
    """Rewrite the history, planned anew under the locks, and let the calls follow.

    What was interrupted before is finished first. Raises UserError; TryAgainError when intake or
    maintenance is busy.
    """
    with application.connected(), application.locked(MAINTENANCE, NEVER):
        interrupted.finish(unfinished, _again(application, NEVER))
        around = surroundings(application)
        with intake_waits(application), write_transaction():
            rewrite = plan(around)
            write(rewrite, around)
            following = _following(rewrite)
            licensing = application.settings.licensing
            terms = Terms(licensing.slots, licensing.automatic_acquisition)
            if following.line and not licensed(terms, following, around.now):
                # Who holds no slot has no calls to see: each record is decided again.
                following = _following(rewrite, taken=False)
            run_id = start(following, around.now)
        done = _work_off(application, run_id, NEVER, progress)
        # What was withheld of somebody without a slot may be that of somebody with one now.
        release_calls(terms, application.settings.timezone, application.clock())
        return done


def resume(application: Application, stop: Stop = NEVER) -> int:
    """Finish what was interrupted. Returns how many runs there were."""
    return interrupted.resume(application, stop, unfinished, _again(application, stop))


def _again(application: Application, stop: Stop) -> interrupted.WorkOff:
    return lambda run_id: _work_off(application, run_id, stop, lambda done: None)


def _work_off(
    application: Application, run_id: int, stop: Stop, progress: Callable[[Followed], None]
) -> Followed:
    run = Run(
        run_id,
        _all_contexts(application),
        zone=application.settings.timezone,
        now=application.clock(),
        lock=lambda pbx: application.locked(f"intake-{pbx}", stop),
    )
    while not (run.finished or stop.is_set()):
        run.step()
        progress(run.done)
    return run.done


@contextmanager
def intake_waits(application: Application) -> Iterator[None]:
    """Let no folder be read while the history changes: it would go by the one before."""
    with ExitStack() as stack:
        for pbx in sorted({source.pbx for source in application.settings.cdr.values()}):
            stack.enter_context(application.locked(f"intake-{pbx}", NEVER))
        yield


def _following(rewrite: Rewrite, *, taken: bool = True) -> Following:
    claim = rewrite.claim
    if claim is None:
        return Following(rewrite.party_id, rewrite.since, rewrite.until)
    return Following(
        rewrite.party_id,
        rewrite.since,
        rewrite.until,
        role=int(claim.role),
        line=line_row(claim.line),
        site=claim.line.site,
        partition=claim.line.partition,
        number=claim.line.number,
        holders=rewrite.holders if taken else (),
    )


def _all_contexts(application: Application) -> list[IntakeContext]:
    sources: Mapping[str, Any] = application.settings.cdr
    if not sources:
        return []
    prepared = application.prepared()
    return [intake_context(application.settings, prepared, one) for one in sources.values()]


def _contexts(application: Application, following: Following) -> list[IntakeContext]:
    """Return the folders whose records may be decided again; none for a move."""
    return _all_contexts(application) if following.number else []
