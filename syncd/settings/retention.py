"""``[retention]`` after loading: how long what is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncd.settings.schedule import Every, Schedule

CLASSES = (
    "calls",
    "rejects",
    "quality",
    "unknown_numbers",
    "archive",
    "access_log",
    "history",
    "mail",
)
"""What is kept for a number of days each, in the order in which it is removed."""


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """Days by class of data, 0: for ever."""

    calls: int = 0
    rejects: int = 0
    quality: int = 0
    unknown_numbers: int = 0
    archive: int = 0
    access_log: int = 0
    history: int = 0
    mail: int = 0
    truncate_numbers: int = 0
    keep_digits: int = 6
    schedule: Schedule = field(default_factory=lambda: Every(86_400))

    @property
    def wanted(self) -> bool:
        """Whether there is anything to do, ever."""
        return bool(self.truncate_numbers) or any(getattr(self, name) for name in CLASSES)
