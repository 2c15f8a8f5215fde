"""A provider's targets against a site on loopback: a clock that is set, a desk in memory, and all faults."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.adapters.providers.provider import Cursor, Fetched, Provider
from bellwether.adapters.providers.sources import Sources
from bellwether.domain.entities import Asset
from tests.peers import web
from tests.peers.web import Fault, Site

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
KEY = "k3y-0123456789abcdefSECRET"


@dataclass
class Time:
    """The only clock there is; sleeping moves it."""

    now: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def later(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


@dataclass
class Rig:
    """`make` is the module's `targets`; `name` the provider, at the site."""

    name: str
    site: Site
    make: Callable[[Sources], list[Provider]]
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    time: Time = field(default_factory=Time)
    ports: MemoryPorts = field(default_factory=MemoryPorts)
    seconds: float = 5.0
    _https: dict[float, GuardedHttp] = field(default_factory=dict)

    def track(self, *assets: Asset) -> None:
        for asset in assets:
            self.ports.entities.put("asset", asset.symbol, asset)

    def targets(self) -> list[Provider]:
        return self.make(
            Sources(
                entities=self.ports.entities,
                http=self._http(),
                records=self.ports.providers,
                clock=self.time,
                keys=self.keys,
                addresses={self.name: self.site.address},
                jitter=lambda: 0.5,
                sleep=self.time.sleep,
            )
        )

    def _http(self) -> GuardedHttp:
        if self.seconds not in self._https:
            self._https[self.seconds] = GuardedHttp(trusted={self.site.host}, seconds=self.seconds)
        return self._https[self.seconds]

    def fetch(self, cursor: Cursor | None = None, target: int = 0) -> Fetched:
        return self.targets()[target].fetch(cursor or Cursor(), self.time.now)


@dataclass(frozen=True)
class Broken:
    """A fault of the site, and the code it is known by; `None` when the answer can be read all the same."""

    name: str
    fault: Fault
    code: str | None


ELSEWHERE = "http://127.0.0.1:9/latest/meta-data"
FAULTS: Sequence[Broken] = (
    Broken("html", web.html(), "bad_answer"),
    Broken("empty", web.instead(web.Said(200, b"")), "bad_answer"),
    Broken("truncated", web.truncated, "bad_answer"),
    Broken("cut", web.cut, "cut_short"),
    Broken("reset", web.reset, "unreachable"),
    Broken("trickle", web.trickle(0.05), "too_slow"),
    Broken("bomb", web.bomb(), "too_large"),
    Broken("large", web.large(5_000_001), "too_large"),
    Broken("redirect to loopback", web.redirect(ELSEWHERE), "private_address"),
    Broken("server error", web.status(503, b"oops", Retry_After="120"), "http_503"),
    Broken("too many", web.status(429, b"slow down", Retry_After="600"), "too_many_requests"),
    Broken("not there", web.status(404), "http_404"),
    Broken("packed", web.packed, None),
    Broken("another encoding", web.utf16, None),
    Broken("five megabytes", web.large(4_999_000), None),
)


def faults(**codes: str | None) -> list[Broken]:
    """The faults, with the codes a provider has of its own: by the fault's name, `_` for a blank."""
    named = {name.replace("_", " "): code for name, code in codes.items()}
    return [Broken(one.name, one.fault, named.get(one.name, one.code)) for one in FAULTS]


def titles(fetched: Fetched) -> list[str | None]:
    return [item.title for item in fetched.items]
