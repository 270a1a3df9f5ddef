"""What an alarm tells one recipient: of calls what they may see, as who they are now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from syncd.domain.errors import UserError
from syncd.domain.money import format_micros
from syncd.reports.alarm_calls import ABOUT_CALLS, Event, call_events, call_traces
from syncd.reports.alarm_conditions import LEVELS, REPORTS, condition_events
from syncd.reports.environment import Environment
from syncd.reports.mail import Message, compose
from syncd.reports.permissions import Reach, Scope, scope_of
from syncd.reports.recipients import Addressee
from syncd.reports.scope import Policy, open_door, resolve_viewer
from syncd.settings.mailing import AlarmSettings
from syncd.settings.model import Settings
from syncd.store.models import Party

KIND = "alarm"
MOST_LINES = 100
"""That stand in one message."""


@dataclass(frozen=True, slots=True)
class Look:
    """What all alarms of a moment share."""

    settings: Settings
    environment: Environment
    policy: Policy

    @property
    def now(self) -> int:
        return self.environment.now


class Told(NamedTuple):
    """A message and the events that it tells for the first time."""

    message: Message
    events: list[Event]


class Traces(NamedTuple):
    """What tells whether there is anything new for anybody."""

    lines: list[str]
    parties: frozenset[int] | None
    """Whose calls it is about, None where it is not about calls."""


def traces(alarm: AlarmSettings, look: Look) -> Traces:
    """Return what there is at all, whoever may see it."""
    if alarm.on not in ABOUT_CALLS:
        events = condition_events(alarm, look.settings, look.environment)
        return Traces([event.key for event in events], None)
    found = call_traces(alarm, Scope(Reach.ALL), look.environment)
    return Traces([line for line, _ in found], frozenset(party for _, party in found))


def told_to(
    recipient: Addressee,
    alarm: AlarmSettings,
    look: Look,
    known: frozenset[str],
    parties: frozenset[int] | None = None,
) -> Told | None:
    """Return the message to a recipient about what they do not know yet, None when there is nothing.
    ``parties`` are those whose calls the alarm is about, where that is known.

    Raises UserError when the alarm is not for them.
    """
    party = Party.get_by_id(recipient.party)
    who = f"{party.source}:{party.username}"
    about_calls = alarm.on in ABOUT_CALLS
    viewer = resolve_viewer(who, look.policy.level6_basis)
    if viewer.party_id != recipient.party:
        raise UserError(f"{who} is also somebody else's name: nothing can be sent")
    if not about_calls and viewer.level < LEVELS[alarm.on]:
        raise UserError(f"an alarm on {alarm.on} is for level {LEVELS[alarm.on]}")
    scope = scope_of(viewer)
    # Thousands of people may be named who see their own calls alone.
    if parties is not None and scope.reach is Reach.OWN and scope.party_id not in parties:
        return None
    # Who has nothing new is not entered into the access log each time.
    if not _new(alarm, scope, look, known):
        return None
    report = ABOUT_CALLS[alarm.on] if about_calls else REPORTS[alarm.on]
    door = open_door(who, report, f"alarm {alarm.name}", look.policy, look.now)
    events = _new(alarm, door.scope, look, known)
    door.note_rows(len(events))
    title = f"Alarm {alarm.name}: {_title(alarm, events, look.settings.currency)}"
    lines = [event.line for event in events[:MOST_LINES]]
    remarks = []
    if len(events) > MOST_LINES:
        remarks.append(f"{len(events) - MOST_LINES} more are not shown.")
    if " " in recipient.key:
        remarks.append(f"It shows what {door.viewer.name} may see.")
    message = compose(
        KIND,
        f"{alarm.name}/{look.now}/{recipient.key}/{recipient.rights}",
        sender=look.settings.finance.mail.sender,
        recipient=recipient.address,
        subject=title,
        text="\n".join([title, "", *lines, *([""] if remarks else []), *remarks]) + "\n",
        html=_html(title, lines, remarks),
        now=look.now,
    )
    return Told(message, events)


def _new(alarm: AlarmSettings, scope: Scope, look: Look, known: frozenset[str]) -> list[Event]:
    if alarm.on in ABOUT_CALLS:
        events = call_events(alarm, scope, look.environment)
    else:
        events = condition_events(alarm, look.settings, look.environment)
    return [event for event in events if event.key not in known]


def _title(alarm: AlarmSettings, events: Sequence[Event], currency: str) -> str:
    count = len(events)
    some = f"{count} call{'s' if count != 1 else ''}"
    # What is told of people is told of each of their days.
    whom = len({event.key.rpartition(":")[0] for event in events})
    people = f"{whom} {'people' if whom != 1 else 'person'}"
    days = f", {count} times" if count > whom else ""
    if alarm.on == "call-cost":
        return f"{some} of {format_micros(alarm.amount or 0)} {currency} or more"
    if alarm.on == "person-cost":
        return (
            f"{people} spent {format_micros(alarm.amount or 0)} {currency} or more in a day{days}"
        )
    if alarm.on in ("calls", "outside-hours"):
        what = "outside working hours" if alarm.on == "outside-hours" else _numbers(alarm)
        if alarm.calls > 1:
            return f"{people} made {alarm.calls} calls {what} or more in a day{days}"
        return f"{some} {what}"
    return {
        "unrated": "calls have no price",
        "rejects": "rows of files were rejected",
        "licence": "the licence is nearly full",
        "quiet-folder": "nothing comes any more",
        "sync-failing": "a directory cannot be read",
    }[alarm.on]


def _numbers(alarm: AlarmSettings) -> str:
    return f"to {', '.join((*alarm.classes, *alarm.destinations))}"


def _html(title: str, lines: list[str], remarks: list[str]) -> str:
    listed = "".join(f"<li>{escape(line)}</li>" for line in lines)
    said = "".join(f"<p>{escape(remark)}</p>" for remark in remarks)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"</head><body><h1>{escape(title)}</h1><ul>{listed}</ul>{said}</body></html>\n"
    )
