"""`Idempotency-Key`: a request that is sent twice is done once and answered twice."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec import Struct

from bellwether.domain.problems import InvalidInput
from bellwether.handlers.answers import Answer
from bellwether.handlers.logs import describe_fault, logger
from bellwether.handlers.request import Call
from bellwether.usecases.ports import Answers, Clock

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Occasion(Struct, frozen=True, kw_only=True):
    """One try of a request: `first_at` is the time of the first under its key, `now` of this one.

    `scope`, `key` and the hash of the body are the request's name. What a try makes is found again by
    `first_at`; what it may do is judged `now`, because a key can be tried again for two days.
    """

    now: datetime
    first_at: datetime
    scope: str
    request_hash: str
    key: str | None = None

    @property
    def batch_id(self) -> str | None:
        """The same id for every try of one body under one key (128 bits of SHA-256), `None` without a key.

        Keys are forgotten after two days and finished batches are not: another body under an old key has to
        be another batch.
        """
        if self.key is None:
            return None
        return hashlib.sha256(f"{self.scope}\x00{self.key}\x00{self.request_hash}".encode()).hexdigest()[:32]


def once(
    call: Call, body: bytes, answers: Answers, clock: Clock, work: Callable[[Occasion], Answer]
) -> Answer:
    """Does `work` unless the first answer is known, which is then given again with `Idempotent-Replayed`.

    A key belongs to one user and one route. Raises `InvalidInput` for a key that is none,
    `IdempotencyMismatch` when it was used for another body, `Conflict` while its first use is under way.
    A failure gives the key back.
    """
    now = clock()
    scope = f"{call.method} {call.route} {call.user.username}"
    request_hash = hashlib.sha256(body).hexdigest()
    key = call.idempotency_key
    if key is None:
        return work(Occasion(now=now, first_at=now, scope=scope, request_hash=request_hash))
    if not _KEY.fullmatch(key):
        raise InvalidInput("Idempotency-Key is 1 to 255 printable ASCII characters.", path="Idempotency-Key")
    reservation = answers.begin(scope, key, request_hash, now)
    if reservation.answer is not None:
        first = msgspec.json.decode(reservation.answer, type=Answer)
        return msgspec.structs.replace(first, headers={**first.headers, "Idempotent-Replayed": "true"})
    occasion = Occasion(
        now=now, first_at=reservation.first_at, scope=scope, request_hash=request_hash, key=key
    )
    try:
        answer = work(occasion)
    except BaseException:
        _release(answers, scope, key)
        raise
    _keep(answers, scope, key, request_hash, answer, clock())
    return answer


def _release(answers: Answers, scope: str, key: str) -> None:
    try:
        answers.release(scope, key)
    except Exception as fault:  # noqa: BLE001  the failure that led here is the one to report
        logger.warning("an idempotency key could not be released", **describe_fault(fault))


def _keep(answers: Answers, scope: str, key: str, request_hash: str, answer: Answer, at: datetime) -> None:
    try:
        answers.keep(scope, key, request_hash, msgspec.json.encode(answer), at)
    except Exception as fault:  # noqa: BLE001  the work is done; an error now would make it be repeated
        logger.error("the answer of an idempotency key could not be kept", **describe_fault(fault))
