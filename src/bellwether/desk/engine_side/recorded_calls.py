"""Which calls each role made, and how the engine decided them: the measured half of least privilege.

Off unless asked for. What is kept is who, what, on which resource and how it was decided; never a request's
content, a credential or a value.
"""

import threading
from collections import Counter
from typing import Any, NamedTuple

MOST_KEPT = 50_000
"""Different calls kept. Further ones are counted, and who reads a record that dropped any refuses it."""


class RecordedCall(NamedTuple):
    """One kind of call. `principal` is the caller's ARN; `prefix` is what a bucket was listed below."""

    principal: str
    action: str
    resource: str
    prefix: str
    allowed: bool


class RecordedCalls:
    """Watches the engine's evaluation of policies (`evaluator` is ministack.core.iam_evaluator).

    The owner's root key is not evaluated and so not recorded.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._counts: Counter[RecordedCall] = Counter()
        self._asked = threading.local()
        self.dropped = 0

    def install(self, evaluator: Any) -> None:
        """Replace the two functions every decision of the engine goes through."""
        evaluate, enforce = evaluator.evaluate, evaluator.enforce

        def evaluating(context: Any, *policies: Any) -> Any:
            self._asked.context = context
            return evaluate(context, *policies)

        def enforcing(*arguments: Any, **named: Any) -> Any:
            self._asked.context = None
            refusal = enforce(*arguments, **named)
            # Without a context nothing was evaluated: the caller is root, or nobody.
            if self._asked.context is not None:
                self._keep(self._asked.context, allowed=refusal is None)
            return refusal

        evaluator.evaluate, evaluator.enforce = evaluating, enforcing

    def _keep(self, context: Any, *, allowed: bool) -> None:
        prefix = context.service_context.get("s3:prefix")
        call = RecordedCall(
            principal=str(context.principal_arn),
            action=str(context.action),
            resource=str(context.resource_arn),
            prefix=str(prefix[0] if isinstance(prefix, list) else prefix or ""),
            allowed=allowed,
        )
        with self._lock:
            if call in self._counts or len(self._counts) < self._most:
                self._counts[call] += 1
            else:
                self.dropped += 1

    def document(self) -> dict[str, Any]:
        """`{"calls": [{principal, action, resource, prefix, allowed, times}], "dropped": n}`"""
        with self._lock:
            counts = list(self._counts.items())
        return {"calls": [{**call._asdict(), "times": n} for call, n in counts], "dropped": self.dropped}
