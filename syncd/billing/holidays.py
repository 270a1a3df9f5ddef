"""Which days are holidays: by country, and by a list of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from syncd.domain.errors import Problem

_YEARLY = re.compile(r"(\d\d)-(\d\d)", re.ASCII)
_COUNTRY = re.compile(r"([A-Z]{2})(?:-([A-Za-z0-9]{1,5}))?", re.ASCII)
LEAP_YEAR = 2000


class HolidayCalendar:
    """Contains a date that is a holiday: of one of the countries, on the list, or every year."""

    __slots__ = ("_countries", "_days", "_yearly", "_years")

    def __init__(
        self,
        countries: Iterable[str] = (),
        days: Iterable[date] = (),
        yearly: Iterable[tuple[int, int]] = (),
    ) -> None:
        self._countries = tuple(countries)
        self._days = frozenset(days)
        self._yearly = frozenset(yearly)
        self._years: dict[int, frozenset[date]] = {}

    def __contains__(self, day: object) -> bool:
        if not isinstance(day, date):
            return False
        if day in self._days or (day.month, day.day) in self._yearly:
            return True
        if not self._countries:
            return False
        year = self._years.get(day.year)
        if year is None:
            year = self._years[day.year] = frozenset(
                one for country in self._countries for one in _of_country(country, day.year)
            )
        return day in year


def _of_country(country: str, year: int) -> Iterable[date]:
    # A large package, which is not needed where no bands know holidays.
    from holidays import country_holidays

    code, _, part = country.partition("-")
    return tuple(country_holidays(code, subdiv=part or None, years=year))


def country_problem(country: str) -> tuple[str, str]:
    """Return what is wrong with a country (``IT``) or a part of one (``DE-BY``) and how to mend it,
    two empty texts when nothing is."""
    from holidays import list_supported_countries

    match = _COUNTRY.fullmatch(country)
    known = list_supported_countries(include_aliases=False)
    if match is None or match[1] not in known:
        return f"the holidays of {country!r} are not known", "two capital letters, such as IT"
    if match[2] and match[2] not in known[match[1]]:
        parts = ", ".join(known[match[1]]) or "it has no parts"
        return f"{match[1]} has no part {match[2]!r}", f"known are: {parts}"
    return "", ""


def load_holidays(
    path: Path,
) -> tuple[tuple[date, ...], tuple[tuple[int, int], ...], list[Problem]]:
    """Read a list: a day a line (``2026-12-24``, or ``12-24`` for every year), behind a comma what it
    is. Returns the days, the (month, day) of every year, and everything that is wrong."""
    days: list[date] = []
    yearly: list[tuple[int, int]] = []
    problems: list[Problem] = []
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        return (), (), [Problem(str(path), 0, "", what)]
    except UnicodeDecodeError as error:
        at = error.object[: error.start].count(b"\n") + 1
        return (), (), [Problem(str(path), at, "", "is not UTF-8", "save it as UTF-8")]
    for number, line in enumerate(text.splitlines(), 1):
        word = line.partition("#")[0].partition(",")[0].strip()
        if not word or (number == 1 and word.lower() == "date"):
            continue
        match = _YEARLY.fullmatch(word)
        try:
            if match:
                day = date(LEAP_YEAR, int(match[1]), int(match[2]))
                yearly.append((day.month, day.day))
            else:
                days.append(date.fromisoformat(word))
        except ValueError:
            hint = "such as 2026-12-24, or 12-24 for every year"
            problems.append(Problem(str(path), number, "", f"{word!r} is no day", hint))
    return tuple(days), tuple(yearly), problems
