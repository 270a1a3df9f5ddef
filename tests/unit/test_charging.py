"""Who pays for a call of several people, by the policies of a site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.billing.numbering import NOTHING
from syncd.billing.rating import Rated
from syncd.calls.pricing import RatedLeg, segment_parts
from syncd.domain.charging import CHOICES, Charging, policy_text
from syncd.domain.rate import Price
from syncd.settings.schema import BY_KIND
from syncd.settings.values import BadValue
from syncd.store.maintenance import verify
from syncd.store.models import database
from tests.fixtures.worked_examples import EXAMPLES, T
from tests.support.bed import ROME, Bed, make_bed
from tests.support.phones import GATEWAY, SPLIT, leg, transferred
from tests.support.world import World, make_world

MOBILE = "03331234567"


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = make_bed(tmp_path)
    for name, number in (("anna", "2001"), ("bruno", "2002"), ("carla", "2003"), ("dario", "2309")):
        made.person(name, number)
    yield made
    database.close()


def paid(bed: Bed, **policy: Any) -> dict[str, str]:
    """Return what each (person, side, start) is charged, where it is anything."""
    bed.take()
    assert verify(ROME) == []
    return {
        f"{person} {side} {start}": cost
        for person, side, start, cost in bed.rows("person", "side", "start", "cost")
        if cost != "0.00"
    }


def forwarded(bed: Bed) -> None:
    """Carla calls Anna, who forwards to Bruno, who forwards to a mobile phone: 60 s."""
    bed.drop(
        leg(
            1, 101, 102, "2003", MOBILE, originalCalledPartyNumber="2001", lastRedirectDn="2002",
            origCalledPartyRedirectReason=15, origCalledPartyRedirectOnBehalfOf=5,
            lastRedirectRedirectReason=15, lastRedirectRedirectOnBehalfOf=5,
        )
    )  # fmt: skip


def transfer(bed: Bed) -> None:
    """Anna calls out for 120 s and transfers to Bruno, who talks for 360 s and transfers to Carla,
    who talks for 120 s."""
    on = {"origDeviceName": GATEWAY, "IncomingProtocolID": 4}
    bed.drop(
        leg(1, 101, 102, "2001", MOBILE, talk=120, **SPLIT),
        {**leg(1, 102, 103, MOBILE, "2002", at=125, ring=0, talk=360), **transferred("2001"),
         **on, **SPLIT},
        {**leg(1, 102, 104, MOBILE, "2003", at=485, ring=0, talk=120), **transferred("2002"), **on},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, {"bruno redirecting 0": "0.75"}),
        ({"forwarded": (("first", 100),)}, {"anna first-redirecting 0": "0.75"}),
        ({"forwarded": (("calling", 100),)}, {"carla calling 0": "0.75"}),
        # Nobody of the company was reached: without such a party it is as ever.
        ({"forwarded": (("called", 100),)}, {"bruno redirecting 0": "0.75"}),
        (
            {"forwarded": (("first", 50), ("last", 30), ("calling", 20))},
            {
                "anna first-redirecting 0": "0.375",
                "bruno redirecting 0": "0.225",
                "carla calling 0": "0.15",
            },
        ),
        # The policy of a transfer has no say in a forward.
        ({"transferred": (("holder", 100),)}, {"bruno redirecting 0": "0.75"}),
    ],
)
def test_forwarded(bed: Bed, policy: dict[str, Any], expected: dict[str, str]) -> None:
    bed.change(charging=Charging(**policy))
    forwarded(bed)
    assert paid(bed) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (
            {},
            {
                "anna calling 0": "1.23",
                "anna redirecting 125": "3.69",
                "bruno redirecting 485": "1.23",
            },
        ),
        (
            {"transferred": (("holder", 100),)},
            {"anna calling 0": "1.23", "bruno called 125": "3.69", "carla called 485": "1.23"},
        ),
        ({"transferred": (("caller", 100),)}, {"anna calling 0": "6.15"}),
        (
            {"transferred": (("caller", 50), ("holder", 50))},
            {"anna calling 0": "3.69", "bruno called 125": "1.845", "carla called 485": "0.615"},
        ),
    ],
)
def test_transferred(bed: Bed, policy: dict[str, Any], expected: dict[str, str]) -> None:
    bed.change(charging=Charging(**policy))
    transfer(bed)
    assert paid(bed) == expected


def conference(bed: Bed) -> None:
    bed.now = T + 86_400
    bed.drop(*EXAMPLES["conference"])


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, {"anna": ("0.207894", "3.742106")}),
        ({"conference": (("caller", 100),)}, {"anna": ("3.95",)}),
        # Anna and Dario were in it for 360 s each.
        (
            {"conference": (("members", 100),)},
            {"anna": ("0.207894", "1.871053"), "dario": ("1.871053",)},
        ),
        (
            {"conference": (("controller", 50), ("members", 50))},
            {"anna": ("0.207894", "1.871053", "0.935527"), "dario": ("0.935526",)},
        ),
    ],
)
def test_conference(bed: Bed, policy: dict[str, Any], expected: dict[str, Any]) -> None:
    bed.change(charging=Charging(**policy))
    conference(bed)
    found: dict[str, list[str]] = {}
    for name, cost in sorted(paid(bed).items()):
        found.setdefault(name.split()[0], []).append(cost)
    assert {name: sorted(costs) for name, costs in found.items()} == {
        name: sorted(costs) for name, costs in expected.items()
    }


@pytest.mark.parametrize(
    ("policy", "payer"),
    [({}, "bruno redirecting 0"), ({"account_code": (("calling", 100),)}, "carla calling 0")],
)
def test_account_code(bed: Bed, policy: dict[str, Any], payer: str) -> None:
    bed.change(charging=Charging(**policy))
    bed.drop(
        leg(
            1, 101, 102, "2003", MOBILE, lastRedirectDn="2002", lastRedirectRedirectReason=15,
            lastRedirectRedirectOnBehalfOf=5, clientMatterCode="77",
        )
    )  # fmt: skip
    assert paid(bed) == {payer: "0.75"}


@pytest.mark.parametrize(
    ("policy", "payer"),
    [({}, "anna called 0"), ({"mobile": (("calling", 100),)}, "bruno calling 0")],
)
def test_taken_on_the_mobile_phone(bed: Bed, policy: dict[str, Any], payer: str) -> None:
    bed.change(charging=Charging(**policy))
    bed.drop(
        leg(
            1, 101, 102, "2002", MOBILE, originalCalledPartyNumber="2001", lastRedirectDn="2001",
            lastRedirectRedirectReason=335,
        )
    )  # fmt: skip
    assert paid(bed) == {payer: "0.75"}


def test_who_pays_but_is_not_billed_is_not_replaced(bed: Bed) -> None:
    bed.person("egon", "2004", billed=False)
    bed.change(charging=Charging(forwarded=(("calling", 50), ("last", 50))))
    bed.drop(
        leg(
            1, 101, 102, "2004", MOBILE, lastRedirectDn="2002", lastRedirectRedirectReason=15,
            lastRedirectRedirectOnBehalfOf=5,
        )
    )  # fmt: skip
    assert paid(bed) == {"bruno redirecting 0": "0.375"}


@given(
    micros=st.integers(0, 10**9),
    billed=st.integers(0, 10**5),
    weights=st.lists(st.integers(1, 1000), min_size=1, max_size=5),
)
def test_parts_add_up_to_the_segment(micros: int, billed: int, weights: list[int]) -> None:
    rated = Rated(None, None, Price(micros, billed))  # type: ignore[arg-type]
    one = RatedLeg(None, rated, (micros,), (billed,), "", NOTHING)  # type: ignore[arg-type]
    parts = segment_parts(one, 0, weights)
    assert [sum(column) for column in zip(*parts, strict=True)] == [micros, billed]
    for (part, _), weight in zip(parts, weights, strict=True):
        # Cut to whole micros; the last has what that leaves, less than one for each of the others.
        assert abs(part - micros * weight / sum(weights)) <= len(weights)


# --- what the INI says, and what explain tells ----------------------------------------------------


def option(kind: str, text: str) -> Any:
    (found,) = (one for one in BY_KIND["site"].options if one.name == f"charge_{kind}")
    return found.kind.parse(text, Path())


def test_policies_are_read() -> None:
    for kind, names in CHOICES.items():
        assert option(kind, names[0]) == ()
        for name in names[1:]:
            assert option(kind, name) == ((name, 100),)
            assert option(kind, policy_text(kind, ((name, 100),)).partition("= ")[2]) == (
                (name, 100),
            )
    assert option("transferred", "transferor 60, holder 40%") == (
        ("transferor", 60),
        ("holder", 40),
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("transferrer", "none of transferor, holder, caller"),
        ("transferor, holder", "lacks its percentage"),
        ("transferor 60, holder 50", "make 110"),
        ("transferor 50, transferor 50", "twice"),
        ("transferor 0, holder 100", "lacks its percentage"),
        ("transferor -5, holder 105", "lacks its percentage"),
    ],
)
def test_mistakes_in_policies_are_told(text: str, what: str) -> None:
    with pytest.raises(BadValue) as caught:
        option("transferred", text)
    assert what in caught.value.what


def test_explain_names_the_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world: World = make_world(tmp_path, lambda: tuple(capsys.readouterr()))
    policy = (("caller", 50), ("holder", 50))
    world.bed.change(charging=Charging(transferred=policy))
    world.option("area_code = 06", "area_code = 06\ncharge_transferred = caller 50, holder 50")
    transfer(world.bed)
    world.bed.take()
    row = world.row("calling", "Anna")
    answer = world.explain(row)
    assert answer["same"]
    assert [(one["person"], one["micros"], one["policy"]) for one in answer["shares"]] == [
        ("Anna", 1_230_000, None),
        ("Anna", 1_845_000, "charge_transferred = caller 50, holder 50"),
        ("Bruno", 1_845_000, "charge_transferred = caller 50, holder 50"),
        ("Anna", 615_000, "charge_transferred = caller 50, holder 50"),
        ("Carla", 615_000, "charge_transferred = caller 50, holder 50"),
    ]
    assert sum(one["micros"] for one in answer["shares"] if one["this"]) == answer["stored_price"]
    for one in world.rows():
        assert world.explain(one)["same"]
    assert "By the policy charge_transferred" in world.run("explain", row["id"]).out
    database.close()
