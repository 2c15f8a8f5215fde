"""Entity linking against a boundary regex, on what the platform itself marked as cashtags, in one run.

    uv run python benchmarks/linking.py

Reads StockNet's posts and companies under `$BELLWETHER_DATA` (default: `../shared/data` beside the
repository) and says so when they are not there. Truth is the `cashtags` column, which the platform wrote: it
leaves out `($AAPL)` and quoted posts, so some of what counts as a false link here is right.
"""

import csv
import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from time import process_time

import pyarrow.parquet as pq

from bellwether.domain.links import Linker, LinkTarget

DATA = Path(os.environ.get("BELLWETHER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
BOUNDARY = re.compile(r"\$([A-Za-z]+)\b")

Post = tuple[str, frozenset[str]]


def compare(name: str, find: Callable[[str], set[str]], posts: Iterable[Post]) -> None:
    """Prints precision and recall against the platform's symbols, and precision of one-letter ones."""
    right = wrong = missed = one_right = one_wrong = 0
    for text, truth in posts:
        found = find(text)
        right, wrong, missed = (
            right + len(found & truth),
            wrong + len(found - truth),
            missed + len(truth - found),
        )
        one_right += sum(len(symbol) == 1 for symbol in found & truth)
        one_wrong += sum(len(symbol) == 1 for symbol in found - truth)
    print(
        f"{name:16} precision {right / (right + wrong):.4f}  recall {right / (right + missed):.4f}  "
        f"one-letter precision {one_right / (one_right + one_wrong):.4f} (n = {one_right + one_wrong})"
    )


def speed(name: str, find: Callable[[str], object], texts: list[str]) -> None:
    """Prints posts a second of processor time."""
    start = process_time()
    for text in texts:
        find(text)
    print(f"{name:16} {len(texts) / (process_time() - start):,.0f} posts/s")


def main() -> int:
    """Prints the figures; 0 also when there is nothing to measure with."""
    folder = DATA / "stocknet"
    if not (folder / "posts.parquet").is_file():
        print(f"no posts to link: {folder} is absent (set BELLWETHER_DATA)")
        return 0
    with (folder / "companies.tsv").open(encoding="utf-8", newline="") as file:
        targets = [LinkTarget(row["Symbol"], row["Company"]) for row in csv.DictReader(file, delimiter="\t")]
    symbols = {target.symbol.lstrip("$") for target in targets}
    table = pq.read_table(folder / "posts.parquet", columns=["id", "text", "cashtags"]).to_pylist()
    posts: list[Post] = [
        (post["text"], frozenset((post["cashtags"] or "").upper().split()) & symbols)
        for post in {post["id"]: post for post in table}.values()
    ]
    texts = [text for text, _ in posts]
    print(f"{len(posts)} posts, {len(symbols)} symbols")
    linker = Linker(targets)
    compare("boundary regex", lambda text: {tag.upper() for tag in BOUNDARY.findall(text)} & symbols, posts)
    compare(
        "linker, cashtags",
        lambda text: {link.symbol for link in linker.link(text) if link.kind == "cashtag"},
        posts,
    )
    speed("boundary regex", BOUNDARY.findall, texts)
    speed("linker", linker.link, texts)
    listed = DATA / "edgar" / "company_tickers.json"
    if listed.is_file():
        companies = json.loads(listed.read_text()).values()
        many = Linker(LinkTarget(company["ticker"], company["title"]) for company in companies)
        speed(f"linker, {len(companies)}", many.link, texts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
