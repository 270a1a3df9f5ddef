"""The part of the schema about tariffs: carriers, time bands, exchange rates."""

from __future__ import annotations

from syncd.settings import values, values_tariffs
from syncd.settings.option import Option, Section

CARRIER = Section(
    "carrier",
    "Who bills outside legs, and at which prices.",
    (
        Option(
            "tariff",
            values_tariffs.TARIFF,
            "",
            "Rate decks, tariff.2026, tariff.2027 and so on: a CSV file and the days from which and"
            " to which (exclusive; without it until the next begins) it holds; of one site or trunk,"
            " where that has prices of its own.",
            "tariffs/example.csv from 2026-01-01",
            active=True,
            key="2026",
            attribute="tariffs",
        ),
        Option(
            "incoming",
            values_tariffs.TARIFF,
            "",
            "Rate decks for incoming legs, written as tariff: what one's own number that was called"
            " costs, such as a toll-free one. A number without a row costs nothing.",
            "tariffs/toll-free.csv from 2026-01-01",
            key="2026",
            attribute="incoming",
        ),
        Option(
            "rounding",
            values_tariffs.ROUNDING,
            "half-up 4",
            "How amounts are rounded: half-up, half-even, up or down, and decimals of the currency;"
            " once, for each leg, for each increment, or for the month's line on the invoice.",
        ),
        Option(
            "bands",
            values.TEXT,
            "",
            "Name of a [bands:NAME], for decks whose rows hold at some hours.",
            "week",
        ),
        Option(
            "band_change",
            values.choice("split", "start"),
            "split",
            "What a leg costs during which the band changes: each increment by the band in which it"
            " begins (split), or all of it by the band in which the leg was connected (start).",
        ),
        Option(
            "surcharge",
            values_tariffs.SURCHARGE,
            "",
            "What comes on top of a price, surcharge.NAME: of all legs, of a class of numbers, or of"
            " destinations (* and ? as usual).",
            "5 % class mobile",
            key="mobile",
            attribute="surcharges",
        ),
        Option(
            "discount",
            values_tariffs.DISCOUNT,
            "",
            "What comes off a price, discount.NAME, in the same way.",
            "10 % destination Italy*",
            key="italy",
            attribute="discounts",
        ),
        Option(
            "currency",
            values.CURRENCY,
            "",
            "Currency of the decks, where it is not that of [syncd]; [exchange] says what it is"
            " worth.",
            "USD",
        ),
        Option(
            "vat",
            values_tariffs.VAT,
            "0 %",
            "Tax that is shown beside prices; what is stored and summed is without it.",
        ),
        Option(
            "price_jump",
            values.PERCENT,
            "25%",
            "By how much a price may differ from that of the version before without a warning; 0%:"
            " not at all.",
        ),
    ),
    "telco",
)

BANDS = Section(
    "bands",
    "A set of time bands, by the clock of the site. Of those that have a moment the first counts.",
    (
        Option(
            "band",
            values_tariffs.SPANS,
            "",
            "When a band holds, band.NAME: days (Mon-Fri, Sat, holiday, daily) and hours, several"
            " behind commas. Hours that end before they begin run into the next day.",
            "Mon-Fri 08:00-18:30",
            active=True,
            key="peak",
            attribute="bands",
        ),
        Option(
            "holidays",
            values.WORDS,
            "",
            "Countries whose public holidays are holidays, or parts of countries. On a holiday no"
            " day of the week holds.",
            "IT DE-BY",
        ),
        Option(
            "holiday_list",
            values.PATH,
            "",
            "A list of holidays: a day on each line, 2026-12-24, or 12-24 for every year.",
            "holidays.csv",
        ),
    ),
    "week",
)

EXCHANGE = Section(
    "exchange",
    "What the currencies of carriers are worth in that of [syncd].",
    (
        Option(
            "file",
            values.PATH,
            "",
            "A CSV list: date, currency, rate (what one unit is worth from that day on).",
            "exchange.csv",
        ),
    ),
)
