"""What the use cases need from the outside, each port as narrow as its use.

Adapters implement them (`adapters/aws` for the services, `adapters/memory` for tests and backtests); one
contract suite (`tests/contract`) holds both to the same behaviour. Errors: an adapter raises
`domain.problems.Unavailable` when a service does not answer, `Conflict` when a condition failed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.corporate_actions import Actions
from bellwether.domain.entities import Asset, Portfolio
from bellwether.domain.items import Instant, RawBatch
from bellwether.domain.ledger import Entry
from bellwether.domain.outcomes import Outcome
from bellwether.domain.prices import History
from bellwether.domain.proposals import Decision, Proposal, Status
from bellwether.domain.provider_record import ProviderRecord
from bellwether.domain.signals import Signal
from bellwether.domain.state import AssetDay


class BatchMessage(Struct, frozen=True, kw_only=True):
    """The claim check that travels through the ingest queue: where the batch is and which items are new."""

    batch_id: str
    key: str
    duplicates: tuple[int, ...] = ()


class RawBatches(Protocol):
    """`raw-data/yyyy/mm/dd/HH/` of the lake: one object a batch, written before anything is acknowledged."""

    def put(self, batch: RawBatch) -> str:
        """Writes the batch once and returns its key; an existing object of the same batch is left as it is.

        The key is made of `received_at` and `batch_id` alone.
        """

    def get(self, key: str) -> RawBatch:
        """Reads a batch. Raises `NotFound`."""

    def replace(self, key: str, batch: RawBatch) -> None:
        """Puts a batch in the place of the one at `key` and removes every older version of it for good.

        What was removed cannot be read again by anybody; if that fails half-way it is to be called again.
        """

    def keys(self, since: datetime) -> Iterator[str]:
        """Keys of all batches received at or after `since` (hour granularity), oldest first."""


class PostAnswer(Struct, frozen=True, kw_only=True):
    """What a source says of posts: why those are gone that are, and of how many of the ids, counted from the
    first, it said so. With `pending` it has not made up its mind: to be asked again with that. `code` and
    `detail` tell of a source that could not be asked (on).
    """

    gone: Mapping[str, str] = {}
    answered: int = 0
    pending: str | None = None
    code: str | None = None
    detail: str | None = None


class PostSource(Protocol):
    """Where posts come from, asked which of those the desk holds are still there."""

    @property
    def name(self) -> str:
        """As in `StoredItem.source`."""

    def ask(self, ids: Sequence[str], pending: str | None, out_of_time: Callable[[], bool]) -> PostAnswer:
        """Asks about the ids in their order, or on about those that `pending` stands for."""


class ItemClaims(Protocol):
    """Which batch an item, and which item a cluster, belongs to: the memory that makes both count once."""

    def claim_items(self, batch_id: str, item_ids: Sequence[str]) -> set[str]:
        """Claims each id for the batch, atomically per id; returns those that are the batch's.

        An id the same batch claimed before is returned again, so that a retry gives the same answer.
        """

    def claim_clusters(self, batch_id: str, known: Mapping[str, datetime]) -> set[str]:
        """The same for clusters, each with when its first item in this batch became known.

        Returns the clusters of which this batch holds the earliest known item so far. A claim is won when
        there is none, when it is the batch's own, or when the one there names a later time (which is then
        replaced): what became known later never decides over what was known before it, whatever the order
        in which batches are processed, so a replay for an earlier `as_of` does not look ahead.
        """

    def finished(self, batch_ids: Sequence[str]) -> set[str]:
        """Of these batches, those whose signals are all stored."""

    def finish(self, batch_id: str) -> None:
        """Notes that all signals of the batch are stored (idempotent)."""

    def lease(self, batch_id: str, at: datetime, until: datetime) -> str:
        """Gives the batch to one worker until a moment; returns the lease's name.

        Raises `Held`, with how long to wait, while another lease stands at `at`. One that has ended is taken
        over.
        """

    def release(self, batch_id: str, lease: str) -> None:
        """Ends a lease before its time; one that somebody else took over stays theirs."""

    def end_lease(self, batch_id: str, until: datetime) -> None:
        """Ends the batch's lease if it ends at or before `until` anyway: its worker is known to be dead."""

    def locate(self, item_ids: Sequence[str]) -> Mapping[str, str]:
        """`batch_id` by item id, for those that are known."""


class Reservation(Struct, frozen=True, kw_only=True):
    """What is known of an idempotency key: when it was first used, and the first answer once there is one."""

    first_at: Instant
    answer: bytes | None = None


class Answers(Protocol):
    """First answers by idempotency key, so that a replay gets the same one."""

    def begin(self, scope: str, key: str, request_hash: str, at: datetime) -> Reservation:
        """Reserves the key, or returns what became of its first use.

        With an `answer`, send that. Without one the call may go on, as of `first_at` (which stays that of the
        first try, so that a retry writes the same objects). Raises `IdempotencyMismatch` when the key was
        used with another request, `Conflict` while another call holds it (a hold older than 60 s is taken
        over).
        """

    def keep(self, scope: str, key: str, request_hash: str, answer: bytes, at: datetime) -> None:
        """Stores the first answer for 24 hours at least."""

    def release(self, scope: str, key: str) -> None:
        """Gives the key back after a failure, so that the caller may try the same request again."""


class BatchQueue(Protocol):
    """The ingest queue."""

    def send(self, message: BatchMessage) -> None:
        """Hands the batch to the signal workers."""


class SignalStore(Protocol):
    """The monthly signals tables, pk `asset#yyyymmdd` (day of observed time), sk `ts#agent#sourceId`."""

    def put(self, signals: Sequence[Signal], received_at: datetime) -> None:
        """Writes signals idempotently into the table of the month of `received_at`."""

    def of_day(self, asset: str, day: str, until: datetime | None = None) -> Iterator[Signal]:
        """Signals of one asset known on `day` (`yyyymmdd`), up to and including `until`, oldest first."""

    def get(self, signal_id: str) -> Signal | None:
        """One signal by `Signal.signal_id`."""


class AssetStates(Protocol):
    """The per-asset, per-day sums (`domain.state`)."""

    def days(self, asset: str, first_day: str, last_day: str) -> list[AssetDay]:
        """States of one asset from first to last day inclusive, ascending."""

    def get(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], AssetDay]:
        """States by (asset, day), those that exist."""

    def applied(self, batch_id: str, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Of these (asset, day) pairs, those to which the batch was applied already."""

    def apply(self, batch_id: str, states: Sequence[AssetDay]) -> set[tuple[str, str]]:
        """Writes new states exactly once per batch: each together with a marker (batch, asset, day).

        A state is written only if the stored version is one less than its own (absent counts as 0) and the
        marker does not exist. Returns the (asset, day) pairs that lost a race and must be computed again;
        pairs whose marker existed are treated as done.
        """


class Entities(Protocol):
    """The `tracked_entities` table."""

    def assets(self) -> list[Asset]:
        """All tracked assets, by symbol."""

    def portfolio(self, name: str) -> Portfolio | None:
        """One portfolio by name."""

    def portfolios(self) -> list[Portfolio]:
        """All portfolios, by name."""

    def records(self, entity_type: str) -> list[dict[str, Any]]:
        """All records of a type as plain values (feeds, subreddits, queries)."""

    def revision(self, entity_type: str) -> str:
        """Changes whenever an entity of the type does: what is made from all of them is good until then."""

    def put(self, entity_type: str, entity_id: str, record: Struct) -> None:
        """Creates or replaces one entity."""

    def remove(self, entity_type: str, entity_id: str) -> bool:
        """Removes one entity; False when there was none."""


class Prices(Protocol):
    """Daily bars under `curated-data/prices/`, splits and dividends under `curated-data/actions/`."""

    def history(self, symbol: str) -> History:
        """All bars of a symbol, ascending; an empty history when there are none."""

    def merge(self, history: History) -> int:
        """Adds bars, replacing those of the same date; returns how many rows changed."""

    def actions(self, symbol: str) -> Actions:
        """Splits and dividends of a symbol, ascending; none when none were kept."""

    def keep_actions(self, actions: Actions) -> int:
        """Adds splits and dividends, replacing those of the same day and kind; returns how many changed."""


class AgentConfigs(Protocol):
    """The `agents_config` table."""

    def current(self) -> dict[str, AgentConfig]:
        """The newest version of each agent."""

    def versions(self, agent_id: str) -> list[AgentConfig]:
        """All versions of an agent, oldest first."""

    def put(self, config: AgentConfig) -> None:
        """Writes a new version. Raises `Conflict` when that version exists."""


class Ledger(Protocol):
    """The append-only ledger in the Object-Lock bucket: the write-ahead log of proposals and decisions.

    Entries are written with If-None-Match under their sequence, so that of two writers of one sequence
    exactly one wins. Tables are projections of it and can be rebuilt from it.
    """

    def head(self) -> Entry | None:
        """The last entry, `None` when the ledger is empty."""

    def append(self, entry: Entry) -> bool:
        """Writes the entry durably; False when another entry has its sequence (True for the same again)."""

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Entries with a sequence greater than `after`, in order."""


class Proposals(Protocol):
    """The `proposals` table: pk `proposal_id`, sk `created_at`; a projection of the ledger."""

    def project(self, entry: Entry) -> None:
        """Applies a proposal or decision entry; applying it again changes nothing, order does not matter."""

    def get(self, proposal_id: str) -> tuple[Proposal, list[Decision]] | None:
        """A proposal as first written, and its decisions in order of revision."""

    def with_status(self, status: Status, limit: int = 100) -> list[Proposal]:
        """Proposals whose newest status this is, newest first (an index, not a scan), `status` filled in."""

    def decided_between(self, first: datetime, last: datetime) -> list[Proposal]:
        """Proposals created in the interval, by creation, with their newest status."""


class Outcomes(Protocol):
    """The `outcomes` table: pk `outcome_id`, sk `evaluated_at`; a projection of the ledger."""

    def put(self, outcomes: Sequence[Outcome]) -> None:
        """Writes outcomes idempotently."""

    def known(self, outcome_ids: Sequence[str]) -> set[str]:
        """Of these ids, those that exist."""

    def evaluated_before(self, as_of: datetime, limit: int = 10_000) -> list[Outcome]:
        """Outcomes evaluated at or before `as_of`, newest first."""

    def get(self, outcome_id: str) -> Outcome | None:
        """One outcome."""


class Forecasts(Protocol):
    """Scores worth evaluating, kept under `features/scores/yyyy/mm/dd/`, one an asset, day and horizon."""

    def keep(self, scores: Iterable[bytes], key: str) -> None:
        """Stores one day's scores as NDJSON under the key; rewriting the same key is allowed."""

    def between(self, first: datetime, last: datetime) -> Iterator[bytes]:
        """Scores as JSON whose `as_of` lies in the interval."""


class Change(Struct, frozen=True, kw_only=True):
    """Something a dashboard wants to know; `id` (a ULID) orders changes and resumes a stream."""

    id: str
    type: str
    at: Instant
    data: dict[str, Any]


class Changes(Protocol):
    """The feed behind `GET /dashboard/stream` and the WebSocket."""

    def publish(self, changes: Sequence[Change]) -> None:
        """Stores changes for the stream; the sockets are told by the same function."""

    def after(self, last_id: str | None, limit: int = 500) -> list[Change]:
        """Changes after an id, oldest first; with no id, the last ones."""


class ControlsVersion(Struct, frozen=True, kw_only=True):
    """The desk's controls as they were written once."""

    version: int
    at: Instant
    controls: dict[str, Any]


class DeskControls(Protocol):
    """The desk's state (ACTIVE, REDUCING, HALTED), its limits and the kill switch, in `agents_config`."""

    def controls(self) -> dict[str, Any]:
        """The current risk limits and state as plain values; an empty mapping means the defaults."""

    def versions(self) -> list[ControlsVersion]:
        """All versions, oldest first."""

    def change(self, controls: Mapping[str, Any], at: datetime, *, version: int | None = None) -> int:
        """Writes a new version that replaces the whole mapping; returns its version number (from 1).

        With a `version` it is that one which is written, and nothing when it exists.
        """


class Counts(Protocol):
    """Counters the dashboard and /metrics show: name and labels to value."""

    def add(self, counts: Mapping[str, float]) -> None:
        """Adds to counters; a key is `name{label="value",…}` as OpenMetrics writes it."""

    def totals(self) -> dict[str, float]:
        """All counters."""


class ProviderRecords(Protocol):
    """What functions that call providers know together (`domain.provider_record`), one record a provider."""

    def get(self, name: str) -> ProviderRecord:
        """The newest record; a new one (version 0) when there is none."""

    def put(self, record: ProviderRecord) -> bool:
        """Replaces the record whose version is one less; False, and nothing written, when it is not."""

    def all(self) -> list[ProviderRecord]:
        """All records, by name."""


class Lake(Protocol):
    """Named objects of the lake that no other port covers (reports, evaluation, features)."""

    def put(self, key: str, content: bytes, content_type: str = "application/json") -> None:
        """Writes an object."""

    def get(self, key: str) -> bytes | None:
        """Reads an object; `None` when there is none."""

    def list(self, prefix: str) -> Iterator[str]:
        """Keys below a prefix."""


class Announcements(Protocol):
    """The decisions queue (FIFO): tells the projections that the ledger has grown."""

    def announce(self, entry: Entry) -> None:
        """Sends `{sequence}` of an appended entry, in order, once per entry."""


class Connection(Struct, frozen=True, kw_only=True):
    """One open WebSocket. `topics` are change types it asked for; none means all."""

    connection_id: str
    username: str
    connected_at: Instant
    topics: tuple[str, ...] = ()

    def wants(self, topic: str) -> bool:
        """Whether a change of this type is sent to the connection."""
        return not self.topics or topic in self.topics


class Connections(Protocol):
    """The `connections` table of the WebSocket API."""

    def put(self, connection: Connection) -> None:
        """Remembers a connection (for a day at most)."""

    def remove(self, connection_id: str) -> None:
        """Forgets a connection; one that is not there is no error."""

    def subscribe(self, connection_id: str, topics: Sequence[str]) -> bool:
        """Replaces the topics of a connection; False when there is no such connection."""

    def all(self) -> list[Connection]:
        """All open connections."""


class Sockets(Protocol):
    """The sending side of the WebSocket API."""

    def send(self, connection_id: str, message: bytes) -> bool:
        """Sends one message; False when the connection is gone."""


class Secrets(Protocol):
    """Secrets Manager, read at run time and cached for minutes."""

    def text(self, secret_id: str) -> str:
        """The secret's text. Raises `NotFound`."""

    def values(self, secret_id: str) -> dict[str, Any]:
        """The secret's text decoded as a JSON object. Raises `NotFound`."""


class QueueDepths(Protocol):
    """How many messages wait in a queue."""

    def depth(self, queue_url: str) -> int:
        """Visible and in-flight messages, approximately."""


class QueueRetries(Protocol):
    """When a message that failed is delivered again."""

    def hide(self, receipt: str, seconds: int) -> None:
        """Delivers a received message again after so many seconds instead of the queue's own time."""


class Clock(Protocol):
    """The one place a handler's time comes from; the domain is always passed `as_of`."""

    def __call__(self) -> datetime:
        """Now, in UTC."""
