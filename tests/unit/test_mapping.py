"""The mapping grammar and the values of fields."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.directory.checks import USER_WRITABLE, problems, writable_warnings
from syncd.directory.mapping import compile_mapping, mapping_of
from syncd.directory.protocol import Entry
from syncd.domain.errors import ConfigurationError
from syncd.domain.party import FLAG_FIELDS, LIST_FIELDS, PARTY_FIELDS
from syncd.settings.model import DirectorySettings, Settings
from tests.directory_settings import directory_settings


def apply(field: str, text: str, **attributes: list[str]) -> tuple[dict[str, Any], list[str]]:
    mapping = compile_mapping("corp", {field: text})
    entry = Entry("uid=anna", "1", {name.lower(): values for name, values in attributes.items()})
    state, warnings = mapping.apply(entry)
    assert all(warning.warning and warning.file == "uid=anna" for warning in warnings)
    return state.fields, [warning.what for warning in warnings]


@pytest.mark.parametrize(
    ("field", "text", "attributes", "expected"),
    [
        ("department", "ou", {"ou": ["Sales  North "]}, "Sales North"),
        ("department", '"Sales"', {}, "Sales"),
        ("department", "'The \"A\" team'", {}, 'The "A" team'),
        ("offnet_fax_number", '""', {}, ""),
        ("display_name", "displayName, cn", {"cn": ["Anna"]}, "Anna"),
        ("display_name", "displayName|cn", {"displayName": [" "], "cn": ["Anna"]}, "Anna"),
        ("display_name", "displayName cn", {"displayName": ["A"], "cn": ["B"]}, "A"),
        ("display_name", "displayName", {}, ""),
        ("first_extension", "phone", {"phone": ["+39 06 / 555-2001"]}, "+39065552001"),
        ("first_extension", r"phone =~ (\d{4})$", {"phone": ["06 555 2001"]}, "2001"),
        ("first_extension", r"a, b =~ ^x(\d+)", {"a": ["2001"], "b": ["x2002"]}, "2002"),
        ("first_extension", r"phone =~ (\d{5})$", {"phone": ["2001"]}, ""),
        ("other_extensions", "phone", {"phone": ["2001; 2002", "20-02", "2003"]},
         ("2001", "2002", "2003")),
        ("additional_departments", "d", {"d": ["Sales;Big  IT ;; sales"]}, ("Sales", "Big IT")),
        ("additional_departments", '"Sales;IT"', {}, ("Sales", "IT")),
        ("devices", "d", {}, ()),
        ("bill_fax", "yes", {}, True),
        ("bill_fax", "No", {}, False),
        ("bill_fax", '"yes"', {}, True),
        ("bill_fax", "flag", {"flag": ["TRUE"]}, True),
        ("bill_fax", "flag", {"flag": ["0"]}, False),
        ("bill_fax", "flag", {}, False),
        ("enabled", "flag", {}, True),
        ("bill_fax", "employeeType == Staff", {"employeeType": ["guest", " staff"]}, True),
        ("bill_fax", 'employeeType == "staff"', {"employeeType": ["guest"]}, False),
        ("bill_fax", "employeeType == staff", {}, False),
        ("permission_level", "title", {"title": ["8"]}, 8),
        ("permission_level", "title", {}, 0),
        ("permission_level", "2", {}, 2),
        ("masked_digits", '"3"', {}, 3),
        ("level6_basis", "b", {"b": ["Cost-Center"]}, "cost_center"),
        ("language", "cn;lang-de", {"cn;lang-de": ["de"]}, "de"),
    ],
)  # fmt: skip
def test_what_fills_a_field(
    field: str, text: str, attributes: dict[str, list[str]], expected: object
) -> None:
    fields, warnings = apply(field, text, **attributes)
    assert fields == {field: expected}
    assert type(fields[field]) is type(expected)
    assert not warnings


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("first_extension", "2001 ext", "is not a number"),
        ("other_extensions", "2001;zero", "is not a number"),
        ("permission_level", "9", "only 0, 2, 6, 8, 10 are"),
        ("permission_level", "Boss", "only 0, 2, 6, 8, 10 are"),
        ("permission_level", "-8", "only 0, 2, 6, 8, 10 are"),
        ("permission_level", "٨", "only 0, 2, 6, 8, 10 are"),
        ("masked_digits", "21", "from 0 to 20"),
        ("level6_basis", "planet", "is none of"),
        ("bill_fax", "perhaps", "neither yes nor no"),
        ("department", "Sales\udcff", "is not UTF-8 text"),
        ("department", "Sa\x00les", "holds a NUL"),
        (
            "department",
            "漢" * 256,
            "'漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢'… has 256 characters, more than 255",
        ),
        ("first_extension", "7" * 256, "has 256 characters"),
        ("other_extensions", f"2001;{'7' * 256}", "has 256 characters"),
    ],
)
def test_a_bad_value_sets_its_field_aside(field: str, value: str, reason: str) -> None:
    mapping = compile_mapping("corp", {field: "x", "mail": "mail"})
    state, warnings = mapping.apply(Entry("uid=anna", "1", {"x": [value], "mail": ["a@b"]}))
    assert state.fields == {"mail": "a@b"}  # left out, not emptied; the rest goes on
    [warning] = warnings
    assert reason in warning.what
    assert warning.what.startswith(field)
    assert warning.file == "uid=anna"


def test_several_values_where_one_counts() -> None:
    fields, warnings = apply("first_extension", "phone", phone=["2001", "2002"])
    assert fields == {"first_extension": "2001"}
    assert warnings == ["first_extension: there are 2 values, the first ('2001') counts"]


def test_a_site_that_does_not_exist() -> None:
    mapping = compile_mapping("corp", {"site": "l"}, sites=["hq"])
    assert mapping.apply(Entry("", "1", {"l": ["hq"]}))[0].fields == {"site": "hq"}
    state, [warning] = mapping.apply(Entry("", "1", {"l": ["moon"]}))
    assert state.fields == {}
    assert "there is no [site:moon]" in warning.what


@pytest.mark.parametrize(
    ("field", "text", "what"),
    [
        ("department", "yes", "is for flags"),
        ("department", "a == b", "is no flag"),
        ("department", "employeeType = staff", "is not the name of an attribute"),
        ("department", '"Sales', "is not the name of an attribute"),
        ("department", "ou =~", "is missing after =~"),
        ("department", "ou =~ (", "is wrong"),
        ("department", "ou =~ .*", "has no group"),
        ("department", "=~ (x)", "names no attribute"),
        ("bill_fax", "type ==", "needs a text"),
        ("bill_fax", '"maybe"', "neither yes nor no"),
        ("permission_level", "7", "not a permission level"),
        ("first_extension", '"abc"', "not a number"),
        ("nickname", "cn", "no such field"),
    ],
)
def test_a_mapping_mistake(field: str, text: str, what: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        compile_mapping("corp", {field: text}, {field: 7}, {field: "syncd.ini"})
    [problem] = caught.value.problems
    assert what in problem.what
    assert (problem.file, problem.line, problem.option) == ("syncd.ini", 7, f"[map:corp] {field}")


def test_all_mistakes_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        compile_mapping("corp", {"department": "yes", "mail": "=", "cost_center": "ou"})
    assert len(caught.value.problems) == 2


def test_an_empty_mapping_leaves_the_field_local() -> None:
    assert compile_mapping("corp", {"department": " ", "mail": "mail"}).fields == ("mail",)


@given(
    st.sampled_from(PARTY_FIELDS),
    st.lists(st.text(st.characters(codec=None, exclude_categories=[]), max_size=12), max_size=3),
)
def test_no_value_is_ever_an_error(field: str, values: list[str]) -> None:
    """Whatever a directory holds: a value of the field's type, or a warning and no value."""
    state, warnings = compile_mapping("corp", {field: "x"}).apply(Entry("e", "1", {"x": values}))
    if field not in state.fields:
        assert warnings
        return
    value = state.fields[field]
    kind = tuple if field in LIST_FIELDS else bool if field in FLAG_FIELDS else (str, int)
    assert isinstance(value, kind)


def test_permissions_from_what_users_write_are_warned_about() -> None:
    settings = directory_settings(mapping_lines={"permission_level": 12})
    warnings = writable_warnings(mapping_of(settings), settings)
    assert [warning.option for warning in warnings] == [
        "[map:corp] permission_level",
        "[map:corp] additional_departments",
    ]
    assert warnings[0].line == 12
    assert all(warning.warning for warning in warnings)
    safe = directory_settings(mapping={"permission_level": "syncdLevel", "mail": "mail"})
    assert not writable_warnings(mapping_of(safe), safe)
    assert all(name == name.lower() for name in USER_WRITABLE)


def settings_with(directories: dict[str, DirectorySettings]) -> Settings:
    """Return settings that have directories alone, nothing of which was written in a file."""
    only: Any = SimpleNamespace(directories=directories, sites={}, origins={}, file=Path("x.ini"))
    only.place = partial(Settings.place, only)
    only.problem = partial(Settings.problem, only)
    found: Settings = only
    return found


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"base": "people"}, ["base"]),
        ({"base": "ou=people,example,=x", "bind_dn": "syncd"}, ["base", "bind_dn"]),
        ({"base": "ou=a\\, b,dc=x", "bind_dn": "syncd@corp.example"}, []),
        ({"base": "", "bind_dn": "CORP\\syncd"}, []),
    ],
)
def test_what_is_no_entry_dn_is_told(options: dict[str, str], wrong: list[str]) -> None:
    directory = directory_settings(mapping={"mail": "mail"}, **options)
    found = problems(settings_with({"a": directory}))
    assert [problem.option.split()[-1] for problem in found] == wrong
    assert all("is not an entry DN" in problem.what for problem in found)


def test_check_config_finds_every_mistake_of_every_directory() -> None:
    directories = {
        "a": directory_settings(name="a", mapping={"mail": "="}, filter="(x"),
        "b": directory_settings(name="b", mapping={"mail": "mail"}, filter="(uac:1.2:=2)"),
        "c": directory_settings(name="c", type="ldif", mapping={}, filter="(uac:1.2:=2)"),
    }
    found = problems(settings_with(directories))
    assert [problem.option for problem in found] == [
        "[map:a] mail",
        "[directory:a] filter",
        "[directory:c] filter",
    ]
