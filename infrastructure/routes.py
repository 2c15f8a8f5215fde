"""The eleven routes of the API."""

from collections.abc import Sequence
from dataclasses import dataclass

from infrastructure.settings import Throttle


@dataclass(frozen=True, kw_only=True)
class Route:
    """A method and path, the function that answers, and how often it may be called over all callers.

    `request` names the type a body is decoded into (`module:Type`); the gateway's model is made of it.
    """

    method: str
    path: str
    function: str
    throttle: Throttle
    request: str | None = None
    public: bool = False


_INGEST = "bellwether.usecases.ingest:IngestRequest"

ROUTES: Sequence[Route] = (
    Route(
        method="POST", path="/ingest/social", function="ingest", throttle=Throttle(50, 100), request=_INGEST
    ),
    Route(method="POST", path="/ingest/news", function="ingest", throttle=Throttle(50, 100), request=_INGEST),
    Route(
        method="POST",
        path="/score",
        function="score",
        throttle=Throttle(50, 100),
        request="bellwether.usecases.score:ScoreRequest",
    ),
    Route(
        method="POST",
        path="/propose",
        function="propose",
        throttle=Throttle(10, 20),
        request="bellwether.usecases.propose:ProposeRequest",
    ),
    Route(
        method="POST",
        path="/risk/check",
        function="check_risk",
        throttle=Throttle(20, 40),
        request="bellwether.usecases.check_risk:RiskRequest",
    ),
    Route(
        method="POST",
        path="/decision",
        function="decide",
        throttle=Throttle(10, 20),
        request="bellwether.usecases.decide:DecisionRequest",
    ),
    Route(
        method="POST",
        path="/evaluate",
        function="evaluate",
        throttle=Throttle(2, 5),
        request="bellwether.usecases.evaluate:EvaluateRequest",
    ),
    Route(method="GET", path="/dashboard/summary", function="summarise", throttle=Throttle(20, 40)),
    Route(method="GET", path="/dashboard/stream", function="stream", throttle=Throttle(100, 200)),
    Route(method="GET", path="/health", function="health", throttle=Throttle(5, 10), public=True),
    Route(method="GET", path="/metrics", function="metrics", throttle=Throttle(5, 10)),
)
