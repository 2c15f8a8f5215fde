"""What functions were measured to need, and what that means for their memory and timeout on Lambda.

`benchmarks/functions.csv` is written by `benchmarks/functions.py`. Lambda gives a function a share of a
processor by its memory, a whole one at 1,769 MB (AWS Lambda Developer Guide, "Configure Lambda function
memory"); what takes a second of processor time takes 1769 / memory seconds below that. More than one
processor is not counted on: the work is one thread's.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

RECORDED = Path(__file__).resolve().parents[1] / "benchmarks" / "functions.csv"
WHOLE_PROCESSOR = 1_769
"""MB of memory that come with one virtual processor."""
MEMORY_ROOM = 1.5
"""Configured memory at least this many times the measured peak: other interpreters and machines differ."""
TIME_ROOM = 3.0
"""Configured timeout at least this many times the time that follows from the measured processor time: a
virtual processor of Lambda may be slower than the machine's core, and services answer slower than here."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One function with its largest allowed input: the most of its calls. `peak` in MB, `processor` in s."""

    function: str
    input: str
    peak: float
    processor: float

    def least_memory(self) -> float:
        """MB the function should have at least."""
        return self.peak * MEMORY_ROOM

    def seconds_with(self, memory: int) -> float:
        """What the work takes with so much memory (MB), waiting aside."""
        return self.processor * WHOLE_PROCESSOR / min(memory, WHOLE_PROCESSOR)

    def least_timeout(self, memory: int) -> float:
        """Seconds the function should be given at least."""
        return self.seconds_with(memory) * TIME_ROOM


def recorded(path: Path = RECORDED) -> Mapping[str, Measurement]:
    """The recorded measurements by function."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["function"]: Measurement(
            function=row["function"],
            input=row["input"],
            peak=float(row["peak_mb"]),
            processor=float(row["processor_s"]),
        )
        for row in rows
    }
