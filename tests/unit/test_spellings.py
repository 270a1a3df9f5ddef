"""One number in several spellings: a sync finds two claimants wherever attribution finds two holders."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.application.sites import DirectorySite
from syncd.billing.numbering import Numbering, NumberingPlan
from syncd.calls.attribution import AMBIGUOUS, Holder, Holders
from syncd.directory.claims import Claim, Keys, Owner, award
from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.domain.party import Line
from syncd.settings.model import SiteSettings


def site(name: str, country: str, area: str, access: str, *patterns: str) -> SiteSettings:
    return SiteSettings(name, country, area, access, "", ZoneInfo("UTC"), patterns, ())


ROME = site("rome", "IT", "06", "0", "3XX", "00XX")
BERLIN = site("berlin", "DE", "030", "9", "3XX")
SITES = (DirectorySite(ROME), DirectorySite(BERLIN))
SPELLINGS = (
    "310",
    "0012",
    "12",
    "+39061234310",
    "0061234310",
    "061234310",
    "0003906" + "1234310",
    "+49301234310",
    "903012" + "34310",
    "0301234310",
    "+310",
)
names = st.sampled_from(["", "rome", "berlin"])
numbers = st.sampled_from(SPELLINGS)


@dataclass(frozen=True)
class Spelt:
    """A number as somebody's entry has it."""

    site: str
    number: str
    partition: str = ""
    role: Role = Role.FIRST

    @property
    def claim(self) -> Claim:
        return Claim(self.role, Line(self.site, self.partition, self.number), billed=True)

    def holder(self, party: int) -> Holder:
        where = (self.site, self.partition, self.number)
        ends = (0, FOREVER)
        return Holder(party, self.role, party, "", *where, True, False, *ends, (party, 0, ""))  # type: ignore[arg-type]


def decided(*claims: tuple[Owner, Spelt], sites: tuple[DirectorySite, ...] = SITES) -> set[Owner]:
    """Return who is refused something."""
    keys = Keys(sites)
    result = award([(who, spelt.claim) for who, spelt in claims], {}, {}, keys)
    return {refusal.owner for refusal in result.refused}


def ambiguous(one: Spelt, other: Spelt, place: SiteSettings, *, only: bool, exact: bool) -> bool:
    """Whether attribution at a site finds both holders for any spelling of any number."""
    plan = NumberingPlan(
        place.country, place.area_code, place.access_code, "", place.internal_numbers
    )
    holders = Holders(
        [one.holder(1), other.holder(2)],
        {},
        site=place.name,
        plan=Numbering(plan),
        partitions=exact,
        only_site=only,
    )
    return any(
        holders.find(number, partition, "", "", 5).reason == AMBIGUOUS
        for number in (*SPELLINGS, "+39 06 1234310".replace(" ", ""), "000390" + "61234310")
        for partition in {"", one.partition}
    )


@given(names, numbers, names, numbers)
def test_claimants_conflict_where_attribution_would_not_know(
    site_a: str, number_a: str, site_b: str, number_b: str
) -> None:
    one, other = Spelt(site_a, number_a), Spelt(site_b, number_b)
    unclear = any(ambiguous(one, other, place, only=False, exact=False) for place in (ROME, BERLIN))
    same_text = number_a == number_b and site_a == site_b
    assert bool(decided((1, one), (2, other))) == (unclear or same_text)


@given(st.sampled_from(["", "rome"]), numbers, st.sampled_from(["", "rome"]), numbers)
def test_at_the_only_site_everybody_is(
    site_a: str, number_a: str, site_b: str, number_b: str
) -> None:
    one, other = Spelt(site_a, number_a), Spelt(site_b, number_b)
    unclear = ambiguous(one, other, ROME, only=True, exact=False)
    assert bool(decided((1, one), (2, other), sites=SITES[:1])) == unclear


@given(numbers, numbers, st.sampled_from(["", "P"]), st.sampled_from(["", "P"]))
def test_partitions_keep_spellings_apart(
    number_a: str, number_b: str, partition_a: str, partition_b: str
) -> None:
    one, other = Spelt("rome", number_a, partition_a), Spelt("rome", number_b, partition_b)
    unclear = ambiguous(one, other, ROME, only=False, exact=True)
    assert bool(decided((1, one), (2, other))) == unclear


def test_an_extension_is_not_the_public_number_that_ends_in_it() -> None:
    """A record names one or the other, and each leads to its own holder."""
    assert not decided((1, Spelt("rome", "310")), (2, Spelt("rome", "+39061234310")))


def test_who_holds_one_spelling_keeps_the_line() -> None:
    keys = Keys(SITES)
    first, second = Spelt("rome", "+39061234310"), Spelt("rome", "0061234310")
    held = {key: {2} for key in keys.of(Role.FIRST, second.claim.line)}
    result = award([(1, first.claim), (2, second.claim)], held, {}, keys)
    assert [(one.owner, one.holder) for one in result.refused] == [(1, 2)]


def test_one_person_with_two_spellings_has_one_line() -> None:
    keys = Keys(SITES)
    first = Spelt("rome", "+39061234310").claim
    alias = Spelt("rome", "0061234310", role=Role.ALIAS).claim
    result = award([(1, alias), (1, first)], {}, {}, keys)
    assert result.granted == {1: [first]}
    assert not result.refused


def test_a_voicemail_number_is_shared_in_any_spelling() -> None:
    keys = Keys(SITES)
    spelt = [Spelt("rome", text, role=Role.VOICEMAIL) for text in ("+39061234310", "0061234310")]
    result = award([(who, one.claim) for who, one in enumerate(spelt)], {}, {}, keys)
    assert not result.refused
    assert all(result.contested(keys.of(Role.VOICEMAIL, one.claim.line)) for one in spelt)


@pytest.mark.parametrize("role", [Role.FIRST, Role.ALIAS])
def test_a_mobile_number_is_nobodys_line(role: Role) -> None:
    mobile = Spelt("", "+393331234567", role=Role.MOBILE)
    assert not decided((1, mobile), (2, Spelt("", "+393331234567", role=role)))
    assert decided((1, mobile), (2, mobile)) == {2}


def test_a_country_that_does_not_exist_compares_nothing() -> None:
    assert DirectorySite(site("x", "XX", "", "0")).same("+39061234310") == ""


def test_the_same_settings_read_the_same() -> None:
    compared = DirectorySite(ROME)
    compared.same("+39061234310")
    assert repr(compared) == repr(DirectorySite(ROME))
