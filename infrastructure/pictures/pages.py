"""Puts the drawings into the documents that ask for them.

    uv run bellwether synth production && uv run python -m infrastructure.pictures.pages

A document asks with `<!-- drawn: NAME -->`; what stands from there to `<!-- /drawn -->` is replaced.
"""

import re
import sys
from pathlib import Path

from infrastructure.pictures.assembly import Assembly
from infrastructure.pictures.drawings import DRAWINGS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ROOT / "docs"
_PLACE = re.compile(r"<!-- drawn: (\w+) -->\n.*?<!-- /drawn -->", re.DOTALL)


def drawn(text: str, assembly: Assembly) -> str:
    """The text with its drawings as the assembly has them. Raises `KeyError` for one nobody can draw."""

    def replaced(found: re.Match[str]) -> str:
        name = found[1]
        return f"<!-- drawn: {name} -->\n{DRAWINGS[name](assembly)}\n<!-- /drawn -->"

    return _PLACE.sub(replaced, text)


def main() -> int:
    """Redraws every document from the synthesized production stage; says which changed."""
    folder = ROOT / "cdk.out" / "production"
    if not (folder / "manifest.json").is_file():
        print("nothing is synthesized: uv run bellwether synth production", file=sys.stderr)
        return 1
    assembly = Assembly.read(folder, "bellwether-production")
    for path in sorted(DOCUMENTS.rglob("*.md")):
        before = path.read_text()
        after = drawn(before, assembly)
        if after != before:
            path.write_text(after)
            print(f"redrawn: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
