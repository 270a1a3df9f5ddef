"""Whether the reports that the settings save and have sent can be made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from syncd.application.reports import environment
from syncd.domain.errors import Problem, UsageError
from syncd.domain.party import name_key
from syncd.reports.request import specify
from syncd.reports.request_text import from_text, over
from syncd.reports.saved import check
from syncd.reports.scheduled import is_saved
from syncd.settings.model import Settings


def schedule_problems(settings: Settings) -> Iterator[Problem]:
    """Yield what is wrong with the reports of [saved-report:NAME] and [schedule:NAME] sections."""
    there = environment(settings, 0)
    wrong: set[str] = set()
    for saved in settings.reports.saved.values():
        try:
            check(saved.name, from_text(saved.report), there)
        except UsageError as error:
            yield _problem(settings, f"saved-report:{saved.name}", error)
            wrong.add(name_key(saved.name))
    known = {name_key(name): one for name, one in settings.reports.saved.items()}
    for one in settings.mailing.schedules.values():
        try:
            request = from_text(one.report)
            if is_saved(one.report):
                # Who saved what else stands in the database, which a check does not ask.
                name = name_key(request.filters[0]) if request.filters else ""
                found = known.get(name)
                if found is None or name in wrong:
                    continue
                request = over(
                    from_text(found.report), replace(request, filters=request.filters[1:])
                )
            specify(request, there)
        except UsageError as error:
            yield _problem(settings, f"schedule:{one.name}", error)


def _problem(settings: Settings, section: str, error: UsageError) -> Problem:
    origin = settings.origins.get((section, "report"))
    place = (origin.file, origin.line) if origin else (str(settings.file), 0)
    return Problem(*place, f"[{section}] report", error.message, error.hint)
