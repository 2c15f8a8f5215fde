"""Every stage's templates, as somebody has read them.

After a deliberate change of any template, this makes all reviewed files anew (these and the list of
differences); read what changed in them before committing it:

    BELLWETHER_UPDATE=1 uv run pytest tests/infrastructure/test_snapshots.py \\
        tests/infrastructure/test_differences.py
"""

import os
from pathlib import Path

import pytest

from tests.infrastructure.snapshot_text import masked, text_of
from tests.infrastructure.synthesis import Synthesis

SNAPSHOTS = Path(__file__).with_name("snapshots")


def reviewed(stage: str) -> dict[str, str]:
    """The files of a stage by stack."""
    return {path.stem: path.read_text() for path in sorted((SNAPSHOTS / stage).glob("*.json"))}


def write(stage: str, found: dict[str, str]) -> None:
    folder = SNAPSHOTS / stage
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        if path.stem not in found:
            path.unlink()
    for stack, text in found.items():
        (folder / f"{stack}.json").write_text(text)


@pytest.mark.req("O1")
@pytest.mark.parametrize("stage", ["local", "staging", "production"])
def test_templates_are_as_reviewed(stage: str, request: pytest.FixtureRequest) -> None:
    synthesis: Synthesis = request.getfixturevalue(stage)
    found = {name: text_of(masked(template)) + "\n" for name, template in synthesis.templates.items()}
    if os.environ.get("BELLWETHER_UPDATE"):
        write(stage, found)
    known = reviewed(stage)
    assert sorted(found) == sorted(known)
    for stack, text in found.items():
        assert text.splitlines() == known[stack].splitlines(), f"{stage}/{stack} differs from what was read"
