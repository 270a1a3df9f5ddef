"""Working hours and holidays of the settings, made ready for reports and alarms."""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path

from syncd.billing.holidays import HolidayCalendar, country_problem, load_holidays
from syncd.domain.errors import Problem
from syncd.reports.working_times import Place, WorkingTimes
from syncd.settings.model import ReportSettings, Settings, SiteSettings


def working_times(settings: Settings) -> WorkingTimes:
    """Return when people work, by site. Mistakes in a list of holidays are passed over here."""
    reports = settings.reports
    everywhere = Place(
        reports.working_hours,
        settings.timezone,
        _holidays(reports.holidays, reports.holiday_list),
    )
    sites = {
        name: Place(
            site.working_hours or reports.working_hours,
            site.timezone,
            _holidays(site.holidays or reports.holidays, site.holiday_list or reports.holiday_list),
        )
        for name, site in settings.sites.items()
        if site.working_hours or site.holidays or site.holiday_list is not None
    }
    return WorkingTimes(everywhere, sites)


def working_time_problems(settings: Settings) -> Iterator[Problem]:
    """Yield what is wrong with the holidays of the company and of sites."""
    read: set[Path] = set()
    places: list[tuple[str, ReportSettings | SiteSettings]] = [("reports", settings.reports)]
    places += [(f"site:{site.name}", site) for site in settings.sites.values()]
    for section, one in places:
        for country in one.holidays:
            what, hint = country_problem(country)
            if what:
                yield settings.problem(section, "holidays", what, hint)
        if one.holiday_list is not None and one.holiday_list not in read:
            read.add(one.holiday_list)
            yield from load_holidays(one.holiday_list)[2]


def _holidays(countries: tuple[str, ...], path: Path | None) -> Container[date]:
    if not countries and path is None:
        return ()
    changed = 0
    if path is not None:
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            path = None
    return _calendar(countries, path, changed)


@lru_cache(maxsize=64)
def _calendar(countries: tuple[str, ...], path: Path | None, changed: int) -> HolidayCalendar:
    """Return the days of countries and of a list as it was when it changed last."""
    known = [country for country in countries if not country_problem(country)[0]]
    days, yearly, _ = load_holidays(path) if path is not None else ((), (), [])
    return HolidayCalendar(known, days, yearly)
