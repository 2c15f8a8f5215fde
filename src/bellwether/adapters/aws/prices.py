"""Daily bars as one object of columns a symbol, and its corporate actions as another."""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

import msgspec

from bellwether.adapters.aws.lake import Bucket
from bellwether.adapters.aws.patience import Patience
from bellwether.adapters.merging import merge_histories
from bellwether.adapters.naming import actions_key, prices_key
from bellwether.domain.corporate_actions import Actions, merge_actions
from bellwether.domain.prices import History
from bellwether.domain.problems import NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BELIEVED_SECONDS = 60.0
_histories = msgspec.json.Decoder(History)
_actions = msgspec.json.Decoder(Actions)


class S3Prices:
    """`Prices`: a history read within the last minute is believed, an older one checked by its ETag.

    Merges read first and write on the condition that nobody wrote in between. A history handed out is shared
    with later callers: it must not be altered.
    """

    def __init__(self, client: "S3Client", bucket: str, seconds: Callable[[], float] = monotonic) -> None:
        self._bucket = Bucket(client, bucket)
        self._seconds = seconds
        self._lock = Lock()
        self._read: dict[str, tuple[History, str | None, float]] = {}

    def history(self, symbol: str) -> History:
        with self._lock:
            known = self._read.get(symbol)
        if known is not None and self._seconds() - known[2] < BELIEVED_SECONDS:
            return known[0]
        return self._current(symbol)[0]

    def _current(self, symbol: str) -> tuple[History, str | None]:
        with self._lock:
            known = self._read.get(symbol)
        etag = known[1] if known else None
        history = History(symbol)
        try:
            changed = self._bucket.read_changed(prices_key(symbol), etag)
            if changed is not None:
                history, etag = _histories.decode(changed[0]), changed[1]
            elif known is not None:
                history = known[0]
        except NotFound:
            etag = None
        self._remember(symbol, history, etag)
        return history, etag

    def _remember(self, symbol: str, history: History, etag: str | None) -> None:
        with self._lock:
            self._read[symbol] = (history, etag, self._seconds())

    def merge(self, history: History) -> int:
        patience = Patience(f"prices of {history.symbol}")
        while True:
            old, etag = self._current(history.symbol)
            merged, changed = merge_histories(old, history)
            if not changed:
                return 0
            key = prices_key(history.symbol)
            written = self._bucket.write_if(key, msgspec.json.encode(merged), etag=etag)
            if written is not None:
                self._remember(history.symbol, merged, written)
                return changed
            patience.wait()

    def actions(self, symbol: str) -> Actions:
        return self._kept_actions(symbol)[0]

    def keep_actions(self, actions: Actions) -> int:
        patience = Patience(f"corporate actions of {actions.symbol}")
        while True:
            old, etag = self._kept_actions(actions.symbol)
            merged, changed = merge_actions(old, actions)
            if not changed:
                return 0
            key = actions_key(actions.symbol)
            if self._bucket.write_if(key, msgspec.json.encode(merged), etag=etag) is not None:
                return changed
            patience.wait()

    def _kept_actions(self, symbol: str) -> tuple[Actions, str | None]:
        try:
            kept = self._bucket.read_changed(actions_key(symbol), None)
        except NotFound:
            kept = None
        return (_actions.decode(kept[0]), kept[1]) if kept else (Actions(symbol), None)
