"""Signals, the sums made of them, and kept forecasts, in memory."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from threading import Lock

from bellwether.adapters.merging import scores_between
from bellwether.adapters.naming import scores_day, scores_key
from bellwether.domain.signals import Signal, day_of, sort_key
from bellwether.domain.state import AssetDay


class MemorySignalStore:
    """`SignalStore` as one sorted list of signals per asset and day, sorted when first read."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows: dict[tuple[str, str], dict[str, Signal]] = {}
        self._sorted: dict[tuple[str, str], list[Signal]] = {}

    def put(self, signals: Sequence[Signal], received_at: datetime) -> None:  # noqa: ARG002 (no months here)
        with self._lock:
            for signal in signals:
                partition = (signal.asset, day_of(signal.observed_time))
                self._rows.setdefault(partition, {})[sort_key(signal)] = signal
                self._sorted.pop(partition, None)

    def of_day(self, asset: str, day: str, until: datetime | None = None) -> Iterator[Signal]:
        partition = (asset, day)
        with self._lock:
            signals = self._sorted.get(partition)
            if signals is None:
                rows = self._rows.get(partition, {})
                signals = self._sorted[partition] = [rows[key] for key in sorted(rows)]
        if until is None:
            return iter(signals)
        return iter([signal for signal in signals if signal.observed_time <= until])

    def get(self, signal_id: str) -> Signal | None:
        asset, _, rest = signal_id.partition("#")
        day, _, key = rest.partition("#")
        with self._lock:
            return self._rows.get((asset, day), {}).get(key)


class MemoryAssetStates:
    """`AssetStates` in dictionaries; states are immutable, so they are handed out as they are."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._states: dict[str, dict[str, AssetDay]] = {}
        self._applied: set[tuple[str, str, str]] = set()

    def days(self, asset: str, first_day: str, last_day: str) -> list[AssetDay]:
        with self._lock:
            states = self._states.get(asset, {})
            return [states[day] for day in sorted(states) if first_day <= day <= last_day]

    def get(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], AssetDay]:
        with self._lock:
            found = {(asset, day): self._states.get(asset, {}).get(day) for asset, day in keys}
        return {key: state for key, state in found.items() if state is not None}

    def applied(self, batch_id: str, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        with self._lock:
            return {(asset, day) for asset, day in keys if (batch_id, asset, day) in self._applied}

    def apply(self, batch_id: str, states: Sequence[AssetDay]) -> set[tuple[str, str]]:
        lost: set[tuple[str, str]] = set()
        with self._lock:
            for state in states:
                marker = (batch_id, state.asset, state.day)
                if marker in self._applied:
                    continue
                days = self._states.setdefault(state.asset, {})
                stored = days.get(state.day)
                if (stored.version if stored else 0) != state.version - 1:
                    lost.add((state.asset, state.day))
                    continue
                days[state.day] = state
                self._applied.add(marker)
        return lost


class MemoryForecasts:
    """`Forecasts` as lists of lines by key."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._days: dict[str, list[bytes]] = {}

    def keep(self, scores: Iterable[bytes], key: str) -> None:
        lines = list(scores)
        with self._lock:
            self._days[scores_key(key)] = lines

    def between(self, first: datetime, last: datetime) -> Iterator[bytes]:
        start, stop = scores_day(first), scores_day(last + timedelta(days=1))
        with self._lock:
            lines = [line for key in sorted(self._days) if start <= key < stop for line in self._days[key]]
        return scores_between(lines, first, last)
