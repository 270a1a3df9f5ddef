"""A simulated company, synchronised and ingested by the real thing, against its truth."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from syncd.application.composition import Application
from syncd.demo.company import write_company
from syncd.demo.cucm_writer import write_files
from syncd.demo.people import build_company
from syncd.domain.codes import Outcome, State
from syncd.settings.load import load
from syncd.store.models import Call, Line, Party, Record


@dataclass
class Simulation:
    """An application over a company's files, and the truth of its calls."""

    application: Application
    root: Path
    truths: list[dict[str, Any]]
    truth_by_record: dict[str, int]


def simulation(
    root: Path,
    *,
    driver: str,
    calls: int,
    seed: int,
    acquisition: bool = False,
    rows_per_file: int = 200,
) -> Simulation:
    """Write a company with calls, and open the application on it; nothing is taken yet."""
    company = build_company(60, seed=seed, driver=driver)
    files = write_company(
        root, company, settle="0 seconds", slots="unlimited", acquisition=acquisition
    )
    write_files(
        files.drop,
        company,
        seed=seed,
        calls=calls,
        start=date(2026, 3, 2),
        rows_per_file=rows_per_file,
        truth=root / "truth.jsonl",
    )
    truths = [json.loads(line) for line in (root / "truth.jsonl").read_text().splitlines()]
    files.ini.write_text(files.ini.read_text() + "\n[daemon]\nmetrics = none\n")
    return Simulation(
        Application.open(load(files.ini)),
        root,
        truths,
        {
            record: index
            for index, truth in enumerate(truths)
            for record in truth["records"] + truth["excluded_records"]
        },
    )


def differences(simulated: Simulation, *, acquisition: bool) -> list[str]:
    """Compare what is stored with the truth, conversation by conversation, and say what differs."""
    found: list[str] = []
    lines = dict(Line.select(Line.id, Line.line_id).tuples())
    names = dict(Party.select(Party.id, Party.username).tuples())
    records = {
        row[0]: row[1:]
        for row in Record.select(
            Record.id, Record.key, Record.conversation, Record.outcome, Record.reason
        ).tuples()
    }
    stored: dict[int, list[tuple[str, Call]]] = defaultdict(list)
    for call in Call.select().order_by(Call.id):
        key = records[call.id >> 3][0]
        stored[simulated.truth_by_record[key]].append((key, call))
    for index, truth in enumerate(simulated.truths):
        rows = stored.get(index, [])

        def tell(what: str, is_now: object, should: object, truth: Any = truth) -> None:
            found.append(
                f"{truth['scenario']} {truth['records'][:1]}: {what} {is_now}, not {should}"
            )

        counted = sorted(
            (lines[call.line_id], names.get(call.party_id), Outcome(call.outcome).word)
            for _, call in rows
            if call.counted
        )
        wanted = [
            (part["line_id"], part["username"], part["outcome"]) for part in truth["participations"]
        ]
        if acquisition:
            wanted += [(part["line_id"], None, part["outcome"]) for part in truth["acquirable"]]
        if counted != sorted(wanted, key=str) and sorted(counted, key=str) != sorted(
            wanted, key=str
        ):
            tell("participations", counted, wanted)
        charged = sorted(
            (
                key,
                lines[call.line_id],
                names.get(call.party_id),
                call.cost if call.state != State.UNRATED else None,
            )
            for key, call in rows
            if call.state != State.FREE
        )
        due: dict[tuple[str, str, str | None], int | None] = {}
        acquired = {part["line_id"] for part in truth["acquirable"]} if acquisition else set()
        for charge in truth["charges"]:
            if charge["billed"] or charge["line_id"] in acquired:
                place = (charge["record"], charge["line_id"], charge["username"])
                known = due.get(place, 0)
                due[place] = (
                    None if known is None or charge["micros"] is None else known + charge["micros"]
                )
        wanted_charges = [(*place, micros) for place, micros in due.items()]
        if sorted(charged, key=str) != sorted(wanted_charges, key=str):
            tell("charges", charged, wanted_charges)
        talks = sorted((lines[call.line_id], call.duration) for _, call in rows if call.duration)
        wanted_talks = sorted(
            (talk["line_id"], max(1, talk["to"] - talk["from"]))
            for talk in truth["talks"]
            if any(talk["line_id"] == part[0] for part in wanted)
        )
        if talks != wanted_talks:
            tell("talks", talks, wanted_talks)
        conversations = {call.conversation for _, call in rows}
        if len(conversations) > truth["conversations"]:
            tell("conversations", conversations, truth["conversations"])
    for key, _, outcome, reason in records.values():
        truth = simulated.truths[simulated.truth_by_record[key]]
        excluded = key in truth["excluded_records"]
        if excluded != (outcome == 1):
            found.append(f"{truth['scenario']} {key}: excluded {outcome == 1} ({reason})")
    return found
