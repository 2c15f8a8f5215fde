"""Speed of the sentiment text model against VADER, and what loading it costs, in one run on one core.

    uv run --with vaderSentiment python benchmarks/sentiment.py

Reads headlines from SEntFiN under `$BELLWETHER_DATA` (default: `../shared/data` beside the repository) and
says so when they are not there. Accuracy is measured by `bellwether train sentiment`, out of fold: this file
would only measure texts the packaged model has seen.
"""

import csv
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import process_time

from bellwether.agents.text import SentimentModel

DATA = Path(os.environ.get("BELLWETHER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
ROUNDS = 5

FIRST_LABEL = """
import time, pathlib
start = time.perf_counter()
from bellwether.agents.text import SentimentModel
SentimentModel.load().read("Gold shines, Silver slips", "Silver")
spent = time.perf_counter() - start
status = pathlib.Path("/proc/self/status")
peak = status.read_text().split("VmHWM:")[1].split()[0] if status.exists() else "0"
print(spent * 1e3, int(peak) / 1024)
"""


def per_second(read: Callable[[tuple[str, str]], object], rows: Sequence[tuple[str, str]]) -> float:
    """Rows a second of processor time."""
    start = process_time()
    for row in rows:
        read(row)
    return len(rows) / (process_time() - start)


def first_label() -> tuple[float, float]:
    """Milliseconds from import to the first label, and peak memory in MB; medians of new processes."""
    runs = []
    for _ in range(ROUNDS):
        done = subprocess.run([sys.executable, "-c", FIRST_LABEL], capture_output=True, text=True, check=True)
        spent, peak = done.stdout.split()
        runs.append((float(spent), float(peak)))
    return median(run[0] for run in runs), median(run[1] for run in runs)


def vader() -> Callable[[str], object] | None:
    """VADER's scorer, if it is installed for this run."""
    if importlib.util.find_spec("vaderSentiment") is None:
        return None
    module = importlib.import_module("vaderSentiment.vaderSentiment")
    scorer: Callable[[str], object] = module.SentimentIntensityAnalyzer().polarity_scores
    return scorer


def main() -> int:
    """Prints the figures; 0 also when there is nothing to measure with."""
    path = DATA / "sentfin" / "headlines.csv"
    if not path.is_file():
        print(f"no headlines to read: {path} is absent (set BELLWETHER_DATA)")
        return 0
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["title"], row["entity"]) for row in csv.DictReader(file)]
    milliseconds, megabytes = first_label()
    print(f"load and first label: {milliseconds:.0f} ms, peak memory {megabytes:.0f} MB (new process)")
    read = SentimentModel.load().read
    rounds: list[tuple[float, float, float]] = []
    scorer = vader()
    cold = per_second(lambda row: read(*row), rows)
    for _ in range(ROUNDS):
        # taken in turn, so that a busy machine slows all of them alike
        warm, whole = per_second(lambda row: read(*row), rows), per_second(lambda row: read(row[0]), rows)
        rounds.append((warm, whole, per_second(lambda row: scorer(row[0]), rows) if scorer else 0.0))
    warm, whole, baseline = (median(column) for column in zip(*rounds, strict=True))
    print(f"per entity: {cold:,.0f} headlines/s with empty caches, {warm:,.0f} with warm ones")
    print(f"without an entity: {whole:,.0f} headlines/s with warm caches")
    if scorer is None:
        print("VADER is not installed: run with `uv run --with vaderSentiment`")
        return 0
    print(f"VADER: {baseline:,.0f} headlines/s")
    ratios = (cold / baseline, warm / baseline, whole / baseline)
    print("ratio: {:.2f} empty caches, {:.2f} warm, {:.2f} without an entity".format(*ratios))
    return 0


if __name__ == "__main__":
    sys.exit(main())
