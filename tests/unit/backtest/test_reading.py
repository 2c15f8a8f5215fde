"""A day's items become the sums that folding the desk's own signals gives."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from msgspec.structs import astuple, replace

from bellwether.adapters.memory import MemoryAgentConfigs
from bellwether.agents.copies import sketch_of
from bellwether.agents.mentions import Mentions
from bellwether.agents.readings import Mention, Reading
from bellwether.agents.registry import DEFAULTS, SENTIMENT
from bellwether.agents.sentiment import SentimentAgent, TextModel
from bellwether.agents.text import SentimentModel
from bellwether.backtest.intake import in_order
from bellwether.backtest.reading import DayReader, ReadItem, SignalMaker
from bellwether.backtest.records import Counts
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.day_sums import fold
from bellwether.domain.items import Item, Kind, StoredItem, author_hash, item_id, settle
from bellwether.domain.signals import BareSignal, Signal, day_of
from bellwether.domain.state import AssetDay
from bellwether.usecases.agent_versions import AgentVersions
from bellwether.usecases.process_batch import signal_from
from tests.unit.backtest.history import ASSETS, FIRST, posts

RUMOUR = "$BEACON will be bought out next week at a large premium say people at the bank"
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
LEARNED = replace(DEFAULTS[SENTIMENT], slope=1.7, intercept=-0.3, resolved=900, half_life=30.0)


def of_all_kinds() -> list[tuple[Item, Kind]]:
    """Posts of two days: of several assets, copied, edited, of young and of unnamed authors, in French, faded
    before they were observed, of nothing but a name, and of no asset.
    """

    def post(number: int, hours: float, text: str, **fields: object) -> tuple[Item, Kind]:
        at = NOON + timedelta(hours=hours)
        values = {"published_at": at, "text": text, "author": f"a{number % 3}", **fields}
        return Item(source="x", source_id=f"k{number}", **values), "social"  # type: ignore[arg-type]

    late = {"published_at": NOON - timedelta(days=20), "observed_at": NOON + timedelta(hours=5)}
    made = [
        post(0, 0, RUMOUR),
        post(1, 1, RUMOUR, engagement={"author_age_days": 2.0}),
        post(2, 2, RUMOUR + " wow", engagement={"author_followers": 3.0}),
        post(3, 3, "$HARBOR beats estimates while $LANTERN misses and $BEACON opens an office"),
        post(4, 4, "$BEACON bénéfice record cette année", lang="fr"),
        post(5, 5, "$BEACON shares jump after record profit", **late),
        post(6, 6, "$BEACON"),
        post(7, 7, "nothing of interest happened today"),
        post(8, 8, "$HARBOR slumps after a profit warning", author=None, engagement={"author_age_days": 1.0}),
        post(9, 14, RUMOUR + " hear hear", engagement={"author_age_days": 3.0}),
    ]
    return [*made, *posts(FIRST, 2, a_day=60)]


def as_the_desk_does(
    items: Sequence[StoredItem], config: AgentConfig, model: TextModel
) -> dict[tuple[str, str], list[Signal]]:
    """Every mention read, also of copies; by asset and day."""
    mentions, agent = Mentions(ASSETS), SentimentAgent(model)
    seen: set[str] = set()
    found: dict[tuple[str, str], list[Signal]] = defaultdict(list)
    for item in items:
        for mention in mentions.of(item):
            signal = signal_from(
                mention,
                config,
                agent.read(mention),
                copy=item.cluster_id in seen,
                sketch=sketch_of(item.words),
            )
            found[signal.asset, day_of(item.known_at)].append(signal)
        if mentions.of(item):
            seen.add(item.cluster_id)
    return found


class Cheerful:
    """A model that is of one mind about everything."""

    def read(self, *_: object, **__: object) -> SimpleNamespace:
        return SimpleNamespace(p_negative=0.0, p_neutral=0.1, p_positive=0.9)


@pytest.mark.parametrize("model", [SentimentModel.load(), Cheerful()])
@pytest.mark.parametrize("config", [DEFAULTS[SENTIMENT], LEARNED])
def test_the_sums_of_two_days_are_the_fold_s(config: AgentConfig, model: TextModel) -> None:
    configs = MemoryAgentConfigs()
    configs.put(replace(config, version=1, created_at=NOON - timedelta(days=1)))
    items = in_order(of_all_kinds(), counts := Counts())
    reader = DayReader(ASSETS, model, counts)
    versions = AgentVersions(configs)
    days = {f"{day:%Y%m%d}": reader.day(f"{day:%Y%m%d}", read, versions) for day, read in reader.days(items)}
    states = {(asset, day): state for day, found in days.items() for asset, state in found.items()}
    signals = as_the_desk_does(items, config, model)
    assert counts.signals == sum(map(len, signals.values())) == 131
    assert (counts.linked, counts.copies) == (129, 1)
    assert set(states) == set(signals)
    before: dict[str, AssetDay] = {}
    for (asset, day), mine in sorted(signals.items(), key=lambda one: one[0][1]):
        whole, _ = fold(AssetDay(asset=asset, day=day), mine, earlier=before.get(asset))
        assert whole.top
        found = states[asset, day]
        assert found == replace(whole, top=(), agents=found.agents)
        assert {*found.agents} == {*whole.agents}
        for key, sums in whole.agents.items():
            # texts that are read at once read the same but for the order of the sums
            assert astuple(found.agents[key]) == pytest.approx(astuple(sums), abs=1e-11)
        before[asset] = whole


def test_what_was_said_two_days_ago_is_said_anew() -> None:
    """Copies are known across one midnight, as on the desk, and not across two."""
    items = in_order([pair for pair in of_all_kinds() if "bought out" in str(pair[0].text)], Counts())
    versions = AgentVersions(MemoryAgentConfigs())
    for days, mentions in ((1, 0), (2, 1)):
        reader = DayReader(ASSETS, Cheerful(), Counts())
        first, last = reader.read(items[:1]), reader.read(items[-1:])
        reader.day("20240101", first, versions)
        assert reader.day(f"2024010{1 + days}", last, versions)["BEACON"].mentions == mentions


def test_an_agent_that_is_switched_off_says_nothing() -> None:
    configs = MemoryAgentConfigs()
    configs.put(replace(LEARNED, version=1, created_at=NOON, enabled=False))
    items = in_order(of_all_kinds(), counts := Counts())
    reader = DayReader(ASSETS, Cheerful(), counts)
    versions = AgentVersions(configs)
    states = [reader.day(f"{day:%Y%m%d}", read, versions) for day, read in reader.days(items)]
    assert states[0]["BEACON"].last_event is not None
    assert max(state.last_event or "" for state in states[0].values()) < NOON.isoformat()
    assert states[1] == {}


@pytest.mark.parametrize("config", [DEFAULTS[SENTIMENT], LEARNED, replace(LEARNED, half_life=0.001)])
@pytest.mark.parametrize("raw", [None, 0.0, -1.0, 0.4])
@pytest.mark.parametrize("confidence", [-0.5, 0.0, 0.7, 1.0, 1.5])
def test_a_bare_signal_is_the_desk_s_as_far_as_it_goes(
    config: AgentConfig, raw: float | None, confidence: float
) -> None:
    sent = Item(
        source="x",
        source_id="1",
        published_at=NOON - timedelta(hours=3),
        observed_at=NOON,
        text=RUMOUR,
        engagement={"author_followers": 2.0},
    )
    item = settle(sent, kind="social", received_at=NOON, salt=b"s")
    of_item = [
        Mention(item=item, asset=asset, text=item.words, start=0, end=7, confidence=confidence)
        for asset in ASSETS[:2]
    ]
    sketch = sketch_of(item.words)
    made: defaultdict[str, list[BareSignal]] = defaultdict(list)
    SignalMaker(config).add(ReadItem(item, of_item, [raw, raw], sketch, copy=False), made)
    quality = min(1.0, max(0.0, confidence))
    reading = Reading(abstained="why") if raw is None else Reading(raw=raw, quality=quality)
    assert list(made) == [asset.symbol for asset in ASSETS[:2]]
    for mention in of_item:
        (bare,) = made[mention.asset.symbol]
        whole = signal_from(mention, config, reading, copy=False, sketch=sketch)
        assert astuple(bare) == tuple(getattr(whole, name) for name in BareSignal.__struct_fields__)
        assert bare.signal_id == whole.signal_id


def test_items_are_settled_as_the_desk_settles_them() -> None:
    pairs = posts(FIRST, 2, a_day=50)
    found = in_order([*pairs, pairs[3]], counts := Counts())
    assert counts.duplicates == 1
    by_id = {item.item_id: item for item in found}
    assert len(by_id) == 100
    for item, kind in pairs:
        stored = by_id[item_id(item.source, item.source_id)]
        assert item.author is not None
        assert stored.author == author_hash(b"bellwether backtest", item.source, item.author)
        settled = settle(item, kind=kind, received_at=stored.observed_at, salt=b"bellwether backtest")
        assert stored == settled
