"""What a site may say beyond its dial plan: own numbers, short codes, who pays, private calls."""

from __future__ import annotations

import re
from pathlib import Path

from syncd.domain.charging import (
    ACCOUNT_CODE,
    CHOICES,
    CONFERENCE,
    FORWARDED,
    MOBILE,
    TRANSFERRED,
    Parts,
)
from syncd.domain.party import clean_number
from syncd.settings import values
from syncd.settings.model import OwnNumbers
from syncd.settings.option import Option
from syncd.settings.values import BadValue, Kind, nearest


def _own_numbers(text: str, base: Path) -> OwnNumbers:
    words = text.split()
    hint = "+39061234XXXX, or +39061234XXXX XXXX with the extensions that they reach"
    if not 1 <= len(words) <= 2 or not re.fullmatch(r"\+[0-9]+X*", words[0]):
        raise BadValue(f"{text!r} is not a range of numbers", hint)
    extension = words[1] if len(words) == 2 else ""
    if not re.fullmatch(r"[0-9*#]*X*", extension):
        raise BadValue(f"{extension!r} is not an extension", hint)
    if extension and extension.count("X") > words[0].count("X"):
        what = f"{extension!r} has more X than {words[0]!r}"
        raise BadValue(what, "each X of the extension is a digit of the number's last ones")
    return OwnNumbers(words[0], extension)


def _dialled(text: str, base: Path) -> str:
    try:
        return clean_number(text)
    except ValueError as error:
        raise BadValue(str(error), "a number with +, or as dialled after the access code") from None


def _payers(kind: str) -> Kind:
    """Return the kind of a policy: one name, or several with percentages."""
    names = CHOICES[kind]

    def parse(text: str, base: Path) -> Parts:
        found: list[tuple[str, int]] = []
        for part in text.split(","):
            who, _, percent = part.strip().partition(" ")
            if who not in names:
                raise BadValue(f"{who!r} is none of {', '.join(names)}", nearest(who, names))
            if not percent and "," not in text:
                return () if who == names[0] else ((who, 100),)
            number = percent.strip().removesuffix("%").strip()
            if not (number.isascii() and number.isdigit() and int(number) > 0):
                what = f"{part.strip()!r} lacks its percentage"
                raise BadValue(what, f"such as {names[0]} 50, {names[1]} 50")
            if who in dict(found):
                raise BadValue(f"{who!r} stands there twice")
            found.append((who, int(number)))
        whole = sum(percent for _, percent in found)
        if whole != 100:
            raise BadValue(f"the percentages make {whole}", "they must make 100")
        return tuple(found)

    return Kind(f"{' | '.join(names)}, or several with percentages", parse, ())


OWN_NUMBERS = Kind("PATTERN [EXTENSION]", _own_numbers)
DIALLED = Kind("number", _dialled)

SITE_NUMBERS = (
    Option(
        "trunk_code",
        values.DIGITS,
        "",
        "Digits before a national number, where they are not the country's own.",
        "0",
    ),
    Option(
        "network_prefix",
        values.DIGITS,
        "",
        "Digits that other sites dial before an internal number of this one (private network).",
        "82",
    ),
    Option(
        "short_code",
        DIALLED,
        "",
        "Short codes of the telephone system, short_code.7001 and so on: the number that is called,"
        " with + or as dialled after the access code.",
        "+390698765432",
        key="7001",
        attribute="short_codes",
    ),
    Option(
        "did",
        OWN_NUMBERS,
        "",
        "Public numbers of the company, did.1, did.2 and so on: a range, X is a digit, and the"
        " extensions that it reaches, whose X are its last digits. A call to one of them is on-net.",
        "+39061234XXXX XXXX",
        key="1",
        attribute="dids",
    ),
)

SITE_CHARGING = (
    Option(
        "charge_forwarded",
        _payers(FORWARDED),
        "last",
        "Who pays for the way out of a call that was forwarded: the last or the first of those who"
        " forwarded it, who called, or who was reached.",
    ),
    Option(
        "charge_transferred",
        _payers(TRANSFERRED),
        "transferor",
        "Who pays for what goes on after a transfer: who transferred the call, who talks on"
        " (holder), or who made the outside call (caller). Several share by percentages:"
        " transferor 50, holder 50.",
    ),
    Option(
        "charge_conference",
        _payers(CONFERENCE),
        "controller",
        "Who pays for an outside member of a conference: its controller, the members of the company"
        " by the seconds that each was there, or who made the outside call (caller).",
    ),
    Option(
        "charge_mobile",
        _payers(MOBILE),
        "called",
        "Who pays for the way to the mobile phone on which a call was taken: the line that was"
        " called, or who called.",
    ),
    Option(
        "charge_account_code",
        _payers(ACCOUNT_CODE),
        "payer",
        "Who pays for a call with an account code: as without one (payer), who called, or who made"
        " the outside call (caller).",
    ),
    Option(
        "private_prefix",
        values.DIGITS,
        "",
        "Digits that are dialled before the access code for a private call: it is charged to who"
        " made it, and nobody else is shown the number.",
        "8",
    ),
    Option(
        "private_codes",
        values.WORDS,
        "",
        "Authorization codes (FAC) that make a call private.",
        "7777",
    ),
)
