"""One step of a rotation of a machine's API key, as Secrets Manager asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bellwether.adapters.aws.client_keys import ClientKeys
from bellwether.adapters.composition import Composition
from bellwether.domain.problems import InvalidInput
from bellwether.handlers.scheduled_function import ScheduledFunction
from bellwether.handlers.settings import FunctionSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    api_clients_secret_arn: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    keys: ClientKeys


def compose(settings: Settings) -> Parts:
    return Parts(keys=ClientKeys(Composition().clients.secrets(), settings.api_clients_secret_arn))


def rotate(event: Mapping[str, Any], parts: Parts, _seconds: float) -> dict[str, Any]:
    """Takes the step the event names. Raises `InvalidInput` for a step there is not."""
    step = parts.keys.steps.get(str(event.get("Step")))
    if step is None:
        raise InvalidInput("a rotation has no such step")
    step(str(event["SecretId"]), str(event["ClientRequestToken"]))
    return {"step": event["Step"]}


handler = ScheduledFunction(Settings, compose, rotate)
