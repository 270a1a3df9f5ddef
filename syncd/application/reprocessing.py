"""Taken files again, rejected rows again: with the locks that this needs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from syncd.application import interrupted
from syncd.application.composition import MAINTENANCE, NEVER, Application, Stop
from syncd.application.contexts import intake_context
from syncd.calls.changes import Changes
from syncd.calls.context import IntakeContext
from syncd.calls.directory_view import rules_of
from syncd.calls.release import work_off
from syncd.calls.reprocessing import Run, Wanted, abandon, start, unfinished, wanted_of
from syncd.calls.retrying import Retried, retry
from syncd.domain.errors import UserError
from syncd.store.database import write_transaction
from syncd.store.rejects import sources_of
from syncd.store.reprocessing import last_file

Progress = Callable[[Changes], None]
REJECTS_AT_ONCE = 500


def wanted(application: Application, source: str | None, since: int, until: int) -> list[Wanted]:
    """Return what is to be reprocessed: of one source or of all, what began since … until (epoch
    seconds, exclusive). Raises UserError when there is no such source."""
    known = application.settings.cdr
    if source is not None and source not in known:
        raise UserError(
            f"there is no [cdr:{source}]", f"known: {', '.join(known) or 'none is configured'}"
        )
    with application.connected():
        last = last_file()
    return [Wanted(name, since, until, last) for name in ([source] if source else known)]


def preview(
    application: Application, chosen: Sequence[Wanted], progress: Progress = lambda done: None
) -> Changes:
    """Return what reprocessing would change. Nothing stays written; raises UserError."""
    changes = Changes()
    with application.connected():
        for one in chosen:
            run = Run(
                one,
                _context(application, one.source),
                now=application.clock(),
                lock=_lock(application, NEVER),
            )
            while not run.finished:
                run.step()
                progress(run.done)
            changes.add(run.done)
    return changes


def carry_out(
    application: Application, chosen: Sequence[Wanted], progress: Progress = lambda done: None
) -> Changes:
    """Reprocess; what was interrupted before is finished first. Returns what changed; raises
    UserError, TryAgainError when intake or maintenance is busy."""
    changes = Changes()
    with application.connected(), application.locked(MAINTENANCE, NEVER):
        for run_id in unfinished():
            _work_off(application, run_id, NEVER, progress)
        with write_transaction():
            runs = start(chosen, application.clock())
        for run_id in runs:
            changes.add(_work_off(application, run_id, NEVER, progress))
        work_off(application.settings.timezone, application.clock())
    return changes


def resume(application: Application, stop: Stop = NEVER) -> int:
    """Finish what was interrupted. Returns how many runs there were."""
    return interrupted.resume(application, stop, unfinished, _again(application, stop))


def _again(application: Application, stop: Stop) -> interrupted.WorkOff:
    return lambda run_id: _work_off(application, run_id, stop, lambda done: None)


def _work_off(application: Application, run_id: int, stop: Stop, progress: Progress) -> Changes:
    chosen = wanted_of(run_id)
    if chosen.source not in application.settings.cdr:
        # Nobody can say any more how its files are read.
        abandon(run_id, application.clock())
        return Changes()
    run = Run(
        chosen,
        _context(application, chosen.source),
        now=application.clock(),
        lock=_lock(application, stop),
        run_id=run_id,
    )
    while not (run.finished or stop.is_set()):
        run.step()
        progress(run.done)
    return run.done


def retry_rejects(application: Application, ids: Sequence[int]) -> Retried:
    """Try rejected rows again, as their sources read them now. Raises UserError."""
    done = Retried()
    with application.connected():
        for source, chosen in sources_of(ids).items():
            context = _context(application, source)
            with application.locked(f"intake-{context.pbx}", NEVER):
                rules = rules_of(context)
                for first in range(0, len(chosen), REJECTS_AT_ONCE):
                    part = chosen[first : first + REJECTS_AT_ONCE]
                    with write_transaction():
                        done.add(retry(context, rules, part, application.clock()))
    return done


def _lock(
    application: Application, stop: Stop
) -> Callable[[str], contextlib.AbstractContextManager[None]]:
    return lambda pbx: application.locked(f"intake-{pbx}", stop)


def _context(application: Application, source: str) -> IntakeContext:
    """Return a source's configuration. Raises UserError when there is none any more."""
    settings = application.settings.cdr.get(source)
    if settings is None:
        raise UserError(
            f"the file came from [cdr:{source}], which is no longer configured",
            "a section of that name says how to read it",
        )
    return intake_context(application.settings, application.prepared(), settings)
