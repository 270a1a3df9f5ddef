"""In which country the numbers are that begin with a prefix."""

from __future__ import annotations

import phonenumbers
import pytest

from syncd.billing.prefix_country import country_of
from syncd.domain.countries import COUNTRIES


@pytest.mark.parametrize(
    ("prefix", "country"),
    [
        ("39", "IT"),
        ("39333", "IT"),
        ("3906698", "VA"),
        ("1", "US"),
        ("1416", "CA"),
        ("1787", "PR"),
        ("1800", "US"),
        ("7", "RU"),
        ("77", "KZ"),
        ("44", "GB"),
        ("441481", "GG"),
        ("800", "001"),
        ("358", "FI"),
        ("", ""),
        ("999", ""),
        ("0", ""),
        ("xx", ""),
    ],
)
def test_some_prefixes(prefix: str, country: str) -> None:
    assert country_of(prefix) == country


def test_the_country_of_every_example_number_is_found() -> None:
    """By its first seven digits, where its plan is not that of several countries."""
    wrong = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number(region)
        code = number.country_code
        digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:8]
        if country_of(digits) != region:
            assert len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]) > 1, region
            wrong.append(region)
    # Territories that share their numbers, or even their area codes, with a larger country.
    assert len(wrong) <= 12, wrong


def test_every_country_has_a_name() -> None:
    codes = {
        region
        for regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.values()
        for region in regions
    }
    assert codes <= COUNTRIES.keys()
    assert all(name.strip() == name and name for name in COUNTRIES.values())
