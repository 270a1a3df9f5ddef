"""In which country the numbers are that begin with a prefix (pure)."""

from __future__ import annotations

import re
from functools import lru_cache

from syncd.billing.digit_patterns import may_begin

LONGEST_CODE = 3
_TELLING = ("fixed_line", "mobile")
"""Kinds of numbers of which each country has its own; others are alike in a whole numbering plan."""


@lru_cache(maxsize=4096)
def country_of(prefix: str) -> str:
    """Return the country, such as ``IT``, of the numbers that begin with a prefix (E.164 without +);
    ``001`` where they belong to none, empty where there are no such numbers. Where several countries
    share them it is the one whose plan it is mainly: ``US`` of 1, ``RU`` of 7."""
    import phonenumbers

    for length in range(1, LONGEST_CODE + 1):
        code = prefix[:length]
        if not (code.isascii() and code.isdigit()):
            return ""
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code))
        if regions and len(code) == length and not code.startswith("0"):
            return str(regions[0]) if len(regions) == 1 else _of_several(regions, prefix[length:])
    return ""


def _of_several(regions: tuple[str, ...], national: str) -> str:
    """Return which of the countries that share a calling code has the numbers that begin so."""
    import phonenumbers

    plans = {region: phonenumbers.PhoneMetadata.metadata_for_region(region) for region in regions}
    if national:
        for region, plan in plans.items():
            leading = getattr(plan, "leading_digits", None)
            if leading and re.match(leading, national):
                return region
    fitting = [region for region, plan in plans.items() if _has(plan, national)]
    return fitting[0] if fitting else regions[0]


def _has(plan: object, national: str) -> bool:
    """Say whether a plan has numbers of its own that begin so."""
    for name in _TELLING:
        pattern = getattr(getattr(plan, name, None), "national_number_pattern", None)
        try:
            if pattern not in (None, "NA") and may_begin(str(pattern), national):
                return True
        except ValueError:
            continue
    return False
