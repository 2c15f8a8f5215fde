"""A simulated hour: a clock, providers on loopback that publish by it, and everything that goes wrong."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any
from zlib import crc32

from msgspec.structs import replace

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.adapters.providers.terms import TERMS
from bellwether.domain.entities import Asset, Feed, Subreddit
from bellwether.domain.items import item_id
from bellwether.domain.problems import Unavailable
from bellwether.domain.provider_record import ProviderRecord
from bellwether.handlers.fetching import FetchParts
from bellwether.usecases.ingest import Ingest
from tests.peers import alphavantage, edgar, finnhub, gdelt, newsapi, reddit, x
from tests.peers.web import Asked, Fault, Said, Site, cut, html, instead, reset, site, status, truncated

START = datetime(2026, 11, 26, 12, tzinfo=UTC)
KEY = "key-of-the-simulated-desk"
KEYS = {
    "x": {"bearer_token": x.KEY},
    "reddit": {"client_id": reddit.CLIENT, "client_secret": reddit.SECRET},
    "news": {"newsapi_key": KEY, "finnhub_key": KEY, "alphavantage_key": KEY},
    "providers": {"user_agent": "Simulated Desk desk@example.com"},
}
FAULTS: tuple[Fault, ...] = (
    cut,
    reset,
    truncated,
    html(),
    status(500),
    status(503, b"", Retry_After="30"),
    status(429, b"", Retry_After="45"),
    instead(Said(200, b"")),
)


class SimulatedClock:
    """Time that passes when somebody sleeps, and between rounds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._now = START

    def __call__(self) -> datetime:
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now += timedelta(seconds=seconds)

    def reach(self, moment: datetime) -> None:
        with self._lock:
            self._now = max(self._now, moment)


@dataclass
class Trouble:
    """What goes wrong, drawn from a seed; `calm` ends it."""

    drawn: random.Random
    calm: bool = False
    crashes: int = 0
    faults: int = 0

    def happens(self, share: float) -> bool:
        return not self.calm and self.drawn.random() < share

    def crash(self, share: float) -> None:
        """The desk dies here, as far as a caller can tell."""
        if self.happens(share):
            self.crashes += 1
            raise Unavailable("died here")


@dataclass
class World:
    """All providers and the desk. `published` are the ids of what was published, `requests` counts what each
    provider received, `bytes_sent` adds up the bodies of its answers, `calls` holds when each call was begun.

    The clock leaps when somebody sleeps, so a request of another thread may be received seconds after it was
    begun, which no network does: pace is judged by when calls begin.
    """

    clock: SimulatedClock
    trouble: Trouble
    ports: MemoryPorts
    sites: dict[str, Site]
    peers: dict[str, Any] = field(default_factory=dict)
    published: set[str] = field(default_factory=set)
    requests: Counter[str] = field(default_factory=Counter)
    bytes_sent: Counter[str] = field(default_factory=Counter)
    calls: dict[str, list[datetime]] = field(default_factory=dict)
    feed: list[tuple[str, datetime]] = field(default_factory=list)
    parts: FetchParts = field(init=False)

    def __post_init__(self) -> None:
        for name, one in self.sites.items():
            one.answer = self._watched(name, one.answer)  # type: ignore[method-assign, assignment]
        self.peers = {
            "x": x.XPeer(self.sites["x"], self.clock()),
            "reddit": reddit.RedditPeer(self.sites["reddit"], self.clock()),
            "gdelt": gdelt.Gdelt(self.sites["gdelt"], clock=self.clock),
            "newsapi": newsapi.NewsApi(self.sites["newsapi"], KEY),
            "finnhub": finnhub.Finnhub(self.sites["finnhub"], KEY),
            "alphavantage": alphavantage.AlphaVantage(self.sites["alphavantage"], KEY),
            "edgar": edgar.Edgar(self.sites["edgar"], self.clock, symbol="KO"),
        }
        self.sites["rss"].route("GET", "/feed", self._feed)
        self.ports.entities.put("asset", "KO", Asset(symbol="KO", name="Coca-Cola"))
        self.ports.entities.put("subreddit", "stocks", Subreddit(name="stocks"))
        self.ports.entities.put("feed", "feed", Feed(url=f"{self.sites['rss'].address}/feed"))
        self.parts = self._desk()

    def _watched(self, name: str, real: Callable[[Asked], Said]) -> Callable[[Asked], Said]:
        def answer(asked: Asked) -> Said:
            self.requests[name] += 1
            for peer in (self.peers["x"], self.peers["reddit"]):
                peer.now = self.clock()
                # their quotas are counted by this world, over any window and not only their own
                peer.left = 400
            told = real(asked)
            self.bytes_sent[name] += len(told.body)
            if self.trouble.happens(0.3):
                self.trouble.faults += 1
                self.sites[name].faults.append(self.trouble.drawn.choice(FAULTS))
            return told

        return answer

    def _feed(self, asked: Asked) -> Said:
        items = "".join(
            f"<item><title>{title}</title><guid>https://news.example/{title.replace(' ', '-')}</guid>"
            f"<pubDate>{at:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
            for title, at in self.feed[-40:]
        )
        body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{items}</channel></rss>'
        mark = f'"{crc32(body.encode()):08x}"'
        if asked.headers.get("if-none-match") == mark:
            return Said(304, b"", {"ETag": mark})
        return Said(200, body.encode(), {"Content-Type": "application/rss+xml", "ETag": mark})

    def _desk(self) -> FetchParts:
        ports, trouble = self.ports, self.trouble
        keep_cursor, send = ports.lake.put, ports.queue.send
        claim, keep_record = ports.claims.claim_items, ports.providers.put

        def put(*told: Any) -> None:
            trouble.crash(0.08)
            keep_cursor(*told)

        def queued(message: Any) -> None:
            trouble.crash(0.05)
            send(message)

        def claimed(batch_id: str, item_ids: Any) -> set[str]:
            trouble.crash(0.05)
            return claim(batch_id, item_ids)

        def reserved(record: ProviderRecord) -> bool:
            before = ports.providers.get(record.name)
            kept = keep_record(record)
            # each reservation moves on what is due next
            if kept and record.arrivals != before.arrivals and record.called_at is not None:
                self.calls.setdefault(record.name, []).append(record.called_at)
            return kept

        ports.providers.put = reserved  # type: ignore[method-assign]
        ports.lake.put = put  # type: ignore[method-assign, assignment]
        ports.queue.send = queued  # type: ignore[method-assign]
        ports.claims.claim_items = claimed  # type: ignore[method-assign]
        return FetchParts(
            entities=ports.entities,
            lake=ports.lake,
            ingest=Ingest(
                raw=ports.raw, claims=ports.claims, queue=ports.queue, counts=ports.counts, salt=b"s" * 32
            ),
            http=GuardedHttp(trusted={one.host for one in self.sites.values()}, seconds=5),
            records=ports.providers,
            keys=lambda: KEYS,
            addresses={name: one.address for name, one in self.sites.items()},
            # an answer that was cut is charged as if it had been whole: the usual budget would end the hour
            terms={**TERMS, "x": replace(TERMS["x"], daily_dollars=500.0, monthly_dollars=500.0)},
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    def publish(self, number: int) -> None:
        """One more post or article at each provider; now and then one that is dated in the future."""
        at = self.clock()
        words = f"Coca-Cola {number} rises"
        dated = at + timedelta(hours=2) if number % 9 == 0 else at
        self._note("x", str(self.peers["x"].add(f"$KO {number}", at)))
        self._note("reddit", self.peers["reddit"].add(f"$KO {number}", at))
        self.feed.append((words, dated))
        self._note("rss", f"https://news.example/{words.replace(' ', '-')}")
        entry = gdelt.article(f"{words} gdelt", at)
        self.peers["gdelt"].articles.append(entry)
        self._note("gdelt", entry["url"])
        told = newsapi.article(f"{words} newsapi", at)
        self.peers["newsapi"].articles.append(told)
        self._note("newsapi", told["url"])
        self.peers["finnhub"].articles.append(finnhub.article(number, words, at, related="KO"))
        self._note("finnhub", str(number))
        sent = alphavantage.article(f"{words} alphavantage", at, "KO")
        self.peers["alphavantage"].articles.append(sent)
        self._note("alphavantage", sent["url"])
        if number % 6 == 0:
            self._file(number + 1)

    def _file(self, number: int) -> None:
        """One more report to the SEC, whose clock is New York's."""
        wall = self.clock() - timedelta(hours=5)
        accession = f"0001234567-26-{number:06d}"
        source = edgar.submission(accession, wall, ("8-K", edgar.REPORT))
        self._note("edgar", self.peers["edgar"].file(number, "8-K", wall, source, items="2.02"))

    def _note(self, source: str, source_id: str) -> None:
        self.published.add(item_id(source, source_id))

    def arrived(self) -> Counter[str]:
        """How often each item reached the signal workers as its batch's own, by its id."""
        found: Counter[str] = Counter()
        for message in {sent.batch_id: sent for sent in self.ports.queue.sent}.values():
            batch = self.ports.raw.get(message.key)
            owners = self.ports.claims.locate([item.item_id for item in batch.items])
            for index, item in enumerate(batch.items):
                if index not in message.duplicates and owners.get(item.item_id) == batch.batch_id:
                    found[item.item_id] += 1
        return found


@contextmanager
def world(seed: int) -> Iterator[World]:
    """All providers up, until the block ends."""
    with ExitStack() as up:
        names = ("x", "reddit", "rss", "gdelt", "newsapi", "finnhub", "alphavantage", "edgar")
        sites = {name: up.enter_context(site()) for name in names}
        yield World(SimulatedClock(), Trouble(random.Random(seed)), MemoryPorts(), sites)
