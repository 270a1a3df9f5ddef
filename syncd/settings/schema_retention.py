"""The part of the schema about how long data is kept."""

from __future__ import annotations

from pathlib import Path

from syncd.settings import values
from syncd.settings.option import Option, Section

SHORTEST = 7
"""Days: late records of a call come within the hold window, a day or so."""


def _span(text: str, base: Path) -> int:
    days = values.whole_number(text, "a number of days")
    if 0 < days < SHORTEST:
        raise values.BadValue(
            f"{days} days are too few: records of a call may come late",
            f"0, or at least {SHORTEST}",
        )
    return days


_DAYS = values.integer(0)
_LONG_DAYS = values.Kind("number", _span)

RETENTION = Section(
    "retention",
    "How many days what is kept, 0 for ever. What is older goes on the schedule, or with"
    " `syncd retention run`; `syncd retention` says beforehand what would go. Sums stay.",
    (
        Option(
            "calls",
            _LONG_DAYS,
            "0",
            "Calls and their records, withheld ones too. Their days are sealed: sums by department,"
            " class, carrier, trunk and destination stay for ever, nothing of one person or number"
            " does. 0, or at least 7.",
            "400",
        ),
        Option("rejects", _DAYS, "0", "The text of rows that could not be read.", "90"),
        Option("quality", _DAYS, "0", "Measurements of call quality.", "90"),
        Option("unknown_numbers", _DAYS, "0", "Numbers and trunks that nobody knows.", "180"),
        Option("archive", _DAYS, "0", "Files that were taken, in the archive.", "400"),
        Option("access_log", _DAYS, "0", "Who ran which report on whom.", "365"),
        Option(
            "history",
            _DAYS,
            "0",
            "What syncs and people changed; the last run of each stays.",
            "730",
        ),
        Option(
            "mail",
            _DAYS,
            "0",
            "Messages that were sent or given up, the log of scheduled reports, and what alarms told.",
            "30",
        ),
        Option(
            "truncate_numbers",
            _LONG_DAYS,
            "0",
            "After so many days outside numbers lose their last digits, in calls and records. Such"
            " calls are not rated or reprocessed any more. 0, or at least 7.",
            "90",
        ),
        Option("keep_digits", values.integer(0), "6", "How many first digits such numbers keep."),
        Option("schedule", values.SCHEDULE, "30 2 * * *", "When this is done."),
    ),
)
