"""The lines of the company on their devices, each with what the truth must know of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from syncd.demo.cucm_row import Row, address_integer
from syncd.demo.people import (
    HOT_DESKS,
    PILOT,
    SHARED_VOICEMAIL,
    UNLISTED,
    Company,
    Person,
)


@dataclass(frozen=True, slots=True)
class Station:
    """A line on a device; ``orig`` and ``dest`` are its columns on either side of a record."""

    number: str
    partition: str
    line_id: str
    username: str
    """Of the person who holds the line, empty when nobody does or when it is not certain who."""
    billed: bool
    anonymous: bool
    """Whether automatic acquisition would take the line."""
    hunt: bool
    """Whether the line is a hunt pilot, or a member known from hunt calls alone: without a slot."""
    node: int
    orig: Row
    dest: Row


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that one person can call on or be called on."""

    phone: Station
    aliases: tuple[Station, ...]
    mailbox: Station
    """The person's own voicemail number, or the shared pilot."""
    own_mailbox: bool
    fax: Station | None
    offnet_fax: Station | None


@dataclass(frozen=True, slots=True)
class Plant:
    """All stations of a company."""

    desks: tuple[Desk, ...]
    unlisted: tuple[Station, ...]
    """Phones that the directory does not know; the last is a member of the hunt group."""
    hot_desks: tuple[Station, ...]
    pilot: Station
    members: tuple[Desk, ...]
    """The named members of the hunt group."""


def build_plant(company: Company) -> Plant:
    """Return the stations of a company; who holds what follows from the driver's rule."""
    return _Wiring(company).plant()


class _Wiring:
    def __init__(self, company: Company) -> None:
        self.company = company
        self.partitions = company.driver == "cucm-partition"
        self.holders: Counter[str] = Counter()
        for person in company.people:
            for number in _numbers(person):
                self.holders[self.line(person.partition, number)] += 1

    def line(self, partition: str, number: str) -> str:
        """Return by what a line is found: with its partition only when the driver heeds it."""
        return f"{partition}.{number}" if self.partitions else number

    def plant(self) -> Plant:
        home = self.company.pilot_partition
        desks = tuple(self.desk(index, person) for index, person in enumerate(self.company.people))
        at_home = [
            desk
            for desk, person in zip(desks, self.company.people, strict=True)
            if person.partition == home and person.billed and desk.phone.username
        ]
        return Plant(
            desks=desks,
            unlisted=tuple(
                self.nobody(number, home, 900_000 + index, hunt=number == UNLISTED[-1])
                for index, number in enumerate(UNLISTED)
            ),
            hot_desks=tuple(
                self.nobody(number, home, 910_000 + index) for index, number in enumerate(HOT_DESKS)
            ),
            pilot=self.nobody(PILOT, home, 0, hunt=True),
            members=tuple(at_home[3:8]),
        )

    def desk(self, index: int, person: Person) -> Desk:
        own_mailbox = person.voicemail != SHARED_VOICEMAIL
        return Desk(
            phone=self.held(person, person.extension, index, person.billed),
            aliases=tuple(
                self.held(person, number, index, person.billed) for number in person.aliases
            ),
            mailbox=self.held(
                person, person.voicemail, index, person.bill_voicemail, certain=own_mailbox
            ),
            own_mailbox=own_mailbox,
            fax=self.fax(person, person.fax, index),
            offnet_fax=self.fax(person, person.offnet_fax, index),
        )

    def fax(self, person: Person, number: str, index: int) -> Station | None:
        if not number:
            return None
        return self.held(person, number, index, person.bill_fax, kind="ATA")

    def held(
        self,
        person: Person,
        number: str,
        index: int,
        billed: bool,
        *,
        certain: bool = True,
        kind: str = "SEP",
    ) -> Station:
        """Return a line of a person's: nobody's when a second person holds the same one."""
        certain = certain and self.holders[self.line(person.partition, number)] == 1
        user = person.uid if kind == "SEP" and index % 5 != 4 else ""
        return self.station(
            number,
            person.partition,
            line_id=f"{person.partition}.{number}",
            username=person.uid if certain else "",
            billed=billed and certain,
            user=user,
            device=index,
            kind=kind,
        )

    def nobody(self, number: str, partition: str, device: int, *, hunt: bool = False) -> Station:
        """Return a line that nobody holds."""
        return self.station(
            number,
            partition,
            line_id=self.line(partition, number),
            anonymous=True,
            hunt=hunt,
            device=device,
        )

    def station(
        self,
        number: str,
        partition: str,
        *,
        line_id: str,
        device: int,
        username: str = "",
        user: str = "",
        billed: bool = False,
        anonymous: bool = False,
        hunt: bool = False,
        kind: str = "SEP",
    ) -> Station:
        node = 1 if partition == "HQ" else 2
        address = f"10.{10 + device // 62500 % 200}.{device // 250 % 250}.{device % 250 + 1}"
        name = f"{kind}{0x0C7F75000000 + device:012X}"
        return Station(
            number=number,
            partition=partition,
            line_id=line_id,
            username=username,
            billed=billed,
            anonymous=anonymous,
            hunt=hunt,
            node=node,
            orig=orig_columns(number, partition, user, name, address, node),
            dest=dest_columns(number, partition, user, name, address, node),
        )


def _numbers(person: Person) -> set[str]:
    """Return every number that a person holds alone, fax and voicemail too."""
    own = {person.extension, *person.aliases, person.fax, person.offnet_fax, person.voicemail}
    return own - {"", SHARED_VOICEMAIL}


def orig_columns(
    number: str, partition: str, user: str, device: str, address: str, node: int
) -> Row:
    """Return the columns of a phone as the originator of a record."""
    return {
        "origNodeId": node,
        "origIpAddr": address_integer(address),
        "callingPartyNumber": number,
        "callingPartyUnicodeLoginUserID": user,
        "callingPartyNumberPartition": partition,
        "origDeviceName": device,
        "origIpv4v6Addr": address,
    }


def dest_columns(
    number: str, partition: str, user: str, device: str, address: str, node: int
) -> Row:
    """Return the columns of a phone as the destination of a record that reached it directly."""
    return {
        "destNodeId": node,
        "destIpAddr": address_integer(address),
        "originalCalledPartyNumber": number,
        "finalCalledPartyNumber": number,
        "lastRedirectDn": number,
        "finalCalledPartyUnicodeLoginUserID": user,
        "originalCalledPartyNumberPartition": partition,
        "finalCalledPartyNumberPartition": partition,
        "lastRedirectDnPartition": partition,
        "destDeviceName": device,
        "calledPartyPatternUsage": 2,
        "originalCalledPartyPattern": number,
        "finalCalledPartyPattern": number,
        "lastRedirectingPartyPattern": number,
    }
