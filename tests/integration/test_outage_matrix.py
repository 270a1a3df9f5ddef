"""Each outage that a source can have, for each kind of source, before anybody was ever read and
afterwards: not one person leaves, no number is lost, nothing is applied, and it is said why."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import peewee
import pytest

from syncd.directory.incremental import Shortcut
from syncd.directory.protocol import DirectorySource
from syncd.directory.sources.active_directory import ActiveDirectorySource
from syncd.directory.sources.csv_file import CsvSource
from syncd.directory.sources.ldap import LdapSource
from syncd.directory.sources.ldif import LdifSource
from syncd.domain.errors import EXIT_BAD_CONFIGURATION, EXIT_REFUSED, EXIT_TRY_AGAIN, UserError
from syncd.settings.model import DirectorySettings
from syncd.store.models import Assignment, Party
from tests.directory_settings import directory_settings
from tests.integration.slapd import free_port
from tests.support import scripted_ad
from tests.support.outages import COUNT, EVERYBODY, GARBAGE, Outage
from tests.support.scripted_ad import DIRSYNC, FLAGS, SHOW_DELETED, STALE_COOKIE, DomainController
from tests.support.scripted_ldap import (
    ADMIN_LIMIT,
    CUT,
    MUTE,
    SIZE_LIMIT,
    SUCCESS,
    TIME_LIMIT,
    Answer,
    Script,
    ScriptedServer,
    Search,
    ber,
    done,
    integer,
    octets,
    scripted_ldap,
    whole_pages,
)

PAGE = 6
SOON = 0.4
"""Seconds after which an answer that never comes is waited for no longer."""
REFERRAL, INVALID_CREDENTIALS, BUSY = 10, 49, 51
pytestmark = pytest.mark.usefixtures("store")


class Expected(NamedTuple):
    """How a sync before an outage ends."""

    code: int
    said: str
    first: bool = True
    """Whether it ends so on the very first sync too: there the guard has nothing to guard."""


@pytest.fixture
def outage(store: peewee.Database) -> Outage:
    return Outage(store)


def all_said(error: UserError) -> str:
    """Return all that a user reads of an error."""
    return "\n".join([str(error), error.hint, *map(str, error.problems)])


def everybody_is_as_before() -> bool:
    here = Party.select().where(Party.departed_at.is_null(), Party.source == "corp").count()
    return (here, Assignment.select().where(Assignment.role == 1).count()) == (COUNT, COUNT)


# --- servers -------------------------------------------------------------------------------------

Change = Callable[[Search, list[Any]], Answer]


def broken(right: Script, change: Change, page: int | None = None) -> Script:
    """Return a server that is all right but for what ``change`` makes of a page of people, or of
    each page and of each answer to DirSync."""

    def answer(search: Search) -> Answer:
        parts = list(right(search))
        struck = search.number == page if search.page_size and page is not None else True
        asks_people = bool(search.page_size) or (page is None and DIRSYNC in search.controls)
        return change(search, parts) if struck and asks_people else parts

    return answer


def ended(code: int) -> Change:
    return lambda search, parts: [*parts[:3], done(search, code, None)]


def never_ending(right: Script) -> Script:
    """The cookie is ignored: the first page again and again, until nobody asks any more."""

    def answer(search: Search) -> Answer:
        if not search.page_size:
            return right(search)
        following = b"6" if search.number < 40 else b""
        return [*right(replace(search, cookie=b""))[:PAGE], done(search, cookie=following)]

    return answer


CHANGES: dict[str, tuple[Change, int | None, str]] = {
    "size-limit": (ended(SIZE_LIMIT), 1, "sizeLimitExceeded"),
    "time-limit": (ended(TIME_LIMIT), 1, "timeLimitExceeded"),
    "admin-limit": (ended(ADMIN_LIMIT), 1, "adminLimitExceeded"),
    "cut": (lambda search, parts: [*parts[:4], CUT], 1, "the connection was cut"),
    "cut-at-once": (lambda search, parts: [CUT], None, "the connection was cut"),
    "no-control": (
        lambda search, parts: [*parts[:-1], done(search, cookie=None)],
        1,
        "left out the paging control",
    ),
    "referred": (lambda search, parts: [done(search, REFERRAL, None)], 0, "referral"),
    "mute": (lambda search, parts: [*parts[:2], MUTE], 1, "it took longer than"),
    "garbage": (lambda search, parts: [*parts[:2], GARBAGE["random"], CUT], 1, "gave .* not all"),
    "empty": (lambda search, parts: [done(search)], 0, "has no entry under base and filter"),
}
"""What becomes of the answer, at which page, and what is said of it."""

SERVER_SHAPES: dict[str, Expected] = {
    **{name: Expected(EXIT_REFUSED, said) for name, (_, _, said) in CHANGES.items()},
    "cookie-ignored": Expected(EXIT_REFUSED, "twice"),
    "unreachable": Expected(EXIT_TRY_AGAIN, "could be reached, secured and bound"),
    "bind-refused": Expected(EXIT_TRY_AGAIN, "the bind as .* was refused: invalidCredentials"),
    "half": Expected(EXIT_REFUSED, "12 of 24 people would leave", first=False),
    "hollow": Expected(EXIT_REFUSED, "24 of 24 numbers would be lost", first=False),
}


class Server:
    """A server of a kind that can be broken and mended."""

    shapes = SERVER_SHAPES

    def __init__(self, scripted: ScriptedServer) -> None:
        self.scripted = scripted
        self.settings = directory_settings(
            servers=(scripted.url,), page_size=PAGE, connect_timeout=1, **self.options()
        )
        self.mend()

    def options(self) -> dict[str, Any]:
        return {}

    def answers(self, count: int = COUNT, *, hollow: bool = False) -> Script:
        """Return a server that is all right, with so many people; hollow ones have only an id."""
        return whole_pages(
            [
                (entry_dn, {"entryUUID": values["entryUUID"]} if hollow else values)
                for entry_dn, values in EVERYBODY[:count]
            ]
        )

    def source(self) -> DirectorySource:
        return LdapSource(self.settings)

    def mend(self) -> None:
        self.scripted.script, self.scripted.bind_code = self.answers(), SUCCESS
        self.settings = replace(self.settings, servers=(self.scripted.url,), timeout=60)

    def strike(self, shape: str) -> None:
        right = self.scripted.script
        if shape in CHANGES:
            change, page, _ = CHANGES[shape]
            self.scripted.script = broken(right, change, page)
            if shape == "mute":
                self.settings = replace(self.settings, timeout=SOON)  # type: ignore[arg-type]
        elif shape == "cookie-ignored":
            self.scripted.script = never_ending(right)
        elif shape == "unreachable":
            self.settings = replace(self.settings, servers=(f"ldap://127.0.0.1:{free_port()}",))
        elif shape == "bind-refused":
            self.scripted.bind_code = INVALID_CREDENTIALS
        elif shape == "half":
            self.scripted.script = self.answers(COUNT // 2)
        elif shape == "hollow":
            self.scripted.script = self.answers(hollow=True)


class Controller(Server):
    """A domain controller, which can tell what changed."""

    def options(self) -> dict[str, Any]:
        return {
            "type": "active_directory",
            "base": scripted_ad.PEOPLE,
            "filter": "(objectClass=user)",
        }

    def controller(self, count: int = COUNT, *, hollow: bool = False) -> DomainController:
        made = DomainController()
        for number, (_, values) in enumerate(EVERYBODY[:count]):
            given = {
                name: [*map(str, held)] for name, held in values.items() if name != "entryUUID"
            }
            made.add(f"user{number:02}", **({} if hollow else given | {"cn": f"Person {number}"}))
        return made

    def answers(self, count: int = COUNT, *, hollow: bool = False) -> Script:
        return self.controller(count, hollow=hollow).answer

    def source(self) -> DirectorySource:
        return ActiveDirectorySource(self.settings)


# --- files ---------------------------------------------------------------------------------------


class TextFile:
    """A file of people in one of the formats."""

    header = ""
    records: tuple[str, ...] = ()
    hollow_records: tuple[str, ...] = ()
    renamed = ("telephoneNumber", "phone")
    shapes: ClassVar[dict[str, Expected]] = {}
    kind = ""
    opened: type[CsvSource | LdifSource]

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self._patch = monkeypatch
        self.settings: DirectorySettings = directory_settings(
            type=self.kind, file=path, id="entryUUID", base="", filter="(uid=*)"
        )
        self.mend()

    def source(self) -> DirectorySource:
        return self.opened(self.settings)

    def mend(self) -> None:
        if self.path.is_dir():
            self.path.rmdir()
        self._patch.undo()
        self.path.write_text(self.whole)

    @property
    def whole(self) -> str:
        return self.header + "".join(self.records)

    def strike(self, shape: str) -> None:
        path, whole = self.path, self.whole
        middle = len(self.header) + len("".join(self.records[: COUNT // 2]))
        if shape in ("missing", "directory"):
            path.unlink()
            if shape == "directory":
                path.mkdir()
        elif shape == "permission-denied":
            self._failing(PermissionError(13, "Permission denied"), opened=True)
        elif shape == "read-error":
            self._failing(OSError(5, "Input/output error"), opened=False)
        elif shape == "cut-while-read":
            self._cut_while_read(middle)
        elif shape == "utf-16":
            path.write_text(whole, encoding="utf-16")
        else:
            texts = {
                "empty": "",
                "header-only": self.header,
                "cut-in-a-record": whole[: middle + 10],
                "cut-in-the-header": self.header[:-4],
                "zeros-at-the-end": whole[:middle] + "\0" * 300,
                "zeros-in-a-record": whole[: middle + 9] + "\0\0\0" + whole[middle + 12 :],
                "renamed": whole.replace(*self.renamed),
                "half": whole[:middle],
                "first-half-twice": whole[:middle] + "".join(self.records[: COUNT // 2]),
                "hollow": self.header + "".join(self.hollow_records),
                "another-format": "PK\x03\x04" + "\x00\x01binary\n" * 20,
            }
            path.write_text(texts[shape])

    def _failing(self, error: OSError, *, opened: bool) -> None:
        stock = Path.open

        def open_(path: Path, *mode: Any, **options: Any) -> Any:
            if path != self.path:
                return stock(path, *mode, **options)
            if opened:
                raise error
            return io.BufferedReader(_Failing(path, error))

        self._patch.setattr(Path, "open", open_)

    def _cut_while_read(self, size: int) -> None:
        """Have somebody write the file anew just when it was opened: the end is not there yet."""
        stock = Path.open

        def open_(path: Path, *mode: Any, **options: Any) -> Any:
            if path == self.path and mode == ("rb",):
                path.write_text(self.whole)
                return io.BufferedReader(_Shrinking(path, size))
            return stock(path, *mode, **options)

        self._patch.setattr(Path, "open", open_)


class _Failing(io.FileIO):
    """Gives a hundred bytes, and then an error."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(path)
        self._error = error

    def readinto(self, buffer: Any) -> int:
        if self.tell() >= 100:
            raise self._error
        return super().readinto(memoryview(buffer)[:100])


class _Shrinking(io.FileIO):
    """Is cut to a size by somebody else as soon as something of it was read."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__(path)
        self._path, self._size = path, size

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(memoryview(buffer)[:64])
        if self._path.stat().st_size > self._size:
            os.truncate(self._path, self._size)
        return count


FILE_SHAPES: dict[str, Expected] = {
    "missing": Expected(EXIT_BAD_CONFIGURATION, "cannot be read: No such file"),
    "directory": Expected(EXIT_BAD_CONFIGURATION, "cannot be read: Is a directory"),
    "permission-denied": Expected(EXIT_BAD_CONFIGURATION, "cannot be read: Permission denied"),
    "read-error": Expected(EXIT_REFUSED, "Input/output error"),
    "cut-while-read": Expected(EXIT_REFUSED, "was written while it was read"),
    "zeros-at-the-end": Expected(EXIT_REFUSED, "did not answer completely"),
    "zeros-in-a-record": Expected(EXIT_REFUSED, "did not answer completely"),
    "utf-16": Expected(EXIT_REFUSED, "did not answer completely"),
    "another-format": Expected(EXIT_REFUSED, "did not answer completely"),
    "cut-in-a-record": Expected(EXIT_REFUSED, "did not answer completely"),
    "half": Expected(EXIT_REFUSED, "12 of 24 people would leave", first=False),
    "first-half-twice": Expected(EXIT_REFUSED, "12 of 24 people would leave", first=False),
    "hollow": Expected(EXIT_REFUSED, "24 of 24 numbers would be lost", first=False),
}
COLUMNS = ("entryUUID", "uid", "cn", "telephoneNumber", "departmentNumber")
OTHERS = ("mail", "facsimileTelephoneNumber", "pager", "homePhone", "l", "employeeType", "title")
OTHERS += ("description", "carLicense")


class Csv(TextFile):
    kind, opened = "csv", CsvSource
    header = ",".join((*COLUMNS, *OTHERS)) + "\n"
    records = tuple(
        ",".join(str(values[name][0]) for name in COLUMNS) + "," * 9 + "\n"
        for _, values in EVERYBODY
    )
    hollow_records = tuple(
        f"{values['entryUUID'][0]},{values['uid'][0]}" + "," * 12 + "\n" for _, values in EVERYBODY
    )
    shapes = FILE_SHAPES | {
        "empty": Expected(EXIT_REFUSED, "the file is empty"),
        "header-only": Expected(EXIT_REFUSED, "nothing after the header"),
        "cut-in-the-header": Expected(EXIT_REFUSED, "there is no column carlicense"),
        "renamed": Expected(EXIT_REFUSED, "there is no column telephonenumber"),
    }


class Ldif(TextFile):
    kind, opened = "ldif", LdifSource
    header = "version: 1\n\n"
    records = tuple(
        f"dn: {entry_dn}\n"
        + "".join(f"{name}: {held[0]!s}\n" for name, held in values.items())
        + "\n"
        for entry_dn, values in EVERYBODY
    )
    hollow_records = tuple(
        f"dn: {entry_dn}\nentryUUID: {values['entryUUID'][0]!s}\nuid: {values['uid'][0]!s}\n\n"
        for entry_dn, values in EVERYBODY
    )
    shapes = FILE_SHAPES | {
        "empty": Expected(EXIT_REFUSED, "has no entry"),
        "header-only": Expected(EXIT_REFUSED, "has no entry"),
        "renamed": Expected(EXIT_REFUSED, "24 of 24 numbers would be lost", first=False),
    }


# --- the matrix ----------------------------------------------------------------------------------

KINDS: dict[str, Any] = {"ldap": Server, "active_directory": Controller, "ldif": Ldif, "csv": Csv}
MATRIX = [(kind, shape) for kind, place in KINDS.items() for shape in place.shapes]


@pytest.fixture
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    made = KINDS[request.param]
    if issubclass(made, TextFile):
        yield made(tmp_path / f"people.{made.kind}", monkeypatch)
        return
    with scripted_ldap(whole_pages(EVERYBODY)) as scripted:
        yield made(scripted)


def test_the_matrix_is_whole() -> None:
    assert all(len(place.shapes) >= 12 for place in KINDS.values())


@pytest.mark.parametrize(
    ("place", "shape"),
    [(kind, shape) for kind, shape in MATRIX if KINDS[kind].shapes[shape].first],
    indirect=["place"],
)
def test_before_anybody_was_read(outage: Outage, place: Any, shape: str) -> None:
    expected = place.shapes[shape]
    place.strike(shape)
    error = outage.refused(place.settings, place.source, (expected.code,))
    assert_says(error, expected)
    assert Party.select().where(Party.source == "corp").count() == 0
    place.mend()
    assert outage.sync(place.settings, place.source()).arrived == COUNT


@pytest.mark.parametrize(("place", "shape"), MATRIX, indirect=["place"])
def test_after_everybody_was_read(outage: Outage, place: Any, shape: str) -> None:
    expected = place.shapes[shape]
    assert outage.sync(place.settings, place.source()).arrived == COUNT
    place.strike(shape)
    error = outage.refused(place.settings, place.source, (expected.code,))
    assert_says(error, expected)
    assert everybody_is_as_before()
    place.mend()
    assert outage.sync(place.settings, place.source()).outcome == "unchanged"


def assert_says(error: UserError, expected: Expected) -> None:
    said = all_said(error)
    assert re.search(expected.said, said), said
    assert "corp" in said
    assert expected.code == EXIT_BAD_CONFIGURATION or "nothing was changed" in said


# --- what changed, of a domain controller --------------------------------------------------------


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    with scripted_ldap(whole_pages(EVERYBODY)) as server:
        yield server


class Followed:
    """A domain controller after a first sync, by DirSync or, without that right, by numbers."""

    def __init__(self, scripted: ScriptedServer, outage: Outage, *, dirsync: bool) -> None:
        self.place = Controller(scripted)
        self.scripted, self.outage = scripted, outage
        self.domain = self.place.controller()
        self.domain.refused = frozenset() if dirsync else frozenset(FLAGS)
        scripted.script = self.domain.answer
        self.sync(Shortcut.NEVER)
        self.people = list(self.domain.objects)[1:]  # the first is their unit

    def sync(self, shortcut: Shortcut = Shortcut.ALLOWED, **how: Any) -> Any:
        return self.outage.sync(self.place.settings, self.place.source(), shortcut=shortcut, **how)

    def strike(self, change: Change, *, everywhere: bool) -> None:
        """Break what tells of changes, or that and all else that is asked about people."""
        right = self.domain.answer

        def answer(search: Search) -> Answer:
            parts = list(right(search))
            tells = {DIRSYNC, SHOW_DELETED} & search.controls.keys()
            return change(search, parts) if tells or (everywhere and search.page_size) else parts

        self.scripted.script = answer


@pytest.fixture(params=["dirsync", "numbers"])
def followed(request: pytest.FixtureRequest, scripted: ScriptedServer, outage: Outage) -> Followed:
    return Followed(scripted, outage, dirsync=request.param == "dirsync")


STRIKES: dict[str, Change] = {
    name: change for name, (change, _, _) in CHANGES.items() if name not in ("empty", "mute")
}
STRIKES |= {
    "busy": lambda search, parts: [done(search, BUSY, None)],
    "cookie-unknown": lambda search, parts: [done(search, STALE_COOKIE, None)],
    "no-cookie": lambda search, parts: [
        *parts[:-1],
        done(search, control=(DIRSYNC, ber(0x30, integer(0), integer(0), octets("")))),
    ],
}
ENDING = ("cut", "cut-at-once", "garbage")
"""What ends the connection, however the question goes on."""
NOT_BY_NUMBER = ("no-control", "no-cookie")
"""Without a control there is none to leave out."""
ASKED = [
    (way, shape)
    for way in ("dirsync", "numbers")
    for shape in STRIKES
    if way == "dirsync" or shape not in NOT_BY_NUMBER
]


def test_changes_that_come_in_parts(followed: Followed) -> None:
    """More rows than one answer holds, and only what changed of each."""
    for number, guid in enumerate(followed.people[:12]):
        followed.domain.modify(guid, departmentNumber=f"Team {number}")
    followed.domain.modify(followed.people[20], departmentNumber=None)
    followed.domain.rename(followed.people[21], "Maria")
    new = followed.domain.add("new", uid="new", telephoneNumber="2099")
    outcome = followed.sync()
    assert (outcome.incremental, outcome.arrived, outcome.departed) == (True, 1, 0)
    assert outcome.changed == 14
    party = Party.get(Party.external_id == str(new))
    assert party.first_extension == "2099"
    assert Party.get(Party.external_id == str(followed.people[20])).department == ""
    assert followed.sync().outcome == "unchanged"
    assert followed.sync(Shortcut.NEVER).outcome == "unchanged"


@pytest.mark.parametrize(
    ("followed", "shape"),
    [(way, shape) for way, shape in ASKED if shape not in ENDING],
    indirect=["followed"],
)
def test_where_changes_are_not_told_everything_is_read(followed: Followed, shape: str) -> None:
    followed.domain.modify(followed.people[3], departmentNumber="IT")
    followed.strike(STRIKES[shape], everywhere=False)
    outcome = followed.sync()
    assert (outcome.incremental, outcome.changed, outcome.departed) == (False, 1, 0)
    assert outcome.why_full
    assert everybody_is_as_before()


@pytest.mark.parametrize(("followed", "shape"), ASKED, indirect=["followed"])
def test_where_nothing_is_told_nothing_is_changed(followed: Followed, shape: str) -> None:
    followed.domain.modify(followed.people[3], departmentNumber="IT")
    followed.domain.delete(followed.people[4])
    followed.strike(STRIKES[shape], everywhere=True)
    settings, source = followed.place.settings, followed.place.source
    followed.outage.refused(settings, source, (EXIT_REFUSED,), shortcut=Shortcut.ALLOWED)
    assert everybody_is_as_before()
    followed.scripted.script = followed.domain.answer
    outcome = followed.sync(Shortcut.NEVER)
    assert (outcome.departed, outcome.changed) == (1, 1)


def test_an_answer_that_tells_nothing_is_no_departure(followed: Followed) -> None:
    """Successful and empty: nobody is gone, for nobody was named."""
    followed.strike(lambda search, parts: [parts[-1]], everywhere=False)
    assert followed.sync().outcome == "unchanged"
    assert everybody_is_as_before()


def test_tombstones_of_half_a_company_are_for_the_guard(followed: Followed) -> None:
    for guid in followed.people[:12]:
        followed.domain.delete(guid)
    error = followed.outage.refused(
        followed.place.settings,
        followed.place.source,
        (EXIT_REFUSED,),
        shortcut=Shortcut.ALLOWED,
    )
    assert "12 of 24 people would leave" in all_said(error)
    assert followed.sync(accept_departures=12).departed == 12


@pytest.mark.parametrize("followed", ["numbers"], indirect=True)
def test_a_restored_database_is_read_anew(followed: Followed) -> None:
    """Its numbers count from elsewhere: what it says since a number would be anything. The cookie
    of DirSync names the database by itself."""
    followed.domain.invocation = UUID(int=8)
    followed.domain.modify(followed.people[3], departmentNumber="IT")
    outcome = followed.sync()
    assert "is not what it was" in outcome.why_full
    assert (outcome.incremental, outcome.changed, outcome.departed) == (False, 1, 0)


# --- another encoding ----------------------------------------------------------------------------


def test_ids_in_another_encoding_are_nobodys(outage: Outage, tmp_path: Path) -> None:
    """A file that was UTF-8 and is Latin-1: who is known by an umlaut is not gone."""
    path = tmp_path / "people.csv"
    mapping = {"username": "login", "first_extension": "ext", "bill_first_extension": "yes"}
    settings = directory_settings(type="csv", file=path, id="login", filter="", mapping=mapping)
    rows = [f"{name},{2000 + number}" for number, name in enumerate(("jürgen", "anna", "bert"))]
    text = "\n".join(["login,ext", *rows, *(f"u{n},21{n:02}" for n in range(20))])
    path.write_text(text)
    assert outage.sync(settings, CsvSource(settings)).arrived == 23
    path.write_bytes(text.encode("latin-1"))
    outcome = outage.sync(settings, CsvSource(settings))
    assert (outcome.departed, outcome.arrived, outcome.changed) == (0, 0, 0)
    assert any("nobody is taken to have left" in str(one) for one in outcome.warnings)
    path.write_text(text)
    assert outage.sync(settings, CsvSource(settings)).outcome == "unchanged"
