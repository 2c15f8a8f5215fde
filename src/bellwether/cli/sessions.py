"""Who is logged in: tokens by stage and role, in files only their owner can read."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

EXPIRY_MARGIN_SECONDS = 30.0


class Session(Struct, kw_only=True):
    """One login. `expires_at` is Unix time; `token` is the access token that is sent."""

    name: str
    username: str
    token: str
    refresh_token: str | None
    expires_at: float

    def fresh(self, now: float | None = None) -> bool:
        """Whether the token is good for a while yet."""
        return self.expires_at - EXPIRY_MARGIN_SECONDS > (time.time() if now is None else now)


class Book(Struct, kw_only=True):
    """All logins of one stage; `current` is the last one made, which commands use."""

    current: str | None = None
    sessions: dict[str, Session] = {}


class Sessions:
    """The login book of one stage (`HOME/tokens/STAGE.json`, mode 0600)."""

    def __init__(self, folder: Path, stage: str) -> None:
        self._path = folder / "tokens" / f"{stage}.json"

    def read(self) -> Book:
        """The book; empty when there is none or it cannot be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Book)
        except (OSError, msgspec.DecodeError):
            return Book()

    def keep(self, session: Session, *, current: bool) -> None:
        """Writes a login, as the one commands use from now on if `current`."""
        book = self.read()
        book.sessions[session.name] = session
        if current or book.current not in book.sessions:
            book.current = session.name
        self._write(book)

    def forget(self, name: str | None) -> list[str]:
        """Forgets one login, or all; returns the names."""
        book = self.read()
        gone = [known for known in book.sessions if name in {None, known}]
        for known in gone:
            del book.sessions[known]
        if book.current in gone:
            book.current = next(iter(book.sessions), None)
        self._write(book)
        return gone

    def _write(self, book: Book) -> None:
        from bellwether.desk.home import write_private

        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self._path, msgspec.to_builtins(book))


def session_of(name: str, username: str, result: Mapping[str, Any], refresh_token: str | None) -> Session:
    """A session from Cognito's AuthenticationResult (a refresh answers without a new refresh token)."""
    return Session(
        name=name,
        username=username,
        token=str(result["AccessToken"]),
        refresh_token=result.get("RefreshToken") or refresh_token,
        expires_at=time.time() + float(result.get("ExpiresIn", 3600)),
    )
