"""Service clients: made when first asked for, shared by a process, with explicit time limits and retries.

botocore rather than boto3, and its low-level clients rather than resources: a function's start and memory are
mostly the libraries it loads. It is loaded when the first client is made, so that a function that needs none
(an authorizer with a token) never waits for it. Where the services are comes from the environment (region,
credentials, `AWS_ENDPOINT_URL`) unless a caller says otherwise.
"""

from datetime import UTC, datetime
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.session import Session
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

CONNECTIONS = 16


@lru_cache(maxsize=1)
def client_config() -> "Config":
    """How every client connects: connections are kept open and used again, and calls do not wait for ever."""
    from botocore.config import Config

    return Config(
        connect_timeout=2,
        read_timeout=10,
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
        retries={"mode": "standard", "total_max_attempts": 5},
        # Calls are checked by mypy against the service's types; checking each again costs a third of its
        # time.
        parameter_validation=False,
    )


def utc_now() -> datetime:
    """The clock adapters use for expiry; what is computed from data never comes from here."""
    return datetime.now(UTC)


class Clients:
    """One client a service. Clients may be shared between threads; making them may not, hence the lock."""

    def __init__(
        self,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        credentials: tuple[str, str] | None = None,
    ) -> None:
        self._region = region
        self._endpoint = endpoint
        self._credentials = credentials or (None, None)
        self._session: Session | None = None
        self._made: dict[tuple[str, str | None], Any] = {}
        self._lock = Lock()

    def dynamodb(self) -> "DynamoDBClient":
        """Tables."""
        client: DynamoDBClient = self._client("dynamodb")
        return client

    def s3(self) -> "S3Client":
        """The lake and the ledger."""
        client: S3Client = self._client("s3")
        return client

    def sqs(self) -> "SQSClient":
        """Queues."""
        client: SQSClient = self._client("sqs")
        return client

    def secrets(self) -> "SecretsManagerClient":
        """Secrets Manager."""
        client: SecretsManagerClient = self._client("secretsmanager")
        return client

    def sockets(self, endpoint: str) -> "ApiGatewayManagementApiClient":
        """The sending side of the WebSocket API at its own endpoint."""
        client: ApiGatewayManagementApiClient = self._client("apigatewaymanagementapi", endpoint)
        return client

    def _client(
        self,
        service: Literal["dynamodb", "s3", "sqs", "secretsmanager", "apigatewaymanagementapi"],
        endpoint: str | None = None,
    ) -> Any:
        with self._lock:
            made = self._made.get((service, endpoint))
            if made is None:
                if self._session is None:
                    from bellwether.adapters.aws.sessions import new_session

                    self._session = new_session()
                key, secret = self._credentials
                made = self._made[service, endpoint] = self._session.create_client(
                    service,
                    region_name=self._region,
                    endpoint_url=endpoint or self._endpoint,
                    aws_access_key_id=key,
                    aws_secret_access_key=secret,
                    config=client_config(),
                )
            return made
