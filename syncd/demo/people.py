"""The simulated company: who works there, on which numbers, in which department.

Built from a size and a seed alone, so that the same two give the same company everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

SMALLEST = 24
"""With fewer people some kinds of number would not exist."""

# fmt: off
GIVEN = (
    "Anna", "Bruno", "Carla", "Dario", "Elena", "Fabio", "Giulia", "Hugo", "Irene", "Jacopo",
    "Katia", "Luca", "Marta", "Nadia", "Oscar", "Paola", "Quinto", "Rosa", "Silvio", "Teresa",
    "Ugo", "Vera", "Walter", "Zoë", "Amélie", "Björn", "Chloé", "Niccolò",
)
FAMILY = (
    "Rossi", "Ferrari", "Russo", "Bianchi", "Romano", "Colombo", "Ricci", "Marino", "Greco",
    "Gallo", "Conti", "Costa", "Giordano", "Rizzo", "Lombardi", "Moretti", "Smith", "Jones",
    "Taylor", "Brown", "Müller", "D'Angelo", "De Luca", "Núñez", "Østergaard",
)
# fmt: on
DEPARTMENTS = ("Sales", "Support", "Engineering", "Finance", "Legal", "Operations")
PROJECTS = ("Apollo", "Borealis", "", "Cosmos")
OFFICES = {"HQ": ("Rome Tower", "Rome Annex"), "UK": ("London Bridge",)}

PILOT = "6100"
SHARED_VOICEMAIL = "6000"
PARK_CODES = tuple(f"680{n}" for n in range(1, 10))
UNKNOWN = tuple(f"299{n}" for n in range(10))
"""Numbers within the plan that no phone and nobody has."""
UNLISTED = ("3901", "3902", "3903", "3904", "3905")
"""Phones whose numbers are not in the directory; the last one is a member of the hunt group."""
HOT_DESKS = ("6901", "6902", "6903")
"""Phones without a holder of their own, on which people log in."""

OVERLAPPING = 5
"""How many extensions of a small company exist in both partitions."""


@dataclass(frozen=True, slots=True)
class Person:
    """One employee, as the directory tells of them; numbers as text, empty when there is none."""

    uid: str
    given_name: str
    family_name: str
    mail: str
    entry_uuid: str
    partition: str
    extension: str
    billed: bool
    department: str
    cost_center: str
    office: str
    level: int
    project: str
    voicemail: str
    bill_voicemail: bool
    fax: str = ""
    bill_fax: bool = False
    offnet_fax: str = ""
    aliases: tuple[str, ...] = ()
    additional_departments: tuple[str, ...] = ()
    masked_digits: int = 0

    @property
    def display_name(self) -> str:
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True, slots=True)
class Company:
    """Everybody, and what the numbering plan holds besides people.

    ``driver`` decides whether a number needs its partition: with ``cucm`` a number that two people
    hold is nobody's.
    """

    people: tuple[Person, ...]
    seed: int
    driver: str = "cucm-partition"
    pilot_partition: str = "HQ"
    leaver: Person = field(init=False)
    mover: Person = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "leaver", self.people[10])
        object.__setattr__(self, "mover", self.people[12])

    @property
    def mover_department(self) -> str:
        """Where the mover goes: the department two further in the list."""
        here = DEPARTMENTS.index(self.mover.department)
        return DEPARTMENTS[(here + 2) % len(DEPARTMENTS)]

    @property
    def slots_needed(self) -> int:
        """Billed numbers: what a licence must hold for everybody."""
        return sum(
            person.billed * (1 + person.bill_fax + person.bill_voicemail) for person in self.people
        )

    def person(self, uid: str) -> Person:
        """Return the person with this uid. Raises KeyError when there is none."""
        for person in self.people:
            if person.uid == uid:
                return person
        raise KeyError(uid)


def build_company(size: int = 60, seed: int = 1, driver: str = "cucm-partition") -> Company:
    """Return the company of ``size`` people that this seed gives.

    Raises ValueError below SMALLEST people or for a driver other than ``cucm``, ``cucm-partition``.
    """
    if size < SMALLEST:
        raise ValueError(f"a company needs at least {SMALLEST} people")
    if driver not in ("cucm", "cucm-partition"):
        raise ValueError(f"no driver {driver!r}: cucm or cucm-partition")
    places = _places(size)
    hiring = _Hiring(Random(f"company {seed}"))
    people = tuple(hiring.person(index, *next(places)) for index in range(size))
    return Company(people, seed, driver)


def _places(size: int) -> Iterator[tuple[str, str]]:
    """Yield partition and extension, one after another: three at headquarters, two elsewhere.

    A small company has a few extensions twice, a large one nearly all of them.
    """
    head = iter(_extensions(2001))
    if size <= 1200:
        own = [f"{2001 + n}" for n in range(OVERLAPPING)] + list(_extensions(3001))
        while True:
            yield from (("HQ", next(head)) for _ in range(3))
            here, own = own[:2], own[2:]
            yield from (("UK", number) for number in here)
    partitions = ["HQ", "UK", *(f"B{n:02d}" for n in range(2, size // 1500 + 2))]
    numbers = {name: iter([*_extensions(2001), *_extensions(3001)]) for name in partitions}
    while True:
        for partition in partitions:
            number = next(numbers[partition], "")
            if number:
                yield partition, number


def _extensions(first: int) -> list[str]:
    """Return the extensions from 2001 to 2899, or from 3001 to 3699."""
    return [str(number) for number in range(first, 2900 if first < 3000 else 3700)]


class _Hiring:
    """Makes one person after another; remembers which names and numbers are taken."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.heads: set[str] = set()
        self.names: set[str] = set()
        self.used: Counter[tuple[int, str]] = Counter()
        self.hired: Counter[str] = Counter()

    def person(self, index: int, partition: str, extension: str) -> Person:
        """Return the person with this place in the order of hiring."""
        given = self.random.choice(GIVEN)
        family = self.random.choice(FAMILY)
        uid = self.unique(given + "." + family)
        department = DEPARTMENTS[index % len(DEPARTMENTS)]
        level = self.level(index, department)
        billed = index % 20 != 19
        place = self.hired[partition]
        self.hired[partition] += 1
        fax = self.block(37, partition) if place % 6 == 2 else ""
        own_voicemail = self.block(62, partition) if place % 8 == 5 else ""
        did = f"+390655{index:06d}" if place % 4 == 1 else ""
        second = self.block(65, partition) if place % 9 == 4 else ""
        bill_fax = billed and bool(fax) and place % 12 == 2
        sees_more = level == 6 and department == "Sales"
        return Person(
            uid=uid,
            given_name=given,
            family_name=family,
            mail=f"{uid}@example.com",
            entry_uuid=str(UUID(int=self.random.getrandbits(128), version=4)),
            partition=partition,
            extension=extension,
            billed=billed,
            department=department,
            cost_center=f"CC-{100 + 10 * (index % 6) + index % 4 // 2}",
            office=_office(partition, index),
            level=level,
            project=PROJECTS[index // 2 % 4],
            voicemail=own_voicemail or SHARED_VOICEMAIL,
            bill_voicemail=billed and bool(own_voicemail) and place % 16 == 5,
            fax=fax,
            bill_fax=bill_fax,
            offnet_fax=f"+390655{900000 + index:06d}" if bill_fax else "",
            aliases=tuple(number for number in (did, second) if number),
            additional_departments=("Support", "Legal") if sees_more else (),
            masked_digits=3 if level == 6 and department in ("Finance", "Operations") else 0,
        )

    def unique(self, name: str) -> str:
        """Return a uid made of a name: plain letters, a number when it is taken."""
        letters = (_PLAIN.get(letter, letter) for letter in name.lower() if letter not in " '")
        plain = "".join(letters)
        uid = plain
        number = 2
        while uid in self.names:
            uid = f"{plain}{number}"
            number += 1
        self.names.add(uid)
        return uid

    def level(self, index: int, department: str) -> int:
        """Return the permission level: one manages everything, one sees everything, each
        department has a head, a tenth sees nothing."""
        if index < 2:
            return (10, 8)[index]
        if department not in self.heads:
            self.heads.add(department)
            return 6
        return 0 if index % 10 == 9 else 2

    def block(self, hundreds: int, partition: str) -> str:
        """Return the next number of a block of a hundred, empty once it is used up.

        Headquarters have the lower half, the UK the upper: these numbers never overlap.
        """
        half = {"HQ": 1, "UK": 50}.get(partition)
        place = self.used[hundreds, partition]
        if half is None or place > 48:
            return ""
        self.used[hundreds, partition] += 1
        return f"{hundreds}{half + place:02d}"


_PLAIN = dict(zip("éëöòüúñø", "eeoouuno", strict=True))


def _office(partition: str, index: int) -> str:
    names = OFFICES.get(partition, (f"Branch {partition}",))
    return names[index // 5 % len(names)]
