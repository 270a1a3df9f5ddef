"""The part of the schema about people: directories, mapping, custom fields."""

from __future__ import annotations

from syncd.domain.party import CUSTOM_FIELDS, PARTY_FIELDS
from syncd.settings import values
from syncd.settings.option import Option, Section

REQUIRED_MAPPINGS = ("first_extension", "bill_first_extension")

DIRECTORY = Section(
    "directory",
    "A directory from which people come; there may be several. It needs a [map:NAME] of the same"
    " name.",
    (
        Option(
            "type",
            values.TEXT,
            None,
            "Kind of source: ldap, active_directory, ldif or csv.",
            "ldap",
        ),
        Option(
            "servers",
            values.SERVERS,
            "",
            "For ldap and active_directory: the servers, tried in order.",
            "ldaps://ldap1.example.com ldaps://ldap2.example.com",
            active=True,
        ),
        Option(
            "tls",
            values.choice("ldaps", "starttls", "none"),
            "",
            "How the connection is secured; certificates are verified. Without it: ldaps for"
            " ldaps:// servers, starttls for ldap://. none also needs allow_plaintext_bind = yes.",
            "ldaps",
        ),
        Option(
            "allow_plaintext_bind",
            values.FLAG,
            "no",
            "Whether the password may cross the network in the clear.",
        ),
        Option(
            "bind_dn",
            values.TEXT,
            "",
            "Entry as which syncd reads; without it anonymously.",
            "uid=syncd,dc=example,dc=com",
        ),
        Option(
            "bind_password_file",
            values.PATH,
            "",
            "File whose first line is the password; give it mode 600 (640 for a group of its own).",
            "bind.secret",
        ),
        Option(
            "bind_credential",
            values.TEXT,
            "",
            "Instead: name of a systemd credential (LoadCredential=).",
            "ldap-password",
        ),
        Option(
            "ca_file",
            values.PATH,
            "",
            "Certificates that sign the servers' own; without it those of the system.",
            "/etc/ssl/certs/ca-certificates.crt",
        ),
        Option(
            "sasl",
            values.choice("external"),
            "",
            "external: the server knows syncd by its account (ldapi://) or by client_certificate;"
            " then without bind_dn and password.",
            "external",
        ),
        Option(
            "client_certificate",
            values.PATH,
            "",
            "Certificate that syncd shows to the servers, PEM.",
            "syncd.pem",
        ),
        Option(
            "client_key",
            values.PATH,
            "",
            "Its private key, PEM without a passphrase; without it in client_certificate.",
            "syncd.key",
        ),
        Option(
            "base",
            values.TEXT,
            "",
            "Entry DN under which people are; needed for ldap and active_directory.",
            "ou=people,dc=example,dc=com",
            active=True,
        ),
        Option(
            "filter",
            values.FILTER,
            "(objectClass=*)",
            "LDAP filter of the entries that are people; for ldif and csv too.",
        ),
        Option("scope", values.choice("subtree", "one", "base"), "subtree", "How deep to look."),
        Option("page_size", values.integer(1), "500", "Entries asked for at a time."),
        Option("connect_timeout", values.DURATION, "5 seconds", "Wait for one server to answer."),
        Option("timeout", values.DURATION, "5 minutes", "Deadline of a whole reading."),
        Option("file", values.PATH, "", "For ldif and csv: the file.", "people.ldif"),
        Option(
            "delimiter",
            values.choice("comma", "semicolon", "tab"),
            "",
            "For csv: what separates its columns; without it the header tells.",
            "semicolon",
        ),
        Option(
            "id",
            values.TEXT,
            "",
            "Attribute by which an entry is known for ever where it has none of the server's own:"
            " entryUUID, objectGUID, nsUniqueId or ipaUniqueID. For csv: the column that counts.",
            "uid",
        ),
        Option(
            "site",
            values.TEXT,
            "",
            "Site of people for whom the map gives none. Without it their numbers belong to every"
            " site whose internal_numbers name them.",
            "hq",
        ),
        Option(
            "account_status",
            values.FLAG,
            "yes",
            "Whether enabled, where the map does not say, follows userAccountControl,"
            " accountExpires, nsAccountLock and pwdAccountLockedTime.",
        ),
        Option(
            "schedule",
            values.SCHEDULE,
            "every 15 minutes",
            "When to synchronise: by what changed where the server can tell, else by everything.",
        ),
        Option(
            "full_schedule",
            values.SCHEDULE,
            "30 2 * * *",
            "When to read everything, whatever the server can tell.",
        ),
        Option(
            "changed_since",
            values.FLAG,
            "no",
            "Where the server has no content synchronisation, let schedule read by time stamps:"
            " cheap, but who left shows at the next full_schedule only.",
        ),
        Option(
            "follow",
            values.FLAG,
            "no",
            "Whether the daemon also hears of changes as they happen, and synchronises then: for"
            " servers with content synchronisation (OpenLDAP), and for active_directory.",
        ),
        Option(
            "max_departures",
            values.PERCENT,
            "10%",
            "Refuse a run in which more people than this would leave (5 always may).",
        ),
        Option(
            "max_changes",
            values.PERCENT,
            "10%",
            "The same for numbers lost, billing flags turned off and mapped fields emptied among"
            " those who stay.",
        ),
        Option(
            "grace",
            values.DURATION,
            "7 days",
            "How long the numbers of a person who left stay assigned; back within it, nothing"
            " happened.",
        ),
    ),
    "corp",
)

_MAP_TEXTS: dict[str, tuple[str, str]] = {
    "username": ("Name by which the person logs in and is named in --as.", "uid"),
    "display_name": ("Name in reports.", "displayName, cn"),
    "given_name": ("Given name.", "givenName"),
    "family_name": ("Family name.", "sn"),
    "mail": ("Mail address.", "mail"),
    "language": ("Language of mails.", "preferredLanguage"),
    "first_extension": (
        "First extension number; its calls need bill_first_extension.",
        "telephoneNumber",
    ),
    "voicemail_number": ("Voicemail number.", "pager"),
    "fax_number": ("Fax number.", "facsimileTelephoneNumber"),
    "offnet_fax_number": ("Fax number from outside: free, works only when fax is billed.", '""'),
    "mobile_number": ("Mobile number (single-number reach).", "mobile"),
    "partition": ("Partition of the numbers, for the driver cucm-partition.", "l"),
    "site": ("Name of a [site:NAME].", '"hq"'),
    "cdr_user_id": ("User id in call records (extension mobility).", "uid"),
    "department": ("Department.", "departmentNumber"),
    "cost_center": ("Cost center.", "employeeType"),
    "office_location": ("Office location.", "physicalDeliveryOfficeName"),
    "level6_basis": (
        "Basis of permission level 6: department, cost_center or office_location.",
        '"department"',
    ),
    "other_extensions": ("Further extensions, a slot each.", "otherTelephone"),
    "extension_alias": ("Other numbers of the same line: free.", "homePhone"),
    "devices": ("Device names.", "deviceName"),
    "additional_departments": (
        "Further departments for permission level 6, separated by semicolons.",
        "description",
    ),
    "enabled": ("Whether the person may log in and gets mails.", "yes"),
    "bill_first_extension": ("Whether calls of the first extension are billed.", "yes"),
    "bill_fax": ("Whether calls of the fax number are billed.", "no"),
    "bill_voicemail": ("Whether calls of the voicemail number are billed.", "no"),
    "permission_level": ("0, 2, 6, 8 or 10.", "title"),
    "masked_digits": (
        "How many last digits of outside numbers this reader does not see.",
        "roomNumber",
    ),
}

MAP = Section(
    "map",
    "Which attribute of the directory fills which field of a person. A field that is mapped"
    " belongs to the directory, one that is not is edited in syncd. A value is: attribute names,"
    " of which the first that is not empty counts (mobile, telephoneNumber), with =~ REGULAR"
    " EXPRESSION its first group; a text in quotes, which is a constant, or with attributes in"
    ' braces a template ("{givenName} {sn}"); for flags yes, no or tests (employeeType == staff'
    " and l != Rome). Also first(…), last(…) and longest(…) of several values, telephoneNumber"
    ' last 4, extension(telephoneNumber) by the site\'s plan, and … default "text".',
    tuple(
        Option(
            name,
            values.MAPPING,
            None if name in REQUIRED_MAPPINGS else "",
            *_MAP_TEXTS.get(name, (f"Custom field {name.removeprefix('custom')}.", "carLicense")),
            active=name in ("username", "display_name", "mail", "department"),
        )
        for name in PARTY_FIELDS
    ),
    "corp",
)

PLACES = Section(
    "places",
    "A list of lobby phones, fax machines, hunt pilots and members of hunt groups; there may be"
    " several. It is synchronised like a directory: syncd sync NAME. Without a file it is not there.",
    (
        Option(
            "file",
            values.PATH,
            "",
            "CSV file with a header: number and kind, and of partition, name, department,"
            " cost_center, office_location, device, hunt_group, site and billed those that are"
            " known.",
            "places.csv",
        ),
        Option(
            "site",
            values.TEXT,
            "",
            "Site of the numbers for which the list names none. Without it they belong to every"
            " site whose internal_numbers name them.",
            "hq",
        ),
        Option(
            "bill",
            values.FLAG,
            "yes",
            "Whether numbers are billed, with a slot each, where the list does not say.",
        ),
        Option("schedule", values.SCHEDULE, "every 15 minutes", "When to look at the file."),
        Option(
            "max_departures",
            values.PERCENT,
            "10%",
            "Refuse a list from which more places than this are gone (5 always may).",
        ),
        Option(
            "max_changes",
            values.PERCENT,
            "10%",
            "The same for numbers lost, billing turned off, fields emptied and members of hunt"
            " groups lost.",
        ),
        Option(
            "grace",
            values.DURATION,
            "7 days",
            "How long the number of a place that is gone stays assigned.",
        ),
    ),
    "hq",
)

PLACE_MAPPING = {
    "display_name": "name",
    "first_extension": "number",
    "partition": "partition",
    "site": "site",
    "department": "department",
    "cost_center": "cost-center",
    "office_location": "office-location",
    "devices": "device",
    "bill_first_extension": "billed",
    "enabled": "no",
}
"""The mapping of every list of places: which column fills which field. Nobody logs in as one."""

CUSTOM = Section(
    "custom-fields",
    "Labels of the ten custom fields; those without a label do not exist for anyone.",
    tuple(Option(name, values.TEXT, "", f"Label of {name}.", "Project") for name in CUSTOM_FIELDS),
)
