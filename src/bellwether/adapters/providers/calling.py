"""Calls to one provider's API, kept within its quotas and its budget together with everybody else's.

Before a call it is reserved in the provider's record, after it the outcome is written there: see
`domain.provider_record`. A record that cannot be read or written stops the call, for a quota that nobody
keeps is none.
"""

import random
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from bellwether.adapters.providers.guarded_http import GuardedHttp, Refused, Response
from bellwether.adapters.providers.provider import Cost
from bellwether.adapters.providers.waiting import retry_after
from bellwether.domain.provider_record import Outcome, ProviderRecord, Wait, reserve, settle
from bellwether.domain.provider_terms import Terms
from bellwether.usecases.ports import Clock, ProviderRecords

MOST_TRIES = 40
LONGEST_PAUSE = 0.25

Judge = Callable[[Response, datetime], timedelta | None]
"""What a provider's module makes of an answer. Raises `Refused` for one that is none, a 200 with an error in
it included; otherwise gives how long to leave the provider alone (its headers may say that nothing is left),
or `None`."""
Charged = Callable[[Response], tuple[float, int]]
"""The dollars and tokens an answer cost, as the answer itself says."""
USED_UP = "used_up"
"""The code of a 429 that no pause of seconds helps against: what was bought or allowed is gone."""


class Waiting(Refused):
    """The call was not made: it is not time yet."""

    def __init__(self, wait: Wait, at: datetime) -> None:
        super().__init__(wait.code, wait.detail, wait=wait.until - at)
        self.until = wait.until


class ProviderClient:
    """Calls of one provider. `judge` is asked about every answer that came; see `Judge`.

    `patience` is how many seconds a call may wait for its place in a quota.
    """

    def __init__(
        self,
        terms: Terms,
        http: GuardedHttp,
        records: ProviderRecords,
        judge: Judge,
        *,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
        sleep: Callable[[float], None] = time.sleep,
        patience: float = 0.0,
    ) -> None:
        self.terms = terms
        self._http = http
        self._records = records
        self._judge = judge
        self._clock = clock
        self._jitter = jitter
        self._sleep = sleep
        self._patience = patience

    def calls(self) -> "Calls":
        """A meter of its own for one fetch."""
        return Calls(self)

    def call(
        self,
        send: Callable[[GuardedHttp], Response],
        expected: float,
        *,
        tokens: int = 0,
        charged: Charged | None = None,
    ) -> tuple[Response, datetime]:
        """One call that may cost `expected` dollars and `tokens`, or what `charged` makes of its answer.
        Raises `Waiting` before it, `Refused` after it."""
        self._reserve_in_time(expected, tokens)
        try:
            response = send(self._http)
            told = self._judge_of(response, self._clock())
        except Refused as fault:
            at = self._clock()
            # what is refused of one target must not hold up the others
            pause = fault.wait if fault.about_all else None
            outcome = Outcome(
                code=fault.code,
                detail=fault.detail,
                about_all=fault.about_all,
                not_before=at + pause if pause is not None else None,
            )
            if fault.unanswered:
                self.settle(outcome)
            else:
                self.settle(outcome, unspent=expected, unspent_tokens=tokens)
            raise
        at = self._clock()
        dollars, used = charged(response) if charged else (expected, tokens)
        done = Outcome(not_before=at + told if told else None)
        self.settle(done, unspent=expected - dollars, unspent_tokens=tokens - used)
        return response, at

    def settle(self, outcome: Outcome, *, unspent: float = 0.0, unspent_tokens: int = 0) -> None:
        """Writes down how a reserved call went."""

        def settled(record: ProviderRecord) -> ProviderRecord:
            at = self._clock()
            return settle(
                record,
                at,
                outcome,
                unspent=unspent,
                unspent_tokens=unspent_tokens,
                jitter=self._jitter(),
            )

        self._change(settled)

    def _judge_of(self, response: Response, at: datetime) -> timedelta | None:
        if response.status == 429:
            wait = retry_after(response.headers, at)
            try:
                # its own headers may know it better
                told = self._judge(response, at)
                wait = wait or told
            except Refused as fault:
                if fault.code == USED_UP:
                    raise
                wait = wait or fault.wait
            pause = wait or timedelta(seconds=self.terms.pause_after_429)
            raise Refused("too_many_requests", f"{self.terms.title} was asked too often", wait=pause)
        if response.status >= 500:
            wait = retry_after(response.headers, at)
            detail = f"{self.terms.title} answered {response.status}"
            raise Refused(f"http_{response.status}", detail, wait=wait)
        return self._judge(response, at)

    def _reserve_in_time(self, dollars: float, tokens: int) -> None:
        left = self._patience
        while True:
            at = self._clock()
            try:
                return self._reserve(at, dollars, tokens)
            except Waiting as early:
                pause = (early.until - at).total_seconds()
                if early.code != "quota" or pause > left:
                    raise
            left -= pause
            self._sleep(pause)

    def _reserve(self, at: datetime, dollars: float, tokens: int) -> None:
        refused: list[Wait] = []

        def reserved(record: ProviderRecord) -> ProviderRecord:
            refused.clear()
            after, wait = reserve(record, self.terms, at, dollars, tokens)
            if wait is not None:
                refused.append(wait)
            return after

        self._change(reserved)
        if refused:
            raise Waiting(refused[0], at)

    def _change(self, change: Callable[[ProviderRecord], ProviderRecord]) -> None:
        """Replaces the record by what `change` makes of it, again and again until nobody came between."""
        for _ in range(MOST_TRIES):
            before = self._records.get(self.terms.name)
            after = change(before)
            if after == before or self._records.put(replace(after, version=before.version + 1)):
                return
            self._sleep(LONGEST_PAUSE * self._jitter())
        raise Refused("contended", "too many calls at once; the record of the provider keeps changing")


class Calls:
    """The calls of one fetch, and what they cost."""

    def __init__(self, client: ProviderClient) -> None:
        self._client = client
        self.made = 0
        self.dollars = 0.0

    @property
    def cost(self) -> Cost:
        """What it took so far."""
        return Cost(calls=self.made, dollars=self.dollars)

    def get(self, url: str, headers: Mapping[str, str] | None = None, *, most_items: int = 0) -> Response:
        """One GET. Where items are charged for, `most_items` of them are reserved; `delivered` says how many
        came. Raises `Refused`, and of it `Waiting` when the call was not made."""
        return self._made(lambda http: http.get(url, headers), most_items)

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str] | None = None, *, dollars: float = 0.0
    ) -> Response:
        """One POST, for which `dollars` beside the price of a call are reserved. Raises as `get`."""
        return self._made(lambda http: http.post(url, body, headers), 0, dollars)

    def delivered(self, items: int, reserved: int) -> None:
        """Gives back the dollars of items that were reserved and did not come."""
        self.charge_back((reserved - items) * self._client.terms.item_dollars)

    def charge_back(self, dollars: float) -> None:
        """Gives back dollars that were reserved and not charged (negative: charges more)."""
        if dollars:
            self.dollars -= dollars
            self._client.settle(Outcome(), unspent=dollars)

    def _made(
        self, send: Callable[[GuardedHttp], Response], most_items: int, dollars: float = 0.0
    ) -> Response:
        terms = self._client.terms
        expected = terms.call_dollars + most_items * terms.item_dollars + dollars
        try:
            response, _ = self._client.call(send, expected)
        except Waiting:
            raise
        except Refused as fault:
            self.made += 1
            self.dollars += expected if fault.unanswered else 0.0
            raise
        self.made += 1
        self.dollars += expected
        return response
