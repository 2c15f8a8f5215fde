"""Queues, secrets, probes and sockets on the services."""

import msgspec
import pytest

from bellwether.adapters.aws.probes import probe_bucket, probe_queue, probe_table
from bellwether.adapters.aws.secrets import ManagedSecrets
from bellwether.adapters.aws.sockets import GatewaySockets
from bellwether.adapters.composition import Composition
from bellwether.adapters.memory import MemoryAnnouncements, MemoryBatchQueue, MemorySecrets
from bellwether.domain.problems import NotFound, Problem, Unavailable
from bellwether.usecases.ports import BatchMessage
from tests.contract.conftest import ServicePorts
from tests.contract.records import WORDS, chain
from tests.contract.test_service_calls import refused


def received(services: Composition, url: str) -> list[str]:
    sqs = services.clients.sqs()
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
    return [message["Body"] for message in answer.get("Messages", [])]


def test_a_batch_travels_by_its_claim_check(services: Composition) -> None:
    url = services.clients.sqs().create_queue(QueueName="contract-ingest")["QueueUrl"]
    message = BatchMessage(batch_id="b1", key="raw-data/…", duplicates=tuple(range(500)))
    services.batch_queue(url).send(message)
    in_memory = MemoryBatchQueue()
    in_memory.send(message)
    assert services.queue_depths().depth(url) == 1
    (body,) = received(services, url)
    assert msgspec.json.decode(body, type=BatchMessage) == message
    assert in_memory.take() == [message]
    assert in_memory.take() == []


@pytest.mark.req("C4")
def test_entries_are_announced_once_and_in_order(services: Composition) -> None:
    url = services.clients.sqs().create_queue(
        QueueName="contract-decisions.fifo", Attributes={"FifoQueue": "true"}
    )["QueueUrl"]
    sending, in_memory = services.announcements(url), MemoryAnnouncements()
    entries = chain(4)
    for one in [*entries, *entries[:2]]:
        sending.announce(one)
        in_memory.announce(one)
    assert received(services, url) == [f'{{"sequence":{number}}}' for number in range(1, 5)]
    assert in_memory.announced == [1, 2, 3, 4]


def test_a_queue_that_is_not_there_is_a_problem(services: Composition) -> None:
    url = "http://127.0.0.1/000000000000/none"
    with pytest.raises(Problem):
        services.queue_depths().depth(url)
    with pytest.raises(Problem):
        services.batch_queue(url).send(BatchMessage(batch_id="b", key="k"))
    with pytest.raises(Problem):
        probe_queue(services.clients.sqs(), url)


@pytest.mark.req("C2", "S2")
def test_a_secret_is_read_at_run_time_and_believed_for_five_minutes(services: Composition) -> None:
    seconds = 0.0
    client = services.clients.secrets()
    client.create_secret(Name="contract/providers", SecretString=f'{{"key": "first {"ü"}"}}')
    secrets = ManagedSecrets(client, lambda: seconds)
    assert secrets.values("contract/providers") == {"key": "first ü"}
    client.put_secret_value(SecretId="contract/providers", SecretString='{"key": "second"}')
    seconds = 299.0
    assert secrets.values("contract/providers")["key"] == "first ü"
    seconds = 300.0
    assert secrets.values("contract/providers")["key"] == "second"
    assert services.secrets().text("contract/providers") == '{"key": "second"}'


def test_a_secret_that_is_not_there_is_not_found(services: Composition) -> None:
    for secrets in (services.secrets(), MemorySecrets({"there": WORDS})):
        with pytest.raises(NotFound):
            secrets.text("contract/none")
    assert MemorySecrets({"there": WORDS}).text("there") == WORDS


@pytest.mark.req("A11")
def test_probes_tell_what_answers_from_what_does_not(service_ports: ServicePorts) -> None:
    clients = service_ports.make.clients
    assert probe_table(clients.dynamodb(), service_ports.table("events")) == "ACTIVE"
    probe_bucket(clients.s3(), service_ports.bucket)
    with pytest.raises(Unavailable):
        probe_table(clients.dynamodb(), "contract-none")
    with pytest.raises(NotFound):
        probe_bucket(clients.s3(), "contract-none")


class Gateway:
    """A management endpoint on which one connection is gone and one may not be written to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    def post_to_connection(self, *, ConnectionId: str, Data: bytes) -> None:  # noqa: N803
        if ConnectionId == "gone":
            raise refused("GoneException")
        if ConnectionId == "forbidden":
            raise refused("ForbiddenException")
        self.sent.append((ConnectionId, Data))


@pytest.mark.req("A13")
def test_a_socket_that_is_gone_is_told_from_one_that_fails() -> None:
    gateway = Gateway()
    sockets = GatewaySockets(gateway)  # type: ignore[arg-type]
    assert sockets.send("c1", WORDS.encode())
    assert gateway.sent == [("c1", WORDS.encode())]
    assert not sockets.send("gone", b"")
    with pytest.raises(Unavailable):
        sockets.send("forbidden", b"")


def test_the_sender_goes_to_the_endpoint_it_was_given(services: Composition) -> None:
    endpoint = "http://127.0.0.1:9/_aws/execute-api/abc/v1"
    assert services.clients.sockets(endpoint).meta.endpoint_url == endpoint
    assert isinstance(services.sockets(endpoint), GatewaySockets)
