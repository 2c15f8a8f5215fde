"""The documents' pictures: drawn from today's templates, and every one can be rendered."""

import fcntl
import json
import re
import subprocess
from pathlib import Path

import pytest

from bellwether.desk.home import Home
from bellwether.desk.tools import node_folder, node_modules
from infrastructure.pictures.assembly import Assembly, words
from infrastructure.pictures.costs import costs
from infrastructure.pictures.pages import DOCUMENTS, ROOT, drawn
from tests.infrastructure.synthesis import Synthesis

REDRAW = "uv run bellwether synth production && uv run python -m infrastructure.pictures.pages"
PICTURES = Path(__file__).with_name("pictures")
PICTURE = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def renderer(engine_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the script and its packages, which node looks for beside it."""
    root = tmp_path_factory.mktemp("pictures")
    (root / "tools").symlink_to(engine_tools, target_is_directory=True)
    with (engine_tools / "lock").open("w") as one_builder:
        fcntl.flock(one_builder, fcntl.LOCK_EX)
        modules = node_modules(Home.open(root), PICTURES, name="pictures")
        script = modules.parent / "render.mjs"
        script.write_text((PICTURES / "render.mjs").read_text())
    return script


@pytest.fixture(scope="module")
def assembly(production: Synthesis, assemblies: Path) -> Assembly:
    return Assembly.read(assemblies / "production", production.settings.prefix)


def rendered(script: Path, pictures: list[str]) -> list[dict[str, str]]:
    done = subprocess.run(
        [str(node_folder() / "node"), str(script)],
        input=json.dumps(pictures),
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    answers: list[dict[str, str]] = json.loads(done.stdout)
    return answers


@pytest.mark.req("O4")
def test_every_picture_of_the_documents_renders(renderer: Path) -> None:
    pages = [ROOT / "README.md", *sorted(DOCUMENTS.rglob("*.md"))]
    pictures = [(page, picture) for page in pages for picture in PICTURE.findall(page.read_text())]
    assert len(pictures) >= 3
    answers = rendered(renderer, [picture for _, picture in pictures])
    faults = [
        f"{page.relative_to(ROOT)}: {answer['fault']}"
        for (page, _), answer in zip(pictures, answers, strict=True)
        if "fault" in answer
    ]
    assert not faults
    assert all(answer["svg"].startswith("<svg") for answer in answers)


def test_a_picture_that_cannot_be_rendered_is_told(renderer: Path) -> None:
    broken, sound = rendered(renderer, ["flowchart LR\n A[ --> B", "flowchart LR\n A --> B"])
    assert "Parse error" in broken["fault"]
    assert sound["svg"].count("<path") >= 1


@pytest.mark.req("O4")
def test_drawings_are_of_todays_templates(assembly: Assembly) -> None:
    drawings = 0
    for page in sorted(DOCUMENTS.rglob("*.md")):
        text = page.read_text()
        drawings += text.count("<!-- drawn: ")
        assert drawn(text, assembly) == text, f"{page.name}: {REDRAW}"
    assert drawings >= 4


def test_a_drawing_nobody_can_make_is_refused(assembly: Assembly) -> None:
    with pytest.raises(KeyError):
        drawn("<!-- drawn: horoscope -->\n<!-- /drawn -->", assembly)


@pytest.mark.parametrize(
    ("logical_id", "said"),
    [
        ("FailedRuns6F7FC7C6", "failed runs"),
        ("TablesAssetState01CEBBD5", "tables asset state"),
        ("IngestQueue95F6DB49", "ingest queue"),
    ],
)
def test_a_logical_id_in_words(logical_id: str, said: str) -> None:
    assert words(logical_id) == said


def test_standing_costs_are_summed(assembly: Assembly) -> None:
    rows = [line.strip("| ").split(" | ") for line in costs(assembly).splitlines()]
    dollars = {row[0]: float(row[2]) for row in rows[2:-3]}
    # by hand: two gateways of 0.052 USD an hour, and a key a dollar
    assert dollars["NAT gateways"] == pytest.approx(2 * 0.052 * 730, abs=0.01)
    keys = sum(1 for _ in assembly.resources("AWS::KMS::Key"))
    assert dollars["keys (a dollar more after each of the first two rotations)"] == keys
    assert float(rows[-3][2].strip("* ")) == pytest.approx(sum(dollars.values()), abs=0.005)
