"""The one schema of options: loading, checking, the sample INI, the documentation and the man page
come from it. An option is an attribute of the dataclass of its section in ``model.py``."""

from __future__ import annotations

from syncd.settings import values
from syncd.settings.option import Option, Section
from syncd.settings.schema_decks import DECKS
from syncd.settings.schema_finance import FINANCE
from syncd.settings.schema_groups import GROUPS
from syncd.settings.schema_mailing import MAILING
from syncd.settings.schema_months import MONTHS
from syncd.settings.schema_people import CUSTOM, DIRECTORY, MAP, PLACES
from syncd.settings.schema_reports import REPORT, REPORTS, SAVED_REPORT, SITE_WORKING
from syncd.settings.schema_retention import RETENTION
from syncd.settings.schema_sites import SITE_CHARGING, SITE_NUMBERS
from syncd.settings.schema_tariffs import BANDS, CARRIER, EXCHANGE

BUILT_IN_SOURCES = ("active_directory", "csv", "ldap", "ldif")
BUILT_IN_DRIVERS = (
    "3cx",
    "asterisk",
    "avaya-cm",
    "avaya-ipoffice",
    "cube",
    "cucm",
    "cucm-partition",
    "delimited",
    "fixed-width",
    "freeswitch",
    "kamailio",
    "mitel",
    "webex",
)

SYNCD = Section(
    "syncd",
    "What concerns everything.",
    (
        Option(
            "state_directory",
            values.PATH,
            "state",
            "Folder of the database, the locks and the archive. Like every path here it is relative"
            " to this file, or absolute.",
        ),
        Option(
            "timezone",
            values.TIMEZONE,
            None,
            "Zone of days and months in reports, and of schedules.",
            "Europe/Rome",
        ),
        Option("currency", values.CURRENCY, None, "Currency of all prices.", "EUR"),
    ),
)

DATABASE = Section(
    "database",
    "Where calls are stored.",
    (
        Option(
            "url",
            values.DATABASE,
            "sqlite:///syncd.db",
            "A file in the state directory; or a database on a PostgreSQL 15 or later, such as"
            " postgresql://syncd@db.example.com/syncd?sslmode=verify-full (needs the extra"
            " syncd[postgresql]).",
        ),
        Option(
            "password_file",
            values.PATH,
            "",
            "A file whose first line is the password for PostgreSQL; nobody else may write it.",
            "database.secret",
        ),
        Option(
            "password_credential",
            values.TEXT,
            "",
            "Name of the systemd credential with the password, instead of password_file.",
            "database-password",
        ),
    ),
)

SITE = Section(
    "site",
    "A place with a dial plan of its own.",
    (
        Option("country", values.COUNTRY, None, "Country, two letters.", "IT"),
        Option(
            "area_code",
            values.DIGITS,
            "",
            "Area code, with the leading 0 where it is dialled.",
            "06",
            active=True,
        ),
        Option("access_code", values.DIGITS, "", "Digits for an outside line.", "0", active=True),
        Option(
            "international_code",
            values.DIGITS,
            "",
            "Digits before a country code; without it the country's own.",
            "00",
        ),
        Option(
            "timezone",
            values.TIMEZONE,
            "",
            "Zone of time bands and of the site's own working hours; without it that of [syncd].",
            "Europe/Rome",
        ),
        Option(
            "internal_numbers",
            values.PATTERNS,
            "",
            "Patterns of the internal numbers, X is a digit; what acquisition may take.",
            "2XXX 3XXX 6XXX",
            active=True,
        ),
        Option(
            "rule",
            values.NUMBER_RULE,
            "",
            "Rules of your own, rule.1, rule.2 and so on: numbers with this prefix (E.164 with +,"
            " or as dialled after the access code; X is a digit) are of this class. The first that"
            " fits decides, before the country's plan.",
            "+39892 premium",
            key="1",
            attribute="number_rules",
        ),
        *SITE_NUMBERS,
        *SITE_CHARGING,
        *SITE_WORKING,
    ),
    "hq",
)

TRUNK = Section(
    "trunk",
    "What leads out of the house. The first trunk that fits a record counts, those with patterns,"
    " partitions or numbers before the others. A gateway that no trunk lists is reported and its"
    " calls are unrated.",
    (
        Option("site", values.TEXT, None, "Name of a [site:NAME].", "hq"),
        Option(
            "devices", values.WORDS, None, "Device names, * and ? as usual.", "S0/SU* SIP-PSTN*"
        ),
        Option("role", values.ROLE, "pstn", "What lies behind it."),
        Option("carrier", values.TEXT, "", "Name of a [carrier:NAME].", "telco", active=True),
        Option(
            "patterns", values.WORDS, "", "Only records with one of these route patterns.", "0.!"
        ),
        Option("partitions", values.WORDS, "", "Only records with these partitions.", "PT-OUT"),
        Option(
            "numbers",
            values.PATTERNS,
            "",
            "Only records whose outside number fits one of these; X is a digit.",
            "8XXX",
        ),
        Option("private", values.FLAG, "no", "Whether what is called by it is private."),
    ),
    "pstn",
)

CDR = Section(
    "cdr",
    "A folder into which a telephone system delivers call records. A driver may have options of its"
    " own, which stand here too: docs/drivers.md explains them.",
    (
        Option("driver", values.TEXT, None, "Format: what `syncd cdr list` shows.", "cucm"),
        Option("folder", values.PATH, None, "The folder; it must exist.", "drop/hq"),
        Option("site", values.TEXT, None, "Name of a [site:NAME].", "hq"),
        Option(
            "host",
            values.TEXT,
            "",
            "Where several machines share a PostgreSQL: the only one that has the folder, by its host"
            " name. Without it the folder is one that they share.",
            "cdr1",
        ),
        Option("schedule", values.SCHEDULE, "every 30 seconds", "When to look."),
        Option("settle", values.DURATION, "10 seconds", "How long a file must have been still."),
        Option(
            "pbx",
            values.TEXT,
            "",
            "Identity of the telephone system; folders of one share it. Without it the section's"
            " name.",
            "hq-cluster",
        ),
        Option("files", values.TEXT, "*", "Names of the files that are taken, * and ? as usual."),
        Option(
            "growing",
            values.choice("driver", "yes", "no"),
            "driver",
            "Whether the telephone system appends to its files for ever. They are then read as they"
            " grow, and never moved. driver: as is usual for the format.",
        ),
        Option("import_internal", values.FLAG, "yes", "Whether internal calls are stored."),
        Option(
            "excluded_numbers",
            values.NUMBERS,
            "",
            "Numbers whose calls are never stored (works council, counsellors).",
            "2900 2901",
        ),
        Option(
            "attribution",
            values.ATTRIBUTION,
            "number, user",
            "Whether the number or the user id is asked first whose call it is.",
        ),
        Option(
            "archive",
            values.ARCHIVE,
            "yes",
            "Where taken files go: yes is archive/NAME in the state directory, no deletes them.",
        ),
        Option("hold", values.DURATION, "24 hours", "How long late legs of a call are expected."),
        Option(
            "quality",
            values.FLAG,
            "yes",
            "Whether call quality files (cmr_ of Cisco UCM) are read too.",
        ),
        Option(
            "quiet_after",
            values.DURATION,
            "3 days",
            "How long nothing may come before the folder is reported as quiet; 0 seconds: never.",
        ),
    ),
    "hq",
)

ACCOUNT_CODES = Section(
    "account-codes",
    "Codes that callers key in: forced authorization codes (FAC) and client matter codes (CMC).",
    (
        Option(
            "file",
            values.PATH,
            "",
            "A CSV list of what they stand for: code, kind (fac or cmc), name, cost_center, matter,"
            " valid_from, valid_to. A cost center or matter is charged with the calls.",
            "account-codes.csv",
        ),
    ),
)

LICENSING = Section(
    "licensing",
    "How many numbers may be billed.",
    (
        Option("slots", values.SLOTS, "unlimited", "Licensed slots."),
        Option(
            "automatic_acquisition",
            values.FLAG,
            "no",
            "Whether internal numbers that nobody holds are documented anonymously, a slot each.",
        ),
    ),
)

DAEMON = Section(
    "daemon",
    "The background service.",
    (
        Option(
            "metrics",
            values.ADDRESS,
            "127.0.0.1:9464",
            "Where /metrics, /healthz and /readyz are served, on this machine alone; port 0 takes a"
            " free one.",
        ),
        Option(
            "rollups", values.SCHEDULE, "every 5 minutes", "When sums of changed days are rebuilt."
        ),
        Option(
            "lock_wait",
            values.DURATION,
            "10 seconds",
            "How long a command waits for another one that does the same work.",
        ),
        Option(
            "roles",
            values.ROLES_OF_DAEMON,
            "intake scheduler",
            "What this daemon does, beside others on one PostgreSQL: take records of phone systems,"
            " each of which one of them claims; and all the rest, which one of those that may does.",
        ),
    ),
)

LOGGING = Section(
    "logging",
    "The log, which goes to stderr (the journal under systemd).",
    (
        Option(
            "level",
            values.choice("debug", "info", "warning", "error"),
            "info",
            "Least important events that are logged.",
        ),
    ),
)

SECTIONS = (
    SYNCD,
    DATABASE,
    DIRECTORY,
    MAP,
    GROUPS,
    PLACES,
    CUSTOM,
    SITE,
    TRUNK,
    CARRIER,
    BANDS,
    EXCHANGE,
    *DECKS,
    CDR,
    ACCOUNT_CODES,
    LICENSING,
    REPORTS,
    REPORT,
    SAVED_REPORT,
    *FINANCE,
    *MONTHS,
    *MAILING,
    RETENTION,
    DAEMON,
    LOGGING,
)
BY_KIND = {section.kind: section for section in SECTIONS}
