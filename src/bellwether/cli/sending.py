"""Sends batches from a few threads, in bounded number, and adds up the answers."""

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from bellwether.cli.batches import Batch, batches

if TYPE_CHECKING:
    from bellwether.cli.api import Api
    from bellwether.cli.ingest import Entry, Tally
    from bellwether.cli.progress import Progress

IN_FLIGHT = 4


class Sender:
    """Sends one import. Reading goes on while requests are under way, but never far ahead of them."""

    def __init__(self, api: "Api", run: str, tally: "Tally", shown: "Progress") -> None:
        self._api = api
        self._run = run
        self._tally = tally
        self._shown = shown

    def send_all(self, entries: "Iterable[Entry]") -> None:
        """Sends everything. The first failure ends it, after the requests under way were answered."""
        with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="send") as pool:
            waiting: dict[Future[Any], Batch] = {}
            try:
                for batch in batches(entries):
                    waiting[pool.submit(self._post, batch)] = batch
                    if len(waiting) >= IN_FLIGHT:
                        self._take(waiting)
                while waiting:
                    self._take(waiting)
            except BaseException:
                self._api.give_up()
                pool.shutdown(wait=True, cancel_futures=True)
                for future in answered(waiting):
                    self._count(waiting[future], future.result())
                raise

    def _post(self, batch: Batch) -> Any:
        return self._api.post(f"/ingest/{batch.kind}", batch.body, key=batch.key(self._run))

    def _take(self, waiting: dict[Future[Any], Batch]) -> None:
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            answer = future.result()
            self._count(waiting.pop(future), answer)

    def _count(self, batch: Batch, answer: dict[str, Any]) -> None:
        self._tally.accepted += int(answer["accepted"])
        self._tally.duplicates += int(answer["duplicates"])
        for rejection in answer.get("rejected", []):
            origin = batch.origins[rejection["index"]]
            self._tally.reject(origin, rejection["code"], rejection["detail"])
        self._shown.advance(len(batch.origins), what=f"Sending {batch.origins[-1].file}")


def answered(waiting: Iterable[Future[Any]]) -> Iterator[Future[Any]]:
    """Of these, the ones that have their answer already."""
    for future in waiting:
        if future.done() and not future.cancelled() and future.exception() is None:
            yield future
