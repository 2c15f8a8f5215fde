"""The operator's secrets of a stage: which members each has; read and written as the owner."""

from collections.abc import Mapping
from typing import Any

import msgspec

from bellwether.adapters.providers.terms import TERMS
from bellwether.cli.failures import Failure, WrongUse
from bellwether.cli.owner import aws_failure, owner_client
from bellwether.cli.stage import Stage

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
EXTRA: Mapping[str, tuple[str, ...]] = {
    "providers": ("user_agent",),
    "openai": ("base_url", "model"),
    "prices": ("alphavantage_key",),
}
"""Members no provider's terms name."""


def members_of(name: str) -> tuple[str, ...]:
    """The members a secret may have. Raises `WrongUse` for a name that is none."""
    found = dict.fromkeys(EXTRA.get(name, ()))
    for terms in TERMS.values():
        if terms.secret == name:
            found |= dict.fromkeys((*terms.needs, *terms.wants))
    if not found:
        raise WrongUse(f"{name} is no secret of the operator's; they are {', '.join(secret_names())}.")
    return tuple(found)


def secret_names() -> list[str]:
    """The operator's secrets."""
    return sorted({terms.secret for terms in TERMS.values() if terms.secret} | set(EXTRA))


def needed(name: str) -> tuple[str, ...]:
    """Members without which a provider is off."""
    return tuple(dict.fromkeys(member for t in TERMS.values() if t.secret == name for member in t.needs))


class SecretDocuments:
    """Secrets of a stage as JSON objects of members. AWS errors become failures."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._client = owner_client(stage, "secretsmanager")

    def read(self, name: str, version: str = CURRENT) -> dict[str, str]:
        """The members and their values; what the deployment put there itself is left out."""
        told = self._call("get_secret_value", SecretId=self._arn(name), VersionStage=version)["SecretString"]
        try:
            document = msgspec.json.decode(told, type=dict[str, Any])
        except msgspec.DecodeError:
            raise Failure(
                f"the secret {name} is not a JSON object", hint=f"bellwether secrets set {name} …"
            ) from None
        return {member: str(value) for member, value in document.items() if member != "_"}

    def write(self, name: str, members: Mapping[str, str]) -> None:
        """Replaces the secret by these members; the version before stays readable as the previous one."""
        text = msgspec.json.encode(dict(sorted(members.items()))).decode()
        self._call("put_secret_value", SecretId=self._arn(name), SecretString=text)

    def has_previous(self, name: str) -> bool:
        """Whether there is a version to go back to."""
        versions = self._call("describe_secret", SecretId=self._arn(name)).get("VersionIdsToStages", {})
        return any(PREVIOUS in stages for stages in versions.values())

    def _arn(self, name: str) -> str:
        members_of(name)
        return self._stage.output(f"{name}_secret_arn")

    def _call(self, operation: str, **asked: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, operation)(**asked)
        except (BotoCoreError, ClientError) as fault:
            raise aws_failure(fault, self._stage) from None
