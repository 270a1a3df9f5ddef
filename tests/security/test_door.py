"""The one door: who reads call rows, by the source itself.

Whatever shows calls is in ``reports`` and puts the conditions of a scope into each statement. What
syncd does to its own rows is a named module of ``store``. Both are looked for in every module, so
that a new one cannot pass by.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import syncd.reports.render

ROOT = Path(syncd.reports.render.__path__[0]).parents[1]

TABLES = r"call|call_withheld|rollup_\w+|adjustment|private_record|account_charge|allowance_use"
OF_CALLS = re.compile(rf"\b(?:FROM|JOIN)\s+(?:{TABLES}|\{{[^}}]*table[^}}]*\}})(?![\w.])")
"""A statement that reads call rows, or what is made of them; in a formatted text a name with
``table`` in it may be any of them."""
MODELS = {
    "Call", "CallWithheld", "RollupDay", "RollupMonth", "RollupDestination", "RollupLine",
    "Adjustment", "PrivateRecord", "AccountCharge", "AllowanceUse",
}  # fmt: skip

CONDITIONS = {"row_conditions", "row_parts", "scanned_parts", "scope_parts", "Condition"}
"""What a function must have in hand that reads call rows for somebody."""

STORE = ROOT / "store"
"""Named operations on syncd's own rows; they give keys, counts and sums to ``calls``,
``application`` and ``reports``, and show nothing."""

NAMED = {
    "calls/reassignment.py": "whose a call is afterwards, while it is moved",
    "reports/scope.py": "the door itself, and whose private call a row is",
    "reports/posting.py:posting_of": "the month of a call that was found through the scope",
    "reports/lookups.py:Lookups._names": "destinations, carriers, trunks and matters by their id",
    "reports/sources.py:<module>": "columns of a call, for queries that have the conditions",
    "reports/lookups.py:Lookups._universe": "every value that a filter can mean: none is shown",
}
"""Who else reads them, with the reason."""


def functions(tree: ast.AST, above: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield the functions of a module that are in no other, and its remaining statements."""
    for node in ast.iter_child_nodes(tree):
        name = getattr(node, "name", "")
        if isinstance(node, ast.ClassDef):
            yield from functions(node, f"{above}{name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{above}{name}", node
        else:
            yield f"{above}<module>", node


def texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts of a piece of source, formatted ones with their expressions in braces;
    documentation is left out."""
    documentation = {id(one.value) for one in ast.walk(node) if isinstance(one, ast.Expr)}
    inner: set[int] = set()
    for one in ast.walk(node):
        if isinstance(one, ast.JoinedStr):
            inner |= {id(part) for part in one.values}
            yield "".join(
                part.value if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}"  # type: ignore[attr-defined]
                for part in one.values
            )
        elif (
            isinstance(one, ast.Constant)
            and isinstance(one.value, str)
            and id(one) not in inner | documentation
        ):
            yield one.value


def names(node: ast.AST) -> set[str]:
    found = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return found | {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


@functools.cache
def readers() -> list[tuple[str, str, ast.AST]]:
    """Return module, function and source of whatever reads call rows outside the store."""
    return list(_readers())


def _readers() -> Iterator[tuple[str, str, ast.AST]]:
    for path in sorted(ROOT.rglob("*.py")):
        if path.is_relative_to(STORE):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {
            alias.asname or alias.name
            for one in ast.walk(tree)
            if isinstance(one, ast.ImportFrom) and (one.module or "").startswith("syncd.store")
            for alias in one.names
        }
        models = imported & MODELS
        for name, node in functions(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                continue
            if any(OF_CALLS.search(text) for text in texts(node)) or names(node) & models:
                yield str(path.relative_to(ROOT)), name, node


def test_nobody_reads_call_rows_without_a_scope() -> None:
    used = set()
    beside = []
    for module, function, node in readers():
        allowed = {module, f"{module}:{function}"} & NAMED.keys()
        used |= allowed
        if allowed:
            continue
        # A statement in a constant of the module is built where it is used.
        holder = node
        if function.endswith("<module>"):
            holder = ast.parse((ROOT / module).read_text(encoding="utf-8"))
        if not module.startswith("reports/") or not names(holder) & CONDITIONS:
            beside.append(f"{module}:{function}")
    assert beside == []
    assert used == NAMED.keys()


def test_the_search_finds_what_it_is_for() -> None:
    found = {f"{module}:{function}" for module, function, _ in readers()}
    assert {"reports/query.py:Query._fold", "reports/invoice.py:_legs"} <= found
    source = 'def f(x):\n    """FROM call"""\n    return sql(f"SELECT 1 FROM call {x}")\n'
    ((_, node),) = functions(ast.parse(source))
    assert [text for text in texts(node) if OF_CALLS.search(text)] == ["SELECT 1 FROM call {x}"]
    assert not OF_CALLS.search("SELECT 1 FROM call_quality")
    assert OF_CALLS.search("LEFT JOIN call owner ON")


def test_nobody_outside_the_store_reads_withheld_calls() -> None:
    for module, function, node in readers():
        assert not any("call_withheld" in text for text in texts(node)), (module, function)
        assert "CallWithheld" not in names(node), (module, function)
