"""What happens at every sign-in: the token is told who its bearer is, a password that is too old is refused.

The user pool calls this before it makes tokens (version 2 of the trigger, which reaches access tokens) and
after a forgotten password was set anew. Cognito keeps no date of a password: it is kept here, as an attribute
only administrators and this function can write.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bellwether.domain.rights import GROUPS
from bellwether.handlers.api_function import Composed
from bellwether.handlers.clock import now
from bellwether.handlers.logs import describe_fault, logger
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Clock

PASSWORD_SET = "custom:password_set_at"  # noqa: S105  the name of an attribute
NAME_CLAIM = "desk_name"
LONGEST_NAME = 80
_SIGNS_IN = frozenset({"TokenGeneration_Authentication", "TokenGeneration_HostedAuth"})
_SETS_PASSWORD = frozenset({"TokenGeneration_NewPasswordChallenge", "PostConfirmation_ConfirmForgotPassword"})


class PasswordTooOld(Exception):
    """The pool shows its text to whoever signs in, after password and second factor were right."""

    def __init__(self, days: int) -> None:
        super().__init__(f"The password is older than {days} days: choose a new one with 'forgot password'.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    password_days: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """`mark` writes when a user's password was set: pool, user name, time."""

    stage: str
    password_days: int
    mark: Callable[[str, str, datetime], None]
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    return Parts(stage=settings.stage, password_days=int(settings.password_days), mark=mark_in_the_pool)


def mark_in_the_pool(pool_id: str, username: str, at: datetime) -> None:
    """Writes the attribute. The AWS client is imported here: most sign-ins never need it."""
    import boto3

    boto3.client("cognito-idp").admin_update_user_attributes(
        UserPoolId=pool_id,
        Username=username,
        UserAttributes=[{"Name": PASSWORD_SET, "Value": at.isoformat(timespec="seconds")}],
    )


def serve(event: dict[str, Any], parts: Parts) -> dict[str, Any]:
    """The event with its response filled in. Raises `PasswordTooOld`."""
    source = str(event.get("triggerSource"))
    attributes: Mapping[str, Any] = event["request"].get("userAttributes") or {}
    if source in _SETS_PASSWORD:
        keep(event, parts)
    elif source in _SIGNS_IN:
        set_at = time_of(attributes.get(PASSWORD_SET))
        if set_at is None:
            # a user of before this rule, or whose password an administrator set: the time begins now
            keep(event, parts)
        elif parts.clock() - set_at > timedelta(days=parts.password_days):
            raise PasswordTooOld(parts.password_days)
    if source.startswith("TokenGeneration_"):
        told = {"claimsToAddOrOverride": claims(event, parts.stage)}
        event["response"] = {
            "claimsAndScopeOverrideDetails": {"accessTokenGeneration": told, "idTokenGeneration": told}
        }
    return event


def claims(event: Mapping[str, Any], stage: str) -> dict[str, str]:
    """The user context: the name a person is shown by, the roles this desk knows, and the desk's stage."""
    request = event["request"]
    attributes = request.get("userAttributes") or {}
    groups = (request.get("groupConfiguration") or {}).get("groupsToOverride") or []
    name = " ".join(str(attributes.get("name") or event.get("userName") or "").split())
    return {
        NAME_CLAIM: name[:LONGEST_NAME],
        "desk_roles": " ".join(role for role in GROUPS if role in groups),
        "desk_stage": stage,
    }


def keep(event: Mapping[str, Any], parts: Parts) -> None:
    """Marks the password as set now; that it could not be must not keep anybody out."""
    try:
        parts.mark(str(event["userPoolId"]), str(event["userName"]), parts.clock())
    except Exception as fault:  # noqa: BLE001  the next sign-in tries again
        logger.error("the time of a password could not be kept", **describe_fault(fault))


def time_of(text: Any) -> datetime | None:
    try:
        told = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return told if told.tzinfo else None


class SignIn(Composed[Settings, Parts]):
    """The Lambda handler."""

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        return self.answer(event, context, self.parts)

    def answer(self, event: dict[str, Any], context: Any, parts: Parts) -> dict[str, Any]:
        """Answers one event with the parts given."""
        logger.set_correlation_id(str(getattr(context, "aws_request_id", "unknown")))
        try:
            answered = serve(event, parts)
        except PasswordTooOld:
            logger.warning("a password is too old", trigger=event.get("triggerSource"))
            raise
        logger.info("signed in", trigger=event.get("triggerSource"))
        return answered


handler = SignIn(Settings, compose)
