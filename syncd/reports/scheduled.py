"""A report as one recipient gets it by mail: run as them, at the moment in which it is sent."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from html import escape
from typing import Any, BinaryIO, NamedTuple, cast

from syncd.domain.errors import UsageError, UserError
from syncd.domain.viewer import LOCAL_ADMINISTRATOR
from syncd.reports.environment import Environment
from syncd.reports.mail import Attachment, Message, compose
from syncd.reports.recipients import Addressee
from syncd.reports.render.options import OutputOptions
from syncd.reports.render.outputs import file_name, output_named
from syncd.reports.render.table import cell_text
from syncd.reports.request import Request, specify
from syncd.reports.request_text import from_text, over
from syncd.reports.result import Column, Kind, Result
from syncd.reports.run import open_report
from syncd.reports.saved import NOBODYS, Configured, find_saved
from syncd.reports.scope import Policy, open_door, viewer_of
from syncd.settings.mailing import Recipients
from syncd.settings.schedule import Schedule
from syncd.store.models import Party

KIND = "schedule"
RUN = "run"
"""The word before the name of a saved report."""
LATE = 3600
"""Seconds after its time from which a message says that it is late."""


@dataclass(frozen=True, slots=True)
class ScheduledReport:
    """A report that is sent again and again, of the settings or somebody's own."""

    key: str
    """``ini:NAME`` or ``user:ID``."""
    name: str
    owner: int
    """Id of the party, 0 for the local administrator."""
    report: str
    """In the words of the command line, or as one line of text."""
    when: Schedule
    form: str
    recipients: tuple[Recipients, ...]
    reader: str
    """As whom it is made for plain addresses, empty for the owner."""
    subject: str
    empty: str
    missed: str
    paused: bool = False

    @property
    def of_settings(self) -> bool:
        return self.key.startswith("ini:")


@dataclass(frozen=True, slots=True)
class Sending:
    """What all recipients of a moment share."""

    environment: Environment
    """Of the time for which it was planned: "last month" is the one before that."""
    now: int
    """Epoch seconds UTC."""
    policy: Policy
    sender: str
    options: OutputOptions = field(default_factory=OutputOptions)
    largest: int = 10_000_000
    """Bytes of an attachment."""

    @property
    def planned_at(self) -> int:
        return self.environment.now


class Rendered(NamedTuple):
    """A message to one recipient; None where the report is empty and empty ones are not sent."""

    message: Message | None
    rows: int
    period: str
    remark: str
    """What the log is to say of it."""


def render_for(recipient: Addressee, scheduled: ScheduledReport, sending: Sending) -> Rendered:
    """Return the message that a recipient gets now. It is entered into the access log as theirs.

    Raises UserError when the report is not for them or cannot be made, ValueError for an addressee
    who is refused.
    """
    if recipient.refusal:
        raise ValueError(f"{recipient.who} {recipient.refusal}")
    environment = sending.environment
    request = requested(
        scheduled.report, scheduled.owner, sending.policy.level6_basis, environment.reports.saved
    )
    specification = specify(request, environment)
    door = open_door(
        _viewer_name(recipient),
        specification.report,
        cell_text(f"mail {scheduled.name} {specification.text()}"),
        sending.policy,
        sending.now,
    )
    if door.viewer.party_id != recipient.party:
        raise UserError(f"{recipient.who} is also somebody else's name: nothing can be sent")
    output = output_named(scheduled.form)
    stream = Limited(sending.largest)
    rows = 0

    def counted(given: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        nonlocal rows
        for row in given:
            rows += 1
            yield row

    options = replace(sending.options, generated_at=sending.now, chart=True)
    too_large = False
    with open_report(door, specification, environment) as opened:
        result = replace(opened, rows=counted(opened.rows))
        try:
            output.write(result, cast(BinaryIO, stream), options)
        except TooLargeError:
            too_large = True
    period = period_text(specification.first, specification.end)
    if not rows and scheduled.empty == "skip":
        return Rendered(None, 0, period, "nothing in it")
    title = f"{specification.report}, {period}"
    remarks = []
    if sending.now - sending.planned_at >= LATE:
        due = datetime.fromtimestamp(sending.planned_at, environment.zone)
        remarks.append(f"It was due on {due:%Y-%m-%d at %H:%M} and is late.")
    if " " in recipient.key:
        remarks.append(f"It shows what {door.viewer.name} may see.")
    if too_large:
        remarks.append(
            f"It is larger than the {sending.largest:,} bytes that may be sent:"
            f" syncd report {specification.report} prints it."
        )
    attachments: tuple[Attachment, ...] = ()
    table = ""
    if scheduled.form == "table":
        table = "" if too_large else stream.getvalue().decode()
    elif not too_large:
        attachments = (
            Attachment(file_name(specification, output), output.media_type, stream.getvalue()),
        )
    # A table says for whom it is, its totals and its notes itself.
    summary = [] if table else _summary(result, rows, too_large)
    body = _Body(title, summary, remarks if table else [*result.notes, *remarks], table)
    message = compose(
        KIND,
        f"{scheduled.key}/{sending.planned_at}/{recipient.key}/{recipient.rights}/{sending.now}",
        sender=sending.sender,
        recipient=recipient.address,
        subject=scheduled.subject.format(
            report=specification.report, name=scheduled.name, period=period
        )
        or title,
        text=body.text(),
        html=body.html(),
        now=sending.now,
        attachments=attachments,
    )
    return Rendered(message, rows, period, "too large to be sent" if too_large else "")


def is_saved(line: str) -> bool:
    """Say whether a line means a saved report."""
    return from_text(line).report == RUN


def requested(
    line: str, owner: int, default_basis: str, configured: Configured = NOBODYS
) -> Request:
    """Return what a line asks for; ``run NAME`` means a report that its owner (the id of a party, 0
    for the local administrator) saved, that somebody shares, or of the settings. Raises
    UsageError."""
    request = from_text(line)
    if request.report != RUN:
        return request
    if not request.filters:
        raise UsageError("run which saved report?", "run NAME")
    viewer = viewer_of(Party.get_by_id(owner), default_basis) if owner else LOCAL_ADMINISTRATOR
    saved = find_saved(viewer, request.filters[0], configured)
    return over(saved, replace(request, report=saved.report, filters=request.filters[1:]))


def _viewer_name(recipient: Addressee) -> str:
    party = Party.get_by_id(recipient.party)
    return f"{party.source}:{party.username}"


def period_text(first: date, end: date) -> str:
    """Return the days of a period as people say it: a year, a month, a day, or from … to …."""
    last = end - timedelta(days=1)
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31) and first.year == last.year:
        return str(first.year)
    if first.day == 1 and end.day == 1 and (first.year, first.month) == (last.year, last.month):
        return f"{first:%Y-%m}"
    return first.isoformat() if first == last else f"{first} to {last}"


def _summary(result: Result, rows: int, too_large: bool) -> list[tuple[str, str]]:
    """Return what stands in the message itself: label and text."""
    lines = [("For", f"{result.viewer} (level {result.level})")]
    if not too_large:
        lines.append(("Rows", str(rows) if rows else f"0: {result.empty}"))
    by_name = {column.name: column for column in result.columns}
    for name, value in result.totals.items():
        column = by_name.get(name)
        if value is not None and column is not None and column.kind.numeric:
            lines.append((column.heading, _amount(column, value, result.currency)))
    return [(cell_text(label), cell_text(text)) for label, text in lines]


def _amount(column: Column, value: Any, currency: str) -> str:
    if column.kind is Kind.MONEY:
        return f"{value} {currency}".rstrip()
    if column.kind is Kind.SECONDS:
        seconds = int(value)
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(value)


@dataclass(frozen=True, slots=True)
class _Body:
    title: str
    summary: list[tuple[str, str]]
    remarks: list[str]
    table: str

    def text(self) -> str:
        width = max((len(label) for label, _ in self.summary), default=0) + 1
        lines = [self.title, ""]
        lines += [f"{label + ':':{width}} {value}" for label, value in self.summary]
        if self.table:
            lines.append(self.table.rstrip("\n"))
        if self.remarks:
            lines += ["", *map(cell_text, self.remarks)]
        return "\n".join(lines) + "\n"

    def html(self) -> str:
        rows = "".join(
            f'<tr><th scope="row" align="left">{escape(label)}</th><td>{escape(value)}</td></tr>'
            for label, value in self.summary
        )
        table = f"<pre>{escape(self.table)}</pre>" if self.table else ""
        remarks = "".join(f"<p>{escape(cell_text(remark))}</p>" for remark in self.remarks)
        title = escape(self.title)
        return (
            f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f"</head><body><h1>{title}</h1><table>{rows}</table>{table}{remarks}</body></html>\n"
        )


class TooLargeError(Exception):
    """More was written than may be sent."""


class Limited(io.BytesIO):
    """A stream that takes so many bytes and no more; what comes after that, it loses."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.full = False

    def write(self, data: Any, /) -> int:
        if self.full:
            return len(data)
        if self.tell() + len(data) > self.most:
            self.full = True
            raise TooLargeError
        return super().write(data)
