"""The ledger: one object an entry, under its sequence, in the Object-Lock bucket."""

from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from bellwether.adapters.aws.lake import Bucket
from bellwether.adapters.aws.parallel import each
from bellwether.adapters.naming import LEDGER_PREFIX, ledger_key
from bellwether.domain.ledger import Entry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READ_AT_ONCE = 32
_entries = msgspec.json.Decoder(Entry)


class S3Ledger:
    """`Ledger`. Entries are never rewritten, so the last one seen is where the search for more starts."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(client, bucket)
        self._lock = Lock()
        self._last: Entry | None = None

    def head(self) -> Entry | None:
        with self._lock:
            known = self._last
        last = self._last_sequence(known.sequence if known else 0)
        if last == 0:
            return None
        if known is not None and known.sequence == last:
            return known
        entry = self._read(ledger_key(last))
        self._remember(entry)
        return entry

    def append(self, entry: Entry) -> bool:
        if entry.sequence > 1 and not self._follows(entry.sequence):
            raise ValueError(f"entry {entry.sequence} would leave a gap")
        content = msgspec.json.encode(entry)
        if self._bucket.write_if(ledger_key(entry.sequence), content, etag=None) is not None:
            self._remember(entry)
            return True
        # A retry of a write whose answer was lost finds its own entry there.
        won = self._read(ledger_key(entry.sequence)).hash == entry.hash
        if won:
            self._remember(entry)
        return won

    def entries(self, after: int = 0) -> Iterator[Entry]:
        waiting: list[str] = []
        for key in self._bucket.keys(LEDGER_PREFIX, after=ledger_key(max(after, 0))):
            waiting.append(key)
            if len(waiting) == READ_AT_ONCE:
                yield from each(self._read, waiting)
                waiting = []
        yield from each(self._read, waiting)

    def _read(self, key: str) -> Entry:
        return _entries.decode(self._bucket.read(key))

    def _remember(self, entry: Entry) -> None:
        with self._lock:
            if self._last is None or entry.sequence > self._last.sequence:
                self._last = entry

    def _follows(self, sequence: int) -> bool:
        with self._lock:
            known = self._last.sequence if self._last else 0
        return known >= sequence - 1 or self._last_sequence(known) >= sequence - 1

    def _last_sequence(self, known: int) -> int:
        """The greatest sequence there is, 0 for none.

        One list call when fewer than a thousand entries came after `known`. Otherwise steps are doubled until
        one leads past the end, and halved back: a call for each doubling of what is new.
        """
        if known and not self._after(known - 1)[0]:
            known = 0  # what was seen is no longer there: another ledger, search from the start
            with self._lock:
                self._last = None
        low, more = self._after(known)
        low = low or known
        step, high = 1000, 0
        while more:
            found, more = self._after(low + step - 1)
            if found:
                low = found
                step *= 2
                continue
            high, more = low + step, True
            break
        while high - low > 1 and more:
            middle = (low + high) // 2
            found, more = self._after(middle - 1)
            if found:
                low = found
            else:
                high, more = middle, True
        return low

    def _after(self, sequence: int) -> tuple[int, bool]:
        """The greatest of the first thousand after `sequence` (0 for none), and whether more follow."""
        keys, more = self._bucket.page(LEDGER_PREFIX, ledger_key(max(sequence, 0)))
        return (_sequence(keys[-1]) if keys else 0), more


def _sequence(key: str) -> int:
    return int(key.removeprefix(LEDGER_PREFIX).removesuffix(".json"))
