"""From a stage and a role to a client of its API, with tokens that renew themselves."""

import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwether.cli.failures import Refused
from bellwether.cli.sessions import Session, Sessions
from bellwether.cli.stage import Stage, find_stage
from bellwether.domain.rights import GROUPS

if TYPE_CHECKING:
    from bellwether.cli.api import Api

ActAs = Annotated[
    str | None,
    typer.Option("--as", help="Act as this login instead of the last one made.", metavar="ROLE"),
]


def sessions_of(stage: Stage) -> Sessions:
    """The login book of a stage."""
    from bellwether.desk.home import default_home

    return Sessions(default_home(), stage.name)


def local_credentials(name: str) -> tuple[str, str] | None:
    """Username and password of one of the local desk's first users, from its owner-only file."""
    from bellwether.desk.home import Home, default_home, read_json

    document = read_json(Home(default_home()).credentials) or {}
    users: dict[str, Any] = document.get("users", document)
    entry = users.get(name)
    if not isinstance(entry, dict) or "password" not in entry:
        return None
    return str(entry.get("username", name)), str(entry["password"])


class StageTokens:
    """The token of one login: refreshed when it expires, and on the local desk signed in again when lost.

    Thread-safe: several senders may find the token expired at once; one of them renews it.
    """

    def __init__(self, stage: Stage, session: Session) -> None:
        self._stage = stage
        self._session = session
        self._lock = threading.Lock()

    def token(self) -> str:
        """A token that is good for a while yet. Raises `Refused`, `NotRunning`."""
        with self._lock:
            if not self._session.fresh():
                self._renew()
            return self._session.token

    def renew(self, refused: str) -> str:
        """Another token than the one the API refused."""
        with self._lock:
            if self._session.token == refused:
                self._renew()
            return self._session.token

    def _renew(self) -> None:
        from bellwether.cli.sign_in import UserPool

        pool = UserPool(self._stage)
        try:
            self._session = pool.refresh(self._session)
        except Refused:
            known = local_credentials(self._session.name) if self._stage.is_local else None
            if known is None:
                raise Refused(
                    f"The login of {self._session.username} has ended.",
                    title="Logged out",
                    hint=login_command(self._stage, self._session.name),
                ) from None
            self._session = pool.sign_in(self._session.name, *known, ask=_nobody)
        sessions_of(self._stage).keep(self._session, current=False)


def _nobody(what: str, _hidden: bool) -> str:
    raise Refused(f"The user pool asks for: {what}.", title="Logged out", hint="bellwether login")


def login_command(stage: Stage, role: str = "analyst") -> str:
    """The command that logs in to a stage."""
    return f"bellwether login --as {role}" if stage.is_local else f"bellwether login --stage {stage.name}"


def open_api(stage_name: str, act_as: str | None = None) -> "Api":
    """A client of the stage's API as the last login, or as `act_as`. Raises `Refused` without one."""
    from bellwether.cli.api import Api

    stage = find_stage(stage_name)
    return Api(stage.api_url, StageTokens(stage, session_for(stage, act_as)))


def session_for(stage: Stage, act_as: str | None) -> Session:
    """The login to use. On the local desk naming one of its roles is enough: its password is known there."""
    book = sessions_of(stage).read()
    name = act_as or book.current
    if name and (session := book.sessions.get(name)):
        return session
    if act_as and stage.is_local and (known := local_credentials(act_as)):
        from bellwether.cli.sign_in import UserPool

        session = UserPool(stage).sign_in(act_as, *known, ask=_nobody)
        sessions_of(stage).keep(session, current=False)
        return session
    if act_as and stage.is_local and act_as not in GROUPS:
        detail = f"There is no login {act_as}; the first users are {', '.join(GROUPS)}."
    else:
        detail = f"Nobody is logged in{f' as {act_as}' if act_as else ''}."
    raise Refused(detail, title="Not logged in", hint=login_command(stage, act_as or "analyst"))
