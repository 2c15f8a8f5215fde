"""Which posts the desk holds, by the day they came in: an index beside the lake's batches, ids alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from bellwether.domain.forgetting import HELD_FOR, is_checkable
from bellwether.domain.items import Instant, RawBatch
from bellwether.domain.problems import NotFound
from bellwether.usecases.ports import Lake, RawBatches

PREFIX = "features/held/"
STATE = f"{PREFIX}state.json"
LATE = timedelta(hours=26)
"""A request that is repeated within a day writes its batch at the hour of its first try."""
SAVE_EVERY = 200
ROOM = timedelta(days=8)
"""A day is looked at for so long after the time its posts are held, in case no run came by."""


class Awaited(Struct, frozen=True, kw_only=True):
    """What a source was asked and has not answered: its token, and how many ids of which days."""

    token: str
    asked_at: Instant
    days: tuple[tuple[str, int], ...]


class HeldState(Struct, kw_only=True, omit_defaults=True):
    """How far batches are in the index, and what sources have yet to answer."""

    read_until: Instant | None = None
    awaited: dict[str, Awaited] = {}


class HeldDay(Struct, kw_only=True, omit_defaults=True):
    """Posts of the batches of one day: ids by source by the batch's key. `answered` counts the ids a source
    has spoken about since it was last through with the day at `checked`."""

    day: str
    batches: dict[str, dict[str, list[str]]] = {}
    checked: dict[str, Instant] = {}
    answered: dict[str, int] = {}

    @property
    def ends(self) -> datetime:
        """The end of the day (UTC)."""
        return datetime.strptime(self.day, "%Y/%m/%d").replace(tzinfo=UTC) + timedelta(days=1)

    def ids(self, source: str) -> list[str]:
        """The ids of a source, each once, as they came in."""
        return list(dict.fromkeys(one for found in self.batches.values() for one in found.get(source, ())))

    def keys_of(self, source: str, source_id: str) -> list[str]:
        """The batches that hold a post."""
        return [key for key, found in self.batches.items() if source_id in found.get(source, ())]


class HeldPosts:
    """The index, an object a day under `features/held/`."""

    def __init__(self, lake: Lake, raw: RawBatches) -> None:
        self._lake = lake
        self._raw = raw
        self._read: dict[str, HeldDay] = {}

    def state(self) -> HeldState:
        content = self._lake.get(STATE)
        return msgspec.json.decode(content, type=HeldState) if content else HeldState()

    def keep_state(self, state: HeldState) -> None:
        self._lake.put(STATE, msgspec.json.encode(state))

    def day(self, day: str) -> HeldDay:
        """A day of the index, read once; an empty one when there is none."""
        if day not in self._read:
            content = self._lake.get(f"{PREFIX}{day}.json")
            self._read[day] = msgspec.json.decode(content, type=HeldDay) if content else HeldDay(day=day)
        return self._read[day]

    def keep(self, day: HeldDay) -> None:
        self._lake.put(f"{PREFIX}{day.day}.json", msgspec.json.encode(day))

    def days(self, now: datetime) -> list[HeldDay]:
        """Days of the index whose posts may still have their words, newest first."""
        first = f"{now - HELD_FOR - ROOM:%Y/%m/%d}"
        found = (key.removeprefix(PREFIX).removesuffix(".json") for key in self._lake.list(PREFIX))
        named = sorted((name for name in found if name[:1].isdigit() and name >= first), reverse=True)
        return [self.day(name) for name in named]

    def take_in(self, state: HeldState, now: datetime, out_of_time: Callable[[], bool]) -> int:
        """Puts batches that are not in the index there; returns how many posts were new. What there is no
        time for is taken in by the next call."""
        since = (state.read_until or now - HELD_FOR) - LATE
        day: HeldDay | None = None
        taken = unsaved = 0
        for key in self._raw.keys(since):
            name = _day_of(key)
            if day is None or day.day != name:
                self._save(day, unsaved)
                day, unsaved = self.day(name), 0
            if key in day.batches:
                continue
            if out_of_time():
                self._save(day, unsaved)
                return taken
            taken += self._add(day, key)
            unsaved += 1
            if unsaved >= SAVE_EVERY:
                self._save(day, unsaved)
                unsaved = 0
        self._save(day, unsaved)
        state.read_until = now
        return taken

    def _save(self, day: HeldDay | None, unsaved: int) -> None:
        if day is not None and unsaved:
            self.keep(day)

    def _add(self, day: HeldDay, key: str) -> int:
        try:
            found = self._posts(self._raw.get(key))
        except NotFound:  # a damaged object: `recover` tells of it, and it may be whole another time
            return 0
        day.batches[key] = found
        return sum(map(len, found.values()))

    @staticmethod
    def _posts(batch: RawBatch) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for item in filter(is_checkable, batch.items):
            found.setdefault(item.source, []).append(item.source_id)
        return found


def _day_of(key: str) -> str:
    """`yyyy/mm/dd` of a batch's key, `raw-data/yyyy/mm/dd/HH/…`."""
    return "/".join(key.split("/")[1:4])
