"""The part of the schema about what is booked by the month."""

from __future__ import annotations

from syncd.domain.allowance import PER
from syncd.settings import values
from syncd.settings import values_finance as money
from syncd.settings.option import Option, Section

ALLOWANCE = Section(
    "allowance",
    "What of a month's calls is included in advance: minutes, an amount or a number of calls. Applied"
    " by `syncd period run` and when the month is closed, in the order of these sections.",
    (
        Option(
            "minutes",
            money.POSITIVE,
            "",
            "Minutes of billed duration a month; or an amount, or calls. Without any of them there is"
            " no allowance.",
            "1000",
        ),
        Option("amount", money.AMOUNT, "", "Amount a month in the currency.", "50.00"),
        Option("calls", money.POSITIVE, "", "Number of calls a month.", "100"),
        Option(
            "per",
            values.choice(*PER),
            "company",
            "Who has it: each person, department, cost center or site its own, or all together.",
        ),
        Option(
            "members",
            money.NAMES,
            "",
            "Usernames, departments, cost centers or sites that have it, separated by semicolons;"
            " without them all.",
            "Sales;Legal",
        ),
        Option(
            "departments",
            money.NAMES,
            "",
            "It covers calls of these departments alone; without them of all.",
            "Sales;Support",
        ),
        Option(
            "carriers",
            values.WORDS,
            "",
            "It covers calls over these [carrier:NAME] alone; without them over all.",
            "telco",
        ),
        Option(
            "tariffs",
            money.TARIFFS,
            "",
            "It covers calls by these tariff versions alone, as CARRIER:VERSION.",
            "telco:2026",
        ),
        Option(
            "classes",
            money.CLASSES,
            "",
            "It covers calls of these classes alone; without them of all.",
            "national mobile",
        ),
        Option(
            "destinations",
            money.NAMES,
            "",
            "It covers calls to destinations of these names alone, * and ? as usual, separated by"
            " semicolons.",
            "Italy*;France",
        ),
        Option(
            "carry_over",
            values.FLAG,
            "no",
            "Whether what is left at the end of a month is added to the next.",
        ),
        Option("from", money.MONTH, "", "First month in which it is given.", "2026-01"),
        Option("to", money.MONTH, "", "Last month in which it is given.", "2026-12"),
    ),
    "mobile",
)

FLAT_CHARGE = Section(
    "flat-charge",
    "What every line that is billed costs a month, whoever calls. Booked as allowances are.",
    (
        Option(
            "amount",
            money.AMOUNT,
            "",
            "A line and month, in the currency; without it there is no charge.",
            "7.50",
        ),
        Option(
            "lines",
            money.LINE_KINDS,
            "first other fax voicemail",
            "Which lines: first and other extensions, fax, voicemail, alias, offnet-fax.",
        ),
        Option(
            "sites",
            values.WORDS,
            "",
            "Lines of these [site:NAME] alone; without them of all.",
            "hq",
        ),
        Option(
            "carrier",
            values.TEXT,
            "",
            "The [carrier:NAME] under which it is booked.",
            "telco",
        ),
        Option(
            "share",
            values.choice("days", "month"),
            "days",
            "Whether everybody who held a line pays for their days, or who held it last for the whole"
            " month.",
        ),
        Option("from", money.MONTH, "", "First month in which it is charged.", "2026-01"),
        Option("to", money.MONTH, "", "Last month in which it is charged.", "2026-12"),
    ),
    "extension",
)

MONTHS = (ALLOWANCE, FLAT_CHARGE)
