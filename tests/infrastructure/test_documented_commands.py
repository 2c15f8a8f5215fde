"""Every command a document tells people to type is one the command line has."""

import re
import shlex
from pathlib import Path

import pytest

from tests.infrastructure.synthesis import ROOT
from tests.infrastructure.test_observability import check_command

# The table of requirements also names commands that are still to come, and says so.
PAGES = [
    ROOT / "README.md",
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if page.name != "requirements.md"),
]
IN_A_LINE = re.compile(r"`(?:uv run )?bellwether ([a-z][^`\n]*)`")
IN_A_BLOCK = re.compile(r"^(?:\$ |uv run )+bellwether ([a-z][^#|\n]*)", re.MULTILINE)


def commands(page: Path) -> list[str]:
    text = page.read_text()
    found = [*IN_A_LINE.findall(text), *IN_A_BLOCK.findall(text)]
    return [part for command in found for part in command.split(" && ")[:1]]


def test_the_documents_tell_commands() -> None:
    assert sum(len(commands(page)) for page in PAGES) > 100


@pytest.mark.req("O4")
@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=lambda p: str(p.relative_to(ROOT)))
def test_what_a_document_tells_to_type_exists(page: Path) -> None:
    for command in commands(page):
        check_command([word for word in shlex.split(command) if word != "…"])


@pytest.mark.parametrize(
    "command", ["status --stage production", "conquer the-market", "synth local staging"]
)
def test_a_command_there_is_not_would_be_seen(command: str) -> None:
    with pytest.raises(AssertionError):
        check_command(command.split())
