"""Whose number is this, at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.billing.numbering import Numbering, NumberingPlan
from syncd.calls.attribution import (
    AMBIGUOUS,
    HELD_BY_DEVICE,
    HELD_BY_E164,
    HELD_BY_NUMBER,
    HELD_BY_PARTITION,
    HELD_BY_USER,
    NOBODY,
    Found,
    Holder,
    Holders,
    ProfileSpan,
)
from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.domain.party import line_identifier
from syncd.licensing.slots import slot_key

ROME = Numbering(NumberingPlan("IT", "06", "0", "", ("2XXX", "3XXX")))
ANNA, BRUNO, CARLA = 1, 2, 3
NOW = 1_000


def holds(
    party: int,
    number: str,
    role: Role = Role.FIRST,
    *,
    site: str = "",
    partition: str = "",
    since: int = 0,
    until: int = FOREVER,
    shared: bool = False,
) -> Holder:
    line = sum(map(ord, number + partition))
    return Holder(
        party,
        role,
        line,
        line_identifier(partition, number),
        site,
        partition,
        number,
        True,
        shared,
        since,
        until,
        slot_key(party, role, line),
    )


def holders(*held: Holder, **options: Any) -> Holders:
    given: dict[str, Any] = {"site": "hq", "plan": ROME, "partitions": False, "only_site": True}
    return Holders(held, {}, **{**given, **options})


def found(
    among: Holders,
    number: str = "2001",
    partition: str = "",
    user: str = "",
    device: str = "",
    when: int = NOW,
) -> tuple[int | None, str]:
    answer = among.find(number, partition, user, device, when)
    return (None if answer.holder is None else answer.holder.party), answer.reason


# --- by number -----------------------------------------------------------------------------------


def test_by_number() -> None:
    among = holders(holds(ANNA, "2001"), holds(BRUNO, "2002"))
    assert found(among, "2001") == (ANNA, HELD_BY_NUMBER)
    assert found(among, "2002") == (BRUNO, HELD_BY_NUMBER)
    assert found(among, "2003") == (None, NOBODY)
    assert found(among, "") == (None, NOBODY)


def test_numbers_are_compared_as_written() -> None:
    among = holders(holds(ANNA, "2001"), holds(BRUNO, "*55"))
    assert found(among, "02001")[0] is None
    assert found(among, "2001#")[0] is None
    assert found(among, "*55")[0] == BRUNO


@pytest.mark.parametrize(
    ("held", "number"),
    [
        ("+390612342001", "+390612342001"),
        ("+390612342001", "0612342001"),
        ("+390612342001", "00612342001"),
        ("00612342001", "+390612342001"),
        ("0612342001", "+390612342001"),
    ],
)
def test_long_numbers_are_compared_by_e164(held: str, number: str) -> None:
    party, reason = found(holders(holds(ANNA, held, Role.ALIAS)), number)
    assert (party, reason) == (ANNA, HELD_BY_NUMBER if held == number else HELD_BY_E164)


@pytest.mark.parametrize("number", ["+390612342002", "+33612342001", "2001", "12342001"])
def test_other_numbers_are_not_the_same(number: str) -> None:
    assert found(holders(holds(ANNA, "+390612342001")), number)[0] is None


def test_the_number_as_written_comes_before_e164() -> None:
    among = holders(holds(ANNA, "+390612342001"), holds(BRUNO, "0612342001"))
    assert found(among, "0612342001") == (BRUNO, HELD_BY_NUMBER)
    assert found(among, "+390612342001") == (ANNA, HELD_BY_NUMBER)


def test_a_mobile_number_is_nobodys_line() -> None:
    assert found(holders(holds(ANNA, "+393331234567", Role.MOBILE)), "+393331234567")[0] is None


@pytest.mark.parametrize("number", ["b0029901001", "anonymous", "sip:x", "2001x"])
def test_what_is_no_number_is_nobodys(number: str) -> None:
    assert found(holders(holds(ANNA, "2001")), number)[0] is None


# --- time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "party"),
    [(99, None), (100, ANNA), (199, ANNA), (200, BRUNO), (299, BRUNO), (300, None), (10**9, None)],
)
def test_a_number_belongs_to_who_held_it_then(when: int, party: int | None) -> None:
    among = holders(
        holds(BRUNO, "2001", since=200, until=300), holds(ANNA, "2001", since=100, until=200)
    )
    assert found(among, when=when)[0] == party
    # The answer of another moment is not remembered as this one's.
    assert found(among, when=150)[0] == ANNA
    assert found(among, when=when)[0] == party


def test_who_held_it_alone_is_not_asked_outside_that_time() -> None:
    among = holders(holds(ANNA, "2001", since=100, until=200))
    assert [found(among, when=when)[0] for when in (150, 200, 99, 100)] == [ANNA, None, None, ANNA]


# --- more than one -------------------------------------------------------------------------------


def test_two_parties_are_ambiguous_and_listed() -> None:
    one, other = holds(ANNA, "2001", partition="HQ"), holds(BRUNO, "2001", partition="UK")
    answer = holders(one, other).find("2001", "HQ", "", "", NOW)
    assert answer == Found(None, AMBIGUOUS, (one, other))


def test_ambiguous_is_not_decided_by_user_or_device() -> None:
    among = holders(
        holds(ANNA, "2001", partition="HQ"),
        holds(BRUNO, "2001", partition="UK"),
        holds(ANNA, "anna", Role.USER_ID),
        holds(ANNA, "SEP1", Role.DEVICE),
    )
    assert found(among, user="anna", device="SEP1") == (None, AMBIGUOUS)


def test_ambiguous_only_while_both_hold_it() -> None:
    among = holders(holds(ANNA, "2001"), holds(BRUNO, "2001", since=500))
    assert found(among, when=499) == (ANNA, HELD_BY_NUMBER)
    assert found(among, when=500) == (None, AMBIGUOUS)


def test_two_roles_of_one_party_are_the_first_of_them() -> None:
    among = holders(holds(ANNA, "2001", Role.FAX), holds(ANNA, "2001", Role.FIRST))
    answer = among.find("2001", "", "", "", NOW).holder
    assert answer is not None and answer.role is Role.FIRST


def test_a_shared_voicemail_pilot_is_not_ambiguous() -> None:
    among = holders(*(holds(party, "6000", Role.VOICEMAIL, shared=True) for party in (ANNA, BRUNO)))
    answer = among.find("6000", "", "", "", NOW).holder
    assert answer is not None and answer.shared


# --- partitions ----------------------------------------------------------------------------------

PARTITIONS = (
    holds(ANNA, "2001", partition="HQ"),
    holds(BRUNO, "2001", partition="UK"),
    holds(CARLA, "2002"),
)


@pytest.mark.parametrize(
    ("number", "partition", "party", "reason"),
    [
        ("2001", "HQ", ANNA, HELD_BY_PARTITION),
        ("2001", "UK", BRUNO, HELD_BY_PARTITION),
        ("2001", "", None, NOBODY),
        ("2001", "US", None, NOBODY),
        ("2001", "hq", None, NOBODY),
        ("2002", "", CARLA, HELD_BY_NUMBER),
        ("2002", "HQ", CARLA, HELD_BY_NUMBER),
    ],
)
def test_with_partitions(number: str, partition: str, party: int | None, reason: str) -> None:
    assert found(holders(*PARTITIONS, partitions=True), number, partition) == (party, reason)


def test_with_partitions_the_partition_comes_before_the_number_alone() -> None:
    among = holders(*PARTITIONS, holds(CARLA, "2001"), partitions=True)
    assert [found(among, "2001", where)[0] for where in ("HQ", "UK", "US", "")] == [
        ANNA,
        BRUNO,
        CARLA,
        CARLA,
    ]


def test_without_partitions_they_do_not_matter() -> None:
    among = holders(holds(ANNA, "2001", partition="HQ"))
    assert [found(among, "2001", where)[0] for where in ("HQ", "UK", "")] == [ANNA] * 3


def test_partitions_of_long_numbers() -> None:
    among = holders(
        holds(ANNA, "+390612342001", partition="HQ"),
        holds(BRUNO, "+390612342001", partition="UK"),
        partitions=True,
    )
    assert found(among, "0612342001", "UK") == (BRUNO, HELD_BY_PARTITION)
    assert found(among, "0612342001", "")[0] is None


# --- user id and device --------------------------------------------------------------------------

PEOPLE = (
    holds(ANNA, "2001"),
    holds(ANNA, "Anna.R", Role.USER_ID),
    holds(ANNA, "SEP0011AABBCCDD", Role.DEVICE),
    holds(BRUNO, "2002"),
    holds(BRUNO, "bruno", Role.USER_ID),
)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"user": "anna.r"}, (ANNA, HELD_BY_USER)),
        ({"user": "ANNA.R"}, (ANNA, HELD_BY_USER)),
        ({"device": "sep0011aabbccdd"}, (ANNA, HELD_BY_DEVICE)),
        ({"user": "bruno", "device": "SEP0011AABBCCDD"}, (BRUNO, HELD_BY_USER)),
        ({"user": "nobody", "device": "SEP0011AABBCCDD"}, (ANNA, HELD_BY_DEVICE)),
        ({"user": "nobody", "device": "SEP9"}, (None, NOBODY)),
        ({"number": "2001", "user": "bruno"}, (ANNA, HELD_BY_NUMBER)),
    ],
)
def test_if_nobody_holds_the_number(asked: dict[str, str], answer: tuple[int | None, str]) -> None:
    assert found(holders(*PEOPLE), **{"number": "2777", **asked}) == answer


def test_found_by_user_is_the_line_they_are_billed_by() -> None:
    among = holders(*PEOPLE, holds(BRUNO, "2012", Role.OTHER), holds(CARLA, "carla", Role.USER_ID))
    answer = among.find("2777", "", "bruno", "", NOW).holder
    assert answer is not None and answer.number == "2002"
    assert found(among, "2777", user="carla") == (None, NOBODY), "without a line there is nothing"


def test_found_by_user_at_that_time() -> None:
    among = holders(
        holds(ANNA, "2001", since=100),
        holds(ANNA, "desk", Role.USER_ID, since=100, until=200),
        holds(BRUNO, "2002"),
        holds(BRUNO, "desk", Role.USER_ID, since=200),
    )
    assert [found(among, "2777", user="desk", when=when)[0] for when in (99, 100, 200)] == [
        None,
        ANNA,
        BRUNO,
    ]


def test_a_user_id_of_two_parties_is_ambiguous() -> None:
    among = holders(*PEOPLE, holds(BRUNO, "anna.r", Role.USER_ID))
    assert found(among, "2777", user="anna.r") == (None, AMBIGUOUS)


def test_user_first() -> None:
    among = holders(*PEOPLE, order=("user", "number"))
    assert found(among, "2001", user="bruno") == (BRUNO, HELD_BY_USER)
    assert found(among, "2001", user="nobody") == (ANNA, HELD_BY_NUMBER)
    assert found(among, "2001", user="") == (ANNA, HELD_BY_NUMBER)
    assert found(among, "2777", device="SEP0011AABBCCDD") == (ANNA, HELD_BY_DEVICE)


# --- sites ---------------------------------------------------------------------------------------


def test_a_person_belongs_to_the_site() -> None:
    among = holders(
        holds(ANNA, "2001", site="uk"), holds(BRUNO, "2001", site="hq"), only_site=False
    )
    assert found(among) == (BRUNO, HELD_BY_NUMBER)


def test_a_person_without_site_belongs_to_every_site_that_names_the_number() -> None:
    held = (holds(ANNA, "2001"), holds(BRUNO, "7001"), holds(CARLA, "+390612342001"))
    several, alone = holders(*held, only_site=False), holders(*held)
    assert [found(several, number)[0] for number in ("2001", "7001", "+390612342001")] == [
        ANNA,
        None,
        CARLA,
    ]
    assert found(alone, "7001")[0] == BRUNO


def test_the_line_of_a_party_in_the_first_of_some_roles() -> None:
    among = holders(
        holds(ANNA, "2021", Role.FAX, until=500),
        holds(ANNA, "2022", Role.FAX, since=500),
        holds(ANNA, "2001"),
    )
    line = among.line_of(ANNA, (Role.VOICEMAIL, Role.FAX), NOW)
    assert line is not None and line.number == "2022"
    assert among.line_of(ANNA, (Role.VOICEMAIL,), NOW) is None
    assert among.line_of(BRUNO, (Role.FIRST,), NOW) is None


def test_profiles_are_those_of_the_moment() -> None:
    spans = {ANNA: [ProfileSpan(11, 21, 0, 100), ProfileSpan(12, 22, 100, 200)]}
    among = Holders((), spans, site="hq", plan=ROME, partitions=False, only_site=True)
    assert [among.profile(ANNA, when) for when in (0, 99, 100, 200)] == [
        (11, 21),
        (11, 21),
        (12, 22),
        (0, 0),
    ]
    assert among.profile(BRUNO, 5) == (0, 0)


# --- an oracle -----------------------------------------------------------------------------------

PARTIES = st.integers(1, 3)
SPANS = st.tuples(st.integers(0, 5), st.integers(1, 6)).filter(lambda span: span[0] < span[1])


@st.composite
def internal_holders(draw: st.DrawFn) -> list[Holder]:
    made = []
    for _ in range(draw(st.integers(0, 6))):
        since, until = draw(SPANS)
        made.append(
            holds(
                draw(PARTIES),
                draw(st.sampled_from(("2001", "2002"))),
                draw(st.sampled_from((Role.FIRST, Role.FAX, Role.ALIAS))),
                partition=draw(st.sampled_from(("", "HQ"))),
                since=since,
                until=until,
            )
        )
    return made


def oracle(held: Sequence[Holder], number: str, when: int) -> tuple[int | None, str]:
    """Whoever holds the number then, if it is one party."""
    parties = {
        one.party for one in held if one.number == number and one.valid_from <= when < one.valid_to
    }
    if len(parties) == 1:
        return parties.pop(), HELD_BY_NUMBER
    return None, AMBIGUOUS if parties else NOBODY


@given(
    held=internal_holders(),
    asked=st.lists(st.tuples(st.sampled_from(("2001", "2002")), st.integers(0, 6)), max_size=8),
)
def test_every_question_has_the_answer_of_its_moment(
    held: list[Holder], asked: list[tuple[str, int]]
) -> None:
    among = holders(*held)
    for number, when in asked:
        assert found(among, number, "HQ", when=when) == oracle(held, number, when)
