"""The settings of scheduled reports and alarms after loading: typed, checked, frozen."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncd.domain.bands import Span
from syncd.settings.schedule import Every, Schedule

FORMS = ("table", "csv", "html", "xlsx", "pdf")
"""In which a report is sent; a table stands in the message itself."""
CHOICES = ("send", "skip")
ALARMS = (
    "call-cost",
    "person-cost",
    "calls",
    "outside-hours",
    "unrated",
    "rejects",
    "licence",
    "quiet-folder",
    "sync-failing",
)
PERCENT = {"unrated": 5, "rejects": 5, "licence": 90}
"""Of what part something is told, where nothing is said."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """One item of a list of recipients: a kind and what it names."""

    kind: str
    """``user | address | owner | department | managers | group | level``."""
    name: str = ""
    level: int = 0

    def __str__(self) -> str:
        if self.kind == "level":
            return f"level>={self.level}"
        if self.kind == "managers":
            return f"managers of {self.name}"
        if self.kind == "department":
            return f"department {self.name}"
        if self.kind == "group":
            return f"group {self.name}"
        if self.kind == "owner":
            return "me"
        special = self.name == "me" or "@" in self.name
        special |= self.name.startswith(("level", "managers", "department ", "group ", "user "))
        return f"user {self.name}" if self.kind == "user" and special else self.name


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """``[schedule:NAME]``."""

    name: str
    report: str
    """In the words of the command line."""
    when: Schedule
    form: str
    recipients: tuple[Recipients, ...]
    reader: str
    """As whom a report for a plain address is made."""
    subject: str
    empty: str
    missed: str


@dataclass(frozen=True, slots=True)
class AlarmSettings:
    """``[alarm:NAME]``."""

    name: str
    on: str
    amount: int | None
    """Micros."""
    calls: int
    percent: int
    hours: tuple[Span, ...]
    """Working hours; empty: those of ``[reports]`` and the sites."""
    classes: tuple[str, ...]
    destinations: tuple[str, ...]
    """With ``*`` and ``?``."""
    departments: tuple[str, ...]
    notify: tuple[Recipients, ...]
    reader: str
    cool_down: int
    """Seconds."""
    max_age: int
    """Seconds."""


@dataclass(frozen=True, slots=True)
class MailingSettings:
    """All of it."""

    schedules: dict[str, ScheduleSettings] = field(default_factory=dict)
    alarms: dict[str, AlarmSettings] = field(default_factory=dict)
    look: Schedule = field(default_factory=lambda: Every(60))
    """When it is looked which reports are due."""
    alarm_look: Schedule = field(default_factory=lambda: Every(60))
    largest_attachment: int = 10_000_000
    """Bytes."""
