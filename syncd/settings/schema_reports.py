"""The part of the schema about reports."""

from __future__ import annotations

from pathlib import Path

from syncd.domain.bands import Span, parse_spans
from syncd.domain.days import QUARTER
from syncd.settings import values
from syncd.settings.option import Option, Section


def _hours(text: str, base: Path) -> tuple[Span, ...]:
    try:
        spans = parse_spans(values.one_line(text))
    except ValueError as error:
        raise values.BadValue(str(error), "such as Mon-Fri 08:00-18:00") from None
    if any(span.start % QUARTER or span.end % QUARTER for span in spans):
        raise values.BadValue(
            f"{text!r} has other minutes than 00, 15, 30 and 45", "such as Mon-Fri 08:00-17:45"
        )
    return spans


HOURS = values.Kind("days and hours", _hours)
_OWN_HOURS = values.Kind("days and hours", _hours, ())
SITE_WORKING = (
    Option(
        "working_hours",
        _OWN_HOURS,
        "",
        "When the site works, by its own clock; without it as [reports] says.",
        "Mon-Fri 08:00-17:00",
    ),
    Option(
        "holidays",
        values.WORDS,
        "",
        "Countries, or parts of them, whose public holidays the site has instead of those of"
        " [reports].",
        "DE-BY",
    ),
    Option(
        "holiday_list",
        values.PATH,
        "",
        "The site's list of holidays, instead of that of [reports].",
        "holidays.csv",
    ),
)

REPORTS = Section(
    "reports",
    "What concerns all reports.",
    (
        Option(
            "level6_basis",
            values.choice("department", "cost_center", "office_location"),
            "department",
            "What level 6 sees, for people who have no basis of their own.",
        ),
        Option(
            "private_numbers",
            values.choice("person", "management"),
            "person",
            "Who is shown the numbers of private calls: who made them alone, or also level 10.",
        ),
        Option(
            "numbers",
            values.choice("1234.56", "1,234.56", "1.234,56", "1 234,56", "1'234.56"),
            "1234.56",
            "How numbers are written for people, in tables, PDF and HTML.",
        ),
        Option(
            "days",
            values.choice("yyyy-mm-dd", "dd.mm.yyyy", "dd/mm/yyyy", "mm/dd/yyyy"),
            "yyyy-mm-dd",
            "How days are written for people.",
        ),
        Option(
            "logo",
            values.PATH,
            "",
            "A PNG or JPEG that stands on PDF and HTML.",
            "logo.png",
        ),
        Option(
            "fonts",
            values.PATHS,
            "",
            "Fonts (TTF, OTF, TTC) of PDF for characters that its own have not, one a line; without"
            " it those that the system has in the usual folders.",
            "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
        ),
        Option(
            "working_hours",
            HOURS,
            "Mon-Fri 08:00-18:00",
            "When the company works, by the clock of [syncd]; the report outside-hours has the rest."
            " Beginnings and ends are full quarters of an hour.",
        ),
        Option(
            "holidays",
            values.WORDS,
            "",
            "Countries whose public holidays are holidays, or parts of countries: then nobody works,"
            " unless working_hours say holiday.",
            "IT DE-BY",
        ),
        Option(
            "holiday_list",
            values.PATH,
            "",
            "A list of holidays: a day on each line, 2026-12-24, or 12-24 for every year.",
            "holidays.csv",
        ),
        Option(
            "answer_within",
            values.DURATION,
            "20 seconds",
            "How soon calls should be answered: answer times and queues say how many were.",
        ),
        Option(
            "abandoned_after",
            values.DURATION,
            "5 seconds",
            "Who hangs up sooner has not waited: queues leave such calls out of the service level.",
        ),
        Option(
            "call_back_within",
            values.DURATION,
            "24 hours",
            "How soon a missed outside call should be called back.",
        ),
        Option(
            "short_call",
            values.DURATION,
            "5 seconds",
            "Up to which duration a connected call is a short one.",
        ),
    ),
)

SAVED_REPORT = Section(
    "saved-report",
    "A report under a name, for `syncd report run NAME` and schedules. Everybody gets by it what they"
    " may see themselves. Whoever uses the program saves their own with `syncd report --save-as`.",
    (
        Option(
            "report",
            values.TEXT,
            "",
            "The report and what is asked of it, as behind `syncd report`. Without it there is none.",
            "by-person --period last-month department=Sales",
        ),
        Option(
            "shared",
            values.FLAG,
            "yes",
            "Whether others than the local administrator may run it.",
        ),
    ),
    "sales-month",
)

REPORT = Section(
    "report",
    "Changes one report; NAME is the report's.",
    (
        Option(
            "level",
            values.LEVEL,
            "",
            "Permission level from which it opens; without it the report's own.",
            "8",
        ),
    ),
    "by-person",
)
