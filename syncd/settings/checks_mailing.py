"""What must fit together in the sections about scheduled reports and alarms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from string import Formatter

from syncd.domain.errors import Problem
from syncd.settings.mailing import Recipients
from syncd.settings.parsed import Parsed, ParsedSection
from syncd.settings.values import nearest

SUBJECT_FIELDS = ("report", "name", "period")
NEEDED = {
    "call-cost": ("amount",),
    "person-cost": ("amount",),
    "calls": ("classes", "destinations"),
}
"""One of these options of an alarm must be set."""
USES = {
    "amount": ("call-cost", "person-cost"),
    "percent": ("unrated", "rejects", "licence"),
    "hours": ("outside-hours",),
    "classes": ("calls",),
    "destinations": ("calls",),
    "departments": ("call-cost", "person-cost", "calls", "outside-hours"),
}
EXAMPLES = {"amount": "20.00", "classes": "premium"}


def mailing_problems(parsed: Parsed) -> Iterator[Problem]:
    """Yield what does not fit together."""
    for section in parsed.of("schedule").values():
        yield from _schedule(section, parsed)
    for section in parsed.of("alarm").values():
        yield from _alarm(section, parsed)


def _schedule(section: ParsedSection, parsed: Parsed) -> Iterator[Problem]:
    if section.values.get("report") == "":
        if section.get("recipients"):
            yield section.problem("report", "is missing", "report = by-department")
        return
    if section.values.get("recipients") == ():
        yield section.problem("recipients", "is missing", "recipients = anna; level>=8")
    yield from _told(section, parsed, "recipients")
    subject = section.get("subject") or ""
    for what, hint in subject_faults(subject):
        yield section.problem("subject", what, hint)


def subject_faults(subject: str) -> Iterator[tuple[str, str]]:
    """Yield (what is wrong, hint) of a subject with fields in braces."""
    try:
        parts = [part[1:] for part in Formatter().parse(subject)]
    except ValueError as error:
        yield f"{subject!r} is not a text with {{fields}}: {error}", "such as Calls of {period}"
        return
    for name, specification, conversion in parts:
        if name is None:
            continue
        if specification or conversion or name not in SUBJECT_FIELDS:
            yield f"there is no field {{{name}}}", nearest(name, SUBJECT_FIELDS)


def _told(section: ParsedSection, parsed: Parsed, option: str) -> Iterator[Problem]:
    """Yield what is wrong with who is written to."""
    told = section.get(option) or ()
    reader = section.values.get("as")
    for one in told:
        if one.kind == "owner":
            what = "nobody made this for themselves"
            yield section.problem(option, what, "name the user")
    groups = groups_of(parsed)
    for one in told:
        fault = group_fault(one, groups)
        if fault:
            yield section.problem(option, *fault)
    addresses = [one.name for one in told if one.kind == "address"]
    if addresses and reader == "":
        what = f"nobody says what {addresses[0]} may see"
        yield section.problem(option, what, "as = USER: they get what this user may see")
    if told and reader and not addresses:
        what = "is of no use: no plain address is written to"
        yield section.problem("as", what, "remove it")
    if told and parsed.one("mail").values.get("server") == "":
        hint = "[mail] server = smtp.example.com"
        yield section.problem(option, "nobody is told without [mail]", hint, warning=True)


def recipients_of(parsed: Parsed) -> Iterator[Recipients]:
    """Yield whom the settings have written to."""
    for kind, option in (("schedule", "recipients"), ("alarm", "notify")):
        for section in parsed.of(kind).values():
            yield from section.get(option) or ()


def groups_of(parsed: Parsed) -> list[str]:
    """Return the groups of all directories as ``SOURCE:NAME``."""
    return [
        f"{section.name}:{name}"
        for section in parsed.of("groups").values()
        for name in section.raw.options
        if "." not in name
    ]


def group_fault(one: Recipients, groups: Sequence[str]) -> tuple[str, str] | None:
    """Return what is wrong with a recipient that is a group, and how to mend it; ``groups`` are
    those that there are, as ``SOURCE:NAME``."""
    if one.kind != "group" or one.name in groups:
        return None
    found = [group for group in groups if group.partition(":")[2] == one.name]
    if len(found) > 1:
        return f"{one.name!r} is a group of several directories", f"group {found[0]}"
    if found:
        return None
    names = [*groups, *(group.partition(":")[2] for group in groups)]
    hint = nearest(one.name, names) or "[groups:DIRECTORY] NAME = ENTRY DN"
    return f"there is no group {one.name!r}", hint


def _alarm(section: ParsedSection, parsed: Parsed) -> Iterator[Problem]:
    on = section.values.get("on")
    if on == "":
        if section.get("notify"):
            yield section.problem("on", "is missing", "on = call-cost")
        return
    if section.values.get("notify") == ():
        yield section.problem("notify", "is missing: nobody is told", "notify = level>=8")
    yield from _told(section, parsed, "notify")
    if on is None:
        return
    needed = NEEDED.get(on, ())
    # An option with a bad value is not there: that was said already.
    if needed and all(name in section.values and not section.values[name] for name in needed):
        name = needed[0]
        yield section.problem(name, f"is missing: on = {on} needs it", f"{name} = {EXAMPLES[name]}")
    for name, kinds in USES.items():
        if section.get(name) and on not in kinds:
            what = f"is of no use with on = {on}"
            yield section.problem(name, what, f"on = {' or '.join(kinds)}")
    if (section.get("calls") or 1) > 1 and on not in ("calls", "outside-hours"):
        what = f"is of no use with on = {on}"
        yield section.problem("calls", what, "on = calls or outside-hours")
    cool_down, oldest = section.get("cool_down"), section.get("max_age")
    if cool_down is not None and oldest is not None and cool_down > oldest:
        what = "is longer than max_age: what happens meanwhile would never be told"
        yield section.problem("cool_down", what, "max_age = 2 days")
    for name in section.get("destinations") or ():
        if not re.search(r"[^*?]", name):
            yield section.problem("destinations", f"{name!r} is every destination", "name some")
