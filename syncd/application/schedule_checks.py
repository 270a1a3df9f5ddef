"""Whether the reports that the settings name are there, and those that they save and have sent can be
made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches

from syncd.application.reports import environment
from syncd.domain.errors import Problem, UsageError
from syncd.domain.party import name_key
from syncd.reports.catalogue.standard import catalogue
from syncd.reports.permissions import REQUIRED_LEVELS
from syncd.reports.request import specify
from syncd.reports.request_text import from_text, over
from syncd.reports.saved import check
from syncd.reports.scheduled import is_saved
from syncd.settings.model import Settings

SHOWN_BY_VERBS = ("call", "explain")
"""What verbs of everybody show, whose levels can be changed as those of reports are."""


def schedule_problems(settings: Settings) -> Iterator[Problem]:
    """Yield what is wrong with the reports of [report:NAME], [saved-report:NAME] and [schedule:NAME]
    sections."""
    yield from _unknown_reports(settings)
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


def _unknown_reports(settings: Settings) -> Iterator[Problem]:
    """Yield the levels of what there is not: what was meant would open as if nothing were said."""
    known = {*catalogue(settings.custom_fields), *REQUIRED_LEVELS, *SHOWN_BY_VERBS}
    for name in sorted(settings.reports.levels.keys() - known):
        place = settings.place(f"report:{name}", "level")
        near = get_close_matches(name, sorted(known), 1)
        hint = f"did you mean {near[0]}?" if near else "syncd report lists them"
        yield Problem(*place, f"[report:{name}]", "there is no such report", hint)


def _problem(settings: Settings, section: str, error: UsageError) -> Problem:
    return settings.problem(section, "report", error.message, error.hint)
