"""`ingest` from the keyboard to the use case behind the API, all in one process."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest

from bellwether.adapters.memory import MemoryPorts
from bellwether.cli import connect
from bellwether.cli.api import Api
from bellwether.domain.items import Kind
from bellwether.usecases.ingest import Ingest, IngestRequest
from tests.unit.cli.conftest import Done, Peer, api_of, problem

Typed = Callable[..., Done]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def rows(count: int, first: int = 0) -> str:
    return "source_id,published_at,text\n" + "".join(
        f"{n},2024-01-02T03:04:05Z,a post that says number {n}\n" for n in range(first, first + count)
    )


class Intake:
    """The API's ingest routes over the use case, with first answers kept by key as the API keeps them."""

    def __init__(self) -> None:
        self.ports = MemoryPorts()
        self.answers: dict[str, bytes] = {}
        self.fail_after: int | None = None
        self.peer = Peer(route=self.route)

    def route(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["Idempotency-Key"]
        if key in self.answers:
            return httpx.Response(202, content=self.answers[key], headers={"Idempotent-Replayed": "true"})
        if self.fail_after is not None and len(self.answers) >= self.fail_after:
            return problem(403)
        ingest = Ingest(
            raw=self.ports.raw,
            claims=self.ports.claims,
            queue=self.ports.queue,
            counts=self.ports.counts,
            salt=b"salt",
        )
        body = msgspec.json.decode(request.content, type=IngestRequest)
        kind: Kind = "news" if request.url.path.endswith("news") else "social"
        answer = ingest(kind=kind, items=body.items, batch_id=key, submitted_by="ana", received_at=NOW)
        self.answers[key] = msgspec.json.encode(answer)
        return httpx.Response(202, content=self.answers[key])

    @property
    def stored(self) -> int:
        """Distinct items that were claimed."""
        batches = (self.ports.raw.get(key) for key in self.ports.raw.keys(datetime(2000, 1, 1, tzinfo=UTC)))
        return len({item.item_id for batch in batches for item in batch.items})


@pytest.fixture
def intake(monkeypatch: pytest.MonkeyPatch) -> Intake:
    made = Intake()

    def opened(stage: str, act_as: str | None = None) -> Api:
        return api_of(made.peer)

    monkeypatch.setattr(connect, "open_api", opened)
    return made


def test_a_dry_run_needs_no_desk_and_tells_what_would_happen(
    typed: Typed, home: Path, tmp_path: Path
) -> None:
    good = tmp_path / "good.csv"
    good.write_text(rows(3) + "3,2999-01-01T00:00:00Z,from the future\n0,2024-01-02T03:04:05Z,again\n")
    done = typed("ingest", str(good), str(tmp_path / "missing.csv"), "--dry-run", "--json")
    assert done.code == 0
    told = done.document
    assert (told["read"], told["accepted"], told["duplicates"]) == (5, 3, 1)
    assert [(r["row"], r["code"]) for r in told["rejected"]] == [(4, "in_the_future")]
    assert told["files"] == [
        {"file": str(good), "items": 5, "refused": None},
        {"file": str(tmp_path / "missing.csv"), "items": 0, "refused": "there is no such file"},
    ]
    assert not home.exists()


def test_nothing_that_can_be_read_is_a_failure(typed: Typed, tmp_path: Path) -> None:
    done = typed("ingest", str(tmp_path / "missing.csv"), "--dry-run", "--json")
    assert done.code == 1
    assert done.document["read"] == 0


def test_a_kind_that_is_none_is_wrong_use(typed: Typed) -> None:
    done = typed("ingest", "x.csv", "--kind", "gossip", "--json")
    assert done.code == 2
    assert "gossip" in done.document["error"]["detail"]


def test_standard_input_is_read(typed: Typed) -> None:
    done = typed("ingest", "-", "--dry-run", "--json", stdin=rows(2).encode())
    assert done.document["files"] == [{"file": "-", "items": 2, "refused": None}]


@pytest.mark.req("A2", "A3")
def test_items_are_sent_in_bounded_requests_to_the_route_of_their_kind(
    typed: Typed, intake: Intake, tmp_path: Path
) -> None:
    (tmp_path / "posts.csv").write_text(rows(1_100))
    (tmp_path / "news.csv").write_text(
        "source,source_id,published_at,title\nrss,n1,2024-01-02T03:04:05Z,A headline of some length\n"
    )
    done = typed("ingest", str(tmp_path / "posts.csv"), str(tmp_path / "news.csv"), "--json")
    assert done.code == 0
    assert (done.document["accepted"], done.document["read"]) == (1_101, 1_101)
    assert intake.stored == 1_101
    sizes = sorted(len(json.loads(request.content)["items"]) for request in intake.peer.seen)
    assert sizes == [1, 100, 500, 500]
    paths = {request.url.path for request in intake.peer.seen}
    assert paths == {"/v1/ingest/social", "/v1/ingest/news"}


def test_what_the_api_rejects_is_named_by_file_and_row(typed: Typed, intake: Intake, tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    file.write_text(rows(2) + "future,2999-01-01T00:00:00Z,not yet\nlate,,no time\n")
    told = typed("ingest", str(file), "--json").document
    assert (told["accepted"], told["rejected_total"]) == (2, 2)
    assert {(r["row"], r["code"]) for r in told["rejected"]} == {(3, "in_the_future"), (4, "invalid_item")}
    assert {r["file"] for r in told["rejected"]} == {str(file)}


@pytest.mark.req("A2")
def test_an_import_that_broke_off_goes_on_without_counting_twice(
    typed: Typed, intake: Intake, tmp_path: Path
) -> None:
    file = tmp_path / "posts.csv"
    file.write_text(rows(2_600))
    intake.fail_after = 2
    broken = typed("ingest", str(file), "--json")
    assert broken.code == 4
    assert broken.document["error"]["status"] == 403
    assert "run the same command again" in broken.err
    intake.fail_after = None
    again = typed("ingest", str(file), "--json")
    assert again.code == 0
    assert (again.document["accepted"], again.document["duplicates"]) == (2_600, 0)
    assert intake.stored == 2_600
    anew = typed("ingest", str(file), "--json")
    assert (anew.document["accepted"], anew.document["duplicates"]) == (0, 2_600)
    assert anew.code == 0


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(
    typed: Typed, intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bellwether.cli import sending

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "posts.csv").write_text(rows(3_000))
    monkeypatch.setattr(sending, "wait", interrupted)
    done = typed("ingest", str(tmp_path / "posts.csv"))
    assert done.code == 130
    assert "run the same command again" in done.err
    assert done.out == ""


def test_people_see_a_line_a_file_and_the_sum(typed: Typed, intake: Intake, tmp_path: Path) -> None:
    (tmp_path / "[odd] name.csv").write_text(rows(3))
    done = typed("ingest", str(tmp_path / "[odd] name.csv"))
    assert "[odd] name.csv" in done.out
    assert "3 accepted, 0 duplicates, 0 rejected of 3 read." in done.out
    assert "\x1b[" not in done.out
