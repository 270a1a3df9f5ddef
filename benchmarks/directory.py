"""How long a full reconcile of people who have not changed takes, beside a bare ldap3 search, and
how long a poll that finds nothing new.

    python -m benchmarks.directory [--people 50000] [--rounds 3]

An OpenLDAP of its own is filled with people of 14 attributes. Measured, each in a process of its
own and in the same run, with its peak memory:

  search      a paged ldap3 search of the same attributes, which throws everything away
  first       the first sync, into an empty database, and how long its write transaction takes
  unchanged   a sync after which nothing is different
  one change  a sync in which one person has another department
  a tenth     a sync in which every tenth person has another department
  poll        a connection, a bind and a bare question for what changed (RFC 4533), without an answer
  idle        an incremental sync that finds nothing new
  one new     an incremental sync that finds one person who is new

The last three are the best of several in one process, with all that is imported once out of it.

Ratios carry over from one machine to another, seconds do not. Needs slapd (apt install slapd).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from syncd.application.sites import DirectorySite
    from syncd.settings.model import DirectorySettings

SUFFIX = "dc=example,dc=com"
ADMIN, PASSWORD = f"cn=admin,{SUFFIX}", "admin"
PAGE = 1000
MAPPING = {
    "username": "uid",
    "display_name": "cn",
    "given_name": "givenName",
    "family_name": "sn",
    "mail": "mail",
    "first_extension": "telephoneNumber",
    "mobile_number": "mobile",
    "fax_number": "facsimileTelephoneNumber",
    "cdr_user_id": "uid",
    "department": "departmentNumber",
    "cost_center": "employeeType",
    "office_location": "physicalDeliveryOfficeName",
    "custom1": "employeeNumber",
    "custom2": "l",
    "bill_first_extension": "yes",
    "bill_fax": "no",
}
INI = f"""[syncd]
timezone = Europe/Rome
currency = EUR
[custom-fields]
custom1 = Number
custom2 = Floor
[site:hq]
country = IT
access_code = 0
internal_numbers = 1XXXXXX 2XXXXXX
[directory:corp]
type = ldap
servers = {{url}}
tls = none
allow_plaintext_bind = yes
bind_dn = {ADMIN}
bind_password_file = bind.secret
base = ou=people,{SUFFIX}
filter = (objectClass=inetOrgPerson)
page_size = {PAGE}
[map:corp]
{{mapping}}
"""
SLAPD = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload syncprov
pidfile {home}/slapd.pid
sizelimit unlimited
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw {password}
directory {home}/data
dbnosync
maxsize 1073741824
index objectClass,entryCSN,entryUUID eq
overlay syncprov
syncprov-sessionlog 100000
"""
ENTRY = """
dn: uid=u{n},ou=people,{suffix}
objectClass: inetOrgPerson
uid: u{n}
cn: Given{n} Family{n}
givenName: Given{n}
sn: Family{n}
mail: u{n}@example.com
telephoneNumber: {extension}
mobile: +39333{n:07d}
facsimileTelephoneNumber: {fax}
departmentNumber: Department {department}
employeeType: {cost_center}
physicalDeliveryOfficeName: Office {office}
employeeNumber: E{n}
l: Floor {floor}
entryUUID: {uuid}
"""


def write_tree(path: Path, people: int) -> None:
    """Write the LDIF of so many people."""
    with path.open("w", encoding="utf-8") as file:
        file.write(f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\n")
        file.write(f"o: Example\ndc: example\n\ndn: ou=people,{SUFFIX}\n")
        file.write("objectClass: organizationalUnit\nou: people\n")
        for n in range(people):
            file.write(
                ENTRY.format(
                    n=n,
                    suffix=SUFFIX,
                    extension=1_000_000 + n,
                    fax=2_000_000 + n,
                    department=n % 300,
                    cost_center=4_000 + n % 90,
                    office=n % 25,
                    floor=n % 12,
                    uuid=UUID(int=n + 1),
                )
            )


@contextlib.contextmanager
def slapd(home: Path, people: int) -> Iterator[str]:
    """Run a server with so many people; gives its URL."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    found = {name: shutil.which(name, path=path) for name in ("slapd", "slapadd")}
    server, loader = found["slapd"], found["slapadd"]
    if server is None or loader is None:
        raise SystemExit("slapd is missing: apt install slapd")
    (home / "data").mkdir()
    configuration = home / "slapd.conf"
    configuration.write_text(SLAPD.format(home=home, suffix=SUFFIX, admin=ADMIN, password=PASSWORD))
    write_tree(home / "tree.ldif", people)
    subprocess.run(
        [loader, "-q", "-w", "-f", str(configuration), "-l", str(home / "tree.ldif")], check=True
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"ldap://127.0.0.1:{port}"
    process = subprocess.Popen([server, "-f", str(configuration), "-h", url, "-d", "0"])
    try:
        while process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.01)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def search(url: str) -> dict[str, float]:
    """Search as a few lines of ldap3 do, page after page."""
    import ldap3

    attributes = sorted({*MAPPING.values(), "entryUUID"} - {"yes", "no"})
    began, cpu = time.perf_counter(), time.process_time()
    connection = ldap3.Connection(
        ldap3.Server(url, get_info=ldap3.NONE), ADMIN, PASSWORD, auto_bind=True, check_names=False
    )
    cookie, found = None, 0
    while True:
        connection.search(
            f"ou=people,{SUFFIX}",
            "(objectClass=inetOrgPerson)",
            attributes=attributes,
            paged_size=PAGE,
            paged_cookie=cookie,
        )
        found += len(connection.response)
        cookie = connection.result["controls"]["1.2.840.113556.1.4.319"]["value"]["cookie"]
        if not cookie:
            break
    return figures(began, cpu, found)


def opened(url: str, home: Path) -> tuple[DirectorySettings, tuple[DirectorySite, ...]]:
    """Open the database and return the settings of the directory, and the sites."""
    from syncd.application.sites import directory_sites
    from syncd.settings.load import load
    from syncd.store.database import open_database

    (home / "bind.secret").write_text(PASSWORD)
    (home / "bind.secret").chmod(0o600)
    mapping = "\n".join(f"{name} = {rule}" for name, rule in MAPPING.items())
    (home / "syncd.ini").write_text(INI.format(url=url, mapping=mapping))
    settings = load(home / "syncd.ini")
    open_database(f"sqlite:///{home}/syncd.db", home)
    return settings.directories["corp"], directory_sites(settings)


def sync(url: str, home: Path) -> dict[str, float]:
    """Sync as ``syncd sync`` does, and time the write transaction."""
    from syncd.directory import sync as module
    from syncd.directory.sources.open import open_source
    from syncd.store.database import write_transaction

    held = [0.0]

    @contextlib.contextmanager
    def timed() -> Iterator[None]:
        with write_transaction():
            began = time.perf_counter()
            yield
        held[0] = max(held[0], time.perf_counter() - began)

    directory, sites = opened(url, home)
    module.write_transaction = timed  # type: ignore[assignment]
    began, cpu = time.perf_counter(), time.process_time()
    outcome = module.sync_source(directory, open_source(directory), sites, now=int(time.time()))
    result = figures(began, cpu, outcome.entries)
    return result | {"transaction": held[0], "changed": outcome.changed}


def polls(url: str, home: Path, times: int = 5) -> dict[str, float]:
    """Ask what changed: bare, by an incremental sync that finds nothing, and by one that finds a
    new person. Returns the best milliseconds of each, and the processor's."""
    import ldap3

    from syncd.directory.incremental import Shortcut
    from syncd.directory.sources import syncrepl
    from syncd.directory.sources.open import open_source
    from syncd.directory.sync import sync_source
    from syncd.store.models import SourceCookie

    directory, sites = opened(url, home)
    attributes = sorted({*MAPPING.values(), "entryUUID"} - {"yes", "no"})
    base, filter_text = f"ou=people,{SUFFIX}", "(objectClass=inetOrgPerson)"

    def bare() -> None:
        cookie = SourceCookie.get().cookie.removeprefix("sync ")
        connection = ldap3.Connection(
            ldap3.Server(url, get_info=ldap3.NONE), ADMIN, PASSWORD, auto_bind=True
        )
        answer = syncrepl.refresh(connection, base, filter_text, "SUBTREE", attributes, cookie)
        connection.unbind()
        if not answer.silent:
            raise SystemExit(f"{len(answer.rows)} entries changed, and none did")

    def incremental(expected: int) -> None:
        source = open_source(directory)
        now = int(time.time())
        outcome = sync_source(directory, source, sites, now=now, shortcut=Shortcut.EXACT)
        if not outcome.incremental or outcome.entries != expected:
            raise SystemExit(f"not what was expected: {outcome}")

    def best(work: Callable[[], None], before: Callable[[], None] | None = None) -> list[float]:
        found = []
        for _ in range(times):
            if before:
                before()
            began, cpu = time.perf_counter(), time.process_time()
            work()
            found.append((time.perf_counter() - began, time.process_time() - cpu))
        return [1000 * min(one) for one in zip(*found, strict=True)]

    def hire() -> None:
        number = next(numbers)
        connection = ldap3.Connection(
            ldap3.Server(url, get_info=ldap3.NONE), ADMIN, PASSWORD, auto_bind=True
        )
        person = {"uid": number, "cn": number, "sn": number, "telephoneNumber": number}
        if not connection.add(f"uid={number},{base}", "inetOrgPerson", person):
            raise SystemExit(f"the person was not added: {connection.result}")

    numbers = iter(map(str, range(9_000_000, 9_000_000 + times)))
    found: dict[str, float] = {}
    for name, measured in (
        ("idle", best(lambda: incremental(0))),
        ("poll", best(bare)),
        ("one new", best(lambda: incremental(1), hire)),
    ):
        found[name], found[f"{name} cpu"] = measured
    return found


def figures(began: float, cpu: float, found: int) -> dict[str, float]:
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "entries": found,
    }


def move(url: str, round_number: int, people: Iterable[int]) -> None:
    """Give people another department."""
    import ldap3

    connection = ldap3.Connection(
        ldap3.Server(url, get_info=ldap3.NONE), ADMIN, PASSWORD, auto_bind=True
    )
    value = [(ldap3.MODIFY_REPLACE, [f"Other {round_number}"])]
    for n in people:
        if not connection.modify(f"uid=u{n},ou=people,{SUFFIX}", {"departmentNumber": value}):
            raise SystemExit(f"the person was not changed: {connection.result}")


def apart(what: str, url: str, home: Path) -> dict[str, float]:
    """Do one thing in a process of its own and return its figures."""
    command = [sys.executable, "-m", "benchmarks.directory", "--only", what, url, str(home)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])  # logs may stand before it
    return result


def show(name: str, rounds: list[dict[str, float]], bare: float) -> None:
    """Print the best of several rounds beside the bare search."""
    best = min(rounds, key=lambda one: one["seconds"])
    held = f"{best['transaction']:>9.2f} s" if "transaction" in best else ""
    print(
        f"{name:<12}{best['seconds']:>9.2f} s{best['cpu']:>9.2f} s{best['megabytes']:>9.0f} MB"
        f"{best['seconds'] / bare:>8.2f} x{held}",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs=3, metavar=("WHAT", "URL", "HOME"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        what, url, home = arguments.only
        if what == "search":
            print(json.dumps(search(url)))
        else:
            print(json.dumps({"sync": sync, "polls": polls}[what](url, Path(home))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with slapd(home, arguments.people) as url:
            print(f"{arguments.people} people; best of {arguments.rounds} rounds")
            print(f"{'':<12}{'time':>11}{'CPU':>11}{'peak':>12}{'search':>10}{'write lock':>11}")
            first = apart("sync", url, home)
            pairs = [
                (apart("search", url, home), apart("sync", url, home))
                for _ in range(arguments.rounds)
            ]
            changed = []
            for number in range(arguments.rounds):
                move(url, number, [7])
                changed.append(apart("sync", url, home))
            move(url, -1, range(0, arguments.people, 10))
            tenth = apart("sync", url, home)
            poll = apart("polls", url, home)
            bare = min(pair[0]["seconds"] for pair in pairs)
            show("search", [pair[0] for pair in pairs], bare)
            show("first", [first], bare)
            show("unchanged", [pair[1] for pair in pairs], bare)
            show("one change", changed, bare)
            show("a tenth", [tenth], bare)
            print(f"{'':<12}{'time':>12}{'CPU':>12}{'poll':>9}")
            for name in ("poll", "idle", "one new"):
                milliseconds, cpu = poll[name], poll[f"{name} cpu"]
                ratio = milliseconds / poll["poll"]
                print(f"{name:<12}{milliseconds:>9.1f} ms{cpu:>9.1f} ms{ratio:>8.2f} x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
