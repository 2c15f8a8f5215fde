"""The sentiment text model: accuracy on held-out folds, on composition, across sources; speed and start.

    uv run --with vaderSentiment python benchmarks/sentiment.py [--fast | --speed]

`--fast` leaves out the cross-validation and the transfer between sources (about two minutes); `--speed`
prints headlines a second alone. Reads SEntFiN
and TFNS under `$BELLWETHER_DATA` (default: `../shared/data` beside the repository) and says so when they are
not there; the composition set lies beside this file. Each figure is printed with its target.
"""

import csv
import importlib.util
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from time import process_time

from bellwether.agents.text import SentimentModel
from bellwether.agents.text.many import ManyReader

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("BELLWETHER_DATA", HERE.parents[1] / "shared" / "data"))
SENTFIN, TFNS = DATA / "sentfin" / "headlines.csv", DATA / "tfns" / "tweets.csv"
ROUNDS = 5

LABELS = ("negative", "neutral", "positive")
TARGETS = {
    "sentfin.macro_f1": ">= 0.83 (aim 0.88)",
    "sentfin_conflicting.macro_f1": ">= 0.75 (aim 0.82)",
    "tfns.macro_f1": ">= 0.79",
}

NOTHING = "import time, pathlib; start = time.perf_counter()\n"
FIRST_LABEL = """
from bellwether.agents.text import SentimentModel
SentimentModel.load().read("Gold shines, Silver slips", "Silver")
"""
SPENT = """
spent = time.perf_counter() - start
status = pathlib.Path("/proc/self/status")
peak = status.read_text().split("VmHWM:")[1].split()[0] if status.exists() else "0"
print(spent * 1e3, int(peak) / 1024)
"""


def show(name: str, figure: str, target: str = "") -> None:
    """Prints one figure, with its target if it has one."""
    print(f"{name:44} {figure:34} {f'target {target}' if target else ''}".rstrip())


def accuracy() -> None:
    """Prints the held-out figures of the cross-validation that `bellwether train sentiment` does."""
    from bellwether.agents.text.training import cross_validate, read_blocks, transfer

    blocks = read_blocks(SENTFIN, TFNS, 0)
    figures, _, _ = cross_validate(blocks, 0, lambda _: None)
    print("Held out, five folds by title, seed 0 (95 % bootstrap interval)")
    for figure in [*figures, *transfer(blocks, 0)]:
        told = f"{figure.value:.4f} [{figure.low:.4f}, {figure.high:.4f}]"
        show(f"  {figure.name} (n = {figure.n})", told, TARGETS.get(figure.name, ""))


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """Mean of the F1 of the three labels over (true, told) pairs."""
    total = 0.0
    for label in LABELS:
        hits = sum(true == told == label for true, told in pairs)
        total += 2 * hits / max(1, sum((true == label) + (told == label) for true, told in pairs))
    return total / len(LABELS)


def right(pairs: Sequence[tuple[str, str]]) -> str:
    """Share of right labels, and their number."""
    hits = sum(true == told for true, told in pairs)
    return f"{hits / len(pairs):.2f} ({hits} of {len(pairs)})"


def composition(model: SentimentModel) -> None:
    """Prints accuracy on sentences written by hand for this file, which no model was trained on.

    The rules of composition were written looking at the first, third, fifth … row only; the others are the
    ones to quote.
    """
    with (HERE / "composition.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    told = [(row["label"], model.read(row["text"], row["entity"] or None).label) for row in rows]
    looked_at, unseen = told[::2], told[1::2]
    print("Composition, written by hand, never trained on")
    show("  even rows (not looked at): accuracy", right(unseen))
    show("  even rows (not looked at): macro-F1", f"{macro_f1(unseen):.3f}")
    show("  odd rows (looked at): accuracy", right(looked_at))
    show("  odd rows (looked at): macro-F1", f"{macro_f1(looked_at):.3f}")
    by_kind: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row, pair in zip(rows[1::2], unseen, strict=True):
        by_kind[row["kind"]].append(pair)
    for kind, pairs in by_kind.items():
        show(f"    {kind} (even rows)", f"{right(pairs)}, macro-F1 {macro_f1(pairs):.2f}")


def per_second(read: Callable[..., object], rows: Sequence[tuple[str, ...]]) -> float:
    """Rows a second of processor time."""
    start = process_time()
    for row in rows:
        read(*row)
    return len(rows) / (process_time() - start)


def per_second_at_once(reader: ManyReader, rows: Sequence[tuple[str, str]]) -> float:
    """The same of all rows read at once."""
    start = process_time()
    reader.read((title, (entity,), None) for title, entity in rows)
    return len(rows) / (process_time() - start)


def in_new_process(program: str) -> tuple[float, float]:
    """Milliseconds a program takes and its peak memory in MB; medians of new processes."""
    runs = []
    for _ in range(ROUNDS):
        command = [sys.executable, "-c", NOTHING + program + SPENT]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        spent, peak = done.stdout.split()
        runs.append((float(spent), float(peak)))
    return median(run[0] for run in runs), median(run[1] for run in runs)


def start() -> None:
    """Prints what the first label costs in a new process, beside an interpreter that does nothing."""
    (spent, peak), (_, bare) = in_new_process(FIRST_LABEL), in_new_process("")
    print("Start of a new process")
    show("  load and first label", f"{spent:.0f} ms", "<= 150 ms")
    show("  peak memory", f"{peak:.0f} MB ({bare:.0f} MB without)")


def vader() -> Callable[[str], object] | None:
    """VADER's scorer, if it is installed for this run."""
    if importlib.util.find_spec("vaderSentiment") is None:
        return None
    module = importlib.import_module("vaderSentiment.vaderSentiment")
    scorer: Callable[[str], object] = module.SentimentIntensityAnalyzer().polarity_scores
    return scorer


def fresh() -> SentimentModel:
    """A model whose caches are empty."""
    from bellwether.agents.text.model import PACKAGED
    from bellwether.agents.text.observations import folded_names, name_classes

    folded_names.cache_clear()
    name_classes.cache_clear()
    return SentimentModel.load(PACKAGED)


def speed(rows: Sequence[tuple[str, str]], scorer: Callable[[str], object]) -> None:
    """Prints headlines a second of each way of reading, and their ratios to VADER.

    All are taken in turn, so that a busy machine slows them alike.
    """
    texts = [(title,) for title, _ in rows]
    rounds = []
    for _ in range(ROUNDS):
        read = fresh().read
        cold, before = per_second(read, rows), per_second(scorer, texts)
        warm, whole, after = per_second(read, rows), per_second(read, texts), per_second(scorer, texts)
        many = ManyReader(fresh())
        cold_many, warm_many = per_second_at_once(many, rows), per_second_at_once(many, rows)
        last = per_second(scorer, texts)
        rounds.append((cold, warm, whole, cold_many, warm_many, (before + after + last) / 3))
    print(f"Headlines a second of processor time, one core, {ROUNDS} rounds in turn (VADER 1)")
    show("  VADER", f"{median(r[-1] for r in rounds):,.0f}/s")
    for name, at, target in (
        ("  per entity, empty caches", 0, ">= 0.3 (aim 1)"),
        ("  per entity, warm caches", 1, ">= 0.3 (aim 1)"),
        ("  without an entity, warm caches", 2, ">= 0.3 (aim 1)"),
        ("  per entity, all at once, empty caches", 3, ">= 1"),
        ("  per entity, all at once, warm caches", 4, ">= 1"),
    ):
        ratios = [r[at] / r[-1] for r in rounds]
        told = f"{median(ratios):.2f} ({median(r[at] for r in rounds):,.0f}/s)"
        show(name, f"{told}, worst {min(ratios):.2f}", target)


def headlines() -> Iterable[tuple[str, str]]:
    """Titles and their entities."""
    with SENTFIN.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["title"], row["entity"]


def main(arguments: Sequence[str]) -> int:
    """Prints the figures; 0 also when there is nothing to measure with."""
    whole = "--speed" not in arguments
    if whole:
        composition(SentimentModel.load())
        start()
    if not (SENTFIN.is_file() and TFNS.is_file()):
        print(f"no headlines to read: {SENTFIN} or {TFNS} is absent (set BELLWETHER_DATA)")
        return 0
    if scorer := vader():
        speed(list(headlines()), scorer)
    else:
        print("VADER is not installed: run with `uv run --with vaderSentiment`")
    if whole and "--fast" not in arguments:
        accuracy()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
