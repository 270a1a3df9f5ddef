"""From checked sections to the frozen settings of mail, budgets, bills and charge-back."""

from __future__ import annotations

from syncd.domain.allowance import ALWAYS, UNITS, Allowance, FlatCharge
from syncd.domain.codes import NumberClass, Role
from syncd.domain.party import name_key
from syncd.settings.finance import (
    BudgetSettings,
    ChargeBackSettings,
    FinanceSettings,
    InvoiceSettings,
    MailSettings,
)
from syncd.settings.parsed import Parsed, ParsedSection

PORTS = {"starttls": 587, "tls": 465, "none": 25}


def build_finance(parsed: Parsed) -> FinanceSettings:
    """Return the settings of sections that have no problem."""
    return FinanceSettings(
        mail=_mail(parsed.one("mail")),
        budgets={name: _budget(section) for name, section in parsed.of("budget").items()},
        budget_schedule=parsed.one("budgets").values["schedule"],
        invoices={
            name: _invoice(section, parsed) for name, section in parsed.of("invoice").items()
        },
        charge_backs={
            name: ChargeBackSettings(name=name, **section.values)
            for name, section in parsed.of("charge-back").items()
        },
        allowances=tuple(
            _allowance(section)
            for section in parsed.of("allowance").values()
            if any(section.values[unit] is not None for unit in UNITS)
        ),
        flat_charges=tuple(
            _flat_charge(section)
            for section in parsed.of("flat-charge").values()
            if section.values["amount"] is not None
        ),
    )


def _mail(section: ParsedSection) -> MailSettings:
    values = dict(section.values)
    values["sender"] = values.pop("from")
    values["port"] = values["port"] or PORTS[values["tls"]]
    return MailSettings(**values)


def _budget(section: ParsedSection) -> BudgetSettings:
    values = dict(section.values)
    values["amounts"] = tuple(amount for _, amount in values["amounts"])
    return BudgetSettings(name=section.name, **values)


def _invoice(section: ParsedSection, parsed: Parsed) -> InvoiceSettings:
    values = dict(section.values)
    site = parsed.of("site").get(values["site"])
    zone = site.values["timezone"] if site else None
    values["timezone"] = values["timezone"] or zone or parsed.one("syncd").values["timezone"]
    return InvoiceSettings(name=section.name, **values)


def _allowance(section: ParsedSection) -> Allowance:
    values = section.values
    unit = next(name for name in UNITS if values[name] is not None)
    given = values[unit] * (60 if unit == "minutes" else 1)
    # A site's name is compared as it is written, like everything else of the settings.
    key = str if values["per"] == "site" else name_key
    return Allowance(
        name=section.name,
        unit=unit,
        given=given,
        per=values["per"],
        members=frozenset(key(name) for name in values["members"]),
        departments=frozenset(name_key(name) for name in values["departments"]),
        carriers=frozenset(values["carriers"]),
        tariffs=frozenset(
            (word.partition(":")[0], word.partition(":")[2]) for word in values["tariffs"]
        ),
        classes=frozenset(int(NumberClass.of(word)) for word in values["classes"]),
        destinations=tuple(name.casefold() for name in values["destinations"]),
        carry_over=values["carry_over"],
        first=values["from"] or 0,
        last=values["to"] or ALWAYS,
    )


def _flat_charge(section: ParsedSection) -> FlatCharge:
    values = section.values
    return FlatCharge(
        name=section.name,
        amount=values["amount"],
        roles=frozenset(int(Role.of(word)) for word in values["lines"]),
        sites=frozenset(values["sites"]),
        carrier=values["carrier"],
        share=values["share"],
        first=values["from"] or 0,
        last=values["to"] or ALWAYS,
    )
