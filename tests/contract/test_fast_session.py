"""The session that starts fast against the library's own: the same descriptions, the same clients."""

import gzip
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import botocore.session
import pytest
from botocore.exceptions import DataNotFoundError

from bellwether.adapters.aws.clients import CONNECTIONS, Clients, client_config
from bellwether.adapters.aws.sessions import new_session

SERVICES = ("dynamodb", "s3", "sqs", "secretsmanager", "apigatewaymanagementapi")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_described_alike(service: str) -> None:
    fast, usual = new_session(), botocore.session.Session()
    assert fast.get_service_model(service).metadata == dict(usual.get_service_model(service).metadata)
    for name in ("endpoints", "partitions", "sdk-default-configuration"):
        assert fast.get_data(name) == usual.get_data(name)
    rules: tuple[Any, Any] = tuple(
        session.get_component("data_loader").load_service_model(service, "endpoint-rule-set-1")
        for session in (fast, usual)
    )
    assert rules[0] == rules[1]


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_signs_and_calls_the_same_address(service: str) -> None:
    names: dict[str, Any] = {
        "region_name": "eu-central-2",
        "aws_access_key_id": "a",
        "aws_secret_access_key": "b",
    }
    fast = new_session().create_client(service, **names)
    usual = botocore.session.Session().create_client(service, **names)
    assert fast.meta.endpoint_url == usual.meta.endpoint_url
    assert fast.meta.method_to_api_mapping == usual.meta.method_to_api_mapping


def test_a_service_there_is_none_of_is_refused() -> None:
    with pytest.raises(DataNotFoundError):
        new_session().get_service_model("no-such-service")


@pytest.mark.parametrize("ending", [".json", ".json.gz"])
def test_descriptions_of_ones_own_are_found(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.dumps({"own": True}).encode()
    (tmp_path / f"mine{ending}").write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert new_session().get_data("mine") == {"own": True}


class Keeping(BaseHTTPRequestHandler):
    """Answers every request and keeps the connection, as AWS does."""

    protocol_version = "HTTP/1.1"
    connections: ClassVar[set[tuple[str, int]]] = set()

    def do_POST(self) -> None:
        self.connections.add(self.client_address)
        self.rfile.read(int(self.headers["Content-Length"]))
        content = b'{"Attributes": {}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        return


@pytest.mark.req("X1")
@pytest.mark.enable_socket
def test_a_process_has_one_client_a_service_and_calls_over_one_connection() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Keeping) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        clients = Clients(
            region="eu-central-2",
            endpoint=f"http://127.0.0.1:{server.server_port}",
            credentials=("key", "secret"),
        )
        for _ in range(5):
            clients.sqs().get_queue_attributes(QueueUrl="http://queue", AttributeNames=["QueueArn"])
        assert clients.sqs() is clients.sqs()
        server.shutdown()
    assert len(Keeping.connections) == 1


@pytest.mark.req("X1")
def test_connections_are_pooled_kept_and_given_up_in_time() -> None:
    config: Any = client_config()
    assert config.max_pool_connections == CONNECTIONS >= 16
    assert config.tcp_keepalive is True
    assert config.connect_timeout == 2
    assert config.read_timeout == 10
    assert config.retries == {"mode": "standard", "total_max_attempts": 5}
