"""`bellwether agents`: what each agent is believed, and the way back from what it learned.

Written with the owner's credentials; every change is in the ledger.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwether.cli.failures import Failure
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import StageOption
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.learning import gone_back, switched
from bellwether.domain.reliability import reliability_of, slope_of, track_record_of

if TYPE_CHECKING:
    from bellwether.cli.owner import OwnerPorts
    from bellwether.domain.configuration import Action

agents = typer.Typer(help="What each agent is believed, and the way back.", no_args_is_help=True)

Agent = Annotated[str, typer.Argument(metavar="AGENT", help="Such as sentiment; see `agents list`.")]
Reason = Annotated[str, typer.Option(help="Why, for the ledger.")]
Versions = Sequence[AgentConfig]


@agents.command("list", epilog=examples("bellwether agents list"))
def list_(stage: StageOption = "local", json: JsonOption = False) -> None:
    """The version of each agent that is in force."""
    from bellwether.agents.registry import with_defaults
    from bellwether.cli import owner
    from bellwether.cli.agent_tables import agents_shown

    with owner.owner_ports(stage) as ports:
        known = with_defaults(ports.configs.current())
    lines = [line_of(config) for _, config in sorted(known.items())]
    Output(json=json).answer({"agents": lines}, *agents_shown(lines))


@agents.command(epilog=examples("bellwether agents history sentiment"))
def history(agent: Agent, stage: StageOption = "local", json: JsonOption = False) -> None:
    """All versions of an agent, newest first: what changed, when, why and by whom.

    Version 0 is what the product comes with. Without a name under "by" a version was learned.
    """
    from bellwether.cli import owner
    from bellwether.cli.agent_tables import history_shown

    with owner.owner_ports(stage) as ports:
        versions = versions_of(ports, agent)
    lines = [line_of(config) for config in reversed(versions)]
    Output(json=json).answer({"agent": agent, "versions": lines}, *history_shown(agent, lines))


@agents.command(epilog=examples('bellwether agents back sentiment 3 --reason "the feed was broken in May"'))
def back(
    agent: Agent,
    version: Annotated[int, typer.Argument(min=0, metavar="VERSION", help="See `agents history`.")],
    reason: Reason,
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Go back to what an agent was believed in an earlier version.

    It becomes the newest version; what was learned since stays in the history. The nightly evaluation goes
    on from it, one bounded step a day: what made you go back is still among the outcomes. Whether the agent
    is on stays as it is.
    """

    def change(versions: Versions, now: datetime, by: str) -> AgentConfig | None:
        if versions[-1].version == version:
            return None
        if version not in {known.version for known in versions}:
            raise Failure(
                f"There is no version {version} of {agent}.",
                title="Unknown version",
                hint=f"bellwether agents history {agent}",
            )
        return gone_back(versions, version, at=now, reason=reason.strip(), changed_by=by)

    change_agent(agent, change, action="back", reason=reason, stage=stage, json=json)


@agents.command(epilog=examples('bellwether agents off attention --reason "under review"'))
def off(agent: Agent, reason: Reason, stage: StageOption = "local", json: JsonOption = False) -> None:
    """Switch an agent off: it makes no signals and has no part in scores."""
    switch(agent, reason, enabled=False, stage=stage, json=json)


@agents.command(epilog=examples('bellwether agents on attention --reason "reviewed"'))
def on(agent: Agent, reason: Reason, stage: StageOption = "local", json: JsonOption = False) -> None:
    """Switch an agent on again, with what it was believed before."""
    switch(agent, reason, enabled=True, stage=stage, json=json)


def switch(agent: str, reason: str, *, enabled: bool, stage: str, json: bool) -> None:
    """Switches an agent on or off unless it is so already."""

    def change(versions: Versions, now: datetime, by: str) -> AgentConfig | None:
        if versions[-1].enabled == enabled:
            return None
        return switched(versions[-1], enabled=enabled, at=now, reason=reason.strip(), changed_by=by)

    change_agent(agent, change, action="on" if enabled else "off", reason=reason, stage=stage, json=json)


class _AsItIs(Exception):
    """There is nothing to change."""


def change_agent(
    agent: str,
    change: Callable[[Versions, datetime, str], AgentConfig | None],
    *,
    action: "Action",
    reason: str,
    stage: str,
    json: bool,
) -> None:
    """Makes a change and shows it; `change` gives `None` when the agent is so already."""
    from bellwether.cli import owner
    from bellwether.cli.agent_tables import change_shown

    now, by = datetime.now(UTC), owner.identity(stage)

    def made(versions: Versions) -> AgentConfig:
        if (config := change(versions, now, by)) is None:
            raise _AsItIs
        return config

    with owner.owner_changes(stage) as ports:
        before = versions_of(ports, agent)[-1]
        try:
            done = owner.configure(ports).change_agent(agent, made, action=action, reason=reason, now=now)
        except _AsItIs:
            done = None
        after = versions_of(ports, agent)[-1]
    document = {
        "agent": agent,
        "changed": done is not None,
        "before": line_of(before),
        "after": line_of(after),
        "ledger_entry": done.sequence if done else None,
    }
    Output(json=json).answer(document, *change_shown(document))


def versions_of(ports: "OwnerPorts", agent: str) -> list[AgentConfig]:
    """All versions of an agent, the built-in one first. Raises `Failure` for an agent nobody knows."""
    from bellwether.agents.registry import DEFAULTS, default_config

    versions = ports.configs.versions(agent)
    if not versions and agent not in DEFAULTS:
        raise Failure(f"There is no agent {agent}.", title="Unknown agent", hint="bellwether agents list")
    return [default_config(agent), *versions]


def line_of(config: AgentConfig) -> dict[str, Any]:
    """A version as it counts: what is learned where that is in force, else the prior."""
    return {
        "agent": config.agent_id,
        "version": config.version,
        "created_at": config.created_at if config.version else None,
        "on": config.enabled,
        "track_record": track_record_of(config),
        "reliability": reliability_of(config),
        "slope": slope_of(config),
        "resolved": config.resolved,
        "brier_skill": config.brier_skill,
        "changed_by": config.changed_by or None,
        "reason": config.reason,
    }
