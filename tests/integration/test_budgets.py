"""Budgets from the settings to the messages: what counts, who is told, who may see what."""

from __future__ import annotations

import email
import threading
from dataclasses import replace
from email.policy import default
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from syncd.application.budgets import check_budgets
from syncd.application.composition import Application
from syncd.application.mail import send_mail
from syncd.cli.budget import rows_for
from syncd.domain.errors import UsageError
from syncd.reports.budgets import budget_rows, company
from syncd.reports.query import Query
from syncd.reports.scope import Policy, open_door
from syncd.settings.load import load
from syncd.store.models import (
    AccessLog,
    BudgetAlert,
    BudgetPeriod,
    Call,
    Org,
    Outbox,
    Party,
    Profile,
    database,
)
from syncd.store.names import make_one
from syncd.store.outbox import FAILED
from tests.support.bed import ROME, START, Bed, make_bed
from tests.support.mail_server import MailServer
from tests.support.phones import leg

HEAD = """
[syncd]
state_directory = state
timezone = Europe/Rome
currency = EUR
[mail]
server = localhost
tls = none
from = syncd <syncd@example.com>
"""
DAY = 86_400
MINUTE_ABROAD = 1_000_000
"""Micros: the minimum charge of a call to France."""


class Desk:
    """A company with budgets: people of two departments who telephone to France."""

    def __init__(self, tmp_path: Path) -> None:
        self.home = tmp_path
        self.bed: Bed = make_bed(tmp_path)
        self.now = START + 3600
        self.calls = 0
        anna = self.bed.person("anna", "2001", department="Sales", level=2)
        self.bed.person("bert", "2002", department="Sales", level=0)
        self.bed.person("carl", "2003", department="Support", level=2)
        self.bed.person("mary", "2009", department="Sales", level=6)
        self.bed.person("otto", "2008", department="Support", level=6)
        self.anna = anna.id
        for party in Party.select():
            self.change(party.username, mail=f"{party.username}@example.com")

    @staticmethod
    def change(username: str, **fields: Any) -> None:
        Party.update(**fields).where(Party.username == username).execute()

    def use(self, *sections: str) -> None:
        path = self.home / "syncd.ini"
        path.write_text(HEAD + "\n".join(sections), encoding="utf-8")
        self.settings = load(path)
        self.application = Application(
            self.settings, database.obj, command="test", clock=lambda: self.now
        )

    def call(self, number: str, times: int = 1, *, at: int = 0) -> None:
        """Let somebody call France: a minute of 1.00."""
        rows = []
        for _ in range(times):
            self.calls += 1
            leg_id = self.calls * 2
            start = at + self.calls
            rows.append(leg(self.calls, leg_id, leg_id + 1, number, "00033142685300", at=start))
        self.bed.ingest(*rows)

    def check(self, **options: Any) -> list[tuple[str, str]]:
        """Look at the budgets; return (recipient, subject) of the new messages."""
        before = Outbox.select().count()
        check_budgets(self.application, **options)
        messages = Outbox.select().order_by(Outbox.id).offset(before)
        return sorted((one.recipient.partition("@")[0], one.subject) for one in messages)

    def seen(self, who: str | None = None, *, past: bool = False) -> list[dict[str, Any]]:
        door = open_door(who, "budgets", "test", Policy(), self.now)
        budgets = self.settings.finance.budgets.values()
        return budget_rows(door, budgets, company(ROME, self.now), past=past)

    def spent(self, who: str | None = None, **options: Any) -> dict[str, str | None]:
        return {row["member"]: row["spent"] for row in self.seen(who, **options)}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


SALES = """
[budget:sales]
amount = 10
members = Sales
thresholds = 50% 100%
notify = manager finance@example.com
"""


def test_each_threshold_is_told_once_whatever_happens(desk: Desk) -> None:
    desk.use(SALES)
    desk.call("2001", 4)
    assert desk.check() == []
    desk.call("2002", 1)
    assert desk.check() == [
        ("finance", "Budget sales: Sales: 50 % of 2026-05"),
        ("mary", "Budget sales: Sales: 50 % of 2026-05"),
    ]
    assert desk.check() == []
    # Prices change and change back, the daemon starts again, the settings are loaded again.
    Call.update(cost=0).execute()
    assert desk.check() == []
    Call.update(cost=MINUTE_ABROAD).where(Call.other_number.contains("331")).execute()
    desk.use(SALES)
    assert desk.check() == []
    desk.call("2002", 5)
    assert {subject for _, subject in desk.check()} == {"Budget sales: Sales: 100 % of 2026-05"}
    assert sorted(row.threshold for row in BudgetAlert.select()) == [50, 100]


def test_the_next_period_begins_anew_and_a_late_call_counts_for_its_own(desk: Desk) -> None:
    desk.use(SALES)
    desk.call("2001", 4)
    desk.check()
    desk.now += 10 * DAY  # June
    assert desk.check() == []
    assert desk.spent() == {"Sales": "0.00"}
    desk.call("2001", 1, at=7200)
    assert {subject for _, subject in desk.check()} == {"Budget sales: Sales: 50 % of 2026-05"}
    assert [(row["from"], row["spent"]) for row in desk.seen(past=True)] == [
        ("2026-05-01", "5.00"),
        ("2026-06-01", "0.00"),
    ]


def test_a_budget_counts_from_the_beginning_of_the_period_in_which_it_is_set(desk: Desk) -> None:
    desk.call("2001", 2, at=-20 * DAY)
    desk.call("2001", 3, at=-35 * DAY)
    desk.use(SALES)
    desk.check()
    assert desk.spent() == {"Sales": "2.00"}
    assert BudgetPeriod.select().count() == 1


def test_one_pot_the_same_for_all_and_one_each(desk: Desk) -> None:
    desk.call("2001", 2)
    desk.call("2002", 1)
    desk.call("2003", 4)
    desk.use(
        "[budget:all]\nof = person\nmode = cumulative\namount = 100",
        "[budget:same]\nof = person\namount = 2\ndepartments = sales",
        "[budget:each]\nof = department\nmode = each\nmember.1 = 8 Support\nmember.2 = 6 SALES",
    )
    found = {
        (row["budget"], row["member"]): (row["amount"], row["spent"], row["percent"])
        for row in desk.seen()
    }
    assert found == {
        ("all", "all"): ("100.00", "7.00", 7),
        ("same", "Anna"): ("2.00", "2.00", 100),
        ("same", "Bert"): ("2.00", "1.00", 50),
        ("same", "Mary"): ("2.00", "0.00", 0),
        ("each", "Support"): ("8.00", "4.00", 50),
        ("each", "SALES"): ("6.00", "3.00", 50),
    }


def test_what_is_left_is_carried_over_and_a_debt_is_not(desk: Desk) -> None:
    desk.use(
        "[budget:daily]\nof = person\nmembers = anna; carl\nperiod = day\namount = 3\ncarry_over = yes"
    )
    desk.call("2001", 1)
    desk.call("2003", 5)
    desk.check()
    desk.now += DAY
    desk.check()
    amounts = {row["member"]: (row["carried"], row["left"]) for row in desk.seen()}
    assert amounts == {"Anna": ("2.00", "5.00"), "Carl": ("0.00", "3.00")}
    # A late call of yesterday takes from what was carried over.
    desk.call("2001", 1, at=100)
    assert desk.seen()[0]["carried"] == "1.00"
    desk.check()
    # The daemon is off for two days.
    desk.now += 3 * DAY
    desk.check()
    assert desk.seen()[0]["carried"] == "10.00"
    history = [row for row in desk.seen(past=True) if row["member"] == "Anna"]
    assert [row["carried"] for row in history] == ["0.00", "1.00", "4.00", "7.00", "10.00"]


def test_who_left_stays_in_the_history(desk: Desk) -> None:
    desk.use("[budget:people]\nof = person\namount = 5")
    desk.call("2001", 2)
    desk.check()
    desk.change("anna", departed_at=desk.now)
    assert "Anna" not in desk.spent()
    assert desk.spent(past=True)["Anna"] == "2.00"


def test_a_past_period_keeps_its_amount(desk: Desk) -> None:
    desk.use(SALES)
    desk.check()
    desk.now += 10 * DAY
    desk.use(SALES.replace("amount = 10", "amount = 20"))
    desk.check()
    assert [row["amount"] for row in desk.seen(past=True)] == ["10.00", "20.00"]


def test_who_is_told(desk: Desk) -> None:
    section = (
        "[budget:people]\nof = person\ndepartments = Sales\namount = 1\nnotify = person manager"
    )
    desk.use(section)
    desk.call("2001", 1)
    desk.call("2009", 1)
    assert [who for who, _ in desk.check()] == ["anna", "mary", "mary"]
    # Mary is told of her own budget as a person; she is not her own manager.
    told = [(one.recipient, one.subject) for one in Outbox.select()]
    assert sorted(told)[-1][1].startswith("Budget people: Mary")


@pytest.mark.parametrize("change", [{"departed_at": 1}, {"enabled": False}, {"mail": "no address"}])
def test_who_left_gets_no_mail(desk: Desk, change: dict[str, Any]) -> None:
    desk.use(SALES)
    desk.change("mary", **change)
    desk.call("2001", 5)
    assert [who for who, _ in desk.check()] == ["finance"]


def test_what_waits_for_who_left_or_sees_something_else_is_withdrawn(desk: Desk) -> None:
    desk.use(
        "[budget:people]\nof = person\ndepartments = Sales\namount = 1\n"
        "thresholds = 50% 100%\nnotify = person manager finance@example.com"
    )
    desk.call("2001", 1)
    desk.call("2002", 1)
    to_all = ["anna", "bert", "finance", "finance", "mary", "mary"]
    assert [who for who, _ in desk.check()] == to_all
    desk.change("anna", departed_at=desk.now)
    desk.change("mary", masked_digits=3)
    with MailServer() as server:
        mail = replace(desk.settings.finance.mail, server="127.0.0.1", port=server.port)
        finance = replace(desk.settings.finance, mail=mail)
        desk.application = Application(
            replace(desk.settings, finance=finance),
            database.obj,
            command="test",
            clock=lambda: desk.now,
        )
        outcome = send_mail(desk.application)
        # Bert never had any access: he is told without figures, as ever.
        assert (outcome.sent, outcome.withdrawn, outcome.waiting) == (3, 3, 0)
        reasons = Outbox.select(Outbox.reason).where(Outbox.state == FAILED).order_by(Outbox.id)
        changed = "withdrawn: what they may see has changed"
        assert sorted(one.reason for one in reasons) == ["withdrawn: left", changed, changed]
        # It is told anew, to nobody twice; of Anna, who left, nobody is told any more.
        assert [who for who, _ in desk.check()] == ["mary"]
        assert desk.check() == []
        desk.change("mary", permission_level=2)
        assert send_mail(desk.application).withdrawn == 1
        assert desk.check() == []


def text_for(who: str) -> str:
    row = Outbox.get(Outbox.recipient.startswith(who))
    parsed = email.message_from_bytes(bytes(row.message), policy=default)
    return str(parsed.get_body().get_content())


def test_a_message_has_the_figures_that_its_reader_may_see(desk: Desk) -> None:
    desk.use(
        "[budget:people]\nof = person\ndepartments = Sales\namount = 1\n"
        "notify = person manager finance@example.com"
    )
    desk.call("2001", 1)
    desk.call("2002", 1)
    # Anna was in Support until an hour ago: her call is not her manager's to see.
    org, _ = Org.get_or_create(department="support", cost_center="", office_location="")
    Profile.update(org=org).where(Profile.party == desk.anna).execute()
    Call.update(org_id=org.id).where(Call.party_id == desk.anna).execute()
    desk.check()
    assert "Spent:        1.00 EUR (100 %)" in text_for("anna")
    assert "Spent" in text_for("finance")
    assert "Spent" not in text_for("bert")  # level 0 sees nothing
    to_mary = list(Outbox.select().where(Outbox.recipient == "mary@example.com"))
    bodies = {one.subject.split(":")[1].strip(): b"Spent" in bytes(one.message) for one in to_mary}
    assert bodies == {"Anna": False, "Bert": True}
    logged = {row.viewer for row in AccessLog.select().where(AccessLog.report == "budgets")}
    assert logged == {"anna", "bert", "mary", "administrator"}


def cost_doubles_after_the_first_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are rated again by another process while budgets are looked at."""
    genuine, asked = Query.sums, []

    def sums(query: Query, dimensions: tuple[str, ...]) -> Any:
        found = genuine(query, dimensions)
        asked.append(query)
        if len(asked) == 1:
            thread = threading.Thread(target=write)
            thread.start()
            thread.join()
        return found

    def write() -> None:
        with database.obj.connection_context():
            Call.update(cost=Call.cost * 2).execute()

    monkeypatch.setattr(Query, "sums", sums)


def test_all_of_a_look_is_as_of_one_moment(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what a reader may see would be compared with what there is at another time."""
    desk.use(SALES)
    desk.call("2001", 5)
    with monkeypatch.context() as patched:
        cost_doubles_after_the_first_sums(patched)
        desk.check()
    assert "Spent:        5.00 EUR (50 %)" in text_for("mary")
    with monkeypatch.context() as patched:
        cost_doubles_after_the_first_sums(patched)
        context = SimpleNamespace(settings=desk.settings, now=lambda: desk.now)
        door = open_door("mary", "budgets", "test", Policy(), desk.now)
        assert [row["spent"] for row in rows_for(door, context)] == ["10.00"]  # type: ignore[arg-type]
    assert AccessLog.get_by_id(door.access_id).rows == 1


def test_a_viewer_sees_the_budgets_of_their_scope(desk: Desk) -> None:
    desk.call("2001", 2)
    desk.call("2003", 3)
    desk.use(
        SALES,
        "[budget:support]\nmembers = Support\namount = 5",
        "[budget:people]\nof = person\namount = 5",
        "[budget:all]\nmode = cumulative\namount = 50",
    )

    def budgets(who: str) -> set[tuple[str, str]]:
        return {(row["budget"], row["member"]) for row in desk.seen(who)}

    assert budgets("anna") == {("people", "Anna")}
    assert budgets("mary") == {
        ("sales", "Sales"),
        *(("people", name) for name in ("Anna", "Bert", "Mary")),
    }
    assert budgets("otto") == {("support", "Support"), ("people", "Carl"), ("people", "Otto")}
    # What an own call of another department would tell is not shown.
    Call.update(org_id=0).where(Call.party_id == desk.anna).execute()
    assert desk.spent("mary")["Anna"] is None
    assert desk.spent("anna")["Anna"] == "2.00"


def test_without_a_server_nothing_counts_as_told(desk: Desk) -> None:
    desk.use(SALES)
    full = (desk.home / "syncd.ini").read_text()
    desk.call("2001", 6)
    (desk.home / "syncd.ini").write_text(full.replace("server = localhost", "server ="))
    desk.application = Application(
        load(desk.home / "syncd.ini"), database.obj, command="test", clock=lambda: desk.now
    )
    assert desk.check() == []
    desk.use(SALES)
    assert len(desk.check()) == 2


def test_a_trial_remembers_nothing(desk: Desk) -> None:
    desk.use(SALES)
    desk.call("2001", 6)
    outcome = check_budgets(desk.application, dry_run=True)
    assert outcome.messages == 2
    for model in (Outbox, BudgetAlert, BudgetPeriod, AccessLog):
        assert model.select().count() == 0
    path = outcome.told[0].messages[0].save(desk.home / "trial")
    assert b"Subject: Budget sales: Sales: 50 % of 2026-05" in path.read_bytes()


def test_members_who_are_not_there_are_named(desk: Desk) -> None:
    desk.use("[budget:x]\nof = person\nmembers = anna; nobody; test:carl\namount = 5")
    assert check_budgets(desk.application).missing == [("x", "nobody")]
    assert {row["member"] for row in desk.seen()} == {"Anna", "Carl"}


def test_an_unknown_budget(desk: Desk) -> None:
    from syncd.application.budgets import chosen

    desk.use(SALES)
    with pytest.raises(UsageError, match=r"no \[budget:slaes\]"):
        chosen(desk.application, "slaes")


def test_what_is_told_and_the_note_that_it_was_are_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.use(SALES)
    desk.call("2001", 6)
    posted = []

    def killed(*arguments: Any) -> None:
        posted.append(arguments)
        if len(posted) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("syncd.application.budgets.post", killed)
        with pytest.raises(KeyboardInterrupt):
            check_budgets(desk.application)
    for model in (Outbox, BudgetAlert, BudgetPeriod):
        assert model.select().count() == 0
    assert [who for who, _ in desk.check()] == ["finance", "mary"]


def test_departments_that_are_one_have_one_pot(desk: Desk) -> None:
    desk.use("[budget:all]\namount = 10", "[budget:old]\nmembers = Vendite\namount = 10")
    desk.call("2001", 2)
    with database.obj.atomic():
        make_one("department", "vendite", "sales")
        make_one("department", "support", "sales")
    desk.call("2003", 3)
    found = {(row["budget"], row["member"]): row["spent"] for row in desk.seen()}
    assert found[("old", "Vendite")] == "5.00"
    assert [spent for (name, _), spent in found.items() if name == "all"] == ["5.00"]
    assert {row["budget"] for row in desk.seen("otto")} == {"all", "old"}
