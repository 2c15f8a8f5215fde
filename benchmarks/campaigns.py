"""Copies and campaigns in StockNet's posts, found as the desk finds them, day by day and asset by asset.

    uv run python benchmarks/campaigns.py [--texts]

Reads `stocknet/` under `$BELLWETHER_DATA` (default: `../shared/data` beside the repository) and says so when
it is not there. Prints

- how many posts are copies word for word, and how many more are lightly edited ones; of these, how many a
  comparison of all words (not of sketches) confirms
- what edits made on purpose to real posts leave recognised, and how often two texts that only share a
  template or say the opposite are taken for copies
- the campaigns: days on which the risk check MANIPULATION would have spoken, with accounts, hours and, with
  `--texts`, the first post's words (they are other people's: to be looked at, not kept)
- bytes of the largest day's state, and time per post
"""

import argparse
import csv
import os
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from time import process_time

import msgspec
import pyarrow.parquet as pq

from bellwether.agents.copies import DIRECTIONS, sketch_of
from bellwether.agents.mentions import Mentions
from bellwether.agents.readings import Reading
from bellwether.agents.registry import default_config
from bellwether.domain.accounts import is_young
from bellwether.domain.campaigns import repeated_text
from bellwether.domain.concentration import concentration
from bellwether.domain.conduct_checks import campaign
from bellwether.domain.day_sums import fold
from bellwether.domain.decay import day_start
from bellwether.domain.entities import Asset
from bellwether.domain.items import Item, StoredItem, settle
from bellwether.domain.limits import RiskLimits
from bellwether.domain.near_duplicates import hashes_of, near, words_of
from bellwether.domain.signals import Signal, day_before
from bellwether.domain.state import AssetDay
from bellwether.usecases.process_batch import signal_from

DATA = Path(os.environ.get("BELLWETHER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
SEED = 7


def stored(folder: Path) -> list[StoredItem]:
    """Each post once, by time, as the desk keeps it."""
    columns = ["id", "created_at", "author", "followers", "retweet_of", "lang", "text"]
    rows = pq.read_table(folder / "posts.parquet", columns=columns).to_pylist()
    items = {
        row["id"]: settle(
            Item(
                source="x",
                source_id=row["id"],
                published_at=datetime.fromisoformat(row["created_at"]),
                author=row["author"],
                text=row["text"],
                lang=row["lang"] or None,
                repost_of=row["retweet_of"] or None,
                engagement={} if row["followers"] is None else {"author_followers": float(row["followers"])},
            ),
            kind="social",
            received_at=datetime.fromisoformat("2016-01-01T00:00:00+00:00"),
            salt=b"",
        )
        for row in rows
        if row["text"].strip()
    }
    return sorted(items.values(), key=lambda item: (item.known_at, item.item_id))


def by_asset_day(items: Iterable[StoredItem], folder: Path) -> dict[tuple[str, str], list[Signal]]:
    """A signal for each post and asset, without a reading: only who says it when counts here."""
    with (folder / "companies.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assets = [Asset(symbol=row["Symbol"].lstrip("$"), name=row["Company"]) for row in rows]
    mentions, config, seen = Mentions(assets), default_config("sentiment"), set[str]()
    found: dict[tuple[str, str], list[Signal]] = defaultdict(list)
    for item in items:
        sketch = sketch_of(item.words)
        copy = item.cluster_id in seen
        of_item = mentions.of(item)
        if of_item:
            seen.add(item.cluster_id)
        for mention in of_item:
            signal = signal_from(mention, config, Reading(quality=1.0), copy=copy, sketch=sketch)
            found[signal.asset, f"{signal.observed_time:%Y%m%d}"].append(signal)
    return found


def folded(
    signals: dict[tuple[str, str], list[Signal]],
) -> tuple[dict[tuple[str, str], AssetDay], list[Signal]]:
    """Every asset's days, each with the day before at hand."""
    states: dict[tuple[str, str], AssetDay] = {}
    weighed: list[Signal] = []
    for asset, day in sorted(signals):
        earlier = states.get((asset, day_before(day)))
        states[asset, day], made = fold(AssetDay(asset=asset, day=day), signals[asset, day], earlier=earlier)
        weighed += made
    return states, weighed


def copies(weighed: list[Signal], items: dict[str, StoredItem]) -> None:
    """Prints how many signals are copies, and whether all words confirm the lightly edited ones."""
    edited = [signal for signal in weighed if signal.near_copy_of]
    exact = sum(signal.copy for signal in weighed)
    shares = []
    for signal in edited:
        one = words_of(items[signal.item_ids[0]].words)
        other = words_of(items[signal.near_copy_of or ""].words)
        shares.append(len(one & other) / len(one | other))
    confirmed = sum(share >= 0.6 for share in shares) / len(shares)
    print(f"signals            {len(weighed):>8,}")
    print(f"word-for-word      {exact:>8,}  copies ({exact / len(weighed):.1%})")
    print(f"lightly edited     {len(edited):>8,}  more ({len(edited) / len(weighed):.1%})")
    print(f"of these           {confirmed:>8.1%}  share at least 0.6 of all their words with the first one")


Edit = Callable[[list[str], random.Random], list[str]]


def _plain(words: list[str], chance: random.Random) -> int:
    """The place of a word that is neither a number nor a direction."""
    places = [n for n, w in enumerate(words) if w.isalpha() and w.lower() not in DIRECTIONS] or [0]
    return chance.choice(places)


def _without_one(words: list[str], chance: random.Random) -> list[str]:
    place = _plain(words, chance)
    return words[:place] + words[place + 1 :]


def _with_another(words: list[str], chance: random.Random) -> list[str]:
    place = _plain(words, chance)
    return [*words[:place], chance.choice(["stuff", "folks", "market", "today"]), *words[place + 1 :]]


def _quoted(words: list[str], _: random.Random) -> list[str]:
    return ["RT", "@someone:", *words]


def _tagged(words: list[str], _: random.Random) -> list[str]:
    return [*words, "#stocks", "http://t.co/abc"]


def _other_cashtags(words: list[str], _: random.Random) -> list[str]:
    return [*words, "$ZZZ", "$YYY"]


def _cut_off(words: list[str], _: random.Random) -> list[str]:
    return [*words[: max(4, len(words) * 4 // 5)], "wor…"]


def _shouted(words: list[str], _: random.Random) -> list[str]:
    return [*(word.upper() for word in words), "!!!"]


EDITS: dict[str, Edit] = {
    "quoted by another": _quoted,
    "a tag and a link more": _tagged,
    "other cashtags": _other_cashtags,
    "a word left out": _without_one,
    "a word replaced": _with_another,
    "cut off": _cut_off,
    "shouted": _shouted,
}
OPPOSITES = [("beats", "misses"), ("up", "down"), ("buy", "sell"), ("rises", "falls"), ("higher", "lower")]


def recognised(items: list[StoredItem]) -> None:
    """Prints the share of edited real posts that are known for copies, and of changed ones that are not."""
    chance = random.Random(SEED)
    texts = [item.words for item in items if len(words_of(item.words)) >= 8]
    sample = chance.sample(texts, 2_000)
    print("\nreal posts of eight words and more, edited on purpose (n = 2,000 each)")
    for name, edit in EDITS.items():
        known = sum(_near(text, " ".join(edit(text.split(), chance))) for text in sample)
        print(f"  {name:<24} {known / len(sample):>7.1%} known for copies")
    turned = [(text, _turned(text)) for text in texts]
    changed = [(text, other) for text, other in turned if other is not None]
    wrong = sum(_near(text, other) for text, other in changed)
    print(f"  a direction turned       {wrong / len(changed):>7.1%} taken for copies (n = {len(changed):,})")
    numbers = [(text, _other_number(text)) for text in texts]
    numbered = [(text, other) for text, other in numbers if other is not None]
    wrong = sum(_near(text, other) for text, other in numbered)
    print(
        f"  another number           {wrong / len(numbered):>7.1%} taken for copies (n = {len(numbered):,})"
    )


def _near(one: str, other: str) -> bool:
    first, second = sketch_of(one), sketch_of(other)
    return first is not None and second is not None and near(hashes_of(first), hashes_of(second))


def _turned(text: str) -> str | None:
    """The text with a direction turned everywhere; `None` where it names both ways or neither."""
    words = text.split()
    folded = {word.strip(".,!?:;").lower() for word in words}
    for pair in OPPOSITES:
        for one, other in (pair, pair[::-1]):
            if one in folded and other not in folded:
                return " ".join(other if w.strip(".,!?:;").lower() == one else w for w in words)
    return None


def _other_number(text: str) -> str | None:
    words = text.split()
    place = next((n for n, word in enumerate(words) if word.strip("$%.,").isdecimal()), None)
    if place is None:
        return None
    return " ".join([*words[:place], str(int(words[place].strip("$%.,")) + 7), *words[place + 1 :]])


def campaigns(states: dict[tuple[str, str], AssetDay], items: dict[str, StoredItem], *, texts: bool) -> None:
    """Prints the days on which a campaign would have been found, largest first."""
    limits = RiskLimits()
    found = []
    for (asset, day), state in states.items():
        end = day_start(day) + timedelta(days=1)
        before = states.get((asset, day_before(day)))
        days = [before, state] if before else [state]
        pushed = campaign(concentration(days, end), limits)
        text = repeated_text(days, end)
        if pushed is not None:
            found.append((pushed[0], asset, day, pushed[1], text.item_id if text else ""))
    print(f"\ncampaigns: {len(found)} of {len(states):,} asset days, limits as they ship")
    for _, asset, day, detail, item_id in sorted(found, key=lambda one: (-one[0], one[1], one[2])):
        print(f"  {day} {asset:<5} {detail}")
        if texts and item_id:
            print(f"                  {' '.join(items[item_id].words.split())}")
    distinct = Counter(item_id for _, _, _, _, item_id in found if item_id)
    print(f"  {len(distinct)} different texts")


def main() -> int:
    """Prints the figures; 0 also when there is nothing to measure with."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", action="store_true", help="print the campaigns' first posts")
    options = parser.parse_args()
    folder = DATA / "stocknet"
    if not (folder / "posts.parquet").is_file():
        print(f"no posts to look at: {folder} is absent (set BELLWETHER_DATA)")
        return 0
    items = stored(folder)
    young = sum(is_young(item.engagement) for item in items)
    print(
        f"posts              {len(items):>8,}, {young / len(items):.1%} of young or hardly followed accounts"
    )
    start = process_time()
    sketches = [sketch_of(item.words) for item in items]
    sketching = process_time() - start
    signals = by_asset_day(items, folder)
    start = process_time()
    states, weighed = folded(signals)
    folding = process_time() - start
    by_id = {item.item_id: item for item in items}
    copies(weighed, by_id)
    recognised(items)
    campaigns(states, by_id, texts=options.texts)
    size, largest = max((len(msgspec.json.encode(state)), key) for key, state in states.items())
    print(f"\nlargest state      {size:>8,} bytes ({largest[0]} {largest[1]})")
    print(f"sketching          {sketching / len(sketches) * 1e6:>8.1f} µs a post")
    print(f"folding            {folding / len(weighed) * 1e6:>8.1f} µs a signal, all it does included")
    return 0


if __name__ == "__main__":
    sys.exit(main())
