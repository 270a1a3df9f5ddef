"""Schedules that people make for themselves, and level 10 for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncd.application.reports import environment
from syncd.domain.errors import UsageError, UserError
from syncd.domain.party import name_key
from syncd.reports.permissions import may_open
from syncd.reports.recipients import MANAGEMENT
from syncd.reports.request import specify
from syncd.reports.scheduled import ScheduledReport, requested
from syncd.reports.scope import Policy, resolve_viewer
from syncd.settings.checks_mailing import group_fault, subject_faults
from syncd.settings.model import Settings
from syncd.settings.timing import parse_timing
from syncd.settings.values import BadValue
from syncd.settings.values_mailing import parse_recipients
from syncd.store import schedules as stored

if TYPE_CHECKING:
    from syncd.domain.viewer import Viewer

LONGEST_NAME = 100
"""Characters of a schedule's name."""


def wish(
    name: str,
    report: str,
    when: str,
    form: str,
    recipients: str,
    *,
    owner: int,
    reader: str = "",
    subject: str = "",
    empty: str = "send",
    missed: str = "send",
) -> ScheduledReport:
    """Return the schedule that somebody asks for. Raises UsageError."""
    try:
        timing = parse_timing(when)
        told = parse_recipients(recipients)
    except BadValue as error:
        raise UsageError(error.what, error.hint) from None
    except ValueError as error:
        raise UsageError(str(error), "such as monthly on 1 at 07:00, or a cron line") from None
    if not name.strip() or "/" in name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise UsageError(f"{name!r} is not a name for a schedule", "such as my-month")
    if not told:
        raise UsageError("nobody is to get it", "--to me")
    for what, hint in subject_faults(subject):
        raise UsageError(what, hint)
    return ScheduledReport(
        "", name, owner, report, timing, form, told, reader, subject, empty, missed
    )


def add_schedule(
    settings: Settings, wanted: ScheduledReport, viewer: Viewer, rules: Policy, now: int
) -> int:
    """Store a schedule for whom it is. Returns when it is due first (epoch seconds).

    Raises UsageError for what cannot be made, UserError for what is not for them.
    """
    saved = settings.reports.saved
    request = requested(wanted.report, wanted.owner, rules.level6_basis, saved)
    specification = specify(request, environment(settings, now))
    others = [item for item in wanted.recipients if item.kind != "owner"]
    if others and viewer.level < MANAGEMENT:
        raise UserError(
            f"reports for others are for level {MANAGEMENT}", "--to me, or leave it out"
        )
    if wanted.owner == 0 and len(others) < len(wanted.recipients):
        raise UsageError("the local administrator has no mail address", "--to USER, or --as USER")
    groups = [
        f"{directory.name}:{group.name}"
        for directory in settings.directories.values()
        for group in directory.groups
    ]
    for item in others:
        fault = group_fault(item, groups)
        if fault:
            raise UsageError(*fault)
    addresses = [item.name for item in others if item.kind == "address"]
    if addresses and wanted.owner == 0 and not wanted.reader:
        raise UsageError(f"nobody says what {addresses[0]} may see", "--addresses-as USER")
    if wanted.reader:
        resolve_viewer(wanted.reader, rules.level6_basis)
    if not others and not may_open(viewer, specification.report, rules.levels):
        raise UserError(f"The report {specification.report} is not available to {viewer.name}.")
    number = stored.add(
        owner=wanted.owner,
        name=wanted.name.strip(),
        name_key=name_key(wanted.name),
        report=wanted.report,
        timing=str(wanted.when),
        form=wanted.form,
        recipients="; ".join(map(str, wanted.recipients)),
        reader=wanted.reader,
        subject=wanted.subject,
        empty=wanted.empty,
        missed=wanted.missed,
        created_at=now,
    )
    if number is None:
        raise UsageError(f"there is a schedule {wanted.name!r} already", "remove it, or rename")
    following = wanted.when.next_after(now, settings.timezone)
    stored.plan(f"user:{number}", str(wanted.when), following)
    return following
