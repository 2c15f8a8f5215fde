"""Speed, memory and result of a backtest of StockNet's posts and prices, end to end in a process of its own.

    uv run python benchmarks/backtest.py

Reads `stocknet/` under `$BELLWETHER_DATA` (default: `../shared/data` beside the repository) and says so when
it is not there. Rates are of processor time, from start to the written report; items are the rows read.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DATA = Path(os.environ.get("BELLWETHER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
TARGET_PER_SECOND, TARGET_MB = 10_000, 1_024


def main() -> int:
    """Prints the figures; 0 also when there is nothing to measure with."""
    folder = DATA / "stocknet"
    files = {
        "--items": folder / "posts.parquet",
        "--prices": folder / "prices.parquet",
        "--companies": folder / "companies.tsv",
    }
    if missing := [str(path) for path in files.values() if not path.is_file()]:
        print(f"nothing to replay: {', '.join(missing)} absent (set BELLWETHER_DATA)")
        return 0
    with tempfile.TemporaryDirectory() as out:
        named = [str(word) for pair in files.items() for word in pair]
        command = [sys.executable, "-m", "bellwether", "backtest", *named, "--out", out, "--json"]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        wall = time.perf_counter() - start
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = spent.ru_utime + spent.ru_stime
    peak = spent.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    found = json.loads(done.stdout)
    items = found["counts"]["items"]
    print(f"items            {items:>12,}")
    print(f"wall time        {wall:>12.1f} s ({items / wall:,.0f} items/s)")
    print(
        f"processor time   {processor:>12.1f} s ({items / processor:,.0f} items/s, aim {TARGET_PER_SECOND:,})"
    )
    print(f"peak memory      {peak:>12,.0f} MB (aim {TARGET_MB:,} at most)")
    for name in ("n", "accuracy", "mcc", "ic", "brier", "ece"):
        value, interval = found[name]["value"], found[name]["ci95"]
        print(f"{name:<16} {value:>12,.4f}   {interval[0]:,.4f} to {interval[1]:,.4f}")
    print(f"majority         {found['base_rate']['majority_accuracy']:>12.4f}")
    print(f"Brier, base rate {found['base_rate']['brier']:>12.4f}")
    print(f"edge             {found['edge']:>12}   ({found['edge_reason']})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
