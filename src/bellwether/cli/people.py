"""Whom the ids in records stand for, asked of the user pool by the desk's owner.

Records know people by the pool's `sub` alone, so that a person can be erased and the ledger stays whole. The
name is looked up when something is shown, and shown beside the id, never instead of it.
"""

import functools
import re
from collections.abc import Callable, Iterable
from typing import Any

from bellwether.cli.stage import find_stage

_SUB = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_BY = re.compile(rf"\bby ({_SUB})\b")

Find = Callable[[str], str | None]


def people_in(texts: Iterable[str]) -> list[str]:
    """The ids of those by whom something was done, in the order they first appear."""
    return list(dict.fromkeys(sub for text in texts for sub in _BY.findall(text)))


def names_of(subs: Iterable[str], find: Find) -> dict[str, str]:
    """Names by id, of those the pool still knows."""
    found = {sub: find(sub) for sub in subs}
    return {sub: name for sub, name in found.items() if name}


def with_names(text: str, names: dict[str, str]) -> str:
    """The text with each known name before the id it belongs to: `by Maria Meier (5e6f…)`."""
    return _BY.sub(lambda told: f"by {shown(told[1], names)}", text)


def shown(sub: str, names: dict[str, str]) -> str:
    """A person as shown: the name and the id, or the id alone."""
    return f"{names[sub]} ({sub})" if sub in names else sub


def finder(stage_name: str) -> Find:
    """Looks a name up in a stage's user pool, which is found when the first name is asked for.

    Gives `None` for who is not there, and for everybody when the pool does not answer the owner.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from bellwether.cli.failures import Failure
    from bellwether.cli.owner import owner_client

    @functools.cache
    def pool() -> tuple[Any, str]:
        stage = find_stage(stage_name)
        return owner_client(stage, "cognito-idp"), stage.output("UserPoolId", "UserPool")

    def find(sub: str) -> str | None:
        try:
            idp, pool_id = pool()
            users = idp.list_users(UserPoolId=pool_id, Filter=f'sub = "{sub}"', Limit=1)["Users"]
        except (BotoCoreError, ClientError, Failure):
            return None
        return display_name(users[0]) if users else None

    return find


def display_name(user: dict[str, Any]) -> str:
    """The person's name as the pool has it, else the user name."""
    attributes = {entry["Name"]: entry["Value"] for entry in user.get("Attributes", [])}
    return " ".join(str(attributes.get("name") or user["Username"]).split())
