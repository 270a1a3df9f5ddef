from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syncd.domain.codes import NumberClass, TrunkRole
from syncd.domain.errors import ConfigurationError, Problem
from syncd.domain.rate import Rounding
from syncd.settings import model
from syncd.settings.load import find, load
from syncd.settings.schedule import Cron, Every
from syncd.settings.schema import BY_KIND
from syncd.settings.shown import shown

INI = r"""
[syncd]
state_directory = state            ; relative to this file, or absolute
timezone = Europe/Rome             ; days and months in reports
currency = EUR

[database]
url = sqlite:///syncd.db

[directory:corp]
type = ldap                        ; ldap | ldif
servers = ldap://127.0.0.1:1389    ; several, tried in order
tls = none
allow_plaintext_bind = yes
bind_dn = uid=syncd,dc=example,dc=com
bind_password_file = bind.secret
base = ou=people,dc=example,dc=com
filter = (objectClass=inetOrgPerson)
schedule = every 15 minutes        ; or a cron line
max_departures = 10%

[map:corp]
username = uid
first_extension = telephoneNumber =~ 100%-(\d+)\;x ; a note
department = departmentNumber
bill_first_extension = employeeType == staff
custom1 = carLicense

[custom-fields]
custom1 = Project

[site:hq]
country = IT
area_code = 06
access_code = 0
timezone = Europe/London
internal_numbers = 2XXX 3XXX 6XXX
rule.1 = +39892 premium
rule.2 = 1XX special

[trunk:pstn]
site = hq
devices = S0/SU* SIP-PSTN*
role = pstn
carrier = telco

[trunk:tie]
site = hq
devices = S0/SU*
role = tie
numbers = 8XXX

[carrier:telco]
tariff.2027 = tariffs/telco 2027.csv from 2027-01-01
tariff.2026 = tariffs/telco.csv from 2026-01-01 to 2027-01-01
rounding = half-up 4

[cdr:hq]
driver = cucm
folder = drop/hq
site = hq
schedule = 0 4 * * 7
settle = 10 seconds
excluded_numbers = 2900 29-01
attribution = user, number

[licensing]
slots = 250
automatic_acquisition = no

[reports]
level6_basis = cost_center

[report:by-person]
level = 8
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Give a function that writes an INI beside everything that ``INI`` names."""
    (tmp_path / "drop/hq").mkdir(parents=True)
    (tmp_path / "tariffs").mkdir()
    (tmp_path / "tariffs/telco.csv").touch()
    (tmp_path / "tariffs/telco 2027.csv").touch()
    secret = tmp_path / "bind.secret"
    secret.write_text("päss ; word\n", encoding="utf-8")
    secret.chmod(0o600)

    def write_ini(text: str) -> Path:
        path = tmp_path / "syncd.ini"
        path.write_text(text, encoding="utf-8")
        return path

    return write_ini


def changed(*pairs: tuple[str, str]) -> str:
    text = INI
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def problems(path: Path) -> list[Problem]:
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    assert caught.value.exit_code == 78
    return list(caught.value.problems)


def one_problem(path: Path) -> Problem:
    found = problems(path)
    assert len(found) == 1, found
    return found[0]


def line_of(text: str) -> int:
    return INI[: INI.index(text)].count("\n") + 1


def test_the_contract(write: Write, tmp_path: Path) -> None:
    settings = load(write(INI))
    assert settings.file == tmp_path / "syncd.ini"
    assert settings.state_directory == tmp_path / "state"
    assert settings.timezone == ZoneInfo("Europe/Rome")
    assert settings.currency == "EUR"
    assert settings.database_url == f"sqlite:///{tmp_path}/state/syncd.db"
    assert settings.database_file == tmp_path / "state/syncd.db"
    corp = settings.directories["corp"]
    assert (corp.name, corp.type, corp.tls) == ("corp", "ldap", "none")
    assert corp.servers == ("ldap://127.0.0.1:1389",)
    assert corp.allow_plaintext_bind is True
    assert corp.bind_dn == "uid=syncd,dc=example,dc=com"
    assert corp.bind_password_file == tmp_path / "bind.secret"
    assert corp.filter == "(objectClass=inetOrgPerson)"
    assert corp.schedule == Every(900)
    assert (corp.max_departures, str(corp.max_departures)) == (10, "10%")
    assert (corp.grace, corp.connect_timeout, corp.timeout) == (7 * 86400, 5, 300)
    assert corp.mapping == {
        "username": "uid",
        "first_extension": r"telephoneNumber =~ 100%-(\d+);x",
        "department": "departmentNumber",
        "bill_first_extension": "employeeType == staff",
        "custom1": "carLicense",
    }
    assert corp.mapping_lines["first_extension"] == line_of("first_extension")
    assert settings.custom_fields == {"custom1": "Project"}
    site = settings.sites["hq"]
    assert (site.country, site.area_code, site.access_code) == ("IT", "06", "0")
    assert (site.international_code, site.timezone) == ("", ZoneInfo("Europe/London"))
    assert site.internal_numbers == ("2XXX", "3XXX", "6XXX")
    assert site.number_rules == (
        ("1", "+39892", NumberClass.PREMIUM),
        ("2", "1XX", NumberClass.SPECIAL),
    )
    telco = settings.carriers["telco"]
    assert telco.rounding == Rounding("half-up", 4)
    assert telco.tariffs == (
        ("2026", tmp_path / "tariffs/telco.csv", date(2026, 1, 1), date(2027, 1, 1), "", ""),
        ("2027", tmp_path / "tariffs/telco 2027.csv", date(2027, 1, 1), None, "", ""),
    )
    hq = settings.cdr["hq"]
    assert (hq.driver, hq.folder, hq.site) == ("cucm", tmp_path / "drop/hq", "hq")
    assert isinstance(hq.schedule, Cron)
    assert (hq.settle, hq.hold, hq.pbx, hq.files) == (10, 86400, "hq", "*")
    assert hq.import_internal is True
    assert hq.excluded_numbers == ("2900", "2901")
    assert hq.attribution == ("user", "number")
    assert hq.archive == tmp_path / "state/archive/hq"
    assert settings.licensing == model.LicensingSettings(250, automatic_acquisition=False)
    assert settings.reports == model.ReportSettings("cost_center", {"by-person": 8})
    assert settings.warnings == ()


def test_narrow_trunks_come_first(write: Write) -> None:
    settings = load(write(INI))
    assert [trunk.name for trunk in settings.trunks] == ["tie", "pstn"]
    assert settings.trunks[0].role is TrunkRole.TIE
    assert settings.trunks[1].devices == ("S0/SU*", "SIP-PSTN*")


def test_defaults(write: Write, tmp_path: Path) -> None:
    settings = load(write("[syncd]\ntimezone = UTC\ncurrency = eur\n"))
    assert settings.currency == "EUR"
    assert settings.database_file == tmp_path / "state/syncd.db"
    assert settings.licensing == model.LicensingSettings(None, automatic_acquisition=False)
    assert settings.daemon.metrics == ("127.0.0.1", 9464)
    assert (settings.directories, settings.trunks, settings.cdr) == ({}, (), {})


@pytest.mark.parametrize(
    ("cls", "kind", "elsewhere"),
    [
        (
            model.DirectorySettings,
            "directory",
            {"mapping", "mapping_lines", "mapping_files", "bill", "groups"},
        ),
        (model.SiteSettings, "site", set()),
        (model.TrunkSettings, "trunk", set()),
        (model.CarrierSettings, "carrier", set()),
        (model.BandSettings, "bands", set()),
        (model.CdrSettings, "cdr", {"options"}),
        (model.LicensingSettings, "licensing", set()),
        (model.ReportSettings, "reports", {"levels", "saved"}),
        (model.DaemonSettings, "daemon", set()),
        (model.LoggingSettings, "logging", set()),
    ],
)
def test_options_are_the_attributes(cls: type, kind: str, elsewhere: set[str]) -> None:
    fields = {field.name for field in dataclasses.fields(cls)} - elsewhere - {"name"}
    assert {option.attribute or option.name for option in BY_KIND[kind].options} == fields


def test_values_have_the_types_of_the_attributes(write: Write) -> None:
    settings = load(write(INI))
    for value in (
        settings.directories["corp"],
        settings.sites["hq"],
        *settings.trunks,
        settings.carriers["telco"],
        settings.cdr["hq"],
        settings.daemon,
    ):
        hints = typing.get_type_hints(type(value))
        for name, hint in hints.items():
            kinds = [typing.get_origin(part) or part for part in typing.get_args(hint) or (hint,)]
            if typing.get_origin(hint) in (tuple, dict):
                kinds = [typing.get_origin(hint)]
            assert isinstance(getattr(value, name), tuple(kinds)), name


def test_every_problem_at_once(write: Write, tmp_path: Path) -> None:
    path = write(
        changed(
            ("timezone = Europe/Rome", "timezone = Europe/Roma"),
            ("currency = EUR", "currancy = EUR"),
            ("allow_plaintext_bind = yes", "allow_plaintext_bind = maybe"),
            ("max_departures = 10%", "max_departures = many"),
            ("username = uid", "usrname = uid"),
            ("[licensing]", "[licencing]"),
            ("carrier = telco", "carrier = telcom"),
            ("driver = cucm", "driver = cucm-partitions"),
            ("rounding = half-up 4", "rounding = half-up 9"),
            ("slots = 250", "slots = 250\nslots = 251"),
        )
    )
    found = [(p.line, p.option, p.hint) for p in problems(path)]
    assert (line_of("timezone = Europe/Rome"), "[syncd] timezone") == found[1][:2]
    assert found[1][2] == "did you mean Europe/Rome?"
    assert {(option, hint) for _, option, hint in found} == {
        ("[syncd] currency", "currency = EUR"),
        ("[syncd] timezone", "did you mean Europe/Rome?"),
        ("[syncd] currancy", "did you mean currency?"),
        ("[directory:corp] allow_plaintext_bind", ""),
        ("[directory:corp] max_departures", "a whole number from 0% to 100%"),
        ("[map:corp] usrname", "did you mean username?"),
        ("[licencing]", "did you mean [licensing]?"),
        ("[licencing] slots", "remove one"),
        ("[trunk:pstn] carrier", "did you mean telco?"),
        ("[cdr:hq] driver", "did you mean cucm-partition?"),
        ("[carrier:telco] rounding", "0 to 6, as in half-up 4"),
    }
    assert all(p.file == str(path) for p in problems(path))
    assert [line for line, _, _ in found] == sorted(line for line, _, _ in found)


@pytest.mark.parametrize(
    ("old", "new", "option", "what"),
    [
        ("state_directory = state ", "state_directory = ", "[syncd] state_directory", "no value"),
        ("url = sqlite:///syncd.db", "url = mysql://u:pw@h/d", "[database] url", "://u:***@h/d"),
        ("type = ldap ", "type = ldpa ", "[directory:corp] type", "'ldpa'"),
        ("servers = ldap://127.0.0.1:1389 ", ";", "[directory:corp] servers", "is missing"),
        ("ldap://127.0.0.1:1389", "127.0.0.1:1389", "[directory:corp] servers", "not a server"),
        ("ldap://127.0.0.1:1389", "ldaps://127.0.0.1", "[directory:corp] servers", "tls = none"),
        ("base = ou=people", "; ou=people", "[directory:corp] base", "is missing"),
        ("tls = none", "tls = nope", "[directory:corp] tls", "none of ldaps"),
        ("allow_plaintext_bind = yes", "", "[directory:corp] tls", "in the clear"),
        ("bind_password_file = bind.secret", "", "[directory:corp] bind_dn", "no password"),
        ("bind_dn = uid=syncd,", ";", "[directory:corp] bind_password_file", "of no use"),
        ("= bind.secret", "= gone", "[directory:corp] bind_password_file", "cannot be read"),
        ("every 15 minutes", "every 15 minuts", "[directory:corp] schedule", "every N seconds"),
        ("[directory:corp]", "[directory:local]", "[directory:local]", "made by hand"),
        ("[directory:corp]", "[directory]", "[directory]", "needs a name"),
        ("[custom-fields]", "[custom-fields:x]", "[custom-fields:x]", "no name"),
        ("[site:hq]", "[site:h q]", "[site:h q]", "is not a name"),
        ("[report:by-person]", "[DEFAULT]", "[DEFAULT]", "no such section"),
        ("= telephoneNumber", "= ;", "[map:corp] first_extension", "has no value"),
        ("custom1 = carLicense", "custom11 = carLicense", "[map:corp] custom11", "no such option"),
        ("country = IT", "country = Italy", "[site:hq] country", "not a country"),
        ("2XXX 3XXX", "2XXX 3xxx", "[site:hq] internal_numbers", "'3xxx' is not a pattern"),
        ("2XXX 3XXX", "y 3XXX z", "[site:hq] internal_numbers", "'y' is not a pattern; 'z' is not"),
        ("+39892 premium", "+39892 premum", "[site:hq] rule.1", "'premum'"),
        ("rule.2 = 1XX", "rule2 = 1XX", "[site:hq] rule2", "no such option"),
        ("role = tie", "role = ties", "[trunk:tie] role", "'ties' is not a trunk role"),
        ("role = pstn\n", "role =\n", "[trunk:pstn] role", "has no value"),
        ("telco.csv", "gone.csv", "[carrier:telco] tariff.2026", "cannot be read"),
        ("to 2027-01-01", "to 2027-02-01", "[carrier:telco] tariff.2027", "overlaps tariff.2026"),
        ("to 2027-01-01", "to 2025-02-01", "[carrier:telco] tariff.2026", "before it begins"),
        ("to 2027-01-01", "to 2027-02-30", "[carrier:telco] tariff.2026", "not a date"),
        ("csv from 2027-01-01", "csv", "[carrier:telco] tariff.2027", "is not a tariff"),
        ("half-up 4", "half-down 4", "[carrier:telco] rounding", "way of rounding"),
        ("settle = 10 seconds", "settle = 10", "[cdr:hq] settle", "not a time span"),
        ("2900 29-01", "2900 29a1", "[cdr:hq] excluded_numbers", "'29a1' is not a number"),
        ("user, number", "user, user", "[cdr:hq] attribution", "not an order"),
        ("slots = 250", "slots = -1", "[licensing] slots", "not a number of slots"),
        ("cost_center\n", "cost-center\n", "[reports] level6_basis", "none of department"),
        ("level = 8", "level = 0", "[report:by-person] level", "'0' is not a level"),
    ],
)
def test_bad_input(write: Write, old: str, new: str, option: str, what: str) -> None:
    found = [p.what for p in problems(write(changed((old, new)))) if p.option == option]
    assert any(what in text for text in found), found


def test_pairs_of_directory_and_map(write: Write) -> None:
    found = problems(write(changed(("[map:corp]", "[map:crop]"))))
    assert [(p.option, p.what, p.hint) for p in found] == [
        ("[directory:corp]", "has no [map:corp]", "did you mean crop?"),
        ("[map:crop]", "has no [directory:crop]", "did you mean corp?"),
    ]


def test_needed_mappings(write: Write) -> None:
    found = problems(
        write(
            changed(
                ("first_extension = telephoneNumber", "fax_number = telephoneNumber"),
                ("bill_first_extension = employeeType", "bill_fax = employeeType"),
            )
        )
    )
    assert {(p.option, p.what) for p in found} == {
        ("[map:corp] first_extension", "is missing"),
        ("[map:corp] bill_first_extension", "is missing"),
    }


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_password_that_others_can_write(write: Write, tmp_path: Path, mode: int) -> None:
    path = write(INI)
    (tmp_path / "bind.secret").chmod(mode)
    problem = one_problem(path)
    assert problem.option == "[directory:corp] bind_password_file"
    assert problem.hint == f"chmod 600 {tmp_path}/bind.secret"


def test_a_password_that_everybody_can_read_is_warned_about(write: Write, tmp_path: Path) -> None:
    path = write(INI)
    (tmp_path / "bind.secret").chmod(0o644)
    (warning,) = [w for w in load(path).warnings if "bind_password_file" in w.option]
    assert warning.warning
    assert warning.hint == f"chmod 600 {tmp_path}/bind.secret"
    (tmp_path / "bind.secret").chmod(0o640)
    assert not [w for w in load(path).warnings if "bind_password_file" in w.option]


def test_credential(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(changed(("bind_password_file = bind.secret", "bind_credential = ldap")))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert [w.option for w in load(path).warnings] == ["[directory:corp] bind_credential"]
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert "cannot be read" in one_problem(path).what
    (tmp_path / "ldap").write_text("from systemd", encoding="utf-8")
    settings = load(path)
    assert settings.warnings == ()
    assert settings.directories["corp"].bind_credential == "ldap"


@pytest.mark.parametrize(
    ("scheme", "tls"), [("ldaps", "ldaps"), ("ldap", "starttls")], ids=["ldaps", "starttls"]
)
def test_connections_are_secured_by_default(write: Write, scheme: str, tls: str) -> None:
    text = changed(("tls = none", ""), ("ldap://127.0.0.1:1389", f"{scheme}://127.0.0.1"))
    assert load(write(text)).directories["corp"].tls == tls


def test_ldif(write: Write, tmp_path: Path) -> None:
    """Whether the file is there is looked at when it is read: it may be written anew just now."""
    start, end = INI.index("type = ldap"), INI.index("[map:corp]")
    text = f"{INI[:start]}type = ldif\nid = uid\n{INI[end:]}"
    assert one_problem(write(text)).option == "[directory:corp] file"
    text = text.replace("id = uid", "id = uid\nfile = people.ldif")
    corp = load(write(text)).directories["corp"]
    assert (corp.file, corp.id) == (tmp_path / "people.ldif", "uid")


def test_plug_ins_by_name(write: Write) -> None:
    text = changed(("driver = cucm", "driver = asterisk"))
    assert load(write(text), drivers=["asterisk"]).cdr["hq"].driver == "asterisk"


def test_warnings_do_not_stop(write: Write) -> None:
    text = changed(("carrier = telco\n", ""), ("custom1 = Project", ""), ("username = uid\n", ""))
    options = {warning.option for warning in load(write(text)).warnings}
    assert options == {"[trunk:pstn] carrier", "[map:corp] custom1", "[map:corp] username"}


def test_two_sections_of_one_folder(write: Write) -> None:
    text = f"{INI}\n[cdr:two]\ndriver = cucm\nfolder = drop/../drop/hq\nsite = hq\n"
    problem = one_problem(write(text))
    assert (problem.option, "[cdr:hq]" in problem.what) == ("[cdr:two] folder", True)


def test_conf_d_in_order_the_later_wins(write: Write, tmp_path: Path) -> None:
    path = write(INI)
    folder = tmp_path / "conf.d"
    folder.mkdir()
    (folder / "20-b.ini").write_text("[licensing]\nslots = 20\n", encoding="utf-8")
    (folder / "10-a.ini").write_text(
        "[licensing]\nslots = 10\nautomatic_acquisition = yes\n[site:b]\ncountry = DE\n",
        encoding="utf-8",
    )
    (folder / "99.ini.off").write_text("[licensing]\nslots = 99\n", encoding="utf-8")
    settings = load(path)
    assert settings.licensing == model.LicensingSettings(20, automatic_acquisition=True)
    assert list(settings.sites) == ["hq", "b"]
    assert settings.origins["licensing", "slots"] == (str(folder / "20-b.ini"), 2, "20")
    (folder / "20-b.ini").write_text("\n\n[licensing]\nslots = x\n", encoding="utf-8")
    problem = one_problem(path)
    assert (problem.file, problem.line) == (str(folder / "20-b.ini"), 4)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert one_problem(tmp_path / "gone.ini").what.startswith("cannot be read")
    assert one_problem(tmp_path).what.startswith("cannot be read")
    latin = tmp_path / "latin.ini"
    latin.write_bytes("[syncd]\n; città\n".encode("latin-1"))
    assert (one_problem(latin).line, one_problem(latin).what) == (2, "is not UTF-8 text")


def test_byte_order_mark(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "bom.ini"
    path.write_text("[syncd]\ntimezone = UTC\ncurrency = EUR\n", encoding="utf-8-sig")
    assert load(path).currency == "EUR"


def test_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("syncd.settings.load.SYSTEM_FILE", tmp_path / "etc.ini")
    monkeypatch.delenv("SYNCD_CONFIG", raising=False)
    with pytest.raises(ConfigurationError):
        find()
    (tmp_path / "etc.ini").touch()
    assert find() == tmp_path / "etc.ini"
    (tmp_path / "syncd.ini").touch()
    assert find() == Path("syncd.ini")
    monkeypatch.setenv("SYNCD_CONFIG", "/elsewhere.ini")
    assert find() == Path("/elsewhere.ini")


def test_a_password_does_not_stand_in_the_address_of_a_database(write: Write) -> None:
    problem = one_problem(
        write(changed(("url = sqlite:///syncd.db", "url = postgresql://u:se:c@ret@db/syncd")))
    )
    assert "'postgresql://u:***@db/syncd'" in problem.what
    assert problem.what.endswith("has a password in it")
    assert problem.hint == "remove it: password_file = FILE"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://syncd@db.example.com:5432/syncd?sslmode=verify-full",
        "postgresql://syncd@/syncd?host=/run/postgresql",
        "postgres://[::1]/syncd",
    ],
)
def test_a_database_may_be_on_a_postgresql(write: Write, url: str) -> None:
    assert load(write(changed(("url = sqlite:///syncd.db", f"url = {url}")))).database_url == url


@pytest.mark.parametrize("url", ["postgresql://db", "postgresql:///", "postgresql://a b/c"])
def test_what_is_no_address_of_a_database_is_said(write: Write, url: str) -> None:
    problem = one_problem(write(changed(("url = sqlite:///syncd.db", f"url = {url}"))))
    assert problem.what.endswith("is not the address of a database")


def test_a_password_for_sqlite_is_of_no_use(write: Write, tmp_path: Path) -> None:
    (tmp_path / "db.secret").write_text("x\n")
    url = "url = sqlite:///syncd.db"
    problem = one_problem(write(changed((url, f"{url}\npassword_file = db.secret"))))
    assert problem.what == "is of no use with SQLite"


def test_shown_with_origin(write: Write, tmp_path: Path) -> None:
    path = write(INI)
    rows = {(row.section, row.option): row[2:] for row in shown(load(path))}
    assert rows["licensing", "slots"] == ("250", f"{path}:{line_of('slots = 250')}")
    assert rows["carrier:telco", "tariff.2026"][0].startswith("tariffs/telco.csv from")
    assert rows["directory:corp", "grace"] == ("7 days", "default")
    assert rows["logging", "level"] == ("info", "default")
    assert ("directory:corp", "ca_file") not in rows
    assert not any("päss" in value for value, _ in rows.values())


@pytest.mark.parametrize(
    ("text", "value"),
    [("none", None), ("[::1]:80", ("::1", 80)), ("localhost:0", ("localhost", 0))],
)
def test_metrics_address(write: Write, text: str, value: object) -> None:
    assert load(write(f"{INI}\n[daemon]\nmetrics = {text}\n")).daemon.metrics == value


@pytest.mark.parametrize("text", ["0.0.0.0:80", "127.0.0.1", "127.0.0.1:70000", "127.0.0.1.de:1"])
def test_metrics_stay_on_this_machine(write: Write, text: str) -> None:
    path = write(f"{INI}\n[daemon]\nmetrics = {text}\n")
    assert one_problem(path).option == "[daemon] metrics"


@pytest.mark.parametrize("archive", ["yes", "no", "old"])
def test_archive(write: Write, tmp_path: Path, archive: str) -> None:
    text = changed(("driver = cucm", f"driver = cucm\narchive = {archive}"))
    expected = {"yes": tmp_path / "state/archive/hq", "no": None, "old": tmp_path / "old"}
    assert load(write(text)).cdr["hq"].archive == expected[archive]


def test_a_filter_over_several_lines(write: Write) -> None:
    text = changed(("filter = (objectClass=inetOrgPerson)", "filter = (&\n   (a=b)\n   (c=d))"))
    assert load(write(text)).directories["corp"].filter == "(&(a=b)(c=d))"
