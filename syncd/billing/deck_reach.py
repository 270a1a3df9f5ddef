"""Which prefixes of a rate deck no number in use begins with: such a row never prices anything."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from syncd.billing.country import KINDS, SHORT_KINDS
from syncd.billing.digit_patterns import may_begin
from syncd.domain.errors import Problem
from syncd.domain.rate import Rate

LONGEST_CODE = 3
SHOWN = 5


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    import phonenumbers

    return frozenset(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


@lru_cache(maxsize=512)
def _patterns(code: str) -> tuple[str, ...]:
    """Return the patterns of the numbers, short ones too, that stand behind a calling code."""
    import phonenumbers

    found: list[str] = []
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]:
        if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY:
            plans = [phonenumbers.PhoneMetadata.metadata_for_nongeo_region(int(code))]
        else:
            plans = [
                phonenumbers.PhoneMetadata.metadata_for_region(region),
                phonenumbers.PhoneMetadata.short_metadata_for_region(region),
            ]
        for plan in plans:
            for name in dict.fromkeys((*KINDS, *SHORT_KINDS)):
                kind = getattr(plan, name, None)
                pattern = getattr(kind, "national_number_pattern", None)
                if pattern not in (None, "NA"):
                    found.append(pattern)
    return tuple(dict.fromkeys(found))


def in_use(prefix: str) -> bool:
    """Return whether a number in use, or a short number, begins with a prefix (E.164 without +).

    A pattern that is not understood is taken to fit.
    """
    for length in range(1, LONGEST_CODE + 1):
        code = prefix[:length]
        if code in _codes():
            national = prefix[length:]
            try:
                return not national or any(
                    may_begin(pattern, national) for pattern in _patterns(code)
                )
            except ValueError:
                return True
    return len(prefix) < LONGEST_CODE and any(code.startswith(prefix) for code in _codes())


def unreachable(rates: Iterable[Rate]) -> list[str]:
    """Return the prefixes that no number in use begins with, in order."""
    return sorted({rate.prefix for rate in rates if not in_use(rate.prefix)})


def unreachable_warning(file: str, rates: Iterable[Rate]) -> list[Problem]:
    """Return one warning about the prefixes that can never match, none where there are none."""
    found = unreachable(rates)
    if not found:
        return []
    shown = ", ".join(found[:SHOWN]) + (", …" if len(found) > SHOWN else "")
    what = f"{len(found)} prefix{'es' if len(found) > 1 else ''} can never match: {shown}"
    hint = "no number in use begins so; is it written without the calling code?"
    return [Problem(file, 0, "prefix", what, hint, warning=True)]
