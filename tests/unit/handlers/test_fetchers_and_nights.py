"""The schedules that bring items in and resolve forecasts, on ports in memory."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bellwether.adapters.memory import MemoryPorts, MemorySecrets
from bellwether.adapters.providers.feeds import FeedProvider
from bellwether.adapters.providers.guarded_http import USER_AGENT, GuardedHttp
from bellwether.domain.entities import Feed, Query, Subreddit
from bellwether.domain.problems import Unavailable
from bellwether.handlers import evaluate, fetch_news, fetch_social
from bellwether.handlers.fetching import FetchParts, targets
from bellwether.handlers.provider_keys import read_keys
from bellwether.handlers.scheduled_function import Failed, seconds_left
from bellwether.usecases.evaluate import Evaluate, EvaluateRequest
from bellwether.usecases.ingest import Ingest
from tests.peers.feeds import Peer, feed_peer, rss
from tests.unit.handlers.conftest import Logged
from tests.unit.handlers.events import Context, rest_event

pytestmark = pytest.mark.enable_socket

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
SCHEDULED = {"source": "aws.scheduler"}


@pytest.fixture
def peer() -> Iterator[Peer]:
    with feed_peer() as started:
        yield started


def fetching(ports: MemoryPorts, trusted: set[str]) -> FetchParts:
    ingest = Ingest(
        raw=ports.raw, claims=ports.claims, queue=ports.queue, counts=ports.counts, salt=b"s" * 32
    )
    return FetchParts(
        entities=ports.entities,
        lake=ports.lake,
        ingest=ingest,
        http=GuardedHttp(trusted=trusted, seconds=10),
        records=ports.providers,
        clock=lambda: NOW,
    )


@pytest.mark.req("A3", "C5", "B2")
def test_tracked_feeds_become_batches_and_their_health_is_counted(
    ports: MemoryPorts, peer: Peer, logged: Logged
) -> None:
    peer.serve_feed("/feed", rss("one", "two"))
    for number, path in enumerate(("/feed", "/gone")):
        ports.entities.put("feed", f"feed-{number}", Feed(url=peer.url(path)))
    parts = fetching(ports, {peer.host})
    told = fetch_news.handler.serve(SCHEDULED, Context(240_000), lambda: parts)
    assert (told["targets"], told["failing"], told["accepted"]) == (2, 1, 2)
    (message,) = ports.queue.sent
    batch = ports.raw.get(message.key)
    assert (batch.kind, batch.submitted_by) == ("news", "provider:rss")
    assert {item.known_at for item in batch.items} == {NOW}
    totals = ports.counts.totals()
    assert totals['bellwether_provider_fetches_total{provider="rss",state="ok"}'] == 1
    assert totals['bellwether_provider_fetches_total{provider="rss",state="failing"}'] == 1
    assert totals['bellwether_provider_items_total{provider="rss"}'] == 2
    again = fetch_news.handler.serve(SCHEDULED, Context(240_000), lambda: parts)
    assert again["accepted"] == 0
    assert len(ports.queue.sent) == 1
    assert "one" not in json.dumps([line for line in logged() if line["message"] != "done"])


@pytest.mark.req("A2", "C5")
def test_tracked_subreddits_and_queries_are_asked_at_their_public_feed(ports: MemoryPorts) -> None:
    for name in ("stocks", "investing"):
        ports.entities.put("subreddit", name, Subreddit(name=name))
    ports.entities.put("query", "q", Query(text="$KO OR cola"))
    ports.entities.put("feed", "f", Feed(url="https://news.example/feed"))
    parts = fetching(ports, set())
    assert {(p.name, p.target, p.kind) for p in targets(parts, fetch_social.MAKERS)} == {
        ("reddit", "stocks", "social"),
        ("reddit", "investing", "social"),
        ("reddit", "search: $KO OR cola", "social"),
    }
    (feed,) = targets(parts, fetch_news.MAKERS)
    assert isinstance(feed, FeedProvider)
    assert feed.target == "https://news.example/feed"


@pytest.mark.req("C5")
def test_nothing_tracked_is_a_quiet_round_that_still_logs(ports: MemoryPorts, logged: Logged) -> None:
    told = fetch_social.handler.serve(SCHEDULED, Context(), lambda: fetching(ports, set()))
    assert told["targets"] == 0
    assert [line["message"] for line in logged()] == ["done"]


@pytest.mark.req("C5")
def test_when_the_desk_itself_fails_the_run_fails_and_says_nothing_private(
    ports: MemoryPorts, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer.serve("/feed", rss("one"))
    ports.entities.put("feed", "f", Feed(url=peer.url("/feed")))

    def away(_batch: Any) -> str:
        raise Unavailable("bucket lake-1234 is away")

    monkeypatch.setattr(ports.raw, "put", away)
    with pytest.raises(Failed) as failed:
        fetch_news.handler.serve(SCHEDULED, Context(), lambda: fetching(ports, {peer.host}))
    assert "lake-1234" not in str(failed.value)
    assert failed.value.__cause__ is None


@pytest.mark.req("S2")
@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ('{"user_agent": "desk/1 (me@example.com)"}', "desk/1 (me@example.com)"),
        ("{}", USER_AGENT),
        ('{"user_agent": "two\\r\\nlines"}', USER_AGENT),
        ('{"user_agent": 7}', USER_AGENT),
        (None, USER_AGENT),
    ],
)
def test_fetchers_introduce_themselves_as_the_secret_says(
    ports: MemoryPorts, peer: Peer, secret: str | None, expected: str
) -> None:
    peer.serve("/feed", rss("one"))
    ports.entities.put("feed", "f", Feed(url=peer.url("/feed")))
    secrets = MemorySecrets({"arn": secret} if secret else {})
    parts = replace(fetching(ports, {peer.host}), keys=lambda: read_keys(secrets, {"providers": "arn"}))
    fetch_news.handler.serve(SCHEDULED, Context(240_000), lambda: parts)
    assert [headers["user-agent"] for _, headers in peer.requests] == [expected]


def test_time_is_kept_back_to_finish_in() -> None:
    assert seconds_left(Context(240_000)) == 220
    assert seconds_left(Context(5_000)) == 1
    assert seconds_left(None) == 60


def evaluating(ports: MemoryPorts) -> evaluate.Parts:
    use_case = Evaluate(
        entities=ports.entities,
        prices=ports.prices,
        configs=ports.configs,
        controls=ports.controls,
        ledger=ports.ledger,
        proposals=ports.proposals,
        outcomes=ports.outcomes,
        forecasts=ports.forecasts,
        announce=ports.announce,
        lake=ports.lake,
        counts=ports.counts,
    )
    return evaluate.Parts(evaluate=use_case, answers=ports.answers, clock=lambda: NOW)


@pytest.mark.req("A8", "C5")
def test_a_request_and_the_night_evaluate_alike(ports: MemoryPorts) -> None:
    parts = evaluating(ports)
    response = evaluate.route.serve(rest_event("POST", "/evaluate", body={}), Context(), lambda: parts)
    assert response["statusCode"] == 200
    assert json.loads(response["body"])["resolved"] == 0
    told = evaluate.schedule.serve(SCHEDULED, Context(), lambda: parts)
    assert told["resolved"] == 0
    assert ports.lake.get(told["report"]) is not None
    for body in (
        {"scope": "everything"},
        {"from": "yesterday"},
        {"from": "2026-11-23T00:00:00Z", "to": "2026-11-22T00:00:00Z"},
    ):
        refused = evaluate.route.serve(rest_event("POST", "/evaluate", body=body), Context(), lambda: parts)
        assert refused["statusCode"] == 400
        assert json.loads(refused["body"])["path"] in {"$.scope", "$.from"}
    assert (
        evaluate.route.serve(
            rest_event("POST", "/evaluate", body={}, roles="viewer"), Context(), lambda: parts
        )["statusCode"]
        == 403
    )


@pytest.mark.req("A8")
def test_the_night_goes_on_until_nothing_more_is_resolved() -> None:
    answers = iter([(7, True), (5, True), (1, False), (9, True)])
    asked: list[EvaluateRequest] = []

    class Counted:
        def __call__(self, request: EvaluateRequest, *, now: datetime) -> Any:
            asked.append(request)
            resolved, more = next(answers)
            fields = {
                "resolved": resolved,
                "more": more,
                "outcomes": [],
                "waiting": 3,
                "report": "eval/x.json",
            }
            return type("Answer", (), fields)()

    use_case: Any = Counted()
    parts = evaluate.Parts(evaluate=use_case, answers=MemoryPorts().answers, clock=lambda: NOW)
    assert evaluate.nightly({}, parts, 60.0)["resolved"] == 13
    assert asked == [EvaluateRequest()] * 3


@pytest.mark.req("A8")
def test_one_entry_point_serves_both_kinds_of_event(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_LAMBDA_RUNTIME_API", "PROPOSALS_TABLE"):
        monkeypatch.delenv(name, raising=False)
    assert evaluate.handler(rest_event("POST", "/evaluate", body={}), Context())["statusCode"] == 500
    with pytest.raises(Failed):
        evaluate.handler(SCHEDULED, Context())
