"""The eleven routes of the API: who answers, what they take and give, how often they may be called.

The gateway's methods and models, `docs/openapi.json` and the firewall's limits are all made of this table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infrastructure.settings import Throttle

JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Route:
    """A method and path, the function that answers, and how often it may be called over all callers.

    `request` and `response` name the types a body is decoded into and encoded from (`module:Type`); an answer
    that is no JSON has a `media_type` instead of a `response`.
    """

    method: str
    path: str
    function: str
    throttle: Throttle
    summary: str
    request: str | None = None
    response: str | None = None
    media_type: str = JSON
    answers: Mapping[int, str] = field(default_factory=lambda: {200: "Done."})
    """Statuses that come with a `response`, and what each means."""
    refuses: tuple[int, ...] = ()
    """Statuses of problems this route has beside those every such route has (see `refusals`)."""
    public: bool = False
    keyed: bool = False
    """Takes an `Idempotency-Key`: sent twice, it is done once."""
    few_words: bool = False
    """Its body has a few names in it and never more than 16 KB, so that a firewall can tell."""
    per_address: int = 1_000
    """Requests one address may make in five minutes, where there is a firewall."""

    @property
    def refusals(self) -> tuple[int, ...]:
        """Every status the route can answer with problem details, by it or by the gateway before it."""
        found = {429, 500, 503, 504, *self.refuses}
        found |= set() if self.public else {401, 403}
        found |= {400, 413, 415} if self.request else set()
        found |= {409, 422} if self.keyed else set()
        return tuple(sorted(found - set(self.answers)))


_INGEST = "bellwether.usecases.ingest:{}"
_USECASES = "bellwether.usecases.{}:{}"


def _ingest(kind: str, what: str) -> Route:
    return Route(
        method="POST",
        path=f"/ingest/{kind}",
        function="ingest",
        throttle=Throttle(50, 100),
        summary=f"Take in {what}: up to 500 items and 5 MB; one bad item never sinks the rest",
        request=_INGEST.format("IngestRequest"),
        response=_INGEST.format("IngestAnswer"),
        answers={202: "Stored and queued. What was not taken is in `rejected`, each with its reason."},
        keyed=True,
    )


ROUTES: Sequence[Route] = (
    _ingest("social", "posts"),
    _ingest("news", "articles"),
    Route(
        method="POST",
        path="/score",
        function="score",
        throttle=Throttle(50, 100),
        summary="Fuse the live evidence on assets into scores with their contributions",
        request=_USECASES.format("score", "ScoreRequest"),
        response=_USECASES.format("score", "ScoreAnswer"),
        answers={200: "The scores."},
    ),
    Route(
        method="POST",
        path="/propose",
        function="propose",
        throttle=Throttle(10, 20),
        summary="Propose trades for a portfolio, and say why not for every other asset",
        request=_USECASES.format("propose", "ProposeRequest"),
        response=_USECASES.format("propose", "ProposeAnswer"),
        answers={200: "Nothing was proposed; the reasons.", 201: "What was proposed is in the ledger."},
        refuses=(404,),
        keyed=True,
        per_address=300,
    ),
    Route(
        method="POST",
        path="/risk/check",
        function="check_risk",
        throttle=Throttle(20, 40),
        summary="Check a proposal as things are now, or orders against a portfolio, without writing either",
        request=_USECASES.format("check_risk", "RiskRequest"),
        response=_USECASES.format("check_risk", "RiskAnswer"),
        answers={200: "The results, in the orders' order."},
        refuses=(404,),
    ),
    Route(
        method="POST",
        path="/decision",
        function="decide",
        throttle=Throttle(10, 20),
        summary="Approve, reject or revoke a proposal",
        request=_USECASES.format("decide", "DecisionRequest"),
        response=_USECASES.format("decide", "DecisionAnswer"),
        answers={200: "The new revision is in the ledger."},
        refuses=(404,),
        keyed=True,
        few_words=True,
        per_address=300,
    ),
    Route(
        method="POST",
        path="/evaluate",
        function="evaluate",
        throttle=Throttle(2, 5),
        summary="Resolve what became of proposals and scores, and update the agents' track records",
        request=_USECASES.format("evaluate", "EvaluateRequest"),
        response=_USECASES.format("evaluate", "EvaluateAnswer"),
        answers={200: "Outcomes, newly resolved first."},
        keyed=True,
        few_words=True,
        per_address=100,
    ),
    Route(
        method="GET",
        path="/dashboard/summary",
        function="summarise",
        throttle=Throttle(20, 40),
        summary="What the dashboard shows",
        response=_USECASES.format("summarise", "Summary"),
        answers={200: "The summary."},
    ),
    Route(
        method="GET",
        path="/dashboard/stream",
        function="stream",
        throttle=Throttle(100, 200),
        summary="What changed since an event, as server-sent events",
        media_type="text/event-stream",
        answers={200: "Events with `id`, `event` and `data` (a Change), and `retry`."},
        refuses=(400,),
    ),
    Route(
        method="GET",
        path="/health",
        function="health",
        throttle=Throttle(5, 10),
        summary="Whether the desk works, and the state of each of its parts",
        response="bellwether.handlers.health:Health",
        answers={200: "Every part answers.", 503: "A part does not answer, or the gateway could not ask."},
        public=True,
    ),
    Route(
        method="GET",
        path="/metrics",
        function="metrics",
        throttle=Throttle(5, 10),
        summary="The desk's counters and how much waits in its queues",
        media_type="application/openmetrics-text",
        answers={200: "OpenMetrics 1.0 text."},
    ),
)
