"""Small integer keys of the dimensions, made on demand and remembered."""

from __future__ import annotations

from peewee import Model

from syncd.domain.party import Line as LineValue
from syncd.domain.party import name_key
from syncd.store.charges import know_cost_center, org_with
from syncd.store.dialect import get_or_add
from syncd.store.models import (
    Carrier,
    Destination,
    DestinationPrefix,
    Line,
    Matter,
    RateUsed,
    Trunk,
)

PREFIX_DIGITS = 7
"""No two countries share more of their numbers."""

UNMADE = -1
"""Keys from here down are of what is not there yet, where nothing is to be made."""


class Dimensions:
    """The keys of lines, trunks, carriers, destinations and rates. Must be used inside a write
    transaction; forget it when that is rolled back. With ``make`` False nothing is written: carriers,
    destinations and rates that are not there have a key of ``UNMADE`` or less."""

    def __init__(self, *, make: bool = True) -> None:
        self._make = make
        self._names: dict[type, dict[str, int]] = {
            model: dict(model.select(model.name, model.id).tuples())
            for model in (Trunk, Carrier, Destination)
        }
        self._rates: dict[tuple[str, str, str], int] = {
            (carrier, version, prefix): key
            for key, carrier, version, prefix in RateUsed.select(
                RateUsed.id, RateUsed.carrier, RateUsed.version, RateUsed.prefix
            ).tuples()
        }
        self._prefixes: set[tuple[int, str]] = set(
            DestinationPrefix.select(
                DestinationPrefix.destination_id, DestinationPrefix.prefix
            ).tuples()
        )
        self._carrier_names: dict[int, str] = {}
        self._lines: dict[LineValue, int] = {}
        self._matters: dict[str, int] = {}
        self._orgs: dict[tuple[int, str], int] = {}

    def trunk(self, name: str) -> int:
        return self._named(Trunk, name)

    def carrier(self, name: str) -> int:
        return self._named(Carrier, name)

    def destination(self, name: str, rate: tuple[str, str, str] | None) -> int:
        """Return the key of a destination, and keep how its numbers begin: with the prefix of the
        rate by which one was priced."""
        key = self._named(Destination, name)
        if rate is not None and self._make:
            place = (key, rate[2][:PREFIX_DIGITS])
            if place not in self._prefixes and place[1]:
                self._prefixes.add(place)
                DestinationPrefix.insert(
                    destination_id=key, prefix=place[1]
                ).on_conflict_ignore().execute()
        return key

    def carrier_name(self, carrier: int) -> str:
        """Return the name of a carrier's key, empty for one that is not there."""
        name = self._carrier_names.get(carrier)
        if name is None:
            row = Carrier.get_or_none(Carrier.id == carrier)
            name = self._carrier_names[carrier] = "" if row is None else str(row.name)
        return name

    def _named(self, model: type[Trunk] | type[Carrier] | type[Destination], name: str) -> int:
        known = self._names[model]
        key = known.get(name)
        if key is None:
            # Another source may have made it since.
            row = None if self._make else model.get_or_none(model.name == name)
            if row is None and not self._make:
                key = known[name] = UNMADE - len(known)
                if model is Carrier:
                    self._carrier_names[key] = name
                return key
            key = known[name] = int(row.id) if row else get_or_add(_table(model), {"name": name})
        return key

    def matter(self, name: str) -> int:
        """Return the key of a matter."""
        if name not in self._matters:
            self._matters[name] = get_or_add(_table(Matter), {"name": name})
        return self._matters[name]

    def org(self, org: int, cost_center: str) -> int:
        """Return the key of the org that is another but for its cost center."""
        found = self._orgs.get((org, cost_center))
        if found is None:
            key = name_key(cost_center)
            know_cost_center(key, cost_center)
            found = self._orgs[org, cost_center] = org_with(org, key) or 0
        return found

    def rate(self, rate: tuple[str, str, str] | None) -> int:
        """Return the key of (carrier, version, prefix), 0 for none."""
        if rate is None:
            return 0
        key = self._rates.get(rate)
        if key is None:
            carrier, version, prefix = rate
            if self._make:
                columns = {"carrier": carrier, "version": version, "prefix": prefix}
                key = self._rates[rate] = get_or_add(_table(RateUsed), columns)
                return key
            row = RateUsed.get_or_none(
                RateUsed.carrier == carrier,
                RateUsed.version == version,
                RateUsed.prefix == prefix,
            )
            key = self._rates[rate] = int(row.id) if row else UNMADE - len(self._rates)
        return key

    def line(self, line: LineValue) -> int:
        """Return the key of a line."""
        key = self._lines.get(line)
        if key is None:
            columns = {"site": line.site, "partition": line.partition, "number": line.number}
            row = Line.get_or_none(*(getattr(Line, name) == text for name, text in columns.items()))
            if row is None:
                # What is unique of a line is where it is; its line id follows from that.
                columns["line_id"] = line.line_id
                key = get_or_add(_table(Line), columns)
            else:
                key = int(row.id)
            self._lines[line] = key
        return key


def _table(model: type[Model]) -> str:
    return str(model._meta.table_name)
