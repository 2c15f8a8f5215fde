"""The desk's first users: one for each group, with generated passwords kept in HOME (mode 0600)."""

import secrets
import string
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from .home import Home, read_json, write_private

ROLES = ("viewer", "analyst", "approver", "admin")

_LENGTH = 24
_SYMBOLS = "!#$%*+-=?@_"


def generated_password() -> str:
    """24 characters with at least one of each class the pool's policy asks for."""
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, _SYMBOLS)
    everything = "".join(classes)
    while True:
        password = "".join(secrets.choice(everything) for _ in range(_LENGTH))
        if all(any(character in group for character in password) for group in classes):
            return password


def saved_credentials(home: Home) -> dict[str, dict[str, str]]:
    """role -> {username, password} of this desk, for `login --as ROLE`; empty before the first `up`."""
    document = read_json(home.credentials) or {}
    users: dict[str, dict[str, str]] = document.get("users", {})
    return users


def ensure_users(home: Home, cognito: Any, pool: str) -> dict[str, dict[str, str | None]]:
    """Create what is missing of the four users.

    Returns role -> {username, password}; the password is set for a user this call created and None otherwise:
    a password is shown once, and read from HOME/credentials after that.
    """
    document = read_json(home.credentials) or {}
    known = document.get("users", {}) if document.get("user_pool_id") == pool else {}
    by_mail = "email" in cognito.describe_user_pool(UserPoolId=pool)["UserPool"].get("UsernameAttributes", [])
    shown: dict[str, dict[str, str | None]] = {}
    for role in ROLES:
        username = f"{role}@bellwether.invalid" if by_mail else role
        if role in known and _exists(cognito, pool, known[role]["username"]):
            shown[role] = {"username": known[role]["username"], "password": None}
            continue
        password = generated_password()
        known[role] = {"username": username, "password": password}
        # Written before the user exists: an interruption in between leaves a password that the next `up`
        # replaces, not a user nobody can sign in as.
        write_private(home.credentials, {"user_pool_id": pool, "users": known})
        _create(cognito, pool, role, username, password)
        shown[role] = {"username": username, "password": password}
    return shown


def with_passwords(
    home: Home, users: Mapping[str, Mapping[str, str | None]]
) -> dict[str, dict[str, str | None]]:
    """The same users with the passwords from HOME (`up --show-passwords`)."""
    saved = saved_credentials(home)
    return {
        role: {**user, "password": user["password"] or saved.get(role, {}).get("password")}
        for role, user in users.items()
    }


def _exists(cognito: Any, pool: str, username: str) -> bool:
    try:
        user = cognito.admin_get_user(UserPoolId=pool, Username=username)
    except ClientError as error:
        if error.response["Error"]["Code"] == "UserNotFoundException":
            return False
        raise
    groups = cognito.admin_list_groups_for_user(UserPoolId=pool, Username=username)["Groups"]
    return user["UserStatus"] == "CONFIRMED" and bool(groups)


def _create(cognito: Any, pool: str, role: str, username: str, password: str) -> None:
    attributes = [
        {"Name": "email", "Value": f"{role}@bellwether.invalid"},
        {"Name": "email_verified", "Value": "true"},
    ]
    try:
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=username,
            UserAttributes=attributes,
            # The engine would make one up that ignores the pool's own policy, and then refuse it.
            TemporaryPassword=password,
            MessageAction="SUPPRESS",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "UsernameExistsException":
            raise
    cognito.admin_set_user_password(UserPoolId=pool, Username=username, Password=password, Permanent=True)
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=username, GroupName=role)
