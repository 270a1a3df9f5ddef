"""Nothing tells a masked digit: whatever a reader asks for is the same, to the last byte, when the
digits that are hidden from them are others."""

from __future__ import annotations

import random
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.domain.errors import UserError
from syncd.reports.catalogue.standard import catalogue
from syncd.reports.conversation import show
from syncd.reports.masking import PRIVATE, WHOLLY, mask_asked, mask_number
from syncd.reports.render.outputs import OUTPUTS
from syncd.reports.request import Request, specify
from syncd.reports.request_text import to_text
from syncd.reports.run import open_report
from syncd.reports.scope import open_door
from syncd.store import models
from tests.security import oracle
from tests.security.companies import BUSINESS, END, ROME, Generated
from tests.security.conftest import Compared
from tests.security.test_viewers import (
    CUSTOM,
    ENVIRONMENT,
    MEASURES,
    PERIODS,
    THOROUGH,
    WANTED,
    Bench,
    made,
)

pytestmark = pytest.mark.timeout(900)  # on a machine that does much else
WHOLE = {"first": PERIODS[0][0], "end": PERIODS[0][1]}


@pytest.fixture(
    scope="module", params=range(3, 4 + WANTED // 200_000), ids=lambda seed: f"company{seed}"
)
def benches(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Bench]]:
    yield from made(request.param, tmp_path_factory.mktemp("masked"))


def hidden(bench: Bench, chance: random.Random) -> dict[int, str]:
    """Return other numbers for rows (by their id), which differ in nothing that the reader sees."""
    found = {}
    for row in bench.company.rows:
        shown = oracle.number(bench.rules, bench.person, row)
        if not row.outside or not row.number or shown == row.number:
            continue
        if shown == "private":
            found[row.id] = chance.choice(["+4930111", "+390612", "118", "*99#"])
            continue
        found[row.id] = "".join(
            chance.choice("0123456789") if one == "*" and old.isdigit() else old
            for one, old in zip(shown, row.number, strict=True)
        )
    return found


def asked_for(bench: Bench, chance: random.Random) -> Iterator[tuple[str, Any]]:
    """Yield all that a reader may ask, and what they get."""
    for output in ("json", "csv", "html", "table"):
        yield output, bench.ask("calls", output, **WHOLE)
    numbers = sorted({row.number for row in bench.company.rows if row.outside and row.number})
    shown = sorted({oracle.number(bench.rules, bench.person, row) for row in bench.seen})
    texts = [f"number={one}" for one in (*numbers, *shown)]
    texts += [f"number!={one}" for one in numbers[:3]]
    texts += [f"number~{one[:size]}" for one in numbers[:4] for size in (3, 8, 10, len(one))]
    for text in chance.sample(texts, min(12, len(texts))):
        yield text, bench.ask("calls", **WHOLE, filters=(text,))
        yield f"sums {text}", bench.ask("by-department", **WHOLE, filters=(text,))
    for sort in ("other_number", "-other_number", "other_number,-duration"):
        yield sort, bench.ask("calls", **WHOLE, sort=sort)
        yield f"pages {sort}", list(pages(bench, sort))
    for name, entry in catalogue(CUSTOM).items():
        asked = dict(WHOLE) if "first" in entry.takes else {}
        if entry.by == "posting":
            asked = {"first": "2026-02-01", "end": "2026-04-01"}
        if entry.level <= (bench.person.level if bench.person else 10) and name != "access-log":
            yield name, bench.ask(name, **asked)
    yield (
        "top",
        bench.ask(
            "summary",
            **WHOLE,
            group_by="line_id",
            measures=MEASURES,
            top=3,
            filters=("number~+3906",),
        ),
    )
    for row in chance.sample(bench.seen, min(4, len(bench.seen))):
        door = open_door(bench.who, "call", "", bench.policy, END)
        yield "show", show(door, ROME, CUSTOM, oracle.public_id(row))


def pages(bench: Bench, sort: str) -> Iterator[Any]:
    """Yield the pages of a list with their keys."""
    key: str | None = ""
    while key is not None:
        request = Request("calls", **WHOLE, sort=sort, limit=40, page=key or None)
        specification = specify(request, ENVIRONMENT)
        door = open_door(bench.who, "calls", "", bench.policy, END)
        with open_report(door, specification, ENVIRONMENT) as result:
            rows = list(result.rows)
            key = result.facts.get("next_page")
        yield rows, key


def test_other_hidden_digits_change_nothing_at_all(
    benches: list[Bench], compared: Compared
) -> None:
    readers = [
        one
        for one in benches
        if oracle.admitted(one.person) and one.person and one.seen and hidden(one, random.Random(0))
    ]
    by_kind = {
        (one.person.level, one.person.masked > 0): one for one in reversed(readers) if one.person
    }
    assert by_kind.keys() >= {(6, True), (8, True)}
    chosen = readers if THOROUGH else by_kind.values()
    for place, bench in enumerate(chosen):
        before = list(asked_for(bench, random.Random(place)))
        with models.database.atomic() as transaction:
            others = hidden(bench, random.Random(place))
            for call, number in others.items():
                models.Call.update(other_number=number).where(models.Call.id == call).execute()
            after = list(asked_for(bench, random.Random(place)))
            transaction.rollback()
        assert len(before) == len(after) > 50
        for (what, one), (_, other) in zip(before, after, strict=True):
            compared.equal(one, other, bench.who, what)


def test_the_check_would_find_a_digit_that_is_told(
    benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the mask taken off, other digits are seen at once."""
    bench = next(
        one
        for one in benches
        if oracle.admitted(one.person) and one.person and one.person.masked and one.seen
        and hidden(one, random.Random(0))
    )  # fmt: skip
    door = open_door(bench.who, "calls", "", bench.policy, END)
    assert door.scope.masked_digits
    models.Party.update(masked_digits=0).where(models.Party.id == door.viewer.party_id).execute()
    before = bench.ask("calls", **WHOLE)
    with models.database.atomic() as transaction:
        for call, number in hidden(bench, random.Random(1)).items():
            models.Call.update(other_number=number).where(models.Call.id == call).execute()
        after = bench.ask("calls", **WHOLE)
        transaction.rollback()
    models.Party.update(masked_digits=bench.person.masked if bench.person else 0).where(
        models.Party.id == door.viewer.party_id
    ).execute()
    assert before != after


def test_names_of_files_say_no_number() -> None:
    from syncd.reports.render.outputs import file_name

    specification = specify(
        Request("calls", **WHOLE, filters=("number=+39061234567", "number~+3906")), ENVIRONMENT
    )
    for output in OUTPUTS.values():
        assert "3906" not in file_name(specification, output)


@given(st.text(alphabet="0123456789+*#", max_size=20), st.integers(0, 25))
def test_a_mask_keeps_length_and_beginning_and_hides_the_end(number: str, digits: int) -> None:
    shown = mask_number(number, digits)
    assert len(shown) == len(number)
    visible = sum(one.isdigit() for one in number)
    assert sum(one.isdigit() for one in shown) == max(0, visible - digits)
    first = next((at for at, one in enumerate(shown) if one != number[at]), len(number))
    assert shown[:first] == number[:first]
    assert not any(one.isdigit() for one in shown[first:])
    assert mask_number(shown, 0) == shown


@given(
    st.lists(
        st.from_regex(r"\+?[1-9]([0-9]| [0-9]){5,14}", fullmatch=True), min_size=1, max_size=3
    ),
    st.integers(1, 6),
    st.sampled_from(["=", "!=", "~"]),
)
def test_what_others_asked_tells_no_masked_digit(
    numbers: list[str], digits: int, operator: str
) -> None:
    condition = f"number{operator}{','.join(numbers)}"
    request = Request("calls", **WHOLE, filters=(condition, "duration>61"), limit=7)
    saved = shlex.quote(f"calls --filter {shlex.quote(condition)} duration>61 --limit 7")
    asked = [specify(request, ENVIRONMENT).text(), to_text(request), f"report={saved} to=me"]
    hidden = ["".join(filter(str.isdigit, number))[-digits:] for number in numbers]
    for text in asked:
        shown = mask_asked(text, digits)
        for number, tail in zip(numbers, hidden, strict=True):
            assert mask_number(number, digits) in shown
            assert number not in shown
            assert tail not in "".join(filter(str.isdigit, shown)) or len(tail) < 6
        assert "duration" in shown
        assert "61" in shown
        assert mask_asked(text, 0) == text


@given(st.text(alphabet="0123456789+*#", min_size=1, max_size=20))
def test_a_private_number_has_neither_digits_nor_length(number: str) -> None:
    assert mask_number(number, WHOLLY) == PRIVATE


def test_the_companies_have_what_the_tests_are_about(benches: list[Bench]) -> None:
    company: Generated = benches[0].company
    assert any(row.private != BUSINESS for row in company.rows)
    assert any(one.masked for one in company.people)
    with pytest.raises(UserError):
        specify(Request("calls", filters=("numbr=1",)), ENVIRONMENT)
