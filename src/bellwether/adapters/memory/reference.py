"""Tracked entities, prices, agents' configurations and the desk's controls, in memory."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from threading import Lock
from typing import Any

import msgspec
from msgspec import Struct

from bellwether.adapters.merging import merge_histories
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.corporate_actions import Actions, merge_actions
from bellwether.domain.entities import Asset, Portfolio
from bellwether.domain.prices import History
from bellwether.domain.problems import Conflict
from bellwether.usecases.ports import ControlsVersion


class MemoryEntities:
    """`Entities` as plain values by type and id."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._records: dict[str, dict[str, dict[str, Any]]] = {}
        self._revisions: Counter[str] = Counter()

    def assets(self) -> list[Asset]:
        return [msgspec.convert(record, Asset) for record in self.records("asset")]

    def portfolio(self, name: str) -> Portfolio | None:
        with self._lock:
            record = self._records.get("portfolio", {}).get(name)
        return msgspec.convert(record, Portfolio) if record is not None else None

    def portfolios(self) -> list[Portfolio]:
        return [msgspec.convert(record, Portfolio) for record in self.records("portfolio")]

    def records(self, entity_type: str) -> list[dict[str, Any]]:
        with self._lock:
            records = self._records.get(entity_type, {})
            return [dict(records[name]) for name in sorted(records)]

    def put(self, entity_type: str, entity_id: str, record: Struct) -> None:
        values = msgspec.json.decode(msgspec.json.encode(record))
        with self._lock:
            self._records.setdefault(entity_type, {})[entity_id] = values
            self._revisions[entity_type] += 1

    def remove(self, entity_type: str, entity_id: str) -> bool:
        with self._lock:
            self._revisions[entity_type] += 1
            return self._records.get(entity_type, {}).pop(entity_id, None) is not None

    def revision(self, entity_type: str) -> str:
        with self._lock:
            return str(self._revisions[entity_type])


class MemoryPrices:
    """`Prices` as one history a symbol; a history handed out is not altered by a later merge."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._histories: dict[str, History] = {}
        self._actions: dict[str, Actions] = {}

    def history(self, symbol: str) -> History:
        with self._lock:
            return self._histories.get(symbol) or History(symbol)

    def merge(self, history: History) -> int:
        with self._lock:
            old = self._histories.get(history.symbol) or History(history.symbol)
            merged, changed = merge_histories(old, history)
            if changed:
                self._histories[history.symbol] = merged
        return changed

    def actions(self, symbol: str) -> Actions:
        with self._lock:
            return self._actions.get(symbol) or Actions(symbol)

    def keep_actions(self, actions: Actions) -> int:
        with self._lock:
            merged, changed = merge_actions(
                self._actions.get(actions.symbol) or Actions(actions.symbol), actions
            )
            self._actions[actions.symbol] = merged
        return changed


class MemoryAgentConfigs:
    """`AgentConfigs` as versions by agent."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._versions: dict[str, dict[int, AgentConfig]] = {}

    def current(self) -> dict[str, AgentConfig]:
        with self._lock:
            return {agent: versions[max(versions)] for agent, versions in self._versions.items()}

    def versions(self, agent_id: str) -> list[AgentConfig]:
        with self._lock:
            versions = self._versions.get(agent_id, {})
            return [versions[number] for number in sorted(versions)]

    def put(self, config: AgentConfig) -> None:
        with self._lock:
            versions = self._versions.setdefault(config.agent_id, {})
            if config.version in versions:
                raise Conflict(f"version {config.version} of {config.agent_id} exists")
            versions[config.version] = config


class MemoryDeskControls:
    """`DeskControls` by number of version."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._versions: dict[int, ControlsVersion] = {}

    def controls(self) -> dict[str, Any]:
        with self._lock:
            return dict(self._versions[max(self._versions)].controls) if self._versions else {}

    def versions(self) -> list[ControlsVersion]:
        with self._lock:
            return [self._versions[number] for number in sorted(self._versions)]

    def change(self, controls: Mapping[str, Any], at: datetime, *, version: int | None = None) -> int:
        with self._lock:
            number = version or max(self._versions, default=0) + 1
            values = msgspec.json.decode(msgspec.json.encode(dict(controls)))
            self._versions.setdefault(number, ControlsVersion(version=number, at=at, controls=values))
            return number
