"""Histories that are rewritten have no overlap and no gap, second by second."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from syncd.directory.claims import Claim
from syncd.directory.people import history
from syncd.directory.people.history import Held, Version, changed_since
from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.domain.party import PROFILE_FIELDS, Line

END = 12
"""Seconds that are looked at one by one."""

DEPARTMENT = PROFILE_FIELDS.index("department")
LINE = Claim(Role.FIRST, Line("", "", "2001"), True)
OTHER = Claim(Role.FIRST, Line("", "", "2002"), True)


def values(department: str, name: str = "Anna") -> tuple[str, ...]:
    found = [""] * len(PROFILE_FIELDS)
    found[DEPARTMENT] = department
    found[PROFILE_FIELDS.index("display_name")] = name
    return tuple(found)


@st.composite
def cuts(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Draw spans that follow each other, some with a gap between them, the last perhaps open."""
    moments = sorted(draw(st.sets(st.integers(0, END), min_size=2, max_size=6)))
    spans = list(pairwise(moments))
    spans = [span for span in spans if draw(st.integers(0, 3))] or spans[:1]
    if draw(st.booleans()):
        spans[-1] = (spans[-1][0], FOREVER)
    return spans


def at(versions: list[Version], second: int) -> tuple[str, ...] | None:
    found = [one.values for one in versions if one.valid_from <= second < one.valid_to]
    assert len(found) <= 1, second
    return found[0] if found else None


@given(cuts(), st.lists(st.sampled_from("ABC"), min_size=6, max_size=6), st.integers(0, END))
def test_every_second_has_the_profile_that_it_should(
    spans: list[tuple[int, int]], departments: list[str], since: int
) -> None:
    before = [
        Version(number, values(departments[number]), *span) for number, span in enumerate(spans)
    ]
    after = changed_since(before, {"department": "A"}, since)
    assert {one.id for one in after if one.id is not None} == {one.id for one in before}
    first = spans[0][0]
    for second in range(END + 3):
        was = at(before, second)
        if second >= since and (was is not None or second < first):
            assert at(after, second) == values("A"), second
        else:
            assert at(after, second) == was, second


def test_a_version_that_says_so_already_begins_earlier() -> None:
    before = [
        Version(1, values("Sales"), 0, 10),
        Version(2, values("IT"), 10, FOREVER),
    ]
    assert changed_since(before, {"department": "IT"}, 4) == [
        Version(1, values("Sales"), 0, 4),
        Version(2, values("IT"), 4, FOREVER),
    ]


def test_other_fields_keep_their_own_history() -> None:
    before = [
        Version(1, values("Sales", "Anna"), 0, 10),
        Version(2, values("Sales", "Anna Maria"), 10, FOREVER),
    ]
    after = changed_since(before, {"department": "IT"}, 4)
    assert [(one.values, one.valid_from) for one in after] == [
        (values("Sales", "Anna"), 0),
        (values("IT", "Anna"), 4),
        (values("IT", "Anna Maria"), 10),
    ]


def on_line(claim: Claim) -> bool:
    return claim.line == LINE.line


def holder(held: list[Held], second: int) -> int | None:
    found = [
        one.party for one in held if on_line(one.claim) and one.valid_from <= second < one.valid_to
    ]
    assert len(found) <= 1, second
    return found[0] if found else None


@given(
    cuts(),
    st.lists(st.integers(1, 3), min_size=6, max_size=6),
    st.integers(0, END - 1),
    st.integers(1, END) | st.just(FOREVER),
)
def test_every_second_has_the_holder_that_it_should(
    spans: list[tuple[int, int]], parties: list[int], since: int, length: int
) -> None:
    before = [
        Held(number, parties[number], LINE, False, 5, *span) for number, span in enumerate(spans)
    ]
    elsewhere = Held(99, 2, OTHER, False, 5, 0, FOREVER)
    until = length if length == FOREVER else since + length
    wanted = Held(None, 1, LINE, False, 7, since, until)
    after, gone = history.given([*before, elsewhere], wanted, on_line)
    for second in range(2 * END + 2):
        expected = 1 if since <= second < until else holder(before, second)
        assert holder(after, second) == expected, second
    assert elsewhere in after
    ids = [one.id for one in after if one.id is not None]
    assert len(ids) == len(set(ids))
    assert set(ids) | set(gone) == {99, *range(len(before))}
    assert set(ids).isdisjoint(gone)
    assert all(one.valid_from < one.valid_to for one in after)


def test_who_knew_the_number_first_keeps_the_place_in_the_order_of_claims() -> None:
    before = [Held(4, 1, LINE, False, 5, 10, FOREVER)]
    after, gone = history.given(before, Held(None, 1, LINE, False, 50, 2, FOREVER), on_line)
    assert after == [Held(4, 1, LINE, False, 5, 2, FOREVER)]
    assert gone == []
