"""Alarms: once of each event, only of calls that their reader may see, none of old calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.application.alarms import check_alarms, try_alarm
from syncd.application.composition import Application
from syncd.application.mail import send_mail
from syncd.application.retention import carry_out
from syncd.domain.errors import ConfigurationError
from syncd.settings.load import load
from syncd.store.alarms import messages
from syncd.store.models import AlarmTold, Call, File, Outbox, Party, SyncRun, database
from tests.support.bed import START, Bed, make_bed
from tests.support.mail_server import MailServer
from tests.support.phones import leg

HEAD = """
[syncd]
state_directory = state
timezone = Europe/Rome
currency = EUR
[mail]
server = 127.0.0.1
port = {port}
tls = none
from = syncd <syncd@example.com>
[licensing]
slots = 4
"""
MINUTE, HOUR, DAY = 60, 3600, 86_400
EXPENSIVE = """
[alarm:expensive]
on = call-cost
amount = 5.00
notify = level>=2
cool_down = 10 minutes
"""
PARIS, MOBILE = "00033142685300", "03331234567"


class Watch:
    """People of two departments, and a clock that goes with their calls."""

    def __init__(self, home: Path, server: MailServer) -> None:
        self.home = home
        self.server = server
        self.bed: Bed = make_bed(home)
        self.now = START + MINUTE
        self.calls = 0
        self.bed.person("anna", "2001", department="Sales", level=2)
        self.bed.person("carl", "2003", department="Support", level=2)
        self.bed.person("mary", "2009", department="Sales", level=6)
        self.bed.person("dora", "2007", department="Board", level=10)
        for party in Party.select():
            self.change(party.username, mail=f"{party.username}@example.com")

    @staticmethod
    def change(username: str, **fields: Any) -> None:
        Party.update(**fields).where(Party.username == username).execute()

    def use(self, *sections: str) -> None:
        path = self.home / "syncd.ini"
        text = HEAD.format(port=self.server.port) + "\n".join(sections)
        path.write_text(text, encoding="utf-8")
        self.settings = load(path)
        self.application = Application(
            self.settings, database.obj, command="test", clock=lambda: self.now
        )

    def call(
        self, number: str, to: str = PARIS, *, minutes: int = 1, at: int | None = None
    ) -> dict[str, Any]:
        """Let somebody call; France costs 1.00 at least, 0.50 a minute."""
        self.calls += 1
        start = self.now - START if at is None else at
        self.bed.now = max(self.bed.now, self.now)
        row = leg(
            self.calls,
            self.calls * 2,
            self.calls * 2 + 1,
            number,
            to,
            at=start,
            talk=minutes * MINUTE,
        )
        self.bed.ingest(row)
        return row

    def look(self) -> list[str]:
        """Look at the alarms; return who was written to, and of how many events."""
        return sorted(
            f"{one.recipient.partition('@')[0]} {len(one.told.events) if one.told else one.refusal}"
            for one in check_alarms(self.application).raised
        )

    def text(self, who: str) -> str:
        """Return the last message that somebody got."""
        send_mail(self.application)
        found = [
            message
            for recipient, message in self.server.handler.messages
            if recipient.startswith(f"{who}@")
        ]
        body = found[-1].get_body(("plain",))
        assert body is not None
        return f"{found[-1]['Subject']}\n{body.get_content()}"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture
def watch(tmp_path: Path, server: MailServer) -> Iterator[Watch]:
    yield Watch(tmp_path, server)
    database.obj.close()


def test_each_is_told_once_of_the_calls_they_see(watch: Watch) -> None:
    watch.use(EXPENSIVE)
    watch.change("mary", masked_digits=4)
    watch.call("2001", minutes=1)
    assert watch.look() == []
    watch.call("2001", minutes=20)
    assert watch.look() == ["anna 1", "dora 1", "mary 1"]
    assert watch.look() == []
    text = watch.text("anna")
    assert "Alarm expensive: 1 call of 5.00 EUR or more" in text.replace("\r", "")
    assert "+33142685300" in text
    assert "10.00 EUR" in text
    assert "+3314268****" in watch.text("mary")
    watch.now += 11 * MINUTE
    watch.call("2003", minutes=30)
    assert watch.look() == ["carl 1", "dora 1"]
    assert "Anna" not in watch.text("carl")
    watch.now += DAY
    assert watch.look() == []


def test_what_happens_meanwhile_comes_in_one_message(watch: Watch) -> None:
    watch.use(EXPENSIVE)
    watch.call("2001", minutes=20)
    assert "anna 1" in watch.look()
    for _ in range(3):
        watch.now += 2 * MINUTE
        watch.call("2001", minutes=20)
        assert watch.look() == []
    watch.now += 4 * MINUTE
    assert watch.look() == ["anna 3", "dora 3", "mary 3"]
    assert watch.look() == []


def test_a_clock_that_was_ahead_silences_nobody(watch: Watch) -> None:
    """Who was told something then would hear nothing until that day has come."""
    watch.use(EXPENSIVE)
    today = watch.now
    watch.now += 30 * DAY
    watch.call("2001", minutes=20)
    assert "anna 1" in watch.look()
    watch.now = today
    watch.call("2001", minutes=20)
    assert "anna 1" in watch.look()
    watch.now += 2 * MINUTE
    watch.call("2001", minutes=20)
    assert watch.look() == []
    watch.now += 9 * MINUTE
    assert "anna 1" in watch.look()


def test_old_calls_and_those_that_come_again_are_quiet(watch: Watch) -> None:
    watch.use(EXPENSIVE)
    watch.call("2001", minutes=20, at=-2 * DAY)
    assert watch.look() == []
    row = watch.call("2001", minutes=20)
    assert watch.look() == ["anna 1", "dora 1", "mary 1"]
    watch.now += HOUR
    # The same call under other ids, as after reprocessing.
    watch.bed.ingest(row)
    Call.update(id=Call.id + 8000).execute()
    assert watch.look() == []
    assert AlarmTold.select().count() == 3


def test_a_call_that_is_rated_dearer_later_is_told(watch: Watch) -> None:
    watch.use(EXPENSIVE)
    watch.call("2001", minutes=2)
    assert watch.look() == []
    Call.update(cost=9_000_000).execute()
    assert watch.look() == ["anna 1", "dora 1", "mary 1"]


def test_what_a_person_spends_in_a_day(watch: Watch) -> None:
    watch.use(EXPENSIVE.replace("call-cost", "person-cost").replace("5.00", "3.00"))
    watch.call("2001", minutes=4)
    watch.call("2003", minutes=2)
    assert watch.look() == []
    watch.call("2001", minutes=2)
    assert watch.look() == ["anna 1", "dora 1", "mary 1"]
    assert "Anna  2 calls  3.00 EUR" in watch.text("dora")
    watch.call("2001", minutes=2)
    watch.now += HOUR
    assert watch.look() == []


def test_a_person_of_two_days_is_one_person(watch: Watch) -> None:
    watch.use(EXPENSIVE.replace("call-cost", "person-cost").replace("5.00", "3.00"))
    watch.call("2001", minutes=6)
    watch.now += 2 * HOUR  # behind midnight
    watch.call("2001", minutes=6)
    watch.look()
    assert "1 person spent 3.00 EUR or more in a day, 2 times" in watch.text("dora")


def test_only_the_part_that_is_in_scope_counts(watch: Watch) -> None:
    watch.use(EXPENSIVE.replace("call-cost", "person-cost").replace("5.00", "3.00"))
    watch.call("2001", minutes=4)
    # Half of what Anna spent was in another department, which Mary does not see.
    Call.update(org_id=0).execute()
    watch.call("2001", minutes=4)
    assert watch.look() == ["anna 1", "dora 1"]
    watch.now += HOUR
    watch.call("2001", minutes=4)
    assert watch.look() == ["mary 1"]
    assert "2 calls  4.00 EUR" in watch.text("mary")


def test_classes_and_destinations(watch: Watch) -> None:
    watch.use(
        "[alarm:abroad]\non = calls\nclasses = mobile\ndestinations = fr*;Cuba\n"
        "notify = managers of sales; test:dora\ncool_down = 1 minutes"
    )
    watch.call("2001", "00039800123456")
    watch.call("2001", "2003")
    assert watch.look() == []
    watch.call("2001", PARIS)
    watch.call("2001", MOBILE)
    assert watch.look() == ["dora 2", "mary 2"]
    watch.now += HOUR
    watch.use(
        "[alarm:many]\non = calls\nclasses = mobile international\ncalls = 3\n"
        "notify = dora\ndepartments = Sales"
    )
    assert watch.look() == []
    watch.call("2003", PARIS)
    assert watch.look() == []
    watch.call("2001", PARIS)
    assert watch.look() == ["dora 1"]
    assert "1 person made 3 calls to mobile, international or more in a day" in watch.text("dora")


@pytest.mark.parametrize("calls", [1, 2])
def test_a_destination_that_no_deck_has(watch: Watch, calls: int) -> None:
    watch.use(f"[alarm:far]\non = calls\ndestinations = Atlantis\ncalls = {calls}\nnotify = dora")
    watch.call("2001")
    assert watch.look() == []


def test_outside_working_hours(watch: Watch) -> None:
    # It is 22:27 in Rome.
    watch.use("[alarm:late]\non = outside-hours\nnotify = dora\nhours = Mon-Sun 08:00-23:00")
    watch.call("2001")
    assert watch.look() == []
    watch.use("[alarm:night]\non = outside-hours\nnotify = dora")
    assert watch.look() == ["dora 1"]
    watch.now += 11 * HOUR
    watch.call("2001")
    assert watch.look() == []
    watch.use("[alarm:often]\non = outside-hours\nnotify = dora\ncalls = 2")
    assert watch.look() == []


def test_alarms_about_the_installation_need_a_level(watch: Watch) -> None:
    watch.use(
        "[alarm:full]\non = licence\nnotify = mary; dora",
        "[alarm:prices]\non = unrated\npercent = 50%\nnotify = mary; dora",
        "[alarm:rows]\non = rejects\nnotify = dora",
    )
    assert watch.look() == ["dora 1", "mary an alarm on licence is for level 8"]
    assert "4 of 4 slots are taken" in watch.text("dora")
    for _ in range(20):
        watch.call("2001")
    Call.update(cost=None, state=0).execute()
    File.update(read=100, rejected=6, taken_at=watch.now).execute()
    assert watch.look()[:1] == ["dora 1"]
    assert AlarmTold.select().where(AlarmTold.alarm == "rows").count() == 1
    assert watch.look() == []


def test_a_quiet_folder_and_a_directory_that_fails(watch: Watch) -> None:
    (watch.home / "in").mkdir()
    (watch.home / "people.ldif").touch()
    watch.use(
        "[site:hq]\ncountry = IT\narea_code = 06\ninternal_numbers = 2XXX\naccess_code = 0\n"
        "timezone = Europe/Rome",
        "[cdr:hq]\ndriver = cucm\nfolder = in\nsite = hq\nquiet_after = 2 hours",
        "[directory:corp]\ntype = ldif\nfile = people.ldif\nsite = hq",
        "[map:corp]\nusername = uid\ndisplay_name = cn\n"
        "first_extension = telephoneNumber\nbill_first_extension = yes",
        "[alarm:quiet]\non = quiet-folder\nnotify = dora",
        "[alarm:people]\non = sync-failing\nnotify = dora",
    )
    watch.call("2001")
    File.update(taken_at=watch.now).execute()
    assert watch.look() == []
    watch.now += 3 * HOUR
    assert watch.look() == ["dora 1"]
    assert "hq: nothing came since" in watch.text("dora")
    assert watch.look() == []
    for _ in range(2):
        SyncRun.create(source="corp", started_at=1, ended_at=1, outcome="failed", message="no file")
    assert watch.look() == []
    SyncRun.create(source="corp", started_at=1, ended_at=1, outcome="refused", message="no file")
    assert watch.look() == ["dora 1"]
    SyncRun.create(source="corp", started_at=1, ended_at=1, outcome="failed", message="no file")
    watch.now += 2 * HOUR
    assert watch.look() == []


def test_who_may_see_nothing_any_more_is_not_told(watch: Watch) -> None:
    watch.use(EXPENSIVE.replace("level>=2", "anna; mary; boss@example.org\nas = carl"))
    watch.call("2001", minutes=20)
    watch.change("anna", enabled=False)
    watch.change("mary", permission_level=0)
    assert watch.look() == []
    watch.call("2003", minutes=20)
    assert watch.look() == ["boss 1"]
    watch.change("carl", departed_at=1)
    send_mail(watch.application)
    assert watch.server.taken == []
    assert [row["reason"] for row in messages("expensive", 9)] == ["withdrawn: left"]


def test_what_is_not_for_them_any_more_is_told_anew(watch: Watch) -> None:
    watch.use(EXPENSIVE.replace("level>=2", "mary"))
    watch.call("2001", minutes=20)
    watch.call("2009", minutes=20)
    assert watch.look() == ["mary 2"]
    watch.change("mary", permission_level=2)
    send_mail(watch.application)
    assert watch.server.taken == []
    assert watch.look() == ["mary 1"]
    assert "Anna" not in watch.text("mary")
    assert watch.look() == []


def test_a_message_can_be_told_at_any_age_of_the_log(watch: Watch) -> None:
    watch.use(EXPENSIVE.replace("level>=2", "dora") + "max_age = 30 days")
    watch.call("2001", minutes=20)
    assert watch.look() == ["dora 1"]
    for _ in range(33):
        watch.now += DAY
        watch.call("2001", minutes=20)
        assert watch.look() == ["dora 1"]


def test_what_was_told_goes_and_nothing_is_told_twice(watch: Watch) -> None:
    (watch.home / "in").mkdir()
    watch.use(
        "[site:hq]\ncountry = IT\narea_code = 06\ninternal_numbers = 2XXX\naccess_code = 0\n"
        "timezone = Europe/Rome",
        "[cdr:hq-2]\ndriver = cucm\nfolder = in\nsite = hq\nquiet_after = 2 hours",
        EXPENSIVE.replace("level>=2", "dora") + "max_age = 5 days",
        "[alarm:quiet]\non = quiet-folder\nnotify = dora",
        "[retention]\nmail = 1",
    )
    watch.call("2001", minutes=20)
    File.update(taken_at=watch.now, source="hq-2").execute()
    assert watch.look() == ["dora 1"]
    watch.now += 3 * HOUR
    assert watch.look() == ["dora 1"]
    watch.text("dora")
    told: dict[str, int] = {}
    for day in range(12):
        carry_out(watch.application)
        assert watch.look() == []
        told = Counter(row.alarm for row in AlarmTold.select())
        assert told["quiet"] == 1
        assert told["expensive"] == (day < 8)
        watch.now += DAY
    assert told == {"quiet": 1}
    assert Outbox.select().count() == 0
    File.update(taken_at=watch.now).execute()
    watch.look()
    watch.now += 3 * HOUR
    assert watch.look() == ["dora 1"]
    watch.text("dora")
    watch.now += 9 * DAY
    assert AlarmTold.select().count() == 2
    carry_out(watch.application)
    assert AlarmTold.select().count() == 1
    assert watch.look() == []


def test_trying_one_changes_nothing(watch: Watch) -> None:
    watch.use(EXPENSIVE)
    watch.call("2001", minutes=20)
    alarm = watch.settings.mailing.alarms["expensive"]
    for _ in range(2):
        outcome = try_alarm(watch.application, alarm)
        assert outcome.messages == 3
    assert AlarmTold.select().count() == Outbox.select().count() == 0
    assert len(watch.look()) == 3
    assert try_alarm(watch.application, alarm).messages == 3


def test_mistakes_are_all_found(watch: Watch) -> None:
    with pytest.raises(ConfigurationError) as caught:
        watch.use(
            "[alarm:a]\non = call-cost\nnotify = level>=7",
            "[alarm:b]\non = calls\namount = 3\nnotify = dora\ncool_down = 2 days",
            "[alarm:c]\nnotify = a@example.com",
            "[schedule:d]\nreport = calls\nwhen = sometimes\nrecipients = me\nsubject = {who}",
            "[schedule:e]\nreport = calls\nas = anna",
        )
    assert sorted(problem.option for problem in caught.value.problems) == [
        "[alarm:a] amount",
        "[alarm:a] notify",
        "[alarm:b] amount",
        "[alarm:b] classes",
        "[alarm:b] cool_down",
        "[alarm:c] on",
        "[schedule:d] recipients",
        "[schedule:d] subject",
        "[schedule:d] when",
        "[schedule:e] recipients",
    ]
