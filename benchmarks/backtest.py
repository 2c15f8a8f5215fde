"""Speed, memory and result of a backtest of StockNet's posts and prices, end to end in a process of its own.

    uv run python benchmarks/backtest.py

Reads `stocknet/` under `$BELLWETHER_DATA` (default: `../shared/data` beside the repository) and says so when
it is not there. Rates are of processor time, from start to the written report, the best of three runs beside
the worst; items are the rows read. Then it is shown what an agent that peeks at the next close would claim,
and that the look-ahead check names it.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from bellwether.agents.registry import MOMENTUM
from bellwether.agents.text import SentimentModel
from bellwether.agents.views import AgentView, view_of
from bellwether.backtest.figures import figures
from bellwether.backtest.forecasting import ViewOf
from bellwether.backtest.forecasts import Replayed
from bellwether.backtest.intake import in_order
from bellwether.backtest.look_ahead import Histories, Replayer, looking_ahead
from bellwether.backtest.records import Counts, Settings
from bellwether.backtest.replay import Replay
from bellwether.cli.asset_files import read_assets
from bellwether.cli.bar_files import read_bars
from bellwether.cli.readers import RowReader, open_document, read_items
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.fusion import View
from bellwether.domain.items import StoredItem
from bellwether.domain.prices import History
from bellwether.domain.state import AssetDay

DATA = Path(os.environ.get("BELLWETHER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
TARGET_PER_SECOND, TARGET_MB = 10_000, 1_024
RUNS = 3
LEAK_UNTIL = date(2014, 3, 1)


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
    runs = [_run(files) for _ in range(RUNS)]
    best, worst = (choose(runs, key=lambda run: run.processor) for choose in (min, max))
    found = best.found
    items = found["counts"]["items"]
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    peak = largest / (1024 if sys.platform != "darwin" else 1024 * 1024)
    print(f"items            {items:>12,}")
    for name, run in (("best", best), ("worst", worst)):
        rate = f"{items / run.processor:,.0f} items/s, aim {TARGET_PER_SECOND:,}"
        print(f"{f'{name} of {RUNS}':<16} {run.processor:>12.1f} s of the processor ({rate})")
    print(f"peak memory      {peak:>12,.0f} MB (aim {TARGET_MB:,} at most)")
    for name in ("n", "accuracy", "mcc", "ic", "brier", "ece"):
        value, interval = found[name]["value"], found[name]["ci95"]
        print(f"{name:<16} {value:>12,.4f}   {interval[0]:,.4f} to {interval[1]:,.4f}")
    print(f"majority         {found['base_rate']['majority_accuracy']:>12.4f}")
    print(f"Brier, base rate {found['base_rate']['brier']:>12.4f}")
    print(f"edge             {found['edge']:>12}   ({found['edge_reason']})")
    _show_the_leak(files)
    return 0


class Run(NamedTuple):
    """Seconds of processor time, and the report."""

    processor: float
    found: dict[str, Any]


def _run(files: dict[str, Path]) -> Run:
    """One backtest in a process of its own, which keeps its bytecode as a user's does."""
    named = [str(word) for pair in files.items() for word in pair]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = os.times()
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "bellwether", "backtest", *named, "--out", out, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(spent, json.loads(done.stdout))


def peeking(
    config: AgentConfig, *, days: Sequence[AssetDay], history: History, as_of: datetime, horizon: int
) -> AgentView:
    """An agent that reads the next close, put in the place of momentum."""
    row = history.known_rows(as_of)
    if row + 1 >= len(history.close):
        return view_of(config, days=days, history=history, as_of=as_of, horizon=horizon)
    rises = history.close[row + 1] > history.open[row]
    view = View(agent_id=config.agent_id, log_odds=2.0 if rises else -2.0, evidence=50.0, reliability=1.0)
    return AgentView(config=config, view=view)


def _show_the_leak(files: dict[str, Path]) -> None:
    """Over the first two months, because the check replays history three times."""
    *_, bars = read_bars(str(files["--prices"]))
    histories = {history.symbol: history for history in bars.histories()}
    assets = [a for a in read_assets(str(files["--companies"])).assets if a.symbol in histories]
    with open_document(str(files["--items"])) as document:
        lines = [(line.item, line.kind) for line in read_items(document, RowReader()) if line.item]
    items = [item for item in in_order(lines, Counts()) if item.known_at.date() < LEAK_UNTIL]
    settings, model = Settings(), SentimentModel.load()

    def replaying(instead: dict[str, ViewOf]) -> Replayer:
        def run(items: Sequence[StoredItem], histories: Histories) -> Replayed:
            again = Replay(
                settings=settings, assets=assets, histories=histories, model=model, instead=instead
            )
            return again(items)

        return run

    leaky, day = replaying({MOMENTUM: peeking}), LEAK_UNTIL - timedelta(days=20)
    told = figures(leaky(items, histories).resolved, settings)
    print(
        f"a leaky agent    {told.accuracy.value:>12.4f}   accuracy, Matthews {told.mcc.value:.4f}, edge: "
        f"{told.edge}; the check names: {', '.join(looking_ahead(leaky, items, histories, day)) or 'nobody'}"
    )
    named = looking_ahead(replaying({}), items, histories, day)
    print(f"the agents as they are{'':>7}   the check names: {', '.join(named) or 'nobody'}")


if __name__ == "__main__":
    sys.exit(main())
