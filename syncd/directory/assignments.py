"""Which assignments a sync closes and opens, so that claims and holdings agree (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from syncd.directory.claims import Award, Claim, Key, Keys, Owner, Taken, award, claims_of
from syncd.directory.plan import (
    LOCAL,
    Closing,
    Conflict,
    Current,
    Holding,
    Opening,
    PastHolding,
    People,
    Plan,
    Terms,
    name_of,
)
from syncd.domain.clock import BEGINNING
from syncd.domain.codes import Role
from syncd.domain.party import Line

_MANY = -1
"""Stands for several owners, or for one whom this run cannot move."""

Wanted = dict[tuple[Claim, bool], None]
"""What one party is to hold: claims with "shared" beside them, in order."""


def assign(current: Current, people: People, terms: Terms, plan: Plan) -> None:
    """Add to a plan what becomes of assignments, and the conflicts.

    A number passes from one to another without gap or overlap. What somebody who left still holds
    gives way to who claims it; else it is closed when the grace is over. Either way it ends at the
    departure.
    """
    keys = Keys(terms.sites)
    own, leaving, others = _sorted_holdings(current, people)
    plan.settled = settled(people, own, (*leaving, *others), keys, terms)
    claims = [
        (owner, claim)
        for owner, fields in people.fields.items()
        if owner not in plan.settled
        for claim in claims_of(fields, terms.default_site)
    ]
    held: dict[Key, set[Owner]] = defaultdict(set)
    for party_id, holdings in own.items():
        for holding in () if party_id in plan.settled else holdings:
            for key in keys.of(holding.role, holding.line):
                held[key].add(party_id)
    result = award(claims, held, _fixed(current, others, keys), keys)
    plan.granted = result.granted

    sharing = _leave(leaving, people, result, keys, plan)
    missing = {
        owner: _wanted(granted, result, sharing, keys) for owner, granted in result.granted.items()
    }
    for party_id, holdings in own.items():
        if party_id in plan.settled:
            continue
        _keep_or_close(holdings, missing.get(party_id, {}), terms, plan)
    _join(current, others, result, terms, keys, plan, missing)
    _open(current, missing, terms, keys, plan)
    _conflicts(current, people, result, plan)


def settled(
    people: People,
    own: Mapping[int, Sequence[Holding]],
    foreign: Iterable[Holding],
    keys: Keys,
    terms: Terms,
) -> frozenset[Owner]:
    """Return those who hold exactly what they claim, and nobody else has to do with any of it.

    Mostly that is nearly everybody, and about them there is nothing to decide.
    """
    touched: dict[Key, Owner] = {}

    def touch(owner: Owner, role: Role, line: Line) -> None:
        for key in keys.of(role, line):
            if touched.setdefault(key, owner) != owner:
                touched[key] = _MANY

    strange = (held for owner, held in own.items() if owner not in people.fields)
    for holding in (*foreign, *chain.from_iterable(strange)):
        touch(_MANY, holding.role, holding.line)
    content: list[int] = []
    for owner, fields in people.fields.items():
        claims = claims_of(fields, terms.default_site)
        holdings = own.get(owner, ()) if isinstance(owner, int) else ()
        exact = [holding.claim for holding in holdings if not holding.shared]
        if isinstance(owner, int) and len(holdings) == len(claims) and {*exact} == {*claims}:
            content.append(owner)
        else:
            for holding in holdings:
                touch(owner, holding.role, holding.line)
        for role, line, _ in claims:
            touch(owner, role, line)
    return frozenset(
        owner
        for owner in content
        if all(
            touched[key] == owner
            for holding in own.get(owner, ())
            for key in keys.of(holding.role, holding.line)
        )
    )


def _sorted_holdings(
    current: Current, people: People
) -> tuple[dict[int, list[Holding]], list[Holding], list[Holding]]:
    """Return the open holdings of those who stay, of those who left, and of other sources."""
    own: dict[int, list[Holding]] = defaultdict(list)
    leaving: list[Holding] = []
    others: list[Holding] = []
    for holding in current.holdings:
        if holding.party_id in people.gone:
            leaving.append(holding)
        elif holding.party_id in current.others:
            others.append(holding)
        else:
            own[holding.party_id].append(holding)
    return own, leaving, others


def _fixed(current: Current, others: list[Holding], keys: Keys) -> dict[Key, Taken]:
    """Return what other sources hold. A voicemail number can be shared with them, except one that
    somebody gave by hand to one person alone."""
    fixed: dict[Key, Taken] = {}
    for holding in others:
        local = current.others[holding.party_id].source == LOCAL
        joinable = holding.role is Role.VOICEMAIL and (holding.shared or not local)
        for key in keys.of(holding.role, holding.line):
            has = fixed.setdefault(key, Taken([], joinable))
            has.joinable = has.joinable and joinable
            has.owners.append(holding.party_id)
    return fixed


def _leave(
    leaving: list[Holding], people: People, result: Award, keys: Keys, plan: Plan
) -> dict[Key, set[Owner]]:
    """Close what those who left hold, when their grace is over or somebody claims it. Returns the
    shared voicemail numbers in which some of them still have a part."""
    sharing: dict[Key, set[Owner]] = defaultdict(set)
    for holding in leaving:
        wanted = keys.of(holding.role, holding.line)
        taken = [result.taken[key] for key in wanted if key in result.taken]
        part = holding.shared and all(has.joinable for has in taken)
        if holding.party_id in people.ended or (taken and not part):
            end = max(people.gone[holding.party_id], holding.valid_from + 1)
            plan.closings.append(Closing(holding, end))
        elif part:
            for key in wanted:
                sharing[key].add(holding.party_id)
    return sharing


def _wanted(
    granted: Iterable[Claim], result: Award, sharing: dict[Key, set[Owner]], keys: Keys
) -> Wanted:
    wanted: Wanted = {}
    for claim in granted:
        shared = False
        if claim.role is Role.VOICEMAIL:
            of_line = keys.of(claim.role, claim.line)
            shared = result.contested(of_line) or any(sharing.get(key) for key in of_line)
        wanted[claim, shared] = None
    return wanted


def _keep_or_close(holdings: list[Holding], wanted: Wanted, terms: Terms, plan: Plan) -> None:
    """Close what a party holds and should not; what it rightly holds is wanted no more."""
    for holding in holdings:
        if (holding.claim, holding.shared) in wanted:
            del wanted[holding.claim, holding.shared]
        else:
            end = max(terms.now, holding.valid_from + 1)
            plan.closings.append(Closing(holding, end))


def _join(
    current: Current,
    others: list[Holding],
    result: Award,
    terms: Terms,
    keys: Keys,
    plan: Plan,
    missing: dict[Owner, Wanted],
) -> None:
    """Make a voicemail number of another source's that this one now names too a shared one."""
    for holding in others:
        if holding.role is not Role.VOICEMAIL or holding.shared:
            continue
        by_hand = current.others[holding.party_id].source == LOCAL
        if not by_hand and result.contested(keys.of(holding.role, holding.line)):
            end = max(terms.now, holding.valid_from + 1)
            plan.closings.append(Closing(holding, end))
            missing.setdefault(holding.party_id, {})[holding.claim, True] = None


def _open(
    current: Current, missing: dict[Owner, Wanted], terms: Terms, keys: Keys, plan: Plan
) -> None:
    """Open what is missing, never before the line's last holding ended."""
    earliest = BEGINNING if terms.first else terms.now
    past = [
        PastHolding(
            c.holding.party_id, c.holding.role, c.holding.line, c.holding.shared, c.valid_to
        )
        for c in plan.closings
    ]
    ends: dict[Key, list[PastHolding]] = defaultdict(list)
    if any(missing.values()):
        for ended in (*current.past, *past):
            if ended.valid_to > earliest:
                for key in keys.of(ended.role, ended.line):
                    ends[key].append(ended)
    for owner, wanted in missing.items():
        start = BEGINNING if terms.first and isinstance(owner, str) else terms.now
        for claim, shared in wanted:
            free = max(
                (
                    ended.valid_to
                    for key in keys.of(claim.role, claim.line)
                    for ended in ends.get(key, ())
                    if not (shared and ended.shared and ended.party_id != owner)
                ),
                default=start,
            )
            plan.openings.append(Opening(owner, claim, shared, max(start, free)))


def _conflicts(current: Current, people: People, result: Award, plan: Plan) -> None:
    def called(owner: Owner) -> str:
        if owner in people.fields:
            return name_of(people.fields[owner], people.where[owner])
        return current.others[int(owner)].name

    for refusal in result.refused:
        role, line, _ = refusal.claim
        who, where = called(refusal.owner), people.where[refusal.owner]
        plan.conflicts.append(
            Conflict(who, where, role, line, called(refusal.holder), refusal.owner)
        )
