"""Alarms: look what is new, and write to each who is to know what they may see of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from syncd.application.composition import NEVER, Application, Stop
from syncd.application.reports import environment, policy
from syncd.domain.errors import UsageError, UserError
from syncd.reports.alarm_calls import ABOUT_CALLS
from syncd.reports.alarm_mail import KIND, Look, Told, told_to, traces
from syncd.reports.recipients import Addressee, addressees
from syncd.settings.mailing import AlarmSettings
from syncd.store import alarms as stored
from syncd.store.database import write_transaction
from syncd.store.outbox import post

LOCK = "alarms"
DAY = 86_400


@dataclass(slots=True)
class Raised:
    """An alarm for one recipient, or why it is not for them."""

    alarm: AlarmSettings
    recipient: str
    told: Told | None = None
    refusal: str = ""


@dataclass(slots=True)
class AlarmOutcome:
    """What a look at the alarms found."""

    raised: list[Raised] = field(default_factory=list)

    @property
    def messages(self) -> int:
        return sum(one.told is not None for one in self.raised)


def alarm_named(application: Application, name: str) -> AlarmSettings:
    """Return an alarm of the settings. Raises UsageError."""
    alarms = application.settings.mailing.alarms
    if name not in alarms:
        known = ", ".join(alarms) or "none is configured"
        raise UsageError(f"there is no [alarm:{name}]", f"known: {known}")
    return alarms[name]


def check_alarms(application: Application, *, stop: Stop = NEVER) -> AlarmOutcome:
    """Look at every alarm; write to whom it concerns what they were not told yet.

    Raises TryAgainError when another process looks at them.
    """
    outcome = AlarmOutcome()
    alarms = application.settings.mailing.alarms
    # Without a server nobody can be told: when there is one, they will be.
    if not alarms or not application.settings.finance.mail.server:
        return outcome
    with application.locked(LOCK, stop), application.connected():
        look = _look(application)
        for alarm in alarms.values():
            if stop.is_set():
                break
            _check(alarm, look, outcome)
    return outcome


def try_alarm(application: Application, alarm: AlarmSettings) -> AlarmOutcome:
    """Return what an alarm would tell whom of all that is the case now, whatever was told already.
    Nothing is written."""
    outcome = AlarmOutcome()
    with application.connected():
        look = _look(application)
        for one in _recipients(alarm, look):
            if one.refusal:
                outcome.raised.append(Raised(alarm, one.address or one.who, refusal=one.refusal))
            else:
                outcome.raised.append(_raised(one, alarm, look, frozenset()))
    return outcome


def _look(application: Application) -> Look:
    settings = application.settings
    return Look(settings, environment(settings, application.clock()), policy(settings))


def _recipients(alarm: AlarmSettings, look: Look) -> list[Addressee]:
    return addressees(alarm.notify, 0, alarm.reader, look.policy.level6_basis)


def _raised(
    one: Addressee,
    alarm: AlarmSettings,
    look: Look,
    known: frozenset[str],
    parties: frozenset[int] | None = None,
) -> Raised:
    try:
        return Raised(alarm, one.address, told_to(one, alarm, look, known, parties))
    except UserError as error:
        return Raised(alarm, one.address, refusal=error.message)


def _check(alarm: AlarmSettings, look: Look, outcome: AlarmOutcome) -> None:
    found = traces(alarm, look)
    digest = hashlib.sha256("\n".join(found.lines).encode()).hexdigest() if found.lines else ""
    before, again_at = stored.state_of(alarm.name)
    if digest == before and (again_at is None or again_at > look.now):
        return
    later: list[int] = []
    # Calls that are too old to be told now were told before that: years of them are not read.
    since = look.now - alarm.max_age - 2 * DAY if alarm.on in ABOUT_CALLS else 0
    for one in _recipients(alarm, look) if found.lines else ():
        if one.refusal:
            continue
        known, last = stored.known_to(alarm.name, one.key, since, look.now)
        if last and look.now < last + alarm.cool_down:
            later.append(last + alarm.cool_down)
            continue
        raised = _raised(one, alarm, look, known, found.parties)
        if raised.refusal or (
            raised.told is not None and _remember(alarm, one, raised.told, look.now)
        ):
            outcome.raised.append(raised)
    stored.looked(alarm.name, digest, min(later, default=None))


def _remember(alarm: AlarmSettings, one: Addressee, told: Told, now: int) -> bool:
    """Store a message and what it tells, in one transaction."""
    message = told.message
    with write_transaction():
        fresh = stored.enter(
            alarm.name,
            [event.key for event in told.events],
            one.key,
            one.address,
            message.reference,
            one.rights,
            now,
        )
        if fresh:
            post(KIND, message.reference, message.recipient, message.subject, message.content, now)
    return fresh
