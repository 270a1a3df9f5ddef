"""When something is sent: the words of people beside those of schedules.

``daily at 07:00``, ``weekdays at 07:00``, ``weekly on monday at 07:00``, ``monthly on 1 at 07:00``,
``quarterly on 1 at 07:00`` and ``yearly on 1 january at 07:00`` stand for cron lines.
"""

from __future__ import annotations

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

from syncd.settings.schedule import MONTHS, WEEKDAYS, Cron, Every, Schedule, parse_schedule

SHORTEST = 300
"""Seconds between two reports that are sent every so often."""
_CLOCK = r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)"
_WORDS = tuple(
    (re.compile(rf"{pattern} at {_CLOCK}", re.ASCII), cron)
    for pattern, cron in (
        ("daily", "* * *"),
        ("weekdays", "* * 1-5"),
        ("weekly on (?P<weekday>[a-z]+)", "* * {weekday}"),
        (r"monthly on (?P<day>\d+)", "{day} * *"),
        (r"quarterly on (?P<day>\d+)", "{day} 1,4,7,10 *"),
        (r"yearly on (?P<day>\d+) (?P<month>[a-z]+)", "{day} {month} *"),
    )
)
_LOOK_BACK = (3600, 86_400, 32 * 86_400, 367 * 86_400, 9 * 367 * 86_400)


def parse_timing(text: str) -> Schedule:
    """Return when a text says. Raises ValueError with a sentence."""
    said = " ".join(text.lower().split())
    for pattern, cron in _WORDS:
        match = pattern.fullmatch(said)
        if match is not None:
            words = {name: word.lstrip("0") or "0" for name, word in match.groupdict().items()}
            for name, known in (("weekday", WEEKDAYS), ("month", MONTHS)):
                if name in words:
                    words[name] = _short(words[name], known, name)
            line = f"{words['minute']} {words['hour']} {cron.format(**words)}"
            found = parse_schedule(line)
            assert isinstance(found, Cron)
            return replace(found, text=said)
    found = parse_schedule(text)
    if isinstance(found, Every) and found.seconds < SHORTEST:
        raise ValueError(f"{text!r} is too often: at least {Every(SHORTEST)}")
    return found


def latest(schedule: Schedule, zone: ZoneInfo, due: int, now: int) -> int:
    """Return the last time (epoch seconds) up to ``now`` that a schedule names; ``due`` is one of
    them, the first that nobody saw."""
    if isinstance(schedule, Every):
        return now - (now - due) % schedule.seconds
    for seconds in _LOOK_BACK:
        if now - seconds <= due:
            break
        following = schedule.next_after(now - seconds, zone)
        if following <= now:
            due = following
            break
    while (following := schedule.next_after(due, zone)) <= now:
        due = following
    return due


def _short(word: str, known: list[str], what: str) -> str:
    names = [name for name in known if len(word) >= len(name) and word.startswith(name)]
    if not names:
        raise ValueError(f"{word!r} is not a {what}")
    return names[0]
