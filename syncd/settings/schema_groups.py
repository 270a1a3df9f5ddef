"""The part of the schema about groups of a directory and what they grant."""

from __future__ import annotations

from syncd.settings import values
from syncd.settings.option import Option, Section

GROUPS = Section(
    "groups",
    "What groups of the directory NAME grant to those in them, groups in groups included. Of several"
    " levels the highest counts (that of the map too), a flag is on when one of them says so, and"
    " departments are joined. Each group has a name of your own, here admins.",
    (
        Option(
            "",
            values.TEXT,
            "",
            "Entry DN of the group.",
            "cn=admins,ou=groups,dc=example,dc=com",
            key="admins",
            attribute="entry_dns",
            key_first=True,
        ),
        Option(
            "permission_level",
            values.GROUP_LEVEL,
            "",
            "Permission level of its members: 0, 2, 6, 8 or 10.",
            "10",
            key="admins",
            attribute="permission_level",
            key_first=True,
        ),
        *(
            Option(
                name,
                values.FLAG,
                "",
                f"Whether calls of its members' {number} are billed.",
                "yes",
                key="admins",
                attribute=name,
                key_first=True,
            )
            for name, number in (
                ("bill_first_extension", "first extension"),
                ("bill_fax", "fax number"),
                ("bill_voicemail", "voicemail number"),
            )
        ),
        Option(
            "additional_departments",
            values.DEPARTMENTS,
            "",
            "Further departments that its members see with level 6, separated by semicolons.",
            "Sales;Support",
            key="admins",
            attribute="additional_departments",
            key_first=True,
        ),
    ),
    "corp",
)
