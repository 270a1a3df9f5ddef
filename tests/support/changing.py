"""The mixed company after its files were taken, with a directory that has changed since: what the
sweeps of syncs take. People arrive, leave, move and get other numbers, one of them a number whose
calls are withheld until then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.integration.slapd import PASSWORD, PEOPLE, READER, Slapd
from tests.support import mixed
from tests.support.sweep import Worker

Person = Mapping[str, str]
BEFORE: Mapping[str, Person] = {
    "anna": {"cn": "Anna Verdi", "telephoneNumber": "2001", "departmentNumber": "Sales"},
    "bruno": {"cn": "Bruno Neri", "telephoneNumber": "2002", "departmentNumber": "Sales"},
    "carla": {"cn": "Carla Rosa", "telephoneNumber": "2003", "departmentNumber": "Support"},
}
AFTER: Mapping[str, Person] = {
    "anna": {"cn": "Anna Verdi", "telephoneNumber": "2001", "departmentNumber": "Marketing"},
    "carla": {"cn": "Carla Rosa", "telephoneNumber": "2010", "departmentNumber": "Support"},
    "dora": {"cn": "Dora Gialli", "telephoneNumber": "2100", "departmentNumber": "Sales"},
}
MAPPING = (
    ("username = id", "username = uid"),
    ("display_name = name", "display_name = cn"),
    ("first_extension = extension", "first_extension = telephoneNumber"),
    ("department = department", "department = departmentNumber"),
)
LDIF = f"""\
type = ldif
file = people.ldif
base = {PEOPLE}
filter = (objectClass=inetOrgPerson)
grace = 0 days
"""
LDAP = f"""\
type = ldap
servers = {{url}}
tls = none
allow_plaintext_bind = yes
bind_dn = {READER}
bind_password_file = bind.secret
base = {PEOPLE}
filter = (objectClass=inetOrgPerson)
grace = 0 days
"""
CSV = "type = csv\nfile = people.csv\nid = id\n"


def prepare(worker: Worker, kind: str, slapd: Slapd | None = None) -> None:
    """Give a worker the company with a directory of this kind (csv, ldif, ldap)."""
    ini = mixed.write_company(worker.company)
    text = ini.read_text(encoding="utf-8")
    if kind == "csv":
        text = text.replace(CSV, f"{CSV}grace = 0 days\n")
    else:
        options = LDIF if slapd is None else LDAP.format(url=slapd.url)
        assert CSV in text
        text = text.replace(CSV, options)
        for old, new in MAPPING:
            text = text.replace(old, new)
    ini.write_text(text, encoding="utf-8")
    secret = worker.company / "bind.secret"
    secret.write_text(f"{PASSWORD}\n", encoding="utf-8")
    secret.chmod(0o600)
    writers: dict[str, Callable[[Mapping[str, Person]], None]] = {
        "csv": lambda people: _write_csv(worker.company / "people.csv", people),
        "ldif": lambda people: _write_ldif(worker.company / "people.ldif", people),
    }
    write = writers[kind] if slapd is None else lambda people: _enter(slapd, people)
    write(BEFORE)
    _do(worker, "sync")
    mixed.write_first_file(worker.company)
    _do(worker, "ingest")
    mixed.write_files(worker.company)
    worker.do("ingest by daemon")
    write(AFTER)
    worker.keep()


def _do(worker: Worker, task: str) -> None:
    done = worker.do(task)
    assert done.code == 0, done


def _write_csv(path: Path, people: Mapping[str, Person]) -> None:
    rows = [
        f"{name},{one['cn']},{one['telephoneNumber']},{one['departmentNumber']}\n"
        for name, one in people.items()
    ]
    path.write_text("id,name,extension,department\n" + "".join(rows), encoding="utf-8")


def _write_ldif(path: Path, people: Mapping[str, Person]) -> None:
    entries = [
        f"dn: uid={name},{PEOPLE}\nobjectClass: inetOrgPerson\nentryUUID: {name:_<8}\nuid: {name}\n"
        + "".join(f"{attribute}: {value}\n" for attribute, value in one.items())
        for name, one in people.items()
    ]
    path.write_text("\n".join(entries), encoding="utf-8")


def _enter(slapd: Slapd, people: Mapping[str, Person]) -> None:
    """Bring the server's people to these; who stays keeps the entry."""
    known = BEFORE.keys() if people is AFTER else set()
    for name in known - people.keys():
        slapd.delete(name)
    for name, one in people.items():
        if name in known:
            slapd.modify(name, **one)
        else:
            slapd.add(name, **one)
