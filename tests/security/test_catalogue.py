"""The reports that are no plain sums, for every viewer, against figures worked out row by row.

The oracle says which rows a viewer may see and how a number is shown; the figures are made of these
once more, with fractions, and share no code with the reports.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from syncd.domain.bands import parse_spans
from syncd.reports.environment import Environment
from syncd.reports.render.options import OutputOptions
from syncd.reports.render.outputs import OUTPUTS, rendered
from syncd.reports.request import Request, specify
from syncd.reports.run import open_report
from syncd.reports.scope import Policy, open_door
from syncd.reports.working_times import Place, WorkingTimes
from syncd.settings.model import ReportSettings
from syncd.store import models
from syncd.store.database import open_database
from syncd.store.rollups import rebuild
from tests.security import oracle
from tests.security.companies import END, ROME, Generated, Person, Row
from tests.security.oracle import Rules, local, public_id

CALLER, DIRECTIONS = "+39061234567", ("incoming", "outgoing")
FIRST, LAST = "2026-01-01", "2026-05-01"
WINDOW, IN_TIME, AT_ONCE, SHORT = 86_400 * 40, 12, 4, 90
ENVIRONMENT = Environment(
    ROME,
    {"custom1": "Project", "custom2": "Team"},
    END,
    "EUR",
    source_sites={"hq": "Rome"},
    reports=ReportSettings(
        answer_within=IN_TIME,
        abandoned_after=AT_ONCE,
        call_back_within=WINDOW,
        short_call=SHORT,
    ),
)


OFF = date(2026, 2, 17)
"""A holiday of one site."""
BRANCH = ZoneInfo("Europe/London")
OF_SITES = replace(
    ENVIRONMENT,
    working=WorkingTimes(
        Place(parse_spans("Mon-Fri 08:00-18:00"), ROME),
        {"branch": Place(parse_spans("Mon-Sat 10:00-16:30"), BRANCH, [OFF])},
    ),
)


class Hunted(NamedTuple):
    """What a record says of a queue."""

    pilot: str
    final: str
    after: bool
    """Somebody transferred the call after the pilot."""
    started: int
    connected: int
    ended: int


class Stream(NamedTuple):
    """What was measured at one end of a record."""

    record: int
    calling: bool
    device: str
    codec: str
    mos: int | None
    lost: int
    received: int
    jitter: int


class Company:
    """A generated company with queues, measured streams, countries and held lines."""

    def __init__(self, seed: int) -> None:
        self.generated = Generated(seed, people=18, conversations=160)
        self.rules = Rules("department", self.generated.one)
        self.random = random.Random(seed)
        self.hunted: dict[int, Hunted] = {}
        self.ended: dict[int, int] = {}
        """When records that are in no queue ended."""
        self.streams: list[Stream] = []
        self.held: list[tuple[str, int, int]] = []
        """(line id, party, start)."""
        self._countries()
        self._one_caller()
        for record in list(models.Record.select()):
            self._hunt(record)
            self._measure(record)
        self._hold()

    def _one_caller(self) -> None:
        """Let many calls be with one number, so that some are called back."""
        rows = self.generated.rows
        for place, row in enumerate(rows):
            if row.outside and row.direction in DIRECTIONS and self.random.random() < 0.7:
                rows[place] = row._replace(number=CALLER)
                models.Call.update(other_number=CALLER).where(models.Call.id == row.id).execute()

    def _countries(self) -> None:
        for name, prefixes in {
            "Italy mobile": ("393", "39320"),
            "France": ("33",),
            "Rome": ("3906", "33"),
        }.items():
            key = models.Destination.get(models.Destination.name == name).id
            for prefix in prefixes:
                models.DestinationPrefix.create(destination_id=key, prefix=prefix)

    def _hunt(self, record: Any) -> None:
        chance = self.random
        if chance.random() < 0.4:
            return
        pilot = chance.choice(["5000", "5001", ""])
        final = chance.choice(["2001", pilot or "5000"])
        after = chance.random() < 0.2
        connected = record.started_at + chance.randint(0, 30) if chance.random() < 0.5 else 0
        ended = (connected or record.started_at) + chance.randint(1, 60)
        self.hunted[record.id] = Hunted(pilot, final, after, record.started_at, connected, ended)
        models.Record.update(
            pattern_usage=7,
            hunt_pilot=pilot,
            final_number=final,
            connected_at=connected,
            ended_at=ended,
            redirecting_number=pilot if after else "",
            last_redirect_reason=4 if after else 0,
        ).where(models.Record.id == record.id).execute()

    def _measure(self, record: Any) -> None:
        """Only of records that belong to no others: which of several has a stream is told
        elsewhere."""
        chance = self.random
        if record.tied or chance.random() < 0.3:
            return
        models.Record.update(
            call_ref=record.id, orig_leg=record.id * 2, dest_leg=record.id * 2 + 1, tied=0
        ).where(models.Record.id == record.id).execute()
        if record.id not in self.hunted:
            self.ended[record.id] = record.started_at + 5
            models.Record.update(ended_at=record.started_at + 5).where(
                models.Record.id == record.id
            ).execute()
        for calling in (True, False):
            stream = Stream(
                record.id,
                calling,
                chance.choice(["SEP1", "SEP2", ""]),
                chance.choice(["G711", "G722"]),
                chance.choice([None, 45_000, 41_234, 34_999, 20_001]),
                chance.choice([0, 0, 7, 30]),
                chance.choice([0, 993, 1000]),
                chance.randint(0, 40),
            )
            self.streams.append(stream)
            models.CallQuality.create(
                pbx_id=1, file_id=1, row=0, excluded=0, key_hash=record.id * 2 + calling,
                ended_at=record.started_at + 5, key=f"q{record.id}{calling}", content_hash=0,
                call_ref=record.id, leg=record.id * 2 + (not calling), device=stream.device,
                codec=stream.codec, duration=9, packets_sent=0, octets_sent=0,
                packets_received=stream.received, octets_received=0, packets_lost=stream.lost,
                jitter=stream.jitter, latency=3, score=stream.mos, score_average=None,
                score_minimum=None, metrics="",
            )  # fmt: skip

    def _hold(self) -> None:
        lines = list(models.Line.select().where(models.Line.id > 0))
        for place, line in enumerate(lines):
            person = self.generated.people[place % len(self.generated.people)]
            start = self.random.choice([0, END - 10_000_000])
            billed = self.random.random() < 0.8
            models.Assignment.create(
                party=person.id, role=1, line=line.id, number=line.number, billed=billed,
                learned_at=0, valid_from=start, valid_to=2**62,
            )  # fmt: skip
            if billed:
                self.held.append((line.line_id, person.id, start))


class Bench:
    """One viewer of a company, and the rows that the oracle lets them see."""

    def __init__(self, company: Company, person: Person | None) -> None:
        self.company = company
        self.person = person
        self.who = None if person is None else f"{person.source}:{person.username}"
        self.everything = person is None or person.level >= 8
        rules = company.rules
        self.rows = [row for row in company.generated.rows if oracle.sees(rules, person, row)]

    def shown(self, row: Row) -> str:
        return oracle.number(self.company.rules, self.person, row)

    def department(self, row: Row) -> str | None:
        return oracle.one_name(self.company.rules, "department", row.department) or None

    def ask(self, report: str, environment: Environment = ENVIRONMENT, **asked: Any) -> Any:
        asked = {"first": FIRST, "end": LAST, **asked}
        specification = specify(Request(report, **asked), environment)
        door = open_door(self.who, report, specification.text(), Policy("department"), END)
        with open_report(door, specification, environment) as result:
            return json.loads(rendered(result, OUTPUTS["json"], OutputOptions(zone=ROME)))

    def listed(self, rows: list[Row]) -> list[dict[str, Any]]:
        return [oracle.listed(self.company.rules, self.person, row) for row in rows]


@pytest.fixture(scope="module", params=[1, 2])
def benches(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Bench]]:
    folder: Path = tmp_path_factory.mktemp("catalogue")
    database = open_database("sqlite:///catalogue.db", folder)
    company = Company(request.param)
    company.generated.mark_all_dirty()
    rebuild(ROME, END, 30 * (request.param - 1))
    people = [None, *filter(oracle.admitted, company.generated.people)]
    yield [Bench(company, person) for person in people]
    database.close()


# --- figures once more -----------------------------------------------------------------------------


def rounded(value: Fraction | None, decimals: int = 1) -> str | None:
    if value is None:
        return None
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return str(exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def share(part: int, whole: int) -> str | None:
    return rounded(Fraction(100 * part, whole)) if whole else None


def mean(values: list[int], decimals: int = 1) -> str | None:
    return rounded(Fraction(sum(values), len(values)), decimals) if values else None


def middle(values: list[int]) -> str | None:
    return rounded(Fraction(median(map(Fraction, values)))) if values else None


def grouped(rows: list[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


# --- the reports -----------------------------------------------------------------------------------


def times(rows: list[Row]) -> dict[str, Any]:
    called = [row for row in rows if row.counted and row.side == "called"]
    rang = [row.ring_seconds for row in called if row.outcome == "answered"]
    missed = sum(row.outcome == "missed" for row in called)
    soon = sum(ring <= IN_TIME for ring in rang)
    return {
        "called": len(rang) + missed,
        "answered": len(rang),
        "missed": missed,
        "answered_percent": share(len(rang), len(rang) + missed),
        "average_seconds": mean(rang),
        "median_seconds": middle(rang),
        "longest_seconds": max(rang, default=None),
        "within": soon,
        "within_percent": share(soon, len(rang)),
    }


def test_answer_times(benches: list[Bench]) -> None:
    compared = 0
    for bench in benches:
        answer = bench.ask("answer-times")
        assert answer["totals"] == times(bench.rows)
        expected = {
            key: times(rows)
            for key, rows in grouped(bench.rows, bench.department).items()
            if times(rows)["called"]
        }
        found = {
            None if row["department"] is None else oracle.one_name(
                bench.company.rules, "department", row["department"]
            ): without(row, "department")
            for row in answer["rows"]
        }  # fmt: skip
        assert found == expected
        compared += len(found)
        by_weekday = bench.ask("answer-times", group_by="weekday")["rows"]
        days = grouped(bench.rows, lambda row: oracle.WEEKDAYS[local(row).weekday()])
        assert [row["weekday"] for row in by_weekday] == [
            day for day in oracle.WEEKDAYS if times(days.get(day, []))["called"]
        ]
        assert all(without(row, "weekday") == times(days[row["weekday"]]) for row in by_weekday)
    assert compared > 30


def test_frequent_numbers(benches: list[Bench]) -> None:
    def figures(rows: list[Row]) -> dict[str, Any]:
        return {
            "calls": sum(row.counted for row in rows),
            "incoming": sum(row.counted for row in rows if row.direction == "incoming"),
            "outgoing": sum(row.counted for row in rows if row.direction == "outgoing"),
            "duration": sum(row.duration for row in rows),
            "cost": oracle.money(sum(row.cost or 0 for row in rows)),
            "unrated": sum(row.cost is None for row in rows),
        }

    hidden = 0
    for bench in benches:
        outside = [row for row in bench.rows if row.outside]
        expected = {
            number or None: figures(rows) for number, rows in grouped(outside, bench.shown).items()
        }
        answer = bench.ask("frequent-numbers")
        assert {row["other_number"]: without(row, "other_number") for row in answer["rows"]} == (
            expected
        )
        assert answer["totals"] == figures(outside)
        counts = [row["calls"] for row in answer["rows"]]
        assert counts == sorted(counts, reverse=True)
        hidden += sum("*" in (number or "") for number in expected)
    assert hidden > 5


def working(row: Row) -> bool:
    moment = local(row)
    return moment.weekday() < 5 and 8 <= moment.hour < 18


def test_lists_of_one_kind(benches: list[Bench]) -> None:
    compared = 0
    for bench in benches:
        newest = sorted(bench.rows, key=lambda row: (-row.started_at, -row.id))
        for report, fits in (
            ("missed-calls", lambda row: row.outcome == "missed"),
            ("outside-hours", lambda row: not working(row)),
            ("short-calls", lambda r: r.disposition == "answered" and r.duration <= SHORT),
        ):
            answer = bench.ask(report)
            expected = bench.listed([row for row in newest if fits(row)])
            assert answer["rows"] == expected, report
            assert answer["totals"]["rows"] == len(expected)
            compared += len(expected)
        cost = sorted((row for row in newest if row.cost is not None), key=lambda r: -(r.cost or 0))
        assert [row["cost"] for row in bench.ask("most-expensive", limit=20)["rows"]] == (
            [oracle.money(row.cost or 0) for row in cost[:20]] + [None] * (20 - len(cost))
        )[: min(20, len(newest))]
        longest = sorted((row.duration for row in newest), reverse=True)
        assert [row["duration"] for row in bench.ask("longest-calls")["rows"]] == longest[:50]
    assert compared > 500


def at_site(row: Row) -> bool:
    """Whether somebody works, where each site has hours and holidays of its own."""
    if row.site != "branch":
        return working(row)
    moment = datetime.fromtimestamp(row.started_at, BRANCH)
    clock = (moment.hour, moment.minute)
    return moment.date() != OFF and moment.weekday() < 6 and (10, 0) <= clock < (16, 30)


def test_working_hours_of_sites(benches: list[Bench]) -> None:
    compared = other = 0
    for bench in benches:
        newest = sorted(bench.rows, key=lambda row: (-row.started_at, -row.id))
        late = [row for row in newest if not at_site(row)]
        answer = bench.ask("outside-hours", environment=OF_SITES)
        assert answer["rows"] == bench.listed(late)
        within = bench.ask("calls", environment=OF_SITES, filters=("working_time!=outside",))
        assert within["rows"] == bench.listed([row for row in newest if at_site(row)])
        grouped_by = bench.ask("by-department", environment=OF_SITES, group_by="working_time,site")
        found = {(row["working_time"], row["site"]): row["calls"] for row in grouped_by["rows"]}
        expected: dict[tuple[str, str | None], int] = {}
        for row in newest:
            key = ("within" if at_site(row) else "outside", row.site or None)
            expected[key] = expected.get(key, 0) + row.counted
        assert found == expected
        compared += len(late)
        other += sum(at_site(row) != working(row) for row in newest)
    assert compared > 100 and other > 20


def test_countries(benches: list[Bench]) -> None:
    countries = {"Italy mobile": "Italy", "France": "France"}  # Rome has numbers in both
    for bench in benches:
        found = {row["country"]: row["calls"] for row in bench.ask("by-country")["rows"]}
        rows = grouped(bench.rows, lambda row: countries.get(row.destination))
        assert found == {
            country: sum(row.counted for row in of_country) for country, of_country in rows.items()
        }
        for word in ("italy", "IT"):
            listed = bench.ask("calls", filters=(f"country={word}",))["rows"]
            assert len(listed) == len(rows.get("Italy", []))


def test_prefixes_are_for_who_sees_all_digits(benches: list[Bench]) -> None:
    masked = 0
    for bench in benches:
        whole = bench.person is None or bench.person.masked == 0
        rows = grouped(
            bench.rows,
            lambda row: (
                row.destination or None,
                "39" if whole and row.state == "rated" else None,  # noqa: B023
            ),
        )
        found = {
            (row["destination"], row["rate_prefix"]): row["duration"]
            for row in bench.ask("by-prefix")["rows"]
        }
        assert found == {key: sum(row.duration for row in them) for key, them in rows.items()}
        listed = bench.ask("calls", filters=("rate_prefix=39",))["rows"]
        assert len(listed) == sum(row.state == "rated" for row in bench.rows if whole)
        masked += not whole
    assert masked > 2


def test_unassigned_lines(benches: list[Bench]) -> None:
    for bench in benches:
        found = {row["line_id"]: row["duration"] for row in bench.ask("unassigned")["rows"]}
        rows = grouped([row for row in bench.rows if not row.party], lambda row: row.line_id)
        assert found == {line: sum(row.duration for row in them) for line, them in rows.items()}
        assert bool(found) == bench.everything


def called_back(bench: Bench, row: Row) -> tuple[str | None, Row | None]:
    """What came of a missed call, and which row of the viewer's says so."""
    number = bench.shown(row)
    if number == "private" or sum(character.isdigit() for character in number) < 5:
        return None, None
    tried = None
    for later in sorted(bench.rows, key=lambda one: (one.started_at, one.id)):
        if not row.started_at < later.started_at <= row.started_at + WINDOW:
            continue
        if not later.outside or bench.shown(later) != number:
            continue
        if later.direction == "incoming" and later.outcome == "answered":
            return "called again", later
        if later.direction == "outgoing" and later.side == "calling":
            if later.duration:
                return "called back", later
            tried = tried or later
    return ("tried", tried) if tried else ("open", None)


def test_call_backs(benches: list[Bench]) -> None:
    states: Counter[str | None] = Counter()
    for bench in benches:
        answered = {
            row.first
            for row in bench.rows
            if row.outcome == "answered" and row.direction == "incoming"
        }
        missed = [
            row
            for row in sorted(bench.rows, key=lambda row: (-row.started_at, -row.id))
            if row.outcome == "missed" and row.direction == "incoming" and row.outside
            and row.first not in answered
        ]  # fmt: skip
        answer = bench.ask("call-backs")
        waited = []
        mine: Counter[str | None] = Counter()
        assert [row["id"] for row in answer["rows"]] == [public_id(row) for row in missed]
        for found, row in zip(answer["rows"], missed, strict=True):
            state, later = called_back(bench, row)
            mine[state] += 1
            assert found["outcome"] == state
            assert found["other_number"] == (bench.shown(row) or None)
            assert (found["line_id"], found["ring_seconds"]) == (row.line_id, row.ring_seconds)
            if later is None:
                assert [found["after_seconds"], found["by_line_id"], found["by_person"]] == (
                    [None] * 3
                )
                continue
            assert found["after_seconds"] == later.started_at - row.started_at
            assert found["by_line_id"] == later.line_id
            assert found["outcome_at"] == datetime.fromtimestamp(later.started_at, ROME).isoformat()
            if state == "called back":
                waited.append(later.started_at - row.started_at)
        assert answer["totals"] == {
            "missed": len(missed),
            "called_back": mine["called back"],
            "tried": mine["tried"],
            "called_again": mine["called again"],
            "open": mine["open"],
            "not_told": mine[None],
            "called_back_percent": share(mine["called back"], len(missed) - mine[None]),
            "average_seconds": mean(waited),
            "median_seconds": middle(waited),
        }
        states += mine
    back = states["called back"] + states["tried"]
    assert min(back, states["called again"], states["open"], states[None]) > 0


def test_queues(benches: list[Bench]) -> None:
    levels = set()
    for bench in benches:
        calls: dict[tuple[str, tuple[int, int]], list[tuple[Row, Hunted | None]]] = {}
        members: dict[tuple[str, str, int], list[tuple[Row, Hunted]]] = defaultdict(list)
        for row in bench.rows:
            hunted = bench.company.hunted.get(row.id // 8)
            if row.side == "called" and hunted is not None:
                if hunted.after and hunted.pilot:
                    continue
                if hunted.pilot and hunted.final != hunted.pilot:
                    members[hunted.pilot, row.line_id, row.party].append((row, hunted))
            elif row.side != "pilot":
                continue
            pilot = (hunted.pilot or hunted.final) if hunted else ""
            calls.setdefault((pilot, row.first), []).append((row, hunted))
        expected: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for (pilot, _), rows in calls.items():
            started = min(row.started_at for row, _ in rows)
            told = [
                (row, hunted) for row, hunted in rows if bench.everything or row.side == "called"
            ]
            connected = [one.connected for _, one in told if one and one.connected]
            known = bench.everything or any(
                one and not (one.pilot and one.final != one.pilot) for _, one in told
            )
            if connected:
                expected[pilot]["answered"].append(min(connected) - started)
            elif known:
                ends = [
                    one.ended if one else bench.company.ended.get(row.id // 8, row.started_at + 1)
                    for row, one in told
                ]
                expected[pilot]["abandoned"].append(max(ends) - started)
            else:
                expected[pilot]["elsewhere"].append(0)
        answer = bench.ask("queues")
        assert {row["hunt_pilot"] or "": without(row, "hunt_pilot", "name")
                for row in answer["rows"]} == {
            pilot: queue(**waits) for pilot, waits in expected.items()
        }  # fmt: skip
        together: dict[str, list[int]] = defaultdict(list)
        for waits in expected.values():
            for name, seconds in waits.items():
                together[name] += seconds
        assert answer["totals"] == queue(**together)
        levels.add((bench.person.level if bench.person else None, bool(expected)))
        found = {
            (row["hunt_pilot"], row["line_id"], row["party"] or 0): without(
                row, "hunt_pilot", "line_id", "party", "person"
            )
            for row in bench.ask("queue-members")["rows"]
        }
        assert found == {key: member(rows) for key, rows in members.items()}
    assert {(None, True), (2, True), (6, True), (8, True)} <= levels


def queue(
    answered: list[int] | None = None,
    abandoned: list[int] | None = None,
    elsewhere: list[int] | None = None,
) -> dict[str, Any]:
    answered, abandoned, elsewhere = answered or [], abandoned or [], elsewhere or []
    early = sum(wait < AT_ONCE for wait in abandoned)
    in_time = sum(wait <= IN_TIME for wait in answered)
    return {
        "offered": len(answered) + len(abandoned) + len(elsewhere),
        "answered": len(answered),
        "answered_percent": share(len(answered), len(answered) + len(abandoned)),
        "abandoned": len(abandoned),
        "abandoned_soon": early,
        "elsewhere": len(elsewhere),
        "within": in_time,
        "service_level": share(in_time, len(answered) + len(abandoned) - early),
        "average_seconds": mean(answered),
        "median_seconds": middle(answered),
        "longest_seconds": max(answered + abandoned, default=None),
    }


def member(rows: list[tuple[Row, Hunted]]) -> dict[str, Any]:
    rang = [one.connected - one.started for _, one in rows if one.connected]
    return {
        "given": len(rows),
        "answered": len(rang),
        "answered_percent": share(len(rang), len(rows)),
        "average_seconds": mean(rang),
        "median_seconds": middle(rang),
        "duration": sum(row.duration for row, _ in rows),
    }


def quality(streams: list[Stream]) -> dict[str, Any]:
    scores = [one.mos for one in streams if one.mos is not None]
    lost = sum(one.lost for one in streams)
    expected = lost + sum(one.received for one in streams)
    jitter = [one.jitter for one in streams if one.received]
    poor = sum(score < 35_000 for score in scores)
    return {
        "streams": len(streams),
        "scored": len(scores),
        "mos": rounded(Fraction(sum(scores), len(scores) * 10_000), 2) if scores else None,
        "mos_lowest": rounded(Fraction(min(scores), 10_000), 2) if scores else None,
        "poor": poor,
        "poor_percent": share(poor, len(scores)),
        "loss_percent": rounded(Fraction(100 * lost, expected), 2) if expected else None,
        "jitter_ms": mean(jitter),
        "jitter_highest_ms": max(jitter) if jitter else None,
        "latency_ms": "3.0" if jitter else None,
    }


def test_quality(benches: list[Bench]) -> None:
    unnamed = 0
    for bench in benches[::2]:
        rows = {(row.id // 8, row.side): row for row in bench.rows}
        seen = []
        for stream in bench.company.streams:
            sides = ("calling", "called") if stream.calling else ("called", "calling")
            own, other = (rows.get((stream.record, side)) for side in sides)
            if own or other:
                seen.append((stream, own))
        for report, name, key in (
            ("quality-by-codec", "codec", lambda stream, own: stream.codec),
            ("quality-by-site", "site", lambda stream, own: (own.site or "Rome") if own else ""),
            (
                "quality-by-device",
                "device",
                lambda stream, own: stream.device if own or bench.everything else "",  # noqa: B023
            ),
        ):
            groups: dict[str, list[Stream]] = defaultdict(list)
            for stream, own in seen:
                groups[key(stream, own)].append(stream)
            answer = bench.ask(report)
            assert {row[name] or "": without(row, name) for row in answer["rows"]} == {
                group: quality(streams) for group, streams in groups.items()
            }, report
            assert answer["totals"] == quality([stream for stream, _ in seen])
        worst = bench.ask("worst-calls", limit=10_000)["rows"]
        bad = [
            one
            for one, _ in seen
            if 100 * one.lost >= one.lost + one.received > 0
            or (one.mos is not None and one.mos < 35_000)
        ]
        assert len(worst) == len(bad)
        order = [Decimal(row["mos"] or 5) for row in worst]
        assert order == sorted(order)
        unnamed += sum(own is None for _, own in seen)
    assert unnamed > 5


def test_unused_extensions(benches: list[Bench]) -> None:
    found = 0
    for bench in benches:
        used = {row.line_id for row in bench.rows}
        # Of whom somebody sees a line: as of a call that is made by its holder now.
        today = {}
        for person in bench.company.generated.people:
            today[person.id] = oracle.sees(
                bench.company.rules, bench.person, as_if_calling(person, bench.company)
            )
        expected = sorted(
            line for line, party, _ in bench.company.held if today[party] and line not in used
        )
        answer = bench.ask("unused-extensions")
        assert sorted(row["line_id"] for row in answer["rows"]) == expected
        assert answer["totals"]["rows"] == len(expected)
        found += len(expected)
    assert found > 5


def as_if_calling(person: Person, company: Company) -> Row:
    """A row of a call that a person makes at the end."""
    return company.generated.rows[0]._replace(
        party=person.id,
        department=person.department,
        cost_center=person.cost_center,
        office_location=person.office_location,
    )


def test_internal_traffic(benches: list[Bench]) -> None:
    policy = Policy("department", {"internal-traffic": 2})
    for bench in benches:
        ends: dict[int, dict[str, Row]] = defaultdict(dict)
        for row in bench.rows:
            if row.direction == "internal" and row.side in ("calling", "called"):
                ends[row.id // 8][row.side] = row
        expected: Counter[tuple[str | None, ...]] = Counter()
        for rows in ends.values():
            expected[
                tuple(
                    bench.department(rows[side]) if side in rows else None
                    for side in ("calling", "called")
                )
            ] += 1
        specification = specify(Request("internal-traffic", first=FIRST, end=LAST), ENVIRONMENT)
        door = open_door(bench.who, "internal-traffic", "", policy, END)
        with open_report(door, specification, ENVIRONMENT) as result:
            found = {
                tuple(
                    None if row[name] is None else oracle.one_name(
                        bench.company.rules, "department", row[name]
                    )
                    for name in ("from_department", "to_department")
                ): row["calls"]
                for row in result.rows
            }  # fmt: skip
            assert result.totals["calls"] == len(ends)
        assert found == dict(expected)


def test_the_period_of_the_dates(benches: list[Bench]) -> None:
    """A period of a few days, so that not everything always counts."""
    first, end = date(2026, 3, 1), date(2026, 3, 20)
    for bench in benches[:6]:
        rows = oracle.within(bench.rows, first, end)
        asked = {"first": first.isoformat(), "end": end.isoformat()}
        assert bench.ask("answer-times", **asked)["totals"] == times(rows)
        numbers = bench.ask("frequent-numbers", **asked)["totals"]
        assert numbers["calls"] == sum(row.counted for row in rows if row.outside)
