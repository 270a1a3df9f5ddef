"""Explanations and timelines of real intake tell no masked digit: with other last digits in records
and calls alike they are the same, to the last letter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncd.application.contexts import intake_context
from syncd.application.preparation import prepare
from syncd.domain.errors import UserError
from syncd.reports.conversation import show
from syncd.reports.explain import Request, explain_id
from syncd.reports.scope import Policy, open_door
from syncd.store.models import Call, Party, Record, database
from tests.security.conftest import Compared
from tests.security.test_conversation_leaks import rows_for
from tests.support.simulated import Simulation, simulation

ZONE = ZoneInfo("UTC")
POLICY = Policy()
DIGITS = 3
COLUMNS = ("calling_number", "original_number", "final_number", "redirecting_number")
OTHERS = str.maketrans("0123456789", "5678901234")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    simulated = simulation(
        tmp_path_factory.mktemp("masked"), driver="cucm-partition", calls=60, seed=5
    )
    assert [unit.error for unit in simulated.application.sync()] == [None]
    assert [unit.error for unit in simulated.application.ingest()] == [None]
    with simulated.application.connected():
        yield simulated
    simulated.application.close()


def all_explained(simulated: Simulation, who: str) -> dict[str, str]:
    """Return the explanation and the conversation of each call that somebody sees, as JSON."""
    settings = simulated.application.settings
    prepared = prepare(settings)

    def context_of(source: str, pbx: str) -> Any:
        return intake_context(settings, prepared, settings.cdr[source])

    door = open_door(who, "explain", "", POLICY, 0)
    found = {}
    for rows in rows_for(who).values():
        for row in rows:
            answer = explain_id(Request(door, context_of, ZONE, {}), row["id"])
            found[row["id"]] = json.dumps(answer, ensure_ascii=False, sort_keys=True)
        try:
            shown = show(door, ZONE, {}, rows[0]["conversation"])
        except UserError:
            continue
        found[rows[0]["conversation"]] = json.dumps(shown, ensure_ascii=False, sort_keys=True)
    return found


def with_other_digits() -> int:
    """Replace the last digits of the outside numbers of calls, and of the same numbers in records.
    Returns how many there were."""
    outside = {
        number[-7:]
        for (number,) in Call.select(Call.other_number)
        .where(Call.other_outside == 1)
        .distinct()
        .tuples()
        if len(number) >= 9 and number[1:].isdigit()
    }

    def other(number: str) -> str:
        return number[:-DIGITS] + number[-DIGITS:].translate(OTHERS)

    def replace(model: Any, name: str) -> None:
        field = getattr(model, name)
        for (number,) in list(model.select(field).distinct().tuples()):
            if number[-7:] in outside:
                model.update({field: "#" + other(number)}).where(field == number).execute()
        for (number,) in list(model.select(field).distinct().tuples()):
            if number.startswith("#") and number[1:].lstrip("+").isdigit():
                model.update({field: number[1:]}).where(field == number).execute()

    for name in COLUMNS:
        replace(Record, name)
    replace(Call, "other_number")
    return len(outside)


@pytest.mark.parametrize("level", [2, 8])
def test_other_last_digits_explain_the_same(
    level: int, simulated: Simulation, compared: Compared
) -> None:
    people = [row["username"] for rows in rows_for(None).values() for row in rows]
    who = max(set(filter(None, people)), key=people.count)
    Party.update(permission_level=level, masked_digits=DIGITS + 1).where(
        Party.username == who
    ).execute()
    before = all_explained(simulated, who)
    with database.atomic() as transaction:
        assert with_other_digits() > 10
        after = all_explained(simulated, who)
        Party.update(masked_digits=0).where(Party.username == who).execute()
        plain = all_explained(simulated, who)
        transaction.rollback()
    Party.update(masked_digits=0).where(Party.username == who).execute()
    unmasked = all_explained(simulated, who)
    assert before.keys() == after.keys()
    assert len(before) > (3 if level == 2 else 40)
    other = 0
    for one, text in before.items():
        if kind(plain[one]) != kind(unmasked[one]):
            other += 1  # with these digits it would be another kind of number, as anybody may know
        else:
            compared.equal(after[one], text, one)
    assert other <= len(before) // 10
    assert plain != unmasked  # without the mask the digits are there


def kind(text: str) -> Any:
    """Return what kind of number an explanation is about, and by which rule."""
    number = json.loads(text).get("number") or {}
    return number.get("class"), str(number.get("e164"))[:4]
