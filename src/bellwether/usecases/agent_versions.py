"""Which configuration of an agent was in force at a moment."""

from collections.abc import Mapping
from datetime import datetime

from bellwether.agents.registry import ON_REQUEST, default_config, with_defaults
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.reliability import config_at
from bellwether.usecases.ports import AgentConfigs


def _version(config: AgentConfig) -> int:
    return config.version


class AgentVersions:
    """Configurations of all agents, read once; earlier versions are read only when an earlier moment asks."""

    def __init__(self, configs: AgentConfigs) -> None:
        self._configs = configs
        stored = configs.current()
        self.current: Mapping[str, AgentConfig] = with_defaults(stored)
        self._silent = ON_REQUEST - set(stored)
        self._versions: dict[str, list[AgentConfig]] = {}

    def at(self, agent_id: str, moment: datetime) -> AgentConfig:
        """The version in force at `moment`: nothing learned or changed later is in it."""
        current = self.current.get(agent_id) or default_config(agent_id)
        if current.created_at <= moment:
            return current
        if agent_id not in self._versions:
            self._versions[agent_id] = sorted(self._configs.versions(agent_id), key=_version)
        return config_at(self._versions[agent_id], moment, default_config(agent_id))

    def known(self) -> list[str]:
        """Ids of all configured and built-in agents, in order; without those that need a key of the owner's
        and of which nothing was ever written down."""
        return sorted(set(self.current) - self._silent)
