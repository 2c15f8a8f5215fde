"""The page of formulas names functions and tests that are there and belong together."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^\| (?P<formula>.+) \| (?P<source>[^|]+) \| `(?P<where>[^`]+)` \| `(?P<test>[^`]+)` \|$")
LINES = [
    line
    for line in (ROOT / "docs" / "formulas.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| Formula ")
]
ROWS = [found for line in LINES if (found := ROW.match(line))]


def names_in(node: ast.AST) -> set[str]:
    """Every name a piece of code uses."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def used_by(module: ast.Module, test: str) -> set[str]:
    """What a test uses, by itself and through the functions of its file."""
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    seen: set[str] = set()
    new = {test}
    while new:
        seen |= new
        new = set().union(*(names_in(functions[name]) for name in new if name in functions)) - seen
    return seen


def test_every_line_is_a_whole_row() -> None:
    assert len(ROWS) == len(LINES) > 30


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["formula"][:40])
def test_a_formula_is_where_the_page_says_and_compared_by_the_test_it_names(row: re.Match[str]) -> None:
    module, function = row["where"].split(":")
    assert callable(getattr(import_module(f"bellwether.{module}"), function))
    path, test = row["test"].split("::")
    code = ast.parse((ROOT / "tests" / "unit" / path).read_text(encoding="utf-8"))
    assert test in {node.name for node in code.body if isinstance(node, ast.FunctionDef)}
    assert function in used_by(code, test)
    assert row["source"].strip()
