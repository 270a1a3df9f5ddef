"""The part of the schema about rate decks as carriers send them."""

from __future__ import annotations

from syncd.settings import values
from syncd.settings.option import Option, Section

DECK = Section(
    "deck",
    "How a carrier lays out its price lists (CSV or XLSX): which of its columns is which of a rate"
    " deck's. `syncd tariff load` makes a deck of them; docs/billing.md tells how.",
    (
        Option(
            "column",
            values.TEXT,
            "",
            "The heading in the file of a deck's column: column.prefix, column.price and so on; also"
            " country_code with area_code instead of prefix, and billing_interval for what reads"
            " 60/1. Several headings are joined with +, * stands for anything, and where the header"
            " stands does not matter.",
            "Dial Code",
            key="prefix",
            attribute="columns",
        ),
        Option(
            "value",
            values.TEXT,
            "",
            "What all rows say in a deck's column that the file lacks: value.unit_seconds,"
            " value.increment_seconds and so on, written as in the file.",
            "60",
            key="increment_seconds",
            attribute="constants",
        ),
        Option(
            "sheet",
            values.TEXT,
            "",
            "Sheet of a workbook; without it the first with such a header.",
            "Rates",
        ),
        Option(
            "delimiter",
            values.choice("auto", "comma", "semicolon", "tab", "pipe"),
            "auto",
            "What stands between the cells of a CSV file.",
        ),
        Option(
            "encoding",
            values.choice("auto", "utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15"),
            "auto",
            "Encoding of a CSV file; auto: UTF-8, or windows-1252 where it is not.",
        ),
        Option(
            "decimal",
            values.choice("point", "comma"),
            "point",
            "Decimal sign of amounts that are written as text.",
        ),
        Option(
            "amounts",
            values.choice("currency", "cents"),
            "currency",
            "Whether amounts are in units of the currency or in hundredths of it.",
        ),
        Option(
            "ranges",
            values.FLAG,
            "yes",
            "Whether 3906-3909 are the prefixes from one to the other; no: 39-06 is 3906.",
        ),
        Option(
            "currency",
            values.CURRENCY,
            "",
            "The currency that amounts must be in where they name one; without it that of the"
            " carrier.",
            "EUR",
        ),
    ),
    "acme",
)
DECKS = (DECK,)
