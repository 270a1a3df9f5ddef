"""The month run: allowances for the calls of open months, as they are stored now, flat charges for
lines, and the rounding of an invoice's lines.

Nothing that it says depends on when calls arrived. It is an estimate while the month is open, and
done again when that is closed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from syncd.billing.allowances import Covering, Place, Pot, Pots, Priced
from syncd.billing.flat_charges import Payer, flat_shares
from syncd.billing.invoice_lines import InvoiceLines
from syncd.domain.allowance import Allowance, FlatCharge
from syncd.domain.codes import Direction, NumberClass
from syncd.domain.days import Days, days_between, month_days
from syncd.domain.posting import Cause, Posted
from syncd.domain.rate import Rounding
from syncd.store import month_runs
from syncd.store.models import Carrier, Destination, Line, MonthRun, Org, Party
from syncd.store.month_runs import Covered, begin, booked_in, lines_of, stage
from syncd.store.names import Aliases, aliases
from syncd.store.periods import bounds

ALLOWANCE, FLAT, ROUNDING = "allowance", "flat", "rounding"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the settings say of months."""

    allowances: tuple[Allowance, ...] = ()
    flat_charges: tuple[FlatCharge, ...] = ()
    roundings: Mapping[str, Rounding] = field(default_factory=dict)
    """Of the carriers whose invoice's lines are rounded."""
    only_site: str = ""
    """Where there is one site alone, lines without a site are its lines."""

    @property
    def empty(self) -> bool:
        return not (self.allowances or self.flat_charges or self.roundings)

    @property
    def carries_over(self) -> bool:
        """Say whether what a month comes to depends on the one before."""
        return any(one.carry_over for one in self.allowances)


@dataclass(slots=True)
class Figures:
    """What a month comes to beside its calls."""

    month: int
    lines: list[month_runs.Line] = field(default_factory=list)
    booked: dict[tuple[Cause, Posted], int] = field(default_factory=dict)
    uses: list[Covered] = field(default_factory=list)
    pots: Pots = field(default_factory=dict)


def figures(plan: Plan, months: Sequence[int], zone: ZoneInfo) -> Iterator[Figures]:
    """Yield what open months come to; ``months`` follow each other, from the oldest open one."""
    days = Days(zone)
    plan = _resolved(plan, aliases())
    before: Pots = _pots_before(months[0]) if months else {}
    for month in months:
        found = Figures(month)
        needed = plan.allowances or plan.roundings
        rows = _priced(*bounds(month, days), plan.only_site) if needed else iter(())
        invoice = InvoiceLines(plan.roundings)
        covering = Covering(plan.allowances, month, before)
        booked: defaultdict[tuple[Cause, Posted], int] = defaultdict(int)
        for row in rows:
            invoice.add(row, row.posted.cost)
            for use in covering.uses(row):
                found.uses.append(Covered(*row.place, use.allowance, use.pot, use.used, use.cost))
                booked[Cause.ALLOWANCE, row.posted._replace(cost=0)] -= use.cost
                invoice.add(row, -use.cost)
        before = found.pots = covering.pots
        found.lines = [
            month_runs.Line(
                ALLOWANCE, name, whose, pot.unit, pot.given, pot.carried, pot.used, -pot.cost
            )
            for (name, whose), pot in sorted(found.pots.items())
        ]
        _add_flat(plan, found, booked, days)
        _add_rounding(invoice, found, booked)
        found.booked = {key: cost for key, cost in booked.items() if cost}
        yield found


def _add_flat(
    plan: Plan, found: Figures, booked: dict[tuple[Cause, Posted], int], days: Days
) -> None:
    """Add the flat charges of a month."""
    charges = [one for one in plan.flat_charges if one.first <= found.month <= one.last]
    if not charges:
        return
    first, until = bounds(found.month, days)
    ends = [days.bounds(day)[1] - 1 for day in days_between(*month_days(found.month))]
    held = [
        one._replace(site=one.site or plan.only_site) for one in month_runs.held_lines(first, until)
    ]
    known: defaultdict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
    for party, *profile in month_runs.profiles(first, until):
        known[party].append((profile[0], profile[1], profile[2], profile[3]))

    def payer_at(party: int, at: int) -> Payer:
        for since, to, profile, org in known[party]:
            if since <= at < to:
                return Payer(party, profile, org)
        return Payer(party, 0, 0)

    carriers = dict(Carrier.select(Carrier.name, Carrier.id).tuples())
    for charge in charges:
        lines = set()
        total = 0
        for share in flat_shares(charge, held, payer_at, ends):
            lines.add(share.line)
            total += share.cost
            carrier = carriers.get(charge.carrier, 0)
            booked[Cause.FLAT, _posted(share.line, share.payer, carrier)] += share.cost
        found.lines.append(month_runs.Line(FLAT, charge.name, "", "lines", 0, 0, len(lines), total))


def _add_rounding(
    invoice: InvoiceLines, found: Figures, booked: dict[tuple[Cause, Posted], int]
) -> None:
    """Add what rounding an invoice's lines makes of them: nobody's in particular."""
    totals: dict[str, tuple[int, int]] = {}
    for line, cost in invoice.differences():
        posted = _posted(0, Payer(0, 0, 0), line.carrier_id)
        booked[Cause.ROUNDED, posted._replace(destination=line.destination)] += cost
        lines, total = totals.get(line.carrier, (0, 0))
        totals[line.carrier] = lines + 1, total + cost
    found.lines += [
        month_runs.Line(ROUNDING, carrier, "", "lines", 0, 0, lines, total)
        for carrier, (lines, total) in totals.items()
    ]


def _posted(line: int, payer: Payer, carrier: int) -> Posted:
    """Return the keys of what is for no call: it stands with what goes out, without a class."""
    return Posted(
        line,
        *payer,
        int(Direction.OUTGOING),
        int(NumberClass.UNCLASSIFIED),
        destination=0,
        trunk=0,
        carrier=carrier,
        cost=0,
    )


def _pots_before(month: int) -> Pots:
    """Return the pots at the end of the last closed month, if it is the one before a month."""
    year, number = divmod(month, 100)
    last = (year - 1) * 100 + 12 if number == 1 else month - 1
    return {
        (line.name, line.whose): Pot(line.unit, line.given, line.carried, line.used, -line.cost)
        for line in lines_of(last)
        if line.kind == ALLOWANCE
    }


def _resolved(plan: Plan, one: Aliases) -> Plan:
    """Return a plan whose names are the ones that remain."""

    def keys(kind: str, found: frozenset[str]) -> frozenset[str]:
        return frozenset(one.get((kind, key), key) for key in found)

    return replace(
        plan,
        allowances=tuple(
            replace(
                allowance,
                members=keys(allowance.per, allowance.members),
                departments=keys("department", allowance.departments),
            )
            for allowance in plan.allowances
        ),
    )


def _priced(start: int, until: int, only_site: str) -> Iterator[Priced]:
    """Yield the rows of some time that cost something, with names, in their order."""
    one = aliases()
    orgs = {
        row[0]: tuple(
            one.get((kind, key), key)
            for kind, key in zip(("department", "cost_center"), row[1:], strict=True)
        )
        for row in Org.select(Org.id, Org.department, Org.cost_center).tuples()
    }
    usernames = dict(Party.select(Party.id, Party.username_key).tuples())
    sites = dict(Line.select(Line.id, Line.site).tuples())
    carriers = dict(Carrier.select(Carrier.id, Carrier.name).tuples())
    destinations = dict(Destination.select(Destination.id, Destination.name).tuples())
    rates = month_runs.rates()
    for row in month_runs.paid_rows(start, until):
        posted = row.posted
        department, cost_center = orgs.get(posted.org, ("", ""))
        yield Priced(
            Place(row.started_at, row.key_hash, row.side),
            (row.conversation, row.leg),
            usernames.get(posted.party, ""),
            department,
            cost_center,
            sites.get(posted.line, "") or only_site,
            carriers.get(posted.carrier, ""),
            rates.get(row.rate, ("", ""))[1],
            destinations.get(posted.destination, ""),
            row.seconds,
            row.private,
            posted,
        )


def is_needed(plan: Plan, month: int) -> bool:
    """Say whether there is anything to do for a month: something is given, or was."""
    return not plan.empty or MonthRun.get_or_none(MonthRun.month == month) is not None


def clean(plan: Plan) -> None:
    """Forget what was interrupted, and what no longer counts; know the carriers of flat charges. Comes
    before the figures that are to be written."""
    month_runs.know_carriers({one.carrier for one in plan.flat_charges if one.carrier})
    month_runs.forget_interrupted()
    month_runs.forget_uses()


def prepare(found: Figures, now: int) -> int:
    """Store what is a lot of a month's figures under a new run, which does not count yet; at a time
    (epoch seconds). Returns the run."""
    run = begin(found.month, now)
    stage(run, found.uses)
    return run


def settle(found: Figures, run: int, *, at: int, who: str) -> None:
    """Let a prepared run count. Must run inside a write transaction, while the month is open."""
    month_runs.settle(found.month, run, found.lines, found.booked, at=at, who=who)


def is_stale(found: Figures) -> bool:
    """Say whether what is stored of a month is not what it comes to now."""
    return lines_of(found.month) != sorted(found.lines) or booked_in(found.month) != found.booked
