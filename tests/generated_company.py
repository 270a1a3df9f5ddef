"""A company with everything that makes permissions hard, and its calls, written into the tables.

``Company`` keeps what it wrote as plain values, so that a test can say by brute force what a report
must show. Names differ in case and blanks, people move, share names and departments, have
additional departments that do not exist, and lines are anonymous or without a department.
"""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from syncd.domain.leg import Leg
from syncd.store import models
from syncd.store.partitions import make_room

ROME = ZoneInfo("Europe/Rome")
FIRST = int(datetime(2026, 1, 28, tzinfo=ROME).timestamp())
END = int(datetime(2026, 4, 3, tzinfo=ROME).timestamp())
MOVED = int(datetime(2026, 3, 10, 12, tzinfo=ROME).timestamp())
LEVELS = (0, 2, 2, 6, 6, 6, 8, 10)
DIRECTIONS = ("internal", "outgoing", "incoming", "transit", "on-net")
CLASSES = ("unclassified", "internal", "on-net", "local", "national", "mobile", "international")
SIDES = ("calling", "called", "first-redirecting", "redirecting", "pilot")
OUTCOMES = (None, "answered", "missed", "unanswered")
STATES = ("free", "rated", "unrated")


def key(text: str) -> str:
    """The comparison of names, written down a second time."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass
class Person:
    id: int
    fields: dict[str, Any]
    profiles: list[tuple[int, int, dict[str, str]]] = field(default_factory=list)
    """(profile id, valid from, texts)."""
    lines: list[int] = field(default_factory=list)


@dataclass
class Row:
    """A call row, in words."""

    id: int
    started_at: int
    record_hash: int
    conversation: tuple[int, int]
    """Start and hash of the first record."""
    line_id: str
    party: int
    texts: dict[str, str]
    """Of the profile: display name, department, cost center, office, custom1, custom2."""
    direction: str
    side: str
    counted: int
    outcome: str | None
    number_class: str
    destination: str
    ring: int
    duration: int
    cost: int | None
    state: str
    number: str
    outside: bool


class Company:
    """Writes itself into the open database."""

    def __init__(self, seed: int = 1, people: int = 24, conversations: int = 260) -> None:
        self.random = random.Random(seed)
        self.people: list[Person] = []
        self.rows: list[Row] = []
        self.lines = {0: ""}
        self._orgs: dict[tuple[str, str, str], int] = {("", "", ""): 0}
        self.destinations = ["", "Italy mobile", "France", "Rome"]
        for name in self.destinations[1:]:
            models.Destination.create(name=name)
        models.Trunk.create(name="pstn")
        models.Carrier.create(name="telco")
        models.RateUsed.create(carrier="telco", version="2026", prefix="39")
        models.Pbx.create(name="hq")
        self._make_people(people)
        self._anonymous = [self._line("hq", "", f"29{n:02d}") for n in range(3)]
        self._make_calls(conversations)

    # --- directory ---------------------------------------------------------------------------

    def _make_people(self, count: int) -> None:
        choice = self.random.choice
        departments = ["Sales", "sales ", "ＳＡＬＥＳ", "Research", "Re  search", "Legal", "", ""]
        centers = ["CC1", "cc1", "CC2", ""]
        offices = ["Rome", " rome", "Milan", ""]
        for number in range(count):
            name = choice(["Anna Bianchi", "Mario Rossi", f"Person {number}", f"=Person {number}"])
            fields = {
                "source": choice(["corp", "other"]),
                "external_id": f"id-{number}",
                "username": f"User{number}",
                "username_key": f"user{number}",
                "display_name": name,
                "permission_level": LEVELS[number % len(LEVELS)],
                "department": choice(departments),
                "cost_center": choice(centers),
                "office_location": choice(offices),
                "level6_basis": ("department", "", "department", "cost_center", "office_location")[
                    number % 5
                ],
                "additional_departments": choice(
                    ["", "Research; legal", "Research", " LEGAL ;nowhere", "nowhere;;", ";"]
                ),
                "masked_digits": choice([0, 0, 3, 30]),
                "custom1": choice(["Apollo", "apollo ", "Gemini", ""]),
                "custom2": choice(["x", ""]),
            }
            row = models.Party.create(arrived_at=0, **fields)
            person = Person(row.id, fields)
            before = {
                **fields,
                "department": "Purchasing",
                "cost_center": "CC9",
                "office_location": "Turin",
            }
            spans = [(0, MOVED, before), (MOVED, 2**62, fields)]
            if number % 3:
                spans = [(0, 2**62, fields)]
            for valid_from, valid_to, texts in spans:
                person.profiles.append(
                    (self._profile(row.id, texts, valid_from, valid_to), valid_from, texts)
                )
            partition = choice(["", "", "P1", "P2"])
            person.lines.append(self._line("hq", partition, f"2{number:03d}"))
            if number % 4 == 0:
                person.lines.append(self._line("branch", "", f"2{number:03d}"))
            self.people.append(person)

    def _line(self, site: str, partition: str, number: str) -> int:
        text = f"{partition}.{number}" if partition else number
        row = models.Line.create(site=site, partition=partition, number=number, line_id=text)
        self.lines[row.id] = text
        return int(row.id)

    def _org(self, texts: dict[str, str]) -> int:
        kinds = ("department", "cost_center", "office_location")
        keys = tuple(key(texts[kind]) for kind in kinds)
        if keys not in self._orgs:
            row = models.Org.create(**dict(zip(kinds, keys, strict=True)))
            self._orgs[keys] = row.id
        for kind in kinds:
            if key(texts[kind]):
                models.Name.insert(kind=kind, key=key(texts[kind]), text=texts[kind]).on_conflict(
                    conflict_target=[models.Name.kind, models.Name.key],
                    update={models.Name.text: texts[kind]},
                ).execute()
        return self._orgs[keys]

    def _profile(self, party: int, texts: dict[str, Any], valid_from: int, valid_to: int) -> int:
        names = (
            "display_name",
            "department",
            "cost_center",
            "office_location",
            "custom1",
            "custom2",
        )
        row = models.Profile.create(
            party=party,
            org=self._org(texts),
            valid_from=valid_from,
            valid_to=valid_to,
            **{name: texts[name] for name in names},
        )
        return int(row.id)

    # --- calls -------------------------------------------------------------------------------

    def _make_calls(self, conversations: int) -> None:
        choice, integer = self.random.choice, self.random.randint
        file = models.File.create(source="hq", name="cdr_1", sha256="0", state=1, taken_at=END)
        records, calls = [], []
        record_id = 0
        for _ in range(conversations):
            start = integer(FIRST, END - 5000)
            if integer(0, 9) == 0:  # around midnight and the change to summer time
                start = int(datetime(2026, 3, 29, tzinfo=ROME).timestamp()) + integer(-9000, 90000)
            first = record_id + 1
            legs = []
            for place in range(choice([1, 1, 1, 2, 3])):
                record_id += 1
                hashed = integer(-(2**63), 2**63 - 1)
                at = start + 40 * place
                records.append(self._record(record_id, at, first, file.id, hashed))
                legs.append((record_id, at, hashed))
            drafts = []
            for number, at, hashed in legs:
                for side in sorted(self.random.sample(range(5), choice([1, 1, 2]))):
                    drafts.append(self._draft(number, at, hashed, side))
            seen: dict[int, list[dict[str, Any]]] = {}
            for draft in drafts:
                seen.setdefault(draft["line_id"], []).append(draft)
            for of_line in seen.values():
                of_line[0]["counted"] = 1
                of_line[0]["outcome"] = integer(1, 3)
            for draft in drafts:
                draft["conversation"] = first
                calls.append(draft)
                self.rows.append(self._row(draft, legs[0]))
        for table in ("record", "call"):
            make_room(table, [record["started_at"] for record in records])
        models.Record.insert_many(records).execute()
        for begin in range(0, len(calls), 200):
            part = [self._columns(call) for call in calls[begin : begin + 200]]
            models.Call.insert_many(part).execute()
        models.File.update(read=len(records), stored=len(records), calls=len(calls)).where(
            models.File.id == file.id
        ).execute()

    def _record(
        self, number: int, at: int, conversation: int, file_id: int, hashed: int
    ) -> dict[str, Any]:
        values: dict[str, Any] = {
            name: "" if "str" in str(kind) else 0 for name, kind in Leg.__annotations__.items()
        }
        values |= {"started_at": at, "key": f"k{number:06d}", "key_hash": hashed}
        return values | {
            "id": number,
            "pbx_id": 1,
            "file_id": file_id,
            "row": number,
            "outcome": 0,
            "reason": "",
            "conversation": conversation,
            "provisional": 0,
        }

    def _draft(self, record: int, at: int, hashed: int, side: int) -> dict[str, Any]:
        choice, integer = self.random.choice, self.random.randint
        person = choice(self.people) if integer(0, 9) else None
        texts: dict[str, str] = {}
        profile, org = 0, 0
        if person is not None:
            profile, _, texts = next(p for p in reversed(person.profiles) if p[1] <= at)
            org = self._org(texts)
        state = choice([0, 1, 1, 2])
        outside = integer(0, 2) > 0
        number = choice(["+39061234567", "+390699", "112", "", "*21#", "0039333555"])
        return {
            "id": record * 8 + side,
            "started_at": at,
            "hash": hashed,
            "side": side,
            "line_id": choice(person.lines if person else self._anonymous),
            "party_id": person.id if person else 0,
            "profile_id": profile,
            "texts": texts,
            "org_id": org,
            "role": 1 if person else 10,
            "counted": 0,
            "outcome": 0,
            "direction": integer(0, 4),
            "class": integer(0, 6),
            "destination_id": integer(0, 3),
            "trunk_id": integer(0, 1),
            "carrier_id": integer(0, 1),
            "rate_id": 1 if state == 1 else 0,
            "ring_seconds": integer(0, 30),
            "duration": integer(0, 600),
            "billed_seconds": integer(0, 600),
            "cost": (0, integer(0, 3_000_000), None)[state],
            "state": state,
            "reason": "no rate" if state == 2 else "",
            "disposition": integer(0, 6),
            "posting_period": 202601,
            "leg": 0,
            "other_number": number if outside else f"2{integer(0, 20):03d}",
            "other_outside": int(outside),
            "hunt_pilot": choice(["", "", "2900"]),
        }

    def _columns(self, draft: dict[str, Any]) -> dict[str, Any]:
        columns = {name: value for name, value in draft.items() if name not in ("hash", "texts")}
        columns["class_"] = columns.pop("class")
        return columns

    def _row(self, draft: dict[str, Any], first: tuple[int, int, int]) -> Row:
        return Row(
            draft["id"],
            draft["started_at"],
            draft["hash"],
            (first[1], first[2]),
            self.lines[draft["line_id"]],
            draft["party_id"],
            draft["texts"],
            DIRECTIONS[draft["direction"]],
            SIDES[draft["side"]],
            draft["counted"],
            OUTCOMES[draft["outcome"]],
            CLASSES[draft["class"]],
            self.destinations[draft["destination_id"]],
            draft["ring_seconds"],
            draft["duration"],
            draft["cost"],
            STATES[draft["state"]],
            draft["other_number"],
            bool(draft["other_outside"]),
        )

    def mark_all_dirty(self, zone: ZoneInfo = ROME) -> None:
        """Mark the days of all rows, as who writes them does."""
        days = {
            int(datetime.fromtimestamp(row.started_at, zone).strftime("%Y%m%d"))
            for row in self.rows
        }
        models.DirtyDay.insert_many([(day,) for day in days]).on_conflict_ignore().execute()
