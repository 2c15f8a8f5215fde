"""What is deleted at X or Reddit is deleted here: found, forgotten everywhere, and never brought back."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bellwether.adapters.providers import reddit
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.adapters.providers.terms import TERMS
from bellwether.adapters.providers.x_compliance import MOST_LOOKED_UP
from bellwether.domain.forgetting import HELD_FOR
from bellwether.domain.items import item_id
from bellwether.domain.problems import Unavailable
from bellwether.domain.provider_terms import Terms
from bellwether.handlers import comply
from bellwether.usecases.held_posts import HeldPosts
from bellwether.usecases.ports import BatchMessage
from bellwether.usecases.score import ScoreRequest
from bellwether.usecases.trace import tree_lines
from tests.peers.reddit import CLIENT, SECRET, RedditPeer
from tests.peers.web import changed, cut, site, status
from tests.peers.x import KEY, XPeer
from tests.unit.score.desk_in_memory import NOW, MemoryDesk, post

pytestmark = pytest.mark.enable_socket

HOUR = timedelta(hours=1)
KEYS = {"x": {"bearer_token": KEY}, "reddit": {"client_id": CLIENT, "client_secret": SECRET}}
WORDS = "zanzibar takeover imminent"


class Compliant:
    """A desk in memory, X and Reddit beside it, and one clock for all three."""

    def __init__(self, x: XPeer, other: RedditPeer) -> None:
        self.desk, self.x, self.reddit = MemoryDesk(), x, other
        self.keys: dict[str, dict[str, str]] = KEYS
        self.terms: dict[str, Terms] = dict(TERMS)
        self.now = NOW
        self.slept = 0.0

    def run(self, after: timedelta = HOUR, seconds: float = 60) -> dict[str, Any]:
        self.now += after
        self.x.now = self.reddit.now = self.now
        ports = self.desk.ports
        parts = comply.Parts(
            raw=ports.raw,
            lake=ports.lake,
            signals=ports.signals,
            entities=ports.entities,
            records=ports.providers,
            http=GuardedHttp(trusted={self.x.site.host, self.reddit.site.host}, seconds=2),
            keys=lambda: self.keys,
            terms=self.terms,
            addresses={"x": self.x.site.address, "reddit": self.reddit.site.address},
            sleep=self.sleep,
            clock=lambda: self.now,
        )
        return comply.work({}, parts, seconds)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    def on_x(self, words: str = WORDS, at: datetime = NOW) -> str:
        """A post on X that the desk has read, and of which an agent wrote down what it says."""
        name = self.x.add(f"$BEACON {words}", at)
        self.read("x", name, words, at)
        return name

    def on_reddit(self, words: str = WORDS, at: datetime = NOW) -> str:
        name = self.reddit.add(f"$BEACON {words}", at)
        self.read("reddit", name, words, at)
        return name

    def read(self, source: str, name: str, words: str, at: datetime = NOW) -> None:
        url = f"https://example.com/{words.replace(' ', '-')}"
        self.desk.take_in([post(words, source=source, source_id=name, url=url, published_at=at)], at=at)
        quoted = [
            replace(signal, rationale=f"it says {words}")
            for signal in self.desk.ports.signals.of_day("BEACON", f"{at:%Y%m%d}")
            if item_id(source, name) in signal.item_ids
        ]
        self.desk.ports.signals.put(quoted, at)

    def texts(self) -> list[str]:
        raw = self.desk.ports.raw
        return [item.words for key in raw.keys(NOW - 400 * 24 * HOUR) for item in raw.get(key).items]

    def holds(self, words: str) -> bool:
        """Whether anything the desk keeps has the words, in whatever form it would be written."""
        said = [words, words.replace(" ", "-")]
        kept = "".join(
            repr(vars(port)) for port in vars(self.desk.ports).values() if hasattr(port, "__dict__")
        )
        return any(one in kept for one in said)


@pytest.fixture
def desk() -> Iterator[Compliant]:
    reddit._accesses.clear()
    with site() as x, site() as other:
        yield Compliant(XPeer(x, NOW), RedditPeer(other, NOW))


@pytest.mark.req("A3")
@pytest.mark.parametrize("source", ["x", "reddit"])
def test_the_words_of_a_deleted_post_are_nowhere_afterwards(desk: Compliant, source: str) -> None:
    name = desk.on_x() if source == "x" else desk.on_reddit()
    stays = desk.on_x("harmless remark stays")
    assert desk.holds(WORDS)
    assert desk.run()["forgotten"] == {}
    assert desk.holds(WORDS), "a post that is there is not touched"
    (desk.x if source == "x" else desk.reddit).delete(name)
    told = desk.run()
    assert (told["forgotten"], told["faults"], told["overdue"]) == ({source: 1}, {}, {})
    assert not desk.holds(WORDS)
    assert desk.holds("harmless remark stays")
    held = HeldPosts(desk.desk.ports.lake, desk.desk.ports.raw).day("2026/11/20")
    assert held.ids("x") + held.ids("reddit") == [stays]
    assert desk.run(30 * HOUR)["forgotten"] == {}


@pytest.mark.req("A3")
def test_a_decision_can_still_be_followed_and_weighs_what_it_did(desk: Compliant) -> None:
    name = desk.on_x()
    request = ScoreRequest(assets=["BEACON"], as_of=NOW + timedelta(minutes=30))
    before = desk.desk.scoring(request, now=NOW + HOUR)
    desk.x.delete(name)
    desk.run()
    after = desk.desk.scoring(request, now=NOW + HOUR)
    assert after == before
    (signal,) = desk.desk.ports.signals.of_day("BEACON", "20261120")
    lines = list(tree_lines(desk.desk.trace(signal.signal_id, now=desk.now)))
    assert "deleted at the source on 2026-11-20" in lines[1]
    assert "the post is deleted at the source" in lines[0]
    assert "changed since" not in "".join(lines)
    (item,) = desk.desk.ports.raw.get(next(desk.desk.ports.raw.keys(NOW))).items
    assert (item.deleted_at, item.deleted_because) == (desk.now, "deleted")
    assert (item.title, item.text, item.url, item.author) == (None, None, None, None)
    assert item.cluster_id.startswith("w-")


@pytest.mark.parametrize("reason", ["protected", "suspended", "deactivated"])
def test_a_post_that_is_no_longer_public_is_forgotten_too(desk: Compliant, reason: str) -> None:
    desk.x.delete(desk.on_x(), reason)
    desk.run()
    assert not desk.holds(WORDS)
    (item,) = desk.desk.ports.raw.get(next(desk.desk.ports.raw.keys(NOW))).items
    assert item.deleted_because == reason


def test_an_edited_post_is_not_what_was_said(desk: Compliant) -> None:
    name = desk.on_x()
    line = {"id": name, "action": "rehydrate", "reason": "tweet_edited", "created_at": "2026-11-20T12:00:00Z"}
    other = {"id": name, "action": "scrub_geo", "reason": "geo_scrubbed"}
    desk.x.site.route("GET", "/download/*", lambda _: _lines(other))
    assert desk.run()["forgotten"] == {}
    desk.x.site.route("GET", "/download/*", lambda _: _lines(line))
    assert desk.run()["forgotten"] == {"x": 1}
    assert not desk.holds(WORDS)


def _lines(*lines: dict[str, Any]) -> Any:
    from tests.peers.web import Said

    return Said(200, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


@pytest.mark.req("A3")
def test_all_posts_go_into_one_job_that_costs_nothing(desk: Compliant) -> None:
    names = [desk.on_x(f"remark number {n}") for n in range(130)]
    told = desk.run()
    assert (told["taken_in"], told["answered"]) == (130, {"x": 130})
    (uploaded,) = desk.x.uploads.values()
    assert uploaded == names
    assert desk.x.posts_read == 0
    assert desk.desk.ports.providers.get("x").dollars_today == 0
    assert "upload_url" not in str(vars(desk.desk.ports.lake)), "signed addresses are not kept"


def test_a_job_that_takes_its_time_is_asked_for_by_the_next_run(desk: Compliant) -> None:
    desk.x.delete(desk.on_x())
    desk.x.polls_until_complete = 30
    first = desk.run()
    assert (first["awaited"], first["answered"]) == (("x",), {})
    assert desk.slept > 60
    later = desk.on_x("a later remark", NOW + HOUR)
    second = desk.run()
    assert (second["awaited"], second["forgotten"]) == ((), {"x": 1})
    assert (len(desk.x.jobs), desk.holds(WORDS)) == (1, False)
    desk.x.delete(later)
    desk.x.polls_until_complete = 1
    assert desk.run()["forgotten"] == {"x": 1}


def test_a_job_that_is_never_done_is_begun_anew_after_a_day(desk: Compliant) -> None:
    desk.x.delete(desk.on_x())
    desk.x.polls_until_complete = 10_000
    for _ in range(3):
        assert desk.run(8 * HOUR)["awaited"] == ("x",)
    assert len(desk.x.jobs) == 1
    desk.x.polls_until_complete = 1
    next(iter(desk.x.jobs.values()))["status"] = "failed"
    assert desk.run(10 * HOUR)["forgotten"] == {"x": 1}
    assert len(desk.x.jobs) == 2


def test_posts_are_asked_about_hourly_for_two_days_and_daily_after_that(desk: Compliant) -> None:
    desk.on_x()
    jobs = []
    for _ in range(100):
        desk.run()
        jobs.append(len(desk.x.jobs))
    assert jobs[50] == 51
    assert 1 <= jobs[99] - jobs[65] <= 2
    assert desk.run(timedelta(minutes=10))["answered"] == {}


@pytest.mark.req("A3")
def test_where_jobs_are_not_allowed_posts_are_looked_up_a_few_at_a_time(desk: Compliant) -> None:
    desk.x.may_run_jobs = False
    names = [desk.on_x(f"remark number {n}") for n in range(2 * MOST_LOOKED_UP + 5)]
    gone = desk.on_x()
    desk.x.delete(gone)
    runs = [desk.run() for _ in range(3)]
    assert [run["faults"] for run in runs] == [{"x": "no_jobs"}] * 3
    assert [run["answered"] for run in runs] == [{"x": 20}, {"x": 20}, {"x": 6}]
    assert not desk.holds(WORDS)
    assert desk.x.posts_read == len(names), "each once"
    spent = desk.desk.ports.providers.get("x").dollars_today
    assert spent == pytest.approx(len(names) * 0.005)


def test_what_money_does_not_reach_to_is_told(desk: Compliant) -> None:
    desk.x.may_run_jobs = False
    desk.terms["x"] = replace(TERMS["x"], daily_dollars=0.11, monthly_dollars=None)
    for n in range(60):
        desk.on_x(f"remark number {n}")
    assert desk.run()["answered"] == {"x": 20}
    assert desk.run()["faults"] == {"x": "daily_budget"}
    late = desk.run(40 * HOUR)
    assert late["overdue"] == {"x": 20}
    assert late["answered"] == {"x": 20}


@pytest.mark.req("A3")
def test_reddit_is_asked_a_hundred_at_a_time_and_tells_the_reason(desk: Compliant) -> None:
    names = [desk.on_reddit(f"remark number {n}") for n in range(150)]
    desk.reddit.remove(names[3])
    desk.reddit.posts.remove(desk.reddit.post(names[140]))
    told = desk.run()
    assert (told["answered"], told["forgotten"]) == ({"reddit": 150}, {"reddit": 2})
    asked = [one for one in desk.reddit.site.asked if one.path == "/api/info"]
    assert [len((one.one("id") or "").split(",")) for one in asked] == [100, 50]
    texts = "".join(desk.texts())
    assert "remark number 3," not in texts
    assert "remark number 140," not in texts
    assert "remark number 4," in texts


def test_an_answer_that_knows_no_post_at_all_is_not_believed(desk: Compliant) -> None:
    for n in range(11):
        desk.on_reddit(f"remark number {n}")
    desk.reddit.posts.clear()
    told = desk.run()
    assert (told["forgotten"], told["faults"]) == ({}, {"reddit": "bad_answer"})
    assert len("".join(desk.texts())) > 100


def test_a_post_in_two_batches_is_forgotten_in_both(desk: Compliant) -> None:
    name = desk.on_x()
    desk.read("x", name, WORDS)
    assert len(list(desk.desk.ports.raw.keys(NOW))) == 2
    desk.x.delete(name)
    assert desk.run()["forgotten"] == {"x": 2}
    assert not desk.holds(WORDS)


@pytest.mark.req("A3")
def test_nothing_brings_the_words_back(desk: Compliant) -> None:
    """Not a second delivery, a recovery or a rebuilt desk; an upload of them only until the next run."""
    name = desk.on_x()
    desk.x.delete(name)
    desk.run()
    ports = desk.desk.ports
    key = next(ports.raw.keys(NOW))
    batch = ports.raw.get(key)
    assert desk.desk.process(BatchMessage(batch_id=batch.batch_id, key=key), now=desk.now).signals == 0
    ports.claims._finished.clear()
    desk.desk.recovery(since=NOW - HOUR, now=desk.now)
    for message in ports.queue.take():
        desk.desk.process(message, now=desk.now)
    rebuilt = MemoryDesk()
    rebuilt.ports.raw.put(batch)
    rebuilt.recovery(since=NOW - HOUR, now=desk.now)
    for message in rebuilt.ports.queue.take():
        rebuilt.process(message, now=desk.now)
    assert list(rebuilt.ports.signals.of_day("BEACON", "20261120")) == []
    assert not desk.holds(WORDS)
    desk.read("x", name, WORDS, desk.now)
    assert desk.holds(WORDS)
    desk.run()
    assert not desk.holds(WORDS)


@pytest.mark.req("A3")
def test_a_run_that_dies_anywhere_is_made_good_by_the_next(
    desk: Compliant, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = desk.desk.ports
    desk.x.delete(desk.on_x())
    for target, method in ((ports.signals, "put"), (ports.raw, "replace"), (ports.lake, "put")):
        with monkeypatch.context() as broken:
            broken.setattr(target, method, _away)
            with pytest.raises(Unavailable):
                desk.run()
    desk.run()
    assert not desk.holds(WORDS)


def _away(*_: object, **__: object) -> None:
    raise Unavailable("away")


@pytest.mark.parametrize(
    ("path", "fault", "code"),
    [
        ("upload", status(403), "upload_refused"),
        ("job", status(500), "http_500"),
        ("job", changed(lambda _: b'{"data": {"id": "1", "status": "failed"}}'), "job_failed"),
        ("job", changed(lambda _: b"<html>"), "bad_answer"),
        ("download", status(404), "download_refused"),
        ("download", changed(lambda _: b'{"id": "1", "act'), "bad_answer"),
        ("download", cut, "cut_short"),
    ],
)
def test_a_job_that_goes_wrong_forgets_nothing_and_is_made_good(
    desk: Compliant, path: str, fault: Any, code: str
) -> None:
    desk.x.delete(desk.on_x())
    position = {"upload": 1, "job": 2, "download": 3}[path]
    desk.x.site.faults.extend([None] * position + [fault])
    told = desk.run()
    assert (told["faults"], told["forgotten"]) == ({"x": code}, {})
    assert desk.holds(WORDS)
    desk.run(3 * HOUR)
    desk.run()
    assert not desk.holds(WORDS)


def test_the_key_goes_to_x_alone(desk: Compliant) -> None:
    desk.on_x()
    desk.run()
    for asked in desk.x.site.asked:
        assert ("authorization" in asked.headers) == asked.path.startswith("/2/")


@pytest.mark.req("A3")
def test_words_are_held_for_so_long_and_no_longer_whoever_has_a_key(desk: Compliant) -> None:
    desk.keys = {}
    desk.on_reddit()
    batch = desk.desk.ports.raw.get(next(desk.desk.ports.raw.keys(NOW)))
    by_provider = replace(batch, batch_id="fetched", submitted_by="provider:reddit")
    desk.desk.ports.raw.put(by_provider)
    told = desk.run(3 * 24 * HOUR)
    assert (told["answered"], told["overdue"]) == ({}, {"reddit": 1})
    desk.run(HELD_FOR)
    texts = {
        (held := desk.desk.ports.raw.get(key)).batch_id: held.items[0].words
        for key in desk.desk.ports.raw.keys(NOW)
    }
    assert texts["fetched"] == ""
    assert WORDS in texts[batch.batch_id], "what somebody handed in is theirs to take back"


def test_a_key_that_comes_later_is_asked_about_what_came_before(desk: Compliant) -> None:
    desk.keys = {}
    name = desk.on_x()
    desk.run()
    desk.x.delete(name)
    desk.keys = KEYS
    assert desk.run()["forgotten"] == {"x": 1}


def test_a_run_without_time_leaves_the_rest_to_the_next(desk: Compliant) -> None:
    for n in range(3):
        desk.on_x(f"remark number {n}")
    assert desk.run(seconds=-1)["taken_in"] == 0
    assert desk.run()["taken_in"] == 3
