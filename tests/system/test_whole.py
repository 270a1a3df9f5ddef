"""All of it: a real LDAP server and a drop folder go in, and each viewer gets exactly the calls that
the permission level allows, while people are added, renamed, moved and removed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.demo.cucm_writer import row, write_cucm_file
from tests.integration.slapd import PEOPLE, READER, Slapd, proxy
from tests.support.bed import DECK, START
from tests.support.phones import leg
from tests.system.daemon_process import Daemon, syncd, syncd_json

INI = f"""
[syncd]
state_directory = state            ; relative to this file
timezone = Europe/Rome
currency = EUR

[database]
url = sqlite:///syncd.db

[directory:corp]
type = ldap
servers = URL
tls = none
allow_plaintext_bind = yes
bind_dn = {READER}
bind_password_file = bind.secret
base = {PEOPLE}
filter = (objectClass=inetOrgPerson)
schedule = every 1 second
max_departures = 10%
grace = 0 seconds

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
bill_first_extension = yes
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
timezone = Europe/Rome
internal_numbers = 2XXX 3XXX 6XXX

[trunk:pstn]
site = hq
devices = S0/SU* SIP-PSTN*
role = pstn
carrier = telco

[carrier:telco]
tariff.2020 = tariffs/telco.csv from 2020-01-01
rounding = half-up 4

[cdr:hq]
driver = cucm
folder = drop/hq
site = hq
schedule = every 1 second
settle = 0 seconds

[licensing]
slots = 250
automatic_acquisition = no

[reports]
level6_basis = department

[daemon]
metrics = none
"""

MOBILE = "03331234567"
OUTSIDE = "+390648901234"
DAY = 86_400


class Company:
    """The INI's folder, the LDAP server and the running daemon."""

    def __init__(self, folder: Path, slapd: Slapd, start: Callable[[Path], Daemon]) -> None:
        self.slapd = slapd
        self.ini = folder / "syncd.ini"
        self.ini.write_text(INI.replace("URL", slapd.url))
        (folder / "tariffs").mkdir()
        (folder / "tariffs" / "telco.csv").write_text(DECK)
        self.drop_folder = folder / "drop" / "hq"
        self.drop_folder.mkdir(parents=True)
        self._start = start
        self._files = 0

    def start(self) -> None:
        self.daemon = self._start(self.ini)

    def person(self, uid: str, number: str, department: str, level: int, **more: Any) -> None:
        self.slapd.add(
            uid,
            telephoneNumber=number,
            departmentNumber=department,
            title=str(level),
            **more,
        )

    def synced(self, writes: Callable[[], None], **fields: int) -> None:
        """Write to the directory and wait until the daemon has applied as much."""
        seen = len(self.daemon.events)
        writes()
        self.daemon.wait(
            f"syncs with {fields}",
            lambda: all(
                sum(event.get(name, 0) for event in self.daemon.events[seen:]) == count
                for name, count in fields.items()
            ),
        )

    def drop(self, *legs: dict[str, Any]) -> None:
        """Drop a file of these records and wait until the daemon has taken it."""
        self._files += 1
        name = f"cdr_StandAloneCluster_01_202601010000_{self._files}"
        write_cucm_file(self.drop_folder / name, [row(**each) for each in legs])
        taken = self.daemon.event("file_ingested", file=name)
        assert (taken["read"], taken["rejected"]) == (len(legs), 0)

    def report(self, name: str, viewer: str | None = None) -> dict[str, Any]:
        today = date.today()  # noqa: DTZ011
        period = ("--from", f"{today - timedelta(10)}", "--to", f"{today + timedelta(3)}")
        who = ("--as", viewer) if viewer else ()
        result: dict[str, Any] = syncd_json(self.ini, "report", name, *who, *period)
        return result

    def seen_by(self, viewer: str | None = None) -> list[tuple[str, str, str, str]]:
        """Return (person, department, side, cost) of every call that a viewer sees, in order."""
        return [
            (call["person"], call["department"], call["side"], call["cost"])
            for call in sorted(
                self.report("calls", viewer)["rows"],
                key=lambda call: (call["started_at"], call["side"] != "calling"),
            )
        ]


@pytest.fixture
def company(tmp_path: Path, slapd: Slapd, secret: Path, start: Callable[[Path], Daemon]) -> Company:
    return Company(tmp_path, slapd, start)


ANNA = ("Anna", "Sales", "calling", "0.76")
BRUNO = ("Bruno", "Sales", "calling", "0.00")
CARLA = ("Carla", "Support", "called", "0.00")
EMIL = ("Emil", "Support", "calling", "0.25")
DORA = ("Dora", "IT", "called", "0.00")
EARLIER = [ANNA, BRUNO, CARLA, CARLA, EMIL, DORA]

BRUNO_NOW = ("Bruno Verdi", "Sales", "calling", "0.75")
CARLA_NOW = ("Carla", "Sales", "calling", "0.00")
FRITZ = ("Fritz", "Sales", "called", "0.00")
GINA = ("Gina", "Support", "calling", "0.21")
LATER = [BRUNO_NOW, CARLA_NOW, FRITZ, GINA]


def test_a_company_through_its_changes(company: Company) -> None:
    company.person("anna", "2001", "Sales", 6)
    company.person("bruno", "2002", "Sales", 2)
    company.person("carla", "2003", "Support", 2)
    company.person("dora", "2004", "IT", 10)
    company.person("emil", "2005", "Support", 8, roomNumber="3")
    company.person("luca", "2008", "Support", 6, description="Sales")
    company.person("otto", "2009", "IT", 0)
    company.start()
    company.daemon.event("sync_finished", arrived=7)
    before = int(time.time()) - 3 * DAY - START
    company.drop(
        leg(1, 101, 102, "2001", MOBILE, at=before, talk=61),
        leg(2, 201, 202, "2002", "2003", at=before + 100),
        leg(3, 301, 302, OUTSIDE, "2003", at=before + 200),
        leg(4, 401, 402, "2005", MOBILE, at=before + 300, talk=10),
        leg(5, 501, 502, "2999", "2004", at=before + 400),
    )

    assert company.seen_by() == EARLIER
    assert company.seen_by("dora") == EARLIER
    assert company.seen_by("emil") == EARLIER
    assert company.seen_by("luca") == [ANNA, BRUNO, CARLA, CARLA, EMIL]
    assert company.seen_by("anna") == [ANNA, BRUNO]
    assert company.seen_by("bruno") == [BRUNO]
    assert company.seen_by("carla") == [CARLA, CARLA]
    for nobody in ("otto", "zoe"):
        refused = syncd(company.ini, "report", "calls", "--as", nobody, "--json")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert len(refused.stderr.splitlines()) == 1
    numbers = [call["other_number"] for call in company.report("calls", "emil")["rows"]]
    assert "+393331234***" in numbers
    assert "+393331234567" not in numbers
    assert "+393331234567" in [call["other_number"] for call in company.report("calls")["rows"]]

    slapd = company.slapd

    def people_change() -> None:
        slapd.add_unit("sales")
        slapd.rename("bruno", "bruno.verdi", f"ou=sales,{PEOPLE}")
        slapd.modify("carla", departmentNumber="Sales")
        slapd.delete("emil")
        company.person("fritz", "2006", "Sales", 2)

    def bruno_marries() -> None:
        slapd.modify("bruno.verdi,ou=sales", cn="Bruno Verdi")

    company.synced(people_change, arrived=1, departed=1, closed=1)
    company.synced(bruno_marries, changed=1)
    company.synced(lambda: company.person("gina", "2005", "Support", 2), arrived=1)
    after = int(time.time()) + 600 - START
    company.drop(
        leg(6, 601, 602, "2002", MOBILE, at=after, talk=60),
        leg(7, 701, 702, "2003", "2006", at=after + 100),
        leg(8, 801, 802, "2005", MOBILE, at=after + 200, talk=6),
    )

    assert company.seen_by() == [*EARLIER, *LATER]
    assert company.seen_by("dora") == [*EARLIER, *LATER]
    assert company.seen_by("luca") == [ANNA, BRUNO, CARLA, CARLA, EMIL, *LATER]
    # Carla's calls for Support stay Support's; those since she moved are Sales'.
    assert company.seen_by("anna") == [ANNA, BRUNO, BRUNO_NOW, CARLA_NOW, FRITZ]
    assert company.seen_by("bruno.verdi") == [BRUNO, BRUNO_NOW]
    assert company.seen_by("carla") == [CARLA, CARLA, CARLA_NOW]
    assert company.seen_by("fritz") == [FRITZ]
    # The number was Emil's: his calls stay his.
    assert company.seen_by("gina") == [GINA]
    for nobody in ("emil", "bruno"):
        assert syncd(company.ini, "report", "calls", "--as", nobody).returncode == 1

    report = company.report("by-department")
    sums = {group["department"]: (group["calls"], group["cost"]) for group in report["rows"]}
    assert sums == {"Sales": (5, "1.51"), "Support": (4, "0.46"), "IT": (1, "0.00")}
    assert (report["totals"]["calls"], report["totals"]["cost"]) == (10, "1.97")
    unknown = syncd(company.ini, "unknown", "--json")
    assert "2999" in unknown.stdout

    assert company.daemon.terminate() == 0
    assert not [event for event in company.daemon.events if "exception" in event]
    assert syncd(company.ini, "db", "verify").returncode == 0


def test_nobody_leaves_when_the_directory_does_not_answer(company: Company) -> None:
    company.person("anna", "2001", "Sales", 2)
    answers = True

    def answer(data: bytes, _sent: int) -> bytes | None:
        return data if answers else None

    with proxy(company.slapd.port, answer) as port:
        company.ini.write_text(INI.replace("URL", f"ldap://127.0.0.1:{port}"))
        company.start()
        company.daemon.event("sync_finished", arrived=1)
        answers = False
        company.daemon.event("sync_failed", exit_code=75)
        assert syncd(company.ini, "sync").returncode == 75
        day_ago = int(time.time()) - DAY - START
        company.drop(leg(1, 101, 102, "2001", MOBILE, at=day_ago, talk=61))
        assert company.seen_by("anna") == [ANNA]


def test_nobody_leaves_when_everybody_is_gone(company: Company) -> None:
    for number in range(2001, 2009):
        company.person(f"p{number}", f"{number}", "Sales", 2)
    company.start()
    company.daemon.event("sync_finished", arrived=8)
    for number in range(2001, 2008):
        company.slapd.delete(f"p{number}")
    refused = company.daemon.event("sync_failed", exit_code=4)
    assert refused["problems"]
    assert len(syncd_json(company.ini, "licence")["holders"]) == 8
    accepted = syncd(company.ini, "sync", "corp", "--accept-departures", "7")
    assert accepted.returncode == 0, accepted.stderr
    assert len(syncd_json(company.ini, "licence")["holders"]) == 1
