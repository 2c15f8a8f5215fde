"""Every function of the desk in one table: what it is given, and exactly what it may do.

A function's environment is the list of names its handler's `Settings` has; its grants are the calls its use
case makes. The construct `constructs/function.py` turns a row into one function with one role and one log
group.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from infrastructure.grants import (
    Grant,
    Listing,
    Objects,
    Receive,
    Rotation,
    Rows,
    Secret,
    Send,
    Signals,
    SignalTables,
)
from infrastructure.settings import LogClass


@dataclass(frozen=True, kw_only=True)
class FunctionRow:
    """One function. `timeout` in seconds, `memory` in MB, `reserved` concurrent executions at most."""

    purpose: str
    environment: tuple[str, ...]
    grants: tuple[Grant, ...]
    timeout: int = 29
    memory: int = 512
    reserved: int = 20
    critical: bool = False
    """On the path a person waits for: kept warm where the stage has provisioned concurrency."""
    logs: LogClass = "operations"
    of_the_pool: bool = False
    """Called by the user pool: lives beside it in AuthStack, or the two stacks would need each other."""


COUNTERS = Rows("events", "UpdateItem")
TELL = Rows("events", "BatchWriteItem")
IDEMPOTENCY = Rows("claims", "PutItem", "UpdateItem")
AGENTS = Rows("agents_config", "GetItem", "BatchGetItem", "Query")
CONTROLS = Rows("agents_config", "Query")
ASSETS = Rows("tracked_entities", "Query")
HOLDINGS = Rows("tracked_entities", "GetItem", "Query")
PROPOSALS = Rows("proposals", "Query", indexes=True)
APPENDING = Rows("proposals", "Query", "PutItem", "UpdateItem", indexes=True)
PRICES = (Objects("lake", "curated-data/prices/*", "GetObject"), Listing("lake", "curated-data/prices/"))
EQUITY = (Objects("lake", "eval/equity/*", "GetObject"), Listing("lake", "eval/equity/"))
LEDGER = (Objects("ledger", "ledger/*", "GetObject", "PutObject"), Listing("ledger", "ledger/"))
SCORING = (
    Rows("asset_state", "Query"),
    Signals("Query"),
    SignalTables(),
    *PRICES,
    TELL,
    Objects("lake", "features/scores/*", "PutObject"),
)
FETCHING = (
    Objects("lake", "raw-data/*", "PutObject"),
    Objects("lake", "features/providers/*", "GetObject", "PutObject"),
    Listing("lake", "features/providers/"),
    Rows("claims", "BatchGetItem", "PutItem"),
    COUNTERS,
    ASSETS,
    Send("ingest"),
    Secret("author_salt"),
    Secret("providers"),
)

_SCORE_ENVIRONMENT = (
    "ASSET_STATE_TABLE",
    "SIGNALS_TABLE_PREFIX",
    "TRACKED_ENTITIES_TABLE",
    "AGENTS_CONFIG_TABLE",
    "LAKE_BUCKET",
    "EVENTS_TABLE",
)
_FETCH_ENVIRONMENT = (
    "LAKE_BUCKET",
    "CLAIMS_TABLE",
    "EVENTS_TABLE",
    "INGEST_QUEUE_URL",
    "TRACKED_ENTITIES_TABLE",
    "AUTHOR_SALT_SECRET_ARN",
    "PROVIDERS_SECRET_ARN",
    "PROVIDER_PRICES",
)

FUNCTIONS: Mapping[str, FunctionRow] = {
    "authorizer": FunctionRow(
        purpose="Who calls, and which routes they may use",
        environment=(
            "USER_POOL_ID",
            "USER_POOL_CLIENT_ID",
            "JWKS_URL",
            "TOKEN_ISSUER",
            "API_CLIENTS_SECRET_ARN",
        ),
        grants=(Secret("api_clients"),),
        timeout=10,
        reserved=100,
        critical=True,
        logs="security",
    ),
    "sign_in": FunctionRow(
        purpose="Tells a token who its bearer is, and refuses a password that is too old",
        environment=("PASSWORD_DAYS",),
        grants=(),
        timeout=5,
        reserved=20,
        logs="security",
        of_the_pool=True,
    ),
    "ingest": FunctionRow(
        purpose="Takes posts and articles in: one object, one message, one answer",
        environment=(
            "LAKE_BUCKET",
            "CLAIMS_TABLE",
            "EVENTS_TABLE",
            "INGEST_QUEUE_URL",
            "AUTHOR_SALT_SECRET_ARN",
        ),
        grants=(
            Objects("lake", "raw-data/*", "PutObject"),
            Rows("claims", "BatchGetItem", "PutItem", "UpdateItem"),
            COUNTERS,
            Send("ingest"),
            Secret("author_salt"),
        ),
        memory=1024,
        reserved=50,
        critical=True,
    ),
    "signal_worker": FunctionRow(
        purpose="Turns a batch of items into signals and per-day sums",
        environment=(
            "LAKE_BUCKET",
            "CLAIMS_TABLE",
            "EVENTS_TABLE",
            "ASSET_STATE_TABLE",
            "SIGNALS_TABLE_PREFIX",
            "TRACKED_ENTITIES_TABLE",
            "AGENTS_CONFIG_TABLE",
            "INGEST_QUEUE_URL",
        ),
        grants=(
            Receive("ingest"),
            Objects("lake", "raw-data/*", "GetObject"),
            Rows("claims", "BatchGetItem", "PutItem"),
            Rows("asset_state", "BatchGetItem", "PutItem"),
            Signals("BatchWriteItem"),
            SignalTables(),
            HOLDINGS,
            AGENTS,
            COUNTERS,
            TELL,
        ),
        timeout=120,
        memory=1769,
        reserved=20,
    ),
    "score": FunctionRow(
        purpose="Fuses live evidence into a score per asset",
        environment=_SCORE_ENVIRONMENT,
        grants=(*SCORING, ASSETS, AGENTS),
        memory=1769,
        reserved=50,
        critical=True,
    ),
    "propose": FunctionRow(
        purpose="Scores, sizes and risk-checks trade proposals and appends them to the ledger",
        environment=(
            *_SCORE_ENVIRONMENT,
            "PROPOSALS_TABLE",
            "LEDGER_BUCKET",
            "DECISIONS_QUEUE_URL",
            "CLAIMS_TABLE",
        ),
        grants=(
            *SCORING,
            HOLDINGS,
            AGENTS,
            COUNTERS,
            *EQUITY,
            *LEDGER,
            APPENDING,
            Send("decisions"),
            IDEMPOTENCY,
        ),
        memory=1769,
        logs="audit",
    ),
    "check_risk": FunctionRow(
        purpose="Checks a proposal, or orders against a portfolio, without writing either",
        environment=(
            "PROPOSALS_TABLE",
            "TRACKED_ENTITIES_TABLE",
            "AGENTS_CONFIG_TABLE",
            "LAKE_BUCKET",
        ),
        grants=(PROPOSALS, HOLDINGS, CONTROLS, *PRICES, *EQUITY),
        memory=1024,
    ),
    "decide": FunctionRow(
        purpose="Appends an approval, rejection or revocation to the ledger",
        environment=(
            "PROPOSALS_TABLE",
            "TRACKED_ENTITIES_TABLE",
            "AGENTS_CONFIG_TABLE",
            "LAKE_BUCKET",
            "LEDGER_BUCKET",
            "DECISIONS_QUEUE_URL",
            "CLAIMS_TABLE",
            "EVENTS_TABLE",
        ),
        grants=(
            APPENDING,
            HOLDINGS,
            CONTROLS,
            *PRICES,
            *EQUITY,
            *LEDGER,
            Send("decisions"),
            IDEMPOTENCY,
            COUNTERS,
        ),
        memory=1024,
        reserved=10,
        critical=True,
        logs="audit",
    ),
    "evaluate": FunctionRow(
        purpose="Measures what became of proposals and scores, and updates the agents' track records",
        environment=(
            "PROPOSALS_TABLE",
            "OUTCOMES_TABLE",
            "AGENTS_CONFIG_TABLE",
            "TRACKED_ENTITIES_TABLE",
            "LAKE_BUCKET",
            "LEDGER_BUCKET",
            "DECISIONS_QUEUE_URL",
            "CLAIMS_TABLE",
            "EVENTS_TABLE",
        ),
        grants=(
            APPENDING,
            Rows("outcomes", "Query", "BatchGetItem", "PutItem", indexes=True),
            Rows("agents_config", "GetItem", "BatchGetItem", "Query", "PutItem"),
            ASSETS,
            *PRICES,
            Objects("lake", "features/scores/*", "GetObject"),
            Objects("lake", "eval/*", "GetObject", "PutObject"),
            Listing("lake", "features/scores/", "eval/"),
            *LEDGER,
            Send("decisions"),
            IDEMPOTENCY,
            COUNTERS,
        ),
        timeout=300,
        memory=1769,
        reserved=5,
        logs="audit",
    ),
    "summarise": FunctionRow(
        purpose="What the dashboard shows",
        environment=(
            "PROPOSALS_TABLE",
            "OUTCOMES_TABLE",
            "AGENTS_CONFIG_TABLE",
            "TRACKED_ENTITIES_TABLE",
            "EVENTS_TABLE",
            "LAKE_BUCKET",
        ),
        grants=(
            Rows("proposals", indexes=True),
            Rows("outcomes", "Query", "BatchGetItem", indexes=True),
            Rows("events", "Query"),
            ASSETS,
            AGENTS,
            Objects("lake", "features/scores/*", "GetObject"),
            Objects("lake", "eval/*", "GetObject"),
            Listing("lake", "features/scores/", "eval/"),
        ),
        memory=1024,
    ),
    "stream": FunctionRow(
        purpose="What changed since an event id, as server-sent events",
        environment=("EVENTS_TABLE",),
        grants=(Rows("events", "Query"),),
        reserved=50,
    ),
    "health": FunctionRow(
        purpose="Liveness and the state of each dependency",
        environment=(
            "EVENTS_TABLE",
            "PROPOSALS_TABLE",
            "LAKE_BUCKET",
            "LEDGER_BUCKET",
            "INGEST_QUEUE_URL",
            "INGEST_DLQ_URL",
            "DECISIONS_DLQ_URL",
            "SIGNALS_TABLE_PREFIX",
        ),
        grants=(
            Rows("events", "DescribeTable"),
            Rows("proposals", "DescribeTable"),
            Listing("lake", ""),
            Listing("ledger", ""),
            Send("ingest", "GetQueueAttributes"),
            Send("ingest_dlq", "GetQueueAttributes"),
            Send("decisions_dlq", "GetQueueAttributes"),
            Signals("DescribeTable"),
        ),
        timeout=10,
        reserved=5,
    ),
    "metrics": FunctionRow(
        purpose="The desk's counters as OpenMetrics text",
        environment=("EVENTS_TABLE", "INGEST_QUEUE_URL", "INGEST_DLQ_URL"),
        grants=(
            Rows("events", "Query"),
            Send("ingest", "GetQueueAttributes"),
            Send("ingest_dlq", "GetQueueAttributes"),
        ),
        timeout=10,
        reserved=5,
    ),
    "socket": FunctionRow(
        purpose="Opens, closes and hears WebSocket connections",
        environment=("CONNECTIONS_TABLE", "SOCKET_ENDPOINT"),
        grants=(Rows("connections", "PutItem", "UpdateItem", "DeleteItem"),),
        timeout=10,
        reserved=50,
        logs="security",
    ),
    "broadcast": FunctionRow(
        purpose="Pushes each change to the WebSocket connections that want it",
        environment=("CONNECTIONS_TABLE", "SOCKET_ENDPOINT"),
        grants=(Rows("connections", "Scan", "DeleteItem"),),
        timeout=60,
        reserved=5,
    ),
    "project_ledger": FunctionRow(
        purpose="Copies ledger entries into the tables and checks the chain",
        environment=(
            "LEDGER_BUCKET",
            "PROPOSALS_TABLE",
            "OUTCOMES_TABLE",
            "EVENTS_TABLE",
            "DECISIONS_QUEUE_URL",
        ),
        grants=(
            Receive("decisions"),
            Objects("ledger", "ledger/*", "GetObject"),
            Listing("ledger", "ledger/"),
            Rows("proposals", "Query", "PutItem", "UpdateItem"),
            Rows("outcomes", "PutItem"),
            COUNTERS,
            TELL,
        ),
        timeout=60,
        reserved=5,
        logs="audit",
    ),
    "fetch_social": FunctionRow(
        purpose="Reads the tracked social sources",
        environment=_FETCH_ENVIRONMENT,
        grants=FETCHING,
        timeout=55,
        memory=1024,
        reserved=1,
    ),
    "fetch_news": FunctionRow(
        purpose="Reads the tracked news sources and feeds",
        environment=_FETCH_ENVIRONMENT,
        grants=FETCHING,
        timeout=240,
        memory=1024,
        reserved=1,
    ),
    "recover": FunctionRow(
        purpose="Brings back batches that were stored and not queued, and rows that lag behind the ledger",
        environment=(
            "LAKE_BUCKET",
            "CLAIMS_TABLE",
            "INGEST_QUEUE_URL",
            "LEDGER_BUCKET",
            "PROPOSALS_TABLE",
            "OUTCOMES_TABLE",
            "AGENTS_CONFIG_TABLE",
        ),
        grants=(
            Objects("lake", "raw-data/*", "GetObject"),
            Listing("lake", "raw-data/"),
            Rows("claims", "BatchGetItem", "PutItem"),
            Send("ingest"),
            Objects("ledger", "ledger/*", "GetObject"),
            Listing("ledger", "ledger/"),
            Rows("proposals", "Query", "PutItem", "UpdateItem"),
            Rows("outcomes", "PutItem"),
            Rows("agents_config", "GetItem", "PutItem"),
        ),
        timeout=300,
        reserved=1,
        logs="audit",
    ),
    "clean_up": FunctionRow(
        purpose="Exports old signal tables to the lake and retires them",
        environment=("LAKE_BUCKET", "SIGNALS_TABLE_PREFIX", "EVENTS_TABLE"),
        grants=(
            Objects("lake", "curated-data/signals/*", "PutObject", "GetObject"),
            Listing("lake", "curated-data/signals/"),
            Signals("Scan", "UpdateTable", "DeleteTable"),
            SignalTables(),
            TELL,
        ),
        timeout=900,
        memory=1024,
        reserved=1,
        logs="audit",
    ),
    "back_up": FunctionRow(
        purpose="Takes the daily on-demand backups and drops those past their time",
        environment=(
            "PROPOSALS_TABLE",
            "OUTCOMES_TABLE",
            "AGENTS_CONFIG_TABLE",
            "TRACKED_ENTITIES_TABLE",
            "EVENTS_TABLE",
        ),
        grants=(
            Rows("proposals", "CreateBackup", backups=True),
            Rows("outcomes", "CreateBackup", backups=True),
            Rows("agents_config", "CreateBackup", backups=True),
            Rows("tracked_entities", "CreateBackup", backups=True),
            TELL,
        ),
        timeout=300,
        reserved=1,
        logs="audit",
    ),
    "rotate_client_key": FunctionRow(
        purpose="Exchanges a machine's API key, a step at a time",
        environment=("API_CLIENTS_SECRET_ARN",),
        grants=(Rotation(),),
        timeout=30,
        memory=256,
        # Two rotations at once would each undo what the other writes down.
        reserved=1,
        logs="security",
    ),
    "roll_signal_tables": FunctionRow(
        purpose="Creates the signal tables of this month and the next",
        environment=(
            "SIGNALS_TABLE_PREFIX",
            "TABLE_KEY_ARN",
            "DELETION_PROTECTION",
            "TABLE_READ_LIMIT",
            "TABLE_WRITE_LIMIT",
        ),
        grants=(
            Signals(
                "CreateTable",
                "DescribeTable",
                "UpdateTable",
                "DescribeContinuousBackups",
                "UpdateContinuousBackups",
                "TagResource",
                key="grant",
            ),
            SignalTables(),
        ),
        timeout=300,
        memory=256,
        reserved=1,
        logs="audit",
    ),
}
