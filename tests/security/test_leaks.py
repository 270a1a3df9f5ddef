"""What acts at once: levels that change between two pages, people who leave, and the log of it all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from syncd.domain.errors import UserError
from syncd.reports.request import Request, specify
from syncd.reports.run import open_report
from syncd.reports.scope import Policy, open_door
from syncd.store.models import AccessLog, Party
from tests.security import oracle
from tests.security.companies import END
from tests.security.conftest import Compared
from tests.security.test_viewers import ENVIRONMENT, PERIODS, Bench, made

POLICY = Policy("cost_center")
WHOLE = {"first": PERIODS[0][0], "end": PERIODS[0][1]}
COLUMNS = {
    "level": "permission_level",
    "basis": "level6_basis",
    "department": "department",
    "cost_center": "cost_center",
    "office_location": "office_location",
    "additional": "additional_departments",
    "masked": "masked_digits",
    "enabled": "enabled",
}
"""The column of what a person has."""


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Bench]]:
    yield from made(2, tmp_path_factory.mktemp("leaks"))


def changed(bench: Bench, **values: Any) -> Bench:
    """Change what a person has, and return them as they are now."""
    assert bench.person is not None
    Party.update({COLUMNS[name]: value for name, value in values.items()}).where(
        Party.id == bench.person.id
    ).execute()
    return Bench(bench.company, bench.rules, bench.person._replace(**values))


def page(bench: Bench, key: str | None) -> tuple[list[dict[str, Any]], str | None]:
    request = Request("calls", **WHOLE, limit=20, page=key)
    specification = specify(request, ENVIRONMENT)
    door = open_door(bench.who, "calls", specification.text(), bench.policy, END)
    with open_report(door, specification, ENVIRONMENT) as result:
        return list(result.rows), result.facts.get("next_page")


def test_what_changes_acts_on_the_next_thing_that_is_asked(
    benches: list[Bench], compared: Compared
) -> None:
    """Levels, places, masks and leaving, in any order, between two questions."""
    chance = random.Random(1)
    for bench in benches:
        if not oracle.admitted(bench.person) or bench.person is None:
            continue
        now = bench
        for _ in range(8):
            name, value = chance.choice(
                [
                    *[("level", level) for level in (0, 2, 6, 8, 10)],
                    ("basis", "department"), ("basis", "office_location"), ("basis", ""),
                    ("department", "Research"), ("department", ""), ("office_location", "milan"),
                    ("additional", "Sales;nowhere"), ("masked", 0), ("masked", 5),
                    ("enabled", False), ("enabled", True),
                ]
            )  # fmt: skip
            now = changed(now, **{name: value})
            if not oracle.admitted(now.person):
                with pytest.raises(UserError, match="No billing data is available"):
                    now.ask("calls", **WHOLE)
                compared.count += 1
                continue
            rows = now.rows(PERIODS[0])
            answer = now.ask("calls", **WHOLE)
            compared.rows(answer["rows"], now.listed(rows), now.who, name, value)
            compared.equal(answer["totals"]["cost"], oracle.sums(rows)["cost"], now.who)
        person = bench.person
        changed(now, **{name: getattr(person, name) for name in COLUMNS})


def test_the_second_page_is_for_who_the_reader_is_then(
    benches: list[Bench], compared: Compared
) -> None:
    bench = next(
        one for one in benches if one.person and one.person.level == 8 and one.person.enabled
    )
    first, key = page(bench, None)
    everything = bench.listed(bench.rows(PERIODS[0]))
    compared.rows(first, everything[:20], bench.who)
    for level in (2, 6):
        lower = changed(bench, level=level)
        found: list[dict[str, Any]] = []
        after = key
        while after is not None:
            rows, after = page(lower, after)
            found += rows
        wanted = [
            row
            for row, words in zip(
                lower.rows(PERIODS[0]), lower.listed(lower.rows(PERIODS[0])), strict=True
            )
            if words not in everything[:20]
        ]
        compared.rows(found, lower.listed(wanted), lower.who, level)
    gone = changed(bench, enabled=False)
    with pytest.raises(UserError, match="No billing data is available"):
        page(gone, key)
    changed(bench, level=8, enabled=True)


def test_every_use_is_logged(benches: list[Bench]) -> None:
    before = AccessLog.select().count()
    rows = benches[0].ask("calls", **WHOLE, limit=5)["rows"]
    entry = AccessLog.select().order_by(AccessLog.id.desc()).get()
    assert AccessLog.select().count() == before + 1
    assert (entry.viewer, entry.level, entry.report) == ("administrator", 10, "calls")
    assert (entry.rows, entry.at) == (len(rows), END) == (5, END)
    assert entry.specification == "2026-01-01..2026-05-01 limit=5"
