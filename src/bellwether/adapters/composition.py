"""The one composition root: ports on the services, made from the names a function finds in its environment.

Service libraries are loaded and clients made when a port that needs them is. A function makes one
`Composition()` when it starts and its ports from that; region, credentials and endpoint come from the
environment, or from the `Clients` it is given.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from bellwether.adapters.aws.clients import Clients
from bellwether.usecases import ports

if TYPE_CHECKING:
    from bellwether.adapters.aws.signal_tables import SignalTables
    from bellwether.agents.language.ports import KeptReadings


NO_COPY = "none"
"""What stands for the copy of a lake that has none."""


@lru_cache(maxsize=1)
def shared_clients() -> Clients:
    """The process's own clients: region, credentials and endpoint as the environment says."""
    return Clients()


class Composition:
    """Makes ports on one set of clients, by default the process's own."""

    def __init__(self, clients: Clients | None = None) -> None:
        self.clients = clients or shared_clients()

    def raw_batches(
        self, lake_bucket: str, *, copy: str = NO_COPY, region: str | None = None
    ) -> ports.RawBatches:
        """Accepted batches in the lake. `copy` is the ARN of what it is replicated to, in `region`."""
        from bellwether.adapters.aws.lake import Bucket, S3RawBatches

        copied = None
        if copy != NO_COPY:
            copied = Bucket(Clients(region=region).s3(), copy.rpartition(":")[2])
        return S3RawBatches(self.clients.s3(), lake_bucket, copied)

    def forecasts(self, lake_bucket: str) -> ports.Forecasts:
        """Kept scores in the lake."""
        from bellwether.adapters.aws.lake import S3Forecasts

        return S3Forecasts(self.clients.s3(), lake_bucket)

    def prices(self, lake_bucket: str) -> ports.Prices:
        """Daily bars in the lake."""
        from bellwether.adapters.aws.prices import S3Prices

        return S3Prices(self.clients.s3(), lake_bucket)

    def lake(self, lake_bucket: str) -> ports.Lake:
        """Any other object of the lake."""
        from bellwether.adapters.aws.lake import S3Lake

        return S3Lake(self.clients.s3(), lake_bucket)

    def ledger(self, ledger_bucket: str) -> ports.Ledger:
        """The append-only ledger."""
        from bellwether.adapters.aws.ledger import S3Ledger

        return S3Ledger(self.clients.s3(), ledger_bucket)

    def item_claims(self, claims_table: str) -> ports.ItemClaims:
        """Claims of items, clusters and batches."""
        from bellwether.adapters.aws.claims import DynamoItemClaims

        return DynamoItemClaims(self.clients.dynamodb(), claims_table)

    def kept_readings(self, claims_table: str) -> "KeptReadings":
        """Readings of language models that were paid for."""
        from bellwether.adapters.aws.kept_readings import DynamoKeptReadings

        return DynamoKeptReadings(self.clients.dynamodb(), claims_table)

    def answers(self, claims_table: str) -> ports.Answers:
        """First answers by idempotency key."""
        from bellwether.adapters.aws.answers import DynamoAnswers

        return DynamoAnswers(self.clients.dynamodb(), claims_table)

    def signal_tables(self, prefix: str) -> "SignalTables":
        """Which monthly tables exist."""
        from bellwether.adapters.aws.signal_tables import SignalTables

        return SignalTables(self.clients.dynamodb(), prefix)

    def signals(self, prefix: str, counts: ports.Counts | None = None) -> ports.SignalStore:
        """The monthly signals tables; `counts` hears of signals written to another month's table."""
        from bellwether.adapters.aws.signals import DynamoSignalStore

        return DynamoSignalStore(self.clients.dynamodb(), prefix, counts=counts)

    def asset_states(self, asset_state_table: str, claims_table: str | None = None) -> ports.AssetStates:
        """Sums per asset and day; without the claims table for reading only."""
        from bellwether.adapters.aws.signals import DynamoAssetStates

        return DynamoAssetStates(self.clients.dynamodb(), asset_state_table, claims_table)

    def entities(self, tracked_entities_table: str) -> ports.Entities:
        """What the desk watches."""
        from bellwether.adapters.aws.entities import DynamoEntities

        return DynamoEntities(self.clients.dynamodb(), tracked_entities_table)

    def agent_configs(self, agents_config_table: str) -> ports.AgentConfigs:
        """Versions of the agents' configurations."""
        from bellwether.adapters.aws.entities import DynamoAgentConfigs

        return DynamoAgentConfigs(self.clients.dynamodb(), agents_config_table)

    def desk_controls(self, agents_config_table: str) -> ports.DeskControls:
        """Limits, state and kill switch."""
        from bellwether.adapters.aws.entities import DynamoDeskControls

        return DynamoDeskControls(self.clients.dynamodb(), agents_config_table)

    def proposals(self, proposals_table: str) -> ports.Proposals:
        """The proposals' projection."""
        from bellwether.adapters.aws.proposals import DynamoProposals

        return DynamoProposals(self.clients.dynamodb(), proposals_table)

    def outcomes(self, outcomes_table: str) -> ports.Outcomes:
        """The outcomes' projection."""
        from bellwether.adapters.aws.outcomes import DynamoOutcomes

        return DynamoOutcomes(self.clients.dynamodb(), outcomes_table)

    def changes(self, events_table: str) -> ports.Changes:
        """The feed of changes."""
        from bellwether.adapters.aws.feed import DynamoChanges

        return DynamoChanges(self.clients.dynamodb(), events_table)

    def counts(self, events_table: str) -> ports.Counts:
        """The counters."""
        from bellwether.adapters.aws.feed import DynamoCounts

        return DynamoCounts(self.clients.dynamodb(), events_table)

    def provider_records(self, events_table: str) -> ports.ProviderRecords:
        """What is known of each provider."""
        from bellwether.adapters.aws.provider_records import DynamoProviderRecords

        return DynamoProviderRecords(self.clients.dynamodb(), events_table)

    def connections(self, connections_table: str) -> ports.Connections:
        """Open WebSockets."""
        from bellwether.adapters.aws.sockets import DynamoConnections

        return DynamoConnections(self.clients.dynamodb(), connections_table)

    def sockets(self, socket_endpoint: str) -> ports.Sockets:
        """Sending to open WebSockets."""
        from bellwether.adapters.aws.sockets import GatewaySockets

        return GatewaySockets(self.clients.sockets(socket_endpoint))

    def batch_queue(self, ingest_queue_url: str) -> ports.BatchQueue:
        """The ingest queue."""
        from bellwether.adapters.aws.queues import SqsBatchQueue

        return SqsBatchQueue(self.clients.sqs(), ingest_queue_url)

    def announcements(self, decisions_queue_url: str) -> ports.Announcements:
        """The decisions queue."""
        from bellwether.adapters.aws.queues import SqsAnnouncements

        return SqsAnnouncements(self.clients.sqs(), decisions_queue_url)

    def queue_retries(self, queue_url: str) -> ports.QueueRetries:
        """When failed messages of a queue come again."""
        from bellwether.adapters.aws.queues import SqsRetries

        return SqsRetries(self.clients.sqs(), queue_url)

    def queue_depths(self) -> ports.QueueDepths:
        """How full queues are."""
        from bellwether.adapters.aws.queues import SqsQueueDepths

        return SqsQueueDepths(self.clients.sqs())

    def secrets(self) -> ports.Secrets:
        """Secrets Manager."""
        from bellwether.adapters.aws.secrets import ManagedSecrets

        return ManagedSecrets(self.clients.secrets())
