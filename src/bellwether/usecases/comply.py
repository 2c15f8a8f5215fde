"""What people delete at X and Reddit is deleted here: asks the sources, and forgets what is gone."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from bellwether.agents.mentions import Mentions
from bellwether.domain.forgetting import AGED, CHECKABLE, HELD_FOR, forgotten, is_due, without_words
from bellwether.domain.items import RawBatch, StoredItem
from bellwether.domain.problems import NotFound
from bellwether.domain.signals import day_of
from bellwether.usecases.held_posts import Awaited, HeldDay, HeldPosts, HeldState
from bellwether.usecases.ports import Entities, Lake, PostSource, RawBatches, SignalStore

LATEST = timedelta(hours=24)
"""Within which every post held is asked about."""
BY_PROVIDERS = "provider:"


class Complied(Struct, frozen=True, kw_only=True):
    """What a run did, by source: posts asked about and forgotten, posts nobody has answered about for a day,
    and why a source could not be asked."""

    taken_in: int
    answered: dict[str, int]
    forgotten: dict[str, int]
    overdue: dict[str, int]
    awaited: tuple[str, ...]
    faults: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Comply:
    """Safe to run at any time, to be killed, and to be repeated: a post is forgotten in its signals first,
    then in its batches, and leaves the index last."""

    raw: RawBatches
    lake: Lake
    signals: SignalStore
    entities: Entities
    sources: Sequence[PostSource]

    def __call__(self, *, now: datetime, out_of_time: Callable[[], bool]) -> Complied:
        """One run: takes new batches into the index, asks about what is due, newest first."""
        held = HeldPosts(self.lake, self.raw)
        state = held.state()
        taken = held.take_in(state, now, out_of_time)
        held.keep_state(state)
        run = _Run(self, held, state, now, out_of_time)
        for source in self.sources:
            run.ask(source)
        run.age()
        return Complied(
            taken_in=taken,
            answered=dict(run.answered),
            forgotten=dict(run.forgotten),
            overdue=dict(run.overdue()),
            awaited=tuple(sorted(state.awaited)),
            faults=run.faults,
        )


class _Run:
    def __init__(
        self,
        of: Comply,
        held: HeldPosts,
        state: HeldState,
        now: datetime,
        out_of_time: Callable[[], bool],
    ) -> None:
        self._of = of
        self._held = held
        self._state = state
        self._now = now
        self._out_of_time = out_of_time
        self._mentions: Mentions | None = None
        self.answered = Counter[str]()
        self.forgotten = Counter[str]()
        self.faults: dict[str, str] = {}

    def ask(self, source: PostSource) -> None:
        """Asks a source about what is due, or on about what it has yet to answer."""
        awaited = self._state.awaited.get(source.name)
        if awaited is not None and self._now - awaited.asked_at > LATEST:
            awaited = None  # what has not been answered in a day is asked anew
        days = self._asked_again(awaited) if awaited else self._due(source.name)
        asked = [(day, _open(day, source.name)[:most]) for day, most in days]
        ids = [one for _, some in asked for one in some]
        if not ids and awaited is None:
            return
        token = awaited.token if awaited else None
        answer = source.ask(ids, token, self._out_of_time)
        if answer.code:
            self.faults[source.name] = answer.code
        if answer.pending is not None:
            self._state.awaited[source.name] = Awaited(
                token=answer.pending,
                asked_at=awaited.asked_at if awaited else self._now,
                days=tuple((day.day, len(some)) for day, some in asked),
            )
        else:
            self._state.awaited.pop(source.name, None)
            at = awaited.asked_at if awaited else self._now
            self._settle(source.name, asked, dict(answer.gone), answer.answered, at)
        self._held.keep_state(self._state)

    def age(self) -> None:
        """Forgets words of posts that providers brought and that are past the time they are held."""
        for day in self._held.days(self._now):
            if self._now - day.ends < HELD_FOR or not any(day.batches.values()) or self._out_of_time():
                continue
            for key, found in day.batches.items():
                gone = {source: dict.fromkeys(ids, AGED) for source, ids in found.items() if ids}
                if gone:
                    self._forget(key, gone, only_from_providers=True)
                found.clear()
            self._held.keep(day)

    def overdue(self) -> Counter[str]:
        """Posts by source that nobody has answered about for a day and more."""
        late = Counter[str]()
        for day in self._held.days(self._now):
            for source in CHECKABLE:
                if self._now - day.checked.get(source, day.ends) > LATEST:
                    late[source] += len(_open(day, source))
        return +late

    def _due(self, source: str) -> list[tuple[HeldDay, int | None]]:
        return [
            (day, None)
            for day in self._held.days(self._now)
            if is_due(day.ends, day.checked.get(source), self._now) and _open(day, source)
        ]

    def _asked_again(self, awaited: Awaited) -> list[tuple[HeldDay, int | None]]:
        return [(self._held.day(name), most) for name, most in awaited.days]

    def _settle(
        self,
        source: str,
        asked: Sequence[tuple[HeldDay, list[str]]],
        gone: Mapping[str, str],
        answered: int,
        at: datetime,
    ) -> None:
        for day, ids in asked:
            spoken = ids[:answered]
            answered -= len(spoken)
            if not spoken:
                continue
            through = len(spoken) == len(_open(day, source))
            self.answered[source] += len(spoken)
            mine = {one: gone[one] for one in spoken if one in gone}
            self._forget_of(day, source, mine)
            if through:
                day.checked[source] = at
                day.answered.pop(source, None)
            else:
                day.answered[source] = day.answered.get(source, 0) + len(spoken) - len(mine)
            self._held.keep(day)

    def _forget_of(self, day: HeldDay, source: str, gone: Mapping[str, str]) -> None:
        by_key: dict[str, dict[str, str]] = defaultdict(dict)
        for one, because in gone.items():
            for key in day.keys_of(source, one):
                by_key[key][one] = because
        for key, ids in by_key.items():
            self._forget(key, {source: ids})
            day.batches[key][source] = [one for one in day.batches[key][source] if one not in ids]

    def _forget(
        self, key: str, gone: Mapping[str, Mapping[str, str]], *, only_from_providers: bool = False
    ) -> None:
        """Takes the words of posts (`gone`: source to id to reason) out of a batch and out of its signals."""
        try:
            batch = self._of.raw.get(key)
        except NotFound:
            return
        if only_from_providers and not batch.submitted_by.startswith(BY_PROVIDERS):
            return
        reasons = {
            item.item_id: gone[item.source][item.source_id]
            for item in batch.items
            if item.source_id in gone.get(item.source, {})
        }
        self._forget_reasons(batch, reasons)
        items = [
            forgotten(item, reasons[item.item_id], self._now) if item.item_id in reasons else item
            for item in batch.items
        ]
        self.forgotten.update(
            new.source for new, old in zip(items, batch.items, strict=True) if new is not old
        )
        self._of.raw.replace(key, replace(batch, items=items))

    def _forget_reasons(self, batch: RawBatch, reasons: Mapping[str, str]) -> None:
        """What agents wrote down about the posts, in the signals of the assets they are found to speak of."""
        by_day: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for item in batch.items:
            if item.item_id in reasons:
                for asset in self._assets(item):
                    by_day[asset, day_of(item.known_at)][item.item_id] = reasons[item.item_id]
        for (asset, day), gone in by_day.items():
            changed = without_words(self._of.signals.of_day(asset, day), gone)
            if changed:
                self._of.signals.put(changed, batch.received_at)

    def _assets(self, item: StoredItem) -> list[str]:
        if self._mentions is None:
            self._mentions = Mentions(self._of.entities.assets())
        return [mention.asset.symbol for mention in self._mentions.of(item)]


def _open(day: HeldDay, source: str) -> list[str]:
    """The ids of a day a source has not spoken about since it was last through with the day."""
    return day.ids(source)[day.answered.get(source, 0) :]
