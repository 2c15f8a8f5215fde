"""Readings of language models, in memory."""

from collections.abc import Mapping, Sequence
from threading import Lock

from bellwether.agents.readings import Reading


class MemoryKeptReadings:
    """`KeptReadings` in a dictionary."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._readings: dict[str, Reading] = {}

    def get(self, keys: Sequence[str]) -> Mapping[str, Reading]:
        with self._lock:
            return {key: self._readings[key] for key in keys if key in self._readings}

    def put(self, readings: Mapping[str, Reading]) -> None:
        with self._lock:
            self._readings |= readings
