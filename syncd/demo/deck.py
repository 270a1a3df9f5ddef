"""The carrier's rate deck of the simulated company, and its own small rating.

It is independent of ``syncd.billing`` on purpose: the truth must not come from what it checks.
Amounts are written here in ten-thousandths of the currency's unit; ``Tariff`` holds micros.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple


class Tariff(NamedTuple):
    """A row of the deck: money in micros, times in seconds, prefix in E.164 without ``+``."""

    prefix: str
    destination: str
    number_class: str
    connection_fee: int
    price: int
    unit_seconds: int
    initial_seconds: int
    increment_seconds: int
    minimum_charge: int


HEADER = (
    "prefix,destination,class,connection_fee,price,unit_seconds,initial_seconds,"
    "increment_seconds,minimum_charge"
)

# prefixes, destination, class, fee, price, unit, initial, increment, minimum
_DOMESTIC = (
    ("390", "Italy", "national", 300, 180, 60, 60, 60, 0),
    ("3906", "Italy Rome", "local", 200, 96, 60, 1, 1, 0),
    ("3902 39011 39081", "Italy large towns", "national", 300, 150, 60, 30, 30, 0),
    ("3902480", "Italy Milan wholesale", "national", 0, 120, 60, 1, 1, 0),
    ("393", "Italy mobile", "mobile", 500, 990, 60, 30, 30, 0),
    ("3933", "Italy mobile A", "mobile", 500, 850, 60, 30, 6, 0),
    ("39333 39335", "Italy mobile A corporate", "mobile", 250, 700, 60, 1, 1, 0),
    ("39347 39348", "Italy mobile B", "mobile", 800, 1100, 60, 60, 60, 1500),
    ("39320", "Italy mobile C", "mobile", 0, 13, 1, 1, 1, 400),
    ("39800 39803", "Italy toll-free", "toll-free", 0, 0, 60, 1, 1, 0),
    ("39848 39840", "Italy shared cost", "shared-cost", 660, 0, 60, 60, 60, 0),
    ("39199", "Italy national rate", "shared-cost", 1200, 2600, 60, 1, 1, 0),
    ("39899", "Italy premium", "premium", 3000, 12000, 60, 60, 60, 10000),
    ("112 39112", "Emergency", "emergency", 0, 0, 60, 1, 1, 0),
)

# country prefix, name, fixed price, mobile price, mobile prefixes; increments and fee by continent
_EUROPE = """
30 Greece 300 1800 3069
31 Netherlands 200 900 316
32 Belgium 200 950 3245 3246 3247 3248 3249
33 France 180 800 336 337
34 Spain 180 850 346 347
351 Portugal 220 1000 3519
352 Luxembourg 260 1300 3526
353 Ireland 200 1100 3538
354 Iceland 400 1500 3546 3547 3548
355 Albania 1500 3200 3556
356 Malta 500 1900 3567 3569
357 Cyprus 420 800 3579
358 Finland 350 900 3584 35850
359 Bulgaria 300 2400 3598
36 Hungary 220 1100 3620 3630 3670
370 Lithuania 350 1500 3706
371 Latvia 900 2100 3712
372 Estonia 380 2500 3725
377 Monaco 800 3300 3774 3776
378 San-Marino 500 900 3786
380 Ukraine 900 1700 38050 38063 38067 38095
381 Serbia 1300 2900 3816
385 Croatia 350 1700 3859
386 Slovenia 450 2600 3863 3864 3865 3867
387 Bosnia 1600 3100 3876
40 Romania 230 1000 407
41 Switzerland 200 1900 4174 4175 4176 4177 4178 4179
420 Czechia 220 900 42060 42072 42073 42077
421 Slovakia 260 1300 42190 42191 42194
43 Austria 210 900 43650 43660 43664 43676 43699
44 United-Kingdom 150 850 4474 4475 4477 4478 4479
45 Denmark 170 800 4520 4530 4540 4550
46 Sweden 160 700 467
47 Norway 180 900 474 479
48 Poland 240 700 4850 4860 4869 4872 4888
49 Germany 150 900 4915 4916 4917
"""

_WORLD = """
1 United-States 120
1416 Canada-Toronto 110
1514 Canada-Montreal 110
1604 Canada-Vancouver 110
1787 Puerto-Rico 900
1809 Dominican-Republic 1400
1876 Jamaica 2200
20 Egypt 1300 1600 2010 2011 2012
212 Morocco 1900 3300 2126 2127
213 Algeria 1500 4200 2135 2136 2137
216 Tunisia 3600 4100 2162 2165 2169
218 Libya 2600 3400 2189
221 Senegal 3100 3900 22177
225 Ivory-Coast 3000 3700
233 Ghana 2200 2800 23324
234 Nigeria 900 1200 23480
237 Cameroon 2600 2900
251 Ethiopia 2800 3100 2519
254 Kenya 1200 1800 2547
255 Tanzania 2700 3100 2557
260 Zambia 2300 2700
27 South-Africa 600 1500 276 277 278
52 Mexico 300 600 521
54 Argentina 350 1600 549
55 Brazil 380 1700 55119 55219
56 Chile 320 1300 569
57 Colombia 400 900 573
58 Venezuela 500 1700 584
591 Bolivia 1500 2200
593 Ecuador 1700 2600 5939
595 Paraguay 900 1500
598 Uruguay 900 2300
60 Malaysia 250 500 601
61 Australia 200 1100 614
62 Indonesia 700 1200 628
63 Philippines 1500 1900 639
64 New-Zealand 220 1500 642
65 Singapore 180 260 658 659
66 Thailand 300 400 668 669
7 Russia 350 800 79
77 Kazakhstan 800 1300 7701 7705
81 Japan 300 1300 8170 8180 8190
82 South-Korea 260 500 8210
84 Vietnam 900 1100 849
852 Hong-Kong 200 350 8525 8526 8529
86 China 200 250 8613 8615 8618
880 Bangladesh 500 600 8801
886 Taiwan 280 1100 8869
90 Turkey 350 1600 905
91 India 280 300 917 918 919
92 Pakistan 900 1100 923
94 Sri-Lanka 1500 1700 947
961 Lebanon 1300 2100 9613 96170
962 Jordan 1600 2000 9627
965 Kuwait 900 1200 9659
966 Saudi-Arabia 1200 1800 9665
971 Emirates 1900 2200 97150 97155
972 Israel 200 900 97250 97252 97254
974 Qatar 1800 2600 9743 9745 9746
977 Nepal 1600 1800
98 Iran 1300 1700 989
"""

# Parts of a country with a price of their own: the longest prefix must win over the country's.
_CITIES = """
4420 United-Kingdom-London 110
44870 United-Kingdom-special 2400
331 France-Paris 140
4930 Germany-Berlin 120
4969 Germany-Frankfurt 110
4144 Switzerland-Zurich 150
3491 Spain-Madrid 150
1212 United-States-New-York 90
1907 United-States-Alaska 700
1808 United-States-Hawaii 500
5511 Brazil-Sao-Paulo 250
7495 Russia-Moscow 200
9714 Emirates-Dubai 1500
8610 China-Beijing 150
91226 India-Mumbai 200
"""

_TERMS = {"europe": (500, 60, 30, 0), "world": (1000, 60, 60, 1500), "cities": (500, 1, 1, 0)}
"""Fee, initial, increment, minimum of each part of the deck."""


def _international(text: str, part: str) -> Iterator[Tariff]:
    fee, initial, increment, minimum = _TERMS[part]
    for line in text.strip().splitlines():
        prefix, name, fixed, *rest = line.split()
        name = name.replace("-", " ")
        yield _tariff(
            prefix, name, "international", fee, int(fixed), 60, initial, increment, minimum
        )
        for mobile in rest[1:]:
            yield _tariff(
                mobile, f"{name} mobile", "international", fee, int(rest[0]), 60, 30, 6, minimum
            )


def _tariff(
    prefix: str,
    destination: str,
    number_class: str,
    fee: int,
    price: int,
    unit: int,
    initial: int,
    increment: int,
    minimum: int,
) -> Tariff:
    """Return a row, amounts given in ten-thousandths."""
    return Tariff(
        prefix,
        destination,
        number_class,
        fee * 100,
        price * 100,
        unit,
        initial,
        increment,
        minimum * 100,
    )


@cache
def deck() -> Mapping[str, Tariff]:
    """Return the whole deck by prefix: a few hundred rows."""
    rows = [
        _tariff(prefix, name, number_class, fee, price, unit, initial, increment, minimum)
        for prefixes, name, number_class, fee, price, unit, initial, increment, minimum in _DOMESTIC
        for prefix in prefixes.split()
    ]
    rows += _international(_EUROPE, "europe")
    rows += _international(_WORLD, "world")
    rows += _international(_CITIES, "cities")
    return {tariff.prefix: tariff for tariff in rows}


def tariff_of(digits: str) -> Tariff | None:
    """Return the row with the longest prefix of these digits (E.164 without ``+``), or None."""
    rows = deck()
    for length in range(len(digits), 0, -1):
        found = rows.get(digits[:length])
        if found:
            return found
    return None


def price_of(tariff: Tariff, seconds: int) -> int:
    """Return the micros of an answered leg that ran this long in total.

    0 s count as 1 s. The initial seconds are always charged, what goes beyond in whole increments;
    the fee is added, the minimum is of the sum; rounded once, half up, to four decimals.
    """
    seconds = max(seconds, 1)
    billed = tariff.initial_seconds
    if seconds > billed:
        steps = -(-(seconds - billed) // tariff.increment_seconds)
        billed += steps * tariff.increment_seconds
    unit = tariff.unit_seconds
    exact = tariff.price * billed + tariff.connection_fee * unit  # micros times unit
    exact = max(exact, tariff.minimum_charge * unit)
    step = 100 * unit
    return (2 * exact + step) // (2 * step) * 100


def _amount(micros: int) -> str:
    return f"{micros // 1_000_000}.{micros % 1_000_000 // 100:04d}"


def deck_csv() -> str:
    """Return the deck as a tariff file."""
    lines = [HEADER]
    for row in sorted(deck().values()):
        lines.append(
            f"{row.prefix},{row.destination},{row.number_class},{_amount(row.connection_fee)},"
            f"{_amount(row.price)},{row.unit_seconds},{row.initial_seconds},"
            f"{row.increment_seconds},{_amount(row.minimum_charge)}"
        )
    return "\n".join(lines) + "\n"
