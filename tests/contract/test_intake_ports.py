"""Raw batches, claims and first answers: what makes an item count once."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from bellwether.adapters.aws.claims import DynamoItemClaims
from bellwether.adapters.aws.tables import Table
from bellwether.domain.problems import Conflict, Held, IdempotencyMismatch, NotFound
from bellwether.usecases.ports import ItemClaims, Reservation
from tests.contract.conftest import Ports, ServicePorts, at_once
from tests.contract.records import NOON, WORDS, batch

IDS = [f"rss-{number:032x}" for number in range(250)]


@pytest.mark.req("D5")
def test_a_batch_is_written_once_and_read_back_whole(ports: Ports) -> None:
    first = batch("b1", items=3)
    key = ports.raw.put(first)
    assert key == "raw-data/2026/11/23/12/b1.json.gz"
    assert ports.raw.put(batch("b1", items=1)) == key
    assert ports.raw.get(key) == first


def test_a_batch_that_is_not_there_is_not_found(ports: Ports) -> None:
    with pytest.raises(NotFound):
        ports.raw.get("raw-data/2026/11/23/12/none.json.gz")


def test_an_instant_in_another_zone_names_the_hour_in_utc(ports: Ports) -> None:
    zurich = datetime.fromisoformat("2026-12-01T00:30:00+01:00")
    assert ports.raw.put(batch("b1", zurich)) == "raw-data/2026/11/30/23/b1.json.gz"


def test_keys_start_with_the_hour_and_ascend_over_the_turn_of_the_year(ports: Ports) -> None:
    times = [datetime(2026, 12, 31, 22, 59, tzinfo=UTC) + timedelta(hours=hour) for hour in range(4)]
    keys = [ports.raw.put(batch(f"b{9 - number}", at)) for number, at in enumerate(times)]
    assert list(ports.raw.keys(times[1])) == keys[1:]
    assert list(ports.raw.keys(times[1] - timedelta(minutes=59))) == keys[1:]
    assert list(ports.raw.keys(times[0])) == keys
    assert list(ports.raw.keys(times[3] + timedelta(hours=1))) == []


def test_of_two_writers_of_a_batch_one_wins_for_good(ports: Ports) -> None:
    keys = at_once([partial(ports.raw.put, batch("b1", items=n)) for n in range(1, 7)])
    assert len(set(keys)) == 1
    assert ports.raw.get(keys[0]) == ports.raw.get(keys[0])
    assert 1 <= len(ports.raw.get(keys[0]).items) <= 6


def test_items_belong_to_the_batch_that_named_them_first(ports: Ports) -> None:
    assert ports.claims.claim_items("b1", IDS[:150]) == set(IDS[:150])
    assert ports.claims.claim_items("b2", IDS) == set(IDS[150:])
    assert ports.claims.claim_items("b1", IDS) == set(IDS[:150])
    assert ports.claims.claim_items("b2", IDS) == set(IDS[150:])


def test_no_items_are_no_claims(ports: Ports) -> None:
    assert ports.claims.claim_items("b1", []) == set()
    assert ports.claims.claim_clusters("b1", {}) == set()
    assert ports.claims.finished([]) == set()
    assert ports.claims.locate([]) == {}


def test_an_id_named_twice_is_claimed_once(ports: Ports) -> None:
    assert ports.claims.claim_items("b1", ["ü", "ü", "#x#", "ü"]) == {"ü", "#x#"}
    assert ports.claims.locate(["ü", "#x#", "none"]) == {"ü": "b1", "#x#": "b1"}


def test_items_and_clusters_of_one_name_are_different_things(ports: Ports) -> None:
    assert ports.claims.claim_items("b1", ["same"]) == {"same"}
    assert ports.claims.claim_clusters("b2", {"same": NOON}) == {"same"}
    assert ports.claims.finished(["same"]) == set()


def test_of_batches_that_race_for_the_same_items_each_item_has_one(ports: Ports) -> None:
    ids = IDS[:120]
    won = at_once([partial(ports.claims.claim_items, f"b{number}", ids) for number in range(6)])
    assert sorted(item for part in won for item in part) == sorted(ids)
    again = [ports.claims.claim_items(f"b{number}", ids) for number in range(6)]
    assert again == won


def test_batches_that_overlap_in_a_race_lose_no_item_of_their_own(ports: Ports) -> None:
    calls = [partial(ports.claims.claim_items, f"b{n}", IDS[n * 30 : n * 30 + 60]) for n in range(6)]
    won = at_once(calls)
    assert sorted(item for part in won for item in part) == sorted(IDS[:210])


def test_a_cluster_belongs_to_the_batch_with_its_earliest_item(ports: Ports) -> None:
    later, earlier = NOON + timedelta(microseconds=1), NOON - timedelta(microseconds=1)
    claims = ports.claims
    assert claims.claim_clusters("b1", {"w": NOON, "v": NOON}) == {"w", "v"}
    assert claims.claim_clusters("b2", {"w": later, "v": NOON}) == set(), "later and equal do not displace"
    assert claims.claim_clusters("b3", {"w": earlier, "new": NOON}) == {"w", "new"}
    assert claims.claim_clusters("b1", {"w": NOON, "v": NOON}) == {"v"}
    assert claims.claim_clusters("b3", {"w": later}) == {"w"}, "its own stays its own"


def test_racing_clusters_end_with_the_earliest(ports: Ports) -> None:
    clusters = [f"w-{number}" for number in range(40)]
    times = [NOON - timedelta(minutes=number) for number in range(5)]
    at_once(
        [
            partial(ports.claims.claim_clusters, f"b{number}", dict.fromkeys(clusters, at))
            for number, at in enumerate(times)
        ]
    )
    late = dict.fromkeys(clusters, NOON + timedelta(days=1))
    assert [ports.claims.claim_clusters(f"b{n}", late) for n in range(4)] == [set()] * 4
    assert ports.claims.claim_clusters("b4", late) == set(clusters)


def test_a_batch_is_finished_when_it_was_said_once_or_more(ports: Ports) -> None:
    ports.claims.finish("b1")
    ports.claims.finish("b1")
    assert ports.claims.finished(["b1", "b2", "b1"]) == {"b1"}


LONG = timedelta(seconds=180)
LATER = NOON + LONG


def held_for(claims: ItemClaims, batch_id: str, at: datetime) -> int | None:
    """Seconds to wait for the batch; `None` when it was free, and is taken from now on."""
    try:
        claims.lease(batch_id, at, at + LONG)
    except Held as held:
        return held.seconds
    return None


def test_a_batch_is_one_worker_s_until_the_lease_ends(ports: Ports) -> None:
    claims = ports.claims
    claims.lease("b1", NOON, LATER)
    assert held_for(claims, "b1", NOON) == 180
    assert held_for(claims, "b1", LATER - timedelta(microseconds=1)) == 1
    assert held_for(claims, "b2", NOON) is None, "another batch is another's"
    assert held_for(claims, "b1", LATER) is None
    assert claims.finished(["b1"]) == set()
    assert claims.locate(["b1"]) == {}


def test_a_lease_given_back_is_free_at_once(ports: Ports) -> None:
    lease = ports.claims.lease("b1", NOON, LATER)
    ports.claims.release("b1", lease)
    assert held_for(ports.claims, "b1", NOON) is None
    ports.claims.release("b1", lease)
    assert held_for(ports.claims, "b1", NOON) == 180, "it gives back its own alone"


def test_who_comes_too_late_does_not_give_back_what_another_took_over(ports: Ports) -> None:
    late = ports.claims.lease("b1", NOON - timedelta(hours=1), NOON)
    ports.claims.lease("b1", NOON, LATER)
    ports.claims.release("b1", late)
    ports.claims.release("unknown", late)
    assert held_for(ports.claims, "b1", NOON) == 180


def test_a_lease_of_a_dead_worker_can_be_ended(ports: Ports) -> None:
    claims = ports.claims
    claims.lease("b1", NOON, LATER)
    claims.end_lease("b1", LATER - timedelta(microseconds=1))
    claims.end_lease("unknown", LATER)
    assert held_for(claims, "b1", NOON) == 180
    claims.end_lease("b1", LATER)
    assert held_for(claims, "b1", NOON) is None
    assert held_for(claims, "unknown", NOON) is None


def test_of_workers_that_race_for_a_batch_one_gets_it(ports: Ports) -> None:
    for at in (NOON, LATER):  # a free one, and one whose lease has ended
        asked = at_once([partial(held_for, ports.claims, "b1", at)] * 8)
        assert sorted(asked, key=str) == [180] * 7 + [None]


def test_a_key_is_reserved_then_answered_then_replayed(ports: Ports) -> None:
    answers = ports.answers
    assert answers.begin("ingest", "k", "h", NOON) == Reservation(first_at=NOON)
    answers.keep("ingest", "k", "h", WORDS.encode(), NOON)
    answers.keep("ingest", "k", "h", b"another", NOON)
    later = NOON + timedelta(hours=24)
    assert answers.begin("ingest", "k", "h", later) == Reservation(first_at=NOON, answer=WORDS.encode())
    answers.release("ingest", "k")
    assert answers.begin("ingest", "k", "h", later).answer == WORDS.encode()


def test_an_answer_of_many_rejections_fits(ports: Ports) -> None:
    answer = b",".join(b'{"index":%d,"code":"no_words","detail":"x"}' % n for n in range(20_000))
    assert len(answer) > 400_000
    ports.answers.begin("ingest", "k", "h", NOON)
    ports.answers.keep("ingest", "k", "h", answer, NOON)
    assert ports.answers.begin("ingest", "k", "h", NOON).answer == answer


def test_a_key_used_for_another_request_is_refused_whatever_became_of_the_first(ports: Ports) -> None:
    ports.answers.begin("ingest", "k", "h", NOON)
    for _ in range(2):
        with pytest.raises(IdempotencyMismatch):
            ports.answers.begin("ingest", "k", "other", NOON)
        ports.answers.release("ingest", "k")
    assert ports.answers.begin("score", "k", "other", NOON) == Reservation(first_at=NOON)


def test_a_key_in_use_is_a_conflict_until_its_holder_is_given_up(ports: Ports) -> None:
    ports.answers.begin("ingest", "k", "h", NOON)
    with pytest.raises(Conflict):
        ports.answers.begin("ingest", "k", "h", NOON + timedelta(seconds=59))
    taken_over = NOON + timedelta(seconds=60)
    assert ports.answers.begin("ingest", "k", "h", taken_over) == Reservation(first_at=NOON)
    with pytest.raises(Conflict):
        ports.answers.begin("ingest", "k", "h", taken_over + timedelta(seconds=1))


def test_a_released_key_may_be_tried_again_as_of_the_first_try(ports: Ports) -> None:
    ports.answers.release("ingest", "k")
    ports.answers.begin("ingest", "k", "h", NOON)
    ports.answers.release("ingest", "k")
    again = NOON + timedelta(seconds=1)
    assert ports.answers.begin("ingest", "k", "h", again) == Reservation(first_at=NOON)
    with pytest.raises(Conflict):
        ports.answers.begin("ingest", "k", "h", again)


def test_a_key_is_new_after_two_days(ports: Ports) -> None:
    ports.answers.begin("ingest", "k", "h", NOON)
    ports.answers.keep("ingest", "k", "h", b"old", NOON)
    later = NOON + timedelta(hours=48)
    assert ports.answers.begin("ingest", "k", "other", later) == Reservation(first_at=later)


def test_of_calls_that_race_with_one_key_one_goes_on(ports: Ports) -> None:
    def begin() -> bool:
        try:
            return ports.answers.begin("ingest", "k", "h", NOON).answer is None
        except Conflict:
            return False

    assert sum(at_once([begin] * 8)) == 1
    ports.answers.release("ingest", "k")
    assert sum(at_once([begin] * 8)) == 1


def test_what_a_read_misses_the_condition_of_the_write_does_not(
    service_ports: ServicePorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads before claims are not consistent: claims have to be right though every read were empty."""
    claims, later = service_ports.claims, NOON + timedelta(seconds=1)
    claims.claim_items("b1", IDS[:120])
    claims.claim_clusters("b1", {"w": NOON, "v": later})
    monkeypatch.setattr(Table, "rows", lambda *_, **__: [])
    assert claims.claim_items("b1", IDS[:150]) == set(IDS[:150])
    assert claims.claim_items("b2", IDS) == set(IDS[150:])
    assert claims.claim_clusters("b1", {"w": NOON}) == {"w"}
    assert claims.claim_clusters("b2", {"w": NOON, "v": NOON, "u": NOON}) == {"v", "u"}


def test_a_claim_and_an_answer_tell_the_table_when_they_expire(service_ports: ServicePorts) -> None:
    service_ports.claims.claim_items("b1", ["i"])
    service_ports.claims.claim_clusters("b1", {"w": NOON})
    service_ports.claims.finish("b1")
    service_ports.answers.begin("ingest", "k" * 255, "h", NOON)
    rows = service_ports.make.clients.dynamodb().scan(TableName=service_ports.table("claims"))["Items"]
    assert len(rows) == 4
    assert all(int(row["expires"]["N"]) > NOON.timestamp() for row in rows)


def test_a_lease_tells_the_table_when_it_ends(service_ports: ServicePorts) -> None:
    """Given back as well: what would have ended years ago the table keeps for ever."""
    dynamodb, table = service_ports.make.clients.dynamodb(), service_ports.table("claims")
    claims = DynamoItemClaims(dynamodb, table, now=lambda: NOON)
    claims.lease("b1", NOON, LATER - timedelta(microseconds=1))
    claims.release("b2", claims.lease("b2", NOON, LATER))
    rows = dynamodb.scan(TableName=table)["Items"]
    told = {row["pk"]["S"]: int(row["expires"]["N"]) for row in rows}
    assert told == {"lease#b1": LATER.timestamp(), "lease#b2": NOON.timestamp()}


class AnswersLost:
    """A client that writes everything twice, as the SDK does when the first answer did not arrive."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def put_item(self, **asked: Any) -> Any:
        self._client.put_item(**asked)
        return self._client.put_item(**asked)


def test_a_lease_written_twice_does_not_meet_itself(service_ports: ServicePorts) -> None:
    table = service_ports.table("claims")
    client: Any = AnswersLost(service_ports.make.clients.dynamodb())
    DynamoItemClaims(client, table).lease("b1", NOON, LATER)
    assert held_for(service_ports.claims, "b1", NOON) == 180
