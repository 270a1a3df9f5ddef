"""Budget, charge-back and invoice as an administrator types them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from tests.support.contract import Company, outgoing, person
from tests.support.mail_server import MailServer

PEOPLE = {
    "anna": {"extension": "2001", "department": "Sales", "cost_center": "CC-100", "level": "6"},
    "bert": {"extension": "2002", "department": "Support", "cost_center": "CC-200", "level": "2"},
    "carl": {"extension": "2003", "department": "=Board", "cost_center": "", "level": "10"},
}
PERIOD = ("--from", "2026-03-01", "--to", "2026-04-01")
BILL = """Telco S.p.A.;;;;
Invoice 4711;;;;
Data;Ora;Numero chiamato;Durata;Importo;Linea
"""
LAYOUT = {
    "site": "hq",
    "number": "Numero chiamato",
    "date": "Data",
    "time": "Ora",
    "duration": "Durata",
    "duration_format": "clock",
    "price": "Importo",
    "decimal": "comma",
}


@pytest.fixture
def company(tmp_path: Path) -> Company:
    built = Company(tmp_path)
    built.use_ldif(
        {
            name: person(name=name.title(), mail=f"{name}@example.com", **fields)
            for name, fields in PEOPLE.items()
        }
    )
    built.ok("sync")
    return built


def march(company: Company) -> None:
    """Six calls of March: 3 × 0.003 and more, so that cents do not come out even."""
    rows = [
        outgoing(
            f"a{number}", f"2026-03-0{number}T10:00:00+01:00", "2001", "00033142685300", talk=70
        )
        for number in range(1, 4)
    ]
    rows.append(outgoing("b", "2026-03-09T09:00:00+01:00", "2002", "03331234567", talk=61))
    rows.append(outgoing("c", "2026-03-10T09:00:00+01:00", "2003", "0024512345", talk=125))
    rows.append(outgoing("d", "2026-03-10T09:30:00+01:00", "2001", "0061234567", talk=30))
    company.take(*rows)


def in_sum(company: Company) -> Decimal:
    report = company.report("by-cost-center", "", "--by", "posting", "--measures", "cost")
    return Decimal(report["totals"]["cost"])


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


def test_a_file_for_each_cost_center_adds_up_to_the_report(company: Company) -> None:
    march(company)
    unpriced = ("e", "2026-03-11T09:00:00+01:00", "2001", "00081355512345")
    company.take(outgoing(*unpriced, talk=30))
    company.set(
        "charge-back:ledger",
        by="department class",
        columns='"4711", cost_center, department, class, month, amount, currency, line',
        header="H;{month};{cost_center};{first_day};{last_day}",
        trailer="T;{lines};{total}",
        decimal="comma",
        month_format="%m%Y",
        date_format="%d.%m.%Y",
    )
    folder = company.home / "out"
    answer = company.ok("charge-back", "--period", "2026-03", "--to", str(folder), "--json")
    files = {row["cost_center"]: Path(row["file"]) for row in answer.json}
    assert {path.name for path in files.values()} == {
        "charge-back-032026-CC-100.csv",
        "charge-back-032026-CC-200.csv",
        "charge-back-032026-unassigned.csv",
    }
    total = Decimal(0)
    for center, path in files.items():
        rows = list(csv.reader(io.StringIO(path.read_text("utf-8")), delimiter=";"))
        assert rows[0] == ["H", "032026", center or "", "01.03.2026", "31.03.2026"]
        amounts = [Decimal(row[5].replace(",", ".")) for row in rows[1:-1]]
        assert rows[-1] == ["T", str(len(amounts)), f"{sum(amounts):.2f}".replace(".", ",")]
        assert [row[7] for row in rows[1:-1]] == [str(n) for n in range(1, len(amounts) + 1)]
        total += sum(amounts)
    assert total == cents(in_sum(company)) > 0
    # A department that begins like a formula is none in a spreadsheet.
    assert ";'=Board;" in files[None].read_text("utf-8")
    assert f"comes to {total} EUR" in answer.err
    assert "1 row has no price yet and is in no file" in answer.err


def test_what_belongs_to_an_open_month_and_is_not_booked_is_said(company: Company) -> None:
    march(company)
    company.set("flat-charge:line", amount="1.00", carrier="telco")
    company.set("charge-back:sap", columns="cost_center, amount", file="sap.csv")
    lines = Decimal(len(PEOPLE))
    words = ("charge-back", "--period", "2026-03", "--replace", "--to", str(company.home / "m.csv"))
    charges = ("report", "charges", "--period", "2026-03")
    assert f"of {lines}.00 EUR are not in it: syncd period run 2026-03" in company.ok(*words).err
    assert "2026-03 is open: allowances" in company.ok(*charges).err
    assert "are not booked yet" in company.ok(*charges).err
    # By the date of the call nothing is booked.
    assert "is open" not in company.ok("report", "summary", "--period", "2026-03").err
    company.ok("period", "run", "2026-03")
    assert "are not in it" not in company.ok(*words).err
    assert "are as of 20" in company.ok(*charges).err
    booked = in_sum(company)
    company.ok("period", "close", "2026-03", "--yes")
    assert "is open" not in company.ok(*charges).err
    assert in_sum(company) == booked


def test_what_would_be_closed_is_said_before_days_are_summed(company: Company) -> None:
    march(company)
    company.take(outgoing("may", "2026-05-04T10:00:00+02:00", "2001", "0061234567", talk=30))
    asked = company.ok("period", "close", "2026-05", "--dry-run", "--json").json
    assert [row["month"] for row in asked] == ["2026-05", "2026-04", "2026-03"]
    done = company.ok("period", "close", "2026-05", "--yes", "--json").json
    assert [row["month"] for row in done] == ["2026-03", "2026-04", "2026-05"]


def test_one_file_of_fixed_width(company: Company) -> None:
    march(company)
    company.set(
        "charge-back:sap",
        form="fixed-width",
        columns='cost_center 8 left, amount 12 zero, "X" 2 right, currency 3',
        decimal="none",
        header="HEAD{lines:>5}",
        trailer="SUM{total:>12}",
        file="sap.txt",
        line_end="windows",
    )
    target = company.home / "march.txt"
    company.ok("charge-back", "--period", "2026-03", "--to", str(target))
    lines = target.read_bytes().decode().split("\r\n")
    total = int(cents(in_sum(company)) * 100)
    assert lines[0] == "HEAD    3"
    assert lines[1].startswith("CC-100  0000000000")
    assert {len(line) for line in lines[1:4]} == {25}
    assert sum(int(line[8:20]) for line in lines[1:4]) == total
    assert lines[4:] == [f"SUM{total:>12}", ""]
    # The same again is the same; another content is not overwritten by itself.
    company.ok("charge-back", "--period", "2026-03", "--to", str(target))
    target.write_text("mine")
    refused = company.run("charge-back", "--period", "2026-03", "--to", str(target))
    assert (refused.code, "Traceback" in refused.err) == (4, False)
    assert target.read_text() == "mine"
    company.ok("charge-back", "--period", "2026-03", "--to", str(target), "--replace")
    company.set("charge-back:sap", columns="cost_center 3, amount 12")
    refused = company.run("charge-back", "--period", "2026-03", "--to", str(target))
    assert (refused.code, "wider than 3" in refused.err) == (1, True)


def test_the_tax_of_a_month_adds_up_beside_what_is_without_it(company: Company) -> None:
    march(company)
    company.set("carrier:telco", vat="22 %")
    company.set(
        "charge-back:ledger",
        by="person",
        columns="cost_center, person, amount, vat, with_vat",
        header="H;{lines};{total};{total_vat};{total_with_vat}",
        file="ledger-{month}.csv",
    )
    target = company.home / "ledger.csv"
    words = ("charge-back", "--period", "2026-03", "--to", str(target))
    answer = company.ok(*words, "--json")
    head, *lines = csv.reader(io.StringIO(target.read_text()), delimiter=";")
    whole = in_sum(company)
    tax = cents(whole * Decimal("0.22"))
    assert head == ["H", "3", *map(str, (cents(whole), tax, cents(whole) + tax))]
    for place, total in enumerate(head[2:], 2):
        assert sum(Decimal(line[place]) for line in lines) == Decimal(total)
    for _, _, net, vat, both in lines:
        assert Decimal(net) + Decimal(vat) == Decimal(both)
        assert abs(Decimal(vat) - Decimal(net) * Decimal("0.22")) < Decimal("0.013")
    assert [row["vat"] for row in answer.json] == [str(tax)]
    assert f"{cents(whole)} EUR and {tax} VAT" in answer.err


def test_a_bill_without_an_end_is_refused(company: Company, monkeypatch: Any) -> None:
    monkeypatch.setattr("syncd.billing.sheets.LARGEST_TEXT", 1 << 20)
    company.set("invoice:telco", **LAYOUT)
    refused = company.run("invoice", "check", "/dev/zero", "--carrier", "telco")
    assert (refused.code, "is larger than 1 MB" in refused.err) == (78, True)


@pytest.mark.parametrize("more", [(), ("--by", "posting"), ("--top", "1"), ("--subtotals",)])
def test_sums_with_the_tax_of_each_carrier(company: Company, more: tuple[str, ...]) -> None:
    march(company)
    company.set("carrier:telco", vat="22 %")
    group = "department,cost_center" if "--subtotals" in more else "department"
    words = ("--group-by", group, "--measures", "cost,cost_with_vat", *more)
    report = company.report("summary", "", *words)
    assert len(report["rows"]) >= 2
    for row in (*report["rows"], report["totals"]):
        exact = Decimal(row["cost"]) * Decimal("1.22")
        assert abs(Decimal(row["cost_with_vat"]) - exact) < Decimal("0.00001")
    groups = [row for row in report["rows"] if row.get("row") != "subtotal"]
    summed = sum(Decimal(row["cost_with_vat"]) for row in groups)
    assert summed == Decimal(report["totals"]["cost_with_vat"])
    if more == ():
        rows = company.report("summary", "", *words, "--sort=-cost_with_vat")["rows"]
        sorted_by = [Decimal(row["cost_with_vat"]) for row in rows]
        assert sorted_by == sorted(sorted_by, reverse=True)
    before = company.report("summary", "", "--compare", "previous", *words)
    assert before["totals"]["cost_with_vat_previous"] == "0.00"


def test_the_total_with_tax_is_the_same_by_whatever_it_is_grouped(company: Company) -> None:
    march(company)
    company.set("carrier:telco", rounding="half-up 6")
    # Calls that come to whole micros, and not with tax.
    company.take(
        *(
            outgoing(
                f"odd{n}",
                f"2026-03-1{n}T10:00:00+01:00",
                "200" + str(n % 3 + 1),
                "00212345678",
                talk=62 + 3 * n,
            )
            for n in range(9)
        )
    )
    company.set("carrier:telco", vat="19 %")
    totals = set()
    for group in ("department", "day", "person", "person,day", "hour", "carrier", "class"):
        report = company.report("summary", "", "--group-by", group, "--measures", "cost_with_vat")
        totals.add(report["totals"]["cost_with_vat"])
        summed = sum(Decimal(row["cost_with_vat"]) for row in report["rows"])
        assert summed == Decimal(report["totals"]["cost_with_vat"])
    exact = in_sum(company) * Decimal("1.19")
    assert {Decimal(total) for total in totals} == {
        exact.quantize(Decimal("0.000001"), ROUND_HALF_UP)
    }


def test_what_is_booked_is_shown_with_tax_when_that_is_asked(company: Company) -> None:
    march(company)
    (row, *_) = company.report("charges", "")["rows"]
    assert "cost" in row and "cost_with_vat" not in row


def test_what_has_no_tax_costs_the_same_with_it(company: Company) -> None:
    march(company)
    words = ("--group-by", "carrier", "--measures", "cost,cost_with_vat")
    for row in company.report("summary", "", *words)["rows"]:
        assert row["cost"] == row["cost_with_vat"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--period", "2026-13"), 2, "no month"),
        (("--period", "2026-03"), 2, "not said which"),
        (("--period", "2026-03", "--map", "leger"), 2, "no [charge-back:leger]"),
        (("--period", "2026-03", "--map", "a", "--as", "anna"), 1, "not available to anna"),
    ],
)
def test_what_charge_back_refuses(
    company: Company, words: tuple[str, ...], code: int, said: str
) -> None:
    for name in "ab":
        company.set(f"charge-back:{name}", columns="cost_center, amount")
    answer = company.run("charge-back", *words, "--to", "x")
    assert (answer.code, said in answer.err) == (code, True), answer


def bill(company: Company, *rows: str, name: str = "bill.csv") -> str:
    path = company.home / name
    path.write_bytes((BILL + "\n".join(rows) + "\nTotale;;;;1.234,56;\n").encode("windows-1252"))
    return str(path)


def statuses(answer: Any) -> list[tuple[str, str | None]]:
    return [(row["status"], row["number"]) for row in answer.json["rows"]]


def test_a_bill_beside_the_calls(company: Company) -> None:
    march(company)
    company.set("invoice:telco", **LAYOUT, calling="Linea", own_numbers="061234*")
    file = bill(
        company,
        # Their clock is 30 s ahead; numbers as carriers print them, one with hidden digits.
        "01.03.2026;10:00:35;0033 1 42685300;1:10;0,0035;061234001",
        "02.03.2026;10:00:35;00331426853xx;1:10;0,90;061234001",
        "09.03.2026;09:00:05;333 1234567;0:01:01;0,375;061234002",
        "10.03.2026;12:00:00;0645678901;2:00;1,00;061234001",
        "10.03.2026;13:00:00;0645678901;2:00;2,00;069999999",
        "28.02.2026;13:00:00;0645678901;2:00;2,00;061234001",
    )
    words = ("invoice", "check", file, "--carrier", "telco", *PERIOD)
    answer = company.run(*words, "--json", "--all")
    assert answer.code == 3
    found = {}
    for row in answer.json["rows"]:
        found.setdefault(row["status"], []).append(row["number"])
    assert found["equal"][0] == "0033 1 42685300"
    assert found["priced differently"] == ["00331426853xx"]
    assert found["missing here"] == ["0645678901"]
    assert found["not ours"] == ["0645678901"]
    assert sorted(found["missing on the bill"]) == sorted(
        ["+33142685300", "+39024512345", "+39061234567"]
    )
    assert answer.json["outside_period"] == 1
    # The sums are those of the bill and of what is stored, and add up.
    total = answer.json["total"]
    assert Decimal(total["billed"]) == Decimal("4.2785")
    assert Decimal(total["stored"]) == in_sum(company)
    for name in ("items", "calls"):
        assert sum(row[name] for row in answer.json["sums"]) == total[name]
    for name in ("billed", "stored", "difference"):
        assert sum(Decimal(row[name]) for row in answer.json["sums"]) == Decimal(total[name])
    assert (total["items"], total["calls"]) == (5, 6)
    table = company.run(*words)
    assert "priced differently" in table.out
    assert "Total" in table.out
    assert len(company.run(*words, "--format", "csv").out.splitlines()) == 7


def test_a_bill_without_differences(company: Company) -> None:
    company.take(outgoing("b", "2026-03-09T09:00:00+01:00", "2002", "03331234567", talk=61))
    layout = {**LAYOUT, "price": None, "duration_format": "minutes"}
    company.set("invoice:telco", **{name: text for name, text in layout.items() if text})
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Telco"])
    sheet.append(["Data", "Ora", "Numero chiamato", "Durata"])
    moment = datetime(2026, 3, 9, 9, 0, 5)  # noqa: DTZ001
    sheet.append([moment.date(), moment.time(), "+39 333 1234567", 1.02])
    path = company.home / "bill.xlsx"
    book.save(path)
    answer = company.run("invoice", "check", str(path), "--carrier", "telco")
    assert (answer.code, "equal" in answer.out) == (0, True), answer


def test_a_bill_that_cannot_be_read_says_every_row(company: Company) -> None:
    company.set("invoice:telco", **LAYOUT)
    file = bill(
        company,
        "31.02.2026;10:00:00;0612345678;1:10;0,10;x",
        "01.03.2026;10:00:00;0612345678;70;0,10;x",
        "01.03.2026;10:00:00;no;1:10;0.10;x",
    )
    answer = company.run("invoice", "check", file, "--carrier", "telco")
    assert answer.code == 78
    for line, what in ((4, "31.02.2026"), (5, "'70'"), (6, "'no'"), (6, "'0.10'")):
        assert any(f":{line}: " in said and what in said for said in answer.err.splitlines())
    company.set("invoice:telco", number="Number")
    answer = company.run("invoice", "check", file, "--carrier", "telco")
    assert (answer.code, "no row has all of the headers" in answer.err) == (78, True)


def test_a_bill_is_for_who_sees_every_number(company: Company) -> None:
    company.set("invoice:telco", **LAYOUT)
    file = bill(company, "01.03.2026;10:00:00;0612345678;1:10;0,10;x")
    words = ("invoice", "check", file, "--carrier", "telco", "--as")
    assert company.run(*words, "anna").code == 1
    assert company.run(*words, "carl").code == 3
    PEOPLE_MASKED = {**PEOPLE["carl"], "masked": "3"}  # noqa: N806
    company.write_ldif({"carl": person(name="Carl", **PEOPLE_MASKED)})
    company.ok("sync", "--accept-departures", "2")
    answer = company.run(*words, "carl")
    assert (answer.code, "not available to carl" in answer.err) == (1, True)


def now_call(company: Company, key: str, number: str) -> None:
    start = datetime.now(UTC).isoformat(timespec="seconds")
    company.take(outgoing(key, start, number, "03331234567", talk=61))


def test_budgets_from_the_settings_to_the_mail(company: Company) -> None:
    company.set(
        "budget:sales", amount="0.45", members="Sales", notify="manager finance@example.com"
    )
    company.set("budget:people", of="person", amount="10", carry_over="yes")
    with MailServer() as server:
        options = {"server": "127.0.0.1", "port": str(server.port), "tls": "none"}
        company.set("mail", **options, **{"from": "syncd@example.com"})
        assert company.ok("check-config").code == 0
        now_call(company, "x", "2001")
        folder = company.home / "trial"
        trial = company.ok("budget", "check", "--dry-run", str(folder))
        assert len(list(folder.glob("*.eml"))) == 2
        assert "sales: Sales reached 80 %: 83 % are spent" in trial.err
        assert company.listed("mail") == []
        company.ok("budget", "check")
        company.ok("mail", "send")
        assert sorted(server.taken) == ["anna@example.com", "finance@example.com"]
        company.ok("budget", "check")
        company.ok("mail", "send")
        assert len(server.taken) == 2
        company.ok("mail", "test", "carl@example.com")
        assert server.taken[-1] == "carl@example.com"
    assert [row["state"] for row in company.listed("mail")] == ["sent"] * 3
    rows = company.listed("budget")
    assert [(row["budget"], row["member"], row["spent"]) for row in rows] == [
        ("sales", "Sales", "0.375"),
        ("people", "Anna", "0.375"),
        ("people", "Bert", "0.00"),
        ("people", "Carl", "0.00"),
    ]
    own = company.listed("budget", "--as", "bert")
    assert [(row["budget"], row["member"]) for row in own] == [("people", "Bert")]
    assert company.listed("budget", "history", "sales")[0]["percent"] == 83
    assert "told at 80 %, 100 %" in company.ok("budget", "show", "sales").err
    report = company.ok("report", "budgets", "--format", "json").json
    assert [row["member"] for row in report["rows"]] == [row["member"] for row in rows]
    assert company.run("budget", "show", "slaes").code == 2
    assert company.ok("budget", "show", "people", "--as", "bert").err.startswith("people: each")
    # A budget of others is as one that there is not: neither its name nor its amount is told.
    for action in ("show", "history"):
        others, none = (
            company.run("budget", action, name, "--as", "bert") for name in ("sales", "slaes")
        )
        assert (others.code, others.out) == (none.code, none.out) == (2, "")
        assert others.err == none.err.replace("slaes", "sales")
        assert "0.45" not in others.err
        assert "people" not in none.err
    assert company.run("budget", "check", "--as", "bert").code == 1
    assert company.run("report", "budgets", "--group-by", "month").code == 2


def test_mistakes_are_all_told_at_once(company: Company) -> None:
    company.set("mail", server="x", user="y", password_file="none", **{"from": "nobody"})
    company.set("budget:a", mode="each", thresholds="0% 80", notify="boss")
    company.set("budget:b", of="cost_center", notify="person", amount="-3")
    company.set("budget:c", amount="5", departments="Sales")
    company.set("invoice:x", site="hx", number="N", duration="D", own_numbers="x")
    company.set("charge-back:x", columns="cost_centre, amount 5", trailer="{sum}", by="moon")
    answer = company.run("check-config")
    assert answer.code == 78
    for said in (
        "'nobody' is not a sender",
        "none cannot be read",
        "each needs members",
        "'0' is not a percentage",
        "'boss' is neither person",
        "a cost center is no person",
        "'-3' is not more than nothing",
        "chooses people",
        "'hx' is not a [site:NAME]",
        "[invoice:x] start: is missing",
        "own_numbers: is of no use without calling",
        "there is no field 'cost_centre'",
        "amount has a width",
        "there is no field {sum}",
        "nothing can be split by 'moon'",
    ):
        assert said in answer.err + answer.out, said
