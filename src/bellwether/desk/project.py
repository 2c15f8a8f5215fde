"""The checkout the desk deploys from, and when its content last changed."""

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import DeskError

_INPUTS = ("src/bellwether", "infrastructure", "uv.lock", "package-lock.json", "cdk.json", "pyproject.toml")
_LEFT_OUT = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", "cdk.out", "node_modules"}


@dataclass(frozen=True)
class Project:
    """A checkout: `cdk.json`, `infrastructure/`, `package.json`, `web/`."""

    root: Path

    @classmethod
    def find(cls) -> "Project":
        """`$BELLWETHER_PROJECT`, or the checkout this package runs from, or the working directory's."""
        chosen = os.environ.get("BELLWETHER_PROJECT")
        candidates = [Path(chosen)] if chosen else [*Path(__file__).resolve().parents, Path.cwd()]
        for folder in candidates:
            if (folder / "cdk.json").is_file() and (folder / "package-lock.json").is_file():
                return cls(folder.absolute())
        raise DeskError(
            "no checkout found: run bellwether from a clone of its repository (`uv run bellwether up`)"
        )

    @property
    def web(self) -> Path | None:
        folder = self.root / "web"
        return folder if folder.is_dir() else None

    def fingerprint(self) -> str:
        """A hash over everything a deployment is made from, the Python version included."""
        digest = hashlib.sha256(sys.version.encode())
        for file in _files(self.root):
            digest.update(str(file.relative_to(self.root)).encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for name in _INPUTS:
        entry = root / name
        if entry.is_file():
            yield entry
            continue
        for file in sorted(entry.rglob("*")):
            hidden = _LEFT_OUT.intersection(file.relative_to(root).parts) or file.suffix == ".pyc"
            if file.is_file() and not hidden:
                yield file
