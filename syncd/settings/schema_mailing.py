"""The part of the schema about scheduled reports and alarms."""

from __future__ import annotations

from syncd.settings import values
from syncd.settings import values_finance as money
from syncd.settings import values_mailing as mailing
from syncd.settings.mailing import CHOICES, FORMS
from syncd.settings.option import Option, Section

SCHEDULES = Section(
    "schedules",
    "What concerns all scheduled reports.",
    (
        Option(
            "schedule",
            values.SCHEDULE,
            "every 60 seconds",
            "When it is looked which reports are due.",
        ),
        Option(
            "largest_attachment",
            mailing.SIZE,
            "10 MB",
            "A larger file is not sent: the message says so instead.",
        ),
    ),
)

SCHEDULE = Section(
    "schedule",
    "A report that is sent again and again. Each recipient gets what they may see, as of the moment"
    " in which it is sent; who left, is disabled, has level 0 or no address gets nothing. People"
    " make their own with `syncd schedule add`.",
    (
        Option(
            "report",
            values.TEXT,
            "",
            "The report and what is asked of it, as behind `syncd report`. Without it nothing is"
            " sent.",
            "by-department --group-by department,class",
        ),
        Option(
            "when",
            mailing.TIMING,
            "monthly on 1 at 07:00",
            "daily at HH:MM, weekdays at HH:MM, weekly on DAY at HH:MM, monthly on N at HH:MM,"
            " quarterly on N at HH:MM, yearly on N MONTH at HH:MM, every N hours or a cron line, in"
            " the zone of [syncd].",
        ),
        Option(
            "format",
            values.choice(*FORMS),
            "table",
            "A table in the message, or what is attached to it.",
        ),
        Option(
            "recipients",
            mailing.RECIPIENTS,
            "",
            "Who gets it, separated by semicolons: usernames (or SOURCE:USER), department NAME,"
            " managers of DEPARTMENT (whose level 6 shows it), group NAME (of [groups:DIRECTORY]),"
            " level>=N, and addresses, which need as.",
            "anna; managers of Sales; boss@example.com",
        ),
        Option(
            "as",
            values.TEXT,
            "",
            "As whom the report for plain addresses is made: they get what this user may see.",
            "anna",
        ),
        Option(
            "subject",
            values.TEXT,
            "",
            "Subject of the message, with {report}, {name} and {period} in braces; without it report"
            " and period.",
            "Calls of {period}",
        ),
        Option(
            "empty",
            values.choice(*CHOICES),
            "send",
            "What becomes of a report without a row.",
        ),
        Option(
            "missed",
            values.choice(*CHOICES),
            "send",
            "Whether a report is sent late, once, that was due while the daemon did not run.",
        ),
    ),
    "monthly",
)

ALARM_LOOK = Section(
    "alarms",
    "What concerns all alarms.",
    (
        Option(
            "schedule",
            values.SCHEDULE,
            "every 60 seconds",
            "When it is looked what is new.",
        ),
    ),
)

ALARM = Section(
    "alarm",
    "Somebody is written to when something happens: once of each event, and only of calls that they"
    " may see.",
    (
        Option(
            "on",
            mailing.ALARM,
            "",
            "What it is about: call-cost (a call costs at least amount), person-cost (a person's calls"
            " of a day do), calls (outgoing calls to classes or destinations), outside-hours (outgoing"
            " calls beyond hours), unrated (share of outgoing rows of a day without a price), rejects"
            " (share of rejected rows of the files of a day), licence (share of slots in use),"
            " quiet-folder, sync-failing. Without it there is no alarm.",
            "call-cost",
        ),
        Option(
            "amount", mailing.AMOUNT, "", "Of call-cost and person-cost, in the currency.", "20.00"
        ),
        Option(
            "calls",
            money.POSITIVE,
            "1",
            "Of calls and outside-hours: from how many of one person in a day. With 1 each call is"
            " told.",
        ),
        Option(
            "percent",
            mailing.PERCENT,
            "",
            "Of unrated, rejects and licence; without it 5 %, 5 % and 90 %.",
            "10%",
        ),
        Option(
            "hours",
            mailing.HOURS,
            "",
            "Of outside-hours: the working hours, instead of those of [reports] and the sites;"
            " holidays are those of the sites.",
            "Mon-Fri 08:00-18:00",
        ),
        Option("classes", mailing.CLASSES, "", "Of calls: classes of numbers.", "premium"),
        Option(
            "destinations",
            money.NAMES,
            "",
            "Of calls: destinations as rate decks have them, * and ? as usual, separated by"
            " semicolons.",
            "Cuba*;Latvia",
        ),
        Option(
            "departments",
            money.NAMES,
            "",
            "Only calls of these departments, separated by semicolons.",
            "Sales;Support",
        ),
        Option(
            "notify",
            mailing.RECIPIENTS,
            "",
            "Who is told, as in [schedule:NAME] recipients. Alarms that are not about calls are for"
            " level 10, unrated and licence from level 8.",
            "managers of Sales; boss@example.com",
        ),
        Option(
            "as",
            values.TEXT,
            "",
            "As whom plain addresses are told: they get what this user may see.",
            "anna",
        ),
        Option(
            "cool_down",
            values.DURATION,
            "1 hours",
            "How long somebody is told nothing more after a message; then what happened meanwhile"
            " comes in one.",
        ),
        Option(
            "max_age",
            values.DURATION,
            "1 days",
            "Older calls are not told, so that a backfill is quiet.",
        ),
    ),
    "expensive",
)

MAILING = (SCHEDULES, SCHEDULE, ALARM_LOOK, ALARM)
