"""Rights that several functions have alike, named for what they are for."""

from infrastructure.grants import Listing, Objects, Rows, Secret, Send, Signals, SignalTables

COUNTERS = Rows("events", "UpdateItem")
RECORDS = Rows("events", "Query")
"""Reading what is known of providers; COUNTERS writes it."""
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
    Rows("events", "Query"),
    ASSETS,
    Send("ingest"),
    Secret("author_salt"),
    Secret("providers"),
)

SCORE_ENVIRONMENT = (
    "ASSET_STATE_TABLE",
    "SIGNALS_TABLE_PREFIX",
    "TRACKED_ENTITIES_TABLE",
    "AGENTS_CONFIG_TABLE",
    "LAKE_BUCKET",
    "EVENTS_TABLE",
)
FETCH_ENVIRONMENT = (
    "LAKE_BUCKET",
    "CLAIMS_TABLE",
    "EVENTS_TABLE",
    "INGEST_QUEUE_URL",
    "TRACKED_ENTITIES_TABLE",
    "AUTHOR_SALT_SECRET_ARN",
    "PROVIDERS_SECRET_ARN",
    "PROVIDER_TERMS",
)
