"""What a country's numbers look like: prefixes, patterns, kinds, short numbers, calling codes.

The facts are those of libphonenumber's metadata. Its patterns are compiled here once, because
parsing, formatting and typing a number through the library costs sixty microseconds, and a match of
a compiled pattern less than one. What the patterns cannot decide goes to the library's parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from syncd.billing.corrections import corrections
from syncd.domain.codes import NumberClass

Matcher = Callable[[str], re.Match[str] | None]

# In the library's own order of decision: what costs more than a plain call comes first.
KINDS = {
    "premium_rate": (NumberClass.PREMIUM, "premium"),
    "toll_free": (NumberClass.TOLL_FREE, "toll-free"),
    "shared_cost": (NumberClass.SHARED_COST, "shared-cost"),
    "voip": (NumberClass.NATIONAL, "voice over IP"),
    "personal_number": (NumberClass.SHARED_COST, "personal number"),
    "pager": (NumberClass.MOBILE, "pager"),
    "uan": (NumberClass.NATIONAL, "company number"),
    "voicemail": (NumberClass.MOBILE, "voicemail"),
    "fixed_line": (NumberClass.NATIONAL, "fixed line"),
    "mobile": (NumberClass.MOBILE, "mobile"),
}
"""Kind of number by the metadata's name for it: its class, and its name in texts."""

SHORT_KINDS = {
    "emergency": (NumberClass.EMERGENCY, "emergency number"),
    "premium_rate": (NumberClass.PREMIUM, "premium short number"),
    "toll_free": (NumberClass.TOLL_FREE, "toll-free short number"),
    "short_code": (NumberClass.SPECIAL, "short number"),
}

# Calling codes that are no country but a service that callers reach from everywhere.
SERVICE_CODES = {
    "800": NumberClass.TOLL_FREE,
    "808": NumberClass.SHARED_COST,
    "979": NumberClass.PREMIUM,
}

LONGEST_NATIONAL = 17
"""Digits after the calling code that the library takes; E.164 itself ends earlier."""


class Parsed(NamedTuple):
    """A calling code and the national number behind it, both digits."""

    calling_code: str
    national: str


def known_country(region: str) -> bool:
    """Return whether a two-letter code (``IT``) is a country with a numbering plan."""
    import phonenumbers

    return region in phonenumbers.SUPPORTED_REGIONS


def parse(number: str, region: str | None) -> Parsed | None:
    """Return what the library makes of a number dialled in a region, or None.

    Without a region the number must begin with ``+``.
    """
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    return Parsed(str(parsed.country_code), phonenumbers.national_significant_number(parsed))


def _alternatives(description: object, names: dict[str, tuple[NumberClass, str]]) -> Matcher | None:
    """Compile the patterns of several kinds into one; the name of the group says which matched."""
    parts = []
    for name in names:
        kind = getattr(description, name, None)
        if kind is not None and kind.national_number_pattern not in (None, "NA"):
            parts.append(f"(?P<{name}>{kind.national_number_pattern})")
    return re.compile("|".join(parts)).fullmatch if parts else None


class Country:
    """The numbers of one country. Raises ValueError when no country has the two-letter code."""

    __slots__ = (
        "_bare",
        "_corrected",
        "_emergency",
        "_general",
        "_international",
        "_kinds",
        "_prefix",
        "_short",
        "_siblings",
        "calling_code",
        "lengths",
        "region",
        "trunk_prefix",
    )

    def __init__(self, region: str) -> None:
        import phonenumbers

        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
        if metadata is None or not known_country(region):
            raise ValueError(f"{region!r} is not a country: two capital letters such as IT or US")
        self.region = region
        self.calling_code = str(metadata.country_code)
        self.trunk_prefix: str = metadata.national_prefix or ""
        self._international = re.compile(metadata.international_prefix or "00").match
        self._prefix = _prefix_matcher(metadata)
        general = metadata.general_desc
        assert general is not None and general.national_number_pattern is not None
        self._general = re.compile(general.national_number_pattern).fullmatch
        self.lengths = frozenset(general.possible_length)
        self._kinds = _alternatives(metadata, KINDS)
        short = phonenumbers.PhoneMetadata.short_metadata_for_region(region)
        self._short = _alternatives(short, SHORT_KINDS) if short is not None else None
        corrected = corrections(region)
        self._emergency = re.compile(corrected.emergency or "(?!)").fullmatch
        self._bare = re.compile(corrected.bare or "(?!)").fullmatch
        self._corrected = [
            (re.compile(pattern).fullmatch, kind) for kind, pattern in corrected.kinds
        ]
        self._siblings: dict[str, Country] | None = None

    def after_international_prefix(self, number: str) -> int:
        """Return how many digits of a dialled number are the prefix for calls abroad, else 0.

        A calling code never begins with 0, so a 0 behind the prefix means that it was none.
        """
        match = self._international(number)
        if match is None:
            return 0
        end = match.end()
        return 0 if number[end : end + 1] in ("0", "") else end

    def is_bare(self, number: str) -> bool:
        """Return whether a number is dialled without the trunk prefix that others need."""
        return self._bare(number) is not None and bool(self.kind(number))

    def begins_with_trunk_prefix(self, number: str) -> bool:
        match = self._prefix(number) if self._prefix is not None else None
        return match is not None and match.end() > 0

    def national(self, number: str) -> str:
        """Return the national number of one dialled or shown inside the country, or an empty text.

        An empty text means that the patterns alone do not decide it.
        """
        general = self._general
        match = self._prefix(number) if self._prefix is not None else None
        if match is not None and match.end():
            if match.lastindex is not None:
                return ""
            rest = number[match.end() :]
            if general(rest):
                return rest
        return number if general(number) else ""

    def kind(self, national: str) -> str:
        """Return the kind (a key of KINDS) of a national number, empty when it is not in use."""
        for fits, kind in self._corrected:
            if fits(national):
                return kind
        match = self._kinds(national) if self._kinds is not None else None
        return match.lastgroup or "" if match is not None else ""

    def short_kind(self, number: str) -> str:
        """Return the kind (a key of SHORT_KINDS) of a short number, empty when it is none."""
        if self._emergency(number):
            return "emergency"
        match = self._short(number) if self._short is not None else None
        return match.lastgroup or "" if match is not None else ""

    def possible(self, national: str) -> bool:
        """Return whether any number of the country has this many digits."""
        return len(national) in self.lengths

    def sibling(self, national: str) -> str:
        """Return the other country of the same calling code whose number this is, else empty."""
        if self._siblings is None:
            import phonenumbers

            regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(self.calling_code)]
            self._siblings = {
                region: Country(region) for region in regions if region != self.region
            }
        for region, country in self._siblings.items():
            if country.kind(national):
                return region
        return ""


def _prefix_matcher(metadata: object) -> Matcher | None:
    text = getattr(metadata, "national_prefix_for_parsing", None)
    return re.compile(text).match if text else None


class CallingCodes:
    """Splits international numbers into calling code and national number."""

    __slots__ = ("_codes", "_countries", "_prefixes")

    def __init__(self) -> None:
        import phonenumbers

        self._countries: dict[str, tuple[Country, ...]] = {}

        self._codes = frozenset(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
        self._prefixes: dict[str, Matcher | None] = {}

    def split(self, digits: str) -> Parsed | None:
        """Return calling code and national number of the digits behind ``+``, None when no country
        has such a code or the number is too short or too long."""
        for length in (2, 1, 3):
            code = digits[:length]
            if code in self._codes:
                break
        else:
            return None
        national = digits[length:]
        if not 2 <= len(national) <= LONGEST_NATIONAL:
            return None
        prefixes = self._prefixes
        matcher = prefixes[code] if code in prefixes else self._learn(code)
        if matcher is not None:
            match = matcher(national)
            # A trunk prefix behind the calling code, as in +44 (0)20: the parser knows when.
            if match is not None and match.end():
                return parse(f"+{digits}", None)
        return Parsed(code, national)

    def in_use(self, digits: str) -> bool:
        """Return whether the digits behind ``+`` are a number in use by the patterns of one of the
        countries of its calling code."""
        parsed = self.split(digits)
        if parsed is None:
            return False
        code, national = parsed
        countries = self._countries.get(code)
        if countries is None:
            import phonenumbers

            regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]
            countries = self._countries[code] = tuple(
                Country(region) for region in regions if known_country(region)
            )
        return any(country.kind(national) for country in countries)

    def _learn(self, code: str) -> Matcher | None:
        import phonenumbers

        region = phonenumbers.region_code_for_country_code(int(code))
        metadata = (
            phonenumbers.PhoneMetadata.metadata_for_nongeo_region(int(code))
            if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
            else phonenumbers.PhoneMetadata.metadata_for_region(region)
        )
        matcher = _prefix_matcher(metadata)
        self._prefixes[code] = matcher
        return matcher
