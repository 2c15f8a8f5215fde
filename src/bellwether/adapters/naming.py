"""Names of objects and rows that more than one adapter has to agree on."""

from datetime import UTC, datetime

RAW_PREFIX = "raw-data/"
SCORES_PREFIX = "features/scores/"
PRICES_PREFIX = "curated-data/prices/"
ACTIONS_PREFIX = "curated-data/actions/"
LEDGER_PREFIX = "ledger/"


def instant(at: datetime) -> str:
    """An instant as `2026-11-23T05:40:45.000000Z`: of fixed width, so that text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def month_of(at: datetime) -> str:
    """`yyyymm` of an instant in UTC: which of the monthly signals tables."""
    return at.astimezone(UTC).strftime("%Y%m")


def day_of(at: datetime) -> str:
    """`yyyymmdd` of an instant in UTC: the partition of indexes by day."""
    return at.astimezone(UTC).strftime("%Y%m%d")


def raw_hour(at: datetime) -> str:
    """The prefix of the hour a batch was received in: `raw-data/yyyy/mm/dd/HH/`."""
    return at.astimezone(UTC).strftime(f"{RAW_PREFIX}%Y/%m/%d/%H/")


def raw_key(received_at: datetime, batch_id: str) -> str:
    """Where a batch lies: the hour it was received in and its id alone decide."""
    return f"{raw_hour(received_at)}{batch_id}.json.gz"


def scores_key(key: str) -> str:
    """The full key of a day's scores, whether or not the caller named the prefix."""
    return key if key.startswith(SCORES_PREFIX) else SCORES_PREFIX + key.lstrip("/")


def scores_day(at: datetime) -> str:
    """The prefix of one day's scores: `features/scores/yyyy/mm/dd`."""
    return at.astimezone(UTC).strftime(f"{SCORES_PREFIX}%Y/%m/%d")


def prices_key(symbol: str) -> str:
    """Where the bars of a symbol lie."""
    return f"{PRICES_PREFIX}{symbol}.json"


def actions_key(symbol: str) -> str:
    """Where the splits and dividends of a symbol lie."""
    return f"{ACTIONS_PREFIX}{symbol}.json"


def ledger_key(sequence: int) -> str:
    """Where an entry lies: twelve digits, so that listing gives the order of the chain."""
    return f"{LEDGER_PREFIX}{sequence:012d}.json"
