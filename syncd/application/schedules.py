"""Scheduled reports: what is due is made for each recipient as them, and written into the outbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from syncd.application.composition import NEVER, Application, Stop
from syncd.application.reports import environment, output_options, policy
from syncd.domain.errors import UserError
from syncd.reports.recipients import Addressee, addressees, may_write_to_others
from syncd.reports.scheduled import (
    KIND,
    Rendered,
    ScheduledReport,
    Sending,
    render_for,
)
from syncd.settings.model import Settings
from syncd.settings.timing import latest, parse_timing
from syncd.settings.values_mailing import parse_recipients
from syncd.store import schedules as stored
from syncd.store.database import is_database_trouble, write_transaction
from syncd.store.outbox import post

if TYPE_CHECKING:
    from syncd.reports.mail import Message

LOCK = "schedules"
WRITTEN, EMPTY, REFUSED, FAILED, MISSED = "written", "empty", "refused", "failed", "missed"
SCHEDULE_FAILED = "schedule_failed"
MISSED_AFTER = 900
"""Seconds after which a report that was due counts as missed."""
AGAIN_AFTER = (300, 3600, 6 * 3600)
"""Seconds after which a report that a defect met is made once more, after each attempt."""

log = structlog.get_logger()


@dataclass(slots=True)
class Sent:
    """What became of one report for one recipient."""

    scheduled: ScheduledReport
    recipient: str
    state: str
    rows: int = 0
    reason: str = ""
    message: Message | None = None
    defect: bool = False
    """It met a defect of syncd, which may be gone the next time."""


@dataclass(frozen=True, slots=True)
class _Made:
    """For whom, and what."""

    addressee: Addressee | None = None
    rendered: Rendered | None = None


@dataclass(slots=True)
class ScheduleOutcome:
    """What a look at the schedules did."""

    sent: list[Sent] = field(default_factory=list)
    again: int = 0
    """Reports that a defect met and that are going to be tried again."""

    def count(self, *states: str) -> int:
        return sum(one.state in states for one in self.sent)


def scheduled_reports(settings: Settings) -> list[ScheduledReport]:
    """Return all schedules: those of the settings, then those that people made."""
    found = [
        ScheduledReport(
            f"ini:{one.name}",
            one.name,
            0,
            one.report,
            one.when,
            one.form,
            one.recipients,
            one.reader,
            one.subject,
            one.empty,
            one.missed,
        )
        for one in settings.mailing.schedules.values()
    ]
    return found + [
        ScheduledReport(
            f"user:{row.id}",
            row.name,
            row.owner,
            row.report,
            parse_timing(row.timing),
            row.form,
            parse_recipients(row.recipients),
            row.reader,
            row.subject,
            row.empty,
            row.missed,
            bool(row.paused),
        )
        for row in stored.made_by_people()
    ]


def send_due(application: Application, *, stop: Stop = NEVER) -> ScheduleOutcome:
    """Write the reports that are due into the outbox, each recipient's once.

    What was begun before is gone on with. Raises TryAgainError when another process does it.
    """
    outcome = ScheduleOutcome()
    with application.locked(LOCK, stop), application.connected():
        for scheduled in scheduled_reports(application.settings):
            if stop.is_set():
                break
            if not scheduled.paused:
                _send_due(application, scheduled, outcome, stop)
        _send_again(application, outcome, stop)
        outcome.again = stored.waiting_again()
    return outcome


def send_now(
    application: Application, scheduled: ScheduledReport, *, dry_run: bool = False
) -> ScheduleOutcome:
    """Write a report for its recipients at once, whatever its time; with ``dry_run`` the messages
    are only returned. Raises TryAgainError when another process sends reports."""
    outcome = ScheduleOutcome()
    with application.locked(LOCK, NEVER), application.connected():
        now = application.clock()
        for sent, one in _made(application, scheduled, now):
            outcome.sent.append(sent if dry_run else _remember(sent, one, now, now))
    return outcome


def _send_due(
    application: Application, scheduled: ScheduledReport, outcome: ScheduleOutcome, stop: Stop
) -> None:
    now, zone = application.clock(), application.settings.timezone
    due = stored.due_at(scheduled.key, str(scheduled.when))
    if due is None or due > now:
        following = scheduled.when.next_after(now, zone)
        if due is None or due > following:  # the clock was ahead when that was planned
            stored.plan(scheduled.key, str(scheduled.when), following)
        return
    planned = latest(scheduled.when, zone, due, now)
    begun = stored.begun(scheduled.key, planned)
    late = now - planned > MISSED_AFTER and not begun
    if planned != due or (late and scheduled.missed == "skip"):
        outcome.sent.append(_missed(scheduled, due, planned, now, late))
    if not late or scheduled.missed == "send":
        for sent, one in _made(application, scheduled, planned):
            outcome.sent.append(_remember(sent, one, planned, now))
            if stop.is_set():
                return
    stored.plan(scheduled.key, str(scheduled.when), scheduled.when.next_after(planned, zone))


def _send_again(application: Application, outcome: ScheduleOutcome, stop: Stop) -> None:
    """Make what a defect met before, for whom it did, if the time for that has come."""
    now = application.clock()
    waiting = stored.due_again(now)
    by_key = {one.key: one for one in scheduled_reports(application.settings)} if waiting else {}
    for one in waiting:
        if stop.is_set():
            return
        scheduled = by_key.get(one.schedule)
        if scheduled is None or scheduled.paused:
            stored.give_up(one, "the schedule is paused" if scheduled else "the schedule is gone")
            continue
        found = list(_made(application, scheduled, one.planned_at, only=one.recipient_key))
        if not found:
            stored.give_up(one, "is not among the recipients any more")
        for sent, made in found:
            if made.addressee is None:
                stored.give_up(one, sent.reason)
            else:
                outcome.sent.append(_remember(sent, made, one.planned_at, now, one.attempts))


def _missed(scheduled: ScheduledReport, due: int, planned: int, now: int, late: bool) -> Sent:
    """Enter into the log that a report was not sent at its time, or times."""
    skipped = late and scheduled.missed == "skip"
    reason = "was due while nothing was sent" if skipped else "earlier ones are not sent any more"
    sent = Sent(scheduled, "", MISSED, reason=reason)
    with write_transaction():
        stored.enter(_row(sent, None, planned if skipped else due, now))
    return sent


def _made(
    application: Application, scheduled: ScheduledReport, planned: int, *, only: str = ""
) -> Iterator[tuple[Sent, _Made]]:
    """Make a report for each recipient who has not got it yet, or for the one with a key, whatever
    they got. Yields what became of it."""
    settings = application.settings
    basis = settings.reports.level6_basis
    items = scheduled.recipients
    refusal = ""
    if any(item.kind != "owner" for item in items):
        refusal = may_write_to_others(scheduled.owner, basis)
    if refusal:
        yield Sent(scheduled, "", REFUSED, reason=refusal), _Made()
        return
    done = stored.recipients_of(scheduled.key, planned)
    now = application.clock()
    sending = Sending(
        environment(settings, planned),
        now,
        policy(settings),
        settings.finance.mail.sender,
        output_options(settings, now),
        settings.mailing.largest_attachment,
    )
    for one in addressees(items, scheduled.owner, scheduled.reader, basis):
        if one.key != only if only else one.key in done:
            continue
        if one.refusal:
            yield Sent(scheduled, one.address or one.who, REFUSED, reason=one.refusal), _Made(one)
            continue
        try:
            rendered = render_for(one, scheduled, sending)
        except UserError as error:
            yield Sent(scheduled, one.address, FAILED, reason=error.message), _Made(one)
        except Exception as error:
            if isinstance(error, OSError) or is_database_trouble(error):
                raise
            # One recipient's report that has met a defect does not stop those of the others.
            log.error(SCHEDULE_FAILED, schedule=scheduled.name, to=one.who, exc_info=error)
            reason = f"a defect of syncd: {type(error).__name__}: {error}"
            sent = Sent(scheduled, one.address, FAILED, reason=reason, defect=True)
            yield sent, _Made(one)
        else:
            state = EMPTY if rendered.message is None else WRITTEN
            sent = Sent(
                scheduled, one.address, state, rendered.rows, rendered.remark, rendered.message
            )
            yield sent, _Made(one, rendered)


def _remember(sent: Sent, made: _Made, planned: int, now: int, attempts: int = 0) -> Sent:
    """Store a message and that it was written, in one transaction: a second process, or this one
    after a crash, finds both or none. ``attempts`` were made before."""
    again_at = None
    if sent.defect and attempts < len(AGAIN_AFTER):
        again_at = now + AGAIN_AFTER[attempts]
        sent.reason += f"; is tried again in {AGAIN_AFTER[attempts] // 60} minutes"
    elif sent.defect:
        sent.reason += f"; given up after {attempts + 1} attempts"
    with write_transaction():
        row = _row(sent, made, planned, now)
        if attempts:
            stored.enter_again(row)
        fresh = bool(attempts) or stored.enter(row)
        if fresh and (attempts or again_at is not None):
            stored.try_again(row, attempts + 1, again_at)
        if fresh and sent.message is not None:
            message = sent.message
            post(KIND, message.reference, message.recipient, message.subject, message.content, now)
    return sent


def _row(sent: Sent, made: _Made | None, planned: int, now: int) -> dict[str, Any]:
    one = made.addressee if made else None
    rendered = made.rendered if made else None
    return {
        "schedule": sent.scheduled.key,
        "name": sent.scheduled.name,
        "planned_at": planned,
        "at": now,
        "recipient_key": one.key if one else "",
        "recipient": sent.recipient,
        "reader": one.who if one else "",
        "report": sent.scheduled.report,
        "period": rendered.period if rendered else "",
        "form": sent.scheduled.form,
        "state": sent.state,
        "rows": sent.rows,
        "message": sent.reason,
        "reference": sent.message.reference if sent.message else "",
        "rights": one.rights if one else "",
    }
