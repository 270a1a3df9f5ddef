"""Alarms of generated companies: what each recipient is told is what the oracle lets them see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.domain.bands import parse_spans
from syncd.reports.alarm_calls import call_events, call_traces
from syncd.reports.environment import Environment
from syncd.reports.permissions import scope_of
from syncd.reports.recipients import addressees
from syncd.reports.scope import viewer_of
from syncd.reports.working_times import Place, WorkingTimes
from syncd.settings.mailing import AlarmSettings, Recipients
from syncd.store import models
from syncd.store.database import open_database
from tests.security import oracle
from tests.security.companies import END, FIRST, ROME, Generated, Person, Row
from tests.security.conftest import Compared
from tests.security.oracle import Rules

ENVIRONMENT = Environment(ROME, {}, END, "EUR")
NIGHT_AND_WEEKEND = "Mon-Fri 08:00-18:00"
HOURS = range(8, 18)
UNCONNECTED = ("no-answer", "busy", "cancelled", "failed")


def alarm(on: str, **options: object) -> AlarmSettings:
    given = AlarmSettings(
        "x", on, None, 1, 0, parse_spans(NIGHT_AND_WEEKEND), (), (), (), (), "", 0, END - FIRST
    )
    return replace(given, **options)  # type: ignore[arg-type]


@pytest.fixture(params=range(3))
def company(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Generated]:
    opened = open_database("sqlite:///x.db", tmp_path)
    yield Generated(request.param)
    opened.close()


def connected(row: Row) -> bool:
    return row.direction == "outgoing" and row.disposition not in UNCONNECTED


def outside(row: Row) -> bool:
    local = oracle.local(row)
    return local.weekday() > 4 or local.hour not in HOURS


def by_person(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        whose = f"person:{row.party}" if row.party else f"line:{row.line_id}"
        found.setdefault((whose, f"{oracle.local(row):%Y%m%d}"), []).append(row)
    return found


def admitted(company: Generated) -> Iterator[Person]:
    yield from (person for person in company.people if oracle.admitted(person))


def test_each_is_told_what_they_see(company: Generated, compared: Compared) -> None:
    rules = Rules("department", company.one)
    for person in admitted(company):
        scope = scope_of(viewer_of(models.Party.get_by_id(person.id), rules.basis))
        rows = [row for row in company.rows if oracle.sees(rules, person, row)]
        rows = [row for row in rows if FIRST <= row.started_at <= END + 3600]

        def told(given: AlarmSettings, scope: object = scope) -> dict[str, str]:
            events = call_events(given, scope, ENVIRONMENT)  # type: ignore[arg-type]
            assert len({event.key for event in events}) == len(events)
            return {event.key: event.line for event in events}

        wanted = {oracle.public_id(row): row for row in rows if (row.cost or 0) >= 500_000}
        found = told(alarm("call-cost", amount=500_000))
        compared.equal(found.keys(), wanted.keys(), person)
        for key, row in wanted.items():
            number = oracle.number(rules, person, row)
            compared.equal(number in found[key], True, person, found[key])
            if set(number) - set(row.number):
                compared.equal(f"  {row.number}  " in found[key], False, person, found[key])
        late = {oracle.public_id(row) for row in rows if connected(row) and outside(row)}
        compared.equal(told(alarm("outside-hours")).keys(), late, person)
        here = replace(
            ENVIRONMENT,
            working=WorkingTimes(
                Place(parse_spans(NIGHT_AND_WEEKEND), ROME),
                {"branch": Place(parse_spans("Mon-Sat 10:00-16:00"), ROME)},
            ),
        )

        def late_there(row: Row) -> bool:
            local = oracle.local(row)
            if row.site == "branch":
                return local.weekday() > 5 or local.hour not in range(10, 16)
            return outside(row)

        late = {oracle.public_id(row) for row in rows if connected(row) and late_there(row)}
        given = alarm("outside-hours", hours=())
        compared.equal({event.key for event in call_events(given, scope, here)}, late, person)
        compared.equal(len(call_traces(given, scope, here)), len(late), person)
        wanted_ids = {
            oracle.public_id(row)
            for row in rows
            if connected(row) and (row.number_class == "mobile" or row.destination.startswith("Fr"))
        }
        found = told(alarm("calls", classes=("mobile",), destinations=("fr*",)))
        compared.equal(found.keys(), wanted_ids, person)
        spent = {
            f"{whose}:{day}"
            for (whose, day), its in by_person(rows).items()
            if sum(row.cost or 0 for row in its) >= 1_000_000
        }
        found = told(alarm("person-cost", amount=1_000_000))
        compared.equal(found.keys(), spent, person)
        often = {
            f"{whose}:{day}"
            for (whose, day), its in by_person([row for row in rows if connected(row)]).items()
            if sum(map(outside, its)) >= 2
        }
        found = told(alarm("outside-hours", calls=2))
        compared.equal(found.keys(), often, person)


def test_who_is_written_to(company: Generated, compared: Compared) -> None:
    for party in models.Party.select():
        models.Party.update(mail=f"p{party.id}@example.com").where(
            models.Party.id == party.id
        ).execute()
    rules = Rules("department", company.one)
    people = [person for person in company.people if person.kind == "person"]
    there = [person for person in people if not person.departed]

    def written(item: Recipients) -> set[int]:
        found = addressees((item,), 0, "", rules.basis)
        return {one.party for one in found if not one.refusal}

    for level in (2, 6, 8, 10):
        wanted = {one.id for one in there if oracle.admitted(one) and one.level >= level}
        compared.equal(written(Recipients("level", level=level)), wanted, level)
    departments = {one.department for one in company.people} - {""}
    for name in sorted(departments):
        key = oracle.one_name(rules, "department", name)
        wanted = {
            one.id
            for one in there
            if oracle.admitted(one) and oracle.one_name(rules, "department", one.department) == key
        }
        compared.equal(written(Recipients("department", name)), wanted, name)
        wanted = {
            one.id
            for one in there
            if oracle.admitted(one)
            and one.level == 6
            and (one.basis if one.basis in oracle.PLACES else rules.basis) == "department"
            and key
            in {
                oracle.one_name(rules, "department", text)
                for text in (one.department, *one.additional.split(";"))
            }
        }
        compared.equal(written(Recipients("managers", name)), wanted, name)


def test_old_ones_are_quiet(company: Generated, compared: Compared) -> None:
    day = int(timedelta(days=1).total_seconds())
    for rows in (company.rows,):
        for days in (1, 3, 20):
            given = alarm("call-cost", amount=1, max_age=days * day)
            person = next(one for one in admitted(company) if one.level == 10)
            scope = scope_of(viewer_of(models.Party.get_by_id(person.id), "department"))
            wanted = {
                oracle.public_id(row)
                for row in rows
                if row.cost and END - days * day <= row.started_at <= END + 3600
            }
            found = {event.key for event in call_events(given, scope, ENVIRONMENT)}
            compared.equal(found, wanted, days)
