"""Every port in memory: thread-safe, without I/O, held to the same contract suite as the services."""

from dataclasses import dataclass, field

from bellwether.adapters.memory.feed import (
    MemoryChanges,
    MemoryConnections,
    MemoryCounts,
    MemoryProviderRecords,
    MemorySockets,
)
from bellwether.adapters.memory.intake import (
    MemoryAnswers,
    MemoryBatchQueue,
    MemoryItemClaims,
    MemoryRawBatches,
)
from bellwether.adapters.memory.kept_readings import MemoryKeptReadings
from bellwether.adapters.memory.lake import MemoryLake, MemoryQueueDepths, MemorySecrets
from bellwether.adapters.memory.ledger import (
    MemoryAnnouncements,
    MemoryLedger,
    MemoryOutcomes,
    MemoryProposals,
)
from bellwether.adapters.memory.reference import (
    MemoryAgentConfigs,
    MemoryDeskControls,
    MemoryEntities,
    MemoryPrices,
)
from bellwether.adapters.memory.signals import MemoryAssetStates, MemoryForecasts, MemorySignalStore


@dataclass(frozen=True, kw_only=True)
class MemoryPorts:
    """One of each, wired to nothing but each other: what a test or a backtest starts from."""

    raw: MemoryRawBatches = field(default_factory=MemoryRawBatches)
    claims: MemoryItemClaims = field(default_factory=MemoryItemClaims)
    answers: MemoryAnswers = field(default_factory=MemoryAnswers)
    queue: MemoryBatchQueue = field(default_factory=MemoryBatchQueue)
    signals: MemorySignalStore = field(default_factory=MemorySignalStore)
    states: MemoryAssetStates = field(default_factory=MemoryAssetStates)
    forecasts: MemoryForecasts = field(default_factory=MemoryForecasts)
    entities: MemoryEntities = field(default_factory=MemoryEntities)
    prices: MemoryPrices = field(default_factory=MemoryPrices)
    configs: MemoryAgentConfigs = field(default_factory=MemoryAgentConfigs)
    controls: MemoryDeskControls = field(default_factory=MemoryDeskControls)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    proposals: MemoryProposals = field(default_factory=MemoryProposals)
    outcomes: MemoryOutcomes = field(default_factory=MemoryOutcomes)
    announce: MemoryAnnouncements = field(default_factory=MemoryAnnouncements)
    changes: MemoryChanges = field(default_factory=MemoryChanges)
    counts: MemoryCounts = field(default_factory=MemoryCounts)
    providers: MemoryProviderRecords = field(default_factory=MemoryProviderRecords)
    readings: MemoryKeptReadings = field(default_factory=MemoryKeptReadings)
    connections: MemoryConnections = field(default_factory=MemoryConnections)
    sockets: MemorySockets = field(default_factory=MemorySockets)
    lake: MemoryLake = field(default_factory=MemoryLake)
    secrets: MemorySecrets = field(default_factory=MemorySecrets)
    depths: MemoryQueueDepths = field(default_factory=MemoryQueueDepths)


__all__ = [
    "MemoryAgentConfigs",
    "MemoryAnnouncements",
    "MemoryAnswers",
    "MemoryAssetStates",
    "MemoryBatchQueue",
    "MemoryChanges",
    "MemoryConnections",
    "MemoryCounts",
    "MemoryDeskControls",
    "MemoryEntities",
    "MemoryForecasts",
    "MemoryItemClaims",
    "MemoryKeptReadings",
    "MemoryLake",
    "MemoryLedger",
    "MemoryOutcomes",
    "MemoryPorts",
    "MemoryPrices",
    "MemoryProposals",
    "MemoryProviderRecords",
    "MemoryQueueDepths",
    "MemoryRawBatches",
    "MemorySecrets",
    "MemorySignalStore",
    "MemorySockets",
]
