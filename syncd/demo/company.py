"""The files of the simulated company: directory, configuration, rate deck.

``write_company`` makes a folder with which ``syncd --config FOLDER/syncd.ini`` works as it is.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from syncd.demo.deck import deck_csv
from syncd.demo.people import Company, Person, build_company

__all__ = ["BASE", "Company", "CompanyFiles", "build_company", "write_company", "write_ldif"]

BASE = "ou=people,dc=example,dc=com"
BILLED = "billed"
"""The value by which the directory says that a number is billed."""

_ROOTS = """\
dn: dc=example,dc=com
objectClass: top
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=com
objectClass: top
objectClass: organizationalUnit
ou: people
"""

_INI = """\
; The simulated company. Every option is explained in the documented sample of syncd.ini.

[syncd]
state_directory = state
timezone = Europe/Rome
currency = EUR

[database]
url = sqlite:///syncd.db

[directory:corp]
type = ldif
site = hq
file = people.ldif
base = {base}
filter = (objectClass=inetOrgPerson)
schedule = {sync_schedule}
max_departures = 10%

[map:corp]
username = uid
display_name = cn
mail = mail
first_extension = telephoneNumber
fax_number = facsimileTelephoneNumber
offnet_fax_number = labeledURI =~ ^tel:(.+)$
voicemail_number = pager
extension_alias = homePhone
partition = l
department = departmentNumber
cost_center = employeeType
office_location = physicalDeliveryOfficeName
cdr_user_id = uid
bill_first_extension = businessCategory == billed
bill_fax = destinationIndicator == billed
bill_voicemail = postOfficeBox == billed
permission_level = title
additional_departments = description
masked_digits = roomNumber
custom1 = carLicense

[custom-fields]
custom1 = Project

[site:hq]
country = IT
area_code = 06
access_code = 0
timezone = Europe/Rome
internal_numbers = 2XXX 3XXX 6XXX

[trunk:pstn]
site = hq
devices = S0/SU* SIP-PSTN*
role = pstn
carrier = telco

[trunk:voicemail]
site = hq
devices = SIP-VM*
role = voicemail

[trunk:tie]
site = hq
devices = SIP-TIE*
role = tie

[carrier:telco]
tariff.{tariff_from:%Y} = tariffs/telco.csv from {tariff_from}
rounding = half-up 4

[cdr:hq]
driver = {driver}
folder = {folder}
site = hq
schedule = {schedule}
settle = {settle}

[licensing]
slots = {slots}
automatic_acquisition = {acquisition}

[reports]
level6_basis = department
"""


@dataclass(frozen=True, slots=True)
class CompanyFiles:
    """Where the company's files are; ``drop`` is the folder that its CDR files belong in."""

    ini: Path
    ldif: Path
    tariff: Path
    drop: Path


def write_company(
    directory: Path,
    company: Company,
    *,
    folder: str = "drop/hq",
    settle: str = "10 seconds",
    schedule: str = "every 30 seconds",
    sync_schedule: str = "every 15 minutes",
    slots: int | str = 250,
    acquisition: bool = False,
    tariff_from: date = date(2026, 1, 1),
) -> CompanyFiles:
    """Write ``syncd.ini``, ``people.ldif``, ``tariffs/telco.csv`` and make the drop folder.

    ``folder`` is relative to the directory, the other texts are values of the INI; the driver is
    the company's own.
    """
    directory.mkdir(parents=True, exist_ok=True)
    files = CompanyFiles(
        ini=directory / "syncd.ini",
        ldif=directory / "people.ldif",
        tariff=directory / "tariffs" / "telco.csv",
        drop=directory / folder,
    )
    files.tariff.parent.mkdir(exist_ok=True)
    files.drop.mkdir(parents=True, exist_ok=True)
    files.tariff.write_text(deck_csv(), encoding="utf-8")
    write_ldif(files.ldif, company)
    files.ini.write_text(
        _INI.format(
            base=BASE,
            driver=company.driver,
            folder=folder,
            settle=settle,
            schedule=schedule,
            sync_schedule=sync_schedule,
            slots=slots,
            acquisition="yes" if acquisition else "no",
            tariff_from=tariff_from,
        ),
        encoding="utf-8",
    )
    return files


def write_ldif(path: Path, company: Company, version: int = 1) -> Path:
    """Write the directory; version 2 is what it says after the leaver left and the mover moved.

    The file is replaced as a whole: a reader sees the one or the other. Returns its path.
    """
    unfinished = path.with_name(path.name + ".new")
    with unfinished.open("w", encoding="ascii", newline="\n") as file:
        file.write(_ROOTS)
        for person in people_of(company, version):
            file.write("\n")
            file.writelines(f"{line}\n" for line in entry_lines(person))
    unfinished.replace(path)
    return path


def people_of(company: Company, version: int = 1) -> Iterator[Person]:
    """Yield the people whom the directory lists in this version (1 or 2)."""
    for person in company.people:
        if version == 1 or person not in (company.leaver, company.mover):
            yield person
        elif person == company.mover:
            yield replace(person, department=company.mover_department, cost_center="CC-190")


def entry_lines(person: Person) -> Iterator[str]:
    """Yield the LDIF lines of one person's entry, the DN first."""
    yield _line("dn", f"uid={person.uid},{BASE}")
    for name in ("top", "person", "organizationalPerson", "inetOrgPerson"):
        yield _line("objectClass", name)
    for name, value in attributes(person):
        if value:
            yield _line(name, value)


def attributes(person: Person) -> tuple[tuple[str, str], ...]:
    """Return names and values of a person's attributes; the value of an absent one is empty."""
    return (
        ("entryUUID", person.entry_uuid),
        ("uid", person.uid),
        ("cn", person.display_name),
        ("sn", person.family_name),
        ("givenName", person.given_name),
        ("mail", person.mail),
        ("telephoneNumber", person.extension),
        ("facsimileTelephoneNumber", person.fax),
        ("labeledURI", person.offnet_fax and f"tel:{person.offnet_fax}"),
        ("pager", person.voicemail),
        *(("homePhone", number) for number in person.aliases),
        ("l", person.partition),
        ("departmentNumber", person.department),
        ("employeeType", person.cost_center),
        ("physicalDeliveryOfficeName", person.office),
        ("businessCategory", BILLED if person.billed else ""),
        ("destinationIndicator", BILLED if person.bill_fax else ""),
        ("postOfficeBox", BILLED if person.bill_voicemail else ""),
        ("title", str(person.level)),
        ("description", ";".join(person.additional_departments)),
        ("roomNumber", str(person.masked_digits or "")),
        ("carLicense", person.project),
    )


def _line(name: str, value: str) -> str:
    """Return an LDIF line: base64 where the text is not plain."""
    plain = value.isascii() and value.isprintable() and value == value.strip()
    if plain and value[0] not in ":<":
        return f"{name}: {value}"
    return f"{name}:: {b64encode(value.encode()).decode('ascii')}"
