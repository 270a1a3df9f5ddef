"""The internal part of a public number, by the numbering plan of a site (pure).

A number is read as in the site's country, and must be one of its area; what it ends in must fit one
of the site's internal numbers, and only one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from syncd.directory.field_values import SetAside
from syncd.domain.party import clean_number


class SitePlan(Protocol):
    """What of a ``[site:NAME]`` matters here."""

    @property
    def name(self) -> str: ...
    @property
    def internal_numbers(self) -> Sequence[str]:
        """Patterns, X = a digit."""
        ...

    @property
    def country(self) -> str:
        """ISO 3166, two capital letters."""
        ...

    @property
    def area_code(self) -> str: ...
    @property
    def international_code(self) -> str:
        """Empty: the country's own."""
        ...


def internal_part(text: str, sites: Sequence[SitePlan]) -> str:
    """Return the extension that a number has at the one of the sites that has such a number; empty
    for an empty text. Raises SetAside when none has, or they give different ones."""
    try:
        number = clean_number(text)
    except ValueError as error:
        raise SetAside(str(error)) from error
    if not number:
        return ""
    found = {part for site in sites for part in _parts(number, site)}
    if len(found) == 1:
        return found.pop()
    names = ", ".join(site.name for site in sites) or "any site"
    if found:
        raise SetAside(f"{text!r} ends in more than one internal number of {names}: {_or(found)}")
    raise SetAside(f"{text!r} is no number of {names}, or ends in none of the internal numbers")


def _or(found: set[str]) -> str:
    return " or ".join(sorted(found))


def _parts(number: str, site: SitePlan) -> set[str]:
    """Return every internal number of a site that a number is or ends in."""
    if any(_fits(number, pattern) for pattern in site.internal_numbers):
        return {number}
    within = _within_area(number, site)
    return {
        within[len(within) - len(pattern) :]
        for pattern in site.internal_numbers
        if len(pattern) <= len(within) and _fits(within[len(within) - len(pattern) :], pattern)
    }


def _fits(number: str, pattern: str) -> bool:
    return len(number) == len(pattern) and all(
        digit.isdigit() if wanted == "X" else digit == wanted
        for digit, wanted in zip(number, pattern, strict=True)
    )


def _within_area(number: str, site: SitePlan) -> str:
    """Return the digits behind country and area code, empty when the number is of another area."""
    # The numbering plans of the world take a while to load, and only this form of a rule needs them.
    import phonenumbers

    country = site.country
    code = str(phonenumbers.country_code_for_region(country))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country)
    trunk_prefix = str(metadata.national_prefix or "") if metadata is not None else ""
    area = f"+{code}{site.area_code.removeprefix(trunk_prefix)}"
    own = site.international_code
    if own and number.startswith(own):
        number = f"+{number.removeprefix(own)}"
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return ""
    public = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if public.startswith(area) and not phonenumbers.is_possible_number(parsed):
        return ""
    if not public.startswith(area) and not number.startswith("+"):
        # Written as it is dialled within the area.
        local = area + number
        if phonenumbers.is_valid_number(phonenumbers.parse(local, None)):
            public = local
    return public.removeprefix(area) if public.startswith(area) else ""
