"""From raw columns to dimensions and back: what an id stands for, and which ids a value stands for.

A *key* is what rows are grouped by (a name key, an id, None for unassigned), a *label* what is
shown for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache, cached_property
from typing import Any

from syncd.billing.account_codes import NO_CODES, AccountCodes
from syncd.billing.prefix_country import country_of
from syncd.billing.unrated import taken_apart
from syncd.domain.codes import State
from syncd.domain.countries import COUNTRIES
from syncd.domain.days import QUARTER, Days, days_between, month_of, month_of_span, span_text
from syncd.domain.party import CUSTOM_FIELDS, name_key
from syncd.reports.dimensions import DIMENSIONS, OUTSIDE, WEEKDAYS, WITHIN, Raw
from syncd.reports.sources import LINES
from syncd.reports.working_times import Place, WorkingTimes
from syncd.store.dialect import blankless_key
from syncd.store.models import database
from syncd.store.names import aliases

Key = str | int | None
ORG_FIELDS = ("department", "cost_center", "office_location")
LINE_FIELDS = ("line_id", "site", "partition")
_NO_TEXTS = ("", "", "")
_NO_CUSTOM = ("",) * len(CUSTOM_FIELDS)
NAMES = {
    "destination": "destination",
    "carrier": "carrier",
    "trunk": "trunk",
    "matter": "matter",
}
"""Dimensions that are a table of names with an id."""
CODES = {Raw.AUTHORIZATION: "authorization_code", Raw.MATTER_CODE: "matter_code"}
"""Texts that stand in the record."""
FEW = 64
"""Rows of a table that are read one by one; who needs more is given all."""


def select(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query on the small tables, with bound parameters."""
    return list(database.execute_sql(statement, parameters).fetchall())


class Rows(dict[int, Any]):
    """Rows of a table by id: each read when it is first asked for, and all of them when many are."""

    def __init__(self, statement: str, made: Callable[[tuple[Any, ...]], Any], absent: Any) -> None:
        """``statement`` selects id and columns of all rows, ``made`` makes a value of the columns,
        ``absent`` is that of an id without a row."""
        super().__init__()
        self._statement = statement
        self._made = made
        self._absent = absent
        self._left = FEW

    def __missing__(self, key: int) -> Any:
        if self._left > 0:
            self._left -= 1
            rows = select(f"{self._statement} WHERE id = ?", key)
            self[key] = self._made(rows[0][1:]) if rows else self._absent
            return self[key]
        return self.whole().get(key, self._absent)

    def whole(self) -> Rows:
        """Return all rows."""
        if self._left >= 0:
            self._left = -1
            self.clear()
            self.update((row[0], self._made(row[1:])) for row in select(self._statement))
        return self


class Lookups:
    """The small tables as they are now, each read when it is first needed.

    ``first`` and ``end`` (yyyymmdd, exclusive) bound the days and quarters of an hour that a value
    such as ``hour=9`` can stand for.
    """

    def __init__(
        self, days: Days, first: int, end: int, account_codes: AccountCodes = NO_CODES
    ) -> None:
        self.days = days
        self.first = first
        self.end = end
        self.account_codes = account_codes
        self.vat: Mapping[str, int] = {}
        """The tax that is shown beside costs by the name of a carrier, millionths of a percent."""
        self.working_times = WorkingTimes(Place((), days.zone))
        self._custom_spellings: dict[str, dict[str, str]] = {}
        self.raw_codes = False
        """Whether the viewer sees authorization codes as they are; a query says so."""
        self.masked_digits = 0
        """How many last digits of outside numbers the viewer does not see; a query says so."""

    @cached_property
    def _orgs(self) -> dict[int, tuple[str, ...]]:
        """The keys of each org; of names that were made one, the one that remains."""
        rows = select(f"SELECT id, {', '.join(ORG_FIELDS)} FROM org")
        return {
            row[0]: tuple(
                self._resolved(name, key) for name, key in zip(ORG_FIELDS, row[1:], strict=True)
            )
            for row in rows
        }

    @cached_property
    def _aliases(self) -> dict[tuple[str, str], str]:
        return aliases()

    def _resolved(self, dimension: str, key: str) -> str:
        """Return the key that a name is compared by."""
        return self._aliases.get((dimension, key), key)

    @cached_property
    def _profiles(self) -> Rows:
        """The custom fields of each profile."""
        return Rows(f"SELECT id, {', '.join(CUSTOM_FIELDS)} FROM profile", tuple, _NO_CUSTOM)

    @cached_property
    def _lines(self) -> Rows:
        return Rows(f"SELECT id, {', '.join(LINE_FIELDS)} FROM line", tuple, _NO_TEXTS)

    @cached_property
    def _parties(self) -> Rows:
        """Display name (the username where there is none) and username of each party."""

        def names(row: tuple[Any, ...]) -> tuple[str, str]:
            return row[0] or row[1], row[1]

        return Rows("SELECT id, display_name, username FROM party", names, ("", ""))

    @cached_property
    def _today(self) -> dict[str, dict[int, str | None]]:
        """The keys of each party as it is now, by dimension."""
        names = (*ORG_FIELDS, *CUSTOM_FIELDS)
        rows = select(f"SELECT id, {', '.join(names)} FROM party")
        return {
            name: {row[0]: self._resolved(name, name_key(row[place])) or None for row in rows}
            for place, name in enumerate(names, 1)
        }

    @cached_property
    def _spellings(self) -> dict[tuple[str, str], str]:
        return {(row[0], row[1]): row[2] for row in select("SELECT kind, key, text FROM name")}

    @cached_property
    def _names(self) -> dict[str, dict[int, str]]:
        return {
            dimension: {row[0]: row[1] for row in select(f"SELECT id, name FROM {table}")}
            for dimension, table in NAMES.items()
        }

    @cached_property
    def _countries(self) -> dict[int, str]:
        """The country of each destination of which all numbers are in one."""
        found: dict[int, set[str]] = {}
        for destination, prefix in select("SELECT destination_id, prefix FROM destination_prefix"):
            found.setdefault(destination, set()).add(country_of(prefix))
        return {
            destination: country
            for destination, (country, *others) in found.items()
            if not others and country in COUNTRIES
        }

    @cached_property
    def _prefixes(self) -> dict[int, str]:
        """The prefix of each rate that priced a call."""
        return {row[0]: row[1] for row in select("SELECT id, prefix FROM rate_used") if row[1]}

    def _custom_spelling(self, name: str, key: str) -> str:
        """Return the latest spelling of the value of a custom field."""
        if name not in self._custom_spellings:
            rows = select(f"SELECT {name} FROM profile WHERE {name} <> '' ORDER BY valid_from, id")
            # Of texts that are equal the place of the last counts.
            texts = dict.fromkeys(reversed([row[0] for row in rows]))
            self._custom_spellings[name] = {name_key(text): text for text in reversed(texts)}
        return self._custom_spellings[name].get(key, key)

    def key_of(self, dimension: str, raw: Raw) -> Callable[[int], Key]:
        """Return the function from a value of a raw column to the dimension's key."""
        if raw in (Raw.PROFILE, Raw.FIELD):
            # Many profiles say the same.
            place, profiles, keyed = CUSTOM_FIELDS.index(dimension), self._profiles, cache(name_key)
            return lambda value: keyed(profiles[value][place]) or None
        if raw in (Raw.ORG_TODAY, Raw.PROFILE_TODAY):
            return self._key_today(dimension, raw)
        if raw is Raw.ORG:
            place, orgs = ORG_FIELDS.index(dimension), self._orgs
            return lambda value: orgs.get(value, _NO_TEXTS)[place] or None
        if raw is Raw.LINE:
            place, lines = LINE_FIELDS.index(dimension), self._lines
            return lambda value: lines[value][place] or None
        if raw in (Raw.DAY, Raw.QUARTER, Raw.MONTH, Raw.HOUR, Raw.WEEKDAY):
            return self._key_of_time(dimension, raw)
        if raw is Raw.QUARTER_OF_LINE:
            return lambda value: self.working_time(self.site_of(value % LINES), value // LINES)
        if raw is Raw.AUTHORIZATION:
            # What this viewer is shown is the key: hidden codes are one group, in no order.
            return lambda value: self.shown_code(str(value)) or None
        if raw is Raw.REASON:
            if dimension == "reason":
                return lambda value: taken_apart(str(value)).cause or None
            hidden = self.masked_digits
            return lambda value: taken_apart(str(value)).shown_prefix(hidden) or None
        if dimension == "country":
            return self._countries.get
        if raw is Raw.RATE:
            # A prefix may be as long as the number: who does not see all digits gets none of it.
            prefixes: Mapping[int, str] = {} if self.masked_digits else self._prefixes
            return prefixes.get
        if DIMENSIONS[dimension].words is not None:
            return lambda value: value
        return lambda value: value or None

    def _key_today(self, dimension: str, raw: Raw) -> Callable[[int], Key]:
        """The same of a party as it is now; of another id, negative, as it was."""
        at_call = self.key_of(dimension, Raw.ORG if raw is Raw.ORG_TODAY else Raw.PROFILE)
        today = self._today[dimension]
        return lambda value: today.get(value) if value > 0 else at_call(-value)

    def _key_of_time(self, dimension: str, raw: Raw) -> Callable[[int], Key]:
        days = self.days
        if raw in (Raw.HOUR, Raw.WEEKDAY):
            return lambda value: value
        if raw is Raw.MONTH:
            return month_of_span  # days stand beside a month that is not over
        if raw is Raw.DAY:
            return {
                "day": lambda value: value,
                "month": month_of,
                # Noon is on the same day whatever the zone's summer time does.
                "weekday": lambda value: days.moment((days.start(value) + 43_200) // 900).weekday,
            }[dimension]
        return {
            "day": lambda value: days.moment(value).day,
            "month": lambda value: month_of(days.moment(value).day),
            "weekday": lambda value: days.moment(value).weekday,
            "hour": lambda value: days.moment(value).hour,
            "working_time": lambda value: self.working_time("", value),
        }[dimension]

    def working_time(self, site: str, quarter: int) -> Key:
        """Return whether a quarter of an hour is within the working hours of a site."""
        return WITHIN if self.working_times.within(site, quarter * QUARTER) else OUTSIDE

    def site_of(self, line: int) -> str:
        """Return the site of a line by its id."""
        return str(self._lines[line][LINE_FIELDS.index("site")])

    def lines_of_sites(self) -> dict[str, set[int]]:
        """Return the ids of the lines of each site that has working times of its own."""
        found: dict[str, set[int]] = {name: set() for name in self.working_times.sites}
        place = LINE_FIELDS.index("site")
        for line, fields in self._lines.whole().items():
            if fields[place] in found:
                found[fields[place]].add(line)
        return found

    def label(self, dimension: str, key: Key) -> Any:
        """Return what is shown for a key; None for unassigned."""
        if key is None:
            return None
        if dimension in ORG_FIELDS:
            return self._spellings.get((dimension, str(key)), key)
        if dimension in CUSTOM_FIELDS:
            return self._custom_spelling(dimension, str(key))
        words = DIMENSIONS[dimension].words
        if words is not None:
            return words(int(key)).word
        if dimension == "country":
            return COUNTRIES[str(key)]
        if dimension in NAMES:
            return self._names[dimension].get(int(key)) or None
        if dimension in ("person", "username"):
            return self._parties[int(key)][dimension == "username"] or None
        if dimension in ("day", "month"):
            return span_text(int(key))
        return WEEKDAYS[int(key) - 1] if dimension == "weekday" else key

    def shown_code(self, code: str) -> str:
        """Return an authorization code as the viewer gets it."""
        return self.account_codes.shown(code, raw=self.raw_codes)

    def _universe(self, raw: Raw) -> Iterable[Any]:
        """Return every value that a raw column may have."""
        if raw in CODES:
            bounds = self.days.start(self.first), self.days.start(self.end)
            rows = select(
                f"SELECT DISTINCT {CODES[raw]} FROM record WHERE started_at >= ? AND started_at < ?",
                *bounds,
            )
            return [row[0] for row in rows]
        if raw is Raw.REASON:
            bounds = self.days.start(self.first), self.days.start(self.end)
            rows = select(
                "SELECT DISTINCT reason FROM call WHERE started_at >= ? AND started_at < ?"
                " AND org_id IN (SELECT id FROM org) AND state = ?",
                *bounds,
                int(State.UNRATED),
            )
            return ["", *(row[0] for row in rows)]
        if raw is Raw.QUARTER:
            return self.days.quarters(self.days.start(self.first), self.days.start(self.end))
        if raw is Raw.DAY:
            return days_between(self.first, self.end)
        if raw is Raw.MONTH:
            days = [*days_between(self.first, self.end)]
            return [*dict.fromkeys(map(month_of, days)), *days]
        if raw is Raw.HOUR:
            return range(24)
        if raw is Raw.WEEKDAY:
            return range(1, 8)
        if raw is Raw.PARTY:
            return [0, *self._parties.whole()]
        if raw is Raw.ORG_TODAY:
            return [*self._parties.whole(), *(-org for org in self._orgs)]
        if raw is Raw.PROFILE_TODAY:
            return [*self._parties.whole(), *(-profile for profile in (0, *self._profiles.whole()))]
        if raw is Raw.RATE:
            return [0, *(row[0] for row in select("SELECT id FROM rate_used"))]
        if raw is Raw.LINE:
            return self._lines.whole()
        if raw in (Raw.PROFILE, Raw.FIELD):
            return self._profiles.whole()
        return self._orgs if raw is Raw.ORG else self._names[raw.value]

    def select(self, dimension: str, raw: Raw, values: Collection[str]) -> set[int]:
        """Return the values of a raw column for which the dimension has one of these values.

        Names are compared by their key, an empty value stands for unassigned.
        """
        words = DIMENSIONS[dimension].words
        if words is not None:
            return {int(words.of(value)) for value in values}
        wanted = {self._resolved(dimension, name_key(value)) for value in values}
        if dimension in ("person", "username"):
            found = self._named(dimension == "username", wanted)
            return found | {0} if "" in wanted else found
        key_of = self.key_of(dimension, raw)
        fits: dict[Key, bool] = {}
        found = set()
        for value in self._universe(raw):
            key = key_of(value)
            if key not in fits:
                label = self.label(dimension, key)
                fits[key] = ("" if label is None else name_key(str(label))) in wanted or (
                    isinstance(key, str) and name_key(key) in wanted
                )
            if fits[key]:
                found.add(value)
        return found

    def names(self, dimension: str, raw: Raw) -> set[str]:
        """Return how the values of a dimension are shown."""
        keys = set(map(self.key_of(dimension, raw), self._universe(raw)))
        return {str(self.label(dimension, key)) for key in keys if key is not None}

    def _named(self, username: bool, keys: Collection[str]) -> set[int]:
        """Return the ids of the parties whose shown name, or username, has one of some keys."""
        name = "username" if username else "COALESCE(NULLIF(display_name, ''), username)"
        # The database finds those that may have one: most names need not be read.
        near = [key.replace(" ", "") for key in keys]
        rows = select(
            f"SELECT id, {name} FROM party"
            f" WHERE COALESCE({blankless_key(name)}, ?) IN ({', '.join('?' * len(near))})",
            near[0],
            *near,
        )
        return {party for party, text in rows if name_key(text) in keys}

    def where(self, dimension: str, raw: Raw, holds: Callable[[Any, str], bool]) -> set[Any]:
        """Return the values of a raw column of whose key and label (as a name key; empty without
        one) something holds. What is unassigned is left out."""
        key_of = self.key_of(dimension, raw)
        fits: dict[Key, bool] = {None: False}
        found = set()
        for value in self._universe(raw):
            key = key_of(value)
            if key not in fits:
                label = self.label(dimension, key)
                fits[key] = holds(key, "" if label is None else name_key(str(label)))
            if fits[key]:
                found.add(value)
        return found

    @property
    def all_orgs(self) -> set[int]:
        """The ids of all orgs."""
        return {*self._orgs}

    def orgs_with(self, basis: str, keys: Collection[str]) -> set[int]:
        """Return the ids of the orgs whose basis has one of the keys."""
        place = ORG_FIELDS.index(basis)
        wanted = {self._resolved(basis, key) for key in keys}
        return {org for org, fields in self._orgs.items() if fields[place] in wanted}
