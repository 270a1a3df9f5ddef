"""Directory sections for tests: only what a test is about needs saying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from syncd.settings.model import DirectorySettings, Percent
from syncd.settings.schedule import parse_schedule

MAPPING = {
    "username": "uid",
    "display_name": "cn",
    "mail": "mail",
    "first_extension": "telephoneNumber",
    "fax_number": "facsimileTelephoneNumber",
    "voicemail_number": "pager",
    "extension_alias": "homePhone",
    "partition": "l",
    "department": "departmentNumber",
    "cost_center": "employeeType",
    "cdr_user_id": "uid",
    "bill_first_extension": "yes",
    "bill_fax": "no",
    "bill_voicemail": "no",
    "permission_level": "title",
    "additional_departments": "description",
    "custom1": "carLicense",
}


@dataclass(frozen=True)
class Site:
    """What the directory needs of a ``[site:NAME]``."""

    name: str
    internal_numbers: tuple[str, ...] = ()
    country: str = "IT"
    area_code: str = ""
    international_code: str = ""


def directory_settings(**options: Any) -> DirectorySettings:
    """Return a section with these options and defaults for the rest."""
    defaults: dict[str, Any] = {
        "name": "corp",
        "type": "ldap",
        "servers": (),
        "tls": "none",
        "allow_plaintext_bind": True,
        "bind_dn": "",
        "bind_password_file": None,
        "bind_credential": "",
        "ca_file": None,
        "base": "ou=people,dc=example,dc=com",
        "filter": "(objectClass=inetOrgPerson)",
        "scope": "subtree",
        "page_size": 500,
        "connect_timeout": 5,
        "timeout": 60,
        "file": None,
        "id": "",
        "site": "",
        "schedule": parse_schedule("every 15 minutes"),
        "max_departures": Percent(10),
        "max_changes": Percent(10),
        "grace": 0,
        "mapping": MAPPING,
    }
    return DirectorySettings(**(defaults | options))
