"""The REST API, the WebSocket API, and the functions that need to know them."""

from aws_cdk import Stack
from constructs import Construct

from infrastructure.constructs.edge_secret import EdgeSecret
from infrastructure.constructs.firewall import Firewall
from infrastructure.constructs.function_set import FunctionSet
from infrastructure.constructs.outputs import publish
from infrastructure.constructs.queues import failure_queue
from infrastructure.constructs.rest_api import RestApi
from infrastructure.constructs.socket_api import SocketApi
from infrastructure.constructs.triggers import feed_from_stream
from infrastructure.packaging import Layer
from infrastructure.settings import API_VERSION, Feature, StageSettings
from infrastructure.stacks.auth import AuthStack
from infrastructure.stacks.compute import OF_THE_API, ComputeStack, publish_functions
from infrastructure.stacks.environment import environment
from infrastructure.stacks.holdings import Keys

# Counters and what is known of providers share the table with changes: they are no news.
_NEW_CHANGES = {
    "eventName": ["INSERT"],
    "dynamodb": {"Keys": {"day": {"S": [{"anything-but": ["counters", "providers"]}]}}},
}


class ApiStack(Stack):
    """Everything a client talks to."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        security: Keys,
        auth: AuthStack,
        compute: ComputeStack,
        layer: Layer,
    ) -> None:
        super().__init__(scope, construct_id, env=environment(settings))
        self.socket = SocketApi(self, "Socket", settings=settings)
        values = {
            **compute.values,
            "USER_POOL_ID": auth.users.pool.user_pool_id,
            "USER_POOL_CLIENT_ID": auth.users.client.user_pool_client_id,
            "JWKS_URL": auth.jwks_url,
            "TOKEN_ISSUER": auth.issuer,
            "SOCKET_ENDPOINT": self.socket.endpoint,
        }
        self.functions = FunctionSet(
            self,
            "Functions",
            names=OF_THE_API,
            settings=settings,
            layer=layer,
            given=compute.given,
            values=values,
            network=compute.network,
        )
        self.lost_changes = failure_queue(self, "LostChanges")
        self._connect_socket(compute)
        self.rest = RestApi(
            self,
            "Rest",
            settings=settings,
            functions={name: function.invoked for name, function in compute.functions.by_name.items()},
            authorizer=self.functions["authorizer"].invoked,
        )
        self.edge_reference: str | None = None
        if settings.has(Feature.EDGE):
            key = security.secret_key
            self.edge_reference = EdgeSecret(self, "Edge", key=key, settings=settings).reference
        if settings.has(Feature.FIREWALL):
            Firewall(self, "Firewall", api=self.rest.api, settings=settings, edge=self.edge_reference)
        self._publish(settings)

    def _connect_socket(self, compute: ComputeStack) -> None:
        self.socket.connect(
            function=self.functions["socket"].invoked, authorizer=self.functions["authorizer"].invoked
        )
        for name in ("socket", "broadcast"):
            self.socket.let_send(self.functions[name].role)
        feed_from_stream(
            self.functions["broadcast"],
            compute.given.tables["events"],
            self.lost_changes,
            filters=[_NEW_CHANGES],
        )

    def _publish(self, settings: StageSettings) -> None:
        rest = self.rest.api
        base = settings.endpoint or f"https://{self.rest.host}"
        url = f"{base}/{API_VERSION}"
        publish(self, "api_url", url, "Base address of the REST API")
        if self.rest.domain:
            publish(
                self,
                "api_domain_target",
                self.rest.domain.domain_name_alias_domain_name,
                "Where a DNS record of the API's own name has to point",
            )
        publish(self, "rest_api_id", rest.rest_api_id, "REST API")
        publish(self, "rest_api_stage", API_VERSION, "Stage of the REST API")
        publish(self, "socket_url", self.socket.url, "Address of the WebSocket API")
        publish(self, "socket_api_id", self.socket.api.api_id, "WebSocket API")
        publish(self, "socket_api_stage", API_VERSION, "Stage of the WebSocket API")
        publish(
            self, "lost_changes_queue_url", self.lost_changes.queue_url, "Changes that could not be pushed"
        )
        publish_functions(self, self.functions)
