"""What a row of a ``delimited`` file says, given the rules of its section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from syncd.cdr.expressions import (
    Columns,
    Condition,
    MissingColumnsError,
    Places,
    Template,
)
from syncd.cdr.neutral import (
    NO_ANSWER,
    TRUNK_SIDE,
    End,
    RowError,
    Times,
    Trunks,
    call_leg,
    hashed,
    plain_number,
)
from syncd.cdr.times import Clock, lacks_year, seconds_of
from syncd.domain.leg import Exclusion, Leg

TIMES = ("start", "connect", "end", "duration", "ring")
FIELDS = (
    *TIMES,
    "calling",
    "called",
    "original",
    "redirecting",
    "calling_user",
    "called_user",
    "calling_device",
    "called_device",
    "trunk",
    "call_id",
    "cause",
    "authorization_code",
    "matter_code",
)
KEY = "key"
CONDITIONS = ("answered", "outgoing", "incoming", "skip", "valid")

TRUNK = "trunk"
"""Device of a trunk that the row does not name."""

SKIPPED = "value.skip"
"""Rule of the rows that the section excludes."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A section's description of a row."""

    texts: Mapping[str, Columns | Template]
    conditions: Mapping[str, Condition]
    clock: Clock
    duration_unit: str
    duration_from_start: bool
    trunks: Trunks
    least_columns: int
    date_formats: tuple[str, ...]
    zone: ZoneInfo

    @property
    def lacks_year(self) -> bool:
        """Whether times may lack their year."""
        return any(lacks_year(form) for form in self.date_formats)

    def written(self, moment: int) -> Rules:
        """Return the rules for files that were last written at a moment, in epoch seconds."""
        return replace(self, clock=Clock(self.zone, self.date_formats, moment))

    @property
    def names(self) -> Iterator[str]:
        for expression in (*self.texts.values(), *self.conditions.values()):
            yield from expression.names

    @property
    def width(self) -> int:
        """The least number of columns that a row needs."""
        used = max((int(name[1:]) for name in self.names if name.startswith("#")), default=1)
        return max(used, self.least_columns)

    def missing(self, places: Places) -> list[str]:
        """Return the columns that a file with these does not have, in order."""
        missing: dict[str, None] = {}
        for expression in (*self.texts.values(), *self.conditions.values()):
            for name in expression.names:
                try:
                    Columns(((name,),)).bind(places)
                except MissingColumnsError:
                    missing[name] = None
        return list(missing)


class RowReader:
    """The rules of a section, for files whose columns are in certain places."""

    def __init__(self, rules: Rules, places: Places) -> None:
        """Raises MissingColumnsError."""
        self._rules = rules
        self.width = rules.width
        self._texts = {
            field: expression.bind(places, whole=field == KEY)
            for field, expression in rules.texts.items()
        }
        self._tests = {name: test.bind(places) for name, test in rules.conditions.items()}

    def valid(self, cells: list[str]) -> bool:
        """Tell whether the condition ``valid`` holds, or there is none."""
        test = self._tests.get("valid")
        return test is None or test(cells)

    def leg(self, cells: list[str]) -> Leg | Exclusion:
        """Return what a row stands for. Raises RowError."""
        if not self.valid(cells):
            raise RowError("value.valid does not hold")
        texts = {field: get(cells) for field, get in self._texts.items()}
        tests = {name: test(cells) for name, test in self._tests.items()}
        if KEY in texts and not texts[KEY]:
            raise RowError("the record's key has an empty part")
        try:
            times = Times(*self._times(texts, tests.get("answered")))
        except ValueError as error:
            raise RowError(str(error)) from None
        calling, called = plain_number(texts["calling"]), plain_number(texts["called"])
        original = plain_number(texts.get("original", "")) or called
        redirecting = plain_number(texts.get("redirecting", ""))
        if redirecting == called:
            redirecting = ""  # who is reached has not forwarded
        calling_device = texts.get("calling_device", calling)
        called_device = texts.get("called_device", called)
        incoming = self._rules.trunks.side(calling_device) if calling_device else 0
        outgoing = self._rules.trunks.side(called_device) if called_device else 0
        trunk = texts.get("trunk", "")
        if tests.get("incoming"):
            incoming = TRUNK_SIDE
            calling_device = trunk or texts.get("calling_device") or TRUNK
        if tests.get("outgoing"):
            outgoing = TRUNK_SIDE
            called_device = trunk or texts.get("called_device") or TRUNK
        call_id = texts.get("call_id", "")
        leg = call_leg(
            cells,
            times,
            End(calling_device, incoming),
            End(called_device, outgoing),
            key=texts.get(KEY, ""),
            tied=1 if call_id else 0,
            call_ref=hashed(call_id),
            calling_number=calling,
            calling_user=texts.get("calling_user", ""),
            original_number=original,
            final_number=called,
            final_user=texts.get("called_user", ""),
            redirecting_number=redirecting,
            dest_cause=_cause(texts.get("cause", ""), times.connect),
            authorization_code=texts.get("authorization_code", ""),
            matter_code=texts.get("matter_code", ""),
        )
        return Exclusion(leg._replace(tied=0), SKIPPED) if tests.get("skip") else leg

    def _times(self, texts: Mapping[str, str], answered: bool | None) -> tuple[int, int, int, int]:
        """Return start, connect, end and connected seconds. Raises ValueError."""
        rules = self._rules
        clock, unit = rules.clock, rules.duration_unit

        def length(field: str) -> int | None:
            text = texts.get(field, "")
            return seconds_of(text, unit) if text else None

        duration, ring = length("duration"), length("ring")
        start_text, end_text = texts.get("start", ""), texts.get("end", "")
        connect_text = texts.get("connect", "")
        if not connect_text.strip("0-:./ T"):
            connect_text = ""  # as some write "never"
        whole = None if duration is None else duration
        if whole is not None and not rules.duration_from_start:
            whole += ring or 0
        if start_text and end_text:
            start, end = clock.span(start_text, end_text, whole)
        elif start_text:
            start = clock.at(start_text)
            end = None
        elif end_text and whole is not None:
            end = clock.at(end_text)
            start = end - whole
        else:
            raise ValueError("the row has no start")
        connect = clock.at(connect_text, start) if connect_text else None
        if rules.duration_from_start and duration is not None:
            end = start + duration if end is None else end
            duration = end - (connect or start + (ring or 0))
        if answered is None:
            answered = bool(connect_text) if "connect" in texts else bool(duration)
        if not answered:
            return start, 0, start + (ring or 0) if end is None else end, 0
        if connect is None:
            connect = start + ring if ring is not None else start
            if ring is None and end is not None and duration is not None:
                connect = max(start, end - duration)
        if end is None:
            end = connect + (duration or 0)
        return start, connect, end, end - connect if duration is None else duration


def _cause(text: str, connect: int) -> int:
    """Return the cause of the called side: as the row says it (Q.850), else by the connection."""
    if text.isascii() and text.isdigit() and len(text) < 6:
        return int(text)
    return 0 if connect else NO_ANSWER
