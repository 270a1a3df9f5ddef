"""What must fit together in the sections about mail, budgets, bills and charge-back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from syncd.domain.allowance import UNITS
from syncd.domain.errors import Problem
from syncd.settings.parsed import Parsed, ParsedSection
from syncd.settings.values import BadValue, nearest
from syncd.settings.values_finance import template_fields

Readable = Callable[[ParsedSection, str, Path | None], Iterator[Problem]]

LEDGER_FIELDS = (
    "cost_center",
    "amount",
    "vat",
    "with_vat",
    "currency",
    "month",
    "first_day",
    "last_day",
    "calls",
    "seconds",
    "line",
)
FRAME_FIELDS = (
    "month",
    "first_day",
    "last_day",
    "cost_center",
    "currency",
    "lines",
    "calls",
    "seconds",
    "total",
    "total_vat",
    "total_with_vat",
)
FILE_FIELDS = ("month", "first_day", "last_day", "cost_center")
LEDGER_DIMENSIONS = (
    "department",
    "office_location",
    "person",
    "username",
    "line_id",
    "direction",
    "class",
    "destination",
    "carrier",
    "trunk",
    "site",
    *(f"custom{number}" for number in range(1, 11)),
)
MOST_DECIMALS = 6


def finance_problems(parsed: Parsed, readable: Readable) -> Iterator[Problem]:
    """Yield what does not fit together; ``readable`` says whether a file can be read."""
    yield from _mail(parsed, readable)
    for section in parsed.of("budget").values():
        yield from _budget(section, parsed)
    for section in parsed.of("invoice").values():
        yield from _invoice(section, parsed)
    for section in parsed.of("charge-back").values():
        yield from _charge_back(section, parsed)
    for section in parsed.of("allowance").values():
        yield from _allowance(section, parsed)
    for section in parsed.of("flat-charge").values():
        yield from _flat_charge(section, parsed)
    for section in parsed.of("carrier").values():
        yield from _rounding(section, parsed.one("syncd").get("currency"))


def _rounding(section: ParsedSection, ours: str | None) -> Iterator[Problem]:
    rounding, currency = section.get("rounding"), section.get("currency")
    if rounding and rounding.per == "invoice" and currency and currency != ours:
        what = f"lines of an invoice in {currency} are not rounded"
        hint = "only what they come to in the currency of [syncd] is known"
        yield section.problem("rounding", what, hint, warning=True)


def _mail(parsed: Parsed, readable: Readable) -> Iterator[Problem]:
    section = parsed.one("mail")
    if not section.get("server"):
        return
    if section.values.get("from") == "":
        yield section.problem("from", "is missing", "from = syncd <syncd@example.com>")
    file, credential = section.get("password_file"), section.get("password_credential")
    if file and credential:
        yield section.problem("password_credential", "password_file is set too", "remove one")
    if section.get("user"):
        given = {"password_file", "password_credential"} <= section.values.keys()
        if given and not file and not credential:
            yield section.problem("user", "has no password", "password_file = FILE")
        if section.get("tls") == "none":
            what = "the password would cross the network in the clear"
            yield section.problem("tls", what, "tls = starttls or tls")
    elif file or credential:
        option = "password_file" if file else "password_credential"
        yield section.problem(option, "is of no use without a user", "user = NAME")
    yield from readable(section, "password_file", file)
    yield from readable(section, "ca_file", section.get("ca_file"))


def _budget(section: ParsedSection, parsed: Parsed) -> Iterator[Problem]:
    mode, of = section.get("mode"), section.get("of")
    if mode == "each":
        if not section.values["amounts"]:
            hint = "member.1 = 250.00 Sales"
            yield section.problem("mode", "each needs members with their amounts", hint)
        for option in ("amount", "members", "departments", "cost_centers"):
            if section.get(option):
                hint = "give members with member.1, member.2 …"
                yield section.problem(option, "is of no use with mode = each", hint)
    elif mode:
        if "amount" in section.values and section.get("amount") is None:
            yield section.problem("amount", "is missing", "amount = 250.00")
        for key, _ in section.values["amounts"]:
            what = f"is of no use with mode = {mode}"
            yield section.problem(f"member.{key}", what, "mode = each")
    if of in ("department", "cost_center"):
        for option in ("departments", "cost_centers"):
            if section.get(option):
                what = "chooses people, and this budget is of none"
                yield section.problem(option, what, "members = NAMES, or of = person")
        if "person" in (section.get("notify") or ()):
            what = f"a {of.replace('_', ' ')} is no person"
            yield section.problem("notify", what, "manager, or an address")
    if section.get("members") and (section.get("departments") or section.get("cost_centers")):
        what = "people are named already"
        yield section.problem("members", what, "remove members, or the departments")
    if section.get("notify") and parsed.one("mail").values.get("server") == "":
        hint = "[mail] server = smtp.example.com"
        yield section.problem("notify", "nobody is told without [mail]", hint, warning=True)


def _invoice(section: ParsedSection, parsed: Parsed) -> Iterator[Problem]:
    site = section.get("site")
    if site and site not in parsed.of("site"):
        hint = nearest(site, sorted(parsed.of("site"))) or "there is no [site:NAME] at all"
        yield section.problem("site", f"{site!r} is not a [site:NAME]", hint)
    start, date, time = (section.values.get(option) for option in ("start", "date", "time"))
    if start == "" and not (date and time) and None not in (date, time):
        yield section.problem("start", "is missing", "start = HEADER, or date and time")
    if start and (date or time):
        yield section.problem("start", "the date stands in two columns", "remove one")
    if section.get("own_numbers") and section.values.get("calling") == "":
        yield section.problem("own_numbers", "is of no use without calling", "calling = HEADER")


def _charge_back(section: ParsedSection, parsed: Parsed) -> Iterator[Problem]:
    by = section.get("by") or ()
    for word in by:
        if word not in LEDGER_DIMENSIONS:
            hint = nearest(word, LEDGER_DIMENSIONS)
            yield section.problem("by", f"nothing can be split by {word!r}", hint)
        elif parsed.one("custom-fields").values.get(word) == "":
            hint = f"[custom-fields] {word} = LABEL"
            yield section.problem("by", f"{word} has no label: nobody sees it", hint)
    fixed = section.get("form") == "fixed-width"
    columns = section.get("columns") or ()
    for column in columns:
        if not column.constant and column.text not in (*LEDGER_FIELDS, *by):
            hint = nearest(column.text, (*LEDGER_FIELDS, *by))
            yield section.problem("columns", f"there is no field {column.text!r}", hint)
        if fixed and not column.width:
            yield section.problem("columns", f"{column.text} has no width", f"{column.text} 10")
        if not fixed and column.width and section.get("form"):
            hint = "form = fixed-width, or remove it"
            yield section.problem("columns", f"{column.text} has a width", hint)
    if columns and "amount" not in [column.text for column in columns if not column.constant]:
        yield section.problem("columns", "none of them is the amount", "add amount")
    if (section.get("decimals") or 0) > MOST_DECIMALS:
        yield section.problem("decimals", f"at most {MOST_DECIMALS}")
    for option, fields in (
        ("header", FRAME_FIELDS),
        ("trailer", FRAME_FIELDS),
        ("file", FILE_FIELDS),
    ):
        texts = section.get(option) or ()
        for text in (texts,) if isinstance(texts, str) else texts:
            yield from _fields(section, option, text, fields)


def _fields(
    section: ParsedSection, option: str, text: str, fields: tuple[str, ...]
) -> Iterator[Problem]:
    try:
        names = template_fields(text)
    except BadValue:
        return
    for name in names:
        if name not in fields:
            yield section.problem(option, f"there is no field {{{name}}}", nearest(name, fields))


_COVERED = (
    "members",
    "departments",
    "carriers",
    "tariffs",
    "classes",
    "destinations",
    "carry_over",
    "from",
    "to",
)


def _allowance(section: ParsedSection, parsed: Parsed) -> Iterator[Problem]:
    units = [name for name in UNITS if section.values.get(name) is not None]
    # A section that says nothing else, as in the sample, is none.
    meant = section.get("per") != "company" or any(section.get(name) for name in _COVERED)
    if not units and meant and all(name in section.values for name in UNITS):
        what = "nothing is given: minutes, amount and calls are missing"
        yield section.problem("minutes", what, "minutes = 1000")
    for name in units[1:]:
        yield section.problem(
            name, f"{units[0]} is set too", "remove one: two allowances can do both"
        )
    if section.get("per") == "company" and section.get("members"):
        yield section.problem("members", "is of no use with per = company", "per = department")
    carriers = parsed.of("carrier")
    for name in section.get("carriers") or ():
        if name not in carriers:
            hint = nearest(name, sorted(carriers)) or "there is no [carrier:NAME] at all"
            yield section.problem("carriers", f"{name!r} is not a [carrier:NAME]", hint)
    for word in section.get("tariffs") or ():
        carrier, _, version = word.partition(":")
        if carrier not in carriers:
            hint = nearest(carrier, sorted(carriers)) or "there is no [carrier:NAME] at all"
            yield section.problem("tariffs", f"{carrier!r} is not a [carrier:NAME]", hint)
            continue
        known = [
            key
            for family in ("tariffs", "incoming")
            for key, _ in carriers[carrier].get(family) or ()
        ]
        if version not in known:
            what = f"[carrier:{carrier}] has no version {version!r}"
            yield section.problem("tariffs", what, nearest(version, known))
    if section.get("per") == "site":
        for name in section.get("members") or ():
            if name not in parsed.of("site"):
                hint = nearest(name, sorted(parsed.of("site"))) or "there is no [site:NAME] at all"
                yield section.problem("members", f"{name!r} is not a [site:NAME]", hint)
    yield from _span(section)


def _flat_charge(section: ParsedSection, parsed: Parsed) -> Iterator[Problem]:
    if section.values.get("amount", 0) is None and any(
        section.get(name) for name in ("sites", "carrier", "from", "to")
    ):
        yield section.problem("amount", "is missing", "amount = 7.50")
    named = (
        ("carrier", "carrier", (section.get("carrier"),)),
        ("sites", "site", section.get("sites")),
    )
    for option, kind, names in named:
        known = sorted(parsed.of(kind))
        for name in names or ():
            if name and name not in known:
                hint = nearest(name, known) or f"there is no [{kind}:NAME] at all"
                yield section.problem(option, f"{name!r} is not a [{kind}:NAME]", hint)
    yield from _span(section)


def _span(section: ParsedSection) -> Iterator[Problem]:
    first, last = section.get("from"), section.get("to")
    if first and last and last < first:
        yield section.problem("to", "it ends before it begins", "the last month counts")
