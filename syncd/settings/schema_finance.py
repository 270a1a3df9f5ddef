"""The part of the schema about mail, budgets, carriers' bills and charge-back."""

from __future__ import annotations

from syncd.settings import values
from syncd.settings import values_finance as money
from syncd.settings.option import Option, Section

MAIL = Section(
    "mail",
    "The server to which mail is given. Without one nothing is sent. Messages wait in the database"
    " until the server took them.",
    (
        Option("server", values.TEXT, "", "Name of the server.", "smtp.example.com"),
        Option(
            "port",
            money.PORT,
            "",
            "Its port; without it 587, 465 with tls = tls, 25 with tls = none.",
            "587",
        ),
        Option(
            "tls",
            values.choice("starttls", "tls", "none"),
            "starttls",
            "How the connection is secured; the server's certificate is verified.",
        ),
        Option("user", values.TEXT, "", "Who logs in; nobody without it.", "syncd"),
        Option(
            "password_file",
            values.PATH,
            "",
            "A file whose first line is the password; nobody else may write it.",
            "mail.secret",
        ),
        Option(
            "password_credential",
            values.TEXT,
            "",
            "Name of the systemd credential with the password, instead of password_file.",
            "mail-password",
        ),
        Option(
            "ca_file",
            values.PATH,
            "",
            "Certificates to trust; without it the system's.",
            "/etc/ssl/certs/ca-certificates.crt",
        ),
        Option(
            "from",
            money.SENDER,
            "",
            "From whom mail comes; needed with a server.",
            "syncd <syncd@example.com>",
        ),
        Option("timeout", values.DURATION, "30 seconds", "How long an answer may take."),
        Option(
            "give_up_after",
            values.DURATION,
            "3 days",
            "How long a message is tried again that could not be delivered.",
        ),
        Option("schedule", values.SCHEDULE, "every 60 seconds", "When waiting mail is sent."),
    ),
)

BUDGETS = Section(
    "budgets",
    "What concerns all budgets.",
    (
        Option(
            "schedule",
            values.SCHEDULE,
            "every 15 minutes",
            "When it is looked how much was spent.",
        ),
    ),
)

BUDGET = Section(
    "budget",
    "How much may be spent in a day, week or month, and who is told when. Calls count from the"
    " beginning of the period in which the budget is first looked at, in the zone of [syncd].",
    (
        Option(
            "of",
            values.choice("person", "department", "cost_center"),
            "department",
            "Whose cost it is about.",
        ),
        Option(
            "mode",
            values.choice("same", "cumulative", "each"),
            "same",
            "Whether each member has the same amount, all have one together, or each one of its"
            " own (member.1, member.2 …).",
        ),
        Option("period", values.choice("day", "week", "month"), "month", "Weeks begin on Monday."),
        Option(
            "amount",
            money.AMOUNT,
            "",
            "In the currency; needed unless mode = each.",
            "250.00",
            active=True,
        ),
        Option(
            "members",
            money.NAMES,
            "",
            "Usernames, departments or cost centers, separated by semicolons; without them all.",
            "Sales;Support",
        ),
        Option(
            "departments",
            money.NAMES,
            "",
            "With of = person: the people who are in these departments.",
            "Sales;Support",
        ),
        Option(
            "cost_centers",
            money.NAMES,
            "",
            "With of = person: the people who are in these cost centers.",
            "CC-100;CC-200",
        ),
        Option(
            "member",
            money.MEMBER_AMOUNT,
            "",
            "With mode = each: an amount and whose it is.",
            "250.00 Sales",
            key="1",
            attribute="amounts",
        ),
        Option(
            "carry_over",
            values.FLAG,
            "no",
            "Whether what is left at the end of a period is added to the next.",
        ),
        Option(
            "thresholds",
            money.THRESHOLDS,
            "80% 100%",
            "Percentages of the amount and what was carried over; each is told once in a period.",
        ),
        Option(
            "notify",
            money.RECIPIENTS,
            "",
            "Who is told: the person, their manager (whoever has level 6 for the department, cost"
            " center or office), and addresses.",
            "manager finance@example.com",
        ),
    ),
    "sales",
)

INVOICE = Section(
    "invoice",
    "How the itemised bill of a carrier is read by `syncd invoice check --map NAME`.",
    (
        Option(
            "site",
            values.TEXT,
            None,
            "Name of a [site:NAME]: whose plan reads the bill's numbers.",
            "hq",
        ),
        Option("number", values.TEXT, None, "Header of the called numbers.", "Called number"),
        Option(
            "start",
            values.TEXT,
            "",
            "Header of date and time where they stand together.",
            "Start",
            active=True,
        ),
        Option("date", values.TEXT, "", "Header of the date where it stands alone.", "Date"),
        Option("time", values.TEXT, "", "Header of the time where it stands alone.", "Time"),
        Option("duration", values.TEXT, None, "Header of the durations.", "Duration"),
        Option("price", values.TEXT, "", "Header of the prices.", "Amount", active=True),
        Option(
            "calling", values.TEXT, "", "Header of the calling numbers or trunks.", "Calling number"
        ),
        Option("start_format", money.DATE_FORMAT, "%Y-%m-%d %H:%M:%S", "How a start is written."),
        Option("date_format", money.DATE_FORMAT, "%d.%m.%Y", "How a date is written."),
        Option("time_format", money.DATE_FORMAT, "%H:%M:%S", "How a time is written."),
        Option(
            "timezone",
            values.TIMEZONE,
            "",
            "Zone of the bill's times; without it that of the site.",
            "Europe/Rome",
        ),
        Option(
            "duration_format",
            values.choice("seconds", "clock", "minutes"),
            "seconds",
            "How durations are written: whole seconds, mm:ss or hh:mm:ss, or decimal minutes.",
        ),
        Option("decimal", values.choice("point", "comma"), "point", "What stands before decimals."),
        Option(
            "delimiter",
            values.choice("auto", "comma", "semicolon", "tab", "pipe"),
            "auto",
            "What stands between the cells of a CSV file.",
        ),
        Option(
            "encoding",
            values.choice("auto", "utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15"),
            "auto",
            "Encoding of a CSV file; auto: UTF-8, or windows-1252 where it is not.",
        ),
        Option("sheet", values.TEXT, "", "Sheet of an XLSX file; without it the first.", "Calls"),
        Option(
            "own_numbers",
            values.WORDS,
            "",
            "What of the calling numbers or trunks is ours, * and ? as usual; the rest is not.",
            "+39061234* trunk-1",
        ),
        Option(
            "time_tolerance",
            values.DURATION,
            "60 seconds",
            "How far the two starts may be apart.",
        ),
        Option(
            "duration_tolerance",
            values.DURATION,
            "5 seconds",
            "How far the two durations may be apart.",
        ),
        Option(
            "price_tolerance",
            money.TOLERANCE,
            "0.01",
            "How far the two prices may be apart before they differ.",
        ),
    ),
    "telco",
)

CHARGE_BACK = Section(
    "charge-back",
    "The layout of the files that `syncd charge-back --map NAME` writes for the ledger.",
    (
        Option(
            "form",
            values.choice("delimited", "fixed-width"),
            "delimited",
            "Columns apart by a delimiter, or of fixed widths.",
        ),
        Option(
            "by",
            values.WORDS,
            "",
            "What a cost center's cost is split by into lines, such as department, person or class;"
            " without it there is one line.",
            "department class",
        ),
        Option(
            "columns",
            money.COLUMNS,
            None,
            "The columns in their order, separated by commas: cost_center, amount, vat, with_vat,"
            " currency, month, first_day, last_day, calls, seconds, line, what stands in by, or a"
            " constant in quotes;"
            " in fixed width with the number of characters and left, right or zero.",
            '"4711", cost_center, month, amount, currency',
        ),
        Option(
            "header",
            money.TEMPLATE,
            "",
            "Lines at the head, with month, first_day, last_day, cost_center, currency, lines,"
            " calls, seconds, total, total_vat and total_with_vat in braces.",
            "H;{month};{lines}",
        ),
        Option(
            "trailer",
            money.TEMPLATE,
            "",
            "Lines at the end, likewise.",
            "T;{lines};{total}",
        ),
        Option("delimiter", money.DELIMITER, "semicolon", "What stands between the columns."),
        Option(
            "decimal",
            values.choice("point", "comma", "none"),
            "point",
            "What stands before the decimals of an amount; none leaves it out.",
        ),
        Option(
            "decimals",
            values.integer(0),
            "2",
            "To how many decimals an amount is rounded.",
        ),
        Option(
            "file",
            money.FILE_NAME,
            "charge-back-{month}-{cost_center}.csv",
            "Name of the files; without {cost_center} there is one for all.",
        ),
        Option("encoding", money.ENCODING, "utf-8", "Encoding of the files."),
        Option("line_end", values.choice("unix", "windows"), "unix", "How lines end."),
        Option(
            "date_format", money.DATE_FORMAT, "%Y-%m-%d", "How first_day and last_day are written."
        ),
        Option("month_format", money.DATE_FORMAT, "%Y-%m", "How month is written."),
    ),
    "ledger",
)

FINANCE = (MAIL, BUDGETS, BUDGET, INVOICE, CHARGE_BACK)
