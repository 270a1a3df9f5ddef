"""No floating-point number near money: a walk through the code and through the tables."""

import ast
from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest

import syncd
from syncd.store.models import MODELS

ROOT = Path(syncd.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

MONEY = ("billing", "licensing")
"""Packages in which all is about money or slots."""

MONEY_WORDS = ("micros", "cost", "price", "amount", "money", "fee", "charge", "rate", "exchange")
"""A module that imports any of these, or has them in its name, works with money."""

MONEY_MODULES = (
    "syncd.domain.money",
    "syncd.domain.rate",
    "syncd.billing.rating",
    "syncd.billing.working",
    "syncd.billing.exchange",
    "syncd.billing.tariff",
)


def handles_money(path: Path, tree: ast.Module) -> bool:
    if path.relative_to(ROOT).parts[0] in MONEY or path.stem in MONEY_WORDS:
        return True
    return any(
        isinstance(node, ast.ImportFrom) and node.module in MONEY_MODULES for node in ast.walk(tree)
    )


def floats(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and kind of what is or makes a float. A path's ``/`` has a text on one side, and a
    name or a call that is a path is no number: such a division is told by its operands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno, f"the literal {node.value}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "float":
                yield node.lineno, "float()"
            elif node.func.id == "round":
                yield node.lineno, "round()"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("total_seconds", "fsum"):
                yield node.lineno, f"{node.func.attr}()"
        elif isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
            yield node.lineno, "true division"
        elif isinstance(node, ast.Attribute) and node.attr == "truediv":
            yield node.lineno, "truediv"


MONEY_FILES = [
    path for path in FILES if handles_money(path, ast.parse(path.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("path", MONEY_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_money_is_never_a_float(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [
        f"{path}:{line}: {what}"
        for line, what in floats(tree)
        if not (what == "true division" and is_path(path, line))
    ]
    assert found == []


def is_path(path: Path, line: int) -> bool:
    """Tell whether the division on a line joins a path, which a comment or its text shows."""
    text = path.read_text(encoding="utf-8").splitlines()[line - 1]
    return any(word in text for word in ("folder", "path", "Path(", "directory", "base /"))


def test_the_walk_sees_the_modules_of_money() -> None:
    names = {str(path.relative_to(ROOT)) for path in MONEY_FILES}
    for name in ("billing/working.py", "domain/money.py", "calls/pricing.py", "reports/explain.py"):
        assert name in names


@pytest.mark.parametrize(
    "text", ["x = 0.5", "x = float(y)", "x = a / b", "x /= 2", "round(x, 2)", "d.total_seconds()"]
)
def test_the_walk_sees_a_float(text: str) -> None:
    assert list(floats(ast.parse(text)))


def test_no_variable_of_money_is_annotated_as_a_float() -> None:
    found = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = annotation = None
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name, annotation = node.target.id, node.annotation
            elif isinstance(node, ast.arg):
                name, annotation = node.arg, node.annotation
            if (
                name is not None
                and annotation is not None
                and any(word in name.split("_") for word in MONEY_WORDS)
                and "float" in ast.unparse(annotation)
            ):
                found.append(f"{path}:{node.lineno}: {name}")
    assert found == []


def test_no_table_has_a_column_of_floats() -> None:
    found = [
        f"{model.__name__}.{field.name}"
        for model in MODELS
        for field in model._meta.sorted_fields
        if isinstance(field, (peewee.FloatField, peewee.DecimalField, peewee.DoubleField))
        or field.field_type.upper() in ("REAL", "FLOAT", "DOUBLE", "DECIMAL", "NUMERIC")
    ]
    assert found == []


def test_no_migration_makes_a_column_of_floats() -> None:
    kinds = ("FloatField", "DoubleField", "DecimalField")
    for path in sorted((ROOT / "store/migrations").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert not [kind for kind in kinds if kind in text], path
        assert " REAL" not in text, path
