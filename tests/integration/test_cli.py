"""The command line: common options, exit codes, the reading verbs and the database's verbs."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from syncd.cli import main as frame
from syncd.cli.context import Context
from syncd.cli.main import build_parser, main
from syncd.domain.errors import RefusedError, TryAgainError, UserError
from syncd.settings.load import load
from syncd.store import migrations, models
from syncd.store.backup import back_up
from syncd.store.database import open_database
from syncd.store.locks import hold
from syncd.store.rollups import ensure_zone
from tests.generated_company import ROME, Company
from tests.support.stores import connect

INI = """
[syncd]
state_directory = state
timezone = Europe/Rome
currency = EUR

[custom-fields]
custom1 = Project
"""


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Ran]


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    path = tmp_path / "syncd.ini"
    path.write_text(INI, encoding="utf-8")
    return path


@pytest.fixture
def syncd(ini: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str, config: bool = True) -> Ran:
        code = main([*(("--config", str(ini)) if config else ()), *arguments])
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def company(ini: Path) -> Company:
    settings = load(ini)
    database = open_database(settings.database_url, settings.state_directory)
    company = Company(seed=11, people=8, conversations=30)
    ensure_zone(ROME)
    database.close()
    return company


@contextlib.contextmanager
def opened(ini: Path) -> Iterator[None]:
    settings = load(ini)
    database = open_database(settings.database_url, settings.state_directory)
    yield
    database.close()


PERIOD = ("--from", "2026-01-01", "--to", "2026-05-01")


# --- the frame -----------------------------------------------------------------------------------


def test_help_imports_nothing_but_the_standard_library() -> None:
    program = (
        "import sys; from syncd.cli.main import main; code = main(['--help']);"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "report" in ran.stdout
    modules = set(json.loads(ran.stderr.replace("'", '"')))
    assert not modules & {"peewee", "rich", "ldap3", "apscheduler", "structlog", "phonenumbers"}
    assert "syncd" in modules


def test_every_verb_is_there_and_says_what_it_does() -> None:
    text = build_parser(complete=True).format_help()
    listed = {line.split()[0] for line in text.splitlines() if line.startswith("    ")}
    for verb in frame.VERBS:
        assert (verb.name in listed) == frame.available(verb)
    assert {verb.name for verb in frame.VERBS if frame.available(verb)} > {"report", "db", "run"}


def test_common_options_stand_before_or_after_the_verb(syncd: Command, ini: Path) -> None:
    config = ("--config", str(ini))
    for arguments in (
        (*config, "--json", "db", "status"),
        ("db", "status", *config, "--json"),
        ("db", *config, "--json", "status"),
        ("--json", "db", "status", *config),
    ):
        ran = syncd(*arguments, config=False)
        assert (ran.code, ran.json["calls"]) == (0, 0)


def test_usage_is_told(syncd: Command) -> None:
    assert syncd("nonsense").code == 2
    assert syncd("report", "calls", "--limit", "x").code == 2
    assert syncd("report", "calls", "--limit", "-1").code == 2
    nothing = syncd()
    assert nothing.code == 2
    assert "usage: syncd" in nothing.err


def test_the_version_is_told(syncd: Command) -> None:
    assert syncd("--version").out.startswith("syncd ")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (UserError("this went wrong", "do that"), 1, "syncd: this went wrong (do that)\n"),
        (TryAgainError("not now"), 75, "syncd: not now\n"),
        (RefusedError("no"), 4, "syncd: no\n"),
        (KeyboardInterrupt(), 130, ""),
        (OSError(28, "No space left on device", "x"), 1, "No space left on device"),
    ],
)
def test_errors_become_exit_codes_without_a_traceback(
    syncd: Command, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, told: str
) -> None:
    def fail(*_: Any) -> int:
        raise error

    monkeypatch.setattr("syncd.cli.db.run", fail)
    ran = syncd("db")
    assert (ran.code, ran.out) == (code, "")
    assert told in ran.err
    assert "Traceback" not in ran.err


def test_a_mistake_of_ours_keeps_its_traceback(
    syncd: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncd.cli.db.run", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        syncd("db")


def test_a_locked_database_is_for_later(syncd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> int:
        import peewee

        raise peewee.OperationalError("database is locked")

    monkeypatch.setattr("syncd.cli.db.run", fail)
    assert syncd("db").code == 75


def test_a_reader_that_goes_away_is_no_error(company: Company, ini: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as out:
        ran = subprocess.run(
            [sys.executable, "-m", "syncd", "--config", ini, "report", "calls", *PERIOD],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert ran.returncode == 141
    assert "Traceback" not in ran.stderr
    assert "BrokenPipe" not in ran.stderr


def test_no_configuration_is_told(syncd: Command, tmp_path: Path) -> None:
    ran = syncd("--config", str(tmp_path / "none.ini"), "report", "calls", config=False)
    assert (ran.code, ran.out) == (78, "")
    assert "none.ini" in ran.err


def test_completion_knows_the_verbs(syncd: Command) -> None:
    ran = syncd("completion", "bash", config=False)
    assert ran.code == 0
    assert "by" in ran.out
    assert "--group-by" in ran.out


# --- reading -------------------------------------------------------------------------------------


def test_a_report_in_its_three_forms(syncd: Command, company: Company) -> None:
    whole = syncd("report", "by-department", *PERIOD, "--format", "json").json
    assert whole["totals"]["calls"] == sum(r.counted for r in company.rows)
    table = syncd("report", "by-department", *PERIOD)
    assert table.code == 0
    assert table.out.splitlines()[0].startswith("Department")
    assert "unassigned" in table.out
    assert table.out.splitlines()[-1].startswith("Total")
    assert "level 10" in table.err
    text = syncd("report", "by-department", *PERIOD, "--format", "csv").out
    assert text.splitlines()[0] == "department,calls,answered,missed,unanswered,duration,cost"
    assert len(text.splitlines()) == len(whole["rows"]) + 1


def test_each_level_gets_its_own(syncd: Command, company: Company) -> None:
    seen = {}
    for person in company.people:
        level, name = person.fields["permission_level"], person.fields["username"]
        ran = syncd("report", "calls", *PERIOD, "--as", name, "--json")
        if level == 0:
            assert (ran.code, ran.out) == (1, "")
            assert ran.err == f"syncd: No billing data is available to {name}.\n"
            continue
        assert (ran.json["viewer"], ran.json["level"]) == (name, level)
        seen.setdefault(level, len(ran.json["rows"]))
        own = [row for row in company.rows if row.party == person.id]
        assert len(ran.json["rows"]) >= len(own)
    assert seen[2] < seen[8] == seen[10] == len(company.rows)


def test_reports_are_listed(syncd: Command) -> None:
    names = [row["report"] for row in syncd("report", "--json").json]
    assert {"calls", "by-person", "by-destination", "by-custom1"} <= set(names)


def test_admins_lists_are_for_level_ten(syncd: Command, company: Company) -> None:
    for person in company.people:
        level, name = person.fields["permission_level"], person.fields["username"]
        for verb in ("files", "rejects", "unknown", "licence"):
            needed = 8 if verb == "licence" else 10
            ran = syncd(verb, "--as", name, "--json")
            assert ran.code == (0 if level >= needed else 1)
            assert bool(ran.out) == (level >= needed)


def test_files_rejects_and_unknown_are_arrays(
    syncd: Command, company: Company, ini: Path, tmp_path: Path
) -> None:
    with opened(ini):
        file = models.File.get()
        models.Reject.create(file=file, line=3, reason="too short", raw=b"a,\xff", retryable=True)
        models.UnknownNumber.create(
            site="hq", partition="P", number="2999", first_seen=0, last_seen=60, records=2
        )
        models.UnknownTrunk.create(pbx_id=1, device="S0/SU1", first_seen=0, last_seen=60, records=1)
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "cdr_2").write_bytes(b"x")
    with ini.open("a", encoding="utf-8") as stream:
        stream.write(
            "[site:hq]\ncountry = IT\narea_code = 06\naccess_code = 0\n"
            "internal_numbers = 2XXX\n"
            "[cdr:hq]\ndriver = cucm\nfolder = drop\nsite = hq\nfiles = cdr_*\n"
        )
    waiting, taken = syncd("files", "--json").json
    assert (waiting["name"], waiting["state"], waiting["read"]) == ("cdr_2", "waiting", 0)
    assert (taken["name"], taken["state"], taken["source"]) == ("cdr_1", "done", "hq")
    assert taken["read"] == taken["stored"] > 0
    assert taken["calls"] == len(company.rows)
    assert syncd("files", "--state", "failed", "--json").json == []
    assert syncd("files", "--state", "waiting", "--json").json == [waiting]
    assert syncd("files", "--source", "hq", "--json").json == [waiting, taken]
    other = syncd("files", "--source", "berlin")
    assert (other.code, "there are: hq" in other.err) == (2, True)
    with opened(ini):
        older = models.File.get(models.File.name == "cdr_1").__data__ | {
            "name": "cdr_0",
            "taken_at": 0,
            "sha256": "0",
        }
        del older["id"]
        models.File.create(**older)
    newest = syncd("files", "--limit", "1")
    assert "cdr_1" in newest.out
    assert "cdr_0" not in newest.out
    assert "1 older files are not shown" in newest.err
    assert len(syncd("files", "--limit", "0", "--json").json) == 3
    (reject,) = syncd("rejects", "--json").json
    assert (reject["file"], reject["line"], reject["raw"]) == ("cdr_1", 3, "a,\\xff")
    number, trunk = syncd("unknown", "--json").json
    assert (number["line_id"], number["records"]) == ("P.2999", 2)
    assert (trunk["device"], trunk["pbx"], trunk["last_seen"]) == (
        "S0/SU1",
        "hq",
        "1970-01-01T01:01:00+01:00",
    )
    for verb in ("files", "rejects", "unknown", "licence"):
        assert syncd(verb).code == 0


# --- the database --------------------------------------------------------------------------------

BREAKAGES = {
    "UPDATE file SET stored = stored + 1": "rows were read, but",
    "UPDATE file SET calls = calls + 1": "the ledger says calls",
    "DELETE FROM record WHERE id = 1": "which is not there",
    "UPDATE call SET line_id = 999 WHERE id = (SELECT MIN(id) FROM call)": "name line 999",
    "UPDATE call SET org_id = 999 WHERE id = (SELECT MIN(id) FROM call)": "name org 999",
    "UPDATE call SET party_id = 999 WHERE id = (SELECT MIN(id) FROM call)": "name party 999",
    "UPDATE call SET counted = 0, outcome = 0": "has 0 counted rows",
    "UPDATE call SET counted = 1, outcome = 1": "counted rows",
    "UPDATE call SET outcome = 0": "has outcome 0 and counts 1",
    "UPDATE call SET counted = 1 - counted, outcome = 1 - counted WHERE line_id IN"
    " (SELECT line_id FROM call GROUP BY conversation, line_id HAVING COUNT(*) = 2)": "first row",
    "UPDATE call SET cost = NULL WHERE state = 1": "is in state 1 with cost None",
    "UPDATE call SET cost = 5 WHERE state = 0": "is in state 0 with cost 5",
    "UPDATE call SET reason = '' WHERE state = 2": "is in state 2",
    "UPDATE call SET leg = 7, conversation = 1, rate_id = id % 2 WHERE state = 1": "by 2 rates",
    "UPDATE call SET leg = 7, state = 1, cost = 0": "pays leg 7",
    "UPDATE call SET started_at = started_at + 1": "does not agree with record",
    "UPDATE record SET outcome = 2": "the ledger says stored",
    "DELETE FROM dirty_day": "no mark that they are due",
    "INSERT INTO reject (file_id, line, reason, raw, retryable) VALUES (1, 1, '', '', FALSE)": (
        "1 rejects are kept"
    ),
    "UPDATE profile SET org_id = 999 WHERE id = 2": "names a org that is not there",
}


DANGLING = pytest.mark.sqlite("PostgreSQL itself lets no foreign key dangle")


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(statement, marks=[DANGLING] if "profile" in statement else [])
        for statement in BREAKAGES
    ],
)
def test_verify_finds_what_is_wrong(
    syncd: Command, company: Company, ini: Path, statement: str
) -> None:
    assert syncd("db", "verify").code == 0
    with connect(ini.parent / "state" / "syncd.db") as connection:
        assert connection.execute(statement).rowcount > 0
    ran = syncd("db", "verify", "--json")
    assert ran.code == 1
    assert any(BREAKAGES[statement] in text for text in ran.json)


@pytest.mark.sqlite("a backup is a file; tests/postgresql has those of a server")
def test_a_backup_comes_back(
    syncd: Command,
    company: Company,
    ini: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Two restores within one second.
    monkeypatch.setattr(Context, "now", lambda self: 1780000000)
    backup = tmp_path / "backup.db"
    assert syncd("db", "backup", str(backup)).code == 0
    assert [path.name for path in tmp_path.glob("*backup*")] == ["backup.db"]
    with contextlib.closing(sqlite3.connect(ini.parent / "state" / "syncd.db")) as connection:
        connection.execute("DELETE FROM call")
        connection.commit()
    assert syncd("report", "calls", *PERIOD, "--json").json["rows"] == []
    ran = syncd("db", "restore", "--yes", str(backup))
    assert ran.code == 0, ran.err
    assert len(syncd("report", "calls", *PERIOD, "--json").json["rows"]) == len(company.rows)
    assert syncd("db", "verify").code == 0
    (kept,) = (ini.parent / "state").glob("syncd.db.before-*Z")
    with contextlib.closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM call").fetchone() == (0,)
    assert not list((ini.parent / "state").glob("*.partial*"))
    assert syncd("db", "restore", "--yes", str(kept)).code == 0
    assert kept.with_name(f"{kept.name}-2").is_file()
    assert syncd("report", "calls", *PERIOD, "--json").json["rows"] == []


@pytest.mark.sqlite("a backup is a file; tests/postgresql has those of a server")
def test_a_backup_is_taken_while_others_write(
    syncd: Command, company: Company, ini: Path, tmp_path: Path
) -> None:
    with contextlib.closing(sqlite3.connect(ini.parent / "state" / "syncd.db")) as writer:
        writer.execute("INSERT INTO meta VALUES ('committed', '1')")
        writer.commit()
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO meta VALUES ('open', '1')")
        with contextlib.closing(
            open_database(f"sqlite:///{ini.parent / 'state' / 'syncd.db'}", tmp_path)
        ) as database:
            back_up(database, tmp_path / "b.db")
        writer.rollback()
    with contextlib.closing(sqlite3.connect(tmp_path / "b.db")) as connection:
        keys = {row[0] for row in connection.execute("SELECT key FROM meta")}
    assert keys == {"committed", "timezone"}


def test_nothing_is_overwritten_by_a_backup(
    syncd: Command, company: Company, tmp_path: Path
) -> None:
    (tmp_path / "b.db").write_text("precious")
    ran = syncd("db", "backup", str(tmp_path / "b.db"))
    assert (ran.code, (tmp_path / "b.db").read_text()) == (1, "precious")
    assert syncd("db", "backup", str(tmp_path / "nowhere" / "b.db")).code == 1


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
    path.write_bytes(content)


def newer(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2030-01-01')"
        )
        connection.commit()


def another(path: Path) -> None:
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE x (y)")


@pytest.mark.sqlite("a backup is a file; tests/postgresql has those of a server")
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (damaged, "b.db is"),
        (newer, "written by a newer syncd: it has 9999_later"),
        (another, "is not a database of syncd"),
        (lambda path: path.write_text("no database at all" * 99), "is not a sound database"),
        (lambda path: path.unlink(), "is not a file"),
    ],
)
def test_a_backup_that_is_none_is_refused(
    syncd: Command, company: Company, ini: Path, tmp_path: Path, spoil: Any, told: str
) -> None:
    assert syncd("db", "backup", str(tmp_path / "b.db")).code == 0
    spoil(tmp_path / "b.db")
    before = sorted(path.name for path in (ini.parent / "state").iterdir())
    ran = syncd("db", "restore", "--yes", str(tmp_path / "b.db"))
    assert ran.code == 1
    assert told in ran.err
    assert sorted(path.name for path in (ini.parent / "state").iterdir()) == before
    assert syncd("db", "verify").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "calls", "--filter", "department=\udcff"),
        ("report", "calls", "--as", "\udcff"),
        ("report", "\udcff"),
        ("explain", "\udcff"),
        ("person", "show", "\udcff"),
        ("person", "show", f"#{10**20}"),
        ("rejects", "show", f"{10**20}"),
        ("sync", "--run", f"{10**20}"),
    ],
    ids=ascii,
)
def test_an_argument_that_no_database_can_hold_is_a_mistake(
    syncd: Command, company: Company, arguments: tuple[str, ...]
) -> None:
    ran = syncd(*arguments)
    assert ran.code in (1, 2)
    assert ran.err.startswith("syncd: ")
    assert not ran.out


def test_a_full_disk_behind_the_output_is_told_in_a_sentence(company: Company, ini: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "syncd", "--config", str(ini), "person", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert (ran.returncode, ran.stderr) == (1, b"syncd: No space left on device\n")


@pytest.mark.sqlite("a file can be damaged, a server says itself what it is")
def test_a_damaged_database_is_named_with_what_mends_it(
    syncd: Command, company: Company, ini: Path, tmp_path: Path
) -> None:
    assert syncd("db", "backup", str(tmp_path / "b.db")).code == 0
    for file in (ini.parent / "state").glob("syncd.db*"):
        file.unlink()
    (ini.parent / "state" / "syncd.db").write_bytes(b"no database at all" * 99)
    for verb in ("files", "db", "ingest", "run"):
        ran = syncd(verb)
        assert ran.code == 1, "to try again would not help"
        assert "syncd.db cannot be used: file is not a database" in ran.err
        assert "syncd db restore" in ran.err
    assert syncd("db", "restore", "--yes", str(tmp_path / "b.db")).code == 0
    assert syncd("db", "verify").code == 0


@pytest.mark.parametrize("below", ["file", "file/state"])
def test_a_state_directory_that_cannot_be_is_a_mistake_of_its_option(
    syncd: Command, ini: Path, below: str
) -> None:
    (ini.parent / "file").touch()
    ini.write_text(INI.replace("= state\n", f"= {below}\n"), encoding="utf-8")
    for verb in ("check-config", "files", "sync", "ingest", "run"):
        ran = syncd(verb)
        assert ran.code == 78, verb
        assert "syncd.ini:3: [syncd] state_directory: " in ran.err, verb
        assert "[Errno" not in ran.err


@pytest.mark.parametrize("lock", ["daemon", "intake-hq"])
def test_nothing_is_restored_under_a_running_daemon(
    syncd: Command, company: Company, ini: Path, tmp_path: Path, lock: str
) -> None:
    assert syncd("db", "backup", str(tmp_path / "b.db")).code == 0
    with hold(ini.parent / "state", lock, "syncd run"):
        ran = syncd("db", "restore", "--yes", str(tmp_path / "b.db"))
    assert ran.code == 75
    assert f"{lock} is held by process {os.getpid()} (syncd run)" in ran.err
    assert not list((ini.parent / "state").glob("syncd.db.before-*"))


def test_a_restore_asks_first(syncd: Command, company: Company, tmp_path: Path) -> None:
    assert syncd("db", "backup", str(tmp_path / "b.db")).code == 0
    ran = syncd("db", "restore", str(tmp_path / "b.db"))
    assert ran.code == 2
    assert "--yes" in ran.err


@pytest.mark.sqlite("a backup is a file; tests/postgresql has those of a server")
def test_a_database_that_was_lost_is_restored(
    syncd: Command, company: Company, ini: Path, tmp_path: Path
) -> None:
    assert syncd("db", "backup", str(tmp_path / "b.db")).code == 0
    for path in (ini.parent / "state").glob("syncd.db*"):
        path.write_bytes(b"garbage" * 1000)
    assert syncd("db", "restore", "--yes", str(tmp_path / "b.db")).code == 0
    assert syncd("db", "verify").code == 0


@pytest.mark.sqlite("a database of these tests on PostgreSQL has its tables when it is made")
def test_migrate_says_what_it_did(syncd: Command) -> None:
    applied = syncd("db", "migrate", "--json").json
    folder = Path(migrations.__file__).parent
    assert applied == sorted(path.stem for path in folder.glob("[0-9]*.py"))
    assert syncd("db", "migrate", "--json").json == []
