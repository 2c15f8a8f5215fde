"""The table of requirements claims nothing that has no proof, and its document is current."""

import ast
from pathlib import Path

import pytest

from tests.requirements.marks import Proof, marked, proofs
from tests.requirements.table import DOCUMENT, Row, document, faults, rows

ROW = Row(
    id="D1", section="Data", what="rows", proof=["T", "E"], where=["docs/"], state="proven", documents=[]
)
BOTH = [Proof("D1", "T", "tests/infrastructure/a.py::t"), Proof("D1", "E", "tests/desk/b.py::t")]


def test_the_table_claims_nothing_without_a_proof() -> None:
    table = rows()
    assert len(table) == 55
    assert list(faults(table, proofs())) == []


def test_the_document_is_current() -> None:
    """Otherwise: `uv run python -m tests.requirements`."""
    assert DOCUMENT.read_text().splitlines() == document(rows(), proofs()).splitlines()


@pytest.mark.parametrize(
    ("row", "found", "fault"),
    [
        (ROW, BOTH[:1], "D1 is called proven without a proof of kind E"),
        (ROW._replace(proof=["R"]), BOTH, "D1 is called proven without a proof of kind R"),
        (ROW._replace(state="partly"), BOTH, "D1 is partly without a reason"),
        (ROW._replace(state="done"), BOTH, "D1 has no such state as done"),
        (ROW._replace(where=["src/none.py"]), BOTH, "D1 names src/none.py, which is not there"),
        (ROW, [*BOTH, Proof("D99", "U", "x::y")], "x::y is marked D99, which is no requirement"),
    ],
)
def test_a_claim_too_many_is_refused(row: Row, found: list[Proof], fault: str) -> None:
    assert list(faults([row], BOTH)) == [] or row is not ROW
    assert fault in list(faults([row], found))


def test_marks_are_read_from_functions_classes_parameters_and_modules() -> None:
    module = ast.parse(
        """
pytestmark = [pytest.mark.enable_socket, pytest.mark.req("A1")]

@pytest.mark.req("B1", "B2")
def test_one(): ...

@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.req("C1"))])
async def test_two(x): ...

@pytest.mark.req("D1")
class TestThree:
    def test_four(self): ...

def fixture(): ...
"""
    )
    assert list(marked(module)) == [
        ("test_one", ["B1", "B2", "A1"]),
        ("test_two", ["C1", "A1"]),
        ("test_four", ["D1", "A1"]),
    ]


def test_every_folder_of_tests_is_one_kind_of_proof(tmp_path: Path) -> None:
    for folder in ("infrastructure", "desk", "unit", "elsewhere"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "test_a.py").write_text('@pytest.mark.req("A1")\ndef test_a(): ...\n')
    assert [proof.kind for proof in proofs(tmp_path)] == ["E", "T", "U"]
