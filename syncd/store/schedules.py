"""Schedules that people made, when each is due, and what became of every run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from peewee import JOIN

from syncd.store import outbox
from syncd.store.database import write_transaction
from syncd.store.models import (
    AlarmState,
    AlarmTold,
    BudgetAlert,
    Outbox,
    Party,
    ReportSchedule,
    ScheduleRetry,
    ScheduleRun,
    ScheduleState,
)

_OF_BUDGET = re.compile(r"(.+)/(\d+)/([\d,]+)/(party:\d+) ([0-9a-f]+)", re.DOTALL)
"""What a budget's message to a person speaks of: budget and pot, first day, thresholds, and to whom."""


def made_by_people() -> list[Any]:
    """Return the schedules of people, in the order in which they were made."""
    return list(ReportSchedule.select().order_by(ReportSchedule.id))


def due_at(schedule: str, timing: str) -> int | None:
    """Return when a schedule is due (epoch seconds), None where that is not planned yet, or was
    planned by another timing."""
    row = ScheduleState.get_or_none(ScheduleState.schedule == schedule)
    return None if row is None or row.timing != timing else int(row.due_at)


def plan(schedule: str, timing: str, due: int) -> None:
    """Remember when a schedule is due next."""
    with write_transaction():
        ScheduleState.insert(schedule=schedule, timing=timing, due_at=due).on_conflict(
            conflict_target=[ScheduleState.schedule],
            update={ScheduleState.timing: timing, ScheduleState.due_at: due},
        ).execute()


def begun(schedule: str, planned_at: int) -> bool:
    """Say whether a run wrote to somebody before it was broken off."""
    return bool(recipients_of(schedule, planned_at) - {""})


def recipients_of(schedule: str, planned_at: int) -> set[str]:
    """Return the keys of recipients whom a run was made for."""
    rows = ScheduleRun.select(ScheduleRun.recipient_key).where(
        ScheduleRun.schedule == schedule, ScheduleRun.planned_at == planned_at
    )
    return {key for (key,) in rows.tuples()}


def enter(row: dict[str, Any]) -> bool:
    """Enter what became of a run for a recipient, within the caller's transaction. Returns False
    where that stands there already."""
    return bool(ScheduleRun.insert(**row).on_conflict_ignore().as_rowcount().execute())


def enter_again(row: dict[str, Any]) -> None:
    """Enter what became of a run for a recipient for whom it was tried before, within the caller's
    transaction."""
    ScheduleRun.delete().where(*_is(ScheduleRun, row)).execute()
    ScheduleRun.insert(**row).execute()


def try_again(row: dict[str, Any], attempts: int, again_at: int | None) -> None:
    """Remember when a run is made for a recipient once more after so many attempts; None: not at
    all. Within the caller's transaction."""
    ScheduleRetry.delete().where(*_is(ScheduleRetry, row)).execute()
    if again_at is not None:
        key = {name: row[name] for name in _KEY}
        ScheduleRetry.insert(**key, attempts=attempts, again_at=again_at).execute()


class Retry(NamedTuple):
    """A run that is to be made for a recipient once more."""

    schedule: str
    planned_at: int
    recipient_key: str
    attempts: int


def due_again(now: int) -> list[Retry]:
    """Return the runs that are to be made once more by now (epoch seconds), the oldest first."""
    columns = (getattr(ScheduleRetry, name) for name in Retry._fields)
    rows = ScheduleRetry.select(*columns).where(ScheduleRetry.again_at <= now)
    return [Retry(*row) for row in rows.order_by(ScheduleRetry.again_at).tuples()]


def give_up(one: Retry, reason: str) -> None:
    """Forget a run that is not made once more, and add to the log why."""
    row = one._asdict()
    with write_transaction():
        try_again(row, one.attempts, None)
        for run in ScheduleRun.select().where(*_is(ScheduleRun, row)):
            run.message = f"{run.message}; not tried again: {reason}"
            run.save()


def waiting_again() -> int:
    """Return how many runs wait for being made once more."""
    return int(ScheduleRetry.select().count())


_KEY = ("schedule", "planned_at", "recipient_key")


def _is(table: Any, row: dict[str, Any]) -> list[Any]:
    return [getattr(table, name) == row[name] for name in _KEY]


def runs(schedules: Iterable[str] | None, limit: int) -> list[dict[str, Any]]:
    """Return the newest runs, of all schedules or of some, with what became of their messages."""
    query = (
        ScheduleRun.select(ScheduleRun, Outbox.state, Outbox.reason, Outbox.settled_at)
        .join(
            Outbox,
            JOIN.LEFT_OUTER,
            on=(
                (Outbox.kind == "schedule")
                & (Outbox.reference == ScheduleRun.reference)
                & (ScheduleRun.reference != "")
            ),
        )
        .order_by(ScheduleRun.id.desc())
        .limit(limit)
    )
    if schedules is not None:
        query = query.where(ScheduleRun.schedule.in_(list(schedules)))
    return [
        {
            "at": run.at,
            "planned_at": run.planned_at,
            "schedule": run.name,
            "recipient": run.recipient,
            "reader": run.reader,
            "report": run.report,
            "period": run.period,
            "format": run.form,
            "state": _state(run),
            "rows": run.rows,
            "message": run.message or (run.outbox.reason if _posted(run) else ""),
        }
        for run in query
    ]


def _posted(run: Any) -> bool:
    return getattr(run, "outbox", None) is not None and run.outbox.state is not None


def _state(run: Any) -> str:
    """Return what became of a run: that of its message where there is one."""
    if run.state == "written" and _posted(run):
        return {"waiting": "waits"}.get(run.outbox.state, str(run.outbox.state))
    return str(run.state)


def add(**columns: Any) -> int | None:
    """Store a schedule of a person. Returns its id, None where they have one of the name."""
    with write_transaction():
        fresh = ReportSchedule.insert(**columns).on_conflict_ignore().as_rowcount().execute()
        if not fresh:
            return None
        row = ReportSchedule.get(
            (ReportSchedule.owner == columns["owner"])
            & (ReportSchedule.name_key == columns["name_key"])
        )
        return int(row.id)


def remove(number: int) -> None:
    """Remove a schedule of a person; what was sent stays in the log."""
    with write_transaction():
        ReportSchedule.delete().where(ReportSchedule.id == number).execute()
        ScheduleState.delete().where(ScheduleState.schedule == f"user:{number}").execute()
        ScheduleRetry.delete().where(ScheduleRetry.schedule == f"user:{number}").execute()


def pause(number: int, *, paused: bool) -> None:
    """Pause a schedule of a person, or resume it: what was due meanwhile is not sent."""
    with write_transaction():
        ReportSchedule.update(paused=paused).where(ReportSchedule.id == number).execute()
        ScheduleState.delete().where(ScheduleState.schedule == f"user:{number}").execute()


def owner_names(owners: Iterable[int]) -> dict[int, str]:
    """Return the usernames of owners by id."""
    wanted = {owner for owner in owners if owner}
    rows = Party.select(Party.id, Party.username).where(Party.id.in_(sorted(wanted)))
    return dict(rows.tuples())


def rights_of(kind: str, reference: str) -> tuple[str, str] | None:
    """Return for whom a message of a schedule, an alarm or a budget was written, and what they might
    see then; None for any other message."""
    if kind == "schedule":
        rows = ScheduleRun.select(ScheduleRun.recipient_key, ScheduleRun.rights).where(
            ScheduleRun.reference == reference
        )
    elif kind == "alarm":
        rows = AlarmTold.select(AlarmTold.recipient_key, AlarmTold.rights).where(
            AlarmTold.reference == reference
        )
    else:
        told = _OF_BUDGET.fullmatch(reference) if kind == "budget" else None
        return None if told is None else (told[4], told[5])
    return next(iter(rows.limit(1).tuples()), None)


def _tell_again(reference: str) -> None:
    """Forget that a budget's thresholds were told; who has the message gets no second one."""
    told = _OF_BUDGET.fullmatch(reference)
    if told is not None:
        BudgetAlert.delete().where(
            BudgetAlert.budget.concat("/").concat(BudgetAlert.pot) == told[1],
            BudgetAlert.first_day == int(told[2]),
            BudgetAlert.threshold.in_([int(one) for one in told[3].split(",")]),
        ).execute()


def withdraw(message: outbox.Waiting, reason: str, now: int, *, again: bool) -> None:
    """Take a message back that waits; ``again`` lets it be made anew, as its recipient sees it now."""
    with write_transaction():
        outbox.settle(message.id, outbox.FAILED, now, reason)
        if message.kind == "alarm":
            told = AlarmTold.reference == message.reference
            if again:
                alarms = AlarmTold.select(AlarmTold.alarm).where(told)
                AlarmState.delete().where(AlarmState.alarm.in_(alarms)).execute()
                AlarmTold.delete().where(told).execute()
            return
        if message.kind == "budget":
            if again:
                _tell_again(message.reference)
            return
        run = ScheduleRun.get_or_none(ScheduleRun.reference == message.reference)
        if run is None:
            return
        if not again:
            ScheduleRun.update(state="withdrawn", message=reason).where(
                ScheduleRun.id == run.id
            ).execute()
            return
        run.delete_instance()
        ScheduleState.update(due_at=run.planned_at).where(
            ScheduleState.schedule == run.schedule, ScheduleState.due_at > run.planned_at
        ).execute()
