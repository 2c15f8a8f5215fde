"""The dashboard's static files."""

import asyncio
import hashlib
import mimetypes
from pathlib import Path
from urllib.parse import unquote

from .replies import reply
from .types import Send

_SECURITY = {
    "content-security-policy": (
        "default-src 'self'; connect-src 'self' ws://127.0.0.1:* ws://localhost:*; img-src 'self' data:; "
        "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}


class Site:
    """Serves files below one folder and nothing else."""

    def __init__(self, folder: Path | None) -> None:
        self._root = folder.resolve() if folder else None

    def find(self, path: str) -> Path | None:
        """The file a URL path names, or None. Hidden files and paths out of the folder name nothing."""
        if self._root is None or "\x00" in path:
            return None
        parts = [part for part in unquote(path).split("/") if part]
        if any(part.startswith(".") for part in parts):
            return None
        candidate = self._root.joinpath(*parts).resolve()
        if candidate.is_dir():
            candidate = candidate / "index.html"
        if not candidate.is_relative_to(self._root) or not candidate.is_file():
            return None
        return candidate

    async def serve(self, send: Send, file: Path, method: str, if_none_match: str | None) -> None:
        """Answer with a file; unchanged files cost a 304."""
        content = await asyncio.to_thread(file.read_bytes)
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {**_SECURITY, "etag": etag, "cache-control": "no-cache"}
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        if kind.startswith("text/") or kind in ("application/javascript", "application/json"):
            kind += "; charset=utf-8"
        if if_none_match == etag:
            await reply(send, 304, b"", kind, headers)
            return
        if method == "HEAD":
            headers["content-length"] = str(len(content))
            content = b""
        await reply(send, 200, content, kind, headers)
