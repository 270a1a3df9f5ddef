"""What ``check-config`` says of the directories: mistakes in mappings, filters and servers, and
mappings by which users could raise themselves."""

from __future__ import annotations

from collections.abc import Iterator

from syncd.directory.entry_dn import normal_parts
from syncd.directory.filter import FilterError, compile_filter
from syncd.directory.mapping import PartyMapping, mapping_of
from syncd.directory.sources.follow import FOLLOWED
from syncd.domain.errors import ConfigurationError, Problem
from syncd.settings.model import DirectorySettings, Settings

GUARDED_FIELDS = ("permission_level", "additional_departments", "masked_digits")
"""What decides who may see what: whoever writes these attributes grants it."""

_PERSONAL_INFORMATION = "Active Directory lets users write it (Personal Information)"
_SELF_WRITE = "the default rules of 389 Directory Server or FreeIPA let users write it"
USER_WRITABLE = {
    **dict.fromkeys(
        (
            "assistant",
            "facsimiletelephonenumber",
            "homephone",
            "info",
            "ipphone",
            "l",
            "mobile",
            "otherfacsimiletelephonenumber",
            "otherhomephone",
            "otheripphone",
            "othermobile",
            "otherpager",
            "othertelephone",
            "pager",
            "personaltitle",
            "physicaldeliveryofficename",
            "postaladdress",
            "postalcode",
            "postofficebox",
            "st",
            "street",
            "streetaddress",
            "telephonenumber",
            "url",
            "wwwhomepage",
        ),
        _PERSONAL_INFORMATION,
    ),
    **dict.fromkeys(
        (
            "carlicense",
            "description",
            "displayname",
            "gecos",
            "givenname",
            "homepostaladdress",
            "initials",
            "labeleduri",
            "mail",
            "manager",
            "preferreddeliverymethod",
            "preferredlanguage",
            "roomnumber",
            "secretary",
            "seealso",
            "sn",
            "title",
        ),
        _SELF_WRITE,
    ),
}
"""Attributes that users may often write themselves, by lower-cased name, with the reason."""


def problems(settings: Settings) -> list[Problem]:
    """Return every mistake and warning in the directories of a configuration."""
    found: list[Problem] = []
    for directory in settings.directories.values():
        found += directory_problems(directory, settings)
    return found


def directory_problems(directory: DirectorySettings, settings: Settings) -> list[Problem]:
    """Return the mistakes and warnings of one directory section."""
    found: list[Problem] = []
    section = f"directory:{directory.name}"
    try:
        mapping = mapping_of(directory)
        found += writable_warnings(mapping, directory)
        found += _plans_missing(mapping, directory, settings)
    except ConfigurationError as error:
        found += error.problems
    try:
        compile_filter(directory.filter or "(objectClass=*)")
    except FilterError as error:
        # Matching rules (:=) are for the server to know.
        asked = directory.type in ("ldap", "active_directory")
        if not asked or ":=" not in directory.filter:
            found.append(settings.problem(section, "filter", str(error), "as in RFC 4515"))
    found += _names_of_no_entry(directory, settings)
    if directory.follow and directory.type not in FOLLOWED:
        what = f"a directory of type {directory.type} does not tell when it changes"
        hint = "follow = no, and schedule = every 1 minute"
        found.append(settings.problem(section, "follow", what, hint))
    return found


def _names_of_no_entry(directory: DirectorySettings, settings: Settings) -> Iterator[Problem]:
    """Yield what cannot be an entry DN where a server wants one. Active Directory knows accounts by
    user@domain and DOMAIN\\user too."""
    for option, text, others in (
        ("base", directory.base, ""),
        ("bind_dn", directory.bind_dn, "@\\"),
    ):
        parts = normal_parts(text)
        if all(0 < part.find("=") < len(part) - 1 for part in parts) or any(
            sign in text for sign in others
        ):
            continue
        what, hint = f"{text!r} is not an entry DN", "such as ou=people,dc=example,dc=com"
        yield settings.problem(f"directory:{directory.name}", option, what, hint)


def _plans_missing(
    mapping: PartyMapping, directory: DirectorySettings, settings: Settings
) -> list[Problem]:
    """Return the rules that look for an extension where no site has internal numbers."""
    rules = [rule for rule in mapping.rules if rule.extension]
    if not rules or any(site.internal_numbers for site in settings.sites.values()):
        return []
    return [
        Problem(
            directory.mapping_files.get(rule.field, ""),
            directory.mapping_lines.get(rule.field, 0),
            f"[map:{mapping.name}] {rule.field}",
            "no site says which numbers are internal: nothing has an extension",
            "[site:NAME] internal_numbers = 2XXX",
        )
        for rule in rules
    ]


def writable_warnings(mapping: PartyMapping, directory: DirectorySettings) -> list[Problem]:
    """Return a warning for each permission that users may be able to give themselves."""
    found = []
    for rule in mapping.rules:
        if rule.field not in GUARDED_FIELDS:
            continue
        for name in rule.attributes:
            if name in USER_WRITABLE:
                found.append(
                    Problem(
                        directory.mapping_files.get(rule.field, ""),
                        directory.mapping_lines.get(rule.field, 0),
                        f"[map:{mapping.name}] {rule.field}",
                        f"who may write {name} decides what a person may see, and"
                        f" {USER_WRITABLE[name]}",
                        f"see that users cannot write their own {name}, or take another attribute",
                        warning=True,
                    )
                )
    return found
