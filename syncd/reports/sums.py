"""Reports with a row for each group of call rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import add

from syncd.billing.cents import apportion
from syncd.billing.working import HUNDRED_PERCENT
from syncd.domain.days import Days, day_date, day_number
from syncd.domain.errors import UsageError, UserError
from syncd.domain.uncollected import without_collections
from syncd.reports.dimensions import (
    DERIVED,
    DIMENSIONS,
    ROW_FILTERS,
    WITH_VAT,
    known_dimensions,
)
from syncd.reports.environment import Environment
from syncd.reports.groups import Keys, Periods, Table, main_measure
from syncd.reports.lookups import Key, Lookups
from syncd.reports.measures import Figure, Named, figures, sums_behind
from syncd.reports.named_periods import COMPARED, compared, month_later, whole_months
from syncd.reports.permissions import Reach
from syncd.reports.posting import check_posting, with_adjustments
from syncd.reports.query import SUM_NAMES, Query, Sums
from syncd.reports.remarks import open_month_notes, rolled_notes, unpriced
from syncd.reports.render.table import UNASSIGNED
from syncd.reports.result import Chart, Column, Kind, Result
from syncd.reports.scope import Door
from syncd.reports.sealed import sealed_notes
from syncd.reports.specification import (
    BY_POSTING,
    CONVERSATIONS,
    Specification,
    nearest,
)

COUNTS = ("calls", "answered", "missed", "unanswered")
"""What conversations replace."""
MONTH, DAY, CARRIER = "month", "day", "carrier"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a period holds."""

    groups: Mapping[Keys, Named]
    total: Named


@without_collections()
def sums_report(door: Door, specification: Specification, environment: Environment) -> Result:
    """Return the sums that a specification asks for. Raises UsageError or UserError for what cannot
    be asked together."""
    _check(door, specification)
    columns = figures(specification.measures, specification.compare)
    names = known_dimensions(dict(environment.custom_fields))
    _check_sort(specification, (*specification.dimensions, *(one.name for one in columns)))
    query = _query_of(door, specification, environment)
    answers, queries = [_answer(query)], [query]
    spans = {word: compared(_span(specification), word) for word in specification.compare}
    for first, end in spans.values():
        beside = replace(specification, first=first, end=end)
        queries.append(_query_of(door, beside, environment))
        answer = _answer(queries[-1])
        answers.append(_moved(answer, specification, first))
    totals = tuple(answer.total for answer in answers)
    table = Table(specification, columns, totals, query.lookups.label)
    summed = bool(specification.subtotals or specification.top)
    result = Result(
        specification.report,
        door.viewer.name,
        door.viewer.level,
        specification,
        (
            *(
                Column(name, names[name], _kind(name, summed), UNASSIGNED)
                for name in specification.dimensions
            ),
            *(figure.column for figure in columns),
        ),
        table.rows(_together(answers)),
        {**table.figures(totals), "unrated": totals[0]["unrated"]},
        environment.currency,
        brief=_brief(specification, columns),
        notes=unpriced(totals[0]["unrated"]),
        chart=None if specification.subtotals else _chart(specification),
    )
    _say_what_is_compared(result, spans, environment)
    rolled_notes(result, environment)
    open_month_notes(result, environment)
    for one in queries:
        sealed_notes(result, one.kept)
    return result


def query_of(door: Door, specification: Specification, environment: Environment) -> Query:
    """Return the query that a specification is, for who opened the door."""
    first, end = day_number(specification.first), day_number(specification.end)
    lookups = Lookups(Days(environment.zone), first, end, environment.account_codes)
    lookups.vat = environment.vat
    lookups.working_times = environment.working_times
    return Query(door.scope, specification, lookups)


def _query_of(door: Door, specification: Specification, environment: Environment) -> Query:
    """Return the query of a report of sums: what the measures are made of, and what rows are put in
    order by."""
    query = query_of(door, specification, environment)
    query.summed = sums_behind((*specification.measures, "cost", "unrated"))
    return query


def _brief(specification: Specification, columns: Sequence[Figure]) -> tuple[str, ...]:
    """Return what a table shows: of what is compared, the main measure beside the others."""
    if not specification.compare:
        return ()
    main = main_measure(specification.measures)
    shown = [one.name for one in columns if one.measure == main or one.period == 0]
    return (*specification.dimensions, *shown)


def _span(specification: Specification) -> tuple[date, date]:
    return specification.first, specification.end


def _kind(dimension: str, summed: bool) -> Kind:
    # A row of others, or a sub-total, has no day.
    return Kind.DAY if dimension == DAY and not summed else Kind.TEXT


def _answer(query: Query) -> Answer:
    """Return the named sums of a period, by group and of all."""
    specification = query.specification
    taxed = WITH_VAT in specification.measures
    asked = specification.dimensions
    if taxed and CARRIER not in asked:
        asked = (*asked, CARRIER)
    groups = query.sums(asked)
    if specification.by == BY_POSTING:
        groups = with_adjustments(query, groups, asked)
    taxes: dict[Keys, int] = {}
    if taxed:
        groups, taxes = _with_tax(query, groups, asked)
    total = [sum(column) for column in zip(*groups.values(), strict=True)] or [0] * len(SUM_NAMES)
    named = {keys: dict(zip(SUM_NAMES, sums, strict=True)) for keys, sums in groups.items()}
    of_all = dict(zip(SUM_NAMES, total, strict=True))
    if taxed:
        for keys, sums in named.items():
            sums[WITH_VAT] = taxes[keys]
        of_all[WITH_VAT] = sum(taxes.values())
    if specification.counts == CONVERSATIONS:
        counts = query.conversations(specification.dimensions)
        for keys, sums in named.items():
            sums |= zip(COUNTS, counts.get(keys, [0, 0, 0, 0]), strict=True)
        of_all |= zip(COUNTS, query.conversations(()).get((), [0, 0, 0, 0]), strict=True)
    return Answer(named, of_all)


def _with_tax(
    query: Query, groups: Mapping[Keys, Sums], asked: Sequence[str]
) -> tuple[dict[Keys, Sums], dict[Keys, int]]:
    """Return the sums of groups without the carrier that was asked for as well, and what each costs
    with the tax of its carriers, in whole micros.

    Rounded is what all groups come to, and then each so that they add up to it: the total of some
    rows is the same by whatever they are grouped.
    """
    size, place = len(query.specification.dimensions), asked.index(CARRIER)
    vat, found, exact = query.lookups.vat, dict[Keys, Sums](), dict[Keys, int]()
    for keys, sums in groups.items():
        carrier = query.lookups.label(CARRIER, keys[place])
        cost = sums[SUM_NAMES.index("cost")] * (HUNDRED_PERCENT + vat.get(str(carrier), 0))
        key = keys[:size]
        exact[key] = exact.get(key, 0) + cost
        found[key] = [*map(add, found[key], sums)] if key in found else list(sums)
    # In an order that no database and no table of sums decides.
    order = sorted(exact, key=repr)
    shares = apportion([exact[key] for key in order], HUNDRED_PERCENT)
    return found, dict(zip(order, shares, strict=True))


def _moved(answer: Answer, specification: Specification, first: date) -> Answer:
    """Return a period's answer with its months and days those of the asked period at the same
    place."""
    names = specification.dimensions
    if MONTH not in names and DAY not in names:
        return answer
    months = (specification.first.year - first.year) * 12 + specification.first.month - first.month
    days = specification.first - first

    def moved(name: str, key: Key) -> Key:
        if name == MONTH:
            later = month_later(date(int(str(key)[:4]), int(str(key)[4:]), 1), months)
            return later.year * 100 + later.month
        return day_number(day_date(int(str(key))) + days) if name == DAY else key

    groups = {
        tuple(moved(name, key) for name, key in zip(names, keys, strict=True)): sums
        for keys, sums in answer.groups.items()
    }
    return Answer(groups, answer.total)


def _together(answers: list[Answer]) -> dict[Keys, Periods]:
    """Return the sums of each group that any of the periods has."""
    if len(answers) == 1:
        return {keys: (sums,) for keys, sums in answers[0].groups.items()}
    # What a group has in one period, it has in all: they are added up for sub-totals and others.
    nothing = dict.fromkeys(answers[0].total, 0)
    groups = dict.fromkeys(keys for answer in answers for keys in answer.groups)
    return {keys: tuple(answer.groups.get(keys, nothing) for answer in answers) for keys in groups}


def _say_what_is_compared(
    result: Result, spans: Mapping[str, tuple[date, date]], environment: Environment
) -> None:
    """Add the other periods to the notes and facts."""
    if not spans:
        return
    for word, (first, end) in spans.items():
        result.notes.append(f"{COMPARED[word]}: {first} to before {end}")
    result.facts["compared"] = {
        word: {"from": first.isoformat(), "to": end.isoformat()}
        for word, (first, end) in spans.items()
    }
    if environment.day < result.specification.end:
        result.notes.append("the period is not over; it is compared with whole ones")


def _chart(specification: Specification) -> Chart:
    """Return what a picture of sums shows: the main measure by the first dimension, or by weekday
    and hour."""
    names, measure = specification.dimensions, main_measure(specification.measures)
    additive = measure not in DERIVED
    if set(names) == {"weekday", "hour"} and additive:
        return Chart("weekday", measure, across="hour")
    return Chart(names[0], measure, DIMENSIONS[names[0]].temporal, additive=additive)


def _check(door: Door, specification: Specification) -> None:
    """Raise UsageError or UserError for what cannot be asked together, or not by this viewer."""
    if specification.counts == CONVERSATIONS:
        _check_conversations(door, specification)
    if specification.by == BY_POSTING:
        check_posting(specification)
    if not specification.compare:
        return
    span = _span(specification)
    others = [compared(span, word) for word in specification.compare]
    if MONTH in specification.dimensions and not whole_months(span):
        raise UsageError("months are compared over whole months", "--period 2026-Q3")
    if DAY in specification.dimensions and any(
        end - first != span[1] - span[0] for first, end in others
    ):
        raise UsageError("days are compared over periods of one length", "--group-by weekday")
    keys = [key for key, _ in specification.filters]
    for key in (*keys, *(comparison.key for comparison in specification.comparisons)):
        if key in (MONTH, DAY):
            raise UsageError(f"a filter by {key} holds for one period alone", "use --period")


def _check_conversations(door: Door, specification: Specification) -> None:
    """Raise when the number of conversations would depend on what the viewer sees of them."""
    if door.scope.reach is not Reach.ALL:
        raise UserError(
            "conversations are counted for levels 8 and 10", "count participations, the default"
        )
    keys = [key for key, _ in specification.filters]
    keys += [comparison.key for comparison in specification.comparisons]
    for name in (*specification.dimensions, *keys):
        if name in ROW_FILTERS or name not in DIMENSIONS or DIMENSIONS[name].of_party:
            raise UsageError(
                f"conversations cannot be counted by {name}: a conversation has several",
                "count participations, the default",
            )


def _check_sort(specification: Specification, names: tuple[str, ...]) -> None:
    for field in specification.sort:
        name = field.removeprefix("-")
        if name not in names:
            raise UsageError(
                f"{specification.report} is not sorted by {name!r}", nearest(name, names)
            )
