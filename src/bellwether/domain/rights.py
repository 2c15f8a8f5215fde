"""Who may do what: the one table the authorizer, the handlers and the documentation read."""

from typing import Literal

from msgspec import Struct

from bellwether.domain.problems import Forbidden

Role = Literal["viewer", "analyst", "approver", "admin", "machine"]
Action = Literal["read", "metrics", "ingest", "score", "propose", "risk", "evaluate", "decide", "configure"]

GROUPS: tuple[Role, ...] = ("viewer", "analyst", "approver", "admin")

# A machine is a caller with an API key instead of a person's token.
RIGHTS: dict[Role, frozenset[Action]] = {
    "viewer": frozenset({"read", "metrics"}),
    "analyst": frozenset({"read", "metrics", "ingest", "score", "propose", "risk", "evaluate"}),
    "approver": frozenset({"read", "metrics", "decide"}),
    "admin": frozenset({"read", "metrics", "configure"}),
    "machine": frozenset({"ingest", "metrics"}),
}

ROUTES: dict[tuple[str, str], Action] = {
    ("POST", "/ingest/social"): "ingest",
    ("POST", "/ingest/news"): "ingest",
    ("POST", "/score"): "score",
    ("POST", "/propose"): "propose",
    ("POST", "/risk/check"): "risk",
    ("POST", "/decision"): "decide",
    ("POST", "/evaluate"): "evaluate",
    ("GET", "/dashboard/summary"): "read",
    ("GET", "/dashboard/stream"): "read",
    ("GET", "/metrics"): "metrics",
}


class User(Struct, frozen=True, kw_only=True):
    """Who calls: `username` is the stable subject of the token (or the name of an API key).

    `name` is what a person is shown by. It is told, never written: records cannot forget.
    """

    username: str
    roles: tuple[Role, ...]
    name: str = ""

    def may(self, action: Action) -> bool:
        """Whether any of the user's roles has the right."""
        return any(action in RIGHTS[role] for role in self.roles)

    def require(self, action: Action) -> None:
        """Raises `Forbidden`, naming the right that is missing and who has it."""
        if not self.may(action):
            holders = ", ".join(role for role, rights in RIGHTS.items() if action in rights)
            raise Forbidden(f"this needs the right to {action}, which {holders} has")
