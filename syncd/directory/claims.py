"""Who claims which number, user id and device, and who gets it (docs/rules.md 2.3; pure).

A line, a user id or a device has at most one holder at any time. Who holds it and still claims it
keeps it, whatever the role; else the lower role (a first extension before an alias), then who is
known longer. A voicemail number is the exception: several who claim it as such share it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

from syncd.domain.codes import Role
from syncd.domain.party import FieldValue, Line, default_value

Owner = int | str
"""A party: by its id, or by its external id while it has none."""

Key = tuple[str, str, str, str]
"""One thing that can be held: kind, site, partition, number."""

E164 = "e164"
"""Kind of the keys by which two spellings of a number are one."""

NAMED_KINDS = ("user", "device")
"""Kinds of the keys of what is no number: their text is case-folded."""


class SiteNumbers(Protocol):
    """What of a ``[site:NAME]`` matters here."""

    @property
    def name(self) -> str: ...
    @property
    def internal_numbers(self) -> Sequence[str]:
        """Patterns, X = a digit."""
        ...


@runtime_checkable
class ComparesNumbers(Protocol):
    """A site that can tell that two spellings are one number, as attribution does."""

    @property
    def codes(self) -> Collection[str]:
        """The numbers that stand for a quite different E.164 number; every other one ends in the
        same digits, but for a ``#`` at its end."""
        ...

    def same(self, number: str) -> str:
        """Return the E.164 number by which a number is compared, empty for one that is compared as
        it is written (docs/rules.md 2.2)."""
        ...


class Claim(NamedTuple):
    """A party wants this line (for user ids and devices: only its number is set) in this role."""

    role: Role
    line: Line
    billed: bool


def claims_of(fields: Mapping[str, FieldValue], default_site: str = "") -> list[Claim]:
    """Return what a party with these fields claims, each number once: the first role wins.

    Fax and voicemail are billed only beside a first extension that is set and billed; an alias
    follows the first extension, the off-net fax number the fax, other extensions the first.
    """

    def text(name: str) -> str:
        value = fields.get(name, "")
        return value if isinstance(value, str) else ""

    def texts(name: str) -> tuple[str, ...]:
        value = fields.get(name, ())
        return value if isinstance(value, tuple) else ()

    site, partition = text("site") or default_site, text("partition")
    first = text("first_extension")
    billed = bool(first) and fields.get("bill_first_extension") is True
    fax = billed and fields.get("bill_fax") is True and bool(text("fax_number"))
    voicemail = billed and fields.get("bill_voicemail") is True
    wanted: list[tuple[Role, str, bool]] = [(Role.FIRST, first, billed)]
    wanted += [(Role.OTHER, number, billed) for number in texts("other_extensions")]
    wanted.append((Role.FAX, text("fax_number"), fax))
    wanted.append((Role.VOICEMAIL, text("voicemail_number"), voicemail))
    wanted += [(Role.ALIAS, number, billed) for number in texts("extension_alias")]
    wanted.append((Role.OFFNET_FAX, text("offnet_fax_number"), fax))
    claims: list[Claim] = []
    seen: set[str] = {""}
    for role, number, flag in wanted:
        if number not in seen:
            seen.add(number)
            claims.append(Claim(role, Line(site, partition, number), flag))
    user = text("cdr_user_id")
    if user:
        claims.append(Claim(Role.USER_ID, Line("", "", user), billed))
    devices = {device.casefold(): device for device in reversed(texts("devices"))}
    for device in reversed(devices.values()):
        claims.append(Claim(Role.DEVICE, Line("", "", device), billed))
    mobile = text("mobile_number")
    if mobile not in seen:
        # A mobile number is nobody's extension: it belongs to no site and no partition.
        claims.append(Claim(Role.MOBILE, Line("", "", mobile), billed=False))
    return claims


def idle_flags(fields: Mapping[str, FieldValue]) -> list[str]:
    """Return the fax and voicemail flags that are on, with a number, but act on nothing because the
    first extension is not set and billed."""
    first = fields.get("first_extension", default_value("first_extension"))
    if first and fields.get("bill_first_extension") is True:
        return []
    return [
        flag
        for flag, number in (("bill_fax", "fax_number"), ("bill_voicemail", "voicemail_number"))
        if fields.get(flag) is True and fields.get(number)
    ]


class Keys:
    """Which things a line stands for: its number as written, and the E.164 number where numbers are
    compared so; without a site both at every site that names it."""

    def __init__(self, sites: Collection[SiteNumbers] = ()) -> None:
        self._sites = {site.name: [*map(_pattern, site.internal_numbers)] for site in sites}
        self._same = {site.name: site.same for site in sites if isinstance(site, ComparesNumbers)}
        self._named: dict[str, tuple[tuple[str, str, str], ...]] = {}

    def of(self, role: Role, line: Line) -> tuple[Key, ...]:
        """Return the keys of a line in a role; two lines clash when they have one in common."""
        if role is Role.USER_ID:
            return ((NAMED_KINDS[0], "", "", line.number.casefold()),)
        if role is Role.DEVICE:
            return ((NAMED_KINDS[1], "", "", line.number.casefold()),)
        if role is Role.MOBILE:  # nobody's extension, wherever it is one
            return (("mobile", "", "", line.number),)
        own = ("line", line.site, line.partition, line.number)
        if line.site:
            e164 = self._e164(line.site, line.number)
            return (own, (E164, line.site, line.partition, e164)) if e164 else (own,)
        named = self._named.get(line.number)
        if named is None:
            named = self._named[line.number] = tuple(self._everywhere(line.number))
        return (own, *((kind, site, line.partition, text) for kind, site, text in named))

    def _e164(self, site: str, number: str) -> str:
        same = self._same.get(site)
        return same(number) if same else ""

    def _everywhere(self, number: str) -> Iterator[tuple[str, str, str]]:
        """Yield kind, site and text of the keys of a number that has no site of its own."""
        for site, fits in self._sites.items():
            e164 = self._e164(site, number)
            if e164 or len(self._sites) == 1 or any(fit(number) for fit in fits):
                yield "line", site, number
            if e164:
                yield E164, site, e164


def _pattern(text: str) -> Callable[[str], bool]:
    def fits(number: str) -> bool:
        return len(number) == len(text) and all(
            digit.isdigit() if wanted == "X" else digit == wanted
            for digit, wanted in zip(number, text, strict=True)
        )

    return fits


@dataclass(frozen=True, slots=True)
class Refusal:
    """A claim that another's holding stands against."""

    owner: Owner
    claim: Claim
    holder: Owner


@dataclass(slots=True)
class Taken:
    """Who has one key: all of them as voicemail when ``joinable``."""

    owners: list[Owner]
    joinable: bool


@dataclass(slots=True)
class Award:
    """What came of the claims."""

    granted: dict[Owner, list[Claim]] = field(default_factory=lambda: defaultdict(list))
    refused: list[Refusal] = field(default_factory=list)
    taken: dict[Key, Taken] = field(default_factory=dict)

    def contested(self, keys: Iterable[Key]) -> bool:
        """Whether more than one has a part in any of these keys."""
        return any(key in self.taken and len(self.taken[key].owners) > 1 for key in keys)


def award(
    claims: Iterable[tuple[Owner, Claim]],
    held: Mapping[Key, set[Owner]],
    fixed: Mapping[Key, Taken],
    keys: Keys,
) -> Award:
    """Decide who gets what.

    Given all claims, who among the claimants holds which keys now, and what others (of other
    sources) hold, against which no claim can win.
    """
    result = Award(taken={key: Taken([*has.owners], has.joinable) for key, has in fixed.items()})

    ranked = []
    for owner, claim in claims:
        wanted = keys.of(claim.role, claim.line)
        holds = any(owner in held.get(key, ()) for key in wanted)
        known = (0, owner, "") if isinstance(owner, int) else (1, 0, owner)
        ranked.append(((not holds, claim.role, known), owner, claim, wanted))
    ranked.sort(key=lambda item: item[0])

    for _, owner, claim, wanted in ranked:
        voicemail = claim.role is Role.VOICEMAIL
        taken = [result.taken[key] for key in wanted if key in result.taken]
        against = [has for has in taken if any(other != owner for other in has.owners)]
        if not all(voicemail and has.joinable for has in against):
            holder = next(has for has in against if not (voicemail and has.joinable))
            first = next(other for other in holder.owners if other != owner)
            result.refused.append(Refusal(owner, claim, first))
            continue
        if claim.line.site and any(has.owners == [owner] for has in taken):
            continue  # another spelling of what the first role has already
        result.granted[owner].append(claim)
        for key in wanted:
            has = result.taken.setdefault(key, Taken([], joinable=True))
            has.joinable = has.joinable and voicemail
            if owner not in has.owners:
                has.owners.append(owner)
    return result
