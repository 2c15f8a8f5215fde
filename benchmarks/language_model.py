"""What reading posts with a language model takes: the agent against one call a post, on the same peer.

    uv run python -m benchmarks.language_model [MENTIONS]

Reads StockNet's posts in the order they were written, in batches of 100, under `$BELLWETHER_DATA` (default:
`../shared/data` beside the repository) and says so when they are not there. The peer is a server of this
machine that counts a token for every four characters, so tokens and dollars are estimates, and ratios of them
are what counts. It answers by a few words of its own: nothing here says how well a model reads.
"""

import csv
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.providers.openai import OpenAi
from bellwether.adapters.providers.openai_settings import read_settings
from bellwether.agents.language.excerpts import excerpt
from bellwether.agents.language.questions import Entry, asked
from bellwether.agents.llm import LanguageAgent
from bellwether.agents.mentions import Mentions
from bellwether.agents.readings import Mention
from bellwether.domain.entities import Asset
from bellwether.domain.items import Item, StoredItem, settle
from bellwether.domain.provider_terms import Terms
from tests.peers.openai import KEY, OpenAiPeer, openai_peer

DATA = Path(os.environ.get("BELLWETHER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
BATCH = 100
UNBOUNDED = Terms(name="openai", title="OpenAI", purpose="agent", source="no budget, for the comparison")
Read = Callable[[Sequence[Mention]], None]


@dataclass
class Taken:
    """What a way of reading took."""

    calls: int
    tokens: int
    dollars: float


def batches(folder: Path, most: int) -> Iterator[list[Mention]]:
    """Mentions of posts as they came, `most` in all."""
    with (folder / "companies.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    links = Mentions(Asset(symbol=row["Symbol"].lstrip("$"), name=row["Company"]) for row in rows)
    table = pq.read_table(folder / "posts.parquet", columns=["id", "text", "created_at"]).to_pylist()
    posts = sorted({post["id"]: post for post in table}.values(), key=lambda post: str(post["created_at"]))
    found = 0
    for first in range(0, len(posts), BATCH):
        mentions = [one for post in posts[first : first + BATCH] for one in links.of(_item(post))]
        mentions = mentions[: most - found]
        found += len(mentions)
        if mentions:
            yield mentions
        if found >= most:
            return


def taken(peer: OpenAiPeer, making: Callable[[OpenAi], Read], stream: Sequence[Sequence[Mention]]) -> Taken:
    """What reading the whole stream takes."""
    settings = read_settings({"api_key": KEY, "base_url": peer.address})
    assert settings is not None
    ports, before = MemoryPorts(), len(peer.headers)
    model = OpenAi(
        settings, UNBOUNDED, ports.providers, clock=lambda: datetime.now(UTC), seconds=lambda: 3_600.0
    )
    read = making(model)
    for mentions in stream:
        read(mentions)
    told = model.take_told()
    assert {one.code for one in told} == {"ok"}
    tokens = sum(one.usage.read + one.usage.written for one in told)
    return Taken(len(peer.headers) - before, tokens, sum(one.dollars for one in told))


def one_call_each(model: OpenAi) -> Read:
    """Every mention a call of its own, nothing remembered, nothing checked."""

    def read(mentions: Sequence[Mention]) -> None:
        shown = [Entry(asset=f"{m.asset.name} ({m.asset.symbol})", text=excerpt(m)) for m in mentions]
        model.ask([asked([entry], lambda: secrets.token_hex(6)).question for entry in shown])

    return read


def agent(model: OpenAi, *, remembering: bool) -> Read:
    """The desk's agent; a memory that does not remember is a new one at each batch."""
    kept = MemoryPorts().readings

    def read(mentions: Sequence[Mention]) -> None:
        memory = kept if remembering else MemoryPorts().readings
        reader = LanguageAgent(
            model=model, kept=memory, new_id=lambda: secrets.token_hex(6), draw=secrets.randbelow
        )
        reader.prepare(mentions)

    return read


def main() -> int:
    """Prints calls, tokens and dollars per 1,000 mentions; 0 also when there is nothing to measure with."""
    folder = DATA / "stocknet"
    if not (folder / "posts.parquet").is_file():
        print(f"no posts to read: {folder} is absent (set BELLWETHER_DATA)")
        return 0
    stream = list(batches(folder, int(sys.argv[1]) if len(sys.argv) > 1 else 3_000))
    count = sum(map(len, stream))
    with openai_peer() as peer:
        ways = {
            "one call a mention": taken(peer, one_call_each, stream),
            "many a call": taken(peer, lambda model: agent(model, remembering=False), stream),
            "many a call, remembered": taken(peer, lambda model: agent(model, remembering=True), stream),
        }
    print(f"{count} mentions in {len(stream)} batches; per 1,000 mentions, gpt-4.1-mini's prices")
    base = ways["one call a mention"]
    for name, way in ways.items():
        print(
            f"{name:24} {1_000 * way.calls / count:8.1f} calls  {1_000 * way.tokens / count:10,.0f} tokens  "
            f"{1_000 * way.dollars / count:7.4f} dollars   calls {way.calls / base.calls:.3f}, "
            f"dollars {way.dollars / base.dollars:.3f} of the first"
        )
    print(json.dumps({name: vars(way) for name, way in ways.items()}))
    return 0


def _item(post: dict[str, str]) -> StoredItem:
    at = datetime.fromisoformat(post["created_at"])
    sent = Item(source="x", source_id=post["id"], published_at=at, text=post["text"])
    return settle(sent, kind="social", received_at=at, salt=b"benchmark")


if __name__ == "__main__":
    sys.exit(main())
