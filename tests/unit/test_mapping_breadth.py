"""What the mapping can beyond single attributes: templates, defaults, joined tests, which of
several values, ends of numbers, extensions by the plan, groups, the status of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.directory.account_status import STATUS_ATTRIBUTES, account_in_use
from syncd.directory.checks import problems
from syncd.directory.groups import (
    MEMBERSHIP,
    Membership,
    grant,
    granted_fields,
    key_of,
    resolve,
)
from syncd.directory.mapping import PartyMapping, compile_mapping, mapping_of, naming_attributes
from syncd.directory.mapping_grammar import parse_rule
from syncd.directory.protocol import Entry
from syncd.domain.errors import ConfigurationError
from syncd.domain.party import PARTY_FIELDS
from syncd.settings.model import GroupSettings
from tests.directory_settings import directory_settings


@dataclass(frozen=True)
class Plan:
    """What the mapping needs of a ``[site:NAME]``."""

    name: str
    internal_numbers: tuple[str, ...]
    country: str = "IT"
    area_code: str = "06"
    international_code: str = ""


ROME = Plan("rome", ("2XXX", "3XXX"))
MILAN = Plan("milan", ("5XXX",), area_code="02")
BERLIN = Plan("berlin", ("2XX",), country="DE", area_code="030")


def entry_of(**attributes: list[str]) -> Entry:
    return Entry("uid=anna", "1", {name.lower(): values for name, values in attributes.items()})


def value(field: str, text: str, *plans: Plan, **attributes: list[str]) -> tuple[Any, list[str]]:
    """Return a field's value, None where it is set aside, and the warnings."""
    settings = directory_settings(mapping={field: text}, account_status=False)
    state, warnings = mapping_of(settings, plans).apply(entry_of(**attributes))
    return state.fields.get(field), [warning.what for warning in warnings]


NAMES = {"givenName": ["Anna"], "sn": ["Rossi"]}
MANY = {"cn": ["Anna R", "Anna Maria Rossi", "Anna"]}


@pytest.mark.parametrize(
    ("field", "text", "attributes", "expected"),
    [
        # templates
        ("display_name", '"{givenName} {sn}"', NAMES, "Anna Rossi"),
        ("display_name", "'{sn}, {givenName}'", NAMES, "Rossi, Anna"),
        ("display_name", '"{givenName} {sn}"', {"sn": ["Rossi"]}, "Rossi"),
        ("display_name", '"{givenName} {sn}"', {}, ""),
        ("display_name", '"{displayName, cn} (ext)"', {"cn": ["Anna"]}, "Anna (ext)"),
        ("display_name", '"{{{sn}}}"', NAMES, "{Rossi}"),
        ("display_name", '"{cn;lang-es}"', {"cn;lang-es": ["Ana"]}, "Ana"),
        ("first_extension", '"2{ext}"', {"ext": ["001"]}, "2001"),
        ("first_extension", '"+39 {area} {ext}"', {"ext": ["2001"]}, ""),  # half is another number
        ("department", '"{{Sales}}"', {}, "{Sales}"),
        ("other_extensions", '"{a};{b}"', {"a": ["1"], "b": ["2"]}, ("1", "2")),
        # defaults
        ("department", 'ou default "None"', {"ou": [" "]}, "None"),
        ("department", "ou default 'None'", {"ou": ["IT"]}, "IT"),
        ("department", 'ou, d default "x == y"', {}, "x == y"),
        ("display_name", '"{givenName} {sn}" default "{mail}"', {"mail": ["a@b"]}, "a@b"),
        ("first_extension", r'(phone =~ (\d{4})$) default "2999"', {"phone": ["12"]}, "2999"),
        ("first_extension", r'(phone =~ (\d{4})$) default "2999"', {"phone": ["12001"]}, "2001"),
        ("bill_fax", 'flag default "yes"', {}, True),
        ("bill_fax", 'flag default "yes"', {"flag": ["no"]}, False),
        ("permission_level", 'title default "2"', {}, 2),
        ("additional_departments", 'd default "Sales;IT"', {}, ("Sales", "IT")),
        ("enabled", 'flag default "no"', {}, False),
        # joined tests
        ("bill_fax", "a == x and b == y", {"a": ["X"], "b": ["y"]}, True),
        ("bill_fax", "a == x and b == y", {"a": ["x"], "b": ["z"]}, False),
        ("bill_fax", "a == x or b == y", {"b": ["y"]}, True),
        ("bill_fax", "a == x or b == y and c == z", {"a": ["x"]}, True),
        ("bill_fax", "a == x and b == y or c == z", {"a": ["x"], "c": ["z"]}, True),
        ("bill_fax", "a == x and b == y or c == z", {"a": ["x"]}, False),
        ("bill_fax", "a != x", {"a": ["y"]}, True),
        ("bill_fax", "a != x", {}, True),
        ("bill_fax", "a != x", {"a": ["y", "X"]}, False),
        ("bill_fax", "a == one and two and b != x", {"a": ["one and two"], "b": ["y"]}, True),
        ("bill_fax", 'a == "p or b == q" or c == r', {"a": ["p or b == q"]}, True),
        ("bill_fax", "a, b == x and c|d == y", {"b": ["x"], "d": ["y"]}, True),
        # which of several
        ("display_name", "first(cn)", MANY, "Anna R"),
        ("display_name", "last(cn)", MANY, "Anna"),
        ("display_name", "longest( cn )", MANY, "Anna Maria Rossi"),
        ("display_name", "last(displayName, cn)", MANY, "Anna"),
        ("first_extension", r"last(phone) =~ (\d{4})$", {"phone": ["12001", "x", "12002"]}, "2002"),
        ("first_extension", "last(phone) last 4", {"phone": ["06 555-2001", "06 555 2002"]}, "2002"),
        ("devices", "longest(d)", {"d": ["SEP1", "SEP22"]}, ("SEP22",)),
        # the last digits
        ("first_extension", "phone last 4", {"phone": ["+39 06 555-2001"]}, "2001"),
        ("first_extension", "phone last 4", {"phone": ["201"]}, ""),
        ("first_extension", 'phone last 4 default "2999"', {"phone": ["201"]}, "2999"),
        ("other_extensions", "phone last 2", {"phone": ["123", "456"]}, ("23", "56")),
        # what looks like it, and is what it always was
        ("department", "last default first", {"default": ["IT"]}, "IT"),
        ("department", "extension", {"extension": ["IT"]}, "IT"),
        ("department", "ou last", {"last": ["IT"]}, "IT"),
        ("bill_fax", "a == research and development", {"a": ["Research and Development"]}, True),
        ("bill_fax", 'a == staff default "x"', {"a": ['staff default "x"']}, True),
        ("department", 'ou =~ (.*) default "x"', {"ou": ['IT default "x"']}, "IT"),
        ("department", 'ou =~ (.+) last 4', {"ou": ["IT last 4"]}, "IT"),
    ],
)  # fmt: skip
def test_what_fills_a_field(
    field: str, text: str, attributes: dict[str, list[str]], expected: object
) -> None:
    found, warnings = value(field, text, **attributes)
    assert found == expected
    assert type(found) is type(expected)
    assert not warnings


@pytest.mark.parametrize(
    ("field", "text", "what"),
    [
        ("display_name", '"{givenName {sn}"', "without its other half, at character 2"),
        ("display_name", '"{sn}}"', "without its other half"),
        ("display_name", '"{}"', "names no attribute"),
        (
            "display_name",
            '"{given name!}"',
            "'name!' is not the name of an attribute, at character",
        ),
        ("display_name", "middle(cn)", "'middle(cn)' cannot stand here|middle"),
        ("display_name", "first(last(cn))", "cannot stand here"),
        ("display_name", "extension(cn)", "is for numbers"),
        ("permission_level", "title last 2", "are for numbers"),
        ("first_extension", "phone last 0", "last 0 is no number of digits, at character 7"),
        ("first_extension", "phone last 16", "no number of digits"),
        ("first_extension", "extension(phone) last 4", "it has no last digits"),
        ("bill_fax", 'a == x or default "y"', ""),
        ("department", '"Sales" default "x"', "a default is for attributes and templates"),
        ("bill_fax", '(a == b) default "yes"', "a default is for attributes"),
        ("permission_level", 'title default "7"', "not a permission level"),
        ("first_extension", 'phone default "abc"', "not a number"),
        ("department", 'ou default "x" default "y"', "a default is for"),
        ("bill_fax", "a == x and b ==", "needs a text after =="),
        ("bill_fax", "a == x and b! == c", ""),
        ("department", "a != b", "is no flag"),
        ("first_extension", "(phone) last 4", "'(phone)' is not the name of an attribute"),
    ],
)
def test_a_mapping_mistake(field: str, text: str, what: str) -> None:
    if not what:  # a test against an odd text, as it always was
        assert parse_rule(field, text).attributes == ("a",)
        return
    with pytest.raises(ConfigurationError) as caught:
        compile_mapping("corp", {field: text}, {field: 7}, {field: "syncd.ini"})
    [problem] = caught.value.problems
    assert any(part in problem.what for part in what.split("|"))
    assert (problem.file, problem.line) == ("syncd.ini", 7)


def test_several_values_that_nothing_chooses_from_are_warned_about() -> None:
    found, [warning] = value("display_name", 'cn default "x"', **MANY)
    assert found == "Anna R"
    assert "3 values" in warning


# --- extensions by the plan ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "plans", "expected"),
    [
        ("+39 06 555-2001", (ROME,), "2001"),
        ("06 555 2001", (ROME,), "2001"),
        ("0039 06 5552001", (ROME,), "2001"),
        ("5552001", (ROME,), "2001"),  # as it is dialled within the area
        ("2001", (ROME,), "2001"),
        ("", (ROME,), ""),
        ("+49 30 5555 211", (BERLIN,), "211"),
        ("030 5555211", (BERLIN,), "211"),
        ("+39 02 555 5001", (ROME, MILAN), "5001"),
        ("+39 06 555 2001", (ROME, MILAN), "2001"),
    ],
)
def test_an_extension(number: str, plans: tuple[Plan, ...], expected: str) -> None:
    found, warnings = value("first_extension", "extension(phone)", *plans, phone=[number])
    assert (found, warnings) == (expected, [])


@pytest.mark.parametrize(
    ("number", "plans", "why"),
    [
        ("+39 06 555 9001", (ROME,), "none of the internal numbers"),
        ("+39 02 555 2001", (ROME,), "no number of rome"),  # the same end, in another town
        ("+44 20 7946 2001", (ROME,), "no number of rome"),
        ("06 555 2001 ext 3", (ROME,), "is not a number"),
        ("+39 06 555 2001", (ROME, Plan("annex", ("52XXX", "01"))), "more than one"),
        ("+39 06 555 2001", (), "no number of any site"),
    ],
)
def test_a_number_without_an_extension(number: str, plans: tuple[Plan, ...], why: str) -> None:
    found, warnings = value("first_extension", "extension(phone)", *plans, phone=[number])
    assert found is None
    assert why in warnings[0]


def test_the_extension_is_by_the_plan_of_the_persons_own_site() -> None:
    twin = Plan("annex", ("01",))
    mapping = {"first_extension": "extension(phone)", "site": "l"}
    settings = directory_settings(mapping=mapping, site="rome", account_status=False)
    compiled = mapping_of(settings, (ROME, twin))
    phone = ["+39 06 555 2001"]
    assert compiled.apply(entry_of(phone=phone))[0].fields["first_extension"] == "2001"
    there = compiled.apply(entry_of(phone=phone, l=["annex"]))[0].fields
    assert there == {"first_extension": "01", "site": "annex"}


@given(st.integers(2000, 3999), st.integers(100, 999))
def test_an_extension_is_found_again_in_the_public_number(extension: int, prefix: int) -> None:
    found, _ = value("first_extension", "extension(p)", ROME, p=[f"+39 06 {prefix} {extension}"])
    assert found == str(extension)


def test_check_config_wants_a_plan_for_extensions() -> None:
    directory = directory_settings(
        mapping={"first_extension": "extension(phone)"}, mapping_lines={"first_extension": 9}
    )
    for sites, expected in (({}, [9]), ({"rome": ROME}, []), ({"x": Plan("x", ())}, [9])):
        settings = SimpleNamespace(directories={"corp": directory}, origins={}, sites=sites)
        found = problems(settings)  # type: ignore[arg-type]
        assert [problem.line for problem in found] == expected


# --- groups --------------------------------------------------------------------------------------


ADMINS = GroupSettings("admins", "cn=admins,dc=x", permission_level=10)
SALES = GroupSettings(
    "sales",
    "cn=sales,dc=x",
    permission_level=6,
    bill_first_extension=True,
    additional_departments=("Sales", "Support"),
)
BASIC = {"mail": "mail", "bill_first_extension": "no", "additional_departments": "d"}


def with_groups(member_of: list[str] | None, mapping: Any = None, **attributes: Any) -> Any:
    settings = directory_settings(
        mapping=BASIC if mapping is None else mapping, groups=(ADMINS, SALES), account_status=False
    )
    entry = entry_of(**attributes)
    if member_of is not None:
        entry.attributes[MEMBERSHIP] = member_of
    return mapping_of(settings).apply(entry)[0].fields


def test_the_highest_level_any_flag_all_departments() -> None:
    fields = with_groups(["admins", "sales"], d=["sales", "Legal"])
    assert fields["permission_level"] == 10
    assert fields["bill_first_extension"] is True
    assert fields["additional_departments"] == ("sales", "Legal", "Support")


def test_who_is_in_no_group_has_what_the_map_says() -> None:
    fields = with_groups([], d=["Legal"])
    assert fields["permission_level"] == 0
    assert fields["bill_first_extension"] is False
    assert fields["additional_departments"] == ("Legal",)


def test_a_mapped_level_counts_too() -> None:
    mapping = BASIC | {"permission_level": "level"}
    assert with_groups(["sales"], mapping, level=["8"])["permission_level"] == 8
    assert with_groups(["sales"], mapping, level=["2"])["permission_level"] == 6
    # A bad value keeps what was there, whatever the groups say.
    assert "permission_level" not in with_groups(["sales"], mapping, level=["boss"])


def test_where_the_groups_are_not_known_what_they_grant_stays_as_it_was() -> None:
    fields = with_groups(None, mail=["a@b"], d=["Legal"])
    assert fields == {"mail": "a@b"}


def test_what_groups_grant_belongs_to_the_directory() -> None:
    settings = directory_settings(mapping={"mail": "mail"}, groups=(ADMINS,))
    mapping = mapping_of(settings)
    assert mapping.fields == ("mail", "permission_level", "enabled")
    assert "memberof" in mapping.attributes


TREE: dict[str, list[str]] = {
    "cn=admins,dc=x": ["uid=anna,dc=x", "CN=Inner, DC=x"],
    "cn=inner,dc=x": ["uid=bert,dc=x", "cn=admins,dc=x", "cn=inner,dc=x"],
    "cn=sales,dc=x": ["uid=carl,dc=x#'0101'B", "cn=inner,dc=x"],
}


def members(entry_dn: str) -> list[str] | None:
    return {key_of(name): found for name, found in TREE.items()}.get(key_of(entry_dn))


def test_groups_in_groups_and_in_themselves() -> None:
    membership, unread = resolve((ADMINS, SALES), members)
    assert not unread
    assert membership.names("uid=anna,dc=x", ()) == [
        "admins",
        "sales",
    ]  # sales has inner has admins
    assert membership.names("UID=Bert,DC=x", ()) == ["admins", "sales"]
    assert membership.names("uid=carl,dc=x", ()) == ["sales"]
    assert membership.names("uid=dora,dc=x", ()) == []
    assert membership.names("uid=dora,dc=x", ["cn=INNER,dc=x"]) == ["admins", "sales"]


def test_each_entry_is_asked_about_once_and_people_never() -> None:
    asked: list[str] = []

    def ask(entry_dn: str) -> list[str] | None:
        asked.append(entry_dn)
        return members(entry_dn)

    people = ["uid=anna,dc=x", "uid=bert,dc=x", "uid=carl,dc=x"]
    resolve((ADMINS, SALES), ask, people)
    assert len(asked) == len({key_of(name) for name in asked}) == 3


def test_a_group_that_cannot_be_read_still_has_those_who_say_so() -> None:
    membership, unread = resolve((ADMINS,), lambda entry_dn: None)
    assert unread == [ADMINS]
    assert membership.names("uid=a", ["cn=admins, dc=x"]) == ["admins"]


names = st.sampled_from([f"cn=g{number},dc=x" for number in range(6)])


@given(st.dictionaries(names, st.lists(names, max_size=4)), names)
def test_who_is_in_a_group_is_who_can_be_reached_from_it(
    tree: dict[str, list[str]], start: str
) -> None:
    reached = {start}
    while True:
        more = {name for group in reached for name in tree.get(group, ())} - reached
        if not more:
            break
        reached |= more
    membership, _ = resolve((GroupSettings("g", start),), tree.get)
    every = {f"cn=g{number},dc=x" for number in range(6)}
    assert {name for name in every if membership.names(name, ())} == reached


def test_what_is_granted_is_never_less_than_what_is_mapped() -> None:
    groups = {"admins": ADMINS, "sales": SALES}
    assert grant("permission_level", 8, groups, ["sales"]) == (8, [])
    assert grant("permission_level", 0, groups, ["sales", "admins"]) == (10, ["admins"])
    assert grant("bill_first_extension", True, groups, ["sales"]) == (True, [])
    assert grant("permission_level", 2, groups, ["unknown"]) == (2, [])
    assert granted_fields([GroupSettings("empty", "cn=e")]) == ()
    assert Membership(()).names("cn=a", ["cn=b"]) == []


# --- the status of accounts ----------------------------------------------------------------------

NOW = 1_800_000_000


def filetime(seconds: int) -> str:
    return str((seconds + 11_644_473_600) * 10_000_000)


@pytest.mark.parametrize(
    ("attributes", "in_use", "why"),
    [
        ({}, True, ""),
        ({"userAccountControl": ["512"]}, True, ""),
        ({"userAccountControl": ["514"]}, False, "useraccountcontrol"),
        ({"userAccountControl": ["528"]}, True, ""),  # AD does not keep LOCKOUT there
        ({"accountExpires": ["0"]}, True, ""),
        ({"accountExpires": ["9223372036854775807"]}, True, ""),
        ({"accountExpires": [filetime(NOW + 1)]}, True, ""),
        ({"accountExpires": [filetime(NOW)]}, False, "accountexpires"),
        ({"accountExpires": ["soon"]}, True, ""),
        ({"nsAccountLock": ["TRUE"]}, False, "nsaccountlock"),
        ({"nsAccountLock": ["false"]}, True, ""),
        ({"pwdAccountLockedTime": ["000001010000Z"]}, False, "pwdaccountlockedtime"),
    ],
)
def test_the_status_of_an_account(attributes: dict[str, list[str]], in_use: bool, why: str) -> None:
    lowered = {name.lower(): values for name, values in attributes.items()}
    assert account_in_use(lowered, NOW) == (in_use, why)
    settings = directory_settings(mapping={"mail": "mail"})
    mapping = mapping_of(settings, now=NOW)
    assert set(STATUS_ATTRIBUTES) <= set(mapping.attributes)
    assert mapping.apply(entry_of(**attributes))[0].fields["enabled"] is in_use


@pytest.mark.parametrize(
    "options",
    [
        {"account_status": False},
        {"mapping": {"enabled": "yes"}},
        {"type": "csv"},
    ],
)
def test_where_the_status_does_not_matter(options: dict[str, Any]) -> None:
    settings = directory_settings(**({"mapping": {"mail": "mail"}} | options))
    mapping = mapping_of(settings, now=NOW)
    fields = mapping.apply(entry_of(nsAccountLock=["true"]))[0].fields
    assert fields.get("enabled", True) is True
    assert "nsaccountlock" not in mapping.attributes


# --- where it comes from -------------------------------------------------------------------------


def test_every_field_says_which_rule_gave_it() -> None:
    mapping = {
        "username": "uid",
        "display_name": '"{givenName} {sn}"',
        "department": 'ou default "None"',
        "permission_level": "title",
        "first_extension": "a, phone last 4",
        "bill_first_extension": "type == staff",
        "bill_fax": "no",
        "masked_digits": "room",
        "mail": "mail",
    }
    settings = directory_settings(mapping=mapping, groups=(SALES,))
    entry = entry_of(
        uid=["anna"], title=["2"], phone=["12001"], type=["staff"], room=["x"], **NAMES
    )
    entry.attributes[MEMBERSHIP] = ["sales"]
    given_fields = {one.field: one for one in mapping_of(settings, now=NOW).explain(entry)}
    assert {name: one.rule for name, one in given_fields.items() if name in mapping} == mapping
    assert {name: (one.value, one.origin) for name, one in given_fields.items()} == {
        "username": ("anna", "uid"),
        "display_name": ("Anna Rossi", "givenname, sn"),
        "department": ("None", "default"),
        "permission_level": (6, "title, group sales"),
        "first_extension": ("2001", "phone"),
        "bill_first_extension": (True, "type"),
        "bill_fax": (False, "constant"),
        "masked_digits": (None, "room"),
        "mail": ("", ""),
        "additional_departments": (("Sales", "Support"), "group sales"),
        "enabled": (True, ""),
    }
    assert "is not a number of digits" in given_fields["masked_digits"].warnings[0]


def test_by_which_attributes_an_entry_is_called() -> None:
    mapping = compile_mapping(
        "corp", {"username": "uid", "mail": "mail, proxy", "department": "ou"}
    )
    assert naming_attributes(mapping, "employeeNumber") == (
        "uid",
        "mail",
        "proxy",
        "employeenumber",
        "entryuuid",
    )


@given(st.sampled_from(PARTY_FIELDS), st.text(max_size=40))
def test_no_text_is_more_than_a_mistake(field: str, text: str) -> None:
    """Whatever stands in an INI: a mapping, or a ConfigurationError."""
    try:
        compiled = compile_mapping("corp", {field: text})
    except ConfigurationError as error:
        assert error.problems
    else:
        assert isinstance(compiled, PartyMapping)


pieces = st.sampled_from(
    ["cn", "last", "default", '"x"', "'y'", "==", "!=", "=~", "(", ")", "first(", "4", "and", "or",
     "{", "}", '"{cn}"', "|", ",", "extension(", "(x)", " "]
)  # fmt: skip


@given(st.sampled_from(PARTY_FIELDS), st.lists(pieces, max_size=9))
def test_no_mix_of_the_grammars_words_is_more_than_a_mistake(field: str, words: list[str]) -> None:
    try:
        compiled = compile_mapping("corp", {field: " ".join(words)})
    except ConfigurationError as error:
        assert error.problems
    else:
        state, warnings = compiled.apply(entry_of(cn=["2001", "x"], last=["y"]))
        assert set(state.fields) <= {field}
        assert state.fields or warnings or not " ".join(words).strip()
