"""What an owner changes by hand, as the ledger records it: the desk's controls, an agent's configuration."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.ledger import Entry, content_hash
from bellwether.domain.proposals import DeskState

Action = Literal["set", "halt", "reduce", "resume", "back", "off", "on"]
Switch = Literal["halt", "reduce", "resume"]

CONTROLS = "controls"
CHANGE = "change"
"""Where the stored controls keep who changed them, how and why."""

_STATES: Mapping[Switch, DeskState] = {"halt": "HALTED", "reduce": "REDUCING", "resume": "ACTIVE"}


class Configured(Struct, frozen=True, kw_only=True):
    """What one ledger entry of kind `configuration` holds.

    `subject` is `controls` or `agent:<id>`, `after` all values of its new `version` as plain JSON; the hashes
    are those of the values before and after (see `domain.ledger.content_hash`).
    """

    subject: str
    version: int
    action: Action
    changed_by: str
    reason: str
    before_hash: str
    after_hash: str
    after: dict[str, Any]


def configured_of(entry: Entry) -> Configured:
    """The record an entry carries. Raises `msgspec.ValidationError`."""
    return msgspec.convert(entry.body, Configured)


def subject_of(agent_id: str) -> str:
    """What a change of an agent's configuration is filed under."""
    return f"agent:{agent_id}"


def switched_controls(values: Mapping[str, Any], switch: Switch, reason: str) -> dict[str, Any]:
    """Stored controls with the desk halted, reducing or active again; everything else stays."""
    return {**values, "state": _STATES[switch], "kill_switch": switch == "halt", "reason": reason}


def controls_configured(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    version: int,
    action: Action,
    changed_by: str,
    reason: str,
) -> Configured:
    """The record of changed controls; who changed them and why is stored with them."""
    change = {"action": action, "by": changed_by, "reason": reason}
    stored = {**after, CHANGE: change}
    return Configured(
        subject=CONTROLS,
        version=version,
        action=action,
        changed_by=changed_by,
        reason=reason,
        before_hash=content_hash(before),
        after_hash=content_hash(stored),
        after=stored,
    )


def agent_configured(before: AgentConfig, after: AgentConfig, *, action: Action, reason: str) -> Configured:
    """The record of a version of an agent's configuration that an owner made."""
    return Configured(
        subject=subject_of(after.agent_id),
        version=after.version,
        action=action,
        changed_by=after.changed_by,
        reason=reason,
        before_hash=content_hash(before),
        after_hash=content_hash(after),
        after=msgspec.to_builtins(after),
    )
