"""What the adapters do when a service refuses, delays or is gone: retried, told apart, never dropped."""

import gzip
import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.aws import patience, transactions
from bellwether.adapters.aws.clients import Clients
from bellwether.adapters.aws.faults import calling
from bellwether.adapters.aws.lake import Bucket, S3RawBatches
from bellwether.adapters.aws.parallel import each
from bellwether.adapters.aws.patience import Patience
from bellwether.adapters.aws.tables import Table
from bellwether.adapters.aws.values import from_wire, to_wire
from bellwether.adapters.composition import Composition
from bellwether.domain.problems import Conflict, NotFound, Problem, Unavailable
from tests.conftest import free_port
from tests.contract.records import WORDS

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False).filter(
    lambda x: x == 0 or 1e-130 <= abs(x) < 1e126
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | NUMBERS | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_values_come_back_equal(value: Any) -> None:
    assert from_wire(to_wire(value)) == value


@given(NUMBERS)
def test_a_float_comes_back_to_the_last_bit(value: float) -> None:
    assert float(from_wire(to_wire(value))).hex() == value.hex() or value == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e-131, 1e126])
def test_a_number_no_table_can_hold_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        to_wire(value)


@pytest.mark.parametrize("value", [object(), {1, 2}])
def test_a_value_without_a_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        to_wire(value)


def test_values_survive_the_service(services: Composition) -> None:
    client = services.clients.dynamodb()
    client.create_table(
        TableName="values",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table = Table(client, "values")
    floats = [0.1 + 0.2, 1e-7, -1 / 3, 1e125, 5e-130, 123456789.123456789, 3.0]
    row = {
        "pk": WORDS,
        "floats": floats,
        "whole": 2**60,
        "raw": b"\x00\xff",
        "nested": {"yes": True, "none": None, "": {"deep": [WORDS]}},
    }
    table.put(row)
    found = table.get({"pk": WORDS})
    assert found is not None
    assert [float(number).hex() for number in found.pop("floats")] == [number.hex() for number in floats]
    del row["floats"]
    assert found == row


def refused(code: str, **more: Any) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "table secret-name-1234"}, **more}
    return ClientError(answer, "Call")


class Scripted:
    """A client whose calls are answered from a list: an exception is raised, a mapping returned."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def call(self, **asked: Any) -> Any:
        self.asked.append(asked)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    transact_write_items = batch_write_item = batch_get_item = put_object = call
    get_object = list_objects_v2 = query = call


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits between tries are noted, not waited."""
    waits: list[float] = []
    monkeypatch.setattr(patience, "sleep", waits.append)
    return waits


def cancelled(*codes: str) -> ClientError:
    return refused("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


def groups(*sizes: int) -> list[list[dict[str, Any]]]:
    return [[{"Put": f"{number}.{part}"} for part in range(size)] for number, size in enumerate(sizes)]


def test_who_was_refused_and_by_which_condition() -> None:
    failed = "ConditionalCheckFailed"
    client = Scripted(cancelled("None", "None", failed, "None", "None", failed, "None", "None"), {})
    found = transactions.write_groups(client, groups(2, 2, 2, 2), "t")  # type: ignore[arg-type]
    assert found == [frozenset(), {0}, {1}, frozenset()]
    assert [action["Put"] for action in client.asked[1]["TransactItems"]] == ["0.0", "0.1", "3.0", "3.1"]


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_contention_is_waited_out(code: str, no_waiting: list[float]) -> None:
    client = Scripted(cancelled("None", code), cancelled(code, "None"), {})
    assert transactions.write_groups(client, groups(1, 1), "t") == [frozenset()] * 2  # type: ignore[arg-type]
    assert len(client.asked) == 3
    assert len(no_waiting) == 2


@pytest.mark.parametrize("code", ["ThrottlingException", "TransactionInProgressException"])
def test_a_transaction_the_service_did_not_look_at_is_sent_again(code: str) -> None:
    client = Scripted(refused(code), {})
    assert transactions.write_groups(client, groups(1), "t") == [frozenset()]  # type: ignore[arg-type]


def test_a_transaction_that_cannot_work_is_not_repeated() -> None:
    for fault in (cancelled("ValidationError"), refused("ValidationException")):
        client = Scripted(fault)
        with pytest.raises(Unavailable):
            transactions.write_groups(client, groups(1), "t")  # type: ignore[arg-type]
        assert len(client.asked) == 1


def test_transactions_hold_a_hundred_actions_and_tear_no_group() -> None:
    client = Scripted({}, {}, {})
    transactions.write_groups(client, groups(*[3] * 70), "t")  # type: ignore[arg-type]
    sizes = sorted(len(asked["TransactItems"]) for asked in client.asked)
    assert sizes == [12, 99, 99]
    assert all(size % 3 == 0 for size in sizes)


def test_what_a_table_did_not_take_is_sent_again(no_waiting: list[float]) -> None:
    rest = {"t": [{"PutRequest": {"Item": {"pk": {"S": "b"}}}}]}
    client = Scripted({"UnprocessedItems": rest}, {"UnprocessedItems": rest}, {"UnprocessedItems": {}})
    Table(client, "t").put_all([{"pk": "a"}, {"pk": "b"}])  # type: ignore[arg-type]
    assert [asked["RequestItems"] for asked in client.asked[1:]] == [rest, rest]
    assert len(no_waiting) == 2


def test_what_a_table_did_not_read_is_asked_again() -> None:
    rest = {"t": {"Keys": [{"pk": {"S": "b"}}]}}
    client = Scripted(
        {"Responses": {"t": [{"pk": {"S": "a"}}]}, "UnprocessedKeys": rest},
        {"Responses": {"t": [{"pk": {"S": "b"}}]}},
    )
    rows = Table(client, "t").rows([{"pk": "a"}, {"pk": "b"}])  # type: ignore[arg-type]
    assert rows == [{"pk": "a"}, {"pk": "b"}]


def test_rows_of_several_pages_are_one_answer() -> None:
    pages = [
        {"Items": [{"pk": {"S": "a"}}], "LastEvaluatedKey": {"pk": {"S": "a"}}},
        {"Items": [], "LastEvaluatedKey": {"pk": {"S": "b"}}},
        {"Items": [{"pk": {"S": "c"}}, {"pk": {"S": "d"}}]},
    ]
    client = Scripted(*pages)
    rows = Table(client, "t").query("pk = :pk", {":pk": "x"}, limit=2)  # type: ignore[arg-type]
    assert list(rows) == [{"pk": "a"}, {"pk": "c"}]
    assert client.asked[2]["ExclusiveStartKey"] == {"pk": {"S": "b"}}


def test_keys_of_several_pages_are_one_list() -> None:
    pages = [
        {"Contents": [{"Key": "p/a"}], "IsTruncated": True, "NextContinuationToken": "more"},
        {"Contents": [{"Key": "p/b"}], "IsTruncated": False},
    ]
    client = Scripted(*pages)
    assert list(Bucket(client, "b").keys("p/", after="p/0")) == ["p/a", "p/b"]  # type: ignore[arg-type]
    assert client.asked[0]["StartAfter"] == "p/0"
    assert client.asked[1]["ContinuationToken"] == "more"


def test_patience_ends_and_says_so(monkeypatch: pytest.MonkeyPatch, no_waiting: list[float]) -> None:
    now = 0.0
    monkeypatch.setattr(patience, "monotonic", lambda: now)
    waiting = Patience("the table", seconds=5)
    for _ in range(20):
        waiting.wait()
    assert max(no_waiting) <= patience.LONGEST_WAIT
    now = 5.0
    with pytest.raises(Unavailable, match="the table"):
        waiting.wait()


def test_a_conditional_write_to_an_object_in_use_is_tried_again() -> None:
    client = Scripted(refused("ConditionalRequestConflict"), {"ETag": "e"})
    assert Bucket(client, "b").write_if("k", b"", etag=None) == "e"  # type: ignore[arg-type]
    assert client.asked[0]["IfNoneMatch"] == "*"


def test_a_denial_for_a_missing_object_says_that_it_is_missing() -> None:
    client = Scripted(refused("AccessDenied"), {"Contents": [{"Key": "prices/A.json.old"}]})
    with pytest.raises(NotFound):
        Bucket(client, "b").read("prices/A.json")  # type: ignore[arg-type]
    client = Scripted(refused("AccessDenied"), {"Contents": [{"Key": "prices/A.json"}]})
    with pytest.raises(Unavailable):
        Bucket(client, "b").read("prices/A.json")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 40, b"{}", gzip.compress(b"{}"), gzip.compress(b"{"), gzip.compress(b"x" * 9999)[:40]],
    ids=["nothing", "no gzip", "plain JSON", "of no batch", "broken JSON", "cut short"],
)
def test_an_object_that_is_no_batch_is_as_good_as_none(content: bytes) -> None:
    client = Scripted({"Body": io.BytesIO(content), "ETag": "e"})
    with pytest.raises(NotFound):
        S3RawBatches(client, "b").get("raw-data/2026/11/23/12/b1.json.gz")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("NoSuchKey", NotFound),
        ("ConditionalCheckFailedException", Conflict),
        ("ThrottlingException", Unavailable),
        ("AccessDeniedException", Unavailable),
    ],
)
def test_faults_become_problems_that_tell_no_names(code: str, problem: type[Problem]) -> None:
    with pytest.raises(problem) as met, calling("the table"):
        raise refused(code)
    assert "secret-name" not in str(met.value)


def test_a_service_that_is_gone_is_unavailable() -> None:
    with pytest.raises(Unavailable), calling("the table"):
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1")


@pytest.mark.timeout(60)
def test_an_address_where_nobody_listens_is_unavailable() -> None:
    gone = Clients(
        region="eu-central-2", endpoint=f"http://127.0.0.1:{free_port()}", credentials=("test", "test")
    )
    with pytest.raises(Unavailable):
        Composition(gone).item_claims("t").finish("b1")


def test_calls_at_once_keep_their_order_and_their_first_error() -> None:
    assert each(lambda number: number * 2, range(40)) == list(range(0, 80, 2))
    assert each(lambda number: sum(each(lambda n: n + number, range(3))), range(20))[1] == 6
    done: list[int] = []

    def fail(number: int) -> None:
        done.append(number)
        if number in {1, 2}:
            raise ValueError(str(number))

    with pytest.raises(ValueError, match="1"):
        each(fail, range(5))
    assert sorted(done) == [0, 1, 2, 3, 4]


def loaded(statement: str) -> set[str]:
    """Modules a fresh interpreter has loaded after a statement."""
    script = f"{statement}\nimport sys; print(chr(10).join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.req("X1")
def test_a_function_loads_only_what_it_uses() -> None:
    root = "from bellwether.adapters.composition import Composition; make = Composition()"
    modules = loaded(root)
    assert "boto3" not in modules
    assert not any(name.startswith("bellwether.adapters.aws.lake") for name in modules)
    settled = "import os; os.environ.update(AWS_DEFAULT_REGION='eu-central-2')"
    modules = loaded(f"{settled}\n{root}; make.counts('events')")
    assert "bellwether.adapters.aws.feed" in modules
    assert not modules & {"bellwether.adapters.aws.lake", "bellwether.adapters.aws.signals", "boto3"}


def test_clients_are_made_once_also_by_threads(services: Composition) -> None:
    makers: list[Callable[[], Any]] = [Composition(services.clients).clients.sqs] * 8
    assert len({id(client) for client in each(lambda make: make(), makers)}) == 1
