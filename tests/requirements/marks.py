"""Which tests are the proof of which requirement, read from their marks without running or importing them."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"

KINDS = {"infrastructure": "T", "desk": "E", "browser": "E", "unit": "U", "contract": "U"}
"""Folder of the tests -> kind of proof"""


class Proof(NamedTuple):
    """A test that carries the mark of a requirement."""

    requirement: str
    kind: str
    test: str
    """`tests/desk/test_chain.py::test_…`"""


def proofs(folder: Path = TESTS) -> Iterator[Proof]:
    """Every mark of every test below the folder; a module's own mark counts for each of its tests."""
    for path in sorted(folder.rglob("test_*.py")):
        place = path.relative_to(folder)
        kind = KINDS.get(place.parts[0])
        if kind is None:
            continue
        for name, ids in marked(ast.parse(path.read_text())):
            for identity in ids:
                yield Proof(identity, kind, f"tests/{place.as_posix()}::{name}")


def marked(module: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """Names of a module's tests with the ids they carry."""
    own = [
        identity
        for statement in module.body
        if isinstance(statement, ast.Assign) and _assigns(statement, "pytestmark")
        for identity in ids_in(statement.value)
    ]
    for test, scope in _tests(module):
        decorated = [
            identity for node in (*scope, test) for d in node.decorator_list for identity in ids_in(d)
        ]
        if ids := list(dict.fromkeys([*decorated, *own])):
            yield test.name, ids


def ids_in(node: ast.AST) -> Iterator[str]:
    """The arguments of every `pytest.mark.req(…)` at or below a node."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.req":
            yield from (str(ast.literal_eval(argument)) for argument in call.args)


def _tests(
    module: ast.Module,
) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, tuple[ast.ClassDef, ...]]]:
    for statement in module.body:
        inner = statement.body if isinstance(statement, ast.ClassDef) else [statement]
        scope = (statement,) if isinstance(statement, ast.ClassDef) else ()
        for one in inner:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name.startswith("test"):
                yield one, scope


def _assigns(statement: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)
