"""A batch that takes another's place leaves nothing of it behind, on the services as in memory."""

import gzip
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from bellwether.adapters.aws.lake import Bucket
from bellwether.domain.entities import Asset
from bellwether.domain.items import item_id
from bellwether.domain.problems import NotFound
from bellwether.usecases.comply import Comply
from bellwether.usecases.ports import PostAnswer
from tests.contract.conftest import Ports, ServicePorts
from tests.contract.records import NOON, batch, signal

WORDS = "zanzibar takeover imminent"


def versioned(ports: Ports) -> None:
    if isinstance(ports, ServicePorts):
        s3 = ports.make.clients.s3()
        s3.put_bucket_versioning(Bucket=ports.bucket, VersioningConfiguration={"Status": "Enabled"})


def versions(ports: ServicePorts) -> list[bytes]:
    """What every version of every object of the bucket holds, unpacked."""
    s3 = ports.make.clients.s3()
    found = s3.list_object_versions(Bucket=ports.bucket)
    contents = [
        s3.get_object(Bucket=ports.bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read()
        for one in found.get("Versions", ())
    ]
    return [gzip.decompress(one) if one[:2] == b"\x1f\x8b" else one for one in contents]


@pytest.mark.req("A3", "D6")
def test_a_batch_is_replaced_and_no_older_version_is_left(ports: Ports) -> None:
    versioned(ports)
    first, other = batch("b1", items=3), batch("b10")
    key = ports.raw.put(first)
    ports.raw.put(other)
    second = replace(first, items=[replace(item, text=None, title="gone") for item in first.items])
    for _ in range(2):
        ports.raw.replace(key, second)
    assert ports.raw.get(key) == second
    ports.raw.put(first)
    assert ports.raw.get(key) == second, "a retry of the first request does not bring it back"
    if isinstance(ports, ServicePorts):
        assert len(versions(ports)) == 2


@pytest.mark.req("D6")
def test_an_older_version_that_a_killed_run_left_goes_with_the_next(ports: Ports) -> None:
    if not isinstance(ports, ServicePorts):
        pytest.skip("in memory there are no versions")
    versioned(ports)
    first = batch("b1")
    key = ports.raw.put(first)
    second = replace(first, items=[])
    s3 = ports.make.clients.s3()
    ports.raw.replace(key, second)
    content = s3.get_object(Bucket=ports.bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=ports.bucket, Key=key, Body=b"older")
    s3.put_object(Bucket=ports.bucket, Key=key, Body=content)
    assert len(versions(ports)) == 3
    ports.raw.replace(key, second)
    assert len(versions(ports)) == 1


def test_a_batch_that_is_not_there_is_not_replaced(ports: ServicePorts) -> None:
    if not isinstance(ports, ServicePorts):
        pytest.skip("in memory nobody else deletes objects")
    with pytest.raises(NotFound):
        ports.raw.replace("raw-data/2026/11/23/12/none.json.gz", batch("none"))


class Gone:
    """A source that knows of one deleted post."""

    name = "x"

    def __init__(self, source_id: str) -> None:
        self.source_id = source_id

    def ask(self, ids: Sequence[str], pending: str | None, out_of_time: Callable[[], bool]) -> PostAnswer:
        assert (pending, out_of_time()) == (None, False)
        gone = {one: "deleted" for one in ids if one == self.source_id}
        return PostAnswer(gone=gone, answered=len(ids))


@pytest.mark.req("A3", "D6")
def test_the_words_of_a_deleted_post_are_nowhere_in_the_lake_or_the_signals(ports: Ports) -> None:
    versioned(ports)
    ports.entities.put("asset", "AAPL", Asset(symbol="AAPL", name="Apple"))
    posts = [
        replace(item, source="x", source_id=str(1_000 + n), item_id=item_id("x", str(1_000 + n)))
        for n, item in enumerate(batch("b1").items)
    ]
    gone, stays = replace(posts[0], text=f"$AAPL {WORDS}"), replace(posts[1], text="$AAPL stays")
    ports.raw.put(replace(batch("b1"), kind="social", items=[gone, stays]))
    ports.signals.put(
        [
            replace(signal(n), item_ids=(item.item_id,), rationale=f"it says {item.text}")
            for n, item in enumerate((gone, stays))
        ],
        NOON,
    )
    comply = Comply(
        raw=ports.raw, lake=ports.lake, signals=ports.signals, entities=ports.entities, sources=[Gone("1000")]
    )
    done = comply(now=NOON, out_of_time=lambda: False)
    assert (done.answered, done.forgotten) == ({"x": 2}, {"x": 1})
    rationales = sorted(one.rationale for one in ports.signals.of_day("AAPL", "20261123"))
    assert rationales == ["it says $AAPL stays", "the post is deleted at the source"]
    if isinstance(ports, ServicePorts):
        kept = versions(ports)
        assert not any(WORDS.encode() in one for one in kept)
        assert any(b"$AAPL stays" in one for one in kept)


class Versioned:
    """An S3 that holds versions by id and notes what is deleted where."""

    def __init__(self, notes: list[tuple[str, str]], *, fails: str = "") -> None:
        self._notes = notes
        self._fails = fails

    def list_object_versions(self, **asked: str) -> dict[str, object]:
        key = asked["Prefix"]
        older = [{"Key": key, "VersionId": name, "IsLatest": False} for name in ("v1", "v2")]
        return {"Versions": [{"Key": key, "VersionId": "v3", "IsLatest": True}, *older]}

    def delete_object(self, **asked: str) -> None:
        if asked["Bucket"] == self._fails:
            raise ConnectionError("away")
        self._notes.append((asked["Bucket"], asked["VersionId"]))


def test_a_version_goes_in_the_replica_first_under_the_same_id() -> None:
    notes: list[tuple[str, str]] = []
    here = Bucket(Versioned(notes), "lake")  # type: ignore[arg-type]
    there = Bucket(Versioned(notes), "copy")  # type: ignore[arg-type]
    assert here.remove_older("raw-data/one", there) == 2
    assert notes == [("copy", "v1"), ("lake", "v1"), ("copy", "v2"), ("lake", "v2")]


def test_a_replica_that_does_not_answer_leaves_the_version_to_the_next_run() -> None:
    notes: list[tuple[str, str]] = []
    here = Bucket(Versioned(notes), "lake")  # type: ignore[arg-type]
    there = Bucket(Versioned(notes, fails="copy"), "copy")  # type: ignore[arg-type]
    with pytest.raises(Exception, match="away"):
        here.remove_older("raw-data/one", there)
    assert notes == []
