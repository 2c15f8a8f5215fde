"""`halt`, `reduce`, `resume`, `controls` and `agents`: what an owner types, and what is kept of it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from bellwether.adapters.memory import MemoryPorts
from bellwether.agents.registry import default_config
from bellwether.cli import owner
from bellwether.cli.controls import trading
from bellwether.cli.failures import NotRunning
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.configuration import configured_of
from bellwether.domain.limits import read_controls
from tests.unit.cli.conftest import Done

Typed = Callable[..., Done]
LEARNED_AT = datetime(2026, 10, 1, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner at the keyboard."""
    monkeypatch.setattr("getpass.getuser", lambda: "ann")


def learned(ports: MemoryPorts, count: int = 3) -> list[AgentConfig]:
    """Versions the sentiment agent learned, a day apart."""
    made = [
        structs.replace(
            default_config("sentiment"),
            version=n,
            created_at=LEARNED_AT + timedelta(days=n),
            resolved=250,
            brier_skill=0.02 * n,
            reliability=0.2 + 0.05 * n,
            slope=0.1 * n,
            reason=f"night {n}",
        )
        for n in range(1, count + 1)
    ]
    for config in made:
        ports.configs.put(config)
    return made


@pytest.mark.parametrize(
    ("command", "state", "words"),
    [
        ("halt", "HALTED", "every approval is denied"),
        ("reduce", "REDUCING", "shrink a position"),
        ("resume", "ACTIVE", "pass within the limits"),
    ],
)
def test_the_switch_is_thrown_kept_and_explained(
    typed: Typed, ports: MemoryPorts, kept: list[str], command: str, state: str, words: str
) -> None:
    ports.controls.change({"state": "REDUCING", "limits": {"position": 0.02}}, LEARNED_AT)
    done = typed(command, "--reason", "drill [1]")
    assert done.code == 0
    assert state in done.out
    assert words in done.out
    assert "drill [1], by owner ann" in done.out
    controls = read_controls(ports.controls.controls())
    assert (controls.desk_state, controls.kill_switch) == (state, command == "halt")
    assert controls.limits.position == 0.02
    assert kept == ["local"], "what is reported as done survives a kill"
    told = typed(command, "--reason", "again", "--json").document
    assert (told["state"], told["state_before"], told["changed_by"]) == (state, state, "owner ann")
    assert told["version"] == 3
    assert [e.kind for e in ports.ledger.entries()] == ["configuration"] * 2


@pytest.mark.parametrize("command", ["halt", "reduce", "resume"])
def test_a_switch_needs_a_reason(typed: Typed, ports: MemoryPorts, command: str) -> None:
    assert typed(command).code == 2
    done = typed(command, "--reason", " ", "--json")
    assert done.code == 2
    assert "reason" in done.document["error"]["detail"]
    assert ports.controls.versions() == []


def test_controls_that_cannot_be_read_are_named_and_put_right(typed: Typed, ports: MemoryPorts) -> None:
    ports.controls.change({"limits": {"position": 3}}, LEARNED_AT)
    refused = typed("resume", "--reason", "go on", "--json")
    assert refused.code == 4
    assert "$.limits.position" in refused.document["error"]["detail"]
    assert typed("controls", "show", "--json").document["state"] == "HALTED"
    assert typed("controls", "set", "limits.position=default", "--reason", "mended").code == 0
    assert typed("controls", "show", "--json").document["state"] == "ACTIVE"


def test_settings_change_with_before_and_after(typed: Typed, ports: MemoryPorts, tmp_path: Path) -> None:
    file = tmp_path / "limits.json"
    file.write_text(json.dumps({"limits": {"position": 0.03, "var_days": 250}, "costs": {"impact": 0.7}}))
    dry = typed("controls", "set", "--file", str(file), "--reason", "x", "--dry-run", "--json").document
    assert [(d["name"], d["before"], d["after"]) for d in dry["changed"]] == [
        ("limits.position", 0.05, 0.03),
        ("limits.var_days", 500, 250),
        ("costs.impact", 0.5, 0.7),
    ]
    assert ports.controls.versions() == []
    done = typed(
        *("controls", "set", "short_selling=false", "limits.position=0.02", "--file", str(file)),
        *("--reason", "smaller for the summer"),
    )
    assert done.code == 0
    assert "limits.position" in done.out
    assert "0.05" in done.out
    controls = read_controls(ports.controls.controls())
    assert (controls.limits.position, controls.limits.var_days) == (0.02, 250), "arguments win"
    assert controls.sizing.short_selling is False
    shown = typed("controls", "show", "--json").document
    by_name = {one["name"]: one for one in shown["settings"]}
    assert by_name["limits.position"] == {
        "name": "limits.position",
        "value": 0.02,
        "default": 0.05,
        "may_be": "number ≥ 0 and ≤ 1",
    }
    assert (shown["changed_by"], shown["reason"]) == ("owner ann", "smaller for the summer")
    assert "smaller for the summer" in typed("controls", "show").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["limits.position=7"], "$.limits.position"),
        (["limits.position=7"], "number ≥ 0 and ≤ 1"),
        (["position=NaN"], "number ≥ 0 and ≤ 1"),
        (["gross_exposure=1e999"], "number ≥ 0"),
        (["state=ACTIVE"], "no setting 'state'"),
        (["limits.postion=0.1"], "did you mean limits.position"),
        (["limits.position"], "KEY=VALUE"),
        ([], "KEY=VALUE"),
        (["--file", "missing.json"], "missing.json"),
    ],
)
def test_what_cannot_be_set_says_where_and_what_may_be(
    typed: Typed, ports: MemoryPorts, arguments: list[str], words: str
) -> None:
    done = typed("controls", "set", *arguments, "--reason", "x")
    assert done.code == 2
    assert words in done.err
    assert ports.controls.versions() == []


def test_a_file_that_is_none_is_wrong_use(typed: Typed, ports: MemoryPorts, tmp_path: Path) -> None:
    for content in ("{", '{"limits": 3}', '{"limits": {"positions": 1}}'):
        (tmp_path / "f.json").write_text(content)
        assert typed("controls", "set", "--file", str(tmp_path / "f.json"), "--reason", "x").code == 2


def test_the_history_says_what_each_change_did(typed: Typed, ports: MemoryPorts) -> None:
    assert "Nothing was changed" in typed("controls", "history").out
    ports.controls.change({"limits": {"position": 0.04}}, LEARNED_AT)
    typed("halt", "--reason", "drill")
    typed("controls", "set", "limits.position=0.03", "--reason", "smaller")
    lines = typed("controls", "history", "--json").document["versions"]
    assert [line["version"] for line in lines] == [3, 2, 1]
    assert [line["action"] for line in lines] == ["set", "halt", None]
    assert lines[0]["changed"] == [{"name": "limits.position", "before": 0.04, "after": 0.03}]
    assert lines[1]["changed"] == [{"name": "state", "before": "ACTIVE", "after": "HALTED"}]
    shown = typed("controls", "history").out
    assert "state ACTIVE → HALTED" in shown
    assert "owner ann" in shown


def test_agents_are_listed_with_what_they_are_believed(typed: Typed, ports: MemoryPorts) -> None:
    learned(ports)
    lines = {line["agent"]: line for line in typed("agents", "list", "--json").document["agents"]}
    assert set(lines) == {"attention", "llm", "momentum", "sentiment"}
    mine = lines["sentiment"]
    assert (mine["version"], mine["on"], mine["track_record"]) == (3, True, "proven")
    assert (mine["reliability"], mine["slope"], mine["resolved"]) == pytest.approx((0.35, 0.3, 250))
    assert (mine["reason"], mine["changed_by"]) == ("night 3", None)
    assert lines["momentum"]["created_at"] is None
    shown = typed("agents", "list").out
    assert "sentiment v3" in shown
    assert "night 3" in shown


def test_one_goes_back_and_forth_and_the_history_tells(
    typed: Typed, ports: MemoryPorts, kept: list[str]
) -> None:
    learned(ports)
    done = typed("agents", "back", "sentiment", "1", "--reason", "the feed was broken")
    assert done.code == 0
    assert "sentiment v4" in done.out
    assert "reliability 0.3500 → 0.2500" in done.out
    now = ports.configs.current()["sentiment"]
    assert (now.version, now.reliability, now.back_to, now.changed_by) == (4, 0.25, 1, "owner ann")
    lines = typed("agents", "history", "sentiment", "--json").document["versions"]
    assert [line["version"] for line in lines] == [4, 3, 2, 1, 0]
    assert lines[0]["reason"] == "back to version 1: the feed was broken"
    assert typed("agents", "back", "sentiment", "0", "--reason", "all of it").code == 0
    assert ports.configs.current()["sentiment"].reliability is None
    assert "back to version 0" in typed("agents", "history", "sentiment").out
    assert kept == ["local", "local"]
    assert [configured_of(e).subject for e in ports.ledger.entries()] == ["agent:sentiment"] * 2


def test_an_agent_is_switched_off_and_on_once(typed: Typed, ports: MemoryPorts) -> None:
    assert typed("agents", "off", "attention", "--reason", "under review").code == 0
    assert ports.configs.current()["attention"].enabled is False
    again = typed("agents", "off", "attention", "--reason", "really", "--json")
    assert (again.code, again.document["changed"], again.document["after"]["version"]) == (0, False, 1)
    assert "off" in typed("agents", "list").out
    assert "Nothing to change" in typed("agents", "off", "attention", "--reason", "really").out
    on = typed("agents", "on", "attention", "--reason", "reviewed", "--json").document
    assert (on["before"]["on"], on["after"]["on"], on["after"]["version"]) == (False, True, 2)
    assert len(list(ports.ledger.entries())) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["back", "sentiment", "9", "--reason", "x"], 1, "no version 9 of sentiment"),
        (["back", "nobody", "1", "--reason", "x"], 1, "no agent nobody"),
        (["history", "nobody"], 1, "no agent nobody"),
        (["back", "sentiment", "-1", "--reason", "x"], 2, "-1"),
        (["back", "sentiment", "1"], 2, "--reason"),
        (["off", "sentiment", "--reason", "  "], 2, "reason"),
    ],
)
def test_what_cannot_be_done_says_so(
    typed: Typed, ports: MemoryPorts, arguments: list[str], code: int, words: str
) -> None:
    done = typed("agents", *arguments)
    assert done.code == code
    assert words in done.err
    assert ports.ledger.head() is None


def test_verify_knows_what_owners_changed_and_what_was_changed_behind_the_ledger(
    typed: Typed, ports: MemoryPorts
) -> None:
    typed("halt", "--reason", "drill")
    typed("agents", "off", "attention", "--reason", "x")
    proven = typed("ledger", "verify", "--json")
    assert proven.code == 0
    assert proven.document["tables"] == {"behind": [], "contradicting": []}
    ports.controls.change({"state": "ACTIVE"}, LEARNED_AT)
    found = typed("ledger", "verify", "--json")
    assert found.code == 1
    assert found.document["tables"]["contradicting"] == ["controls v2"]
    ports.controls.__init__()  # type: ignore[misc]
    ports.configs.__init__()  # type: ignore[misc]
    found = typed("ledger", "verify", "--json")
    assert found.document["tables"]["behind"] == ["controls v1", "agent:attention v1"]
    ports.configs.put(structs.replace(default_config("attention"), version=1, reason="forged"))
    found = typed("ledger", "verify", "--json")
    assert found.document["tables"]["contradicting"] == ["agent:attention v1"]


def test_the_state_that_status_shows_is_that_of_the_controls(
    typed: Typed, ports: MemoryPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine in good health says nothing of whether the desk may trade."""
    typed("halt", "--reason", "drill")
    assert trading() == {"state": "HALTED", "kill_switch": True, "state_reason": "drill"}

    def down(stage: str) -> None:
        raise NotRunning("nothing answers")

    monkeypatch.setattr(owner, "owner_ports", down)
    assert trading() is None


def test_who_gives_a_command_is_said_without_a_running_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    assert owner.identity("local") == "owner ann"

    def nobody() -> str:
        raise OSError

    monkeypatch.setattr("getpass.getuser", nobody)
    assert owner.identity("local") == "owner"
