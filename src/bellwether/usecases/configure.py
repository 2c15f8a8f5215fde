"""What an owner changes by hand, ledger first: the desk's controls, an agent's version, on or off."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from bellwether.agents.registry import default_config
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.configuration import (
    CHANGE,
    CONTROLS,
    Action,
    Configured,
    agent_configured,
    configured_of,
    controls_configured,
)
from bellwether.domain.ledger import Entry
from bellwether.domain.limits import checked_controls
from bellwether.domain.problems import Conflict, InvalidInput
from bellwether.usecases.ports import AgentConfigs, Announcements, DeskControls, Ledger, Proposals
from bellwether.usecases.record import ATTEMPTS, Recorder

Versions = Sequence[AgentConfig]


class Change(Struct, frozen=True, kw_only=True):
    """A change that was made: its record, the values before it, and its place in the ledger."""

    record: Configured
    before: dict[str, Any]
    sequence: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Configure:
    """The owner's commands. Each change is one ledger entry, and in its table before it is reported."""

    ledger: Ledger
    proposals: Proposals
    announce: Announcements
    controls: DeskControls
    configs: AgentConfigs

    def change_controls(
        self,
        change: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        *,
        action: Action,
        changed_by: str,
        reason: str,
        now: datetime,
    ) -> Change:
        """Controls with `change` applied to the values stored now.

        Raises `InvalidInput` with the path of what is wrong with them, and for a blank reason, `Conflict`
        when other writers keep the ledger busy.
        """
        reason = said(reason)
        for _ in range(ATTEMPTS):
            head = self._caught_up()
            versions = self.controls.versions()
            before = versions[-1].controls if versions else {}
            after = {name: value for name, value in change(before).items() if name != CHANGE}
            checked_controls(after)
            record = controls_configured(
                before,
                after,
                version=versions[-1].version + 1 if versions else 1,
                action=action,
                changed_by=changed_by,
                reason=reason,
            )
            entry = self._appended(head, record, now)
            if entry is not None:
                self.controls.change(record.after, now, version=record.version)
                return Change(record=record, before=before, sequence=entry.sequence, at=now)
        raise busy()

    def change_agent(
        self,
        agent_id: str,
        change: Callable[[Versions], AgentConfig],
        *,
        action: Action,
        reason: str,
        now: datetime,
    ) -> Change:
        """The version `change` makes of all versions of an agent, the built-in one first. Raises as above."""
        reason = said(reason)
        for _ in range(ATTEMPTS):
            head = self._caught_up()
            versions = [default_config(agent_id), *self.configs.versions(agent_id)]
            before, after = versions[-1], change(versions)
            record = agent_configured(before, after, action=action, reason=reason)
            entry = self._appended(head, record, now)
            if entry is not None and self._put(after):
                before_values = msgspec.to_builtins(before)
                return Change(record=record, before=before_values, sequence=entry.sequence, at=now)
        raise busy()

    def _put(self, config: AgentConfig) -> bool:
        """False when an evaluation wrote another version of that number first: then all of it again."""
        try:
            self.configs.put(config)
        except Conflict:
            return config in self.configs.versions(config.agent_id)
        return True

    def _appended(self, head: Entry | None, record: Configured, now: datetime) -> Entry | None:
        return self._recorder.append(
            head, at=now, kind="configuration", subject=record.subject, record=record
        )

    def _caught_up(self) -> Entry | None:
        """The head of the ledger, its effect in the table: of owners who race the later sees the earlier."""
        head = self._recorder.caught_up()
        if head is not None and head.kind == "configuration":
            apply_configuration(head, self.controls, self.configs)
        return head

    @property
    def _recorder(self) -> Recorder:
        return Recorder(ledger=self.ledger, proposals=self.proposals, announce=self.announce)


def apply_configuration(entry: Entry, controls: DeskControls, configs: AgentConfigs) -> None:
    """Brings an entry's effect into its table; a version that exists there stays as it is."""
    record = configured_of(entry)
    if record.subject == CONTROLS:
        controls.change(record.after, entry.at, version=record.version)
        return
    with suppress(Conflict):
        configs.put(msgspec.convert(record.after, AgentConfig))


def said(reason: str) -> str:
    """The reason without blanks around it. Raises `InvalidInput` when nothing is left."""
    if not reason.strip():
        raise InvalidInput("a change needs a reason", path="$.reason")
    return reason.strip()


def busy() -> Conflict:
    """Nothing was changed, or another's change came first, again and again."""
    return Conflict(f"the ledger was busy {ATTEMPTS} times in a row, try again")
