"""Who was where, or held what, since an earlier moment: planned first, then written.

Planning reads and changes nothing, so that what would move can be shown. The caller of ``write``
holds the write transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from shlex import quote
from typing import Any

from syncd.directory.apply import ORG_FIELDS, VERSION, directory_version
from syncd.directory.claims import Claim, Keys, claims_of
from syncd.directory.people.audit import begin_run, note
from syncd.directory.people.edit import Surroundings
from syncd.directory.people.find import (
    ROLE_FIELDS,
    called,
    fields_of,
    locks_of_party,
    mapped_fields,
    named,
)
from syncd.directory.people.history import Held, Version, changed_since, given, reaching_back
from syncd.domain.clock import BEGINNING, FOREVER, iso
from syncd.domain.codes import Role
from syncd.domain.errors import UsageError, UserError
from syncd.domain.party import PROFILE_FIELDS, Line, clean_number, name_key
from syncd.store import models
from syncd.store.database import set_meta
from syncd.store.models import Assignment, Org, Party, Profile
from syncd.store.names import spell
from syncd.store.rollups import fields_changed


@dataclass(slots=True)
class Rewrite:
    """What shall be written of one party, and which calls it concerns."""

    party_id: int
    since: int
    until: int
    versions: list[Version]
    """All profiles of the party afterwards."""
    fields: dict[str, str] = field(default_factory=dict)
    """Fields of today that change with it."""
    held: list[Held] = field(default_factory=list)
    """The assignments afterwards, of whoever is concerned."""
    gone: list[int] = field(default_factory=list)
    claim: Claim | None = None
    holders: tuple[int, ...] = ()
    """Who else held the line in between."""
    notes: list[tuple[int | None, str, str, str, str]] = field(default_factory=list)


def plan_move(party: Any, changes: Mapping[str, str], since: int, around: Surroundings) -> Rewrite:
    """Return what it takes that a person has been in another department, cost center or office
    since a moment. Raises UserError when the directory says something else of today."""
    who = called(party)
    _past(since, around.now)
    fields: dict[str, str] = {}
    mapped, locks = mapped_fields(party, around.directories), locks_of_party(party.id)
    for name, text in changes.items():
        today = str(getattr(party, name))
        if name_key(today) == name_key(text) or party.departed_at is not None:
            continue
        if name in mapped and name not in locks:
            raise UserError(
                f"the directory {party.source} says that {name} of {who} is {today!r} today",
                "change it there first, or: syncd person lock"
                f" {named(party)} {name} {quote(text)} --reason …",
            )
        fields[name] = text
    versions = _versions(party.id)
    if not versions:
        raise UserError(f"{who} has no history that could be rewritten")
    notes = [
        (party.id, "moved", name, str(getattr(party, name)), f"{text} since {_when(since, around)}")
        for name, text in changes.items()
    ]
    rewritten = changed_since(versions, changes, since)
    return Rewrite(party.id, since, FOREVER, rewritten, fields, notes=[*notes])


def plan_assign(
    party: Any, number: str, role: Role, since: int, until: int, around: Surroundings
) -> Rewrite:
    """Return what it takes that a person has held a number since … until (FOREVER: not ended).

    Raises UserError when the person does not have the number today and no end is given, when it is
    a shared voicemail number, or when its calls would not be billed.
    """
    who = called(party)
    _past(since, around.now)
    if until <= since:
        raise UsageError("the end is not after the beginning")
    if role not in ROLE_FIELDS:
        raise UsageError(f"a number cannot be given as {role.word}")
    claim = _claim(party, number, role, until, around)
    if not claim.billed:
        raise UserError(
            f"{claim.line.line_id} of {who} as {role.word} is not billed, so no call would be kept",
            "bill_first_extension, bill_fax and bill_voicemail turn billing on",
        )
    keys = Keys(around.sites)
    wanted_keys = {*keys.of(claim.role, claim.line)}

    def clashes(other: Claim) -> bool:
        return not wanted_keys.isdisjoint(keys.of(other.role, other.line))

    rows = [one for one in _held() if clashes(one.claim)]
    concerned = [one for one in rows if one.valid_to > since and one.valid_from < until]
    if any(one.shared for one in concerned):
        raise UserError(f"{claim.line.line_id} is a voicemail number that several people share")
    wanted = Held(
        None, party.id, claim, shared=False, learned_at=around.now, valid_from=since, valid_to=until
    )
    held, gone = given(rows, wanted, clashes)
    span = f"since {_when(since, around)}"
    if until != FOREVER:
        span += f" until {_when(until, around)}"
    return Rewrite(
        party.id,
        since,
        until,
        reaching_back(_versions(party.id), since),
        held=held,
        gone=gone,
        claim=claim,
        holders=tuple(sorted({one.party for one in concerned} - {party.id})),
        notes=[
            (party.id, "assigned", role.word, "", f"{claim.line.line_id} {span}"),
            *(
                (other, "taken", role.word, claim.line.line_id, f"{who} {span}")
                for other in sorted({one.party for one in concerned} - {party.id})
            ),
        ],
    )


def _when(moment: int, around: Surroundings) -> str:
    return "the beginning" if moment == BEGINNING else iso(moment, around.zone)


def _past(since: int, now: int) -> None:
    if since > now:
        raise UsageError("the beginning lies in the future")


def _claim(party: Any, number: str, role: Role, until: int, around: Surroundings) -> Claim:
    """Return the claim of a person on a number: that of today, or one of a past time."""
    try:
        cleaned = clean_number(number)
    except ValueError as error:
        raise UsageError(str(error)) from error
    fields = fields_of(party)
    site = around.site_of(party.source)
    if party.departed_at is None:
        for claim in claims_of(fields, site):
            if claim.role is role and claim.line.number == cleaned:
                return claim
    name, who = ROLE_FIELDS[role], called(party)
    if until == FOREVER:
        raise UserError(
            f"{who} does not have {cleaned} as {role.word} today",
            "give it in the directory, with syncd person set or lock"
            f" {named(party)} {name} {cleaned}, or say --until when it ended",
        )
    fields[name] = (cleaned,) if role in (Role.OTHER, Role.ALIAS) else cleaned
    for other, other_name in ROLE_FIELDS.items():
        # In another role of today the number would win over the one that is asked for.
        if other is not role and fields[other_name] == cleaned:
            fields[other_name] = ""
    wanted = (claim for claim in claims_of(fields, site) if claim.role is role)
    return next(claim for claim in wanted if claim.line.number == cleaned)


def _versions(party_id: int) -> list[Version]:
    columns = [getattr(Profile, name) for name in PROFILE_FIELDS]
    query = (
        Profile.select(Profile.id, Profile.valid_from, Profile.valid_to, *columns)
        .where(Profile.party == party_id)
        .order_by(Profile.valid_from)
        .tuples()
    )
    return [Version(row[0], tuple(row[3:]), row[1], row[2]) for row in query]


def _held() -> list[Held]:
    query = (
        Assignment.select()
        .where(Assignment.role.in_([int(role) for role in ROLE_FIELDS]))
        .order_by(Assignment.valid_from, Assignment.id)
    )
    return [
        Held(
            row.id,
            row.party_id,
            Claim(Role(row.role), Line(row.site, row.partition, row.number), bool(row.billed)),
            bool(row.shared),
            row.learned_at,
            row.valid_from,
            row.valid_to,
        )
        for row in query
    ]


def write(rewrite: Rewrite, around: Surroundings) -> None:
    """Write what was planned, and enter it in the history."""
    for version in rewrite.versions:
        _write_version(rewrite.party_id, version)
    if rewrite.gone:
        Assignment.delete().where(Assignment.id.in_(rewrite.gone)).execute()
    for one in rewrite.held:
        _write_held(one)
    if rewrite.fields:
        Party.update(**rewrite.fields).where(Party.id == rewrite.party_id).execute()
    note(begin_run(around.command, around.now), rewrite.notes)
    set_meta(VERSION, str(directory_version() + 1))


def _write_version(party_id: int, version: Version) -> None:
    columns: dict[str, object] = dict(zip(PROFILE_FIELDS, version.values, strict=True))
    columns |= {
        "org": org_of(version.values, create=True),
        "valid_from": version.valid_from,
        "valid_to": version.valid_to,
    }
    if version.id is None:
        Profile.insert(party=party_id, **columns).execute()
    else:
        Profile.update(**columns).where(Profile.id == version.id).execute()
        fields_changed()


def org_of(values: Iterable[str], *, create: bool = False) -> int | None:
    """Return the org of a profile's values; None when there is none yet, unless it is made."""
    texts = dict(zip(PROFILE_FIELDS, values, strict=True))
    keys = {name: name_key(texts[name]) for name in ORG_FIELDS}
    row = Org.get_or_none(*(getattr(Org, name) == key for name, key in keys.items()))
    if row is not None or not create:
        return None if row is None else int(row.id)
    for name, key in keys.items():
        if key:
            spell(name, key, texts[name])
    return int(Org.insert(**keys).execute())


def _write_held(one: Held) -> None:
    if one.id is not None:
        bounds = {"valid_from": one.valid_from, "valid_to": one.valid_to}
        Assignment.update(**bounds).where(Assignment.id == one.id).execute()
        return
    line = one.claim.line
    Assignment.insert(
        party=one.party,
        role=int(one.claim.role),
        line=line_row(line, create=True),
        site=line.site,
        partition=line.partition,
        number=line.number,
        billed=one.claim.billed,
        shared=one.shared,
        learned_at=one.learned_at,
        valid_from=one.valid_from,
        valid_to=one.valid_to,
    ).execute()


def line_row(line: Line, *, create: bool = False) -> int:
    """Return the row of a line; 0 when there is none yet, unless it is made."""
    found = models.Line.get_or_none(
        models.Line.site == line.site,
        models.Line.partition == line.partition,
        models.Line.number == line.number,
    )
    if found is not None or not create:
        return 0 if found is None else int(found.id)
    return int(
        models.Line.insert(
            site=line.site, partition=line.partition, number=line.number, line_id=line.line_id
        ).execute()
    )
