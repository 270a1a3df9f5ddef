"""What a plan changes, said for people (pure)."""

from __future__ import annotations

from collections import defaultdict

from syncd.directory.claims import Owner, claims_of
from syncd.directory.plan import Current, Difference, Opening, People, Plan, name_of, shown
from syncd.domain.codes import Role

NUMBERS = (Role.FIRST, Role.OTHER, Role.FAX, Role.VOICEMAIL, Role.ALIAS, Role.OFFNET_FAX)
"""The roles in which a line is a number."""


def differences(current: Current, people: People, plan: Plan) -> list[Difference]:
    """Return one difference for each party that comes (with its lines), goes or returns, for each
    field that changes, and for each assignment that changes though no field of its party does."""
    stored = {row.id: row.fields for row in current.parties}

    def who(owner: Owner) -> str:
        fields = people.fields.get(owner) or (stored.get(owner) if isinstance(owner, int) else None)
        if fields is not None:
            return name_of(fields, people.where.get(owner, str(owner)))
        return current.others[int(owner)].name

    given: dict[Owner, list[str]] = defaultdict(list)
    for opening in plan.openings:
        if opening.claim.role in NUMBERS:
            given[opening.owner].append(_line(opening))
    found = [
        _arrived(who(arrival.external_id), arrival.external_id, given[arrival.external_id])
        for arrival in plan.arrivals
    ]
    for state in plan.newcomers:
        claims = [claim for claim in claims_of(state.fields) if claim.role in NUMBERS]
        has = [_shown(claim.line.line_id, billed=claim.billed, shared=False) for claim in claims]
        found.append(_arrived(name_of(state.fields, state.where), state.external_id, has))
    for what, party_ids in (
        ("returned", plan.returns),
        ("departed", plan.departures),
        ("closed", plan.closed_parties),
    ):
        found += [Difference(who(party_id), what, owner=party_id) for party_id in party_ids]
    found += [
        Difference(
            who(change.party_id),
            "changed",
            change.field,
            shown(change.old),
            shown(change.new),
            change.party_id,
        )
        for change in plan.changes
    ]
    told = {difference.owner for difference in found}
    lines: dict[tuple[Owner, Role], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for closing in plan.closings:
        holding = closing.holding
        text = _shown(holding.line.line_id, billed=holding.billed, shared=holding.shared)
        lines[holding.party_id, holding.role][0].append(text)
    for opening in plan.openings:
        lines[opening.owner, opening.claim.role][1].append(_line(opening))
    for (owner, role), (old, new) in lines.items():
        if owner not in told:
            texts = (";".join(old), ";".join(new))
            found.append(Difference(who(owner), "changed", f"{role.word} line", *texts, owner))
    return found


def _arrived(who: str, owner: Owner, lines: list[str]) -> Difference:
    return Difference(who, "arrived", "lines" if lines else "", "", ";".join(lines), owner)


def _line(opening: Opening) -> str:
    claim = opening.claim
    return _shown(claim.line.line_id, billed=claim.billed, shared=opening.shared)


def _shown(line_id: str, *, billed: bool, shared: bool) -> str:
    marks = [mark for mark, on in (("not billed", not billed), ("shared", shared)) if on]
    return f"{line_id} ({', '.join(marks)})" if marks else line_id
