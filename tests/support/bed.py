"""A test bed: a database with a few people, one CDR source, and the pipeline over real files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from syncd.billing.numbering import Numbering, NumberingPlan
from syncd.billing.tariff import load_carrier
from syncd.calls.context import IntakeContext
from syncd.calls.intake import IngestOutcome, Intake
from syncd.calls.trunks import TrunkRule
from syncd.cdr.drivers.cucm import cucm, cucm_partition
from syncd.cdr.quality import cmr
from syncd.demo.cucm_writer import row, write_cucm_file
from syncd.domain.clock import FOREVER
from syncd.domain.codes import Direction, Disposition, Outcome, Role, Side, State, TrunkRole
from syncd.domain.money import format_micros
from syncd.domain.party import line_identifier, name_key
from syncd.domain.rate import Rounding
from syncd.settings.model import TariffFile
from syncd.store.database import get_meta, open_database, set_meta, write_transaction
from syncd.store.models import (
    Assignment,
    Call,
    CallWithheld,
    File,
    Line,
    Org,
    Party,
    Profile,
    Record,
)

ROME = ZoneInfo("Europe/Rome")
COLUMNS = (
    "prefix,destination,class,connection_fee,price,unit_seconds,initial_seconds,"
    "increment_seconds,minimum_charge"
)
DECK = f"""{COLUMNS}
39,Italy,national,0.10,0.30,60,60,1,0.15
393,Italy mobile,mobile,0.15,0.60,60,1,1,0
33,France,international,0,0.50,60,60,60,1.00
39800,Italy toll-free,toll-free,0,0,60,1,1,0
"""
START = 1_780_000_000
"""2026-05-28 20:26:40 UTC; tests count seconds from here."""


@dataclass
class Bed:
    """See ``make_bed``."""

    context: IntakeContext
    folder: Path
    now: int = START + 30 * 86_400
    files: int = 0
    intake: Intake | None = field(default=None)

    def person(
        self,
        name: str,
        number: str = "",
        *,
        partition: str = "",
        billed: bool = True,
        since: int = 0,
        until: int = FOREVER,
        department: str = "",
        level: int = 0,
        more: tuple[tuple[Role, str, bool], ...] = (),
        shared: bool = False,
        learned_at: int = 0,
    ) -> Party:
        """Add a person with a first extension and further (role, number, billed)."""
        with write_transaction():
            key = name_key(department)
            org, _ = Org.get_or_create(department=key, cost_center="", office_location="")
            if not department:
                org = Org.get_by_id(0)
            party = Party.create(
                source="test",
                external_id=name,
                arrived_at=0,
                username=name,
                username_key=name_key(name),
                display_name=name.title(),
                department=department,
                permission_level=level,
            )
            Profile.create(
                party=party,
                org=org,
                display_name=name.title(),
                department=department,
                valid_from=0,
                valid_to=FOREVER,
            )
            for role, held, is_billed in ((Role.FIRST, number, billed), *more):
                if held:
                    self.assign(
                        party,
                        role,
                        held,
                        is_billed,
                        partition,
                        since,
                        until,
                        shared=shared and role is Role.VOICEMAIL,
                        learned_at=learned_at,
                    )
            self.directory_changed()
        return party

    def assign(
        self,
        party: Party,
        role: Role,
        number: str,
        billed: bool = True,
        partition: str = "",
        since: int = 0,
        until: int = FOREVER,
        *,
        shared: bool = False,
        learned_at: int = 0,
    ) -> Assignment:
        if role in (Role.USER_ID, Role.DEVICE):
            line = Line.get_by_id(0)
        else:
            line, _ = Line.get_or_create(
                site="",
                partition=partition,
                number=number,
                defaults={"line_id": line_identifier(partition, number)},
            )
        return Assignment.create(
            party=party,
            role=int(role),
            line=line,
            partition=partition,
            number=number,
            billed=billed,
            shared=shared,
            learned_at=learned_at,
            valid_from=since,
            valid_to=until,
        )

    @staticmethod
    def directory_changed() -> None:
        set_meta("directory_version", str(int(get_meta("directory_version", "0")) + 1))

    def change(self, **options: Any) -> None:
        """Change options of the source, as an edit of the INI would."""
        self.context = replace(self.context, **options)
        self.intake = None

    def drop(self, *rows: dict[str, Any], name: str = "") -> Path:
        """Drop a file of rows into the folder."""
        self.files += 1
        name = name or f"cdr_StandAloneCluster_01_202605282027_{self.files}"
        return write_cucm_file(self.folder / name, [row(**columns) for columns in rows])

    def take(self) -> IngestOutcome:
        """Take what is in the folder, without waiting for it to settle."""
        if self.intake is None:
            self.intake = Intake(self.context)
        return self.intake.take(now=lambda: self.now, settle=False)

    def ingest(self, *rows: dict[str, Any]) -> IngestOutcome:
        self.drop(*rows)
        return self.take()

    @staticmethod
    def calls(model: type[Call] | type[CallWithheld] = Call) -> list[dict[str, Any]]:
        """Return the call rows in order of (start, record key, side), in words."""
        lines = dict(Line.select(Line.id, Line.line_id).tuples())
        names = dict(Party.select(Party.id, Party.username).tuples())
        records = {record.id: record for record in Record.select()}
        found = []
        for call in model.select():
            record = records[call.id >> 3]
            found.append(
                {
                    "start": call.started_at - START,
                    "key": record.key,
                    "line": lines[call.line_id],
                    "person": names.get(call.party_id),
                    "side": Side(call.side).word,
                    "counted": call.counted,
                    "outcome": Outcome(call.outcome).word,
                    "direction": Direction(call.direction).word,
                    "disposition": Disposition(call.disposition).word,
                    "duration": call.duration,
                    "cost": None if call.cost is None else format_micros(call.cost),
                    "state": State(call.state).word,
                    "reason": call.reason,
                    "other": call.other_number,
                    "conversation": call.conversation,
                    "billed": call.billed_seconds,
                    "day": record.started_at,
                }
            )
        found.sort(key=lambda row: (row["start"], row["key"], Side.of(row["side"])))
        return found

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        """Return chosen columns of the call rows, in order."""
        return [tuple(call[column] for column in columns) for call in self.calls()]

    @staticmethod
    def ledger() -> list[dict[str, Any]]:
        names = (
            "name",
            "read",
            "stored",
            "duplicate",
            "excluded",
            "not_billed",
            "rejected",
            "calls",
        )
        return [
            {name: getattr(file, name) for name in names}
            for file in File.select().order_by(File.id)
        ]


def make_bed(tmp_path: Path, *, partitions: bool = False, **options: Any) -> Bed:
    """Return a bed in a folder: site hq (Italy, Rome, access code 0), trunks pstn, tie and
    voicemail, carrier telco, an empty SQLite database."""
    folder = tmp_path / "drop"
    folder.mkdir()
    state = tmp_path / "state"
    open_database("sqlite:///test.db", state)
    deck = tmp_path / "telco.csv"
    deck.write_text(DECK, encoding="utf-8")
    telco = load_carrier(
        "telco", [TariffFile("2026", deck, date(2026, 1, 1), None)], Rounding("half-up", 4), ROME
    )
    plan = NumberingPlan("IT", "06", "0", "", ("2XXX", "3XXX", "6XXX"))
    context = IntakeContext(
        source="hq",
        pbx="hq",
        driver=cucm_partition if partitions else cucm,
        folder=folder,
        files="*",
        settle=10,
        hold=86_400,
        archive=tmp_path / "archive",
        set_aside=tmp_path / "set-aside",
        state_directory=state,
        site="hq",
        only_site=True,
        numbering=Numbering(plan),
        trunks=(
            TrunkRule("pstn", TrunkRole.PSTN, "telco", ("S0/SU*", "SIP-PSTN*")),
            TrunkRule("old-pbx", TrunkRole.TIE, "", ("SIP-TIE",)),
            TrunkRule("voicemail", TrunkRole.VOICEMAIL, "", ("SIP-VM",)),
        ),
        carriers={"telco": telco},
        attribution=("number", "user"),
        import_internal=True,
        excluded_numbers=frozenset(),
        slots=None,
        acquisition=False,
        zone=ROME,
        quality=cmr,
    )
    return Bed(replace(context, **options), folder)
