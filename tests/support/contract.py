"""A company written by hand and looked at from outside: the settings as an administrator would
type them, CUCM files by a writer of its own, and the program's verbs with their output.

Nothing here uses the simulator, the settings schema or the drivers: what the tests expect comes
from the description of the product alone.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from syncd.cli.main import main

SAMPLE = Path(__file__).parents[1] / "fixtures/cucm15/cdr_StandAloneCluster_01_202604021200_1"
HEADER, TYPES = SAMPLE.read_text(encoding="utf-8").splitlines()[:2]
COLUMNS = [name.strip('"') for name in HEADER.split(",")]
IS_NUMBER = [kind == "INTEGER" for kind in TYPES.split(",")]
NAMESPACE = uuid.UUID("6f0c3a52-0f1b-4a7e-9a1e-3d2f4c5b6a70")

INI = """\
[syncd]
state_directory = state            ; relative to this file, or absolute
timezone = Europe/Rome             ; days and months in reports
currency = EUR

[database]
url = sqlite:///syncd.db           ; in the state directory; or postgresql://...

[directory:corp]
type = ldap                        ; ldap | ldif (more to come)
servers = {url}    ; several, tried in order
tls = none                         ; ldaps | starttls | none (none needs allow_plaintext_bind = yes)
allow_plaintext_bind = yes
bind_dn = uid=syncd,dc=example,dc=com
bind_password_file = bind.secret
base = ou=people,dc=example,dc=com
filter = (objectClass=inetOrgPerson)
schedule = every 15 minutes        ; or a cron line
max_departures = 10%
; type = ldif: file = people.ldif; base and filter apply too

[map:corp]
username = uid
display_name = cn
mail = mail
first_extension = telephoneNumber
fax_number = facsimileTelephoneNumber
voicemail_number = pager
extension_alias = homePhone
partition = l
department = departmentNumber
cost_center = employeeType
office_location = physicalDeliveryOfficeName
cdr_user_id = uid
bill_first_extension = yes         ; constant, or an attribute test: employeeType == staff
bill_fax = no
bill_voicemail = no
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
timezone = Europe/Rome             ; of time bands; default: that of [syncd]
internal_numbers = 2XXX 3XXX 6XXX  ; X = a digit; what acquisition may take

[trunk:pstn]
site = hq
devices = S0/SU* SIP-PSTN*
role = pstn                        ; pstn | tie | voicemail | fax | recorder | contact-centre
carrier = telco

[carrier:telco]
tariff.2026 = tariffs/telco.csv from 2026-01-01
rounding = half-up 4               ; mode and decimals of the currency

[cdr:hq]
driver = cucm                      ; or cucm-partition
folder = drop/hq
site = hq
schedule = every 30 seconds
settle = 10 seconds
; pbx = hq-cluster                ; identity; folders of one PBX share it (default: the section's name)
; import_internal = yes
; excluded_numbers = 2900 2901
; attribution = number, user

[licensing]
slots = 250                        ; or unlimited
automatic_acquisition = no

[reports]
level6_basis = department          ; department | cost_center | office_location
"""

TARIFF = """\
prefix,destination,class,connection_fee,price,unit_seconds,initial_seconds,increment_seconds,minimum_charge
39,Italy,national,0.05,0.02,60,1,1,0
3906,Rome,local,0,0.01,60,60,60,0
393,Italy mobile,mobile,0.10,0.25,60,30,6,0.30
39800,Italy toll-free,toll-free,0,0,60,1,1,0
49,Germany,international,0.15,0.30,60,60,30,0
33,France,international,0,0.003,60,1,1,0
"""

ATTRIBUTES = {
    "name": "cn",
    "mail": "mail",
    "extension": "telephoneNumber",
    "fax": "facsimileTelephoneNumber",
    "voicemail": "pager",
    "alias": "homePhone",
    "partition": "l",
    "department": "departmentNumber",
    "cost_center": "employeeType",
    "office": "physicalDeliveryOfficeName",
    "level": "title",
    "more": "description",
    "masked": "roomNumber",
    "project": "carLicense",
}
"""The attribute of an entry by the short name that the tests use for what [map:corp] makes of it."""


def person(**fields: str | list[str] | None) -> dict[str, Any]:
    """Return an entry's attributes for fields named as in ``ATTRIBUTES``."""
    return {ATTRIBUTES[name]: value for name, value in fields.items()}


PEOPLE: dict[str, dict[str, Any]] = {
    "anna": person(
        name="Anna Verdi", extension="2001", department="Sales", cost_center="CC10",
        office="Rome", level="2", project="Apollo",
    ),
    "bruno": person(
        name="Bruno Neri", extension="2002", department="Sales", cost_center="CC20",
        office="Rome", level="6", masked="3", project="Apollo",
    ),
    "carla": person(
        name="Carla Blu", extension="2003", department="Support", cost_center="CC20",
        office="Milan", level="6", more="Legal; Engineering", project="Zeus",
    ),
    "dario": person(
        name="Dario Rosa", extension="2004", department="Support", cost_center="CC20",
        office="Rome", level="0",
    ),
    "elena": person(
        name="Elena Viola", extension="2005", department="Engineering", cost_center="CC30",
        office="Milan", level="8", masked="4",
    ),
    "fabio": person(
        name="Fabio Grigi", extension="2006", department="Engineering", cost_center="CC30",
        office="Milan", level="10",
    ),
    "gina": person(name="Gina Bianchi", extension="2007", level="6"),
    "hugo": person(
        name="Hugo Marrone", extension="2008", department="Support", cost_center="CC20",
        office="Milan", level="2",
    ),
    "irene": person(
        name="Irene Oro", extension="2009", alias="2019", department="sales ",
        cost_center="CC10", office="Rome", level="2",
    ),
    "karl": person(
        name="Karl Argento", extension="2010", fax="2090", voicemail="2091",
        department="Legal", cost_center="CC40", office="Milan", level="2", project="Zeus",
    ),
    "luca": person(name="Luca Perla", department="Legal", cost_center="CC40", level="10"),
    "noemi": person(
        name="Noemi Ambra", extension="2012", department="Archive", cost_center="CC50",
        office="Turin",
    ),
}  # fmt: skip
"""Twelve people: uid to attributes."""


def ldif(people: Mapping[str, Mapping[str, Any]], unique: str | None = "entryUUID") -> str:
    """Return the entries as LDIF; ``unique`` names the identity attribute, None leaves it out."""
    parts = ["version: 1\n", "dn: ou=people,dc=example,dc=com\nobjectClass: organizationalUnit\n"]
    for uid, attributes in people.items():
        lines = [f"dn: uid={uid},ou=people,dc=example,dc=com", "objectClass: inetOrgPerson"]
        if unique:
            lines.append(f"{unique}: {uuid.uuid5(NAMESPACE, uid)}")
        lines += [f"uid: {uid}", f"sn: {uid.title()}"]
        for name, value in attributes.items():
            for one in value if isinstance(value, list) else [value]:
                # A trailing blank would make it base64; without it the value is the same key.
                lines.append(f"{name}: {one.strip()}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def epoch(text: str) -> int:
    """Return the epoch UTC of an ISO time with offset."""
    return int(datetime.fromisoformat(text).timestamp())


def leg(key: str, start: str, *, ring: int = 5, talk: int | None = None, **fields: Any) -> str:
    """Return one CDR row.

    ``key`` makes the pkid; ``start`` is ISO with offset; ``ring`` and ``talk`` are seconds, talk
    None when it was never connected. ``fields`` are columns by name, the rest is as CUCM leaves it.
    """
    begin = epoch(start)
    connect = 0 if talk is None else begin + ring
    values: dict[str, Any] = {
        "cdrRecordType": 1,
        "globalCallID_callManagerId": 1,
        "dateTimeOrigination": begin,
        "dateTimeConnect": connect,
        "dateTimeDisconnect": begin + ring + (talk or 0),
        "duration": talk or 0,
        "pkid": str(uuid.uuid5(NAMESPACE, key)),
        "globalCallId_ClusterID": "StandAloneCluster",
        "origNodeId": 1,
        "destNodeId": 1 if fields.get("destLegIdentifier") else 0,
        "origPrecedenceLevel": 4,
        "destPrecedenceLevel": 4,
    }
    if "finalCalledPartyNumber" in fields:
        values["originalCalledPartyNumber"] = fields["finalCalledPartyNumber"]
        values["lastRedirectDn"] = fields["finalCalledPartyNumber"]
    values.update(fields)
    unknown = set(values) - set(COLUMNS)
    assert not unknown, unknown
    cells = []
    for name, is_number in zip(COLUMNS, IS_NUMBER, strict=True):
        value = values.get(name, 0 if is_number else "")
        cells.append(str(value) if is_number else '"' + str(value).replace('"', '""') + '"')
    return ",".join(cells)


def phone(number: str) -> str:
    """Return the device name of a number's telephone."""
    return f"SEP0000{int(re.sub('[^0-9]', '', number) or '0'):08X}"


GATEWAY = "S0/SU0/DS1-0@vg-hq"
TRUNK = "SIP-PSTN-1"
_counter = iter(range(1000, 10**9))


def ids(**fields: Any) -> dict[str, Any]:
    """Return a call id and two leg ids nobody else has, unless the fields name them."""
    chosen = {
        "globalCallID_callId": next(_counter),
        "origLegCallIdentifier": next(_counter),
        "destLegIdentifier": next(_counter),
    }
    chosen.update(fields)
    return chosen


def internal(key: str, start: str, caller: str, called: str, **more: Any) -> str:
    """Return an internal call, hung up by the caller when it was answered."""
    fields = ids(
        callingPartyNumber=caller,
        finalCalledPartyNumber=called,
        origDeviceName=phone(caller),
        destDeviceName=phone(called),
        origCause_value=16,
        calledPartyPatternUsage=2,
    )
    return leg(key, start, **(fields | more))


def outgoing(key: str, start: str, caller: str, dialled: str, **more: Any) -> str:
    """Return a call that left by the gateway; ``dialled`` includes the access code."""
    fields = ids(
        callingPartyNumber=caller,
        finalCalledPartyNumber=dialled,
        origDeviceName=phone(caller),
        destDeviceName=GATEWAY,
        origCause_value=16,
        calledPartyPatternUsage=5,
        OutgoingProtocolID=4,
        finalCalledPartyPattern="0.!",
        originalCalledPartyPattern="0.!",
    )
    return leg(key, start, **(fields | more))


def incoming(key: str, start: str, caller: str, called: str, **more: Any) -> str:
    """Return a call that came in by the SIP trunk."""
    fields = ids(
        callingPartyNumber=caller,
        finalCalledPartyNumber=called,
        origDeviceName=TRUNK,
        destDeviceName=phone(called),
        destCause_value=16,
        calledPartyPatternUsage=2,
        IncomingProtocolID=1,
    )
    return leg(key, start, **(fields | more))


class Answer(NamedTuple):
    """What a command printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Company:
    """A directory with ``syncd.ini`` and all that it names."""

    def __init__(self, home: Path, url: str = "", password: str = "secret") -> None:
        self.home = home
        self.ini = home / "syncd.ini"
        self.drop = home / "drop/hq"
        self.drop.mkdir(parents=True)
        (home / "tariffs").mkdir()
        (home / "tariffs/telco.csv").write_text(TARIFF)
        (home / "bind.secret").write_text(password + "\n")
        self.ini.write_text(INI.format(url=url))
        self.files = 0

    def set(self, section: str, **options: str | None) -> None:
        """Write options into a section; None removes one. A section that is missing is added."""
        lines = self.ini.read_text().splitlines()
        if f"[{section}]" not in lines:
            lines += ["", f"[{section}]"]
        first = lines.index(f"[{section}]") + 1
        last = first
        while last < len(lines) and not lines[last].startswith("["):
            last += 1
        body = [
            line
            for line in lines[first:last]
            if line.partition("=")[0].strip().replace(".", "_") not in options
        ]
        new = [f"{name} = {value}" for name, value in options.items() if value is not None]
        self.ini.write_text("\n".join(lines[:first] + new + body + lines[last:]) + "\n")

    def use_ldif(self, people: Mapping[str, Mapping[str, Any]], **options: Any) -> None:
        """Take people from an LDIF file from now on."""
        self.write_ldif(people, **options)
        gone = dict.fromkeys(
            ("servers", "tls", "allow_plaintext_bind", "bind_dn", "bind_password_file")
        )
        self.set("directory:corp", type="ldif", file="people.ldif", **gone)

    def write_ldif(self, people: Mapping[str, Mapping[str, Any]], **options: Any) -> None:
        (self.home / "people.ldif").write_text(ldif(people, **options))

    def name(self, tag: str = "cdr") -> str:
        """Return the next file name as CUCM makes them."""
        self.files += 1
        return f"{tag}_StandAloneCluster_01_202603100900_{self.files}"

    def deliver(self, rows: Iterable[str], name: str = "", ending: str = "\n") -> Path:
        """Write a CUCM file into the drop folder. Returns its path."""
        path = self.drop / (name or self.name())
        path.write_text("\n".join([HEADER, TYPES, *rows]) + ending, encoding="utf-8")
        return path

    def run(self, *words: str) -> Answer:
        """Run a command line."""
        written, err = io.BytesIO(), io.StringIO()
        out = io.TextIOWrapper(written, encoding="utf-8", newline="")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["--config", str(self.ini), *words])
        out.flush()
        return Answer(code, written.getvalue().decode(), err.getvalue())

    def ok(self, *words: str) -> Answer:
        """Run a command line that must succeed."""
        answer = self.run(*words)
        assert answer.code == 0, (words, answer)
        return answer

    def take(self, *rows: str) -> list[dict[str, Any]]:
        """Deliver rows (if any) and take all files; return what became of the files."""
        if rows:
            self.deliver(rows)
        self.ok("ingest", "--no-settle")
        return self.listed("files")

    def listed(self, *words: str) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = self.ok(*words, "--json").json
        assert isinstance(answer, list)
        return answer

    def report(
        self,
        name: str = "calls",
        viewer: str = "",
        *words: str,
        period: tuple[str, str] = ("2026-03-01", "2026-04-01"),
    ) -> dict[str, Any]:
        """Return a report as JSON."""
        who = ["--as", viewer] if viewer else []
        times = ["--from", period[0], "--to", period[1]]
        answer = self.ok("report", name, *who, *times, *words, "--format", "json")
        return dict(answer.json)

    def rows(self, viewer: str = "", *words: str, **options: Any) -> list[dict[str, Any]]:
        """Return the rows of the call list."""
        return list(self.report("calls", viewer, *words, **options)["rows"])

    def lines(self, viewer: str = "", *words: str) -> list[tuple[str, str]]:
        """Return (line id, side) of the call list, sorted."""
        return sorted((row["line_id"], row["side"]) for row in self.rows(viewer, *words))


def sums(rows: Iterable[Mapping[str, Any]], *keys: str) -> dict[Any, dict[str, Any]]:
    """Return report rows by their key columns."""
    result = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        key = key[0] if len(key) == 1 else key
        assert key not in result, f"two rows for {key}"
        result[key] = {name: value for name, value in row.items() if name not in keys}
    return result
