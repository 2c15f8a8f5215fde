"""Which deployed API answers behind the product's fixed paths.

The deployer writes the file after each deployment; the port reads it again whenever it changes.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Routes:
    """Ids of the deployed APIs, and what a browser may know to sign in (no secrets)."""

    rest: tuple[str, str] | None = None
    """(REST API id, stage)"""
    socket: tuple[str, str] | None = None
    """(WebSocket API id, stage)"""
    public: dict[str, Any] = field(default_factory=dict)


class RoutesFile:
    """The routes file, read again when it was replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._routes = Routes()

    def read(self) -> Routes:
        """The current routes; empty before the first deployment."""
        try:
            status = self._path.stat()
        except OSError:
            return Routes()
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._routes = _parse(self._path)
            self._stamp = stamp
        return self._routes


def _parse(path: Path) -> Routes:
    document = json.loads(path.read_text())
    return Routes(
        rest=_target(document.get("rest")),
        socket=_target(document.get("socket")),
        public=document.get("public") or {},
    )


def _target(entry: dict[str, str] | None) -> tuple[str, str] | None:
    return (entry["api_id"], entry["stage"]) if entry else None
