"""Whether the reports that the settings have sent can be made."""

from __future__ import annotations

from collections.abc import Iterator

from syncd.application.reports import environment
from syncd.domain.errors import Problem, UsageError
from syncd.reports.request import specify
from syncd.reports.request_text import from_text
from syncd.reports.scheduled import is_saved
from syncd.settings.model import Settings


def schedule_problems(settings: Settings) -> Iterator[Problem]:
    """Yield what is wrong with the reports of [schedule:NAME] sections."""
    there = environment(settings, 0)
    for one in settings.mailing.schedules.values():
        try:
            # Who saved what stands in the database, which a check does not ask.
            if not is_saved(one.report):
                specify(from_text(one.report), there)
        except UsageError as error:
            section = f"schedule:{one.name}"
            origin = settings.origins.get((section, "report"))
            place = (origin.file, origin.line) if origin else (str(settings.file), 0)
            yield Problem(*place, f"[{section}] report", error.message, error.hint)
