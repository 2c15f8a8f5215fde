"""Signals with the fields a test cares about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bellwether.domain.decay import expiry
from bellwether.domain.signals import Signal

DAY = "20261120"
START = datetime(2026, 11, 20, tzinfo=UTC)


def signal(minute: float = 0.0, *, name: str | None = None, age_hours: float = 0.0, **fields: Any) -> Signal:
    """A signal known `minute` minutes into the day about something `age_hours` older."""
    observed = START + timedelta(minutes=minute)
    event = observed - timedelta(hours=age_hours)
    name = name or f"x-{minute:09.3f}"
    half_life = fields.pop("half_life", 24.0)
    return Signal(
        **{
            "asset": "BEACON",
            "agent_id": "sentiment",
            "agent_version": 0,
            "item_ids": (name,),
            "event_time": event,
            "observed_time": observed,
            "horizon": 1,
            "p_up": 0.55,
            "quality": 1.0,
            "half_life": half_life,
            "expires_at": expiry(event, half_life),
            "input_hash": "0" * 64,
            "rationale": "",
            "cluster_id": f"w-{name}",
            "author": f"author-{name}",
            **fields,
        }
    )
