"""What must fit together across options, sections and files."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from syncd.domain.errors import Problem
from syncd.settings.checks_database import database_problems
from syncd.settings.checks_finance import finance_problems
from syncd.settings.checks_mailing import mailing_problems, recipients_of
from syncd.settings.checks_retention import retention_problems
from syncd.settings.checks_sites import site_problems
from syncd.settings.checks_tariffs import tariff_problems
from syncd.settings.parsed import Parsed, ParsedSection
from syncd.settings.values import nearest

WRITABLE = stat.S_IWGRP | stat.S_IWOTH

LOCAL_SOURCE = "local"
"""Source of parties made by hand: no directory may have this name."""


def problems(parsed: Parsed, sources: Collection[str], drivers: Collection[str]) -> list[Problem]:
    """Return what does not fit together; values that were bad themselves are passed over.

    ``sources`` and ``drivers`` are the names of the installed plug-ins.
    """
    found: list[Problem] = []
    found += _references(parsed, sources, drivers)
    found += _pairs(parsed)
    for name, section in parsed.of("directory").items():
        if name == LOCAL_SOURCE:
            found.append(section.problem("", f"{name!r} is the name of what is made by hand"))
        found += _directory(section)
    for name, section in parsed.of("places").items():
        if name == LOCAL_SOURCE or name in parsed.of("directory"):
            other = "what is made by hand" if name == LOCAL_SOURCE else "a [directory:NAME]"
            found.append(section.problem("", f"{name!r} is the name of {other}", "rename it"))
    for section in parsed.of("map").values():
        found += _map(section, parsed)
    for section in parsed.of("groups").values():
        found += _groups(section, parsed)
    for section in parsed.of("trunk").values():
        if (
            section.values.get("carrier") == ""
            and getattr(section.get("role"), "word", "") == "pstn"
        ):
            hint = "carrier = NAME"
            found.append(
                section.problem("carrier", "is missing: its calls are unrated", hint, warning=True)
            )
    found += tariff_problems(parsed, _readable)
    found += site_problems(parsed)
    found += _folders(parsed)
    found += finance_problems(parsed, _readable)
    found += database_problems(parsed, _readable)
    found += mailing_problems(parsed)
    found += retention_problems(parsed)
    return found


def _references(
    parsed: Parsed, sources: Collection[str], drivers: Collection[str]
) -> Iterator[Problem]:
    """Names that must exist elsewhere."""
    sites, carriers = parsed.of("site"), parsed.of("carrier")
    for kind, option, names, what in (
        ("directory", "type", sources, "a kind of directory"),
        ("directory", "site", sites, "a [site:NAME]"),
        ("places", "site", sites, "a [site:NAME]"),
        ("trunk", "site", sites, "a [site:NAME]"),
        ("trunk", "carrier", carriers, "a [carrier:NAME]"),
        ("carrier", "bands", parsed.of("bands"), "a [bands:NAME]"),
        ("cdr", "driver", drivers, "a driver"),
        ("cdr", "site", sites, "a [site:NAME]"),
    ):
        for section in parsed.of(kind).values():
            value = section.get(option)
            if value and value not in names:
                hint = nearest(value, sorted(names)) or f"there is no [{option}:NAME] at all"
                yield section.problem(option, f"{value!r} is not {what}", hint)


def _pairs(parsed: Parsed) -> Iterator[Problem]:
    """Every [directory:X] has its [map:X], and the reverse."""
    directories, maps = parsed.of("directory"), parsed.of("map")
    for names, others, kind in ((directories, maps, "map"), (maps, directories, "directory")):
        for name, section in names.items():
            if name not in others:
                near = nearest(name, [other for other in others if other not in names])
                hint = near if near.startswith("did") else f"add [{kind}:{name}]"
                yield section.problem("", f"has no [{kind}:{name}]", hint)


def _directory(section: ParsedSection) -> Iterator[Problem]:
    kind = section.get("type")
    if kind in ("ldap", "active_directory"):
        for option in ("servers", "base"):
            if section.values.get(option) in ("", ()):
                yield section.problem(option, "is missing", f"type = {kind} needs it")
        yield from _transport(section)
        yield from _password(section)
        yield from _certificate(section)
    elif kind in ("ldif", "csv") and "file" in section.values and section.get("file") is None:
        yield section.problem("file", "is missing", f"type = {kind} needs it")
    yield from _readable(section, "ca_file", section.get("ca_file"))


def _transport(section: ParsedSection) -> Iterator[Problem]:
    tls, servers = section.get("tls"), section.get("servers") or ()
    if servers and all(server.startswith("ldapi:") for server in servers):
        return  # what is said to a socket of this machine crosses no network
    servers = [server for server in servers if not server.startswith("ldapi:")]
    if tls == "none" and section.get("allow_plaintext_bind") is False:
        what = "the password would cross the network in the clear"
        yield section.problem("tls", what, "tls = starttls, or allow_plaintext_bind = yes")
    schemes = {server.partition(":")[0] for server in servers}
    if not tls and len(schemes) > 1:
        yield section.problem("servers", "ldap:// and ldaps:// are mixed", "make them alike")
    for server in servers:
        secure = server.startswith("ldaps:")
        if tls and secure != (tls == "ldaps"):
            hint = f"write {'ldap' if secure else 'ldaps'}:// there, or change tls"
            yield section.problem("servers", f"{server} does not go with tls = {tls}", hint)


def _certificate(section: ParsedSection) -> Iterator[Problem]:
    certificate, key = section.get("client_certificate"), section.get("client_key")
    if key and "client_certificate" in section.values and not certificate:
        yield section.problem("client_key", "is of no use without client_certificate")
    yield from _readable(section, "client_certificate", certificate)
    yield from _readable(section, "client_key", key)


def _password(section: ParsedSection) -> Iterator[Problem]:
    file, credential = section.get("bind_password_file"), section.get("bind_credential")
    if section.get("sasl"):
        for option in ("bind_dn", "bind_password_file", "bind_credential"):
            if section.get(option):
                yield section.problem(option, "is of no use with sasl = external", "remove it")
        return
    if file and credential:
        yield section.problem("bind_credential", "bind_password_file is set too", "remove one")
    known = {"bind_password_file", "bind_credential"} <= section.values.keys()
    if section.get("bind_dn") and known and not file and not credential:
        yield section.problem("bind_dn", "has no password", "bind_password_file = FILE")
    if not section.get("bind_dn") and (file or credential):
        option = "bind_password_file" if file else "bind_credential"
        yield section.problem(option, "is of no use without bind_dn", "bind_dn = ENTRY")
    if credential:
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            what = "$CREDENTIALS_DIRECTORY is not set: only the service can read it"
            yield section.problem("bind_credential", what, warning=True)
        else:
            yield from _readable(section, "bind_credential", Path(folder) / credential)
    unreadable = list(_readable(section, "bind_password_file", file))
    yield from unreadable
    if file and not unreadable:
        mode = file.stat().st_mode
        if mode & WRITABLE:
            what = f"{file} can be written by others than its owner"
            yield section.problem("bind_password_file", what, f"chmod 600 {file}")
        elif mode & stat.S_IROTH:
            what = f"{file} can be read by every account of this machine"
            yield section.problem("bind_password_file", what, f"chmod 600 {file}", warning=True)


def _readable(section: ParsedSection, option: str, file: Path | None) -> Iterator[Problem]:
    if file is None:
        return
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        yield section.problem(option, f"{file} cannot be read: {error.strerror}")


def _map(section: ParsedSection, parsed: Parsed) -> Iterator[Problem]:
    labels = parsed.one("custom-fields")
    for field in section.raw.options:
        if field.startswith("custom") and labels.values.get(field) == "":
            hint = f"[custom-fields] {field} = LABEL"
            yield section.problem(field, "has no label: nobody sees it", hint, warning=True)
    if section.values.get("username") == "":
        what = "is missing: nobody of this directory can be named or log in"
        yield section.problem("username", what, "username = uid", warning=True)


def _groups(section: ParsedSection, parsed: Parsed) -> Iterator[Problem]:
    directory = parsed.of("directory").get(section.name)
    if directory is None:
        hint = nearest(section.name, list(parsed.of("directory"))) or "there is no directory at all"
        yield section.problem("", f"there is no [directory:{section.name}]", hint)
    elif directory.get("type") == "csv":
        yield section.problem("", "a table (type = csv) has no groups", "map a column instead")
    grants = [option for option in section.section.options if option.name]
    groups = [name for name in section.raw.options if "." not in name]
    named = {one.name for one in recipients_of(parsed) if one.kind == "group"}
    for name in groups:
        written_to = not named.isdisjoint((name, f"{section.name}:{name}"))
        grants_something = any(raw.startswith(f"{name}.") for raw in section.raw.options)
        if not (grants_something or written_to):
            hint = f"{name}.permission_level = 6"
            yield section.problem(name, "grants nothing to its members", hint, warning=True)
    for option in grants:
        for key, _ in section.values[option.attribute]:
            if key not in groups:
                written, hint = option.spelled(key), f"{key} = ENTRY DN"
                yield section.problem(written, f"there is no group {key}", hint)
    for name, entry_dn in section.values["entry_dns"]:
        if "=" not in entry_dn:
            hint = "such as cn=admins,ou=groups,dc=example,dc=com"
            yield section.problem(name, f"{entry_dn!r} is not an entry DN", hint)


def _folders(parsed: Parsed) -> Iterator[Problem]:
    owners: dict[Path, str] = {}
    for section in parsed.of("cdr").values():
        folder: Path | None = section.get("folder")
        if folder is None:
            continue
        owner = owners.setdefault(folder.resolve(), section.raw.header)
        if owner != section.raw.header:
            yield section.problem("folder", f"{folder} is that of [{owner}] already")
