"""Rating again, undoing that, closing months: with the locks that this needs."""

from __future__ import annotations

from collections.abc import Callable

from syncd.application import interrupted
from syncd.application.composition import MAINTENANCE, NEVER, Application, Stop
from syncd.application.contexts import intake_context
from syncd.application.months import Closing
from syncd.calls.context import IntakeContext
from syncd.calls.rerating import Rerated, Run, Wanted, check_undo, start, unfinished, wanted_of
from syncd.domain.days import Days, month_days
from syncd.domain.errors import TryAgainError, UserError
from syncd.settings.model import Settings
from syncd.store import periods
from syncd.store.adjustments import closing
from syncd.store.database import write_transaction
from syncd.store.periods import Closed, shown_month
from syncd.store.rollups import rebuild_day

Progress = Callable[[Rerated], None]
ATTEMPTS = 5
"""How often a month is closed anew because calls of it came meanwhile."""


def wanted(settings: Settings, since: int, until: int, carrier: str | None) -> Wanted:
    """Return what is to be rated again: what began since … until (epoch seconds, exclusive). Raises
    UserError when there is no such carrier."""
    known = settings.carriers
    if carrier is not None and carrier not in known:
        raise UserError(
            f"there is no [carrier:{carrier}]",
            f"known: {', '.join(known) or 'none is configured'}",
        )
    return Wanted(since, until, carrier or "")


def preview(
    application: Application, chosen: Wanted, progress: Progress = lambda done: None
) -> Rerated:
    """Return what a run would change. Nothing is written; raises UserError."""
    with application.connected():
        if chosen.undo:
            check_undo(chosen.undo)
        run = Run(
            chosen,
            _contexts(application),
            zone=application.settings.timezone,
            now=application.clock(),
        )
        while not run.finished:
            run.step()
            progress(run.done)
        return run.done


def carry_out(
    application: Application,
    chosen: Wanted,
    who: str,
    progress: Progress = lambda done: None,
) -> tuple[int, Rerated]:
    """Rate again, or undo, for who asked; what was interrupted before is finished first. Returns the
    run and what it changed; raises UserError, TryAgainError when maintenance is busy."""
    with application.connected(), application.locked(MAINTENANCE, NEVER):
        for run_id in unfinished():
            done = _work_off(application, run_id, NEVER, progress)
            if chosen.undo and wanted_of(run_id) == chosen:
                return run_id, done
        with write_transaction():
            run_id = start(chosen, who, application.clock())
        return run_id, _work_off(application, run_id, NEVER, progress)


def resume(application: Application, stop: Stop = NEVER) -> int:
    """Finish what was interrupted. Returns how many runs there were."""
    return interrupted.resume(application, stop, unfinished, _again(application, stop))


def _again(application: Application, stop: Stop) -> interrupted.WorkOff:
    return lambda run_id: _work_off(application, run_id, stop, lambda done: None)


def _work_off(application: Application, run_id: int, stop: Stop, progress: Progress) -> Rerated:
    run = Run(
        Wanted(),
        _contexts(application),
        zone=application.settings.timezone,
        now=application.clock(),
        run_id=run_id,
    )
    while not (run.finished or stop.is_set()):
        run.step()
        progress(run.done)
    return run.done


def _contexts(application: Application) -> dict[str, IntakeContext]:
    settings, prepared = application.settings, application.prepared()
    return {
        name: intake_context(settings, prepared, source) for name, source in settings.cdr.items()
    }


# --- posting periods ------------------------------------------------------------------------------


def months_to_close(application: Application, month: int) -> list[int]:
    """Return the months that closing one closes, itself and the open ones before it. Raises UserError
    when it is closed, or not over."""
    with application.connected():
        through = closing().through
        if month <= through:
            raise UserError(
                f"{shown_month(month)} is closed", f"all up to {shown_month(through)} is"
            )
        end = Days(application.settings.timezone).start(month_days(month)[1])
        if application.clock() < end:
            raise UserError(f"{shown_month(month)} is not over", "a month is closed after its end")
        return periods.months_to_close(month)


def close_months(application: Application, month: int, who: str) -> list[Closed]:
    """Close a month and the open ones before it, for who asked. Raises UserError, TryAgainError when
    maintenance is busy or calls keep coming."""
    zone = application.settings.timezone
    with application.connected(), application.locked(MAINTENANCE, NEVER):
        end = month_days(month)[1]
        for _ in range(ATTEMPTS):
            days = Days(zone)
            for day in periods.dirty_days_before(end):
                rebuild_day(day, days)
            # What changes a call makes its day dirty: if none is below, this is of the calls there.
            months = months_to_close(application, month)
            beside = Closing(application, months, who)
            with write_transaction():
                if not periods.dirty_days_before(end):
                    beside.settle()
                    return periods.close(months, zone, application.clock(), who)
    raise TryAgainError(f"calls of {shown_month(month)} keep coming")
