"""Companies with everything that makes permissions hard, written into the open database.

What is written is kept as plain tuples of words, so that an oracle can say by brute force what
anybody must be shown. There are people who moved and moved back, people without a department, names
that differ in case and blanks, names that were made one, additional departments that nobody was ever
in, places, hunt pilots, anonymous lines, voicemail pilots that several share, private calls with and
without a known owner, disabled people and those who left, levels that do not exist.
"""

from __future__ import annotations

import random
import unicodedata
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from syncd.domain.leg import Leg
from syncd.store import models
from syncd.store.partitions import make_room

ROME = ZoneInfo("Europe/Rome")
FIRST = int(datetime(2026, 1, 28, tzinfo=ROME).timestamp())
END = int(datetime(2026, 4, 3, tzinfo=ROME).timestamp())
SUMMER = int(datetime(2026, 3, 29, tzinfo=ROME).timestamp())
FOREVER = 2**62

DIRECTIONS = ("internal", "outgoing", "incoming", "transit", "on-net")
CLASSES = ("unclassified", "internal", "on-net", "local", "national", "mobile", "international")
SIDES = ("calling", "called", "first-redirecting", "redirecting", "pilot")
OUTCOMES = ("", "answered", "missed", "unanswered")
STATES = ("free", "rated", "unrated")
DISPOSITIONS = (
    "answered", "no-answer", "busy", "cancelled", "failed", "forwarded", "transferred",
)  # fmt: skip
BUSINESS = -1
"""Instead of whose private call it is: nobody's, it is for the company."""
PLACES = ("department", "cost_center", "office_location")
LEVELS = (0, 2, 2, 6, 6, 6, 6, 8, 10, 6, 7, 2, 6, 8, 10, 6)
BASES = ("department", "", "cost_center", "department", "office_location", "department", "odd")


class Person(NamedTuple):
    """Somebody who may look, with what is said of them today."""

    id: int
    source: str
    username: str
    display_name: str
    level: int
    basis: str
    department: str
    cost_center: str
    office_location: str
    additional: str
    masked: int
    enabled: bool
    kind: str
    departed: bool


class Row(NamedTuple):
    """A call row in words: what it was when the call was made."""

    id: int
    started_at: int
    hash: int
    side: str
    first: tuple[int, int]
    """Start and hash of the conversation's first record."""
    line_id: str
    site: str
    partition: str
    party: int
    """0: nobody."""
    person: str
    username: str
    department: str
    cost_center: str
    office_location: str
    custom1: str
    custom2: str
    counted: int
    outcome: str
    direction: str
    number_class: str
    destination: str
    carrier: str
    trunk: str
    ring_seconds: int
    duration: int
    billed_seconds: int
    cost: int | None
    state: str
    disposition: str
    number: str
    outside: bool
    hunt_pilot: str
    private: int
    """Whose private call it is part of, 0 for nobody who is known; BUSINESS."""


def plain(text: str) -> str:
    """The comparison of names, written down a second time."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def choice_of(seed: int, *values: str) -> str:
    return values[seed // 2 % len(values)]


class Generated:
    """A company in the open database, and the same in words."""

    def __init__(self, seed: int, people: int = 18, conversations: int = 110) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.people: list[Person] = []
        self.rows: list[Row] = []
        self.one: dict[tuple[str, str], str] = {}
        """The key that remains by (kind, key) of a name that was made one with it."""
        self._profiles: dict[int, list[tuple[int, int, int, dict[str, str]]]] = {}
        self._held: dict[int, list[int]] = {}
        self._lines: dict[int, tuple[str, str, str]] = {0: ("", "", "")}
        self._orgs: dict[tuple[str, ...], int] = {("", "", ""): 0}
        self.names: dict[str, list[str]] = {
            "destination": ["", "Italy mobile", "France", "Rome"],
            "carrier": ["", "telco", "Other Telco"],
            "trunk": ["", "pstn"],
        }
        tables: dict[str, Any] = {
            "destination": models.Destination,
            "carrier": models.Carrier,
            "trunk": models.Trunk,
        }
        for kind, names in self.names.items():
            tables[kind].insert_many([{"name": name} for name in names[1:]]).execute()
        models.RateUsed.create(carrier="telco", version="2026", prefix="39")
        models.Pbx.create(name="hq")
        for number in range(people):
            self._person(number)
        self._nobodys = [self._line("hq", "", f"29{number:02d}") for number in range(3)]
        self._calls(conversations)
        self._make_one()
        if seed % 2:
            self._most_in(choice_of(seed, "sales", "research", "legal"), "rome")

    # --- people ----------------------------------------------------------------------------------

    def _person(self, number: int) -> None:
        choice = self.random.choice
        level = LEVELS[number % len(LEVELS)]
        name = choice(["Anna Bianchi", "Mario  Rossi", f"Person {number}", f"=Person {number}"])
        fields: dict[str, Any] = {
            "source": "corp" if number % 5 else "other",
            "external_id": f"id-{number}",
            "username": f"User{number}",
            "username_key": f"user{number}",
            "display_name": name,
            "permission_level": level,
            "level6_basis": BASES[number % len(BASES)],
            "department": choice(
                ["Sales", "sales ", "ＳＡＬＥＳ", "Research", "Legal", "EU", "", ""]
            ),
            "cost_center": choice(["CC1", "cc1", "CC2", "", "CC 3"]),
            "office_location": choice(["Rome", " rome", "Milan", ""]),
            "additional_departments": choice(
                ["", "Research; legal", "Research", " LEGAL ;nowhere", "nowhere;;", ";", "Europe"]
            ),
            "masked_digits": choice([0, 0, 1, 3, 7, 30]),
            "custom1": choice(["Apollo", "apollo ", "Gemini", ""]),
            "custom2": choice(["x", ""]),
            "kind": "place" if number % 11 == 9 else "person",
            "enabled": number % 13 != 12,
            "departed_at": END - 5000 if number % 17 == 16 else None,
        }
        party = int(models.Party.create(arrived_at=0, **fields).id)
        self.people.append(
            Person(
                party,
                *(fields[name] for name in ("source", "username", "display_name")),
                level,
                fields["level6_basis"],
                *(fields[name] for name in PLACES),
                fields["additional_departments"],
                fields["masked_digits"],
                fields["enabled"],
                fields["kind"],
                fields["departed_at"] is not None,
            )
        )
        self._held[party] = [
            self._line(site, choice(["", "", "P1", "P2"]), f"2{number:03d}")
            for site in ("hq", "branch")[: 1 + (number % 4 == 0)]
        ]
        self._profiles[party] = self._history(party, fields, number)

    def _history(
        self, party: int, fields: dict[str, Any], number: int
    ) -> list[tuple[int, int, int, dict[str, str]]]:
        """Return (from, to, profile, texts): some moved once, some away and back, some thrice."""
        moves = sorted(self.random.sample(range(FIRST, END, 3600), (0, 1, 2, 3)[number % 4]))
        spans = zip([0, *moves], [*moves, FOREVER], strict=True)
        found = []
        for index, (since, until) in enumerate(spans):
            texts = {name: str(fields[name]) for name in ("display_name", *PLACES)}
            texts |= {name: str(fields[name]) for name in ("custom1", "custom2")}
            if (len(moves) - index) % 2:  # the last one is today's, every second was elsewhere
                texts["department"] = self.random.choice(["Purchasing", "research", ""])
                texts["cost_center"] = self.random.choice(["CC9", "CC2"])
                texts["office_location"] = self.random.choice(["Turin", "rome "])
                texts["custom1"] = self.random.choice(["Apollo", "Vega"])
            row = models.Profile.create(
                party=party, org=self._org(texts), valid_from=since, valid_to=until, **texts
            )
            found.append((since, until, int(row.id), texts))
        return found

    def _line(self, site: str, partition: str, number: str) -> int:
        text = f"{partition}.{number}" if partition else number
        row = models.Line.create(site=site, partition=partition, number=number, line_id=text)
        self._lines[row.id] = (text, site, partition)
        return int(row.id)

    def _org(self, texts: dict[str, str]) -> int:
        keys = tuple(plain(texts[kind]) for kind in PLACES)
        if keys not in self._orgs:
            row = models.Org.create(**dict(zip(PLACES, keys, strict=True)))
            self._orgs[keys] = int(row.id)
        for kind, key in zip(PLACES, keys, strict=True):
            if key:
                models.Name.insert(kind=kind, key=key, text=texts[kind]).on_conflict(
                    conflict_target=[models.Name.kind, models.Name.key],
                    update={models.Name.text: texts[kind]},
                ).execute()
        return self._orgs[keys]

    def _most_in(self, department: str, office: str) -> None:
        """Have so many orgs of one department and office that who sees those sees nearly all: their
        sums may then be those of everybody without those of the others."""
        models.Org.insert_many(
            {"department": department, "cost_center": f"of {number}", "office_location": office}
            for number in range(900)
        ).execute()

    def _make_one(self) -> None:
        """Make some names one: ``Europe`` and ``EU`` are Sales now, CC 3 is CC2."""
        for kind, old, new in (
            ("department", "eu", "sales"),
            ("department", "europe", "sales"),
            ("cost_center", "cc 3", "cc2"),
        ):
            models.NameAlias.create(kind=kind, key=old, merged_into=new)
            self.one[kind, old] = new

    # --- calls -----------------------------------------------------------------------------------

    def _calls(self, conversations: int) -> None:
        choice, integer = self.random.choice, self.random.randint
        file = models.File.create(source="hq", name="cdr_1", sha256="0", state=1, taken_at=END)
        records: list[dict[str, Any]] = []
        calls: list[dict[str, Any]] = []
        private: list[dict[str, int]] = []
        for _ in range(conversations):
            start = integer(FIRST, END - 5000)
            if integer(0, 9) == 0:  # around midnight and the change to summer time
                start = SUMMER + integer(-9000, 90_000)
            first = len(records) + 1
            legs = []
            size = choice([1, 1, 1, 2, 3])
            for place in range(size):
                number, at, hashed = first + place, start + 40 * place, integer(-(2**63), 2**63 - 1)
                record = self._record(number, at, first, int(file.id), hashed)
                records.append(record | {"tied": int(size > 1), "call_ref": first})
                legs.append((number, at, hashed))
            drafts = [
                self._draft(number, at, hashed, side)
                for number, at, hashed in legs
                for side in sorted(self.random.sample(range(5), choice([1, 1, 2, 3])))
            ]
            seen: set[int] = set()
            for draft in drafts:
                draft["conversation"] = first
                if draft["line_id"] not in seen:
                    seen.add(draft["line_id"])
                    draft["counted"], draft["outcome"] = 1, integer(1, 3)
            owners = self._private(legs, drafts, private)
            calls += drafts
            self.rows += [
                self._in_words(draft, legs[0], owners.get(draft["id"] // 8, BUSINESS))
                for draft in drafts
            ]
        for table in ("record", "call"):
            make_room(table, [record["started_at"] for record in records])
        models.Record.insert_many(records).execute()
        columns = {"hash", "texts"}
        for begin in range(0, len(calls), 200):
            models.Call.insert_many(
                [
                    {name: value for name, value in call.items() if name not in columns}
                    for call in calls[begin : begin + 200]
                ]
            ).execute()
        if private:
            models.PrivateRecord.insert_many(private).execute()
        models.File.update(read=len(records), stored=len(records), calls=len(calls)).where(
            models.File.id == file.id
        ).execute()

    def _private(
        self,
        legs: list[tuple[int, int, int]],
        drafts: list[dict[str, Any]],
        private: list[dict[str, int]],
    ) -> dict[int, int]:
        """Let some conversations be private: somebody's of its rows, or nobody's. Returns the party
        by record."""
        if self.random.randint(0, 7):
            return {}
        owner = self.random.choice([None, *drafts])
        private += [
            {"record_id": number, "owner": owner["id"] if owner else 0} for number, _, _ in legs
        ]
        return {number: owner["party_id"] if owner else 0 for number, _, _ in legs}

    def _record(
        self, number: int, at: int, conversation: int, file: int, hashed: int
    ) -> dict[str, Any]:
        values: dict[str, Any] = {
            name: "" if "str" in str(kind) else 0 for name, kind in Leg.__annotations__.items()
        }
        values |= {"started_at": at, "key": f"k{number:06d}", "key_hash": hashed}
        return values | {
            "id": number, "pbx_id": 1, "file_id": file, "row": number, "outcome": 0,
            "reason": "", "conversation": conversation, "provisional": 0,
        }  # fmt: skip

    def _draft(self, record: int, at: int, hashed: int, side: int) -> dict[str, Any]:
        choice, integer = self.random.choice, self.random.randint
        person = choice(self.people) if integer(0, 9) else None
        texts: dict[str, str] = {}
        profile, org = 0, 0
        if person is not None:
            _, _, profile, texts = next(
                one for one in self._profiles[person.id] if one[0] <= at < one[1]
            )
            org = self._org(texts)
        state = choice([0, 1, 1, 2])
        outside = integer(0, 2) > 0
        number = choice(
            ["+39061234567", "+39061234568", "+390699", "112", "", "*21#", "0039333555", "+4420123"]
        )
        return {
            "id": record * 8 + side, "started_at": at, "hash": hashed, "side": side,
            "line_id": choice(self._held[person.id] if person else self._nobodys),
            "party_id": person.id if person else 0,
            "profile_id": profile, "texts": texts, "org_id": org, "role": 1 if person else 10,
            "counted": 0, "outcome": 0, "direction": integer(0, 4), "class_": integer(0, 6),
            "destination_id": integer(0, 3), "trunk_id": integer(0, 1),
            "carrier_id": integer(0, 2), "rate_id": 1 if state == 1 else 0,
            "ring_seconds": integer(0, 30), "duration": integer(0, 600),
            "billed_seconds": integer(0, 600),
            "cost": (0, integer(0, 3_000_000), None)[state], "state": state,
            "reason": "no rate" if state == 2 else "", "disposition": integer(0, 6),
            "posting_period": int(datetime.fromtimestamp(at, UTC).strftime("%Y%m")), "leg": 0,
            "other_number": number if outside else f"2{integer(0, 20):03d}",
            "other_outside": int(outside), "hunt_pilot": choice(["", "", "2900"]),
        }  # fmt: skip

    def _in_words(self, draft: dict[str, Any], first: tuple[int, int, int], private: int) -> Row:
        texts = draft["texts"]
        username = next((one.username for one in self.people if one.id == draft["party_id"]), "")
        return Row(
            draft["id"],
            draft["started_at"],
            draft["hash"],
            SIDES[draft["side"]],
            (first[1], first[2]),
            *self._lines[draft["line_id"]],
            draft["party_id"],
            texts.get("display_name", ""),
            username,
            *(texts.get(name, "") for name in (*PLACES, "custom1", "custom2")),
            draft["counted"],
            OUTCOMES[draft["outcome"]],
            DIRECTIONS[draft["direction"]],
            CLASSES[draft["class_"]],
            self.names["destination"][draft["destination_id"]],
            self.names["carrier"][draft["carrier_id"]],
            self.names["trunk"][draft["trunk_id"]],
            draft["ring_seconds"],
            draft["duration"],
            draft["billed_seconds"],
            draft["cost"],
            STATES[draft["state"]],
            DISPOSITIONS[draft["disposition"]],
            draft["other_number"],
            bool(draft["other_outside"]),
            draft["hunt_pilot"],
            private,
        )

    def mark_all_dirty(self) -> None:
        """Mark the days of all rows, as who writes them does."""
        days = {
            int(datetime.fromtimestamp(row.started_at, ROME).strftime("%Y%m%d"))
            for row in self.rows
        }
        models.DirtyDay.insert_many([(day,) for day in days]).on_conflict_ignore().execute()
