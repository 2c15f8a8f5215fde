"""Where a desk keeps everything: one folder, owner-only, safe to delete while the desk is down."""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import DeskError

NEEDED_BYTES = 1_200_000_000
"""Free space a first start needs: engine environment, build tool, assets and state."""
LOW_BYTES = 200_000_000
"""Below this a desk that is already built refuses to start rather than fail in the middle of a write."""


def default_home() -> Path:
    """`$BELLWETHER_HOME`, or the platform's folder for a user's application data."""
    chosen = os.environ.get("BELLWETHER_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    user = Path.home()
    if sys.platform == "darwin":
        return user / "Library" / "Application Support" / "bellwether"
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else user / ".local" / "share") / "bellwether"


@dataclass(frozen=True)
class Home:
    """The folder's layout. Nothing outside this module spells a path below it."""

    root: Path

    @classmethod
    def open(cls, root: Path | None = None) -> "Home":
        """The home folder, created owner-only when missing."""
        home = cls((root or default_home()).absolute())
        try:
            home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            home.root.chmod(0o700)
            for folder in (home.tools, home.state, home.logs):
                folder.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise DeskError(
                f"cannot use {home.root}: {error.strerror}. Set BELLWETHER_HOME to a folder you own."
            ) from error
        return home

    @property
    def tools(self) -> Path:
        return self.root / "tools"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def objects(self) -> Path:
        return self.state / "objects"

    @property
    def scratch(self) -> Path:
        return self.root / "scratch"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def engine_log(self) -> Path:
        return self.logs / "engine.log"

    @property
    def deploy_log(self) -> Path:
        return self.logs / "deploy.log"

    @property
    def desk_log(self) -> Path:
        return self.logs / "desk.log"

    @property
    def lock(self) -> Path:
        return self.root / "desk.lock"

    @property
    def running(self) -> Path:
        return self.root / "running.json"

    @property
    def routes(self) -> Path:
        return self.root / "routes.json"

    @property
    def deployment(self) -> Path:
        return self.root / "deployment.json"

    @property
    def outputs(self) -> Path:
        return self.root / "infrastructure-outputs.json"

    @property
    def raw_outputs(self) -> Path:
        return self.root / "cdk-outputs.json"

    @property
    def assembly(self) -> Path:
        return self.root / "cdk.out"

    @property
    def credentials(self) -> Path:
        return self.root / "credentials"

    @property
    def imports(self) -> Path:
        """Names of interrupted imports (see `cli/import_runs.py`)."""
        return self.root / "imports"

    def require_space(self) -> None:
        """Refuse early when the disk is too full to finish what `up` begins."""
        free = shutil.disk_usage(self.root).free
        needed = LOW_BYTES if any(self.tools.glob("engine-*")) else NEEDED_BYTES
        if free < needed:
            raise DeskError(
                f"{self.root} has {free // 1_000_000} MB free; the desk needs {needed // 1_000_000} MB. "
                "Free some space or set BELLWETHER_HOME to another disk."
            )


def write_private(path: Path, document: Any) -> None:
    """Replace a JSON file in one step, readable by its owner only."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(document, file, indent=2)
        file.write("\n")
    part.replace(path)


def read_json(path: Path) -> Any:
    """A JSON file's document, or None when it is missing or was damaged by hand."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None
