"""What makes an interrupted import resumable: one name for a run, kept until the run has ended well.

The keys of all its requests are made from the name, so a run that is started again after Ctrl-C or a crash
repeats its requests instead of making new ones, and what was done already is answered as it was the first
time. A later run of the same input has a name of its own and is told which items are duplicates.
"""

import hashlib
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

# First answers are kept for 24 hours; after that a name is of no use.
_GOOD_FOR_SECONDS = 20 * 3600


class ImportRun:
    """The run of an import of these inputs into this stage."""

    def __init__(self, folder: Path, stage: str, inputs: Sequence[str]) -> None:
        named = "\x00".join([stage, *(_place(name) for name in inputs)])
        self._path = folder / "imports" / hashlib.sha256(named.encode()).hexdigest()[:32]
        known = self._known()
        self.resumed = known is not None
        self.name = known or secrets.token_hex(16)
        if known is None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.write_text(self.name)

    def _known(self) -> str | None:
        try:
            if time.time() - self._path.stat().st_mtime > _GOOD_FOR_SECONDS:
                return None
            return self._path.read_text().strip() or None
        except OSError:
            return None

    def ended(self) -> None:
        """Everything was answered: the next import of the same inputs is a new one."""
        self._path.unlink(missing_ok=True)


def _place(name: str) -> str:
    return name if name == "-" or "://" in name else str(Path(name).absolute())
