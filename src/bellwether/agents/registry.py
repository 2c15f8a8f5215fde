"""The built-in agents and the configuration they have until the table `agents_config` holds another.

Every slope here is a prior, not a finding: it bounds what an agent may claim before its own outcomes resolve,
and its reliability decides how little of that counts. Both fade as outcomes come in (see
`domain.reliability`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from bellwether.agents import attention, momentum
from bellwether.domain.agents_config import AgentConfig

SENTIMENT = "sentiment"
LLM = "llm"
ATTENTION = attention.AGENT_ID
MOMENTUM = momentum.AGENT_ID
ON_REQUEST = frozenset({LLM})
"""Agents that work only where the owner gave a key: nobody is told that such a one has nothing to say."""

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)

DEFAULTS: Mapping[str, AgentConfig] = {
    SENTIMENT: AgentConfig(
        agent_id=SENTIMENT,
        version=0,
        created_at=_ALWAYS,
        half_life=24.0,
        prior_slope=0.33,
        prior_reliability=0.3,
        reason=(
            "a wholly positive reading may claim 58.2 % (log-odds 0.33), the best published accuracy of "
            "next-day direction from posts (StockNet 2018); three tenths of that count until outcomes resolve"
        ),
    ),
    LLM: AgentConfig(
        agent_id=LLM,
        version=0,
        created_at=_ALWAYS,
        half_life=24.0,
        prior_slope=0.33,
        prior_reliability=0.05,
        reason=(
            "a wholly positive reading may claim as much as the text model's (StockNet 2018); published "
            "tests of language models reach into what they were trained on: next to nothing counts "
            "until it is learned"
        ),
    ),
    ATTENTION: AgentConfig(
        agent_id=ATTENTION,
        version=0,
        created_at=_ALWAYS,
        half_life=24.0,
        prior_slope=0.02,
        prior_reliability=0.05,
        reason="price pressure after attention (Da, Engelberg & Gao 2011), next to nothing until learned",
    ),
    MOMENTUM: AgentConfig(
        agent_id=MOMENTUM,
        version=0,
        created_at=_ALWAYS,
        half_life=120.0,
        prior_slope=0.03,
        prior_reliability=0.05,
        reason="time-series momentum is measured over months, a day of it is next to nothing until learned",
    ),
}


def default_config(agent_id: str) -> AgentConfig:
    """The configuration of an agent the table does not know; a plug-in's is as cautious as `AgentConfig`
    says.
    """
    return DEFAULTS.get(agent_id) or AgentConfig(agent_id=agent_id, version=0, created_at=_ALWAYS)


def with_defaults(configs: Mapping[str, AgentConfig]) -> dict[str, AgentConfig]:
    """Configurations by agent, the built-in ones filled in where the table has none."""
    return {**DEFAULTS, **configs}
