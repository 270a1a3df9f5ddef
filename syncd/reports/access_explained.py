"""What a viewer sees and why, or why not, in plain words.

What is seen is asked of the scope itself, the same way as every report asks it; this module only
finds the words for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from syncd.calls.explanation import load_conversation
from syncd.directory.people.find import called, find_person
from syncd.domain.clock import BEGINNING, FOREVER, iso
from syncd.domain.codes import LEVELS
from syncd.domain.errors import UsageError, UserError
from syncd.reports.access import Origins, joined, level_name, split
from syncd.reports.catalogue.standard import catalogue
from syncd.reports.conditions import records_of
from syncd.reports.conversation import ConversationRows, NoSuchCall
from syncd.reports.environment import Environment
from syncd.reports.lookups import ORG_FIELDS, Lookups, select
from syncd.reports.permissions import (
    OWN,
    REQUIRED_LEVELS,
    Reach,
    Scope,
    may_open,
    required_level,
    scope_of,
)
from syncd.reports.scope import Door, Policy, id_list, in_list, row_conditions, viewer_of
from syncd.settings.model import DirectorySettings
from syncd.store.models import Org, Party, Profile

BASIS_WORDS = {
    "department": "department",
    "cost_center": "cost center",
    "office_location": "office",
}
KINDS = ("call", "person", "report")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and what is needed to answer."""

    door: Door
    policy: Policy
    environment: Environment
    directories: Mapping[str, DirectorySettings]


def explain_access(asked: Asked, user: str, about: str | None = None) -> dict[str, Any]:
    """Return what a person sees and why, ready for JSON; ``about`` is the id of a call, a report or a
    person, also with ``call:``, ``report:`` or ``person:`` before it.

    Raises UserError or UsageError for a person, call or report that is none.
    """
    about_whom = Sight(asked, find_person(user))
    answer: dict[str, Any] = {"viewer": about_whom.described(), "sees": about_whom.sentences()}
    answer["about"] = None if about is None else _about(about_whom, about)
    return answer


def _about(sight: Sight, about: str) -> dict[str, Any]:
    kind, colon, rest = about.partition(":")
    if colon and kind in KINDS:
        return {"call": sight.call, "person": sight.person, "report": sight.report}[kind](rest)
    if about in sight.known:
        return sight.report(about)
    try:
        return sight.call(about)
    except UsageError:
        pass
    try:
        return sight.person(about)
    except UsageError:
        raise
    except UserError:
        near = get_close_matches(about, sight.known, 1)
        raise UserError(
            f"there is no call, person or report called {about}",
            f"did you mean {near[0]}?"
            if near
            else "syncd person list and syncd report name them all",
        ) from None


class Sight:
    """What one person sees as of now."""

    def __init__(self, asked: Asked, party: Any) -> None:
        self.asked = asked
        self.party = party
        self.viewer = viewer_of(party, asked.policy.level6_basis)
        self.name = called(party)
        self.scope = scope_of(self.viewer) if not self.hindrance else Scope(Reach.NONE)
        self.basis = BASIS_WORDS[self.viewer.level6_basis]

    @property
    def hindrance(self) -> str:
        """Why nothing at all is seen, empty where something is."""
        party, zone = self.party, self.asked.environment.zone
        if party.departed_at is not None:
            return f"{self.name} left on {iso(party.departed_at, zone)[:10]}"
        if party.kind != "person":
            return f"{self.name} is a {party.kind}, which cannot look at anything"
        if not party.enabled:
            return f"{self.name} is disabled"
        if self.viewer.level not in LEVELS:
            return f"{self.viewer.level} is no level: they are 0, 2, 6, 8 and 10"
        if self.viewer.level < OWN:
            return f"{self.name} has level 0, no access"
        return ""

    def described(self) -> dict[str, Any]:
        """Return who they are and what they may."""
        party, viewer = self.party, self.viewer
        return {
            "username": party.username or None,
            "person": party.display_name or None,
            "source": party.source,
            "level": viewer.level,
            "name": level_name(viewer.level),
            "from": Origins(self.asked.directories).of(party),
            "basis": viewer.level6_basis if self.scope.reach is not Reach.ALL else None,
            "department": party.department or None,
            "cost_center": party.cost_center or None,
            "office_location": party.office_location or None,
            "additional_departments": split(party.additional_departments),
            "masked_digits": viewer.masked_digits,
            "opens": self._opens(),
        }

    def _opens(self) -> list[str]:
        """Return the reports that are open to them."""
        if self.hindrance:
            return []
        names = catalogue(self.asked.environment.custom_fields)
        return [name for name in names if may_open(self.viewer, name, self.asked.policy.levels)]

    # --- in general ------------------------------------------------------------------------------

    def sentences(self) -> list[str]:
        """Return in plain words what they see."""
        if self.hindrance:
            return [f"{self.hindrance}: every door is as if it were not there."]
        found = [self._reach()]
        if self.viewer.level == 6:
            found += self._places()
        if self.scope.masked_digits:
            digits = self.scope.masked_digits
            last = "digit" if digits == 1 else f"{digits} digits"
            are = "is an asterisk" if digits == 1 else "are asterisks"
            found.append(
                f"The last {last} of outside numbers {are}, in exports, mail and filters too."
            )
        if self.asked.policy.private_numbers and self.viewer.level >= 10:
            found.append("The numbers of everybody's private calls are shown, as [reports] says.")
        else:
            found.append("The numbers of other people's private calls are hidden.")
        return found

    def _reach(self) -> str:
        level, name = self.viewer.level, self.name
        if self.scope.reach is Reach.ALL:
            more = ", and manages everything" if level >= 10 else ""
            return f"{name} sees all calls of all users{more}: level {level}."
        own = "their own calls, also those made when they were elsewhere"
        if level == OWN:
            return f"{name} sees {own}: level 2."
        if self.scope.reach is Reach.OWN:
            return f"{name} sees {own}, and nobody else's: level 6, but no {self.basis} to go by."
        return (
            f"{name} sees {own}, and every call of who was in"
            f" {joined(self._spelled(sorted(self.scope.keys)))} when it was made: level 6, by"
            f" {self.basis}."
        )

    def _places(self) -> list[str]:
        """Return what is to be said of the names a viewer of level 6 goes by."""
        viewer, found = self.viewer, []
        own = getattr(viewer, viewer.level6_basis)
        if not self.party.level6_basis:
            found.append(f"The {self.basis} counts because [reports] level6_basis says so.")
        if not own:
            found.append(
                f"{self.name} has no {self.basis}: that is not the same as all who have none."
            )
        if viewer.level6_basis != "department":
            if viewer.additional_departments:
                found.append("Additional departments count with the basis department alone.")
            return found
        for key in viewer.additional_departments:
            if not self._lookups.orgs_with("department", [key]):
                found.append(
                    f"Nobody was ever in a department called {joined(self._spelled([key]))}, which"
                    " is one of their additional ones."
                )
        return found

    def _spelled(self, keys: list[str]) -> list[str]:
        basis = self.viewer.level6_basis
        return [str(self._lookups.label(basis, key) or key) for key in keys]

    @cached_property
    def _lookups(self) -> Lookups:
        from syncd.domain.days import Days

        return Lookups(Days(self.asked.environment.zone), 0, 0)

    @cached_property
    def known(self) -> frozenset[str]:
        """The reports, and the verbs that have a level of their own."""
        entries = catalogue(self.asked.environment.custom_fields)
        return frozenset([*entries, *REQUIRED_LEVELS])

    # --- a report --------------------------------------------------------------------------------

    def report(self, name: str) -> dict[str, Any]:
        """Return whether a report, or a verb with a level, opens."""
        if name not in self.known:
            raise UserError(f"there is no report {name}", "syncd report lists them")
        levels = self.asked.policy.levels
        needs = max(OWN, required_level(name, levels))
        opens = not self.hindrance and may_open(self.viewer, name, levels)
        why = f"it needs level {needs}"
        if name in levels:
            why += f", as [report:{name}] says"
        why += f"; {self.name} has {self.viewer.level}"
        if self.hindrance:
            why = self.hindrance
        then = "; what stands in it is what they see at all" if opens else ""
        return {"report": name, "opens": opens, "why": f"{why}{then}."}

    # --- a person --------------------------------------------------------------------------------

    def person(self, name: str) -> dict[str, Any]:
        """Return of which times a person's calls are seen, and why."""
        party = find_person(name)
        rows = (
            Profile.select(Profile.valid_from, Profile.valid_to, Org)
            .join(Org)
            .where(Profile.party == party.id)
            .order_by(Profile.valid_from)
        )
        zone = self.asked.environment.zone
        times = []
        for row in rows:
            seen, why = self.judged(party.id, row.org_id)
            begins, ends = row.valid_from, row.valid_to
            times.append(
                {
                    "from": None if begins <= BEGINNING else iso(begins, zone),
                    "to": None if ends >= FOREVER else iso(ends, zone),
                    **self._of_org(row.org_id),
                    "seen": seen,
                    "why": why,
                }
            )
        return {"person": called(party), "times": times}

    def _of_org(self, org: int) -> dict[str, str | None]:
        found = select(f"SELECT {', '.join(ORG_FIELDS)} FROM org WHERE id = ?", org)
        keys = found[0] if found else ("", "", "")
        return {
            field: self._lookups.label(field, key or None)
            for field, key in zip(ORG_FIELDS, keys, strict=True)
        }

    # --- a call ----------------------------------------------------------------------------------

    def call(self, public_id: str) -> dict[str, Any]:
        """Return each row of a call's conversation, whether it is seen and why. Raises UsageError for
        what is no id, NoSuchCall."""
        public_id = public_id.strip().lower()
        environment, door = self.asked.environment, self.asked.door
        for record in sorted(records_of(public_id)):
            stored = load_conversation(record)
            rows = ConversationRows(door, environment.zone, environment.custom_fields, stored)
            known = {rows.conversation, *rows.found}
            known |= {rows.record_id(rec.id) for rec in stored.records}
            if public_id not in known:
                continue
            theirs = ConversationRows(
                Door(self.viewer, self.scope, door.access_id),
                environment.zone,
                environment.custom_fields,
                stored,
            )
            owners = self._owners([rec.id for rec in stored.records], rows)
            return {
                "conversation": rows.conversation,
                "rows": [
                    {
                        "call": one,
                        **{
                            name: row[name]
                            for name in ("started_at", "side", "line_id", "person", *ORG_FIELDS)
                        },
                        "seen": one in theirs.found,
                        "why": self.judged(*owners[one])[1],
                    }
                    for one, row in rows.found.items()
                ],
            }
        raise NoSuchCall(public_id, door.viewer.name)

    def _owners(self, records: list[int], rows: ConversationRows) -> dict[str, tuple[int, int]]:
        """Return party and org of each row by its public id, of those that the asking viewer sees."""
        found = {}
        spans = id_list([record * 8 + side for record in records for side in range(8)])
        for part in row_conditions(self.asked.door.scope, rows.lookups):
            for call, party, org in select(
                f"SELECT id, party_id, org_id FROM call WHERE {in_list('id')} AND {part.sql}",
                spans,
                *part.parameters,
            ):
                found[rows.public_id(call)] = (party, org)
        return found

    # --- why -------------------------------------------------------------------------------------

    def judged(self, party: int, org: int) -> tuple[bool, str]:
        """Return whether a row of a party (0: nobody) in an org is seen, and why, as the conditions
        of the scope say it."""
        if self.hindrance:
            return False, self.hindrance
        if self.scope.reach is Reach.ALL:
            return True, f"level {self.viewer.level} sees all calls"
        if party == self.scope.party_id:
            return True, "it is their own"
        if self.viewer.level < 6:
            whose = "nobody's by name" if not party else f"that of {called(Party.get_by_id(party))}"
            return False, f"it is {whose}, and level 2 sees own calls alone"
        basis = self.viewer.level6_basis
        place = self._of_org(org)[basis]
        if self.scope.reach is Reach.ORGS and org in self._orgs:
            own = getattr(self.viewer, basis)
            whose = "their own" if org in self._lookups.orgs_with(basis, {own} - {""}) else ""
            which = whose or "one of their additional departments"
            return True, f"the {self.basis} was {place} when it was made, {which}"
        if place is None:
            return False, f"it was made in no {self.basis}, which nobody of level 6 goes by"
        theirs = joined(self._spelled(sorted(self.scope.keys))) or "in none"
        return False, f"the {self.basis} was {place} when it was made; theirs is {theirs}"

    @cached_property
    def _orgs(self) -> set[int]:
        return self._lookups.orgs_with(self.scope.basis, self.scope.keys)
