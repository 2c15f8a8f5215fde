"""What the ledger keeps of an owner's change, field by field."""

import msgspec
import pytest
from msgspec import structs

from bellwether.agents.registry import default_config
from bellwether.domain.configuration import (
    CHANGE,
    Switch,
    agent_configured,
    controls_configured,
    switched_controls,
)
from bellwether.domain.ledger import content_hash

pytestmark = pytest.mark.req("A7")


@pytest.mark.parametrize(
    ("switch", "state", "thrown"),
    [("halt", "HALTED", True), ("reduce", "REDUCING", False), ("resume", "ACTIVE", False)],
)
def test_a_switch_says_what_state_the_desk_is_in_and_why(switch: Switch, state: str, thrown: bool) -> None:
    before = {"state": "HALTED", "kill_switch": True, "reason": "old", "limits": {"position": 0.05}}
    assert switched_controls(before, switch, "a review") == {
        "state": state,
        "kill_switch": thrown,
        "reason": "a review",
        "limits": {"position": 0.05},
    }


def test_changed_controls_are_kept_with_who_changed_them_and_both_hashes() -> None:
    before, after = {"state": "ACTIVE"}, {"state": "HALTED"}
    made = controls_configured(before, after, version=7, action="halt", changed_by="ann", reason="a review")
    stored = {"state": "HALTED", CHANGE: {"action": "halt", "by": "ann", "reason": "a review"}}
    assert msgspec.to_builtins(made) == {
        "subject": "controls",
        "version": 7,
        "action": "halt",
        "changed_by": "ann",
        "reason": "a review",
        "before_hash": content_hash(before),
        "after_hash": content_hash(stored),
        "after": stored,
    }


def test_a_changed_agent_is_kept_with_both_hashes() -> None:
    before = default_config("sentiment")
    after = structs.replace(before, version=3, enabled=False, changed_by="ann")
    made = agent_configured(before, after, action="off", reason="a review")
    assert msgspec.to_builtins(made) == {
        "subject": "agent:sentiment",
        "version": 3,
        "action": "off",
        "changed_by": "ann",
        "reason": "a review",
        "before_hash": content_hash(before),
        "after_hash": content_hash(after),
        "after": msgspec.to_builtins(after),
    }
    assert made.before_hash != made.after_hash
