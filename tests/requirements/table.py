"""The table of requirements: read, checked against the proofs there are, and written as a document."""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.requirements.marks import ROOT, Proof

SOURCE = ROOT / "docs" / "requirements.toml"
DOCUMENT = ROOT / "docs" / "requirements.md"

STATES: Mapping[str, str] = {
    "proven": "proven",
    "partly": "partly",
    "manual": "by hand",
    "unverifiable": "not verifiable without an AWS account",
    "later": "later",
}
DOCUMENT_KINDS: Mapping[str, str] = {"R": "docs/reports/", "D": "docs/"}
"""Kinds of proof that are files, and where these lie; the others are tests."""

HEADER = """# Requirements, where each is met, and how far it is proven

Made by `uv run python -m tests.requirements` from [requirements.toml](requirements.toml) and the marks of the
tests; a test keeps it current. T is an assertion on the templates of every stage, E a test end to end on the
embedded engine, U a unit, property or contract test, R a generated report, D a document. "Proven" is refused
to a row without a proof of each kind it asks for.

"""


class Row(NamedTuple):
    """One requirement. `proof` are the kinds it asks for; `where` and `documents` are paths."""

    id: str
    section: str
    what: str
    proof: Sequence[str]
    where: Sequence[str]
    state: str
    reason: str = ""
    documents: Sequence[str] = ()


def rows(source: Path = SOURCE) -> list[Row]:
    """The rows in the order of the file."""
    return [Row(**row) for row in tomllib.loads(source.read_text())["row"]]


def faults(table: Sequence[Row], proofs: Iterable[Proof]) -> Iterator[str]:
    """What is wrong with the table: unproven claims, missing reasons, paths and ids that are none."""
    by_row = _by_row(proofs)
    known = [row.id for row in table]
    yield from (f"{identity} is there twice" for identity in set(known) if known.count(identity) > 1)
    yield from (
        f"{proof.test} is marked {proof.requirement}, which is no requirement"
        for tests in by_row.values()
        for proof in tests
        if proof.requirement not in known
    )
    for row in table:
        yield from _faults_of(row, {proof.kind for proof in by_row[row.id]} | document_kinds(row))


def document_kinds(row: Row) -> set[str]:
    """Kinds of proof its documents are, of those that exist."""
    there = [path for path in row.documents if (ROOT / path).is_file()]
    return {kind for kind, folder in DOCUMENT_KINDS.items() if any(path.startswith(folder) for path in there)}


def _faults_of(row: Row, proven: set[str]) -> Iterator[str]:
    missing = [kind for kind in row.proof if kind not in proven]
    if row.state not in STATES:
        yield f"{row.id} has no such state as {row.state}"
    if row.state == "proven" and missing:
        yield f"{row.id} is called proven without a proof of kind {', '.join(missing)}"
    if row.state != "proven" and not row.reason:
        yield f"{row.id} is {row.state} without a reason"
    for path in (*row.where, *row.documents):
        if not (ROOT / path).exists():
            yield f"{row.id} names {path}, which is not there"


def document(table: Sequence[Row], proofs: Iterable[Proof]) -> str:
    """docs/requirements.md: a section a heading, a row a requirement, the tests below."""
    by_row = _by_row(proofs)
    lines = [HEADER + "| state | rows |", "|---|---|"]
    for state, told in STATES.items():
        count = sum(row.state == state for row in table)
        lines += [f"| {told} | {count} |"] if count else []
    for section in dict.fromkeys(row.section for row in table):
        lines += ["", f"## {section}", "", "| id | what | where | proofs | state |", "|---|---|---|---|---|"]
        lines += [_line(row, by_row[row.id]) for row in table if row.section == section]
    lines += ["", "## The tests of each row", ""]
    lines += [text for row in table for text in _tests(row, by_row[row.id])]
    return "\n".join(lines) + "\n"


def _line(row: Row, tests: Sequence[Proof]) -> str:
    counts = {kind: sum(proof.kind == kind for proof in tests) for kind in ("T", "E", "U")}
    # Of the many tests of parts only that there are some: a number would change with each of them.
    proofs = [kind if kind == "U" else f"{kind} {count}" for kind, count in counts.items() if count]
    proofs += [f"[{Path(path).stem}]({path.removeprefix('docs/')})" for path in row.documents]
    missing = [kind for kind in row.proof if not counts.get(kind) and kind not in document_kinds(row)]
    proofs += [f"no {kind}" for kind in missing]
    where = ", ".join(f"`{path}`" for path in row.where)
    state = STATES[row.state] + (f": {row.reason}" if row.reason else "")
    cells = (row.id, row.what, where, ", ".join(proofs), state)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _tests(row: Row, tests: Sequence[Proof]) -> Iterator[str]:
    if not tests:
        return
    yield f"- **{row.id}**"
    files: dict[str, list[str]] = defaultdict(list)
    for proof in tests:
        file, _, name = proof.test.partition("::")
        files[file] += [] if proof.kind == "U" else [name]
    for file, names in sorted(files.items()):
        yield f"  - `{file}`" + (f": {', '.join(sorted(set(names)))}" if names else "")


def _by_row(proofs: Iterable[Proof]) -> defaultdict[str, list[Proof]]:
    found: defaultdict[str, list[Proof]] = defaultdict(list)
    for proof in proofs:
        found[proof.requirement].append(proof)
    return found
