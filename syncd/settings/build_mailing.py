"""From checked sections to the frozen settings of scheduled reports and alarms."""

from __future__ import annotations

from syncd.settings.mailing import PERCENT, AlarmSettings, MailingSettings, ScheduleSettings
from syncd.settings.parsed import Parsed, ParsedSection


def build_mailing(parsed: Parsed) -> MailingSettings:
    """Return the settings of sections that have no problem; one that says nothing is none."""
    general = parsed.one("schedules").values
    return MailingSettings(
        schedules={
            name: _schedule(section)
            for name, section in parsed.of("schedule").items()
            if section.values["report"]
        },
        alarms={
            name: _alarm(section)
            for name, section in parsed.of("alarm").items()
            if section.values["on"]
        },
        look=general["schedule"],
        alarm_look=parsed.one("alarms").values["schedule"],
        largest_attachment=general["largest_attachment"],
    )


def _schedule(section: ParsedSection) -> ScheduleSettings:
    values = dict(section.values)
    values["form"] = values.pop("format")
    values["reader"] = values.pop("as")
    return ScheduleSettings(name=section.name, **values)


def _alarm(section: ParsedSection) -> AlarmSettings:
    values = dict(section.values)
    values["reader"] = values.pop("as")
    values["percent"] = values["percent"] or PERCENT.get(values["on"], 0)
    return AlarmSettings(name=section.name, **values)
