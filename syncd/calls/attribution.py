"""Whose number is this, at that moment (pure; docs/rules.md 5.4)?

Order: partition.number, then the number at the site, then by E.164, then the extension that one of
the site's public numbers reaches; if nobody holds it, the CDR's
user id, then the device. More than one candidate is ambiguous: not billed, listed, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from syncd.domain.codes import Role
from syncd.licensing.slots import SlotKey


class Plan(Protocol):
    """What attribution needs to know of a site's numbering."""

    def is_internal(self, number: str) -> bool: ...

    def same(self, number: str) -> str:
        """E.164 of a number that is to be compared so, else an empty text."""

    def extension(self, number: str) -> str:
        """Extension that one of the site's public numbers reaches, else an empty text."""


class Holder(NamedTuple):
    """An assignment as intake needs it. ``line`` is the row of the line table."""

    party: int
    role: Role
    line: int
    line_id: str
    site: str
    partition: str
    number: str
    billed: bool
    shared: bool
    valid_from: int
    valid_to: int
    slot: SlotKey


class ProfileSpan(NamedTuple):
    """A profile's id and org, from … to."""

    profile: int
    org: int
    valid_from: int
    valid_to: int


class Found(NamedTuple):
    """The answer: the holder, or none with the reason, and who else came into question.

    Found by user id or device, the holder is the line by which that party is billed.
    """

    holder: Holder | None
    reason: str
    candidates: tuple[Holder, ...] = ()


HELD_BY_NUMBER = "number"
HELD_BY_PARTITION = "partition and number"
HELD_BY_E164 = "E.164 number"
HELD_BY_OWN_NUMBER = "extension of the public number"
HELD_BY_USER = "user id"
HELD_BY_DEVICE = "device"
HELD_BY_MOBILE = "mobile number"
NOBODY = "nobody holds the number"
AMBIGUOUS = "ambiguous: more than one party holds the number"

BY_NAME = (HELD_BY_USER, HELD_BY_DEVICE, HELD_BY_MOBILE)
"""The party was found, but the number is held by nobody."""

NOT_FOUND = Found(None, NOBODY)


Tier = tuple[tuple[Holder, ...], Found]
"""Candidates, and the answer if one of them is it for all times."""


class Holders:
    """All assignments and profiles of one moment of the directory's history, for one site."""

    def __init__(
        self,
        holders: Iterable[Holder],
        profiles: Mapping[int, Sequence[ProfileSpan]],
        *,
        site: str,
        plan: Plan,
        partitions: bool,
        only_site: bool,
        order: Sequence[str] = ("number", "user"),
    ) -> None:
        """``partitions``: numbers match with their partition (driver ``cucm-partition``);
        ``only_site``: there is no other site, so a person without one belongs here."""
        self._profiles = profiles
        self._plan = plan
        self._partitions = partitions
        self._user_first = tuple(order)[:1] == ("user",)
        self._by_number: dict[str, list[Holder]] = {}
        self._by_e164: dict[str, list[Holder]] = {}
        self._by_user: dict[str, list[Holder]] = {}
        self._by_device: dict[str, list[Holder]] = {}
        self._by_mobile: dict[str, list[Holder]] = {}
        self._of_party: dict[int, list[Holder]] = {}
        self._memo: dict[tuple[str, str], tuple[Tier, ...]] = {}
        for holder in holders:
            self._of_party.setdefault(holder.party, []).append(holder)
            if holder.role is Role.USER_ID:
                self._by_user.setdefault(holder.number.casefold(), []).append(holder)
            elif holder.role is Role.DEVICE:
                self._by_device.setdefault(holder.number.upper(), []).append(holder)
            elif holder.role is Role.MOBILE:
                key = plan.same(holder.number) or holder.number
                self._by_mobile.setdefault(key, []).append(holder)
            elif self._here(holder, site, only_site):
                self._by_number.setdefault(holder.number, []).append(holder)
                e164 = plan.same(holder.number)
                if e164:
                    self._by_e164.setdefault(e164, []).append(holder)

    def _here(self, holder: Holder, site: str, only_site: bool) -> bool:
        if holder.site:
            return holder.site == site
        return (
            only_site
            or self._plan.is_internal(holder.number)
            or bool(self._plan.same(holder.number))
        )

    def find(self, number: str, partition: str, user: str, device: str, when: int) -> Found:
        """Return who held a number at a moment (epoch seconds), else who the user id or the device
        points to."""
        if self._user_first and user:
            found = self._by_name(self._by_user, user.casefold(), when, HELD_BY_USER)
            if found.holder is not None:
                return found
        tiers = self._memo.get((number, partition))
        if tiers is None:
            tiers = self._memo[number, partition] = tuple(self._tiers(number, partition))
        for candidates, answer in tiers:
            holder = answer.holder
            if holder is not None:
                if holder.valid_from <= when < holder.valid_to:
                    return answer
            else:
                found = _choose(candidates, when, answer.reason)
                if found.reason is not NOBODY:
                    return found
        if user and not self._user_first:
            found = self._by_name(self._by_user, user.casefold(), when, HELD_BY_USER)
            if found.reason is not NOBODY:
                return found
        if device:
            found = self._by_name(self._by_device, device.upper(), when, HELD_BY_DEVICE)
            if found.reason is not NOBODY:
                return found
        return NOT_FOUND

    def find_mobile(self, number: str, when: int) -> Found:
        """Return whose mobile phone has a number, for single number reach."""
        key = self._plan.same(number) or number
        return self._by_name(self._by_mobile, key, when, HELD_BY_MOBILE)

    def _tiers(self, number: str, partition: str) -> Iterator[Tier]:
        """Yield who ever held a number, those who are asked first before the others."""
        for index, key, reason in (
            (self._by_number, number, HELD_BY_NUMBER),
            (self._by_e164, self._plan.same(number) if number else "", HELD_BY_E164),
            (self._by_number, self._plan.extension(number) if number else "", HELD_BY_OWN_NUMBER),
        ):
            held = index.get(key, []) if key else []
            if self._partitions:
                if partition:
                    exact = [holder for holder in held if holder.partition == partition]
                    yield from _tier(exact, HELD_BY_PARTITION)
                held = [holder for holder in held if not holder.partition]
            yield from _tier(held, reason)

    def _by_name(
        self, index: Mapping[str, Sequence[Holder]], key: str, when: int, reason: str
    ) -> Found:
        """Find a party by user id or device, and answer with the line it is billed by."""
        held = [h for h in index.get(key, ()) if h.valid_from <= when < h.valid_to]
        lines = []
        for holder in held:
            first = self.line_of(holder.party, (Role.FIRST, Role.OTHER), when)
            if first is not None:
                lines.append(first)
        return _choose(tuple(lines), when, reason)

    def line_of(self, party: int, roles: Sequence[Role], when: int) -> Holder | None:
        """Return a party's line in the first of these roles that it held at a moment."""
        for role in roles:
            for holder in self._of_party.get(party, ()):
                if holder.role is role and holder.valid_from <= when < holder.valid_to:
                    return holder
        return None

    def profile(self, party: int, when: int) -> tuple[int, int]:
        """Return the (profile id, org id) of a party at a moment, (0, 0) when it had none."""
        spans = self._profiles.get(party, ())
        for span in spans:
            if span.valid_from <= when < span.valid_to:
                return span.profile, span.org
        return (0, 0)


def _tier(candidates: Sequence[Holder], reason: str) -> Iterator[Tier]:
    """Yield candidates with the answer if there is one for all times; nothing without any."""
    if candidates:
        only = candidates[0] if len(candidates) == 1 else _pilot(candidates)
        yield tuple(candidates), Found(only, reason, tuple(candidates))


def _pilot(candidates: Sequence[Holder]) -> Holder | None:
    """Return a shared voicemail pilot for as long as anybody has named it: nobody holds it, so who
    names it does not matter."""
    if not all(holder.shared for holder in candidates):
        return None
    return candidates[0]._replace(
        valid_from=min(holder.valid_from for holder in candidates),
        valid_to=max(holder.valid_to for holder in candidates),
    )


def _choose(candidates: Sequence[Holder], when: int, reason: str) -> Found:
    """Return the one party among the candidates of that moment, or say that there are several."""
    now = [holder for holder in candidates if holder.valid_from <= when < holder.valid_to]
    if not now:
        return NOT_FOUND
    if len({holder.party for holder in now}) == 1 or all(holder.shared for holder in now):
        return Found(min(now, key=lambda holder: holder.role), reason, tuple(now))
    return Found(None, AMBIGUOUS, tuple(now))
