"""What allowances cover, compared with a second way of counting it, in any order of arrival."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from syncd.billing.allowances import Place, Pot, Priced, Use, apply
from syncd.domain.allowance import Allowance
from syncd.domain.posting import Posted

MAY, JUNE = 202605, 202606
MOBILE, NATIONAL = 5, 4


def row(
    at: int,
    cost: int,
    seconds: int,
    *,
    key: int = 0,
    party: int = 1,
    department: str = "sales",
    number_class: int = MOBILE,
    destination: str = "Italy mobile",
    leg: int = 0,
    private: bool = False,
    carrier: str = "telco",
    version: str = "2026",
) -> Priced:
    posted = Posted(1, party, 1, 1, 1, number_class, 1, 1, 1, cost)
    return Priced(
        Place(at, key, 0),
        (leg, leg),
        f"user{party}",
        department,
        "",
        "hq",
        carrier,
        version,
        destination,
        seconds,
        private,
        posted,
    )


def minutes(seconds: int, **more: object) -> Allowance:
    return Allowance("free", "minutes", seconds, **({"per": "company"} | more))  # type: ignore[arg-type]


def covered(uses: list[Use]) -> list[tuple[int, str, int, int]]:
    return [(use.row.place.started_at, use.allowance, use.used, use.cost) for use in uses]


def test_minutes_cover_the_same_part_of_the_price_as_of_the_seconds() -> None:
    uses, pots = apply([minutes(100)], MAY, [row(1, 600, 60), row(2, 1_001, 60)], {})
    assert covered(uses) == [(1, "free", 60, 600), (2, "free", 40, 667)]
    assert pots == {("free", ""): Pot("minutes", 100, 0, 100, 1_267)}


def test_what_one_leaves_goes_on_to_the_next() -> None:
    plan = [
        minutes(30),
        Allowance("euros", "amount", 100, "company"),
        Allowance("calls", "calls", 1, "company"),
    ]
    uses, _ = apply(plan, MAY, [row(1, 600, 60), row(2, 500, 60)], {})
    assert covered(uses) == [
        (1, "free", 30, 300),
        (1, "euros", 100, 100),
        (1, "calls", 1, 200),
    ]


def test_those_who_share_a_leg_have_one_call_of_a_pot() -> None:
    plan = [Allowance("calls", "calls", 1, "company")]
    rows = [row(1, 100, 10, leg=7), row(2, 200, 20, leg=7, party=2), row(3, 300, 30, leg=8)]
    uses, pots = apply(plan, MAY, rows, {})
    assert covered(uses) == [(1, "calls", 1, 100), (2, "calls", 0, 200)]
    assert pots["calls", ""].left == 0


def test_each_has_a_pot_of_their_own_and_only_those_who_are_meant() -> None:
    rows = [
        row(1, 100, 10),
        row(2, 100, 10, party=2),
        row(3, 100, 10, party=0),
        row(4, 100, 10, department="support", party=3),
    ]
    uses, pots = apply([minutes(5, per="person")], MAY, rows, {})
    assert sorted(whose for _, whose in pots) == ["person:1", "person:2", "person:3"]
    assert [use.cost for use in uses] == [50, 50, 50]
    one = minutes(15, per="department", members=frozenset({"sales"}))
    uses, pots = apply([one], MAY, rows, {})
    assert [use.used for use in uses] == [10, 5] and list(pots) == [("free", "department:sales")]
    only = minutes(15, departments=frozenset({"support"}))
    assert [use.row.place.started_at for use in apply([only], MAY, rows, {})[0]] == [4]


def test_class_destination_carrier_tariff_and_purpose() -> None:
    rows = [
        row(1, 100, 10),
        row(2, 100, 10, number_class=NATIONAL, destination="Italy"),
        row(3, 100, 10, carrier="other"),
        row(4, 100, 10, version="2025"),
        row(5, 100, 10, private=True),
        row(6, 0, 10),
    ]

    def which(**more: object) -> list[int]:
        return [use.row.place.started_at for use in apply([minutes(999, **more)], MAY, rows, {})[0]]

    assert which() == [1, 2, 3, 4]
    assert which(classes=frozenset({NATIONAL})) == [2]
    assert which(destinations=("italy m*",)) == [1, 3, 4]
    assert which(carriers=frozenset({"telco"})) == [1, 2, 4]
    assert which(tariffs=frozenset({("telco", "2025")})) == [4]
    assert which(first=JUNE) == [] == which(last=202604)


def test_what_is_left_is_carried_over_from_the_first_call_on() -> None:
    plan = [minutes(100, carry_over=True)]
    _, may = apply(plan, MAY, [row(1, 600, 60)], {})
    _, june = apply(plan, JUNE, [], may)
    assert june == {("free", ""): Pot("minutes", 100, 40)}
    uses, july = apply(plan, 202607, [row(9, 5_000, 500)], june)
    assert uses[0].used == 240 and july["free", ""].left == 0
    # Minutes are not carried over as money.
    changed = [Allowance("free", "amount", 7, "company", carry_over=True)]
    assert apply(changed, JUNE, [], may)[1] == {("free", ""): Pot("amount", 7, 0)}
    assert apply([minutes(100)], JUNE, [], may)[1] == {}


# --- against an oracle ----------------------------------------------------------------------------

ROWS = st.lists(
    st.builds(
        row,
        st.integers(0, 5),
        st.integers(0, 2_000),
        st.integers(0, 90),
        party=st.integers(0, 2),
        number_class=st.sampled_from([MOBILE, NATIONAL]),
        private=st.booleans(),
        leg=st.integers(0, 3),
    ),
    max_size=12,
).map(
    lambda rows: [
        one._replace(place=Place(one.place.started_at, number * 7919 % 13, 0))
        for number, one in enumerate(rows)
    ]
)
PLANS = st.lists(
    st.tuples(
        st.sampled_from(["minutes", "amount", "calls"]),
        st.integers(1, 150),
        st.sampled_from(["person", "company"]),
        st.sampled_from([frozenset(), frozenset({MOBILE})]),
    ),
    max_size=3,
).map(
    lambda plans: [
        Allowance(f"a{number}", unit, size * (5 if unit == "amount" else 1), per, classes=classes)
        for number, (unit, size, per, classes) in enumerate(plans)
    ]
)


def oracle(plan: list[Allowance], rows: list[Priced]) -> dict[tuple[Place, str], int]:
    """Go second by second, micro by micro, call by call."""
    left: dict[tuple[str, int], int] = {}
    counted: set[tuple[str, int, tuple[int, int]]] = set()
    free: dict[tuple[Place, str], int] = {}
    for one in sorted(rows, key=lambda one: one.place):
        rest, seconds = Fraction(one.posted.cost), one.seconds
        if one.private or not rest:
            continue
        for allowance in plan:
            if allowance.classes and one.posted.number_class not in allowance.classes:
                continue
            whose = one.posted.party if allowance.per == "person" else -1
            if whose == 0:
                continue
            pot = (allowance.name, whose)
            there = left.setdefault(pot, allowance.given)
            made = Fraction(0)
            if allowance.unit == "minutes":
                each = rest / seconds if seconds else Fraction(0)
                while there and seconds:
                    there, seconds, made = there - 1, seconds - 1, made + each
                made = Fraction(floor(made))
            elif allowance.unit == "amount":
                while there and made < rest:
                    there, made = there - 1, made + 1
            elif one.leg[1] and (*pot, one.leg) in counted:
                made = rest
            elif there:
                there, made = there - 1, rest
                counted.add((*pot, one.leg))
            left[pot] = there
            if made:
                free[one.place, allowance.name] = int(made)
            rest -= made
            if not rest:
                break
    return free


@given(ROWS, PLANS, st.randoms(use_true_random=False))
def test_the_oracle_agrees_and_sums_add_up(
    rows: list[Priced], plan: list[Allowance], chance
) -> None:  # type: ignore[no-untyped-def]
    ordered = sorted(rows, key=lambda one: one.place)
    uses, pots = apply(plan, MAY, ordered, {})
    assert {(use.row.place, use.allowance): use.cost for use in uses if use.cost} == oracle(
        plan, rows
    )
    for (name, whose), pot in pots.items():
        mine = [use for use in uses if (use.allowance, use.pot) == (name, whose)]
        assert pot.used == sum(use.used for use in mine) <= pot.given
        assert pot.cost == sum(use.cost for use in mine)
    for one in rows:
        assert sum(use.cost for use in uses if use.row is one) <= one.posted.cost
