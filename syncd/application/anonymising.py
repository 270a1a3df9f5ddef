"""A person becomes nobody: what that concerns, said beforehand, and done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from syncd.application import interrupted
from syncd.application.composition import MAINTENANCE, NEVER, Application, Stop
from syncd.application.months import open_months_over, plan_of
from syncd.application.people import intake_waits
from syncd.calls.anonymising import Run, start, unfinished
from syncd.directory.apply import VERSION, directory_version
from syncd.directory.people.find import called, find_person
from syncd.domain.days import Days
from syncd.domain.errors import UserError
from syncd.licensing import settlement
from syncd.licensing.claims import Terms
from syncd.store import anonymisation as store
from syncd.store.anonymisation import ANONYMISED, Concerned
from syncd.store.audit import Actor, Changed, enter
from syncd.store.database import set_meta, write_transaction
from syncd.store.models import File
from syncd.store.periods import bounds

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Preview:
    """Whom it is about, and what there is of them."""

    party_id: int
    name: str
    source: str
    present: bool
    """Whether a directory has them still: its next sync brings somebody new."""
    concerned: Concerned
    archived: int
    """Files of the archive, in which the numbers stand still."""
    open_months: tuple[int, ...]
    """Months that are over and open, and have calls or lines of theirs, when something is booked by
    the month: it would be worked out without them."""


def preview(application: Application, name: str) -> Preview:
    """Return what there is of a person. Nothing is written; raises UserError."""
    with application.connected():
        party = _person(name)
        return Preview(
            party.id,
            called(party),
            party.source,
            party.departed_at is None and party.source in application.settings.directories,
            store.concerned(party.id),
            File.select().where(File.archive != "").count(),
            _open_months(application, party.id),
        )


def _open_months(application: Application, party_id: int) -> tuple[int, ...]:
    plan = plan_of(application.settings)
    if not (plan.allowances or plan.flat_charges):
        return ()
    days = Days(application.settings.timezone)
    return tuple(
        month
        for month in open_months_over(application)
        if store.has_part(party_id, *bounds(month, days))
    )


def _person(name: str) -> Any:
    party = find_person(name)
    if party.source == ANONYMISED:
        raise UserError(f"#{party.id} is nobody already")
    return party


def carry_out(
    application: Application, name: str, actor: Actor, progress: Progress = lambda rows: None
) -> int:
    """Make a person nobody, for who asked. Returns how many call rows were theirs; raises UserError,
    TryAgainError when intake or maintenance is busy."""
    licensing = application.settings.licensing
    terms = Terms(licensing.slots, licensing.automatic_acquisition)
    with application.connected(), application.locked(MAINTENANCE, NEVER):
        interrupted.finish(unfinished, _again(application, NEVER))
        now = application.clock()
        with intake_waits(application), write_transaction():
            party_id = int(_person(name).id)
            known = store.known_by(party_id)
            store.make_nameless(party_id, now)
            settlement.settle(terms, now)
            set_meta(VERSION, str(directory_version() + 1))
            run_id = start(party_id, known, now)
            enter(actor, "person anonymise", [Changed(party_id, "", "", "nobody")], now)
        return _work_off(application, run_id, NEVER, progress)


def resume(application: Application, stop: Stop = NEVER) -> int:
    """Finish what was interrupted. Returns how many runs there were."""
    return interrupted.resume(application, stop, unfinished, _again(application, stop))


def _again(application: Application, stop: Stop) -> interrupted.WorkOff:
    return lambda run_id: _work_off(application, run_id, stop, lambda rows: None)


def _work_off(application: Application, run_id: int, stop: Stop, progress: Progress) -> int:
    run = Run(run_id, zone=application.settings.timezone, now=application.clock())
    while not (run.finished or stop.is_set()):
        run.step()
        progress(run.rows)
    return run.rows
